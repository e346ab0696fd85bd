"""Everything a contract owes anybody, as dated rows with an owner: made from the contract's rules,
or written down by a person; done with a date and a proof, or not owed this time, and why.

Called by web/pages/obligations and once an hour by desk/upkeep; the lists are in obligation_lists.
A row keeps its day: a changed rule moves no day that a person gave or that has come. What is due is
said in office hours to its owner, then to a lead, on the rule's days before, on the day, and every
week while it is late.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.parts import Obligation
from helpline.db import insert_for
from helpline.desk import climbing, escalation, events
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Alert, FigureQuestion, ObligationDue, ReviewAction, User
from helpline.rules import obligations as rules
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import AlertKind, Role

REFERENCE: Final = climbing.OWED
WARN_DAYS: Final = (7, 1)
"""Before what a person wrote down by hand."""
BACK, AHEAD = timedelta(days=31), timedelta(days=400)
"""How far the contract's rules are laid out: what ended a month ago may still be due."""
WEEK_BACK, WEEKS_AHEAD = timedelta(days=7), timedelta(days=28)
"""The same for what is owed every week, so that it crowds nothing else out of the page."""
LONGEST = 300
FURTHEST = timedelta(days=5 * 366)
SAID_AT: Final = time(10)
LEADS: Final = ("lead",)
FOLLOWED: Final = "The day it is counted from has moved."


# --- laid out by the contract's rules ------------------------------------------------------------


async def lay_out(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """A row for everything the contract's rules owe in the coming year that has none yet, and the
    true day for what waited for a bank holiday to be known. Doing it again changes nothing.
    Returns how many rows are new or moved."""
    today = today_of(contract, now)
    moved = 0
    for one in contract.obligations:
        back, ahead = (WEEK_BACK, WEEKS_AHEAD) if one.every == "week" else (BACK, AHEAD)
        span = (today - back, today + ahead)
        owed = rules.owed_between(one.rule, contract.days, contract.year_starts_month, *span)
        for each in owed:
            if one.owes(each.for_day):
                moved += await _keep(session, contract, one, each, now)
    for one in contract.obligations:
        if one.counted_from is not None:
            named = await _days_of(session, contract, one.counted_from, today - BACK)
            for day in named:
                each = rules.owed_for(one.rule, contract.days, day)
                moved += await _keep(session, contract, one, each, now)
    return moved


async def _keep(
    session: AsyncSession, contract: Contract, one: Obligation, owed: rules.Owed, now: datetime
) -> int:
    added = await session.execute(
        insert_for(session, ObligationDue)
        .values(
            contract=contract.key,
            rule=one.code,
            for_day=owed.for_day,
            due_on=owed.due_on,
            is_certain=owed.is_certain,
            is_moved=False,
            made_at=now,
            next_alert_at=_next_of(contract, one, owed.due_on, now),
        )
        .on_conflict_do_nothing(index_elements=["contract", "rule", "for_day"])
        .returning(col(ObligationDue.id))
    )
    if added.first() is not None:
        return 1
    truer = await session.execute(
        update(ObligationDue)
        .where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.rule) == one.code,
            col(ObligationDue.for_day) == owed.for_day,
            col(ObligationDue.due_on) != owed.due_on,
            ~col(ObligationDue.is_certain),
            ~col(ObligationDue.is_moved),
            col(ObligationDue.done_at).is_(None),
            col(ObligationDue.dropped_at).is_(None),
        )
        .values(
            due_on=owed.due_on,
            is_certain=owed.is_certain,
            next_alert_at=_next_of(contract, one, owed.due_on, now),
        )
        .returning(col(ObligationDue.id))
    )
    return len(truer.all())


async def _days_of(
    session: AsyncSession, contract: Contract, code: str, first: date
) -> Sequence[date]:
    """The days on which another obligation takes place, as they stand now."""
    rows = await session.scalars(
        select(col(ObligationDue.due_on))
        .where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.rule) == code,
            col(ObligationDue.due_on) >= first,
            col(ObligationDue.dropped_at).is_(None),
        )
        .order_by(col(ObligationDue.due_on))
    )
    return rows.all()


