"""The board of a lead: every case that waits for somebody to be named, with who could be.

Read by web/pages/allocate; the facts come from here, the ranking from rules/allocation. Nothing is
named here. A case its reader must not work on is not on their board.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row, Select, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.parts import Worded
from helpline.desk import allocation, conflicts, covers, lists, papers, rota, seeing
from helpline.models import metadata
from helpline.rules import allocation as rules
from helpline.rules.permissions import Actor
from helpline.vocabulary import (
    CASEWORKERS,
    UNKNOWN,
    CaseStatus,
    ContactKind,
    Urgency,
)

ABSENCE = metadata.tables["absence"]
ALLOCATION = metadata.tables["allocation"]
CASE = metadata.tables["case"]
CONFLICT = metadata.tables["conflict"]
CONTACT = metadata.tables["contact"]
COVER = metadata.tables["cover"]
PERSON = metadata.tables["person"]
SKILL = metadata.tables["user_skill"]
USER = metadata.tables["user"]

OneWorded = TypeVar("OneWorded", bound=Worded)
MOST = 50
"""Cases on one board: more than that is not looked at one by one."""
SHOWN = 3
AHEAD = timedelta(days=30)
"""So far ahead an absence may be said on the list."""


class Why(StrEnum):
    """Why a case stands on the board; of several the first."""

    CONFLICT = "conflict"  # its worker must not work on it
    LEFT = "left"
    AWAY = "away"  # nobody stands in for its worker
    DECLINED = "declined"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Named:
    """A proposal with the name people know."""

    worker_id: int
    name: str
    why: str


@dataclass(frozen=True)
class Waiting:
    """One line of the board. `others`: everybody else who may be named, by name, with a word on
    those who are away."""

    id: int
    reference: str
    contract: str
    name: str | None
    urgency: str
    reason: str
    quadrant: str
    language: str
    due_at: datetime | None
    why: Why
    worker_id: int | None
    worker: str | None
    until: datetime | None
    declined_by: str | None
    declined_why: str | None
    proposals: Sequence[Named]
    others: Sequence[tuple[int, str]]

    @property
    def is_cover(self) -> bool:
        """Whether naming somebody is for the time of an absence only."""
        return self.why is Why.AWAY


@dataclass(frozen=True)
class Board:
    """`total`: how many wait, of which `rows` are the first; `kept_back`: how many of those the
    reader must not see."""

    rows: Sequence[Waiting]
    total: int
    kept_back: int
    stopped: Sequence[tuple[str, str]] = ()
    """Who may not be named because of their papers, and why."""


@dataclass(frozen=True)
class _Staff:
    """Everybody who can be named: as the rules see them, by what name, on which contract."""

    workers: Mapping[int, rules.Worker]
    names: Mapping[int, str]
    bound: Mapping[int, str | None]
    stopped: Mapping[str, Mapping[int, str]]
    """Contract → who may not be named there → why: their papers."""

    def not_on(self, contract: str) -> frozenset[int]:
        """Who does not work on it, or may not be named on it now."""
        elsewhere = {i for i, key in self.bound.items() if key not in (None, contract)}
        return frozenset(elsewhere | set(self.stopped[contract]))


async def board(
    session: AsyncSession, contracts: Mapping[str, Contract], by: Actor, now: datetime
) -> Board:
    """What waits in these contracts, the most urgent first, then what is due first."""
    away = await _away_now(session, now)
    covered = await _covered(session, away, now)
    across = await seeing.workers_across(session)
    waits = _waiting(contracts, away, covered, across)
    found = list(await session.execute(waits.limit(MOST)))
    total = (await session.execute(select(func.count()).select_from(waits.subquery()))).scalar_one()
    shut_out = await conflicts.of_cases(session, [row.id for row in found])
    shown = [row for row in found if by.user_id not in shut_out.get(row.id, ())]
    faces = await lists.faces_of(session, [row.id for row in shown], now)
    due = {row.id: _due(faces.get(row.id, {}), row.next_due_at) for row in shown}
    shown.sort(key=lambda row: rules.waiting_order(Urgency(row.urgency), due[row.id], row.id))
    declined = await allocation.declined(session, [row.id for row in shown])
    staff = await _staff(session, contracts, now)
    matters = [
        _matter(row, contracts[row.contract], shut_out.get(row.id, frozenset()), declined, staff)
        for row in shown
    ]
    zone = next(iter(contracts.values())).zone if contracts else "UTC"
    ranked = rules.plan(matters, staff.workers.values(), await _ties(session, shown), now, zone)
    rows = [
        _line(row, matter, ranked[row.id], staff, away, shut_out, declined, due[row.id])
        for row, matter in zip(shown, matters, strict=True)
    ]
    stopped = {staff.names[i]: why for by_id in staff.stopped.values() for i, why in by_id.items()}
    return Board(rows, int(total), len(found) - len(shown), sorted(stopped.items()))


def _waiting(
    contracts: Mapping[str, Contract],
    away: Mapping[int, datetime],
    covered: Collection[int],
    across: Collection[int],
) -> Select[Any]:
    in_conflict = exists().where(
        CONFLICT.c.case_id == CASE.c.id,
        CONFLICT.c.user_id == CASE.c.worker_id,
        CONFLICT.c.ended_at.is_(None),
    )
    was_declined = exists().where(
        ALLOCATION.c.case_id == CASE.c.id,
        ALLOCATION.c.declined_at.is_not(None),
        ALLOCATION.c.ended_at.is_(None),
    )
    urgency = case({one.value: one.rank for one in Urgency}, value=CASE.c.urgency, else_=0)
    return (
        select(
            CASE.c.id,
            CASE.c.reference,
            CASE.c.contract,
            CASE.c.person_id,
            CASE.c.urgency,
            CASE.c.reason,
            CASE.c.quadrant,
            CASE.c.worker_id,
            CASE.c.next_due_at,
            PERSON.c.name,
            PERSON.c.language,
            PERSON.c.household_index,
            USER.c.shown_name.label("worker"),
            USER.c.left_at,
            in_conflict.label("in_conflict"),
            was_declined.label("was_declined"),
        )
        .join(PERSON, PERSON.c.id == CASE.c.person_id)
        .outerjoin(USER, USER.c.id == CASE.c.worker_id)
        .where(
            CASE.c.status == CaseStatus.OPEN,
            CASE.c.contract.in_(list(contracts)),
            or_(
                CASE.c.worker_id.is_(None),
                USER.c.left_at.is_not(None),
                and_(CASE.c.worker_id.in_(list(away)), CASE.c.id.not_in(list(covered))),
                in_conflict,
                CASE.c.id.in_(list(across)),
                was_declined,
            ),
        )
        .order_by(urgency.desc(), CASE.c.opened_at, CASE.c.id)
    )


def _due(faces: Mapping[str, lists.Face], next_due_at: datetime | None) -> datetime | None:
    """When a worker must be named; once that is done, when the next promise is due."""
    face = faces.get("allocation")
    return face.due_at if face is not None and face.is_running else next_due_at


def _line(
    row: Row[Any],
    matter: rules.Matter,
    ranked: Sequence[rules.Proposal],
    staff: _Staff,
    away: Mapping[int, datetime],
    shut_out: Mapping[int, frozenset[int]],
    declined: Mapping[int, Sequence[Row[Any]]],
    due_at: datetime | None,
) -> Waiting:
    first = [Named(one.worker_id, staff.names[one.worker_id], one.why) for one in ranked[:SHOWN]]
    last = next((no for no in reversed(declined.get(row.id, ())) if no.is_open), None)
    shown = {one.worker_id for one in first} | matter.shut_out | {row.worker_id}
    why = _why(row, away, shut_out.get(row.id, frozenset()))
    others = [
        (user_id, name)
        for user_id, name in sorted(staff.names.items(), key=lambda one: one[1].lower())
        if user_id not in shown and staff.workers[user_id].away_until is None
    ]
    return Waiting(
        id=row.id,
        reference=row.reference,
        contract=row.contract,
        name=row.name,
        urgency=row.urgency,
        reason=row.reason,
        quadrant=row.quadrant,
        language=row.language,
        due_at=due_at,
        why=why,
        worker_id=row.worker_id,
        worker=row.worker,
        until=away.get(row.worker_id) if row.worker_id else None,
        declined_by=last.who if last else None,
        declined_why=last.why if last else None,
        proposals=first,
        others=others,
    )


def _why(row: Row[Any], away: Mapping[int, datetime], shut_out: frozenset[int]) -> Why:
    if row.worker_id is not None:
        if row.in_conflict or row.worker_id in shut_out:
            return Why.CONFLICT
        if row.left_at is not None:
            return Why.LEFT
        if row.worker_id in away:
            return Why.AWAY
    return Why.DECLINED if row.was_declined else Why.NOBODY


# --- the facts -----------------------------------------------------------------------------------


async def _away_now(session: AsyncSession, now: datetime) -> dict[int, datetime]:
    """Everybody who is away now → until when."""
    rows = await session.execute(
        select(ABSENCE.c.user_id, func.max(ABSENCE.c.ends_at))
        .where(
            ABSENCE.c.taken_back_at.is_(None), ABSENCE.c.starts_at <= now, ABSENCE.c.ends_at > now
        )
        .group_by(ABSENCE.c.user_id)
    )
    return {row[0]: row[1] for row in rows}


async def _covered(session: AsyncSession, away: Mapping[int, datetime], now: datetime) -> set[int]:
    """The cases somebody stands in on who is here, still works here and may work on it."""
    if not away:
        return set()
    rows = await session.execute(
        select(COVER.c.case_id)
        .where(COVER.c.for_id.in_(list(away)), COVER.c.ended_at.is_(None))
        .distinct()
    )
    held = await covers.of_cases(session, list(rows.scalars()), now)
    shut_out = await conflicts.of_cases(session, list(held))
    left = set(
        (
            await session.execute(
                select(USER.c.id).where(
                    USER.c.id.in_([one.worker_id for one in held.values()]),
                    USER.c.left_at.is_not(None),
                )
            )
        ).scalars()
    )
    return {
        case_id
        for case_id, one in held.items()
        if one.worker_id not in away
        and one.worker_id not in left
        and one.worker_id not in shut_out.get(case_id, ())
    }


async def _staff(session: AsyncSession, contracts: Mapping[str, Contract], now: datetime) -> _Staff:
    users = list(
        await session.execute(
            select(USER.c.id, USER.c.shown_name, USER.c.contract).where(
                USER.c.role.in_(CASEWORKERS),
                USER.c.left_at.is_(None),
                or_(USER.c.contract.is_(None), USER.c.contract.in_(list(contracts))),
            )
        )
    )
    ids = [user.id for user in users]
    loads = await _loads(session, now)
    aways = await rota.aways(session, ids, now - rules.JUST_BACK, now + AHEAD)
    on_call = {user.id for key in contracts for user in await rota.on_call(session, key, now)}
    words: dict[int, set[str]] = {}
    for user_id, word in await session.execute(
        select(SKILL.c.user_id, SKILL.c.word).where(SKILL.c.user_id.in_(ids))
    ):
        words.setdefault(user_id, set()).add(word)
    workers = {}
    for user_id in ids:
        own = [one for one in aways if one.user_id == user_id]
        load, number = loads.get(user_id, (0, 0))
        workers[user_id] = rules.Worker(
            id=user_id,
            load=load,
            open_cases=number,
            words=frozenset(words.get(user_id, ())),
            is_on_call=user_id in on_call,
            away_until=max(
                (one.ends_at for one in own if one.starts_at <= now < one.ends_at), default=None
            ),
            leaves_at=min((one.starts_at for one in own if one.starts_at > now), default=None),
            back_since=max((one.ends_at for one in own if one.ends_at <= now), default=None),
        )
    return _Staff(
        workers,
        {user.id: user.shown_name for user in users},
        {user.id: user.contract for user in users},
        {key: await papers.stopped(session, one, ids, now) for key, one in contracts.items()},
    )


async def _loads(session: AsyncSession, now: datetime) -> dict[int, tuple[int, int]]:
    """User → the weight and the number of their open cases, with those they stand in on."""
    own = select(CASE.c.worker_id, CASE.c.urgency, func.count()).where(
        CASE.c.status == CaseStatus.OPEN, CASE.c.worker_id.is_not(None)
    )
    stood_in = (
        select(COVER.c.worker_id, CASE.c.urgency, func.count())
        .select_from(
            COVER.join(CASE, CASE.c.id == COVER.c.case_id).join(
                ABSENCE, ABSENCE.c.id == COVER.c.absence_id
            )
        )
        .where(CASE.c.status == CaseStatus.OPEN, *covers.in_force(now))
    )
    found: dict[int, tuple[int, int]] = {}
    counted = [
        *await session.execute(own.group_by(CASE.c.worker_id, CASE.c.urgency)),
        *await session.execute(stood_in.group_by(COVER.c.worker_id, CASE.c.urgency)),
    ]
    for user_id, urgency, number in counted:
        load, cases = found.get(user_id, (0, 0))
        weight = rules.WEIGHT[Urgency(urgency)]
        found[user_id] = load + weight * number, cases + number
    return found


async def _ties(session: AsyncSession, rows: Sequence[Row[Any]]) -> dict[int, dict[int, rules.Tie]]:
    """Case → worker → what they had to do with its person, or with somebody of that household."""
    people = {row.person_id for row in rows}
    homes = {row.household_index for row in rows} - {None}
    spoke = await _spoke_with(session, people)
    theirs: dict[int, set[int]] = {}
    for person_id, worker_id in await session.execute(
        select(CASE.c.person_id, CASE.c.worker_id)
        .where(CASE.c.person_id.in_(people), CASE.c.worker_id.is_not(None))
        .distinct()
    ):
        theirs.setdefault(person_id, set()).add(worker_id)
    homely: dict[str, set[int]] = {}
    for home, worker_id in await session.execute(
        select(PERSON.c.household_index, CASE.c.worker_id)
        .join(CASE, CASE.c.person_id == PERSON.c.id)
        .where(PERSON.c.household_index.in_(homes), CASE.c.worker_id.is_not(None))
        .distinct()
    ):
        homely.setdefault(home, set()).add(worker_id)
    found = {}
    for row in rows:
        spoken, had = spoke.get(row.person_id, {}), theirs.get(row.person_id, set())
        home = homely.get(row.household_index, set())
        found[row.id] = {
            user_id: rules.Tie(spoken.get(user_id), user_id in had, user_id in home)
            for user_id in {*spoken, *had, *home}
        }
    return found


async def _spoke_with(
    session: AsyncSession, people: Collection[int]
) -> dict[int, dict[int, datetime]]:
    """Person → worker → when they last wrote to each other or spoke on the telephone."""
    spoke = or_(CONTACT.c.kind == ContactKind.MESSAGE, CONTACT.c.call_result == "spoke")
    found: dict[int, dict[int, datetime]] = {}
    for person_id, user_id, at in await session.execute(
        select(CONTACT.c.person_id, CONTACT.c.by_user_id, func.max(CONTACT.c.at))
        .where(CONTACT.c.person_id.in_(people), CONTACT.c.by_user_id.is_not(None), spoke)
        .group_by(CONTACT.c.person_id, CONTACT.c.by_user_id)
    ):
        found.setdefault(person_id, {})[user_id] = at
    return found


def _matter(
    row: Row[Any],
    contract: Contract,
    shut_out: frozenset[int],
    declined: Mapping[int, Sequence[Row[Any]]],
    staff: _Staff,
) -> rules.Matter:
    topic = _found(contract.reasons, row.reason)
    place = _found(contract.quadrants, row.quadrant)
    turned_down = {no.worker_id for no in declined.get(row.id, ())} | {row.worker_id}
    return rules.Matter(
        id=row.id,
        urgency=Urgency(row.urgency),
        language=row.language,
        topics=_words(topic),
        topic=topic.name.lower() if topic else "",
        places=_words(place) | {one.lower() for one in (place.districts if place else ())},
        place=place.name if place else "",
        shut_out=shut_out | staff.not_on(contract.key),
        turned_down=frozenset(turned_down - {None}),
    )


def _found(listed: Iterable[OneWorded], code: str) -> OneWorded | None:
    return next((one for one in listed if one.code == code and code != UNKNOWN), None)


def _words(one: Worded | None) -> frozenset[str]:
    """The words by which people know it, in small letters."""
    if one is None:
        return frozenset()
    return frozenset(word.lower() for word in (one.code, one.name, *one.synonyms))
