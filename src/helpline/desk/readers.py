"""Who read somebody's cases: a list fit to be shown to that person, who may ask for it.

It names our own people as carers know them, what they are here and when they looked, and nobody
else: no other case, no other person, no words. Called by web/pages/readers.py and, for the person
themself, web/pages/own.py; that somebody asked is an event itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import events, seeing
from helpline.errors import InvalidInput
from helpline.models import Person, metadata
from helpline.rules.permissions import Actor, require

CASE, EVENT, GLASS, USER = (
    metadata.tables[name] for name in ("case", "event", "broken_glass", "user")
)
READINGS: Final = {
    "case.read": "read it",
    "attachment.read": "opened a file",
    "record.taken": "printed the record",
}
"""Kinds of event by which somebody reads a case → what that is, said to whoever it is about."""
ASKED_BY: Final = {
    "telephone": "by telephone",
    "message": "by a message",
    "in_person": "in person",
    "letter": "by letter",
}
MOST: Final = 5000
"""Readings that a list ever shows: more than any person has had."""
SAME_VISIT: Final = 30 * 60
"""Seconds within which the same person looking at the same case again is the same reading."""


@dataclass(frozen=True)
class Reading:
    """One time that somebody looked. `times`: how often within the half hour."""

    at: datetime
    who: str
    role: str
    reference: str
    what: str
    was_emergency: bool
    times: int = 1


async def readings_of(session: AsyncSession, person: Person, by: Actor) -> Sequence[Reading]:
    """Every reading of the cases that are for this person and that `by`, who shows them, may know
    of; the newest first."""
    require(by, "readers.show", person.contract)
    return await _readings(
        session, CASE.c.person_id == person.id, *seeing.cases(by, CASE, action="readers.show")
    )


async def readings_for_them(session: AsyncSession, case_ids: Sequence[int]) -> Sequence[Reading]:
    """The same for the person themself, of cases that the caller found to be theirs."""
    return await _readings(session, CASE.c.id.in_(case_ids))


async def _readings(session: AsyncSession, *which: ColumnElement[bool]) -> list[Reading]:
    query = (
        select(
            EVENT.c.at,
            EVENT.c.kind,
            USER.c.shown_name,
            USER.c.role,
            USER.c.id.label("user_id"),
            CASE.c.reference,
            _in_an_emergency().label("was_emergency"),
        )
        .join(CASE, CASE.c.id == EVENT.c.case_id)
        .join(USER, USER.c.id == EVENT.c.by_user_id)
        .where(EVENT.c.kind.in_(READINGS), *which)
        .order_by(EVENT.c.at.desc(), EVENT.c.id.desc())
        .limit(MOST)
    )
    return _visits(list(await session.execute(query)))


async def note_shown(
    session: AsyncSession, person: Person, how: str, by: Actor, now: datetime
) -> None:
    """The person asked who read theirs, and is shown it."""
    require(by, "readers.show", person.contract)
    if how not in ASKED_BY:
        raise InvalidInput("Choose how they asked.")
    await events.record(
        session,
        "readers.shown",
        now,
        contract=person.contract,
        by=by.user_id,
        person=person.id,
        how=how,
    )


def _in_an_emergency() -> ColumnElement[bool]:
    return exists().where(
        and_(
            GLASS.c.case_id == EVENT.c.case_id,
            GLASS.c.user_id == EVENT.c.by_user_id,
            GLASS.c.at <= EVENT.c.at,
            GLASS.c.until >= EVENT.c.at,
        )
    )


def _visits(rows: Sequence[Any]) -> list[Reading]:
    """A page that was opened three times in ten minutes is one visit, at its first time."""
    visits: list[Reading] = []
    open_ones: dict[tuple[int, str, str], int] = {}
    for row in reversed(rows):
        key = (row.user_id, row.reference, row.kind)
        place = open_ones.get(key)
        if place is not None and (row.at - visits[place].at).total_seconds() < SAME_VISIT:
            seen = visits[place]
            again = seen.was_emergency or row.was_emergency
            visits[place] = Reading(
                seen.at, seen.who, seen.role, seen.reference, seen.what, again, seen.times + 1
            )
            continue
        open_ones[key] = len(visits)
        what = READINGS[row.kind]
        visits.append(
            Reading(row.at, row.shown_name, row.role, row.reference, what, row.was_emergency)
        )
    return visits[::-1]
