"""Whose a row is: which tables a council's export holds, and by which column a row is of it.

A row belongs by its column `contract`, or through the row it hangs on; a table that has neither
stands in LEFT_OUT with its reason. A test walks the models, so that a new table is red until
somebody has decided.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Column, ColumnElement, Table, or_, select

from helpline.models import metadata

LEFT_OUT: Final[Mapping[str, str]] = {
    "user": "our own people: the export names them as carers know them, beside what they did",
    "session": "who of us was signed in",
    "login_attempt": "who tried to sign in",
    "authenticator": "how one of us proves who they are",
    "recovery_code": "the same on paper",
    "passkey": "the same on a device",
    "provider_account": "the same at the organisation's own sign-in",
    "factor_reset": "that one of us had to prove it anew",
    "sign_in_step": "a sign-in that is half done",
    "invitation": "who was asked to sign in",
    "unusual_reading": "what one of our own people read, and why we asked them",
    "audit_link": "the chain over the whole trail, of all councils; events go along",
    "audit_head": "the end of that chain",
    "audit_digest": "the end of it, day by day",
    "audit_round": "how often it was gone through",
    "ring_key": "which keys have sealed here",
    "inbound_item": "the form in which a provider handed it over; what was said is a contact",
    "upload": "a file on its way: it becomes an attachment, or goes",
    "draft": "half-written and seen by its writer alone",
    "staff_paper": "papers of our own people",
    "absence": "why one of our own people is away",
    "calendar_feed": "the address of somebody's own shifts",
    "user_skill": "what our own people can do",
    "case_word": "digests for the search, without a word that could be read",
    "person_word": "the same for names",
    "search_mark": "how far the search has read",
    "job_run": "how the loops run",
    "node": "which processes run",
    "set_aside": "what broke a loop",
    "turn": "how far a loop has come",
    "backup_run": "which copies were made",
    "restored_copy": "which copy this came from",
    "held_back": "what of that copy waits",
}
"""Tables of which nothing goes along, and why."""
BY: Final[Mapping[str, str]] = {
    "transfer": "from_case_id",
    "page": "alert_id",
    "link_code": "person_id",
    "case_link": "case_id",
}
"""The column by which a row belongs, where it is not the first that must be filled."""
COLUMNS_LEFT_OUT: Final = ("_index", "_hash")
"""Endings of columns that say nothing to anybody without our keys."""


def exported() -> list[Table]:
    """The tables of an export, those others hang on first."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


def is_of(table: Table, contract: str) -> ColumnElement[bool] | None:
    """That a row is this contract's; None where nothing says whose its rows are."""
    if "contract" in table.c:
        return table.c.contract == contract
    found = []
    for column in belongs_by(table):
        there = _points_to(column)
        if (theirs := is_of(there, contract)) is not None:
            found.append(column.in_(select(there.c.id).where(theirs)))
    return or_(*found) if found else None


def belongs_by(table: Table) -> Sequence[Column[object]]:
    """The columns through which a row without a contract is one's: the one BY names, else the first
    that must be filled, else any of them."""
    if table.name in BY:
        return [table.c[BY[table.name]]]
    ways = [
        column
        for column in table.c
        if column.foreign_keys
        and _points_to(column).name not in LEFT_OUT
        and _points_to(column) is not table
    ]
    return [column for column in ways if not column.nullable][:1] or ways


def columns(table: Table) -> list[Column[object]]:
    """What of a row goes along: everything but digests that only our keys can make again."""
    return [column for column in table.c if not column.name.endswith(COLUMNS_LEFT_OUT)]


def _points_to(column: Column[object]) -> Table:
    return next(iter(column.foreign_keys)).column.table
