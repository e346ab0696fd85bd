"""The register of complaints: logged by anybody, read by nobody whom they are about, kept for ever.

There is no function that takes a line away. What happens to a complaint is an entry; the row says
how it stands. What is done with one is in desk/complaint_steps.py. Called by pages and by intake.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, heard, independence, kinds, owed, seeing
from helpline.desk.holding import twin
from helpline.desk.owed import Line
from helpline.desk.references import LETTERS
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import (
    Case,
    Complaint,
    ComplaintAbout,
    ComplaintEntry,
    Contact,
    Deadline,
    Person,
    User,
    metadata,
)
from helpline.rules import complaints as rules
from helpline.rules.permissions import Actor, may, require
from helpline.vocabulary import (
    CaseStatus,
    ClockStart,
    ClockStop,
    ComplainantKind,
    ComplaintKind,
    DeadlineState,
    EntryKind,
    Role,
)

REASON: Final = "complaint"
"""The reason of a case that is a complaint; every contract has it (contract/checks.py)."""
BY_HAND: Final = "worker"
"""What a case's `reason_from` says where a person chose the reason."""
LONGEST: Final = 20_000
SAME: Final = (
    *("contract", "kind", "subject", "complainant", "method", "words", "wish"),
    *("name", "reach", "person_id", "case_id", "about_case_id"),
)
"""What is alike in a complaint that was sent twice; "now" has moved on by then."""
NAMED_IN_IT = "The person named them in a complaint."
ABOUT_THEM = "It is a complaint about them."
NOT_YET_KNOWN = (
    "While it is not known whom a complaint is about, whoever supports the person does not see it."
)


@dataclass(frozen=True)
class Told:
    """A complaint as it was made. `about`: the users it is about; `about_case_id`: the case it
    arose on; `case_id`: the case that is it; `words` in the person's own words as far as
    possible."""

    kind: str
    subject: str
    complainant: str
    words: str
    received_at: datetime
    method: str
    wish: str = ""
    name: str = ""
    reach: str = ""
    person_id: int | None = None
    about_case_id: int | None = None
    case_id: int | None = None
    about: tuple[int, ...] = ()


async def log(
    session: AsyncSession, contract: Contract, told: Told, by: Actor, now: datetime
) -> Complaint:
    """Write a complaint into the register, whoever took it; its clocks run from when it came. Sent
    twice it is one complaint."""
    require(by, "complaint.log", contract.key)
    _checked(contract, told, now)
    before = await twin(
        session,
        _row(contract, told, by.user_id, now),
        by,
        now,
        who="logged_by_id",
        at="logged_at",
        same=SAME,
    )
    if before is not None:
        return before
    if told.case_id is not None and await of_case(session, told.case_id) is not None:
        raise Conflict("This case is in the register already.")
    return await _store(session, contract, told, by.user_id, now)


async def of_case(session: AsyncSession, case_id: int) -> Complaint | None:
    """The complaint that this case is."""
    return await session.scalar(select(Complaint).where(col(Complaint.case_id) == case_id))


async def hear(session: AsyncSession, contract: Contract, case: Case, contact: Contact) -> bool:
    """A message came in on a case whose reason is complaint: the case is a complaint, logged once.
    Whoever supports the person is shut out until it is known whom it is about. Whether it was
    logged now."""
    if case.reason != REASON or contract.complaints is None or not contact.body:
        return False
    await session.flush()
    known = await of_case(session, case.id or 0)
    if known is not None:
        await add(session, known, EntryKind.NOTE, contact.at, None, words=contact.body)
        named = await _named_later(session, contract, known, case, contact.body)
        await _note_named(session, known, named, contact.at)
        await _shut_out_support(session, case, contact.at)  # who they are may be known only now
        return False
    person = await session.get(Person, case.person_id)
    said = heard.Said(contact.body, contact.at, contact.method)
    if case.reason_from == BY_HAND:  # what they complained of was said before somebody saw it
        said = await heard.said_lately(session, case, LONGEST)
    told = Told(
        kind=ComplaintKind.SERVICE,
        subject=_any_subject(contract),
        complainant=who(contract, person),
        words=said.words,
        received_at=said.since,
        method=said.method,
        name=(person.name or "") if person else "",
        person_id=case.person_id,
        case_id=case.id,
    )
    named = await _named(session, contract, said.words)
    made = await _store(session, contract, replace(told, about=tuple(named)), None, contact.at)
    await _note_named(session, made, named, contact.at)
    return True


async def _shut_out_support(session: AsyncSession, case: Case, now: datetime) -> None:
    for worker_id in await independence.supporting(session, case):
        await independence.shut_out(session, case, worker_id, NOT_YET_KNOWN, None, now)


