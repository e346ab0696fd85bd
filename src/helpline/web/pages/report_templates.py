"""A council's own Word template for a report: handed in, tried with the newest figures, used, taken
back. For leads and administrators.
"""

import asyncio
from typing import Any, Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import report_templates
from helpline.desk.report_templates import LARGEST
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.reports.fields import FIELDS
from helpline.reports.render import made
from helpline.reports.word_template import built_in
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of, number_in_path
from helpline.web.handed_in import FILE, HandedIn
from helpline.web.showing import go, hand_out, show

WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def show_all(request: web.Request) -> web.Response:
    """Every report of each contract, and what it is set in."""
    listed = []
    async with house_of(request).db.read() as session:
        for contract in contracts_of(request, "report.template"):
            rows = [
                (report, await report_templates.in_use(session, contract, report.code))
                for report in contract.reports
            ]
            listed.append((contract, rows))
    return show(request, "report_templates.html.j2", listed=listed)


async def show_report(request: web.Request) -> web.Response:
    return await _page(request)


async def hand_in(request: web.Request) -> web.Response:
    """Looked at and filled with the newest figures: kept only if both go well."""
    contract, report = _asked(request)
    file: HandedIn | None = request.get(FILE)
    try:
        if file is None or not file.name:
            raise InvalidInput("Choose the template: a Word document (.docx).")
        if not file.is_whole:
            raise InvalidInput(f"The template is larger than {LARGEST // 1_000_000} MB.")
        await _tried(request, contract, report.code, file.content)
        async with house_of(request).db.write() as session:
            row = await report_templates.keep(
                session,
                contract,
                report.code,
                file.name,
                file.content,
                actor_of(request),
                now_of(request),
            )
    except InvalidInput as error:
        return await _page(request, 400, "template", str(error))
    return go(f"/report-templates/{contract.key}/{report.code}?done=kept#template-{row.id}")


async def preview(request: web.Request) -> web.Response:
    """The newest figures in a template, as a Word document."""
    contract, report = _asked(request)
    content = await _content(request, contract, report.code)
    try:
        tried = await _tried(request, contract, report.code, content)
    except InvalidInput as error:
        return await _page(request, 400, "", str(error))
    return hand_out(f"{contract.key}-{report.code}-preview.docx", tried, WORD)


async def download(request: web.Request) -> web.Response:
    """The template as it was handed in."""
    contract, report = _asked(request)
    content = await _content(request, contract, report.code)
    return hand_out(f"{contract.key}-{report.code}-template.docx", content, WORD)


async def begin_with_ours(request: web.Request) -> web.Response:
    """Our own template, to begin one from."""
    contract, report = _asked(request)
    ours = await asyncio.to_thread(built_in)
    return hand_out(f"{contract.key}-{report.code}-begin.docx", ours, WORD)


async def use(request: web.Request) -> web.Response:
    contract, report = _asked(request)
    try:
        async with house_of(request).db.write() as session:
            await report_templates.use(
                session,
                contract,
                number_in_path(request, "id"),
                actor_of(request),
                now_of(request),
            )
    except Conflict as error:
        return await _page(request, 409, "", str(error))
    return go(f"/report-templates/{contract.key}/{report.code}?done=used")


async def take_back(request: web.Request) -> web.Response:
    contract, report = _asked(request)
    template_id, why = number_in_path(request, "id"), await field(request, "why")
    try:
        async with house_of(request).db.write() as session:
            await report_templates.take_back(
                session, contract, template_id, why, actor_of(request), now_of(request)
            )
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(request, status, f"back_{template_id}", str(error), {"why": why})
    return go(f"/report-templates/{contract.key}/{report.code}?done=taken_back")


async def _tried(request: web.Request, contract: Contract, report: str, content: bytes) -> bytes:
    """The document; InvalidInput says what is wrong with the template. No connection is held."""
    async with house_of(request).db.read() as session:
        found = await report_templates.newest_figures(session, contract, report, now_of(request))
        return await made(session, found, "docx", content)


async def _content(request: web.Request, contract: Contract, report: str) -> bytes:
    async with house_of(request).db.read() as session:
        template_id = number_in_path(request, "id")
        row = await report_templates.find(session, contract, template_id)
        if row.report != report:
            raise NotFound("There is no such template.")
        return report_templates.content_of(row)


async def _page(
    request: web.Request,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    contract, report = _asked(request)
    async with house_of(request).db.read() as session:
        listed = await report_templates.listed(session, contract, report.code)
    tried = report_templates.last_whole(contract, report.every, now_of(request))
    values: dict[str, Any] = {
        "contract": contract,
        "report": report,
        "listed": listed,
        "tried": tried,
        "fields": FIELDS,
        "form": form,
        "problem": problem,
        "wrong": "file" if form == "template" else "why",
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }
    return show(request, "report_template.html.j2", status, zone=contract.zone, **values)


def _asked(request: web.Request) -> tuple[Contract, Any]:
    key = request.match_info["contract"]
    found = next((c for c in contracts_of(request, "report.template") if c.key == key), None)
    if found is None:
        raise NotFound("There is no such contract, or it is not yours to see.")
    return found, report_templates.found_report(found, request.match_info["report"])
