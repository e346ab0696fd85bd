"""What of a period's records is missing or came late, and on which cases: what somebody puts right
before a report is signed, what changes most figures first.

Called by the page of that name and by whoever checks a report. Each thing that can be wanting has a
code; the words and where it is put right are in the template. Cases that the reader may not see are
counted and not listed. It writes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import seeing, write_ups
from helpline.desk.transfer import TRANSFERRED
from helpline.models import metadata
from helpline.reports import codes, facts, supplied
from helpline.reports.counting import AT_ONCE
from helpline.reports.figures import measures_of, window_of
from helpline.rules import clocks
from helpline.rules.periods import Period
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    UNKNOWN,
    CaseStatus,
    ContactKind,
    DeadlineState,
    Identity,
    Track,
)

SHOWN: Final = 200
"""Cases listed at a time."""
AT_ONCE_ASKED: Final = 1_000
"""Cases asked about in one query."""
SOON: Final = timedelta(hours=1)
"""What came in at the very end of a period is written down a moment after it."""
CASE, CONTACT, DEADLINE = facts.CASE, facts.CONTACT, facts.DEADLINE
ALLEGATION, COMPLAINT = facts.ALLEGATION, facts.COMPLAINT
NOTE: Final = metadata.tables["note"]
DIMENSION: Final[Mapping[str, tuple[str, ...]]] = {
    "group": ("carer_type",),
    "quadrant": ("quadrant",),
    "reason": ("reason",),
    "method": ("method",),
    "outcome": ("outcome", "ended"),
    "support": ("support",),
    "track": ("track",),
}
"""What is wanting → the dimensions that it leaves unknown."""
COUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    "standing": ("contacts", "cases", "closed", "open", "promises", "apart", "feedback"),
    "waiting": ("promises",),
    "in_time": ("promises",),
    "later": ("contacts",),
}
"""What is wanting → what is counted otherwise once it is put right, however it is cut."""
WANTING: Final = (
    *("standing", "group", "quadrant", "reason", "method", "support", "outcome", "track"),
    *("person", "waiting", "in_time", "later", "late"),
)
"""Everything that a case can want. standing: whether it is within the contract; person: who it is;
waiting: a promise that was not kept and still waits; in_time: one that still has time; later: a
contact that was written down after the period; late: a note or call written down too late."""
PASSING: Final = frozenset({"in_time", "later", "late"})
"""What nobody has to put right: it passes by itself, or is only to be known."""


@dataclass(frozen=True)
class Want:
    """One thing that is wanting: on how many cases, and in how many tables of the report it makes a
    difference."""

    code: str
    cases: int
    tables: int


@dataclass(frozen=True)
class Wanted:
    """One case and all that it wants, what changes most first; `tables` is what putting it right
    changes."""

    reference: str
    opened_at: datetime
    wants: Sequence[str]
    tables: int


@dataclass(frozen=True)
class Quality:
    """How complete the records of a period are. `number` of cases want something (of those asked
    for), `unseen` of them not for this reader; `cases` are some of the others, from `first` on."""

    wants: Sequence[Want]
    cases: Sequence[Wanted]
    number: int
    unseen: int
    first: int
    supplied: Sequence[Measure]
    """Figures of the report that nobody has supplied."""
    complaints: int
    """Answered complaints of which the register does not say what was found or done."""
    tray: int
    """Messages of the period that nobody could place yet: they count nowhere."""

    @property
    def is_complete(self) -> bool:
        return not (self.wants or self.supplied or self.complaints or self.tray)


async def of_period(
    session: AsyncSession,
    contract: Contract,
    report: str,
    period: Period,
    actor: Actor,
    now: datetime,
    only: str = "",
    first: int = 0,
) -> Quality:
    """How complete the records behind a report of the period are; `only` lists the cases that want
    that one thing."""
    require(actor, "report.behind", contract.key)
    measures = measures_of(contract, report, period)
    looking = _Looking(session, contract, period, now)
    wanting = await looking.wanting()
    tables = {code: weight(code, measures) for code in WANTING}
    counted = Counter(code for wants in wanting.values() for code in wants)
    listed = {id: wants for id, wants in wanting.items() if not only or only in wants}
    seen = await looking.seen(listed, actor)
    cases = [_wanted(row, listed[row.id], tables) for row in seen]
    cases.sort(key=lambda one: (-one.tables, one.opened_at, one.reference))
    first = min(first, max(0, (len(cases) - 1) // SHOWN * SHOWN))
    wants = [Want(code, counted[code], tables[code]) for code in WANTING if counted[code]]
    wants.sort(key=lambda one: (one.code in PASSING, -one.tables, -one.cases))
    return Quality(
        wants,
        cases[first : first + SHOWN],
        len(listed),
        len(listed) - len(cases),
        first,
        await looking.not_supplied(measures),
        await looking.complaints(actor),
        await looking.tray(),
    )


def weight(code: str, measures: Sequence[Measure]) -> int:
    """In how many tables and totals of these measures it makes a difference: the more, the sooner
    it is worth putting right."""
    names, facts_of = set(DIMENSION.get(code, ())), COUNTS.get(code, ())
    number = 0
    for measure in measures:
        chosen = names & set(measure.where)
        whole = measure.counts in facts_of or (code == "person" and measure.takes == "people")
        number += sum(1 for cut in measure.cuts if whole or chosen or names & set(cut))
    return number


def _wanted(row: Row[Any], wants: Collection[str], tables: Mapping[str, int]) -> Wanted:
    def first(code: str) -> tuple[bool, int, int]:
        return code in PASSING, -tables[code], WANTING.index(code)

    changes = sum(tables[code] for code in wants if code not in PASSING)
    return Wanted(row.reference, row.opened_at, sorted(wants, key=first), changes)


@dataclass
class _Looking:
    """One period of one contract, looked at once: a few queries, however many cases there are."""

    session: AsyncSession
    contract: Contract
    period: Period
    now: datetime
    found: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self.window = window_of(self.contract, self.period, "period", self.now)

    async def wanting(self) -> dict[int, set[str]]:
        """Case → what it wants."""
        await self._codes()
        for code, query in (
            ("later", self._noted_later()),
            ("track", self._no_track()),
            ("method", self._no_method()),
        ):
            for (case_id,) in await self.session.execute(query):
                self.found[case_id].add(code)
        await self._promises()
        await self._late()
        return self.found

    # --- what is not known of a case ------------------------------------------------------------

    async def _codes(self) -> None:
        known = {name: set(some) - {UNKNOWN} for name, some in codes.printed(self.contract).items()}
        given = facts.CASE_SUPPORT.c
        query = select(
            *(CASE.c.id, CASE.c.group, CASE.c.quadrant, CASE.c.reason, CASE.c.method),
            *(CASE.c.status, CASE.c.outcome, CASE.c.said_exclusion, CASE.c.identity),
            exists().where(given.case_id == CASE.c.id).label("has_support"),
        ).where(CASE.c.contract == self.contract.key, facts.COUNTS, self._is_counted())
        result = await self.session.stream(query, execution_options={"yield_per": AT_ONCE})
        async for part in result.partitions():
            for row in part:
                wants = set(_unknown(row, known))
                if wants:
                    self.found[row.id] |= wants

    def _is_counted(self) -> ColumnElement[bool]:
        """That the report of the period counts it: it began or ended then, or somebody turned to
        us on it."""
        came = select(CONTACT.c.case_id).where(self._came_in())
        return or_(
            self._within(CASE.c.opened_at), self._within(CASE.c.closed_at), CASE.c.id.in_(came)
        )

    def _came_in(self) -> ColumnElement[bool]:
        return facts.came_in(self.contract.key, self.window)

    def _within(self, column: Any) -> ColumnElement[bool]:
        return and_(column >= self.window.start, column < self.window.end)

    # --- what came late, or has not come --------------------------------------------------------

    def _noted_later(self) -> Select[Any]:
        """Contacts of the period that were written down after it; a past log always is."""
        return (
            select(CONTACT.c.case_id)
            .join(CASE, CASE.c.id == CONTACT.c.case_id)
            .where(
                self._came_in(),
                CONTACT.c.written_at >= self.window.end + SOON,
                CASE.c.import_key.is_(None),
                facts.COUNTS,
            )
            .distinct()
        )

    def _no_method(self) -> Select[Any]:
        """Contacts of the period of which nobody knows how they came: each counts by its own."""
        known = set(codes.printed(self.contract)["method"]) - {UNKNOWN}
        return (
            select(CONTACT.c.case_id)
            .join(CASE, CASE.c.id == CONTACT.c.case_id)
            .where(self._came_in(), CONTACT.c.method.not_in(known), facts.COUNTS)
            .distinct()
        )

    def _no_track(self) -> Select[Any]:
        """Allegations of which nobody has said what they are handled as."""
        return (
            select(ALLEGATION.c.case_id)
            .where(
                ALLEGATION.c.contract == self.contract.key,
                ALLEGATION.c.ended_at.is_(None),
                ALLEGATION.c.track == Track.UNKNOWN,
                self._within(ALLEGATION.c.aware_at),
            )
            .distinct()
        )

    async def _promises(self) -> None:
        """Promises of the period that nobody has met yet."""
        rows = await self.session.execute(
            select(DEADLINE.c.case_id, DEADLINE.c.due_at)
            .join(CASE, CASE.c.id == DEADLINE.c.case_id)
            .where(
                DEADLINE.c.contract == self.contract.key,
                DEADLINE.c.clock.in_([one.code for one in self.contract.reported_clocks]),
                DEADLINE.c.state == DeadlineState.OPEN,
                DEADLINE.c.met_at.is_(None),
                self._within(DEADLINE.c.started_at),
                facts.COUNTS,
            )
        )
        for case_id, due_at in rows:
            is_open = clocks.verdict(due_at, None, self.now) == "open"
            self.found[case_id].add("in_time" if is_open else "waiting")

    async def _late(self) -> None:
        """Notes and calls written down later than the contract's time for it."""
        clock = write_ups.clock_of(self.contract)
        if clock is None:
            return
        calls = (
            select(CONTACT.c.case_id, CONTACT.c.at, CONTACT.c.written_at)
            .join(CASE, CASE.c.id == CONTACT.c.case_id)
            .where(
                CONTACT.c.contract == self.contract.key,
                CONTACT.c.kind == ContactKind.CALL,
                self._within(CONTACT.c.at),
                CONTACT.c.written_at > CONTACT.c.at,
                CASE.c.import_key.is_(None),
                facts.COUNTS,
            )
        )
        notes = (
            select(NOTE.c.case_id, NOTE.c.happened_at, NOTE.c.written_at)
            .join(CASE, CASE.c.id == NOTE.c.case_id)
            .where(
                CASE.c.contract == self.contract.key,
                self._within(NOTE.c.happened_at),
                NOTE.c.written_at > NOTE.c.happened_at,
                CASE.c.import_key.is_(None),
                facts.COUNTS,
            )
        )
        for query in (calls, notes):
            for case_id, at, written_at in await self.session.execute(query):
                is_soon = written_at - at < SOON  # no contract asks for less
                if not is_soon and written_at > self.contract.plan(clock, at).due_at:
                    self.found[case_id].add("late")

    # --- who may see it -------------------------------------------------------------------------

    async def seen(self, ids: Collection[int], actor: Actor) -> list[Row[Any]]:
        """Those of these cases that the reader may see."""
        found: list[Row[Any]] = []
        every = sorted(ids)
        for start in range(0, len(every), AT_ONCE_ASKED):
            some = every[start : start + AT_ONCE_ASKED]
            query: Select[Any] = select(CASE.c.id, CASE.c.reference, CASE.c.opened_at)
            query = query.where(CASE.c.id.in_(some), *seeing.cases(actor))
            found += list(await self.session.execute(query))
        return found

    # --- what is wanting elsewhere --------------------------------------------------------------

    async def not_supplied(self, measures: Sequence[Measure]) -> list[Measure]:
        given = await supplied.figures_given(self.session, self.contract, self.period)
        return [one for one in measures if one.counts == "supplied" and (one.code, ()) not in given]

    async def complaints(self, actor: Actor) -> int:
        """Those that the reader may see: somebody whom one is about does not learn of it here."""
        number = await self.session.scalar(
            select(func.count())
            .select_from(COMPLAINT)
            .where(
                COMPLAINT.c.contract == self.contract.key,
                self._within(COMPLAINT.c.received_at),
                COMPLAINT.c.answered_at.is_not(None) | COMPLAINT.c.closed_at.is_not(None),
                COMPLAINT.c.outcome.is_(None) | COMPLAINT.c.action.is_(None),
                *seeing.complaints(actor),
            )
        )
        return number or 0

    async def tray(self) -> int:
        number = await self.session.scalar(
            select(func.count())
            .select_from(DEADLINE)
            .where(
                DEADLINE.c.contract == self.contract.key,
                DEADLINE.c.item_id.is_not(None),
                DEADLINE.c.state == DeadlineState.OPEN,
                self._within(DEADLINE.c.started_at),
            )
        )
        return number or 0


def _unknown(row: Row[Any], known: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What is not known of one case."""
    if row.said_exclusion:
        yield "standing"
    if row.group not in known["carer_type"]:
        yield "group"
    if row.quadrant not in known["quadrant"]:
        yield "quadrant"
    if (row.reason or "").partition(".")[0] not in known["reason"]:
        yield "reason"
    if row.method not in known["method"]:
        yield "method"
    if row.identity == Identity.UNKNOWN:
        yield "person"
    if row.status == CaseStatus.CLOSED:
        if not row.has_support and row.outcome != TRANSFERRED:
            yield "support"
        if row.outcome in (None, "", UNKNOWN):
            yield "outcome"
