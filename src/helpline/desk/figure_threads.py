"""Questions of the council on a figure, and their answers: a thread for each (A74).

The council asks from a report's page; what waits for us is a line of our calendar with a day by
which it is answered, so leads are told like of everything owed. Called by
web/pages/portal_questions.py. A question changes no figure, and nobody may be named in one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, obligations, portal
from helpline.desk.holding import twins
from helpline.desk.portal import Message
from helpline.errors import Conflict, InvalidInput
from helpline.models import FigureQuestion, PortalMessage, metadata
from helpline.reports import codes, frozen, view
from helpline.reports.cells import By, by_of
from helpline.reports.supplied import by_written, written
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import QuestionState, Side

WORKING_DAYS: Final = 5
"""Ours: no contract says how soon a question is answered."""
MOST: Final = 200


@dataclass(frozen=True)
class About:
    """What is asked about: a figure of a report's total or of one area, or the whole report."""

    report: str
    period: str
    measure: str = ""
    area: str = ""


@dataclass(frozen=True)
class Shown:
    """A question as a page shows it. `days`: until it is to be answered, negative when late."""

    id: int
    title: str
    report: str
    period: str
    figure: str
    state: str
    asked_at: datetime
    due_on: date
    days: int
    first: str
    messages: Sequence[Message] = ()

    @property
    def waits(self) -> bool:
        return self.state == QuestionState.WAITING


# --- what people do ------------------------------------------------------------------------------


async def ask(
    session: AsyncSession, contract: Contract, about: About, text: str, by: Actor, now: datetime
) -> FigureQuestion:
    """Ask about a figure. It waits for a lead, five working days at most."""
    require(by, "question.ask", contract.key)
    said = portal.in_words(text, "Write what you would like to know.")
    by_area = _checked(contract, about)
    release = await frozen.newest(session, contract, about.report, about.period)
    if release is None:
        raise InvalidInput("Choose a report that is signed: only its figures stand.")
    made = FigureQuestion(
        contract=contract.key,
        report=about.report,
        period=about.period,
        release_id=release.id,
        measure=about.measure or None,
        by=written(by_area),
        figure=await _figure(session, contract, about, by_area),
        asked_at=now,
        asked_by_id=by.user_id,
        due_on=_due(contract, now),
    )
    same = ("contract", "report", "period", "measure", "by", "state")
    for before in await twins(session, made, by, now, who="asked_by_id", at="asked_at", same=same):
        if (await portal.thread(session, question=before.id))[0].text == said:
            return before
    session.add(made)
    await _wait(session, contract, made, by, now)
    await session.flush()
    await portal.write(session, said, by, now, question=made.id)
    await _event(session, "question.asked", made, by, now, due=made.due_on.isoformat())
    return made


async def write(
    session: AsyncSession,
    contract: Contract,
    question_id: int,
    text: str,
    by: Actor,
    now: datetime,
) -> FigureQuestion:
    """A further message. Ours answers; the council's makes it wait for us again."""
    found = await find(session, contract, question_id, by, hold=True)
    require(by, "question.write", contract.key)
    missing = "Write what you would like to know."
    is_ours = portal.side_of(by) is Side.PROVIDER
    said = portal.in_words(text, "Write the answer." if is_ours else missing)
    if not await portal.write(session, said, by, now, question=found.id):
        return found
    if is_ours:
        found.state, found.answered_at = QuestionState.ANSWERED, found.answered_at or now
        await portal.settle(session, contract, found.obligation_id, "Answered.", by, now)
    elif found.state != QuestionState.WAITING:
        found.state, found.due_on = QuestionState.WAITING, _due(contract, now)
        found.answered_at = found.closed_at = None
        await _wait(session, contract, found, by, now)
    await session.flush()
    await _event(session, "question.answered" if is_ours else "question.said", found, by, now)
    return found


async def close(
    session: AsyncSession, contract: Contract, question_id: int, by: Actor, now: datetime
) -> None:
    """The council has what it asked for, or no longer asks."""
    found = await find(session, contract, question_id, by, hold=True)
    require(by, "question.ask", contract.key)
    if found.state == QuestionState.CLOSED:
        raise Conflict("It is closed already. Write again to take it up anew.")
    found.state, found.closed_at = QuestionState.CLOSED, now
    await portal.settle(session, contract, found.obligation_id, "No longer asked.", by, now)
    await session.flush()
    await _event(session, "question.closed", found, by, now)


async def find(
    session: AsyncSession, contract: Contract, question_id: int, by: Actor, *, hold: bool = False
) -> FigureQuestion:
    """One question of this contract; `hold`: for this transaction."""
    act = "question.read"
    return await portal.found(session, FigureQuestion, question_id, contract, by, act, hold=hold)


# --- as pages show them --------------------------------------------------------------------------


