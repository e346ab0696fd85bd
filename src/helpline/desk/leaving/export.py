"""Writes one council's export: every row as JSON lines and as a table for a spreadsheet, every
file, a page for each case, and an index that a person can begin with.

Read only, in one state of the database. Called by `helpline export contract`, which writes down
that it was taken. What is sealed is opened here: the file is readable by whoever has it.
"""

import base64
import binascii
import csv
import hashlib
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk.leaving.belonging import columns, exported, is_of
from helpline.desk.leaving.paper import case_page, index_page
from helpline.errors import InvalidInput
from helpline.models import metadata

CHUNK: Final = 500
USER: Final = metadata.tables["user"]
INERT: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet might work out: it gets an apostrophe in front."""
ENDINGS: Final[Mapping[str, str]] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "application/pdf": "pdf",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "text/plain": "txt",
    "video/mp4": "mp4",
}


@dataclass
class Exported:
    """What went into the file: table → rows, how many cases and files, and what could not be read
    (table and id)."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def cases(self) -> int:
        return self.rows.get("case", 0)


async def export(
    session: AsyncSession, contract: Contract, source: Path, path: Path, now: datetime
) -> Exported:
    """Everything of `contract` into the ZIP at `path`, which must not be there yet. `source`: the
    contract's own file, which goes along. InvalidInput says why not; then no file is left."""
    if path.exists():  # noqa: ASYNC240  # a command of its own: nobody else waits for its loop
        raise InvalidInput(f"{path} is there already: give another name.")
    await _in_one_state(session)
    partial = path.with_name(path.name + ".part")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", 8) as packed:
            made = await _fill(session, contract, source, packed, now)
        partial.rename(path)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
    return made


async def _in_one_state(session: AsyncSession) -> None:
    if session.get_bind().dialect.name == "postgresql":
        await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


async def _fill(
    session: AsyncSession,
    contract: Contract,
    source: Path,
    packed: zipfile.ZipFile,
    now: datetime,
) -> Exported:
    made, names = Exported(), await _our_people(session, contract.key)
    with _entry(packed, made, "contract.toml") as out:
        out.write(source.read_bytes())  # noqa: ASYNC240
    for table in exported():
        where = is_of(table, contract.key)
        if where is None:
            continue
        await _lines(session, table, where, packed, made)
        await _cells(session, table, where, packed, made)
        if "content" in table.c:
            await _files(session, table, where, packed, made)
    with _entry(packed, made, "data/our_people.json") as out:
        out.write(_json({str(user_id): name for user_id, name in names.items()}))
    cases = await _cases(session, contract, names, packed, made)
    with _entry(packed, made, "index.html") as out:
        out.write(index_page(contract, cases, made.rows, made.files, now).encode())
    with packed.open("manifest.json", "w") as out:
        told = {"contract": contract.key, "made_at": now.isoformat(), "rows": made.rows}
        out.write(_json(told | {"sha256": made.digests}))
    return made


async def _lines(
    session: AsyncSession,
    table: Table,
    where: ColumnElement[bool],
    packed: zipfile.ZipFile,
    made: Exported,
) -> None:
    count, wanted = 0, [one for one in columns(table) if one.name != "content"]
    with _entry(packed, made, f"data/{table.name}.jsonl") as out:
        async for row in _rows(session, table, wanted, where):
            out.write(_json(row) + b"\n")
            count += 1
    made.rows[table.name] = count


async def _cells(
    session: AsyncSession,
    table: Table,
    where: ColumnElement[bool],
    packed: zipfile.ZipFile,
    made: Exported,
) -> None:
    """The same for a spreadsheet: nothing in it is worked out when it is opened."""
    wanted = [one for one in columns(table) if one.name != "content"]
    with _entry(packed, made, f"tables/{table.name}.csv") as out:
        text = io.TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow([column.name for column in wanted])
        async for row in _rows(session, table, wanted, where):
            writer.writerow([_inert(row[column.name]) for column in wanted])
        text.detach()


