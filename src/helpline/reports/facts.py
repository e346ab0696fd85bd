"""What can be counted, read from the tables: for each kind of fact one query over one window.

Read by reports/counting.py only. A row is case, person, microseconds it took, then one code for
each column asked for; what a measure does not need is not read. Nothing is hidden here, and nobody
who is out of the contract is in any fact but `apart` (A02, A09).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.models import metadata
from helpline.vocabulary import ContactKind, DeadlineState, Direction, Eligibility

CASE: Final = metadata.tables["case"]
CASE_SUPPORT: Final = metadata.tables["case_support"]
CONTACT: Final = metadata.tables["contact"]
DEADLINE: Final = metadata.tables["deadline"]
ASK: Final = metadata.tables["feedback_ask"]
COMPLAINT: Final = metadata.tables["complaint"]
COMPLIMENT: Final = metadata.tables["compliment"]
EVIDENCE: Final = metadata.tables["evidence_entry"]
ALLEGATION: Final = metadata.tables["allegation"]
INCIDENT: Final = metadata.tables["incident"]
COUNTS: Final = or_(CASE.c.eligibility.is_(None), CASE.c.eligibility != Eligibility.OUT)
BEHIND: Final = 3
"""Columns before the codes: case, person, microseconds."""


@dataclass(frozen=True)
class Window:
    """From when (included) to when (excluded), in UTC, and the moment at which it is counted; what
    has no instant but a day is taken by the days of `zone`."""

    start: datetime
    end: datetime
    now: datetime
    zone: str

    @property
    def moment(self) -> datetime:
        """The end, or now while it has not come."""
        return min(self.end, self.now)


Columns = Mapping[str, ColumnElement[Any]]


def query(
    session: AsyncSession, fact: str, contract: str, window: Window, columns: Sequence[str]
) -> Select[Any]:
    """The rows of one fact with these columns, in no order. `support` is none of them: a case may
    have had several (`supports`)."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return _FACTS[fact](contract, window, columns, is_sqlite)


def supports(contract: str) -> Select[Any]:
    """Case and what was provided on it."""
    return (
        select(CASE_SUPPORT.c.case_id, CASE_SUPPORT.c.support)
        .join(CASE, CASE.c.id == CASE_SUPPORT.c.case_id)
        .where(CASE.c.contract == contract)
    )


# --- each fact ------------------------------------------------------------------------------------

_PLACE: Final[Columns] = {
    "quadrant": CASE.c.quadrant,
    "carer_type": CASE.c.group,
    "reason": CASE.c.reason,
    "method": CASE.c.method,
    "kind": CASE.c.kind,
    "state": CASE.c.status,
    "outcome": CASE.c.outcome,
    "ended": CASE.c.outcome,
}


def _select(
    columns: Sequence[str],
    known: Columns,
    case_id: Any = None,
    person_id: Any = None,
    took: Any = None,
) -> Select[Any]:
    behind = [literal(None) if one is None else one for one in (case_id, person_id)]
    return select(*behind, null() if took is None else took, *(known[name] for name in columns))


def _within(column: Any, window: Window) -> ColumnElement[bool]:
    return and_(column >= window.start, column < window.end)


def came_in(contract: str, window: Window) -> ColumnElement[bool]:
    """That somebody turned to us with it; desk/quality.py looks at the same contacts."""
    return and_(
        CONTACT.c.contract == contract,
        CONTACT.c.direction == Direction.IN,
        CONTACT.c.kind != ContactKind.AUTOMATIC,  # a program answered, not the person
        CONTACT.c.what != "feedback",  # an answer to our question sought no support
        _within(CONTACT.c.at, window),
    )


