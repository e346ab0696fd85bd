"""What in a contract is not wrong but should be looked at: unverified, stale, or past its term.

Called by `helpline check` and the start, which print it and go on: a doubt never stops the service.
The day is an argument; nothing here reads the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from helpline.contract.agreement import Contract
from helpline.contract.loading import Problem
from helpline.contract.parts import Fact, Table, Worded

VERIFIED_FOR: Final = timedelta(days=90)  # domain facts §6: alert if older
ALARM_BEFORE_END: Final = timedelta(days=90)
COUNTED_FOR: Final = timedelta(days=400)  # a yearly count, with a month of grace


def warnings(contract: Contract, on: date) -> list[Problem]:
    """Everything that a person should check or put right, as seen on a day; empty is the aim."""
    found = [*_term(contract, on), *_populations(contract, on), *_calendar(contract, on)]
    found += _facts(contract, on)
    return [Problem(contract.file, key, reason) for key, reason in found]


def _term(contract: Contract, on: date) -> Iterator[tuple[str, str]]:
    term = contract.term
    if on < term.start:
        yield "term.start", f"the contract starts only on {_day(term.start)}."
    elif on > term.last_day:
        extended = " even with every extension" if term.extension_end else ""
        yield "term.end", f"the contract ended{extended} on {_day(term.last_day)}."
    elif on > term.end:
        yield (
            "term.end",
            f"the term ended on {_day(term.end)}; the extension may run to {_day(term.last_day)}.",
        )


def _populations(contract: Contract, on: date) -> Iterator[tuple[str, str]]:
    newest: dict[tuple[str, str | None], tuple[int, date]] = {}
    for i, population in enumerate(contract.populations):
        same = (population.code, population.quadrant)
        if same not in newest or newest[same][1] < population.as_of:
            newest[same] = (i, population.as_of)
    for i, as_of in newest.values():
        if as_of > on:
            yield f"populations[{i}].as_of", f"the count of {_day(as_of)} lies in the future."
        elif on - as_of > COUNTED_FOR:
            yield (
                f"populations[{i}].as_of",
                f"the newest count is of {_day(as_of)}: ask the council for a newer one.",
            )


def calendar_ends_soon(contract: Contract, on: date) -> date | None:
    """The last day whose bank holidays are known, from 90 days before it; else None."""
    assert contract.holidays is not None
    last = contract.holidays.last
    return last if last - on <= ALARM_BEFORE_END else None


def old_signposts(contract: Contract, on: date) -> list[str]:
    """The names of the contact details given to carers that nobody has looked at for 90 days."""
    return [
        one.name
        for one in contract.signposts
        if one.last_verified is not None and on - one.last_verified > VERIFIED_FOR
    ]


def _calendar(contract: Contract, on: date) -> Iterator[tuple[str, str]]:
    last = calendar_ends_soon(contract, on)
    if last is not None:
        known = f"bank holidays are known only to {_day(last)}"
        yield "holidays.last", f"{known}: add the next years from the government's list."


def _facts(contract: Contract, on: date) -> Iterator[tuple[str, str]]:
    for key, fact in _walk(contract, ""):
        named = f"{fact.name}: " if isinstance(fact, Worded) else ""
        if fact.verify:
            yield key, f"{named}not verified: {fact.verify}"
        if fact.last_verified and fact.last_verified > on:
            yield key, f"{named}verified on {_day(fact.last_verified)}, which lies in the future."
        elif fact.last_verified and on - fact.last_verified > VERIFIED_FOR:
            yield key, f"{named}last verified on {_day(fact.last_verified)}: look again."
        if fact.mark == "fictional":
            yield key, f"{named}fictional, for the demo: put the real one in before use."


def _walk(value: Any, key: str) -> Iterator[tuple[str, Fact]]:
    if isinstance(value, Fact):
        yield key, value
    if isinstance(value, Table):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name), f"{key}.{name}" if key else name)
    elif isinstance(value, tuple):
        for i, inner in enumerate(value):
            yield from _walk(inner, f"{key}[{i}]")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
