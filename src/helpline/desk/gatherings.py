"""Trainings, evenings and meetings that members may come to: places, a waiting list that moves by
itself, attendance, and a reminder by each person's own safe way (A43).

The gathering's row is locked while places change, so that two workers cannot give the last one
twice. What is sent is held to safe contact when it leaves, like everything else. Pages and
engine/giving call this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, inviting, seeing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Booking, Gathering, OutMessage, Person, metadata
from helpline.rules.permissions import Actor, may, require
from helpline.templating import Wording
from helpline.vocabulary import BookingState, OutState

LONGEST = 200
STANDS = (BookingState.BOOKED, BookingState.WAITING)
PERSON = metadata.tables["person"]


@dataclass(frozen=True)
class Plan:
    """What somebody wrote into the form; instants are aware UTC."""

    title: str
    starts_at: datetime | None
    ends_at: datetime | None
    place: str = ""
    link: str = ""
    places: int | None = None
    body: str = ""
    groups: Sequence[str] = ()
    quadrant: str = ""


@dataclass(frozen=True)
class Count:
    """How many have a place, wait, came, and did not."""

    booked: int = 0
    waiting: int = 0
    attended: int = 0
    missed: int = 0


@dataclass(frozen=True)
class Guest:
    """One booking as the page shows it. `turn`: their place on the waiting list, from 1.
    `reminder`: "" none, else what became of it (an OutState)."""

    id: int
    person_id: int
    name: str
    state: str
    needs: str
    turn: int
    reminder: str


async def find(session: AsyncSession, actor: Actor, gathering_id: int) -> Gathering:
    """Locked, because whoever asks may change its places."""
    found = await session.get(Gathering, gathering_id, with_for_update=True)
    if found is None or not may(actor, "gathering.read", found.contract):
        raise NotFound("There is no such event, or it is not yours to see.")
    return found


async def write(
    session: AsyncSession,
    contract: Contract,
    plan: Plan,
    by: Actor,
    now: datetime,
    gathering: Gathering | None = None,
) -> Gathering:
    """A new one, or another time, place or number of places; free places go to who waits. Whoever
    booked is told of another time or place, once, some minutes after the last change."""
    require(by, "gathering.manage", contract.key)
    starts_at, ends_at = _check(contract, plan)
    before = None
    if gathering is not None:
        if gathering.cancelled_at is not None:
            raise InvalidInput("It was called off. Write a new event instead.")
        before = (gathering.starts_at, gathering.place, gathering.link)
    if gathering is None:
        if starts_at < now:
            raise InvalidInput("It would already have begun: give a time that is still to come.")
        gathering = Gathering(
            contract=contract.key,
            title=plan.title,
            starts_at=starts_at,
            ends_at=ends_at,
            made_at=now,
            by_user_id=by.user_id,
        )
        session.add(gathering)
    gathering.title, gathering.body = plan.title.strip(), plan.body.strip()
    gathering.starts_at, gathering.ends_at = starts_at, ends_at
    gathering.place, gathering.link = plan.place.strip(), plan.link.strip()
    gathering.places, gathering.quadrant = plan.places, plan.quadrant
    gathering.groups = ",".join(plan.groups)
    await session.flush()
    if before not in (None, (gathering.starts_at, gathering.place, gathering.link)):
        await inviting.owe_word(session, await _standing(session, gathering), now)
    await _event(session, "gathering.written", gathering, by, now)
    return gathering


async def call_off(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    gathering: Gathering,
    by: Actor,
    now: datetime,
) -> int:
    """It does not take place; whoever had a place or waited is told. Returns how many could be."""
    require(by, "gathering.manage", gathering.contract)
    if gathering.cancelled_at is not None:
        raise Conflict("It was called off already.")
    gathering.cancelled_at, gathering.cancelled_by_id = now, by.user_id
    told = 0
    standing = await _standing(session, gathering)
    unheard = {one.id for one in standing if one.word_due_at is not None}
    await inviting.take_back(session, standing, now)
    for booking in standing:
        key = "called_off_unheard" if booking.id in unheard else "called_off"
        booking.told_message_id = await inviting.tell(
            session, contract, wording, gathering, booking, key, now
        )
        told += booking.told_message_id is not None
    await session.flush()
    await _event(session, "gathering.called_off", gathering, by, now, told=told)
    return told


async def book(
    session: AsyncSession,
    gathering: Gathering,
    person: Person,
    needs: str,
    by: Actor,
    now: datetime,
    case_id: int | None = None,
) -> Booking:
    """A place, or the next turn on the waiting list where all are taken. Booking again after
    withdrawing goes to the end of the line."""
    require(by, "gathering.book", gathering.contract)
    if person.contract != gathering.contract or person.id is None:
        raise InvalidInput("This event is for the members of another contract.")
    if gathering.cancelled_at is not None or gathering.ends_at <= now:
        raise Conflict("This event is over or called off: nobody can be booked any more.")
    if gathering.groups and person.group not in gathering.groups.split(","):
        raise InvalidInput("This event is for other members: look at whom it is for.")
    if len(needs) > LONGEST:
        raise InvalidInput(f"Say what they need in at most {LONGEST} letters.")
    counted = await count(session, gathering)
    is_full = gathering.places is not None and counted.booked >= gathering.places
    state = BookingState.WAITING if is_full or counted.waiting else BookingState.BOOKED
    booking = await session.scalar(
        select(Booking).where(
            col(Booking.gathering_id) == gathering.id, col(Booking.person_id) == person.id
        )
    )
    if booking is not None and booking.state in STANDS:
        raise Conflict("They are booked already.")
    if booking is None:
        booking = Booking(
            contract=gathering.contract,
            gathering_id=gathering.id or 0,
            person_id=person.id,
            state=state,
            booked_at=now,
            by_user_id=by.user_id,
            changed_at=now,
        )
        session.add(booking)
    booking.state, booking.booked_at, booking.changed_at = state, now, now
    booking.needs, booking.case_id, booking.reminded_at = needs.strip() or None, case_id, None
    booking.word_due_at = None
    await session.flush()
    await _event(session, "booking.made", gathering, by, now, state=state)
    return booking


async def set_state(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    gathering: Gathering,
    booking_id: int,
    state: str,
    by: Actor,
    now: datetime,
) -> None:
    """They cannot come, or came, or did not. A place that comes free before it begins goes to
    whoever has waited longest, and they are told."""
    require(by, "gathering.book", gathering.contract)
    booking = await session.get(Booking, booking_id, with_for_update=True)
    whose = booking.person_id if booking is not None else None
    seen = select(PERSON.c.id).where(PERSON.c.id == whose, *seeing.people(by, PERSON))
    if (
        booking is None
        or booking.gathering_id != gathering.id
        or await session.scalar(seen) is None
    ):
        raise NotFound("There is no such booking.")
    if state not in (BookingState.WITHDRAWN, BookingState.ATTENDED, BookingState.MISSED):
        raise InvalidInput("Say whether they came, did not come, or cannot come.")
    if state != BookingState.WITHDRAWN and gathering.starts_at > now:
        raise InvalidInput("It has not begun: who came can be written down from then on.")
    booking.state, booking.changed_at = state, now
    await session.flush()
    await _event(session, "booking.changed", gathering, by, now, state=state)
    if state == BookingState.WITHDRAWN:
        await move_up(session, contract, wording, gathering, now)


async def move_up(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    gathering: Gathering,
    now: datetime,
) -> int:
    """Free places go to those who wait, in their order; each is told. Returns how many moved."""
    if gathering.cancelled_at is not None or gathering.starts_at <= now:
        return 0
    counted, moved = await count(session, gathering), 0
    free = counted.waiting if gathering.places is None else gathering.places - counted.booked
    waiting = [b for b in await _standing(session, gathering) if b.state == BookingState.WAITING]
    for booking in waiting[: max(0, free)]:
        booking.state, booking.changed_at = BookingState.BOOKED, now
        booking.word_due_at = None  # they hear time and place now
        booking.told_message_id = await inviting.tell(
            session, contract, wording, gathering, booking, "place_free", now
        )
        await session.flush()
        await _event(session, "booking.moved_up", gathering, None, now)
        moved += 1
    return moved


async def listed(
    session: AsyncSession, contracts: Sequence[str], now: datetime
) -> tuple[list[tuple[Gathering, Count]], list[tuple[Gathering, Count]]]:
    """Those to come, the next first; and the last thirty that are over or called off."""
    found = (
        await session.scalars(
            select(Gathering)
            .where(col(Gathering.contract).in_(contracts))
            .order_by(col(Gathering.starts_at))
        )
    ).all()
    counts = await _counts(session, [one.id or 0 for one in found])
    both = [(one, counts.get(one.id or 0, Count())) for one in found]
    coming = [pair for pair in both if pair[0].ends_at > now and pair[0].cancelled_at is None]
    return coming, [pair for pair in reversed(both) if pair not in coming][:30]


async def count(session: AsyncSession, gathering: Gathering) -> Count:
    return (await _counts(session, [gathering.id or 0])).get(gathering.id or 0, Count())


async def guests(
    session: AsyncSession, actor: Actor, gathering: Gathering
) -> tuple[list[Guest], int]:
    """Who is booked, in the order of booking, and how many more whom the reader must not see."""
    rows = await session.execute(
        select(Booking, Person, col(OutMessage.state))
        .join(Person, col(Person.id) == col(Booking.person_id))
        .outerjoin(OutMessage, col(OutMessage.id) == col(Booking.reminder_id))
        .where(col(Booking.gathering_id) == gathering.id, *seeing.people(actor, PERSON))
        .order_by(col(Booking.booked_at), col(Booking.id))
    )
    turns = [b.id for b in await _standing(session, gathering) if b.state == BookingState.WAITING]
    found = [
        Guest(
            id=booking.id or 0,
            person_id=booking.person_id,
            name=person.name or "",
            state=booking.state,
            needs=booking.needs or "",
            turn=turns.index(booking.id) + 1 if booking.id in turns else 0,
            reminder=_reminder(booking, state),
        )
        for booking, person, state in rows
    ]
    everybody = select(func.count()).where(col(Booking.gathering_id) == gathering.id)
    return found, (await session.scalar(everybody) or 0) - len(found)


async def of_person(session: AsyncSession, person_id: int) -> list[tuple[Booking, Gathering]]:
    """Their bookings, the latest event first."""
    rows = await session.execute(
        select(Booking, Gathering)
        .join(Gathering, col(Gathering.id) == col(Booking.gathering_id))
        .where(col(Booking.person_id) == person_id)
        .order_by(col(Gathering.starts_at).desc())
    )
    return [(booking, gathering) for booking, gathering in rows]


async def figures(
    session: AsyncSession, contract: str, start: datetime, end: datetime
) -> dict[str, int]:
    """For a report: "events" that took place from `start` to before `end`, and how many were
    "attended" and "missed" (A43)."""
    took_place = (
        col(Gathering.contract) == contract,
        col(Gathering.cancelled_at).is_(None),
        col(Gathering.starts_at) >= start,
        col(Gathering.starts_at) < end,
    )
    found = {"events": await session.scalar(select(func.count()).where(*took_place)) or 0}
    rows = await session.execute(
        select(col(Booking.state), func.count())
        .join(Gathering, col(Gathering.id) == col(Booking.gathering_id))
        .where(*took_place)
        .group_by(col(Booking.state))
    )
    by_state: dict[str, int] = dict(rows.tuples().all())
    return found | {s: by_state.get(s, 0) for s in (BookingState.ATTENDED, BookingState.MISSED)}


async def _standing(session: AsyncSession, gathering: Gathering) -> Sequence[Booking]:
    found = await session.scalars(
        select(Booking)
        .where(col(Booking.gathering_id) == gathering.id, col(Booking.state).in_(STANDS))
        .order_by(col(Booking.booked_at), col(Booking.id))
    )
    return found.all()


async def _counts(session: AsyncSession, ids: Sequence[int]) -> dict[int, Count]:
    rows = await session.execute(
        select(col(Booking.gathering_id), col(Booking.state), func.count())
        .where(col(Booking.gathering_id).in_(ids))
        .group_by(col(Booking.gathering_id), col(Booking.state))
    )
    found: dict[int, dict[str, int]] = {}
    for gathering_id, state, number in rows:
        found.setdefault(gathering_id, {})[state] = number
    return {
        one: Count(**{s: n for s, n in by.items() if s != BookingState.WITHDRAWN})
        for one, by in found.items()
    }


def _check(contract: Contract, plan: Plan) -> tuple[datetime, datetime]:
    if not plan.title.strip() or len(plan.title) > LONGEST:
        raise InvalidInput(f"Give it a title of at most {LONGEST} letters: it is sent.")
    if plan.starts_at is None or plan.ends_at is None or plan.ends_at <= plan.starts_at:
        raise InvalidInput("Give when it begins, and a later time when it ends.")
    if not plan.place.strip() and not plan.link.strip():
        raise InvalidInput("Say where it is, or give the link where it is online.")
    if plan.link.strip() and not plan.link.strip().startswith("https://"):
        raise InvalidInput("Give the link as it stands in a browser: https://…")
    if max(len(plan.place), len(plan.link)) > LONGEST or len(plan.body) > 2000:
        raise InvalidInput("Say it shorter: where in 200 letters, what in 2000.")
    if plan.places is not None and not 1 <= plan.places <= 10_000:
        raise InvalidInput("Give the number of places, from 1 on, or leave it empty.")
    if set(plan.groups) - {one.code for one in contract.groups}:
        raise InvalidInput("Choose whom it is for from the list.")
    if plan.quadrant and plan.quadrant not in {one.code for one in contract.quadrants}:
        raise InvalidInput("Choose for where it is from the list.")
    return plan.starts_at, plan.ends_at


def _reminder(booking: Booking, state: str | None) -> str:
    if booking.reminded_at is None:
        return ""
    return state or (OutState.HELD if booking.reminder_id is None else "")


async def _event(
    session: AsyncSession,
    kind: str,
    gathering: Gathering,
    by: Actor | None,
    now: datetime,
    **detail: int | str,
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=gathering.contract,
        by=by.user_id if by else None,
        gathering=gathering.id,
        **detail,  # type: ignore[arg-type]  # codes and numbers
    )
