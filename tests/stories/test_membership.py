"""What members are given besides help: news only to those who agreed and never twice, an exact
word that ends it, places that move up by themselves, the proof that each was told of the
policies."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
from sqlalchemy import select

from helpline.desk import (
    cases,
    chosen,
    climbing,
    consents,
    gatherings,
    given,
    library,
    library_care,
    news,
    proofs,
)
from helpline.desk.chosen import Choice
from helpline.desk.gatherings import Plan
from helpline.desk.library import COUNCILS_POLICY, OWN_POLICY, Draft
from helpline.engine.giving import give
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import (
    Address,
    Case,
    LibraryUse,
    News,
    NewsRecipient,
    OutMessage,
    Person,
    PolicyProof,
    SafeContact,
)
from helpline.rules.safety import SafeRules, written
from helpline.sealing import ring
from helpline.vocabulary import BookingState, NewsState
from tests.world import CARER, STRANGER, WORKER_PHONE, World, opened_world

JO, SAMIR, PRIYA = "+447700900124", "+447700900125", "+447700900126"
BODY = "Coffee morning on Friday at ten, in the library."


@pytest.fixture
async def day(database_url: str) -> AsyncIterator[World]:
    """The same world at eleven in the morning: news goes by day."""
    async with opened_world(database_url, datetime(2026, 11, 3, 11, 0, tzinfo=UTC)) as world:
        await world.member("Jo Li", "FC1002", JO)
        await world.member("Samir Walsh", "FC1003", SAMIR, quadrant="south", team="south")
        await world.member("Priya Nairn", "SL1004", PRIYA, group="supported_lodgings_carer")
        yield world


async def test_news_goes_only_to_those_who_agreed_and_says_why_not_to_the_others(
    day: World,
) -> None:
    for number in (CARER, JO, PRIYA):
        await agree(day, number)
    await day.sms(PRIYA, "he says he has taken all his tablets")  # in a crisis since
    async with day.house.db.write() as session:
        jo = await person(session, day, JO)
        await safety_rules(session, day, jo, SafeRules(begins=time(15), ends=time(18)))
    item = await write(day, BODY)
    async with day.house.db.read() as session:
        seen = await news.preview(session, contract(day), day.house.wording, item, day.now)
    assert seen.counts == {
        "gets": 2,
        "later": 1,
        "no_consent": 1,
        "no_way": 0,
        "crisis": 1,
        "blocked": 0,
    }
    assert "To have no more news send NONEWS." in seen.text

    before = len(day.texts_to(PRIYA))
    await send(day, item, 2)
    await beats(day)
    assert BODY in day.texts_to(CARER)[-1]
    assert day.texts_to(JO) == []
    await day.forward(hours=4)
    await beats(day, 3)
    assert [BODY in text for text in day.texts_to(JO)] == [True]
    assert day.texts_to(SAMIR) == []
    assert len(day.texts_to(PRIYA)) == before
    assert (await newest(day)).state == NewsState.SENT
    assert len([t for t in day.texts_to(CARER) if BODY in t]) == 1


async def test_a_lead_looks_a_second_time_and_sees_a_number_that_changed(day: World) -> None:
    await agree(day, CARER)
    item = await write(day, BODY)
    with pytest.raises(NotAllowed):
        await send(day, item, 1, by=day.worker)
    await agree(day, JO)
    with pytest.raises(Conflict, match="By now it reaches 2, not 1"):
        await send(day, item, 1)
    assert (await newest(day)).state == NewsState.DRAFT
    await send(day, item, 2)
    with pytest.raises(Conflict):
        await send(day, item, 2)


async def test_the_word_nonews_ends_news_and_nothing_else(day: World) -> None:
    await agree(day, CARER)
    await day.sms(CARER, "Nonews.")
    assert day.texts_to(CARER)[-1].startswith("You will get no more news")
    assert await day.count(Case) == 0
    item = await write(day, BODY)
    with pytest.raises(InvalidInput, match="Nobody would get it"):
        await send(day, item, 0)
    await day.sms(CARER, "No news from the panel yet, can somebody ring me?")
    assert await day.count(Case) == 1
    await day.reply(CARER, "I am ringing you now.")
    assert day.texts_to(CARER)[-1] == "I am ringing you now."


async def test_who_takes_back_their_word_while_it_goes_out_gets_none(day: World) -> None:
    await agree(day, CARER)
    item = await write(day, BODY)
    await send(day, item, 1)
    await give(day.house)  # the message is made, and has not left
    await day.sms(CARER, "NONEWS")
    assert not [text for text in day.texts_to(CARER) if BODY in text]
    async with day.house.db.read() as session:
        progress = await news.progress(session, item.id or 0)
    assert (progress.left_out, dict(progress.why)) == (4, {"no_consent": 4})  # three never agreed


async def test_it_goes_slowly_survives_a_restart_and_can_be_stopped(day: World) -> None:
    numbers = [f"+4477009002{n:02}" for n in range(20)]
    for n, number in enumerate(numbers):
        await day.member(f"Member {n}", f"FC2{n:03}", number)
        await agree(day, number)
    item = await write(day, BODY)
    await send(day, item, 20)
    assert await give(day.house) == 5  # a sixth of thirty a minute
    assert await give(day.house) == 5
    again = day.house  # all that is known stands in the database
    await day.forward(minutes=2)
    assert await give(again) == 5
    async with day.house.db.write() as session:
        found = await news.find(session, day.worker, item.id or 0)
        await news.stop(session, found, day.worker, day.now)
    await beats(day, 3)
    got = [number for number in numbers if day.texts_to(number)]
    assert len(got) == 10  # the last five were made and had not left
    assert all(len(day.texts_to(number)) == 1 for number in got)
    assert await day.count(NewsRecipient) == 24 and await day.count(OutMessage) == 15


async def test_a_full_evening_has_a_waiting_list_that_moves_and_reminds(day: World) -> None:
    starts = day.now + timedelta(days=3)
    plan = Plan("Skills evening", starts, starts + timedelta(hours=2), place="Town Hall", places=1)
    async with day.house.db.write() as session:
        event = await gatherings.write(session, contract(day), plan, day.lead, day.now)
        carol, jo = await person(session, day, CARER), await person(session, day, JO)
        first = await gatherings.book(session, event, carol, "a ramp", day.worker, day.now)
        second = await gatherings.book(session, event, jo, "", day.worker, day.now)
        assert (first.state, second.state) == (BookingState.BOOKED, BookingState.WAITING)
        with pytest.raises(Conflict, match="booked already"):
            await gatherings.book(session, event, carol, "", day.worker, day.now)
    await day.forward(hours=1)
    async with day.house.db.write() as session:
        event = await gatherings.find(session, day.worker, event.id or 0)
        await gatherings.set_state(
            session,
            contract(day),
            day.house.wording,
            event,
            first.id or 0,
            BookingState.WITHDRAWN,
            day.worker,
            day.now,
        )
    await day.settle()
    assert "A place has come free" in day.texts_to(JO)[-1]
    await beats(day)
    assert len(day.texts_to(JO)) == 1
    await day.forward(hours=50)
    await beats(day, 2)
    assert (
        "A reminder" in day.texts_to(JO)[-1]
        and "Friday 6 November at 11 am" in day.texts_to(JO)[-1]
    )
    assert len(day.texts_to(JO)) == 2
    assert day.texts_to(CARER) == []


async def test_whoever_booked_hears_once_of_another_time_or_place(day: World) -> None:
    starts = day.now + timedelta(days=3)
    plan = Plan("Skills evening", starts, starts + timedelta(hours=2), place="Town Hall", places=1)

    async def change(**other: object) -> None:
        nonlocal plan
        plan = replace(plan, **other)  # type: ignore[arg-type]
        async with day.house.db.write() as session:
            found = await gatherings.find(session, day.lead, event.id or 0)
            await gatherings.write(session, contract(day), plan, day.lead, day.now, found)
            await gatherings.move_up(session, contract(day), day.house.wording, found, day.now)

    async with day.house.db.write() as session:
        event = await gatherings.write(session, contract(day), plan, day.lead, day.now)
        for number in (CARER, JO, SAMIR):
            who = await person(session, day, number)
            await gatherings.book(session, event, who, "", day.worker, day.now)
            if number == SAMIR:
                await safety_rules(session, day, who, SafeRules(not_by=("sms",)))
    await day.forward(hours=50)
    await beats(day)
    assert "A reminder" in day.texts_to(CARER)[-1]
    later = starts + timedelta(days=2)
    await change(starts_at=later, ends_at=later + timedelta(hours=2))
    await change(place="Library", body="Bring a cup.")
    await beats(day)
    assert len(day.texts_to(CARER)) == 1  # somebody may still be changing it
    await day.forward(minutes=11)
    await beats(day, 2)
    for number in (CARER, JO):  # who waits is told as well
        assert "is now on Sunday 8 November at 11 am, Library" in day.texts_to(number)[-1]
    assert (len(day.texts_to(CARER)), len(day.texts_to(JO)), day.texts_to(SAMIR)) == (2, 1, [])
    await change(body="Bring two cups.")
    await day.forward(hours=49)
    await beats(day)
    assert "A reminder" in day.texts_to(CARER)[-1] and "Library" in day.texts_to(CARER)[-1]
    await change(place="Town Hall")
    async with day.house.db.write() as session:
        found = await gatherings.find(session, day.lead, event.id or 0)
        await gatherings.call_off(
            session, contract(day), day.house.wording, found, day.lead, day.now
        )
    with pytest.raises(InvalidInput, match="called off"):
        await change(place="Library")
    await day.forward(minutes=11)
    await beats(day)
    assert day.texts_to(CARER)[3:] == [day.texts_to(JO)[-1]]
    assert "does not take place" in day.texts_to(JO)[-1]


async def test_each_carer_is_told_of_the_policies_once_when_known_and_when_they_complain(
    day: World,
) -> None:
    await policies(day)
    await day.sms(CARER, "can I claim council tax reduction")
    await beats(day, 2)
    told = [text for text in day.texts_to(CARER) if "/policies/essex/" in text]
    assert len(told) == 1 and OWN_POLICY in told[0] and COUNCILS_POLICY in told[0]
    async with day.house.db.read() as session:
        assert await proofs.figures(session, contract(day), day.now + timedelta(1)) == (1, 4)
        missing = await proofs.missing(session, day.worker, contract(day), day.now)
    assert [one.name for one in missing] == ["Jo Li", "Priya Nairn", "Samir Walsh"]

    async with day.house.db.write() as session:
        case = await session.get(Case, (await day.case_of(CARER)).id)
        await cases.set_reason(session, contract(day), case, "complaint", day.worker, day.now)
    await beats(day, 2)
    assert len([t for t in day.texts_to(CARER) if "/policies/essex/" in t]) == 2
    assert await day.count(PolicyProof) == 4

    async with day.house.db.write() as session:
        await proofs.begin_round(session, contract(day), day.lead, day.now)
    await beats(day, 3)
    async with day.house.db.read() as session:
        assert await proofs.figures(session, contract(day), day.now + timedelta(1)) == (4, 4)
        assert await proofs.round_of(session, "essex") is None
    assert len(day.texts_to(JO)) == 1


async def test_what_was_sent_of_the_library_is_logged_with_its_version(world: World) -> None:
    await world.sms(CARER, "can I claim council tax reduction")
    draft = Draft("answer", "Council tax", "Ask the council for a reduction on form twelve.")
    async with world.house.db.write() as session:
        item = await library.add(session, contract(world), draft, world.lead, world.now)
        newer = Draft("answer", "Council tax", "Ask the council for a reduction on form thirteen.")
        await library.change(session, contract(world), item.id, newer, world.lead, world.now)
        with pytest.raises(NotAllowed):
            await library.add(session, contract(world), draft, world.worker, world.now)
        (entry,) = await library.entries(
            session, world.house.contracts, world.now, asked="council form"
        )
        assert (entry.number, "thirteen" in entry.body) == (2, True)
        case = await session.get(Case, (await world.case_of(CARER)).id)
        text = f"Hello Carol. {entry.body}"
        sent = await cases.reply(session, contract(world), case, text, world.worker, world.now)
        ids = [entry.version_id]
        assert await given.log_sent(session, case, sent, text, ids, world.worker, world.now) == 1
        other = "Ring me."
        assert await given.log_sent(session, case, sent, other, ids, world.worker, world.now) == 0
    (use,) = await world.all(LibraryUse)
    assert use.version_id == entry.version_id and use.contact_id == sent.id
    async with world.house.db.read() as session:
        start, end = world.now - timedelta(days=1), world.now + timedelta(days=1)
        counted = await given.figures(session, "essex", start, end)
    assert (counted["answer"], counted["signpost"], counted["people"]) == (1, 0, 1)


async def test_the_contracts_signposts_stand_in_the_library_and_are_changed_under_settings(
    world: World,
) -> None:
    await give(world.house)
    await give(world.house)
    async with world.house.db.write() as session:
        found = await library.entries(session, world.house.contracts, world.now, kind="signpost")
        assert len(found) == len(contract(world).signposts)
        assert {one.number for one in found} == {1}
        with pytest.raises(Conflict, match="under Settings"):
            await library.verify(session, contract(world), found[0].id, world.lead, world.now)


async def test_a_no_and_what_was_given_stay_with_whoever_says_who_they_are_later(
    world: World,
) -> None:
    await world.sms(STRANGER, "hello, is anybody there")
    await give(world.house)
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(STRANGER)).id)
        (entry, *_) = await library.entries(session, world.house.contracts, world.now)
        await given.log_given(session, case, entry.version_id, "said", world.worker, world.now)
    await world.sms(STRANGER, "NONEWS")
    await world.sms(STRANGER, "FC1001")  # Carol's number of membership
    case = await world.case_of(STRANGER)
    async with world.house.db.read() as session:
        carol = await person(session, world, CARER)
        standing = await consents.standing(session, carol.id)
    assert case.person_id == carol.id
    assert [one.at is not None and not one.is_given for one in standing] == [True, True, True]
    (use,) = await world.all(LibraryUse)
    assert use.person_id == carol.id


async def test_an_owner_is_told_once_a_week_what_waits_for_them(world: World) -> None:
    async with world.house.db.write() as session:
        late = world.now.date() - timedelta(days=1)
        owner = world.worker.user_id
        draft = Draft("answer", "Old", "Words.", review_on=late, owner_id=owner)
        await library.add(session, contract(world), draft, world.lead, world.now)
        unverified = Draft("discount", "Pool", "Half price.", valid_until=date(2027, 1, 1))
        await library.add(session, contract(world), unverified, world.lead, world.now)
        house, reach = world.house, climbing.Reach(frozenset(world.house.channels))
        look = partial(library_care.remind_owners, session, contract(world), house.wording, reach)
        assert await look(world.now) == 2  # Wasim his own, and the lead what is nobody's
        assert await look(world.now + timedelta(days=1)) == 0
        assert await look(world.now + timedelta(days=7)) == 2
    await world.settle()
    assert "1 of the items of the library that are yours" in world.texts_to(WORKER_PHONE)[-1]


async def test_news_for_those_who_never_came(day: World) -> None:
    await day.sms(CARER, "can I claim council tax reduction")
    for number in (CARER, JO):
        await agree(day, number)
    async with day.house.db.write() as session:
        new = Choice(groups=("foster_carer",), never_came=True)
        one = contract(day)
        item = await news.write(session, one, "We are here", BODY, new, day.worker, day.now)
        seen = await news.preview(session, one, day.house.wording, item, day.now)
        assert (seen.chosen, seen.counts["gets"]) == (2, 1)
        assert await chosen.reach(session, one, day.now) == (4, 1)


# --- acts -----------------------------------------------------------------------------------------


def contract(world: World) -> object:
    return world.house.contracts["essex"]


async def person(session: object, world: World, number: str) -> Person:
    found = await session.scalar(
        select(Person)
        .join(Address, Address.person_id == Person.id)
        .where(Address.value_index.in_(ring().indexes("address:sms", number)))
    )
    assert isinstance(found, Person)
    return found


async def agree(world: World, number: str) -> None:
    async with world.house.db.write() as session:
        who = await person(session, world, number)
        await consents.write_down(session, who, "sms", True, "telephone", world.worker, world.now)


async def write(world: World, body: str) -> News:
    async with world.house.db.write() as session:
        return await news.write(
            session, contract(world), "Coffee", body, Choice(), world.worker, world.now
        )


async def send(world: World, item: News, counted: int, by: object = None) -> None:
    async with world.house.db.write() as session:
        found = await news.find(session, world.lead, item.id or 0)
        await news.send(session, contract(world), found, counted, by or world.lead, world.now)


async def newest(world: World) -> News:
    return (await world.all(News))[-1]


async def beats(world: World, times: int = 1) -> None:
    for _ in range(times):
        await give(world.house)
        await world.settle()


async def safety_rules(session: object, world: World, who: Person, rules: SafeRules) -> None:
    session.add(SafeContact(person_id=who.id, rules=written(rules), set_at=world.now))


async def policies(world: World) -> None:
    async with world.house.db.write() as session:
        for code in (OWN_POLICY, COUNCILS_POLICY):
            draft = Draft("policy", code.replace("_", " "), f"The whole {code}.", code=code)
            await library.add(session, contract(world), draft, world.lead, world.now)
