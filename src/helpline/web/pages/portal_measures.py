"""Measures that the council or we propose: the list with the form for a new one, and a page for
each with its versions, its thread and, once agreed, the text for the contract's file."""

from typing import Any, Final

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import measure_proposals, portal
from helpline.desk.measure_proposals import Shown
from helpline.desk.measure_wording import Worded
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.reports import catalogue, measure_text
from helpline.rules.permissions import may
from helpline.vocabulary import ProposalKind, ProposalState, TargetKind
from helpline.web.asked import (
    actor_of,
    contracts_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.portal import contract_in_path, form_values, status_of, typed_in
from helpline.web.showing import go, show

KINDS: Final = {
    ProposalKind.NEW: "A new measure",
    ProposalKind.CHANGE: "Another wording or target",
    ProposalKind.END: "No longer to be measured",
}
STATES: Final = {
    ProposalState.PROPOSED: "Not decided yet",
    ProposalState.AGREED: "Agreed",
    ProposalState.DECLINED: "Declined",
    ProposalState.WITHDRAWN: "Withdrawn",
}
TARGETS: Final = {
    TargetKind.AT_LEAST: "At least",
    TargetKind.AT_MOST: "At most",
    TargetKind.WORDS: "In words",
}
HOW: Final = ("versions", "messages", "agreement", "refusal", "withdrawal")
_WRONG: Final = {
    "Choose what you": "kind",
    "Choose the measure": "measure",
    "That is a promise": "measure",
    "Something is proposed": "measure",
    "Say why, in": "why",
    "Give the measure": "name",
    "Write the question": "question",
    "Choose what kind": "target_kind",
    "Write the target": "target",
    "Give the day": "from_on",
    "It counts from": "from_on",
    "Say why it is": "why",
    "Write your": "text",
}


async def show_catalogue(request: web.Request) -> web.Response:
    """Every figure of the contract's reports, explained; for who may propose, what is proposed."""
    key = request.match_info["contract"]
    contract = next((one for one in contracts_of(request, "report.read") if one.key == key), None)
    if contract is None:
        raise NotFound("There is no such report, or it is not yours to see.")
    may_propose = may(actor_of(request), "measure.propose", key)
    async with house_of(request).db.read() as session:
        proposed = await measure_proposals.listed(session, contract) if may_propose else []
    return show(
        request,
        "measures.html.j2",
        contract=contract,
        entries=catalogue.entries(contract),
        may_propose=may_propose,
        proposed=proposed,
        kinds=KINDS,
        states=STATES,
    )


async def show_measures(request: web.Request) -> web.Response:
    return await _list(request, contract_in_path(request))


async def propose(request: web.Request) -> web.Response:
    contract, said = contract_in_path(request), await typed_in(request)
    try:
        async with house_of(request).db.write() as session:
            made = await measure_proposals.propose(
                session,
                contract,
                said.get("kind", ""),
                said.get("measure", ""),
                _worded(said),
                actor_of(request),
                now_of(request),
            )
    except (InvalidInput, Conflict) as error:
        return await _list(request, contract, error, said)
    return go(f"{_address(contract)}/{made.id}?done=proposed")


async def show_measure(request: web.Request) -> web.Response:
    return await _one(request, contract_in_path(request))


async def act(request: web.Request) -> web.Response:
    """A version, a message or a decision; which, stands in the address."""
    contract, said = contract_in_path(request), await typed_in(request)
    row, how = number_in_path(request, "id"), request.match_info["how"]
    if how not in HOW:
        raise NotFound("There is nothing at this address.")
    actor, now, acts = actor_of(request), now_of(request), measure_proposals
    try:
        async with house_of(request).db.write() as session:
            if how == "versions":
                await acts.revise(session, contract, row, _worded(said), actor, now)
            elif how == "messages":
                await acts.say(session, contract, row, said.get("text", ""), actor, now)
            elif how == "agreement":
                day, number = day_in(said.get("from_on", "")), row_id(said.get("number", "")) or 0
                await acts.agree(session, contract, row, number, day, actor, now)
            elif how == "refusal":
                await acts.decline(session, contract, row, said.get("why", ""), actor, now)
            else:
                await acts.withdraw(session, contract, row, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _one(request, contract, how, error, said)
    return go(f"{_address(contract)}/{row}?done={how}")


async def _list(
    request: web.Request,
    contract: Contract,
    error: Exception | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    async with house_of(request).db.read() as session:
        found = await measure_proposals.listed(session, contract)
    values = _values(request, contract, "proposed" if error else "", error, typed)
    values |= {
        "found": found,
        "kinds": KINDS,
        "measures": [(one.code, one.name) for one in contract.measures.values()],
    }
    status = status_of(error)
    return show(request, "portal_measures.html.j2", status, zone=contract.zone, **values)


async def _one(
    request: web.Request,
    contract: Contract,
    form: str = "",
    error: Exception | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, row = actor_of(request), number_in_path(request, "id")
    async with house_of(request).db.read() as session:
        found = await measure_proposals.one(session, contract, row, actor)
        messages = await portal.thread(session, proposal=found.id)
    side = portal.side_of(actor)
    values = _values(request, contract, form, error, typed)
    values |= {
        "one": found,
        "kind": KINDS[ProposalKind(found.kind)],
        "messages": messages,
        "may_decide": found.is_open and found.decider == side,
        "may_withdraw": found.is_open and found.decider != side,
        "old": contract.measures.get(found.measure),
        "text_of_file": _text(contract, found),
        "today": portal.today_of(contract, now_of(request)),
    }
    status = status_of(error)
    return show(request, "portal_measure.html.j2", status, zone=contract.zone, **values)


def _values(
    request: web.Request,
    contract: Contract,
    form: str,
    error: Exception | None,
    typed: dict[str, str] | None,
) -> dict[str, Any]:
    words = {"messages": "text", "agreement": "from_on"}.get(form, "why")
    values = form_values(request, contract, form, error, typed, _WRONG, words)
    return values | {"states": STATES, "targets": TARGETS}


def _text(contract: Contract, found: Shown) -> str:
    """What an agreed proposal puts into the contract's file; empty while it is none, and once the
    file has lost the measure."""
    if found.state != ProposalState.AGREED or found.from_on is None:
        return ""
    if found.kind != ProposalKind.NEW and found.measure not in contract.measures:
        return ""
    newest = found.newest
    return measure_text.text(
        contract,
        found.kind,
        found.measure,
        found.from_on,
        name=newest.name,
        question=newest.question,
        means=newest.means,
        target=measure_text.target_of(newest.target_kind, newest.target, newest.target_words),
    )


def _worded(said: dict[str, str]) -> Worded:
    return Worded(
        why=said.get("why", ""),
        name=said.get("name", ""),
        question=said.get("question", ""),
        means=said.get("means", ""),
        target_kind=said.get("target_kind", ""),
        target=said.get("target", ""),
    )


def _address(contract: Contract) -> str:
    return f"/portal/{contract.key}/measures"
