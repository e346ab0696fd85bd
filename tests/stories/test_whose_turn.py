"""Whose turn it is: the first screen says what this very person does next, why and by when."""

from datetime import timedelta

from helpline.desk import promises
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World


def first(text: str) -> str:
    """The panel of what is next, up to what stands below it."""
    return text[text.index("Next for you") :][:600]


async def test_each_sees_their_own_next_thing(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Please ring me about a form")
    await world.allocate(CARER, world.worker)
    await world.reply(CARER, "Which form is it?")
    await world.sms(STRANGER, "Who can help with a school place?")

    wasim = await arrive(world, "wasim")  # not on call, and nobody of his waits
    await wasim.get("/inbox")
    assert "Nothing waits for you" in wasim.text
    assert "On call now: Dilys" in wasim.text

    dilys = await arrive(world, "dilys")
    await dilys.get("/inbox")
    assert "Answer somebody not known yet" in first(dilys.text)
    assert "due in 24 h, tomorrow 02:15. You are on call." in first(dilys.text).replace(
        "Due", "due"
    )

    lead = await arrive(world, "leonie")
    await lead.get("/inbox")
    assert "Name a support worker for somebody not known yet" in first(lead.text)
    assert "Nobody has it yet." in first(lead.text)

    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        at = world.now + timedelta(hours=2)
        contract = world.house.contracts[case.contract]
        await promises.give(session, contract, case, "call", "", at, world.worker, world.now)
    await wasim.get("/inbox")
    assert "Ring Carol Ashby" in first(wasim.text)
    assert "Due in 2 h, today 04:15. You gave your word." in first(wasim.text)
    await world.forward(minutes=1)
    await world.sms(CARER, "It is the second of the two")
    await wasim.get("/inbox")
    assert "Answer Carol Ashby, who wrote again" in first(wasim.text)
    await world.reply(CARER, "Thank you")
    await world.forward(hours=1, minutes=44)
    await lead.get("/inbox")
    assert "Wasim promised to ring Carol Ashby" in lead.text
