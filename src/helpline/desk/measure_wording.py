"""A measure as one side words it: what was typed, checked, as a version of a proposal.

Called by measure_proposals.py. It stores nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from helpline.desk import portal
from helpline.errors import InvalidInput
from helpline.models import MeasureVersion
from helpline.rules.permissions import Actor
from helpline.vocabulary import TargetKind

LONGEST_NAME: Final = 160
LARGEST: Final = 100_000
WORDS: Final = ("why", "name", "question", "means", "target_kind", "target", "target_words")
"""Of a version: what it says."""


@dataclass(frozen=True)
class Worded:
    """A measure as somebody typed it. `target`: a number as text, or words."""

    why: str
    name: str
    question: str
    means: str = ""
    target_kind: str = ""
    target: str = ""


def version(
    proposal_id: int, number: int, worded: Worded, by: Actor, now: datetime
) -> MeasureVersion:
    """One version of a proposal, not stored yet; InvalidInput where something is wrong with it."""
    kind, target, words = _target(worded)
    return MeasureVersion(
        proposal_id=proposal_id,
        number=number,
        side=portal.side_of(by),
        why=portal.in_words(worded.why, "Say why, in a sentence or two."),
        name=portal.in_one_line(worded.name, "Give the measure a name.", LONGEST_NAME),
        question=portal.in_one_line(worded.question, "Write the question that it answers."),
        means=portal.in_words(worded.means) or None,
        target_kind=kind,
        target=target,
        target_words=words or None,
        at=now,
        by_user_id=by.user_id,
    )


def says_the_same(one: MeasureVersion, other: MeasureVersion) -> bool:
    """Whether two versions differ in no word."""
    return all(getattr(one, name) == getattr(other, name) for name in WORDS)


def _target(worded: Worded) -> tuple[str, float | None, str]:
    kind = worded.target_kind
    if not kind:
        return "", None, ""
    if kind not in list(TargetKind):
        raise InvalidInput("Choose what kind of target it has, or none.")
    if kind == TargetKind.WORDS:
        return kind, None, portal.in_one_line(worded.target, "Write the target in words.")
    try:
        number = float(worded.target.strip().removesuffix("%").strip())
    except ValueError:
        number = -1.0
    if not 0 <= number <= LARGEST:
        raise InvalidInput("Write the target as a number, for example 95.")
    return kind, round(number, 2), ""
