"""Who has which part in a case, cases that belong together, and the wall between two sides.

The person a case is for stands on the case itself; everybody else it is about has a part. Where
their interests clash, one of them gets a case of their own with a wall between (000 P18, 001 §10):
nobody works on both, and desk/seeing lets nobody across. Called by pages and by the pathway.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import cases, conflicts, events, membership, merging, people, seeing
from helpline.desk.holding import hold
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, CaseLink, Part, Person, User, metadata
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import UNKNOWN, CaseStatus, Identity, LinkKind, PartRole

LONGEST_NAME = 120
LONGEST_WHY = 500
MOST_PARTS = 40
PART, PERSON = metadata.tables["part"], metadata.tables["person"]
LIVES_THERE = (PartRole.PARTNER, PartRole.OWN_CHILD, PartRole.HOUSEHOLD)


async def on_case(session: AsyncSession, case_id: int) -> Sequence[Row[Any]]:
    """The parts that stand, with the people: id, person_id, name, group, role, since."""
    query = (
        select(
            PART.c.id, PART.c.person_id, PERSON.c.name, PERSON.c.group, PART.c.role, PART.c.since
        )
        .join(PERSON, PERSON.c.id == PART.c.person_id)
        .where(PART.c.case_id == case_id, PART.c.ended_at.is_(None))
        .order_by(PART.c.id)
    )
    return list(await session.execute(query))


async def give_part(
    session: AsyncSession,
    case: Case,
    person: Person,
    role: PartRole,
    by: Actor | None,
    now: datetime,
) -> Part:
    """`person` has this part from now on; one they had before ends. Once is enough: the same again
    changes nothing."""
    if person.contract != case.contract:
        raise InvalidInput("They are on the register of another contract. Write them down here.")
    if person.id == case.person_id:
        raise InvalidInput("The case is for this person already.")
    await hold(session, case)
    held = list(
        await session.scalars(
            select(Part).where(
                col(Part.case_id) == case.id,
                col(Part.person_id) == person.id,
                col(Part.ended_at).is_(None),
            )
        )
    )
    for part in held:
        if part.role == role:
            return part
        part.ended_at, part.ended_by_id = now, by.user_id if by else None
    if len(await on_case(session, case.id or 0)) >= MOST_PARTS:
        raise InvalidInput(f"A case shows {MOST_PARTS} people at most. End a part first.")
    part = Part(
        contract=case.contract,
        case_id=case.id or 0,
        person_id=person.id or 0,
        role=role,
        since=now,
        by_user_id=by.user_id if by else None,
    )
    async with conflicts.leaving_workers(session) if by else nullcontext():
        session.add(part)
        await session.flush()
    await events.on_case(session, "part.given", case, now, by, part=part.id, role=role)
    return part


async def give_to_known(
    session: AsyncSession, case: Case, person_id: int | None, role: str, by: Actor, now: datetime
) -> Part:
    """Somebody who is here already has this part: the same record, so that what they say, their own
    case and the walls stay theirs. NotFound where `by` may not see them."""
    require(by, "case.triage", case.contract)
    if person_id is None:
        raise InvalidInput("Choose who it is.")
    person = await merging.find_person(session, by, person_id)
    return await give_part(session, case, person, _role(role), by, now)


async def write_down(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    name: str,
    group: str,
    role: str,
    by: Actor,
    now: datetime,
) -> Part:
    """Somebody the register does not have gets a record of their own, and their part. A fostered
    child is never named: "child A" (domain.md §7)."""
    require(by, "case.triage", case.contract)
    said = in_a_line(name, LONGEST_NAME, "Write a name, or for a fostered child “child A”.")
    part = _role(role)
    if group not in {one.code for one in contract.groups}:
        raise InvalidInput("Choose who they are from the list.")
    household = await session.get(Person, case.person_id)
    lives_there = part in LIVES_THERE
    if lives_there and household is not None:
        await _not_here_already(session, household, said, by)
    person = Person(contract=contract.key, name=said, group=group, created_at=now)
    if lives_there and household is not None:
        person.household = household.household
        person.household_index = household.household_index
    session.add(person)
    await session.flush()
    return await give_part(session, case, person, part, by, now)


def _role(role: str) -> PartRole:
    if role not in list(PartRole) or role == PartRole.SUPPORTED:
        raise InvalidInput("Choose what part they have.")
    return PartRole(role)


async def _not_here_already(session: AsyncSession, household: Person, name: str, by: Actor) -> None:
    """The register may have them: a second record would have none of their numbers and walls."""
    for row in await membership.household_of(session, by, household):
        if (row.name or "").casefold() == name.casefold():
            raise InvalidInput(
                f"{row.name} is on the register as one of this household: choose them under "
                "“Somebody who is here already”. If this is somebody else of the same name, write "
                "what tells them apart, like “the son”."
            )


async def end_part(
    session: AsyncSession, case: Case, part_id: int, by: Actor, now: datetime
) -> None:
    """They have it no longer; that they had it stays."""
    require(by, "case.triage", case.contract)
    part = await _find(session, case, part_id)
    if part.ended_at is None:
        part.ended_at, part.ended_by_id = now, by.user_id
        await session.flush()
        await events.on_case(session, "part.ended", case, now, by, part=part.id, role=part.role)


async def separate(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    part_id: int,
    why: str,
    by: Actor,
    now: datetime,
) -> Case:
    """Somebody with a part needs support of their own, and it must not be the same worker's: a wall
    is put up between this case and the one they have, or one that is opened for them now and whose
    clocks run from now. Returns their case."""
    require(by, "case.link", case.contract)
    part = await _find(session, case, part_id)
    if part.ended_at is not None:
        raise Conflict("They have no part in this case any more.")
    await hold(session, case)
    for row in await linked(session, case.id or 0):
        across = await session.get(Case, row.there) if row.kind == LinkKind.SIDES else None
        if across is not None and across.person_id == part.person_id:
            raise Conflict("They have a case of their own already, with a wall to this one.")
    theirs = await session.scalar(
        select(Case)
        .where(
            col(Case.person_id) == part.person_id,
            col(Case.contract) == case.contract,
            col(Case.status) == CaseStatus.OPEN,
            *seeing.cases(by),
        )
        .order_by(col(Case.id).desc())
        .limit(1)
    )
    if theirs is not None:
        await link(session, case, theirs, LinkKind.SIDES, why, by, now)
        return theirs
    person = await session.get(Person, part.person_id)
    assert person is not None
    known = await people.standing(session, person, now.date())
    other = await cases.open_case(
        session,
        contract,
        Case(
            reference="",
            contract=contract.key,
            person_id=part.person_id,
            kind=case.kind,
            identity=Identity.KNOWN if person.register_index else Identity.CLAIMED,
            urgency=case.urgency,
            reason=case.reason if case.reason != UNKNOWN else UNKNOWN,
            reason_from="worker",
            group=known.group,
            quadrant=known.quadrant if known.quadrant != UNKNOWN else case.quadrant,
            team=known.team,
            method=case.method,
            opened_at=now,
        ),
        by=by.user_id,
    )
    await link(session, case, other, LinkKind.SIDES, why, by, now)
    return other


async def link(
    session: AsyncSession,
    case: Case,
    other: Case,
    kind: LinkKind,
    why: str,
    by: Actor,
    now: datetime,
) -> CaseLink:
    """The two cases belong together. `sides`: from now on whoever takes one is shut out of the
    other; Conflict where somebody works on both already, because then the wall would shut a person
    out of their own worker."""
    require(by, "case.link" if kind is LinkKind.SIDES else "case.triage", case.contract)
    if case.id == other.id:
        raise InvalidInput("A case cannot be linked with itself.")
    said = in_a_line(why, LONGEST_WHY, "Say in a few words how they belong together.")
    for one in sorted((case, other), key=lambda held: held.id or 0):
        await hold(session, one)  # the lower first, so that nobody waits for the other way round
    for row in await linked(session, case.id or 0):
        if row.kind == kind and row.there == other.id:
            raise Conflict("These two cases are linked like that already.")
    if kind is LinkKind.SIDES:
        await _nobody_on_both(session, case, other)
    made = CaseLink(
        case_id=case.id or 0,
        other_id=other.id or 0,
        kind=kind,
        why=said,
        made_at=now,
        by_user_id=by.user_id,
    )
    async with conflicts.leaving_workers(session):
        session.add(made)
    for one in (case, other):
        await events.on_case(session, "case.linked", one, now, by, link=made.id, link_kind=kind)
    return made


async def _nobody_on_both(session: AsyncSession, case: Case, other: Case) -> None:
    both = {case.worker_id, other.worker_id} - {None}
    if case.worker_id is None or len(both) != 1 or other.worker_id is None:
        return
    user = await session.get(User, case.worker_id)
    raise Conflict(
        f"{user.shown_name if user else 'Somebody'} is the support worker of both. Name somebody "
        "else on one of them first: nobody may work on both sides."
    )


async def linked(
    session: AsyncSession, case_id: int, actor: Actor | None = None
) -> Sequence[Row[Any]]:
    """Links that stand, from this case's side: id, kind, there (the other's id), reference, why,
    made_at. With an `actor` only to cases that they may see: nobody is told what is across."""
    shown = (col(CaseLink.id), col(CaseLink.kind), col(CaseLink.why), col(CaseLink.made_at))
    other = seeing.CASE
    query = (
        select(*shown, other.c.id.label("there"), other.c.reference, other.c.status, other.c.reason)
        .join(
            other,
            or_(
                (col(CaseLink.case_id) == case_id) & (other.c.id == col(CaseLink.other_id)),
                (col(CaseLink.other_id) == case_id) & (other.c.id == col(CaseLink.case_id)),
            ),
        )
        .where(
            or_(col(CaseLink.case_id) == case_id, col(CaseLink.other_id) == case_id),
            col(CaseLink.ended_at).is_(None),
        )
        .order_by(col(CaseLink.id))
    )
    if actor is not None:
        query = query.where(*seeing.cases(actor, other))
    return list(await session.execute(query))


async def has_wall(session: AsyncSession, case_id: int) -> bool:
    """Whether the case is one side of a matter. Said to whoever works on it: there is another side,
    and who that is they are not told."""
    return any(row.kind == LinkKind.SIDES for row in await linked(session, case_id))


async def end_link(
    session: AsyncSession, case: Case, link_id: int, by: Actor, now: datetime
) -> None:
    """They do not belong together after all; a wall comes down only by those who may put one up."""
    found = await session.get(CaseLink, link_id, with_for_update=True)
    if found is None or case.id not in (found.case_id, found.other_id):
        raise NotFound("There is no such link on this case.")
    is_wall = found.kind == LinkKind.SIDES
    require(by, "case.link" if is_wall else "case.triage", case.contract)
    if found.ended_at is None:
        found.ended_at, found.ended_by_id = now, by.user_id
        await session.flush()
        await events.on_case(
            session, "case.unlinked", case, now, by, link=link_id, link_kind=found.kind
        )


async def _find(session: AsyncSession, case: Case, part_id: int) -> Part:
    part = await session.get(Part, part_id, with_for_update=True)
    if part is None or part.case_id != case.id:
        raise NotFound("There is no such part in this case.")
    return part
