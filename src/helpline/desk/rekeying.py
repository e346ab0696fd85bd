"""Changing the keys while the helpline runs: everything sealed is sealed anew under the first key
of the ring, and every blind index and every digest of a word is made anew.

`rotate` is a command's work and opens its own transactions, small ones with pauses between, because
others write meanwhile: a value is replaced only where it is still the one that was read. Stopped
half way it goes on where there is something left. It ends by counting what is still under other
keys; a key with nothing left is retired, and may be taken off the ring.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Table,
    Update,
    bindparam,
    delete,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.clock import Clock
from helpline.db import Database
from helpline.desk import beats, events, keyring, search
from helpline.desk.index_sources import MADE, Made
from helpline.errors import Conflict
from helpline.models import metadata
from helpline.sealing import MARK, CannotOpen, Sealed, ring

Say = Callable[[str, int], None]
"""Told what is being made anew, and how many of it are by now."""
AT_ONCE: Final = 200
"""Rows of one transaction."""
MOST_BYTES: Final = 4_000_000
"""Of sealed content in one transaction: a film is one by itself."""
CASES_AT_ONCE: Final = 25
ROUNDS: Final = 20
"""How often a table is gone through again because somebody wrote to it meanwhile."""
RAW: Final = LargeBinary()
KEY: Final = metadata.tables["ring_key"]
CODE: Final = metadata.tables["link_code"]
TRY: Final = metadata.tables["login_attempt"]
CASE: Final = metadata.tables["case"]
PERSON: Final = metadata.tables["person"]


@dataclass
class Left:
    """What is not under the first key. `sealed`: "table.column" → fingerprint → how many; `lost`:
    the fingerprints of those that no key of the ring opens; `odd`: "table.column" → how many
    indexes cannot be made anew; `codes_until`: when the last code read out under another key ends;
    `done`: how many values were made anew."""

    first: str
    sealed: dict[str, dict[str, int]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    odd: dict[str, int] = field(default_factory=dict)
    codes_until: datetime | None = None
    done: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether every other key may go. An index that cannot be made anew opens nothing."""
        return not self.sealed and self.codes_until is None


# --- counting ------------------------------------------------------------------------------------


async def left(session: AsyncSession, now: datetime) -> Left:
    """What of all that is sealed is under another key than the first."""
    first = ring().marks[0]
    found = Left(first)
    for place, counts in (await keyring.counted(session)).items():
        if others := {mark: count for mark, count in counts.items() if mark != first}:
            found.sealed[place] = others
            found.lost |= others.keys() - set(ring().marks)
    since = await session.scalar(select(KEY.c.since).where(KEY.c.mark == first))
    if since is not None and len(ring().marks) > 1:
        good = (CODE.c.made_at < since, CODE.c.expires_at > now, CODE.c.used_at.is_(None))
        found.codes_until = await session.scalar(select(func.max(CODE.c.expires_at)).where(*good))
    return found


async def cannot_open(session: AsyncSession, most: int | None = None) -> dict[str, int]:
    """ "table.column" → how many values do not open although their key is on the ring: somebody
    altered or moved them. `most`: of each column only so many, the newest."""
    broken: dict[str, int] = {}
    counts = await keyring.counted(session)
    for table, column in keyring.sealed_columns():
        place, (key,) = f"{table.name}.{column.name}", table.primary_key.columns
        if place not in counts:
            continue
        query = select(type_coerce(column, RAW)).where(column.is_not(None))
        query = query.order_by(key.desc()).limit(most)
        async for row in await session.stream(query, execution_options={"yield_per": 20}):
            try:
                ring().open(column.type.place, bytes(row[0]))
            except CannotOpen:
                broken[place] = broken.get(place, 0) + 1
    return broken


# --- making anew ---------------------------------------------------------------------------------