async def goes_apart(
    session: AsyncSession, contract: Contract, case: Case, text: str, category: str
) -> bool:
    """Whether a message on this case is a complaint that its support worker must not be the one to
    read: it gets a case of its own. `category`: what triage took it for, "" where it may be
    danger."""
    if case.reason == REASON:
        return False
    names = False
    if category == REASON and contract.complaints is not None:
        names = bool(await _named(session, contract, text))
    return rules.sounds_like_one(text, category, names_colleague=names)


async def _named(session: AsyncSession, contract: Contract, text: str) -> list[int]:
    """The colleagues whom a complaint names. Until somebody says otherwise it is about them."""
    return rules.named_in(text, await independence.colleagues(session, contract.key))


async def _named_later(
    session: AsyncSession, contract: Contract, complaint: Complaint, case: Case, text: str
) -> list[int]:
    """Of a further message: but for whoever handles it, who is greeted there, and whose name is
    also that of whoever writes. A person may still say that it is about one of these."""
    person = await session.get(Person, case.person_id)
    own = f"{complaint.name or ''} {(person.name or '') if person else ''}"
    namesakes = rules.named_in(own, await independence.colleagues(session, contract.key))
    found = await _named(session, contract, text)
    return [one for one in found if one != complaint.handler_id and one not in namesakes]


async def _note_named(
    session: AsyncSession, complaint: Complaint, named: Sequence[int], now: datetime
) -> None:
    """They are hidden from it by their name alone, on its case and on whatever case of the person
    nobody has yet, where they would be proposed."""
    for user_id in named:
        await note_about(session, complaint, user_id, None, now)
    if not named or complaint.person_id is None:
        return
    others = await session.scalars(
        select(Case).where(
            col(Case.person_id) == complaint.person_id,
            col(Case.status) == CaseStatus.OPEN,
            col(Case.worker_id).is_(None),
            col(Case.id) != complaint.case_id,
        )
    )
    for case in others.all():
        for user_id in named:
            await independence.shut_out(session, case, user_id, NAMED_IN_IT, None, now)


async def open_case_of(session: AsyncSession, person_id: int) -> Case | None:
    """The open case that is this person's complaint, if they have one."""
    return await session.scalar(
        select(Case)
        .join(Complaint, col(Complaint.case_id) == col(Case.id))
        .where(col(Case.person_id) == person_id, col(Case.status) == CaseStatus.OPEN)
        .order_by(col(Case.id).desc())
        .limit(1)
    )


async def find(
    session: AsyncSession, actor: Actor, reference: str, *, lock: bool = False
) -> Complaint:
    """The complaint, if `actor` may see it. The same NotFound whether it is not there or not for
    them: nobody learns here that somebody complained about them."""
    query = select(Complaint).where(
        col(Complaint.reference) == reference.strip().upper(),
        *seeing.complaints(actor, metadata.tables["complaint"]),
    )
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("There is no such complaint, or it is not yours to see.")
    return found


async def listed(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], *, closed: bool, limit: int = 200
) -> Sequence[Row[Any]]:
    """Complaints that `actor` may see, what is due first at the top; closed ones the newest first:
    the row, who handles it, when the next thing is due."""
    complaint = metadata.tables["complaint"]
    due = (
        select(col(Deadline.due_at))
        .where(
            col(Deadline.complaint_id) == complaint.c.id, col(Deadline.state) == DeadlineState.OPEN
        )
        .order_by(col(Deadline.due_at))
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(complaint, col(User.shown_name).label("handler"), due.label("due_at"))
        .outerjoin(User, col(User.id) == complaint.c.handler_id)
        .where(complaint.c.contract.in_(contracts), *seeing.complaints(actor, complaint))
    )
    if closed:
        query = query.where(complaint.c.closed_at.is_not(None))
        query = query.order_by(complaint.c.closed_at.desc())
    else:
        query = query.where(complaint.c.closed_at.is_(None))
        query = query.order_by(due.is_(None), due, complaint.c.received_at)
    return (await session.execute(query.limit(limit))).all()


async def entries(session: AsyncSession, complaint: Complaint) -> Sequence[Row[Any]]:
    """Everything that happened to it, in order: the entry, who wrote it, whom it names."""
    named = metadata.tables["user"].alias("named")
    rows = await session.execute(
        select(ComplaintEntry, col(User.shown_name).label("who"), named.c.shown_name.label("named"))
        .outerjoin(User, col(User.id) == col(ComplaintEntry.by_user_id))
        .outerjoin(named, named.c.id == col(ComplaintEntry.user_id))
        .where(col(ComplaintEntry.complaint_id) == complaint.id)
        .order_by(col(ComplaintEntry.id))
    )
    return rows.all()


