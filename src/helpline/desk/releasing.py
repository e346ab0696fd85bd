"""A report on its way to the council: drawn up, checked, commented, signed, presented, given.

Called by web/pages/releases and by the seed. What takes long (counting, protecting, typesetting) is
done between two transactions, and where there is one in the process apart (reports/apart.py):
`to_check`, `to_sign` and `files_of` read, `check` and `sign` write, and say so when something
changed in between. A draft is counted live; from the check on its figures stand.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import events, releasing_owed, report_templates
from helpline.desk.changes import NO_POINTERS, POINTS_TO_SOMEBODY
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Delivery, Release, ReleaseComment, ReleaseFile
from helpline.reports import apart, figures, frozen, reconciling, render
from helpline.reports.cells import Cell
from helpline.reports.report import Report
from helpline.rules import periods
from helpline.rules.moved import moved
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import DeliveryWay, ReleaseState

LONGEST_SENTENCE: Final = 1_000
LONGEST_TEXT: Final = 6_000
LONGEST_WHY: Final = 500
CHANGED: Final = "Something changed meanwhile. Look at it again."
THERE_ALREADY: Final = "That report is there already. A signed one can be restated."


class BadText(InvalidInput):
    """What was written cannot stand there; `place` says where (frozen.said)."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


@dataclass(frozen=True)
class Counted:
    """Figures counted for a check as the release will keep them, exact and as published, and beside
    which releases they were protected. Texts, because thirty thousand cells take long to copy."""

    exact: str
    cells: str
    at: datetime
    beside: tuple[int, ...]

    has_faults: bool
    """Whether something does not add up and nothing explains it."""


@dataclass(frozen=True)
class Move:
    """A figure of the report, and that of the period before; `change` in percent where it moved by
    more than its measure allows without a word."""

    measure: Measure
    before: float | None
    now: float | None
    change: float | None


@dataclass(frozen=True)
class ToSign:
    """A checked report with everything that was written of it, and what is still missing: places
    as frozen.said has them."""

    release: Release
    missing: tuple[str, ...]

    mark: str
    """What is signed: another one when a figure or a sentence is another."""

    template: bytes | None = None
    """The council's own for its Word document."""

    beside: tuple[int, ...] = ()
    """The releases that its figures were protected beside when it was checked."""


async def find(
    session: AsyncSession, release_id: int, by: Actor, action: str = "report.prepare"
) -> Release:
    """A release of a contract that `by` may work on, held for this transaction."""
    found = await session.get(Release, release_id, with_for_update=True, populate_existing=True)
    if found is None or not may(by, action, found.contract):
        raise NotFound("There is no such report, or it is not yours to see.")
    return found


async def draw_up(
    session: AsyncSession, contract: Contract, code: str, label: str, by: Actor, now: datetime
) -> Release:
    """A draft for a period that is over, by hand; Conflict where there is one already."""
    require(by, "report.prepare", contract.key)
    asked = contract.report(code)
    span = contract.period_of(asked, label)
    if now < periods.bounds(span, contract.zone)[1]:
        raise InvalidInput("That period still runs. Its report can be made the day after its last.")
    if await releasing_owed.last_number(session, contract, code, span.label):
        raise Conflict(THERE_ALREADY)
    try:
        async with session.begin_nested():
            return await releasing_owed.add(session, contract, asked, span, now, by=by.user_id)
    except IntegrityError:  # somebody else drew it up in the same instant
        raise Conflict(THERE_ALREADY) from None


async def restate(
    session: AsyncSession, contract: Contract, release_id: int, why: str, by: Actor, now: datetime
) -> Release:
    """A signed report was wrong: another number of it, counted anew, beside the first."""
    found = await find(session, release_id, by)
    last = await releasing_owed.last_number(session, contract, found.report, found.period)
    if not ReleaseState(found.state).is_out:
        raise Conflict("It is not signed yet: take the check back and put it right.")
    if found.number != last:
        raise Conflict("It was restated already: see the newer one.")
    said = _for_the_council(why, LONGEST_WHY, "Say what was wrong, and how it came to light.")
    asked, span = contract.report(found.report), frozen.period_of(contract, found)
    return await releasing_owed.add(
        session, contract, asked, span, now, by=by.user_id, number=last + 1, why=said
    )


# --- checked: from here on the figures stand ------------------------------------------------------


