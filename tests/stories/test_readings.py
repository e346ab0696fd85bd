"""How messages were read: each reading is kept, a worker judges it, a case taken for less is raised
at once, and the quarter tells leads what was missed."""

import pytest
from sqlalchemy import update

from helpline.desk import cases, elsewhere, readings
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import TriageReading
from helpline.rules.periods import period
from helpline.rules.permissions import Actor
from tests.world import World

CAROL, TOM, ANA = "+447700900421", "+447700900422", "+447700900423"


async def _reading(world: World, number: str) -> TriageReading:
    case = await world.case_of(number)
    found = await world.all(TriageReading, TriageReading.case_id == case.id)
    row = found[-1]
    assert isinstance(row, TriageReading)
    return row


async def _judge(world: World, number: str, urgency: str, by: Actor, reason: str = "") -> None:
    reading = await _reading(world, number)
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        case = await cases.find_case(session, by, (await world.case_of(number)).reference)
        await readings.judge(session, essex, case, reading.id or 0, urgency, by, world.now, reason)


async def _quarter(world: World, by: Actor) -> readings.Quarter:
    essex = world.house.contracts["essex"]
    async with world.house.db.read() as session:
        return await readings.of_quarter(session, essex, period("2026-27-Q2", 8), by)


async def test_a_message_taken_for_less_raises_its_case_and_is_listed_as_missed(
    world: World,
) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.sms(TOM, "Who pays the mileage for contact visits?")
    read = await _reading(world, CAROL)
    assert read.urgency in ("standard", "low")
    assert (read.language, read.judged_at) == (None, None)
    assert read.why
    await _judge(world, CAROL, "emergency", world.worker, "abuse")
    await _judge(world, TOM, "right", world.worker)
    case = await world.case_of(CAROL)
    assert case.urgency == "emergency"
    found = await _quarter(world, world.lead)
    assert (found.whole.read, found.whole.judged) == (2, 2)
    assert (found.whole.found.part, found.whole.found.whole) == (0, 1)
    assert (found.whole.alarms.part, found.whole.alarms.whole) == (0, 1)
    assert (found.whole.reasons.part, found.whole.reasons.whole) == (1, 2)
    (miss,) = found.misses
    assert (miss.reference, miss.read, miss.judged) == (case.reference, read.urgency, "emergency")
    assert {row.name: row.judged for row in found.by_reason}["abuse"] == 1


async def test_what_was_less_urgent_than_it_looked_lowers_nothing_by_itself(world: World) -> None:
    await world.sms(ANA, "He has a knife and says he will kill us")
    assert (await _reading(world, ANA)).urgency == "emergency"
    await _judge(world, ANA, "low", world.worker)
    assert (await world.case_of(ANA)).urgency == "emergency"
    found = await _quarter(world, world.lead)
    assert (found.whole.alarms.part, found.whole.alarms.whole) == (1, 1)
    assert not found.misses


async def test_whoever_answers_yes_to_danger_judges_it_themselves(world: World) -> None:
    await world.sms(ANA, "Con trai tôi đêm qua không về nhà, tôi không biết phải làm gì bây giờ")
    before = await _reading(world, ANA)
    assert (before.language, before.asked) == ("other", True)
    await world.sms(ANA, "YES")
    after = await _reading(world, ANA)
    assert (after.id, after.judged_urgency, after.judged_by_id) == (before.id, "emergency", None)
    found = await _quarter(world, world.lead)
    assert (found.whole.reached.part, found.whole.reached.whole) == (1, 1)
    assert [row.name for row in found.by_language] == ["other"]


async def test_an_answer_to_our_question_is_no_reading(world: World) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.sms(CAROL, "PERSON")
    assert await world.count(TriageReading) == 1


async def test_the_newest_is_asked_about_until_somebody_has_judged_it(world: World) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.sms(CAROL, "He has cut himself and there is a lot of blood")
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CAROL)).reference)
        asked = await readings.to_judge(session, case)
        assert asked is not None
        assert asked.urgency == "emergency"
        await readings.judge(session, essex, case, asked.id or 0, "right", world.worker, world.now)
        assert await readings.to_judge(session, case) is None