async def _files(
    session: AsyncSession,
    table: Table,
    where: ColumnElement[bool],
    packed: zipfile.ZipFile,
    made: Exported,
) -> None:
    wanted = [one for one in table.c if one.name in ("id", "kind", "format", "content")]
    query = select(*wanted).where(where, table.c.content.is_not(None)).order_by(table.c.id)
    stream = await session.stream(query, execution_options={"yield_per": 1})
    async for row in stream.mappings():
        kind = str(row.get("format") or row.get("kind") or "")
        ending = ENDINGS.get(kind, kind if kind.isalnum() and len(kind) <= 5 else "bin")
        with _entry(packed, made, f"files/{table.name}-{row['id']}.{ending}") as out:
            out.write(_bytes(row["content"]))
        made.files += 1


def _bytes(content: str) -> bytes:
    """Files are kept in base64, lists as their text."""
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return content.encode()


async def _cases(
    session: AsyncSession,
    contract: Contract,
    names: Mapping[int, str],
    packed: zipfile.ZipFile,
    made: Exported,
) -> list[Mapping[str, Any]]:
    """A page for each case; what the index says of each."""
    case, person = metadata.tables["case"], metadata.tables["person"]
    query = (
        select(
            *(case.c[name] for name in ("id", "reference", "status", "opened_at", "closed_at")),
            person.c.name.label("person"),
        )
        .join(person, person.c.id == case.c.person_id)
        .where(case.c.contract == contract.key)
        .order_by(case.c.id)
    )
    cases: list[Mapping[str, Any]] = [
        dict(row) for row in (await session.execute(query)).mappings()
    ]
    for start in range(0, len(cases), CHUNK):
        some = {one["id"]: one for one in cases[start : start + CHUNK]}
        found = await _of_cases(session, list(some))
        for case_id, one in some.items():
            with _entry(packed, made, f"cases/{one['reference']}.html") as out:
                out.write(case_page(contract, one, found.get(case_id, {}), names).encode())
    return cases


async def _of_cases(
    session: AsyncSession, ids: Sequence[int]
) -> dict[int, dict[str, list[Mapping[str, Any]]]]:
    """Case → table → its rows, of every table that hangs on a case."""
    found: dict[int, dict[str, list[Mapping[str, Any]]]] = {}
    for table in exported():
        if "case_id" not in table.c or table.name == "event":
            continue
        wanted = [one for one in columns(table) if one.name not in ("content", "contract", "key")]
        query = select(*wanted).where(table.c.case_id.in_(ids)).order_by(*table.primary_key)
        for row in (await session.execute(query)).mappings():
            found.setdefault(row["case_id"], {}).setdefault(table.name, []).append(dict(row))
    return found


async def _our_people(session: AsyncSession, contract: str) -> dict[int, str]:
    """User id → the name carers know, of whoever works for this contract."""
    theirs = USER.c.contract.is_(None) | (USER.c.contract == contract)
    rows = await session.execute(select(USER.c.id, USER.c.shown_name).where(theirs))
    return {row.id: row.shown_name for row in rows}


async def _rows(
    session: AsyncSession, table: Table, wanted: Sequence[Any], where: ColumnElement[bool]
) -> AsyncIterator[Mapping[str, Any]]:
    query = select(*wanted).where(where).order_by(*table.primary_key)
    stream = await session.stream(query, execution_options={"yield_per": CHUNK})
    async for row in stream.mappings():
        yield dict(row)


class _Entry:
    """One file in the ZIP, and its digest for the manifest."""

    def __init__(self, packed: zipfile.ZipFile, made: Exported, name: str) -> None:
        self._packed, self._made, self._name = packed, made, name

    def __enter__(self) -> "IO[bytes]":
        self._out = self._packed.open(self._name, "w", force_zip64=True)
        self._digest = hashlib.sha256()
        return _Hashed(self._out, self._digest)  # type: ignore[return-value]  # what is used of it

    def __exit__(self, *_: object) -> None:
        self._out.close()
        self._made.digests[self._name] = self._digest.hexdigest()


_entry = _Entry


class _Hashed(io.RawIOBase):
    def __init__(self, out: IO[bytes], digest: Any) -> None:
        self._out, self._digest = out, digest

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._digest.update(content)
        return self._out.write(content)


def _inert(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.lstrip().startswith(INERT):
        return f"'{value}"
    return value


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_said, sort_keys=True).encode()


def _said(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)
