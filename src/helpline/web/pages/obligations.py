"""The calendar of what is owed to the council and others: the next first, what has no day yet, what
was done and what shows it. Reading it lays out what the contract's rules owe, so that it is whole
from the first look."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.desk import evidence, obligation_lists, obligations
from helpline.errors import Conflict, InvalidInput
from helpline.rules.ical import WholeDay, calendar
from helpline.rules.permissions import may
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    narrowed,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.evidence import file_of
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import ZONE, go, show

NEAR_DAYS: Final = 60
"""What is owed within so many days is shown with its forms; the rest as a list."""
MOST_DAYS: Final = 1000
OWN_WORDS: Final = "Something that was written down by hand"
_WRONG: Final = {
    "Say in a few words": "what",
    "Give the day": "day",
    "That day lies": "day",
    "That day stands": "day",
    "That day has not": "done_on",
    "That is more": "done_on",
    "Say on which day": "done_on",
    "Say what shows": "proof",
    "Say why": "why",
    "Choose somebody": "owner",
    "Choose a contract": "contract",
    "The contract": "rule",
    "“": "rule",
    "The file": "file",
    "There are": "file",
}


async def show_obligations(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        for contract in contracts_of(request, "obligation.read"):
            if not await obligation_lists.is_laid_out(session, contract):
                await obligations.lay_out(session, contract, now_of(request))
    return await _page(request)


async def as_calendar(request: web.Request) -> web.Response:
    """The days of what is owed, for a calendar program: what the contract calls it and for which
    council; words that somebody typed stay here."""
    contracts = {
        one.key: one for one in narrowed(request, contracts_of(request, "obligation.read"))
    }
    now = now_of(request)
    async with house_of(request).db.read() as session:
        owed = await obligation_lists.listed(session, contracts, now, is_open=True, limit=MOST_DAYS)
    days = [
        WholeDay(
            f"owed-{one.id}@helpline",
            f"{one.what if one.is_by_rule else OWN_WORDS}: {contracts[one.contract].council}",
            one.due_on,
        )
        for one in owed
    ]
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": 'attachment; filename="owed.ics"',
    }
    text = calendar("What is owed", days, now)
    return web.Response(text=text, content_type="text/calendar", charset="utf-8", headers=headers)


async def add(request: web.Request) -> web.Response:
    """A day for what the contract leaves open, or something of our own."""
    said = {name: given[-1].strip() for name, given in (await form_of(request)).items()}
    contracts = contracts_of(request, "obligation.write")
    key, _, rule = said.get("rule", "").rpartition("/")
    key = key or said.get("contract") or (contracts[0].key if contracts else "")
    try:
        contract = next((one for one in contracts if one.key == key), None)
        if contract is None:
            raise InvalidInput("Choose a contract from the list.")
        day = day_in(said.get("day", ""))
        if day is None:
            raise InvalidInput("Give the day.")
        owner = row_id(said.get("owner", ""))
        async with house_of(request).db.write() as session:
            await obligations.add(
                session,
                contract,
                rule,
                said.get("what", ""),
                day,
                owner,
                actor_of(request),
                now_of(request),
            )
    except (InvalidInput, Conflict) as error:
        return await _page(request, "add", error, said)
    return go("/obligations?done=added")


async def give(request: web.Request) -> web.Response:
    """Who looks after it, and by when."""
    row, owner = number_in_path(request, "id"), await field(request, "owner")
    said = {"owner": owner, "day": await field(request, "day")}
    actor, now = actor_of(request), now_of(request)
    try:
        day = day_in(said["day"])
        if day is None:
            raise InvalidInput("Give the day.")
        async with house_of(request).db.write() as session:
            found = await obligations.find(session, row, actor)
            contract = contract_of(request, found.contract)
            await obligations.give(session, contract, row, row_id(owner), day, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, f"give_{row}", error, said)
    return go(f"/obligations?done=given#owed-{row}")


async def settle(request: web.Request) -> web.Response:
    """It is done, on which day, and what shows it."""
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    said = {name: await field(request, name) for name in ("done_on", "proof")}
    try:
        day, file = day_in(said["done_on"]), await file_of(request)
        if day is None:
            raise InvalidInput("Say on which day it was done.")
        async with house_of(request).db.write() as session:
            found = await obligations.find(session, row, actor)
            contract = contract_of(request, found.contract)
            await obligations.settle(session, contract, row, day, said["proof"], actor, now)
            if file is not None:
                await evidence.keep_file(session, found, file[0], file[1], actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, f"done_{row}", error, said)
    return go("/obligations?done=done")


async def drop(request: web.Request) -> web.Response:
    """Not owed this time, and why."""
    row, why = number_in_path(request, "id"), await field(request, "why")
    try:
        async with house_of(request).db.write() as session:
            await obligations.drop(session, row, why, actor_of(request), now_of(request))
    except (InvalidInput, Conflict) as error:
        return await _page(request, f"drop_{row}", error, {"why": why})
    return go("/obligations?done=dropped")


async def _page(
    request: web.Request,
    form: str = "",
    error: Exception | None = None,
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    everywhere = contracts_of(request, "obligation.read")
    contracts = {one.key: one for one in narrowed(request, everywhere)}
    async with house_of(request).db.read() as session:
        owed = await obligation_lists.listed(session, contracts, now, is_open=True)
        settled = await obligation_lists.listed(session, contracts, now, is_open=False, limit=50)
        open_rules = [
            (contract, rule)
            for contract in contracts.values()
            for rule in await obligation_lists.without_a_day(session, contract, now)
        ]
        owners = {key: await obligations.owners(session, one) for key, one in contracts.items()}
        files = await evidence.files_of(session, obligations=[one.id for one in settled] or [0])
    is_all = len(everywhere) == 1 or request.query.get("until") == "all" or bool(error)
    near = owed if is_all else [one for one in owed if one.days <= NEAR_DAYS]
    problem = str(error) if error else ""
    otherwise = {"done": "proof", "drop": "why"}.get(form.partition("_")[0], "what")
    values: dict[str, Any] = {
        "contracts": list(contracts.values()),
        "councils": {one.key: one.council for one in everywhere},
        "only": next(iter(contracts)) if len(contracts) == 1 < len(everywhere) else "",
        "owed": owed,
        "near": near,
        "further": owed[len(near) :],
        "late": sum(one.days < 0 for one in owed),
        "settled": settled,
        "open_rules": open_rules,
        "named": [
            (f"{key}/{rule.code}", rule.name)
            for key, contract in contracts.items()
            for rule in contract.obligations
            if rule.every == "when_named" and rule.counted_from is None
        ],
        "owners": owners,
        "everybody": sorted({one for listed in owners.values() for one in listed}, key=_by_name),
        "files": files,
        "may_write": may(actor, "obligation.write"),
        "may_report": may(actor, "report.read"),
        "today": now.astimezone(ZoneInfo(ZONE)).date().isoformat(),
        "form": form,
        "problem": problem,
        "wrong": wrong_field(_WRONG, problem, otherwise),
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }
    status = 409 if isinstance(error, Conflict) else 400 if error else 200
    return show(request, "obligations.html.j2", status, **values)


def _by_name(one: tuple[int, str]) -> str:
    return one[1].lower()
