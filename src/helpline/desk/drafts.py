"""What a worker has begun to write on a case and not finished: kept, offered again, let go.

Called by the pages every few seconds while somebody types. A draft is part of no record: only its
writer ever sees it, nothing is counted or put in the audit trail, and after 30 days it is gone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.db import insert_for
from helpline.desk import seeing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Draft
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import DraftForm

KEPT: Final = timedelta(days=30)
MOST: Final = 20
"""Of one worker on one case: each page that was left open is one."""
LONGEST: Final = 50_000
"""Characters of all fields together."""
LONGEST_KEY: Final = 60
FIELDS: Final[Mapping[DraftForm, tuple[str, ...]]] = {
    DraftForm.REPLY: ("text",),
    DraftForm.NOTE: ("body", "kind", "why", "whose", "happened_at", "corrects"),
    DraftForm.CALL: ("body", "direction", "result", "minutes", "happened_at"),
    DraftForm.COMMENT: ("body", "kind", "who", "about", "said_at"),
}
"""What is kept of each form; the first is what somebody types for minutes."""


@dataclass(frozen=True)
class Begun:
    """A draft as its writer is shown it."""

    id: int
    form: DraftForm
    page_key: str
    fields: Mapping[str, str]
    begun_at: datetime
    saved_at: datetime

    @property
    def words(self) -> str:
        """How it begins: enough to know it again."""
        text = " ".join(self.fields.get(FIELDS[self.form][0], "").split())
        return text if len(text) <= 80 else f"{text[:79]}…"


async def save(
    session: AsyncSession,
    case: Case,
    form: str,
    page_key: str,
    fields: Mapping[str, str],
    by: Actor,
    now: datetime,
) -> bool:
    """Keep the form as it stands; whether anything is kept. An empty one keeps nothing, and what
    comes late from a page whose form was sent changes nothing."""
    require(by, "case.read", case.contract)
    if form not in list(DraftForm):
        raise NotFound("Nothing of such a form is kept.")
    key = _checked(page_key)
    known = FIELDS[DraftForm(form)]
    kept = {name: fields[name].replace("\0", "") for name in known if fields.get(name)}
    if sum(map(len, kept.values())) > LONGEST:
        raise InvalidInput(f"This is too long to keep: {LONGEST} characters are the most.")
    if not kept.get(known[0], "").strip():
        await session.execute(delete(Draft).where(*_its(by, key), col(Draft.ended_at).is_(None)))
        return False
    held = await session.scalar(
        select(func.count()).select_from(Draft).where(*_mine(case, by), col(Draft.page_key) != key)
    )
    if (held or 0) >= MOST:
        raise Conflict(f"You have begun {MOST} things on this case. Throw one away first.")
    values = {"fields": json.dumps(kept, ensure_ascii=False), "saved_at": now}
    first = {"user_id": by.user_id, "case_id": case.id, "page_key": key, "form": form}
    await session.execute(
        insert_for(session, Draft)
        .values(values | first | {"begun_at": now})
        .on_conflict_do_update(
            index_elements=["user_id", "page_key"],
            set_=values,
            where=col(Draft.ended_at).is_(None) & (col(Draft.case_id) == case.id),
        )
    )
    return True


async def begun_on(session: AsyncSession, case: Case, by: Actor) -> Sequence[Begun]:
    """What `by` has begun on this case and not finished, the latest first."""
    found = await session.scalars(
        select(Draft).where(*_mine(case, by)).order_by(col(Draft.saved_at).desc(), col(Draft.id))
    )
    return [_begun(draft) for draft in found]


async def begun_anywhere(
    session: AsyncSession, by: Actor, limit: int = MOST
) -> Sequence[tuple[str, Begun]]:
    """The same on every case that they may still see: its reference and the draft."""
    rows = await session.execute(
        select(col(Case.reference), Draft)
        .join(Draft, col(Draft.case_id) == col(Case.id))
        .where(col(Draft.user_id) == by.user_id, col(Draft.ended_at).is_(None), *seeing.cases(by))
        .order_by(col(Draft.saved_at).desc(), col(Draft.id))
        .limit(limit)
    )
    return [(reference, _begun(draft)) for reference, draft in rows]


async def one_begun(session: AsyncSession, case: Case, draft_id: int, by: Actor) -> Begun:
    """One of their own on this case; NotFound for anything else."""
    draft = await session.scalar(select(Draft).where(col(Draft.id) == draft_id, *_mine(case, by)))
    if draft is None:
        raise NotFound("What you had begun here is gone: it was sent, thrown away, or too old.")
    return _begun(draft)


async def sent(session: AsyncSession, case: Case, page_key: str, by: Actor, now: datetime) -> None:
    """The form was sent and is on the case: nothing stays of its draft, and what its page still
    saves on leaving is let go."""
    if not page_key or len(page_key) > LONGEST_KEY:
        return
    ended = {"fields": None, "saved_at": now, "ended_at": now}
    first = {"user_id": by.user_id, "case_id": case.id, "page_key": page_key, "form": ""}
    await session.execute(
        insert_for(session, Draft)
        .values(ended | first | {"begun_at": now})
        .on_conflict_do_update(index_elements=["user_id", "page_key"], set_=ended)
    )


async def throw_away(
    session: AsyncSession, case: Case, draft_id: int, by: Actor, now: datetime
) -> None:
    """Its writer does not want it any more. Doing it twice changes nothing."""
    require(by, "case.read", case.contract)
    await session.execute(
        update(Draft)
        .where(col(Draft.id) == draft_id, *_mine(case, by))
        .values(fields=None, ended_at=now, saved_at=now)
    )


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """What nobody came back to for 30 days goes."""
    await session.execute(delete(Draft).where(col(Draft.saved_at) < now - KEPT))


def _mine(case: Case, by: Actor) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Draft.case_id) == case.id,
        col(Draft.user_id) == by.user_id,
        col(Draft.ended_at).is_(None),
    )


def _its(by: Actor, page_key: str) -> tuple[ColumnElement[bool], ...]:
    return (col(Draft.user_id) == by.user_id, col(Draft.page_key) == page_key)


def _checked(page_key: str) -> str:
    if not page_key or len(page_key) > LONGEST_KEY or not page_key.isascii():
        raise InvalidInput("This page is too old to keep what is typed on it. Reload it.")
    return page_key


def _begun(draft: Draft) -> Begun:
    assert draft.id is not None
    return Begun(
        draft.id,
        DraftForm(draft.form),
        draft.page_key,
        json.loads(draft.fields or "{}"),
        draft.begun_at,
        draft.saved_at,
    )
