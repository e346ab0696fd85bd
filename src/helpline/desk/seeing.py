"""What somebody may see of cases and people: the one condition that every query over cases asks.

A case is seen by those whose role reads cases in its contract, but for whoever must not know of it:
they are in conflict with it, they work on the other side of a wall, they are its person, or have a
part in it. Nothing has to be written down for a wall to hold: whoever took one side is found by
what they did. Everything that shows a case, a list of cases or a person asks here,
in the query itself (design.md §4.12).
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    bindparam,
    exists,
    false,
    or_,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.models import metadata
from helpline.rules.permissions import Actor, may
from helpline.vocabulary import UNPLACED, CaseStatus, ConflictKind, LinkKind, Role

TAKES_NO_SIDE = (
    *("case.read", "attachment.read", "record.taken"),  # who looks does nothing for anybody yet
    *("case.opened", "case.imported", "case.linked", "case.unlinked"),
    *("part.given", "part.ended", "conflict.declared", "conflict.ended"),
    *("case.allocated", "allocation.declined", "allocation.undone", "cover.begun", "cover.ended"),
    *("case.reason_set", "case.kind_set", "case.urgency_set", "case.eligibility", "case.completed"),
    *("case.method_set", "triage.judged"),
    *("case.may_be_out_settled", "case.origin_said"),
    "alert.acknowledged",  # one code takes whatever a message asked about
    *("deadline.met", "deadline.cancelled", "deadline.lapsed"),  # follow from another act
)
"""Events on a case by which nobody works for its people: reading it, and arranging whose it is and
what it is taken for. Everything else that somebody does on a case takes the side of its people;
tests/desk/test_sides.py reads the source and asks of each new kind of event which it is."""
ABOUT = metadata.tables["complaint_about"]
ADDRESS = metadata.tables["address"]
CASE = metadata.tables["case"]
ALLOCATION = metadata.tables["allocation"]
COMPLAINT = metadata.tables["complaint"]
CONFLICT = metadata.tables["conflict"]
COVER = metadata.tables["cover"]
EVENT = metadata.tables["event"]
INCIDENT = metadata.tables["incident"]
LINK = metadata.tables["case_link"]
PAGE = metadata.tables["page"]
PART = metadata.tables["part"]
PERSON = metadata.tables["person"]
USER = metadata.tables["user"]


def cases(
    actor: Actor, case: FromClause = CASE, *, action: str = "case.read"
) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which a row of `case` is one that `actor` may do `action` with, as far as
    the case is concerned: its contract, and that they are not shut out of it."""
    if not may(actor, action):
        return (false(),)
    within = () if actor.contract is None else (case.c.contract == actor.contract,)
    return (*within, *not_shut_out(actor.user_id, case))


def not_shut_out(user_id: int, case: FromClause = CASE) -> tuple[ColumnElement[bool], ...]:
    """That this user is not in conflict with the case, nor one of its people."""
    in_conflict = exists().where(
        CONFLICT.c.case_id == case.c.id,
        CONFLICT.c.user_id == user_id,
        CONFLICT.c.ended_at.is_(None),
    )
    has_a_part = exists().where(
        PART.c.case_id == case.c.id, PART.c.person_id.in_(_themself(user_id))
    )
    return (
        ~in_conflict,
        case.c.person_id.not_in(_themself(user_id)),
        ~has_a_part,
        case.c.id.not_in(_across(user_id)),
    )


def people(actor: Actor, person: FromClause = PERSON) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which `actor` may see this person: not themself, and nobody who is in a
    case that they are shut out of."""
    if not may(actor, "people.read"):
        return (false(),)
    within = () if actor.contract is None else (person.c.contract == actor.contract,)
    return (
        *within,
        person.c.id.not_in(_themself(actor.user_id)),
        person.c.id.not_in(_shut_people(actor.user_id)),
    )


def _shut_people(user_id: int, *conflicts: ColumnElement[bool]) -> Select[Any]:
    """The people in the cases that this user is shut out of, but for those whose side they took.
    `conflicts`: which of theirs count."""
    held = select(CONFLICT.c.case_id).where(
        CONFLICT.c.user_id == user_id, CONFLICT.c.ended_at.is_(None), *conflicts
    )
    shut = union(held, _across(user_id)).subquery()
    in_them = union(
        select(CASE.c.person_id).where(CASE.c.id.in_(select(shut.c.case_id))),
        select(PART.c.person_id).where(
            PART.c.case_id.in_(select(shut.c.case_id)),
            PART.c.ended_at.is_(None),
            PART.c.person_id.not_in(select(_taken(user_id).c.there)),
        ),
    ).subquery()
    return select(in_them.c.person_id)


def complaints(
    actor: Actor, complaint: FromClause = COMPLAINT, *, action: str = "complaint.read"
) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which `actor` may do `action` with this complaint: nobody sees one that is
    about them, that is their own, or whose case they are shut out of (K10)."""
    if not may(actor, action):
        return (false(),)
    is_about = exists().where(
        ABOUT.c.complaint_id == complaint.c.id,
        ABOUT.c.user_id == actor.user_id,
        ABOUT.c.ended_at.is_(None),
    )
    themself = complaint.c.person_id.in_(_themself(actor.user_id))
    # That a complaint is about them shuts them out of that one, not of all else the person says.
    shut = _shut_people(actor.user_id, CONFLICT.c.kind != ConflictKind.COMPLAINT)
    within = () if actor.contract is None else (complaint.c.contract == actor.contract,)
    return (
        *within,
        ~is_about,
        *(_on_no_case_shut(actor, case_id) for case_id in _cases_of(complaint)),
        complaint.c.person_id.is_(None) | (~themself & complaint.c.person_id.not_in(shut)),
    )


