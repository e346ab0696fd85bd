"""The council's page: did they keep what was promised, and if not, where; how it went over the last
periods, how the running one goes, what is agreed and asked, and every report with its files.

One contract a page, and nothing of another's. Leads see it as the council does. It counts nothing:
signed releases are read back, and the running period as on the last Sunday.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import (
    figure_threads,
    measure_proposals,
    obligation_lists,
    portal,
    releasing_lists,
    review_actions,
)
from helpline.desk.releasing_lists import Listed
from helpline.errors import Conflict, NotFound
from helpline.models import Release
from helpline.reports import frozen, running, trend
from helpline.reports.report import Report
from helpline.reports.running import Running
from helpline.reports.trend import Past, Trend
from helpline.rules import periods
from helpline.vocabulary import ReleaseState, Side
from helpline.web.asked import actor_of, contracts_of, form_of, house_of, now_of
from helpline.web.pages.reports import FILES, TYPES
from helpline.web.showing import show

MOST_TRENDS: Final = 4
MOST_OPEN: Final = 5
MOST_PAST, MOST_AHEAD = 24, 6
SIDES: Final = {Side.COUNCIL: "The council", Side.PROVIDER: "The helpline"}


@dataclass(frozen=True)
class Headline:
    """The report that answers first, with its own place in the list."""

    listed: Listed
    report: Report


@dataclass(frozen=True)
class Due:
    """Something the council is owed by a day."""

    what: str
    day: date
    today: date
    is_certain: bool = True

    @property
    def days(self) -> int:
        """Until then; negative when it is late."""
        return (self.day - self.today).days


async def show_portal(request: web.Request) -> web.Response:
    known = contracts_of(request, "portal.read")
    if not known:
        return show(request, "portal.html.j2", contract=None, contracts=[])
    asked = request.query.get("contract", "")
    contract = next((one for one in known if one.key == asked), known[0])
    now = now_of(request)
    async with house_of(request).db.read() as session:
        found = [
            one
            for one in await releasing_lists.listed(session, contract, actor_of(request), now)
            if one.state.is_out
        ]
        headline = await _headline(session, contract, found)
        actions = await review_actions.listed(session, contract, now)
        values: dict[str, Any] = {
            "headline": headline,
            "trends": await _trends(session, contract, found, headline),
            "running": await _running(session, contract, now),
            "releases": found[:MOST_PAST],
            "restated": _restated(found),
            "actions": [one for one in actions if one.state == "open"][:MOST_OPEN],
            "open_actions": sum(one.state == "open" for one in actions),
            "questions": await figure_threads.listed(session, contract, now, limit=MOST_OPEN),
            "proposals": [
                one for one in await measure_proposals.listed(session, contract) if one.is_open
            ],
            "owed": await _owed(session, contract, now),
        }
    return show(
        request,
        "portal.html.j2",
        zone=contract.zone,
        contract=contract,
        contracts=known,
        formats=list(TYPES),
        files=FILES,
        sides=SIDES,
        side=portal.side_of(actor_of(request)),
        **values,
    )


# --- what the first screen says ------------------------------------------------------------------


async def _headline(
    session: AsyncSession, contract: Contract, found: Sequence[Listed]
) -> Headline | None:
    """The newest signed report that says whether the promises were kept; where none does, the
    newest of all. Of two that end on the same day the shorter; of a restated one the last."""
    by_newest = sorted(
        found, key=lambda one: (one.release.ends_on, one.release.starts_on, one.release.number)
    )[::-1]
    says_so = {one.code for one in contract.reports if _counts_promises(contract, one.code)}
    telling = [one for one in by_newest if one.release.report in says_so] or by_newest
    if not telling:
        return None
    first = telling[0]
    report = await frozen.load(session, contract, first.release, only=["quadrant"])
    return Headline(first, report)


def _counts_promises(contract: Contract, code: str) -> bool:
    measures = {one for line in contract.report(code).lines for one in line.measures}
    return any(f"{clock.code}.met" in measures for clock in contract.reported_clocks)


async def _trends(
    session: AsyncSession,
    contract: Contract,
    found: Sequence[Listed],
    headline: Headline | None,
) -> list[Trend]:
    """Of the headline's report: the promises, then whatever has a target, then how many came."""
    if headline is None:
        return []
    releases: list[Release] = [one.release for one in found]
    past: Past = await trend.past(session, contract, releases, headline.report.asked.code)
    return [past.of(one) for one in _told(contract, headline.report)[:MOST_TRENDS]]


