"""The figures of a report counted a second way: plain Python over the rows of the CSV.

It shares no code with the report: its own reading of words and times, its own percentiles from the
standard library, its own bounds, given by the test as instants.
"""

import itertools
import statistics
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

WORDS = {
    "": "unknown",
    "FC": "foster_carer",
    "Foster carers": "foster_carer",
    "SL": "supported_lodgings_carer",
    "North": "north",
    "sms": "text",
    "Phone": "telephone",
    "TELEGRAM": "telegram",
}
CARERS = {"foster_carer": 822, "supported_lodgings_carer": 37}
Figures = dict[tuple[str, frozenset[tuple[str, str]]], dict[str, Any]]


def figures(
    rows: Sequence[dict[str, str]], start: datetime, end: datetime, now: datetime
) -> Figures:
    """(measure, cut) → value, denominator, percent; only for cuts that have a row."""
    cut: dict[frozenset[tuple[str, str]], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if start <= _at(row["received_at"]) < end:
            for where in _cuts(row):
                cut[where].append(row)
    found: Figures = {}
    for where, here in cut.items():
        people = len({row["person"] for row in here})
        of = CARERS.get(dict(where).get("carer_type", ""))
        if "quadrant" in dict(where):
            of = None
        found["people", where] = _figure(people, of)
        found["contacts", where] = _figure(sum(int(row["contacts"] or 1) for row in here), None)
        found["cases", where] = _figure(len(here), None)
        for clock, column in (
            ("first_response", "first_response_at"),
            ("allocation", "allocated_at"),
        ):
            for measure, figure in _clock(here, column, now).items():
                found[f"{clock}.{measure}", where] = figure
    return found | _outcomes(rows, start, end)


def _outcomes(rows: Sequence[dict[str, str]], start: datetime, end: datetime) -> Figures:
    """How the cases ended that were closed in the period, whenever they began."""
    number: dict[tuple[str, frozenset[tuple[str, str]]], int] = defaultdict(int)
    for row in rows:
        if row["closed_at"] and start <= _at(row["closed_at"]) < end:
            number["outcomes", frozenset({("outcome", row["outcome"] or "unknown")})] += 1
            for place in ([], ["quadrant"], ["carer_type"]):
                where = frozenset((name, _word(row[name])) for name in place)
                number["outcomes", where] += 1
    return {key: _figure(count, None) for key, count in number.items()}


def _cuts(row: dict[str, str]) -> list[frozenset[tuple[str, str]]]:
    """Every place with up to two dimensions that a row is counted in."""
    supports = [s.strip() for s in row["support"].replace("|", ";").split(";") if s.strip()]
    dimensions = [
        [("quadrant", _word(row["quadrant"]))],
        [("carer_type", _word(row["carer_type"]))],
        [("method", _word(row["method"]))],
        [("reason", _word(row["reason"]))],
        [("support", support) for support in supports or ["unknown"]],
    ]
    cuts = [frozenset[tuple[str, str]]()]
    for size in (1, 2):
        for chosen in itertools.combinations(dimensions, size):
            cuts += [frozenset(one) for one in itertools.product(*chosen)]
    return cuts


def _clock(rows: list[dict[str, str]], column: str, now: datetime) -> dict[str, dict[str, Any]]:
    met = missed = still_open = 0
    minutes = []
    for row in rows:
        received = _at(row["received_at"])
        due = received + timedelta(days=1)
        if row[column]:
            took = (_at(row[column]) - received).total_seconds() / 60
            minutes.append(took)
            met, missed = (met + 1, missed) if took <= 1440 else (met, missed + 1)
        elif now > due:
            missed += 1
        else:
            still_open += 1
    return {
        "met": _figure(met, met + missed),
        "missed": _figure(missed, met + missed),
        "open": _figure(still_open, None),
        "median_minutes": _time(statistics.median(minutes) if minutes else None),
        "p90_minutes": _time(_p90(minutes)),
        "slowest_minutes": _time(max(minutes, default=None)),
    }


def _p90(minutes: list[float]) -> float | None:
    if len(minutes) < 2:
        return minutes[0] if minutes else None
    return statistics.quantiles(minutes, n=10, method="inclusive")[8]


def _figure(value: int, of: int | None) -> dict[str, Any]:
    return {"value": value, "of": of, "percent": 100 * value / of if of else None}


def _time(value: float | None) -> dict[str, Any]:
    return {"value": value, "of": None, "percent": None}


def _word(text: str) -> str:
    return WORDS.get(text, text)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
