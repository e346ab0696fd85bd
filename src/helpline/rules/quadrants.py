"""Which quadrant a person belongs to, and who says so (A07, A10, A11): the council's list, else the
team where the team has one, else the home's postcode, else what they said, else unknown.

Pure. Called by desk/imports and desk/register. A team that covers the whole county has no quadrant,
so that its carers are counted where they live and not at its base.
"""

from dataclasses import dataclass

from helpline.rules.postcodes import Suggestion
from helpline.vocabulary import UNKNOWN, QuadrantSource


@dataclass(frozen=True)
class Quadrant:
    """`confidence` in percent, where a postcode said it."""

    code: str
    source: QuadrantSource
    confidence: int | None = None


def derive(
    *,
    listed: str | None = None,
    of_team: str | None = None,
    home: Suggestion | None = None,
    asked: str | None = None,
) -> Quadrant:
    """The first of the four that says one."""
    if listed and listed != UNKNOWN:
        return Quadrant(listed, QuadrantSource.LIST)
    if of_team:
        return Quadrant(of_team, QuadrantSource.TEAM)
    if home is not None and home.quadrant:
        return Quadrant(home.quadrant, QuadrantSource.POSTCODE, round(home.confidence * 100))
    if asked:
        return Quadrant(asked, QuadrantSource.ASKED)
    return Quadrant(UNKNOWN, QuadrantSource.UNKNOWN)


def lives_outside(home: Suggestion | None) -> bool | None:
    """Whether most homes of the postcode's district lie outside the council's area; None while no
    postcode is known. It flags, and decides nothing (D7)."""
    if home is None or (home.confidence == 0 and home.quadrant is None):
        return None
    return home.quadrant is None
