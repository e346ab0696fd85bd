"""Safe contact: what a person asked for, and holding to it when a message is about to leave.

`verdict` is asked by outbox.claim, inside the claim's transaction, so nothing can change between
the question and the answer. Pages call `set_rules`.
"""

from dataclasses import replace
from datetime import datetime

import phonenumbers
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.models import Address, Case, OutMessage, Person, SafeContact, Task
from helpline.rules import own_page, safety
from helpline.rules.permissions import Actor, require
from helpline.rules.safety import SafeRules, Verdict
from helpline.templating import Wording
from helpline.vocabulary import TaskKind


async def rules_of(session: AsyncSession, person_id: int) -> SafeRules:
    """The newest rules of a person; empty ones where they asked for nothing."""
    found = await session.scalar(
        select(SafeContact)
        .where(col(SafeContact.person_id) == person_id)
        .order_by(col(SafeContact.id).desc())
        .limit(1)
    )
    return safety.read(found.rules) if found else SafeRules()


async def set_rules(
    session: AsyncSession, case: Case, rules: SafeRules, by: Actor, now: datetime
) -> None:
    """Take down how the person of `case` may be reached. Earlier rules stay on record."""
    require(by, "case.reply", case.contract)
    await _keep(session, case.person_id, rules, case.contract, case.id, by.user_id, now)


async def ask_themself(session: AsyncSession, case: Case, wished: SafeRules, now: datetime) -> bool:
    """The person says on their own page how they may be reached. What only makes it safer holds at
    once. Anything else is a worker's to ask them about, because whoever holds the telephone is not
    always who it belongs to: then nothing changes, and it is False."""
    held = await rules_of(session, case.person_id)
    if wished == held:
        return True
    if own_page.is_only_stricter(wished, held):
        await _keep(session, case.person_id, wished, case.contract, case.id, None, now)
        return True
    waiting = select(Task).where(
        col(Task.case_id) == case.id,
        col(Task.detail) == "safe_contact",
        col(Task.done_at).is_(None),
    )
    task = await session.scalar(waiting.limit(1)) or Task(
        contract=case.contract,
        case_id=case.id or 0,
        kind=TaskKind.GIVEN,
        detail="safe_contact",
        created_at=now,
    )
    task.what = (
        "On their own page they asked to be reached in a way that is less strict than now: "
        f"{safety.said(wished)}. Ask them, by a way that is safe, whether it was them; then put it "
        "under safe contact."
    )
    session.add(task)
    await session.flush()
    await events.record(session, "page.contact_asked", now, contract=case.contract, case_id=case.id)
    return False


async def stricter_of(session: AsyncSession, one_id: int, other_id: int) -> SafeRules:
    """The rules of two records that are one person: where both asked for something, the stricter,
    and of what cannot be compared (a code name) the newer."""
    query = select(SafeContact).order_by(col(SafeContact.id).desc()).limit(1)
    found = [
        await session.scalar(query.where(col(SafeContact.person_id) == id_))
        for id_ in (one_id, other_id)
    ]
    newest_first = sorted((row for row in found if row), key=lambda row: row.id or 0, reverse=True)
    both = SafeRules()
    for row in newest_first:
        both = safety.stricter(both, safety.read(row.rules))
    return both


async def hold_to(
    session: AsyncSession, person_id: int, rules: SafeRules, by_id: int | None, now: datetime
) -> None:
    """From now on this person is reached by these rules, if they are not already."""
    if rules != await rules_of(session, person_id):
        of = await session.scalar(select(col(Person.contract)).where(col(Person.id) == person_id))
        await _keep(session, person_id, rules, of, None, by_id, now)


async def not_here(session: AsyncSession, case: Case, channel: str, now: datetime) -> None:
    """They asked not to be written to on this way. It holds until somebody agrees another with
    them; what else they asked for stays."""
    known = await rules_of(session, case.person_id)
    rules = replace(
        known,
        neutral_only=True,
        not_by=tuple(sorted({*known.not_by, channel})),
        also_by=tuple(way for way in known.also_by if way != channel),
    )
    if rules != known:
        await _keep(session, case.person_id, rules, case.contract, case.id, None, now)


async def _keep(
    session: AsyncSession,
    person_id: int,
    rules: SafeRules,
    contract: str | None,
    case_id: int | None,
    by_id: int | None,
    now: datetime,
) -> None:
    """What holds from now on, and that it was set."""
    written = safety.written(rules)
    session.add(SafeContact(person_id=person_id, rules=written, set_at=now, by_user_id=by_id))
    await session.flush()
    await events.record(
        session,
        "person.safe_contact_set",
        now,
        contract=contract,
        case_id=case_id,
        by=by_id,
        hours=rules.begins is not None,
        neutral_only=rules.neutral_only,
        no_voicemail=rules.no_voicemail,
        not_by=list(rules.not_by),
        also_by=list(rules.also_by),
    )


async def verdict(
    session: AsyncSession, contract: Contract, message: OutMessage, now: datetime
) -> tuple[Verdict, SafeRules]:
    """What the rules of the person behind `message` say; staff's own phones have none."""
    if message.address_id is None:
        return Verdict(True), SafeRules()
    address = await session.get(Address, message.address_id)
    if address is None:
        return Verdict(True), SafeRules()
    rules = await rules_of(session, address.person_id)
    judged = safety.judge(rules, message.channel, is_mobile(message.recipient), now, contract.zone)
    return judged, rules


def neutral_words(wording: Wording, rules: SafeRules) -> str:
    """What leaves instead of the real words: nothing that a stranger could make something of."""
    return wording.say("neutral", code_name=rules.code_name)


def is_mobile(number: str) -> bool:
    """Whether a text to `number` is shown on a screen and not read aloud. Ofcom's numbers for
    drama count as the mobiles they stand for."""
    try:
        parsed = phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        return False
    if parsed.country_code == 44 and str(parsed.national_number).startswith("7700900"):
        return True
    kind = phonenumbers.number_type(parsed)
    return kind in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )
