"""One box over references, numbers, names, places and words in every text of a case.

Texts are sealed, so what is looked for are keyed digests of their words (rules/words.py). `read_on`
is the job that keeps them; `find` asks, within what the seeker may see, and looks at the opened
texts once more before it shows them, so that what has moved or gone is not shown.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    literal,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import events, referral_lists, search_lines, seeing
from helpline.desk.people import plain_number
from helpline.desk.search_sources import BY_EVENT, BY_ID, SOURCES, WRITES_NOTHING, Source
from helpline.models import Case, SearchMark, metadata
from helpline.rules import words
from helpline.rules.permissions import Actor, may, require
from helpline.sealing import ring
from helpline.vocabulary import PartnerKind

ADDRESS = metadata.tables["address"]
CASE = metadata.tables["case"]
CASE_WORD = metadata.tables["case_word"]
EVENT = metadata.tables["event"]
INCIDENT = metadata.tables["incident"]
MEMBERSHIP = metadata.tables["membership"]
PERSON = metadata.tables["person"]
PERSON_WORD = metadata.tables["person_word"]

AT_ONCE = 300
"""Rows of one source read in one transaction: a few hundredths of a second."""
LATE = 100
"""Rows before the last one that are read once more: they may have been written out of order."""
EVENTS_AT_ONCE = 1000
"""Of what happened, looked at in one transaction."""
CASES_AT_ONCE = 25
"""Whose smaller tables, thirty of them, are read in one transaction."""
PEOPLE_AT_ONCE = 500
MOST = 25
"""Cases, and people, that one answer shows."""
TRIED = 4 * MOST
"""Cases whose texts are opened to see that the words stand there."""
LONGEST_QUESTION = 100
AROUND = 60
"""Letters shown on each side of what was found."""


@dataclass(frozen=True)
class CaseFound:
    """A case; `piece` is some of the text around what was found: before, the word, after."""

    row: Row[Any]
    piece: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class Found:
    """What was found, and whether there was more than is shown."""

    people: Sequence[Row[Any]]
    cases: Sequence[CaseFound]
    lines: Sequence[search_lines.LineFound] = ()
    has_more: bool = False
    their_cases: Mapping[int, Sequence[search_lines.TheirCase]] = field(default_factory=dict)
    """Of the people that were found, by their id."""

    @property
    def is_empty(self) -> bool:
        return not self.people and not self.cases and not self.lines


# --- keeping the words ---------------------------------------------------------------------------


async def read_on(session: AsyncSession, now: datetime) -> int:
    """Read what is new in every source. Returns how many rows were read for the first time; the
    caller repeats while there are any."""
    done = 0
    for source in BY_ID:
        done += await _read_by_id(session, source, now)
    done += await _read_by_event(session, now)
    return done + await _read_people(session, now)


async def read_message(session: AsyncSession, contact_id: int) -> None:
    """A message is on another case now, which is found by its words from now on. The case it came
    from keeps their digests and is not shown for them: its texts are opened before it is."""
    for source in BY_ID:
        table = metadata.tables[source.name]
        key = table.c.id if source.name == "contact" else table.c.get("contact_id")
        if key is not None:
            await _read(session, source, source.texts().where(key == contact_id))


async def read_cases_again(session: AsyncSession, case_ids: Collection[int]) -> None:
    """What these cases are found by is made anew from their texts, under the key that seals now;
    nothing made under another is left."""
    wanted: set[tuple[str, int]] = set()
    for source in SOURCES:
        query = source.texts().where(source.on.c[source.link].in_(case_ids))
        query = query.add_columns(CASE.c.contract).join(CASE, CASE.c.id == source.on.c[source.link])
        for row in await session.execute(query):
            for text in source.texts_of(row):
                digests = _digests(f"word:{row.contract}", words.words_of(text))
                wanted |= {(digest, row.case_id) for digest in digests}
    found = await session.execute(select(CASE_WORD).where(CASE_WORD.c.case_id.in_(case_ids)))
    held = {(row.word, row.case_id) for row in found}
    gone = delete(CASE_WORD).where(
        CASE_WORD.c.word == bindparam("its_word"), CASE_WORD.c.case_id == bindparam("its_case")
    )
    if held - wanted:
        rows = [{"its_word": word, "its_case": case} for word, case in sorted(held - wanted)]
        await session.execute(gone, rows)
    missing = [{"word": word, "case_id": case} for word, case in wanted - held]
    await _add(session, CASE_WORD, missing)


async def _read_by_id(session: AsyncSession, source: Source, now: datetime) -> int:
    table = metadata.tables[source.name]
    mark = await _mark(session, source.mark, now)
    if mark is None:
        return 0  # another node reads it
    newest = await session.scalar(select(func.max(table.c.id))) or 0
    if newest <= mark.last_id and mark.is_settled:
        return 0
    rows = await _read(
        session,
        source,
        source.texts()
        .where(table.c.id > mark.last_id - LATE, table.c.id <= newest)
        .order_by(table.c.id)
        .limit(AT_ONCE + LATE),
    )
    fresh = [row.id for row in rows if row.id > mark.last_id]
    mark.is_settled = not fresh
    mark.last_id, mark.at = max([mark.last_id, *fresh]), now
    await session.flush()
    return len(fresh)


async def _read_by_event(session: AsyncSession, now: datetime) -> int:
    """The smaller tables of every case on which something has happened since: what was written
    there, and what was changed."""
    mark = await _mark(session, "event", now)
    if mark is None:
        return 0
    newest = await session.scalar(select(func.max(EVENT.c.id))) or 0
    if newest <= mark.last_id and mark.is_settled:
        return 0
    if newest > mark.last_id:
        last, case_ids = await _happened(session, mark.last_id, newest, CASES_AT_ONCE)
    else:  # nothing is new: what was written out of order
        last, case_ids = await _happened(session, newest - LATE, newest, LATE)
    for source in BY_EVENT if case_ids else ():
        theirs = source.on.c[source.link].in_(case_ids)
        await _read(session, source, source.texts().where(theirs, source.has_text))
    fresh, mark.last_id = last - mark.last_id, max(mark.last_id, last)
    mark.is_settled, mark.at = fresh <= 0, now
    await session.flush()
    return max(fresh, 0)


async def _happened(
    session: AsyncSession, after: int, newest: int, most: int
) -> tuple[int, list[int]]:
    """The cases on which something happened after this event, `most` of them, and up to which event
    these are all."""
    of_case = func.coalesce(EVENT.c.case_id, INCIDENT.c.case_id).label("case_id")
    rows = await session.execute(
        select(EVENT.c.id, of_case)
        .outerjoin(INCIDENT, INCIDENT.c.id == EVENT.c.detail["incident"].as_integer())
        .where(EVENT.c.id > after, EVENT.c.id <= newest)
        .where(of_case.is_not(None), EVENT.c.kind.not_in(WRITES_NOTHING))
        .order_by(EVENT.c.id)
        .limit(EVENTS_AT_ONCE)
    )
    found = rows.all()
    last = newest if len(found) < EVENTS_AT_ONCE else found[-1].id
    case_ids: dict[int, None] = {}
    for row in found:
        if row.case_id not in case_ids and len(case_ids) == most:
            return row.id - 1, list(case_ids)
        case_ids[row.case_id] = None
    return last, list(case_ids)


async def _read(session: AsyncSession, source: Source, query: Select[Any]) -> Sequence[Row[Any]]:
    """Keep the digests of what stands in these rows."""
    query = query.add_columns(CASE.c.contract).join(CASE, CASE.c.id == source.on.c[source.link])
    rows: Sequence[Row[Any]] = (await session.execute(query)).all()
    found = {
        (digest, row.case_id)
        for row in rows
        for text in source.texts_of(row)
        for digest in _digests(f"word:{row.contract}", words.words_of(text))
    }
    await _add(session, CASE_WORD, [{"word": word, "case_id": case} for word, case in found])
    return rows


async def _read_people(session: AsyncSession, now: datetime) -> int:
    """New people by their id."""
    mark = await _mark(session, "person", now)
    if mark is None:
        return 0
    ids = list(
        await session.scalars(
            select(PERSON.c.id)
            .where(PERSON.c.id > mark.last_id)
            .order_by(PERSON.c.id)
            .limit(PEOPLE_AT_ONCE)
        )
    )
    if ids:
        await read_people(session, ids)
        mark.last_id, mark.at = ids[-1], now
        await session.flush()
    return len(ids)


async def read_people(session: AsyncSession, ids: Collection[int]) -> None:
    """What these people are found by is as their records say now."""
    names = await session.execute(
        select(PERSON.c.id, PERSON.c.contract, PERSON.c.name).where(PERSON.c.id.in_(ids))
    )
    homes = await session.execute(
        select(MEMBERSHIP.c.person_id, MEMBERSHIP.c.contract, MEMBERSHIP.c.postcode).where(
            MEMBERSHIP.c.person_id.in_(ids), MEMBERSHIP.c.postcode.is_not(None)
        )
    )
    wanted: set[tuple[str, int]] = set()
    for row in names:
        said = words.beginnings_of(row.name or "")
        wanted |= {(word, row.id) for word in _digests(f"name:{row.contract}", said)}
    for row in homes:
        said = words.places_of(row.postcode)
        wanted |= {(word, row.person_id) for word in _digests(f"place:{row.contract}", said)}
    held = {
        (row.word, row.person_id)
        for row in await session.execute(
            select(PERSON_WORD).where(PERSON_WORD.c.person_id.in_(ids))
        )
    }
    for word, person_id in held - wanted:
        this = (PERSON_WORD.c.word == word, PERSON_WORD.c.person_id == person_id)
        await session.execute(delete(PERSON_WORD).where(*this))
    rows = [{"word": word, "person_id": person_id} for word, person_id in wanted - held]
    await _add(session, PERSON_WORD, rows)


async def read_people_again(session: AsyncSession, after: int) -> int | None:
    """Names are put right and people move: everybody once more, some at a time. `after`: the last
    id that was read; returns the next, None at the end."""
    ids: list[int] = list(
        await session.scalars(
            select(PERSON.c.id)
            .where(PERSON.c.id > after)
            .order_by(PERSON.c.id)
            .limit(PEOPLE_AT_ONCE)
        )
    )
    if not ids:
        return None
    await read_people(session, ids)
    return max(ids)


async def _mark(session: AsyncSession, source: str, now: datetime) -> SearchMark | None:
    table = metadata.tables["search_mark"]
    await session.execute(
        insert_for(session, table)
        .values(source=source, last_id=0, is_settled=False, at=now)
        .on_conflict_do_nothing()
    )
    found: SearchMark | None = await session.get(
        SearchMark, source, with_for_update={"skip_locked": True}, populate_existing=True
    )
    return found


async def _add(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    ordered = sorted(rows, key=lambda row: tuple(row.values()))  # two nodes lock in one order
    await session.execute(insert_for(session, table).on_conflict_do_nothing(), ordered)


def _digests(label: str, said: Iterable[str]) -> list[str]:
    """Digests under the key that seals now."""
    return [ring().index(label, word) for word in said]


# --- asking --------------------------------------------------------------------------------------


async def find(
    session: AsyncSession, actor: Actor, contracts: Sequence[Contract], question: str, now: datetime
) -> Found:
    """Whatever `question` names, of what the seeker may see: people by number, name or place, cases
    by reference or by all of its words, the newest first. That somebody looked is written down,
    without the words."""
    require(actor, "search.use")
    keys = [one.key for one in contracts if may(actor, "search.use", one.key)]
    asked = question.strip()[:LONGEST_QUESTION]
    people = await _people(session, actor, keys, asked)
    cases = [CaseFound(row) for row in await _by_reference(session, actor, asked)]
    lines = await search_lines.lines(session, actor, keys, asked)
    more: list[CaseFound] = []
    said = words.words_of(asked)
    for key in keys if said else ():
        more += await _by_words(session, actor, key, said, now)
    known = {found.row.id for found in cases}
    more = sorted(
        (one for one in more if one.row.id not in known),
        key=lambda one: (one.row.opened_at, one.row.id),
        reverse=True,
    )
    await events.record(
        session, "search.made", now, by=actor.user_id, people=len(people), cases=len(more)
    )
    cases += more
    theirs = await search_lines.cases_of(session, actor, [one.id for one in people[:MOST]])
    has_more = max(len(people), len(cases)) > MOST
    return Found(people[:MOST], cases[:MOST], lines, has_more, theirs)


async def _by_reference(session: AsyncSession, actor: Actor, asked: str) -> Sequence[Row[Any]]:
    plain = asked.upper()
    if not re.fullmatch(r"[A-Z]{2,5}-?[A-Z0-9]{2,8}", plain):
        return []
    found = _cases().where(CASE.c.reference.startswith(plain, autoescape=True))
    query = found.where(*seeing.cases(actor)).order_by(CASE.c.reference).limit(MOST)
    return (await session.execute(query)).all()


async def _by_words(
    session: AsyncSession, actor: Actor, contract: str, said: set[str], now: datetime
) -> list[CaseFound]:
    """Cases of one contract in which every one of these words stands."""
    groups = [ring().indexes(f"word:{contract}", word) for word in sorted(said)]
    rarest, *others = sorted([(await _how_many(session, one), one) for one in groups])
    if rarest[0] == 0:
        return []
    word = CASE_WORD
    query = (
        _cases()
        .join(word, word.c.case_id == CASE.c.id)
        .where(word.c.word.in_(rarest[1]), CASE.c.contract == contract, *seeing.cases(actor))
        .where(*(_stands_in_case(digests) for _, digests in others))
        .order_by(word.c.case_id.desc())
        .limit(TRIED)
    )
    rows = {row.id: row for row in await session.execute(query)}
    pieces = await _pieces(session, actor, list(rows)[: MOST + 1], said, now)
    return [CaseFound(row, pieces[row.id]) for row in rows.values() if row.id in pieces]


def _stands_in_case(digests: Sequence[str]) -> ColumnElement[bool]:
    other = CASE_WORD.alias()
    return exists(select(literal(1)).where(other.c.word.in_(digests), other.c.case_id == CASE.c.id))


async def _how_many(session: AsyncSession, digests: Sequence[str]) -> int:
    """In how many cases a word stands, counted to a thousand."""
    some = select(CASE_WORD.c.case_id).where(CASE_WORD.c.word.in_(digests)).limit(1000)
    return await session.scalar(select(func.count()).select_from(some.subquery())) or 0


async def _pieces(
    session: AsyncSession, actor: Actor, case_ids: Sequence[int], said: set[str], now: datetime
) -> dict[int, tuple[str, str, str] | None]:
    """Case → some of its newest text with one of the words; cases in whose texts not all of them
    stand any more, or not for this seeker, are left out."""
    seen: dict[int, set[str]] = {}
    pieces: dict[int, tuple[str, str, str]] = {}
    for source in SOURCES:
        wanting = [one for one in case_ids if seen.get(one, set()) != said]
        if not wanting:
            break
        table = metadata.tables[source.name]
        query = source.texts().where(source.on.c[source.link].in_(wanting))
        for row in await session.execute(query.order_by(table.c.id.desc())):
            missing = said - seen.get(row.case_id, set())
            for text in source.texts_of(row) if missing else ():
                here = missing & words.words_of(text)
                if here and await _may_read(session, actor, source, row, now):
                    seen.setdefault(row.case_id, set()).update(here)
                    pieces.setdefault(row.case_id, _piece(text, here))
    return {case_id: pieces[case_id] for case_id in seen if seen[case_id] >= set(said)}


async def _may_read(
    session: AsyncSession, actor: Actor, source: Source, row: Row[Any], now: datetime
) -> bool:
    """What was asked of a counsellor is read by who asked and who works on the case alone."""
    if not source.is_private or not PartnerKind(row.of_kind).is_private:
        return True
    if row.requested_by_id == actor.user_id:
        return True
    case = await session.get(Case, row.case_id)
    return case is not None and await referral_lists.works_on(session, case, actor, now)


def _piece(text: str, said: Collection[str]) -> tuple[str, str, str]:
    """Before, the word as it stands there, after."""
    for match in words.WORD.finditer(text):
        if words.words_of(match[0]) & set(said):
            before, after = text[: match.start()], text[match.end() :]
            lead = "…" if len(before) > AROUND else ""
            tail = "…" if len(after) > AROUND else ""
            return lead + before[-AROUND:], match[0], after[:AROUND] + tail
    return "", "", text[: 2 * AROUND]


async def find_people(
    session: AsyncSession, actor: Actor, contract: Contract, question: str
) -> Sequence[Row[Any]]:
    """People of one contract by number, name or place, as far as the asker may see them: id, name,
    group, contract."""
    require(actor, "search.use", contract.key)
    return await _people(session, actor, [contract.key], question.strip()[:LONGEST_QUESTION])


async def note_looking(session: AsyncSession, actor: Actor, now: datetime) -> None:
    """Somebody looked for a person while working on a case; not for whom."""
    await events.record(session, "search.made", now, by=actor.user_id, of="people")


async def _people(
    session: AsyncSession, actor: Actor, contracts: Sequence[str], asked: str
) -> Sequence[Row[Any]]:
    """People by membership or telephone number, postcode, or name."""
    ways = [
        way
        for contract in contracts
        for way in (_by_number(contract, asked), _by_place(contract, asked))
        if way is not None
    ]
    ways += [_by_name(contract, asked) for contract in contracts if words.name_asked(asked)]
    if not ways:
        return []
    ids = union(*ways).subquery()
    query = (
        select(PERSON.c.id, PERSON.c.name, PERSON.c.group, PERSON.c.contract)
        .where(PERSON.c.id.in_(select(ids.c[0])), *seeing.people(actor))
        .order_by(PERSON.c.id)
        .limit(MOST + 1)
    )
    return list(await session.execute(query))


def _by_number(contract: str, asked: str) -> Any:
    """Whoever has this membership or telephone number, or mail address."""
    plain, digits = plain_number(asked), re.sub(r"[^0-9+]", "", asked)
    if "@" in asked:
        values = [*ring().indexes("address:email", asked.strip().lower())]
    elif 9 <= len(digits) <= 15:
        number = "+44" + digits[1:] if digits.startswith("0") else digits
        kinds = ("sms", "whatsapp", "voice", "telegram")
        values = [one for kind in kinds for one in ring().indexes(f"address:{kind}", number)]
    elif 3 <= len(plain) <= 20 and any(letter.isdigit() for letter in plain):
        return select(MEMBERSHIP.c.person_id).where(
            MEMBERSHIP.c.contract == contract,
            MEMBERSHIP.c.number_index.in_(ring().indexes("membership", plain)),
        )
    else:
        return None
    return select(ADDRESS.c.person_id).where(
        ADDRESS.c.contract == contract, ADDRESS.c.value_index.in_(values)
    )


def _by_place(contract: str, asked: str) -> Any:
    plain = re.sub(r"[^A-Z0-9]", "", asked.upper())
    if not re.fullmatch(r"[A-Z]{1,2}[0-9][A-Z0-9]?([0-9][A-Z]{2})?", plain):
        return None
    digests = ring().indexes(f"place:{contract}", plain)
    return select(PERSON_WORD.c.person_id).where(PERSON_WORD.c.word.in_(digests))


def _by_name(contract: str, asked: str) -> Any:
    """Whoever has a name for each of these words: as it begins, or as it sounds without vowels."""
    groups = [
        [
            digest
            for form in (word, words.bones(word))
            for digest in ring().indexes(f"name:{contract}", form)
        ]
        for word in words.name_asked(asked)[:5]
    ]
    first, *others = (
        select(PERSON_WORD.c.person_id).where(PERSON_WORD.c.word.in_(digests)) for digests in groups
    )
    for other in others:
        first = first.where(PERSON_WORD.c.person_id.in_(other))
    return first


def _cases() -> Any:
    return select(
        CASE.c.id,
        CASE.c.reference,
        CASE.c.contract,
        CASE.c.status,
        CASE.c.reason,
        CASE.c.opened_at,
        PERSON.c.name,
    ).join(PERSON, PERSON.c.id == CASE.c.person_id)
