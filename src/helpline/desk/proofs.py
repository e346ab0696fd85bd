"""The proof that each carer was told how to complain about us, and of the council's own policy
(A77, A78): when they are first known, when they say they want to complain, and, when a lead says
so, everybody on the list who has not been told.

Each proof names the version of the words and the message that carried it; what could not be
delivered is no proof. Called by the page of proofs and the case's, and by engine/giving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import cases, consents, events, library, outbox, seeing, turns
from helpline.errors import Conflict, InvalidInput
from helpline.models import (
    Address,
    Case,
    LibraryVersion,
    Membership,
    OutMessage,
    Person,
    PolicyProof,
    PolicyRound,
    metadata,
)
from helpline.rules import audience
from helpline.rules.permissions import Actor, require
from helpline.rules.safety import SafeRules
from helpline.templating import Wording
from helpline.vocabulary import (
    CaseKind,
    CaseStatus,
    ContactKind,
    Identity,
    OutState,
    ProofWhy,
)

HANDED = "handed"
AT_ONCE = 50
"""Cases about a complaint looked at in one beat."""
ASKED_WITHIN = timedelta(days=30)
"""How long after a case about a complaint began its person is still sent the policies by itself."""
PERSON = metadata.tables["person"]


@dataclass(frozen=True)
class Missing:
    """A carer without a proof, as far as the reader may see them. `has_way`: we could write."""

    person_id: int
    name: str
    has_way: bool


@dataclass(frozen=True)
class Told:
    """One proof as a person's page shows it; `state` of the message, "" for paper."""

    document: str
    number: int
    version_id: int
    why: str
    how: str
    at: datetime
    state: str

    @property
    def is_proof(self) -> bool:
        return self.state not in (OutState.FAILED, OutState.HELD)


async def send_due(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    site: str,
    now: datetime,
    left: int,
) -> int:
    """Send the two policies to whoever is owed them now, `left` people at most: first those who
    said they want to complain, then those who became known, then the rest while a round goes on.
    Nothing goes in a crisis or outside the contract's hours for news. Returns how many."""
    words = await _words(session, contract)
    if words is None or contract.complaints is None or left <= 0:
        return 0
    sent = 0
    if "on_request" in contract.complaints.told:
        sent += await _to_those_who_asked(session, contract, wording, site, words, now, left)
    listed: list[tuple[int, ProofWhy]] = []
    if "on_joining" in contract.complaints.told:
        listed += [(one, ProofWhy.JOINING) for one in await _known(session, contract)]
    running = await round_of(session, contract.key)
    if running is not None:
        owed = await _owed(session, contract)
        known = {one for one, _ in listed}
        listed += [(one, ProofWhy.EVERYBODY) for one in owed if one not in known]
    sent += await _to_people(session, contract, wording, site, words, listed, now, left - sent)
    if running is not None and not await _any_left(session, contract, now):
        running.ended_at = now
        await session.flush()
    return sent


async def note_handed(
    session: AsyncSession, contract: Contract, case: Case, by: Actor, now: datetime
) -> None:
    """They were given both on paper, or had them read out."""
    require(by, "case.reply", contract.key)
    words = await _words(session, contract)
    if words is None:
        raise InvalidInput("The two policies are not in the library yet: write them there first.")
    key = f"handed:{case.id}"
    if await _has(session, _key(words[0], case.person_id, key)):
        raise Conflict("That is written down already.")
    await _prove(session, contract, words, case.person_id, key, ProofWhy.REQUEST, HANDED, now)
    await events.record(
        session,
        "policies.handed",
        now,
        contract=contract.key,
        case_id=case.id,
        by=by.user_id,
    )


async def begin_round(session: AsyncSession, contract: Contract, by: Actor, now: datetime) -> None:
    """Have them sent to everybody who has not been told; it goes on by itself, slowly."""
    require(by, "proof.send", contract.key)
    if await _words(session, contract) is None:
        raise InvalidInput("The two policies are not in the library yet: write them there first.")
    if await round_of(session, contract.key) is not None:
        raise Conflict("They are being sent already.")
    session.add(PolicyRound(contract=contract.key, begun_at=now, by_user_id=by.user_id))
    await session.flush()
    await events.record(session, "policies.round", now, contract=contract.key, by=by.user_id)


async def stop_round(session: AsyncSession, contract: Contract, by: Actor, now: datetime) -> None:
    require(by, "proof.send", contract.key)
    running = await round_of(session, contract.key)
    if running is None:
        raise Conflict("Nothing is being sent.")
    running.ended_at, running.ended_by_id = now, by.user_id
    await session.flush()
    await events.record(session, "policies.stopped", now, contract=contract.key, by=by.user_id)


async def round_of(session: AsyncSession, contract: str) -> PolicyRound | None:
    """The one that goes on; locked, so that two nodes do not send at the same time."""
    return await session.scalar(
        select(PolicyRound)
        .where(col(PolicyRound.contract) == contract, col(PolicyRound.ended_at).is_(None))
        .limit(1)
        .with_for_update()
    )


