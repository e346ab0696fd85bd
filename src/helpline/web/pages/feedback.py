"""What people say of the service, half a year at a time: answers, themes, approved quotations, what
came of it (written down at /changes); and the form for what somebody said on the telephone."""

from datetime import date, datetime, time
from typing import Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import cases, feedback, feedback_themes
from helpline.errors import InvalidInput, NotFound
from helpline.rules import rota as rota_rules
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    fields,
    form_of,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.showing import go, show

SHOWN: Final = 4
"""Half years that can be looked at."""


async def show_feedback(request: web.Request, form: str = "", problem: str = "") -> web.Response:
    actor, contract = actor_of(request), _contract(request, "feedback.read")
    halves = _halves(contract, now_of(request))
    chosen = next((one for one in halves if one[0] == request.query.get("half")), halves[0])
    bounds = chosen[1]
    async with house_of(request).db.read() as session:
        values = {
            "summary": await feedback_themes.summary(session, actor, contract, bounds),
            "comments": await feedback_themes.comments(session, actor, contract, bounds),
            "quotes": await feedback_themes.quotes(session, actor, contract, bounds),
            "changes": await feedback_themes.said_and_done(session, contract),
        }
    typed = await form_of(request) if problem else {}
    given = contract.feedback
    return show(
        request,
        "feedback.html.j2",
        400 if problem else 200,
        zone=contract.zone,
        **values,
        halves=[one[0] for one in halves],
        half=chosen[0],
        themes={one.code: one.name for one in given.themes} if given else {},
        form=form,
        problem=problem,
        wrong="quote",
        typed={name: values[-1] for name, values in typed.items()},
        all_typed=typed,
        done=request.query.get("done", ""),
    )


async def set_themes(request: web.Request) -> web.Response:
    ask_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    contract = _contract(request, "feedback.work")
    themes, quote = await fields(request, "themes"), await field(request, "quote")
    agreed = await field(request, "agreed") == "yes"
    try:
        async with house_of(request).db.write() as session:
            await feedback_themes.set_themes(
                session, contract, ask_id, themes, quote, actor, now, is_agreed=agreed
            )
    except InvalidInput as error:
        return await show_feedback(request, f"comment{ask_id}", str(error))
    return go("/feedback?done=themes")


async def ask_record(request: web.Request, problem: str = "") -> web.Response:
    """The form for what was said by another way; its case may stand in the address."""
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "feedback_record.html.j2",
        400 if problem else 200,
        case_reference=request.query.get("case", "")[:20],
        form="said" if problem else "",
        problem=problem,
        wrong="case" if problem.startswith("There is no such case") else "score",
        typed={name: values[-1] for name, values in typed.items()},
        done=request.query.get("done", ""),
    )


async def record(request: web.Request) -> web.Response:
    actor, now, said = actor_of(request), now_of(request), await field(request, "score")
    try:
        contract = _contract(request, "feedback.record")
        async with house_of(request).db.write() as session:
            case = await cases.find_case(session, actor, (await field(request, "case"))[:20])
            score = int(said) if said in ("1", "2", "3", "4", "5") else None
            comment = await field(request, "comment")
            await feedback.record(session, contract, case, score, comment, said == "0", actor, now)
    except (InvalidInput, NotFound) as error:
        return await ask_record(request, str(error))
    return go("/feedback/answers?done=said")


def _contract(request: web.Request, action: str) -> Contract:
    for contract in contracts_of(request, action):
        if contract.feedback is not None:
            return contract
    raise NotFound("No contract here asks people how it was.")


def _halves(contract: Contract, now: datetime) -> list[tuple[str, feedback_themes.Bounds]]:
    """The latest half years of the contract's year, the running one first: label and instants."""
    today = contract.days.day_of(now)
    month = (today.month - contract.year_starts_month) % 12
    first = _back(date(today.year, today.month, 1), month % 6)
    found = []
    for _ in range(SHOWN):
        after = _back(first, -6)
        bounds = tuple(
            rota_rules.instant(datetime.combine(day, time()), contract.zone)
            for day in (first, after)
        )
        last = _back(after, 1)
        found.append((f"{first:%B %Y} to {last:%B %Y}", (bounds[0], bounds[1])))
        first = _back(first, 6)
    return found


def _back(day: date, months: int) -> date:
    """The first of the month so many months before."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)
