"""What lies in the tray, for whoever may read it: what came in and could not be put on a case, and
what came to no contract's number (desk/unplaced.py).

Read only; desk/intake.py puts it there and takes it out again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.channels import Inbound
from helpline.desk import lists, seeing
from helpline.desk.inbox import opened
from helpline.models import metadata
from helpline.rules.permissions import Actor
from helpline.sealing import CannotOpen
from helpline.vocabulary import UNPLACED, ItemKind, ItemState

ALERT, ITEM = metadata.tables["alert"], metadata.tables["inbound_item"]


@dataclass(frozen=True)
class TrayItem:
    """Something that came in and could not be put on a case."""

    id: int
    received_at: datetime
    failure: str | None
    inbound: Inbound
    is_unplaced: bool
    """It came to no contract's number."""

    @property
    def may_be_given(self) -> bool:
        """Whether somebody can say whose it is, and it becomes a case there."""
        return self.inbound.kind is not ItemKind.UNREADABLE and bool(self.inbound.sender)


async def listed(session: AsyncSession, actor: Actor, contracts: Sequence[str]) -> list[TrayItem]:
    """The oldest hundred that nobody has dealt with, of the contracts whose alert they raised; and
    what came to no contract's number, where `actor` may read that."""
    named = select(ALERT.c.reference).where(ALERT.c.key == _alert_key()).scalar_subquery()
    query = (
        select(ITEM.c.id, ITEM.c.received_at, ITEM.c.failure, named.label("named"))
        .where(*_in_tray(actor, contracts))
        .order_by(ITEM.c.id)
        .limit(100)
    )
    return [
        TrayItem(
            row.id,
            row.received_at,
            row.failure,
            await _content(session, row),
            row.named == UNPLACED,
        )
        for row in (await session.execute(query)).all()
    ]


async def _content(session: AsyncSession, row: Any) -> Inbound:
    """What came; UNREADABLE where no key opens it, which hides nothing else from the page."""
    try:
        found = await session.execute(select(ITEM.c.sealed).where(ITEM.c.id == row.id))
        return opened(found.scalar_one())
    except CannotOpen:
        return Inbound("", "", "", "", "", ItemKind.UNREADABLE)


async def count(session: AsyncSession, actor: Actor, contracts: Sequence[str]) -> int:
    some = select(ITEM.c.id).where(*_in_tray(actor, contracts)).limit(lists.CAP + 1)
    counted = select(func.count()).select_from(some.subquery())
    return int((await session.execute(counted)).scalar_one())


async def is_in_tray(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], item_id: int
) -> bool:
    """Whether the item waits there, as far as somebody who works on `contracts` may know."""
    query = select(ITEM.c.id).where(ITEM.c.id == item_id, *_in_tray(actor, contracts))
    return (await session.execute(query)).first() is not None


def _in_tray(actor: Actor, contracts: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    """An item carries no contract; the alert that it raised does, and says whether it is one's."""
    theirs = and_(ALERT.c.reference != UNPLACED, ALERT.c.contract.in_(contracts))
    if seeing.unplaced(actor):
        theirs |= ALERT.c.reference == UNPLACED
    return (
        ITEM.c.state == ItemState.SET_ASIDE,
        exists().where(ALERT.c.key == _alert_key(), theirs),
    )


def _alert_key() -> ColumnElement[str]:
    return literal("item:") + cast(ITEM.c.id, String)
