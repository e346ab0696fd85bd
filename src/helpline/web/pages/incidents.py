"""The register of incidents, beside that of complaints: logged by anybody, told, reviewed, learnt
from. Every act is an entry, so one address takes them all."""

from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import cases, incidents, owed
from helpline.desk.rights import breaches
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case
from helpline.rules.permissions import may, require
from helpline.vocabulary import ChildView, EntryKind
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    narrowed,
    now_of,
    one_of,
    row_id,
)
from helpline.web.pages.case_acts import instant
from helpline.web.pages.rights_words import RISKS
from helpline.web.showing import go, show

VIEWS: Final = {
    ChildView.NOT_YET: "The child has not been asked how they see it",
    ChildView.GIVEN: "The child said how they see it",
    ChildView.DECLINED: "The child did not want to say",
    ChildView.NOT_POSSIBLE: "The child could not be asked",
    ChildView.NO_CHILD: "No child was in it",
}
_WRONG: Final = {
    "Choose what kind": "kind",
    "Say what happened": "what",
    "It happened before": "happened_at",
    "Give day": "happened_at",
    "There is no such case": "case",
    "Choose how": "how",
    "Say whom": "whom",
    "Say when": "at",
    "Choose whether": "view",
    "Choose how great": "risk",
    "Say how many people": "people",
}


async def show_incidents(request: web.Request, problem: str = "") -> web.Response:
    actor, known = actor_of(request), contracts_of(request, "incident.read")
    if not known:
        raise NotFound("There is no contract here whose incidents you may see.")
    shown, contract = narrowed(request, known), await one_of(request, known)
    async with house_of(request).db.read() as session:
        found = await incidents.listed(session, actor, [one.key for one in shown])
    typed = await form_of(request) if problem else {}
    return show(
        request,
        "incidents.html.j2",
        400 if problem else 200,
        zone=known[0].zone,
        found=found,
        kinds={one.code: one.name for each in known for one in each.incidents},
        own_kinds={one.code: one.name for one in contract.incidents} if contract else {},
        contract=contract,
        may_log=may(actor, "incident.log"),
        form="incident" if problem else "",
        problem=problem,
        wrong=_wrong(problem, "what"),
        typed={name: given[-1] for name, given in typed.items()},
        done=request.query.get("done", ""),
    )


async def log(request: web.Request) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    try:
        contract = await one_of(request, contracts_of(request, "incident.log"))
        if contract is None:
            raise InvalidInput("Choose the council first.")
        reference, case = await field(request, "case"), None
        happened = instant(await field(request, "happened_at"), contract.zone, now)
        known = instant(await field(request, "known_at"), contract.zone, now)
        async with house_of(request).db.write() as session:
            if reference:
                case = await cases.find_case(session, actor, reference[:20])
                if case.contract != contract.key:
                    raise InvalidInput("There is no such case under this contract.")
            told = incidents.Told(
                kind=await field(request, "kind"),
                what=await field(request, "what"),
                done=await field(request, "did"),
                happened_at=happened,
                known_at=max(known, happened) if known - happened > -_MINUTE else known,
                case=case,
            )
            made = await incidents.log(session, contract, told, actor, now)
            there = f"/incidents/{made.reference}?done=logged"
    except (InvalidInput, NotFound) as error:
        return await show_incidents(request, str(error))
    return go(there)


_MINUTE: Final = timedelta(minutes=1)


async def show_incident(request: web.Request, **again: Any) -> web.Response:
    actor = actor_of(request)
    async with house_of(request).db.read() as session:
        found = await incidents.find(session, actor, request.match_info["reference"])
        contract = contract_of(request, found.contract)
        case = await session.get(Case, found.case_id) if found.case_id else None
        values: dict[str, Any] = {
            "incident": found,
            "notices": await incidents.notices(session, found),
            "history": await incidents.entries(session, found),
            "owed": await owed.open_on(session, incidents.line_of(found)),
            "is_breach": breaches.is_breach(contract, found),
            "judged": await breaches.newest(session, found),
            "case_reference": case.reference if case and may(actor, "case.read") else "",
        }
    kind = next((one for one in contract.incidents if one.code == found.kind), None)
    names = {one.code: one.name for one in (*contract.methods, *contract.clocks)}
    return show(
        request,
        "incident.html.j2",
        again.pop("status", 200),
        zone=contract.zone,
        kind_name=kind.name if kind else found.kind,
        who_names=_who(kind),
        names=names,
        methods=[(one.code, one.name) for one in contract.methods],
        views=VIEWS,
        risks=RISKS,
        may_work=may(actor, "incident.work", contract.key),
        may_log=may(actor, "incident.log", contract.key),
        is_own=found.logged_by_id == actor.user_id,
        done=request.query.get("done", ""),
        **({"form": "", "problem": "", "wrong": "", "typed": {}} | values | again),
    )


