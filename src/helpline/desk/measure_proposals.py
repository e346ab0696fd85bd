"""Measures proposed by the council or by us: worded in numbered versions, talked over, then agreed
from a day or declined by the other side than wrote the newest version (A74, A76).

Called by web/pages/portal_measures.py. Nothing here changes a figure: what is agreed is printed for
whoever keeps the contract's file (reports/measure_text.py), and counts once it stands there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import case, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, portal
from helpline.desk.holding import SENT_AGAIN, twins
from helpline.desk.measure_wording import WORDS, Worded, says_the_same, version
from helpline.errors import Conflict, InvalidInput
from helpline.models import MeasureProposal, MeasureVersion, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import ProposalKind, ProposalState

FURTHEST: Final = timedelta(days=3 * 366)
MOST: Final = 200
LONGEST_CODE: Final = 40
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True)
class Version:
    """One wording of a proposal."""

    number: int
    side: str
    who: str
    at: datetime
    why: str
    name: str
    question: str
    means: str
    target_kind: str
    target: float | None
    target_words: str


@dataclass(frozen=True)
class Shown:
    """A proposal as a page shows it, its newest version last. `decider`: the side that may agree
    or decline."""

    id: int
    kind: str
    measure: str
    state: str
    made_at: datetime
    from_on: date | None
    decided_at: datetime | None
    decided_why: str
    versions: Sequence[Version]

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def decider(self) -> str:
        return portal.other(self.newest.side)

    @property
    def is_open(self) -> bool:
        return self.state == ProposalState.PROPOSED


# --- what people do ------------------------------------------------------------------------------


async def propose(
    session: AsyncSession,
    contract: Contract,
    kind: str,
    measure: str,
    worded: Worded,
    by: Actor,
    now: datetime,
) -> MeasureProposal:
    """Propose a new measure, another wording or target of one, or its end."""
    require(by, "measure.propose", contract.key)
    if kind not in list(ProposalKind):
        raise InvalidInput("Choose what you propose.")
    code = _code(contract, kind, measure, worded)
    if kind == ProposalKind.END:
        known = contract.measure(code)
        worded = Worded(worded.why, known.name, known.question)
    wording = version(0, 1, worded, by, now)
    before = await _sent_before(session, contract, kind, code, wording, by, now)
    if before is not None:
        return before
    is_new = kind == ProposalKind.NEW
    if is_new:
        code = await _free(session, contract, code)
    elif await _is_taken(session, contract, kind, code):
        raise Conflict("Something is proposed for this measure already: write a version of that.")
    made = MeasureProposal(
        contract=contract.key,
        kind=kind,
        measure=code,
        claim=f"{'new' if is_new else 'open'}:{code}",
        state=ProposalState.PROPOSED,
        made_at=now,
        made_by_id=by.user_id,
    )
    try:
        async with session.begin_nested():
            session.add(made)
    except IntegrityError:  # somebody else proposed it in the same instant
        raise Conflict("Something is proposed for this measure just now. Send it again.") from None
    wording.proposal_id = made.id or 0
    session.add(wording)
    await session.flush()
    await _event(session, "measure.proposed", made, by, now)
    return made


async def revise(
    session: AsyncSession,
    contract: Contract,
    proposal_id: int,
    worded: Worded,
    by: Actor,
    now: datetime,
) -> None:
    """Another version, by either side: the newest is what would be agreed."""
    found = await _open(session, contract, proposal_id, by)
    if found.kind == ProposalKind.END:
        raise Conflict("There is nothing to word: the measure is to end. Write a message instead.")
    newest = await _newest(session, found)
    wording = version(proposal_id, newest.number + 1, worded, by, now)
    if _is_lately(newest.by_user_id, newest.at, by, now) and says_the_same(newest, wording):
        return
    session.add(wording)
    await session.flush()
    await _event(session, "measure.reworded", found, by, now, number=wording.number)


async def say(
    session: AsyncSession,
    contract: Contract,
    proposal_id: int,
    text: str,
    by: Actor,
    now: datetime,
) -> None:
    """A message in the thread; it may be written after the decision, too."""
    found = await find(session, contract, proposal_id, by)
    said = portal.in_words(text, "Write your message.")
    if await portal.write(session, said, by, now, proposal=found.id):
        await _event(session, "measure.talked_over", found, by, now)


async def agree(
    session: AsyncSession,
    contract: Contract,
    proposal_id: int,
    number: int,
    from_on: date | None,
    by: Actor,
    now: datetime,
) -> None:
    """Agree to the newest version from a day on. `number`: the version that was read."""
    found = await find(session, contract, proposal_id, by)
    if _is_decided(found, ProposalState.AGREED, by, now) and found.from_on == from_on:
        return
    _must_be_open(found)
    newest = await _must_be_theirs(session, found, by)
    if newest.number != number:
        raise Conflict("There is a newer version: read it before you agree.")
    if from_on is None:
        raise InvalidInput("Give the day from which it is to count.")
    today = portal.today_of(contract, now)
    if not today <= from_on <= today + FURTHEST:
        raise InvalidInput("It counts from today or later: figures that are out stay as they are.")
    found.from_on = from_on
    await _decide(session, found, ProposalState.AGREED, by, now)


async def decline(
    session: AsyncSession,
    contract: Contract,
    proposal_id: int,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """Not agreed, and why."""
    found = await find(session, contract, proposal_id, by)
    said = portal.in_one_line(why, "Say why it is declined.")
    if _is_decided(found, ProposalState.DECLINED, by, now) and found.decided_why == said:
        return
    _must_be_open(found)
    await _must_be_theirs(session, found, by)
    await _decide(session, found, ProposalState.DECLINED, by, now, said)


async def withdraw(
    session: AsyncSession, contract: Contract, proposal_id: int, by: Actor, now: datetime
) -> None:
    """Whose newest version it is no longer proposes it."""
    found = await find(session, contract, proposal_id, by)
    if _is_decided(found, ProposalState.WITHDRAWN, by, now):
        return
    _must_be_open(found)
    if (await _newest(session, found)).side != portal.side_of(by):
        raise Conflict("The other side proposes this: agree, decline, or write a version.")
    await _decide(session, found, ProposalState.WITHDRAWN, by, now)


async def find(
    session: AsyncSession, contract: Contract, proposal_id: int, by: Actor, *, hold: bool = True
) -> MeasureProposal:
    """One proposal of this contract, held for this transaction."""
    act = "measure.propose"
    return await portal.found(session, MeasureProposal, proposal_id, contract, by, act, hold=hold)


# --- as pages show them --------------------------------------------------------------------------


async def listed(session: AsyncSession, contract: Contract, limit: int = MOST) -> list[Shown]:
    """What is not decided first, the newest of each first."""
    is_decided = case((col(MeasureProposal.state) == ProposalState.PROPOSED, 0), else_=1)
    rows = await session.scalars(
        select(MeasureProposal)
        .where(col(MeasureProposal.contract) == contract.key)
        .order_by(is_decided, col(MeasureProposal.id).desc())
        .limit(limit)
    )
    return await _shown(session, rows.all())


async def one(session: AsyncSession, contract: Contract, proposal_id: int, by: Actor) -> Shown:
    """One proposal with every version it had."""
    found = await find(session, contract, proposal_id, by, hold=False)
    return (await _shown(session, [found]))[0]


async def _shown(session: AsyncSession, found: Sequence[MeasureProposal]) -> list[Shown]:
    rows = await session.execute(
        select(MeasureVersion, col(User.shown_name))
        .join(User, col(User.id) == col(MeasureVersion.by_user_id))
        .where(col(MeasureVersion.proposal_id).in_([one.id for one in found]))
        .order_by(col(MeasureVersion.number))
    )
    versions: dict[int, list[Version]] = {}
    for row, who in rows:
        versions.setdefault(row.proposal_id, []).append(
            Version(
                number=row.number,
                side=row.side,
                who=who,
                at=row.at,
                why=row.why,
                name=row.name,
                question=row.question,
                means=row.means or "",
                target_kind=row.target_kind,
                target=row.target,
                target_words=row.target_words or "",
            )
        )
    return [
        Shown(
            id=one.id or 0,
            kind=one.kind,
            measure=one.measure,
            state=one.state,
            made_at=one.made_at,
            from_on=one.from_on,
            decided_at=one.decided_at,
            decided_why=one.decided_why or "",
            versions=versions[one.id or 0],
        )
        for one in found
    ]


# --- pieces --------------------------------------------------------------------------------------


def _code(contract: Contract, kind: str, measure: str, worded: Worded) -> str:
    """The measure's code: of a new one made from its name."""
    if kind != ProposalKind.NEW:
        if measure not in contract.measures:
            raise InvalidInput("Choose the measure from the list.")
        if measure.partition(".")[0] in {one.code for one in contract.reported_clocks}:
            raise InvalidInput("That is a promise of the contract: it changes with the contract.")
        return measure
    made = "_".join(re.findall(r"[a-z0-9]+", worded.name.casefold()))[:LONGEST_CODE].strip("_")
    if not _CODE.fullmatch(made):
        raise InvalidInput("Give the measure a name in words.")
    return made


