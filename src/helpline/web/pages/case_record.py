"""The record of a case: its chronology, notes of four kinds, corrections and comments beside, and
all of it as a file to print."""

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import casefile, casefile_pdf, cases, parts, record
from helpline.errors import InvalidInput
from helpline.models import Case
from helpline.vocabulary import CommentKind, NoteKind
from helpline.web import begun
from helpline.web.asked import (
    actor_of,
    contract_of,
    field,
    house_of,
    now_of,
    row_id,
)
from helpline.web.pages.case import find, local_now
from helpline.web.pages.case_acts import Act, instant, note_in
from helpline.web.pages.case_frame import act_on, show_tab
from helpline.web.showing import hand_out


async def show_record(request: web.Request, **again: Any) -> web.Response:
    """`?show=` one kind; `?corrects=` and `?about=` a note that is put right or spoken of."""
    shown = request.query.get("show", "")
    if shown not in record.CHOICES:
        raise InvalidInput("There is no such kind of entry. Choose one from the page.")
    limit = casefile.MOST if request.query.get("all") else casefile.LONG

    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        values = await begun.on_page(session, request, found, again.get("form", ""))
        typed = again.get("typed") or values.get("typed") or {}
        found_lines = await record.chronology(
            session, contract, found, record.CHOICES[shown], limit
        )
        corrected = await _note(session, found, request, "corrects", typed)
        return {
            "chronology": found_lines,
            "shown": shown,
            "choices": list(record.CHOICES),
            "note_kinds": list(NoteKind),
            "comment_kinds": list(CommentKind),
            "parts": await parts.on_case(session, found.id or 0),
            "local_now": local_now(now_of(request), contract.zone),
            "corrected": corrected,
            "corrected_at": local_now(corrected.happened_at, contract.zone) if corrected else "",
            "about": await _note(session, found, request, "about", typed),
            **values,
        }

    return await show_tab(request, "case_record.html.j2", fill, **again)


async def write_note(request: web.Request) -> web.Response:
    """The same note as on the conversation's page; here it may put another right."""
    return await act_on(request, "note", await note_in(request), show_record)


async def file_comment(request: web.Request) -> web.Response:
    kind, body = await field(request, "kind"), await field(request, "body")
    at, about = await field(request, "said_at"), await field(request, "about")
    who = await field(request, "who")

    async def act(it: Act) -> None:
        said_at = instant(at, it.contract.zone, it.now)
        note_id = row_id(about)
        await record.comment(it.session, it.case, kind, who, body, note_id, said_at, it.by, it.now)

    return await act_on(request, "comment", act, show_record)


async def print_chronology(request: web.Request) -> web.Response:
    return await _printed(request, is_whole=False)


async def print_file(request: web.Request) -> web.Response:
    return await _printed(request, is_whole=True)


async def _printed(request: web.Request, is_whole: bool) -> web.Response:
    """To print it is to read it. The file is made when the transaction is over: nothing waits."""
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        found = await find(session, request)
        contract = contract_of(request, found.contract)
        await cases.record_reading(session, found, actor, now)
        sheet = await record.sheet(session, contract, found, is_whole, actor, now)
    body = await casefile_pdf.render(sheet)
    name = f"{found.reference}-{'file' if is_whole else 'chronology'}.pdf"
    return hand_out(name, body, "application/pdf")


async def _note(
    session: AsyncSession, found: Case, request: web.Request, name: str, typed: dict[str, Any]
) -> Any:
    """The note that the address or the form points to; None where it points to none."""
    given = typed.get(name, request.query.get(name, ""))
    note_id = row_id(given[-1] if isinstance(given, list) and given else str(given or ""))
    return None if note_id is None else await record.find_note(session, found, note_id)