# --- by people -----------------------------------------------------------------------------------


async def add(
    session: AsyncSession,
    contract: Contract,
    rule: str,
    what: str,
    day: date,
    owner_id: int | None,
    by: Actor,
    now: datetime,
    *,
    evidence_id: int | None = None,
) -> ObligationDue:
    """A day for what the contract leaves open (`rule` its code), or something of our own in words.
    A day that has passed is taken for a year: what was, and was not written down."""
    require(by, "obligation.write", contract.key)
    today = today_of(contract, now)
    if not today - timedelta(days=366) <= day <= today + FURTHEST:
        raise InvalidInput("That day lies too far away: look at it again.")
    said = ""
    warn_days: Sequence[int] = WARN_DAYS
    owed = rules.Owed(day, day)
    if rule:
        one = contract.obligation(rule)
        if one.every != "when_named" or one.counted_from is not None:
            raise InvalidInput(f"“{one.name}” has its days from the contract.")
        owed, warn_days = rules.owed_for(one.rule, contract.days, day), one.warn_days
        if await _is_there(session, contract, rule, day):
            raise Conflict("That day stands in the calendar already.")
    else:
        said = in_a_line(what, LONGEST, "Say in a few words what is owed, and to whom.")
    await _must_work_here(session, contract, owner_id)
    found = ObligationDue(
        contract=contract.key,
        rule=rule or None,
        what=said or None,
        for_day=owed.for_day,
        due_on=owed.due_on,
        is_certain=owed.is_certain,
        is_moved=True,
        owner_id=owner_id,
        evidence_id=evidence_id,
        next_alert_at=_next_alert(contract, owed.due_on, warn_days, now),
        made_at=now,
        made_by_id=by.user_id,
    )
    session.add(found)
    await session.flush()
    await _event(session, "obligation.added", found, by, now, due=owed.due_on.isoformat())
    await lay_out(session, contract, now)
    return found


async def give(
    session: AsyncSession,
    contract: Contract,
    obligation_id: int,
    owner_id: int | None,
    day: date,
    by: Actor,
    now: datetime,
) -> None:
    """Who looks after it, and by which day. What is counted from it follows its new day."""
    found = await find(session, obligation_id, by)
    require(by, "obligation.write", found.contract)
    _must_be_open(found)
    await _must_work_here(session, contract, owner_id)
    today = today_of(contract, now)
    if day != found.due_on and not today - BACK <= day <= today + FURTHEST:
        raise InvalidInput("That day lies too far away: look at it again.")
    moved_from = found.due_on if day != found.due_on else None
    found.owner_id = owner_id
    if moved_from is not None:
        found.due_on, found.is_moved, found.is_certain = day, True, True
        await _end_alerts(session, found, now)
    found.next_alert_at = _next_of(contract, _rule_of(contract, found), found.due_on, now)
    await session.flush()
    if moved_from is not None and found.rule is not None:
        await _follow(session, contract, found.rule, moved_from, day, now)
    await _event(session, "obligation.given", found, by, now, owner=owner_id, due=day.isoformat())


async def settle(
    session: AsyncSession,
    contract: Contract,
    obligation_id: int,
    done_on: date,
    proof: str,
    by: Actor,
    now: datetime,
) -> None:
    """It was done on that day, and what shows it. Its owner may say so, and a lead."""
    found = await find(session, obligation_id, by)
    _must_be_theirs(found, by)
    _must_be_open(found)
    await _must_be_ours(session, found)
    if done_on > today_of(contract, now):
        raise InvalidInput("That day has not come: say it is done once it is.")
    if done_on < found.made_at.date() - timedelta(days=366):
        raise InvalidInput("That is more than a year before: look at the day again.")
    found.proof = in_a_line(
        proof, LONGEST, "Say what shows that it was done: to whom it went, and how."
    )
    found.done_on, found.done_at, found.done_by_id = done_on, now, by.user_id
    found.next_alert_at = None
    await session.flush()
    await _end_alerts(session, found, now)
    late = max((done_on - found.due_on).days, 0)
    await _event(session, "obligation.done", found, by, now, days_late=late)


