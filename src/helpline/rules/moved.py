"""Whether a figure of a report moved so much that somebody must say why. Pure; called by
desk/releasing with the figures of two periods."""

from __future__ import annotations

from typing import Final

OF_NOTHING: Final = 100.0
"""Percent: what was nought and is not any more."""


def moved(before: float | None, now: float | None, limit: float) -> float | None:
    """By how many percent a figure moved (up positive, down negative), where that is more than
    `limit`; None where it moved less, or where one of the two was not measured."""
    if before is None or now is None or before == now:
        return None
    change = OF_NOTHING if not before else 100 * (now - before) / abs(before)
    return round(change, 1) if abs(change) > limit else None
