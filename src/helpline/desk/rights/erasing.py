"""What goes when a case, and with its last one its person, has been kept long enough: every sealed
text and file, every address and number, every digest by which they could be found again.

What stays are rows with codes and times, so that no report, total or line of the audit trail
changes. Read from the tables themselves: a sealed column that is added later goes as well, unless
it stands in KEPT with its reason. Called only by desk/rights/retention.py, after two people agreed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.models import (
    Address,
    Case,
    InboundItem,
    LegalHold,
    Membership,
    Part,
    Person,
    metadata,
)
from helpline.sealing import ring
from helpline.vocabulary import CaseStatus

CASE: Final = metadata.tables["case"]
PERSON: Final = metadata.tables["person"]
KEPT: Final[Mapping[str, str]] = {
    "conflict.why": "why one of ours was kept from the case: about them, and proof that they were",
    "legal_hold.reason": "why something was kept longer than the schedule says is itself asked for",
    "legal_hold.ended_why": "why it was no longer held is what made the erasing lawful",
    "retention_line.why": "why somebody took it off a list: the proof of how it was decided",
}
"""Sealed columns that hang on a case or a person and stay, and why."""
NOT_PARTS: Final = frozenset({"contact", "deadline", "task", "alert", "conversation", "case"})
"""Rows that others point to without being a part of them: those have a case of their own."""
EMPTY: Final[Mapping[str, str]] = {
    "referral_form.fields": "{}",
    "draft.fields": "{}",
    "safe_contact.rules": "{}",
}
"""What stands in place of a text that is read as something; of all others: nothing."""
INDEXES: Final[Mapping[str, Collection[str]]] = {
    "person": ("household_index", "register_index"),
    "membership": ("postcode_index",),
    "police_interview": ("solicitor_index",),
}
"""Blind indexes that go with their texts."""
UNIQUE_INDEXES: Final[Mapping[str, str]] = {
    "membership": "number_index",
}
"""The same where there must be one: a mark that no number can have."""
GONE: Final = ("case_word", "draft")


@dataclass(frozen=True)
class Goes:
    """How much goes with some cases."""

    messages: int
    notes: int
    files: int
    texts: int
    """Of everything else: allegations, notices, plans, tasks, comments."""
    people: int


async def preview(session: AsyncSession, case_ids: Sequence[int], today: date) -> Goes:
    """How much would go with these cases."""
    counts = {
        table.name: await session.scalar(
            select(func.count())
            .select_from(table)
            .where(_of_cases(table, case_ids), or_(*(table.c[one].is_not(None) for one in columns)))
        )
        or 0
        for table, columns in _texts()
        if columns and table.name != "case"
    }
    with_text = sum(counts.values())
    named = counts.get("contact", 0), counts.get("note", 0), counts.get("attachment", 0)
    people = await _last_of_their_people(session, case_ids, today)
    return Goes(*named, with_text - sum(named) - counts.get("out_message", 0), len(people))


async def erase(
    session: AsyncSession, case_ids: Sequence[int], today: date, now: datetime
) -> set[int]:
    """Everything said of these closed cases goes, and of each person of whom nothing else is kept.
    Doing it twice changes nothing. Returns the people that went."""
    people = await _last_of_their_people(session, case_ids, today)
    for table, columns in _texts():
        if table.name in GONE:
            await session.execute(delete(table).where(_of_cases(table, case_ids)))
        else:
            await _empty(session, table, columns, _of_cases(table, case_ids))
    await session.execute(delete(_table("case_word")).where(_here("case_word", case_ids)))
    contact = _table("contact")
    messages = select(contact.c.id).where(contact.c.case_id.in_(case_ids))
    mark = literal("erased:") + sql_cast(col(InboundItem.id), String)
    await session.execute(
        update(InboundItem)
        .where(col(InboundItem.contact_id).in_(messages))
        .values(sealed="", sender_index=mark)
    )
    await session.execute(update(Case).where(col(Case.id).in_(case_ids)).values(erased_at=now))
    if people:
        await _erase_people(session, people, now)
    return people


async def _erase_people(session: AsyncSession, people: Collection[int], now: datetime) -> None:
    for table, columns in _of_people():
        if table.name != "address":
            await _empty(session, table, columns, _of_person(table, people))
    for one in await session.scalars(select(Address).where(col(Address.person_id).in_(people))):
        # Each a value of its own, of which its index is made: a change of keys finds it in order.
        one.value = f"erased:{one.id}"
        one.value_index = ring().index(f"address:{one.channel}", one.value)
    await session.flush()
    word, code = _table("person_word"), _table("link_code")
    await session.execute(delete(word).where(word.c.person_id.in_(people)))
    await session.execute(delete(code).where(code.c.person_id.in_(people)))
    requests, files = _table("data_request"), _table("request_file")
    theirs = select(requests.c.id).where(requests.c.person_id.in_(people))
    await session.execute(delete(files).where(files.c.request_id.in_(theirs)))
    await session.execute(update(Person).where(col(Person.id).in_(people)).values(erased_at=now))


async def _empty(
    session: AsyncSession, table: Table, columns: Sequence[str], which: ColumnElement[bool]
) -> None:
    values: dict[Any, Any] = {}
    for name in columns:
        column = table.c[name]
        values[column] = None if column.nullable else EMPTY.get(f"{table.name}.{name}", "")
    values |= {table.c[name]: None for name in INDEXES.get(table.name, ())}
    if table.name in UNIQUE_INDEXES:
        mark = literal("erased:") + sql_cast(table.c.id, String)
        values[table.c[UNIQUE_INDEXES[table.name]]] = mark
    if values:
        await session.execute(update(table).where(which).values(values))


async def _last_of_their_people(
    session: AsyncSession, case_ids: Sequence[int], today: date
) -> set[int]:
    """The people of these cases of whom nothing else is kept: no other case that was not erased, no
    part in one, no membership that still holds, no hold."""
    case, other = CASE.alias("gone"), CASE.alias("other")
    kept = (other.c.erased_at.is_(None), other.c.id.not_in(case_ids))
    member = (
        col(Membership.person_id) == PERSON.c.id,
        col(Membership.held_to).is_(None),
        col(Membership.approved_to).is_(None) | (col(Membership.approved_to) >= today),
    )
    rows = await session.scalars(
        select(PERSON.c.id).where(
            PERSON.c.erased_at.is_(None),
            exists().where(case.c.person_id == PERSON.c.id, case.c.id.in_(case_ids)),
            ~exists().where(other.c.person_id == PERSON.c.id, *kept),
            ~exists().where(
                col(Part.person_id) == PERSON.c.id, col(Part.case_id) == other.c.id, *kept
            ),
            ~exists().where(*member),
            ~exists().where(
                col(LegalHold.person_id) == PERSON.c.id, col(LegalHold.ended_at).is_(None)
            ),
        )
    )
    return set(rows)


def closed() -> ColumnElement[bool]:
    """That a case may be erased at all."""
    return (CASE.c.status == CaseStatus.CLOSED) & CASE.c.erased_at.is_(None)


# --- which texts hang on what, read from the tables -----------------------------------------------


@cache
def _texts() -> tuple[tuple[Table, tuple[str, ...]], ...]:
    """Each table that hangs on a case, with its sealed columns that go."""
    return tuple((table, _sealed(table)) for table in _hanging())


@cache
def _of_people() -> tuple[tuple[Table, tuple[str, ...]], ...]:
    """Each table that speaks of a person and hangs on no case of theirs alone."""
    found = [PERSON]
    for table in metadata.sorted_tables:
        is_theirs = any(key.target_fullname == "person.id" for key in table.foreign_keys)
        is_of_request = any(key.target_fullname == "data_request.id" for key in table.foreign_keys)
        if (is_theirs or is_of_request) and table.name not in ("case", "request_file"):
            found.append(table)
    return tuple((table, _sealed(table)) for table in found)


def erased_columns() -> Iterator[str]:
    """ "table.column" of every sealed column that goes with a case or a person; for the test that
    holds all of them against the models."""
    for table, columns in (*_texts(), *_of_people()):
        yield from (f"{table.name}.{column}" for column in columns)
    yield "inbound_item.sealed"
    yield "request_file.content"


def _sealed(table: Table) -> tuple[str, ...]:
    return tuple(
        column.name
        for column in table.columns
        if type(column.type).__name__ == "Sealed" and f"{table.name}.{column.name}" not in KEPT
    )


@cache
def _hanging() -> tuple[Table, ...]:
    """The case, what points to it, and what is a part of that, in the order of the tables."""
    found = {"case": CASE}
    for table in metadata.sorted_tables:
        if table.name not in found and (_case_columns(table) or _parent(table, set(found))):
            found[table.name] = table
    return tuple(found.values())


def _case_columns(table: Table) -> list[str]:
    """By which columns it belongs to a case. What was handed over is the receiving case's."""
    return [
        column.name
        for column in table.columns
        if any(key.target_fullname == "case.id" for key in column.foreign_keys)
        and f"{table.name}.{column.name}" != "transfer.from_case_id"
    ]


