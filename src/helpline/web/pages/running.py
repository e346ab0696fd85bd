"""What the helpline does by itself and whether it does: for leads and administrators. Processes and
their loops, what broke a loop and was set aside, how the database is. Nothing personal is here."""

from aiohttp import web

from helpline.desk import beats, setting_aside
from helpline.web.asked import actor_of, house_of, now_of, number_in_path
from helpline.web.showing import go, show


async def show_running(request: web.Request) -> web.Response:
    house, now = house_of(request), now_of(request)
    async with house.db.read() as session:
        nodes = await beats.overview(session, now)
        aside = await beats.set_aside(session)
    return show(
        request,
        "running.html.j2",
        nodes=[one for one in nodes if one.node.stopped_at is None],
        ended=[one for one in nodes if one.node.stopped_at is not None],
        aside=aside,
        here=house.node,
        is_shared=not house.db.is_sqlite,
        done=request.query.get("done"),
    )


async def try_again(request: web.Request) -> web.Response:
    """The cause may be mended: the row is due as it was."""
    async with house_of(request).db.write() as session:
        await setting_aside.try_again(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return go("/running?done=tried")
