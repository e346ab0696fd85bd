"""What the demo's council sees on its own page: the last quarters signed, an action overdue and
one done, a question answered and one that waits, a measure proposed.

seed.py calls `sow` at its end; the demo calls `sign` once it serves, because counting, protecting
and typesetting three quarters takes longer than anybody wants to wait for the first page.
Everything goes through the same desk functions as real life does.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import (
    access,
    figure_threads,
    measure_proposals,
    releasing,
    review_actions,
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


async def sow(house: House, contract: Contract, staff: dict[str, Actor], password: str) -> None:
    """What needs no report. `staff`: those of the demo by their names."""
    now = house.clock.now()
    async with house.db.write() as session:
        await access.add_user(
            session, SECOND, Role.LEAD, None, password, now, shown_name="Lennox Adair"
        )
    await _agreed(house, contract, staff, now)
    await _proposed(house, contract, staff, now)


async def sign(house: House, contract: Contract) -> None:
    """The reports of the last quarters, checked by one lead and signed by another, and what was
    asked about them. A second time it changes nothing."""
    now, staff = house.clock.now(), await _staff(house)
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    last = periods.previous(
        periods.period_containing(today, periods.QUARTER, contract.year_starts_month)
    )
    for span in _last(last, QUARTERS):
        await _sign(house, contract, span, staff["leonie"], staff[SECOND], now)
    await _asked(house, contract, last, staff, now)


async def _staff(house: House) -> dict[str, Actor]:
    async with house.db.read() as session:
        users = await session.scalars(select(User).where(col(User.name).in_(NAMES)))
        return {
            one.name: Actor(one.id or 0, one.shown_name, Role(one.role), one.contract)
            for one in users
        }


def _last(span: Period, number: int) -> list[Period]:
    """So many periods that end with this one, the oldest first."""
    found = [span]
    while len(found) < number:
        found.insert(0, periods.previous(found[0]))
    return found


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
        words = "Were the late ones at weekends? We would like to know before the next review."
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
