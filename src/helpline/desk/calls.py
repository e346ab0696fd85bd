"""Telephone calls as rows: who rings, on which case, who took it, what is owed when nobody did.

Called by desk/switchboard (the hooks), intake (a kept call) and engine/lines (calls whose end was
never told). All promises run from the beginning of the call. Everything here may be said twice:
the second time changes nothing.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import CallNews, Inbound, Media
from helpline.contract import Contract
from helpline.desk import (
    blocks,
    cases,
    deadlines,
    escalation,
    events,
    people,
    promises,
    ringing,
    tasks,
)
from helpline.errors import Conflict
from helpline.models import (
    Address,
    Alert,
    Attachment,
    Call,
    Case,
    Contact,
    Deadline,
    Person,
    Task,
)
from helpline.rules import calls as tree
from helpline.sealing import ring
from helpline.vocabulary import (
    NUMBERED,
    UNKNOWN,
    AlertKind,
    AttachmentState,
    CallResult,
    CallState,
    CaseStatus,
    ClockStop,
    ContactKind,
    DeadlineState,
    Direction,
    Identity,
    PromiseKind,
    TaskKind,
    Urgency,
)

SAME_MATTER_FOR = timedelta(days=30)
"""A case closed so recently is opened again by a call; after that, a call is a new matter."""
WITHHELD = "withheld:"
"""How a sender without a number begins (bots/voice.py)."""
GONE = "gone:"
"""Before a recording's id: the provider has it no more."""
OVER = (CallState.ENDED, CallState.MISSED)


async def arrive(
    session: AsyncSession, contract: Contract, inbound: Inbound, now: datetime
) -> Call:
    """The call in `inbound` with its case and contact, made where new: by the hook or by routing,
    whichever comes first. `now` is when it began."""
    await _take_turn(session, inbound.sender)
    known = await find(session, inbound.external_id)
    if known is not None:
        return known
    address, person = await _caller(session, contract, inbound.sender, now)
    case = await _case(session, contract, person, address, now)
    contact = _contact(contract, case, Direction.IN, now)
    session.add(contact)
    case.last_in_at = max(case.last_in_at or now, now)
    await session.flush()
    call = Call(
        provider_id=inbound.external_id,
        contract=contract.key,
        direction=Direction.IN,
        address_id=address.id,
        case_id=case.id,
        contact_id=contact.id,
        begun_at=now,
    )
    session.add(call)
    await session.flush()
    await _event(session, "call.began", call, now)
    return call


