"""What happens to every request before and after its page: headers, errors, access.

Installed by web/app.py in the order of MIDDLEWARES, the outermost first. The table of errors is
the one place where an error becomes a page; nothing a client sends may become a 5xx here.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from helpline.db import asked_by
from helpline.errors import Conflict, HelplineError, InvalidInput, NotAllowed, NotFound
from helpline.log import log, where
from helpline.rules.permissions import as_for, require
from helpline.web import again, auth, counting, noting
from helpline.web.asked import NOW, SIGNED_IN, form_of, house_of
from helpline.web.handed_in import FILE, file_in
from helpline.web.showing import go, show

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PUBLIC: Final = "public"
"""Anybody may ask: the sign-in page, files, health."""
SIGNED: Final = "signed"
"""A provider may ask; the hook itself checks the provider's signature."""


@dataclass(frozen=True)
class Route:
    """One thing that can be asked. `allow`: PUBLIC, SIGNED or an action of rules/permissions;
    `file_bytes`: how large a file its form may carry in the field "file" (request[FILE]); `stays`:
    it opens a socket or a stream that stays open, which no other route can; `again`: whoever signed
    in a while ago proves once more that it is them (web/again.py)."""

    method: str
    path: str
    page: Handler
    allow: str
    file_bytes: int = 0
    stays: bool = False
    again: bool = False


ALLOW: web.AppKey[Mapping[web.AbstractRoute, Route]] = web.AppKey("allow")

# --- headers -------------------------------------------------------------------------------------

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types default inert"
)
HSTS: Final = "max-age=31536000; includeSubDomains"
FRAMED: Final = re.compile(r"frame-ancestors (http|'self')")
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For every response there is, streams and files included. Pages are never stored by browsers:
    after signing out, Back must not show a case. RuntimeError, before anything is sent, for a
    socket or stream that the route table does not know of."""
    if _stays_open(response) and not ((route := _route(request)) and route.stays):
        raise RuntimeError("a socket or stream without a line in the route table")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if FRAMED.search(response.headers["Content-Security-Policy"]):
        del response.headers["X-Frame-Options"]  # it cannot name the sites that may show this page
    response.headers.setdefault("Cache-Control", "no-store")
    if house_of(request).settings.public_url.startswith("https://"):
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    response.headers["Server"] = "helpline"


@web.middleware
async def packing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page goes out packed to a browser that takes it."""
    response = await handler(request)
    if _may_be_packed(request, response):
        response.enable_compression()
    return response


def _may_be_packed(request: web.Request, response: web.StreamResponse) -> bool:
    """Whether a page may be sent packed: not where it could repeat what its address or a form gave
    it, for then its length would tell a stranger what else stands in it (BREACH)."""
    is_asked_plainly = request.method == "GET" and not request.query_string
    is_page = isinstance(response, web.Response) and response.content_type == "text/html"
    return is_asked_plainly and is_page and response.status == 200


# --- errors --------------------------------------------------------------------------------------

