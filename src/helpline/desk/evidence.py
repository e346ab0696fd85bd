"""The log of what the provider did that its contract asks to be shown (A68 to A76), and the files
that prove an entry or an obligation.

Called by web/pages/evidence and obligations; reports count the entries (reports/evidence). An entry
is taken back with a reason and never removed. A file is looked at by its content, pictures are made
anew, everything is sealed and handed out as a download only.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Result, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.attachments import Checked, HandedOut
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import EvidenceEntry, EvidenceFile, ObligationDue, Partner, User
from helpline.rules import media
from helpline.rules.permissions import Actor, may, require

LARGEST = 10 * 1024 * 1024
"""Bytes of one file."""
MOST_FILES = 20
LONGEST_WHAT = 1000
LONGEST_WORDS = 600
LONGEST_PLACE = 120
EARLIEST = timedelta(days=3 * 366)
MOST_REACHED = 10_000_000


@dataclass(frozen=True)
class Typed:
    """An entry as somebody typed it. `partner`: a partner's id, or the contract's own code."""

    kind: str
    day: date
    what: str
    channel: str = ""
    quadrant: str = ""
    locality: str = ""
    partner: str = ""
    reached: int | None = None
    you_said: str = ""
    we_did: str = ""


@dataclass(frozen=True)
class Shown:
    """One entry as the log shows it, with its files: id, name, size, whether they may be taken."""

    id: int
    kind: str
    day: date
    what: str
    channel: str
    quadrant: str | None
    locality: str
    partner: str
    reached: int | None
    you_said: str | None
    we_did: str | None
    by: str
    by_id: int
    written_at: datetime
    files: Sequence[Any]


async def write(
    session: AsyncSession, contract: Contract, typed: Typed, by: Actor, now: datetime
) -> EvidenceEntry:
    """Write one thing down. "You said, we did" needs both halves, or neither."""
    require(by, "evidence.write", contract.key)
    if typed.kind not in {one.code for one in contract.evidence}:
        raise InvalidInput("Choose what it is evidence of.")
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    if typed.day > today:
        raise InvalidInput("That day has not come: write it down once it was.")
    if typed.day < today - EARLIEST:
        raise InvalidInput("That is more than three years ago: look at the day again.")
    if typed.quadrant and typed.quadrant not in {one.code for one in contract.quadrants}:
        raise InvalidInput("Choose an area from the list, or none.")
    if typed.reached is not None and not 0 <= typed.reached <= MOST_REACHED:
        raise InvalidInput("Give how many were reached as a number, or leave it empty.")
    you_said = in_a_line(typed.you_said, LONGEST_WORDS)
    we_did = in_a_line(typed.we_did, LONGEST_WORDS)
    if bool(you_said) != bool(we_did):
        raise InvalidInput("“You said” and “we did” belong together: fill in both, or neither.")
    partner_id, partner_code = await _partner(session, contract, typed.partner)
    entry = EvidenceEntry(
        contract=contract.key,
        kind=typed.kind,
        day=typed.day,
        what=in_a_line(typed.what, LONGEST_WHAT, "Say in a sentence what was done."),
        channel=in_a_line(typed.channel, LONGEST_PLACE),
        quadrant=typed.quadrant or None,
        locality=in_a_line(typed.locality, LONGEST_PLACE),
        partner_id=partner_id,
        partner_code=partner_code,
        reached=typed.reached,
        you_said=you_said or None,
        we_did=we_did or None,
        written_at=now,
        by_user_id=by.user_id,
    )
    session.add(entry)
    await session.flush()
    await _event(session, "evidence.written", entry, by, now, evidence=typed.kind)
    return entry


async def take_back(
    session: AsyncSession, entry_id: int, why: str, by: Actor, now: datetime
) -> None:
    """It does not count any more; the entry and the reason stay."""
    entry = await find(session, entry_id, by)
    if entry.by_user_id != by.user_id:
        require(by, "evidence.take_back", entry.contract)
    if entry.taken_back_at is not None:
        raise Conflict("It was taken back already.")
    entry.taken_back_why = in_a_line(why, LONGEST_WORDS, "Say why it does not count.")
    entry.taken_back_at, entry.taken_back_by_id = now, by.user_id
    await session.flush()
    await _event(session, "evidence.taken_back", entry, by, now)


async def find(session: AsyncSession, entry_id: int, by: Actor) -> EvidenceEntry:
    """One entry of a contract that `by` may see."""
    entry = await session.get(EvidenceEntry, entry_id)
    if entry is None or not may(by, "evidence.read", entry.contract):
        raise NotFound("There is no such entry.")
    return entry


# --- files ---------------------------------------------------------------------------------------


async def keep_file(
    session: AsyncSession,
    proves: EvidenceEntry | ObligationDue,
    name: str,
    found: Checked,
    by: Actor,
    now: datetime,
) -> EvidenceFile:
    """Store a file sealed. `found`: what attachments.checked made of its bytes, in a thread."""
    if not found.content:
        raise InvalidInput("The file is empty. Choose another one.")
    is_entry = isinstance(proves, EvidenceEntry)
    place = EvidenceFile.entry_id if is_entry else EvidenceFile.obligation_id
    there = await session.scalar(select(func.count()).where(col(place) == proves.id))
    if (there or 0) >= MOST_FILES:
        raise InvalidInput(f"There are {MOST_FILES} files already: put the rest into one.")
    file = EvidenceFile(
        contract=proves.contract,
        entry_id=proves.id if is_entry else None,
        obligation_id=None if is_entry else proves.id,
        name=in_a_line(name, 160) or "file",
        kind=found.kind,
        size=len(found.content),
        is_safe=found.is_safe,
        content=base64.b64encode(found.content).decode("ascii"),
        kept_at=now,
        by_user_id=by.user_id,
    )
    session.add(file)
    await session.flush()
    await events.record(
        session, "evidence.file_kept", now, contract=file.contract, by=by.user_id, file=file.id
    )
    return file


async def handed_out(session: AsyncSession, file_id: int, by: Actor, now: datetime) -> HandedOut:
    """The file for a download, and an event that says who took it. NotFound for who may not see
    what it proves, Conflict for a kind that is never opened."""
    file = await session.get(EvidenceFile, file_id)
    action = "evidence.read" if file is not None and file.entry_id else "obligation.read"
    if file is None or not may(by, action, file.contract):
        raise NotFound("There is no such file, or it is not yours to see.")
    if not file.is_safe:
        raise Conflict(
            "This file is of a kind that could harm this computer: it is kept and not opened. "
            "Hand it in again as a PDF or a picture."
        )
    await events.record(
        session, "evidence.file_read", now, contract=file.contract, by=by.user_id, file=file_id
    )
    name = f"{file.contract}-evidence-{file_id}.{media.extension(file.kind)}"
    return HandedOut(name, base64.b64decode(file.content))


async def files_of(
    session: AsyncSession, *, entries: Sequence[int] = (), obligations: Sequence[int] = ()
) -> dict[int, list[Any]]:
    """Entry's or obligation's id → its files without the bytes: id, name, size, is_safe."""
    column = col(EvidenceFile.entry_id) if entries else col(EvidenceFile.obligation_id)
    rows: Result[Any] = await session.execute(
        select(
            column.label("of"),
            col(EvidenceFile.id),
            col(EvidenceFile.name),
            col(EvidenceFile.size),
            col(EvidenceFile.is_safe),
        )
        .where(column.in_(list(entries or obligations)))
        .order_by(col(EvidenceFile.id))
    )
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.of, []).append(row)
    return found


# --- what is shown -------------------------------------------------------------------------------


async def listed(
    session: AsyncSession,
    contract: Contract,
    first: date,
    last: date,
    *,
    kind: str = "",
    limit: int = 300,
) -> list[Shown]:
    """The entries of some days that still count, the newest first."""
    query = (
        select(EvidenceEntry, col(User.shown_name), Partner)
        .join(User, col(User.id) == col(EvidenceEntry.by_user_id))
        .outerjoin(Partner, col(Partner.id) == col(EvidenceEntry.partner_id))
        .where(*_counted(contract.key, first, last))
    )
    if kind:
        query = query.where(col(EvidenceEntry.kind) == kind)
    newest = (col(EvidenceEntry.day).desc(), col(EvidenceEntry.id).desc())
    rows = (await session.execute(query.order_by(*newest).limit(limit))).all()
    files = await files_of(session, entries=[row[0].id or 0 for row in rows] or [0])
    own = {one.code: one.name for one in contract.partners}
    return [
        Shown(
            id=entry.id or 0,
            kind=entry.kind,
            day=entry.day,
            what=entry.what,
            channel=entry.channel,
            quadrant=entry.quadrant,
            locality=entry.locality,
            partner=partner.name if partner else own.get(entry.partner_code or "", ""),
            reached=entry.reached,
            you_said=entry.you_said,
            we_did=entry.we_did,
            by=by,
            by_id=entry.by_user_id,
            written_at=entry.written_at,
            files=files.get(entry.id or 0, ()),
        )
        for entry, by, partner in rows
    ]


async def counts(
    session: AsyncSession, contract: Contract, first: date, last: date
) -> Mapping[str, int]:
    """The contract's evidence codes → how many entries of those days count; zeros too."""
    rows = await session.execute(
        select(col(EvidenceEntry.kind), func.count())
        .where(*_counted(contract.key, first, last))
        .group_by(col(EvidenceEntry.kind))
    )
    found = {row[0]: row[1] for row in rows}
    return {one.code: found.get(one.code, 0) for one in contract.evidence}


def _counted(contract: str, first: date, last: date) -> Sequence[Any]:
    return (
        col(EvidenceEntry.contract) == contract,
        col(EvidenceEntry.day) >= first,
        col(EvidenceEntry.day) <= last,
        col(EvidenceEntry.taken_back_at).is_(None),
    )


async def _partner(
    session: AsyncSession, contract: Contract, partner: str
) -> tuple[int | None, str | None]:
    if not partner:
        return None, None
    if partner in {one.code for one in contract.partners}:
        return None, partner
    is_id = partner.isascii() and partner.isdigit() and len(partner) < 10
    found = await session.get(Partner, int(partner)) if is_id else None
    if found is None or found.contract != contract.key:
        raise InvalidInput("Choose a partner from the list, or none.")
    return found.id, None


async def _event(
    session: AsyncSession,
    kind: str,
    entry: EvidenceEntry,
    by: Actor,
    now: datetime,
    **detail: Any,
) -> None:
    await events.record(
        session, kind, now, contract=entry.contract, by=by.user_id, entry=entry.id, **detail
    )
