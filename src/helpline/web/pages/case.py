"""One case: who it is, what was promised, everything that happened, and what can be done.

`page_of` is also what a failed form comes back to, with what was typed still in it. Opening the
page is recorded; asking again for its live part (`?part=…`) is not a new reading.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.channels import telephone_in
from helpline.contract import Contract
from helpline.desk import (
    advice,
    allocation,
    attachments,
    blocks,
    casefile,
    cases,
    complaint_cases,
    completing,
    conflicts,
    covers,
    eligibility,
    escalation,
    library,
    lists,
    means,
    membership,
    nexts,
    page_links,
    parts,
    preview,
    promises,
    readings,
    safety,
    switchboard,
    tasks,
    trails,
    undoing,
)
from helpline.errors import NotFound
from helpline.models import Case
from helpline.rules import languages
from helpline.rules.permissions import may
from helpline.rules.segments import parts_of, pieces_of
from helpline.vocabulary import UNKNOWN, NoteKind, Urgency
from helpline.web import begun, live
from helpline.web.asked import actor_of, contract_of, house_of, now_of, row_id
from helpline.web.showing import CASE_TABS, show

ALL = 5000
"""Entries of a timeline that `?all=1` shows: more than any case has had."""


async def show_case(request: web.Request) -> web.Response:
    house, now = house_of(request), now_of(request)
    part = request.query.get("part")
    if part is None:
        async with house.db.write() as session:
            found = await find(session, request)
            await cases.record_reading(session, found, actor_of(request), now)
    return await page_of(request, part=part)


def local_now(now: datetime, zone: str) -> str:
    """What a date-and-time field is filled with: the time there, to the minute."""
    return now.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


async def find(session: AsyncSession, request: web.Request) -> Case:
    """The case of the address, if the asker may see it; NotFound for anything else."""
    reference = request.match_info["reference"]
    if len(reference) > 20 or not reference.isascii() or not reference.isprintable():
        raise NotFound("There is no such case, or it is not yours to see.")
    return await cases.find_case(session, actor_of(request), reference)


async def page_of(
    request: web.Request,
    *,
    part: str | None = None,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, list[str]] | None = None,
) -> web.Response:
    """The page, or its live part. `form` names the form that failed, `typed` what was in it."""
    async with house_of(request).db.read() as session:
        found = await find(session, request)
        contract = contract_of(request, found.contract)
        values = await _values(session, request, found, contract)
        kept = {} if part else await begun.on_page(session, request, found, form)
        put_in = row_id(request.query.get("insert", ""))
        words = await library.version(session, actor_of(request), put_in) if put_in else None
    template = "_case_live.html.j2" if part == "live" else "case.html.j2"
    values |= {"form": form, "problem": problem, "typed": _first_values(typed or {})}
    values |= kept | {"inserted": words}
    text = values["typed"].get("text", "")
    values["parts"] = parts_of(text)
    values["pieces"] = pieces_of(text) if values["look"] and values["look"].is_cut else [text]
    values["advice_missing"] = advice.named_in(contract, problem) if form == "closure" else ""
    values["ticked"] = (typed or {}).get("support", values["supports"])
    return show(request, template, status, zone=contract.zone, **values)


async def _values(
    session: AsyncSession, request: web.Request, found: Case, contract: Contract
) -> dict[str, Any]:
    now, actor = now_of(request), actor_of(request)
    case_id = found.id or 0
    faces = (await lists.faces_of(session, [case_id], now)).get(case_id, {})
    address = await cases.reply_address(session, found)
    workers = await cases.workers_for(session, contract.key)
    asked_for = await safety.rules_of(session, found.person_id)
    heard = await casefile.last_heard(session, found)
    answered = (await lists.last_answers(session, [case_id])).get(case_id)
    alerts = await lists.open_alerts(session, actor, [contract.key], case_id)
    taken = await trails.taken(session, actor, [contract.key], case_id)
    known = await switchboard.number_to_ring(session, found)
    number = known.value if known else ""
    limit = ALL if request.query.get("all") else casefile.LONG
    asked = request.query.get("show", "")
    shown = casefile.Show(asked) if asked in list(casefile.Show) else casefile.Show.ALL
    return {
        "case": found,
        "contract": contract,
        "words": Words(contract),
        "faces": faces,
        "address": address,
        "workers": workers,
        "worker": next((w for w in workers if w.id == found.worker_id), None),
        "panel": await casefile.person_panel(session, actor, found),
        "timeline": await casefile.timeline(session, found, limit, shown),
        "shown": shown,
        "attachments": await attachments.of_case(session, case_id),
        "window_closes": await casefile.window_closes(session, address),
        "heard": heard,
        "told": await casefile.last_told(session, found),
        "look": await preview.of(session, house_of(request), found, address, now),
        "waiting_since": heard.at if heard and (answered is None or heard.at > answered) else None,
        "promises": await promises.open_on(session, case_id),
        "nexts": await nexts.of_case(session, contract, found, actor, now),
        "tasks": await tasks.on_case(session, case_id),
        "complaints_here": await complaint_cases.on_case(session, actor, contract, found),
        "tried": await means.tried(session, case_id),
        "alerts": alerts,
        "taken": taken,
        "is_theirs": escalation.may_take,
        "trails": await trails.trails(session, [alert.id for alert in (*alerts, *taken)]),
        "supports": await casefile.supports_of(session, found),
        "lacks_method": await completing.lacks_method(session, contract, found),
        "advisers": advice.by_support(contract, await advice.advisers(session, contract, now)),
        "advised": set(await advice.known(session, found)),
        "readings": await casefile.readings(session, found),
        "reading": await readings.to_judge(session, found)
        if may(actor, "case.triage", found.contract)
        else None,
        "conflicts": await conflicts.on_case(session, case_id),
        "named": await allocation.on_case(session, case_id),
        "stand_in": (await covers.of_cases(session, [case_id], now)).get(case_id),
        "note_kinds": list(NoteKind),
        "urgencies": list(Urgency),
        "longest_reply": cases.LONGEST_REPLY,
        "number_known": number,
        "number_to_ring": number if telephone_in(house_of(request).channels) else "",
        "may_allocate_others": may(actor, "case.allocate_others", contract.key),
        "local_now": local_now(now, contract.zone),
        "blocked_until": await blocks.blocked_until(session, address.id if address else None, now),
        "has_safe_contact": not asked_for.is_empty,
        "own_page": await page_links.visits_on(session, case_id),
        "not_by": asked_for.not_by,
        "newest": await live.newest(session),
        "tabs": tabs_of(request, found),
        "has_wall": await parts.has_wall(session, case_id),
        "needs_line": membership.needs_line(await membership.needs_of(session, found.person_id)),
        "standing_words": eligibility.sentence(contract, found.eligibility_reason),
        "done": request.query.get("done", ""),
        "undoable": await undoing.last_act(session, found, actor, now),
        "showing_all": limit == ALL,
    }


def tabs_of(request: web.Request, found: Case) -> list[tuple[str, str, bool]]:
    """Address, words and whether it is open, of every tab that this case has for the asker."""
    here = f"/cases/{found.reference}"
    return [
        (here + suffix, words, _is_at(request.path, here, suffix))
        for suffix, words, action, kinds in CASE_TABS
        if may(actor_of(request), action, found.contract) and (not kinds or found.kind in kinds)
    ]


def _is_at(path: str, here: str, suffix: str) -> bool:
    """A tab is open also where one of its forms failed."""
    return path == here + suffix or bool(suffix and path.startswith(f"{here}{suffix}/"))


def _first_values(typed: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in typed.items() if values and name != "csrf"}


class Words:
    """A contract's codes as people say them; "Not known" for the unknown and for codes the
    contract no longer has."""

    def __init__(self, contract: Contract) -> None:
        self._names = {
            kind: {worded.code: worded.name for worded in listed}
            for kind, listed in (
                ("group", contract.groups),
                ("reason", contract.reasons),
                ("support", contract.support),
                ("outcome", contract.outcomes),
                ("quadrant", contract.quadrants),
                ("team", contract.teams),
                ("method", contract.methods),
                ("clock", contract.clocks),
            )
        } | {"language": dict(languages.NAMES)}

    def __call__(self, kind: str, code: str | None) -> str:
        if code in (None, UNKNOWN):
            return "Not known"
        return self._names[kind].get(code or "", str(code).replace("_", " "))
