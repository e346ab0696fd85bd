"""What a report counts and how it is cut: the measures, the dimensions and every way to cross two.

Read by the other modules of reports; it asks no database. The codes of a dimension are the
contract's own, in its order, then "unknown": every one is printed, even when it is zero (A07).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import combinations, product
from typing import Final

from helpline.contract import Contract
from helpline.rules.eligibility import TOO_OLD
from helpline.vocabulary import UNKNOWN

DIMENSIONS: Final = ("quadrant", "carer_type", "method", "reason", "support")
CUTS: Final[tuple[tuple[str, ...], ...]] = (
    (),
    *((dimension,) for dimension in DIMENSIONS),
    *combinations(DIMENSIONS, 2),
)
COUNTED: Final = ("people", "contacts", "cases")
QUALITY: Final = ("quality.closed_without_support", "quality.closed_without_outcome")
APART: Final = "apart"
EVIDENCE: Final = "evidence"
"""Contacts of people who are out of the contract, by reason: in no other figure (A02, A09)."""
FINDINGS: Final = {
    "upheld": "Upheld",
    "partly": "Partly upheld",
    "not_upheld": "Not upheld",
    "withdrawn": "Withdrawn",
    "forwarded": "Passed on to the council",
    "waiting": "Not answered yet",
}
SCORES: Final = {1: "1 very poor", 2: "2 poor", 3: "3 all right", 4: "4 good", 5: "5 very good"}
VERDICTS: Final = ("met", "missed", "open")
TIMES: Final = ("median_minutes", "p90_minutes", "slowest_minutes")

By = tuple[tuple[str, str], ...]
"""How a cell is cut: pairs of dimension and code in the order of DIMENSIONS; () is the total."""
Key = tuple[str, By]
"""A cell's measure and its cut."""


@dataclass(frozen=True)
class Cell:
    """One figure. `value` is None where it is hidden, or where there is nothing to measure.

    Counts are whole numbers, times are minutes (one decimal), `percent` is 0 to 100 (one decimal).
    `denominator` is what the percentage is of, `denominator_as_of` the day it was counted on;
    `note` says why there is no percentage where one could be expected.
    """

    measure: str
    by: By
    value: float | None
    denominator: int | None = None
    percent: float | None = None
    hidden: str | None = None
    denominator_as_of: date | None = None
    note: str | None = None

    @property
    def key(self) -> Key:
        return self.measure, self.by


@dataclass(frozen=True)
class Breach:
    """One promise that was not kept: nothing in it says whose case it was."""

    clock: str
    quadrant: str
    minutes_late: float
    is_answered: bool  # False: still waiting, and late by this much when the report was made


def codes(contract: Contract) -> dict[str, tuple[str, ...]]:
    """Dimension → its codes as they are printed, "unknown" last and once."""
    listed = {
        "quadrant": [area.code for area in contract.quadrants],
        "carer_type": [group.code for group in contract.groups],
        "method": [method.code for method in contract.methods],
        "reason": [reason.code for reason in contract.reasons],
        "support": [support.code for support in contract.support],
    }
    return {
        dimension: (*(code for code in known if code != UNKNOWN), UNKNOWN)
        for dimension, known in listed.items()
    }


def names(contract: Contract) -> dict[str, dict[str, str]]:
    """Dimension → code → what people read for it."""
    worded = {
        "quadrant": (*contract.quadrants, contract.unknown_quadrant),
        "carer_type": contract.groups,
        "method": contract.methods,
        "reason": contract.reasons,
        "support": contract.support,
    }
    return {
        dimension: {UNKNOWN: "Not known"} | {one.code: one.name for one in words}
        for dimension, words in worded.items()
    }


def cells_of(cut: tuple[str, ...], printed: dict[str, tuple[str, ...]]) -> tuple[By, ...]:
    """Every combination of codes of a cut, in printing order."""
    return tuple(
        tuple(zip(cut, chosen, strict=True))
        for chosen in product(*(printed[dimension] for dimension in cut))
    )


def counts(contract: Contract) -> tuple[str, ...]:
    """The measures that count something, and so can be small."""
    timed = (
        f"{clock.code}.{verdict}" for clock in contract.reported_clocks for verdict in VERDICTS
    )
    return (*COUNTED, *timed)


def apart(contract: Contract) -> dict[str, str]:
    """The measure of everybody who is out → what people read for the reason; the last for any
    reason that has no line of its own."""
    excluded = {f"{APART}.{one.code}": one.name for one in contract.exclusions}
    limit = {f"{APART}.{TOO_OLD}": "Whose young person is past the age"}
    return {**excluded, **(limit if contract.age_limit else {}), f"{APART}.other": "Other reasons"}


def shown_done(contract: Contract) -> dict[str, str]:
    """The measure of each kind of evidence of involvement → its name; first of all together."""
    kinds = {f"{EVIDENCE}.{one.code}": one.name for one in contract.evidence}
    return {EVIDENCE: "All evidence of involvement", **kinds} if kinds else {}


def voiced(contract: Contract) -> dict[str, str]:
    """The measures of complaints, compliments, feedback and outcomes → what people read for each,
    totals before their parts (A66, A67). Without the registers there are the outcomes alone."""
    found: dict[str, str] = {}
    if contract.complaints is not None:
        given = contract.complaints
        found |= {"complaints": "All complaints"}
        found |= {f"complaints.subject.{one.code}": one.name for one in given.subjects}
        found |= {f"complaints.outcome.{code}": name for code, name in FINDINGS.items()}
        found |= {f"complaints.action.{one.code}": one.name for one in given.actions}
        found |= {"complaints.action.waiting": "Nothing yet"}
        found |= {"compliments": "All compliments"}
        found |= {f"compliments.subject.{one.code}": one.name for one in given.compliments}
    if contract.feedback is not None:
        found |= {"feedback.asked": "People who were asked", "feedback": "People who answered"}
        found |= {"feedback.answers": "All answers"}
        found |= {f"feedback.score.{score}": name for score, name in SCORES.items()}
    return {
        **found,
        "outcomes": "Cases that were closed",
        **{f"outcomes.of.{one.code}": one.name for one in contract.outcomes},
        f"outcomes.of.{UNKNOWN}": "Not known or another",
    }


def all_measures(contract: Contract) -> tuple[str, ...]:
    """Every measure of the contract's reports in printing order."""
    timed = (f"{clock.code}.{m}" for clock in contract.reported_clocks for m in (*VERDICTS, *TIMES))
    lines = (*apart(contract), *voiced(contract), *shown_done(contract))
    return (*COUNTED, *timed, *QUALITY, *lines)
