"""The report's lines "feedback and outcomes" and "compliments and complaints" (A66, A67): what
people said of the service, what they complained of, what was done, how cases ended.

Called by reports/figures.py only. A year is counted from its own rows. Small numbers are protected
like all others: each number and the sums it stands in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.models import metadata
from helpline.reports.measures import By, Cell, Key, cells_of, codes, voiced
from helpline.rules.disclosure import Line, hidden_cells
from helpline.rules.periods import Period, bounds
from helpline.vocabulary import UNKNOWN

CASE: Final = metadata.tables["case"]
COMPLAINT: Final = metadata.tables["complaint"]
COMPLIMENT: Final = metadata.tables["compliment"]
ASK: Final = metadata.tables["feedback_ask"]
CUTS: Final = ((), ("quadrant",), ("carer_type",))
PEOPLE: Final = ("feedback", "feedback.asked")
TOO_FEW: Final = "too few for a percentage"
Bounds = tuple[datetime, datetime]


@dataclass
class _Counts:
    """Numbers by measure and cut; people are kept by id, as each counts once wherever cut."""

    numbers: Counter[Key] = field(default_factory=Counter)
    people: dict[Key, set[int]] = field(default_factory=dict)

    def one(self, measure: str, by: By = ()) -> None:
        self.numbers[measure, by] += 1

    def person(self, measure: str, person_id: int, places: Iterable[By]) -> None:
        for by in places:
            self.people.setdefault((measure, by), set()).add(person_id)

    def value(self, key: Key) -> int:
        return len(self.people.get(key, ())) if key[0] in PEOPLE else self.numbers[key]


async def cells(
    session: AsyncSession, contract: Contract, period: Period, *, protected: bool
) -> tuple[Cell, ...]:
    """Every cell of these lines, noughts too; with small numbers hidden where `protected`."""
    counts, within = _Counts(), bounds(period, contract.zone)
    await _complaints(session, contract, within, counts)
    await _compliments(session, contract, within, counts)
    await _feedback(session, contract, within, counts)
    await _outcomes(session, contract, within, counts)
    found = tuple(_cell(counts, key) for key in _keys(contract))
    return _protect(contract, found) if protected else found


def _keys(contract: Contract) -> Iterator[Key]:
    """Every cell in printing order."""
    printed = codes(contract)
    for measure in voiced(contract):
        is_cut = measure in (*PEOPLE, "outcomes")
        for cut in CUTS if is_cut else CUTS[:1]:
            for by in cells_of(cut, printed):
                yield measure, by


def _cell(counts: _Counts, key: Key) -> Cell:
    number = counts.value(key)
    if key[0] != "feedback":
        return Cell(*key, number)
    asked = counts.value(("feedback.asked", key[1]))
    share = (2000 * number + asked) // (2 * asked) / 10 if asked else None
    return Cell(*key, number, denominator=asked, percent=share)


# --- counting ----------------------------------------------------------------------------------


async def _complaints(
    session: AsyncSession, contract: Contract, within: Bounds, counts: _Counts
) -> None:
    rows = await session.execute(
        select(COMPLAINT.c.subject, COMPLAINT.c.outcome, COMPLAINT.c.action).where(
            COMPLAINT.c.contract == contract.key,
            COMPLAINT.c.received_at >= within[0],
            COMPLAINT.c.received_at < within[1],
        )
    )
    for subject, outcome, action in rows:
        counts.one("complaints")
        counts.one(_listed(contract, "complaints.subject", subject))
        counts.one(_listed(contract, "complaints.outcome", outcome or "waiting"))
        counts.one(_listed(contract, "complaints.action", action or "waiting"))


async def _compliments(
    session: AsyncSession, contract: Contract, within: Bounds, counts: _Counts
) -> None:
    rows = await session.scalars(
        select(COMPLIMENT.c.subject).where(
            COMPLIMENT.c.contract == contract.key,
            COMPLIMENT.c.at >= within[0],
            COMPLIMENT.c.at < within[1],
        )
    )
    for subject in rows:
        counts.one("compliments")
        counts.one(_listed(contract, "compliments.subject", subject))


async def _feedback(
    session: AsyncSession, contract: Contract, within: Bounds, counts: _Counts
) -> None:
    rows = await session.execute(
        select(ASK.c.person_id, ASK.c.score, CASE.c.quadrant, CASE.c.group)
        .outerjoin(CASE, CASE.c.id == ASK.c.case_id)
        .where(
            ASK.c.contract == contract.key,
            ASK.c.asked_at >= within[0],
            ASK.c.asked_at < within[1],
        )
    )
    for row in rows:
        places = _places(contract, row)
        counts.person("feedback.asked", row.person_id, places)
        if row.score is not None:
            counts.person("feedback", row.person_id, places)
            counts.one("feedback.answers")
            counts.one(f"feedback.score.{row.score}")


async def _outcomes(
    session: AsyncSession, contract: Contract, within: Bounds, counts: _Counts
) -> None:
    rows = await session.execute(
        select(CASE.c.outcome, CASE.c.quadrant, CASE.c.group).where(
            CASE.c.contract == contract.key,
            CASE.c.status == "closed",
            CASE.c.closed_at >= within[0],
            CASE.c.closed_at < within[1],
        )
    )
    for row in rows:
        for by in _places(contract, row):
            counts.one("outcomes", by)
        counts.one(_listed(contract, "outcomes.of", row.outcome or UNKNOWN))


def _places(contract: Contract, row: Any) -> list[By]:
    printed = codes(contract)
    quadrant = row.quadrant if row.quadrant in printed["quadrant"] else UNKNOWN
    group = row.group if row.group in printed["carer_type"] else UNKNOWN
    return [(), (("quadrant", quadrant),), (("carer_type", group),)]


def _listed(contract: Contract, family: str, code: str) -> str:
    """The measure of a code; of one that the contract no longer has, the last of its family, so
    that totals stay whole."""
    known = _family(contract, family)
    measure = f"{family}.{code}"
    return measure if measure in known else known[-1]


def _family(contract: Contract, family: str) -> list[str]:
    return [measure for measure in voiced(contract) if measure.startswith(f"{family}.")]


# --- protecting --------------------------------------------------------------------------------


def _protect(contract: Contract, found: tuple[Cell, ...]) -> tuple[Cell, ...]:
    rule = contract.disclosure
    exact: dict[Hashable, int] = {cell.key: int(cell.value or 0) for cell in found}
    hidden = hidden_cells(
        exact, list(_sums(contract)), threshold=rule.threshold, secondary=rule.secondary
    )
    return tuple(_shown(contract, hidden, cell) for cell in found)


def _sums(contract: Contract) -> Iterator[Line]:
    """Every sum a reader can write down of these cells."""
    families = {
        "complaints": ("complaints.subject", "complaints.outcome", "complaints.action"),
        "compliments": ("compliments.subject",),
        "feedback.answers": ("feedback.score",),
        "outcomes": ("outcomes.of",),
    }
    for total, listed in families.items():
        for family in listed:
            inside = tuple((measure, ()) for measure in _family(contract, family))
            if inside:
                yield Line((total, ()), inside)
    printed = codes(contract)
    for measure in (*PEOPLE, "outcomes"):
        for cut in CUTS[1:]:
            places = tuple((measure, by) for by in cells_of(cut, printed))
            yield Line((measure, ()), places)


def _shown(contract: Contract, hidden: Mapping[Any, str], cell: Cell) -> Cell:
    why, rule = hidden.get(cell.key), contract.disclosure
    asked = cell.denominator
    if asked is not None:
        whole = _rounded(asked, rule.round_to)
        blunt = cell.percent if rule.round_to == 1 else float(_rounded(cell.percent or 0, 1))
        if why or ("feedback.asked", cell.by) in hidden:
            cell = replace(cell, denominator=None, percent=None)
        elif asked < rule.percent_needs_denominator:
            cell = replace(cell, denominator=whole, percent=None, note=TOO_FEW)
        else:
            cell = replace(cell, denominator=whole, percent=blunt)
    if why:
        return replace(cell, value=None, hidden=why)
    return replace(cell, value=_rounded(cell.value or 0, rule.round_to))


def _rounded(number: float, base: int) -> int:
    return int(number + base / 2) // base * base
