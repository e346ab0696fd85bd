"""The codes by which reports are cut, and what people read for each: a contract's own, in its
order, or the house's. Every one is printed, even when it is zero; what is none of them is the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from helpline.contract.agreement import Contract
from helpline.contract.parts import Worded
from helpline.rules.eligibility import TOO_OLD
from helpline.vocabulary import UNKNOWN

NAMES: Final[Mapping[str, str]] = {
    "quadrant": "Area",
    "carer_type": "Who it was for",
    "method": "How they reached us",
    "reason": "What they asked for",
    "support": "What they got",
    "kind": "Kind of case",
    "state": "State",
    "ended": "How it ended",
    "outcome": "How it ended",
    "allocated": "Has a named worker",
    "clock": "Promise",
    "verdict": "Kept or not",
    "excluded": "Why they are not within the contract",
    "subject": "What about",
    "finding": "What was found",
    "action": "What was done",
    "praised": "What for",
    "answered": "Answered",
    "score": "What they said",
    "shown": "What was done",
    "track": "Handled as",
    "made_by": "Made by",
    "repeated": "About somebody for the first time or again",
    "incident": "Kind",
}
"""Every dimension in printing order → what people read for it."""
_OTHER: Final = "other"
_WAITING: Final = "waiting"
_HOUSE: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": {
        "advice": "Advice and support",
        "allegation": "Allegation",
        "standards": "Standards of care",
        "complaint": "Complaint about us",
        "data_complaint": "Complaint about data",
        "referral": "Referral",
        "consultation": "Consultation",
    },
    "state": {"open": "Open", "closed": "Closed"},
    "allocated": {"yes": "Yes", "no": "No"},
    "verdict": {"met": "Kept", "missed": "Late", "open": "Still in time"},
    "answered": {"yes": "Yes", "no": "No"},
    "score": {
        "1": "1 very poor",
        "2": "2 poor",
        "3": "3 all right",
        "4": "4 good",
        "5": "5 very good",
    },
    "track": {
        "allegation": "An allegation",
        "standards": "A concern about standards of care",
        "complaint": "A complaint about them",
        "unknown": "Nobody has said yet",
    },
    "made_by": {
        "fostered_child": "A child in their care",
        "birth_family": "A child's own family",
        "professional": "A professional",
        "other": "Somebody else",
        "not_told": "Not told",
    },
    "repeated": {"no": "First", "yes": "Again"},
}
FINDINGS: Final = {
    "upheld": "Upheld",
    "partly": "Partly upheld",
    "not_upheld": "Not upheld",
    "withdrawn": "Withdrawn",
    "forwarded": "Passed on to the council",
    _WAITING: "Not answered yet",
}


def names(contract: Contract) -> dict[str, dict[str, str]]:
    """Dimension → code → what people read for it, in printing order; the last takes whatever has
    no code of its own."""
    worded = {
        "quadrant": (*contract.quadrants, contract.unknown_quadrant),
        "carer_type": contract.groups,
        "method": contract.methods,
        "reason": contract.reasons,
        "support": contract.support,
        "outcome": contract.outcomes,
        "ended": contract.outcomes,
    }
    found: dict[str, dict[str, str]] = {}
    for dimension, words in worded.items():
        unknown = "Not known or another" if dimension in ("outcome", "ended") else "Not known"
        listed = {one.code: one.name for one in words if one.code != UNKNOWN}
        known = {one.code: one.name for one in words if one.code == UNKNOWN}
        found[dimension] = listed | ({UNKNOWN: unknown} | known)
    found |= {dimension: dict(words) for dimension, words in _HOUSE.items()}
    found["track"]["complaint"] = f"A complaint about the {contract.called.subject}"
    return found | _registers(contract)


def _registers(contract: Contract) -> dict[str, dict[str, str]]:
    excluded = {one.code: one.name for one in contract.exclusions}
    if contract.age_limit:
        excluded[TOO_OLD] = "Whose young person is past the age"
    given = contract.complaints
    actions = {one.code: one.name for one in given.actions} if given else {}
    return {
        "clock": {one.code: one.name for one in contract.clocks} | {_OTHER: "Another promise"},
        "excluded": excluded | {_OTHER: "Other reasons"},
        "subject": _with_other(given.subjects if given else ()),
        "finding": dict(FINDINGS),
        "action": actions | {_WAITING: "Nothing yet"},
        "praised": _with_other(given.compliments if given else ()),
        "shown": _with_other(contract.evidence),
        "incident": _with_other(contract.incidents),
    }


def _with_other(worded: Sequence[Worded]) -> dict[str, str]:
    """The last is for what the contract once listed and no longer does: nothing that is listed may
    grow by it."""
    listed = {one.code: one.name for one in worded}
    name = listed.pop(_OTHER, "Anything else" if listed else "Anything")
    return listed | {_OTHER: name}


def printed(contract: Contract) -> dict[str, tuple[str, ...]]:
    """Dimension → its codes in printing order."""
    return {dimension: tuple(words) for dimension, words in names(contract).items()}