async def add(
    session: AsyncSession,
    complaint: Complaint,
    kind: EntryKind,
    now: datetime,
    by: Actor | None,
    *,
    words: str = "",
    code: str = "",
    user_id: int | None = None,
    at: datetime | None = None,
) -> None:
    """One more line of its history; nothing before it changes."""
    session.add(
        ComplaintEntry(
            complaint_id=complaint.id or 0,
            kind=kind,
            stage=complaint.stage,
            code=code,
            words=words or None,
            user_id=user_id,
            at=at or now,
            written_at=now,
            by_user_id=by.user_id if by else None,
        )
    )
    await session.flush()
    await events.record(
        session,
        f"complaint.{kind}",
        now,
        contract=complaint.contract,
        by=by.user_id if by else None,
        complaint=complaint.id,
        stage=complaint.stage,
    )


async def with_learning(session: AsyncSession, complaint_ids: Sequence[int]) -> frozenset[int]:
    """Those of them from which something was learnt, and written down."""
    found = await session.scalars(
        select(col(ComplaintEntry.complaint_id)).where(
            col(ComplaintEntry.complaint_id).in_(complaint_ids),
            col(ComplaintEntry.kind) == EntryKind.LEARNING,
        )
    )
    return frozenset(found)


def line_of(complaint: Complaint) -> Line:
    return Line(complaint.contract, complaint_id=complaint.id)


async def start_stage(
    session: AsyncSession, contract: Contract, complaint: Complaint, started_at: datetime
) -> None:
    """The clock of the stage it is in begins."""
    assert contract.complaints is not None
    stages = contract.complaints.stages_of(complaint.kind)
    stage = stages[min(complaint.stage, len(stages)) - 1]
    clock = contract.clock(stage.clock)
    await owed.start(session, contract, line_of(complaint), [clock], started_at)


async def start_acknowledgement(
    session: AsyncSession, contract: Contract, complaint: Complaint
) -> None:
    begins = ClockStart.COMPLAINT
    if complaint.kind == ComplaintKind.DATA:
        begins = ClockStart.DATA_COMPLAINT
    clocks = [
        clock
        for clock in contract.clocks
        if clock.starts is begins and clock.stops is ClockStop.ACKNOWLEDGEMENT
    ]
    await owed.start(session, contract, line_of(complaint), clocks, complaint.received_at)


# --- one by one ------------------------------------------------------------------------------


def _checked(contract: Contract, told: Told, now: datetime) -> None:
    if contract.complaints is None:
        raise InvalidInput("This contract has no complaints procedure in its file.")
    if not told.words.strip():
        raise InvalidInput("Write down what they say, in their own words as far as you can.")
    if len(told.words) > LONGEST:
        raise InvalidInput(f"That is too long: {LONGEST:,} characters are enough.")
    if told.kind not in list(ComplaintKind):
        raise InvalidInput("Say whose complaint it is to answer: ours, or the council's.")
    if told.subject not in [subject.code for subject in contract.complaints.subjects]:
        raise InvalidInput("Choose what it is about.")
    if told.complainant not in list(ComplainantKind):
        raise InvalidInput("Choose who complains.")
    if told.method not in [method.code for method in contract.methods]:
        raise InvalidInput("Choose how it came.")
    if told.received_at > now:
        raise InvalidInput("That time has not come yet: say when it came.")
    if not any(contract.complaints.stages_of(told.kind)):
        raise InvalidInput("This contract has no stages for that kind of complaint.")


async def _store(
    session: AsyncSession,
    contract: Contract,
    told: Told,
    by_id: int | None,
    now: datetime,
) -> Complaint:
    complaint = _row(contract, told, by_id, now)
    complaint.reference = await _free_reference(session)
    session.add(complaint)
    await session.flush()
    by = None if by_id is None else Actor(by_id, "", Role.WORKER, None)
    await add(session, complaint, EntryKind.LOGGED, now, by, code=told.subject)
    if told.case_id is not None:
        await kinds.note_done(session, told.case_id, "logged", by_id, now)
    await start_acknowledgement(session, contract, complaint)
    await start_stage(session, contract, complaint, told.received_at)
    for user_id in dict.fromkeys(told.about):
        await note_about(session, complaint, user_id, by, now)
    case = await session.get(Case, told.case_id) if told.case_id is not None else None
    if case is not None:
        await _shut_out_support(session, case, now)
    await _name_the_officer(session, complaint, now)
    return complaint


