"""What lets a telephone or a desk keep the console as an application of its own: the manifest, the
icons, the service worker, and the page that stands where there is no connection.

All of it is public and the same for everybody: nothing here may name a person, a case or who is on
call. The worker itself is templates/static/worker.js.
"""

from functools import cache
from typing import Any, Final

import typst
from aiohttp import web

from helpline.errors import NotFound
from helpline.settings import TEMPLATES
from helpline.web.asked import house_of
from helpline.web.pages.files import send_named
from helpline.web.showing import show

NAME: Final = "Helpline"
BRAND: Final = "#17475a"
GROUND: Final = "#eef4f5"
SIZES: Final = (180, 192, 512)
"""Pixels: one of the telephones that read no manifest, two of those that do."""
DRAWN: Final = 32
"""The side of our drawing, in its own points."""
A_DAY: Final = "public, max-age=86400"
SHEET: Final = TEMPLATES / "static" / "icon.typ"


async def manifest(request: web.Request) -> web.Response:
    """What the application is called and looks like. Its first page is whatever comes first for
    whoever is signed in."""
    icons = [
        {"src": f"/icons/{kind}{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
        | ({"purpose": "maskable"} if kind else {})
        for kind in ("", "maskable-")
        for size in SIZES[1:]
    ]
    values = {
        "id": "/",
        "name": NAME,
        "short_name": NAME,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "lang": "en-GB",
        "background_color": GROUND,
        "theme_color": BRAND,
        "icons": icons,
    }
    response = web.json_response(values, content_type="application/manifest+json")
    response.headers["Cache-Control"] = A_DAY
    return response


async def icon(request: web.Request) -> web.Response:
    size = int(request.match_info["size"])
    if size not in SIZES:
        raise NotFound("There is no icon of this size.")
    picture = drawn(size, bool(request.match_info["kind"]) or size == SIZES[0])
    headers = {"Cache-Control": A_DAY}
    return web.Response(body=picture, content_type="image/png", headers=headers)


@cache
def drawn(size: int, fills: bool) -> bytes:
    """Our own drawing as a PNG of `size` pixels. `fills`: the ground reaches every edge and the
    drawing keeps clear of them, as telephones cut their icons into shapes."""
    side = DRAWN * 5 / 4 if fills else DRAWN
    made: Any = typst.compile(
        SHEET,
        root=SHEET.parent,
        format="png",
        ppi=size / side * 72,
        ignore_system_fonts=True,
        sys_inputs={"side": str(side), "ground": BRAND if fills else ""},
    )
    assert isinstance(made, bytes)
    return made


async def worker(request: web.Request) -> web.StreamResponse:
    """From the root, so that it stands in for every page; looked for anew each time."""
    return send_named(request, "worker.js")


async def no_connection(request: web.Request) -> web.Response:
    """Kept by the worker, and shown by it in the place of whatever page could not be had."""
    contracts = house_of(request).contracts
    numbers = {
        one.freephone.number: one.freephone.hours
        for _, one in sorted(contracts.items())
        if one.freephone is not None
    }
    return show(request, "no_connection.html.j2", numbers=numbers)
