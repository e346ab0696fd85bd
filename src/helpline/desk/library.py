"""The library: answers, publications, signposts, policies and discounts, in words that may be sent
as they are. New words are a new version, so that what somebody was sent can always be read again.

Pages call this; the page of a case inserts a version into a reply, and what was given is logged in
the same transaction. The contract's own signposts stand here too and are kept in its file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.doubts import VERIFIED_FOR
from helpline.desk import events
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import LibraryItem, LibraryVersion, User
from helpline.rules.permissions import Actor, may, require
from helpline.rules.segments import Parts, parts_of
from helpline.vocabulary import LibraryKind

LONGEST_TITLE, LONGEST = 160, 6000
OWN_POLICY, COUNCILS_POLICY = "complaints_procedure", "consumer_care_policy"
DOCUMENTS = (OWN_POLICY, COUNCILS_POLICY)
"""The codes of the two policies that every carer is sent (A77, A78)."""
FROM_CONTRACT = "signpost."
"""What the code of a signpost of the contract's file begins with."""
LANGUAGE = "en"


@dataclass(frozen=True)
class Draft:
    """What somebody wrote into the form; codes are the contract's, days are local."""

    kind: str
    title: str
    body: str
    topic: str = ""
    locality: str = ""
    language: str = LANGUAGE
    code: str = ""
    owner_id: int | None = None
    review_on: date | None = None
    verified_on: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True)
class Entry:
    """One item as lists and the reply show it, in one language. `is_overdue`: to be reviewed;
    `is_old`: what it gives was not verified for 90 days; `is_over`: a discount that has ended."""

    id: int
    version_id: int
    contract: str
    kind: str
    code: str | None
    title: str
    body: str
    number: int
    language: str
    topic: str
    locality: str
    owner_id: int | None
    owner: str
    review_on: date | None
    verified_on: date | None
    valid_until: date | None
    is_overdue: bool
    is_old: bool
    is_over: bool
    is_withdrawn: bool

    @property
    def parts(self) -> Parts:
        """How many text messages its words are."""
        return parts_of(self.body)

    @property
    def is_of_contract(self) -> bool:
        """The contract's own, changed under Settings: it cannot be changed here."""
        return bool(self.code and self.code.startswith(FROM_CONTRACT))


async def add(
    session: AsyncSession, contract: Contract, draft: Draft, by: Actor, now: datetime
) -> LibraryItem:
    """A new item with its first version."""
    require(by, "library.write", contract.key)
    _check(contract, draft)
    if draft.code and await _with_code(session, contract.key, draft.code) is not None:
        raise Conflict("There is one already: change that one, and its old words are kept.")
    item = LibraryItem(
        contract=contract.key,
        kind=draft.kind,
        code=draft.code or None,
        made_at=now,
        by_user_id=by.user_id,
    )
    session.add(item)
    return await _write(session, item, draft, by, now)


async def change(
    session: AsyncSession, contract: Contract, item_id: int, draft: Draft, by: Actor, now: datetime
) -> LibraryItem:
    """Other facts, or other words: those become a new version, in the draft's language."""
    item = await find_item(session, by, item_id)
    require(by, "library.write", item.contract)
    if (item.code or "").startswith(FROM_CONTRACT):
        raise Conflict("This is the contract's own: a lead changes it under Settings.")
    _check(contract, draft)
    item.kind = draft.kind
    return await _write(session, item, draft, by, now)


async def verify(
    session: AsyncSession, contract: Contract, item_id: int, by: Actor, now: datetime
) -> None:
    """Somebody rang the number or opened the address today, and it is right."""
    item = await find_item(session, by, item_id)
    require(by, "library.write", item.contract)
    if (item.code or "").startswith(FROM_CONTRACT):
        raise Conflict("This is the contract's own: a lead puts the day right under Settings.")
    item.verified_on = local_day(contract, now)
    await session.flush()
    await _event(session, "library.verified", item, by, now)


async def withdraw(session: AsyncSession, item_id: int, by: Actor, now: datetime) -> None:
    """It is offered no longer; what was sent of it stays readable."""
    item = await find_item(session, by, item_id)
    require(by, "library.write", item.contract)
    if item.code:
        raise Conflict("The helpline needs this one: change its words instead.")
    if item.withdrawn_at is None:
        item.withdrawn_at, item.withdrawn_by_id = now, by.user_id
        await session.flush()
        await _event(session, "library.withdrawn", item, by, now)


async def find_item(session: AsyncSession, actor: Actor, item_id: int) -> LibraryItem:
    found = await session.get(LibraryItem, item_id)
    if found is None or not may(actor, "library.read", found.contract):
        raise NotFound("There is no such item in the library.")
    return found


