"""Which papers somebody lacks: the rules of a contract and what was noted → what is missing, over
or over soon, in words. Called by desk/papers; pure. Whether it stops a naming is the rule's say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Stops = Literal["never", "expired", "missing"]
"""When a paper stops allocation: never; once it is over; also where there never was one."""
State = Literal["holds", "soon", "expired", "missing"]


@dataclass(frozen=True)
class Needed:
    """A paper the contract asks for. `least_level`: of safeguarding training, the lowest;
    `warn_days`: for this kind, where what is renewed often needs less notice."""

    kind: str
    name: str
    stops: Stops = "never"
    least_level: int | None = None
    warn_days: int | None = None


@dataclass(frozen=True)
class Paper:
    """A paper as it was noted; `until` is the last day on which it holds, None for ever."""

    kind: str
    first: date
    until: date | None = None
    level: int | None = None


@dataclass(frozen=True)
class Standing:
    """How one needed paper stands today. `until`: of the one that holds longest."""

    needed: Needed
    state: State
    until: date | None = None

    @property
    def stops(self) -> bool:
        """Whether it keeps somebody from being named."""
        if self.needed.stops == "missing":
            return self.state in ("expired", "missing")
        return self.needed.stops == "expired" and self.state == "expired"

    @property
    def words(self) -> str:
        """ "DBS check ran out on 3 May 2026", with a small letter where a sentence goes on."""
        name = self.needed.name
        if self.state == "missing":
            level = f" at level {self.needed.least_level}" if self.needed.least_level else ""
            return f"{name}{level}: none is on record"
        if self.until is None:
            return f"{name}: holds"
        verb = "ran out on" if self.state == "expired" else "holds until"
        return f"{name} {verb} {self.until.day} {self.until:%B %Y}"


def standings(
    needed: Iterable[Needed], papers: Sequence[Paper], today: date, warn_days: int
) -> list[Standing]:
    """Every needed paper, in the contract's order. Of several of a kind the one counts that holds
    longest; one that begins later does not hold yet; one of too low a level is none."""
    return [_standing(one, papers, today, warn_days) for one in needed]


def _standing(needed: Needed, papers: Sequence[Paper], today: date, warn_days: int) -> Standing:
    fitting = [
        paper
        for paper in papers
        if paper.kind == needed.kind
        and paper.first <= today
        and (needed.least_level is None or (paper.level or 0) >= needed.least_level)
    ]
    if not fitting:
        return Standing(needed, "missing")
    if any(paper.until is None for paper in fitting):
        return Standing(needed, "holds")
    until = max(paper.until for paper in fitting if paper.until is not None)
    if until < today:
        return Standing(needed, "expired", until)
    is_soon = until - today <= timedelta(days=needed.warn_days or warn_days)
    return Standing(needed, "soon" if is_soon else "holds", until)


def why_not(found: Iterable[Standing]) -> str:
    """The reasons, as the end of a sentence; empty where nothing stands in the way."""
    return "; ".join(one.words for one in found if one.stops)
