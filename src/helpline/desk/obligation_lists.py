"""The calendar of what is owed, as pages show it: what is late and next first, what was done, what
the contract leaves open. Called by web/pages/obligations and evidence; writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.parts import Obligation
from helpline.desk.obligations import today_of
from helpline.models import ObligationDue, User


@dataclass(frozen=True)
class Shown:
    """One row of the calendar. `days`: until it is due, negative when it is late."""

    id: int
    contract: str
    what: str
    to: str
    report: str | None
    agenda: tuple[str, ...]
    is_by_rule: bool
    is_weekly: bool
    for_day: date
    due_on: date
    is_certain: bool
    days: int
    owner_id: int | None
    owner: str | None
    done_on: date | None
    done_by: str | None
    proof: str | None
    dropped_why: str | None

    @property
    def is_open(self) -> bool:
        return self.done_on is None and self.dropped_why is None

    @property
    def was_late(self) -> bool:
        return self.done_on is not None and self.done_on > self.due_on

    @property
    def period(self) -> str:
        """What it is for where that is another day than it is due on."""
        return "" if self.for_day == self.due_on else f"{self.for_day.day} {self.for_day:%B %Y}"


async def listed(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    now: datetime,
    *,
    is_open: bool,
    limit: int = 200,
) -> list[Shown]:
    """What is owed, what is late and next first; or with `is_open` False what was done or was not
    owed, the newest first."""
    order = (
        (col(ObligationDue.due_on), col(ObligationDue.id))
        if is_open
        else (col(ObligationDue.due_on).desc(), col(ObligationDue.id).desc())
    )
    settled = or_(
        col(ObligationDue.done_at).is_not(None), col(ObligationDue.dropped_at).is_not(None)
    )
    rows = await session.scalars(
        select(ObligationDue)
        .where(col(ObligationDue.contract).in_(list(contracts)), ~settled if is_open else settled)
        .order_by(*order)
        .limit(limit)
    )
    found = rows.all()
    names = await _names(session, found)
    return [_shown(one, contracts[one.contract], names, now) for one in found]


async def agreed_in(
    session: AsyncSession, contract: Contract, entry_ids: Sequence[int], now: datetime
) -> dict[int, list[Shown]]:
    """Entry of the log of evidence → what was agreed there, the next first."""
    rows = await session.scalars(
        select(ObligationDue)
        .where(col(ObligationDue.evidence_id).in_(list(entry_ids)))
        .order_by(col(ObligationDue.due_on), col(ObligationDue.id))
    )
    found = rows.all()
    names, by_entry = await _names(session, found), dict[int, list[Shown]]()
    for one in found:
        by_entry.setdefault(one.evidence_id or 0, []).append(_shown(one, contract, names, now))
    return by_entry


async def without_a_day(
    session: AsyncSession, contract: Contract, now: datetime
) -> list[Obligation]:
    """What the contract owes and leaves open, and nobody has given a coming day."""
    given = set(
        await session.scalars(
            select(col(ObligationDue.rule)).where(
                col(ObligationDue.contract) == contract.key,
                col(ObligationDue.due_on) >= today_of(contract, now),
                col(ObligationDue.done_at).is_(None),
                col(ObligationDue.dropped_at).is_(None),
            )
        )
    )
    return [
        one
        for one in contract.obligations
        if one.every == "when_named" and one.counted_from is None and one.code not in given
    ]


async def _names(session: AsyncSession, found: Sequence[ObligationDue]) -> dict[int, str]:
    ids = {one.owner_id for one in found} | {one.done_by_id for one in found}
    rows = await session.execute(
        select(col(User.id), col(User.shown_name)).where(col(User.id).in_(ids - {None}))
    )
    return {user_id: name for user_id, name in rows if user_id is not None}


def _shown(
    one: ObligationDue, contract: Contract, names: Mapping[int, str], now: datetime
) -> Shown:
    rule = next((rule for rule in contract.obligations if rule.code == one.rule), None)
    return Shown(
        id=one.id or 0,
        contract=one.contract,
        what=(rule.name if rule else one.what) or "No longer in the contract",
        to=rule.to if rule else "",
        report=rule.report if rule else None,
        agenda=rule.agenda if rule else (),
        is_by_rule=rule is not None,
        is_weekly=rule is not None and rule.every == "week",
        for_day=one.for_day,
        due_on=one.due_on,
        is_certain=one.is_certain,
        days=(one.due_on - today_of(contract, now)).days,
        owner_id=one.owner_id,
        owner=names.get(one.owner_id or 0),
        done_on=one.done_on,
        done_by=names.get(one.done_by_id or 0),
        proof=one.proof,
        dropped_why=one.dropped_why,
    )


async def is_laid_out(session: AsyncSession, contract: Contract) -> bool:
    """Whether the contract's rules were ever turned into days."""
    row = select(col(ObligationDue.id)).where(
        col(ObligationDue.contract) == contract.key, col(ObligationDue.rule).is_not(None)
    )
    return await session.scalar(row.limit(1)) is not None