async def listed(
    session: AsyncSession, contract: Contract, now: datetime, limit: int = MOST
) -> list[Shown]:
    """Whatever waits for us first, the soonest due first; then the rest, the newest first."""
    said = metadata.tables["portal_message"].alias()
    first = (
        select(func.min(said.c.id))
        .where(said.c.question_id == col(FigureQuestion.id))
        .correlate(FigureQuestion)
        .scalar_subquery()
    )
    waits = case((col(FigureQuestion.state) == QuestionState.WAITING, 0), else_=1)
    due = case((col(FigureQuestion.state) == QuestionState.WAITING, col(FigureQuestion.due_on)))
    rows = await session.execute(
        select(FigureQuestion, col(PortalMessage.text))
        .join_from(FigureQuestion, PortalMessage, col(PortalMessage.id) == first)
        .where(col(FigureQuestion.contract) == contract.key)
        .order_by(waits, due, col(FigureQuestion.asked_at).desc(), col(FigureQuestion.id).desc())
        .limit(limit)
    )
    return [shown(contract, one, text, now) for one, text in rows]


async def waiting(session: AsyncSession, contract: Contract) -> tuple[int, date | None]:
    """How many questions wait for us, and by when the first is to be answered."""
    row = (
        await session.execute(
            select(func.count(), func.min(col(FigureQuestion.due_on))).where(
                col(FigureQuestion.contract) == contract.key,
                col(FigureQuestion.state) == QuestionState.WAITING,
            )
        )
    ).one()
    return row[0], row[1]


def shown(contract: Contract, found: FigureQuestion, first: str, now: datetime) -> Shown:
    """A question in the words of its contract, which may have lost the measure meanwhile."""
    return Shown(
        id=found.id or 0,
        title=_title(contract, found),
        report=found.report,
        period=found.period,
        figure=found.figure or "",
        state=found.state,
        asked_at=found.asked_at,
        due_on=found.due_on,
        days=(found.due_on - portal.today_of(contract, now)).days,
        first=first,
    )


def measures_in(contract: Contract, report: str) -> dict[str, str]:
    """Code → name of every measure of a report."""
    listed = dict.fromkeys(one for line in contract.report(report).lines for one in line.measures)
    return {code: contract.measure(code).name for code in listed}


# --- pieces --------------------------------------------------------------------------------------


def _checked(contract: Contract, about: About) -> By:
    """How the figure is cut. InvalidInput for what the report does not have."""
    contract.period_of(contract.report(about.report), about.period)
    if about.measure and about.measure not in measures_in(contract, about.report):
        raise InvalidInput("Choose a figure from the list, or the whole report.")
    if not about.area:
        return ()
    if about.area not in {one.code for one in contract.quadrants}:
        raise InvalidInput("Choose an area from the list, or all of them.")
    if not about.measure:
        raise InvalidInput("Choose a figure from the list: an area alone has none.")
    return by_of({"quadrant": about.area})


async def _figure(session: AsyncSession, contract: Contract, about: About, by: By) -> str | None:
    """The figure as the council reads it; None where the report has none cut like that."""
    release = await frozen.newest(session, contract, about.report, about.period)
    if release is None or not about.measure:
        return None
    totals = (await frozen.totals(session, contract, [release.id or 0]))[release.id or 0]
    cell = totals.get(about.measure)
    if by:
        cell = (await frozen.load(session, contract, release)).find(about.measure, **dict(by))
    if cell is None:
        return None
    if cell.hidden:
        return "not shown"
    words = cell.words or "–"
    if cell.value is not None:
        words = view.worded(contract.measure(about.measure), cell.value)
    return words if cell.percent is None else f"{words} ({view.number(cell.percent)}%)"


def _title(contract: Contract, found: FigureQuestion) -> str:
    if not found.measure:
        return "The whole report"
    known = contract.measures.get(found.measure)
    name = known.name if known else found.measure
    areas = codes.names(contract)["quadrant"]
    cut = [areas.get(code, code) for _, code in by_written(found.by)]
    return ", ".join([name, *cut])


def _due(contract: Contract, now: datetime) -> date:
    today = portal.today_of(contract, now)
    return contract.days.beyond(today).working_days_after(today, WORKING_DAYS)


async def _wait(
    session: AsyncSession, contract: Contract, found: FigureQuestion, by: Actor, now: datetime
) -> None:
    what = f"Answer the council's question on {_title(contract, found)}, {found.period}"
    found.obligation_id = await obligations.owe(
        session, contract, what, found.due_on, by.user_id, now
    )


async def _event(
    session: AsyncSession,
    kind: str,
    found: FigureQuestion,
    by: Actor,
    now: datetime,
    **detail: Any,
) -> None:
    await events.record(
        session, kind, now, contract=found.contract, by=by.user_id, question=found.id, **detail
    )
