"""Rows of the audit trail and of its chain, read without their types: what somebody put into a
column by hand may be nothing that its type can read, and is to be found, not to break the finding.
Used by desk/chaining and desk/verifying.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row, Text, bindparam, cast, column, exists, select, table

from helpline.rules import chain

_EVENT: Final = ("id", "kind", "at", "contract", "case_id", "by_user_id", "proof", "detail")
_E: Final = table("event", *map(column, _EVENT))
_L: Final = table("audit_link", *map(column, "seq event_id proof digest".split()))
_OF_EVENT: Final = (*list(_E.c)[:-1], cast(_E.c.detail, Text).label("detail"))
NOT_TIED: Final = (
    select(*_OF_EVENT)
    .where(_E.c.id > bindparam("after"), ~exists().where(_L.c.event_id == _E.c.id))
    .order_by(_E.c.id)
    .limit(bindparam("most"))
)
BESIDE: Final = (
    select(*_OF_EVENT)
    .select_from(_E.outerjoin(_L, _L.c.event_id == _E.c.id))
    .where(_L.c.seq.is_(None))
    .order_by(_E.c.id)
)
LINES: Final = (
    select(_L.c.seq, _L.c.event_id, _L.c.proof.label("of_line"), _L.c.digest, *_OF_EVENT)
    .select_from(_L.outerjoin(_E, _E.c.id == _L.c.event_id))
    .order_by(_L.c.seq)
)
END: Final[Any] = select(
    *map(column, "seq digest unproved_after unproved_to proof".split())
).select_from(table("audit_head"))


def content(row: Row[Any]) -> bytes:
    """The bytes that a proof is of; empty for what no helpline writes."""
    try:
        at = row.at if isinstance(row.at, datetime) else _instant(row.at)
        detail = json.loads(row.detail)
        return chain.stored(row.kind, at, row.contract, row.case_id, row.by_user_id, detail)
    except (ValueError, TypeError, RecursionError):
        return b""


def _instant(stored: Any) -> datetime:
    """As SQLite keeps it: UTC without an offset."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def as_bytes(stored: Any) -> bytes:
    return bytes(stored) if isinstance(stored, bytes | memoryview) else b""


def happened(row: Row[Any] | None) -> datetime | None:
    """When it happened, as far as it can be read."""
    if row is None or isinstance(row.at, datetime):
        return row.at if row is not None else None
    try:
        return _instant(row.at)
    except (ValueError, TypeError):
        return None
