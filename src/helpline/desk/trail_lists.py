"""The lines of the audit trail for people to read: one day at a time, the newest first, by person
and by what happened.

A line says when, who, what and codes; whose case it is only to those who may see the case. Whoever
administers sees no line of a case. Lines of complaints and incidents stand on their own pages,
which know whom they are about. Called by web/pages/audit; writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import seeing
from helpline.models import metadata
from helpline.rules.permissions import Actor, may, require

EVENT: Final = metadata.tables["event"]
CASE: Final = metadata.tables["case"]
USER: Final = metadata.tables["user"]
MOST: Final = 100
"""Lines that one page shows."""
AROUND: Final = 2000
"""Numbers beside a day's own that are looked at too: lines may be of an earlier time."""
GROUPS: Final = {
    "reading": (
        "Reading a case or a person",
        ("case.read", "attachment.read", "person.read", "page.read"),
    ),
    "search": ("Looking for somebody", ("search.",)),
    "taking": (
        "Files and exact figures",
        ("report.", "figure.", "record.taken", "file.", "export."),
    ),
    "sign_in": ("Signing in, and who may", ("user.", "factor.", "invitation.", "access.")),
    "trust": (
        "Keys, copies and this trail",
        ("keys.", "audit.", "reading.", "backup.", "restore."),
    ),
}
"""Code → what it says, and how the kinds begin."""
OF_NO_CASE: Final = (
    *("user.", "factor.", "invitation.", "access.", "search.", "report.", "figure.", "figures."),
    *("keys.", "audit.", "backup.", "restore.", "export.", "people.imported", "list.", "shift."),
    *("template.", "release.", "upkeep.", "file."),
)
"""What an administrator reads of: how kinds begin that are never about anybody we support."""
ELSEWHERE: Final = ("complaint.", "compliment.", "incident.", "feedback.", "right.", "glass.")
SHOWN: Final = frozenset(
    "kind role format period exact people cases count lines count usual left key letters reason "
    "channel urgency method code clock colour rung report number contract of line route".split()
)
"""What of a detail is shown: codes and counts, never the number of a person's record."""


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see. `before`: only lines below this number."""

    day: date
    user_id: int | None = None
    group: str = ""
    before: int | None = None


@dataclass(frozen=True)
class Line:
    """One line. `reference` only where the reader may see the case."""

    id: int
    at: datetime
    kind: str
    who: str | None
    contract: str | None
    reference: str | None
    about: str | None
    detail: str


async def lines(session: AsyncSession, actor: Actor, asked: Asked, zone: str) -> list[Line]:
    """The newest of a day first, MOST of them and one more where there are."""
    require(actor, "audit.read")
    begins = datetime.combine(asked.day, time(), ZoneInfo(zone))
    ends = begins + timedelta(days=1)
    low, high = await _id_at(session, begins), await _id_at(session, ends)
    query = (
        select(
            *(EVENT.c[name] for name in ("id", "at", "kind", "contract", "detail")),
            USER.c.shown_name,
            CASE.c.reference,
        )
        .outerjoin(USER, USER.c.id == EVENT.c.by_user_id)
        .outerjoin(CASE, CASE.c.id == EVENT.c.case_id)
        .where(EVENT.c.id >= low - AROUND, EVENT.c.id < high + AROUND, *_seen(actor))
        .where(EVENT.c.at >= begins, EVENT.c.at < ends)
        .order_by(EVENT.c.id.desc())
        .limit(MOST + 1)
    )
    if asked.before is not None:
        query = query.where(EVENT.c.id < asked.before)
    if asked.user_id is not None:
        query = query.where(EVENT.c.by_user_id == asked.user_id)
    if asked.group in GROUPS:
        query = query.where(_begins(GROUPS[asked.group][1]))
    rows = (await session.execute(query)).all()
    ids = {row.detail.get("user") for row in rows} - {None}
    named = await session.execute(
        select(USER.c.id, USER.c.shown_name).where(
            USER.c.id.in_([one for one in ids if isinstance(one, int)])
        )
    )
    names = {row.id: row.shown_name for row in named}
    return [_line(row, names) for row in rows]


async def people(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    """Whoever's lines one may ask for: id and name, whoever left too."""
    require(actor, "audit.read")
    query = select(USER.c.id, USER.c.shown_name).order_by(USER.c.shown_name)
    if actor.contract is not None:
        query = query.where(or_(USER.c.contract == actor.contract, USER.c.contract.is_(None)))
    return (await session.execute(query)).all()


def _seen(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    within = () if actor.contract is None else (EVENT.c.contract == actor.contract,)
    if not may(actor, "case.read"):
        return (*within, EVENT.c.case_id.is_(None), _begins(OF_NO_CASE))
    of_case = CASE.alias()
    theirs = exists().where(of_case.c.id == EVENT.c.case_id, *seeing.cases(actor, of_case))
    return (*within, or_(EVENT.c.case_id.is_(None), theirs), ~_begins(ELSEWHERE))


def _begins(kinds: Sequence[str]) -> ColumnElement[bool]:
    return or_(
        *(
            EVENT.c.kind.startswith(kind) if kind.endswith(".") else EVENT.c.kind == kind
            for kind in kinds
        )
    )


def _line(row: Any, names: Mapping[Any, str]) -> Line:
    said = [f"{key} {value}" for key, value in row.detail.items() if key in SHOWN and value != ""]
    return Line(
        id=row.id,
        at=row.at,
        kind=row.kind,
        who=row.shown_name,
        contract=row.contract,
        reference=row.reference,
        about=names.get(row.detail.get("user")),
        detail=", ".join(said),
    )


async def _id_at(session: AsyncSession, at: datetime) -> int:
    """The number of the first event from `at` on: lines are numbered as they happen, so that a few
    looks find it, however many there are."""
    low, high = 0, (await session.scalar(select(func.max(EVENT.c.id))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = select(EVENT.c.id, EVENT.c.at).where(EVENT.c.id >= middle)
        row = (await session.execute(found.order_by(EVENT.c.id).limit(1))).first()
        if row is None or row.at >= at:
            high = middle
        else:
            low = row.id + 1
    return low
