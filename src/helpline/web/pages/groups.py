"""What carers' groups raised, and what came of it: the open lines first, a form for a new one, and
under each line the form for its answer."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import groups
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.rules.permissions import may
from helpline.vocabulary import IssueEnding
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    form_of,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.pages.case_referrals import day_in
from helpline.web.showing import go, show

ENDINGS: Final = {
    IssueEnding.CHANGED: "Something changed",
    IssueEnding.EXPLAINED: "Nothing changes, and they were told why",
    IssueEnding.PASSED_ON: "Passed on to the council",
}
_WRONG: Final = {
    "Say which group": "group_name",
    "Write in a sentence": "what",
    "Give the day on which they": "raised_on",
    "They raised it": "raised_on",
    "They cannot hear": "answer_by",
    "Choose an area": "quadrant",
    "Choose what came": "ending",
    "Write what the group": "came",
    "Give the day on which the group": "told_on",
    "They were told": "told_on",
    "Say why": "why",
    "It is answered": "why",
}


async def show_groups(request: web.Request) -> web.Response:
    return await _page(request, _contract(request, request.query.get("contract", "")))


async def write(request: web.Request) -> web.Response:
    said, actor, now = await _said(request), actor_of(request), now_of(request)
    contract = _contract(request, said.get("contract", ""))
    try:
        raised = groups.Raised(
            group_name=said.get("group_name", ""),
            what=said.get("what", ""),
            raised_on=day_in(said.get("raised_on", "")),
            quadrant=said.get("quadrant", ""),
            answer_by=day_in(said.get("answer_by", "")),
        )
        async with house_of(request).db.write() as session:
            await groups.write(session, contract, raised, actor, now)
    except InvalidInput as error:
        return await _page(request, contract, 400, "raised", str(error), said)
    return go(f"/groups?contract={contract.key}&done=raised")


async def settle(request: web.Request) -> web.Response:
    issue_id, said = number_in_path(request, "id"), await _said(request)
    actor, now = actor_of(request), now_of(request)
    contract = await _contract_of(request, issue_id)
    try:
        async with house_of(request).db.write() as session:
            await groups.settle(
                session,
                contract,
                issue_id,
                said.get("ending", ""),
                said.get("came", ""),
                day_in(said.get("told_on", "")),
                actor,
                now,
            )
    except InvalidInput as error:
        return await _page(request, contract, 400, f"answer_{issue_id}", str(error), said)
    return go(f"/groups?contract={contract.key}&done=answered#issue-{issue_id}")


async def take_back(request: web.Request) -> web.Response:
    issue_id, said = number_in_path(request, "id"), await _said(request)
    contract = await _contract_of(request, issue_id)
    try:
        async with house_of(request).db.write() as session:
            await groups.take_back(
                session, issue_id, said.get("why", ""), actor_of(request), now_of(request)
            )
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(request, contract, status, f"back_{issue_id}", str(error), said)
    return go(f"/groups?contract={contract.key}&done=back")


async def _page(
    request: web.Request,
    contract: Contract,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        found = await groups.listed(session, contract)
    fits = (name for begins, name in _WRONG.items() if problem.startswith(begins))
    words = {"answer": "came", "back": "why"}.get(form.partition("_")[0], "what")
    if problem == f"Say it shorter: {groups.LONGEST_GROUP} characters are enough.":
        words = "group_name"
    values: dict[str, Any] = {
        "contract": contract,
        "contracts": contracts_of(request, "group.read"),
        "found": found,
        "open_ones": sum(row[0].ending is None for row in found),
        "endings": ENDINGS,
        "areas": {one.code: one.name for one in contract.quadrants},
        "today": now.astimezone(ZoneInfo(contract.zone)).date(),
        "may_change": may(actor, "change.work", contract.key),
        "may_take_back": may(actor, "evidence.take_back", contract.key),
        "form": form,
        "problem": problem,
        "wrong": next(fits, words),
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }
    return show(request, "groups.html.j2", status, zone=contract.zone, **values)


async def _said(request: web.Request) -> dict[str, str]:
    return {name: given[-1].strip() for name, given in (await form_of(request)).items()}


def _contract(request: web.Request, key: str) -> Contract:
    known = contracts_of(request, "group.read")
    found = next((one for one in known if one.key == key), known[0] if known else None)
    if found is None:
        raise NotFound("There is no contract here whose groups you may see.")
    return found


async def _contract_of(request: web.Request, issue_id: int) -> Contract:
    async with house_of(request).db.read() as session:
        found = await groups.find(session, issue_id, actor_of(request), "group.read")
        return contract_of(request, found.contract)
