"""What the page of one case shows: one timeline, the person, the promises, what is to be done.

Read only, called by web/pages/case.py with a case that `cases.find_case` has allowed. Reading is
recorded by the page itself.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import seeing
from helpline.models import Address, Case, metadata
from helpline.rules import whatsapp
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from helpline.vocabulary import CallResult, ContactKind, Direction, NoteKind

ADDRESS = metadata.tables["address"]
CASE = metadata.tables["case"]
COMMENT = metadata.tables["record_comment"]
CONTACT = metadata.tables["contact"]
CONVERSATION = metadata.tables["conversation"]
EVENT = metadata.tables["event"]
MEMBERSHIP = metadata.tables["membership"]
NOTE = metadata.tables["note"]
OUT = metadata.tables["out_message"]
PERSON = metadata.tables["person"]
SUPPORT = metadata.tables["case_support"]
USER = metadata.tables["user"]

LONG = 200
"""Entries of each kind that a page shows at first; the rest is one click away."""
MOST = 5000
"""Entries of a case that are ever shown at once: more than any case has had."""
SHOWN_ELSEWHERE = (
    "case.read",
    "note.written",
    "call.recorded",
    "case.replied",
    "alert.asked",
    "attachment.read",
    "comment.filed",
    *("allegation.done", "allegation.undone", "allegation.list_sent"),
)
"""Events that would only repeat another entry of the timeline, or that are no part of it."""

TURNS = (
    "case.opened",
    "case.imported",
    "case.allocated",
    "case.urgency_set",
    "case.closed",
    "case.reopened",
    "act.undone",
    *("allegation.recorded", "allegation.moved", "allegation.moved_on"),
)
"""Events that a chronology has beside what people said and wrote."""
MINUTE = timedelta(minutes=1)
BEGIN = TURNS[:2]
"""They stand before the message that came at the same instant."""


@dataclass(frozen=True)
class Entry:
    """One thing on the timeline. `kind`: message, automatic, call, note, comment or event."""

    at: datetime
    order: tuple[int, int]
    kind: str
    is_ours: bool = False
    by: str | None = None
    body: str | None = None
    what: str = "text"
    channel: str = ""
    state: str | None = None
    code: str | None = None
    call_result: str | None = None
    call_minutes: int | None = None
    note_kind: str = ""
    """A NoteKind; of a comment its CommentKind."""
    reason: str | None = None
    whose: str | None = None
    """Whose own words; None: those of the person the case is for."""
    corrects_id: int | None = None
    corrects_at: datetime | None = None
    """When what the corrected note tells happened."""
    is_corrected: bool = False
    written_at: datetime | None = None
    event: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """Oldest first. `is_cut`: earlier entries were left out."""

    entries: Sequence[Entry]
    is_cut: bool


@dataclass(frozen=True)
class PersonPanel:
    """Who it is and how to reach them."""

    person: Row[Any]
    membership: Row[Any] | None
    addresses: Sequence[Row[Any]]
    other_cases: Sequence[Row[Any]]


class Show(StrEnum):
    """What of a timeline is shown."""

    ALL = "all"
    MESSAGES = "messages"
    CALLS = "calls"
    NOTES = "notes"
    BY_ITSELF = "by_itself"  # automatic answers, and events whoever made them


_CONTACTS: Mapping[Show, Collection[str]] = {
    Show.ALL: (),
    Show.MESSAGES: (ContactKind.MESSAGE,),
    Show.CALLS: (ContactKind.CALL,),
    Show.BY_ITSELF: (ContactKind.AUTOMATIC,),
}


async def timeline(
    session: AsyncSession, case: Case, limit: int = LONG, show: Show = Show.ALL
) -> Timeline:
    """Messages, calls, notes and events as one list in the order they happened, or those of one
    sort."""
    found: list[Entry] = []
    if show in _CONTACTS:
        found += await _contacts(session, case, limit, _CONTACTS[show])
    if show in (Show.ALL, Show.NOTES):
        found += await _notes(session, case, limit)
        found += await _comments(session, case, limit)
    if show in (Show.ALL, Show.BY_ITSELF):
        found += await _events(session, case, limit)
    is_cut = len(found) > limit
    found.sort(key=lambda entry: (_placed(entry), entry.order))
    return Timeline(found[-limit:], is_cut)


def _placed(entry: Entry) -> datetime:
    """Where it stands. A field has whole minutes: what was written down within the minute in which
    it happened stands at the second of its writing, not before all else of that minute."""
    written = entry.written_at
    is_whole = not entry.at.second and not entry.at.microsecond
    if written is not None and is_whole and timedelta() <= written - entry.at < MINUTE:
        return written
    return entry.at


async def _contacts(
    session: AsyncSession, case: Case, limit: int, kinds: Collection[str] = ()
) -> list[Entry]:
    query = (
        select(CONTACT, USER.c.shown_name, OUT.c.state, OUT.c.code)
        .outerjoin(USER, USER.c.id == CONTACT.c.by_user_id)
        .outerjoin(OUT, (OUT.c.contact_id == CONTACT.c.id) & OUT.c.copy_of_id.is_(None))
        .where(CONTACT.c.case_id == case.id, *((CONTACT.c.kind.in_(kinds),) if kinds else ()))
        .order_by(CONTACT.c.at.desc(), CONTACT.c.id.desc())
        .limit(limit + 1)
    )
    return [
        Entry(
            at=row.at,
            order=(0, row.id),
            kind=row.kind,
            is_ours=row.direction == Direction.OUT,
            by=row.shown_name,
            body=row.body,
            what=row.what,
            channel=row.channel,
            state=row.state,
            code=row.code,
            call_result=row.call_result,
            call_minutes=row.call_minutes,
            written_at=row.written_at,
        )
        for row in await session.execute(query)
    ]


async def corrections(session: AsyncSession, case: Case) -> list[Entry]:
    """The notes that put another right, in the order they were written."""
    found = await _notes(session, case, MOST, (), NOTE.c.corrects_id.is_not(None))
    return sorted(found, key=lambda entry: (entry.written_at or entry.at, entry.order))


async def _notes(
    session: AsyncSession,
    case: Case,
    limit: int,
    kinds: Collection[str] = (),
    *conditions: ColumnElement[bool],
) -> list[Entry]:
    corrected, later = NOTE.alias("corrected"), NOTE.alias("later")
    query = (
        select(
            NOTE,
            USER.c.shown_name,
            corrected.c.happened_at.label("corrects_at"),
            exists().where(later.c.corrects_id == NOTE.c.id).label("is_corrected"),
        )
        .join(USER, USER.c.id == NOTE.c.by_user_id)
        .outerjoin(corrected, corrected.c.id == NOTE.c.corrects_id)
        .where(
            NOTE.c.case_id == case.id,
            *((NOTE.c.kind.in_(kinds),) if kinds else ()),
            *conditions,
        )
        .order_by(NOTE.c.happened_at.desc(), NOTE.c.id.desc())
        .limit(limit + 1)
    )
    return [
        Entry(
            at=row.happened_at,
            order=(1, row.id),
            kind="note",
            is_ours=True,
            by=row.shown_name,
            body=row.body,
            note_kind=row.kind,
            reason=row.reason,
            whose=row.whose,
            corrects_id=row.corrects_id,
            corrects_at=row.corrects_at,
            is_corrected=row.is_corrected,
            written_at=row.written_at,
        )
        for row in await session.execute(query)
    ]


async def _comments(session: AsyncSession, case: Case, limit: int) -> list[Entry]:
    """What people said to the record, where they said it in time."""
    about = NOTE.alias("about")
    query = (
        select(COMMENT, USER.c.shown_name, about.c.happened_at.label("about_at"))
        .join(USER, USER.c.id == COMMENT.c.by_user_id)
        .outerjoin(about, about.c.id == COMMENT.c.note_id)
        .where(COMMENT.c.case_id == case.id)
        .order_by(COMMENT.c.said_at.desc(), COMMENT.c.id.desc())
        .limit(limit + 1)
    )
    return [
        Entry(
            at=row.said_at,
            order=(3, row.id),
            kind="comment",
            by=row.shown_name,
            body=row.body,
            note_kind=row.kind,
            whose=row.who,
            corrects_id=row.note_id,
            corrects_at=row.about_at,
            written_at=row.written_at,
        )
        for row in await session.execute(query)
    ]


async def entries(
    session: AsyncSession, case: Case, shown: Collection[str], limit: int
) -> Timeline:
    """Notes of these kinds, messages and calls where they are named, as `timeline` has them. With
    "event" those that a chronology has: the case opened, named, closed."""
    notes = set(shown) & set(NoteKind)
    contacts = set(shown) & set(ContactKind)
    found = await _notes(session, case, limit, notes) if notes else []
    found += await _contacts(session, case, limit, contacts) if contacts else []
    found += await _events(session, case, limit, TURNS) if "event" in shown else []
    found.sort(key=lambda entry: (entry.at, entry.event not in BEGIN, entry.order))
    return Timeline(found[-limit:], len(found) > limit)


async def _events(
    session: AsyncSession, case: Case, limit: int, kinds: Collection[str] = ()
) -> list[Entry]:
    worker = USER.alias("worker")
    query = (
        select(EVENT, USER.c.shown_name, worker.c.shown_name.label("worker"))
        .outerjoin(USER, USER.c.id == EVENT.c.by_user_id)
        .outerjoin(worker, worker.c.id == EVENT.c.detail["worker"].as_integer())
        .where(
            EVENT.c.case_id == case.id,
            EVENT.c.kind.in_(kinds) if kinds else EVENT.c.kind.not_in(SHOWN_ELSEWHERE),
        )
        .order_by(EVENT.c.at.desc(), EVENT.c.id.desc())
        .limit(limit + 1)
    )
    return [
        Entry(
            at=row.at,
            order=(2, row.id),
            kind="event",
            by=row.shown_name,
            event=row.kind,
            detail={**row.detail, "worker": row.worker},
        )
        for row in await session.execute(query)
    ]


async def last_heard(session: AsyncSession, case: Case) -> Entry | None:
    """The latest message from the person: what the next answer is an answer to."""
    query = (
        select(CONTACT)
        .where(
            CONTACT.c.case_id == case.id,
            CONTACT.c.direction == Direction.IN,
            CONTACT.c.kind != ContactKind.AUTOMATIC,
            CONTACT.c.kind == ContactKind.MESSAGE,
        )
        .order_by(CONTACT.c.at.desc(), CONTACT.c.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    return Entry(row.at, (0, row.id), row.kind, body=row.body, what=row.what, channel=row.channel)


async def last_told(session: AsyncSession, case: Case) -> Entry | None:
    """What one of us wrote to them last, or what was said when they last spoke with one of us."""
    spoke = (CONTACT.c.kind == ContactKind.CALL) & (CONTACT.c.call_result == CallResult.SPOKE)
    wrote = (CONTACT.c.kind == ContactKind.MESSAGE) & (CONTACT.c.direction == Direction.OUT)
    query = (
        select(CONTACT, USER.c.shown_name)
        .outerjoin(USER, USER.c.id == CONTACT.c.by_user_id)
        .where(CONTACT.c.case_id == case.id, spoke | wrote)
        .order_by(CONTACT.c.at.desc(), CONTACT.c.id.desc())
        .limit(1)
    )
    row = (await session.execute(query)).first()
    if row is None:
        return None
    order = (0, row.id)
    return Entry(row.at, order, row.kind, by=row.shown_name, body=row.body, channel=row.channel)


async def window_closes(session: AsyncSession, address: Address | None) -> datetime | None:
    """Until when WhatsApp lets us write freely to this address; None for any other channel, and
    where they never wrote."""
    if address is None or address.channel != "whatsapp":
        return None
    heard = await session.execute(
        select(CONVERSATION.c.last_in_at).where(CONVERSATION.c.address_id == address.id)
    )
    return whatsapp.closes_at(heard.scalar_one_or_none())


async def person_panel(session: AsyncSession, actor: Actor, case: Case) -> PersonPanel:
    """The person of the case, their current or last membership, addresses and other cases."""
    person = (await session.execute(select(PERSON).where(PERSON.c.id == case.person_id))).one()
    membership = (
        select(MEMBERSHIP)
        .where(MEMBERSHIP.c.person_id == case.person_id)
        .order_by(
            MEMBERSHIP.c.held_to.is_(None).desc(),
            MEMBERSHIP.c.approved_to.is_(None).desc(),
            MEMBERSHIP.c.approved_to.desc(),
            MEMBERSHIP.c.id.desc(),
        )
        .limit(1)
    )
    addresses = select(ADDRESS).where(ADDRESS.c.person_id == case.person_id)
    others = (
        select(CASE.c.reference, CASE.c.status, CASE.c.opened_at, CASE.c.reason)
        .where(CASE.c.person_id == case.person_id, CASE.c.id != case.id)
        .where(CASE.c.contract == case.contract, *seeing.cases(actor))
        .order_by(CASE.c.opened_at.desc())
        .limit(5)
    )
    return PersonPanel(
        person=person,
        membership=(await session.execute(membership)).first(),
        addresses=list(await session.execute(addresses.order_by(ADDRESS.c.id).limit(20))),
        other_cases=list(await session.execute(others)),
    )


async def supports_of(session: AsyncSession, case: Case) -> list[str]:
    """The codes of the support provided so far."""
    query = select(SUPPORT.c.support).where(SUPPORT.c.case_id == case.id)
    return sorted((await session.execute(query)).scalars())


async def readings(session: AsyncSession, case: Case) -> list[Row[Any]]:
    """Who has read this case, when last and how often: the person may ask."""
    query = (
        select(USER.c.shown_name, func.max(EVENT.c.at).label("last"), func.count().label("times"))
        .join(USER, USER.c.id == EVENT.c.by_user_id)
        .where(EVENT.c.case_id == case.id, EVENT.c.kind == "case.read")
        .group_by(USER.c.id, USER.c.shown_name)
        .order_by(func.max(EVENT.c.at).desc())
        .limit(20)
    )
    return list(await session.execute(query))


async def references_by_number(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], number: str
) -> list[Row[Any]]:
    """People on the register with this membership number and their latest cases."""
    query = (
        select(
            PERSON.c.id,
            PERSON.c.name,
            MEMBERSHIP.c.group,
            MEMBERSHIP.c.quadrant,
            MEMBERSHIP.c.contract,
        )
        .join(PERSON, PERSON.c.id == MEMBERSHIP.c.person_id)
        .where(
            MEMBERSHIP.c.number_index.in_(ring().indexes("membership", number)),
            MEMBERSHIP.c.held_to.is_(None),  # what was is on the person's own page
            MEMBERSHIP.c.contract.in_(contracts),
            *seeing.people(actor),
        )
        .order_by(PERSON.c.id)
        .limit(20)
    )
    return list(await session.execute(query))


async def cases_of(
    session: AsyncSession, actor: Actor, person_ids: Sequence[int]
) -> list[Row[Any]]:
    """The cases of some people that `actor` may see, the latest first."""
    query = (
        select(CASE.c.person_id, CASE.c.reference, CASE.c.status, CASE.c.opened_at, CASE.c.reason)
        .where(CASE.c.person_id.in_(person_ids), *seeing.cases(actor))
        .order_by(CASE.c.opened_at.desc())
        .limit(50)
    )
    return list(await session.execute(query))