async def _free(session: AsyncSession, contract: Contract, made: str) -> str:
    """The code, numbered on where the contract has it already or another proposal takes it."""
    code, number = made, 1
    while code in contract.measures or await _is_taken(session, contract, ProposalKind.NEW, code):
        number += 1
        code = f"{made[: LONGEST_CODE - 1 - len(str(number))]}_{number}"
    return code


async def _is_taken(session: AsyncSession, contract: Contract, kind: str, code: str) -> bool:
    """Whether another proposal takes it: of a new measure also one that is agreed. Asked of the
    columns that older proposals have as well, which claim nothing."""
    is_new = col(MeasureProposal.kind) == ProposalKind.NEW
    states = [ProposalState.PROPOSED]
    if kind == ProposalKind.NEW:
        states.append(ProposalState.AGREED)
    row = select(col(MeasureProposal.id)).where(
        col(MeasureProposal.contract) == contract.key,
        col(MeasureProposal.measure) == code,
        col(MeasureProposal.state).in_(states),
        is_new if kind == ProposalKind.NEW else ~is_new,
    )
    return await session.scalar(row.limit(1)) is not None


async def _sent_before(
    session: AsyncSession,
    contract: Contract,
    kind: str,
    code: str,
    wording: MeasureVersion,
    by: Actor,
    now: datetime,
) -> MeasureProposal | None:
    """The proposal that was made with these words a moment ago: then it was sent twice. A new one
    may have been numbered on since."""
    same = ("number", *WORDS)
    for one in await twins(session, wording, by, now, who="by_user_id", at="at", same=same):
        before = await session.get(MeasureProposal, one.proposal_id)
        if before is None or (before.contract, before.kind) != (contract.key, kind):
            continue
        if kind == ProposalKind.NEW or before.measure == code:
            return before
    return None


