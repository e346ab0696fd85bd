"""What is done on a case: every POST below /cases/<reference>.

Each reads its form, calls one function of desk/cases.py in one transaction and goes back to the
page. When the desk says no, the page comes back with the sentence and all that was typed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import (
    advice,
    allocation,
    blocks,
    cases,
    closing,
    completing,
    conflicts,
    drafts,
    given,
    page_links,
    promises,
    tasks,
    undoing,
)
from helpline.desk.house import House
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, metadata
from helpline.rules.permissions import Actor
from helpline.vocabulary import ContactKind, Direction
from helpline.web.asked import (
    actor_of,
    contract_of,
    field,
    fields,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import find, page_of
from helpline.web.showing import go

CONTACT = metadata.tables["contact"]
SAME_REPLY_WITHIN = timedelta(minutes=2)
DAY_ALONE = len("2026-11-03")
"""A day without a time is not taken for its midnight."""


@dataclass(frozen=True)
class Act:
    """What every act needs: one open transaction, the case, its contract, who and when."""

    session: AsyncSession
    house: House
    contract: Contract
    case: Case
    by: Actor
    now: datetime


async def reply(request: web.Request) -> web.Response:
    text = await field(request, "text")
    put_in = [i for said in await fields(request, "library") if (i := row_id(said)) is not None]

    async def act(it: Act) -> None:
        if await _was_just_sent(it, text):  # the button was pressed twice
            return
        sent = await cases.reply(it.session, it.contract, it.case, text, it.by, it.now)
        await given.log_sent(it.session, it.case, sent, text, put_in, it.by, it.now)

    return await do(request, "reply", act)


async def send_page(request: web.Request) -> web.Response:
    """Their own page, by a link that works once."""

    async def act(it: Act) -> None:
        url = it.house.settings.public_url
        await page_links.send_by_worker(
            it.session, it.contract, it.case, it.house.wording, url, it.by, it.now
        )

    return await do(request, "page", act)


async def preview(request: web.Request) -> web.Response:
    """How the reply that is being typed will look; nothing is sent."""
    return await page_of(request, form="reply", typed=await form_of(request))


async def allocate(request: web.Request) -> web.Response:
    worker = row_id(await field(request, "worker"))
    although_away = await field(request, "although_away")

    async def act(it: Act) -> None:
        if worker is None:
            raise InvalidInput("Choose a support worker from the list.")
        await cases.allocate(
            it.session,
            it.contract,
            it.case,
            worker,
            it.by,
            it.now,
            wording=it.house.wording,
            although_away=although_away,
            tell_at=it.now + allocation.TELL_AFTER,
        )

    return await do(request, "allocation", act)


async def accept(request: web.Request) -> web.Response:
    """A lead named them, and they say yes."""

    async def act(it: Act) -> None:
        await allocation.accept(it.session, it.case, it.by, it.now)

    return await do(request, "acceptance", act)


async def decline(request: web.Request) -> web.Response:
    """They say no, and why; it is the lead's again."""
    why = await field(request, "why_not")

    async def act(it: Act) -> None:
        await allocation.decline(it.session, it.case, why, it.by, it.now)

    return await do(request, "refusal", act)


async def declare_conflict(request: web.Request) -> web.Response:
    """Somebody must not work on this case: they themself, or for a lead anybody."""
    who, why = await field(request, "who"), await field(request, "why_conflict")

    async def act(it: Act) -> None:
        user_id = row_id(who) if who else it.by.user_id
        if user_id is None:
            raise InvalidInput("Choose a colleague from the list.")
        await conflicts.declare(it.session, it.case, user_id, why, it.by, it.now)

    return await do(request, "conflict", act)


async def end_conflict(request: web.Request) -> web.Response:
    conflict_id = number_in_path(request, "id")

    async def act(it: Act) -> None:
        await conflicts.end(it.session, it.case, conflict_id, it.by, it.now)

    return await do(request, "conflict_end", act)