def of_somebody(actor: Actor, row: FromClause) -> tuple[ColumnElement[bool], ...]:
    """The same for any row with a contract, a person and a case, each of which may be empty: what
    somebody said of us, or was given."""
    themself, shut = _themself(actor.user_id), _shut_people(actor.user_id)
    within = () if actor.contract is None else (row.c.contract == actor.contract,)
    return (
        *within,
        _on_no_case_shut(actor, row.c.case_id),
        row.c.person_id.is_(None)
        | (row.c.person_id.not_in(themself) & row.c.person_id.not_in(shut)),
    )


def _cases_of(complaint: FromClause) -> tuple[ColumnElement[Any], ...]:
    return (complaint.c.case_id, complaint.c.about_case_id)


def _on_no_case_shut(actor: Actor, case_id: ColumnElement[Any]) -> ColumnElement[bool]:
    case = CASE.alias()
    seen = exists().where(case.c.id == case_id, *not_shut_out(actor.user_id, case))
    return case_id.is_(None) | seen


def incidents(actor: Actor, incident: FromClause = INCIDENT) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which `actor` may see this incident: none of a case they are shut out of."""
    if not may(actor, "incident.read"):
        return (false(),)
    within = () if actor.contract is None else (incident.c.contract == actor.contract,)
    return (*within, _on_no_case_shut(actor, incident.c.case_id))


def unplaced(actor: Actor) -> bool:
    """Whether they may read what came to no contract's number: whoever works for all contracts,
    and every lead. To anybody else it may be another council's."""
    return may(actor, "tray.read") and (actor.contract is None or actor.role is Role.LEAD)


def alerts(actor: Actor, alert: FromClause) -> ColumnElement[bool]:
    """That the alert is about no case, complaint or incident that they may not see. One that is
    about none of these is for whoever works on cases, and for those who were asked by it."""
    about = (alert.c.case_id, alert.c.complaint_id, alert.c.incident_id)
    of_case = CASE.alias()
    case = exists().where(of_case.c.id == alert.c.case_id, *cases(actor, of_case))
    asked = exists().where(PAGE.c.alert_id == alert.c.id, PAGE.c.user_id == actor.user_id)
    works = true() if may(actor, "case.read") else false()
    return and_(
        true() if unplaced(actor) else alert.c.reference != UNPLACED,
        alert.c.case_id.is_(None) | case,
        owed(actor, alert),
        works | asked | or_(*(one.is_not(None) for one in about)),
    )


def owed(actor: Actor, row: FromClause) -> ColumnElement[bool]:
    """That a deadline or alert is about no complaint or incident that they may not see."""
    complaint, incident = COMPLAINT.alias(), INCIDENT.alias()
    in_complaints = exists().where(
        complaint.c.id == row.c.complaint_id, *complaints(actor, complaint)
    )
    in_incidents = exists().where(incident.c.id == row.c.incident_id, *incidents(actor, incident))
    return and_(
        row.c.complaint_id.is_(None) | in_complaints,
        row.c.incident_id.is_(None) | in_incidents,
    )


async def across(session: AsyncSession, case_ids: Collection[int]) -> set[tuple[int, int]]:
    """(case, user) for everybody who took the other side of one of these cases."""
    rows = await session.execute(_facing(), {"cases": list(case_ids)})
    sides = {(row[0], row[1]) for row in rows}
    took = set[tuple[int, int]]()
    for case_id, user_id, *conditions in _taking() if sides else ():
        query = select(case_id, user_id).where(
            case_id.in_({one for _, one in sides}), user_id.is_not(None), *conditions
        )
        took |= {(row[0], row[1]) for row in await session.execute(query.distinct())}
    return {(here, user) for here, there_id in sides for case, user in took if case == there_id}


@cache
def _facing() -> Select[Any]:
    """(case, a case on the other side of a wall) for some cases."""
    hidden, there = _hidden(_walls()), CASE.alias("there")
    return (
        select(hidden.c.case_id, there.c.id)
        .join(there, _is_there(hidden, there))
        .where(hidden.c.case_id.in_(bindparam("cases", expanding=True)))
    )