async def must_be_ready(session: AsyncSession, now: datetime) -> None:
    """Conflict says which process still seals under another key: what it writes meanwhile would be
    left under that."""
    for one in await beats.overview(session, now):
        node = one.node
        if node.stopped_at is not None or one.is_silent:
            continue
        if node.keys.partition(",")[0] != ring().marks[0]:
            raise Conflict(
                f"The process {node.name} does not seal under the key {ring().marks[0]} yet: start "
                "it again with the same HELPLINE_KEYS, the new key first, the old one after it. "
                "Nothing was changed."
            )


async def rotate(db: Database, clock: Clock, say: Say = lambda what, done: None) -> Left:
    """Make everything anew under the first key. Conflict when a process still seals under another;
    InvalidInput when the ring lacks a key. Stopped half way, it goes on the next time."""
    async with db.write() as session:
        await keyring.stand(session, clock.now())
        await must_be_ready(session, clock.now())
    work = _Work(db, clock, say)
    await work.indexes()
    await work.seals()
    await work.words()
    return await work.end()


class _Work:
    """One change of keys under way."""

    def __init__(self, db: Database, clock: Clock, say: Say) -> None:
        self._db, self._clock, self._say = db, clock, say
        self._odd: dict[str, int] = {}
        self._done = 0

    async def seals(self) -> None:
        """All that is sealed, again and again until nothing is under another key: somebody may have
        written to a row while it was in our hands."""
        for _ in range(ROUNDS):
            async with self._db.read() as session:
                counts = await keyring.counted(session)
            others = [one for one in keyring.sealed_columns() if _has_other(counts, *one)]
            done = self._done
            for table, columns in _by_table(others):
                await self._table(table, columns)
            if self._done == done:  # nothing left, or nothing that opens
                return

    async def _table(self, table: Table, columns: Sequence[Any]) -> None:
        moved = 0
        async for ids in self._portions(table, columns):
            moved += await self._reseal(table, columns, ids)
            self._say(table.name, moved)
        self._done += moved

    async def _portions(self, table: Table, columns: Sequence[Any]) -> Any:
        """Keys of rows with something under another key, a few at a time and not too many bytes."""
        (key,) = table.primary_key.columns
        sizes = [func.coalesce(func.length(type_coerce(one, RAW)), 0) for one in columns]
        size: ColumnElement[int] = sum(sizes[1:], sizes[0])
        after = None
        while True:
            query = select(key, size.label("size")).where(or_(*map(_is_other, columns)))
            if after is not None:
                query = query.where(key > after)
            async with self._db.read() as session:
                rows = (await session.execute(query.order_by(key).limit(AT_ONCE))).all()
            if not rows:
                return
            ids, heavy = list[Any](), 0
            for row in rows:
                if ids and heavy + row.size > MOST_BYTES:
                    yield ids
                    ids, heavy = [], 0
                ids.append(row[0])
                heavy += row.size
            yield ids
            after = rows[-1][0]

    async def _reseal(self, table: Table, columns: Sequence[Any], ids: Sequence[Any]) -> int:
        (key,) = table.primary_key.columns
        raw = [type_coerce(column, RAW).label(column.name) for column in columns]
        moved = 0
        async with self._turn() as session:
            rows = (
                await session.execute(select(key.label("its_key"), *raw).where(key.in_(ids)))
            ).all()
            for column in columns:
                anew = _anew(column, rows)
                if not anew:
                    continue
                still = type_coerce(column, RAW) == bindparam("its_old", type_=RAW)
                replace = update(table).where(key == bindparam("its_key"), still)
                replace = replace.values({column: bindparam("its_new", type_=RAW)})
                await session.execute(replace, anew)
                moved += len(anew)
        return moved

    async def indexes(self) -> None:
        """Staff before anybody else: who is one of ours is found by comparing these."""
        for made in sorted(MADE, key=lambda one: one.table != "user"):
            place = f"{made.table}.{made.column}"
            known: set[str] = set()
            after = 0
            while True:
                async with self._turn() as session:
                    rows = await _sources(session, made, after)
                    if rows:
                        self._done += await _remake(session, made, rows, known)
                if not rows:
                    break
                after = rows[-1]["id"]
                self._say(place, after)
            async with self._db.read() as session:
                if odd := await _not_made(session, made, known):
                    self._odd[place] = odd

    async def words(self) -> None:
        """What cases and people are found by, some at a time; goes on where it stopped."""
        first = ring().marks[0]
        mine = KEY.c.mark == first
        async with self._db.read() as session:
            after = await session.scalar(select(KEY.c.words_to).where(mine)) or 0
        while True:
            async with self._turn() as session:
                query = select(CASE.c.id).where(CASE.c.id > after).order_by(CASE.c.id)
                ids = list(await session.scalars(query.limit(CASES_AT_ONCE)))
                if not ids:
                    break
                await search.read_cases_again(session, ids)
                after = ids[-1]
                await session.execute(update(KEY).where(mine).values(words_to=after))
            self._say("words of cases", after)
        person: int | None = 0
        while person is not None:
            async with self._turn() as session:
                person = await search.read_people_again(session, person)

    async def end(self) -> Left:
        """What ends by itself goes; what is left is counted; a key with nothing left is retired."""
        now, first = self._clock.now(), ring().marks[0]
        async with self._db.write() as session:
            since = await session.scalar(select(KEY.c.since).where(KEY.c.mark == first))
            if len(ring().marks) > 1 and since is not None:  # counted under the first key anew
                await session.execute(delete(TRY).where(TRY.c.at < since))
            found = await left(session, now)
            found.odd, found.done = self._odd, self._done
            if found.is_nothing:
                others = (KEY.c.mark != first, KEY.c.retired_at.is_(None))
                await session.execute(update(KEY).where(*others).values(retired_at=now))
                await session.execute(
                    update(KEY).where(KEY.c.mark == first).values(remade_at=now, words_to=0)
                )
            await events.record(
                session,
                "keys.rotated",
                now,
                key=first,
                count=found.done,
                left=sum(sum(counts.values()) for counts in found.sealed.values()),
            )
        return found

    def _turn(self) -> "_Turn":
        return _Turn(self._db, self._clock)


