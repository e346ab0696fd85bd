"""The form for a complaint as it was made, taken down by anybody; a case that somebody calls a
complaint fills it. Whoever logs one that they may not see is told only its reference."""

from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, complaint_cases, complaints, independence
from helpline.desk import complaint_steps as steps
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    fields,
    form_of,
    house_of,
    now_of,
    one_of,
    row_id,
)
from helpline.web.pages.case import local_now
from helpline.web.pages.case_acts import instant
from helpline.web.pages.complaints import KINDS, WHO
from helpline.web.showing import ZONE, go, show

_WRONG: Final = {
    "Write down what": "words",
    "Say whose complaint": "kind",
    "Choose what it is about": "subject",
    "Choose who complains": "complainant",
    "Choose how it came": "method",
    "That time has not": "received_at",
    "Give day and time": "received_at",
    "There is no such case": "case",
    "This case is in": "case",
    "Say in a few words what worries": "worry",
}


async def ask_new(request: web.Request) -> web.Response:
    """The form; a case that is in the register already leads to where it stands there."""
    reference = request.query.get("case", "")
    if not reference.strip():
        return await _new(request)
    async with house_of(request).db.write() as session:
        case = await _case(session, request, reference)
        if case is not None:
            contract = contract_of(request, case.contract)
            here = await complaint_cases.on_case(session, actor_of(request), contract, case)
            its_own = [one.reference for one in here.linked if one.case_id == case.id]
            if its_own:
                return go(f"/complaints/{its_own[0]}")
            # What they wrote last stands in the form: that is reading the case.
            await cases.record_reading(session, case, actor_of(request), now_of(request))
    return await _new(request)


async def log(request: web.Request) -> web.Response:
    """Into the register; whoever logged one that they may not see is told only its reference."""
    actor, now = actor_of(request), now_of(request)
    try:
        contract = await _contract(request)
        async with house_of(request).db.write() as session:
            told = await _told(session, request, contract)
            made = await complaints.log(session, contract, told, actor, now)
            worry = await field(request, "worry")
            if worry and made.safeguarding_at is None:  # not again where the form is sent twice
                await steps.pass_to_safeguarding(session, contract, made, worry, actor, now)
            reference = made.reference
    except (InvalidInput, Conflict) as error:
        return await _new(request, str(error))
    sees = may(actor, "complaint.read", contract.key) and actor.user_id not in told.about
    return go(
        f"/complaints/{reference}?done=logged" if sees else f"/complaints/new?done={reference}"
    )


async def _new(request: web.Request, problem: str = "") -> web.Response:
    typed = await form_of(request) if problem else {}
    reference = await field(request, "case") if problem else request.query.get("case", "")
    async with house_of(request).db.read() as session:
        case = await _case(session, request, reference)
        known = contracts_of(request, "complaint.log")
        contract = contract_of(request, case.contract) if case else await one_of(request, known)
        workers = await independence.colleagues(session, contract.key) if contract else []
        if case is not None and contract is not None and not problem:
            typed = await _filled(session, contract, case)
    found = (name for begins, name in _WRONG.items() if problem.startswith(begins))
    return show(
        request,
        "complaint_new.html.j2",
        400 if problem else 200,
        zone=contract.zone if contract else ZONE,
        contract=contract,
        workers=workers,
        kinds=KINDS,
        who=WHO,
        form="complaint" if typed else "",
        problem=problem,
        wrong=next(found, "words") if problem else "",
        typed={name: given[-1] for name, given in typed.items()},
        all_typed=typed,
        case_reference=case.reference if case else reference[:20],
        of_case=case.reference if case is not None and complaint_cases.is_one(case) else "",
        may_see_cases=may(actor_of(request), "case.read"),
        done=request.query.get("done", "")[:20],
    )


async def _case(session: AsyncSession, request: web.Request, reference: str) -> Case | None:
    """The case whose reference was given; None where there is none for whoever asks."""
    if not reference.strip():
        return None
    try:
        return await complaint_cases.find(session, actor_of(request), reference)
    except NotFound:
        return None


async def _filled(session: AsyncSession, contract: Contract, case: Case) -> dict[str, list[str]]:
    """The form as the case fills it."""
    told = await complaint_cases.filled(session, contract, case)
    received = local_now(told.received_at, contract.zone)
    names = ("kind", "subject", "complainant", "words", "name", "method")
    given = {name: [str(getattr(told, name))] for name in names}
    return given | {"case": [case.reference], "received_at": [received]}


async def _told(session: AsyncSession, request: web.Request, contract: Contract) -> complaints.Told:
    said = {
        name: await field(request, name)
        for name in ("kind", "subject", "complainant", "words", "wish", "name", "reach", "method")
    }
    reference, case = await field(request, "case"), None
    if reference:
        case = await _case(session, request, reference)
        if case is None:
            raise InvalidInput("There is no such case, or it is not yours to see.")
        if case.contract != contract.key:
            raise InvalidInput("There is no such case under this contract.")
    is_it = case is not None and complaint_cases.is_one(case)
    about = [row_id(one) for one in await fields(request, "about")]
    received = instant(await field(request, "received_at"), contract.zone, now_of(request))
    return complaints.Told(
        **said,
        received_at=received,
        person_id=case.person_id if case else None,
        about_case_id=case.id if case and not is_it else None,
        case_id=case.id if case and is_it else None,
        about=tuple(user_id for user_id in about if user_id is not None),
    )


async def _contract(request: web.Request) -> Contract:
    found = await one_of(request, contracts_of(request, "complaint.log"))
    if found is None:
        raise InvalidInput("Choose the council first.")
    return found
