"""The directory of who else helps, and the list of everybody who waits to be seen by one of them.
What is looked for goes by POST, so that no name stands in an address."""

from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import partners, referral_lists
from helpline.desk.partners import Typed
from helpline.errors import Conflict, InvalidInput
from helpline.rules.permissions import may
from helpline.vocabulary import PartnerApproval, PartnerKind
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    fields,
    form_of,
    house_of,
    narrowed,
    now_of,
    number_in_path,
    one_of,
)
from helpline.web.showing import go, show, which_council

KIND_WORDS: Final = {
    PartnerKind.SOLICITOR: "Solicitor",
    PartnerKind.INSURER: "Insurer",
    PartnerKind.COUNSELLOR: "Counsellor",
    PartnerKind.FINANCE: "Finance adviser",
    PartnerKind.COUNCIL_TEAM: "Council team",
    PartnerKind.EDS: "Emergency duty service",
    PartnerKind.LADO: "Designated officer (LADO)",
    PartnerKind.MEDIATION: "Mediation",
    PartnerKind.INTERPRETER: "Interpreter",
    PartnerKind.ASSOCIATION: "Association",
    PartnerKind.OTHER: "Other",
    partners.CONTRACT: "From the contract",
}
YEAR: Final = timedelta(days=365)
_WRONG: Final = {
    "Choose what kind": "kind",
    "Give their name": "name",
    "Say what they can": "skills",
    "Give a telephone": "telephone",
    "The contract has no area": "areas",
    "Say whether the council": "approval",
    "Say who at the council": "approval_words",
    "Choose a contract": "contract",
}
"""How a sentence begins → the field it is about."""


_LABELS: Final = {
    "name": "Name",
    "skills": "What they can be asked for",
    "telephone": "Telephone number",
    "email": "E-mail address",
    "hours": "When they are there",
    "notes": "Notes",
    "approval_words": "Who decided, and when",
}


async def show_partners(request: web.Request) -> web.Response:
    return await _list(request, "", "", "")


async def find(request: web.Request) -> web.Response:
    """The directory, as far as it fits what was typed."""
    kind, area = await field(request, "kind"), await field(request, "area")
    return await _list(request, kind, area, (await field(request, "words"))[:100])


async def ask_new(request: web.Request) -> web.Response:
    return await _form(request, None)


async def add(request: web.Request) -> web.Response:
    typed = await _typed(request)
    contracts = contracts_of(request, "partner.write")
    try:
        chosen = await one_of(request, contracts)
        if chosen is None:
            raise InvalidInput("Choose a contract from the list.")
        async with house_of(request).db.write() as session:
            await partners.add(session, chosen, typed, actor_of(request), now_of(request))
    except InvalidInput as error:
        return await _form(request, None, str(error))
    return go("/partners?done=added")


async def show_partner(request: web.Request) -> web.Response:
    return await _form(request, number_in_path(request, "id"))


