"""What came in and could not be put on a case: read by a person, tried again or dealt with."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import intake, tray, unplaced
from helpline.errors import Conflict
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of, number_in_path
from helpline.web.showing import go, show


async def show_tray(request: web.Request) -> web.Response:
    return await _page(request)


async def _page(request: web.Request, wrong: int | None = None) -> web.Response:
    """`wrong`: the item for which no council was chosen."""
    async with house_of(request).db.read() as session:
        items = await tray.listed(session, actor_of(request), _keys(request))
    return show(
        request,
        "tray.html.j2",
        items=items,
        contracts=unplaced.live(house_of(request).contracts.values(), now_of(request)),
        done=request.query.get("done"),
        wrong=wrong,
        status=400 if wrong else 200,
    )


async def give(request: web.Request) -> web.Response:
    """Somebody who read it says whose it is: it becomes a case there."""
    house = house_of(request)
    contract = house.contracts.get(await field(request, "contract"))
    if contract is None:
        return await _page(request, number_in_path(request, "id"))
    async with house.db.write() as session:
        await _check(session, request)
        await intake.give(
            session,
            intake.ways_of(house),
            number_in_path(request, "id"),
            contract,
            actor_of(request),
            now_of(request),
        )
    house.wakes.sending.set()
    return go("/tray?done=given")


async def clear(request: web.Request) -> web.Response:
    """A person has dealt with it another way."""
    async with house_of(request).db.write() as session:
        await _check(session, request)
        await intake.clear_tray_item(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return go("/tray?done=cleared")


async def try_again(request: web.Request) -> web.Response:
    """The cause may be mended: route it once more."""
    house = house_of(request)
    async with house.db.write() as session:
        await _check(session, request)
        await intake.try_again(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    house.wakes.routing.set()
    return go("/tray?done=tried")


def _keys(request: web.Request) -> list[str]:
    return [contract.key for contract in contracts_of(request, "tray.read")]


async def _check(session: AsyncSession, request: web.Request) -> None:
    if not await tray.is_in_tray(
        session, actor_of(request), _keys(request), number_in_path(request, "id")
    ):
        raise Conflict("This is not in the tray any more: somebody has dealt with it.")
