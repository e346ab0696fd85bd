"""The register of compliments, beside that of complaints: read by all, logged by all."""

from typing import Final

from aiohttp import web

from helpline.desk import cases, compliments
from helpline.errors import InvalidInput, NotFound
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
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
from helpline.web.pages.case_acts import instant
from helpline.web.pages.complaints import WHO
from helpline.web.showing import go, show

_WRONG: Final = {
    "Write down what": "words",
    "Choose what it was for": "subject",
    "Choose who said": "giver",
    "Choose how it came": "method",
    "That time": "at",
    "Give day": "at",
    "There is no such case": "case",
}


async def show_compliments(request: web.Request, problem: str = "") -> web.Response:
    actor, known = actor_of(request), contracts_of(request, "complaint.log")
    if not known:
        raise NotFound("There is no contract here that you may log compliments for.")
    shown, contract = narrowed(request, known), await one_of(request, known)
    async with house_of(request).db.read() as session:
        found = await compliments.listed(session, actor, [one.key for one in shown])
        workers = await cases.workers_for(session, contract.key) if contract else []
    typed = await form_of(request) if problem else {}
    wrong = (name for begins, name in _WRONG.items() if problem.startswith(begins))
    praised = {
        one.code: one.name
        for each in known
        for one in (each.complaints.compliments if each.complaints else ())
    }
    asked = contract.complaints.compliments if contract and contract.complaints else ()
    return show(
        request,
        "compliments.html.j2",
        400 if problem else 200,
        zone=(contract or known[0]).zone,
        found=found,
        contract=contract,
        subjects=praised,
        own_subjects={one.code: one.name for one in asked},
        who=WHO,
        workers=[(user.id, user.shown_name) for user in workers],
        may_see_cases=may(actor, "case.read"),
        form="compliment" if problem else "",
        problem=problem,
        wrong=next(wrong, "words"),
        typed={name: given[-1] for name, given in typed.items()},
        done=request.query.get("done", ""),
    )


async def log(request: web.Request) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    try:
        contract = await one_of(request, contracts_of(request, "complaint.log"))
        if contract is None:
            raise InvalidInput("Choose the council first.")
        at = instant(await field(request, "at"), contract.zone, now)
        reference = await field(request, "case")
        async with house_of(request).db.write() as session:
            case = None
            if reference:
                case = await cases.find_case(session, actor, reference[:20])
                if case.contract != contract.key:
                    raise InvalidInput("There is no such case under this contract.")
            await compliments.log(
                session,
                contract,
                subject=await field(request, "subject"),
                giver=await field(request, "giver"),
                words=await field(request, "words"),
                method=await field(request, "method"),
                at=at,
                about_id=row_id(await field(request, "about")),
                case=case,
                by=actor,
                now=now,
            )
    except (InvalidInput, NotFound) as error:
        return await show_compliments(request, str(error))
    return go("/compliments?done=logged")


async def pass_on(request: web.Request) -> web.Response:
    """Whoever it is about was told."""
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        await compliments.pass_on(session, actor, number_in_path(request, "id"), now)
    return go("/compliments?done=passed")
