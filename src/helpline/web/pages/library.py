"""The library: what may be sent as it stands, what waits for its owner, and the old words of each
item. Also the one public page of it: a policy, as the link in a message shows it to a carer."""

from datetime import date
from typing import Any, Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import cases, given, library
from helpline.desk.library import Draft, Entry
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.rules.permissions import may
from helpline.vocabulary import LibraryKind
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    narrowed,
    now_of,
    number_in_path,
    one_of,
    row_id,
)
from helpline.web.pages.case import Words
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import go, show, which_council

KIND_WORDS: Final = {
    LibraryKind.ANSWER: "Answer",
    LibraryKind.PUBLICATION: "Publication",
    LibraryKind.SIGNPOST: "Signpost",
    LibraryKind.POLICY: "Policy",
    LibraryKind.DISCOUNT: "Discount",
}
CODE_WORDS: Final = {
    library.OWN_POLICY: "How to complain about us",
    library.COUNCILS_POLICY: "The council's own policy",
}
_WRONG: Final = {
    "Choose what it is:": "kind",
    "Give it a title": "title",
    "Write the words": "body",
    "Choose what it is about": "topic",
    "Choose for where": "locality",
    "Only a policy": "code",
    "There is one already": "code",
    "Give the language": "language",
    "Say until when": "valid_until",
    "Give the review day": "review_on",
    "Give the day it was verified": "verified_on",
    "Give the last day": "valid_until",
}
"""How a sentence begins → the field it is about."""
_DAYS: Final = {
    "review_on": "Give the review day",
    "verified_on": "Give the day it was verified",
    "valid_until": "Give the last day",
}


async def show_library(request: web.Request) -> web.Response:
    """What fits; what waits for its owner first. It is about nobody, so it may be asked by GET."""
    asked, kind = request.query.get("asked", "")[:100], request.query.get("kind", "")
    topic = request.query.get("topic", "")
    everywhere = contracts_of(request, "library.read")
    contracts = {one.key: one for one in narrowed(request, everywhere)}
    kind = kind if kind in list(LibraryKind) else ""
    async with house_of(request).db.read() as session:
        now = now_of(request)
        found = await library.entries(session, contracts, now, asked=asked, kind=kind, topic=topic)
        everything = (
            found if not (asked or kind) else await library.entries(session, contracts, now)
        )
    if topic:
        found = [one for one in found if one.topic in ("", topic)]
    return show(
        request,
        "library.html.j2",
        found=found,
        waiting=[one for one in everything if _waits(one)],
        kind_words=KIND_WORDS,
        topics=_topics(list(contracts.values())),
        only=next(iter(contracts)) if len(contracts) == 1 < len(everywhere) else "",
        words={key: Words(contract) for key, contract in contracts.items()},
        may_write=may(actor_of(request), "library.write"),
        done=request.query.get("done", ""),
        form="find",
        wrong="",
        problem="",
        typed={"asked": asked, "kind": kind, "topic": topic},
    )


async def ask_new(request: web.Request) -> web.Response:
    return await _form(request)


async def add(request: web.Request) -> web.Response:
    contracts = contracts_of(request, "library.write")
    try:
        contract = await one_of(request, contracts)
        if contract is None:
            raise InvalidInput("Choose a contract from the list.")
        draft = await _draft(request)
        async with house_of(request).db.write() as session:
            item = await library.add(session, contract, draft, actor_of(request), now_of(request))
    except (InvalidInput, Conflict) as error:
        return await _form(request, problem=str(error))
    return go(f"/library/{item.id}?done=added")


async def show_item(request: web.Request) -> web.Response:
    return await _form(request, number_in_path(request, "id"))


async def change(request: web.Request) -> web.Response:
    item_id = number_in_path(request, "id")
    try:
        draft = await _draft(request)
        async with house_of(request).db.write() as session:
            item = await library.find_item(session, actor_of(request), item_id)
            contract = contract_of(request, item.contract)
            await library.change(
                session, contract, item_id, draft, actor_of(request), now_of(request)
            )
    except (InvalidInput, Conflict) as error:
        return await _form(request, item_id, str(error))
    return go(f"/library/{item_id}?done=changed")


