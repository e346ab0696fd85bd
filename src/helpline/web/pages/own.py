"""A carer's own page, opened by a one-time link from their own telephone or mailbox.

Nobody is signed in here. The link shows a button and nothing else, because programs that preview a
message open its links; pressing it uses the link up and begins a visit (web/own_visit.py). All of
it works without a script and on an old telephone.
"""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from helpline.contract import Contract
from helpline.db import asked_by
from helpline.desk import guessing, own_page, page_links, readers, safety
from helpline.desk.own_page import Way
from helpline.desk.page_links import Visit
from helpline.errors import HelplineError, InvalidInput
from helpline.models import Case
from helpline.rules import own_page as rules
from helpline.rules.own_page import Shows
from helpline.rules.safety import SafeRules, from_words
from helpline.web import auth
from helpline.web.asked import contract_of, field, fields, form_of, house_of, now_of
from helpline.web.own_visit import (
    check_form,
    gone,
    guarded,
    language_of,
    let_in,
    let_out,
    show_own,
    token_of,
)
from helpline.web.showing import go

WAYS = ("sms", "whatsapp", "telegram", "email", "voice")
CARER = "carer"
"""The role that row security hears of: within their contract, and it is no role of the console."""
FIXED = tuple(f"panel_{name}" for name in ("diary", "letters", "notes", "report"))
OF_LAW = tuple(f"panel_{name}" for name in ("approval", "review", "visits"))
LAST = tuple(f"panel_{name}" for name in ("training", "people", "questions", "say"))


async def ask(request: web.Request) -> web.Response:
    """What the link shows: a button. Nothing is used up by looking, and nothing of them is said."""
    try:
        async with house_of(request).db.read() as session:
            visit = await page_links.find(session, request.match_info["token"], now_of(request))
    except HelplineError:
        return gone(request, language_of(request))
    contract = contract_of(request, visit.link.contract)
    return show_own(request, "own_open.html.j2", visit.language, contract)


async def enter(request: web.Request) -> web.StreamResponse:
    """The button was pressed: the link is used up and the visit begins."""
    house, now = house_of(request), now_of(request)
    try:
        async with house.db.write() as session:
            await guessing.count_step(session, auth.client_address(request), now)
            _, token = await page_links.open_once(session, request.match_info["token"], now)
    except InvalidInput:
        raise
    except HelplineError:
        return gone(request, language_of(request))
    response = go("/page")
    let_in(request, response, token)
    return response


async def show_now(request: web.Request) -> web.StreamResponse:
    async def page(visit: Visit, contract: Contract) -> web.Response:
        now = now_of(request)
        async with house_of(request).db.read() as session:
            of_them, chosen = await _matters(session, request, visit)
            found = await own_page.standing(session, contract, chosen, now)
            values: dict[str, Any] = {"found": found, "is_little": visit.shows is Shows.LITTLE}
            if visit.shows is Shows.ALL:
                promised = await own_page.promises(session, chosen)
                steps = await own_page.steps(session, contract, chosen, found, promised, now)
                ways = await own_page.ways(session, contract, chosen)
                values |= {"promised": promised, "steps": steps, "ways": ways}
        values["helps"] = _helps(contract, chosen, values.get("ways"), now)
        return _own(request, visit, contract, "own.html.j2", of_them, chosen, **values)

    return await _for_them(request, page, everything=False)


async def show_diary(request: web.Request) -> web.StreamResponse:
    async def page(visit: Visit, contract: Contract) -> web.Response:
        async with house_of(request).db.read() as session:
            of_them, chosen = await _matters(session, request, visit)
            lines = await own_page.diary(session, contract, chosen)
        return _own(request, visit, contract, "own_diary.html.j2", of_them, chosen, lines=lines)

    return await _for_them(request, page)


async def show_panel(request: web.Request) -> web.StreamResponse:
    async def page(visit: Visit, contract: Contract) -> web.Response:
        async with house_of(request).db.read() as session:
            of_them, chosen = await _matters(session, request, visit)
        group = next((one for one in contract.groups if one.code == chosen.group), None)
        has_law = group.fostering_law if group else True
        listed = (*FIXED, *(OF_LAW if has_law else ()), *LAST)
        return _own(request, visit, contract, "own_panel.html.j2", of_them, chosen, listed=listed)

    return await _for_them(request, page)


async def show_readers(request: web.Request) -> web.StreamResponse:
    async def page(visit: Visit, contract: Contract) -> web.Response:
        async with house_of(request).db.write() as session:
            of_them, chosen = await _matters(session, request, visit)
            found = await readers.readings_for_them(session, [chosen.id or 0])
            await page_links.note(session, visit, "page.readers_shown", now_of(request))
        return _own(request, visit, contract, "own_readers.html.j2", of_them, chosen, found=found)

    return await _for_them(request, page)


async def show_contact(request: web.Request) -> web.StreamResponse:
    async def page(visit: Visit, contract: Contract) -> web.Response:
        return await _contact_page(request, visit, contract)

    return await _for_them(request, page)


