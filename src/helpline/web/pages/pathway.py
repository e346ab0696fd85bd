"""The pathway of a case: what was alleged, how far it is, what the carer was told, the first days.

What is to be done next stands first, and what we must not do stands beside the form in which it
would be done. The carer's list is a page of its own, to be printed: it names nobody and nothing.
"""

from datetime import date, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import allegations, cases, firstday, inquiries, parts, pathway
from helpline.errors import InvalidInput
from helpline.models import Allegation, Case, Person
from helpline.rules.permissions import may
from helpline.vocabulary import (
    UNKNOWN,
    AllegationType,
    AllegedBy,
    CaseStatus,
    MeetingKind,
    PartRole,
    StageState,
    Teller,
    ToldState,
    Track,
)
from helpline.web.asked import (
    actor_of,
    contract_of,
    field,
    fields,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import find, local_now
from helpline.web.pages.case_acts import Act, instant
from helpline.web.pages.case_frame import act_on, show_tab
from helpline.web.showing import show

FRESH = timedelta(hours=24)
"""A case as new as this began with being told: the form starts from that time."""


SAY_BY_WHEN = "Say by when they want it: ask them if they did not say."
BESIDE = {
    SAY_BY_WHEN: "request-due",
    allegations.CHOOSE_WHOM: "record-person",
    allegations.SAY_WHO_TOLD: "record-told-by",
    allegations.SAY_WHO_SAID: "track-by",
    allegations.SAY_THE_REASON: "track-why",
    pathway.DAY_TO_COME: "{form}-on",
    allegations.STILL_TO_COME: "{form}-at",
}
"""What the desk says is missing → the field beside which that is said; else the form's first."""


async def show_pathway(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        actor, now = actor_of(request), now_of(request)
        entries = await allegations.of_case(session, found.id or 0)
        chosen = _chosen(request, entries)
        told_at = found.opened_at if not entries and now - found.opened_at < FRESH else now
        values: dict[str, Any] = {
            "entries": entries,
            "chosen": chosen,
            "may_be_about": await allegations.may_be_about(session, found),
            "types": list(AllegationType),
            "sources": list(AllegedBy),
            "tellers": list(Teller),
            "tracks": list(Track),
            "is_counted": found.reason != UNKNOWN and contract.is_allegation(found.reason),
            "table": contract.way(found.group),
            "nouns": contract.nouns(found.group),
            "may_write": may(actor, "pathway.write", contract.key)
            and found.status == CaseStatus.OPEN,
            "local_now": local_now(now, contract.zone),
            "local_told": local_now(told_at, contract.zone),
            "beside": BESIDE.get(again.get("problem", ""), "").format(form=again.get("form")),
            "today": contract.days.day_of(now).isoformat(),
        }
        if chosen is not None:
            values |= await _about_one(session, chosen)
        if chosen is not None and contract.path is not None:
            values |= await _on_the_way(request, session, found, contract, chosen)
        if contract.path is not None:
            values |= await _for_the_carer(request, session, found, contract)
        return values

    return await show_tab(request, "case_pathway.html.j2", fill, **again)


def _chosen(request: web.Request, entries: list[Allegation]) -> Allegation | None:
    """The one of the address, else the newest."""
    wanted = request.match_info.get("id") or request.query.get("entry", "")
    number = row_id(wanted)
    found = next((one for one in entries if one.id == number), None)
    return found or (entries[-1] if entries else None)


async def _about_one(session: AsyncSession, chosen: Allegation) -> dict[str, Any]:
    about = await session.get(Person, chosen.person_id)
    return {
        "about": about,
        "chosen_types": allegations.types_of(chosen),
        "history": await allegations.tracks_of(session, chosen.id or 0),
    }


async def _on_the_way(
    request: web.Request,
    session: AsyncSession,
    found: Case,
    contract: Contract,
    chosen: Allegation,
) -> dict[str, Any]:
    now, chosen_id = now_of(request), chosen.id or 0
    to_ask, were_told = await pathway.questions_of(session, contract, chosen_id, found.group)
    ticks = await firstday.ticks_of(session, chosen_id)
    lines = firstday.lines(contract, chosen, found.group, ticks, now)
    roles = {one.role for one in await parts.on_case(session, found.id or 0)}
    return {
        "line": await pathway.line_of(session, contract, chosen, found.group),
        "states": list(StageState),
        "to_ask": to_ask,
        "were_told": were_told,
        "told_states": list(ToldState),
        "asked_about": request.query.get("about", ""),
        "lines": {
            place: [line for line in lines if line.place == place]
            for place in ("overdue", "now", "later", "done")
        },
        "ticks": ticks,
        "has_partner": PartRole.PARTNER in roles,
        "requests": await inquiries.requests_of(session, chosen_id),
        "meetings": await inquiries.meetings_of(session, chosen_id),
        "meeting_kinds": [
            one
            for one in MeetingKind
            if one is not MeetingKind.PANEL or contract.nouns(found.group).fostering_law
        ],
    }


async def _for_the_carer(
    request: web.Request, session: AsyncSession, found: Case, contract: Contract
) -> dict[str, Any]:
    person = await session.get(Person, found.person_id)
    language = person.language if person else "en"
    return {
        "message": firstday.message(contract, house_of(request).wording, language),
        "last_sent": await firstday.last_sent(session, found.id or 0),
        "can_be_written_to": await cases.reply_address(session, found) is not None,
    }


async def show_list(request: web.Request) -> web.Response:
    """The carer's list on paper: their hours in plain words and whom to ring, and nothing else."""
    house, actor, now = house_of(request), actor_of(request), now_of(request)
    async with house.db.write() as session:
        found = await find(session, request)
        await cases.record_reading(session, found, actor, now)
        contract = contract_of(request, found.contract)
        reference, group = found.reference, found.group
    table = pathway.table_of(contract, group)
    carers = [one for one in contract.signposts if one.audience in ("carers", "everyone")]
    lines = [one for one in carers if one.first_answer or firstday.LEGAL in one.topics]
    values: dict[str, Any] = {"table": table, "contract": contract, "signposts": lines}
    values["reference"] = reference
    return show(request, "pathway_list.html.j2", zone=contract.zone, **values)


async def record(request: web.Request) -> web.Response:
    told = {
        name: await field(request, name)
        for name in (
            *("words", "whose_words", "made_by", "made_by_words", "told_by", "told_to"),
            *("track", "track_said_by"),
        )
    }
    person_id = row_id(await field(request, "person")) or 0
    told_at, types = await field(request, "told_at"), await fields(request, "types")

    async def act(it: Act) -> str:
        at = instant(told_at, it.contract.zone, it.now)
        said = allegations.Told(person_id, at, types=types, **told)
        made = await allegations.record(it.session, it.contract, it.case, said, it.by, it.now)
        return _back(it, made.id, "record")

    return await act_on(request, "record", act, show_pathway)


async def move(request: web.Request) -> web.Response:
    entry = number_in_path(request, "id")
    track, said_by = await field(request, "track"), await field(request, "said_by")
    said_at, why = await field(request, "said_at"), await field(request, "why")

    async def act(it: Act) -> str:
        at = instant(said_at, it.contract.zone, it.now)
        await allegations.move(
            it.session, it.contract, it.case, entry, track, said_by, at, why, it.by, it.now
        )
        return _back(it, entry, "track")

    return await act_on(request, "track", act, show_pathway)


async def set_stage(request: web.Request) -> web.Response:
    entry = number_in_path(request, "id")
    stage, state = await field(request, "stage"), await field(request, "state")
    on, told_by = await field(request, "reached_on"), await field(request, "told_by")

    async def act(it: Act) -> str:
        day = _day(on)
        await pathway.set_stage(
            it.session, it.contract, it.case, entry, stage, state, day, told_by, it.by, it.now
        )
        return _back(it, entry, "stage")

    return await act_on(request, "stage", act, show_pathway)


async def set_told(request: web.Request) -> web.Response:
    entry = number_in_path(request, "id")
    item, state = await field(request, "item"), await field(request, "state")
    told_by, on = await field(request, "told_by"), await field(request, "told_on")
    words = await field(request, "told_words")

    async def act(it: Act) -> str:
        day = _day(on)
        await pathway.set_told(
            it.session, it.contract, it.case, entry, item, state, told_by, day, words, it.by, it.now
        )
        return _back(it, entry, "told")

    return await act_on(request, "told", act, show_pathway)


async def tick(request: web.Request) -> web.Response:
    entry, item = number_in_path(request, "id"), await field(request, "item")

    async def act(it: Act) -> str:
        await firstday.tick(it.session, it.contract, it.case, entry, item, it.by, it.now)
        return _back(it, entry, "done")

    return await act_on(request, "list", act, show_pathway)


async def untick(request: web.Request) -> web.Response:
    entry, item = number_in_path(request, "id"), await field(request, "item")

    async def act(it: Act) -> str:
        await firstday.untick(it.session, it.case, entry, item, it.by, it.now)
        return _back(it, entry, "undone")

    return await act_on(request, "list", act, show_pathway)


async def take_back(request: web.Request) -> web.Response:
    entry, why = number_in_path(request, "id"), await field(request, "mistake")

    async def act(it: Act) -> str:
        await allegations.take_back(it.session, it.contract, it.case, entry, why, it.by, it.now)
        return _back(it, None, "end")

    return await act_on(request, "end", act, show_pathway)


async def record_request(request: web.Request) -> web.Response:
    entry = number_in_path(request, "id")
    asked_by, what = await field(request, "asked_by"), await field(request, "what")
    due_at = await field(request, "due_at")

    async def act(it: Act) -> str:
        if not due_at:
            raise InvalidInput(SAY_BY_WHEN)
        at = instant(due_at, it.contract.zone, it.now, ahead=True)
        await inquiries.record_request(
            it.session, it.case, entry, asked_by, what, at, it.by, it.now
        )
        return _back(it, entry, "request")

    return await act_on(request, "request", act, show_pathway)


async def answer_request(request: web.Request) -> web.Response:
    entry, asked = number_in_path(request, "id"), number_in_path(request, "request")
    given = await field(request, "given")

    async def act(it: Act) -> str:
        await inquiries.answer_request(it.session, it.case, asked, given, it.by, it.now)
        return _back(it, entry, "answer")

    return await act_on(request, f"answer-{asked}", act, show_pathway)


async def record_meeting(request: web.Request) -> web.Response:
    entry = number_in_path(request, "id")
    kind, held_at = await field(request, "kind"), await field(request, "held_at")
    were_there = await field(request, "were_there") == "yes"
    who, said = await field(request, "who"), await field(request, "said")

    async def act(it: Act) -> str:
        at = instant(held_at, it.contract.zone, it.now)
        await inquiries.record_meeting(
            it.session, it.case, entry, kind, at, were_there, who, said, it.by, it.now
        )
        return _back(it, entry, "meeting")

    return await act_on(request, "meeting", act, show_pathway)


async def send(request: web.Request) -> web.Response:
    text = await field(request, "text")

    async def act(it: Act) -> None:
        await firstday.send(it.session, it.contract, it.case, text, it.by, it.now)

    return await act_on(request, "sending", act, show_pathway)


def _back(it: Act, entry: int | None, done: str) -> str:
    chosen = f"&entry={entry}" if entry else ""
    return f"/cases/{it.case.reference}/pathway?done={done}{chosen}"


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("Give the day as one that there is: 3 November 2026.") from None
    if not 2000 <= day.year <= 2100:
        raise InvalidInput(f"Give the day anew: the year {day.year} cannot be meant.")
    return day