def _row(contract: Contract, told: Told, by_id: int | None, now: datetime) -> Complaint:
    return Complaint(
        reference="",
        contract=contract.key,
        kind=told.kind,
        subject=told.subject,
        complainant=told.complainant,
        name=in_a_line(told.name, 200) or None,
        reach=in_a_line(told.reach, 300) or None,
        person_id=told.person_id,
        case_id=told.case_id,
        about_case_id=told.about_case_id,
        method=told.method,
        words=told.words.strip(),
        wish=in_a_line(told.wish, 1000) or None,
        received_at=told.received_at,
        logged_at=now,
        logged_by_id=by_id,
        stage_since=told.received_at,
    )


async def note_about(
    session: AsyncSession, complaint: Complaint, user_id: int, by: Actor | None, now: datetime
) -> None:
    """It is about this colleague: from now on it is not there for them, nor the case that it is.
    What a person has taken back is not said again by itself (`by` None)."""
    user = await session.get(User, user_id)
    if user is None:
        raise InvalidInput("Choose a colleague from the list.")
    held = await _about(session, complaint, user_id)
    if held is not None and (held.ended_at is None or by is None):
        return
    if held is None:
        held = ComplaintAbout(complaint_id=complaint.id or 0, user_id=user_id, since=now)
        session.add(held)
    held.since, held.by_user_id, held.ended_at = now, by.user_id if by else None, None
    await add(session, complaint, EntryKind.ABOUT, now, by, user_id=user_id)
    case = await session.get(Case, complaint.case_id) if complaint.case_id else None
    if case is not None:
        await independence.shut_out(session, case, user_id, ABOUT_THEM, by, now)
    if complaint.handler_id == user_id:
        complaint.handler_id = None
        await session.flush()


async def note_not_about(
    session: AsyncSession, complaint: Complaint, user_id: int, by: Actor, now: datetime
) -> None:
    """It is not about this colleague after all. They see it again, and what they were shut out of
    by it alone; whoever supports the person stays shut out of the case that it is."""
    held = await _about(session, complaint, user_id)
    if held is None or held.ended_at is not None:
        raise InvalidInput("Choose somebody whom it is said to be about.")
    held.ended_at = now
    await add(session, complaint, EntryKind.NOT_ABOUT, now, by, user_id=user_id)
    case = await session.get(Case, complaint.case_id) if complaint.case_id else None
    if case is not None and user_id not in await independence.supporting(session, case):
        its_case = col(Case.id) == case.id
        await independence.let_in(session, its_case, user_id, [ABOUT_THEM], by, now)
    if complaint.person_id is not None:
        theirs = col(Case.person_id) == complaint.person_id
        await independence.let_in(session, theirs, user_id, [NAMED_IN_IT], by, now)


async def _about(
    session: AsyncSession, complaint: Complaint, user_id: int
) -> ComplaintAbout | None:
    """The row that says so, also where it was taken back."""
    return await session.scalar(
        select(ComplaintAbout).where(
            col(ComplaintAbout.complaint_id) == complaint.id,
            col(ComplaintAbout.user_id) == user_id,
        )
    )


async def _name_the_officer(session: AsyncSession, complaint: Complaint, now: datetime) -> None:
    """Where exactly one complaints officer may handle it, it is theirs from the first minute."""
    found = [
        user
        for user, why in await independence.handlers(session, complaint.contract, complaint)
        if user.role == Role.COMPLAINTS and not why
    ]
    if len(found) == 1:
        complaint.handler_id = found[0].id
        await add(session, complaint, EntryKind.NAMED, now, None, user_id=found[0].id)


def _any_subject(contract: Contract) -> str:
    assert contract.complaints is not None
    codes = [subject.code for subject in contract.complaints.subjects]
    return "other" if "other" in codes else codes[-1]


def who(contract: Contract, person: Person | None) -> ComplainantKind:
    """Who somebody is to a register, by the group they are in."""
    if person is None:
        return ComplainantKind.OTHER
    if contract.feedback is not None and person.group in contract.feedback.child_groups:
        return ComplainantKind.CHILD
    counted = {group.code: group.counts_as for group in contract.groups}
    return {
        "carer": ComplainantKind.CARER,
        "family": ComplainantKind.FAMILY,
        "professional": ComplainantKind.PROFESSIONAL,
    }.get(counted.get(person.group, ""), ComplainantKind.OTHER)


async def _free_reference(session: AsyncSession) -> str:
    while True:
        reference = f"C-{''.join(secrets.choice(LETTERS) for _ in range(6))}"
        taken = select(col(Complaint.id)).where(col(Complaint.reference) == reference)
        if await session.scalar(taken) is None:
            return reference


def may_read(actor: Actor, contract: str) -> bool:
    return may(actor, "complaint.read", contract)
