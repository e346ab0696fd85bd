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

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, portal
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import MeasureProposal, MeasureVersion, PortalMessage, User
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import ProposalKind, ProposalState, TargetKind

LONGEST_NAME: Final = 160
LARGEST: Final = 100_000
FURTHEST: Final = timedelta(days=3 * 366)
MOST: Final = 200
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True)
class Worded:
    """A measure as somebody typed it. `target`: a number as text, or words."""

    why: str
    name: str
    question: str
    means: str = ""
    target_kind: str = ""
    target: str = ""


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
    if kind != ProposalKind.NEW and await _open_one(session, contract, code):
        raise Conflict("Something is proposed for this measure already: write a version of that.")
    if kind == ProposalKind.END:
        known = contract.measure(code)
        worded = Worded(worded.why, known.name, known.question)
    made = MeasureProposal(
        contract=contract.key,
        kind=kind,
        measure=code,
        state=ProposalState.PROPOSED,
        made_at=now,
        made_by_id=by.user_id,
    )
    session.add(made)
    await session.flush()
    await _version(session, made, 1, worded, by, now)
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
    last = await session.scalar(
        select(func.max(col(MeasureVersion.number))).where(
            col(MeasureVersion.proposal_id) == found.id
        )
    )
    number = (last or 0) + 1
    await _version(session, found, number, worded, by, now)
    await _event(session, "measure.reworded", found, by, now, number=number)


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
    session.add(
        PortalMessage(
            proposal_id=found.id,
            side=portal.side_of(by),
            text=said,
            at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()
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
    found = await _open(session, contract, proposal_id, by)
    newest = await _must_be_theirs(session, found, by)
    if newest.number != number:
        raise Conflict("There is a newer version: read it before you agree.")
    if from_on is None:
        raise InvalidInput("Give the day from which it is to count.")
    today = portal.today_of(contract, now)
    if not today <= from_on <= today + FURTHEST:
        raise InvalidInput("It counts from today or later: figures that are out stay as they are.")
    found.state, found.from_on = ProposalState.AGREED, from_on
    await _decide(session, found, by, now, "")


async def decline(
    session: AsyncSession,
    contract: Contract,
    proposal_id: int,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """Not agreed, and why."""
    found = await _open(session, contract, proposal_id, by)
    await _must_be_theirs(session, found, by)
    said = portal.in_one_line(why, "Say why it is declined.")
    found.state = ProposalState.DECLINED
    await _decide(session, found, by, now, said)


async def withdraw(
    session: AsyncSession, contract: Contract, proposal_id: int, by: Actor, now: datetime
) -> None:
    """Whose newest version it is no longer proposes it."""
    found = await _open(session, contract, proposal_id, by)
    if (await _newest(session, found)).side != portal.side_of(by):
        raise Conflict("The other side proposes this: agree, decline, or write a version.")
    found.state = ProposalState.WITHDRAWN
    await _decide(session, found, by, now, "")


async def find(
    session: AsyncSession, contract: Contract, proposal_id: int, by: Actor
) -> MeasureProposal:
    """One proposal of this contract, held for this transaction."""
    found = await session.get(
        MeasureProposal, proposal_id, with_for_update=True, populate_existing=True
    )
    is_here = found is not None and found.contract == contract.key
    if found is None or not is_here or not may(by, "measure.propose", contract.key):
        raise NotFound("There is no such proposal, or it is not yours to see.")
    return found


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
    found = await session.get(MeasureProposal, proposal_id)
    is_here = found is not None and found.contract == contract.key
    if found is None or not is_here or not may(by, "measure.propose", contract.key):
        raise NotFound("There is no such proposal, or it is not yours to see.")
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
    made = "_".join(re.findall(r"[a-z0-9]+", worded.name.casefold()))[:40].strip("_")
    if not _CODE.fullmatch(made):
        raise InvalidInput("Give the measure a name in words.")
    code, number = made, 2
    while code in contract.measures:
        code, number = f"{made[:37]}_{number}", number + 1
    return code


async def _version(
    session: AsyncSession,
    found: MeasureProposal,
    number: int,
    worded: Worded,
    by: Actor,
    now: datetime,
) -> None:
    kind, target, words = _target(worded)
    session.add(
        MeasureVersion(
            proposal_id=found.id or 0,
            number=number,
            side=portal.side_of(by),
            why=portal.in_words(worded.why, "Say why, in a sentence or two."),
            name=portal.in_one_line(worded.name, "Give the measure a name.", LONGEST_NAME),
            question=portal.in_one_line(worded.question, "Write the question that it answers."),
            means=portal.in_words(worded.means) or None,
            target_kind=kind,
            target=target,
            target_words=words or None,
            at=now,
            by_user_id=by.user_id,
        )
    )
    await session.flush()


def _target(worded: Worded) -> tuple[str, float | None, str]:
    kind = worded.target_kind
    if not kind:
        return "", None, ""
    if kind not in list(TargetKind):
        raise InvalidInput("Choose what kind of target it has, or none.")
    if kind == TargetKind.WORDS:
        return kind, None, portal.in_one_line(worded.target, "Write the target in words.")
    try:
        number = float(worded.target.strip().removesuffix("%").strip())
    except ValueError:
        number = -1.0
    if not 0 <= number <= LARGEST:
        raise InvalidInput("Write the target as a number, for example 95.")
    return kind, round(number, 2), ""


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
    if found.state != ProposalState.PROPOSED:
        raise Conflict("This is decided. Propose it anew if it should be otherwise.")
    return found


async def _open_one(session: AsyncSession, contract: Contract, code: str) -> bool:
    row = select(col(MeasureProposal.id)).where(
        col(MeasureProposal.contract) == contract.key,
        col(MeasureProposal.measure) == code,
        col(MeasureProposal.state) == ProposalState.PROPOSED,
    )
    return await session.scalar(row.limit(1)) is not None


async def _decide(
    session: AsyncSession, found: MeasureProposal, by: Actor, now: datetime, why: str
) -> None:
    found.decided_at, found.decided_by_id, found.decided_why = now, by.user_id, why or None
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
