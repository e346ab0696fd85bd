"""A carer's daughter of fifteen writes to us and asks for somebody to talk to: a case of her own, a
worker of her own, counselling that is counted and read by few, and a wall to her mother's."""

from datetime import timedelta

from helpline.desk import cases, partners, parts, referral_lists, referrals
from helpline.desk.partners import Typed
from helpline.models import Case, Part, Person
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.web.conftest import Arrive
from tests.world import CARER, World

TESS = "+447700900155"
COUNSELLOR = Typed(
    "counsellor",
    "Marram Counselling",
    "Young people of fostering families",
    telephone="01632 960555",
)


async def test_an_own_child_asks_for_counselling(world: World, arrive: Arrive) -> None:
    essex = world.house.contracts["essex"]
    amara = await world.hire("Amara", Role.WORKER)
    await world.member("Tess Ashby", "OC7", TESS, group="own_child")
    await world.sms(CARER, "There is an allegation and I do not know what to do")
    await world.allocate(CARER, world.worker)
    await world.sms(TESS, "mum fosters and everyone is angry at home. can i talk to someone")
    hers, mothers = await world.case_of(TESS), await world.case_of(CARER)
    assert hers.id != mothers.id
    people = await world.count(Person)
    assert hers.group == "own_child"
    assert "116 123" in world.texts_to(TESS)[0] or "999" in world.texts_to(TESS)[0]

    guest = await arrive(world, "leonie")  # a lead sees that both belong together
    here = f"/cases/{mothers.reference}/people"
    await guest.get(here)
    await guest.post(f"{here}/search", {"asked": "OC7"})
    assert f'value="{hers.person_id}"' in guest.page
    assert await guest.post(f"{here}/known", {"asked": "OC7", "role": "own_child"}) == 400
    assert "Choose who it is." in guest.text and f'value="{hers.person_id}"' in guest.page
    form = {"person": str(hers.person_id), "role": "own_child"}
    assert await guest.post(f"{here}/known", form) == 200
    assert "Tess Ashby : own child, since" in guest.text
    [part] = await world.all(Part)
    assert isinstance(part, Part)
    why = {"why": "She must be able to speak freely"}
    assert await guest.post(f"{here}/parts/{part.id}/own-case", why) == 200
    assert await guest.post(f"{here}/parts/{part.id}/own-case", why) == 409
    assert await world.count(Case) == 2  # the case that she had already
    assert await world.count(Person) == people
    await world.allocate(TESS, amara)

    async with world.house.db.write() as session:
        known = await partners.add(session, essex, COUNSELLOR, world.lead, world.now)
        case = await cases.find_case(session, amara, hers.reference)
        asked = await referrals.request(
            session,
            essex,
            case,
            str(known.id),
            case.person_id,
            "Wants to talk after school",
            "agreed",
            amara,
            world.now,
        )
        await referrals.answer(session, case, asked.id or 0, True, "", amara, world.now)
    await world.later(hours=24 * 3)
    async with world.house.db.write() as session:
        case = await cases.find_case(session, amara, hers.reference)
        day = (world.now - timedelta(hours=1)).date()
        await referrals.note_session(
            session, essex, case, asked.id or 0, day, 50, True, amara, world.now
        )
    assert len((await shown(world, hers, amara)).sessions) == 1
    async with world.house.db.read() as session:
        assert await parts.has_wall(session, hers.id or 0)
        assert not await parts.linked(
            session, hers.id or 0, amara
        )  # whose other side, she is not told


async def shown(world: World, case: Case, by: Actor) -> referral_lists.Shown:
    async with world.house.db.read() as session:
        found = await cases.find_case(session, by, case.reference)
        essex = world.house.contracts["essex"]
        (one,) = await referral_lists.of_case(session, essex, found, by, world.now)
        return one
