"""Between the telephone's hooks and the call tree: who could be rung, what the tree decides, what
is written down, and the step the line takes in words, numbers and hooks of ours.

Called by web/voice only. A step never holds anything that a person wrote: its words come from the
wording and the contract, its numbers from the rota, the register or the provider's signed caller.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import CallNews, CallStep, Media
from helpline.contract import Contract
from helpline.desk import calls, escalation, events, ringing, rota, safety, taking
from helpline.desk.intake import Ways
from helpline.errors import Conflict, InvalidInput
from helpline.models import Address, Call, Case, User
from helpline.rules import calls as tree
from helpline.rules import safety as safe
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import NUMBERED, AlertKind, CallMove, CallState, Direction

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
KEY_SECONDS, RING_SECONDS, MESSAGE_SECONDS = 8, 20, 180
"""How long to wait for a key, to let a telephone ring, and to record."""
RINGING_YOU = timedelta(seconds=60)


@dataclass(frozen=True)
class Line:
    """One call in the hand of one hook: locked for this transaction."""

    session: AsyncSession
    ways: Ways
    contract: Contract
    call: Call
    now: datetime


# --- somebody rings us ---------------------------------------------------------------------------


def greeting(ways: Ways, contract: Contract) -> CallStep:
    """The first thing anybody hears; it needs no row, so that nothing can keep it back."""
    turn = tree.greet(tree.Line())
    return CallStep(
        CallMove.ASK,
        _words(ways, contract, turn.say),
        next="/hooks/voice/menu",
        seconds=KEY_SECONDS,
    )


def fault(ways: Ways, *, may_record: bool) -> CallStep:
    """Something of ours is broken: never silence, and their words can still be taken."""
    move, key = (CallMove.RECORD, "fault") if may_record else (CallMove.HANG_UP, "fault_end")
    return CallStep(
        move, (ways.wording.say(f"voice.{key}"),), next="/hooks/voice/left", seconds=MESSAGE_SECONDS
    )


async def choose(line: Line, key: str) -> CallStep:
    """They pressed a key after the greeting, or none. Of a blocked caller nobody is rung, unless
    somebody is in danger; they may leave a message like anybody."""
    is_in_danger = key == tree.YES_KEY or line.call.in_danger
    is_blocked = not is_in_danger and await calls.is_blocked(line.session, line.call, line.now)
    if is_blocked and line.call.state == CallState.RINGING:
        await calls.note_blocked(line.session, line.call, line.now)
    roster = [] if is_blocked else list(await _roster(line))
    return await _follow(line, tree.choose(calls.line_of(line.call), key, roster))


async def rung(line: Line, turn: int, was_joined: bool | None) -> CallStep:
    """The `turn`th worker's telephone is done with."""
    if was_joined is False and turn == len(calls.line_of(line.call).asked):
        await calls.take_back(line.session, line.contract, line.call, line.now)
    roster = list(await _roster(line))
    return await _follow(line, tree.rung(calls.line_of(line.call), turn, was_joined, roster))


async def left(line: Line, recording: str, media: Media | None) -> CallStep:
    """They spoke to the machine, or did not. Whichever way the news of the recording comes."""
    if media is not None:
        await calls.keep_message(line.session, line.contract, line.call, recording, media, line.now)
    return await _follow(line, tree.left(calls.line_of(line.call), media is not None))


async def whisper(line: Line, user: int) -> CallStep:
    """A worker who was rung has answered."""
    return await _follow(line, tree.whisper(calls.line_of(line.call), user), user)


async def take(line: Line, user: int, key: str) -> CallStep:
    """The worker pressed a key, or none."""
    turn = tree.take(calls.line_of(line.call), user, key)
    if turn.move is CallMove.JOIN:
        await calls.connect(line.session, line.contract, line.call, user, line.now)
    return await _follow(line, turn, user)


async def over(line: Line, news: CallNews) -> CallStep:
    """Nobody is on the line any more."""
    if news.has_ended:
        await calls.end(line.session, line.contract, line.call, news, line.now)
    return CallStep(CallMove.HANG_UP)


# --- we ring somebody ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Placing:
    """A call to place: the worker's own telephone rings first."""

    call_id: int
    number: str
    shown: str
    next: str
    ended: str


async def begin(
    session: AsyncSession, ways: Ways, contract: Contract, case: Case, by: Actor, now: datetime
) -> Placing:
    """A worker wants to ring the person of `case`. InvalidInput or Conflict says why not."""
    require(by, "case.call", case.contract)
    user = await session.get(User, by.user_id)
    if user is None or not user.mobile or not E164.fullmatch(user.mobile):
        raise InvalidInput(
            "Your own telephone rings first, and no number of yours is on record. Ask an "
            "administrator to add it."
        )
    shown = _our_number(ways, contract)
    if not shown:
        raise InvalidInput("This contract has no telephone number to ring from.")
    address = await number_to_ring(session, case)
    if address is None:
        raise InvalidInput("There is no telephone number of theirs on record.")
    await _must_be_safe(session, contract, address, now)
    await _must_not_be_ringing(session, by, now)
    call = Call(
        provider_id=ringing.NOT_PLACED + secrets.token_hex(8),
        contract=contract.key,
        direction=Direction.OUT,
        address_id=address.id,
        case_id=case.id,
        user_id=by.user_id,
        begun_at=now,
    )
    session.add(call)
    await session.flush()
    assert call.id is not None
    query = f"?call={call.id}"
    return Placing(
        call.id,
        user.mobile,
        shown,
        f"/hooks/voice/outward{query}",
        f"/hooks/voice/outward/status{query}",
    )


