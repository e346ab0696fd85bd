"""Reads what chapters.py names of one case, with codes said in words. Read only; called by
desk/record for a case that its asker may see.

What was asked of a counsellor is read by who works on the case alone, here as on the page.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import referral_lists
from helpline.desk.filing.chapters import CHAPTERS
from helpline.desk.filing.shapes import How, Kept, Shown
from helpline.models import Case, metadata
from helpline.rules.permissions import Actor
from helpline.rules.steps import STEPS
from helpline.vocabulary import PartnerKind

NOT_YOURS: Final = "Only those who work on the case read this."
POINTS_TO: Final[Mapping[How, tuple[str, str]]] = {
    How.USER: ("user", "shown_name"),
    How.PARTNER: ("partner", "name"),
    How.GATHERING: ("gathering", "title"),
    How.VERSION: ("library_version", "title"),
}
MOST: Final = 2000
"""Rows of one table that a file ever has: more than any case has had."""


@dataclass(frozen=True)
class Value:
    """One line of an entry. `person`: the id of somebody whom paper may have to leave unnamed."""

    label: str
    said: str | datetime | date
    person: int | None = None


@dataclass(frozen=True)
class Entry:
    at: datetime | date | None
    name: str
    by: str
    values: Sequence[Value]
    beside: Sequence["Entry"] = ()


@dataclass(frozen=True)
class Read:
    """A chapter that has something in it, oldest first."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True)
class _Told:
    """What a row's values are said with."""

    contract: Contract
    names: Mapping[tuple[str, int], str]
    may_read: Callable[[Row[Any]], bool]


async def chapters(
    session: AsyncSession, contract: Contract, case: Case, by: Actor, now: datetime
) -> list[Read]:
    """All that `case` has besides its messages, calls and notes, as `by` may read it."""
    rows: dict[Kept, list[Row[Any]]] = {}
    for kept in (one for chapter in CHAPTERS for one in chapter.kept):
        rows[kept] = await _rows(session, kept, [case.id or 0])
        for beside in kept.beside:
            rows[beside] = await _rows(session, beside, [row.id for row in rows[kept]])
    works_on_it = await referral_lists.works_on(session, case, by, now)
    private = {
        row.id
        for kept, found in rows.items()
        for row in found
        if kept.table == "partner_referral"
        and PartnerKind(row.kind).is_private
        and not works_on_it
        and row.requested_by_id != by.user_id
    }

    def may_read(row: Row[Any]) -> bool:
        return getattr(row, "referral_id", row.id) not in private

    told = _Told(contract, await _names(session, rows), may_read)
    found = []
    for chapter in CHAPTERS:
        entries = [one for kept in chapter.kept for one in _entries(kept, rows, told)]
        if entries:
            found.append(Read(chapter.title, entries))
    return found


async def _rows(session: AsyncSession, kept: Kept, ids: Sequence[int]) -> list[Row[Any]]:
    if not ids:
        return []
    table = metadata.tables[kept.table]
    query = select(table).where(table.c[kept.link].in_(ids))
    for column, values in kept.unless.items():
        query = query.where(table.c[column].not_in(values))
    query = query.order_by(table.c[kept.at], table.c.id).limit(MOST)
    return list(await session.execute(query))


async def _names(
    session: AsyncSession, rows: Mapping[Kept, Sequence[Row[Any]]]
) -> dict[tuple[str, int], str]:
    """(table, id) → what it is called, of everything that the rows point to."""
    wanted: dict[tuple[str, str], set[int]] = defaultdict(set)
    for kept, found in rows.items():
        pointing = [(one.column, POINTS_TO[one.how]) for one in kept.shown if one.how in POINTS_TO]
        if kept.by:
            pointing.append((kept.by, POINTS_TO[How.USER]))
        for column, place in pointing:
            wanted[place] |= {id for row in found if (id := getattr(row, column)) is not None}
    names: dict[tuple[str, int], str] = {}
    for (name, column), ids in wanted.items():
        if not ids:
            continue
        table = metadata.tables[name]
        query = select(table.c.id, table.c[column].label("name")).where(table.c.id.in_(ids))
        names |= {(name, row.id): row.name for row in await session.execute(query)}
    return names