async def entries(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    now: datetime,
    *,
    asked: str = "",
    kind: str = "",
    topic: str = "",
    locality: str = "",
    language: str = LANGUAGE,
    only: Collection[int] = (),
    limit: int = 500,
) -> list[Entry]:
    """What fits, best first: every word asked for stands in title or words; then what is about the
    topic, then by title. In `language` where the item has it, else in English. `only` these ids,
    withdrawn ones too."""
    query = (
        select(LibraryItem, LibraryVersion, col(User.shown_name))
        .join(LibraryVersion, col(LibraryVersion.item_id) == col(LibraryItem.id))
        .outerjoin(User, col(User.id) == col(LibraryItem.owner_id))
        .where(
            col(LibraryItem.contract).in_(list(contracts)),
            col(LibraryVersion.id).in_(_newest()),
        )
    )
    query = query.where(
        col(LibraryItem.id).in_(only) if only else col(LibraryItem.withdrawn_at).is_(None)
    )
    if kind:
        query = query.where(col(LibraryItem.kind) == kind)
    if locality:
        query = query.where(col(LibraryItem.locality).in_(["", locality]))
    best: dict[int, Entry] = {}
    for item, version, owner in await session.execute(query):
        contract = contracts[item.contract]
        entry = _entry(item, version, owner or "", local_day(contract, now))
        had = best.get(entry.id)
        if had is None or _prefers(language, entry, had):
            best[entry.id] = entry
    words = asked.lower().split()
    fitting = [entry for entry in best.values() if all(word in _text(entry) for word in words)]
    fitting.sort(key=lambda one: _rank(one, words, topic))
    return fitting[:limit]


async def version(session: AsyncSession, actor: Actor, version_id: int) -> LibraryVersion | None:
    """These very words, if the reader may see them; None where there are none."""
    found = await session.get(LibraryVersion, version_id)
    if found is None:
        return None
    item = await session.get(LibraryItem, found.item_id)
    return found if item is not None and may(actor, "library.read", item.contract) else None


async def versions(session: AsyncSession, item_id: int) -> Sequence[tuple[LibraryVersion, str]]:
    """Every version and who wrote it, the newest first."""
    rows = await session.execute(
        select(LibraryVersion, col(User.shown_name))
        .outerjoin(User, col(User.id) == col(LibraryVersion.by_user_id))
        .where(col(LibraryVersion.item_id) == item_id)
        .order_by(col(LibraryVersion.id).desc())
    )
    return [(found, name or "") for found, name in rows]


async def document(session: AsyncSession, contract: str, code: str) -> LibraryVersion | None:
    """The newest English words of one of DOCUMENTS; None while nobody has written it."""
    return await session.scalar(
        select(LibraryVersion)
        .join(LibraryItem, col(LibraryItem.id) == col(LibraryVersion.item_id))
        .where(
            col(LibraryItem.contract) == contract,
            col(LibraryItem.code) == code,
            col(LibraryVersion.language) == LANGUAGE,
        )
        .order_by(col(LibraryVersion.number).desc())
        .limit(1)
    )


async def keep_in_step(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """The signposts of the contract's file stand in the library: new ones come, changed words are a
    new version. Returns how many; doing it again changes nothing."""
    rows = await session.execute(
        select(LibraryItem, LibraryVersion)
        .join(LibraryVersion, col(LibraryVersion.item_id) == col(LibraryItem.id))
        .where(
            col(LibraryItem.contract) == contract.key,
            col(LibraryItem.code).like(f"{FROM_CONTRACT}%"),
            col(LibraryVersion.id).in_(_newest()),
        )
    )
    known = {item.code: (item, words) for item, words in rows}
    moved = 0
    for one in contract.signposts:
        item, words = known.get(f"{FROM_CONTRACT}{one.code}", (None, None))
        if item is None:
            item = LibraryItem(
                contract=contract.key,
                kind=LibraryKind.SIGNPOST,
                code=f"{FROM_CONTRACT}{one.code}",
                made_at=now,
            )
            session.add(item)
            await session.flush()
        item.verified_on = one.last_verified
        if words is None or (words.title, words.body) != (one.name, one.line):
            number = words.number + 1 if words is not None else 1
            session.add(_version(item, LANGUAGE, number, one.name, one.line, None, now))
            moved += 1
    await session.flush()
    return moved


async def due_for_care(
    session: AsyncSession, contract: Contract, now: datetime
) -> dict[int | None, int]:
    """Owner (None: nobody's) → how many of their items are past review or verified too long ago.
    The contract's own signposts are said apart (desk/upkeep)."""
    found: dict[int | None, int] = {}
    for entry in await entries(session, {contract.key: contract}, now):
        if (entry.is_overdue or entry.is_old) and not entry.is_of_contract:
            found[entry.owner_id] = found.get(entry.owner_id, 0) + 1
    return found


def local_day(contract: Contract, now: datetime) -> date:
    """Today, where the contract is."""
    return now.astimezone(ZoneInfo(contract.zone)).date()


async def _write(
    session: AsyncSession, item: LibraryItem, draft: Draft, by: Actor, now: datetime
) -> LibraryItem:
    item.topic, item.locality, item.owner_id = draft.topic, draft.locality, draft.owner_id
    item.review_on, item.valid_until = draft.review_on, draft.valid_until
    item.verified_on = draft.verified_on
    await session.flush()
    newest = await session.scalar(
        select(LibraryVersion)
        .where(
            col(LibraryVersion.item_id) == item.id, col(LibraryVersion.language) == draft.language
        )
        .order_by(col(LibraryVersion.number).desc())
        .limit(1)
    )
    title, body = draft.title.strip(), _plain(draft.body)
    if newest is None or (newest.title, newest.body) != (title, body):
        number = newest.number + 1 if newest is not None else 1
        session.add(_version(item, draft.language, number, title, body, by.user_id, now))
        await session.flush()
        await _event(session, "library.written", item, by, now, number=number)
    return item


def _version(
    item: LibraryItem,
    language: str,
    number: int,
    title: str,
    body: str,
    by: int | None,
    now: datetime,
) -> LibraryVersion:
    assert item.id is not None
    return LibraryVersion(
        item_id=item.id,
        language=language,
        number=number,
        title=title,
        body=body,
        written_at=now,
        by_user_id=by,
    )


def _check(contract: Contract, draft: Draft) -> None:
    if draft.kind not in list(LibraryKind):
        raise InvalidInput("Choose what it is: answer, publication, signpost, policy or discount.")
    if not draft.title.strip() or len(draft.title) > LONGEST_TITLE:
        raise InvalidInput(f"Give it a title of at most {LONGEST_TITLE} letters.")
    body = _plain(draft.body)
    if not body or len(body) > LONGEST:
        raise InvalidInput(f"Write the words that are sent, at most {LONGEST} letters.")
    if draft.topic and draft.topic not in {one.code for one in contract.reasons}:
        raise InvalidInput("Choose what it is about from the list.")
    if draft.locality and draft.locality not in {one.code for one in contract.quadrants}:
        raise InvalidInput("Choose for where it is from the list.")
    if draft.code and (draft.code not in DOCUMENTS or draft.kind != LibraryKind.POLICY):
        raise InvalidInput("Only a policy can be one of the two that every carer is sent.")
    if not (draft.language.isalpha() and 2 <= len(draft.language) <= 3):
        raise InvalidInput("Give the language by its code: en, pl, cy.")
    if draft.kind == LibraryKind.DISCOUNT and draft.valid_until is None:
        raise InvalidInput("Say until when the discount holds.")


def _entry(item: LibraryItem, words: LibraryVersion, owner: str, today: date) -> Entry:
    gives = LibraryKind(item.kind).gives_contacts
    return Entry(
        id=item.id or 0,
        version_id=words.id or 0,
        contract=item.contract,
        kind=item.kind,
        code=item.code,
        title=words.title,
        body=words.body,
        number=words.number,
        language=words.language,
        topic=item.topic,
        locality=item.locality,
        owner_id=item.owner_id,
        owner=owner,
        review_on=item.review_on,
        verified_on=item.verified_on,
        valid_until=item.valid_until,
        is_overdue=item.review_on is not None and item.review_on < today,
        is_old=gives and _is_old(item, today),
        is_over=item.valid_until is not None and item.valid_until < today,
        is_withdrawn=item.withdrawn_at is not None,
    )


def _is_old(item: LibraryItem, today: date) -> bool:
    """What was never verified is old, but for the contract's own words (999 needs no ringing)."""
    if item.verified_on is None:
        return not (item.code or "").startswith(FROM_CONTRACT)
    return today - item.verified_on > VERIFIED_FOR


def _prefers(language: str, one: Entry, had: Entry) -> bool:
    return one.language == language or (one.language == LANGUAGE and had.language != language)


def _rank(entry: Entry, words: list[str], topic: str) -> tuple[bool, bool, bool, str]:
    in_title = bool(words) and all(word in entry.title.lower() for word in words)
    return entry.is_over, not in_title, entry.topic != topic or not topic, entry.title.lower()


def _text(entry: Entry) -> str:
    return f"{entry.title}\n{entry.body}".lower()


def _newest() -> Select[int | None]:
    return select(func.max(col(LibraryVersion.id))).group_by(
        col(LibraryVersion.item_id), col(LibraryVersion.language)
    )


def _plain(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").strip()


async def _with_code(session: AsyncSession, contract: str, code: str) -> LibraryItem | None:
    return await session.scalar(
        select(LibraryItem).where(
            col(LibraryItem.contract) == contract, col(LibraryItem.code) == code
        )
    )


async def _event(
    session: AsyncSession, kind: str, item: LibraryItem, by: Actor, now: datetime, **detail: int
) -> None:
    await events.record(
        session, kind, now, contract=item.contract, by=by.user_id, item=item.id, **detail
    )
