"""How often people were handed on to others or pointed to them, to whom, each quarter (A28, A71).

Called by web/pages/handed_on.py. Small numbers are protected by the contract's disclosure rule
unless exact figures are asked for; what would tell of allegations by the quarter is withheld, as in
the reports. Without exact figures a partner is named by their kind only: some are one person.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.db import as_owner
from helpline.models import Partner, metadata
from helpline.reports.protection import rounded
from helpline.reports.worlds import Worlds
from helpline.rules.disclosure import Line, hidden_cells
from helpline.rules.duties import HandOff
from helpline.rules.periods import Period, bounds
from helpline.vocabulary import LibraryKind, PartnerKind, TakenUp

REFERRAL: Final = metadata.tables["partner_referral"]
LEGAL: Final = metadata.tables["legal_hand_off"]
USE: Final = metadata.tables["library_use"]
ITEM: Final = metadata.tables["library_item"]
VERSION: Final = metadata.tables["library_version"]
HANDED, POINTED, WENT = "handed", "pointed", "went"
LEGAL_LINE, LINE_FAILED = "legal_line", "legal_line_failed"
ALLEGATIONS: Final = (PartnerKind.LADO, PartnerKind.INSURER)
"""Who is asked only when there is an allegation: never given by the quarter."""
Key = tuple[str, str, int]
"""handed, pointed or went; to whom; the place of the quarter. To whom "": all together."""


@dataclass(frozen=True)
class Figure:
    """One number; `hidden` says why there is none."""

    value: int | None
    hidden: str = ""


@dataclass(frozen=True)
class Row:
    """Everybody of one kind, quarter by quarter. `code`: a partner's kind, the contract's own code
    or a name; empty: all together."""

    group: str
    code: str
    name: str
    figures: tuple[Figure, ...]


async def rows(
    session: AsyncSession, contract: Contract, quarters: Sequence[Period], *, exact: bool
) -> list[Row]:
    """Rows in printing order: handed on, pointed to, and of these who went there, as far as known;
    each with its total first. A quarter's number stands at the place of the quarter."""
    counts: Counter[Key] = Counter()
    names: dict[str, str] = {}
    async with as_owner(session):
        for place, quarter in enumerate(quarters):
            await _handed(session, contract, quarter, place, counts, names, exact=exact)
            await _pointed(session, contract, quarter, place, counts, names)
    listed = [(HANDED, LEGAL_LINE), (HANDED, LINE_FAILED)]
    listed += sorted({key[:2] for key in counts} - set(listed))
    hidden = {} if exact else _hidden(contract, counts, listed, len(quarters))
    found = []
    for group in (HANDED, POINTED, WENT):
        codes = [code for each, code in listed if each == group]
        for code in ("", *codes) if group != WENT else ("",):
            figures = [
                _figure(contract, counts, hidden, (group, code, place), exact=exact)
                for place in range(len(quarters))
            ]
            found.append(Row(group, code, names.get(code, ""), tuple(figures)))
    return found


# --- counting ------------------------------------------------------------------------------------


async def _handed(
    session: AsyncSession,
    contract: Contract,
    quarter: Period,
    place: int,
    counts: Counter[Key],
    names: dict[str, str],
    *,
    exact: bool,
) -> None:
    since, until = bounds(quarter, contract.zone)
    legal = await session.execute(
        select(LEGAL.c.result, func.count())
        .where(LEGAL.c.contract == contract.key, LEGAL.c.at >= since, LEGAL.c.at < until)
        .group_by(LEGAL.c.result)
    )
    for result, number in legal:
        code = LINE_FAILED if result == HandOff.LINE_FAILED else LEGAL_LINE
        counts[HANDED, code, place] += number
    asked = await session.execute(
        select(REFERRAL.c.kind, REFERRAL.c.partner_id, REFERRAL.c.signpost, func.count())
        .where(
            REFERRAL.c.contract == contract.key,
            REFERRAL.c.requested_at >= since,
            REFERRAL.c.requested_at < until,
        )
        .group_by(REFERRAL.c.kind, REFERRAL.c.partner_id, REFERRAL.c.signpost)
    )
    own = {one.code: one.name for one in contract.signposts}
    for kind, partner_id, signpost, number in asked:
        is_own = signpost is not None and kind not in ALLEGATIONS
        code = f"signpost:{signpost}" if is_own else kind
        names[code] = own.get(signpost, "") if is_own else names.get(code, "")
        if exact and partner_id is not None:
            partner = await session.get(Partner, partner_id)
            code = f"partner:{partner_id}"
            names[code] = partner.name if partner else ""
        counts[HANDED, code, place] += number