async def test_nonsense_and_strangers_change_nothing(world: World) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.sms(TOM, "Who pays the mileage?")
    with pytest.raises(InvalidInput):
        await _judge(world, CAROL, "dreadful", world.worker)
    with pytest.raises(InvalidInput):
        await _judge(world, CAROL, "urgent", world.worker, "no such reason")
    essex, other = world.house.contracts["essex"], await _reading(world, TOM)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CAROL)).reference)
        with pytest.raises(NotFound):
            await readings.judge(
                session, essex, case, other.id or 0, "urgent", world.worker, world.now
            )
    with pytest.raises(NotAllowed):
        await _quarter(world, world.worker)
    assert (await _reading(world, CAROL)).judged_at is None


async def test_judged_messages_are_examples_with_their_words_sealed(world: World) -> None:
    words = "Can you tell me about the allowance?"
    await world.sms(CAROL, words)
    await world.sms(TOM, "Who pays the mileage?")
    await _judge(world, CAROL, "low", world.worker)
    essex = world.house.contracts["essex"]
    async with world.house.db.read() as session:
        (example,) = await readings.examples(session, essex)
    assert (example[0].judged_urgency, example[1]) == ("low", words)


async def test_what_was_judged_is_read_again_by_todays_reader_without_a_word_of_it_shown(
    world: World,
) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    await world.sms(TOM, "Who pays the mileage?")
    await _judge(world, CAROL, "emergency", world.worker)
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:  # as if an older reader had read it so
        await session.execute(update(TriageReading).values(urgency="emergency"))
    async with world.house.db.read() as session:
        then, now = await readings.again(session, essex)
    assert (then.judged, now.judged) == (1, 1)
    assert (then.found.part, now.found.part) == (1, 0)


async def test_pieces_of_one_sentence_are_read_together(world: World) -> None:
    await world.sms(CAROL, "Hi, about the mileage")
    for piece in ("she locked herself in", "the bathroom with a", "razor"):
        await world.later(hours=1 / 60)
        await world.sms(CAROL, piece)
    case = await world.case_of(CAROL)
    assert case.urgency == "emergency"
    assert case.why.startswith("Together with what they wrote just before")


async def test_pieces_that_lie_apart_are_not(world: World) -> None:
    await world.sms(CAROL, "she has gone and")
    await world.later(hours=3)
    await world.sms(CAROL, "locked herself in")
    essex = world.house.contracts["essex"]
    case = await world.case_of(CAROL)
    async with world.house.db.read() as session:
        now = world.now
        assert await readings.before(session, case, "sms", now) == ("locked herself in",)
        assert await readings.before(session, case, "telegram", now) == ()
    assert essex.key == "essex"


def test_a_share_of_few_is_wide_and_of_many_narrow() -> None:
    few, many = readings.Share(1, 1), readings.Share(98, 100)
    assert few.percent == 100
    assert few.between[0] < 30
    assert 92 < many.between[0] < 95
    assert readings.Share(0, 0).between == (0.0, 100.0)


async def test_right_raises_nothing_that_a_worker_has_lowered(world: World) -> None:
    await world.sms(ANA, "He has a knife and says he will kill us")
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(ANA)).reference)
        await cases.set_urgency(
            session, essex, case, "standard", "A game.", world.worker, world.now
        )
    await _judge(world, ANA, "right", world.worker)
    assert (await world.case_of(ANA)).urgency == "standard"


async def test_an_older_message_is_not_judged_once_something_newer_came(world: World) -> None:
    await world.sms(CAROL, "Can you tell me about the allowance?")
    older = await _reading(world, CAROL)
    await world.sms(CAROL, "He has cut himself and there is a lot of blood")
    essex = world.house.contracts["essex"]
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CAROL)).reference)
        with pytest.raises(Conflict, match="newer"):
            await readings.judge(
                session, essex, case, older.id or 0, "emergency", world.worker, world.now
            )


async def test_a_message_that_belongs_elsewhere_takes_its_reading_along(world: World) -> None:
    await world.sms(CAROL, "He has cut himself and there is a lot of blood")
    await world.sms(TOM, "Who pays the mileage?")
    read = await _reading(world, CAROL)
    to = await world.case_of(TOM)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.worker, (await world.case_of(CAROL)).reference)
        there = await cases.find_case(session, world.worker, to.reference)
        await elsewhere.move_message(session, case, read.contact_id, there, world.worker, world.now)
    moved = await world.all(TriageReading, TriageReading.id == read.id)
    assert [one.case_id for one in moved] == [to.id]  # type: ignore[attr-defined]