async def number_to_ring(session: AsyncSession, case: Case) -> Address | None:
    """The number they last rang from, else one that is known of them; texts may be unwanted there
    without calls being so."""
    found = await session.scalars(
        select(Address)
        .where(col(Address.person_id) == case.person_id, col(Address.channel).in_(sorted(NUMBERED)))
        .order_by((col(Address.channel) == "voice").desc(), col(Address.id).desc())
    )
    return next((address for address in found if E164.fullmatch(address.value)), None)


async def placed(session: AsyncSession, call_id: int, provider_id: str, now: datetime) -> None:
    """The provider has taken the call and numbered it; its hooks may have been faster."""
    call = await calls.get(session, call_id)
    if call is not None and provider_id and call.provider_id.startswith(ringing.NOT_PLACED):
        call.provider_id = provider_id
        await session.flush()
        await events.record(
            session,
            "call.placed",
            now,
            contract=call.contract,
            case_id=call.case_id,
            by=call.user_id,
            call=call.id,
        )


async def not_placed(
    session: AsyncSession, contract: Contract, call_id: int, now: datetime
) -> None:
    """The provider refused: nobody's telephone rang."""
    call = await calls.get(session, call_id)
    if call is not None:
        await calls.end(session, contract, call, CallNews(call.provider_id, seconds=0), now)


async def confirm(line: Line) -> CallStep:
    """The worker has answered their own telephone."""
    return await _follow(line, tree.confirm(calls.line_of(line.call)))


async def ring_them(line: Line, key: str) -> CallStep:
    """The worker pressed a key, or none; from here on a call was tried."""
    turn = tree.ring_them(calls.line_of(line.call), key)
    if turn.move is CallMove.RING and line.call.contact_id is None:
        case = await line.session.get(Case, line.call.case_id)
        assert case is not None
        contact = calls.new_contact(line.contract, case, line.call.user_id or 0, line.now)
        line.session.add(contact)
        await line.session.flush()
        line.call.contact_id = contact.id
    return await _follow(line, turn)


async def ask_them(line: Line) -> CallStep:
    """The person's telephone was answered."""
    return await _follow(line, tree.ask_them(calls.line_of(line.call)))


async def they_take(line: Line, key: str) -> CallStep:
    """Whoever answered pressed a key, or none."""
    turn = tree.they_take(calls.line_of(line.call), key)
    if turn.move is CallMove.JOIN and line.call.contact_id is not None:
        user = line.call.user_id or 0
        await calls.connect(line.session, line.contract, line.call, user, line.now)
    return await _follow(line, turn)


async def they_rang_out(line: Line, was_joined: bool | None) -> CallStep:
    """Back with the worker."""
    if was_joined is False:
        user = line.call.user_id
        await calls.take_back(line.session, line.contract, line.call, line.now)
        line.call.user_id = user  # who made the call is still who made it
    return await _follow(line, tree.they_rang_out(calls.line_of(line.call), was_joined))


# --- an alert by telephone -----------------------------------------------------------------------


async def alert_answered(line: Line) -> CallStep:
    """The telephone of a worker who is asked was picked up, by them or by a machine."""
    if line.call.message_id is None:
        return CallStep(CallMove.HANG_UP)
    await ringing.note_answered(line.session, line.call)
    asked = await _asked(line)
    return await _follow_alert(line, tree.alert(calls.line_of(line.call), asked), asked, 1)


async def alert_key(line: Line, key: str, times: int) -> CallStep:
    """They have heard it `times` times and pressed a key, or none. 1 takes all that it asked
    about and that still waits."""
    call, asked = line.call, await _asked(line)
    turn = tree.take_alert(calls.line_of(call), key, times, asked)
    is_new = turn.line.state is CallState.CONNECTED and call.state != CallState.CONNECTED
    if is_new and call.message_id is not None and call.user_id is not None:
        taken = await escalation.acknowledge_by_call(
            line.session, call.message_id, call.user_id, line.now
        )
        if taken:
            call.connected_at = line.now
            await taking.tell(line.session, line.ways, taken, call.user_id, line.now)
        else:  # somebody else was faster by a moment
            turn = tree.alert(calls.line_of(call), tree.Asked(0, asked.colour))
    return await _follow_alert(line, turn, asked, times + 1)


async def _asked(line: Line) -> tree.Asked:
    alerts = await escalation.asked_by(line.session, line.call.message_id or 0)
    if not alerts:
        return tree.Asked(0, "")
    return tree.Asked(
        len(alerts),
        alerts[0].colour,
        alerts[0].kind == AlertKind.TEST,
        one_by_one=AlertKind(alerts[0].kind).is_loud,
    )


