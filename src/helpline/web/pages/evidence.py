"""The log of evidence: what was done besides the cases, by kind and quarter, with files that show
it. Files are handed out as downloads only."""

import asyncio
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import evidence, groups, obligation_lists, obligations, partners
from helpline.desk.attachments import Checked, checked
from helpline.desk.evidence import LARGEST, Typed
from helpline.errors import Conflict, InvalidInput
from helpline.rules import periods
from helpline.rules.periods import Period
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.handed_in import FILE, HandedIn
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import go, hand_out, show

_WRONG: Final = {
    "Give the day by which": "by_day",
    "That day lies": "by_day",
    "Say in a few words": "agreed",
    "Choose somebody": "owner",
    "Choose what it is": "kind",
    "Give the day": "day",
    "That day": "day",
    "That is more than": "day",
    "Choose an area": "quadrant",
    "Choose a partner": "partner",
    "Give how many": "reached",
    "“You said”": "you_said",
    "Say why it does": "why",
    "The file": "file",
    "Choose a file": "file",
    "There are": "file",
}


async def show_evidence(request: web.Request) -> web.Response:
    return await _page(request)


async def write(request: web.Request) -> web.Response:
    """One thing done, with a file that shows it or without."""
    said = {name: given[-1].strip() for name, given in (await form_of(request)).items()}
    actor, now, contract = actor_of(request), now_of(request), _contract(request, said)
    try:
        file = await file_of(request)
        async with house_of(request).db.write() as session:
            entry = await evidence.write(session, contract, _typed(said), actor, now)
            if file is not None:
                await evidence.keep_file(session, entry, file[0], file[1], actor, now)
    except InvalidInput as error:
        return await _page(request, 400, "entry", str(error), said)
    return go(f"/evidence?contract={contract.key}&done=written")


async def add_file(request: web.Request) -> web.Response:
    entry_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    try:
        file = await file_of(request)
        if file is None:
            raise InvalidInput("Choose a file first.")
        async with house_of(request).db.write() as session:
            entry = await evidence.find(session, entry_id, actor)
            await evidence.keep_file(session, entry, file[0], file[1], actor, now)
    except InvalidInput as error:
        return await _page(request, 400, f"file_{entry_id}", str(error))
    return go(f"/evidence?contract={entry.contract}&done=file#entry-{entry_id}")


async def take_back(request: web.Request) -> web.Response:
    """It does not count: kept, with the reason."""
    entry_id, why = number_in_path(request, "id"), await field(request, "why")
    try:
        async with house_of(request).db.write() as session:
            await evidence.take_back(session, entry_id, why, actor_of(request), now_of(request))
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(request, status, f"back_{entry_id}", str(error), {"why": why})
    return go("/evidence?done=withdrawn")


async def agree(request: web.Request) -> web.Response:
    """Something was agreed there: it goes into the calendar, with who and by when (A74)."""
    entry_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    said = {name: await field(request, name) for name in ("agreed", "by_day", "owner")}
    try:
        day = day_in(said["by_day"])
        if day is None:
            raise InvalidInput("Give the day by which it is to be done.")
        async with house_of(request).db.write() as session:
            entry = await evidence.find(session, entry_id, actor)
            contract = contract_of(request, entry.contract)
            owner = row_id(said["owner"])
            await obligations.add(
                session,
                contract,
                "",
                said["agreed"],
                day,
                owner,
                actor,
                now,
                evidence_id=entry_id,
            )
    except InvalidInput as error:
        return await _page(request, 400, f"agree_{entry_id}", str(error), said)
    return go(f"/evidence?contract={contract.key}&done=agreed#entry-{entry_id}")


async def download(request: web.Request) -> web.Response:
    """A file that proves an entry or an obligation; who took it is recorded."""
    async with house_of(request).db.write() as session:
        file = await evidence.handed_out(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return hand_out(file.name, file.content)


async def file_of(request: web.Request) -> tuple[str, Checked] | None:
    """The name and the looked-at content of the file that came with the form; None where none was
    chosen. InvalidInput for one that is too large."""
    file: HandedIn | None = request.get(FILE)
    if file is None:
        return None
    if not file.is_whole:
        raise InvalidInput(f"The file is larger than {LARGEST // 1024 // 1024} MB.")
    if not file.content:
        raise InvalidInput("The file is empty. Choose another one.")
    return file.name, await asyncio.to_thread(checked, file.content)


def _typed(said: dict[str, str]) -> Typed:
    day, reached = day_in(said.get("day", "")), said.get("reached", "").replace(",", "")
    if day is None:
        raise InvalidInput("Give the day on which it was.")
    if reached and not (reached.isascii() and reached.isdigit() and len(reached) <= 8):
        raise InvalidInput("Give how many were reached as a number, or leave it empty.")
    words = ("kind", "what", "channel", "quadrant", "locality", "partner", "you_said", "we_did")
    return Typed(
        day=day,
        reached=int(reached) if reached else None,
        **{name: said.get(name, "") for name in words},
    )


def _contract(request: web.Request, said: dict[str, str]) -> Contract:
    contracts = contracts_of(request, "evidence.read")
    key = said.get("contract") or request.query.get("contract", "")
    found = next((one for one in contracts if one.key == key), None)
    return found or contracts[0] if contracts else contract_of(request, key)


def _period(request: web.Request, contract: Contract) -> Period:
    """The quarter that was asked for, or the one that runs."""
    try:
        found = periods.period(request.query.get("period", ""), contract.year_starts_month)
        if found.kind == periods.QUARTER:
            return found
    except periods.BadPeriod:
        pass
    today = now_of(request).astimezone(ZoneInfo(contract.zone)).date()
    return periods.period_containing(today, periods.QUARTER, contract.year_starts_month)


async def _page(
    request: web.Request,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> web.Response:
    contract, actor, now = _contract(request, typed or {}), actor_of(request), now_of(request)
    period = _period(request, contract)
    kind = request.query.get("kind", "")
    names = {one.code: one.name for one in contract.evidence}
    kind = kind if kind in names else ""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    async with house_of(request).db.read() as session:
        entries = await evidence.listed(session, contract, period.start, period.end, kind=kind)
        counts = await evidence.counts(session, contract, period.start, period.end)
        listed = await partners.listed(session, [contract], now)
        agreed = await obligation_lists.agreed_in(
            session, contract, [one.id for one in entries] or [0], now
        )
        owners = await obligations.owners(session, contract)
        groups_wait = await groups.still_open(session, contract)
    own = {one.code for one in contract.partners}
    values: dict[str, Any] = {
        "contract": contract,
        "contracts": contracts_of(request, "evidence.read"),
        "period": period,
        "before": periods.previous(period),
        "after": periods.following(period) if period.end < today else None,
        "kind": kind,
        "names": names,
        "area_names": {one.code: one.name for one in contract.quadrants},
        "entries": entries,
        "counts": counts,
        "partners": [(one.id or one.code, one.name) for one in listed if one.id or one.code in own],
        "agreed": agreed,
        "groups_wait": groups_wait,
        "owners": owners,
        "may_agree": may(actor, "obligation.write", contract.key),
        "may_take_back": may(actor, "evidence.take_back", contract.key),
        "today": today.isoformat(),
        "form": form,
        "problem": problem,
        "wrong": wrong_field(_WRONG, problem, "file" if form.startswith("file_") else "what"),
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }
    if problem.startswith("Say it shorter"):
        values["wrong"] = "why" if form.startswith("back_") else "what"
    return show(request, "evidence.html.j2", status, zone=contract.zone, **values)
