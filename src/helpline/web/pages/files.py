"""The built files that pages load: style sheet, scripts, fonts, icons. Only names of the build's
own list are sent, so that no path in the address can reach anything else."""

import mimetypes

from aiohttp import web

from helpline.errors import NotFound
from helpline.web.showing import BUILT, built_files

YEAR = 365 * 24 * 3600
WORDS = ("text/css", "text/javascript", "application/javascript", "image/svg+xml")
FOR_OTHER_SITES = "embed.js"
"""The one file that pages of other sites load: it puts the chat into them."""


async def send_file(request: web.Request) -> web.StreamResponse:
    return send_named(request, request.match_info["name"].removeprefix("built/"))


def send_named(request: web.Request, name: str) -> web.StreamResponse:
    """One of the build's own list; kept for ever where its version is part of the address."""
    version = built_files().get(name)
    if version is None:
        raise NotFound("There is no such file.")
    is_exact = request.query.get("v") == version
    caching = f"public, max-age={YEAR}, immutable" if is_exact else "no-cache"
    headers = {"Cache-Control": caching}
    if (words := mimetypes.guess_type(name)[0]) in WORDS:
        headers["Content-Type"] = f"{words}; charset=utf-8"
    if name == FOR_OTHER_SITES:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return web.FileResponse(BUILT / name, headers=headers)