async def write_note(request: web.Request) -> web.Response:
    return await do(request, "note", await note_in(request))


async def note_in(request: web.Request) -> Callable[[Act], Awaitable[None]]:
    """The act that a form with a note asks for."""
    kind, body = await field(request, "kind"), await field(request, "body")
    why, whose = await field(request, "why"), await field(request, "whose")
    at, corrects = await field(request, "happened_at"), await field(request, "corrects")

    async def act(it: Act) -> None:
        await cases.add_note(
            it.session,
            it.case,
            kind,
            body,
            instant(at, it.contract.zone, it.now),
            it.by,
            it.now,
            why=why,
            whose=whose,
            corrects=row_id(corrects),
        )

    return act


async def record_call(request: web.Request) -> web.Response:
    direction, result = await field(request, "direction"), await field(request, "result")
    minutes, body = await field(request, "minutes"), await field(request, "body")
    at = await field(request, "happened_at")

    async def act(it: Act) -> None:
        happened_at = instant(at, it.contract.zone, it.now)
        await cases.record_call(
            it.session,
            it.contract,
            it.case,
            direction,
            result,
            _minutes(minutes),
            body,
            happened_at,
            it.by,
            it.now,
        )

    return await do(request, "call", act)


async def set_reason(request: web.Request) -> web.Response:
    reason = await field(request, "reason")

    async def act(it: Act) -> None:
        await cases.set_reason(it.session, it.contract, it.case, reason, it.by, it.now)

    return await do(request, "reason", act)


async def set_urgency(request: web.Request) -> web.Response:
    urgency, why = await field(request, "urgency"), await field(request, "why")

    async def act(it: Act) -> None:
        await cases.set_urgency(it.session, it.contract, it.case, urgency, why, it.by, it.now)

    return await do(request, "urgency", act)


async def close(request: web.Request) -> web.Response:
    supports, outcome = await fields(request, "support"), await field(request, "outcome")
    form = await form_of(request)

    def typed(name: str) -> str:
        return "".join(form.get(name, [])[-1:]).strip()

    async def act(it: Act) -> None:
        advised = {
            code: advice.Typed(
                who=typed(f"adviser_{code}"),
                name=typed(f"adviser_name_{code}"),
                qualification=typed(f"qualification_{code}"),
            )
            for code in advice.codes_asked(it.contract)
        }
        ended = (supports, outcome, typed("although"), it.by, it.now, advised)
        await closing.close(it.session, it.contract, it.case, *ended)

    return await do(request, "closure", act)


async def complete(request: web.Request) -> web.Response:
    """What the record of a closed case lacks."""
    supports, outcome = await fields(request, "support"), await field(request, "outcome")

    async def act(it: Act) -> None:
        said = (supports, outcome, it.by, it.now)
        await completing.complete(it.session, it.contract, it.case, *said)

    return await do(request, "completion", act)


async def say_method(request: web.Request) -> web.Response:
    method = await field(request, "method")

    async def act(it: Act) -> None:
        await completing.say_method(it.session, it.contract, it.case, method, it.by, it.now)

    return await do(request, "method", act)


async def undo(request: web.Request) -> web.Response:
    """Take back the last thing that this person did here, while it is minutes ago."""
    act_id = row_id(await field(request, "act"))

    async def act(it: Act) -> None:
        await undoing.undo(it.session, it.contract, it.case, act_id or 0, it.by, it.now)

    return await do(request, "undone", act)


async def reopen(request: web.Request) -> web.Response:
    async def act(it: Act) -> None:
        await cases.reopen(it.session, it.contract, it.case, it.by, it.now)

    return await do(request, "reopening", act)


async def block(request: web.Request) -> web.Response:
    """For some hours nobody is answered automatically there; nought hours end it now."""
    reason, hours = await field(request, "block_reason"), await field(request, "hours")

    async def act(it: Act) -> None:
        if not hours.isdecimal() or len(hours) > 4:
            raise InvalidInput("Say for how many hours.")
        if int(hours) == 0:
            await blocks.unblock(it.session, it.case, it.by, it.now, reason)
        else:
            length = timedelta(hours=int(hours))
            await blocks.block(it.session, it.case, reason, length, it.by, it.now)

    return await do(request, "block", act)