async def drop(
    session: AsyncSession, obligation_id: int, why: str, by: Actor, now: datetime
) -> None:
    """It is not owed this time: kept, with the reason."""
    found = await find(session, obligation_id, by)
    require(by, "obligation.write", found.contract)
    _must_be_open(found)
    await _must_be_ours(session, found)
    found.dropped_why = in_a_line(why, LONGEST, "Say why it is not owed, and who said so.")
    found.dropped_at, found.dropped_by_id, found.next_alert_at = now, by.user_id, None
    await session.flush()
    await _end_alerts(session, found, now)
    await _event(session, "obligation.dropped", found, by, now)


async def find(session: AsyncSession, obligation_id: int, by: Actor) -> ObligationDue:
    """One row of a contract that `by` may see, held for this transaction."""
    found = await session.get(
        ObligationDue, obligation_id, with_for_update=True, populate_existing=True
    )
    if found is None or not may(by, "obligation.read", found.contract):
        raise NotFound("There is no such entry in the calendar.")
    return found


async def owners(session: AsyncSession, contract: Contract) -> Sequence[tuple[int, str]]:
    """Who may look after something: everybody of ours who works on the contract."""
    rows = await session.execute(
        select(col(User.id), col(User.shown_name))
        .where(
            col(User.role) != Role.COMMISSIONER,
            col(User.left_at).is_(None),
            or_(col(User.contract).is_(None), col(User.contract) == contract.key),
        )
        .order_by(col(User.shown_name))
    )
    return [(user_id or 0, name) for user_id, name in rows]


# --- by itself -----------------------------------------------------------------------------------


