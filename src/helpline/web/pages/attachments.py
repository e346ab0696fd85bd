"""What people attached, as a download and never as a page: whatever it is, a browser may not run it
on the console's address. Who took it is recorded."""

from aiohttp import web

from helpline.desk import attachments
from helpline.web.asked import actor_of, house_of, now_of, number_in_path


async def download(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        file = await attachments.handed_out(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return web.Response(
        body=file.content,
        content_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )
