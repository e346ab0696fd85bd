"""Makes a copy: every table as of one instant, while the helpline goes on.

One transaction reads all of it (a snapshot on both databases), row by row, compressed and encrypted
on the way: nothing is held in memory and nothing readable touches the disk. The file appears under
its name when it is whole. Called by `helpline backup` and by the daily job's process.
"""

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from helpline.backup.manifest import Begun, Counting, Kept, Manifest, last_line, line_of, mark_of
from helpline.backup.sealedfile import Writer
from helpline.db import checked_url
from helpline.errors import InvalidInput
from helpline.log import where
from helpline.migrations import is_at_head
from helpline.migrations.rows import reading_engine, stored
from helpline.models import metadata

Say = Callable[[str, int], None]
"""Told each table's name and how many rows of it were written."""
LEVEL: Final = 1
"""Most of a copy is sealed and compresses to three quarters at any level."""


def make(
    url: str, path: Path, backup_key: bytes, keys: Sequence[bytes], now: datetime, say: Say
) -> Manifest:
    """Write a copy of the database at `url` to `path`, which must not be there yet. `keys`: the
    ring, of which only marks are written. InvalidInput says why not, and then no file is there."""
    checked = checked_url(url)
    if checked.get_backend_name() == "sqlite" and not Path(checked.database or "").is_file():
        raise InvalidInput("HELPLINE_DATABASE_URL names no file: there is nothing to copy.")
    if path.exists():
        raise InvalidInput(f"{path} is there already: give another name.")
    if not is_at_head(url):
        raise InvalidInput("The database is not up to date: run `helpline migrate` first.")
    engine, partial = reading_engine(checked), path.with_name(path.name + ".part")
    try:
        with engine.connect() as connection:
            begun = _begun(connection, now, keys)
            manifest = _write(connection, partial, begun, backup_key, keys[0], say)
        partial.rename(path)
        return manifest
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.") from None
    except SQLAlchemyError as error:
        raise InvalidInput(
            f"The database could not be read to its end ({where(error)}). No copy was made."
        ) from None
    finally:
        engine.dispose()
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _begun(connection: Connection, now: datetime, keys: Sequence[bytes]) -> Begun:
    steps = MigrationContext.configure(connection).get_current_heads()
    return Begun(
        made_at=now.isoformat(),
        version=version("helpline"),
        migration=tuple(sorted(steps)),
        keys=tuple(mark_of(key) for key in keys),
        database=connection.dialect.name,
    )


def _write(
    connection: Connection, path: Path, begun: Begun, backup_key: bytes, key: bytes, say: Say
) -> Manifest:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        sealed, packing = Writer(file, backup_key), zlib.compressobj(LEVEL)
        kept: list[Kept] = []
        for line in _lines(connection, begun, kept, say):
            sealed.write(packing.compress(line))
        manifest = Manifest(begun, tuple(kept))
        sealed.write(packing.compress(last_line(manifest, key)) + packing.flush())
        sealed.close()
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _lines(connection: Connection, begun: Begun, kept: list[Kept], say: Say) -> Iterator[bytes]:
    """All but the last line; what `kept` says of a table is there once its rows have passed."""
    yield line_of({name: getattr(begun, name) for name in Begun.__dataclass_fields__})
    for table in metadata.sorted_tables:
        names = [column.name for column in table.columns]
        yield line_of({"table": table.name, "columns": names})
        counting = Counting()
        yield from counting.lines(stored(table, connection, names))
        kept.append(counting.kept(table.name, names))
        say(table.name, counting.rows)
