"""The papers of our own people: written down, taken back, and what somebody lacks today.

Called by web/pages/papers, by the naming of a support worker (desk/cases, desk/waiting) and by the
hourly look at what needs upkeep. What a contract asks for is in its `[staff]`; the decision is in
rules/papers. A number is sealed and shown to who manages papers only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import StaffPaper, User
from helpline.rules import papers as rules
from helpline.rules.clocks import months_after
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import CASEWORKERS, PaperKind

LONGEST = 160
EARLIEST, LATEST = date(1960, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class Typed:
    """A paper as somebody typed it. `until` None: it does not expire."""

    kind: str
    valid_from: date
    valid_until: date | None
    title: str = ""
    number: str = ""
    level: int | None = None


@dataclass(frozen=True)
class Sheet:
    """One of our people with their papers: what the contract needs and how it stands, then every
    row that was noted, the newest first."""

    user_id: int
    name: str
    role: str
    standings: Sequence[rules.Standing]
    papers: Sequence[StaffPaper]

    @property
    def stops(self) -> str:
        """Why they may not be named, in words; empty where they may."""
        return rules.why_not(self.standings)

    @property
    def needs_somebody(self) -> bool:
        """Whether a paper is over, missing or over soon."""
        return any(one.state != "holds" for one in self.standings)


async def sheets(
    session: AsyncSession, contract: Contract, by: Actor, now: datetime
) -> list[Sheet]:
    """Everybody who works on this contract's cases: who may not be named first, then whose papers
    need somebody, then the others, by name."""
    require(by, "paper.manage", contract.key)
    users = await session.scalars(
        select(User)
        .where(
            col(User.role).in_(CASEWORKERS),
            col(User.left_at).is_(None),
            or_(col(User.contract).is_(None), col(User.contract) == contract.key),
        )
        .order_by(col(User.shown_name), col(User.id))
    )
    people = users.all()
    rows = await _rows(session, [user.id or 0 for user in people])
    found = [
        Sheet(
            user.id or 0,
            user.shown_name,
            user.role,
            _standings(contract, rows.get(user.id or 0, ()), now),
            rows.get(user.id or 0, ()),
        )
        for user in people
    ]
    return sorted(found, key=lambda one: (not one.stops, not one.needs_somebody))


async def add(
    session: AsyncSession, user_id: int, typed: Typed, by: Actor, now: datetime
) -> StaffPaper:
    """Somebody has seen the paper. An older one of the kind stays to be read."""
    user = await session.get(User, user_id)
    if user is None or user.left_at is not None:
        raise NotFound("Nobody of this name works here.")
    require(by, "paper.manage", user.contract)
    if user_id == by.user_id:
        raise InvalidInput("Your own papers are looked at by somebody else.")
    if typed.kind not in list(PaperKind):
        raise InvalidInput("Choose what kind of paper it is.")
    if typed.kind == PaperKind.SAFEGUARDING and typed.level not in (1, 2, 3, 4):
        raise InvalidInput("Give the level of the safeguarding training, from 1 to 4.")
    until = typed.valid_until
    if not EARLIEST <= typed.valid_from <= LATEST or (until is not None and until > LATEST):
        raise InvalidInput("Look at the days again: they lie too far away.")
    if until is not None and until < typed.valid_from:
        raise InvalidInput("It ends before it begins: look at the two days again.")
    found = StaffPaper(
        user_id=user_id,
        kind=typed.kind,
        level=typed.level if typed.kind == PaperKind.SAFEGUARDING else None,
        title=in_a_line(typed.title, LONGEST) or None,
        number=in_a_line(typed.number, LONGEST) or None,
        valid_from=typed.valid_from,
        valid_until=until,
        noted_at=now,
        noted_by_id=by.user_id,
    )
    session.add(found)
    await session.flush()
    await events.record(
        session, "paper.noted", now, by=by.user_id, user=user_id, paper=found.id, kind_=typed.kind
    )
    return found


async def take_back(session: AsyncSession, paper_id: int, by: Actor, now: datetime) -> None:
    """It was a mistake, or whoever gave it has withdrawn it. The row stays."""
    found = await session.get(StaffPaper, paper_id)
    user = await session.get(User, found.user_id) if found else None
    if found is None or user is None or not may(by, "paper.manage", user.contract):
        raise NotFound("There is no such paper.")
    if found.user_id == by.user_id:
        raise InvalidInput("Your own papers are looked at by somebody else.")
    if found.ended_at is None:
        found.ended_at, found.ended_by_id = now, by.user_id
        await session.flush()
        await events.record(
            session, "paper.taken_back", now, by=by.user_id, user=user.id, paper=paper_id
        )


def usual_end(contract: Contract, kind: str, valid_from: date) -> date | None:
    """The last day on which a paper of this kind usually holds, by the contract; None where it
    names no time."""
    papers = contract.staff.papers if contract.staff else ()
    rule = next((one for one in papers if one.kind == kind), None)
    if not EARLIEST <= valid_from <= LATEST:
        return None
    if rule is not None and rule.renew_days is not None:
        return valid_from + timedelta(days=rule.renew_days)
    return months_after(valid_from, rule.renew_months) if rule and rule.renew_months else None


# --- what follows --------------------------------------------------------------------------------


async def stopped(
    session: AsyncSession, contract: Contract, user_ids: Collection[int], now: datetime
) -> dict[int, str]:
    """Who of these may not be named on a case of this contract → why, in words."""
    if contract.staff is None or all(one.stops == "never" for one in contract.staff.papers):
        return {}
    rows = await _rows(session, user_ids)
    found = {
        user_id: rules.why_not(_standings(contract, rows.get(user_id, ()), now))
        for user_id in user_ids
    }
    return {user_id: why for user_id, why in found.items() if why}


async def forbid(session: AsyncSession, contract: Contract, worker: User, now: datetime) -> None:
    """InvalidInput, with the reason, when this worker's papers stop a naming."""
    why = await stopped(session, contract, [worker.id or 0], now)
    if why:
        reason = next(iter(why.values()))
        raise InvalidInput(
            f"{worker.shown_name} cannot be named: {reason}. Write down the new paper first."
        )


