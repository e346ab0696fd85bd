"""Which keys this database was sealed with, and whether the ring still has them.

Called at start, before anything is opened: a helpline that cannot open what it keeps must not begin
to write beside it. A key is named by its fingerprint, the first bytes of its hash; the key itself
is in no row, no log and no message.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import LargeBinary, Table, func, literal, select, type_coerce, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.db import insert_for
from helpline.errors import InvalidInput
from helpline.models import metadata
from helpline.sealing import MARK, CannotOpen, Sealed, ring

KEY = metadata.tables["ring_key"]
RAW = LargeBinary()


async def stand(session: AsyncSession, now: datetime) -> bool:
    """The key that seals is written down; returns whether it is the first time that it seals.
    InvalidInput when this ring lacks one that has sealed something here: then nothing was
    changed."""
    known = {str(row.mark) for row in await session.execute(_known())}
    if not known:  # the first time: whatever is here already says what sealed it
        known = await marks_in_use(session)
        await _write_down(session, known, now)
    lost = [mark for mark in known if mark not in ring().marks]
    if lost:
        raise InvalidInput(lost_words(lost))
    first = ring().marks[0]
    if first in known:
        return False
    await _write_down(session, [first], now)
    return True


async def must_open(session: AsyncSession) -> None:
    """InvalidInput when the ring lacks a key; writes nothing."""
    marks = [row.mark for row in await session.execute(_known())]
    if lost := [mark for mark in marks if mark not in ring().marks]:
        raise InvalidInput(lost_words(lost))


def lost_words(lost: Collection[str]) -> str:
    """One sentence for whoever stands before a helpline that does not start."""
    which = ", ".join(sorted(lost))
    return (
        f"The database holds values sealed under a key that is not in HELPLINE_KEYS (fingerprint "
        f"{which}). Nothing was changed. Add that key after the first; without it nobody can read "
        "what it sealed: RUNBOOK.md, “The key is lost”."
    )


async def secrets(session: AsyncSession) -> Mapping[bytes, bytes]:
    """Key mark → the key that proves lines of the audit trail, of every key there ever was."""
    known = {}
    for row in await session.execute(select(KEY.c.mark, type_coerce(KEY.c.audit, RAW).label("it"))):
        try:
            known[bytes.fromhex(row.mark)] = bytes.fromhex(ring().open("ring_key.audit", row.it))
        except (CannotOpen, ValueError):  # what it proves is named by whoever looks through it
            continue
    return known | ring().audits


async def marks_in_use(session: AsyncSession) -> set[str]:
    """The fingerprints of every key that sealed something that is here."""
    return {mark for counts in (await counted(session)).values() for mark in counts}


async def counted(session: AsyncSession) -> dict[str, dict[str, int]]:
    """Column → key mark → how many of its values that key sealed; empty ones are left out."""
    found: dict[str, dict[str, int]] = {}
    for place, mark, count in await session.execute(_counting()):
        found.setdefault(place, {})[bytes(mark).hex()] = count
    return found


@cache
def _counting() -> Any:
    """One question about all columns."""
    return union_all(*(_count(table, column) for table, column in sealed_columns()))


def _count(table: Table, column: Any) -> Any:
    mark = func.substr(type_coerce(column, RAW), 1, MARK, type_=RAW).label("mark")
    query = select(literal(f"{table.name}.{column.name}").label("place"), mark, func.count())
    return query.where(column.is_not(None)).group_by(mark)


def sealed_columns() -> list[tuple[Table, Any]]:
    """Every sealed column there is, by table."""
    return [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    ]


async def rows(session: AsyncSession) -> Sequence[Any]:
    """Every key there ever was, the newest first: mark, since, copy_seen_at, remade_at, retired_at.
    Asks for nothing that is sealed: the key may be what is missing."""
    names = ("mark", "since", "copy_seen_at", "remade_at", "retired_at")
    query = select(*(KEY.c[name] for name in names)).order_by(KEY.c.since.desc())
    return (await session.execute(query)).all()


async def copy_seen(session: AsyncSession, mark: str, now: datetime) -> None:
    """Somebody showed a second copy of this key."""
    await session.execute(update(KEY).where(KEY.c.mark == mark).values(copy_seen_at=now))


def _known() -> Any:
    return select(KEY.c.mark).where(KEY.c.retired_at.is_(None))


async def _write_down(session: AsyncSession, marks: Collection[str], now: datetime) -> None:
    """Rows for those of the marks that are on the ring and have none; one that was retired and
    seals again is in use again."""
    audits = ring().audits
    for mark in marks:
        if (secret := audits.get(bytes.fromhex(mark))) is None:
            continue
        values = {"mark": mark, "audit": secret.hex(), "since": now, "words_to": 0}
        added = insert_for(session, KEY).values(values)
        await session.execute(added.on_conflict_do_nothing(index_elements=["mark"]))
        again = (KEY.c.mark == mark, KEY.c.retired_at.is_not(None))
        await session.execute(
            update(KEY).where(*again).values(retired_at=None, remade_at=None, since=now)
        )
