"""A past quarter made by chance from a seed, as the CSV a provider would hand over.

It knows what is awkward: empty words, synonyms, late and never answered cases, several contacts and
supports, people in several quadrants, cases on the very edge of the quarter and outside it.
"""

import csv
import io
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from helpline.contract import Contract

COLUMNS = (
    "reference received_at method person carer_type quadrant reason support first_response_at "
    "allocated_at closed_at outcome contacts"
).split()
Row = dict[str, str]


def rows(
    contract: Contract,
    first: datetime,
    last: datetime,
    count: int,
    *,
    now: datetime,
    seed: int,
    edges: Sequence[datetime] = (),
) -> list[Row]:
    """`count` cases received between two instants, one more at each of `edges`; what would have
    happened after `now` has not happened."""
    chance = random.Random(seed)
    span = (last - first).total_seconds()
    received = [first + timedelta(seconds=int(chance.random() * span)) for _ in range(count)]
    return [
        _row(contract, chance, number, at, now) for number, at in enumerate([*received, *edges])
    ]


def as_csv(made: Sequence[Row], delimiter: str = ",", end: str = "\r\n") -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(made)
    return text.getvalue()


def _row(
    contract: Contract, chance: random.Random, number: int, at: datetime, now: datetime
) -> Row:
    person = chance.randint(1, 900)
    groups = [group.code for group in contract.groups] + ["", "FC", "Foster carers", "SL"]
    quadrants = [area.code for area in contract.quadrants] + ["", "unknown", "North"]
    supports = chance.sample([s.code for s in contract.support], k=chance.choice((0, 1, 1, 2, 4)))
    answered = _later(chance, at, 0.93, now)
    allocated = _later(chance, at, 0.9, now)
    closed = at + timedelta(days=3)
    is_closed = chance.random() < 0.8 and closed <= now
    return {
        "reference": f"LOG/{number:05}",
        "received_at": _written(chance, at),
        "method": chance.choice(
            [m.code for m in contract.methods] + ["", "sms", "Phone", "TELEGRAM"]
        ),
        "person": f"P{person}",
        "carer_type": groups[person % len(groups)] if person % 7 else chance.choice(groups),
        "quadrant": quadrants[person % 4] if person % 5 else chance.choice(quadrants),
        "reason": chance.choice([reason.code for reason in contract.reasons] + ["", "unknown"]),
        "support": chance.choice((";", "; ", " | ")).join(supports),
        "first_response_at": _written(chance, answered) if answered else "",
        "allocated_at": _written(chance, allocated) if allocated else "",
        "closed_at": _written(chance, closed) if is_closed else "",
        "outcome": chance.choice([o.code for o in contract.outcomes] + [""]) if is_closed else "",
        "contacts": chance.choice(("", "1", "1", "2", "5", "17")),
    }


def _later(chance: random.Random, at: datetime, share: float, now: datetime) -> datetime | None:
    """Mostly in time, sometimes late, sometimes on the very second, sometimes never."""
    later = at + timedelta(seconds=int(chance.expovariate(1 / 30_000)))
    if chance.random() < 0.03:
        later = at + timedelta(hours=24)
    return later if chance.random() < share and later <= now else None


def _written(chance: random.Random, at: datetime) -> str:
    """One instant, in one of the ways that ISO 8601 allows."""
    if chance.random() < 0.5:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return (at + timedelta(hours=1)).replace(tzinfo=None).isoformat() + "+01:00"
