"""What people changed of a contract while it runs: made, agreed to by a second person, taken back.

Pages call the acts. What they come to, the contract as it holds now, is kept up by desk/in_force.py
on every node. Nothing past changes: a change counts from a day on, and what was promised, sent or
published before it stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from helpline.contract import Contract, changing, overlay
from helpline.contract.overlay import Change
from helpline.desk import events
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import ContractChange, User
from helpline.rules.permissions import Actor, require

FURTHEST: Final = timedelta(days=730)
MOST: Final = 500
QUICKER: Final = (
    "Somebody else changed this a moment ago: look at what it says now, and whether yours is still "
    "wanted. What you wrote is still here."
)


class Unfit(InvalidInput):
    """A change that cannot be made: `field` is the one that the sentence is about."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


@dataclass(frozen=True)
class Draft:
    """A change as somebody wants it. `seen`: the number of the newest change of the thing that they
    had before them."""

    what: str
    value: Any
    valid_from: date
    seen: int


@dataclass(frozen=True)
class Made:
    """A change, and who had a hand in it."""

    row: ContractChange
    by: str
    agreed_by: str
    ended_by: str

    @property
    def counts(self) -> bool:
        """Whether it is agreed and not taken back."""
        return self.row.ended_at is None and (
            self.row.agreed_at is not None or not self.row.needs_second
        )

    @property
    def waits(self) -> bool:
        """Whether a second person has yet to agree."""
        return self.row.ended_at is None and not self.counts


