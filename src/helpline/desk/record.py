"""The record of a case as it can be shown to somebody: the chronology, what was corrected, what the
person says to it, and what came too late.

Nothing here changes what was written: a correction is a later note (desk/cases.py), a comment
stands beside. Called by web/pages/case_record.py, which has found the case for its asker.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import casefile, events, parts, write_ups
from helpline.desk.casefile import COMMENT, USER, Entry
from helpline.desk.filing import reading
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Note, Part, Person, RecordComment, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    CommentKind,
    ContactKind,
    LinkKind,
    NoteKind,
)

LONGEST_COMMENT: Final = 20_000
LONGEST_NAME: Final = 120
EVERYTHING: Final = (*NoteKind, *ContactKind, "event")
TOLD: Final = (*NoteKind, ContactKind.MESSAGE, ContactKind.CALL, "event")
"""What a chronology has: all but what answered by itself."""
CHOICES: Final[Mapping[str, Collection[str]]] = {
    "": TOLD,
    **{kind.value: (kind,) for kind in NoteKind},
    ContactKind.MESSAGE.value: (ContactKind.MESSAGE,),
    ContactKind.CALL.value: (ContactKind.CALL,),
}
"""What one may ask to see, and what that shows."""


@dataclass(frozen=True)
class Line:
    """One line of the chronology. `late_by`: how long after it should have been the latest it was
    written down; None where it was in time, or the contract says nothing."""

    entry: Entry
    late_by: timedelta | None
    corrected_by: Sequence[Entry]
    comments: Sequence[Row[Any]]

    @property
    def note_id(self) -> int | None:
        return self.entry.order[1] if self.entry.kind == "note" else None

    @property
    def written_after(self) -> timedelta:
        """From when it happened to when it was written down."""
        return (self.entry.written_at or self.entry.at) - self.entry.at


@dataclass(frozen=True)
class Chronology:
    """Oldest first. `is_cut`: earlier lines were left out. `comments`: on the record as a whole."""

    lines: Sequence[Line]
    comments: Sequence[Row[Any]]
    is_cut: bool


async def chronology(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    shown: Collection[str] = TOLD,
    limit: int = casefile.LONG,
) -> Chronology:
    """What happened, in the order it happened, each with its corrections and comments beside."""
    found = await casefile.entries(session, case, shown, limit)
    corrections = await _corrections(session, case)
    comments = await comments_on(session, case.id or 0)
    lines = [
        Line(
            entry,
            late_by(contract, entry),
            corrections.get(entry.order[1], ()) if entry.kind == "note" else (),
            [one for one in comments if entry.kind == "note" and one.note_id == entry.order[1]],
        )
        for entry in found.entries
    ]
    return Chronology(lines, [one for one in comments if one.note_id is None], found.is_cut)


def late_by(contract: Contract, entry: Entry) -> timedelta | None:
    """By how much a note or a call was written down too late, after the contract's clock that what
    happened starts and its write-up stops (001 §14.1: 72 hours). None without such a clock: then
    nothing is called late."""
    clock = write_ups.clock_of(contract)
    is_written = entry.kind == "note" or entry.kind == ContactKind.CALL
    if clock is None or not is_written or entry.written_at is None:
        return None
    late = entry.written_at - contract.plan(clock, entry.at).due_at
    return late if late > timedelta() else None


async def _corrections(session: AsyncSession, case: Case) -> dict[int, list[Entry]]:
    """Note → the notes that put it right, whatever else is shown."""
    found: dict[int, list[Entry]] = {}
    for entry in await casefile.corrections(session, case):
        if entry.corrects_id is not None:
            found.setdefault(entry.corrects_id, []).append(entry)
    return found


async def find_note(session: AsyncSession, case: Case, note_id: int) -> Note:
    note = await session.get(Note, note_id)
    if note is None or note.case_id != case.id:
        raise NotFound("There is no such note on this case.")
    return note


# --- what the person says to it -------------------------------------------------------------------


async def comment(
    session: AsyncSession,
    case: Case,
    kind: str,
    who: str,
    body: str,
    note_id: int | None,
    said_at: datetime,
    by: Actor,
    now: datetime,
) -> RecordComment:
    """File what somebody says to a note, or to the whole record: in their words, beside what it is
    about, which stays as it is (000 N10). `who` empty: the person the case is for."""
    require(by, "note.write", case.contract)
    if kind not in list(CommentKind):
        raise InvalidInput("Say whether they add something or disagree.")
    if said_at > now:
        raise InvalidInput("That time is still to come: give when they said it.")
    words = body.replace("\0", "").replace("\r\n", "\n").strip()
    if not words:
        raise InvalidInput("Write down what they say, in their own words.")
    if len(words) > LONGEST_COMMENT:
        over = len(words) - LONGEST_COMMENT
        raise InvalidInput(
            f"This is {over} characters too long: a comment holds {LONGEST_COMMENT}."
        )
    if note_id is not None:
        await find_note(session, case, note_id)
    filed = RecordComment(
        contract=case.contract,
        case_id=case.id or 0,
        note_id=note_id,
        kind=kind,
        who=in_a_line(who, LONGEST_NAME) or None,
        body=words,
        said_at=said_at,
        written_at=now,
        by_user_id=by.user_id,
    )
    session.add(filed)
    await session.flush()
    await _say(session, "comment.filed", case, by, now, comment=filed.id, kind=kind)
    return filed


async def comments_on(session: AsyncSession, case_id: int) -> Sequence[Row[Any]]:
    """All of a case, as they were said: id, note_id, kind, who, body, said_at, written_at, by."""
    query = (
        select(COMMENT, USER.c.shown_name.label("by"))
        .join(USER, USER.c.id == COMMENT.c.by_user_id)
        .where(COMMENT.c.case_id == case_id)
        .order_by(COMMENT.c.said_at, COMMENT.c.id)
        .limit(casefile.MOST)
    )
    return list(await session.execute(query))


# --- handing it out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """Everything that a printed chronology or case file shows, as plain values: made in one
    transaction, written by desk/casefile_pdf.py without one."""

    contract: Contract
    case: Case
    person: Person
    worker: str | None
    people: Sequence[Row[Any]]
    """role, name and group of whoever has a part."""
    chronology: Chronology
    has_wall: bool
    is_whole: bool
    """The case file; else the chronology alone."""
    printed_by: str
    printed_at: datetime
    chapters: Sequence[reading.Read] = ()
    """Of the case file: all the rest that hangs on the case."""
    persons: Mapping[int, Row[Any]] = field(default_factory=dict)
    """Whom the chapters point to: id → role in the case (None: no part), group, name."""
    linked: Sequence[Row[Any]] = ()
    """Cases that belong to it and that whoever prints may see; never one across a wall."""


async def sheet(
    session: AsyncSession, contract: Contract, case: Case, is_whole: bool, by: Actor, now: datetime
) -> Sheet:
    """The record as it stands, for its printing; that it is taken out is in the audit trail."""
    require(by, "case.read", case.contract)
    person = await session.get(Person, case.person_id)
    assert person is not None
    worker = await session.get(User, case.worker_id) if case.worker_id else None
    shown = EVERYTHING if is_whole else TOLD
    chapters = await reading.chapters(session, contract, case, by, now) if is_whole else []
    links = await parts.linked(session, case.id or 0, by) if is_whole else []
    made = Sheet(
        contract=contract,
        case=case,
        person=person,
        worker=worker.shown_name if worker else None,
        people=await _people(session, case),
        chronology=await chronology(session, contract, case, shown, casefile.MOST),
        has_wall=await parts.has_wall(session, case.id or 0),
        is_whole=is_whole,
        printed_by=by.name,
        printed_at=now,
        chapters=chapters,
        persons=await _persons(session, case, chapters),
        linked=[one for one in links if one.kind != LinkKind.SIDES],
    )
    what = "file" if is_whole else "chronology"
    await _say(session, "record.taken", case, by, now, what=what, lines=len(made.chronology.lines))
    return made


async def _people(session: AsyncSession, case: Case) -> Sequence[Row[Any]]:
    query = (
        select(col(Part.role), col(Person.name), col(Person.group))
        .join(Person, col(Person.id) == col(Part.person_id))
        .where(col(Part.case_id) == case.id, col(Part.ended_at).is_(None))
        .order_by(col(Part.id))
    )
    return list(await session.execute(query))


async def _persons(
    session: AsyncSession, case: Case, chapters: Sequence[reading.Read]
) -> dict[int, Row[Any]]:
    """Whom the chapters point to, with the part they have: paper leaves some of them unnamed."""
    ids = {
        value.person
        for chapter in chapters
        for entry in chapter.entries
        for value in entry.values
        if value.person is not None
    }
    if not ids:
        return {}
    query = (
        select(col(Person.id), col(Part.role), col(Person.group), col(Person.name))
        .outerjoin(Part, (col(Part.person_id) == col(Person.id)) & (col(Part.case_id) == case.id))
        .where(col(Person.id).in_(ids))
        .order_by(col(Part.id))
    )
    rows: Sequence[Row[Any]] = list(await session.execute(query))
    return {row.id: row for row in rows}


async def _say(
    session: AsyncSession, kind: str, case: Case, by: Actor, now: datetime, /, **detail: Any
) -> None:
    await events.record(
        session, kind, now, contract=case.contract, case_id=case.id, by=by.user_id, **detail
    )