async def _follow_alert(line: Line, turn: tree.Turn, asked: tree.Asked, times: int) -> CallStep:
    await calls.write_down(line.session, line.contract, line.call, turn, line.now)
    step = CallStep(turn.move, _words(line.ways, line.contract, turn.say, asked.waiting))
    if turn.move is not CallMove.ASK:
        return step
    next_key = f"/hooks/voice/alert/key?call={line.call.id}&times={times}"
    return _with(step, next=next_key, seconds=KEY_SECONDS)


# --- from a turn to a step -----------------------------------------------------------------------


async def _follow(line: Line, turn: tree.Turn, user: int | None = None) -> CallStep:
    """Write the turn down and say it as a step. `user`: whose telephone this is, if a worker's
    that was rung for a caller."""
    await calls.write_down(line.session, line.contract, line.call, turn, line.now)
    step = CallStep(turn.move, _words(line.ways, line.contract, turn.say))
    if turn.move is CallMove.ASK:
        return _with(step, next=_next_key(line.call, user, turn), seconds=KEY_SECONDS)
    if turn.move is CallMove.RECORD:
        return _with(step, next="/hooks/voice/left", seconds=MESSAGE_SECONDS)
    if turn.move is CallMove.RING:
        return await _ringing(line, step, turn)
    return step


def _next_key(call: Call, user: int | None, turn: tree.Turn) -> str:
    """The hook that hears the key."""
    if user is not None:
        return f"/hooks/voice/accept?call={call.id}&user={user}"
    path = "taken" if "somebody_rings" in turn.say else "ring"
    return f"/hooks/voice/outward/{path}?call={call.id}"


async def _ringing(line: Line, step: CallStep, turn: tree.Turn) -> CallStep:
    call, shown = line.call, _our_number(line.ways, line.contract)
    if call.direction == Direction.IN:
        asked = len(turn.line.asked)
        numbers = await _roster(line)
        return _with(
            step,
            number=numbers.get(turn.ring or 0, ""),
            shown=shown,
            next=f"/hooks/voice/rung?call={call.id}&turn={asked}",
            whisper=f"/hooks/voice/whisper?call={call.id}&user={turn.ring}",
            seconds=RING_SECONDS,
        )
    address = await line.session.get(Address, call.address_id)
    return _with(
        step,
        number=address.value if address else "",
        shown=shown,
        next=f"/hooks/voice/outward/rung?call={call.id}",
        whisper=f"/hooks/voice/outward/them?call={call.id}",
        seconds=RING_SECONDS,
    )


def _with(
    step: CallStep,
    *,
    next: str,
    seconds: int,
    number: str = "",
    shown: str = "",
    whisper: str = "",
) -> CallStep:
    return CallStep(step.move, step.says, next, number, shown, whisper, seconds)


def _words(
    ways: Ways, contract: Contract, keys: tuple[str, ...], count: int = 0
) -> tuple[str, ...]:
    signposts = " ".join(one.line for one in contract.signposts if one.first_answer)
    return tuple(
        tree.digit_by_digit(
            ways.wording.say(
                f"voice.{key}",
                us=contract.called.us,
                signposts=signposts,
                count=count,
                kept=contract.privacy.spoken if contract.privacy else "",
            )
        )
        for key in keys
    )


async def _roster(line: Line) -> dict[int, str]:
    """User → number, in the order in which they are rung: on call, backup, leads. Never the
    telephone that is ringing us."""
    address = await line.session.get(Address, line.call.address_id)
    caller = address.value if address else ""
    on_call = await rota.on_call(line.session, line.contract.key, line.now)
    leads = await rota.leads(line.session, line.contract.key)
    return {
        user.id: user.mobile
        for user in (*on_call, *leads)
        if user.id and user.mobile and E164.fullmatch(user.mobile) and user.mobile != caller
    }


def _our_number(ways: Ways, contract: Contract) -> str:
    """The contract's number, which everybody we ring sees."""
    return next((number for number, key in ways.numbers.items() if key == contract.key), "")


async def _must_be_safe(
    session: AsyncSession, contract: Contract, address: Address, now: datetime
) -> None:
    rules = await safety.rules_of(session, address.person_id)
    verdict = safe.judge(rules, "voice", True, now, contract.zone)
    if verdict.why == "hours":
        raise Conflict("They asked not to be rung at this hour.")
    if not verdict.may:
        raise Conflict("They asked not to be rung.")


async def _must_not_be_ringing(session: AsyncSession, by: Actor, now: datetime) -> None:
    ringing = (
        select(col(Call.id))
        .where(
            col(Call.user_id) == by.user_id,
            col(Call.direction) == Direction.OUT,
            col(Call.message_id).is_(None),
            col(Call.state) == CallState.RINGING,
            col(Call.begun_at) > now - RINGING_YOU,
        )
        .limit(1)
    )
    if await session.scalar(ringing) is not None:
        raise Conflict("Your telephone is being rung already. Press 1 on it to go on.")
