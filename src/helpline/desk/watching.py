"""Noticing unusual reading: what each person read and looked for in the last hour, against their
own days and everybody's. What is found is a line and an alert, once a person, kind and day.

The alert goes to the safeguarding lead and the leads, never by its own to whoever it is about; it
says nothing but that there is something to look at. Called by engine/auditing every few minutes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import escalation, events, turns
from helpline.desk.seeing import TAKES_NO_SIDE
from helpline.errors import InvalidInput, NotFound
from helpline.models import Turn, UnusualReading, User, metadata
from helpline.rules import reading
from helpline.rules.permissions import Actor, require
from helpline.rules.reading import Hour, Kind, Limits
from helpline.vocabulary import AlertKind, Role

REFERENCE: Final = "READING"
"""What a telephone shows instead of a case."""
LOOP: Final = "watching"
EVERY: Final = timedelta(minutes=5)
AN_HOUR: Final = timedelta(hours=1)
HABIT: Final = timedelta(days=28)
ON_CALL_LATELY: Final = timedelta(hours=2)
"""Whoever's shift ended so lately still finishes what came in it."""
NEWEST: Final = 50_000
"""Events among which an hour's are looked for: more than any hour has had."""
LOOKED = ("case.read", "attachment.read", "record.taken")
EVENT: Final = metadata.tables["event"]
CASE: Final = metadata.tables["case"]
ALLOCATION: Final = metadata.tables["allocation"]
COVER: Final = metadata.tables["cover"]
SHIFT: Final = metadata.tables["shift"]
USER: Final = metadata.tables["user"]
FOUND: Final = metadata.tables["unusual_reading"]


@dataclass
class _Did:
    """What one person did in the hour: contract → cases, and how many searches."""

    cases: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    searches: int = 0


async def is_due(session: AsyncSession, now: datetime) -> bool:
    last = await session.scalar(select(col(Turn.at)).where(col(Turn.loop) == LOOP))
    return last is None or now - last >= EVERY or now < last


async def look(
    session: AsyncSession, contracts: Mapping[str, Contract], now: datetime
) -> list[UnusualReading]:
    """What is unusual now and was not told of today yet; each is stored and an alert raised."""
    turn = await turns.take(session, LOOP, now)
    if turn is None:
        return []
    turn.at = now
    told = []
    for user_id, did in (await _last_hour(session, now)).items():
        user = await session.get(User, user_id)
        for contract in _theirs(contracts, user, did) if user is not None else ():
            hour = await _hour(session, contract, user_id, did, now)
            limits = limits_of(contract)
            usual = 0
            if reading.suspects(hour, limits):
                usual = await _usual(session, user_id, now)
            for kind, count in reading.unusual(hour, usual, limits, now, contract.zone):
                if found := await _tell(session, contract, user_id, kind, count, usual, now):
                    told.append(found)
    return told


def limits_of(contract: Contract) -> Limits:
    return Limits(**contract.reading.model_dump())


def _theirs(contracts: Mapping[str, Contract], user: User | None, did: _Did) -> Iterable[Contract]:
    """The contracts in which they read; who only looked for somebody: their own, or the first."""
    keys = [key for key in did.cases if key in contracts]
    if not keys and user is not None:
        own = user.contract or ""
        keys = [own if own in contracts else min(contracts)]
    return [contracts[key] for key in keys]


async def _last_hour(session: AsyncSession, now: datetime) -> dict[int, _Did]:
    newest = await session.scalar(select(func.max(EVENT.c.id))) or 0
    rows = await session.execute(
        select(EVENT.c.by_user_id, EVENT.c.kind, EVENT.c.contract, EVENT.c.case_id).where(
            EVENT.c.id > newest - NEWEST,
            EVENT.c.at > now - AN_HOUR,
            EVENT.c.by_user_id.is_not(None),
            EVENT.c.kind.in_((*LOOKED, "search.made")),
        )
    )
    found: dict[int, _Did] = defaultdict(_Did)
    for row in rows:
        if row.kind == "search.made":
            found[row.by_user_id].searches += 1
        elif row.case_id is not None:
            found[row.by_user_id].cases[row.contract].add(row.case_id)
    return found


async def _hour(
    session: AsyncSession, contract: Contract, user_id: int, did: _Did, now: datetime
) -> Hour:
    cases = did.cases.get(contract.key, set())
    limits = limits_of(contract)
    is_night = reading.is_night(now, contract.zone, limits)
    strange = 0
    if is_night and len(cases) >= limits.at_night:
        strange = len(cases - await _have_a_part(session, user_id, cases))
    return Hour(
        cases=len(cases),
        strange=strange,
        searches=did.searches,
        is_on_call=is_night and await _on_call(session, user_id, now),
    )