def _is_lately(user_id: int | None, at: datetime | None, by: Actor, now: datetime) -> bool:
    return user_id == by.user_id and at is not None and now - at < SENT_AGAIN


def _is_decided(found: MeasureProposal, state: str, by: Actor, now: datetime) -> bool:
    """That `by` decided so a moment ago: what comes now was sent twice."""
    return found.state == state and _is_lately(found.decided_by_id, found.decided_at, by, now)


async def _newest(session: AsyncSession, found: MeasureProposal) -> MeasureVersion:
    newest = await session.scalar(
        select(MeasureVersion)
        .where(col(MeasureVersion.proposal_id) == found.id)
        .order_by(col(MeasureVersion.number).desc())
        .limit(1)
    )
    assert newest is not None
    return newest


async def _must_be_theirs(
    session: AsyncSession, found: MeasureProposal, by: Actor
) -> MeasureVersion:
    """The newest version, which the other side wrote: nobody agrees with themself."""
    newest = await _newest(session, found)
    if newest.side == portal.side_of(by):
        raise Conflict("These are your own side's words: the other side agrees or declines.")
    return newest


async def _open(
    session: AsyncSession, contract: Contract, proposal_id: int, by: Actor
) -> MeasureProposal:
    found = await find(session, contract, proposal_id, by)
    _must_be_open(found)
    return found


def _must_be_open(found: MeasureProposal) -> None:
    if found.state != ProposalState.PROPOSED:
        raise Conflict("This is decided. Propose it anew if it should be otherwise.")


async def _decide(
    session: AsyncSession,
    found: MeasureProposal,
    state: ProposalState,
    by: Actor,
    now: datetime,
    why: str = "",
) -> None:
    found.state = state
    found.decided_at, found.decided_by_id, found.decided_why = now, by.user_id, why or None
    if not (found.kind == ProposalKind.NEW and state is ProposalState.AGREED):
        found.claim = None
    await session.flush()
    await _event(session, f"measure.{found.state}", found, by, now)


async def _event(
    session: AsyncSession,
    kind: str,
    found: MeasureProposal,
    by: Actor,
    now: datetime,
    **detail: Any,
) -> None:
    await events.record(
        session, kind, now, contract=found.contract, by=by.user_id, proposal=found.id, **detail
    )
