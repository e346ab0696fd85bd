"""How triage reads: what it made of each message, what people say it should have been, and what
that comes to in a quarter.

Called by desk/intake.py, which keeps a reading of each message, by the case's page, on which a
worker judges one, and by the page of leads. Nothing is learned from it by itself: `examples` gives
the judged ones to whoever teaches the reader anew. Only what somebody judged is counted, and how
much of all that is stands beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import cases, events, seeing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Contact, TriageReading
from helpline.rules import languages, triage
from helpline.rules.periods import Period, bounds
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import UNKNOWN, Urgency

OTHER: Final = "other"
"""A language that we have no words in."""
RAISED: Final = "Triage took it for less urgent than it is."
MISSES: Final = 100
"""So many are listed for review, the newest first."""
CALM: Final = (Urgency.STANDARD, Urgency.LOW)
PRESSING: Final = (Urgency.EMERGENCY, Urgency.URGENT)


def keep(
    session: AsyncSession,
    contract: Contract,
    contact: Contact,
    read: triage.Reading,
    language: str | None,
) -> None:
    """Write down what was made of a message. The contact has its number already."""
    known = {reason.code for reason in contract.reasons}
    session.add(
        TriageReading(
            contract=contract.key,
            case_id=contact.case_id,
            contact_id=contact.id or 0,
            at=contact.at,
            version=triage.VERSION,
            urgency=read.urgency,
            reason=read.category if read.category in known else UNKNOWN,
            asked=read.ask_safety,
            language=language or (None if languages.is_english(contact.body or "") else OTHER),
            why=read.why,
        )
    )


async def before(session: AsyncSession, case: Case, channel: str, now: datetime) -> tuple[str, ...]:
    """What they wrote on this case by this way just before, oldest first: the next message may be
    the rest of it. Answers to our own questions have no reading and are left out."""
    since = now - triage.TOGETHER
    if case.last_in_at is None or case.last_in_at < since:
        return ()
    rows = await session.scalars(
        select(col(Contact.body))
        .join(TriageReading, col(TriageReading.contact_id) == Contact.id)
        .where(
            col(TriageReading.case_id) == case.id,
            col(TriageReading.at) >= since,
            col(TriageReading.at) <= now,
            col(Contact.channel) == channel,
        )
        .order_by(col(TriageReading.at).desc(), col(TriageReading.id).desc())
        .limit(triage.PIECES)
    )
    return tuple(body for body in reversed(rows.all()) if body)


async def they_said_danger(session: AsyncSession, case: Case, now: datetime) -> None:
    """They wrote YES to our question: what they wrote before it was an emergency, and nobody knows
    better. The newest that nobody has judged, and that the question was about."""
    row = await session.scalar(
        select(TriageReading)
        .where(
            col(TriageReading.case_id) == case.id,
            col(TriageReading.asked) | (col(TriageReading.urgency) == Urgency.EMERGENCY),
            col(TriageReading.judged_at).is_(None),
        )
        .order_by(col(TriageReading.at).desc(), col(TriageReading.id).desc())
        .limit(1)
    )
    if row is not None:
        row.judged_urgency, row.judged_at = Urgency.EMERGENCY, now


async def to_judge(session: AsyncSession, case: Case) -> TriageReading | None:
    """The reading a worker is asked about: of the newest message that was read, until somebody has
    judged it."""
    newest = await _newest(session, case)
    return newest if newest is not None and newest.judged_by_id is None else None


async def _newest(session: AsyncSession, case: Case) -> TriageReading | None:
    found: TriageReading | None = await session.scalar(
        select(TriageReading)
        .where(col(TriageReading.case_id) == case.id)
        .order_by(col(TriageReading.at).desc(), col(TriageReading.id).desc())
        .limit(1)
    )
    return found


async def judge(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    reading_id: int,
    urgency: str,
    by: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    """What a message should have been read as: an example for the reader. A case that was taken for
    less is raised at once; what is less urgent than it looked stays as it is, because only somebody
    who says why lowers a case. `urgency` "right": it was read as it should be."""
    require(by, "case.triage", case.contract)
    row = await session.get(TriageReading, reading_id)
    if row is None or row.case_id != case.id:
        raise NotFound("There is no such message on this case.")
    newest = await _newest(session, case)
    if newest is not None and newest.id != row.id:
        raise Conflict("Something newer came meanwhile. Read it, and say of that one.")
    is_right = urgency == "right"
    if is_right:
        urgency = row.urgency
    if urgency not in list(Urgency):
        raise InvalidInput("Choose emergency, urgent, standard or low.")
    if reason and reason not in {one.code for one in contract.reasons}:
        raise InvalidInput("Choose a reason from the list.")
    row.judged_urgency = urgency
    told = row.reason if is_right and row.reason != UNKNOWN else row.judged_reason
    row.judged_reason = reason or told
    row.judged_at, row.judged_by_id = now, by.user_id
    is_worse = Urgency(urgency).rank > Urgency(row.urgency).rank
    if is_worse and Urgency(urgency).rank > Urgency(case.urgency).rank:
        await cases.set_urgency(session, contract, case, urgency, RAISED, by, now)
    await events.on_case(
        session, "triage.judged", case, now, by, read=row.urgency, judged=urgency, reason=reason
    )


# --- a quarter ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """So many of so many, with the interval in which the true share lies 95 times in 100
    (Wilson), in percent."""

    part: int
    whole: int

    @property
    def percent(self) -> float | None:
        return 100 * self.part / self.whole if self.whole else None

    @property
    def between(self) -> tuple[float, float]:
        if not self.whole:
            return 0.0, 100.0
        n, z = self.whole, 1.96
        p = self.part / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


@dataclass(frozen=True)
class Row:
    """One line of the table. `found`: emergencies that were read as such; `reached`: those that
    were so, or read as urgent, or asked about danger; `pressing`: of
    what was urgent or worse, what was read so; `alarms`: calm messages read as emergencies."""

    name: str
    read: int
    judged: int
    found: Share
    reached: Share
    pressing: Share
    alarms: Share
    reasons: Share


@dataclass(frozen=True)
class Miss:
    """A message that was worse than it was read."""

    reference: str
    at: datetime
    read: str
    judged: str
    asked: bool
    reason: str
    language: str | None
    why: str


@dataclass(frozen=True)
class Quarter:
    """How triage did in one quarter; `read` and `judged`: by urgency, as it was read and as it
    should have been."""

    whole: Row
    by_reason: Sequence[Row]
    by_language: Sequence[Row]
    read: Counter[str]
    judged: Counter[str]
    misses: Sequence[Miss]
    more_misses: int


async def of_quarter(session: AsyncSession, contract: Contract, span: Period, by: Actor) -> Quarter:
    """Everything that was read in the days of `span`, counted by the database. The misses are
    listed as far as `by` may see their cases; the figures count all."""
    require(by, "triage.review", contract.key)
    start, end = bounds(span, contract.zone)
    within = (
        col(TriageReading.contract) == contract.key,
        col(TriageReading.at) >= start,
        col(TriageReading.at) < end,
    )
    told = [col(getattr(TriageReading, name)) for name in Alike._fields[:-1]]
    found = await session.execute(select(*told, func.count()).where(*within).group_by(*told))
    alike = [Alike._make(row) for row in found]
    read, judged = Counter[str](), Counter[str]()
    for one in alike:
        read[one.urgency] += one.number
        judged[one.judged_urgency or ""] += one.number
    misses = await _misses(session, within, by)
    missed = sum(one.number for one in alike if one.is_missed)
    return Quarter(
        _row("All", alike),
        _rows(alike, lambda one: one.judged_reason or one.reason),
        _rows(alike, lambda one: one.language or "en"),
        read,
        judged,
        misses,
        missed - len(misses),
    )


class Alike(NamedTuple):
    """Readings of which the same is to be said, and how many they are."""

    urgency: str
    asked: bool
    reason: str
    language: str | None
    judged_urgency: str | None
    judged_reason: str | None
    number: int

    @property
    def is_missed(self) -> bool:
        if self.judged_urgency not in PRESSING:
            return False
        return Urgency(self.urgency).rank < Urgency(self.judged_urgency).rank


async def examples(
    session: AsyncSession, contract: Contract
) -> Sequence[tuple[TriageReading, str]]:
    """Every judged reading of a contract with the words it was made of."""
    found = await session.execute(
        select(TriageReading, Contact)
        .join(Contact, col(Contact.id) == col(TriageReading.contact_id))
        .where(
            col(TriageReading.contract) == contract.key, col(TriageReading.judged_at).is_not(None)
        )
        .order_by(col(TriageReading.id))
    )
    return [(row, contact.body or "") for row, contact in found]


async def again(session: AsyncSession, contract: Contract) -> tuple[Row, Row]:
    """How the judged messages were read when they came, and how today's reader would read them by
    their words alone: two lines of the same table. Nobody's words leave the database for it, and
    none are learned from: the weights are kept as words, where anybody may read them."""
    known = {reason.code for reason in contract.reasons}
    then, now = list[Alike](), list[Alike]()
    for row, body in await examples(session, contract):
        told = (row.language, row.judged_urgency, row.judged_reason, 1)
        then.append(Alike(row.urgency, row.asked, row.reason, *told))
        read = triage.read(body)
        reason = read.category if read.category in known else UNKNOWN
        now.append(Alike(read.urgency, read.ask_safety, reason, *told))
    return _row("When they came", then), _row("By today's reader", now)


async def _misses(session: AsyncSession, within: Sequence[Any], by: Actor) -> Sequence[Miss]:
    worse = or_(
        and_(
            col(TriageReading.judged_urgency) == Urgency.EMERGENCY,
            col(TriageReading.urgency) != Urgency.EMERGENCY,
        ),
        and_(
            col(TriageReading.judged_urgency) == Urgency.URGENT,
            col(TriageReading.urgency).in_(CALM),
        ),
    )
    found = await session.execute(
        select(TriageReading, col(Case.reference))
        .join(Case, col(Case.id) == col(TriageReading.case_id))
        .where(*within, worse, *seeing.cases(by))
        .order_by(col(TriageReading.at).desc(), col(TriageReading.id).desc())
        .limit(MISSES)
    )
    return [
        Miss(
            reference,
            row.at,
            row.urgency,
            row.judged_urgency or "",
            row.asked,
            row.judged_reason or row.reason,
            row.language,
            row.why,
        )
        for row, reference in found
    ]


def _rows(alike: Sequence[Alike], name_of: Callable[[Alike], str]) -> Sequence[Row]:
    named: dict[str, list[Alike]] = defaultdict(list)
    for one in alike:
        named[name_of(one)].append(one)
    made = [_row(name, some) for name, some in sorted(named.items())]
    return sorted(made, key=lambda row: -row.read)


def _row(name: str, alike: Sequence[Alike]) -> Row:
    judged = [one for one in alike if one.judged_urgency]
    dire = [one for one in judged if one.judged_urgency == Urgency.EMERGENCY]
    pressing = [one for one in judged if one.judged_urgency in PRESSING]
    calm = [one for one in judged if one.judged_urgency in CALM]
    told = [one for one in judged if one.judged_reason]
    return Row(
        name,
        sum(one.number for one in alike),
        sum(one.number for one in judged),
        _share(dire, lambda one: one.urgency == Urgency.EMERGENCY),
        _share(dire, lambda one: one.urgency in PRESSING or one.asked),
        _share(pressing, lambda one: one.urgency in PRESSING),
        _share(calm, lambda one: one.urgency == Urgency.EMERGENCY),
        _share(told, lambda one: one.reason == one.judged_reason),
    )


def _share(alike: Sequence[Alike], is_so: Callable[[Alike], bool]) -> Share:
    return Share(sum(one.number for one in alike if is_so(one)), sum(one.number for one in alike))
