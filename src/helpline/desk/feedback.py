"""How it was, asked of people by their own channel, and what they answer with one digit (A66, A73).

`ask_all` is called by the job "feedback", `heard` by intake before anything else is made of a
message, the rest by pages. What is asked leaves like every message, so safe contact holds for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import blocks, cases, complaints, events, safety, turns
from helpline.errors import InvalidInput
from helpline.models import (
    Address,
    Case,
    Contact,
    Conversation,
    Event,
    FeedbackAsk,
    FeedbackRefusal,
    Person,
)
from helpline.rules import asking
from helpline.rules import safety as safe
from helpline.rules.permissions import Actor, require
from helpline.templating import Wording
from helpline.vocabulary import (
    OWN_PAGES,
    AskedWhy,
    CaseKind,
    CaseStatus,
    ContactKind,
    Step,
    Urgency,
)

AT_ONCE: Final = 50
LOOKED_AT: Final = 500
"""Cases in one beat: most of them cannot be asked."""
COMMENT_WITHIN: Final = timedelta(hours=48)
LONGEST: Final = 5_000
WHAT: Final = "feedback"
"""What a contact is that answers our question."""


@dataclass(frozen=True)
class Answer:
    """What a message is to the question that waits: a score, a refusal (0), or a comment."""

    ask_id: int
    score: int | None
    comment: str = ""


async def ask_all(
    session: AsyncSession, contract: Contract, wording: Wording, now: datetime
) -> int:
    """Ask whoever's occasion has come and may be asked now. Returns how many were."""
    if contract.feedback is None:
        return 0
    turn = await turns.take(session, f"feedback:{contract.key}", now)
    if turn is None:
        return 0
    terms, asked, looked_at = terms_of(contract), 0, list[int | None]()
    found = await _candidates(session, contract, terms, now, turn.last_id)
    for case in found:
        looked_at.append(case.id)
        facts = await facts_of(session, contract, case, now)
        why = asking.occasion(facts, terms, now)
        if why is None or asking.why_not(facts, terms, now, contract.zone):
            continue
        await _ask(session, contract, wording, case, why, now)
        asked += 1
        if asked == AT_ONCE:
            break
    turns.end(turn, looked_at, len(found), LOOKED_AT)
    await session.flush()
    return asked


def terms_of(contract: Contract) -> asking.Terms:
    given = contract.feedback
    assert given is not None
    return asking.Terms(
        not_again=timedelta(days=given.not_again_days),
        later=timedelta(days=given.later_days),
        ongoing=timedelta(days=given.ongoing_days),
        crisis=timedelta(days=given.crisis_days),
        pathway=timedelta(days=given.pathway_days),
        opens=given.opens,
        closes=given.closes,
    )


async def _candidates(
    session: AsyncSession, contract: Contract, terms: asking.Terms, now: datetime, after: int
) -> Sequence[Case]:
    """Cases whose occasion lasts now and has not been used, by id `after` the last that had its
    turn: complaints are not among them."""
    closed, day = col(Case.closed_at), timedelta(days=1)
    just = closed.between(now - day - asking.LASTS, now - day)
    later = closed.between(now - terms.later - asking.LASTS, now - terms.later)
    used = select(col(FeedbackAsk.why)).where(col(FeedbackAsk.case_id) == col(Case.id))
    of = [used.where(col(FeedbackAsk.why) == why).exists() for why in AskedWhy]
    by_why = dict(zip(AskedWhy, of, strict=True))
    found = await session.scalars(
        select(Case)
        .where(
            col(Case.contract) == contract.key,
            col(Case.reason) != complaints.REASON,
            col(Case.import_key).is_(None),  # nobody is asked about a past log
            col(Case.id) > after,
            or_(
                just & ~by_why[AskedWhy.CLOSING],
                later & ~by_why[AskedWhy.LATER],
                (col(Case.status) == CaseStatus.OPEN)
                & (col(Case.opened_at) <= now - terms.ongoing)
                & ~by_why[AskedWhy.ONGOING],
            ),
        )
        .order_by(col(Case.id))
        .limit(LOOKED_AT)
    )
    return found.all()


