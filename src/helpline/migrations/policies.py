"""Row security in PostgreSQL, the second wall behind desk/seeing.py: what a page asks for somebody
who is signed in, it asks as a role that sees the rows of their contract alone, and of cases and
people nothing for those who pay.

Applied after each `migrate`, again and again with the same end; made from the tables themselves, so
that a new one is not forgotten. What runs by itself, and figures that are counted, go on as the
owner of the tables, whom it does not hold. It is a wall against our own mistakes in a query, not
against somebody who may run any statement.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import URL, Column, Connection, Engine, Table, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from helpline.db import WALL_STANDS, WALLED, sync_url
from helpline.models import metadata

POLICY: Final = "helpline_contract"
OPEN: Final = {
    "user",  # who works here: names and what they may do, on whichever contract
    "set_aside",  # codes and numbers
}
"""Tables with a contract whose rows pages show across contracts."""
_ALL = "(SELECT current_setting('helpline.contract', true)) = '*'"
_THEIRS = "contract = (SELECT current_setting('helpline.contract', true))"
_PAYS = "(SELECT current_setting('helpline.role', true)) = 'commissioner'"
ROOTS: Final = ("case", "person")
ONE_AT_A_TIME: Final = 0x48_45_4C_50  # any number that nobody else locks
SAID_OF_IT: Final = text(
    "SELECT obj_description(p.oid, 'pg_policy')"
    " FROM pg_policy p JOIN pg_class c ON c.oid = polrelid"
    " WHERE c.relname = :name AND c.relnamespace = 'public'::regnamespace AND c.relrowsecurity"
    " AND polname = :policy"
)
"""The condition that stands there, as we wrote it."""


def apply(url: URL) -> bool:
    """Make the role and the policies; False where the database's user may not. Anything else that
    goes wrong is raised. One at a time, a table in a transaction of its own, and only what is not
    there yet: a table is held for a moment, and older processes go on writing."""
    engine = create_engine(sync_url(url), poolclass=NullPool)
    try:
        with engine.connect() as turn:
            turn.execute(text(f"SELECT pg_advisory_lock({ONE_AT_A_TIME})"))
            turn.commit()
            with engine.begin() as connection:
                for statement in _role(connection):
                    connection.execute(text(statement))
            for name, condition in conditions().items():
                _protect(engine, name, condition)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == "42501":  # insufficient_privilege
            return False
        raise
    finally:
        engine.dispose()
    return True


def stands(url: URL) -> bool:
    """Whether pages of this database are asked behind the wall."""
    engine = create_engine(sync_url(url))
    try:
        with engine.connect() as connection:
            return bool(connection.execute(text(WALL_STANDS)).scalar_one())
    finally:
        engine.dispose()


def conditions() -> dict[str, str]:
    """Table → under which condition one of its rows is there for somebody who is signed in."""
    found: dict[str, str] = {}
    for table in metadata.sorted_tables:
        if table.name not in OPEN and (condition := _condition(table, found)):
            found[table.name] = condition
    return found


def _condition(table: Table, found: dict[str, str]) -> str:
    if table.name in ROOTS:
        return f"{_ALL} OR ({_THEIRS} AND NOT {_PAYS})"
    of_case = [column for column in table.columns if _points_to(column) in ROOTS]
    if "contract" in table.c:
        theirs = _THEIRS if not table.c.contract.nullable else f"(contract IS NULL OR {_THEIRS})"
        if any(not column.nullable for column in of_case):
            return f"{_ALL} OR ({theirs} AND NOT {_PAYS})"
        empty = " AND ".join(f'"{column.name}" IS NULL' for column in of_case)
        payer = f" AND (NOT {_PAYS} OR ({empty}))" if empty else ""
        return f"{_ALL} OR ({theirs}{payer})"
    for column in table.columns:  # what hangs on a row that is held goes with it
        there = _points_to(column)
        is_held = there in ROOTS or (there in found and not column.nullable)
        if is_held and there != table.name:
            at = f'"{table.name}"."{column.name}"'
            row = f'EXISTS (SELECT 1 FROM "{there}" h WHERE h.id = {at})'  # noqa: S608  # our own names
            return f"{_ALL} OR {at} IS NULL OR {row}" if column.nullable else f"{_ALL} OR {row}"
    return ""


def _points_to(column: Column[object]) -> str:
    return next((key.column.table.name for key in column.foreign_keys), "")


def _protect(engine: Engine, name: str, condition: str) -> None:
    """The policies of one table, unless they are what they should be."""
    with engine.begin() as connection:
        if connection.execute(SAID_OF_IT, {"name": name, "policy": POLICY}).scalar() == condition:
            return
        connection.execute(text("SET LOCAL lock_timeout = '20s'"))
        for statement in _statements(name, condition):
            connection.execute(text(statement))


def _role(connection: Connection) -> Iterator[str]:
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": WALLED}
    )
    if known.scalar() is None:
        yield (  # roles belong to the whole server: another database may make it just now
            f"DO $$ BEGIN CREATE ROLE {WALLED} NOLOGIN NOINHERIT NOBYPASSRLS;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    held = connection.execute(
        text("SELECT pg_has_role(current_user, :role, 'SET')"), {"role": WALLED}
    )
    if not held.scalar():
        yield f"GRANT {WALLED} TO CURRENT_USER"
    yield f"GRANT USAGE ON SCHEMA public TO {WALLED}"
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {WALLED}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {WALLED}"


def _statements(name: str, condition: str) -> Iterator[str]:
    yield f'ALTER TABLE "{name}" ENABLE ROW LEVEL SECURITY'
    yield f'DROP POLICY IF EXISTS {POLICY} ON "{name}"'
    yield f'DROP POLICY IF EXISTS {POLICY}_new ON "{name}"'
    yield f'CREATE POLICY {POLICY} ON "{name}" TO {WALLED} USING ({condition})'
    yield f'CREATE POLICY {POLICY}_new ON "{name}" FOR INSERT TO {WALLED} WITH CHECK (true)'
    yield f'COMMENT ON POLICY {POLICY} ON "{name}" IS $words${condition}$words$'
