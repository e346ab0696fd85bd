"""What happens at the same instant happens once: copies of one message, first messages of one
person, two nodes that route, send, sweep or answer the same page. On both databases."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from helpline.channels import Inbound
from helpline.clock import MovableClock
from helpline.desk import access, cases, escalation, outbox, rota
from helpline.desk.house import House
from helpline.engine.deliver import deliver_all
from helpline.engine.routing import route_all
from helpline.engine.watch import watch
from helpline.errors import Conflict
from helpline.models import (
    Address,
    Alert,
    Case,
    Contact,
    Conversation,
    Deadline,
    Event,
    InboundItem,
    OutMessage,
    Page,
    Person,
)
from helpline.rules import ladder
from helpline.vocabulary import Role
from tests.drills.houses import (
    NIGHT,
    OUR_NUMBER,
    PUBLIC_URL,
    SMS_HOOK,
    TELEGRAM_HOOK,
    carer,
    everything,
    opened_house,
    serving,
)
from tests.fakes.telegram import FakeTelegram, update
from tests.fakes.twilio import FakeTwilio, new_sid

Nodes = tuple[House, House]


@pytest.fixture
async def twilio() -> AsyncIterator[FakeTwilio]:
    async with FakeTwilio() as fake:
        yield fake


@pytest.fixture
async def nodes(database_url: str, twilio: FakeTwilio) -> AsyncIterator[Nodes]:
    """Two nodes on one database, with one clock on the wall."""
    clock = MovableClock(frozen_at=NIGHT)
    async with (
        opened_house(database_url, twilio_url=twilio.url, clock=clock) as one,
        opened_house(database_url, twilio_url=twilio.url, clock=clock) as other,
    ):
        await asyncio.gather(one.db.answers(), other.db.answers())  # connected: no head start
        yield one, other


async def test_ten_copies_at_once_to_two_nodes_make_one_item(
    nodes: Nodes, twilio: FakeTwilio
) -> None:
    sid, text = new_sid(), "they say I hit him"
    async with serving(nodes[0]) as one, serving(nodes[1]) as other, session() as client:
        answers = await asyncio.gather(
            *(
                twilio.post_inbound(
                    client,
                    url + SMS_HOOK,
                    carer(1),
                    OUR_NUMBER,
                    text,
                    sid=sid,
                    signed_url=PUBLIC_URL + SMS_HOOK,
                )
                for url in (one, other) * 5
            )
        )
    assert answers == [200] * 10
    await both(route_all, nodes)
    await both(route_all, nodes)
    assert len(await everything(nodes[0], InboundItem)) == 1
    assert len(await everything(nodes[0], Case)) == 1
    assert [c.direction for c in await everything(nodes[0], Contact)] == ["in", "out"]


async def test_ten_copies_of_one_telegram_update_at_once_make_one_item(nodes: Nodes) -> None:
    document = update(700900123, "they say I hit him", update_id=77)
    async with FakeTelegram() as telegram, serving(nodes[0]) as url, session() as client:
        posts = (telegram.post_update(client, url + TELEGRAM_HOOK, document) for _ in range(10))
        assert await asyncio.gather(*posts) == [200] * 10
    assert len(await everything(nodes[0], InboundItem)) == 1


async def test_two_first_messages_of_one_person_at_once_make_one_case(
    nodes: Nodes, twilio: FakeTwilio
) -> None:
    """Forty people write twice at once, each time to two nodes, which then route at once."""
    people = [carer(number) for number in range(40)]
    async with serving(nodes[0]) as one, serving(nodes[1]) as other, session() as client:
        for person in people:
            answers = await asyncio.gather(
                *(
                    twilio.post_inbound(
                        client,
                        url + SMS_HOOK,
                        person,
                        OUR_NUMBER,
                        text,
                        signed_url=PUBLIC_URL + SMS_HOOK,
                    )
                    for url, text in ((one, "hello is anyone there"), (other, "please ring me"))
                )
            )
            assert answers == [200, 200]
    for _ in range(3):  # a sender whose turn another node had is taken at the next look
        await both(route_all, nodes)

    items = await everything(nodes[0], InboundItem)
    assert Counter(item.state for item in items) == {"routed": 80}
    assert sum(item.attempts for item in items) == 0
    for table in (Case, Person, Address, Conversation):
        assert len(await everything(nodes[0], table)) == 40, table
    said = await everything(nodes[0], Contact)
    assert Counter(c.direction for c in said if c.kind == "message") == {"in": 80}
    first_answers = [c for c in said if "Your message has arrived" in (c.body or "")]
    assert len(first_answers) == 40
    assert len(await everything(nodes[0], Deadline)) == 80


async def test_two_nodes_that_route_put_each_message_on_its_case_once(
    nodes: Nodes,
) -> None:
    people = [carer(number) for number in range(10)]
    rounds = 12
    for number in range(rounds):
        for person in people:
            await keep(nodes[0], person, f"{number:03}")
        await both(route_all, nodes)
        await both(route_all, nodes)
    heard = [c for c in await everything(nodes[0], Contact) if c.direction == "in"]
    assert len(heard) == rounds * len(people)
    for case in await everything(nodes[0], Case):
        texts = [c.body for c in heard if c.case_id == case.id]
        assert texts == [f"{number:03}" for number in range(rounds)]
    assert {item.attempts for item in await everything(nodes[0], InboundItem)} == {0}


async def test_the_order_of_one_sender_is_kept_by_two_nodes(
    nodes: Nodes,
) -> None:
    for number in range(30):
        for person in range(3):
            await keep(nodes[0], carer(person), f"{number:03}")
    for _ in range(3):
        await both(route_all, nodes)
    heard = [c for c in await everything(nodes[0], Contact) if c.direction == "in"]
    assert len(heard) == 90
    for case in await everything(nodes[0], Case):
        texts = [c.body for c in heard if c.case_id == case.id]
        assert texts == sorted(texts)


async def test_two_nodes_that_send_never_send_twice(nodes: Nodes, twilio: FakeTwilio) -> None:
    numbers = iter(range(100))
    for _ in range(20):
        async with nodes[0].db.write() as session_:
            for number in itertools.islice(numbers, 5):
                words, person = f"text {number}", carer(number % 3)
                await outbox.queue(session_, "essex", "sms", person, words, NIGHT)
        await both(deliver_all, nodes)
    assert Counter(message["body"] for message in twilio.sent) == {
        f"text {number}": 1 for number in range(100)
    }
    messages = await everything(nodes[0], OutMessage)
    assert Counter(m.state for m in messages) == {"sent": 100}
    assert {m.attempts for m in messages} == {1}
    assert len({m.provider_id for m in messages}) == 100


async def test_two_nodes_that_sweep_raise_each_alert_once(nodes: Nodes) -> None:
    duty = await on_call(nodes[0])
    for number in range(30):
        await a_case(nodes[0], carer(number))
    clock = nodes[0].clock
    assert isinstance(clock, MovableClock)
    for hours in (12, 8, 3, 1):  # the three warnings and the breach
        clock.forward(timedelta(hours=hours))
        await both(watch, nodes)
        clock.forward(ladder.QUIET)  # what the other node asked a moment later waited in peace
        await both(watch, nodes)

    raised = await everything(nodes[0], Alert)
    per_case = Counter(alert.case_id for alert in raised)  # its two clocks run together
    assert len(per_case) == 30
    assert set(per_case.values()) == {4}
    pages = await everything(nodes[0], Page)
    assert {page.alert_id for page in pages} == {alert.id for alert in raised}
    # A rung is asked once. (An old alert may be asked its next rung while the worse one is raised.)
    assert set(Counter((page.alert_id, page.rung) for page in pages).values()) == {1}
    assert {page.user_id for page in pages} == {duty}
    events = Counter(event.kind for event in await everything(nodes[0], Event))
    assert events["alert.raised"] == 120
    assert events["deadline.missed"] == 60


async def test_of_two_who_take_an_alert_at_once_one_has_it(nodes: Nodes) -> None:
    await on_call(nodes[0])
    for number in range(20):
        await a_case(nodes[0], carer(number))
    clock = nodes[0].clock
    assert isinstance(clock, MovableClock)
    clock.forward(timedelta(hours=12))
    await watch(nodes[0])
    users = [await hired(nodes[0], f"worker {number}") for number in range(2)]

    async def take(house: House, alert: int, user: int) -> int | None:
        try:
            async with house.db.write() as session_:
                await escalation.acknowledge(session_, alert, user, clock.now())
        except Conflict:
            return None
        return user

    for alert in await everything(nodes[0], Alert):
        both_at_once = (take(*pair) for pair in zip(nodes, [alert.id] * 2, users, strict=True))
        (winner,) = [user for user in await asyncio.gather(*both_at_once) if user is not None]
        (taken,) = await everything(nodes[0], Alert, Alert.id == alert.id)
        assert taken.acknowledged_by_id == winner
    kinds = Counter(event.kind for event in await everything(nodes[0], Event))
    assert kinds["alert.acknowledged"] == 20


# --- what the races are run with -----------------------------------------------------------------


def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession()


async def both(loop: object, nodes: Nodes) -> None:
    """The same loop on both nodes at the same time."""
    assert callable(loop)
    await asyncio.gather(*(loop(house) for house in nodes))


async def keep(house: House, person: str, words: str) -> None:
    await house.inbox.keep(Inbound("sms", new_sid(), person, OUR_NUMBER, words), NIGHT)


async def hired(house: House, name: str, mobile: str | None = None) -> int:
    async with house.db.write() as session_:
        return await access.add_user(
            session_, name, Role.WORKER, None, "three words and more", NIGHT, mobile=mobile
        )


async def on_call(house: House) -> int:
    duty = await hired(house, "dilys", "+447700900901")
    async with house.db.write() as session_:
        ends = NIGHT + timedelta(days=9)
        await rota.add_shift(session_, "essex", duty, NIGHT - timedelta(hours=1), ends)
    return duty


async def a_case(house: House, number: str) -> None:
    """An open case with its two clocks, received now."""
    async with house.db.write() as session_:
        person = Person(contract="essex", created_at=NIGHT)
        session_.add(person)
        await session_.flush()
        assert person.id is not None
        case = Case(
            reference="", contract="essex", person_id=person.id, method="text", opened_at=NIGHT
        )
        await cases.open_case(session_, house.contracts["essex"], case)
