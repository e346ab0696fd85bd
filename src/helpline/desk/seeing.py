"""What somebody may see of cases and people: the one condition that every query over cases asks.

Which conditions hold for what says rules/permissions.py (HOLDS); here each of its words becomes
SQL. A case is seen by those whose role reads cases in its contract, but for whoever must not know
of it: they are in conflict with it, they work on the other side of a wall, they are its person,
have a part in it, or it is kept to others. Nothing has to be written down for a wall to hold:
whoever took one side is found by what they did. Everything that shows a case, a list of cases or a
person asks here, in the query itself (design.md §4.12).
"""

from collections.abc import Collection, Mapping, Sequence
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
from helpline.rules.permissions import HOLDS, OPENED_BY_GLASS, Actor, Holds, Of, may, opened_for
from helpline.vocabulary import (
    CASEWORKERS,
    UNPLACED,
    CaseStatus,
    ConflictKind,
    LinkKind,
    Role,
)

TAKES_NO_SIDE = (
    *("case.read", "attachment.read", "record.taken"),  # who looks does nothing for anybody yet
    *("case.opened", "case.imported", "case.linked", "case.unlinked"),
    *("part.given", "part.ended", "conflict.declared", "conflict.ended"),
    *("case.allocated", "allocation.declined", "allocation.undone", "cover.begun", "cover.ended"),
    *("case.reason_set", "case.kind_set", "case.urgency_set", "case.eligibility", "case.completed"),
    *("case.method_set", "triage.judged"),
    *("case.may_be_out_settled", "case.origin_said"),
    *("case.restricted", "case.unrestricted", "glass.broken", "glass.reviewed"),
    "act.undone",  # what was undone stays in the trail, and with it the side
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
GLASS = metadata.tables["broken_glass"]
INCIDENT = metadata.tables["incident"]
KEPT = metadata.tables["restriction"]
KEPT_TO = metadata.tables["restriction_name"]
LINK = metadata.tables["case_link"]
MEMBERSHIP = metadata.tables["membership"]
PAGE = metadata.tables["page"]
PART = metadata.tables["part"]
PERSON = metadata.tables["person"]
REQUEST = metadata.tables["data_request"]
USER = metadata.tables["user"]


Conditions = Mapping[Holds, ColumnElement[bool] | None]
"""A word of the table → what it is in SQL; None where it holds of everything for this actor."""


def _all_of(of: Of, given: Conditions) -> tuple[ColumnElement[bool], ...]:
    """What the table asks of such a thing. A word without its condition here is a KeyError, never
    a condition less."""
    found = [given[holds] for holds in HOLDS[of]]
    return tuple(one for one in found if one is not None)


def _within(actor: Actor, table: FromClause) -> ColumnElement[bool] | None:
    return None if actor.contract is None else (table.c.contract == actor.contract)


def cases(
    actor: Actor, case: FromClause = CASE, *, action: str = "case.read"
) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which a row of `case` is one that `actor` may do `action` with, as far as
    the case is concerned: its contract, and that they are not shut out of it, unless they opened
    it in an emergency and the action is one for that."""
    if not may(actor, action):
        return (false(),)
    given: dict[Holds, ColumnElement[bool] | None] = {
        Holds.CONTRACT: _within(actor, case),
        **_of_case(actor.user_id, case),
    }
    if opened := opened_for(actor, action):
        is_open = case.c.id.in_(sorted(opened))
        for holds in OPENED_BY_GLASS:
            condition = given[holds]
            assert condition is not None
            given[holds] = or_(condition, is_open)
    return _all_of(Of.CASE, given)


def behind_glass(actor: Actor, case: FromClause = CASE) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which they could open this case in an emergency, or see it anyhow."""
    if not may(actor, "glass.break"):
        return (false(),)
    given: dict[Holds, ColumnElement[bool] | None] = {
        Holds.CONTRACT: _within(actor, case),
        **_of_case(actor.user_id, case),
    }
    return _all_of(Of.CASE, given | dict.fromkeys(OPENED_BY_GLASS))


def shut_by(user_id: int, case: FromClause = CASE) -> dict[Holds, ColumnElement[bool]]:
    """Each condition that could be opened in an emergency, on its own."""
    return {one: of for one, of in _of_case(user_id, case).items() if one in OPENED_BY_GLASS}


def not_shut_out(user_id: int, case: FromClause = CASE) -> tuple[ColumnElement[bool], ...]:
    """That this user is not in conflict with the case, nor one of its people, on no other side of a
    wall, and that it is not kept to others."""
    return _all_of(Of.CASE, {Holds.CONTRACT: None, **_of_case(user_id, case)})


def _of_case(user_id: int, case: FromClause) -> dict[Holds, ColumnElement[bool]]:
    """The words of the table about a case, but for its contract."""
    in_conflict = exists().where(
        CONFLICT.c.case_id == case.c.id,
        CONFLICT.c.user_id == user_id,
        CONFLICT.c.ended_at.is_(None),
    )
    has_a_part = exists().where(
        PART.c.case_id == case.c.id, PART.c.person_id.in_(_themself(user_id))
    )
    return {
        Holds.NO_CONFLICT: ~in_conflict,
        Holds.NOT_THEMSELF: and_(case.c.person_id.not_in(_themself(user_id)), ~has_a_part),
        Holds.NO_WALL: case.c.id.not_in(_across(user_id)),
        Holds.NOT_RESTRICTED: case.c.id.not_in(_kept_from(user_id)),
    }


@cache
def _kept_from(user_id: int) -> Select[Any]:
    """The cases that are kept to others. Begins with what is kept at all, of which there is little.
    Whoever hears complaints reads no case, and no complaint is kept from them by this."""
    named = exists().where(
        KEPT_TO.c.restriction_id == KEPT.c.id,
        KEPT_TO.c.user_id == user_id,
        KEPT_TO.c.ended_at.is_(None),
    )
    hears_complaints = exists().where(USER.c.id == user_id, USER.c.role == Role.COMPLAINTS)
    return select(KEPT.c.case_id).where(KEPT.c.ended_at.is_(None), ~named, ~hears_complaints)


async def kept_from(session: AsyncSession, case_ids: Collection[int]) -> set[tuple[int, int]]:
    """(case, user) for every colleague from whom one of these cases is kept."""
    kept = select(KEPT.c.id, KEPT.c.case_id).where(
        KEPT.c.case_id.in_(case_ids), KEPT.c.ended_at.is_(None)
    )
    held = {row.id: row.case_id for row in await session.execute(kept)}
    if not held:
        return set()
    named = await session.execute(
        select(KEPT_TO.c.restriction_id, KEPT_TO.c.user_id).where(
            KEPT_TO.c.restriction_id.in_(held), KEPT_TO.c.ended_at.is_(None)
        )
    )
    inside = {(held[row[0]], row[1]) for row in named}
    everybody = list(
        await session.scalars(
            select(USER.c.id).where(USER.c.role.in_(CASEWORKERS), USER.c.left_at.is_(None))
        )
    )
    return {(case_id, user) for case_id in held.values() for user in everybody} - inside


def people(actor: Actor, person: FromClause = PERSON) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which `actor` may see this person: not themself, and nobody who is in a
    case that they are shut out of."""
    if not may(actor, "people.read"):
        return (false(),)
    given = {
        Holds.CONTRACT: _within(actor, person),
        Holds.NOT_THEMSELF: person.c.id.not_in(_themself(actor.user_id)),
        Holds.NOBODY_SHUT: person.c.id.not_in(_shut_people(actor.user_id)),
    }
    return _all_of(Of.PERSON, given)


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
        _known_only_there(user_id),
    ).subquery()
    return select(in_them.c.person_id)


@cache
def _known_only_there(user_id: int) -> Select[Any]:
    """The people of cases that are kept to others whom nothing else tells of: they are on no list
    of a council, and have no case or part that is not kept from this user."""
    kept, other, own, part = _kept_from(user_id), CASE.alias(), CASE.alias(), PART.alias()
    theirs = union(
        select(own.c.person_id).where(own.c.id.in_(kept)),
        select(part.c.person_id).where(part.c.case_id.in_(kept)),
    ).subquery()
    return select(theirs.c.person_id).where(
        ~exists().where(MEMBERSHIP.c.person_id == theirs.c.person_id),
        ~exists().where(other.c.person_id == theirs.c.person_id, other.c.id.not_in(kept)),
        ~exists().where(PART.c.person_id == theirs.c.person_id, PART.c.case_id.not_in(kept)),
    )


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
    # That a complaint is about them shuts them out of that one, not of all else the person says.
    shut = _shut_people(actor.user_id, CONFLICT.c.kind != ConflictKind.COMPLAINT)
    seen = [_on_no_case_shut(actor, case_id) for case_id in _cases_of(complaint)]
    given = {
        Holds.CONTRACT: _within(actor, complaint),
        Holds.NOT_ABOUT_THEM: ~is_about,
        Holds.CASE_SEEN: and_(*seen),
        **_on_person(actor, complaint, shut),
    }
    return _all_of(Of.COMPLAINT, given)


def of_somebody(actor: Actor, row: FromClause) -> tuple[ColumnElement[bool], ...]:
    """The same for any row with a contract, a person and a case, each of which may be empty: what
    somebody said of us, or was given."""
    given = {
        Holds.CONTRACT: _within(actor, row),
        Holds.CASE_SEEN: _on_no_case_shut(actor, row.c.case_id),
        **_on_person(actor, row, _shut_people(actor.user_id)),
    }
    return _all_of(Of.GIVEN, given)


def _on_person(
    actor: Actor, row: FromClause, shut: Select[Any]
) -> dict[Holds, ColumnElement[bool]]:
    """That whoever the row is of, where it is of anybody, is not themself and in no case shut."""
    nobody = row.c.person_id.is_(None)
    return {
        Holds.NOT_THEMSELF: nobody | row.c.person_id.not_in(_themself(actor.user_id)),
        Holds.NOBODY_SHUT: nobody | row.c.person_id.not_in(shut),
    }


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
    given = {
        Holds.CONTRACT: _within(actor, incident),
        Holds.CASE_SEEN: _on_no_case_shut(actor, incident.c.case_id),
    }
    return _all_of(Of.INCIDENT, given)


def unplaced(actor: Actor) -> bool:
    """Whether they may read what came to no contract's number: whoever works for all contracts,
    and every lead. To anybody else it may be another council's."""
    return may(actor, "tray.read") and (actor.contract is None or actor.role is Role.LEAD)


def alerts(actor: Actor, alert: FromClause) -> ColumnElement[bool]:
    """That the alert is of a contract of theirs and about no case, complaint or incident that they
    may not see. One that is about none of these is for whoever works on cases, and for those who
    were asked by it."""
    about = (alert.c.case_id, alert.c.complaint_id, alert.c.incident_id, alert.c.request_id)
    of_case = CASE.alias()
    case = exists().where(of_case.c.id == alert.c.case_id, *cases(actor, of_case))
    asked = exists().where(PAGE.c.alert_id == alert.c.id, PAGE.c.user_id == actor.user_id)
    works = true() if may(actor, "case.read") else false()
    about_seen = and_(
        true() if unplaced(actor) else alert.c.reference != UNPLACED,
        alert.c.case_id.is_(None) | case,
        owed(actor, alert),
        works | asked | or_(*(one.is_not(None) for one in about)),
    )
    given = {Holds.CONTRACT: _within(actor, alert), Holds.ABOUT_SEEN: about_seen}
    return and_(*_all_of(Of.ALERT, given))


def owed(actor: Actor, row: FromClause) -> ColumnElement[bool]:
    """That a deadline or alert is about no complaint, incident or request that they may not see."""
    complaint, incident = COMPLAINT.alias(), INCIDENT.alias()
    in_complaints = exists().where(
        complaint.c.id == row.c.complaint_id, *complaints(actor, complaint)
    )
    in_incidents = exists().where(incident.c.id == row.c.incident_id, *incidents(actor, incident))
    request = REQUEST.alias()
    in_requests = exists().where(request.c.id == row.c.request_id, *requests(actor, request))
    return and_(
        row.c.complaint_id.is_(None) | in_complaints,
        row.c.incident_id.is_(None) | in_incidents,
        row.c.request_id.is_(None) | in_requests,
    )


def requests(actor: Actor, request: FromClause = REQUEST) -> tuple[ColumnElement[bool], ...]:
    """Conditions under which `actor` may see what somebody asked of what we keep about them."""
    return of_somebody(actor, request) if may(actor, "right.read") else (false(),)


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


@cache  # a query over cases asks for several of these: they are put together once
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
        .cte("taken")
    )


