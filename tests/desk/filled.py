"""A case with a row in every table that hangs on one, each text a word of its own: what the tests
of the file and of the search look for. Rows are put in as they are, by no act of the desk."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.models import metadata

AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
CODES = {
    "partner_referral.kind": "solicitor",
    "partner.kind": "solicitor",
    "deadline.starts": "receipt",
    "library_version.number": 1,
    "notice.kind": "lado",
    "complaint.kind": "own",
}


def hanging() -> dict[str, Table]:
    """Tables with a column that points to a case, and those that hang on one of these."""
    found = {
        table.name: table
        for table in metadata.sorted_tables
        if any(key.target_fullname == "case.id" for key in table.foreign_keys)
    }
    roots = set(found)
    for table in metadata.sorted_tables:
        if table.name not in found and _parent(table, roots) is not None:
            found[table.name] = table
    return found


def is_sealed(column: Any) -> bool:
    return type(column.type).__name__ == "Sealed"


def word_of(table: str, column: str) -> str:
    """A word that stands in this column alone: "noticesentto"."""
    return f"{table}{column}".replace("_", "")


def _parent(table: Table, roots: set[str]) -> str | None:
    """The column by which it hangs on a row of a case, for rows that are nothing without it."""
    for column in table.columns:
        for key in column.foreign_keys:
            if key.column.table.name in roots - POINTED_AT and not column.nullable:
                return column.name
    return None


POINTED_AT = {"contact", "deadline", "task", "out_message", "alert", "conversation"}
"""Rows that others point to without being a part of them."""


MACHINERY = {
    *("alert", "page", "call", "case_link", "case_word", "conversation", "event", "out_message"),
    *("part", "draft", "conflict", "page_link", "restriction", "restriction_name", "broken_glass"),
}
"""Rows without a text of their own that would begin to do something."""


async def fill(session: AsyncSession, case_id: int, person_id: int, user_id: int) -> None:
    """One row more in each of `hanging`, and in whatever those need."""
    made: dict[str, int] = {"case": case_id, "person": person_id, "user": user_id}
    wanted = set(hanging()) - MACHINERY
    helpers = {"partner", "gathering", "library_item", "library_version", "absence"}
    helpers |= {"retention_run", "sharing_agreement"}
    for table in metadata.sorted_tables:
        if table.name in wanted | helpers:
            made[table.name] = await _add(session, table, made)


async def _add(session: AsyncSession, table: Table, made: dict[str, int]) -> int:
    values = {
        column.name: _value(table, column, made) for column in table.columns if column.name != "id"
    }
    row = await session.execute(insert(table).values(values).returning(table.c.id))
    return int(row.scalar_one())


def _value(table: Table, column: Any, made: dict[str, int]) -> Any:
    name = f"{table.name}.{column.name}"
    if name in CODES:
        return CODES[name]
    for key in column.foreign_keys:
        there = key.column.table.name
        return made.get(there) if there != table.name else None
    if name == "referral_form.fields":
        return '{"why": "referralformfields"}'
    if is_sealed(column):
        return word_of(table.name, column.name)
    if column.name in ("ended_at", "void_at", "corrects_id", "copy_of_id", "next_alert_at"):
        return None
    known = {"UTCDateTime": AT, "Date": AT.date(), "Boolean": True, "Integer": 1}
    said = "essex" if column.name == "contract" else column.name
    return known.get(type(column.type).__name__, said)
