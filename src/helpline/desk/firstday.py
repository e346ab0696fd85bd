"""The first hours, days and weeks: the worker's list with who did what when, and the carer's list,
printed or sent. Called by the pages of a case. A message names nothing that a locked screen may not
show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import allegations, cases, events
from helpline.desk.pathway import table_of
from helpline.errors import InvalidInput
from helpline.models import Allegation, AllegationTick, Case, Contact, Event, User
from helpline.rules import pathway as rules
from helpline.rules.permissions import Actor, require
from helpline.templating import Wording

LEGAL = "legal"
"""The topic whose signpost for carers stands in the list that is sent."""
SENT = "allegation.list_sent"


@dataclass(frozen=True)
class Tick:
    done_at: datetime
    name: str
    """Who did it."""


async def tick(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation_id: int,
    item: str,
    by: Actor,
    now: datetime,
) -> None:
    """Done. Twice is once."""
    require(by, "pathway.write", case.contract)
    await allegations.find_open(session, case, allegation_id)
    if item not in {one.code for one in table_of(contract, case.group).to_dos()}:
        raise InvalidInput("Choose something from the list.")
    if await _standing(session, allegation_id, item) is not None:
        return
    session.add(
        AllegationTick(allegation_id=allegation_id, item=item, done_at=now, by_user_id=by.user_id)
    )
    await session.flush()
    await _say(session, "allegation.done", case, now, by, allegation_id, item)


async def untick(
    session: AsyncSession, case: Case, allegation_id: int, item: str, by: Actor, now: datetime
) -> None:
    """Not done after all. That it was ticked stays on record."""
    require(by, "pathway.write", case.contract)
    await allegations.find_open(session, case, allegation_id)
    found = await _standing(session, allegation_id, item)
    if found is not None:
        found.undone_at, found.undone_by_id = now, by.user_id
        await session.flush()
        await _say(session, "allegation.undone", case, now, by, allegation_id, item)


async def ticks_of(session: AsyncSession, allegation_id: int) -> Mapping[str, Tick]:
    """Code → when it was done and by whom."""
    rows = await session.execute(
        select(col(AllegationTick.item), col(AllegationTick.done_at), col(User.shown_name))
        .join(User, col(User.id) == col(AllegationTick.by_user_id))
        .where(
            col(AllegationTick.allegation_id) == allegation_id,
            col(AllegationTick.undone_at).is_(None),
        )
    )
    return {item: Tick(done_at, name) for item, done_at, name in rows}


def lines(
    contract: Contract,
    allegation: Allegation,
    group: str,
    ticks: Mapping[str, Tick],
    now: datetime,
) -> list[rules.Line]:
    """The worker's list, what is overdue first. Its hours run from when we first knew."""
    done = {code: tick.done_at for code, tick in ticks.items()}
    return rules.first_days(
        table_of(contract, group).to_dos(allegation.track), done, allegation.aware_at, now
    )


def message(contract: Contract, wording: Wording, language: str) -> str:
    """The short list for a carer's telephone, with whom to ring: names nothing."""
    legal = [
        one.line for one in contract.signposts if LEGAL in one.topics and one.audience == "carers"
    ]
    signposts = "\n".join([*contract.first_answer_lines(), *legal])
    words = wording.of(contract.own_words)
    return words.say("first_hours", language, signposts=signposts)


async def send(
    session: AsyncSession, contract: Contract, case: Case, text: str, by: Actor, now: datetime
) -> Contact:
    """A worker sends the list, changed as they like, like any other answer of theirs; refused where
    it would say on a locked screen what it is about."""
    word = rules.gives_away(text)
    if word is not None:
        raise InvalidInput(f"Leave “{word}” out: somebody else may read this on a locked screen.")
    contact = await cases.reply(session, contract, case, text, by, now)
    await events.record(session, SENT, now, contract=case.contract, case_id=case.id, by=by.user_id)
    return contact


async def last_sent(session: AsyncSession, case_id: int) -> datetime | None:
    """When the list was last sent to the person of the case."""
    return await session.scalar(
        select(col(Event.at))
        .where(col(Event.case_id) == case_id, col(Event.kind) == SENT)
        .order_by(col(Event.id).desc())
        .limit(1)
    )


async def _standing(session: AsyncSession, allegation_id: int, item: str) -> AllegationTick | None:
    return await session.scalar(
        select(AllegationTick).where(
            col(AllegationTick.allegation_id) == allegation_id,
            col(AllegationTick.item) == item,
            col(AllegationTick.undone_at).is_(None),
        )
    )


async def _say(
    session: AsyncSession,
    what: str,
    case: Case,
    now: datetime,
    by: Actor,
    allegation_id: int,
    item: str,
) -> None:
    await events.record(
        session,
        what,
        now,
        contract=case.contract,
        case_id=case.id,
        by=by.user_id,
        allegation=allegation_id,
        item=item,
    )
