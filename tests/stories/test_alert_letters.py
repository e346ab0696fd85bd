"""An alert by e-mail, as promises: what the letter says, that answering with its code takes it, and
that nothing else a letter may be does."""

import pytest

from helpline.models import Alert, Case, OutMessage
from helpline.sealing import ring
from tests.stories.test_email import Post, post
from tests.stories.test_ladder import QUESTION, change, code_in
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE

DESK = "dilys@helpline.example"
__all__ = ["post"]  # the fixture


@pytest.fixture
async def desk(post: Post) -> Post:
    """Dilys reads her mail first."""
    values = {"email": DESK, "email_index": ring().index("address:email", DESK)}
    await change(post.world, post.world.duty, means="email,sms", **values)
    await post.world.sms(CARER, QUESTION)
    await post.world.forward(hours=12, minutes=1)
    return post


async def test_the_letter_holds_a_reference_a_colour_a_code_and_the_way_to_the_case(
    desk: Post,
) -> None:
    (told,) = desk.sent
    case = await desk.world.case_of(CARER)
    assert told.recipient == DESK
    assert told.letter["subject"] == f"Helpline {case.reference} YELLOW"
    assert code_in(told.text)
    site = desk.world.house.settings.public_url
    assert f"{site}/cases/{case.reference}\n" in told.text.replace("\r", "")
    for word in ("Carol", "Ashby", "council", CARER):
        assert word not in told.raw.decode()


async def test_answering_with_the_code_takes_it(desk: Post) -> None:
    (told,) = desk.sent
    await desk.answer(told, f"{code_in(told.text)}\n\nSent from my phone", sender=DESK)
    alert = await desk.one(Alert)
    assert alert.acknowledged_by_id == desk.world.duty.user_id
    assert len(await desk.world.all(Case)) == 1
    assert desk.sent[-1].recipient == DESK
    assert "You have" in desk.sent[-1].text
    assert desk.sent[-1].letter["subject"] == "Helpline"


@pytest.mark.parametrize(
    "words", ["I cannot, I am ill", "", "thank you\n\n{code}", "{code}{code}9 is not a code 12"]
)
async def test_an_answer_without_the_code_in_its_first_line_takes_nothing(
    desk: Post, words: str
) -> None:
    (told,) = desk.sent
    words = words.replace("{code}", code_in(told.text)) if "\n" in words else words
    await desk.answer(told, words or " ", sender=DESK)
    assert (await desk.one(Alert)).acknowledged_at is None


async def test_an_automatic_answer_that_quotes_the_code_takes_nothing(desk: Post) -> None:
    (told,) = desk.sent
    code = code_in(told.text)
    away = {"auto_submitted": "auto-replied"}
    await desk.answer(told, f"{code} I am away", sender=DESK, **away)
    assert (await desk.one(Alert)).acknowledged_at is None


async def test_the_code_from_another_address_takes_nothing(desk: Post) -> None:
    (told,) = desk.sent
    await desk.answer(told, code_in(told.text), sender="somebody@elsewhere.example")
    assert (await desk.world.all(Alert))[0].acknowledged_at is None  # type: ignore[attr-defined]


async def test_what_a_worker_forwards_to_us_is_a_case_like_any_letter(desk: Post) -> None:
    await desk.write("A carer wrote to me by mistake: please ring her.", sender=DESK)
    assert len(await desk.world.all(Case)) == 2


async def test_unread_it_goes_on_by_the_next_means_and_up(desk: Post) -> None:
    world = desk.world
    assert world.texts_to(DUTY_PHONE) == []
    await world.forward(minutes=10)
    assert len(world.texts_to(DUTY_PHONE)) == 1
    await world.forward(minutes=10)
    assert len(world.texts_to(LEAD_PHONE)) == 1


async def test_a_letter_that_comes_back_asks_the_next_at_once(desk: Post) -> None:
    (told,) = desk.sent
    desk.provider.bounce(told, desk.world.now)
    await desk.collect()
    (message,) = await desk.world.all(OutMessage, OutMessage.channel == "email")
    assert isinstance(message, OutMessage) and message.state == "failed"
    assert len(desk.world.texts_to(DUTY_PHONE)) == 1
