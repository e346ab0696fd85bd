"""Opening a case in an emergency although it is shut: because of a wall, or because it is kept to
certain people.

For an hour, for reading it, writing to the person, ringing them and noting what was done. Never
one's own case, never one that somebody is in conflict with, never for those who pay. The
safeguarding lead and the lead hear of it at once, it stays on the case for good, and somebody else
looks at whether it was right. Called by web/pages/breaking.py and, for what holds now, by web/auth.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import escalation, events, seeing
from helpline.desk.holding import hold_hand
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Address, BrokenGlass, Case, metadata
from helpline.rules.permissions import Actor, may, require
from helpline.sealing import ring
from helpline.vocabulary import AlertKind

CASE, GLASS, USER = (metadata.tables[name] for name in ("case", "broken_glass", "user"))
LASTS: Final = timedelta(hours=1)
LONGEST_WHY: Final = 500
SHORTEST_WHY: Final = 15
"""Characters: "999" says nothing to whoever looks at it later."""
RUNGS: Final = ("safeguarding", "lead")
"""Each is asked first by an alert of its own, and both go on with the other."""
NOT_THERE: Final = (
    "There is no such case, or it cannot be opened this way. If somebody is in danger, ring 999; "
    "whoever is on call can reach the people of this case."
)


async def open_in_emergency(
    session: AsyncSession,
    contracts: Collection[Contract],
    asked: str,
    number: str | None,
    why: str,
    by: Actor,
    now: datetime,
) -> Case:
    """The case, open to `by` from now on for an hour. `asked` is its reference; `number` the
    telephone number in it as E.164, where it is one: then it is that person's open case.
    NotFound, with the same words, for what is not there and for what this opens to nobody."""
    require(by, "glass.break")
    missing = "Say in a sentence what the emergency is: somebody else will read it."
    said = in_a_line(why, LONGEST_WHY, missing)
    if len(said) < SHORTEST_WHY:
        raise InvalidInput(missing)
    await hold_hand(session, by)
    case = await _behind_glass(session, asked, number, by)
    contract = next((one for one in contracts if case and one.key == case.contract), None)
    if case is None or contract is None:
        raise NotFound(NOT_THERE)
    shut = await _shut_by(session, case, by)
    if not shut or case.id in await open_for(session, by.user_id, now):
        return case  # theirs to see anyhow, or the button was pressed twice
    broken = BrokenGlass(
        contract=case.contract,
        case_id=case.id or 0,
        user_id=by.user_id,
        shut_by=",".join(shut),
        why=said,
        at=now,
        until=now + LASTS,
    )
    session.add(broken)
    await session.flush()
    await events.on_case(session, "glass.broken", case, now, by, glass=broken.id, shut_by=shut)
    await _tell(session, contract, case, broken, now)
    return case


async def open_for(session: AsyncSession, user_id: int, now: datetime) -> frozenset[int]:
    """Ids of the cases that this user has open in an emergency: what an Actor carries."""
    held = select(GLASS.c.case_id).where(GLASS.c.user_id == user_id, GLASS.c.until > now)
    return frozenset((await session.execute(held)).scalars())


async def to_review(
    session: AsyncSession, contracts: Sequence[str], by: Actor, limit: int = 200
) -> Sequence[Row[Any]]:
    """What was opened in these contracts, what nobody has looked at first, then the newest; only
    of cases that whoever looks may see, and never what they opened themself."""
    return await _listed(
        session,
        (
            GLASS.c.contract.in_(contracts),
            GLASS.c.user_id != by.user_id,
            *seeing.cases(by, CASE, action="glass.review"),
        ),
        limit,
    )


async def on_case(session: AsyncSession, case: Case) -> Sequence[Row[Any]]:
    """Every time that this case was opened in an emergency, for good."""
    return await _listed(session, (GLASS.c.case_id == case.id,), 50)


async def review(
    session: AsyncSession, broken_id: int, was_right: str, words: str, by: Actor, now: datetime
) -> None:
    """Somebody else says whether it was right ("yes" or "no"), in words where it was not."""
    found = await session.execute(
        select(BrokenGlass)
        .join(Case, col(Case.id) == col(BrokenGlass.case_id))
        .where(
            col(BrokenGlass.id) == broken_id,
            *seeing.cases(by, CASE, action="glass.review"),
        )
        .with_for_update(of=BrokenGlass)
    )
    broken = found.scalar_one_or_none()
    if broken is None:
        raise NotFound("There is nothing of that number to look at.")
    require(by, "glass.review", broken.contract)
    if broken.user_id == by.user_id:
        raise Conflict("Somebody else looks at what you opened yourself.")
    if broken.reviewed_at is not None:
        raise Conflict("Somebody has already looked at this.")
    if was_right not in ("yes", "no"):
        raise InvalidInput("Choose whether it was right.")
    missing = "" if was_right == "yes" else "Say what was not right, and what follows from it."
    broken.review = in_a_line(words, LONGEST_WHY, missing) or None
    broken.was_right = was_right == "yes"
    broken.reviewed_at, broken.reviewed_by_id = now, by.user_id
    await session.flush()
    for rung in RUNGS:
        await escalation.end(session, escalation.glass_key(broken_id, broken.user_id, rung), now)
    await events.record(
        session,
        "glass.reviewed",
        now,
        contract=broken.contract,
        case_id=broken.case_id,
        by=by.user_id,
        glass=broken_id,
        was_right=broken.was_right,
    )


async def waiting(session: AsyncSession, contracts: Sequence[str], by: Actor) -> int:
    """How many wait for somebody to look at them, as far as this one may."""
    if not may(by, "glass.review"):
        return 0
    return sum(row.reviewed_at is None for row in await to_review(session, contracts, by))


async def _behind_glass(
    session: AsyncSession, asked: str, number: str | None, by: Actor
) -> Case | None:
    allowed = seeing.behind_glass(by, CASE)
    reference = asked.strip().upper()[:20]
    found = await session.scalar(select(Case).where(col(Case.reference) == reference, *allowed))
    if found is not None or number is None:
        return found
    theirs = select(col(Address.person_id)).where(
        col(Address.value_index).in_(ring().indexes("address:sms", number))
    )
    newest = (col(Case.closed_at).is_(None).desc(), col(Case.id).desc())
    query = select(Case).where(col(Case.person_id).in_(theirs), *allowed).order_by(*newest)
    return await session.scalar(query.limit(1))


async def _shut_by(session: AsyncSession, case: Case, by: Actor) -> list[str]:
    """The names of what shuts the case to them; empty: nothing does."""
    return [
        holds.name.lower()
        for holds, condition in seeing.shut_by(by.user_id, CASE).items()
        if await session.scalar(select(CASE.c.id).where(CASE.c.id == case.id, condition)) is None
    ]


async def _tell(
    session: AsyncSession, contract: Contract, case: Case, broken: BrokenGlass, now: datetime
) -> None:
    causes = [
        escalation.Cause(
            AlertKind.GLASS,
            escalation.glass_key(broken.id or 0, broken.user_id, first),
            case.reference,
            case_id=case.id,
            rungs=(first, *(rung for rung in RUNGS if rung != first)),
        )
        for first in RUNGS
    ]
    await escalation.raise_alerts(session, [(contract, cause) for cause in causes], now)


async def _listed(session: AsyncSession, wanted: Collection[Any], limit: int) -> Sequence[Row[Any]]:
    looked = USER.alias("looked")
    query = (
        select(
            GLASS,
            CASE.c.reference,
            USER.c.shown_name.label("who"),
            USER.c.role,
            looked.c.shown_name.label("reviewed_by"),
        )
        .join(CASE, CASE.c.id == GLASS.c.case_id)
        .join(USER, USER.c.id == GLASS.c.user_id)
        .outerjoin(looked, looked.c.id == GLASS.c.reviewed_by_id)
        .where(*wanted)
        .order_by(GLASS.c.reviewed_at.is_not(None), GLASS.c.at.desc(), GLASS.c.id.desc())
    )
    return (await session.execute(query.limit(limit))).all()