async def verify(request: web.Request) -> web.Response:
    """Somebody rang, or opened the page: it is right."""
    item_id = number_in_path(request, "id")
    async with house_of(request).db.write() as session:
        item = await library.find_item(session, actor_of(request), item_id)
        contract = contract_of(request, item.contract)
        await library.verify(session, contract, item_id, actor_of(request), now_of(request))
    return go(f"/library/{item_id}?done=verified")


async def withdraw(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        item_id = number_in_path(request, "id")
        await library.withdraw(session, item_id, actor_of(request), now_of(request))
    return go("/library?done=withdrawn")


async def read_policy(request: web.Request) -> web.Response:
    """For anybody, without an account: one of the two policies as it stands today."""
    contract = house_of(request).contracts.get(request.match_info["contract"])
    code = request.match_info["code"]
    if contract is None or code not in library.DOCUMENTS:
        raise NotFound("There is nothing at this address.")
    async with house_of(request).db.read() as session:
        found = await library.document(session, contract.key, code)
    if found is None:
        raise NotFound("This policy is not here yet. Write or ring, and we will read it to you.")
    exit_url = house_of(request).settings.exit_url
    return show(request, "policy.html.j2", contract=contract, found=found, exit_url=exit_url)


async def _draft(request: web.Request) -> Draft:
    return Draft(
        kind=await field(request, "kind"),
        title=await field(request, "title"),
        body=await field(request, "body"),
        topic=await field(request, "topic"),
        locality=await field(request, "locality"),
        language=(await field(request, "language") or library.LANGUAGE).lower(),
        code=await field(request, "code"),
        owner_id=row_id(await field(request, "owner")),
        review_on=await _day(request, "review_on"),
        verified_on=await _day(request, "verified_on"),
        valid_until=await _day(request, "valid_until"),
    )


async def _day(request: web.Request, name: str) -> date | None:
    text = await field(request, name)
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day is not None and not 2000 <= day.year <= 2100:
        raise InvalidInput(f"{_DAYS[name]} like 2027-01-31, or leave it empty.")
    return day


async def _form(
    request: web.Request, item_id: int | None = None, problem: str = ""
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    writable = contracts_of(request, "library.write")
    entry, versions, times, by_language = None, [], (0, 0), []
    async with house_of(request).db.read() as session:
        if item_id is not None:
            item = await library.find_item(session, actor, item_id)
            contract = contract_of(request, item.contract)
            language = request.query.get("language", library.LANGUAGE)
            (entry,) = await library.entries(
                session, {contract.key: contract}, now, only=[item_id], language=language
            )
            versions = list(await library.versions(session, item_id))
            times = await given.times_given(session, item_id)
            by_language = sorted({one.language for one, _ in versions})
        else:
            only = await one_of(request, writable)
            if only is None:
                title = "Write something new"
                return which_council(request, title, "/library/new", "/library", problem)
            contract = only
        owners = await cases.workers_for(session, contract.key)
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "library_item.html.j2",
        400 if problem else 200,
        zone=contract.zone,
        entry=entry,
        contract=contract,
        versions=versions,
        times=times,
        languages=by_language,
        kind_words=KIND_WORDS,
        code_words=CODE_WORDS,
        topics=_topics([contract]),
        localities=[(one.code, one.name) for one in contract.quadrants],
        owners=[(one.id, one.shown_name) for one in owners],
        words=Words(contract),
        may_write=may(actor, "library.write", contract.key)
        and not (entry is not None and (entry.is_of_contract or entry.is_withdrawn)),
        done=request.query.get("done", ""),
        form="item" if problem else "",
        problem=problem,
        wrong=wrong_field(_WRONG, problem, "title"),
        typed={name: values[-1] for name, values in typed.items()},
    )


def _waits(entry: Entry) -> bool:
    return (entry.is_overdue or entry.is_old) and not entry.is_over


def _topics(contracts: list[Contract]) -> list[tuple[str, Any]]:
    return list({one.code: one.name for each in contracts for one in each.reasons}.items())
