"""The built files that pages load: style sheet, scripts, fonts, icons. Only names of the build's
own list are sent, so that no path in the address can reach anything else."""

from aiohttp import web

from helpline.errors import NotFound
from helpline.web.showing import BUILT, built_files

YEAR = 365 * 24 * 3600


async def send_file(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"].removeprefix("built/")
    version = built_files().get(name)
    if version is None:
        raise NotFound("There is no such file.")
    is_exact = request.query.get("v") == version
    caching = f"public, max-age={YEAR}, immutable" if is_exact else "no-cache"
    return web.FileResponse(BUILT / name, headers={"Cache-Control": caching})