def local_day(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


def check(
    filed: Contract,
    before: Sequence[Change],
    sources: changing.Sources,
    draft: Draft,
    now: datetime,
) -> None:
    """Unfit, with its field, where the change cannot be made; `before`: those that count."""
    day = local_day(filed, now)
    if draft.valid_from < day:
        raise Unfit("from", "What is past stays as it was: choose today or a later day.")
    if draft.valid_from > day + FURTHEST:
        raise Unfit("from", "Choose a day within the next two years.")
    if draft.what.startswith("populations.") and draft.value["as_of"] > day.isoformat():
        raise Unfit("as_of", "A count is of a day that has been: choose today or an earlier one.")
    change = Change(2**62, draft.what, draft.value, draft.valid_from)
    for field, sentence in overlay.faults(filed, before, change, sources):
        raise Unfit(field, sentence)
    standing = overlay.overlaid(filed, before, draft.valid_from, sources).contract
    if _is_so(changing.value_of(standing, sources, draft.what), draft.value):
        raise Unfit("", "That is how it is already: nothing would be different.")


def _is_so(stands: Any, wanted: Any) -> bool:
    if isinstance(stands, dict) and isinstance(wanted, dict):
        return stands | wanted == stands
    return bool(stands == wanted)


async def make(
    session: AsyncSession,
    filed: Contract,
    sources: changing.Sources,
    draft: Draft,
    by: Actor,
    now: datetime,
) -> ContractChange:
    """Store a change. Unfit where it cannot be; Conflict where somebody else changed the thing
    since this person looked."""
    require(by, "settings.write", filed.key)
    if changing.value_of(filed, sources, draft.what) is None:
        raise NotFound("There is nothing to be changed at this address.")
    newest = await newest_number(session, filed.key, draft.what)
    if newest != draft.seen:
        raise Conflict(QUICKER)
    check(filed, await counting(session, filed.key), sources, draft, now)
    row = ContractChange(
        contract=filed.key,
        what=draft.what,
        number=newest + 1,
        value=draft.value,
        valid_from=draft.valid_from,
        needs_second=changing.needs_second(filed, sources, draft.what, draft.value),
        made_at=now,
        by_user_id=by.user_id,
    )
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError:  # the other one was quicker by an instant
        raise Conflict(QUICKER) from None
    await _event(session, "settings.changed", row, by, now)
    return row


async def agree(
    session: AsyncSession,
    filed: Contract,
    sources: changing.Sources,
    change_id: int,
    by: Actor,
    now: datetime,
) -> ContractChange:
    """The second person says yes. From today on, where its day has gone by meanwhile."""
    row = await find(session, change_id, by)
    if row.ended_at is not None:
        raise Conflict("It was taken back, so there is nothing to agree to.")
    if not row.needs_second or row.agreed_at is not None:
        raise Conflict("It is agreed already.")
    if row.by_user_id == by.user_id:
        raise Conflict("You made this change yourself: somebody else has to agree to it.")
    day = max(row.valid_from, local_day(filed, now))
    change = Change(row.id or 0, row.what, row.value, day)
    for _, sentence in overlay.faults(
        filed, await counting(session, row.contract), change, sources
    ):
        raise Conflict(f"It does not fit any more. {sentence} Take it back, and make it anew.")
    row.valid_from, row.agreed_at, row.agreed_by_id = day, now, by.user_id
    await session.flush()
    await _event(session, "settings.agreed", row, by, now)
    return row


async def take_back(
    session: AsyncSession, change_id: int, by: Actor, now: datetime
) -> ContractChange:
    """It counts no longer, from this moment; what was before it holds again."""
    row = await find(session, change_id, by)
    if row.ended_at is not None:
        raise Conflict("It was taken back already.")
    row.ended_at, row.ended_by_id = now, by.user_id
    await session.flush()
    await _event(session, "settings.taken_back", row, by, now)
    return row


async def find(session: AsyncSession, change_id: int, by: Actor) -> ContractChange:
    """A change that this person may see; else NotFound."""
    row = await session.get(ContractChange, change_id, with_for_update=True)
    if row is None or by.contract not in (None, row.contract):
        raise NotFound("There is no such change.")
    require(by, "settings.write", row.contract)
    return row


async def newest_number(session: AsyncSession, contract: str, what: str) -> int:
    """The number of the newest change of a thing; 0 where there was none."""
    found = await session.scalar(
        select(func.max(col(ContractChange.number))).where(
            col(ContractChange.contract) == contract, col(ContractChange.what) == what
        )
    )
    return found or 0


async def counting(session: AsyncSession, contract: str) -> list[Change]:
    """The changes of a contract that count, each from its day on."""
    return (await all_counting(session)).get(contract, [])


async def all_counting(session: AsyncSession) -> Mapping[str, list[Change]]:
    """The same for every contract that has any."""
    rows = await session.execute(
        select(
            col(ContractChange.contract),
            col(ContractChange.id),
            col(ContractChange.what),
            col(ContractChange.value),
            col(ContractChange.valid_from),
        ).where(
            col(ContractChange.ended_at).is_(None),
            (col(ContractChange.needs_second).is_(False))
            | (col(ContractChange.agreed_at).is_not(None)),
        )
    )
    found: dict[str, list[Change]] = {}
    for contract, change_id, what, value, valid_from in rows:
        found.setdefault(contract, []).append(Change(change_id, what, value, valid_from))
    return found


async def made(session: AsyncSession, contract: str, what: str = "") -> list[Made]:
    """Every change of a contract, or of one thing of it, the newest first."""
    maker, second, ender = aliased(User), aliased(User), aliased(User)
    query = (
        select(ContractChange, col(maker.shown_name), col(second.shown_name), col(ender.shown_name))
        .join(maker, col(maker.id) == col(ContractChange.by_user_id))
        .outerjoin(second, col(second.id) == col(ContractChange.agreed_by_id))
        .outerjoin(ender, col(ender.id) == col(ContractChange.ended_by_id))
        .where(col(ContractChange.contract) == contract)
        .order_by(col(ContractChange.id).desc())
        .limit(MOST)
    )
    if what:
        query = query.where(col(ContractChange.what) == what)
    rows = await session.execute(query)
    return [Made(row, by, agreed or "", ended or "") for row, by, agreed, ended in rows]


async def _event(
    session: AsyncSession, kind: str, row: ContractChange, by: Actor, now: datetime
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=row.contract,
        by=by.user_id,
        change=row.id,
        what=row.what,
        valid_from=row.valid_from.isoformat(),
    )