async def promise(request: web.Request) -> web.Response:
    kind, what = await field(request, "promise_kind"), await field(request, "what")
    at = await field(request, "due_at")

    async def act(it: Act) -> None:
        if not at:
            raise InvalidInput("Say by when you promised it.")
        due_at = instant(at, it.contract.zone, it.now, ahead=True)
        await promises.give(it.session, it.contract, it.case, kind, what, due_at, it.by, it.now)

    return await do(request, "promise", act)


async def end_promise(request: web.Request) -> web.Response:
    promise_id, how = number_in_path(request, "id"), await field(request, "how")

    async def act(it: Act) -> None:
        end = promises.withdraw if how == "withdrawn" else promises.keep
        await end(it.session, it.case, promise_id, it.by, it.now)

    return await do(request, "promise", act)


async def finish_task(request: web.Request) -> web.Response:
    task_id = number_in_path(request, "id")

    async def act(it: Act) -> None:
        task = await tasks.finish(it.session, task_id, it.by, it.now)
        if task.case_id != it.case.id:
            raise NotFound("There is no such task on this case.")

    return await do(request, "task", act)


async def do(
    request: web.Request, form: str, act: Callable[[Act], Awaitable[None]]
) -> web.Response:
    """One transaction: the case found for this asker, then the act. Wakes whoever waits."""
    house, actor, now = house_of(request), actor_of(request), now_of(request)
    try:
        async with house.db.write() as session:
            found = await find(session, request)
            contract = contract_of(request, found.contract)
            reference = found.reference
            await act(Act(session, house, contract, found, actor, now))
            await drafts.sent(session, found, await field(request, "draft_key"), actor, now)
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        typed = await form_of(request)
        return await page_of(request, status=status, form=form, problem=str(error), typed=typed)
    house.wakes.sending.set()
    async with house.wakes.pages:
        house.wakes.pages.notify_all()
    is_out = form == "conflict" and not await field(request, "who")  # they see it no more
    if is_out or await field(request, "back") == "inbox":
        return go("/inbox")
    return go(f"/cases/{reference}?done={form}")


async def _was_just_sent(it: Act, text: str) -> bool:
    """The same words from the same worker moments ago: a second press, not a second answer."""
    query = (
        select(CONTACT.c.body, CONTACT.c.by_user_id, CONTACT.c.at)
        .where(
            CONTACT.c.case_id == it.case.id,
            CONTACT.c.direction == Direction.OUT,
            CONTACT.c.kind == ContactKind.MESSAGE,
        )
        .order_by(CONTACT.c.at.desc(), CONTACT.c.id.desc())
        .limit(1)
    )
    last = (await it.session.execute(query)).first()
    return (
        last is not None
        and last.by_user_id == it.by.user_id
        and last.body == text
        and it.now - last.at < SAME_REPLY_WITHIN
    )


def _minutes(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise InvalidInput("Give the length of the call in whole minutes, for example 12.")
    return int(text)


def instant(text: str, zone: str, now: datetime, *, ahead: bool = False) -> datetime:
    """What a date-and-time field says, in the contract's zone; empty means now. Of a local time
    that a clock change repeats the first is meant. `ahead`: it lies in the future."""
    if not text:
        return now
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None or len(text) <= DAY_ALONE:
        raise InvalidInput(
            "Give day and time, both, as a day that there is: 3 November 2026 14:05."
        )
    if not 2000 <= local.year <= 2100:
        raise InvalidInput(f"Give day and time anew: the year {local.year} cannot be meant.")
    at = local.replace(tzinfo=ZoneInfo(zone))
    if ahead:
        return at
    # The field has whole minutes and the page may be a minute old: "now" is never in the future.
    return min(at, now) if at - now < timedelta(minutes=1) else at
