"""How it was: asked by text when things are calm, answered by one digit, and never in a crisis."""

from datetime import timedelta

from helpline.engine.feedback import ask_for_feedback
from helpline.models import Case, Contact, FeedbackAsk, FeedbackRefusal
from tests.world import CARER, World


async def closed_and_calm(world: World) -> None:
    """Carol's matter was an easy one, and it is the next afternoon but one."""
    await world.sms(CARER, "Where can I find the first aid course dates")
    await world.sms(CARER, "PERSON")
    await world.reply(CARER, "On our page of events.")
    await world.allocate(CARER, world.worker)
    await world.close(CARER)
    world.clock.forward(timedelta(days=2, hours=10))


async def asked(world: World) -> int:
    await ask_for_feedback(world.house)
    await world.settle()
    return len([text for text in world.texts_to(CARER) if "how we did" in text])


async def test_asked_by_text_and_answered_by_one_digit(world: World) -> None:
    await closed_and_calm(world)
    assert await asked(world) == 1
    assert await asked(world) == 1  # nobody is asked twice
    await world.sms(CARER, "4")
    assert "If you want to say more" in world.texts_to(CARER)[-1]
    await world.sms(CARER, "Wasim was brilliant, it took a while")
    assert "a person will read that" in world.texts_to(CARER)[-1]
    (ask,) = await world.all(FeedbackAsk)
    assert isinstance(ask, FeedbackAsk)
    assert (ask.score, ask.comment) == (4, "Wasim was brilliant, it took a while")
    case = await world.case_of(CARER)
    assert case.status == "closed"
    kept = await world.all(Contact, Contact.case_id == case.id, Contact.what == "feedback")
    assert [one.body for one in kept] == [None, None]  # type: ignore[attr-defined]
    assert not [d for d in (await world.deadlines(CARER)).values() if d.state == "open"]
    world.clock.forward(timedelta(days=41))
    assert await asked(world) == 2  # weeks later, once more
    await world.sms(CARER, "0")
    assert "We will not ask again" in world.texts_to(CARER)[-1]
    assert await world.count(FeedbackRefusal) == 1


async def test_a_worrying_comment_is_a_message_like_any_other(world: World) -> None:
    await closed_and_calm(world)
    assert await asked(world) == 1
    await world.sms(CARER, "1")
    await world.sms(CARER, "They say I hit him and the police are coming")
    case = await world.case_of(CARER)
    assert case.status == "open"
    assert [d for d in (await world.deadlines(CARER)).values() if d.state == "open"]


async def test_a_digit_answers_nothing_that_was_not_asked(world: World) -> None:
    await closed_and_calm(world)
    await world.sms(CARER, "4")
    assert (await world.case_of(CARER)).status == "open"  # somebody writes: it is heard
    assert not await world.all(FeedbackAsk)


async def test_never_in_a_crisis_nor_against_what_keeps_them_safe(world: World) -> None:
    await closed_and_calm(world)
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        session.add(
            Case(
                reference="ESX-222222",
                contract="essex",
                person_id=case.person_id,
                urgency="urgent",
                reason="allegation",
                method="sms",
                opened_at=world.now,
            )
        )
    assert await asked(world) == 0
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        from helpline.desk import safety
        from helpline.rules.safety import SafeRules

        assert case is not None
        other = (await world.all(Case))[-1]
        again = await session.get(Case, other.id)  # type: ignore[attr-defined]
        assert again is not None
        again.urgency, again.reason, again.status = "low", "other", "closed"
        again.closed_at = world.now - timedelta(days=200)
        rules = SafeRules(neutral_only=True)
        await safety.set_rules(session, case, rules, world.worker, world.now)
    assert await asked(world) == 0
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        await safety.set_rules(session, case, SafeRules(), world.worker, world.now)
    assert await asked(world) == 1
