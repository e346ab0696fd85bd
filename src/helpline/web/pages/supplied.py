"""Figures that reports need from outside: which are missing, typed in or handed in as a list, and
what was given. For leads and administrators.
"""

from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import supplying
from helpline.desk.imports import ImportProblems
from helpline.desk.supplying import LARGEST_LIST, Misread, Typed
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import FigureList
from helpline.reports import codes
from helpline.rules import periods
from helpline.rules.periods import KIND_OF, Period
from helpline.vocabulary import ListState
from helpline.web.asked import actor_of, contracts_of, form_of, house_of, now_of, number_in_path
from helpline.web.handed_in import FILE, HandedIn
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import go, show

BACK: Final = {periods.MONTH: 4, periods.QUARTER: 3, periods.HALF_YEAR: 2, periods.ANNUAL: 2}
"""How many periods of each kind the list begins with, the running one included."""
FIELD: Final = "value."
_WRONG: Final = {
    "Say who or what": "source",
    "Say it shorter": "source",
    "The day of the figures": "as_of",
    "That is no day": "as_of",
    "Write at least": "source",
    "Say why": "why",
}


async def show_all(request: web.Request) -> web.Response:
    """Each contract's periods, and how many figures are missing in each."""
    now, listed = now_of(request), []
    async with house_of(request).db.read() as session:
        for contract in contracts_of(request, "report.supply"):
            rows = [
                (period, await supplying.missing(session, contract, period), is_over)
                for period, is_over in _recent(contract, now)
            ]
            past = await supplying.past_periods(session, contract)
            waiting = await supplying.waiting(session, contract)
            listed.append((contract, rows, past, _last_before_us(contract), waiting))
    return show(request, "supplied_all.html.j2", listed=listed)


async def show_period(request: web.Request) -> web.Response:
    return await _page(request)


async def supply(request: web.Request) -> web.Response:
    """What was typed, all of it or nothing."""
    contract, period = _asked(request)
    said = {name: given[-1].strip() for name, given in (await form_of(request)).items()}
    typed = [
        Typed(name.removeprefix(FIELD), text)
        for name, text in said.items()
        if name.startswith(FIELD)
    ]
    try:
        async with house_of(request).db.write() as session:
            await supplying.supply(
                session,
                contract,
                period,
                typed,
                said.get("source", ""),
                _day(said.get("as_of", "")),
                actor_of(request),
                now_of(request),
            )
    except Misread as error:
        return await _page(request, 400, "figures", str(error), said, error.wrong)
    except InvalidInput as error:
        return await _page(request, 400, "figures", str(error), said)
    return go(f"{_address(contract, period)}?done=supplied")


async def take_back(request: web.Request) -> web.Response:
    """A figure does not count any more: kept, with the reason."""
    contract, period = _asked(request)
    figure_id = number_in_path(request, "id")
    said = {name: given[-1].strip() for name, given in (await form_of(request)).items()}
    try:
        async with house_of(request).db.write() as session:
            await supplying.take_back(
                session,
                contract,
                figure_id,
                said.get("why", ""),
                actor_of(request),
                now_of(request),
            )
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await _page(request, status, f"back_{figure_id}", str(error), said)
    return go(f"{_address(contract, period)}?done=taken_back")


# --- a list --------------------------------------------------------------------------------------


async def hand_in(request: web.Request) -> web.Response:
    """Read and checked; it waits until somebody accepts it."""
    contract, period = _asked(request)
    file: HandedIn | None = request.get(FILE)
    try:
        if file is None:
            raise InvalidInput("Choose the list: an Excel (.xlsx) or a CSV file.")
        if not file.is_whole:
            raise InvalidInput(f"This file is larger than {LARGEST_LIST // 1_000_000} MB.")
        actor, now = actor_of(request), now_of(request)
        async with house_of(request).db.read() as session:  # a long list holds nobody up
            found = await supplying.read_list(session, contract, file.content, period.label, now)
        async with house_of(request).db.write() as session:
            made = await supplying.hand_in(session, contract, period, found, actor, now)
    except ImportProblems as error:
        return await _page(request, 400, "list", "The list has faults.", faults=error.problems)
    except InvalidInput as error:
        return await _page(request, 400, "list", str(error))
    return go(f"{_address(contract, period)}/lists/{made.id}")


async def show_list(request: web.Request) -> web.Response:
    return await _list_page(request)


async def accept(request: web.Request) -> web.Response:
    contract, period = _asked(request)
    list_id, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    try:
        async with house_of(request).db.read() as session:
            found = await supplying.read_again(session, contract, list_id, now)
        async with house_of(request).db.write() as session:
            await supplying.accept(session, contract, list_id, found, actor, now)
    except (InvalidInput, Conflict) as error:
        return await _list_page(request, 409 if isinstance(error, Conflict) else 400, str(error))
    return go(f"{_address(contract, period)}?done=accepted")