async def to_check(
    session: AsyncSession, contract: Contract, release: Release, now: datetime
) -> Counted:
    """Count a draft, exactly and as it would be published. Reads only."""
    beside = await _beside(session, contract)  # first: what is signed from here on is noticed
    span = frozen.period_of(contract, release)
    return await apart.there(session, _to_check, contract, release.report, span, beside, now)


async def _to_check(
    session: AsyncSession,
    contract: Contract,
    code: str,
    span: periods.Period,
    beside: tuple[int, ...],
    now: datetime,
) -> Counted:
    exact = await figures.counted(session, contract, span, now, code)
    earlier = await frozen.earlier(session, contract, span)
    return counted_of(exact, await figures.protected(exact, earlier), beside)


def counted_of(exact: Report, published: Report, beside: tuple[int, ...] = ()) -> Counted:
    """What is kept of figures that were counted and protected. Takes most of a second."""
    cells = json.dumps({"beside": beside}, separators=(",", ":"))[:-1]
    return Counted(
        frozen.kept(exact),
        f"{cells},{frozen.kept(published)[1:]}",
        exact.generated_at,
        beside,
        bool(reconciling.faults(reconciling.differences(exact))),
    )


async def check(
    session: AsyncSession,
    contract: Contract,
    release_id: int,
    counted: Counted,
    by: Actor,
    now: datetime,
) -> None:
    """`by` has looked at the figures and says that they are right: they are kept."""
    found = await find(session, release_id, by)
    if found.state != ReleaseState.DRAFT:
        raise Conflict("It is checked already.")
    if counted.beside != await _beside(session, contract):
        raise Conflict("Another report was signed meanwhile. Look at the figures again.")
    if counted.has_faults:
        raise Conflict(
            "Some figures do not add up, and nothing explains it. The list to put right says which."
        )
    found.exact, found.cells, found.counted_at = counted.exact, counted.cells, counted.at
    found.state, found.checked_at, found.checked_by_id = ReleaseState.CHECKED, now, by.user_id
    await note(session, "release.checked", found, by, now)


async def take_back(session: AsyncSession, release_id: int, by: Actor, now: datetime) -> None:
    """To before the check, as long as it is not signed. What was written stays."""
    found = await find(session, release_id, by)
    if found.state != ReleaseState.CHECKED:
        raise Conflict("Only a checked report that is not signed can be taken back.")
    found.state, found.exact, found.cells = ReleaseState.DRAFT, None, None
    found.counted_at = found.checked_at = found.checked_by_id = None
    await note(session, "release.taken_back", found, by, now)


async def _beside(session: AsyncSession, contract: Contract) -> tuple[int, ...]:
    return tuple(sorted(one.id or 0 for one in await frozen.releases(session, contract)))


def _was_beside(release: Release) -> tuple[int, ...]:
    return tuple(json.loads(release.cells or "{}").get("beside", ()))


# --- commented: a sentence for each figure that moved ---------------------------------------------


async def moves(
    session: AsyncSession, contract: Contract, release: Release, now: datetime
) -> list[Move]:
    """Every figure of a checked report beside that of the period before: as it was released, or
    counted where it never was. What is not shown asks for no word: a word would show it; nor does
    what stands in no line of it, where nobody could write one."""
    return await apart.there(session, _moves, contract, release.id or 0, now)


async def _moves(session: AsyncSession, contract: Contract, row: int, now: datetime) -> list[Move]:
    release = await session.get_one(Release, row)
    exact = (await frozen.totals(session, contract, [row], exact=True))[row]
    published = (await frozen.totals(session, contract, [row]))[row]
    before = await _before(session, contract, release, now)
    had_anything = any(cell.value for cell in before.values())
    printed = _printed(contract, release)
    found = []
    for code in exact:
        if code not in printed:
            continue
        measure = contract.measure(code)
        then, is_now = _figure(before, measure), _figure(exact, measure)
        is_hidden = published[code].hidden is not None
        change = None
        if had_anything and not is_hidden and measure.basis != "year_to_date":  # it only grows
            change = moved(then, is_now, measure.moved)
        found.append(Move(measure, then, is_now, change))
    return found


async def _before(
    session: AsyncSession, contract: Contract, release: Release, now: datetime
) -> dict[str, Cell]:
    span = periods.previous(frozen.period_of(contract, release))
    there = await frozen.newest(session, contract, release.report, span.label)
    if there is not None:
        row = there.id or 0
        return (await frozen.totals(session, contract, [row], exact=True))[row]
    counted = await figures.counted(session, contract, span, now, release.report, late=False)
    return {cell.measure: cell for cell in counted.cells if not cell.by}


