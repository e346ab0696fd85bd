"""For how long a case is kept, after the contract's schedule, and why one stays longer. Pure: plain
facts and a day in, a verdict out. Called by desk/rights/retention.py.

Of several rules the longest holds. Nothing here erases, and a verdict is a proposal: two people
look at it first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from helpline.rules.clocks import months_after
from helpline.vocabulary import StayReason

CHILDREN: Final = ("own_child", "child", "young_person")
Unit = Literal["days", "months", "years"]


@dataclass(frozen=True)
class Rule:
    """A line of the contract's schedule: for which kinds of case it is, for cases with counselling,
    or for people nobody knows. `child_until_age`: a child's is kept to that birthday."""

    code: str
    keep: int
    unit: Unit
    kinds: frozenset[str] = frozenset()
    counselling: bool = False
    anonymous: bool = False
    child_until_age: int | None = None


@dataclass(frozen=True)
class Facts:
    """What is known of a closed case. `stays`: whatever else keeps it, the strongest first."""

    kind: str
    closed_on: date
    is_anonymous: bool = False
    had_counselling: bool = False
    is_child: bool = False
    knows_birthday: bool = False
    """Somebody has written down, as a hold, until when a child's record is kept."""
    stays: Sequence[StayReason] = ()


@dataclass(frozen=True)
class Verdict:
    """`kept_until`: the last day on which it is kept by the schedule. `stays`: why it does not go
    though that day is over; None: it may."""

    rule: str
    kept_until: date
    stays: StayReason | None = None

    def is_over(self, today: date) -> bool:
        return today > self.kept_until


def kept_until(rule: Rule, start: date) -> date:
    """The last day: the same day so many years or months on, or that month's last."""
    if rule.unit == "days":
        return start + timedelta(days=rule.keep)
    return months_after(start, rule.keep * (12 if rule.unit == "years" else 1))


def closed_before(rule: Rule, today: date) -> date:
    """No case that was closed after this day can have been kept long enough by this rule. Months
    differ in length, so it is some days later than need be."""
    if rule.unit == "days":
        return today - timedelta(days=rule.keep)
    months = rule.keep * (12 if rule.unit == "years" else 1)
    return months_after(today, -months) + timedelta(days=3)


def all_over(rule: Rule, today: date) -> date:
    """Whatever began on this day or before has been kept long enough by this rule."""
    if rule.unit == "days":
        return today - timedelta(days=rule.keep + 1)
    months = rule.keep * (12 if rule.unit == "years" else 1)
    return months_after(today, -months) - timedelta(days=1)


def verdict(facts: Facts, rules: Sequence[Rule]) -> Verdict | None:
    """By which rule, until when, and why it stays; None where the contract has no rule for it:
    then nothing is proposed."""
    holding = _rules_of(facts, rules)
    if not holding:
        return None
    last, rule = max(
        ((kept_until(one, facts.closed_on), one) for one in holding), key=lambda pair: pair[0]
    )
    stays = next(iter(facts.stays), None)
    until_age = any(one.child_until_age is not None for one in holding)
    if stays is None and facts.is_child and until_age and not facts.knows_birthday:
        stays = StayReason.CHILD
    return Verdict(rule.code, last, stays)


def _rules_of(facts: Facts, rules: Sequence[Rule]) -> list[Rule]:
    by_kind = [one for one in rules if facts.kind in one.kinds]
    if facts.had_counselling:
        by_kind += [one for one in rules if one.counselling]
    nobody = [one for one in rules if one.anonymous]
    return nobody if facts.is_anonymous and nobody else by_kind
