"""Whether a figure is as good as was agreed. Pure: it knows no contract and no table.

A target is a number (of the percentage where there is one), a grade on a scale, or only words;
where none was agreed nothing is called good or bad (002 L09).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

State = Literal["good", "near", "bad", ""]


class Target(Protocol):
    """What was agreed; contract/measuring.py has the shape."""

    @property
    def at_least(self) -> float | None: ...
    @property
    def at_most(self) -> float | None: ...
    @property
    def amber(self) -> float | None: ...
    @property
    def scale(self) -> Sequence[str]: ...
    @property
    def grade(self) -> str | None: ...
    @property
    def words(self) -> str: ...


def state(
    target: Target | None, value: float | None, percent: float | None, words: str | None
) -> State:
    """good, near (not met, no worse than amber), bad; empty where there is nothing to compare."""
    if target is None:
        return ""
    if target.grade:
        return _graded(target, words)
    figure = value if percent is None else percent
    if figure is None:
        return ""
    if target.at_least is not None:
        if figure >= target.at_least:
            return "good"
        return "near" if target.amber is not None and figure >= target.amber else "bad"
    if target.at_most is not None:
        if figure <= target.at_most:
            return "good"
        return "near" if target.amber is not None and figure <= target.amber else "bad"
    return ""


def expected(target: Target | None, unit: str) -> str:
    """The target in words: "at least 95%", "Good or better", "to be agreed"."""
    if target is None:
        return ""
    if target.words:
        return target.words
    if target.grade:
        return f"{target.grade} or better"
    sign = {"percent": "%", "minutes": " minutes"}.get(unit, "")
    if target.at_least is not None:
        return f"at least {target.at_least:g}{sign}"
    return f"at most {target.at_most:g}{sign}" if target.at_most is not None else ""


def _graded(target: Target, words: str | None) -> State:
    scale = [one.casefold() for one in target.scale]
    said = (words or "").strip().casefold()
    if said not in scale or target.grade is None:
        return ""
    return "good" if scale.index(said) >= scale.index(target.grade.casefold()) else "bad"
