"""Reviews with the council and what was agreed there: what is overdue first, each with its forms;
the council and leads see and write the same page."""

from typing import Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import portal, review_actions
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.vocabulary import ActionStep
from helpline.web.asked import actor_of, house_of, now_of, number_in_path, row_id
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.portal import contract_in_path, form_values, status_of, typed_in
from helpline.web.showing import go, show

STEPS: Final = {
    ActionStep.AGREED: "Agreed, to be done by",
    ActionStep.MOVED: "Moved to",
    ActionStep.DONE: "Done on",
    ActionStep.DROPPED: "No longer wanted",
    ActionStep.REOPENED: "Open again",
}
HOW: Final = ("done", "moved", "dropped", "reopened")
_WRONG: Final = {
    "Write what was agreed": "what",
    "Choose whose": "side",
    "Say who looks": "owner",
    "Give the day by": "due_on",
    "That day lies": "due_on",
    "That is the day": "due_on",
    "Choose a review": "review",
    "Give the day on which the review": "held_on",
    "A review is written": "held_on",
    "Say who was": "present",
    "Say in a few": "said",
    "Give the day on which it was done": "done_on",
    "That day has not": "done_on",
    "Say what shows": "evidence",
    "Say why": "why",
}
_WORDS: Final = {"review": "said", "agreed": "what"}


async def show_actions(request: web.Request) -> web.Response:
    return await _page(request, contract_in_path(request))


async def hold(request: web.Request) -> web.Response:
    """A review was held."""
    contract, said = contract_in_path(request), await typed_in(request)
    try:
        async with house_of(request).db.write() as session:
            await review_actions.hold(
                session,
                contract,
                day_in(said.get("held_on", "")),
                said.get("present", ""),
                said.get("said", ""),
                actor_of(request),
                now_of(request),
            )
    except InvalidInput as error:
        return await _page(request, contract, "review", error, said)
    return go(f"{_address(contract)}?done=held#agreed")


async def agree(request: web.Request) -> web.Response:
    """Something was agreed."""
    contract, said = contract_in_path(request), await typed_in(request)
    agreed = review_actions.Agreed(
        what=said.get("what", ""),
        side=said.get("side", ""),
        owner=said.get("owner", ""),
        due_on=day_in(said.get("due_on", "")),
        review_id=row_id(said.get("review", "")),
    )
    try:
        async with house_of(request).db.write() as session:
            made = await review_actions.agree(
                session, contract, agreed, actor_of(request), now_of(request)
            )
    except InvalidInput as error:
        return await _page(request, contract, "agreed", error, said)
    return go(f"{_address(contract)}?done=agreed#action-{made.id}")


async def act(request: web.Request) -> web.Response:
    """One step of one action: done, moved, dropped, reopened; which, stands in the address."""
    contract, said = contract_in_path(request), await typed_in(request)
    action_id, how = number_in_path(request, "id"), request.match_info["how"]
    if how not in HOW:
        raise NotFound("There is nothing at this address.")
    actor, now = actor_of(request), now_of(request)
    why, done_on = said.get("why", ""), day_in(said.get("done_on", ""))
    due_on, evidence = day_in(said.get("due_on", "")), said.get("evidence", "")
    acts = review_actions
    try:
        async with house_of(request).db.write() as session:
            if how == "done":
                await acts.finish(session, contract, action_id, done_on, evidence, actor, now)
            elif how == "moved":
                await acts.move(session, contract, action_id, due_on, why, actor, now)
            elif how == "dropped":
                await acts.drop(session, contract, action_id, why, actor, now)
            else:
                await acts.reopen(session, contract, action_id, why, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, contract, f"{how}_{action_id}", error, said)
    return go(f"{_address(contract)}?done={how}#action-{action_id}")


async def _page(
    request: web.Request,
    contract: Contract,
    form: str = "",
    error: Exception | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    now = now_of(request)
    async with house_of(request).db.read() as session:
        found = await review_actions.listed(session, contract, now)
        reviews = await review_actions.reviews(session, contract)
    first = _WORDS.get(form) or ("evidence" if form.startswith("done") else "why")
    values = form_values(request, contract, form, error, typed, _WRONG, first) | {
        "found": found,
        "overdue": sum(one.is_overdue for one in found),
        "reviews": reviews,
        "today": portal.today_of(contract, now),
        "steps": STEPS,
    }
    status = status_of(error)
    return show(request, "portal_actions.html.j2", status, zone=contract.zone, **values)


def _address(contract: Contract) -> str:
    return f"/portal/{contract.key}/actions"
