"""One row of a past log, understood: a case as it was, with its times in UTC.

Used by desk/imports/cases.py. It asks no database; what is wrong with a row goes into the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helpline.contract import Contract
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.reading import Row
from helpline.vocabulary import UNKNOWN, ClockStop

COLUMNS: Final = (
    *("reference", "received_at", "method", "person", "carer_type", "quadrant", "reason"),
    *("support", "first_response_at", "allocated_at", "closed_at", "outcome", "contacts"),
)
MOST_CONTACTS: Final = 1_000


@dataclass(frozen=True)
class PastCase:
    """One row, understood; times are UTC."""

    line: int
    reference: str
    person: str
    group: str
    quadrant: str
    reason: str
    method: str
    channel: str
    supports: tuple[str, ...]
    received_at: datetime
    met: Mapping[ClockStop, datetime | None]
    closed_at: datetime | None
    outcome: str | None
    contacts: int

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


def understood(checks: Checks, row: Row) -> PastCase | None:
    reference = checks.needed(row, "reference", 100)
    person = checks.needed(row, "person", 100)
    checks.once(row, "reference", reference.upper())
    received = checks.instant(row, "received_at")
    if received is None and not row["received_at"]:
        checks.wrong(row, "received_at", "it is empty, and every row needs one.")
    later = {name: checks.instant(row, name) for name in ("first_response_at", "allocated_at")}
    closed = checks.instant(row, "closed_at")
    for column, instant in {**later, "closed_at": closed}.items():
        checks.not_before(row, column, instant, "received_at", received)
    method = checks.word(row, "method", "method")
    outcome = checks.word(row, "outcome", "outcome") if row["outcome"] else UNKNOWN
    words = {
        "group": checks.word(row, "carer_type", "group"),
        "quadrant": checks.word(row, "quadrant", "quadrant"),
        "reason": checks.word(row, "reason", "reason"),
    }
    supports = checks.words(row, "support", "support")
    contacts = checks.number(row, "contacts", 1, MOST_CONTACTS, default=1)
    if received is None:
        return None
    return PastCase(
        line=row.line,
        reference=reference,
        person=person,
        **words,
        method=method,
        channel=_channel(checks.contract, method, row["method"]),
        supports=tuple(supports),
        received_at=received,
        met={
            ClockStop.HUMAN_REPLY: later["first_response_at"],
            ClockStop.REFERRAL_ANSWER: later["first_response_at"],
            ClockStop.ALLOCATION: later["allocated_at"],
        },
        closed_at=closed,
        outcome=None if outcome == UNKNOWN else outcome,
        contacts=contacts,
    )


def _channel(contract: Contract, method: str, written: str) -> str:
    """The raw channel: the file's own word where it is one, else the method's first."""
    channels = next((m.channels for m in contract.methods if m.code == method), ())
    word = written.strip().lower()
    return word if word in channels else next(iter(channels), UNKNOWN)