async def change(request: web.Request) -> web.Response:
    typed, partner_id = await _typed(request), number_in_path(request, "id")
    actor, now = actor_of(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            found = await partners.find(session, partner_id, actor, "partner.write", lock=True)
            contract = contract_of(request, found.contract)
            seen = await field(request, "seen")
            await partners.change(session, contract, found, typed, actor, now, seen)
    except InvalidInput as error:
        return await _form(request, partner_id, str(error))
    except Conflict as error:
        return await _form(request, partner_id, str(error), is_stale=True)
    return go(f"/partners?done=changed#partner-{partner_id}")


async def verify(request: web.Request) -> web.Response:
    """Somebody looked: it is still right."""
    partner_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        found = await partners.find(session, partner_id, actor, "partner.verify")
        contract = contract_of(request, found.contract)
        await partners.verify(session, contract, found, actor, now)
    return go(f"/partners?done=verified#partner-{partner_id}")


async def end(request: web.Request) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.write() as session:
        found = await partners.find(session, number_in_path(request, "id"), actor, "partner.write")
        await partners.end(session, found, actor, now)
    return go("/partners?done=ended")


def wrong_field(table: dict[str, str], problem: str, otherwise: str) -> str:
    """The field a sentence is about, by how it begins."""
    if problem.startswith("Say it shorter: of "):
        return problem.removeprefix("Say it shorter: of ").partition(",")[0]
    found = (name for begins, name in table.items() if problem.startswith(begins))
    return next(found, otherwise)


async def _typed(request: web.Request) -> Typed:
    said: dict[str, Any] = {
        name: await field(request, name)
        for name in ("kind", "name", "skills", "hours", "telephone", "email", "notes")
    }
    return Typed(
        **said,
        areas=await fields(request, "areas"),
        approval=await field(request, "approval") or PartnerApproval.NOT_NEEDED,
        approval_words=await field(request, "approval_words"),
    )


async def _list(request: web.Request, kind: str, area: str, words: str) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    everywhere = contracts_of(request, "partner.read")
    contracts = narrowed(request, everywhere)
    async with house_of(request).db.read() as session:
        found = await partners.listed(session, contracts, now, kind=kind, area=area, words=words)
        by_key = {one.key: one for one in contracts}
        waits = await referral_lists.waiting(session, by_key, actor, now)
        times = await referral_lists.wait_times(session, by_key, actor, now - YEAR)
    areas = _areas(contracts)
    return show(
        request,
        "partners.html.j2",
        found=found,
        waits=waits,
        times=times,
        late=sum(one.is_late for one in waits),
        partner_words=KIND_WORDS,
        areas=areas,
        only=contracts[0].key if len(contracts) == 1 < len(everywhere) else "",
        area_names=dict(areas),
        may_write=may(actor, "partner.write"),
        done=request.query.get("done", ""),
        form="find",
        wrong="",
        problem="",
        typed={"kind": kind, "area": area, "words": words},
    )


async def _form(
    request: web.Request, partner_id: int | None, problem: str = "", *, is_stale: bool = False
) -> web.Response:
    """`is_stale`: somebody else changed the entry meanwhile, so both are shown, and what is kept
    next is kept knowingly."""
    contracts, partner, mark = contracts_of(request, "partner.write"), None, ""
    if partner_id is not None:
        async with house_of(request).db.read() as session:
            found = await partners.find(session, partner_id, actor_of(request), "partner.write")
        contracts = [contract_of(request, found.contract)]
        partner = partners.shown(found, contracts[0], now_of(request))
        mark = partners.mark_of(found)
    only = contracts[0] if partner is not None else await one_of(request, contracts)
    if only is None:
        return which_council(request, "Add a partner", "/partners/new", "/partners", problem)
    all_typed = await form_of(request) if problem else {}
    seen = await field(request, "seen") if problem and not is_stale else mark
    return show(
        request,
        "partner.html.j2",
        409 if is_stale else 400 if problem else 200,
        partner=partner,
        seen=seen,
        theirs=_differing(partner, await _typed(request)) if is_stale and partner else [],
        partner_words=KIND_WORDS,
        contract=only,
        areas=_areas([only]),
        form="partner" if problem else "",
        problem=problem,
        wrong="theirs" if is_stale else wrong_field(_WRONG, problem, "name"),
        typed={name: given[-1] for name, given in all_typed.items()},
        all_typed=all_typed,
    )


def _differing(partner: partners.Listed, typed: Typed) -> list[tuple[str, str]]:
    """Label and words of what is kept now and is not what was typed; of areas their codes."""
    kept = [
        (label, getattr(partner, name), getattr(typed, name)) for name, label in _LABELS.items()
    ]
    found = [(label, str(now)) for label, now, given in kept if now != " ".join(given.split())]
    if partner.kind != typed.kind:
        found.append(("What they are", KIND_WORDS[PartnerKind(partner.kind)]))
    if set(partner.areas) != set(typed.areas):
        found.append(("Only in these areas", ", ".join(partner.areas)))
    if partner.approval != typed.approval:
        found.append(("Must the council agree to them?", partner.approval.replace("_", " ")))
    return found


def _areas(contracts: list[Contract]) -> list[tuple[str, str]]:
    return list({area.code: area.name for one in contracts for area in one.quadrants}.items())
