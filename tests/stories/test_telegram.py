"""Telegram whole: who is behind a chat, blocked and back, alerts on a worker's chat."""

from helpline.channels import Inbound
from helpline.desk import cases, linking
from helpline.models import Address, Case, Contact, Person, User
from helpline.vocabulary import ItemKind
from tests.stories.test_walls import two_sides
from tests.world import CARER, World

CHAT, STAFF_CHAT = "777000111", "777000222"


async def test_a_code_read_out_by_a_worker_ties_the_chat_to_the_person(world: World) -> None:
    await world.telegram(CHAT, "hello, about tax please")
    carol = await carol_of(world)
    async with world.house.db.write() as session:
        code = await linking.make_code_for_person(session, carol, world.worker, world.now)
    await world.telegram(CHAT, f"/start {code}")

    (address,) = await world.all(Address, Address.channel == "telegram")
    assert address.person_id == carol.id
    (case,) = await world.all(Case)
    assert (case.person_id, case.identity, case.quadrant) == (carol.id, "known", "mid")
    assert world.telegram_network.on(CHAT)[-1].text.startswith("This chat is now yours")


async def test_a_chat_that_is_proved_to_be_the_other_sides_leaves_the_case_it_wrote_on(
    world: World,
) -> None:
    """Tess uses her mother's telephone: what her mother is told does not reach her from then on."""
    _, hers = await two_sides(world)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, hers)
        tess = await session.get(Person, case.person_id)
        assert tess is not None
        mother = await linking.make_code_for_person(
            session, await carol_of(world), world.worker, world.now
        )
        code = await linking.make_code_for_person(session, tess, world.worker, world.now)
    await world.telegram(CHAT, mother)
    await world.telegram(CHAT, "hello, it is Carol")
    (carols,) = await world.all(Case, Case.method == "telegram", Case.reference != hers)
    await world.telegram(CHAT, code)
    (address,) = await world.all(Address, Address.channel == "telegram")
    assert address.person_id == tess.id
    async with world.house.db.read() as session:
        before = await session.get(Case, carols.id)
        assert before is not None
        reached = await cases.reply_address(session, before)
        assert reached is None or reached.channel != "telegram"
    await world.telegram(CHAT, "it is me, Tess")
    said = (await world.all(Contact, Contact.body.is_not(None)))[-2:]
    assert {one.person_id for one in said} == {tess.id}
    assert carols.id not in {one.case_id for one in said}


async def test_a_code_works_once_and_not_for_long(world: World) -> None:
    carol = await carol_of(world)
    async with world.house.db.write() as session:
        used = await linking.make_code_for_person(session, carol, world.worker, world.now)
        old = await linking.make_code_for_person(session, carol, world.worker, world.now)
    await world.telegram(CHAT, used)
    await world.telegram(STAFF_CHAT, used)
    await world.forward(minutes=31)
    await world.telegram(STAFF_CHAT, old)

    tied = [a for a in await world.all(Address, Address.channel == "telegram") if a.from_register]
    assert [address.value for address in tied] == [CHAT]


async def test_a_worker_takes_an_alert_on_their_own_chat(world: World) -> None:
    async with world.house.db.write() as session:
        code = await linking.make_code_for_user(session, world.duty, world.now)
    await world.telegram(STAFF_CHAT, code.lower())
    (duty,) = await world.all(User, User.id == world.duty.user_id)
    assert duty.telegram == STAFF_CHAT
    await world.sms(CARER, "he has taken all his tablets and won't wake up")
    page = world.telegram_network.on(STAFF_CHAT)[-1].text
    await world.telegram(STAFF_CHAT, page.split("Reply ")[1][:4])

    assert world.telegram_network.on(STAFF_CHAT)[-1].text.startswith("You have ")
    assert "alert.acknowledged" in await world.events(CARER)


async def test_blocking_the_bot_is_an_opt_out_and_no_case(world: World) -> None:
    await stand(world, "kicked", 1)
    assert await world.count(Case) == 0
    await world.telegram(CHAT, "hello, about tax please")
    sent = len(world.telegram_network.on(CHAT))
    await stand(world, "kicked", 2)
    (address,) = await world.all(Address, Address.channel == "telegram")
    assert address.opted_out_at == world.now
    await stand(world, "member", 3)
    (address,) = await world.all(Address, Address.channel == "telegram")
    assert address.opted_out_at is None
    assert len(world.telegram_network.on(CHAT)) == sent


async def carol_of(world: World) -> Person:
    (carol,) = await world.all(Person, Person.group == "foster_carer", Person.id == 1)
    return carol


async def stand(world: World, status: str, number: int) -> None:
    extra = {"what": "my_chat_member", "status": status}
    item = Inbound(
        "telegram", f"s{number}", CHAT, "telegram", "", kind=ItemKind.UNSUPPORTED, extra=extra
    )
    await world.house.inbox.keep(item, world.now)
    await world.settle()