async def change_contact(request: web.Request) -> web.StreamResponse:
    """What makes it safer holds at once; anything else a person asks them about first."""

    async def page(visit: Visit, contract: Contract) -> web.Response:
        await check_form(request)
        now = now_of(request)
        try:
            async with house_of(request).db.write() as session:
                held = await safety.rules_of(session, visit.person.id or 0)
                wished = await _wished(request, held)
                is_kept = await safety.ask_themself(session, visit.case, wished, now)
        except InvalidInput:
            return await _contact_page(request, visit, contract, 400, problem="contact_wrong")
        if is_kept and rules.is_shut_by(wished, visit.address.channel):
            return await _left(request, visit.language, contract, done="contact_done")
        done = "contact_done" if is_kept else "contact_asked"
        return await _contact_page(request, visit, contract, done=done)

    return await _for_them(request, page)


async def choose_language(request: web.Request) -> web.StreamResponse:
    async def page(visit: Visit, contract: Contract) -> web.Response:
        await check_form(request)
        chosen = (await field(request, "language"))[:5]
        async with house_of(request).db.write() as session:
            await page_links.speak(session, visit, chosen, now_of(request))
        return go("/page")

    return await _for_them(request, page, everything=False)


async def leave(request: web.Request) -> web.StreamResponse:
    """The way out. It needs no key and no visit that lasts: whatever is open closes, and the
    browser goes on to a page that has nothing to do with us."""
    with contextlib.suppress(HelplineError):
        await form_of(request)
    return await _left(request, language_of(request), None)


# --- private -------------------------------------------------------------------------------------


async def _for_them(
    request: web.Request, page: Any, *, everything: bool = True
) -> web.StreamResponse:
    """`everything`: a page that only those see of whom it is certain who they are."""

    async def inside(visit: Visit, contract: Contract) -> web.StreamResponse:
        if everything and visit.shows is not Shows.ALL:
            return go("/page")
        with asked_by(visit.link.contract, CARER):
            response: web.StreamResponse = await page(visit, contract)
        return response

    return await guarded(request, inside)


async def _matters(session: Any, request: web.Request, visit: Visit) -> tuple[list[Case], Case]:
    """Their own, and the one that is shown: its place in the list stands in the address, never its
    reference."""
    of_them = await own_page.matters(session, visit)
    said = request.query.get("m", "")
    if said.isascii() and said.isdigit() and 0 < int(said[:3]) <= len(of_them):
        return of_them, of_them[int(said[:3]) - 1]
    asked = (one for one in of_them if one.id == visit.case.id)
    return of_them, next(asked, visit.case)


def _own(
    request: web.Request,
    visit: Visit,
    contract: Contract,
    template: str,
    of_them: Sequence[Case],
    chosen: Case,
    status: int = 200,
    **values: Any,
) -> web.Response:
    place = next((n for n, one in enumerate(of_them, 1) if one.id == chosen.id), 1)
    default = next((n for n, one in enumerate(of_them, 1) if one.id == visit.case.id), 1)
    values |= {"visit": visit, "case": chosen, "matters": of_them, "place": place}
    values["suffix"] = "" if place == default else f"?m={place}"
    values["has_all"] = visit.shows is Shows.ALL
    return show_own(request, template, visit.language, contract, status, **values)


async def _contact_page(
    request: web.Request,
    visit: Visit,
    contract: Contract,
    status: int = 200,
    *,
    problem: str = "",
    done: str = "",
) -> web.Response:
    async with house_of(request).db.read() as session:
        of_them, chosen = await _matters(session, request, visit)
        held = await safety.rules_of(session, visit.person.id or 0)
    typed = {
        "begins": held.begins.isoformat("minutes") if held.begins else "",
        "ends": held.ends.isoformat("minutes") if held.ends else "",
        "not_by": held.not_by,
        "no_voicemail": held.no_voicemail,
        "neutral_only": held.neutral_only,
    }
    if problem:
        typed = {
            name: await field(request, name)
            for name in ("begins", "ends", "no_voicemail", "neutral_only")
        } | {"not_by": tuple(await fields(request, "not_by"))}
    values = {"typed": typed, "ways": WAYS, "problem": problem, "done": done}
    return _own(request, visit, contract, "own_contact.html.j2", of_them, chosen, status, **values)


async def _wished(request: web.Request, held: SafeRules) -> SafeRules:
    """What the form says; what it does not ask (a code name, ways agreed besides) stays."""
    not_by = [one for one in await fields(request, "not_by") if one in WAYS]
    return from_words(
        await field(request, "begins"),
        await field(request, "ends"),
        held.code_name,
        bool(await field(request, "no_voicemail")),
        bool(await field(request, "neutral_only")),
        not_by,
        [one for one in held.also_by if one not in not_by],
    )


def _helps(
    contract: Contract, case: Case, ways: Sequence[Way] | None, now: datetime
) -> Sequence[tuple[Any, bool]]:
    """What helps, hour by hour since we knew; the hours in which they are now stand open."""
    table = contract.way(case.group)
    if table is None or not ways:
        return ()
    hours = (now - min(way.aware_at for way in ways)).total_seconds() / 3600
    here = next((one for one in table.phases if hours < one.to_hours), table.phases[-1])
    return [(one, one is here) for one in table.phases]


async def _left(
    request: web.Request, language: str, contract: Contract | None, done: str = ""
) -> web.Response:
    """The visit is over. The browser is sent on by a header and not by an answer to the form: some
    let no form lead to another site."""
    house, token = house_of(request), token_of(request)
    if token:
        async with house.db.write() as session:
            await page_links.leave(session, token, now_of(request))
    response = show_own(request, "own_left.html.j2", language, contract, done=done)
    let_out(request, response)
    if not done:
        response.headers["Refresh"] = f"0; url={house.settings.exit_url}"
    return response
