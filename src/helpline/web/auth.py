"""Who is asking, and whether the request comes from one of our own pages.

Called by the middleware (every request) and by the sign-in page. Holds the cookies' names and
flags; what a session is worth is decided in desk/access.py.
"""

import hmac
import ipaddress
import re
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from helpline.desk import access, access_steps, breaking
from helpline.desk.access_passkeys import Site
from helpline.errors import NotAllowed
from helpline.settings import is_loopback
from helpline.web.asked import SIGNED_IN, field, house_of, now_of

SESSION: Final = "helpline"
BROWSER: Final = "helpline-browser"
BROWSER_SECONDS: Final = 180 * 24 * 3600
CONFIRMED_FOR: Final = timedelta(minutes=15)
"""So long after somebody proved who they are nothing asks them again."""
NEW_TOKEN = web.RequestKey("new_token", str)
"""The session goes on under this token: the answer takes it to the browser."""
BROWSERS: Final = (
    # in the order in which they must be looked for: most call themselves by several names
    *(("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet")),
    *(("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome")),
    *(("Chrome", "Chrome"), ("Chromium", "Chrome"), ("Safari", "Safari")),
)
SYSTEMS: Final = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("CrOS", "Chromebook")),
    *(("Windows", "Windows"), ("Macintosh", "Mac"), ("Linux", "Linux")),
)


async def recognise(request: web.Request) -> access.SignedIn | None:
    """The session of the request's cookie, put on the request; None when there is none alive."""
    token = request.cookies.get(cookie_name(request, SESSION))
    if not token:
        return None
    house, now = house_of(request), now_of(request)
    async with house.db.read() as session:
        found = await access.who(session, token, now)
        if found is None:
            return None
        signed, seen_at = found
        opened = await breaking.open_for(session, signed.actor.user_id, now)
    if opened:
        signed = replace(signed, actor=replace(signed.actor, opened=opened))
    if now - seen_at >= access.SEEN_EVERY and not request.path.startswith("/live/"):
        async with house.db.write() as session:
            await access.seen(session, signed.session_id, now)
    request[SIGNED_IN] = signed
    return signed


async def check_token(request: web.Request, signed: access.SignedIn) -> None:
    """The form was made for this session. NotAllowed otherwise."""
    given = await field(request, "csrf")
    if not hmac.compare_digest(given.encode(), signed.csrf.encode()):
        raise NotAllowed("This form is out of date. Go back, reload the page and send it again.")


def check_origin(request: web.Request) -> None:
    """A browser says where a form comes from; anything but our own pages is refused."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site not in ("same-origin", "none") or (
        origin is not None and not _is_ours(request, origin)
    ):
        raise NotAllowed("This was not sent from one of our own pages, so nothing was done.")


def _is_ours(request: web.Request, origin: str) -> bool:
    if origin == house_of(request).settings.public_url:
        return True
    try:
        return bool(request.host) and urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def sign_in(request: web.Request, response: web.StreamResponse, new: access.NewSession) -> None:
    """Give the browser its session, and the mark that makes it a known browser."""
    _set(request, response, SESSION, new.token, int(access.LONGEST.total_seconds()))
    _set(request, response, BROWSER, new.browser, BROWSER_SECONDS)


def words_of_ours(request: web.Request) -> list[str]:
    """What a stranger would try first in a password here: the councils' names and our own."""
    contracts = house_of(request).contracts.values()
    return [word for one in contracts for word in (one.key, one.council, one.name)]


def hand_over(request: web.Request, response: web.StreamResponse) -> None:
    """The token of a session that was renewed during this request, to the browser."""
    token = request.get(NEW_TOKEN)
    if token and not response.prepared:
        _set(request, response, SESSION, token, int(access.LONGEST.total_seconds()))


def is_whole(request: web.Request, signed: access.SignedIn) -> bool:
    """Whether this session may do what its role may; else it may only set up a second factor."""
    return signed.is_second or not house_of(request).settings.second_factor_required


def is_confirmed(request: web.Request, signed: access.SignedIn) -> bool:
    """Whether somebody proved a moment ago that it is still them who sits there."""
    at = signed.confirmed_at
    return at is not None and now_of(request) - at <= CONFIRMED_FOR


def keep_step(request: web.Request, response: web.StreamResponse, kind: str, token: str) -> None:
    """The browser's half of something begun (desk/access_steps)."""
    _set(request, response, f"{SESSION}-{kind}", token, int(access_steps.LASTS.total_seconds()))


def step_of(request: web.Request, kind: str) -> str:
    return request.cookies.get(cookie_name(request, f"{SESSION}-{kind}"), "")


def site_of(request: web.Request) -> Site | None:
    """What passkeys are bound to here; None where the address has no name: a number cannot have
    any. On this very machine "localhost" is a name for it."""
    public_url = house_of(request).settings.public_url
    name = urlsplit(public_url).hostname or ""
    if is_loopback(public_url):
        here = request.host.partition(":")[0]
        return Site(here, f"http://{request.host}") if here == "localhost" else None
    return None if _is_number(name) else Site(name, public_url)


def browser_of(request: web.Request) -> str:
    """The browser's family and system, in words of ours: what else it says of itself is lost."""
    said = request.headers.get("User-Agent", "")[:400]
    browser = next((name for mark, name in BROWSERS if re.search(rf"\b{mark}/", said)), "")
    system = next((name for mark, name in SYSTEMS if mark in said), "")
    return " on ".join(filter(None, (browser or "A browser", system)))


def sign_out(request: web.Request, response: web.StreamResponse) -> None:
    response.del_cookie(cookie_name(request, SESSION), path="/", secure=_is_secure(request))


def cookie_name(request: web.Request, name: str) -> str:
    """Under https the name itself binds the cookie to this host and to a secure connection."""
    return f"__Host-{name}" if _is_secure(request) else name


def client_address(request: web.Request) -> str:
    """Whose guesses are counted together. Behind a proxy of our own network that is the last
    address the proxy added; what a client wrote before it is never looked at."""
    peer = request.remote or ""
    lines = request.headers.getall("X-Forwarded-For", [""])  # some proxies add a line of their own
    forwarded = lines[-1].rpartition(",")[2].strip()
    if forwarded and _is_private(peer):
        return forwarded[:64]
    return peer


def _set(
    request: web.Request, response: web.StreamResponse, name: str, value: str, seconds: int
) -> None:
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=_is_secure(request),
        samesite="Lax",
    )


def _is_secure(request: web.Request) -> bool:
    return house_of(request).settings.public_url.startswith("https://")


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False
