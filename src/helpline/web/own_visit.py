"""The cookie of a carer's visit to their own page, and what every answer there carries.

Called by web/pages/own.py. The cookie is none of a worker's: it opens one person's own page for two
hours at most and nothing of the console, and it leaves with the browser. Who may see what is
decided in desk/page_links.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import page_links
from helpline.desk.page_links import Visit
from helpline.errors import HelplineError, NotAllowed, NotFound
from helpline.rules import languages, saying
from helpline.web import auth
from helpline.web.asked import contract_of, field, house_of, now_of
from helpline.web.showing import ZONE, rendered

COOKIE: Final = "helpline-page"
TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
RIGHT_TO_LEFT: Final = frozenset(["ar", "fa", "ur"])
CALLED: Final = {
    "en": "English",
    "ar": "العربية",
    "bn": "বাংলা",
    "es": "Español",
    "fa": "فارسی",
    "fr": "Français",
    "pa": "ਪੰਜਾਬੀ",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "so": "Soomaali",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
}
"""Each language in itself: whoever looks for theirs may read no English."""


def token_of(request: web.Request) -> str:
    """The token of the visit; empty where there is none."""
    given = request.cookies.get(auth.cookie_name(request, COOKIE), "")
    return given if TOKEN.fullmatch(given) else ""


def form_key(request: web.Request) -> str:
    """What each form of a visit carries: it cannot be had from another site, nor the token from
    it."""
    return hashlib.sha256(f"form:{token_of(request)}".encode()).hexdigest()[:32]


async def check_form(request: web.Request) -> None:
    if not hmac.compare_digest((await field(request, "key")).encode(), form_key(request).encode()):
        raise NotAllowed("This form is out of date. Load your page again.")


async def visit_of(request: web.Request) -> Visit:
    """Whoever asks, and that they were here; NotFound when the visit is over."""
    house, now, token = house_of(request), now_of(request), token_of(request)
    if not token:
        raise NotFound(page_links.GONE)
    async with house.db.read() as session:
        visit = await page_links.who(session, token, now)
    seen_at = visit.link.seen_at
    if seen_at is None or now - seen_at >= page_links.SEEN_EVERY:
        async with house.db.write() as session:
            await page_links.note_seen(session, visit, now)
    return visit


def let_in(request: web.Request, response: web.StreamResponse, token: str) -> None:
    """For as long as the browser is open, and never along with a link from another site."""
    response.set_cookie(
        auth.cookie_name(request, COOKIE),
        token,
        path="/",
        httponly=True,
        secure=_is_secure(request),
        samesite="Strict",
    )


def let_out(request: web.Request, response: web.StreamResponse) -> None:
    response.del_cookie(
        auth.cookie_name(request, COOKIE), path="/", secure=_is_secure(request), samesite="Strict"
    )


def show_own(
    request: web.Request,
    template: str,
    language: str,
    contract: Contract | None,
    status: int = 200,
    **values: Any,
) -> web.Response:
    """A page of theirs: the fixed words in their language, nothing kept by the browser, nothing
    told to the page that is opened next."""
    house = house_of(request)
    text = rendered(
        request,
        template,
        zone=contract.zone if contract else ZONE,
        lang=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        say=_sayer(request, language),
        at=_times(request, language, contract),
        day_of=_days(language, contract),
        contract=contract,
        exit_url=house.settings.exit_url,
        called=CALLED,
        key=form_key(request),
        **values,
    )
    # The middleware says "no-store", and that no other site hears where they come from. To hear it
    # nowhere at all would make browsers send our own forms without their origin.
    return web.Response(text=text, status=status, content_type="text/html")


def gone(request: web.Request, language: str = "en") -> web.Response:
    """The one sentence for every link and every visit that opens nothing any more."""
    response = show_own(request, "own_gone.html.j2", language, None, 404)
    let_out(request, response)
    return response


async def guarded(
    request: web.Request, page: Callable[[Visit, Contract], Any]
) -> web.StreamResponse:
    """A page of a visit that lasts; the one sentence where it is over."""
    try:
        visit = await visit_of(request)
        contract = contract_of(request, visit.link.contract)
    except HelplineError:
        return gone(request)
    response: web.StreamResponse = await page(visit, contract)
    return response


def language_of(request: web.Request) -> str:
    """What the browser asks for, where we have it: before anybody is known."""
    for said in request.headers.get("Accept-Language", "")[:200].split(","):
        code = said.partition(";")[0].strip().lower().partition("-")[0]
        if code == "en" or code in languages.NAMES:
            return code
    return "en"


def _sayer(request: web.Request, language: str) -> Callable[..., str]:
    wording = house_of(request).wording

    def say(key: str, /, **values: Any) -> str:
        apart = {name: _apart(str(value), language) for name, value in values.items()}
        return wording.say(f"page.{key}", language, **apart)

    return say


def _times(request: web.Request, language: str, contract: Contract | None) -> Callable[[Any], str]:
    """A time in words in English, in figures in any other language: nothing to be put into words
    that nobody checked."""
    zone, now = contract.zone if contract else ZONE, now_of(request)

    def at(instant: Any) -> str:
        if language == "en":
            return saying.by_when(instant, now, zone)
        return _apart(saying.in_figures(instant, zone), language)

    return at


def _days(language: str, contract: Contract | None) -> Callable[..., str]:
    """The same for what has happened: always with its year, because it is printed and kept."""
    zone = contract.zone if contract else ZONE

    def day_of(instant: Any, *, with_time: bool = False) -> str:
        local = instant.astimezone(ZoneInfo(zone))
        if language != "en":
            return _apart(f"{local:%d/%m/%Y %H:%M}" if with_time else f"{local:%d/%m/%Y}", language)
        day = f"{local.day} {local:%B %Y}"
        return f"{day}, {saying.clock_time(local)}" if with_time else day

    return day_of


def _apart(value: str, language: str) -> str:
    """A number, a name or a time in a text that runs from right to left keeps its own direction."""
    return f"\u2068{value}\u2069" if value and language in RIGHT_TO_LEFT else value


def _is_secure(request: web.Request) -> bool:
    return house_of(request).settings.public_url.startswith("https://")
