"""What passes between two people: the answer to a swap, the sheet one shift hands to the next."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from helpline.contract import Contract
from helpline.desk.rota import handovers, swaps
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.pages.case import Words
from helpline.web.pages.rota import names
from helpline.web.showing import go, show

# --- swaps ---------------------------------------------------------------------------------------


async def agree(request: web.Request) -> web.Response:
    return await _answer(request, swaps.agree, "swap_agreed")


async def refuse(request: web.Request) -> web.Response:
    return await _answer(request, swaps.refuse, "swap_refused")


async def withdraw(request: web.Request) -> web.Response:
    house = house_of(request)
    async with house.db.write() as session:
        swap_id, contract = await _swap(session, request)
        actor = actor_of(request)
        await swaps.withdraw(session, contract, swap_id, actor.user_id, now_of(request))
    return go("/rota?done=swap_withdrawn")


async def _answer(
    request: web.Request, answer: Callable[..., Awaitable[None]], done: str
) -> web.Response:
    house = house_of(request)
    async with house.db.write() as session:
        swap_id, contract = await _swap(session, request)
        await answer(
            session,
            contract,
            swap_id,
            actor_of(request).user_id,
            now_of(request),
            wording=house.wording,
        )
    house.wakes.sending.set()
    return go(f"/rota?done={done}")


async def _swap(session: Any, request: web.Request) -> tuple[int, Contract]:
    swap_id = number_in_path(request, "id")
    key = await swaps.contract_of(session, swap_id)
    for contract in contracts_of(request, "rota.own"):
        if contract.key == key:
            return swap_id, contract
    raise NotFound("There is no such swap.")


# --- handovers -----------------------------------------------------------------------------------


async def show_handover(request: web.Request) -> web.Response:
    return await _page(request)


async def write(request: web.Request) -> web.Response:
    words, actor = await field(request, "text"), actor_of(request)
    try:
        async with house_of(request).db.write() as session:
            handover = await _find(session, request)
            await handovers.write(session, handover, words, actor.user_id)
    except (InvalidInput, Conflict) as error:
        return await _page(request, words, str(error))
    return go(f"/rota/handovers/{handover.id}?done=written")


async def acknowledge(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        handover = await _find(session, request)
        actor = actor_of(request)
        await handovers.acknowledge(session, handover, actor, now_of(request))
    return go(f"/rota/handovers/{handover.id}?done=acknowledged")


async def _find(session: Any, request: web.Request) -> Any:
    keys = [contract.key for contract in contracts_of(request, "rota.own")]
    return await handovers.find(session, keys, actor_of(request), number_in_path(request, "id"))


async def _page(request: web.Request, typed: str | None = None, problem: str = "") -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        handover = await _find(session, request)
        sheet = await handovers.sheet(session, handover.contract, actor, now)
        known = await names(session)
    contract = contract_of(request, handover.contract)
    return show(
        request,
        "rota_handover.html.j2",
        400 if problem else 200,
        zone=contract.zone,
        contract=contract,
        words=Words(contract),
        handover=handover,
        sheet=sheet,
        names=known,
        is_mine=handover.to_id == actor.user_id,
        is_leaving=handover.from_id == actor.user_id,
        is_between=handovers.is_between(handover, actor.user_id),
        typed=handover.words or "" if typed is None else typed,
        done=request.query.get("done", ""),
        problem=problem,
    )