def _told(contract: Contract, report: Report) -> list[Measure]:
    there = dict.fromkeys(cell.measure for cell in report.cells)
    measures = [contract.measure(code) for code in there]
    kept = [one for one in measures if one.code in _kept(contract)]
    aimed = [one for one in measures if one.target and not one.target.words and one not in kept]
    came = [one for one in measures if one.counts in ("people", "cases", "contacts")]
    wholes = [one for one in came if not one.where and one not in aimed]
    return [*kept, *aimed, *wholes]


def _kept(contract: Contract) -> set[str]:
    return {f"{clock.code}.met" for clock in contract.reported_clocks}


async def _running(session: AsyncSession, contract: Contract, now: datetime) -> Running | None:
    """Of the reports that say whether the promises were kept the one that is owed most often, in
    the order of the contract."""
    lengths = periods.MONTHS
    asked = sorted(contract.reports, key=lambda one: lengths[periods.KIND_OF[one.every]])
    for one in asked:
        if _counts_promises(contract, one.code):
            found = await running.running(session, contract, one.code, now)
            if found is not None:
                return found
    return None


def _restated(found: Sequence[Listed]) -> set[int]:
    """The releases that a later number of the same report stands beside."""
    last: dict[tuple[str, str], int] = {}
    for one in found:
        key = (one.release.report, one.release.period)
        last[key] = max(last.get(key, 0), one.release.number)
    return {
        one.release.id or 0
        for one in found
        if one.release.number < last[one.release.report, one.release.period]
    }


async def _owed(session: AsyncSession, contract: Contract, now: datetime) -> list[Due]:
    """What the contract itself owes the council next: reports that are drawn up and not signed yet,
    reports to come and meetings, of what comes again and again the next alone; never our own
    lines."""
    zone, today = ZoneInfo(contract.zone), portal.today_of(contract, now)
    drawn_up, found, said = set[date](), list[Due](), set[str]()
    for release in await frozen.releases(session, contract, only_out=False):
        if not ReleaseState(release.state).is_out and release.number == 1:
            one = await releasing_lists.one(session, contract, release, now)
            if one.due_at is not None:
                drawn_up.add(release.ends_on)
                day = one.due_at.astimezone(zone).date()
                found.append(Due(f"{one.name}: not signed yet", day, today))
    for owed in await obligation_lists.listed(session, {contract.key: contract}, now, is_open=True):
        is_theirs = owed.is_by_rule and (owed.report or owed.agenda)
        is_there = owed.what in said or (owed.report and owed.for_day in drawn_up)
        if is_theirs and not is_there:
            said.add(owed.what)
            words = f"{owed.what}, up to {owed.period}" if owed.period else owed.what
            found.append(Due(words, owed.due_on, today, owed.is_certain))
    return sorted(found, key=lambda one: one.day)[:MOST_AHEAD]


# --- for the pages below it ----------------------------------------------------------------------


def contract_in_path(request: web.Request) -> Contract:
    """The contract in the address; NotFound for one that is not the asker's, as for none."""
    for contract in contracts_of(request, "portal.read"):
        if contract.key == request.match_info["contract"]:
            return contract
    raise NotFound("There is nothing at this address, or it is not yours to see.")


async def typed_in(request: web.Request) -> dict[str, str]:
    """The fields of the form as they were typed, without the hidden token."""
    form = await form_of(request)
    return {name: given[-1].strip() for name, given in form.items() if name != "csrf"}


def form_values(
    request: web.Request,
    contract: Contract,
    form: str,
    error: Exception | None,
    typed: dict[str, str] | None,
    fields: dict[str, str],
    words: str,
) -> dict[str, Any]:
    """What every page with forms shows: which form was sent, what is wrong with it and where
    (`fields`, `words`: see _field_of), all that was typed, and what was done."""
    return {
        "contract": contract,
        "sides": SIDES,
        "form": form,
        "problem": str(error) if error else "",
        "wrong": _field_of(error, fields, typed or {}, words) if error else "",
        "typed": typed or {},
        "done": request.query.get("done", ""),
    }


def status_of(error: Exception | None) -> int:
    """The page that says what is wrong is no success."""
    return 409 if isinstance(error, Conflict) else 400 if error else 200


def _field_of(error: Exception, fields: dict[str, str], typed: dict[str, str], words: str) -> str:
    """Which field a sentence is about. Of "leave it out" and "say it shorter" it is the first whose
    words do not pass; `words`: where none is named."""
    sentence = str(error)
    named = next((name for begins, name in fields.items() if sentence.startswith(begins)), "")
    if named:
        return named
    if sentence == portal.NO_POINTERS:
        pointing = (name for name, said in typed.items() if portal.POINTS_TO_SOMEBODY.search(said))
        return next(pointing, words)
    if typed and sentence.startswith("Say it shorter"):
        return max(typed, key=lambda name: len(typed[name]))
    return words