async def _have_a_part(session: AsyncSession, user_id: int, cases: set[int]) -> set[int]:
    """Those of the cases that are or were theirs, or on which they have done anything."""
    own = (
        select(CASE.c.id).where(CASE.c.id.in_(cases), CASE.c.worker_id == user_id),
        select(ALLOCATION.c.case_id).where(
            ALLOCATION.c.case_id.in_(cases), ALLOCATION.c.worker_id == user_id
        ),
        select(COVER.c.case_id).where(COVER.c.case_id.in_(cases), COVER.c.worker_id == user_id),
        select(EVENT.c.case_id).where(
            EVENT.c.case_id.in_(cases),
            EVENT.c.by_user_id == user_id,
            or_(EVENT.c.kind.not_in(TAKES_NO_SIDE), EVENT.c.kind == "alert.acknowledged"),
        ),
    )
    found: set[int] = set()
    for query in own:
        found |= set(await session.scalars(query))
    return found


async def _on_call(session: AsyncSession, user_id: int, now: datetime) -> bool:
    stands = select(SHIFT.c.id).where(
        SHIFT.c.user_id == user_id,
        SHIFT.c.starts_at <= now,
        SHIFT.c.ends_at > now - ON_CALL_LATELY,
    )
    return await session.scalar(stands.limit(1)) is not None


async def _usual(session: AsyncSession, user_id: int, now: datetime) -> int:
    """What is usual, from four weeks before today. Asked only when an hour stands out."""
    today = now.astimezone(ZoneInfo("UTC")).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = await session.stream(
        select(EVENT.c.by_user_id, EVENT.c.at, EVENT.c.case_id)
        .where(EVENT.c.kind == "case.read", EVENT.c.at > now - HABIT, EVENT.c.at < today)
        .order_by(EVENT.c.id)
    )
    hours: dict[tuple[int, datetime], set[int]] = defaultdict(set)
    async for by, at, case_id in rows:
        hours[by, at.replace(minute=0, second=0, microsecond=0)].add(case_id)
    days: dict[int, dict[Any, int]] = defaultdict(dict)
    for (by, hour), cases in hours.items():
        days[by][hour.date()] = max(days[by].get(hour.date(), 0), len(cases))
    others = [list(one.values()) for by, one in days.items() if by != user_id]
    return reading.usual(list(days[user_id].values()), others)


async def _tell(
    session: AsyncSession,
    contract: Contract,
    user_id: int,
    kind: Kind,
    count: int,
    usual: int,
    now: datetime,
) -> UnusualReading | None:
    """Once a person, kind and day; None when it was told of."""
    day = now.astimezone(ZoneInfo(contract.zone)).date().isoformat()
    values = {
        "contract": contract.key,
        "user_id": user_id,
        "kind": kind,
        "day": day,
        "from_at": now - AN_HOUR,
        "count": count,
        "usual": usual,
        "at": now,
    }
    added = insert_for(session, FOUND).values(values).on_conflict_do_nothing()
    row_id = (await session.execute(added.returning(FOUND.c.id))).scalar_one_or_none()
    if row_id is None:
        return None
    role = await session.scalar(select(USER.c.role).where(USER.c.id == user_id))
    rungs = [(Role.SAFEGUARDING, "safeguarding"), (Role.LEAD, "lead")]
    cause = escalation.Cause(
        AlertKind.UPKEEP,
        key_of(row_id),
        REFERENCE,
        rungs=tuple(rung for of_role, rung in rungs if of_role != role),
    )
    await escalation.raise_alert(session, contract, cause, now)
    await events.record(
        session,
        "reading.unusual",
        now,
        contract=contract.key,
        user=user_id,
        kind=kind.value,
        count=count,
        usual=usual,
    )
    return await session.get(UnusualReading, row_id)


def key_of(row_id: int) -> str:
    """Of its alert."""
    return f"reading:{row_id}"


async def listed(
    session: AsyncSession, actor: Actor, most: int = 50
) -> list[tuple[UnusualReading, str]]:
    """What was noticed, what nobody has looked at first, with whose reading it was: for those who
    look at it, and never one's own."""
    require(actor, "audit.read")
    within = () if actor.contract is None else (col(UnusualReading.contract) == actor.contract,)
    rows = await session.execute(
        select(UnusualReading, col(User.shown_name))
        .join(User, col(User.id) == col(UnusualReading.user_id))
        .where(col(UnusualReading.user_id) != actor.user_id, *within)
        .order_by(col(UnusualReading.looked_at).is_not(None), col(UnusualReading.id).desc())
        .limit(most)
    )
    return [(row[0], row[1]) for row in rows]


async def settle(session: AsyncSession, row_id: int, why: str, by: Actor, now: datetime) -> None:
    """Somebody looked into it and says what it was. NotFound for one's own."""
    found = await session.get(UnusualReading, row_id)
    if found is None or found.user_id == by.user_id:
        raise NotFound("There is no such line, or it is not yours to settle.")
    require(by, "reading.settle", found.contract)
    if not why.strip():
        raise InvalidInput("Say what it was: “covered for a colleague”, or what you did about it.")
    await session.execute(
        update(UnusualReading)
        .where(col(UnusualReading.id) == row_id)
        .values(looked_at=now, looked_by_id=by.user_id, looked_why=why.strip()[:2000])
    )
    await escalation.end(session, key_of(row_id), now)
    await events.record(
        session, "reading.settled", now, contract=found.contract, by=by.user_id, line=row_id
    )
