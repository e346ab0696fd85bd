"""What the demo's council sees on its own page: the last quarters signed, an action overdue and
one done, a question answered and one that waits, a measure proposed; and figures from elsewhere:
two quarters of a time before us, and what every council supplies.

seed.py calls `sow` at its end; the demo calls `sign` once it serves, because counting, protecting
and typesetting three quarters takes longer than anybody wants to wait for the first page.
Everything goes through the same desk functions as real life does.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.desk import (
    access,
    figure_threads,
    measure_proposals,
    releasing,
    review_actions,
    supplying,
)
from helpline.desk.figure_threads import About
from helpline.desk.house import House
from helpline.desk.measure_wording import Worded
from helpline.desk.review_actions import Agreed
from helpline.models import FigureQuestion, Release, User
from helpline.rules import periods
from helpline.rules.periods import Period
from helpline.rules.permissions import Actor
from helpline.vocabulary import ReleaseState, Role, Side

REPORT, QUARTERS = "quarter", 3
SECOND = "lennox"
NAMES = ("leonie", SECOND, "petra")
DAY = timedelta(days=1)
MOVED = "More than in the quarter before: the first year is still filling up."
WORDS = "What came of it is on the page “You said, we did”."
BEFORE_US: Final = (
    ("people", (28, 25)),
    ("contacts", (71, 63)),
    ("cases", (41, 37)),
    ("complaints", (3, 0)),
    ("compliments", (9, 12)),
    ("first_response.met", (29, 23)),
    ("first_response.missed", (12, 14)),
    ("first_response.open", (0, 0)),
    ("allocation.met", (30, 26)),
    ("allocation.missed", (11, 11)),
    ("allocation.open", (0, 0)),
)
"""What the service before us counted in its last two quarters, the later one first."""
RATHER: Final = {"more": (71, 97), "less": (2, 14), "neither": (6, 48)}
"""Between what invented figures lie, by what would be better."""


async def sow(house: House, contract: Contract, staff: dict[str, Actor], password: str) -> None:
    """What needs no report. `staff`: those of the demo by their names."""
    now = house.clock.now()
    async with house.db.write() as session:
        await access.add_user(
            session, SECOND, Role.LEAD, None, password, now, shown_name="Lennox Adair"
        )
    await _agreed(house, contract, staff, now)
    await _proposed(house, contract, staff, now)
    await _before_us(house, contract, now)
    for one in house.contracts.values():
        await _supplied(house, one, staff["leonie"], now)


def since_lately(house: House, key: str) -> House:
    """The same house, with this contract ours since the oldest quarter that the demo signs: what
    was before that day was given to us, and trends begin before us."""
    contract = house.contracts[key]
    first = _signed(contract, house.clock.now())[0].start
    ours = contract.model_copy(update={"term": contract.term.model_copy(update={"start": first})})
    return replace(house, contracts={**house.contracts, key: ours})


async def sign(house: House, contract: Contract) -> None:
    """The reports of the last quarters, checked by one lead and signed by another, and what was
    asked about them. A second time it changes nothing."""
    now, staff = house.clock.now(), await _staff(house)
    signed = _signed(contract, now)
    for span in signed:
        await _sign(house, contract, span, staff["leonie"], staff[SECOND], now)
    await _asked(house, contract, signed[-1], staff, now)


async def _staff(house: House) -> dict[str, Actor]:
    async with house.db.read() as session:
        users = await session.scalars(select(User).where(col(User.name).in_(NAMES)))
        return {
            one.name: Actor(one.id or 0, one.shown_name, Role(one.role), one.contract)
            for one in users
        }


def _signed(contract: Contract, now: datetime) -> list[Period]:
    """The last quarters that are over, the oldest first."""
    found = [_over(contract, periods.QUARTER, now)]
    while len(found) < QUARTERS:
        found.insert(0, periods.previous(found[0]))
    return found


def _over(contract: Contract, kind: str, now: datetime) -> Period:
    """The last period of a kind that is over."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    return periods.previous(periods.period_containing(today, kind, contract.year_starts_month))


async def _sign(
    house: House, contract: Contract, span: Period, checks: Actor, signs: Actor, now: datetime
) -> None:
    """Checked by one lead, signed by the other; a report that is signed already is left alone."""
    async with house.db.write() as session:
        made = await session.scalar(  # the engine may have drawn it up already
            select(Release).where(
                col(Release.contract) == contract.key,
                col(Release.report) == REPORT,
                col(Release.period) == span.label,
            )
        )
        if made is None:
            made = await releasing.draw_up(session, contract, REPORT, span.label, checks, now)
        if made.state != ReleaseState.DRAFT:
            return
    row = made.id or 0
    async with house.db.read() as session:
        counted = await releasing.to_check(session, contract, made, now)
    async with house.db.write() as session:
        await releasing.check(session, contract, row, counted, checks, now)
        found = await releasing.find(session, row, checks)
        moves = await releasing.moves(session, contract, found, now)
        said = {one.measure.code: MOVED for one in moves if one.change is not None}
        said |= dict.fromkeys(releasing.asked_for(contract, found), WORDS)
        await releasing.say(session, contract, row, said, checks, now)
    async with house.db.read() as session:
        ready = await releasing.to_sign(
            session, contract, await releasing.find(session, row, signs), now
        )
        files = await releasing.files_of(session, contract, ready)
    async with house.db.write() as session:
        await releasing.sign(session, contract, ready, files, signs, now)