def _entries(
    kept: Kept, rows: Mapping[Kept, Sequence[Row[Any]]], told: _Told, of: int | None = None
) -> list[Entry]:
    """The rows of one table as entries; with `of`, those beside that row."""
    found = []
    for row in rows[kept]:
        at = getattr(row, kept.at)
        if of is not None and (getattr(row, kept.link) != of or at is None):
            continue  # of another row, or it has not been done yet
        if of is not None and kept.is_private and not told.may_read(row):
            continue
        beside = [one for other in kept.beside for one in _entries(other, rows, told, of=row.id)]
        by = told.names.get(("user", getattr(row, kept.by) or 0), "") if kept.by else ""
        found.append(Entry(at, kept.name, by, _values(kept, row, told), beside))
    return found


def _values(kept: Kept, row: Row[Any], told: _Told) -> list[Value]:
    table = metadata.tables[kept.table]
    is_shut = kept.is_private and not told.may_read(row)
    found: list[Value] = []
    for shown in kept.shown:
        value = getattr(row, shown.column)
        is_text = type(table.c[shown.column].type).__name__ == "Sealed"
        if value is None or value == "":
            continue
        if is_shut and is_text:
            found.append(Value(shown.label, NOT_YOURS))
        elif shown.how is How.FIELDS:
            found += _fields(str(value), told.contract)
        elif shown.how is How.PERSON:
            found.append(Value(shown.label, "", person=int(value)))
        else:
            said = _said(shown, value, told)
            if said != "":
                found.append(Value(shown.label, said))
    return found


def _said(shown: Shown, value: Any, told: _Told) -> str | datetime | date:
    how = shown.how
    if how in (How.TIME, How.DAY) and isinstance(value, date):  # a datetime is one too
        return value
    if how is How.YES:
        return "yes" if value else ""
    if how is How.YES_NO:
        return "yes" if value else "no"
    if how in POINTS_TO:
        return told.names.get((POINTS_TO[how][0], int(value)), "")
    if how is How.TEXT:
        return str(value)
    if how is How.CODES:
        return ", ".join(_plain(one) for one in str(value).split(",") if one)
    named = _of_contract(how, str(value), told.contract)
    return named or shown.words.get(str(value)) or _plain(str(value))


def _of_contract(how: How, code: str, contract: Contract) -> str:
    """What the contract, or its pathway, calls a code; empty where it has none of it now."""
    path = contract.way()
    known: dict[How, Callable[[], Mapping[str, str]]] = {
        How.NOTICE: lambda: {one.code: one.name for one in contract.notices},
        How.CLOCK: lambda: {one.code: one.name for one in contract.clocks},
        How.SUPPORT: lambda: {one.code: one.name for one in contract.support},
        How.SIGNPOST: lambda: {one.code: one.name for one in contract.signposts},
        How.INCIDENT: lambda: {one.code: one.name for one in contract.incidents},
        How.CONTRACT: lambda: {contract.key: contract.name},
        How.STAGE: lambda: {one.code: one.name for one in path.stages} if path else {},
        How.QUESTION: lambda: {one.code: one.name for one in path.questions} if path else {},
        How.TO_DO: lambda: {one.code: one.text for one in path.to_dos()} if path else {},
        How.STEP: lambda: {one.code: one.name for steps in STEPS.values() for one in steps},
    }
    return known[how]().get(code, "") if how in known else ""


def _fields(value: str, contract: Contract) -> list[Value]:
    """A form's fields, each by the name that the contract gives it."""
    names = {one.code: one.name for one in contract.referral.fields} if contract.referral else {}
    names["agreement"] = "Agreed first by the council"
    given: Mapping[str, Any] = json.loads(value)
    return [Value(names.get(code, _plain(code)), str(said)) for code, said in given.items() if said]


def _plain(code: str) -> str:
    return code.replace("_", " ").replace(".", ": ")