def _figure(totals: Mapping[str, Cell], measure: Measure) -> float | None:
    cell = totals.get(measure.code)
    if cell is None:
        return None
    return cell.percent if measure.unit == "percent" and cell.percent is not None else cell.value


def _printed(contract: Contract, release: Release) -> set[str]:
    """The measures that stand in the report's lines; a few more are counted for their sums."""
    return {one for line in contract.report(release.report).lines for one in line.measures}


def asked_for(contract: Contract, release: Release) -> dict[str, bool]:
    """The lines in which somebody writes → whether they must: a line without a figure says nothing
    unless it says something."""
    lines = contract.report(release.report).lines
    return {f"line:{line.code}": not line.measures for line in lines if line.asks}


async def say(
    session: AsyncSession,
    contract: Contract,
    release_id: int,
    texts: Mapping[str, str],
    by: Actor,
    now: datetime,
) -> int:
    """What is written of figures and lines: place (frozen.said) → text. An empty text takes a
    sentence away. Returns how many changed."""
    found = await find(session, release_id, by)
    if found.state != ReleaseState.CHECKED:
        raise Conflict("Sentences are written between the check and the signature.")
    there = await frozen.said(session, found)
    codes, lines, changed = _printed(contract, found), asked_for(contract, found), 0
    for place, text in texts.items():
        if place not in codes and place not in lines:
            raise InvalidInput("The report has no such place. Load the page again.")
        is_line = place in lines
        try:
            clean = _for_the_council(text, LONGEST_TEXT if is_line else LONGEST_SENTENCE)
        except InvalidInput as error:
            raise BadText(place, str(error)) from None
        if clean == there.get(place, ""):
            continue
        session.add(
            ReleaseComment(
                release_id=release_id,
                measure=None if is_line else place,
                line=place.removeprefix("line:") if is_line else None,
                text=clean,
                by_user_id=by.user_id,
                at=now,
            )
        )
        changed += 1
    await session.flush()
    if changed:
        await note(session, "release.commented", found, by, now, places=changed)
    return changed


def _for_the_council(text: str, longest: int, missing: str = "") -> str:
    """What the council reads: its paragraphs each a line."""
    lines = [" ".join(line.split()) for line in text.replace("\0", "").splitlines()]
    said = "\n".join(line for line in lines if line)
    if missing and not said:
        raise InvalidInput(missing)
    if len(said) > longest:
        raise InvalidInput(f"Say it shorter: {longest} characters are enough.")
    if POINTS_TO_SOMEBODY.search(said):
        raise InvalidInput(NO_POINTERS)
    return said


# --- signed: frozen for good ----------------------------------------------------------------------


async def to_sign(
    session: AsyncSession, contract: Contract, release: Release, now: datetime
) -> ToSign:
    """A checked report as it would be signed, and what is still missing. Reads only."""
    found = await moves(session, contract, release, now)
    said = await frozen.said(session, release)
    template = await report_templates.templates_of(session, contract, release.report)
    beside = await asyncio.to_thread(_was_beside, release)
    wanting = missing(contract, release, found, said)
    return ToSign(release, wanting, _mark(release, said), template, beside)


def missing(
    contract: Contract, release: Release, found: Sequence[Move], said: Mapping[str, str]
) -> tuple[str, ...]:
    """The places that want words and have none."""
    asked = [one.measure.code for one in found if one.change is not None]
    asked += [place for place, is_needed in asked_for(contract, release).items() if is_needed]
    return tuple(one for one in asked if one not in said)


def may_check(release: Release, by: Actor) -> None:
    """Raises Conflict where `by` cannot: before minutes are spent on counting and proving."""
    require(by, "report.prepare", release.contract)
    if release.state != ReleaseState.DRAFT:
        raise Conflict("It is checked already.")


def may_sign(release: Release, by: Actor) -> None:
    """Raises Conflict where `by` cannot: before seconds are spent on typesetting."""
    require(by, "report.sign", release.contract)
    if release.state != ReleaseState.CHECKED:
        raise Conflict("Only a checked report can be signed, and only once.")
    if release.checked_by_id == by.user_id:
        raise Conflict("You checked it, so somebody else signs it. Ask another lead.")


def _mark(release: Release, said: Mapping[str, str]) -> str:
    places = [f"{place}\0{text}" for place, text in sorted(said.items())]
    text = "\1".join([str(release.counted_at), release.cells or "", *places])
    return hashlib.sha256(text.encode()).hexdigest()


