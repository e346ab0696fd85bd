"""You said, we did: for the council what it may read, for us also what it may not read yet, and the
form for a new change, which a complaint or what a group raised may fill."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import changes, complaints, groups
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.rules.permissions import may
from helpline.vocabulary import ChangeSource
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case_referrals import day_in
from helpline.web.showing import go, show

SOURCES: Final = {
    ChangeSource.FEEDBACK: "What people answered when they were asked",
    ChangeSource.COMPLAINT: "A complaint",
    ChangeSource.GROUP: "A carers' group",
    ChangeSource.OTHER: "Said otherwise",
}
_WRONG: Final = {
    "Write what people": "said",
    "Write what was done": "did",
    "Choose where": "source",
    "Give the day": "said_on",
    "It was said": "said_on",
    "It was done": "done_on",
    "There is no such complaint": "complaint",
    "Choose a quotation": "ask",
}
_ACTS: Final = {
    "show": changes.show,
    "keep_back": changes.keep_back,
    "take_back": changes.take_back,
}


async def show_changes(request: web.Request) -> web.Response:
    contract = _contract(request, request.query.get("contract", ""))
    if not may(actor_of(request), "change.work", contract.key):
        return await _page(request, contract)
    async with house_of(request).db.read() as session:
        filled = await _filled(session, request, contract)
    return await _page(request, contract, form="change" if filled else "", typed=filled)


async def add(request: web.Request) -> web.Response:
    said = {name: given[-1].strip() for name, given in (await form_of(request)).items()}
    actor, now = actor_of(request), now_of(request)
    contract = _contract(request, said.get("contract", ""))
    try:
        typed = changes.Typed(
            said=said.get("said", ""),
            done=said.get("did", ""),
            source=said.get("source", ""),
            said_on=day_in(said.get("said_on", "")),
            done_on=day_in(said.get("done_on", "")),
            complaint=said.get("complaint", ""),
            issue=row_id(said.get("issue", "")),
            ask=row_id(said.get("ask", "")),
        )
        async with house_of(request).db.write() as session:
            await changes.add(session, contract, typed, actor, now)
    except InvalidInput as error:
        return await _page(request, contract, 400, "change", str(error), said)
    return go(f"/changes?contract={contract.key}&done=added")


async def act(request: web.Request) -> web.Response:
    """Show it to the council, keep it back, or take it back; which, stands in `how`."""
    change_id, how = number_in_path(request, "id"), await field(request, "how")
    contract = _contract(request, await field(request, "contract"))
    try:
        doing = _ACTS.get(how)
        if doing is None:
            raise InvalidInput("Choose what is to be done with it.")
        async with house_of(request).db.write() as session:
            await doing(session, change_id, actor_of(request), now_of(request))
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(request, contract, status, problem=str(error))
    return go(f"/changes?contract={contract.key}&done={how}")


async def _page(
    request: web.Request,
    contract: Contract,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    may_work = may(actor, "change.work", contract.key)
    async with house_of(request).db.read() as session:
        shown = await changes.listed(session, actor, contract, shown=True)
        ours = await changes.listed(session, actor, contract, shown=False) if may_work else []
        quotable = await changes.quotable(session, actor, contract) if may_work else []
    wrong = (name for begins, name in _WRONG.items() if problem.startswith(begins))
    values: dict[str, Any] = {
        "contract": contract,
        "contracts": contracts_of(request, "change.read"),
        "shown": shown,
        "ours": ours,
        "quotable": quotable,
        "sources": SOURCES,
        "may_work": may_work,
        "today": now.astimezone(ZoneInfo(contract.zone)).date(),
        "form": form,
        "problem": problem,
        "wrong": next(wrong, _longer(typed or {})) if form else "",
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }
    return show(request, "changes.html.j2", status, zone=contract.zone, **values)


def _longer(typed: dict[str, str]) -> str:
    """The field that "Say it shorter" or "leave out" is about: they are looked at in this order."""
    is_short = len(" ".join(typed.get("said", "").split())) <= changes.LONGEST
    points = changes.POINTS_TO_SOMEBODY.search(typed.get("said", ""))
    return "did" if is_short and not points else "said"


async def _filled(
    session: AsyncSession, request: web.Request, contract: Contract
) -> dict[str, str]:
    """The form as a complaint, or what a group raised, fills it; empty where neither is named."""
    actor, reference = actor_of(request), request.query.get("complaint", "")[:20]
    issue_id = row_id(request.query.get("issue", ""))
    try:
        if reference:
            complaint = await complaints.find(session, actor, reference)
            return {
                "source": ChangeSource.COMPLAINT,
                "complaint": complaint.reference,
                "did": await changes.learnt_from(session, complaint),
                "said_on": f"{complaint.received_at.astimezone(ZoneInfo(contract.zone)):%Y-%m-%d}",
            }
        if issue_id is not None:
            issue = await groups.find(session, issue_id, actor, "group.read")
            told_on = str(issue.told_on) if issue.told_on else ""
            return {
                "source": ChangeSource.GROUP,
                "issue": str(issue.id),
                "said": issue.what,
                "did": issue.came or "",
                "said_on": str(issue.raised_on),
                "done_on": told_on,
            }
    except NotFound:
        pass
    return {}


def _contract(request: web.Request, key: str) -> Contract:
    known = contracts_of(request, "change.read")
    found = next((one for one in known if one.key == key), known[0] if known else None)
    if found is None:
        raise NotFound("There is no contract here whose changes you may read.")
    return found
