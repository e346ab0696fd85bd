"""Questions of the council on a figure: the list, a thread a page, and the form for a new one,
which a report's page fills."""

from typing import Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import figure_threads, portal
from helpline.desk.figure_threads import About
from helpline.errors import Conflict, InvalidInput
from helpline.models import Release
from helpline.reports import frozen
from helpline.rules.permissions import may
from helpline.vocabulary import Side
from helpline.web.asked import actor_of, house_of, now_of, number_in_path
from helpline.web.pages.portal import contract_in_path, form_values, status_of, typed_in
from helpline.web.showing import go, show

_WRONG: Final = {
    "Write what": "text",
    "Write the answer": "text",
    "Choose a report": "report",
    "That report": "report",
    "No report": "report",
    "Choose a figure": "measure",
    "Choose an area": "area",
    "There is no": "report",
    "It is closed": "text",
}


async def show_questions(request: web.Request) -> web.Response:
    """The list; `?report=&period=&measure=` fills the form."""
    asked = {name: request.query.get(name, "")[:80] for name in ("report", "period", "measure")}
    asked = {name: said for name, said in asked.items() if said}
    typed = {"measure": asked.get("measure", "")} if asked else {}
    if "report" in asked and "period" in asked:
        typed["report"] = f"{asked['report']} {asked['period']}"
    return await _list(request, contract_in_path(request), "asked" if typed else "", None, typed)


async def ask(request: web.Request) -> web.Response:
    contract, said = contract_in_path(request), await typed_in(request)
    report, _, period = said.get("report", "").partition(" ")
    try:
        if report not in {one.code for one in contract.reports}:
            raise InvalidInput("Choose a report from the list.")
        about = About(report, period, said.get("measure", ""), said.get("area", ""))
        async with house_of(request).db.write() as session:
            made = await figure_threads.ask(
                session, contract, about, said.get("text", ""), actor_of(request), now_of(request)
            )
    except InvalidInput as error:
        return await _list(request, contract, "asked", error, said)
    return go(f"{_address(contract)}/{made.id}?done=asked")


async def show_question(request: web.Request) -> web.Response:
    return await _thread(request, contract_in_path(request))


async def write(request: web.Request) -> web.Response:
    contract, said = contract_in_path(request), await typed_in(request)
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            await figure_threads.write(session, contract, row, said.get("text", ""), actor, now)
    except InvalidInput as error:
        return await _thread(request, contract, error, said)
    return go(f"{_address(contract)}/{row}?done=written#end")


async def close(request: web.Request) -> web.Response:
    contract, row = contract_in_path(request), number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            await figure_threads.close(session, contract, row, actor_of(request), now_of(request))
    except Conflict as error:
        return await _thread(request, contract, error)
    return go(f"{_address(contract)}?done=closed")


async def _list(
    request: web.Request,
    contract: Contract,
    form: str = "",
    error: Exception | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        found = await figure_threads.listed(session, contract, now)
        releases = await frozen.releases(session, contract)
    values = form_values(request, contract, form, error, typed, _WRONG, "text") | {
        "found": found,
        "may_ask": may(actor, "question.ask", contract.key),
        "reports": _choices(contract, releases),
        "measures": _measures(contract, releases),
        "areas": {one.code: one.name for one in contract.quadrants},
    }
    status = status_of(error)
    return show(request, "portal_questions.html.j2", status, zone=contract.zone, **values)


async def _thread(
    request: web.Request,
    contract: Contract,
    error: Exception | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, now, row = actor_of(request), now_of(request), number_in_path(request, "id")
    async with house_of(request).db.read() as session:
        found = await figure_threads.find(session, contract, row, actor)
        messages = await portal.thread(session, question=found.id)
    form = "message" if error else ""
    values = form_values(request, contract, form, error, typed, _WRONG, "text") | {
        "one": figure_threads.shown(contract, found, "", now),
        "messages": messages,
        "is_council": portal.side_of(actor) is Side.COUNCIL,
        "titles": {one.code: one.title for one in contract.reports},
    }
    status = status_of(error)
    return show(request, "portal_question.html.j2", status, zone=contract.zone, **values)


def _choices(contract: Contract, releases: list[Release]) -> list[tuple[str, str]]:
    """Each signed report once, the newest first."""
    titles = {one.code: one.title for one in contract.reports}
    found = {
        f"{one.report} {one.period}": f"{titles[one.report]}, {one.period}"
        for one in releases
        if one.report in titles
    }
    return list(found.items())


def _measures(contract: Contract, releases: list[Release]) -> list[tuple[str, str]]:
    """Every figure of the reports that were signed."""
    codes = dict.fromkeys(one.report for one in releases)
    known = [one.code for one in contract.reports if one.code in codes]
    listed: dict[str, str] = {}
    for code in known:
        listed |= figure_threads.measures_in(contract, code)
    return list(listed.items())


def _address(contract: Contract) -> str:
    return f"/portal/{contract.key}/questions"