async def any_runs_out(session: AsyncSession, contract: Contract, now: datetime) -> bool:
    """Whether a paper of somebody who works here is over or over soon. One that was never noted
    stands on the page, and rings at nobody's telephone."""
    ids = await session.scalars(
        select(col(User.id)).where(
            col(User.role).in_(CASEWORKERS),
            col(User.left_at).is_(None),
            or_(col(User.contract).is_(None), col(User.contract) == contract.key),
        )
    )
    rows = await _rows(session, [one for one in ids.all() if one is not None])
    return any(
        one.state in ("soon", "expired")
        for papers in rows.values()
        for one in _standings(contract, papers, now)
    )


async def _rows(
    session: AsyncSession, user_ids: Collection[int]
) -> Mapping[int, Sequence[StaffPaper]]:
    rows = await session.scalars(
        select(StaffPaper)
        .where(col(StaffPaper.user_id).in_(list(user_ids)), col(StaffPaper.ended_at).is_(None))
        .order_by(col(StaffPaper.valid_from).desc(), col(StaffPaper.id).desc())
    )
    found: dict[int, list[StaffPaper]] = {}
    for row in rows.all():
        found.setdefault(row.user_id, []).append(row)
    return found


def _standings(
    contract: Contract, papers: Iterable[StaffPaper], now: datetime
) -> list[rules.Standing]:
    if contract.staff is None:
        return []
    noted = [rules.Paper(one.kind, one.valid_from, one.valid_until, one.level) for one in papers]
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    needed = [one.rule for one in contract.staff.papers]
    return rules.standings(needed, noted, today, contract.staff.warn_days)