async def _agreed(house: House, contract: Contract, staff: dict[str, Actor], now: datetime) -> None:
    """A review three weeks ago; of what was agreed there one is overdue, one done, one ahead."""
    petra, leonie = staff["petra"], staff["leonie"]
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    then = now - 21 * DAY
    async with house.db.write() as session:
        review = await review_actions.hold(
            session,
            contract,
            then.date(),
            "Service Manager Fostering, the helpline's team lead",
            "The promises and whether they were kept\nWhat users said and what we did",
            petra,
            then,
        )

        async def agree(what: str, side: Side, owner: str, days: int) -> int:
            agreed = Agreed(what, side, owner, today + days * DAY, review.id)
            made = await review_actions.agree(session, contract, agreed, petra, then)
            return made.id or 0

        ours, theirs = Side.PROVIDER, Side.COUNCIL
        await agree("Say in the report how long weekend calls wait", ours, "Team lead", -4)
        done = await agree("Send the new teams' names and areas", theirs, "Service manager", -6)
        await agree("Visit the Tendring carers' group together", theirs, "Service manager", 19)
        await review_actions.finish(
            session,
            contract,
            done,
            today - 8 * DAY,
            "The list of this month",
            leonie,
            now - 8 * DAY,
        )


async def _asked(
    house: House, contract: Contract, span: Period, staff: dict[str, Actor], now: datetime
) -> None:
    petra, leonie = staff["petra"], staff["leonie"]
    async with house.db.write() as session:
        if await session.scalar(select(col(FigureQuestion.id)).limit(1)) is not None:
            return
        about = About(REPORT, span.label, "contacts")
        words = "Why did so many more people write by text than ring?"
        asked = await figure_threads.ask(session, contract, about, words, petra, now - 6 * DAY)
        answer = "The number was printed on the letters that went out in the second month."
        row, at = asked.id or 0, now - 5 * DAY
        await figure_threads.write(session, contract, row, answer, leonie, at)
        about = About(REPORT, span.label, "first_response.missed")
        words = "Is that so at weekends too? We would like to know before the next review."
        await figure_threads.ask(session, contract, about, words, petra, now - DAY)


async def _proposed(
    house: House, contract: Contract, staff: dict[str, Actor], now: datetime
) -> None:
    petra, leonie = staff["petra"], staff["leonie"]
    worded = Worded(
        why="At the review we could not say whether weekends are slower.",
        name="First answers at weekends within four hours",
        question="What share of those who wrote at a weekend had an answer within four hours?",
        means="Of the cases that began on a Saturday or Sunday; an automatic answer never counts.",
        target_kind="at_least",
        target="90",
    )
    async with house.db.write() as session:
        made = await measure_proposals.propose(
            session, contract, "new", "", worded, petra, now - 5 * DAY
        )
        said = "We can count that. We would rather begin with 80 and look again after a quarter."
        await measure_proposals.say(session, contract, made.id or 0, said, leonie, now - 2 * DAY)
        worded = Worded(
            **(vars(worded) | {"target": "80", "why": "To begin with what is kept now."})
        )
        await measure_proposals.revise(
            session, contract, made.id or 0, worded, leonie, now - 2 * DAY
        )


async def _before_us(house: House, contract: Contract, now: datetime) -> None:
    """The last two quarters before the contract's first day with us, as the service before us
    counted them; none where the contract is not taken for a recent one (since_lately)."""
    span = _signed(contract, now)[0]
    if span.start != contract.term.start:
        return
    lines = ["period,measure,value,source"]
    for place in range(2):
        span = periods.previous(span)
        for code, values in BEFORE_US:
            lines.append(f"{span.label},{code},{values[place]},The service before us")
    async with house.db.write() as session:
        await supplying.import_figures(session, contract, "\n".join(lines), now, dry_run=False)


async def _supplied(house: House, contract: Contract, by: Actor, now: datetime) -> None:
    """What the council or the homes supply for the last month, quarter and year that are over; the
    last figure of each nobody has supplied yet."""
    dice = random.Random(contract.key)  # noqa: S311
    for kind in periods.MONTHS:
        span = _over(contract, kind, now)
        asked = [one for _, _, some in supplying.needed(contract, span) for one in some]
        known = asked[:-1] or asked
        for source in dict.fromkeys(one.owner for one in known):
            typed = list(_typed([one for one in known if one.owner == source], dice))
            said = (typed, source or "The council", span.end)
            async with house.db.write() as session:
                await supplying.supply(session, contract, span, *said, by, now - DAY)


def _typed(asked: list[Measure], dice: random.Random) -> Iterator[supplying.Typed]:
    for one in asked:
        scale = one.target.scale if one.target else ()
        number = str(dice.randint(*RATHER[one.better]))
        yield supplying.Typed(
            one.code, (scale[-2:] or ["Not inspected"])[0] if one.unit == "grade" else number
        )
