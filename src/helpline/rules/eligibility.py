"""Whether somebody is within a contract, decided from plain facts: who approved them, as what, from
when to when, and how old the young person is. Where they live never decides it (A11, D7).

Pure. Called by desk/eligibility.py, which loads the facts and writes the decision on the case. It
refuses nobody an answer: "out" means answered kindly, told who else helps, and counted apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from helpline.vocabulary import Eligibility

APPROVED: Final = "approved"
NOT_YET: Final = "not_yet_approved"
NOT_ON_LIST: Final = "not_on_list"
ENDED: Final = "ended"
FAMILY: Final = "family"
WHOSE_FAMILY: Final = "whose_family"
YOUNG_ENOUGH: Final = "young_person_covered"
TOO_OLD: Final = "young_person_over"
HOW_OLD: Final = "young_person_age"
PROFESSIONAL: Final = "professional"
TERM_OVER: Final = "term_over"
NOT_KNOWN: Final = "not_known"
OVERRIDE: Final = "override"

SENTENCES: Final[Mapping[str, str]] = {
    APPROVED: "On the council's list, and approved.",
    NOT_YET: "On the council's list, but approved only from a later day.",
    NOT_ON_LIST: "Says to be a carer, and is not on the council's list. Ask who approved them.",
    ENDED: "Their approval has ended.",
    FAMILY: "Belongs to the household of somebody approved.",
    WHOSE_FAMILY: "Says to be a carer's family; nobody approved is known in their household.",
    YOUNG_ENOUGH: "Looks after a young person who is within the contract's age.",
    TOO_OLD: "The young person they look after is past the contract's age.",
    HOW_OLD: "Covered while the young person is of the contract's age. Ask when they were born.",
    PROFESSIONAL: "A professional: may ask without a membership, and is counted as one.",
    TERM_OVER: "The contract is over.",
    NOT_KNOWN: "Who they are is not known yet.",
    OVERRIDE: "Decided by a lead.",
}
"""Code → what a worker reads; an exclusion's own sentence is in the contract."""


@dataclass(frozen=True)
class Held:
    """One membership: its first and last day, None where there is none."""

    first: date | None
    last: date | None

    def holds(self, on: date) -> bool:
        return (self.first or on) <= on <= (self.last or on)


@dataclass(frozen=True)
class Facts:
    """What is known of one person on one day. `counts_as` as the contract's group says it.

    `excluded_by`: the contract's exclusion (another council, an agency) that approved them.
    `is_young_person_within`: by the contract's age limit; None while nobody has asked.
    """

    on: date
    counts_as: str
    held: tuple[Held, ...] = ()
    excluded_by: str | None = None
    household_is_approved: bool = False
    has_age_limit: bool = False
    is_young_person_within: bool | None = None
    term_ended: bool = False
    """The last day is past, and the contract takes no new case after it."""


@dataclass(frozen=True)
class Decision:
    """`reason`: a code of SENTENCES, or of one of the contract's exclusions."""

    eligibility: Eligibility
    reason: str


def decide(facts: Facts) -> Decision:
    """In, out, unknown or professional, with the reason. Whoever nobody has asked is unknown."""
    if facts.counts_as == "professional":
        return Decision(Eligibility.PROFESSIONAL, PROFESSIONAL)
    if facts.excluded_by is not None and not _holds(facts):  # the council's own list knows better
        return Decision(Eligibility.OUT, facts.excluded_by)
    if facts.term_ended:
        return Decision(Eligibility.OUT, TERM_OVER)
    if facts.counts_as == "family":
        return _family(facts)
    if facts.counts_as == "carer":
        return _carer(facts)
    if facts.has_age_limit:
        return _by_young_person(facts)
    return Decision(Eligibility.UNKNOWN, NOT_KNOWN)


def _family(facts: Facts) -> Decision:
    """Own children and others of the household (A56, A58)."""
    if facts.household_is_approved or _holds(facts):
        return Decision(Eligibility.IN, FAMILY)
    return Decision(Eligibility.UNKNOWN, WHOSE_FAMILY)


def _carer(facts: Facts) -> Decision:
    """Foster and supported lodgings carers (A54, A55); one whose approval ended is a former carer,
    who is covered with a young person within the age (A35)."""
    if not facts.held:
        return Decision(Eligibility.UNKNOWN, NOT_ON_LIST)
    if _holds(facts):
        return Decision(Eligibility.IN, APPROVED)
    if all(one.first is not None and one.first > facts.on for one in facts.held):
        return Decision(Eligibility.UNKNOWN, NOT_YET)
    return _by_young_person(facts) if facts.has_age_limit else Decision(Eligibility.OUT, ENDED)


def _by_young_person(facts: Facts) -> Decision:
    if facts.is_young_person_within is None:
        return Decision(Eligibility.UNKNOWN, HOW_OLD)
    if facts.is_young_person_within:
        return Decision(Eligibility.IN, YOUNG_ENOUGH)
    return Decision(Eligibility.OUT, TOO_OLD)


def _holds(facts: Facts) -> bool:
    return any(one.holds(facts.on) for one in facts.held)