STATUS: Final[Mapping[type[HelplineError], tuple[int, str]]] = {
    NotFound: (404, "Not found"),
    NotAllowed: (403, "Not allowed"),
    Conflict: (409, "Somebody was faster"),
    InvalidInput: (400, "That could not be used"),
}
PLAIN: Final[Mapping[int, tuple[str, str]]] = {
    400: ("That could not be read", "What was sent could not be read. Go back and try again."),
    401: ("Sign in", "Sign in, then try again."),
    403: ("Not allowed", "Nothing was done."),
    404: ("Not found", "There is nothing at this address. Check it, or start from the first page."),
    405: (
        "Not possible",
        "This address takes a form only, and nothing was sent. Go back to the page it stands on.",
    ),
    413: ("Too large", "What was sent is too large. Shorten it and send it again."),
    415: ("That could not be read", "Only forms of our own pages can be sent here."),
    503: ("Try again in a moment", "The helpline could not take this just now. Try again."),
}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors become pages with a sentence; an unforeseen one is logged by its place only."""
    request[NOW] = house_of(request).clock.now()
    try:
        response = await handler(request)
    except HelplineError as error:
        status, title = _status_of(error)
        if isinstance(error, NotAllowed):
            await noting.refused(request, _route_name(request))
        response = failure(request, status, title, str(error))
    except web.HTTPException as error:
        response = _plain(request, error)
    except web.RequestPayloadError:  # broken chunks, or a body that is not encoded as it says
        response = _plain(request, web.HTTPBadRequest())
        response.force_close()
    except ConnectionError:  # the client went away: there is nobody to tell
        response = web.Response(status=400)
    except Exception as error:
        log().error("page.failed", route=_route_name(request), where=where(error))
        sentence = "Something went wrong here. Nothing was changed. Try again in a minute."
        response = failure(request, 500, "Something went wrong", sentence)
    counting.count(_route_name(request), request.method, response.status)
    return response


def failure(
    request: web.Request, status: int, title: str, sentence: str, **values: Any
) -> web.Response:
    """The page of an error; providers and scripts get the sentence alone."""
    if _is_machine(request):
        return web.Response(text=sentence + "\n", status=status)
    return show(request, "failure.html.j2", status, title=title, sentence=sentence, **values)


def _status_of(error: HelplineError) -> tuple[int, str]:
    return next((page for kind, page in STATUS.items() if isinstance(error, kind)), (400, ""))


def _plain(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        return web.Response(status=error.status, headers=error.headers)
    unread = ("That could not be done", "Go back and try again.")
    title, sentence = PLAIN.get(error.status, unread)
    if _is_machine(request) and error.text:
        sentence = error.text.strip()
    response = failure(request, error.status, title, sentence)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def _is_machine(request: web.Request) -> bool:
    route = _route(request)
    return (route is not None and route.allow == SIGNED) or request.path.startswith(
        ("/hooks/", "/live/", "/static/")
    )


# --- access --------------------------------------------------------------------------------------


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Deny by default: only what the route table allows to this asker reaches its page."""
    if any("\x00" in one or not _can_be_written(one) for one in request.match_info.values()):
        raise NotFound("There is nothing at this address.")
    route = _route(request)
    if route is None or route.allow == SIGNED:  # no such page, or a hook that checks by itself
        return await handler(request)
    changes = request.method not in ("GET", "HEAD")
    if changes:
        auth.check_origin(request)
    if route.allow == PUBLIC:
        return await handler(request)
    signed = await auth.recognise(request)
    if signed is None:
        return await _signed_out(request)
    if route.file_bytes:  # nobody who may not hands in a large body
        require(signed.actor, route.allow)
        file = await file_in(request, "file", route.file_bytes)
        if file is not None:
            request[FILE] = file
    elif changes:
        await form_of(request)
    require(signed.actor, route.allow)
    if changes:
        await auth.check_token(request, signed)
    if not auth.is_whole(request, signed) and not _is_unfinished(request, route):
        return _second_first(request)
    if route.again and (question := await again.ask_first(request, signed)) is not None:
        return question
    request[SIGNED_IN] = replace(signed, actor=as_for(signed.actor, route.allow))
    with asked_by(signed.actor.contract, signed.actor.role):
        response = await handler(request)
    auth.hand_over(request, response)
    await noting.note(request, route.path, response, signed.actor)
    return response


def _is_unfinished(request: web.Request, route: Route) -> bool:
    """All that a session of one factor may where two are required: set up the other, or leave."""
    return route.allow == "factor.own" or request.path == "/logout"


def _second_first(request: web.Request) -> web.StreamResponse:
    if request.method in ("GET", "HEAD"):
        return go("/account/second")
    raise NotAllowed("Set up your second factor first: it takes two minutes.")


async def _signed_out(request: web.Request) -> web.StreamResponse:
    """To the sign-in page and back. What was typed into a form is shown, not thrown away."""
    if request.method in ("GET", "HEAD"):
        if request.path.startswith("/live/") or "HX-Request" in request.headers:
            return web.Response(status=401, headers={"HX-Redirect": "/login"}, text="Sign in.\n")
        path = request.path if request.path != "/" else ""
        return go(f"/login?next={quote(path)}" if path else "/login")
    await file_in(request, "file", 1)  # of a form with a file, what was typed above it
    typed = await form_of(request)
    texts = [value for name in TEXTS for value in typed.get(name, []) if value.strip()]
    sentence = "You were signed out, so nothing was sent or saved. Sign in and send it again."
    title = "You were signed out"
    return failure(request, 401, title, sentence, texts=texts, sign_in=True)


TEXTS: Final = ("text", "body", "why")
"""The form fields in which somebody may have typed for minutes."""


def _stays_open(response: web.StreamResponse) -> bool:
    is_stream = not isinstance(response, web.Response)
    return isinstance(response, web.WebSocketResponse) or (
        is_stream and response.content_type == "text/event-stream"
    )


def _can_be_written(text: str) -> bool:
    """No half of a sign: a database refuses to look for one, and for a nought byte."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _route(request: web.Request) -> Route | None:
    return request.app[ALLOW].get(request.match_info.route)


def _route_name(request: web.Request) -> str:
    """The pattern, never the address that was asked for: that may carry a reference."""
    route = _route(request)
    return route.path if route else "none"


MIDDLEWARES: Final = (packing, errors, admit)
