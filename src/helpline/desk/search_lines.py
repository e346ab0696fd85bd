"""Complaints and incidents by their reference, or by how it begins, for the search; and the open
cases of people who were found.

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


async def open_cases(
    session: AsyncSession, actor: Actor, person_ids: Sequence[int]
) -> dict[int, list[str]]:
    """Person → the references of their open cases that the seeker may see, the newest first."""
    rows = await session.execute(
        select(CASE.c.person_id, CASE.c.reference)
        .where(
            CASE.c.person_id.in_(person_ids),
            CASE.c.status == CaseStatus.OPEN,
            *seeing.cases(actor),
        )
        .order_by(CASE.c.opened_at.desc(), CASE.c.id.desc())
        .limit(4 * MOST)
    )
    found: dict[int, list[str]] = {}
    for person_id, reference in rows:
        found.setdefault(person_id, []).append(reference)
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
