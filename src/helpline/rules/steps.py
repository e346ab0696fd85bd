"""The ordinary steps of each kind of case, and where one case stands in them.

Facts + now → what is done, what is next, what comes later. The usual times are how long it takes
as a rule, never a promise: promises are clocks of the contract (rules/clocks.py). An allegation
and a concern about standards of care have the pathway instead, which stands elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from helpline.vocabulary import CaseKind

SAFE: Final = "safe"
"""The step of asking how somebody may be reached safely."""


@dataclass(frozen=True)
class KindStep:
    """One step: what is done in a few words, one sentence about it, and how many days after the
    case opened it is usually done by."""

    code: str
    name: str
    says: str
    days: int


class StepState(StrEnum):
    DONE = "done"
    NOT_NEEDED = "not_needed"
    NEXT = "next"
    LATER = "later"


@dataclass(frozen=True)
class Tick:
    """That somebody said a step was done, or is not needed."""

    step: str
    done_at: datetime
    is_needed: bool = True


@dataclass(frozen=True)
class Line:
    """One step as it stands in a case. `usual_by`: when it is usually done by; `is_behind`: that
    has passed and nobody has ticked it."""

    step: KindStep
    state: StepState
    usual_by: datetime
    done_at: datetime | None = None
    is_behind: bool = False


STEPS: Final[Mapping[CaseKind, tuple[KindStep, ...]]] = {
    CaseKind.ADVICE: (
        KindStep(
            "understood",
            "Know what they need",
            "In their own words, and who else at home it touches.",
            1,
        ),
        KindStep(
            SAFE, "Ask how to reach them safely", "When, by which way, and who may pick up.", 1
        ),
        KindStep(
            "helped", "Give the support, or arrange it", "What they can have, and who gives it.", 7
        ),
        KindStep(
            "checked",
            "Ask whether it helped",
            "By the way they like best; a short message will do.",
            14,
        ),
        KindStep(
            "ended",
            "Agree how it ends",
            "What they do if it comes back, and that they may always write again.",
            21,
        ),
    ),
    CaseKind.COMPLAINT: (
        KindStep(
            "logged",
            "Write the complaint down",
            "In their words, with what they want to come of it. It is never taken off the list.",
            1,
        ),
        KindStep(
            "apart",
            "Give it to somebody who had no part in it",
            "Nobody looks into a complaint about themselves.",
            1,
        ),
        KindStep(
            "acknowledged",
            "Tell them it arrived",
            "In writing: who looks into it, and by when they hear.",
            3,
        ),
        KindStep(
            "heard", "Hear them", "Ask what happened for them and what would put it right.", 7
        ),
        KindStep(
            "answered",
            "Answer in writing",
            "What was found, what we do about it, and what they can do if they disagree.",
            14,
        ),
        KindStep("learned", "Say what changes", "What we learned stands beside the complaint.", 28),
    ),
    CaseKind.DATA_COMPLAINT: (
        KindStep(
            "logged",
            "Write down what they complain about",
            "What we hold or did with it, as they say it.",
            1,
        ),
        KindStep(
            "told",
            "Tell whoever looks after data protection",
            "The same day: there are clocks of the law.",
            1,
        ),
        KindStep(
            "acknowledged",
            "Tell them it arrived",
            "Within 30 days by law; in a day or two by good manners.",
            3,
        ),
        KindStep(
            "looked_into",
            "Find out what happened",
            "Without undue delay. Change nothing that is on record.",
            14,
        ),
        KindStep(
            "answered",
            "Answer in writing",
            "What was found, what we do about it, and that they may go to the Information "
            "Commissioner.",
            28,
        ),
    ),
    CaseKind.REFERRAL: (
        KindStep(
            "complete",
            "Have all that a referral must say",
            "What is missing is asked for; nobody waits for it.",
            2,
        ),
        KindStep(
            "agreed",
            "Know that they agree",
            "The person knows that they were referred, and wants it.",
            2,
        ),
        KindStep(
            "first_contact",
            "Speak with them",
            "The first time in person or by telephone, in their time.",
            3,
        ),
        KindStep(
            "referrer_told",
            "Tell the referrer who works with them",
            "Only that, unless the person agrees to more.",
            5,
        ),
        KindStep(
            "planned",
            "Agree a plan",
            "What they want, when you look at it again, when it ends.",
            14,
        ),
        KindStep(
            "feedback", "Tell the referrer how it goes", "What the person agrees to have said.", 42
        ),
        KindStep(
            "ended",
            "Agree how it ends, and tell the referrer",
            "With the person first, then with everybody who works with them.",
            84,
        ),
    ),
    CaseKind.CONSULTATION: (
        KindStep(
            "asked",
            "Know what they ask for themselves",
            "A professional asks about their own work.",
            1,
        ),
        KindStep(
            "no_names",
            "Keep names out",
            "No carer and no child is named here. If one must be, it is a referral.",
            1,
        ),
        KindStep("answered", "Answer", "What we know, and where it stands.", 3),
        KindStep("signposted", "Say who else helps", "Where we are not the right ones.", 3),
    ),
}


def steps_of(kind: str) -> tuple[KindStep, ...]:
    """In their order; none for the kinds that have the pathway."""
    return STEPS.get(CaseKind(kind), ())


def lines(
    kind: str, opened_at: datetime, ticks: Sequence[Tick], now: datetime, *, is_open: bool = True
) -> tuple[Line, ...]:
    """Every step of the kind as it stands. Next is the first that nobody has ticked, whatever
    was ticked after it; a closed case has no next one."""
    ticked = {tick.step: tick for tick in ticks}
    found, has_next = [], not is_open
    for step in steps_of(kind):
        usual_by, tick = opened_at + timedelta(days=step.days), ticked.get(step.code)
        if tick is not None:
            state = StepState.DONE if tick.is_needed else StepState.NOT_NEEDED
            found.append(Line(step, state, usual_by, tick.done_at))
            continue
        state = StepState.LATER if has_next else StepState.NEXT
        has_next = True
        found.append(Line(step, state, usual_by, is_behind=is_open and usual_by < now))
    return tuple(found)


def next_step(found: Sequence[Line]) -> Line | None:
    return next((line for line in found if line.state is StepState.NEXT), None)
