"""What happened in a made year, as plain values. Codes stand here as they were written down at the
time: some are unknown (None, "unknown"), some are no longer in the contract.

A person is a number of their own (`who`): whoever has two records that were joined is one person
here. All instants are aware UTC.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

RETIRED = "no_longer_used"
"""A code that the contract once had."""


@dataclass(slots=True)
class Case:
    number: int
    who: int
    opened: datetime
    group: str
    quadrant: str
    reason: str
    method: str
    kind: str
    allocated: datetime | None
    closed: datetime | None
    outcome: str | None
    eligibility: str | None
    why_out: str | None
    supports: tuple[str, ...]


@dataclass(slots=True)
class Contact:
    case: Case
    who: int
    at: datetime
    written: datetime
    is_in: bool
    kind: str
    what: str
    method: str


@dataclass(slots=True)
class Promise:
    """`case` is None for what waits in the tray."""

    case: Case | None
    clock: str
    started: datetime
    due: datetime
    met: datetime | None
    state: str


@dataclass(slots=True)
class Asked:
    """Somebody was asked how it was; `score` None: no answer."""

    who: int
    case: Case | None
    at: datetime
    score: int | None


@dataclass(slots=True)
class Complaint:
    who: int | None
    case: Case | None
    at: datetime
    subject: str
    outcome: str | None
    action: str | None


@dataclass(slots=True)
class Happened:
    """A compliment or an incident, and what kind it was."""

    at: datetime
    kind: str
    case: Case | None = None


@dataclass(slots=True)
class Alleged:
    case: Case
    who: int
    at: datetime
    track: str
    made_by: str
    is_mistake: bool


@dataclass(slots=True)
class Shown:
    day: date
    kind: str
    is_taken_back: bool


@dataclass(slots=True)
class Supplied:
    period: str
    measure: str
    by: tuple[tuple[str, str], ...]
    value: float | None
    words: str | None
    source: str | None
    as_of: date | None
    is_taken_back: bool


@dataclass(slots=True)
class Listed:
    """How many of a group stood on a list of the council's; quadrant None is everywhere."""

    group: str
    quadrant: str | None
    day: date
    count: int


@dataclass(slots=True)
class Record:
    """A year, and a little before it and after it. `joined`: people who had a second record that
    was found to be theirs; `parted`: pairs that were joined by mistake and taken apart again."""

    contract: str
    zone: str
    first: date
    now: datetime
    people: dict[int, tuple[str, str]] = field(default_factory=dict)
    joined: list[int] = field(default_factory=list)
    parted: list[tuple[int, int]] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)
    compliments: list[Happened] = field(default_factory=list)
    incidents: list[Happened] = field(default_factory=list)
    allegations: list[Alleged] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    supplied: list[Supplied] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)


@dataclass(frozen=True)
class Span:
    """A period of the year: what it is called, how often there is one, its first and last day."""

    label: str
    every: str  # month, quarter, half_year or year
    first: date
    last: date


def periods(first: date) -> list[Span]:
    """Every period of the contract's year that begins on `first`: twelve months, four quarters, two
    halves and the year itself."""
    year = f"{first.year}-{(first.year + 1) % 100:02}"
    made = []
    for every, length, mark in (
        ("month", 1, "M"),
        ("quarter", 3, "Q"),
        ("half_year", 6, "H"),
        ("year", 12, ""),
    ):
        for number in range(12 // length):
            begins = months_on(first, number * length)
            ends = months_on(begins, length) - timedelta(days=1)
            label = f"{year}-{mark}{number + 1}" if mark else year
            if every == "month":
                label = f"{begins.year}-M{begins.month:02}"
            made.append(Span(label, every, begins, ends))
    return made


def months_on(day: date, months: int) -> date:
    """The first of a month so many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
