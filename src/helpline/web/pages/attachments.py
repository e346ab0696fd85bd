"""What people attached, as a download and never as a page: whatever it is, a browser may not run it
on the console's address. Who took it is recorded."""

from aiohttp import web

from helpline.desk import attachments
from helpline.web.asked import actor_of, house_of, now_of, number_in_path
from helpline.web.showing import hand_out


async def download(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        file = await attachments.handed_out(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return hand_out(file.name, file.content)
