"""The wait for an answer to a word that was given: answered, or asked again, and at last the
director of children's services written to (000 P17, N03). Called by notices and by /duties.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.parts import Notice
from helpline.desk import events
from helpline.desk.duties import dates
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, NoticeStep
from helpline.models import Notice as Row
from helpline.rules.duties import NoticeState, SentHow
from helpline.rules.permissions import Actor, require

LONGEST_WORDS = 8000
LONGEST_WHY = 1000


async def steps_of(session: AsyncSession, notice_ids: Sequence[int]) -> dict[int, list[NoticeStep]]:
    found: dict[int, list[NoticeStep]] = {}
    if notice_ids:
        rows = await session.scalars(
            select(NoticeStep)
            .where(col(NoticeStep.notice_id).in_(notice_ids))
            .order_by(col(NoticeStep.id))
        )
        for row in rows:
            found.setdefault(row.notice_id, []).append(row)
    return found


async def wait_for(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    row: Row,
    terms: Notice,
    step: int,
    since: datetime,
) -> None:
    """The next try is due where no answer comes; the last one writes to the director."""
    clock = contract.find_clock(terms.answer_clock or "")
    if clock is None or step > max(terms.chases, 1):
        return
    deadline = await dates.start_clock(session, contract, case, clock, since)
    session.add(
        NoticeStep(
            notice_id=row.id or 0,
            step=step,
            is_last=step == terms.chases,
            deadline_id=deadline.id,
        )
    )
    await session.flush()


async def answered(
    session: AsyncSession, case: Case, notice_id: int, words: str, by: Actor, now: datetime
) -> None:
    """An answer came, and it is good enough: nobody is chased any more."""
    require(by, "duty.write", case.contract)
    row = await find(session, case, notice_id)
    if row.state != NoticeState.SENT:
        raise Conflict("It was not sent yet, so nobody can have answered it.")
    if row.answered_at is not None:
        raise Conflict("Their answer is written down already.")
    row.answer = in_a_line(words, LONGEST_WHY, "Say in a few words what they answered.")
    row.answered_at = now
    await session.flush()
    for step in (await steps_of(session, [notice_id])).get(notice_id, []):
        await dates.settle(session, case, step.deadline_id, now, by)
    await events.on_case(session, "notice.answered", case, now, by, notice=row.id, of=row.kind)


async def chase(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    notice_id: int,
    how: str,
    words: str,
    by: Actor,
    now: datetime,
) -> NoticeStep:
    """No answer, or none that will do: they were asked again, or, as the last step, the director of
    children's services was written to (000 P17). The next step's time begins."""
    require(by, "duty.write", case.contract)
    row = await find(session, case, notice_id)
    if how not in list(SentHow):
        raise InvalidInput("Choose how they were asked.")
    waiting = [
        s for s in (await steps_of(session, [notice_id])).get(notice_id, []) if not s.done_at
    ]
    if row.answered_at is not None or not waiting:
        raise Conflict("Nobody is waited for here.")
    step = waiting[-1]
    step.words = kept_copy(words)
    step.done_at, step.done_by_id, step.how = now, by.user_id, how
    await session.flush()
    await dates.settle(session, case, step.deadline_id, now, by)
    terms = next((one for one in contract.notices if one.code == row.kind), None)
    if terms is not None and not step.is_last:
        await wait_for(session, contract, case, row, terms, step.step + 1, now)
    await events.on_case(
        session, "notice.chased", case, now, by, notice=row.id, of=row.kind, step=step.step
    )
    return step


async def find(session: AsyncSession, case: Case, notice_id: int) -> Row:
    row = await session.get(Row, notice_id, with_for_update=True)
    if row is None or row.case_id != case.id:
        raise NotFound("There is no such notice on this case.")
    return row


def kept_copy(words: str) -> str:
    said = words.replace("\0", "").strip()
    if not said:
        raise InvalidInput("Write what was said, or put in the text that was sent.")
    if len(said) > LONGEST_WORDS:
        raise InvalidInput(f"Say it shorter: {LONGEST_WORDS} characters are enough.")
    return said