async def _pointed(
    session: AsyncSession,
    contract: Contract,
    quarter: Period,
    place: int,
    counts: Counter[Key],
    names: dict[str, str],
) -> None:
    since, until = bounds(quarter, contract.zone)
    title = (
        select(VERSION.c.title)
        .where(VERSION.c.item_id == ITEM.c.id)
        .order_by((VERSION.c.language == "en").desc(), VERSION.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    given = await session.execute(
        select(ITEM.c.id, title.label("title"), USE.c.taken_up, func.count().label("number"))
        .join(ITEM, ITEM.c.id == USE.c.item_id)
        .where(
            USE.c.contract == contract.key,
            ITEM.c.kind == LibraryKind.SIGNPOST,
            USE.c.at >= since,
            USE.c.at < until,
        )
        .group_by(ITEM.c.id, USE.c.taken_up)
    )
    for row in given:
        code = f"item:{row.id}"
        names[code] = row.title or ""
        counts[POINTED, code, place] += row.number
        went = TakenUp.YES if row.taken_up == TakenUp.YES else TakenUp.NOT_ASKED
        counts[WENT, went, place] += row.number


# --- protecting ----------------------------------------------------------------------------------


def _hidden(
    contract: Contract, counts: Counter[Key], listed: Sequence[tuple[str, str]], quarters: int
) -> dict[Hashable, str]:
    rule = contract.disclosure
    cells: dict[Hashable, int] = {}
    lines, tables = [], []
    for place in range(quarters):
        for total, parts in _sums(listed, place):
            cells |= {key: counts[key] for key in parts}
            cells[total] = sum(counts[key] for key in parts)
            lines.append(Line(total, tuple(parts)))
            tables.append(tuple(parts))
    return hidden_cells(
        cells,
        lines,
        tables,
        threshold=rule.threshold,
        proof=Worlds,
        secondary=rule.secondary,
        withheld=[
            (HANDED, code, place)
            for code in ALLEGATIONS
            for place in range(quarters)
            if counts[HANDED, code, place]
        ],
    )


def _sums(listed: Sequence[tuple[str, str]], place: int) -> Iterator[tuple[Key, list[Key]]]:
    """The sums a reader can write down for one quarter. Whoever did not go, or was not asked, is
    not printed but is what is left, so it stands in its sum."""
    for group in (HANDED, POINTED):
        yield (
            (group, "", place),
            [(group, code, place) for each, code in listed if each == group],
        )
    yield (
        (POINTED, "", place),
        [(WENT, TakenUp.YES, place), (WENT, TakenUp.NOT_ASKED, place)],
    )


def _figure(
    contract: Contract,
    counts: Counter[Key],
    hidden: dict[Hashable, str],
    key: Key,
    *,
    exact: bool,
) -> Figure:
    group, code, place = key
    if group == WENT:
        key = (WENT, TakenUp.YES, place)
        number = counts[key]
    elif code:
        number = counts[key]
    else:
        number = sum(n for each, n in counts.items() if each[0] == group and each[2] == place)
    if exact:
        return Figure(number)
    why = hidden.get(key, "")
    return Figure(None, why) if why else Figure(rounded(number, contract.disclosure.round_to))
