"""The board on which a lead says whose each waiting case is: by one key, by one click, or all first
proposals at once after a look.

Plain forms that work without script; the script posts the same forms one after another and puts
the answer (`_allocated.html.j2`) in the place of the row, so that nothing moves under the fingers.
"""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import allocation, cases, covers, holding, waiting
from helpline.errors import Conflict, HelplineError, InvalidInput, NotFound
from helpline.models import Allocation, Case, Cover, User
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    fields,
    house_of,
    now_of,
    row_id,
)
from helpline.web.pages.case import Words
from helpline.web.showing import go, show

WE_ASK = "Asked-By"
"""The header by which the script asks for the row alone."""


@dataclass(frozen=True)
class Done:
    """What was just done: enough to say it and to undo it. `key`: "a12" an allocation, "c3" a
    cover."""

    key: str
    reference: str
    who: str
    is_cover: bool


async def show_board(request: web.Request) -> web.Response:
    return await _page(request)


async def name(request: web.Request) -> web.Response:
    """Name somebody on one case, or hand it over for the time of an absence."""
    reference, worker = await field(request, "case"), await field(request, "worker")
    seen = await field(request, "seen")
    try:
        done = await _name(request, reference, worker, seen)
    except (InvalidInput, Conflict, NotFound) as error:
        return await _refused(request, error, reference)
    await _wake(request)
    if WE_ASK in request.headers:
        return show(request, "_allocated.html.j2", done=done)
    return go(f"/allocate?done={done.key}" if done.key else "/allocate")


async def undo(request: web.Request) -> web.Response:
    reference, key = await field(request, "case"), await field(request, "key")
    try:
        await _undo(request, reference, key)
    except (InvalidInput, Conflict, NotFound) as error:
        return await _refused(request, error, reference)
    await _wake(request)
    if WE_ASK in request.headers:
        return web.Response(status=204)
    return go("/allocate?done=undone")


async def ask_all(request: web.Request) -> web.Response:
    """All first proposals, to be looked at before they are taken."""
    found = await _board(request)
    rows = [row for row in found.rows if row.proposals]
    left = len(found.rows) - len(rows)
    return show(request, "allocate_all.html.j2", **_words(request), rows=rows, left=left)


async def name_all(request: web.Request) -> web.Response:
    """Take exactly what was on the page; what has changed since stays on the board."""
    taken = 0
    for pair in await fields(request, "take"):
        reference, _, rest = pair.partition(":")
        worker, _, seen = rest.partition(":")
        try:
            await _name(request, reference, worker, seen)
        except (InvalidInput, Conflict, NotFound):
            continue
        taken += 1
    await _wake(request)
    missed = len(await fields(request, "take")) - taken
    return go(f"/allocate?done=all&taken={taken}&missed={missed}")


async def _name(request: web.Request, reference: str, worker: str, seen: str) -> Done:
    """`seen`: who had the case on the page, and whether they were away ("7", "7-away", "")."""
    house, actor, now = house_of(request), actor_of(request), now_of(request)
    worker_id = row_id(worker)
    if worker_id is None:
        raise InvalidInput("Choose somebody from the list.")
    async with house.db.write() as session:
        case = await _find(session, request, reference)
        await holding.hold_as_it_stands(session, case)
        had, _, is_away = seen.partition("-")
        if case.worker_id != row_id(had):
            raise Conflict("Somebody else was faster: it has another support worker by now.")
        user = await session.get(User, worker_id)
        who = user.shown_name if user else ""
        contract = contract_of(request, case.contract)
        if is_away:
            cover = await covers.begin(session, contract, case, worker_id, actor, now)
            return Done(f"c{cover.id}", case.reference, who, True)
        made = await cases.allocate(
            session,
            contract,
            case,
            worker_id,
            actor,
            now,
            wording=house.wording,
            tell_at=now + allocation.TELL_AFTER,
        )
        return Done(f"a{made.id}" if made else "", case.reference, who, False)


async def _undo(request: web.Request, reference: str, key: str) -> None:
    actor, now = actor_of(request), now_of(request)
    number = row_id(key[1:])
    if key[:1] not in ("a", "c") or number is None:
        raise NotFound("There is nothing to undo here.")
    async with house_of(request).db.write() as session:
        case = await _find(session, request, reference)
        if key[0] == "c":
            await covers.end(session, case, number, actor, now)
        else:
            await allocation.undo(session, case, number, actor, now)


async def _find(session: AsyncSession, request: web.Request, reference: str) -> Case:
    if len(reference) > 20 or not reference.isascii() or not reference.isprintable():
        raise NotFound("There is no such case, or it is not yours to see.")
    return await cases.find_case(session, actor_of(request), reference)


async def _refused(request: web.Request, error: HelplineError, reference: str) -> web.Response:
    status = {Conflict: 409, NotFound: 404}.get(type(error), 400)
    if WE_ASK in request.headers:
        return web.Response(status=status, text=str(error))
    return await _page(request, status=status, problem=str(error), failed=reference)


async def _board(request: web.Request) -> waiting.Board:
    contracts = {one.key: one for one in contracts_of(request, "case.allocate_others")}
    async with house_of(request).db.read() as session:
        return await waiting.board(session, contracts, actor_of(request), now_of(request))


async def _page(
    request: web.Request, *, status: int = 200, problem: str = "", failed: str = ""
) -> web.Response:
    found = await _board(request)
    key = request.query.get("done", "") if not problem else ""
    return show(
        request,
        "allocate.html.j2",
        status,
        **_words(request),
        board=found,
        most=waiting.MOST,
        done=await _done(request, key),
        said=key,
        taken=_number(request, "taken"),
        missed=_number(request, "missed"),
        problem=problem,
        failed=failed,
    )


def _words(request: web.Request) -> dict[str, Any]:
    contracts = contracts_of(request, "case.allocate_others")
    return {
        "names": {one.key: Words(one) for one in contracts},
        "contracts": {one.key: one for one in contracts},
    }


def _number(request: web.Request, name: str) -> int:
    return row_id(request.query.get(name, "")) or 0


async def _done(request: web.Request, key: str) -> Done | None:
    """What the address says was just done, read again: nothing in an address is believed."""
    number = row_id(key[1:])
    if key[:1] not in ("a", "c") or number is None:
        return None
    async with house_of(request).db.read() as session:
        row: Allocation | Cover | None
        if key[0] == "a":
            row = await session.get(Allocation, number)
        else:
            row = await session.get(Cover, number)
        if row is None or row.ended_at is not None:
            return None
        case, user = await session.get(Case, row.case_id), await session.get(User, row.worker_id)
        if case is None or user is None or not may(actor_of(request), "case.read", case.contract):
            return None
        return Done(key, case.reference, user.shown_name, key[0] == "c")


async def _wake(request: web.Request) -> None:
    house = house_of(request)
    house.wakes.sending.set()
    async with house.wakes.pages:
        house.wakes.pages.notify_all()
