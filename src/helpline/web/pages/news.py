"""News: written by anybody, shown as it will look and whom it reaches, sent by a lead after a
second look, followed while it goes out slowly, and stopped by anybody."""

from typing import Any

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import chosen, news
from helpline.desk.chosen import Choice
from helpline.errors import Conflict, InvalidInput
from helpline.models import News
from helpline.rules.permissions import may
from helpline.vocabulary import UNKNOWN, NeedKind, NewsState
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    fields,
    form_of,
    house_of,
    now_of,
    number_in_path,
    one_of,
    row_id,
)
from helpline.web.pages.case import Words
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import go, show, which_council

_WRONG = {"Give it a name": "title", "Write what they": "body", "This is": "body"}
CHOICES = ("groups", "quadrants", "teams", "needs")
WORKING = (NewsState.DRAFT, NewsState.READY)


async def show_news(request: web.Request) -> web.Response:
    contracts = {one.key: one for one in contracts_of(request, "news.write")}
    async with house_of(request).db.read() as session:
        listed = await news.listed(session, list(contracts))
        agreed = {key: await news.agreed_count(session, key) for key in contracts}
        reach = [await chosen.reach(session, one, now_of(request)) for one in contracts.values()]
    return show(
        request,
        "news.html.j2",
        listed=listed,
        agreed=[(contracts[key].council, number) for key, number in agreed.items()],
        reach=reach,
        may_send=may(actor_of(request), "news.send"),
        done=request.query.get("done", ""),
    )


async def ask_new(request: web.Request) -> web.Response:
    return await _form(request)


async def write(request: web.Request) -> web.Response:
    """A new draft, or one written anew; then it is shown as it will arrive."""
    news_id = row_id(request.match_info.get("id", ""))
    actor, now = actor_of(request), now_of(request)
    contracts = contracts_of(request, "news.write")
    try:
        async with house_of(request).db.write() as session:
            found = await news.find(session, actor, news_id) if news_id is not None else None
            contract = await one_of(request, contracts)
            contract = contract_of(request, found.contract) if found is not None else contract
            if contract is None:
                raise InvalidInput("Choose a contract from the list.")
            title, body = await field(request, "title"), await field(request, "body")
            choice = await _choice(request)
            made = await news.write(session, contract, title, body, choice, actor, now, found)
    except (InvalidInput, Conflict) as error:
        return await _form(request, news_id, str(error))
    return go(f"/news/{made.id}")


async def show_one(request: web.Request) -> web.Response:
    return await _page(request)


async def ask_change(request: web.Request) -> web.Response:
    return await _form(request, number_in_path(request, "id"))


async def make_ready(request: web.Request) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            found = await news.find(session, actor, number_in_path(request, "id"))
            await news.make_ready(session, found, actor, now)
    except Conflict as error:
        return await _page(request, 409, str(error))
    return go(f"/news/{found.id}?done=ready")


async def look_again(request: web.Request) -> web.Response:
    """The second look: the words and the number once more, and the button that sends."""
    return await _page(request, is_second=True)


async def send(request: web.Request) -> web.Response:
    actor, now, house = actor_of(request), now_of(request), house_of(request)
    counted = row_id(await field(request, "counted"))
    try:
        async with house.db.write() as session:
            found = await news.find(session, actor, number_in_path(request, "id"))
            contract = contract_of(request, found.contract)
            if counted is None:
                raise InvalidInput("Look at how many get it, then send it.")
            await news.send(session, contract, found, counted, actor, now)
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(request, status, str(error), is_second=True)
    return go(f"/news/{found.id}?done=sending")


async def stop(request: web.Request) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            found = await news.find(session, actor, number_in_path(request, "id"))
            await news.stop(session, found, actor, now)
    except Conflict as error:
        return await _page(request, 409, str(error))
    return go(f"/news/{found.id}?done=stopped")


async def _page(
    request: web.Request, status: int = 200, problem: str = "", is_second: bool = False
) -> web.Response:
    house, now = house_of(request), now_of(request)
    async with house.db.read() as session:
        found = await news.find(session, actor_of(request), number_in_path(request, "id"))
        contract = contract_of(request, found.contract)
        is_draft = found.state in WORKING
        preview = await news.preview(session, contract, house.wording, found, now)
        progress = None if is_draft else await news.progress(session, found.id or 0)
    return show(
        request,
        "news_one.html.j2",
        status,
        zone=contract.zone,
        one=found,
        contract=contract,
        preview=preview,
        progress=progress,
        chosen=_chosen_words(contract, found),
        minutes=-(-preview.counts["gets"] // contract.news.per_minute),
        is_draft=is_draft,
        is_second=is_second and is_draft,
        may_send=may(actor_of(request), "news.send", contract.key),
        problem=problem,
        done=request.query.get("done", ""),
    )


async def _form(
    request: web.Request, news_id: int | None = None, problem: str = ""
) -> web.Response:
    contracts, found = contracts_of(request, "news.write"), None
    if news_id is not None:
        async with house_of(request).db.read() as session:
            found = await news.find(session, actor_of(request), news_id)
    only = await one_of(request, contracts)
    contract = contract_of(request, found.contract) if found is not None else only
    if contract is None:
        return which_council(request, "Write news", "/news/new", "/news", problem)
    typed = await form_of(request) if problem else {}
    had = chosen.of(found) if found is not None else Choice()
    return show(
        request,
        "news_form.html.j2",
        400 if problem else 200,
        one=found,
        contract=contract,
        lists=_lists(contract),
        ticked={name: typed.get(name, []) if problem else getattr(had, name) for name in CHOICES},
        never_came=bool(typed.get("never_came")) if problem else had.never_came,
        form="news" if problem else "",
        problem=problem,
        wrong=wrong_field(_WRONG, problem, "title"),
        typed={name: values[-1] for name, values in typed.items()},
    )


async def _choice(request: web.Request) -> Choice:
    return Choice(
        groups=await fields(request, "groups"),
        quadrants=await fields(request, "quadrants"),
        teams=await fields(request, "teams"),
        needs=await fields(request, "needs"),
        never_came=bool(await field(request, "never_came")),
    )


def _lists(contract: Contract) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Field, what it says and what may be ticked."""
    needs = [(need.value, need.value.replace("_", " ").capitalize()) for need in NeedKind]
    return [
        (
            "groups",
            "Groups",
            [(one.code, one.name) for one in contract.groups if one.code != UNKNOWN],
        ),
        ("quadrants", "Areas", [(one.code, one.name) for one in contract.quadrants]),
        ("teams", "Teams", [(one.code, one.name) for one in contract.teams]),
        ("needs", "Needs", needs),
    ]


def _chosen_words(contract: Contract, found: News) -> list[str]:
    choice, words = chosen.of(found), Words(contract)
    listed: list[tuple[str, Any]] = [
        ("group", choice.groups),
        ("quadrant", choice.quadrants),
        ("team", choice.teams),
    ]
    said = [words(kind, code) for kind, codes in listed for code in codes]
    said += ["never came to us"] if choice.never_came else []
    return [*said, *(need.replace("_", " ") for need in choice.needs), *choice.languages]
