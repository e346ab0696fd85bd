"""Complaints and incidents by their reference, or by how it begins, for the search; and the cases
of people who were found.

A register's lines are found by nothing else: what somebody said of a colleague is looked for there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import seeing
from helpline.models import metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import CaseStatus

CASE = metadata.tables["case"]
COMPLAINT = metadata.tables["complaint"]
INCIDENT = metadata.tables["incident"]
MOST = 25


@dataclass(frozen=True)
class LineFound:
    """A line of a register."""

    register: str
    """Of which: "complaints" or "incidents", as in its address."""
    reference: str
    since: datetime
    is_closed: bool


@dataclass(frozen=True)
class TheirCase:
    """A case of somebody who was found."""

    reference: str
    opened_at: datetime
    is_open: bool


async def cases_of(
    session: AsyncSession, actor: Actor, person_ids: Sequence[int]
) -> dict[int, list[TheirCase]]:
    """Person → their cases that the seeker may see, open ones first, the newest of each first."""
    is_open = CASE.c.status == CaseStatus.OPEN
    rows = await session.execute(
        select(CASE.c.person_id, CASE.c.reference, CASE.c.opened_at, is_open.label("is_open"))
        .where(CASE.c.person_id.in_(person_ids), *seeing.cases(actor))
        .order_by(is_open.desc(), CASE.c.opened_at.desc(), CASE.c.id.desc())
        .limit(4 * MOST)
    )
    found: dict[int, list[TheirCase]] = {}
    for row in rows:
        theirs = found.setdefault(row.person_id, [])
        theirs.append(TheirCase(row.reference, row.opened_at, bool(row.is_open)))
    return found


async def lines(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], asked: str
) -> list[LineFound]:
    """Those of these contracts that the seeker may see; the dash may be left out."""
    plain = re.fullmatch(r"([CI])-?([A-Z0-9]{2,6})", asked.upper())
    if plain is None:
        return []
    if plain[1] == "C":
        table, name, since = COMPLAINT, "complaints", "received_at"
        theirs = seeing.complaints(actor, table)
    else:
        table, name, since = INCIDENT, "incidents", "known_at"
        theirs = seeing.incidents(actor, table)
    rows = await session.execute(
        select(table.c.reference, table.c[since], table.c.closed_at)
        .where(
            table.c.contract.in_(contracts),
            table.c.reference.startswith(f"{plain[1]}-{plain[2]}", autoescape=True),
            *theirs,
        )
        .order_by(table.c.reference)
        .limit(MOST)
    )
    return [LineFound(name, reference, at, closed is not None) for reference, at, closed in rows]
