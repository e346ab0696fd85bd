"""Every text of a case is found, or not looked at for a reason that somebody wrote down; and what
is hidden from its reader is hidden in what is found."""

from sqlalchemy import select, update
from sqlmodel import col

from helpline.desk import events, search
from helpline.desk.search import Found
from helpline.desk.search_sources import NOT_SEARCHED, SOURCES
from helpline.engine.searching import read_for_search
from helpline.models import CaseWord, IncidentEntry, Notice, PartnerReferral
from helpline.rules import words
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from tests.desk.filled import fill, hanging, is_sealed, word_of
from tests.world import CARER, World

SEARCHED = {f"{source.name}.{column}" for source in SOURCES for column in source.columns}


def test_every_sealed_column_of_a_case_is_searched_or_is_not_for_a_reason() -> None:
    sealed = {
        f"{name}.{column.name}"
        for name, table in hanging().items()
        for column in table.columns
        if is_sealed(column)
    }
    assert sealed - SEARCHED - set(NOT_SEARCHED) == set(), "say whether it is to be found"
    assert (SEARCHED | set(NOT_SEARCHED)) - sealed == set(), "there is no such column"
    assert not SEARCHED & set(NOT_SEARCHED)
    assert all(len(why) > 20 for why in NOT_SEARCHED.values())


def words_of_column(name: str) -> str:
    """As rules/words.py writes the word that stands in this column."""
    table, _, column = name.partition(".")
    (word,) = words.words_of(word_of(table, column))
    return word


async def ask(world: World, question: str, who: Actor | None = None) -> Found:
    async with world.house.db.write() as session:
        contracts = list(world.house.contracts.values())
        return await search.find(session, who or world.lead, contracts, question, world.now)


async def happened(world: World, **detail: int) -> None:
    """Something is written down of it, and the search reads on."""
    case = await world.case_of(CARER)
    of = {"case_id": case.id} if not detail else {}
    async with world.house.db.write() as session:
        await events.record(session, "tested", world.now, contract="essex", **of, **detail)  # type: ignore[arg-type]
    await read_for_search(world.house)


async def filled(world: World) -> None:
    await world.sms(CARER, "hello")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        assert case.id
        await fill(session, case.id, case.person_id, world.worker.user_id)
    await happened(world)


async def test_every_text_finds_its_case_and_what_is_changed_is_found_anew(world: World) -> None:
    await filled(world)
    async with world.house.db.read() as session:
        kept = set(await session.scalars(select(col(CaseWord.word))))
        case = await world.case_of(CARER)
        said = {words_of_column(one) for one in SEARCHED}
        pieces = await search._pieces(session, world.worker, [case.id or 0], said, world.now)
    assert {ring().index("word:essex", word) for word in said} <= kept
    assert set(pieces) == {case.id}  # each of them stands in a text that is opened
    hidden = {words_of_column(one) for one in NOT_SEARCHED}
    assert not {ring().index("word:essex", word) for word in hidden} & kept
    async with world.house.db.write() as session:
        await session.execute(update(Notice).values(answer="zebrafish"))
        await session.execute(update(IncidentEntry).values(words="wolverine"))
    await happened(world)
    await happened(world, incident=1)
    assert len((await ask(world, "zebrafish")).cases) == 1
    assert len((await ask(world, "wolverine zebrafish")).cases) == 1
    assert (await ask(world, word_of("notice", "answer"))).is_empty


async def test_what_was_asked_of_a_counsellor_is_found_by_who_works_on_the_case(
    world: World,
) -> None:
    await filled(world)
    async with world.house.db.write() as session:
        await session.execute(update(PartnerReferral).values(kind="counsellor"))
    for word in ("partnerreferralwanted", "partnerchasewords"):
        assert (await ask(world, word)).is_empty
        assert (await ask(world, f"{word} hello")).is_empty
        assert len((await ask(world, word, world.worker)).cases) == 1  # who asked
