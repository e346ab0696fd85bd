"""Keeping a case to certain people: for everybody else who works here it is not there, in no list,
search, figure's list or alert (desk/seeing.py).

For a colleague's own family, somebody in the public eye, or whatever else must stay with few. One
of the few leads, so that somebody can take it back, and the support worker is always among them.
Called by web/pages/restriction.py.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Result, Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import conflicts, events, holding
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Restriction, RestrictionName, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import CASEWORKERS, Role

LONGEST_WHY: Final = 500


async def held_on(session: AsyncSession, case_id: int) -> Restriction | None:
    """The restriction that stands on a case."""
    query = select(Restriction).where(
        col(Restriction.case_id) == case_id, col(Restriction.ended_at).is_(None)
    )
    found: Restriction | None = await session.scalar(query)
    return found


async def names_on(session: AsyncSession, case_id: int) -> Sequence[Row[Any]]:
    """To whom it is kept, by name: user_id, shown_name, role; empty: to nobody in particular."""
    query: Any = (
        select(
            col(RestrictionName.user_id), col(User.shown_name), col(User.role), col(User.left_at)
        )
        .join(Restriction, col(Restriction.id) == col(RestrictionName.restriction_id))
        .join(User, col(User.id) == col(RestrictionName.user_id))
        .where(
            col(Restriction.case_id) == case_id,
            col(Restriction.ended_at).is_(None),
            col(RestrictionName.ended_at).is_(None),
        )
        .order_by(col(User.shown_name))
    )
    rows: Result[Any] = await session.execute(query)
    return rows.all()


async def kept_to(session: AsyncSession, case_ids: Collection[int]) -> dict[int, Sequence[User]]:
    """Case id → everybody to whom it is kept and who is still here, of those that are kept."""
    if not case_ids:
        return {}
    rows = await session.execute(
        select(col(Restriction.case_id), User)
        .join(RestrictionName, col(RestrictionName.restriction_id) == col(Restriction.id))
        .join(User, col(User.id) == col(RestrictionName.user_id))
        .where(
            col(Restriction.case_id).in_(case_ids),
            col(Restriction.ended_at).is_(None),
            col(RestrictionName.ended_at).is_(None),
            col(User.left_at).is_(None),
        )
        .order_by(col(User.id))
    )
    found: dict[int, list[User]] = {}
    for case_id, user in rows:
        found.setdefault(case_id, []).append(user)
    return dict(found)


async def candidates(session: AsyncSession, case: Case) -> Sequence[User]:
    """Whoever works on cases of this contract and is not in conflict with this one."""
    shut = await conflicts.of_cases(session, [case.id or 0], is_kept=False)
    out = shut.get(case.id or 0, frozenset())
    users = await session.scalars(
        select(User)
        .where(
            col(User.role).in_(CASEWORKERS),
            col(User.left_at).is_(None),
            col(User.contract).is_(None) | (col(User.contract) == case.contract),
        )
        .order_by(col(User.shown_name))
    )
    return [user for user in users if user.id not in out]


async def keep_to(
    session: AsyncSession, case: Case, user_ids: Collection[int], why: str, by: Actor, now: datetime
) -> None:
    """From now on the case is there for these people alone; a second time, for these instead.
    InvalidInput says who is missing."""
    require(by, "case.restrict", case.contract)
    said = in_a_line(why, LONGEST_WHY, "Say why it is kept to so few: it stays with the case.")
    await holding.hold_as_it_stands(session, case)
    able = {user.id or 0: user for user in await candidates(session, case)}
    _check(case, able, set(user_ids))
    held = await held_on(session, case.id or 0)
    if held is None:
        held = Restriction(
            contract=case.contract,
            case_id=case.id or 0,
            why=said,
            since=now,
            by_user_id=by.user_id,
        )
        session.add(held)
        await session.flush()
    held.why = said
    await _name(session, held, set(user_ids), by, now)
    await events.on_case(session, "case.restricted", case, now, by, users=sorted(user_ids))


async def lift(session: AsyncSession, case: Case, by: Actor, now: datetime) -> None:
    """It is there for everybody again who works on this contract's cases."""
    require(by, "case.restrict", case.contract)
    await holding.hold_as_it_stands(session, case)
    held = await held_on(session, case.id or 0)
    if held is None:
        raise NotFound("This case is not kept to anybody in particular.")
    await _name(session, held, set(), by, now)
    held.ended_at, held.ended_by_id = now, by.user_id
    await session.flush()
    await events.on_case(session, "case.unrestricted", case, now, by)


def _check(case: Case, able: dict[int, User], chosen: set[int]) -> None:
    if not chosen:
        raise InvalidInput("Tick who goes on seeing it.")
    if not chosen <= able.keys():
        raise InvalidInput("Choose from the list: somebody of those must not work on this case.")
    if case.worker_id is not None and case.worker_id in able and case.worker_id not in chosen:
        name = able[case.worker_id].shown_name
        raise InvalidInput(f"{name} supports them: tick {name}, or name somebody else first.")
    heads = {user_id for user_id, user in able.items() if user.role == Role.SAFEGUARDING}
    if not heads:
        heads = {user_id for user_id, user in able.items() if user.role == Role.LEAD}
    if heads and not heads & chosen:
        names = ", ".join(sorted(able[user_id].shown_name for user_id in heads))
        raise InvalidInput(
            f"Somebody who leads must go on seeing it, to look after it and to take this back: "
            f"tick one of {names}."
        )


async def _name(
    session: AsyncSession, held: Restriction, wanted: set[int], by: Actor, now: datetime
) -> None:
    """Those named are these from now on."""
    now_named = await session.scalars(
        select(RestrictionName).where(
            col(RestrictionName.restriction_id) == held.id, col(RestrictionName.ended_at).is_(None)
        )
    )
    kept = set()
    for one in now_named:
        if one.user_id in wanted:
            kept.add(one.user_id)
        else:
            one.ended_at, one.ended_by_id = now, by.user_id
    session.add_all(
        RestrictionName(
            restriction_id=held.id or 0, user_id=user_id, since=now, by_user_id=by.user_id
        )
        for user_id in sorted(wanted - kept)
    )
    await session.flush()
