"""The file somebody is given who asks for what we keep about them: what is shown of each passage is
decided by one person, signed by another, and kept byte for byte as it was given.

Suggestions come from rules/redaction.py and decide nothing. Called by web/pages/rights_file.py; the
PDF is made by desk/rights/access_pdf.py, outside any transaction.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import cases, events
from helpline.desk.rights import passages, requests
from helpline.desk.rights.passages import REASON_WORDS, Gathered, Passage
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import DataRequest, Person, RequestFile, RequestPassage
from helpline.rules import redaction
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import PassageChoice, PassageReason, RightKind, RightStep

FORMS: Final = ("pdf", "json")


@dataclass(frozen=True)
class Decided:
    """A passage and what was decided about it; None: nothing yet."""

    passage: Passage
    choice: PassageChoice | None
    reason: PassageReason | None


@dataclass(frozen=True)
class Sheet:
    """The whole of it as far as it is decided: section by section."""

    sections: Sequence[tuple[str, Sequence[Decided]]]
    gathered: Gathered

    @property
    def open(self) -> int:
        """How many passages nobody has decided about."""
        return sum(one.choice is None for _, found in self.sections for one in found)

    @property
    def count(self) -> int:
        return sum(len(found) for _, found in self.sections)


async def gather(
    session: AsyncSession, contract: Contract, found: DataRequest, by: Actor, now: datetime
) -> Sheet:
    """Everything kept about them, with what was decided. To gather it is to read their cases, which
    is recorded."""
    require(by, "right.work", found.contract)
    _must_be_access(found)
    person = await session.get(Person, found.person_id)
    assert person is not None
    for case in await passages.cases_of(session, person):
        await cases.find_case(session, by, case.reference)  # nobody prepares what is not theirs
        await cases.record_reading(session, case, by, now)
    gathered = await passages.gather(session, contract, person, by, now)
    rows = await session.scalars(
        select(RequestPassage).where(col(RequestPassage.request_id) == found.id)
    )
    decided = {one.key: one for one in rows}
    return Sheet(
        [
            (section.title, [_decided(one, decided) for one in section.passages])
            for section in gathered.sections
        ],
        gathered,
    )


def _decided(passage: Passage, decided: Mapping[str, RequestPassage]) -> Decided:
    row = decided.get(passage.key)
    if row is None:
        return Decided(passage, None, None)
    reason = PassageReason(row.reason) if row.reason else None
    return Decided(passage, PassageChoice(row.choice), reason)


async def decide(
    session: AsyncSession,
    found: DataRequest,
    sheet: Sheet,
    chosen: Mapping[str, tuple[str, str]],
    by: Actor,
    now: datetime,
) -> int:
    """What becomes of these passages: key → choice and reason. Returns how many were decided. A
    file that was ready is no longer."""
    requests.must_work(found, by)
    _must_be_unsigned(found)
    known = {one.passage.key: one.passage for _, each in sheet.sections for one in each}
    rows = []
    for key, (choice, reason) in chosen.items():
        if key not in known:
            raise Conflict("The record has changed meanwhile. Look at this page once more.")
        rows.append(_row(found, known[key], choice, reason, by, now))
    keys = [row.key for row in rows]
    await session.execute(
        delete(RequestPassage).where(
            col(RequestPassage.request_id) == found.id, col(RequestPassage.key).in_(keys)
        )
    )
    session.add_all(rows)
    await _undo_preparing(session, found)
    await session.flush()
    return len(rows)


def _row(
    found: DataRequest, passage: Passage, choice: str, reason: str, by: Actor, now: datetime
) -> RequestPassage:
    if choice not in list(PassageChoice):
        raise InvalidInput("Choose for each passage what becomes of it.")
    if choice == PassageChoice.SHOW:
        reason = ""
    elif reason not in list(PassageReason):
        raise InvalidInput("Say for each passage that is not shown whole why it is not.")
    if choice == PassageChoice.WITHOUT_NAMES and not passage.suggestion.names:
        raise InvalidInput("No name was found in one of these: show it, or leave it out.")
    return RequestPassage(
        request_id=found.id or 0,
        key=passage.key,
        choice=choice,
        reason=reason,
        decided_at=now,
        decided_by_id=by.user_id,
    )


async def show_plain(
    session: AsyncSession, found: DataRequest, sheet: Sheet, by: Actor, now: datetime
) -> int:
    """Show all undecided passages against which nothing speaks: no name, no reason to look."""
    plain = {
        one.passage.key: (PassageChoice.SHOW.value, "")
        for _, each in sheet.sections
        for one in each
        if one.choice is None and one.passage.is_plain
    }
    return await decide(session, found, sheet, plain, by, now)


# --- the file -------------------------------------------------------------------------------------


def document(
    contract: Contract, found: DataRequest, person: Person, sheet: Sheet, now: datetime
) -> dict[str, Any]:
    """The file as plain values: what is shown of every passage, and why something is not."""
    if sheet.open:
        raise Conflict(f"{sheet.open} passages are still to be decided.")
    if any(one.is_shut for one in sheet.gathered.passages):
        raise Conflict(
            "Part of this is read only by those who work on the case. One of them has to prepare "
            "this file: ask the support worker's lead who."
        )
    zone = ZoneInfo(contract.zone)
    return {
        "reference": found.reference,
        "provider": contract.provider_name,
        "contract": contract.name,
        "person": person.name or "",
        "asked": _when(found.received_at, zone),
        "made": _when(now, zone),
        "more": contract.privacy.page if contract.privacy else "",
        "sections": [
            {"title": title, "entries": [_entry(one, zone) for one in found_here]}
            for title, found_here in sheet.sections
        ],
    }


def _entry(one: Decided, zone: ZoneInfo) -> dict[str, Any]:
    passage, text = one.passage, one.passage.text
    head = passage.head
    if one.choice is PassageChoice.LEAVE_OUT:
        text, head = "", "Left out"
    elif one.choice is PassageChoice.WITHOUT_NAMES:
        text = redaction.without(text, passage.suggestion.names)
        head = redaction.without(head, passage.suggestion.names)
    return {
        "at": _when(passage.at, zone),
        "what": head,
        "by": passage.by if one.choice is not PassageChoice.LEAVE_OUT else "",
        "text": text,
        "left_out": one.choice.value if one.reason and one.choice else "",
        "why": REASON_WORDS[one.reason] if one.reason else "",
    }


async def prepare(
    session: AsyncSession,
    found: DataRequest,
    made: dict[str, Any],
    pdf: bytes,
    by: Actor,
    now: datetime,
) -> None:
    """Every passage is decided: the file as it is now waits for somebody else to sign it."""
    requests.must_work(found, by)
    _must_be_unsigned(found)
    await _undo_preparing(session, found)
    as_json = json.dumps(made, ensure_ascii=False, indent=1).encode()
    for form, body, content in (
        ("json", as_json, as_json.decode()),
        ("pdf", pdf, base64.b64encode(pdf).decode()),
    ):
        digest = hashlib.sha256(body).hexdigest()
        session.add(
            RequestFile(
                request_id=found.id or 0, form=form, content=content, digest=digest, made_at=now
            )
        )
    found.prepared_at, found.prepared_by_id = now, by.user_id
    await requests.add(session, found, RightStep.PREPARED, by, now)


async def sign(session: AsyncSession, found: DataRequest, by: Actor, now: datetime) -> None:
    """Somebody else looked at the file: it may be given."""
    _may_judge(found, by)
    found.signed_at, found.signed_by_id = now, by.user_id
    await requests.add(session, found, RightStep.SIGNED, by, now)


async def send_back(
    session: AsyncSession, found: DataRequest, why: str, by: Actor, now: datetime
) -> None:
    """The second person does not sign, and says what is to be looked at again."""
    _may_judge(found, by)
    said = in_a_line(why, 1000, "Say what has to be looked at again.")
    await _undo_preparing(session, found)
    await requests.add(session, found, RightStep.SENT_BACK, by, now, words=said)


def _may_judge(found: DataRequest, by: Actor) -> None:
    require(by, "right.sign", found.contract)
    if found.prepared_at is None or found.closed_at is not None:
        raise Conflict("There is no file that waits to be signed.")
    _must_be_unsigned(found)
    if by.user_id == found.prepared_by_id:
        raise Conflict("You prepared it: somebody else signs it.")


async def file(
    session: AsyncSession, found: DataRequest, form: str, by: Actor, now: datetime
) -> bytes:
    """The file as it was made; that it was taken is in the audit trail."""
    require(by, "right.work", found.contract)
    row = await session.scalar(
        select(RequestFile).where(
            col(RequestFile.request_id) == found.id, col(RequestFile.form) == form
        )
    )
    if form not in FORMS or row is None:
        raise NotFound("There is no such file yet. Prepare it first.")
    await events.record(
        session,
        "right.file_taken",
        now,
        contract=found.contract,
        by=by.user_id,
        request=found.id,
        form=form,
    )
    return base64.b64decode(row.content) if form == "pdf" else row.content.encode()


async def _undo_preparing(session: AsyncSession, found: DataRequest) -> None:
    await session.execute(delete(RequestFile).where(col(RequestFile.request_id) == found.id))
    found.prepared_at = found.prepared_by_id = None
    await session.flush()


def _must_be_access(found: DataRequest) -> None:
    if found.kind != RightKind.ACCESS:
        raise NotFound("Only somebody who asks for a copy is given a file.")


def _must_be_unsigned(found: DataRequest) -> None:
    if found.signed_at is not None:
        raise Conflict("It is signed: the file is what it is. A new request makes a new one.")


def _when(at: datetime | date | None, zone: ZoneInfo) -> str:
    if isinstance(at, datetime):
        local = at.astimezone(zone)
        return f"{local.day} {local:%B %Y}, {local:%H:%M}"
    return f"{at.day} {at:%B %Y}" if at else ""