async def files_of(session: AsyncSession, contract: Contract, ready: ToSign) -> dict[str, bytes]:
    """What is to be signed in every format, in Word in the council's own template where there is
    one. Conflict where that cannot be filled: it is put right before anything is signed. Reads
    only."""
    row = ready.release.id or 0
    return await apart.there(session, _files, contract, row, ready.mark, ready.template)


async def _files(
    session: AsyncSession, contract: Contract, row: int, mark: str, template: bytes | None
) -> dict[str, bytes]:
    release = await session.get_one(Release, row)
    report = await frozen.load(session, contract, release)
    if mark != _mark(release, report.said):
        raise Conflict(CHANGED)
    files = {}
    for format in render.FORMATS:
        try:
            own = template if format == "docx" else None
            files[format] = await render.rendered(report, format, own)
        except InvalidInput as error:
            raise Conflict(f"The council's Word template cannot be used. {error}") from None
    return files


async def sign(
    session: AsyncSession,
    contract: Contract,
    ready: ToSign,
    files: Mapping[str, bytes],
    by: Actor,
    now: datetime,
) -> None:
    """`by`, who is not who checked it, signs what `to_sign` gave and `files_of` made of it; it lies
    in the portal from now on, and nothing in it changes any more."""
    await _hold(session, contract)
    found = await find(session, ready.release.id or 0, by, "report.sign")
    may_sign(found, by)
    if ready.missing:
        raise Conflict("A figure that moved, or a line, still wants its words.")
    if ready.mark != _mark(found, await frozen.said(session, found)):
        raise Conflict(CHANGED)
    if ready.beside != await _beside(session, contract):
        raise Conflict(
            "Another report was signed since this one was checked. "
            "Take the check back, and check again."
        )
    for format, body in files.items():
        own = ready.template if format == "docx" else None
        set_in = hashlib.sha256(own).hexdigest() if own else ""
        session.add(_file(found.id or 0, format, set_in, body, now))
    found.state, found.signed_at, found.signed_by_id = ReleaseState.SIGNED, now, by.user_id
    for recipient in contract.report(found.report).recipients:
        session.add(
            Delivery(release_id=found.id or 0, recipient=recipient, way=DeliveryWay.PORTAL, at=now)
        )
    await session.flush()
    await releasing_owed.is_sent(session, contract, found, by, now)
    await note(session, "release.signed", found, by, now)


async def _hold(session: AsyncSession, contract: Contract) -> None:
    """Whoever signs holds the contract's first release until the transaction ends: of two
    signatures at the same instant, the second sees the first."""
    mine = select(col(Release.id)).where(col(Release.contract) == contract.key)
    first = mine.order_by(col(Release.id)).limit(1)
    await session.execute(first.with_for_update(key_share=True))


def _file(release_id: int, format: str, template: str, body: bytes, now: datetime) -> ReleaseFile:
    return ReleaseFile(
        release_id=release_id,
        format=format,
        template=template,
        sha256=hashlib.sha256(body).hexdigest(),
        size=len(body),
        content=base64.b64encode(body).decode(),
        made_at=now,
    )


async def file(
    session: AsyncSession, release: Release, format: str, template: str | None = None
) -> bytes | None:
    """The bytes that were signed, or those set in a template of that digest; None where the release
    has no such file."""
    wanted = select(col(ReleaseFile.content)).where(
        col(ReleaseFile.release_id) == release.id, col(ReleaseFile.format) == format
    )
    if template is not None:
        wanted = wanted.where(col(ReleaseFile.template) == template)
    content = await session.scalar(wanted.order_by(col(ReleaseFile.id)).limit(1))
    return None if content is None else base64.b64decode(content)


async def keep_file(
    session: AsyncSession,
    release: Release,
    format: str,
    template: str,
    body: bytes,
    now: datetime,
) -> None:
    """One more format of a signed report: set in a council's own template, whose digest is
    `template`. What is there already stays."""
    if not ReleaseState(release.state).is_out:
        raise Conflict("Only a signed report has files.")
    if await file(session, release, format, template) is None:
        session.add(_file(release.id or 0, format, template, body, now))
        await session.flush()


async def note(
    session: AsyncSession,
    kind: str,
    release: Release,
    by: Actor | None,
    now: datetime,
    **detail: Any,
) -> None:
    """Write down in the trail what happened to a release."""
    await events.record(
        session,
        kind,
        now,
        contract=release.contract,
        by=by.user_id if by else None,
        release=release.id,
        report=release.report,
        period=release.period,
        number=release.number,
        **detail,
    )
