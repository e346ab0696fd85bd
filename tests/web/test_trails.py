"""What the inbox and a case say of an alert: who was asked, by which way and when, who took it, and
when it comes back."""

from datetime import timedelta

from sqlalchemy import update

from helpline.desk import escalation, trails
from helpline.desk.escalation import Cause
from helpline.models import Deadline, OutMessage
from helpline.vocabulary import AlertKind
from tests.stories.test_ladder import EMERGENCY, QUESTION, change, code_in
from tests.web.conftest import Arrive
from tests.world import CARER, DUTY_PHONE, LEAD_PHONE, World


async def test_who_was_asked_by_which_way_and_when(one_world: World, arrive: Arrive) -> None:
    await change(one_world, one_world.duty, telegram="5551")
    await one_world.sms(CARER, EMERGENCY)
    await one_world.forward(minutes=20)
    wasim = await arrive(one_world, "wasim")
    reference = (await one_world.case_of(CARER)).reference
    for page in ("/inbox", f"/cases/{reference}"):
        assert await wasim.get(page) == 200
        text = wasim.text.replace(" ,", ",").replace(" .", ".")
        said = "Asked: Dilys by Telegram and text message today 02:15, Dilys by Telegram and text"
        assert said in text, page
        assert "Leonie by text message today 02:35." in text
        assert "The next is asked today 02:45" in wasim.text


async def test_who_took_it_and_when_it_comes_back(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(CARER, EMERGENCY)
    await one_world.forward(minutes=5)
    await one_world.sms(DUTY_PHONE, code_in(one_world.texts_to(DUTY_PHONE)[0]))
    wasim, dilys = await arrive(one_world, "wasim"), await arrive(one_world, "dilys")
    reference = (await one_world.case_of(CARER)).reference
    for page in ("/inbox", f"/cases/{reference}"):
        await wasim.get(page)
        back = "took it today 02:20 . Back on the ladder today 02:50 if nothing is done."
        assert f"Dilys {back}" in wasim.text
        await dilys.get(page)
        assert f"You {back}" in dilys.text
    await one_world.reply(CARER, "I am here.", one_world.duty)
    await one_world.allocate(CARER, one_world.duty)
    await one_world.forward(minutes=31)
    await wasim.get("/inbox")
    assert "Back on the ladder" not in wasim.text


async def test_a_way_that_failed_is_said_and_many_askings_are_counted(
    one_world: World, arrive: Arrive
) -> None:
    await change(one_world, one_world.lead, mobile=None)
    await one_world.sms(CARER, EMERGENCY)
    wasim = await arrive(one_world, "wasim")
    await wasim.get("/inbox")
    assert "did not get through" not in wasim.text
    async with one_world.house.db.write() as session:
        to_dilys = OutMessage.alert_id.is_not(None)  # type: ignore[union-attr]
        await session.execute(update(OutMessage).where(to_dilys).values(state="failed"))
    await wasim.get("/inbox")
    assert "Asked: Dilys by text message (did not get through)" in wasim.text
    await one_world.forward(hours=3)
    await wasim.get("/inbox")
    asked = wasim.text.partition("Asked: ")[2]
    assert asked.split(" ")[0].isdigit() and "messages before, then Dilys" in asked
    assert asked.count("Dilys by") == trails.NEWEST


async def test_every_kind_of_alert_has_words(one_world: World, arrive: Arrive) -> None:
    contract = one_world.house.contracts["essex"]
    async with one_world.house.db.write() as session:
        for kind in AlertKind:
            for reference in ("CALENDAR", "SYSTEM") if kind == "upkeep" else ("ROTA",):
                cause = Cause(kind, f"{kind}:{reference}", reference)
                await escalation.raise_alert(session, contract, cause, one_world.now)
    leonie = await arrive(one_world, "leonie")
    await leonie.get("/inbox")
    for kind in AlertKind:
        assert f"<strong>{kind}</strong>" not in leonie.page
        assert f"<strong>{kind.replace('_', ' ').capitalize()}</strong>" not in leonie.page or (
            kind is AlertKind.EMERGENCY
        )
    assert "The table of bank holidays ends soon" in leonie.text
    assert "was set aside" in leonie.text
    assert LEAD_PHONE not in leonie.page


async def test_what_reaches_beyond_the_known_bank_holidays_is_due_at_the_earliest(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, QUESTION)
    wasim = await arrive(one_world, "wasim")
    reference = (await one_world.case_of(CARER)).reference
    await wasim.get(f"/cases/{reference}")
    assert "at the earliest" not in wasim.text
    async with one_world.house.db.write() as session:
        later = one_world.now + timedelta(days=40)
        await session.execute(update(Deadline).values(is_certain=False, due_at=later))
    await wasim.get(f"/cases/{reference}")
    assert wasim.text.count("at the earliest") == 5  # clocks, next, closing
