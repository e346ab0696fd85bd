"""Brings a copy back: into a database of its own to prove that it can be, or into an empty one that
a helpline is to go on with.

Every byte is proved before anything is touched, every table is read back and compared before
anything is committed, and what the copy was about to send is held back (holding.py) in the same
transaction. Called by `helpline backup`, `helpline restore` and the daily job's process.
"""

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, literal, select
from sqlalchemy.exc import SQLAlchemyError

from helpline.backup import holding, reading
from helpline.backup.manifest import Counting, Kept, Manifest
from helpline.db import POSTGRES, checked_url, limit_on_standing_still, sync_url
from helpline.errors import InvalidInput
from helpline.log import where
from helpline.migrations import heads, is_at_head, migrate, steps_known
from helpline.migrations.rows import PATIENCE, continue_numbers, put, stored
from helpline.models import metadata

Say = Callable[[str, int], None]
"""Told each table's name and how many rows of it are back."""


@dataclass(frozen=True)
class Restored:
    """What came back, and what is held until a person lets it go."""

    manifest: Manifest
    held: holding.Held


def verify(
    path: Path, backup_key: bytes, keys: Sequence[bytes], say: Say, scratch: Path | None = None
) -> Manifest:
    """Restore the copy into a database that is thrown away, and compare. InvalidInput says in one
    sentence what is wrong with it. `scratch`: a folder with room for the database."""
    manifest = reading.whole(path, backup_key, keys)
    with tempfile.TemporaryDirectory(prefix="helpline-", dir=scratch) as folder:
        engine = _scratch(checked_url(f"sqlite:///{folder}/copy.db"), path, manifest)
        try:
            with _writing(engine, path) as to:
                _fill(path, backup_key, manifest, to, say)
        finally:
            engine.dispose()
    return manifest


def restore(
    path: Path, url: str, backup_key: bytes, keys: Sequence[bytes], now: datetime, say: Say
) -> Restored:
    """Fill the empty database at `url` from the copy. InvalidInput says in one sentence why not,
    and then there is not one row more in it than before."""
    target = checked_url(url)
    manifest = reading.whole(path, backup_key, keys)
    engine = _prepared(target, path, manifest)
    try:
        with _writing(engine, path) as to:
            _fill(path, backup_key, manifest, to, say)
            held = holding.hold(to, manifest.made_at, manifest.begun.version, now)
            to.commit()
    finally:
        engine.dispose()
    migrate(url)  # where the copy is of an older version
    return Restored(manifest, held)


def _scratch(target: URL, path: Path, manifest: Manifest) -> Engine:
    """An engine on a database that is thrown away: of today's version its tables are made in one
    step, which waits for no disk."""
    _check_steps(path, manifest)
    if set(manifest.begun.migration) != heads():
        return _prepared(target, path, manifest)
    engine = _engine(target)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    with engine.begin() as connection:
        metadata.create_all(connection)
    return engine


def _check_steps(path: Path, manifest: Manifest) -> None:
    if unknown := set(manifest.begun.migration) - steps_known():
        raise InvalidInput(
            f"{path} was made by a newer version of the helpline ({manifest.begun.version}, step "
            f"{', '.join(sorted(unknown))}): restore it with that version."
        )


def _prepared(target: URL, path: Path, manifest: Manifest) -> Engine:
    """An engine on the target with the tables of the copy's version, all of them empty."""
    _check_steps(path, manifest)
    engine, url = _engine(target), target.render_as_string(hide_password=False)
    try:
        is_file = target.get_backend_name() == "sqlite"
        there = [] if is_file and not Path(target.database or "").exists() else _tables(engine)
        if not there:
            migrate(url, to=manifest.begun.migration[0])
        else:
            _must_be_empty(engine, there)
            if not is_at_head(url):
                raise InvalidInput(
                    "The database to restore into has the tables of another version: give an empty "
                    "one without tables, or run `helpline migrate` on it first."
                )
    except SQLAlchemyError as error:
        engine.dispose()
        raise InvalidInput(
            "The database to restore into does not answer: is --to right, and may this machine "
            f"reach it? ({where(error)})"
        ) from None
    except InvalidInput:
        engine.dispose()
        raise
    return engine


def _tables(engine: Engine) -> list[str]:
    return [name for name in inspect(engine).get_table_names() if name != "alembic_version"]


def _must_be_empty(engine: Engine, names: Sequence[str]) -> None:
    unknown = next((name for name in names if name not in metadata.tables), None)
    if unknown is not None:
        raise InvalidInput(
            f"The database to restore into holds something else (a table “{unknown}”): give an "
            "empty one. Nothing was changed."
        )
    with engine.connect() as connection:
        for name in names:
            if connection.execute(
                select(literal(1)).select_from(metadata.tables[name]).limit(1)
            ).first():
                raise InvalidInput(
                    f"The database to restore into is not empty: there are rows in “{name}”. A "
                    "copy comes back into an empty one only. Nothing was changed."
                )


def _engine(target: URL) -> Engine:
    if target.get_backend_name() != "sqlite":
        patient = POSTGRES | limit_on_standing_still(PATIENCE)
        return create_engine(sync_url(target), connect_args=patient)
    file = target.database or ""
    engine = create_engine(
        sync_url(target), creator=lambda: sqlite3.connect(file, isolation_level=None)
    )

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextlib.contextmanager
def _writing(engine: Engine, path: Path) -> Iterator[Connection]:
    """A connection whose transaction is rolled back unless it was committed."""
    try:
        with engine.connect() as connection:
            yield connection
    except (psycopg.Error, SQLAlchemyError) as error:
        raise InvalidInput(
            f"{path} could not be written to the database ({where(error)}). Not a row of it was "
            "kept."
        ) from None


def _fill(path: Path, backup_key: bytes, manifest: Manifest, to: Connection, say: Say) -> None:
    """Every table of the copy, each read back and compared."""
    kept = {table.name: table for table in manifest.tables}
    lines = reading.rows(path, backup_key)
    said = next(lines, None)
    while isinstance(said, dict):
        name, names = said["table"], said["columns"]
        table, following = metadata.tables.get(name), list[Any]()
        if table is None or not set(names) <= set(table.columns.keys()):
            raise InvalidInput(f"{path} has a table “{name}” that this version does not know.")
        put(table, names, _until_the_next(lines, following), to)
        _compare(path, kept[name], to)
        continue_numbers(table, to)
        say(name, kept[name].rows)
        said = following[0] if following else None


def _until_the_next(lines: Iterator[Any], following: list[Any]) -> Iterator[Any]:
    """The rows of one table; the line that begins the next is put into `following`."""
    for line in lines:
        if isinstance(line, dict):
            following.append(line)
            return
        yield line


def _compare(path: Path, kept: Kept, to: Connection) -> None:
    counting = Counting()
    for _ in counting.lines(stored(metadata.tables[kept.name], to, kept.columns)):
        pass
    if counting.kept(kept.name, kept.columns) != kept:
        raise InvalidInput(
            f"“{kept.name}” reads differently in the database than in {path}. Not a row of it was "
            "kept."
        )