class _Turn:
    """One small transaction, and as long a pause after it, so that whoever serves people goes
    first."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._writing, self._clock = db.write(), clock
        self._began = 0.0

    async def __aenter__(self) -> AsyncSession:
        session = await self._writing.__aenter__()
        self._began = self._clock.seconds()
        return session

    async def __aexit__(self, *error: Any) -> None:
        await self._writing.__aexit__(*error)
        await asyncio.sleep(min(self._clock.seconds() - self._began, 0.2))


def _has_other(counts: Mapping[str, Mapping[str, int]], table: Table, column: Any) -> bool:
    return bool(counts.get(f"{table.name}.{column.name}", {}).keys() - {ring().marks[0]})


def _by_table(columns: Iterable[tuple[Table, Any]]) -> list[tuple[Table, list[Any]]]:
    found: dict[str, tuple[Table, list[Any]]] = {}
    for table, column in columns:
        found.setdefault(table.name, (table, []))[1].append(column)
    return list(found.values())


def _is_other(column: Any) -> Any:
    """Whether the value was sealed under another key than the first."""
    mark = func.substr(type_coerce(column, RAW), 1, MARK, type_=RAW)
    return column.is_not(None) & (mark != ring().mark)


def _anew(column: Any, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """The values of this column under the first key, beside what they are now. What does not open
    stays as it is, and is counted in the end."""
    assert isinstance(column.type, Sealed)
    place, found = column.type.place, []
    for row in rows:
        old = getattr(row, column.name)
        if old is None or bytes(old[:MARK]) == ring().mark:
            continue
        try:
            new = ring().seal(place, ring().open(place, bytes(old)))
        except CannotOpen:
            continue
        found.append({"its_key": row.its_key, "its_old": bytes(old), "its_new": new})
    return found


# --- indexes -------------------------------------------------------------------------------------


async def _sources(session: AsyncSession, made: Made, after: int) -> list[dict[str, Any]]:
    """Rows of what an index is made of: id, `it` opened, the plain columns, and the index itself
    where it stands in the same row."""
    table = metadata.tables[made.source or made.table]
    names = [*made.also, *([made.or_plain] if made.or_plain else [])]
    names += [] if made.source else [made.column]
    columns = [table.c[name] for name in dict.fromkeys(names)]
    query = select(table.c.id, type_coerce(table.c[made.of], RAW).label("it"), *columns)
    query = query.where(table.c.id > after).order_by(table.c.id).limit(AT_ONCE)
    rows = [dict(row._mapping) for row in await session.execute(query)]
    for row in rows:
        row["it"] = _opened(table.c[made.of], row["it"])
    return rows


def _opened(column: Any, sealed: Any) -> str | None:
    if sealed is None:
        return None
    try:
        return ring().open(column.type.place, bytes(sealed))
    except CannotOpen:
        return None


async def _remake(
    session: AsyncSession, made: Made, rows: Sequence[Mapping[str, Any]], known: set[str]
) -> int:
    """Replace the indexes of these rows that were made under another key. `known` gathers what the
    right ones are. Returns how many were replaced."""
    replaced: dict[str, str] = {}
    for row in rows:
        for text in filter(None, (row["it"], row.get(made.or_plain))):
            value = made.value(text)
            if value is None:
                continue
            new, *olds = ring().indexes(made.kind(row), value)
            if text == row["it"] or row[made.column] in (new, *olds):
                known.add(new)
                replaced |= dict.fromkeys(olds, new)
    if made.source is None and made.table != "user":
        return await _in_their_rows(session, made, rows, replaced)
    return await _wherever(session, made, replaced)


async def _in_their_rows(
    session: AsyncSession,
    made: Made,
    rows: Sequence[Mapping[str, Any]],
    replaced: Mapping[str, str],
) -> int:
    table = metadata.tables[made.table]
    column, count = table.c[made.column], 0
    for row in rows:
        old = row[made.column]
        if old in replaced:
            still = update(table).where(table.c.id == row["id"], column == old)
            count += await _put(session, still.values({made.column: replaced[old]}))
    return count


async def _wherever(session: AsyncSession, made: Made, replaced: Mapping[str, str]) -> int:
    """In every row that has the old one, whoever's it is: rows that are compared with one another
    change in the same moment."""
    table, count = metadata.tables[made.table], 0
    for column in (table.c[made.column], *_alongside(made)) if replaced else ():
        there = await session.scalars(select(column).where(column.in_(replaced)).distinct())
        for old in list(there):
            put = update(column.table).where(column == old).values({column.name: replaced[old]})
            count += await _put(session, put)
    return count


async def _put(session: AsyncSession, change: Update) -> bool:
    """False where the same value came in again under the new key meanwhile: both stay."""
    try:
        async with session.begin_nested():
            await session.execute(change)
    except IntegrityError:
        return False
    return True


def _alongside(made: Made) -> list[Any]:
    """Who is one of ours is found by comparing: their addresses change with them."""
    return [metadata.tables["address"].c.value_index] if made.table == "user" else []


async def _not_made(session: AsyncSession, made: Made, known: set[str]) -> int:
    """How many indexes of this column are none of the right ones."""
    column = metadata.tables[made.table].c[made.column]
    odd = 0
    query = select(column).where(column.is_not(None))
    async for row in await session.stream(query, execution_options={"yield_per": 1000}):
        odd += row[0] not in known
    return odd


async def staff_first(session: AsyncSession) -> None:
    """As soon as another key seals: whoever is one of ours must be known as such at once."""
    for made in (one for one in MADE if one.table == "user"):
        after = 0
        while rows := await _sources(session, made, after):
            await _remake(session, made, rows, set())
            after = rows[-1]["id"]
