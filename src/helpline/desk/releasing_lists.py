"""Lists of releases for pages and the command line: what is on its way, what is out, and the pack
for a meeting. Reads only; what is not signed is shown to those who prepare reports alone."""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import releasing
from helpline.errors import NotFound
from helpline.models import (
    Deadline,
    EvidenceEntry,
    ObligationDue,
    Release,
    ReleasePresentation,
    ReviewAction,
    User,
)
from helpline.reports import codes, frozen
from helpline.reports.cells import Cell
from helpline.reports.report import Report
from helpline.rules import clocks
from helpline.rules.periods import in_words
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import ActionState, ReleaseState

FIXED: Final = (1980, 1, 1, 0, 0, 0)
IN_A_PACK: Final = ("pdf", "xlsx")
AHEAD: Final = timedelta(days=120)


@dataclass(frozen=True)
class Presented:
    """That a release was presented: on which day, to whom, and who wrote it down when; `by` is
    empty where nobody knows any more."""

    day: date
    to: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Listed:
    """A release in a list. `verdict`: met, missed or open; empty where it has no day. `presented`:
    every time that it was, by its day."""

    release: Release
    title: str
    due_at: datetime | None
    verdict: str
    checked_by: str
    signed_by: str
    presented: Sequence[Presented] = ()

    @property
    def state(self) -> ReleaseState:
        return ReleaseState(self.release.state)

    @property
    def name(self) -> str:
        again = f", number {self.release.number}" if self.release.number > 1 else ""
        return f"{self.title}, {in_words(self.release.period)}{again}"


async def listed(
    session: AsyncSession, contract: Contract, by: Actor, now: datetime
) -> list[Listed]:
    """The contract's releases that `by` may see, the newest period first."""
    sees_all = may(by, "report.prepare", contract.key)
    found = await frozen.releases(session, contract, only_out=not sees_all)
    return await _listed(session, contract, found, now)


async def one(session: AsyncSession, contract: Contract, release: Release, now: datetime) -> Listed:
    return (await _listed(session, contract, [release], now))[0]


async def _listed(
    session: AsyncSession, contract: Contract, found: list[Release], now: datetime
) -> list[Listed]:
    wanted = {row.deadline_id for row in found if row.deadline_id}
    rows = await session.execute(
        select(col(Deadline.id), col(Deadline.due_at), col(Deadline.met_at)).where(
            col(Deadline.id).in_(wanted)
        )
    )
    due = {row.id: row for row in rows}
    users = {one for row in found for one in (row.checked_by_id, row.signed_by_id) if one}
    names = await _names(session, users)
    presented = await _presented(session, found)
    titles = {report.code: report.title for report in contract.reports}
    return [
        Listed(
            row,
            titles.get(row.report, row.report),
            clock.due_at if (clock := due.get(row.deadline_id)) else None,
            clocks.verdict(clock.due_at, clock.met_at, now) if clock else "",
            names.get(row.checked_by_id, ""),
            names.get(row.signed_by_id, ""),
            presented.get(row.id or 0, ()),
        )
        for row in found
    ]


async def _names(session: AsyncSession, users: Collection[int]) -> dict[int | None, str]:
    rows = await session.execute(
        select(col(User.id), col(User.shown_name)).where(col(User.id).in_(users))
    )
    return {row.id: row.shown_name for row in rows}


async def _presented(session: AsyncSession, found: Sequence[Release]) -> dict[int, list[Presented]]:
    """Release → every time that it was presented, by its day; the first of those that are kept
    since before they had rows of their own stands in the release itself."""
    rows = (
        await session.scalars(
            select(ReleasePresentation)
            .where(col(ReleasePresentation.release_id).in_([one.id for one in found]))
            .order_by(col(ReleasePresentation.id))
        )
    ).all()
    older = [one for one in found if one.presented_on is not None]
    users = [*(one.by_user_id for one in rows), *(one.presented_by_id or 0 for one in older)]
    names = await _names(session, set(users))
    presented: dict[int, list[Presented]] = defaultdict(list)
    for one in older:
        if one.presented_on and one.presented_at:
            said = (one.presented_to or "", names.get(one.presented_by_id, ""), one.presented_at)
            presented[one.id or 0].append(Presented(one.presented_on, *said))
    for row in rows:
        by = names.get(row.by_user_id, "")
        presented[row.release_id].append(Presented(row.day, row.to_whom, by, row.at))
    for some in presented.values():
        some.sort(key=lambda one: one.day)
    return presented


# --- what a restatement changed -------------------------------------------------------------------


@dataclass(frozen=True)
class ChangedFigure:
    """One figure in words, before and after."""

    measure: str
    cut: str
    before: str
    after: str