async def workers_across(session: AsyncSession) -> dict[int, int]:
    """Case → support worker, of the open cases whose own worker has come to stand on the other side
    of a wall: somebody turned out to be who they are, or worked for both. They do not see it any
    more, and somebody else has to be named."""
    hidden = select(_hidden(_walls()).c.case_id)
    rows = await session.execute(
        select(CASE.c.id, CASE.c.worker_id).where(
            CASE.c.id.in_(hidden),
            CASE.c.status == CaseStatus.OPEN,
            CASE.c.worker_id.is_not(None),
        )
    )
    named = {(row[0], row[1]) for row in rows}
    shut = await across(session, [case_id for case_id, _ in named]) if named else set()
    return dict(named & shut)


async def is_wall_between(session: AsyncSession, one_id: int, other_id: int) -> bool:
    """Whether these two people are the two sides of a matter."""
    walls = _walls()
    query = select(walls.c.here).where(walls.c.here == one_id, walls.c.there == other_id)
    return (await session.execute(query.limit(1))).first() is not None


def _across(user_id: int) -> Select[Any]:
    """The cases behind a wall for this user. Begins with the walls, of which there are few, so that
    it costs the same however much has happened."""
    return select(_hidden(_taken(user_id)).c.case_id)


@cache  # the same object each time: a statement that asks twice names it once
def _taken(user_id: int) -> CTE:
    """The walls on whose other side this user has worked."""
    walls, there = _walls(), CASE.alias("there")
    took = [
        exists().where(case_id == there.c.id, by == user_id, *conditions)
        for case_id, by, *conditions in _taking()
    ]
    return (
        select(walls)
        .where(exists(select(there.c.id).where(_is_there(walls, there), or_(*took))))
        .cte(f"taken_{user_id}")
    )


def _taking() -> list[tuple[Any, ...]]:
    """Who works, or has worked, on a case: was named, stood in, or did something for its people; as
    the column of the case, that of the user, and conditions. A safeguarding lead looks at both
    sides and decides, which is not taking one."""
    overseeing = select(USER.c.id).where(USER.c.role == Role.SAFEGUARDING)
    return [
        (ALLOCATION.c.case_id, ALLOCATION.c.worker_id, ALLOCATION.c.declined_at.is_(None)),
        (COVER.c.case_id, COVER.c.worker_id),
        (
            EVENT.c.case_id,
            EVENT.c.by_user_id,
            EVENT.c.kind.not_in(TAKES_NO_SIDE),
            EVENT.c.by_user_id.not_in(overseeing),
        ),
    ]


@cache
def _walls() -> CTE:
    """Walls that stand, from either side: the two cases they were put up between, and the two
    people these are for now, whom they keep apart."""
    one, other = CASE.alias("one"), CASE.alias("other")
    halves = [
        select(
            here.c.id.label("here_case"),
            here.c.person_id.label("here"),
            there.c.id.label("there_case"),
            there.c.person_id.label("there"),
        )
        .select_from(LINK)
        .join(one, one.c.id == LINK.c.case_id)
        .join(other, other.c.id == LINK.c.other_id)
        .where(LINK.c.kind == LinkKind.SIDES, LINK.c.ended_at.is_(None))
        for here, there in ((one, other), (other, one))
    ]
    return union_all(*halves).cte("walls")


def _is_there(wall: FromClause, case: FromClause) -> ColumnElement[bool]:
    """That the case is on the other side: any case of the person there, past or new. Where both
    sides turned out to be one person's, only the two cases themselves are kept apart."""
    theirs = and_(case.c.person_id == wall.c.there, wall.c.here != wall.c.there)
    return theirs | (case.c.id == wall.c.there_case)


def _hidden(wall: FromClause) -> Subquery:
    """Every case on the near side of these walls, with the wall: the person's own, past and new,
    and those of others that speak of them."""
    shown = (wall.c.here, wall.c.there_case, wall.c.there)
    two = wall.c.here != wall.c.there
    own = select(*shown, CASE.c.id.label("case_id")).join(
        CASE, and_(CASE.c.person_id == wall.c.here, two) | (CASE.c.id == wall.c.here_case)
    )
    held, also = PART.alias("held"), PART.alias("also")
    both = exists().where(
        also.c.case_id == held.c.case_id,
        also.c.person_id == wall.c.there,
        also.c.ended_at.is_(None),
    )
    others = (
        select(*shown, CASE.c.id)
        .join(held, (held.c.person_id == wall.c.here) & held.c.ended_at.is_(None))
        .join(CASE, CASE.c.id == held.c.case_id)
        .where(two, CASE.c.person_id != wall.c.there, ~both)
    )
    return union_all(own, others).subquery()


def _themself(user_id: int) -> Select[Any]:
    """The ids of people who are reached where this user is: they are the same person."""
    own: Sequence[Any] = (USER.c.mobile_index, USER.c.telegram_index, USER.c.email_index)
    values = union_all(*(select(column).where(USER.c.id == user_id) for column in own)).subquery()
    return select(ADDRESS.c.person_id).where(ADDRESS.c.value_index.in_(select(values.c[0])))