async def add_entry(request: web.Request) -> web.Response:
    """One act: what it is stands in `kind`; most are a lead's, a note is anybody's."""
    kind, actor, now = await field(request, "kind"), actor_of(request), now_of(request)
    words = await field(request, "words")
    try:
        async with house_of(request).db.write() as session:
            found = await incidents.find(session, actor, request.match_info["reference"], lock=True)
            match kind:
                case EntryKind.NOTE | EntryKind.LEARNING | EntryKind.CORRECTION:
                    await incidents.write(session, found, kind, words, actor, now)
                case EntryKind.CHILD_VIEW:
                    view = await field(request, "view")
                    await incidents.write_child_view(session, found, view, words, actor, now)
                case EntryKind.REVIEWED:
                    await incidents.review(session, found, words, actor, now)
                case EntryKind.CLOSED:
                    await incidents.close(session, found, actor, now)
                case _:
                    raise InvalidInput("Choose what was done.")
            reference = found.reference
    except (InvalidInput, Conflict) as error:
        return await _again(request, kind, error)
    return go(f"/incidents/{reference}?done={kind}")


async def settle(request: web.Request) -> web.Response:
    """Somebody who is owed word had it, or need not."""
    actor, now = actor_of(request), now_of(request)
    notice_id = row_id(request.match_info["id"]) or 0
    try:
        async with house_of(request).db.write() as session:
            found = await incidents.find(session, actor, request.match_info["reference"], lock=True)
            contract: Contract = contract_of(request, found.contract)
            require(actor, "incident.work", contract.key)
            await incidents.tell(
                session,
                contract,
                found,
                notice_id,
                whom=await field(request, "whom"),
                how=await field(request, "how"),
                at=instant(await field(request, "at"), contract.zone, now),
                not_needed=await field(request, "not_needed"),
                by=actor,
                now=now,
            )
            reference = found.reference
    except (InvalidInput, Conflict) as error:
        return await _again(request, f"notice{notice_id}", error)
    return go(f"/incidents/{reference}?done=told")


async def assess(request: web.Request) -> web.Response:
    """How great the risk of a breach is, and to how many."""
    actor, now = actor_of(request), now_of(request)
    people = row_id(await field(request, "people"))
    try:
        async with house_of(request).db.write() as session:
            found = await incidents.find(session, actor, request.match_info["reference"], lock=True)
            contract = contract_of(request, found.contract)
            risk, words = await field(request, "risk"), await field(request, "words")
            await breaches.assess(session, contract, found, risk, people, words, actor, now)
            reference = found.reference
    except (InvalidInput, Conflict) as error:
        return await _again(request, "assessed", error)
    return go(f"/incidents/{reference}?done=assessed")


async def _again(request: web.Request, form: str, error: Exception) -> web.Response:
    typed = {name: given[-1] for name, given in (await form_of(request)).items()}
    status = 409 if isinstance(error, Conflict) else 400
    wrong = _wrong(str(error), "whom" if form.startswith("notice") else "words")
    return await show_incident(
        request, status=status, form=form, problem=str(error), wrong=wrong, typed=typed
    )


def _who(kind: Any) -> dict[str, str]:
    """Who may be owed word, by their code."""
    names = {one.code: one.name for one in kind.notify} if kind else {}
    return names | {breaches.PEOPLE: "The people whom it concerns"}


def _wrong(problem: str, otherwise: str) -> str:
    found = (name for begins, name in _WRONG.items() if problem.startswith(begins))
    return next(found, otherwise)
