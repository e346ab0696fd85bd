"""Who has been told how to complain about us and of the council's own policy, and who has not; a
lead has both sent to everybody who has not."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import library, proofs
from helpline.errors import Conflict, InvalidInput
from helpline.rules.permissions import Actor, may
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of
from helpline.web.showing import go, show

Act = Callable[[AsyncSession, Contract, Actor, datetime], Awaitable[None]]


async def show_proofs(request: web.Request) -> web.Response:
    return await _page(request)


async def begin(request: web.Request) -> web.Response:
    return await _act(request, proofs.begin_round, "begun")


async def stop(request: web.Request) -> web.Response:
    return await _act(request, proofs.stop_round, "stopped")


async def _act(request: web.Request, act: Act, done: str) -> web.Response:
    key, now, actor = await field(request, "contract"), now_of(request), actor_of(request)
    contract = next((one for one in contracts_of(request, "proof.send") if one.key == key), None)
    try:
        if contract is None:
            raise InvalidInput("Choose a contract from the list.")
        async with house_of(request).db.write() as session:
            await act(session, contract, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, 409 if isinstance(error, Conflict) else 400, str(error))
    return go(f"/policies-told?done={done}")


async def _page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    actor, now, listed = actor_of(request), now_of(request), []
    async with house_of(request).db.read() as session:
        for contract in contracts_of(request, "proof.read"):
            told, everybody = await proofs.figures(session, contract, now)
            texts = [
                (code, await library.document(session, contract.key, code))
                for code in library.DOCUMENTS
            ]
            listed.append(
                {
                    "contract": contract,
                    "told": told,
                    "everybody": everybody,
                    "missing": await proofs.missing(session, actor, contract, now),
                    "texts": texts,
                    "round": await proofs.round_of(session, contract.key),
                    "may_send": may(actor, "proof.send", contract.key),
                }
            )
    return show(
        request,
        "policies_told.html.j2",
        status,
        listed=listed,
        may_read_people=may(actor, "people.read"),
        problem=problem,
        done=request.query.get("done", ""),
    )