async def throw_away(request: web.Request) -> web.Response:
    contract, period = _asked(request)
    try:
        async with house_of(request).db.write() as session:
            list_id = number_in_path(request, "id")
            await supplying.throw_away(
                session, contract, list_id, actor_of(request), now_of(request)
            )
    except Conflict as error:
        return await _list_page(request, 409, str(error))
    return go(f"{_address(contract, period)}?done=thrown_away")


# --- the pages -----------------------------------------------------------------------------------


async def _page(
    request: web.Request,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, str] | None = None,
    wrong_figures: dict[str, str] | None = None,
    faults: Any = (),
) -> web.Response:
    contract, period = _asked(request)
    async with house_of(request).db.read() as session:
        parts = await supplying.asked(session, contract, period)
        others = await supplying.others(session, contract, period)
        waiting = await supplying.waiting(session, contract)
    now, typed = now_of(request), typed or {}
    every = [one for part in parts for one in part.asked]
    change = request.query.get("change", "")
    open_codes = {one.measure.code for one in every if one.given is None}
    open_codes |= {change} | {name.removeprefix(FIELD) for name, text in typed.items() if text}
    first = next((one.measure.code for one in every if one.measure.code in open_codes), "")
    wrong_figures = wrong_figures or {}
    at = f"value-{next(iter(wrong_figures))}" if wrong_figures else ""
    wrong = "file" if form == "list" else wrong_field(_WRONG, problem, "source")
    wrong = "" if wrong_figures else wrong
    values: dict[str, Any] = {
        "contract": contract,
        "period": period,
        "parts": parts,
        "every": every,
        "missing": sum(one.given is None for one in every),
        "open_codes": open_codes,
        "first": first,
        "others": others,
        "waiting": [one for one in waiting if one.period == period.label],
        "names": codes.names(contract),
        "is_before_us": period.end < contract.term.start,
        "is_over": now >= periods.bounds(period, contract.zone)[1],
        "before": periods.previous(period),
        "after": _following(contract, period, now),
        "form": form,
        "problem": problem,
        "wrong": wrong,
        "at": at or (f"{form}-{wrong}" if form else ""),
        "wrong_figures": wrong_figures,
        "typed": typed,
        "faults": faults,
        "day": period.end.isoformat() if now.date() > period.end else "",
        "done": request.query.get("done", ""),
    }
    return show(request, "supplied.html.j2", status, zone=contract.zone, **values)


async def _list_page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    contract, period = _asked(request)
    async with house_of(request).db.read() as session:
        row: FigureList = await supplying.find_list(
            session, contract, number_in_path(request, "id")
        )
        if row.state != ListState.PENDING or row.content is None:
            done = "accepted" if row.state == ListState.ACCEPTED else "thrown_away"
            return go(f"{_address(contract, period)}?done={done}")
        read = await supplying.read_list(
            session, contract, row.content, row.period, now_of(request)
        )
    return show(
        request,
        "supplied_list.html.j2",
        status,
        zone=contract.zone,
        contract=contract,
        period=period,
        row=row,
        lines=read.lines,
        counts={
            change: sum(one.change == change for one in read.lines)
            for change in ("new", "other", "same")
        },
        names=codes.names(contract),
        problem=problem,
    )


def _asked(request: web.Request) -> tuple[Contract, Period]:
    key = request.match_info["contract"]
    found = next((c for c in contracts_of(request, "report.supply") if c.key == key), None)
    if found is None:
        raise NotFound("There is no such contract, or it is not yours to see.")
    return found, supplying.period_for(found, request.match_info["label"], now_of(request))


def _address(contract: Contract, period: Period) -> str:
    return f"/reports/{contract.key}/supplied/{period.label}"


def _day(text: str) -> date | None:
    day = day_in(text)
    if text and day is None:
        raise InvalidInput("That is no day: write it as day, month and year.")
    return day


def _following(contract: Contract, period: Period, now: datetime) -> Period | None:
    after = periods.following(period)
    return after if after.start <= now.astimezone(ZoneInfo(contract.zone)).date() else None


def _last_before_us(contract: Contract) -> Period:
    """The last period of the contract's first report that was over before our first day."""
    kind, month = KIND_OF[contract.reports[0].every], contract.year_starts_month
    return periods.previous(periods.period_containing(contract.term.start, kind, month))


def _recent(contract: Contract, now: datetime) -> list[tuple[Period, bool]]:
    """The running period of each kind that needs figures from outside, and those before it, the
    newest first; whether it is over."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    found = []
    for kind in dict.fromkeys(KIND_OF[report.every] for report in contract.reports):
        period = periods.period_containing(today, kind, contract.year_starts_month)
        for _ in range(BACK[kind]):
            if supplying.needed(contract, period):
                found.append((period, period.end < today))
            period = periods.previous(period)
    return found