async def figures(session: AsyncSession, contract: Contract, until: datetime) -> tuple[int, int]:
    """How many of the carers on the list have been told by `until`, and how many there are."""
    told = select(func.count(func.distinct(col(Person.id)))).where(
        *_carers(contract), _is_told(until)
    )
    everybody = select(func.count(func.distinct(col(Person.id)))).where(*_carers(contract))
    return await session.scalar(told) or 0, await session.scalar(everybody) or 0


async def missing(
    session: AsyncSession, actor: Actor, contract: Contract, now: datetime, limit: int = 200
) -> list[Missing]:
    """Carers on the list who have not been told, by name; only those the reader may see."""
    rows = await session.execute(
        select(col(Person.id), col(Person.name))
        .where(*_carers(contract), ~_is_told(), *seeing.people(actor, PERSON))
        .order_by(col(Person.id))
        .limit(limit)
    )
    found: list[tuple[int, str]] = [(person_id or 0, name or "") for person_id, name in rows]
    readers = await consents.readers(session, [one for one, _ in found], now)
    with_way = {one.person_id for one in readers if audience.own_way(one) is not None}
    listed = [Missing(one, name, one in with_way) for one, name in found]
    return sorted(listed, key=lambda one: (one.has_way, one.name.lower()))


async def of_person(session: AsyncSession, person_id: int) -> list[Told]:
    """The newest first."""
    rows = await session.execute(
        select(PolicyProof, col(LibraryVersion.number), col(OutMessage.state))
        .join(LibraryVersion, col(LibraryVersion.id) == col(PolicyProof.version_id))
        .outerjoin(OutMessage, col(OutMessage.id) == col(PolicyProof.message_id))
        .where(col(PolicyProof.person_id) == person_id)
        .order_by(col(PolicyProof.id).desc())
    )
    return [
        Told(
            document=proof.document,
            number=number,
            version_id=proof.version_id,
            why=proof.why,
            how=proof.how,
            at=proof.at,
            state=state or "",
        )
        for proof, number, state in rows
    ]


def address_of(site: str, contract: str, document: str) -> str:
    """Where anybody can read a policy."""
    return f"{site.rstrip('/')}/policies/{contract}/{document}"