async def find(session: AsyncSession, provider_id: str) -> Call | None:
    """The call the provider calls so, held for this transaction."""
    return await session.scalar(
        select(Call)
        .where(col(Call.provider_id) == provider_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def get(session: AsyncSession, call_id: int) -> Call | None:
    """The call of this id, held for this transaction."""
    return await session.get(Call, call_id, with_for_update=True, populate_existing=True)


def line_of(call: Call) -> tree.Line:
    """The call as the call tree sees it."""
    return tree.Line(
        direction=Direction(call.direction),
        state=CallState(call.state),
        in_danger=call.in_danger,
        asked=tuple(int(user) for user in call.asked.split(",") if user),
        has_message=call.recording_id is not None,
    )


async def is_blocked(session: AsyncSession, call: Call, now: datetime) -> bool:
    """Whether this caller is not to be put through, whether the block was set on their calls or on
    their messages."""
    address = await session.get(Address, call.address_id) if call.address_id else None
    if address is None or call.direction != Direction.IN:
        return False
    return await blocks.any_blocked(session, call.contract, numbers_like(address.value), now)


async def note_blocked(session: AsyncSession, call: Call, now: datetime) -> None:
    """So that a worker sees why nobody was rung."""
    await _event(session, "call.not_put_through", call, now)


async def write_down(
    session: AsyncSession, contract: Contract, call: Call, turn: tree.Turn, now: datetime
) -> None:
    """Where the call stands after `turn`, and the emergency it may have brought."""
    line = turn.line
    call.state, call.in_danger = line.state, line.in_danger
    call.asked = ",".join(str(user) for user in line.asked)
    await session.flush()
    if turn.is_emergency:
        await _raise_emergency(session, contract, call, now)


async def connect(
    session: AsyncSession, contract: Contract, call: Call, user_id: int, now: datetime
) -> None:
    """Somebody of ours and the person can hear each other: the first-response promise is kept at
    this moment, and whoever took the call has taken what was being asked about the case."""
    if call.connected_at is not None:
        return
    call.state, call.connected_at, call.user_id = CallState.CONNECTED, now, user_id
    contact, case = await _contact_of(session, call), await _case_of(session, call)
    contact.call_result, contact.by_user_id = CallResult.SPOKE, user_id
    await session.flush()
    await deadlines.meet(session, case, ClockStop.HUMAN_REPLY, now, user_id)
    await promises.keep_by(session, case, PromiseKind.CALL, user_id, now)
    await _finish_call_backs(session, case, user_id, now)
    await _event(session, "call.connected", call, now, by=user_id, direction=call.direction)


async def take_back(session: AsyncSession, contract: Contract, call: Call, now: datetime) -> None:
    """The key was pressed, and the line broke before they could speak: nothing was kept after
    all. What the moment of connection met is open again."""
    if call.connected_at is None:
        return
    contact, case = await _contact_of(session, call), await _case_of(session, call)
    await session.execute(
        update(Deadline)
        .where(
            col(Deadline.case_id) == call.case_id,
            col(Deadline.stops) == ClockStop.HUMAN_REPLY,
            col(Deadline.met_at) == call.connected_at,
            col(Deadline.met_by_id) == call.user_id,
        )
        # The next sweep sees at once what has come due meanwhile.
        .values(state=DeadlineState.OPEN, met_at=None, met_by_id=None, next_alert_at=now)
    )
    was_over = call.state in OVER
    call.state, call.connected_at, call.user_id = CallState.RINGING, None, None
    contact.call_result, contact.by_user_id, contact.call_minutes = CallResult.NO_ANSWER, None, None
    await session.flush()
    await deadlines.refresh_next_due(session, case)
    await _event(session, "call.broke", call, now)
    if was_over:
        await end(session, contract, call, CallNews(call.provider_id, seconds=call.seconds), now)


async def keep_message(
    session: AsyncSession,
    contract: Contract,
    call: Call,
    recording: str,
    media: Media,
    now: datetime,
) -> None:
    """They left a message: its sound is fetched, sealed and hung on the contact."""
    if call.recording_id is not None or call.case_id is None or call.contact_id is None:
        return
    call.recording_id = recording
    session.add(
        Attachment(
            contract=contract.key,
            case_id=call.case_id,
            contact_id=call.contact_id,
            channel="voice",
            key=media.key,
            name=media.name,
            said_type=media.content_type,
            next_try_at=now,
        )
    )
    contact = await _contact_of(session, call)
    if contact.call_result == CallResult.NO_ANSWER:
        contact.call_result = CallResult.VOICEMAIL
    await session.flush()
    await _event(session, "call.message_left", call, now)


async def end(
    session: AsyncSession, contract: Contract, call: Call, news: CallNews, now: datetime
) -> None:
    """The call is over. Where nobody spoke with the person, they are owed a call-back, whose
    promise runs from the beginning of the call."""
    if call.state in OVER:
        return
    ending = tree.end(line_of(call))
    ended_at = max(news.ended_at or now, call.connected_at or call.begun_at)
    call.state, call.ended_at = ending.state, ended_at
    call.seconds = news.seconds
    if call.seconds is None:
        call.seconds = int((ended_at - call.begun_at).total_seconds())
    if call.contact_id is not None:
        contact = await _contact_of(session, call)
        contact.call_result = ending.result
        if call.connected_at is not None:
            contact.call_minutes = _minutes(ended_at - call.connected_at)
    await session.flush()
    if call.message_id is not None:
        await ringing.note_over(session, call, now)
    await _event(
        session,
        "call.ended",
        call,
        now,
        by=call.user_id,
        result=ending.result,
        seconds=call.seconds,
    )
    if ending.owes_call_back:
        await _owe_call_back(session, contract, call, now)


async def open_calls(session: AsyncSession, before: datetime) -> list[Call]:
    """Calls that began before then and whose end nobody has told us."""
    found = await session.scalars(
        select(Call)
        .where(col(Call.state).not_in(OVER), col(Call.begun_at) <= before)
        .order_by(col(Call.id))
        .limit(50)
    )
    return list(found)


async def kept_recordings(session: AsyncSession) -> list[tuple[int, str]]:
    """Calls (by id) whose message is kept here, so that the provider need not have it any more."""
    rows = await session.execute(
        select(col(Call.id), col(Call.recording_id))
        .join(
            Attachment,
            and_(
                col(Attachment.contact_id) == col(Call.contact_id),
                col(Attachment.channel) == "voice",
            ),
        )
        .where(
            col(Call.recording_id).is_not(None),
            col(Call.recording_id).not_like(f"{GONE}%"),
            # What is kept but may not be opened here stays there, so that somebody can hear it,
            # until its time is over.
            col(Attachment.state).in_([AttachmentState.KEPT, AttachmentState.DELETED]),
        )
        .limit(50)
    )
    return [(call_id, recording) for call_id, recording in rows if call_id and recording]


async def recording_is_gone(session: AsyncSession, call_id: int, now: datetime) -> None:
    call = await get(session, call_id)
    if call is not None and call.recording_id and not call.recording_id.startswith(GONE):
        call.recording_id = GONE + call.recording_id
        await session.flush()
        await _event(session, "call.recording_deleted_there", call, now)


def new_contact(contract: Contract, case: Case, user_id: int, now: datetime) -> Contact:
    """The contact of a call that we make."""
    contact = _contact(contract, case, Direction.OUT, now)
    contact.by_user_id = user_id
    return contact


def numbers_like(value: str) -> ColumnElement[bool]:
    """The condition that an address is this telephone number, by whatever channel it is known."""
    return or_(
        *(
            and_(
                col(Address.channel) == channel,
                col(Address.value_index).in_(ring().indexes(f"address:{channel}", value)),
            )
            for channel in sorted(NUMBERED)
        )
    )


async def _take_turn(session: AsyncSession, sender: str) -> None:
    """On PostgreSQL several nodes may hear of one call: one at a time, as in engine/routing."""
    if session.get_bind().dialect.name == "postgresql":
        key = int(ring().index("sender:voice", sender)[:15], 16)
        await session.execute(select(func.pg_advisory_xact_lock(key)))


async def _caller(
    session: AsyncSession, contract: Contract, value: str, now: datetime
) -> tuple[Address, Person]:
    """Who rings from this number: the person who texts from it, too. A withheld number is nobody's
    but this call's."""
    found = await session.execute(
        select(Address, Person)
        .join(Person, col(Person.id) == col(Address.person_id))
        .where(col(Address.contract) == contract.key, numbers_like(value))
        .order_by((col(Address.channel) == "voice").desc(), col(Address.from_register).desc())
        .limit(1)
    )
    row = found.first()
    if row is None:
        sender = await people.sender(session, contract.key, "voice", value, now)
        return sender.address, sender.person
    known, person = row[0], row[1]
    if known.channel == "voice":
        return known, person
    address = Address(
        person_id=known.person_id,
        contract=contract.key,
        channel="voice",
        value=value,
        value_index=ring().index("address:voice", value),
        from_register=known.from_register,
    )
    session.add(address)
    await session.flush()
    return address, person


async def _case(
    session: AsyncSession, contract: Contract, person: Person, address: Address, now: datetime
) -> Case:
    """The person's open case, the one closed a short while ago, or a new one."""
    latest = await session.scalar(
        select(Case)
        .where(
            col(Case.contract) == contract.key,
            col(Case.person_id) == person.id,
            or_(
                col(Case.status) == CaseStatus.OPEN,
                col(Case.closed_at) > now - SAME_MATTER_FOR,
            ),
        )
        .order_by(
            (col(Case.status) == CaseStatus.OPEN).desc(),
            func.coalesce(col(Case.last_in_at), col(Case.opened_at)).desc(),
        )
        .limit(1)
    )
    if latest is None:
        return await _open(session, contract, person, address, now)
    if latest.status == CaseStatus.CLOSED:
        await cases.reopen(session, contract, latest, None, now)
    return latest


async def _open(
    session: AsyncSession, contract: Contract, person: Person, address: Address, now: datetime
) -> Case:
    assert person.id is not None
    known = await people.standing(session, person, now.astimezone(ZoneInfo(contract.zone)).date())
    case = Case(
        reference="",
        contract=contract.key,
        person_id=person.id,
        identity=Identity.KNOWN if address.from_register else Identity.UNKNOWN,
        reason=UNKNOWN,
        why="They rang.",
        group=known.group,
        team=known.team,
        quadrant=known.quadrant,
        method=contract.method_for("voice"),
        opened_at=now,
    )
    return await cases.open_case(session, contract, case)


def _contact(contract: Contract, case: Case, direction: Direction, now: datetime) -> Contact:
    assert case.id is not None
    return Contact(
        contract=contract.key,
        case_id=case.id,
        person_id=case.person_id,
        direction=direction,
        kind=ContactKind.CALL,
        channel="voice",
        method=contract.method_for("voice"),
        at=now,
        written_at=now,
        what="call",
        call_result=CallResult.NO_ANSWER,
    )


async def _raise_emergency(
    session: AsyncSession, contract: Contract, call: Call, now: datetime
) -> None:
    case = await _case_of(session, call)
    if Urgency(case.urgency) is not Urgency.EMERGENCY:
        case.urgency, case.why = (
            Urgency.EMERGENCY,
            "They rang and pressed 1: somebody is in danger.",
        )
        await session.flush()
        await events.record(
            session,
            "case.urgency_raised",
            now,
            contract=contract.key,
            case_id=case.id,
            urgency=Urgency.EMERGENCY,
        )
        if contract.has_conditions:
            await deadlines.reconsider(session, contract, case, now, since=now)
    await _alert(session, contract, call, case, AlertKind.EMERGENCY, now)


async def _owe_call_back(
    session: AsyncSession, contract: Contract, call: Call, now: datetime
) -> None:
    """A task, an alert and a promise, unless they have spoken with somebody since they rang."""
    case = await _case_of(session, call)
    if await _have_spoken_since(session, call):
        return
    if case.status == CaseStatus.CLOSED:  # closed while the machine was listening
        await cases.reopen(session, contract, case, None, call.begun_at)
    due = await deadlines.open_due_times(session, case.id or 0)
    answers = (ClockStop.HUMAN_REPLY, ClockStop.REFERRAL_ANSWER)
    if lacking := [stop for stop in answers if stop not in due]:
        await deadlines.open_for(session, contract, case, call.begun_at, lacking)
        await session.flush()
        await deadlines.refresh_next_due(session, case)
    if await session.scalar(_open_call_back(case).limit(1)) is None:
        assert case.id is not None
        session.add(
            Task(
                contract=contract.key,
                case_id=case.id,
                kind=TaskKind.CALL_BACK,
                detail="voice",
                created_at=call.begun_at,
            )
        )
    await session.flush()
    if call.in_danger or not await is_blocked(session, call, now):
        await _alert(session, contract, call, case, AlertKind.CALL_BACK, now)


async def _have_spoken_since(session: AsyncSession, call: Call) -> bool:
    spoke = (
        select(col(Call.id))
        .where(
            col(Call.case_id) == call.case_id,
            col(Call.id) != call.id,
            col(Call.connected_at) > call.begun_at,
        )
        .limit(1)
    )
    return await session.scalar(spoke) is not None


async def _alert(
    session: AsyncSession,
    contract: Contract,
    call: Call,
    case: Case,
    kind: AlertKind,
    now: datetime,
) -> None:
    """One alert a call and kind; none beside one of the same case that is still being asked."""
    climbing = select(col(Alert.id)).where(
        col(Alert.case_id) == case.id,
        col(Alert.kind) == kind,
        col(Alert.next_rung_at).is_not(None),
    )
    if await session.scalar(climbing.limit(1)) is not None:
        return
    cause = escalation.Cause(
        kind=kind, key=f"call:{call.id}:{kind}", reference=case.reference, case_id=case.id
    )
    await escalation.raise_alert(session, contract, cause, now)


async def _finish_call_backs(
    session: AsyncSession, case: Case, user_id: int, now: datetime
) -> None:
    """They are speaking with the person: what was being asked about it is in their hands."""
    for task in (await session.scalars(_open_call_back(case))).all():
        await session.execute(
            update(Task).where(col(Task.id) == task).values(done_at=now, done_by_id=user_id)
        )
    asking = await session.scalars(
        select(col(Alert.id)).where(
            col(Alert.case_id) == case.id,
            col(Alert.kind).in_([AlertKind.CALL_BACK, AlertKind.EMERGENCY, AlertKind.PRESSING]),
            col(Alert.next_rung_at).is_not(None),
        )
    )
    for alert_id in asking.all():
        try:
            await escalation.acknowledge(session, alert_id or 0, user_id, now)
        except Conflict:  # somebody else has taken it in this very moment
            continue


async def no_call_wanted(session: AsyncSession, case: Case, now: datetime) -> None:
    """They ask not to be rung: whoever was to ring them is told no more."""
    for task in await tasks.open_of(session, case, TaskKind.CALL_BACK):
        task.dropped_at = now
        await tasks.settle(session, task, None, now, is_dropped=True)
    asking = await session.scalars(
        select(col(Alert.key)).where(
            col(Alert.case_id) == case.id,
            col(Alert.kind) == AlertKind.CALL_BACK,
            col(Alert.ended_at).is_(None),
        )
    )
    for key in asking.all():
        await escalation.end(session, key, now)


def _open_call_back(case: Case) -> Select[int | None]:
    return select(col(Task.id)).where(
        col(Task.case_id) == case.id,
        col(Task.kind) == TaskKind.CALL_BACK,
        col(Task.done_at).is_(None),
    )


async def _contact_of(session: AsyncSession, call: Call) -> Contact:
    contact = await session.get(Contact, call.contact_id)
    assert contact is not None
    return contact


async def _case_of(session: AsyncSession, call: Call) -> Case:
    case = await session.get(Case, call.case_id)
    assert case is not None
    return case


def _minutes(length: timedelta) -> int:
    """Begun minutes, as a log of calls counts them."""
    return -(-int(length.total_seconds()) // 60)


async def _event(
    session: AsyncSession,
    kind: str,
    call: Call,
    now: datetime,
    /,
    by: int | None = None,
    **detail: object,
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=call.contract,
        case_id=call.case_id,
        by=by,
        call=call.id,
        **detail,
    )
