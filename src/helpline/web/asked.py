"""What a page may ask of its request: the house, the time, who is signed in, the form.

The middleware puts these on the request once; pages read them here and never touch cookies,
headers or the clock themselves.
"""

from datetime import datetime
from urllib.parse import parse_qsl

from aiohttp import web

from helpline.contract import Contract
from helpline.desk.access import SignedIn
from helpline.desk.house import House
from helpline.desk.inbox import tidy
from helpline.errors import InvalidInput, NotFound
from helpline.rules.permissions import Actor, may
from helpline.web.hooks import HOUSE as HOUSE  # one name for all pages
from helpline.web.hooks import whole_body

NOW = web.RequestKey("now", datetime)
SIGNED_IN = web.RequestKey("signed_in", SignedIn)
FORM = web.RequestKey("form", dict[str, list[str]])

LARGEST_ID = 2**31 - 1
MOST_FIELDS = 200
FORM_BYTES = 128 * 1024
"""The longest note is 20,000 letters, which as a form may take six times as many bytes."""


def house_of(request: web.Request) -> House:
    return request.app[HOUSE]


def now_of(request: web.Request) -> datetime:
    """The time of this request: read once."""
    return request[NOW]


def signed_in(request: web.Request) -> SignedIn | None:
    return request.get(SIGNED_IN)


def actor_of(request: web.Request) -> Actor:
    """Who asks. Only for pages whose route names an action: there somebody is always signed in."""
    return request[SIGNED_IN].actor


def contracts_of(request: web.Request, action: str) -> list[Contract]:
    """The contracts in which the asker may do `action`, in the order of their keys."""
    found = house_of(request).contracts
    return [found[key] for key in sorted(found) if may(actor_of(request), action, key)]


def narrowed(request: web.Request, contracts: list[Contract]) -> list[Contract]:
    """Those of one council, where the address names it; else all of them."""
    key = request.query.get("contract", "")
    return [one for one in contracts if one.key == key] or contracts


async def one_of(request: web.Request, contracts: list[Contract]) -> Contract | None:
    """The contract that a form or an address names, or the only one there is; None where somebody
    works for several and has not said."""
    named = await field(request, "contract") if request.method == "POST" else ""
    key = named or request.query.get("contract", "")
    found = [one for one in contracts if one.key == key] if key else contracts
    return found[0] if len(found) == 1 else None


def contract_of(request: web.Request, key: str) -> Contract:
    """The contract of a case; NotFound when its file is gone, which `helpline check` reports."""
    contract = house_of(request).contracts.get(key)
    if contract is None:
        raise NotFound("The contract of this case is not set up here. Tell your administrator.")
    return contract


def number_in_path(request: web.Request, name: str) -> int:
    """A row's id in the address; NotFound for anything that cannot be one."""
    number = row_id(request.match_info[name])
    if number is None:
        raise NotFound("There is nothing at this address.")
    return number


def row_id(text: str) -> int | None:
    """The id of a row, from an address or a field; None for what can be none: PostgreSQL refuses
    to look for a larger one."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 10
    return int(text) if is_number and int(text) <= LARGEST_ID else None


async def form_of(request: web.Request) -> dict[str, list[str]]:
    """The fields of a posted form, read once. InvalidInput or 413 for what is none of ours."""
    if FORM not in request:
        request[FORM] = _fields(request, await whole_body(request, FORM_BYTES))
    return request[FORM]


async def field(request: web.Request, name: str) -> str:
    """One field as text, without surrounding blanks; empty when it was not sent."""
    values = (await form_of(request)).get(name)
    return values[-1].strip() if values else ""


async def fields(request: web.Request, name: str) -> list[str]:
    """All values of a field: the ticked boxes."""
    return (await form_of(request)).get(name, [])


def _fields(request: web.Request, body: bytes) -> dict[str, list[str]]:
    if body and request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPUnsupportedMediaType(text="This is not a form of our pages.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise InvalidInput("This form has more fields than any of ours. Reload the page.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(tidy(value).replace("\r\n", "\n"))
    return found