async def _to_those_who_asked(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    site: str,
    words: Sequence[LibraryVersion],
    now: datetime,
    left: int,
) -> int:
    """On the case itself, so that it stands on its timeline. Who cannot be written to now is passed
    over and has their turn again when everybody else had theirs."""
    turn = await turns.take(session, f"policies:{contract.key}", now)
    if turn is None:
        return 0
    wants = or_(
        col(Case.reason) == "complaint",
        col(Case.kind).in_([CaseKind.COMPLAINT, CaseKind.DATA_COMPLAINT]),
    )
    had = exists().where(col(PolicyProof.case_id) == col(Case.id))
    found = (
        await session.scalars(
            select(Case)
            .where(
                col(Case.contract) == contract.key,
                col(Case.status) == CaseStatus.OPEN,
                col(Case.opened_at) > now - ASKED_WITHIN,
                col(Case.import_key).is_(None),
                col(Case.id) > turn.last_id,
                exists().where(col(Address.person_id) == col(Case.person_id)),
                wants,
                ~had,
            )
            .order_by(col(Case.id))
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    ).all()
    hard = await consents.in_crisis(session, [case.person_id for case in found])
    sent, looked_at = 0, list[int | None]()
    for case in found:
        if sent >= left:
            break
        looked_at.append(case.id)
        address = await cases.reply_address(session, case)
        if case.person_id in hard or address is None or address.opted_out_at is not None:
            continue
        (reader,) = await consents.readers(session, [case.person_id], now)
        if reader.rules.neutral_only or any(way.is_blocked for way in reader.ways):
            continue
        body = _text(wording, contract, site)
        contact = await cases.send_to_person(
            session, contract, case, address, body, now, kind=ContactKind.AUTOMATIC
        )
        await session.flush()
        message = await session.scalar(
            select(col(OutMessage.id)).where(col(OutMessage.contact_id) == contact.id)
        )
        await _prove(
            session,
            contract,
            words,
            case.person_id,
            f"case:{case.id}",
            ProofWhy.REQUEST,
            address.channel,
            now,
            message_id=message,
            case_id=case.id,
        )
        sent += 1
    turns.end(turn, looked_at, len(found), AT_ONCE)
    await session.flush()
    return sent


async def _to_people(
    session: AsyncSession,
    contract: Contract,
    wording: Wording,
    site: str,
    words: Sequence[LibraryVersion],
    listed: Sequence[tuple[int, ProofWhy]],
    now: datetime,
    left: int,
) -> int:
    """By each one's own safe way, within hours, once."""
    hours, sent = contract.news, 0
    nobodys = SafeRules()
    if audience.next_hour(nobodys, now, contract.zone, hours.begins, hours.ends) is not None:
        return 0
    why = dict(listed)
    for reader in await consents.readers(session, list(why), now):
        if sent >= left:
            break
        way = audience.own_way(reader)
        later = audience.next_hour(reader.rules, now, contract.zone, hours.begins, hours.ends)
        if way is None or later is not None or reader.in_crisis or way.is_blocked:
            continue
        if await _has(session, _key(words[0], reader.person_id, "told")):
            continue  # it was sent and did not arrive: a person takes over
        address = await session.get(Address, way.address_id)
        assert address is not None
        message = await outbox.queue(
            session,
            contract.key,
            address.channel,
            address.value,
            _text(wording, contract, site),
            now,
            address_id=address.id,
        )
        await session.flush()
        await _prove(
            session,
            contract,
            words,
            reader.person_id,
            "told",
            why[reader.person_id],
            address.channel,
            now,
            message_id=message.id,
        )
        sent += 1
    return sent


async def _words(session: AsyncSession, contract: Contract) -> Sequence[LibraryVersion] | None:
    """The newest words of both; None unless both are there."""
    found = [await library.document(session, contract.key, code) for code in library.DOCUMENTS]
    both = [one for one in found if one is not None]
    return both if len(both) == len(library.DOCUMENTS) else None


def _text(wording: Wording, contract: Contract, site: str) -> str:
    own, theirs = (address_of(site, contract.key, code) for code in library.DOCUMENTS)
    return wording.say("membership.policies", us=contract.called.us, own=own, theirs=theirs)


async def _prove(
    session: AsyncSession,
    contract: Contract,
    words: Sequence[LibraryVersion],
    person_id: int,
    occasion: str,
    why: ProofWhy,
    how: str,
    now: datetime,
    *,
    message_id: int | None = None,
    case_id: int | None = None,
) -> None:
    for code, one in zip(library.DOCUMENTS, words, strict=True):
        session.add(
            PolicyProof(
                key=f"{code}:{person_id}:{occasion}",
                contract=contract.key,
                person_id=person_id,
                document=code,
                version_id=one.id or 0,
                why=why,
                how=how,
                message_id=message_id,
                case_id=case_id,
                at=now,
            )
        )
    await session.flush()


def _key(words: LibraryVersion, person_id: int, occasion: str) -> str:
    return f"{library.DOCUMENTS[0]}:{person_id}:{occasion}"


async def _has(session: AsyncSession, key: str) -> bool:
    found = select(col(PolicyProof.id)).where(col(PolicyProof.key) == key)
    return await session.scalar(found) is not None


async def _known(session: AsyncSession, contract: Contract) -> list[int]:
    """Carers who have come to us and are certain, and have not been told."""
    came = exists().where(
        col(Case.person_id) == col(Person.id),
        col(Case.identity) == Identity.KNOWN,
        col(Case.import_key).is_(None),
    )
    return await _people(session, contract, came)


async def _owed(session: AsyncSession, contract: Contract) -> list[int]:
    """Every carer on the list who has not been told and has an address."""
    return await _people(
        session, contract, exists().where(col(Address.person_id) == col(Person.id))
    )


async def _people(
    session: AsyncSession, contract: Contract, condition: ColumnElement[bool]
) -> list[int]:
    tried = exists().where(
        col(PolicyProof.person_id) == col(Person.id), col(PolicyProof.key).like("%:told")
    )
    found = await session.scalars(
        select(col(Person.id))
        .where(*_carers(contract), ~_is_told(), ~tried, condition)
        .order_by(col(Person.id))
    )
    return [one for one in found if one is not None]


async def _any_left(session: AsyncSession, contract: Contract, now: datetime) -> bool:
    """Whether a round still has somebody it can write to, now or at another hour."""
    readers = await consents.readers(session, await _owed(session, contract), now)
    return any(audience.own_way(one) is not None and not one.in_crisis for one in readers)


def _carers(contract: Contract) -> tuple[ColumnElement[bool], ...]:
    """The carers the council counts, as the list has them today."""
    carers = [one.code for one in contract.groups if one.counts_as == "carer"]
    holds = exists().where(
        col(Membership.person_id) == col(Person.id), col(Membership.approved_to).is_(None)
    )
    return (col(Person.contract) == contract.key, col(Person.group).in_(carers), holds)


def _is_told(until: datetime | None = None) -> ColumnElement[bool]:
    lost = exists().where(
        col(OutMessage.id) == col(PolicyProof.message_id),
        col(OutMessage.state).in_([OutState.FAILED, OutState.HELD]),
    )
    within = () if until is None else (col(PolicyProof.at) < until,)
    return exists().where(and_(col(PolicyProof.person_id) == col(Person.id), ~lost, *within))