def _parent(table: Table, roots: Collection[str]) -> tuple[str, str] | None:
    """The column by which it hangs on a row of a case, and that row's table."""
    for column in table.columns:
        for key in column.foreign_keys:
            there = key.column.table.name
            if there in roots and there not in NOT_PARTS and not column.nullable:
                return column.name, there
    return None


def _of_cases(table: Table, case_ids: Sequence[int]) -> ColumnElement[bool]:
    """That a row belongs to one of these cases."""
    if table.name == "case":
        return CASE.c.id.in_(case_ids)
    if table.name == "out_message":
        contact = _table("contact")
        theirs = select(contact.c.id).where(contact.c.case_id.in_(case_ids))
        return table.c.case_id.in_(case_ids) | table.c.contact_id.in_(theirs)
    own = _case_columns(table)
    if own:
        return or_(*(table.c[name].in_(case_ids) for name in own))
    parent = _parent(table, {one.name for one in _hanging()})
    assert parent is not None
    column, there = parent
    above = _table(there)
    return table.c[column].in_(select(above.c.id).where(_of_cases(above, case_ids)))


def _of_person(table: Table, people: Collection[int]) -> ColumnElement[bool]:
    if table.name == "person":
        return PERSON.c.id.in_(people)
    if "person_id" in table.c:
        return table.c.person_id.in_(people)
    if "request_id" in table.c:
        requests = _table("data_request")
        theirs = select(requests.c.id).where(requests.c.person_id.in_(people))
        return table.c.request_id.in_(theirs)
    return or_(
        *(
            column.in_(people)
            for column in table.columns
            if any(key.target_fullname == "person.id" for key in column.foreign_keys)
        )
    )


def _here(name: str, case_ids: Sequence[int]) -> ColumnElement[bool]:
    return _table(name).c.case_id.in_(case_ids)


def _table(name: str) -> Table:
    return metadata.tables[name]