async def facts_of(
    session: AsyncSession, contract: Contract, case: Case, now: datetime
) -> asking.Facts:
    """What rules/asking.py decides from, of this case and its person's others."""
    theirs = (
        await session.scalars(
            select(Case).where(
                col(Case.person_id) == case.person_id, col(Case.contract) == contract.key
            )
        )
    ).all()
    open_ones = [one for one in theirs if one.status == CaseStatus.OPEN]
    accusing = {reason.code for reason in contract.reasons if reason.allegation}
    accused = [
        one.opened_at
        for one in open_ones
        if CaseKind(one.kind).is_pathway or one.reason.partition(".")[0] in accusing
    ]
    asks = await session.execute(
        select(col(FeedbackAsk.asked_at), col(FeedbackAsk.why), col(FeedbackAsk.case_id)).where(
            col(FeedbackAsk.person_id) == case.person_id
        )
    )
    rows = asks.all()
    return asking.Facts(
        opened_at=case.opened_at,
        closed_at=case.closed_at if case.status == CaseStatus.CLOSED else None,
        last_asked_at=max((row.asked_at for row in rows), default=None),
        asked=frozenset(AskedWhy(row.why) for row in rows if row.case_id == case.id),
        said_no=await has_refused(session, case.person_id),
        worst=max((Urgency(one.urgency) for one in open_ones), key=_rank, default=Urgency.LOW),
        frightened_at=await _frightened_at(session, theirs, now),
        accused_at=max(accused, default=None),
        is_busy=await _is_busy(session, case.person_id),
        has_way=await _way(session, contract, case, now) is not None,
    )


def _rank(urgency: Urgency) -> int:
    return urgency.rank


async def _frightened_at(
    session: AsyncSession, theirs: Sequence[Case], now: datetime
) -> datetime | None:
    """When one of their cases last became urgent or an emergency, or was closed as one."""
    high = (Urgency.URGENT, Urgency.EMERGENCY)
    raised = await session.scalar(
        select(func.max(col(Event.at))).where(
            col(Event.case_id).in_([one.id for one in theirs]),
            col(Event.kind) == "case.urgency_raised",
        )
    )
    worst = [one.closed_at or one.opened_at for one in theirs if one.urgency in high]
    return max([*worst, *([raised] if raised else [])], default=None)


async def _is_busy(session: AsyncSession, person_id: int) -> bool:
    """Whether a question of ours waits at one of their addresses: a digit would answer that one."""
    waiting = (Step.WHO, Step.REASON, Step.DANGER, Step.DANGER_FIRST, Step.WHO_LAST)
    found = await session.scalar(
        select(col(Conversation.id))
        .join(Address, col(Address.id) == col(Conversation.address_id))
        .where(
            col(Address.person_id) == person_id,
            col(Conversation.step).in_(waiting),
            ~col(Conversation.questions_off),
        )
        .limit(1)
    )
    return found is not None


async def _way(
    session: AsyncSession, contract: Contract, case: Case, now: datetime
) -> Address | None:
    """Where they may be asked now: the address they use, if their own rules allow it and words
    about the helpline may be read there; nobody is asked on our own pages, which they have left."""
    address = await cases.reply_address(session, case)
    if address is None or address.opted_out_at is not None or address.bad_since is not None:
        return None
    if address.person_id != case.person_id or address.channel in (*OWN_PAGES, "voice"):
        return None
    if await blocks.blocked_until(session, address.id, now) is not None:
        return None
    rules = await safety.rules_of(session, case.person_id)
    is_mobile = safety.is_mobile(address.value)
    judged = safe.judge(rules, address.channel, is_mobile, now, contract.zone)
    return address if judged.may and not judged.is_neutral else None


async def _ask(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    case: Case,
    why: AskedWhy,
    now: datetime,
) -> None:
    address = await _way(session, contract, case, now)
    person = await session.get(Person, case.person_id)
    assert address is not None
    assert contract.feedback is not None
    is_child = case.group in contract.feedback.child_groups
    body = wording.of(contract.own_words).say(
        "feedback_ask_child" if is_child else "feedback_ask",
        person.language if person else "en",
        us=contract.called.us,
    )
    session.add(
        FeedbackAsk(
            contract=contract.key,
            person_id=case.person_id,
            case_id=case.id,
            why=why,
            wording="child" if is_child else "adult",
            address_id=address.id,
            channel=address.channel,
            asked_at=now,
            open_until=now + timedelta(days=contract.feedback.open_days),
        )
    )
    keys = asking.CHILD_KEYS if is_child else asking.KEYS
    await cases.send_to_person(
        session,
        contract,
        case,
        address,
        body,
        now,
        kind=ContactKind.AUTOMATIC,
        choices="|".join(f"{key[:2]}{key[2:].capitalize()}" for key in keys),
    )
    await events.record(
        session, "feedback.asked", now, contract=contract.key, case_id=case.id, why=why
    )


# --- the answer --------------------------------------------------------------------------------