async def changed(
    session: AsyncSession, contract: Contract, release: Release, after: Report
) -> list[ChangedFigure]:
    """What a restatement gives otherwise than the release before it: as both are published, or
    both exactly where `after` is exact."""
    if release.number < 2:
        return []
    earlier = await session.scalar(
        select(Release)
        .where(
            col(Release.contract) == contract.key,
            col(Release.report) == release.report,
            col(Release.period) == release.period,
            col(Release.number) == release.number - 1,
        )
        .options(*frozen.LIGHT)
    )
    if earlier is None:
        return []
    before = await frozen.load(session, contract, earlier, exact=after.exact)
    names = codes.names(contract)

    def cut(cell: Cell) -> str:
        return ", ".join(names[name].get(code, code) for name, code in cell.by) or "All"

    def said(cell: Cell | None) -> str:
        if cell is None:
            return "–"
        share = f" ({after.view.share(cell)})" if cell.percent is not None else ""
        return after.view.shown(cell) + share

    return [
        ChangedFigure(
            contract.measure(one.cell.measure).name,
            cut(one.cell),
            said(one.before),
            said(one.after),
        )
        for one in frozen.changes(before, after)
    ]


# --- the pack for a meeting -----------------------------------------------------------------------


@dataclass(frozen=True)
class Meeting:
    """A meeting with an agenda that lies ahead, or was lately."""

    id: int
    name: str
    day: date


async def meetings(session: AsyncSession, contract: Contract, now: datetime) -> list[Meeting]:
    """The meetings of the coming months, the next first: whatever has an agenda, or a report that
    is owed before it."""
    named = {one.meeting for one in contract.reports}
    rules = {one.code: one.name for one in contract.obligations if one.agenda or one.code in named}
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    rows = await session.execute(
        select(col(ObligationDue.id), col(ObligationDue.rule), col(ObligationDue.due_on))
        .where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.rule).in_(rules),
            col(ObligationDue.due_on) >= today - timedelta(days=7),
            col(ObligationDue.due_on) <= today + AHEAD,
            col(ObligationDue.dropped_at).is_(None),
        )
        .order_by(col(ObligationDue.due_on))
    )
    return [Meeting(row.id, rules[row.rule], row.due_on) for row in rows]


async def pack(
    session: AsyncSession, contract: Contract, obligation_id: int, by: Actor, now: datetime
) -> bytes:
    """One ZIP for a meeting: its agenda, the signed reports due at it, and what was agreed at
    earlier reviews and is still open. The same facts give the same bytes."""
    require(by, "report.prepare", contract.key)
    meeting = await session.get(ObligationDue, obligation_id)
    if meeting is None or meeting.contract != contract.key or meeting.rule is None:
        raise NotFound("There is no such meeting.")
    rule = contract.obligation(meeting.rule)
    due = await _due_at(session, contract, rule.code, meeting.due_on)
    lines = [
        f"{rule.name}, {_day(meeting.due_on)}",
        f"With: {rule.to}",
        "",
        "Agenda",
        *(f"{number}. {text}" for number, text in enumerate(rule.agenda or ("To be said.",), 1)),
        "",
        "Reports in this pack",
        *([f"- {one.name}" for one in await _listed(session, contract, due, now)] or ["None."]),
        "",
        "Agreed at earlier reviews, and still open",
        *(await _agreed(session, contract) + await _still_open(session, contract) or ["Nothing."]),
    ]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("agenda.txt", FIXED), "\r\n".join(lines) + "\r\n")
        for release in due:
            for format in IN_A_PACK:
                body = await releasing.file(session, release, format)
                name = f"{release.report}-{release.period}-{release.number}.{format}"
                packed.writestr(zipfile.ZipInfo(name, FIXED), body or b"")
    return file.getvalue()


async def _due_at(session: AsyncSession, contract: Contract, code: str, day: date) -> list[Release]:
    """The newest signed release of each report that is presented at this meeting: those that name
    it, or, where none names any, all that were not presented before that day."""
    naming = {one.code for one in contract.reports if one.meeting == code}
    newest: dict[tuple[str, str], Release] = {}
    found = await frozen.releases(session, contract)
    presented = await _presented(session, found)
    for one in found:
        before = any(was.day < day for was in presented.get(one.id or 0, ()))
        if one.ends_on < day and not before and (not naming or one.report in naming):
            newest[one.report, one.period] = one  # restatements come after the first
    return list(newest.values())


async def _agreed(session: AsyncSession, contract: Contract) -> list[str]:
    """What was agreed at a review and is not done: what, who looks after it, by when."""
    rows = await session.scalars(
        select(ReviewAction)
        .where(
            col(ReviewAction.contract) == contract.key,
            col(ReviewAction.state) == ActionState.OPEN,
        )
        .order_by(col(ReviewAction.due_on), col(ReviewAction.id))
    )
    return [f"- {row.what.rstrip('.')}: {row.owner}, by {_day(row.due_on)}" for row in rows]


async def _still_open(session: AsyncSession, contract: Contract) -> list[str]:
    rows = await session.scalars(
        select(ObligationDue)
        .join(EvidenceEntry, col(EvidenceEntry.id) == col(ObligationDue.evidence_id))
        .where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.done_at).is_(None),
            col(ObligationDue.dropped_at).is_(None),
        )
        .order_by(col(ObligationDue.due_on), col(ObligationDue.id))
    )
    names = {one.code: one.name for one in contract.obligations}
    return [
        f"- {row.what or names.get(row.rule or '', '')}, by {_day(row.due_on)}"
        for row in rows.all()
    ]


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