def _contacts(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    """What came in (A64), each by its own method."""
    known = {**_PLACE, "method": CONTACT.c.method}
    return (
        _select(columns, known, CONTACT.c.case_id, CONTACT.c.person_id)
        .join_from(CONTACT, CASE, CONTACT.c.case_id == CASE.c.id)
        .where(came_in(contract, window), COUNTS)
    )


def _apart(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    known = {"excluded": CASE.c.eligibility_reason}
    return (
        _select(columns, known, CONTACT.c.case_id, CONTACT.c.person_id)
        .join_from(CONTACT, CASE, CONTACT.c.case_id == CASE.c.id)
        .where(came_in(contract, window), CASE.c.eligibility == Eligibility.OUT)
    )


def _of_cases(
    contract: str, columns: Sequence[str], *conditions: ColumnElement[bool]
) -> Select[Any]:
    found = _select(columns, _PLACE, CASE.c.id, CASE.c.person_id)
    return found.where(CASE.c.contract == contract, COUNTS, *conditions)


def _cases(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    return _of_cases(contract, columns, _within(CASE.c.opened_at, window))


def _closed(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    is_closed = CASE.c.status == "closed"
    return _of_cases(contract, columns, is_closed, _within(CASE.c.closed_at, window))


def _open(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    """Those that had begun and were not closed, at the window's moment."""
    not_closed = or_(CASE.c.closed_at.is_(None), CASE.c.closed_at >= window.moment)
    known = {**_PLACE, "allocated": case((CASE.c.allocated_at < window.moment, "yes"), else_="no")}
    found = _select(columns, known, CASE.c.id, CASE.c.person_id)
    return found.where(
        CASE.c.contract == contract, COUNTS, CASE.c.opened_at < window.moment, not_closed
    )


def _promises(
    contract: str, window: Window, columns: Sequence[str], is_sqlite: bool
) -> Select[Any]:
    """Promises that began in the window, as they stood when it is counted; a cancelled one was
    never a promise to anybody."""
    made, due = DEADLINE.c.started_at, DEADLINE.c.due_at
    met = case((DEADLINE.c.met_at <= window.now, DEADLINE.c.met_at))
    verdict = case(
        (and_(met.is_not(None), met <= due), "met"),
        (and_(met.is_(None), due >= window.now), "open"),
        else_="missed",
    )
    known = {**_PLACE, "clock": DEADLINE.c.clock, "verdict": verdict}
    if is_sqlite:
        took: Any = _micros(met) - _micros(made)
    else:
        took = cast(func.extract("epoch", met - made) * 1_000_000, BigInteger)
    return (
        _select(columns, known, DEADLINE.c.case_id, CASE.c.person_id, took)
        .join_from(DEADLINE, CASE, DEADLINE.c.case_id == CASE.c.id)
        .where(
            DEADLINE.c.contract == contract,
            DEADLINE.c.state != DeadlineState.CANCELLED,
            _within(made, window),
            COUNTS,
        )
    )


def _micros(column: Any) -> Any:
    """Microseconds since 1970, of SQLite's "2026-08-01 10:00:00.123456"."""
    written = type_coerce(column, String)
    whole = cast(func.strftime("%s", func.substr(written, 1, 19)), Integer) * 1_000_000
    return whole + cast(func.substr(written, 21, 6), Integer)


def _plain(table: FromClause, at: Any, known: Columns, person_id: Any = None) -> _Fact:
    def made(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
        return _select(columns, known, None, person_id).where(
            table.c.contract == contract, _within(at, window)
        )

    return made


def _feedback(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    known = {
        "quadrant": CASE.c.quadrant,
        "carer_type": CASE.c.group,
        "answered": case((ASK.c.score.is_(None), "no"), else_="yes"),
        "score": cast(ASK.c.score, String),
    }
    return (
        _select(columns, known, ASK.c.case_id, ASK.c.person_id)
        .outerjoin_from(ASK, CASE, CASE.c.id == ASK.c.case_id)
        .where(ASK.c.contract == contract, _within(ASK.c.asked_at, window), COUNTS)
    )


def _evidence(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    """By the day on which it was done; what was taken back does not count."""
    first, after = (
        at.astimezone(ZoneInfo(window.zone)).date() for at in (window.start, window.end)
    )
    return _select(columns, {"shown": EVIDENCE.c.kind}).where(
        EVIDENCE.c.contract == contract,
        EVIDENCE.c.day >= first,
        EVIDENCE.c.day < after,
        EVIDENCE.c.taken_back_at.is_(None),
    )


def _allegations(contract: str, window: Window, columns: Sequence[str], _: bool) -> Select[Any]:
    """By when we first knew of it; a mistake of ours is none. `repeated`: about somebody about
    whom there was an earlier one, whenever and under whichever contract."""
    earlier = ALLEGATION.alias()
    again = (
        select(literal(1))
        .where(
            earlier.c.person_id == ALLEGATION.c.person_id,
            earlier.c.ended_at.is_(None),
            earlier.c.aware_at < ALLEGATION.c.aware_at,
        )
        .exists()
    )
    known = {
        **_PLACE,
        "track": ALLEGATION.c.track,
        "made_by": ALLEGATION.c.made_by,
        "repeated": case((again, "yes"), else_="no"),
    }
    return (
        _select(columns, known, ALLEGATION.c.case_id, ALLEGATION.c.person_id)
        .join_from(ALLEGATION, CASE, CASE.c.id == ALLEGATION.c.case_id)
        .where(
            ALLEGATION.c.contract == contract,
            ALLEGATION.c.ended_at.is_(None),
            _within(ALLEGATION.c.aware_at, window),
            COUNTS,
        )
    )


def _place_of(*case_ids: ColumnElement[Any]) -> Columns:
    """Where and of whom it was, by the first of these cases that there is (A61)."""
    its = CASE.alias()
    on_it = its.c.id == (func.coalesce(*case_ids) if len(case_ids) > 1 else case_ids[0])
    return {
        "quadrant": select(its.c.quadrant).where(on_it).scalar_subquery(),
        "carer_type": select(its.c.group).where(on_it).scalar_subquery(),
    }


_Fact = Callable[[str, Window, Sequence[str], bool], Select[Any]]
_FACTS: Final[Mapping[str, _Fact]] = {
    "contacts": _contacts,
    "cases": _cases,
    "closed": _closed,
    "open": _open,
    "promises": _promises,
    "apart": _apart,
    "feedback": _feedback,
    "evidence": _evidence,
    "allegations": _allegations,
    "complaints": _plain(
        COMPLAINT,
        COMPLAINT.c.received_at,
        {
            **_place_of(COMPLAINT.c.about_case_id, COMPLAINT.c.case_id),
            "subject": COMPLAINT.c.subject,
            "finding": COMPLAINT.c.outcome,
            "action": COMPLAINT.c.action,
        },
        COMPLAINT.c.person_id,
    ),
    "compliments": _plain(
        COMPLIMENT,
        COMPLIMENT.c.at,
        {**_place_of(COMPLIMENT.c.case_id), "praised": COMPLIMENT.c.subject},
    ),
    "incidents": _plain(INCIDENT, INCIDENT.c.known_at, {"incident": INCIDENT.c.kind}),
}