async def look(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Lay out what is owed, and say what is due. Called by desk/upkeep once an hour; doing it again
    the same day changes nothing. Returns how many rows and alarms are new."""
    moved = await lay_out(session, contract, now)
    if climbing.office_time(contract, now) != now:
        return moved
    due = await session.scalars(
        select(ObligationDue)
        .where(
            col(ObligationDue.contract) == contract.key,
            col(ObligationDue.next_alert_at) <= now,
        )
        .order_by(col(ObligationDue.due_on))
        .limit(100)
        .with_for_update(skip_locked=True)
    )
    for one in due.all():
        await _end_alerts(session, one, now)  # the newer one takes its place
        cause = escalation.Cause(
            AlertKind.UPKEEP,
            f"{_key(one)}{today_of(contract, now)}",
            REFERENCE,
            owner_id=one.owner_id,
            rungs=LEADS,
        )
        await escalation.raise_alert(session, contract, cause, now)
        one.next_alert_at = _next_of(contract, _rule_of(contract, one), one.due_on, now)
        await session.flush()
        moved += 1
    return moved


async def _follow(
    session: AsyncSession, contract: Contract, code: str, before: date, day: date, now: datetime
) -> None:
    """What is counted from a day that moved: the old row is not owed, unless it was done."""
    for one in contract.obligations:
        if one.counted_from != code:
            continue
        await session.execute(
            update(ObligationDue)
            .where(
                col(ObligationDue.contract) == contract.key,
                col(ObligationDue.rule) == one.code,
                col(ObligationDue.for_day) == before,
                col(ObligationDue.done_at).is_(None),
                col(ObligationDue.dropped_at).is_(None),
            )
            .values(dropped_at=now, dropped_why=FOLLOWED, next_alert_at=None)
        )
        again = await session.execute(  # it may come back to a day on which it was before
            update(ObligationDue)
            .where(
                col(ObligationDue.contract) == contract.key,
                col(ObligationDue.rule) == one.code,
                col(ObligationDue.for_day) == day,
                col(ObligationDue.dropped_at).is_not(None),
                col(ObligationDue.dropped_by_id).is_(None),
            )
            .values(dropped_at=None, dropped_why=None, next_alert_at=now)
            .returning(col(ObligationDue.id))
        )
        if again.first() is None:
            owed = rules.owed_for(one.rule, contract.days, day)
            await _keep(session, contract, one, owed, now)


async def _end_alerts(session: AsyncSession, found: ObligationDue, now: datetime) -> None:
    await session.execute(
        update(Alert)
        .where(col(Alert.key).startswith(_key(found)), col(Alert.ended_at).is_(None))
        .values(ended_at=now, next_rung_at=None, act_by=None)
    )


async def hush(session: AsyncSession, found: ObligationDue, now: datetime) -> None:
    """Nobody is asked about it any more: it was seen to elsewhere (desk/releasing)."""
    await _end_alerts(session, found, now)


async def owe(
    session: AsyncSession, contract: Contract, what: str, day: date, by_id: int, now: datetime
) -> int:
    """A line for what the council asked of us on its own page, which settles it too
    (desk/portal.py); leads hear of it like of everything here. Returns its id."""
    alert = _next_alert(contract, day, WARN_DAYS, now)
    found = ObligationDue(contract=contract.key, what=what, for_day=day, due_on=day, made_at=now)
    found.is_moved, found.made_by_id, found.next_alert_at = True, by_id, alert
    session.add(found)
    await session.flush()
    return found.id or 0


def _key(found: ObligationDue) -> str:
    return f"owed:{found.id}:"


def _next_alert(
    contract: Contract, due_on: date, warn_days: Iterable[int], now: datetime
) -> datetime:
    """The morning of the next day on which somebody hears."""
    day = rules.next_day_to_say(due_on, tuple(warn_days), today_of(contract, now))
    return datetime.combine(day, SAID_AT, ZoneInfo(contract.zone)).astimezone(now.tzinfo)


def _next_of(
    contract: Contract, rule: Obligation | None, due_on: date, now: datetime
) -> datetime | None:
    """The same by its rule, or for what was written by hand; None when it is said no more."""
    if rule is not None and rules.is_said_no_more(rule.every, due_on, today_of(contract, now)):
        return None
    return _next_alert(contract, due_on, rule.warn_days if rule else WARN_DAYS, now)


def _rule_of(contract: Contract, found: ObligationDue) -> Obligation | None:
    return next((one for one in contract.obligations if one.code == found.rule), None)


async def _is_there(session: AsyncSession, contract: Contract, rule: str, day: date) -> bool:
    row = select(col(ObligationDue.id)).where(
        col(ObligationDue.contract) == contract.key,
        col(ObligationDue.rule) == rule,
        col(ObligationDue.for_day) == day,
    )
    return await session.scalar(row) is not None


async def _must_work_here(session: AsyncSession, contract: Contract, owner_id: int | None) -> None:
    if owner_id is None:
        return
    if owner_id not in {user_id for user_id, _ in await owners(session, contract)}:
        raise InvalidInput("Choose somebody who works on this contract.")


def _must_be_theirs(found: ObligationDue, by: Actor) -> None:
    if found.owner_id != by.user_id:
        require(by, "obligation.write", found.contract)


def _must_be_open(found: ObligationDue) -> None:
    if found.done_at is not None or found.dropped_at is not None:
        raise Conflict("Somebody has settled this already. Load the page again.")


async def _must_be_ours(session: AsyncSession, found: ObligationDue) -> None:
    """What the council asked or agreed on its own page is settled there (desk/portal.py)."""
    for table in (FigureQuestion, ReviewAction):
        row = select(col(table.id)).where(col(table.obligation_id) == found.id).limit(1)
        if await session.scalar(row) is not None:
            raise Conflict("The council sees this on its own page: answer it or settle it there.")


def today_of(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


async def _event(
    session: AsyncSession,
    kind: str,
    found: ObligationDue,
    by: Actor,
    now: datetime,
    **detail: Any,
) -> None:
    await events.record(
        session, kind, now, contract=found.contract, by=by.user_id, obligation=found.id, **detail
    )
