"""What carers' groups raised with us, and what came of it (P25): a log beside that of evidence.

A line is open until it is answered and the group was told; it is taken back with a reason and never
removed. Called by web/pages/groups.py and changes.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Result, Row, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.holding import twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import GroupIssue, User
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import IssueEnding

LONGEST_GROUP: Final = 120
LONGEST: Final = 600


@dataclass(frozen=True)
class Raised:
    """What a group raised, as somebody typed it. `answer_by`: when they were told they hear."""

    group_name: str
    what: str
    raised_on: date | None
    quadrant: str = ""
    answer_by: date | None = None


async def write(
    session: AsyncSession, contract: Contract, raised: Raised, by: Actor, now: datetime
) -> GroupIssue:
    """Write down what a group raised. Sent twice it is one line."""
    require(by, "group.write", contract.key)
    group_name = in_a_line(raised.group_name, LONGEST_GROUP, "Say which group raised it.")
    what = in_a_line(raised.what, LONGEST, "Write in a sentence what they raised.")
    if raised.raised_on is None:
        raise InvalidInput("Give the day on which they raised it.")
    if raised.raised_on > _today(contract, now):
        raise InvalidInput("They raised it on a day that has not come: look at the day again.")
    if raised.answer_by is not None and raised.answer_by < raised.raised_on:
        raise InvalidInput("They cannot hear before they raised it: look at the days again.")
    if raised.quadrant and raised.quadrant not in {one.code for one in contract.quadrants}:
        raise InvalidInput("Choose an area from the list, or none.")
    issue = GroupIssue(
        contract=contract.key,
        group_name=group_name,
        quadrant=raised.quadrant or None,
        raised_on=raised.raised_on,
        what=what,
        answer_by=raised.answer_by,
        written_at=now,
        by_user_id=by.user_id,
    )
    same = ("contract", "group_name", "quadrant", "raised_on", "what", "answer_by", "taken_back_at")
    before = await twin(session, issue, by, now, who="by_user_id", at="written_at", same=same)
    if before is not None:
        return before
    session.add(issue)
    await _event(session, "group.raised", issue, by, now)
    return issue


async def settle(
    session: AsyncSession,
    contract: Contract,
    issue_id: int,
    ending: str,
    came: str,
    told_on: date | None,
    by: Actor,
    now: datetime,
) -> GroupIssue:
    """What came of it, and when the group was told. It may be written again: a later word on the
    same matter takes the place of the first, and the trail keeps that it did."""
    issue = await find(session, issue_id, by, "group.write")
    if ending not in list(IssueEnding):
        raise InvalidInput("Choose what came of it.")
    said = in_a_line(came, LONGEST, "Write what the group was told, in a sentence or two.")
    if told_on is None:
        raise InvalidInput("Give the day on which the group was told.")
    if not issue.raised_on <= told_on <= _today(contract, now):
        raise InvalidInput("They were told between the day they raised it and today.")
    issue.ending, issue.came, issue.told_on = ending, said, told_on
    issue.settled_at, issue.settled_by_id = now, by.user_id
    await _event(session, "group.answered", issue, by, now, ending=ending)
    return issue


async def take_back(
    session: AsyncSession, issue_id: int, why: str, by: Actor, now: datetime
) -> GroupIssue:
    """It was written down by mistake; the row and the reason stay."""
    issue = await find(session, issue_id, by, "group.write")
    if issue.by_user_id != by.user_id:
        require(by, "evidence.take_back", issue.contract)
    if issue.ending is not None:
        raise Conflict("It is answered, so it stays. Write a new line if it was wrong.")
    issue.taken_back_why = in_a_line(why, LONGEST, "Say why it is taken back.")
    issue.taken_back_at, issue.taken_back_by_id = now, by.user_id
    await _event(session, "group.taken_back", issue, by, now)
    return issue


async def find(session: AsyncSession, issue_id: int, by: Actor, action: str) -> GroupIssue:
    """One line that still stands, of a contract in which `by` may do `action`."""
    found = await session.get(GroupIssue, issue_id, with_for_update=action == "group.write")
    if found is None or found.taken_back_at is not None or not may(by, action, found.contract):
        raise NotFound("There is nothing of that kind that a group raised.")
    return found


async def listed(session: AsyncSession, contract: Contract, limit: int = 200) -> Sequence[Row[Any]]:
    """What was raised, the open ones first and of those whoever has waited longest; then the newest
    answers. The row and who wrote it down."""
    is_open = col(GroupIssue.ending).is_(None)
    rows: Result[Any] = await session.execute(
        select(GroupIssue, col(User.shown_name).label("who"))
        .join(User, col(User.id) == col(GroupIssue.by_user_id))
        .where(col(GroupIssue.contract) == contract.key, col(GroupIssue.taken_back_at).is_(None))
        .order_by(is_open.desc(), col(GroupIssue.told_on).desc(), col(GroupIssue.raised_on))
        .limit(limit)
    )
    return rows.all()


async def still_open(session: AsyncSession, contract: Contract) -> int:
    """How many groups wait to hear."""
    found = await session.scalar(
        select(func.count()).where(
            col(GroupIssue.contract) == contract.key,
            col(GroupIssue.taken_back_at).is_(None),
            col(GroupIssue.ending).is_(None),
        )
    )
    return found or 0


def _today(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


async def _event(
    session: AsyncSession, kind: str, issue: GroupIssue, by: Actor, now: datetime, **detail: Any
) -> None:
    await session.flush()
    await events.record(
        session, kind, now, contract=issue.contract, by=by.user_id, issue=issue.id, **detail
    )
