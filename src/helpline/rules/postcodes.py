"""A guess at somebody's quadrant from their postcode, with how sure the guess is.

Called when a carer has no team on the register. Only a suggestion: a right to the service comes
from who approved the carer, never from where they live (A11), so this must refuse nobody.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_FULL: Final = re.compile(r"([A-Z]{1,2}[0-9][0-9A-Z]?)[0-9][A-Z]{2}")
_SECTOR: Final = re.compile(r"([A-Z]{1,2}[0-9][0-9A-Z]?) [0-9]")
_OUTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?")


@dataclass(frozen=True)
class Share:
    """How many live postcodes of one postcode district lie in one area.

    At most one of `quadrant` and `excluded` (a code of the contract) is set; neither means that
    the area is outside the council's.
    """

    area: str
    postcodes: int
    quadrant: str | None = None
    excluded: str | None = None


Table = Mapping[str, tuple[Share, ...]]  # by postcode district, "CO1"; all that touch the area


@dataclass(frozen=True)
class Suggestion:
    """`confidence` is the share (0 to 1) of the district's postcodes that agree."""

    quadrant: str | None
    district: str | None  # the area in which most of the agreeing postcodes lie
    confidence: float
    excluded: str | None = None  # the exclusion's code when most postcodes lie in such an area
    outside: bool = False


UNREADABLE: Final = Suggestion(None, None, 0.0)


def outcode(postcode: str) -> str | None:
    """The postcode district of "CO1 1AA", "co11aa", "CO1 1" or "CO1"; None if it is none."""
    written = " ".join(postcode.upper().split())
    sector = _SECTOR.fullmatch(written)
    if sector:
        return sector[1]
    closed_up = written.replace(" ", "")
    full = _FULL.fullmatch(closed_up)
    if full:
        return full[1]
    return closed_up if _OUTCODE.fullmatch(closed_up) else None


def suggest_quadrant(postcode: str, table: Table) -> Suggestion:
    """The quadrant, excluded area or outside in which most of the postcode district lies.

    A district that the table does not know is outside: the table lists all that touch the area.
    """
    district = outcode(postcode)
    if district is None:
        return UNREADABLE
    shares = table.get(district)
    if not shares:
        return Suggestion(None, None, 1.0, outside=True)
    by_side: dict[tuple[str | None, str | None], int] = defaultdict(int)
    for share in shares:
        by_side[(share.quadrant, share.excluded)] += share.postcodes
    (quadrant, excluded), agreeing = max(by_side.items(), key=lambda side: side[1])
    same = [share for share in shares if (share.quadrant, share.excluded) == (quadrant, excluded)]
    return Suggestion(
        quadrant=quadrant,
        district=max(same, key=lambda share: share.postcodes).area,
        confidence=agreeing / sum(by_side.values()),
        excluded=excluded,
        outside=quadrant is None and excluded is None,
    )