async def heard(
    session: AsyncSession, case: Case, address: Address, step: Step, text: str, now: datetime
) -> Answer | None:
    """What a message is to our question; None: it is none of an answer and is heard like any. Looks
    nothing up unless the message can be one."""
    score = asking.score_in(text)
    is_closed = case.status == CaseStatus.CLOSED
    if (score is None and not is_closed) or step.asks_who or step is Step.REASON:
        return None
    ask = await session.scalar(
        select(FeedbackAsk)
        .where(col(FeedbackAsk.address_id) == address.id, col(FeedbackAsk.open_until) > now)
        .order_by(col(FeedbackAsk.id).desc())
        .limit(1)
    )
    if ask is None or ask.id is None:
        return None
    if ask.score is None:
        return None if score is None else Answer(ask.id, score)
    is_fresh = ask.answered_at is not None and now - ask.answered_at < COMMENT_WITHIN
    if score is not None or not is_closed or ask.comment or not is_fresh:
        return None
    return Answer(ask.id, None, text)


async def take(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    case: Case,
    address: Address,
    contact: Contact,
    answer: Answer,
) -> None:
    """Write the answer down and say thank you; a closed case stays closed. The case shows that they
    answered and not what: whoever supports them need not read it. Reports count no contact."""
    now = contact.at
    contact.what, contact.body = WHAT, None
    ask = await session.get(FeedbackAsk, answer.ask_id, with_for_update=True)
    assert ask is not None
    if answer.score == 0:
        await refuse(session, contract, case.person_id, None, now)
        ask.open_until, said = now, "feedback_refused"
    elif answer.score is not None:
        ask.score, ask.answered_at, said = answer.score, now, "feedback_scored"
    else:
        ask.comment, ask.commented_at, said = answer.comment[:LONGEST], now, "feedback_thanks"
    await session.flush()
    await events.record(
        session, "feedback.answered", now, contract=contract.key, case_id=case.id, score=ask.score
    )
    person = await session.get(Person, case.person_id)
    words = wording.of(contract.own_words)
    body = words.say(said, person.language if person else "en", child=ask.wording == "child")
    await cases.send_to_person(
        session, contract, case, address, body, now, kind=ContactKind.AUTOMATIC
    )


async def refuse(
    session: AsyncSession, contract: Contract, person_id: int, by: Actor | None, now: datetime
) -> None:
    """They do not want to be asked."""
    if await has_refused(session, person_id):
        return
    session.add(
        FeedbackRefusal(
            contract=contract.key,
            person_id=person_id,
            at=now,
            by_user_id=by.user_id if by else None,
        )
    )
    await session.flush()


async def has_refused(session: AsyncSession, person_id: int) -> bool:
    found = select(col(FeedbackRefusal.id)).where(
        col(FeedbackRefusal.person_id) == person_id, col(FeedbackRefusal.ended_at).is_(None)
    )
    return await session.scalar(found.limit(1)) is not None


async def record(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    score: int | None,
    comment: str,
    refuses: bool,
    by: Actor,
    now: datetime,
) -> None:
    """What somebody said of the service on the telephone or face to face: not everybody writes."""
    require(by, "feedback.record", contract.key)
    if refuses:
        await refuse(session, contract, case.person_id, by, now)
        await session.execute(
            update(FeedbackAsk)
            .where(col(FeedbackAsk.person_id) == case.person_id, col(FeedbackAsk.score).is_(None))
            .values(open_until=now)
        )
        return
    if score is None or not 1 <= score <= 5:
        raise InvalidInput("Choose a number from 1 to 5, or that they do not want to be asked.")
    if len(comment) > LONGEST:
        raise InvalidInput(f"That is too long: {LONGEST:,} characters are enough.")
    assert contract.feedback is not None
    known = await session.scalar(
        select(FeedbackAsk).where(
            col(FeedbackAsk.case_id) == case.id,
            col(FeedbackAsk.person_id) == case.person_id,
            col(FeedbackAsk.why) == AskedWhy.BY_HAND,
        )
    )
    if known is not None:
        raise InvalidInput("What they say of this case is written down already.")
    session.add(
        FeedbackAsk(
            contract=contract.key,
            person_id=case.person_id,
            case_id=case.id,
            why=AskedWhy.BY_HAND,
            wording="child" if case.group in contract.feedback.child_groups else "adult",
            asked_at=now,
            open_until=now,
            asked_by_id=by.user_id,
            score=score,
            answered_at=now,
            comment=comment.strip() or None,
            commented_at=now if comment.strip() else None,
        )
    )
    await session.flush()
    await events.record(
        session,
        "feedback.recorded",
        now,
        contract=contract.key,
        case_id=case.id,
        by=by.user_id,
        score=score,
    )
