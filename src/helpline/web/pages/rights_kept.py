"""What has been kept long enough: lists that one person looks through and another approves, and
what is held back from them."""

from typing import Final

from aiohttp import web

from helpline.desk.rights import holds, retention
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages import rights_words as words
from helpline.web.showing import go, show

DONE: Final = ("taken_off", "checked", "approved", "dropped")


async def show_kept(
    request: web.Request, status: int = 200, problem: str = "", form: str = ""
) -> web.Response:
    actor, known = actor_of(request), contracts_of(request, "retention.work")
    if not known:
        raise NotFound("There is no contract here whose records you may look through.")
    keys = [one.key for one in known]
    async with house_of(request).db.read() as session:
        lists = await retention.runs(session, actor, keys)
        held = await holds.standing(session, actor, keys)
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "rights_kept.html.j2",
        status,
        zone=known[0].zone,
        lists=lists,
        held=held,
        schedules=[(one.council, one.retention) for one in known],
        states=words.STATES,
        hold_words=words.HOLDS,
        today={one.key: one.days.day_of(now_of(request)) for one in known},
        problem=problem,
        form=form,
        wrong="words",
        typed={name: given[-1] for name, given in typed.items()},
        done=request.query.get("done", ""),
    )


async def show_list(
    request: web.Request, status: int = 200, problem: str = "", form: str = ""
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        run = await retention.find(session, actor, number_in_path(request, "id"))
        contract = contract_of(request, run.contract)
        found, hidden = await retention.lines(session, actor, run)
        is_open = run.state in retention.OPEN
        goes = await retention.preview(session, contract, run, now) if is_open else None
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "rights_list.html.j2",
        status,
        zone=contract.zone,
        run=run,
        is_open=is_open,
        council=contract.council,
        going=[one for one in found if not one.line.stays],
        staying=[one for one in found if one.line.stays],
        hidden=hidden,
        goes=goes,
        rules={one.code: one.name for one in contract.retention},
        states=words.STATES,
        stays=words.STAYS,
        is_own_check=run.checked_by_id == actor.user_id,
        problem=problem,
        form=form,
        wrong="words",
        typed={name: given[-1] for name, given in typed.items()},
        done=request.query.get("done", ""),
    )


async def work(request: web.Request) -> web.Response:
    """Take a case off the list, say that it was looked through, or throw it away."""
    act, actor, now = await field(request, "act"), actor_of(request), now_of(request)
    line_id = row_id(await field(request, "line")) or 0
    try:
        async with house_of(request).db.write() as session:
            run_id = number_in_path(request, "id")
            run = await retention.find(session, actor, run_id, lock=True)
            match act:
                case "taken_off":
                    why = await field(request, "words")
                    await retention.take_off(session, run, line_id, why, actor, now)
                case "checked":
                    await retention.check(session, run, actor, now)
                case "dropped":
                    await retention.drop(session, run, actor, now)
                case _:
                    raise InvalidInput("Choose what is to be done with the list.")
    except (InvalidInput, Conflict) as error:
        form = f"line{line_id}" if act == "taken_off" else act
        return await show_list(request, _status(error), str(error), form)
    return go(f"/rights/kept/{run_id}?done={act}")


async def approve(request: web.Request) -> web.Response:
    """The second person agrees."""
    actor, run_id = actor_of(request), number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            run = await retention.find(session, actor, run_id, lock=True)
            if await field(request, "sure") != "yes":
                raise InvalidInput("Tick that you looked at what goes: nobody can bring it back.")
            await retention.approve(session, run, actor, now_of(request))
    except (InvalidInput, Conflict) as error:
        return await show_list(request, _status(error), str(error), "approved")
    return go(f"/rights/kept/{run_id}?done=approved")


async def end_hold(request: web.Request) -> web.Response:
    actor, hold_id = actor_of(request), number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            why = await field(request, "words")
            await holds.end(session, hold_id, why, actor, now_of(request))
    except (InvalidInput, Conflict) as error:
        return await show_kept(request, _status(error), str(error), f"hold{hold_id}")
    return go("/rights/kept?done=ended")


def _status(error: Exception) -> int:
    return 409 if isinstance(error, Conflict) else 400
