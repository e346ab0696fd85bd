"""The audit trail: one line for everything that happens to a case. Called all over desk; a detail
holds codes and numbers only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.models import Case, metadata
from helpline.rules.permissions import Actor

NEW = insert(metadata.tables["event"]).execution_options(autoflush=False)


async def record(
    session: AsyncSession,
    kind: str,
    now: datetime,
    /,
    *,
    contract: str | None = None,
    case_id: int | None = None,
    by: int | None = None,
    **detail: Any,
) -> None:
    """Write one event; `by` is the user who did it, None for what happened by itself."""
    values = line(kind, now, contract=contract, case_id=case_id, by=by, **detail)
    await session.execute(NEW, values)


async def on_case(
    session: AsyncSession, kind: str, case: Case, now: datetime, by: Actor | None, /, **detail: Any
) -> None:
    """The same for something that happened to a case; `by` None for what happened by itself."""
    user_id = by.user_id if by else None
    await record(session, kind, now, contract=case.contract, case_id=case.id, by=user_id, **detail)


def line(
    kind: str,
    now: datetime,
    /,
    *,
    contract: str | None = None,
    case_id: int | None = None,
    by: int | None = None,
    **detail: Any,
) -> dict[str, Any]:
    """One event that is written later, with many others."""
    return {
        "kind": kind,
        "at": now,
        "contract": contract,
        "case_id": case_id,
        "by_user_id": by,
        "detail": detail,
    }


async def record_all(session: AsyncSession, lines: Sequence[dict[str, Any]]) -> None:
    """Write many in one go, in their order."""
    if lines:
        await session.execute(NEW, lines)
