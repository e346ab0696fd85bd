"""How spans of days make up longer ones: what a reader who has figures of many periods can add up
and take from one another.

Called by reports/sums.py with the spans of which the same thing was counted: months, quarters,
half years, years, years to date, weeks so far. Pure: it knows no figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

Span = tuple[date, date]
"""First and last day, both included."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Tiling:
    """A span, others inside it that share no day, and what they leave over, in order."""

    whole: Span
    tiles: tuple[Span, ...]
    gaps: tuple[Span, ...]


def tilings(spans: Sequence[Span]) -> tuple[Tiling, ...]:
    """Every way worth knowing in which one of the spans is made up of others: by the longest that
    fit one after the other, and by those of one length (months, quarters, half years)."""
    found: dict[Tiling, None] = {}
    for whole in spans:
        inside = [one for one in spans if one != whole and _is_inside(one, whole)]
        for some in _choices(inside):
            found[_laid(whole, some)] = None
    return tuple(found)


def _is_inside(one: Span, whole: Span) -> bool:
    return whole[0] <= one[0] and one[1] <= whole[1]


def _choices(inside: Sequence[Span]) -> Iterator[Sequence[Span]]:
    if inside:
        yield inside
    by_length: dict[int, list[Span]] = defaultdict(list)
    for one in inside:
        by_length[round(((one[1] - one[0]).days + 1) / 30.4)].append(one)
    yield from (some for some in by_length.values() if len(some) > 1)


def _laid(whole: Span, some: Sequence[Span]) -> Tiling:
    """Laid from the first day on: always the longest that fits, gaps where none begins."""
    tiles, gaps, day = [], [], whole[0]
    while day <= whole[1]:
        here = [one for one in some if one[0] == day]
        if here:
            tiles.append(max(here))
            day = tiles[-1][1] + _DAY
            continue
        ahead = min((one[0] for one in some if one[0] > day), default=whole[1] + _DAY)
        gaps.append((day, ahead - _DAY))
        day = ahead
    return Tiling(whole, tuple(tiles), tuple(gaps))