def _taking() -> list[tuple[Any, ...]]:
    """Who works, or has worked, on a case: was named, stood in, or did something for its people; as
    the column of the case, that of the user, and conditions. A safeguarding lead looks at both
    sides and decides, which is not taking one; nor is what somebody did in an emergency."""
    overseeing = select(USER.c.id).where(USER.c.role == Role.SAFEGUARDING)
    in_an_emergency = exists().where(
        GLASS.c.case_id == EVENT.c.case_id,
        GLASS.c.user_id == EVENT.c.by_user_id,
        GLASS.c.at <= EVENT.c.at,
        GLASS.c.until >= EVENT.c.at,
    )
    return [
        (ALLOCATION.c.case_id, ALLOCATION.c.worker_id, ALLOCATION.c.declined_at.is_(None)),
        (COVER.c.case_id, COVER.c.worker_id),
        (
            EVENT.c.case_id,
            EVENT.c.by_user_id,
            EVENT.c.kind.not_in(TAKES_NO_SIDE),
            EVENT.c.by_user_id.not_in(overseeing),
            ~in_an_emergency,
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


@cache
def _themself(user_id: int) -> Select[Any]:
    """The ids of people who are reached where this user is: they are the same person."""
    own: Sequence[Any] = (USER.c.mobile_index, USER.c.telegram_index, USER.c.email_index)
    values = union_all(*(select(column).where(USER.c.id == user_id) for column in own)).subquery()
    return select(ADDRESS.c.person_id).where(ADDRESS.c.value_index.in_(select(values.c[0])))
