"""What the authorities that look into an allegation ask of us: information by a day, and to be at
their meetings (P05). Called by the pathway's page. We support somebody: we hand over what we hold
where we must, and investigate nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import allegations, events, tasks
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import AllegationMeeting, AllegationRequest, Case, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import MeetingKind, TaskKind

LONGEST_NAME = 120
LONGEST_WHAT = 300
LONGEST_SAID = 1000
SHORT = 120
"""Characters of a request that stand in its task; the whole of it is on the pathway."""


async def record_request(
    session: AsyncSession,
    case: Case,
    allegation_id: int,
    asked_by: str,
    what: str,
    due_at: datetime,
    by: Actor,
    now: datetime,
) -> AllegationRequest:
    """An authority asks us for something by `due_at`: a task that warns the support worker."""
    require(by, "pathway.write", case.contract)
    await allegations.find_open(session, case, allegation_id)
    who = in_a_line(asked_by, LONGEST_NAME, "Say who asks.")
    wanted = in_a_line(what, LONGEST_WHAT, "Say in a few words what they ask for.")
    short = wanted if len(wanted) <= SHORT else f"{wanted[:SHORT]}…"
    task = await tasks.give(
        session, case, TaskKind.GIVEN, f"Answer {who}: {short}", None, due_at, by, now
    )
    made = AllegationRequest(
        allegation_id=allegation_id,
        asked_by=who,
        what=wanted,
        asked_at=now,
        due_at=due_at,
        task_id=task.id,
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await events.on_case(session, "allegation.asked", case, now, by, request=made.id)
    return made


async def answer_request(
    session: AsyncSession, case: Case, request_id: int, given: str, by: Actor, now: datetime
) -> None:
    """They have it: what, and by which way. Its task is done."""
    require(by, "pathway.write", case.contract)
    found = await session.get(
        AllegationRequest, request_id, with_for_update=True, populate_existing=True
    )
    if found is None:
        raise NotFound("There is no such request on this case.")
    await allegations.find_open(session, case, found.allegation_id)
    if found.answered_at is not None:
        raise Conflict("That request is answered already.")
    said = in_a_line(given, LONGEST_SAID, "Say what they were given, and how.")
    found.answered_at, found.answered_by_id, found.given = now, by.user_id, said
    await session.flush()
    if found.task_id is not None:
        await tasks.finish(session, found.task_id, by, now)
    await events.on_case(session, "allegation.answered", case, now, by, request=request_id)


async def record_meeting(
    session: AsyncSession,
    case: Case,
    allegation_id: int,
    kind: str,
    held_at: datetime,
    we_were_there: bool,
    who: str,
    said: str,
    by: Actor,
    now: datetime,
) -> AllegationMeeting:
    """A meeting was held: who of us was there, or why nobody was."""
    require(by, "pathway.write", case.contract)
    await allegations.find_open(session, case, allegation_id)
    if kind not in list(MeetingKind):
        raise InvalidInput("Choose which meeting it was.")
    if held_at > now:
        raise InvalidInput(allegations.STILL_TO_COME)
    missing = "Say who of us was there." if we_were_there else "Say why nobody of us was there."
    made = AllegationMeeting(
        allegation_id=allegation_id,
        kind=kind,
        held_at=held_at,
        we_were_there=we_were_there,
        who=in_a_line(who, LONGEST_NAME, missing),
        said=in_a_line(said, LONGEST_SAID) or None,
        set_at=now,
        by_user_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await events.on_case(
        session, "allegation.met", case, now, by, meeting=made.id, meeting_kind=kind
    )
    return made


async def requests_of(session: AsyncSession, allegation_id: int) -> Sequence[Row[Any]]:
    """(the request, who answered it), what waits first, the sooner due before the later."""
    query = (
        select(AllegationRequest, col(User.shown_name))
        .outerjoin(User, col(User.id) == col(AllegationRequest.answered_by_id))
        .where(col(AllegationRequest.allegation_id) == allegation_id)
        .order_by(col(AllegationRequest.answered_at).is_not(None), col(AllegationRequest.due_at))
    )
    return list(await session.execute(query))


async def meetings_of(session: AsyncSession, allegation_id: int) -> Sequence[AllegationMeeting]:
    """The meetings, the newest first."""
    found = await session.scalars(
        select(AllegationMeeting)
        .where(col(AllegationMeeting.allegation_id) == allegation_id)
        .order_by(col(AllegationMeeting.held_at).desc(), col(AllegationMeeting.id).desc())
    )
    return found.all()
