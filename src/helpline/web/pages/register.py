"""The council's monthly list: hand it in, read what it would change, accept it or throw it away.

For leads and administrators. A list with faults is refused with every one of them; one without
changes nothing until somebody has read the difference and accepted it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import populations, register, taking_in
from helpline.desk.imports import ImportProblems
from helpline.errors import Conflict, InvalidInput
from helpline.models import RegisterList
from helpline.rules.permissions import may
from helpline.vocabulary import UNKNOWN, ListState
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
)
from helpline.web.handed_in import FILE
from helpline.web.pages.case import Words
from helpline.web.showing import go, show

A_MONTH: Final = timedelta(days=35)
SHOWN: Final = 200
"""Rows of each kind on the page; the rest is counted."""
DECIDED: Final = (ListState.ACCEPTED, ListState.THROWN_AWAY)
COLUMN_WORDS: Final = {
    "name": "Name",
    "group": "Who they are",
    "language": "Language",
    "household": "Household",
    "young_person_born": "Young person born",
    "team": "Team",
    "quadrant": "Quadrant",
    "postcode": "Postcode",
    "approved_from": "Approved from",
    "approved_to": "Approved to",
    "mobile": "Mobile",
    "email": "E-mail",
}


async def show_register(request: web.Request) -> web.Response:
    return await _page(request)


async def hand_in(request: web.Request) -> web.Response:
    """Read and checked; kept until somebody decides."""
    file, typed, at = request.get(FILE), {}, "file"
    for name in ("contract", "as_of", "whole"):
        typed[name] = await field(request, name)
    contract = _chosen(request, typed["contract"])
    try:
        if file is None:
            raise InvalidInput("Choose the list: an Excel (.xlsx) or a CSV file.")
        if not file.is_whole:
            raise InvalidInput("This file is larger than 2 MB. Hand in the list alone.")
        at = "whole"
        if typed["whole"] not in ("yes", "no"):
            raise InvalidInput("Say whether the list names everybody.")
        at = "as_of"
        actor, now, is_whole = actor_of(request), now_of(request), typed["whole"] == "yes"
        as_of = day(typed["as_of"])
        async with house_of(request).db.read() as session:  # a long list holds nobody up
            found = await register.read_list(
                session, contract, file.content, as_of, actor, now, is_whole=is_whole
            )
        async with house_of(request).db.write() as session:
            made = await register.keep(session, contract, found, actor, now)
    except ImportProblems as error:
        return await _page(request, 400, faults=error, typed=typed)
    except InvalidInput as error:
        return await _page(request, 400, problem=str(error), at=at, typed=typed)
    return go(f"/register/{made.id}")


async def show_list(request: web.Request) -> web.Response:
    return await _list_page(request)


async def accept(request: web.Request) -> web.Response:
    """The register becomes as the list has it."""
    list_id = number_in_path(request, "id")
    is_sure = await field(request, "sure") == "yes"
    try:
        actor, now = actor_of(request), now_of(request)
        async with house_of(request).db.read() as session:
            row = await register.find_list(session, actor, list_id)
            contract = contract_of(request, row.contract)
            if row.state == ListState.PENDING and not is_sure:
                await _must_be_sure(session, contract, row, request)
        async with house_of(request).db.write() as session:
            await register.accept(session, contract, list_id, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _list_page(request, 409 if isinstance(error, Conflict) else 400, str(error))
    return go("/register?done=accepted")


async def throw_away(request: web.Request) -> web.Response:
    actor, list_id = actor_of(request), number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            row = await register.find_list(session, actor, list_id, for_update=True)
            done = "stopped" if row.state == ListState.TAKING_IN else "thrown_away"
            await register.throw_away(session, list_id, actor, now_of(request))
    except Conflict as error:
        return await _list_page(request, 409, str(error))
    return go(f"/register?done={done}")


async def _must_be_sure(
    session: AsyncSession, contract: Contract, row: RegisterList, request: web.Request
) -> None:
    shown = await register.shown(session, contract, row, actor_of(request), now_of(request))
    if shown.looks_halved:
        raise InvalidInput(
            "So many would leave that this may be half a list. Tick that you asked the council."
        )


async def _page(
    request: web.Request,
    status: int = 200,
    *,
    problem: str = "",
    at: str = "",
    faults: ImportProblems | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    contracts = contracts_of(request, "register.manage")
    async with house_of(request).db.read() as session:
        found = await register.lists(session, [one.key for one in contracts])
        counts = [(one, await populations.newest(session, one.key)) for one in contracts]
    values: dict[str, Any] = {
        "contracts": contracts,
        "waiting": [row for row in found if row.state == ListState.PENDING],
        "taking_in": [(row, _share(row)) for row in found if row.state == ListState.TAKING_IN],
        "decided": [row for row in found if row.state in DECIDED],
        "tables": [_table(one, rows) for one, rows in counts if rows],
        "problem": problem or (str(faults).partition(":")[0] + "." if faults else ""),
        "at": at,
        "faults": faults.problems if faults else (),
        "old": await _without_a_new_list(request, contracts),
        "typed": typed or {},
        "today": now_of(request).date().isoformat(),
        "done": request.query.get("done", ""),
    }
    return show(request, "register.html.j2", status, **values)


async def _list_page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        row = await register.find_list(session, actor, number_in_path(request, "id"))
        if row.state != ListState.PENDING:
            done = "thrown_away" if row.state == ListState.THROWN_AWAY else "accepted"
            return go(f"/register?done={done}")
        contract = contract_of(request, row.contract)
        shown = await register.shown(session, contract, row, actor, now)
    return show(
        request,
        "register_list.html.j2",
        status,
        zone=contract.zone,
        contract=contract,
        words=Words(contract),
        row=row,
        shown=shown,
        most=SHOWN,
        changed=[c for c in shown.difference.changed if c.stored.id not in shown.hidden],
        left=[one for one in shown.difference.left if one.person_id not in shown.hidden],
        clashes=[
            clash
            for clash in shown.difference.clashes
            if clash.kind == "taken" or clash.other_id not in shown.hidden
        ],
        may_read=may(actor, "people.read"),
        column_words=COLUMN_WORDS,
        problem=problem,
    )


async def _without_a_new_list(
    request: web.Request, contracts: Sequence[Contract]
) -> list[tuple[Contract, date]]:
    """Contracts whose newest list is more than a month old, and of which day it is (P14)."""
    found = []
    async with house_of(request).db.read() as session:
        for contract in contracts:
            newest = await register.newest_as_of(session, contract.key)
            if newest is not None and now_of(request).date() - newest > A_MONTH:
                found.append((contract, newest))
    return found


def _share(row: Any) -> int:
    """How much of a list is taken in, in percent."""
    return int(100 * row.steps_done / max(1, 2 * taking_in.portions_of(row.rows)))


def _table(contract: Contract, rows: Any) -> dict[str, Any]:
    """The newest populations as a table: a row for each kind of person, a column a quadrant."""
    places = [(area.code, area.name) for area in contract.quadrants] + [(UNKNOWN, "Not known")]
    by = {(row.group, row.quadrant): row.count for row in rows}
    names = {group.code: group.name for group in contract.groups}
    return {
        "contract": contract,
        "as_of": rows[0].as_of,
        "places": [name for _, name in places],
        "rows": [
            (names.get(group, group), [by.get((group, code), 0) for code, _ in places], whole)
            for (group, quadrant), whole in by.items()
            if quadrant is None
        ],
    }


def _chosen(request: web.Request, key: str) -> Contract:
    """The contract of the form; where there is one, it need not be said."""
    contracts = contracts_of(request, "register.manage")
    found = next((one for one in contracts if one.key == key), None)
    if found is None and len(contracts) == 1:
        return contracts[0]
    if found is None:
        raise InvalidInput("Choose whose list it is.")
    return found


def day(text: str) -> date | None:
    """A date as a browser sends it; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
