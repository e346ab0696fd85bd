"""The register's pages, the membership of a case, and what a person needs and is covered for."""

import io
import re

import pytest
from aiohttp import FormData

from helpline.desk import register
from helpline.engine.taking_in import take_in_lists
from helpline.models import Person, RegisterList
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, STRANGER, World

HEADER = "person,name,kind,team,postcode,approved_from,household,mobile\n"
CAROL = "FC1001,Carol Ashby,Foster carer,West,CM1 1QH,2020-01-01,,07700 900123\n"
NORA = "FC9,Nora New,SL,ART 16+,CO1 1AA,2026-10-20,,07700 900240\n"


async def upload(
    guest: Visitor, content: str | None, whole: str = "yes", as_of: str = "2026-11-01"
) -> int:
    form = FormData()
    for name, value in (("csrf", guest.csrf), ("as_of", as_of), ("whole", whole)):
        form.add_field(name, value)
    if content is not None:
        sent = io.BytesIO(content.encode())
        form.add_field("file", sent, filename="list.csv", content_type="text/csv")
    return await guest._read(await guest.client.post("/register", data=form))


async def test_a_list_is_read_shown_and_accepted(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "leonie")
    await guest.get("/more")
    assert "The register" in guest.text
    await guest.get("/register")
    assert await upload(guest, HEADER + CAROL + NORA) == 200
    assert re.search(r"1 new *, *1 changed *, *0 left *, *0 clashes", guest.text)
    assert "Mid Essex fostering team → West Essex fostering team" in guest.text
    assert "Nora New , supported lodgings carer" in guest.text
    assert await one_world.count(Person) == 1
    path = guest.path
    assert await guest.post(f"{path}/acceptance") == 200
    assert "The register is as the list has it" in guest.text
    assert await one_world.count(Person) == 2
    assert await guest.get(path) == 200  # decided: back to the register
    assert guest.path.startswith("/register?")
    assert await guest.post(f"{path}/acceptance") == 200


async def test_every_fault_is_on_the_page_and_what_was_typed_stays(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "leonie")
    await guest.get("/register")
    bad = "".join(f"X{n},Somebody,astronaut,Mid,CM1 1QH,1.1.2020,,\n" for n in range(20))
    assert await upload(guest, HEADER + bad, as_of="2026-10-15") == 400
    assert "40 things are wrong" in guest.text
    assert guest.page.count("“astronaut”") == 20
    assert 'value="2026-10-15"' in guest.page
    assert await one_world.count(RegisterList) == 0
    assert await upload(guest, None) == 400
    assert "Choose the list" in guest.text
    assert await upload(guest, HEADER + CAROL, whole="") == 400
    assert await upload(guest, HEADER + CAROL, as_of="soon") == 400
    assert "Say on which day" in guest.text
    assert await upload(guest, "x" * 2_200_000) == 400
    assert "larger than 2 MB" in guest.text


async def test_half_a_list_needs_a_second_look(one_world: World, arrive: Arrive) -> None:
    for n in range(8):
        await one_world.member(f"Carer {n}", f"FC20{n}")
    guest = await arrive(one_world, "leonie")
    await guest.get("/register")
    await upload(guest, HEADER + CAROL)
    path = guest.path
    assert "8 left" in guest.text
    assert await guest.post(f"{path}/acceptance") == 400
    assert "half a list" in guest.text
    assert await guest.post(f"{path}/acceptance", {"sure": "yes"}) == 200
    assert "0 new, 1 changed, 8 left" in guest.text


async def test_an_administrator_reads_the_list_and_no_page_of_a_person(
    everybody: World, arrive: Arrive
) -> None:
    guest = await arrive(everybody, "ada")
    await guest.get("/register")
    assert await upload(guest, HEADER + CAROL) == 200
    assert "Carol Ashby" in guest.text
    assert "/people/" not in guest.page
    await guest.post(f"{guest.path}/acceptance")
    await everybody.forward(hours=24 * 40)
    await guest.sign_in("ada")
    await guest.get("/register")
    assert "newest list is of 1 November 2026" in guest.text


async def test_a_list_thrown_away_changes_nothing(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "leonie")
    await guest.get("/register")
    await upload(guest, HEADER + CAROL + NORA)
    path = guest.path
    assert await guest.post(f"{path}/end") == 200
    assert "Nothing was changed" in guest.text
    assert await guest.post(f"{path}/acceptance", follow=False) in (303, 409)
    assert await one_world.count(Person) == 1


async def test_a_lead_who_must_not_know_a_case_does_not_read_its_person_in_a_list(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "It is about a member of your staff")
    reference = (await one_world.case_of(CARER)).reference
    guest = await arrive(one_world, "leonie")
    await guest.get(f"/cases/{reference}")
    await guest.post(f"/cases/{reference}/conflicts", {"why_conflict": "We are neighbours"})
    await guest.get("/register")
    await upload(guest, HEADER + CAROL + NORA)
    assert "1 of them is not shown to you" in guest.text
    assert "Carol" not in guest.text


async def test_one_key_says_whether_others_approved_them(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(STRANGER, "I foster for Southend")
    here = f"/cases/{(await one_world.case_of(STRANGER)).reference}"
    guest = await arrive(one_world, "wasim")
    await guest.get(here)
    assert "Probably not within the contract" in guest.text
    assert "ended on 31 July 2024" not in guest.text  # it stands where standing is decided
    await guest.get(f"{here}/standing")
    assert "ended on 31 July 2024, before this case came" in guest.text
    await guest.get(here)
    assert await guest.post(f"{here}/standing/named", {"so": "perhaps"}) == 400
    assert await guest.post(f"{here}/standing/named", {"so": "yes"}) == 200
    assert "Not within the contract" in guest.text
    assert "Answer them kindly" in guest.text
    assert "Probably" not in guest.text


async def test_a_long_list_shows_how_far_it_is(
    one_world: World, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "AT_ONCE", 1)
    guest = await arrive(one_world, "leonie")
    await guest.get("/register")
    await upload(guest, HEADER + CAROL + NORA)
    path = guest.path
    assert await guest.post(f"{path}/acceptance") == 200
    assert "2 people: 0% done" in guest.text
    assert await upload(guest, HEADER + CAROL) == 400
    assert "still being taken in" in guest.text
    await take_in_lists(one_world.house)
    await guest.get(path)
    assert "The register is as the list has it" in guest.text
    await upload(guest, HEADER + CAROL + NORA)
    again = guest.path
    assert await guest.post(f"{again}/acceptance") == 200
    assert "Throw the rest away" in guest.text
    assert await guest.post(f"{again}/end") == 200
    assert "Whoever was taken in before stays" in guest.text


async def test_the_membership_of_a_case_says_why_and_offers_a_kind_answer(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(STRANGER, "I foster for Southend")
    reference = (await one_world.case_of(STRANGER)).reference
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{reference}")
    assert "Not known yet" in guest.text
    here = f"/cases/{reference}/standing"
    await guest.get(here)
    assert "Support does not wait" in guest.text
    assert await guest.post(f"{here}/facts") == 400
    assert "Write down at least one thing" in guest.text
    wrong = {"young_person_born": "2090-01-01", "quadrant": "south"}
    assert await guest.post(f"{here}/facts", wrong) == 400
    assert 'value="south" selected' in guest.page
    said = {"approved_by": "southend", "group": "foster_carer"}
    assert await guest.post(f"{here}/facts", said) == 200
    assert "Not within the contract" in guest.text
    assert "Fosterline" in guest.text
    assert "Decide otherwise" not in guest.text
    assert await guest.post(f"{here}/override", {"decision": "in", "why": "x"}) == 403
    await guest.get(f"/cases/{reference}")
    assert "Not within it" in guest.text
    assert "Not within the contract, by Wasim" in guest.text
    lead = await arrive(one_world, "leonie")
    await lead.get(here)
    assert await lead.post(f"{here}/override", {"decision": "in"}) == 400
    assert await lead.post(f"{here}/override", {"decision": "in", "why": "Agreed"}) == 200
    assert "Decided by a lead" in lead.text


async def test_needs_and_cover_stand_on_the_person_and_needs_on_the_case(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "Hello")
    case = await one_world.case_of(CARER)
    guest = await arrive(one_world, "wasim")
    here = f"/people/{case.person_id}"
    await guest.get(here)
    assert "Mid Essex fostering team" in guest.text
    assert await guest.post(f"{here}/needs", {"kind": "interpreter"}) == 400
    assert "Say which language" in guest.text
    need = {"kind": "interpreter", "detail": "Polish <b>always</b>"}
    assert await guest.post(f"{here}/needs", need) == 200
    assert await guest.post(f"{here}/needs", {"kind": "large_print"}) == 200
    await guest.get(f"/cases/{case.reference}")
    assert "Interpreter: Polish <b>always</b>; Large print" in guest.text
    await guest.get(here)
    ends = re.findall(rf"{here}/needs/\d+/end", guest.page)
    assert await guest.post(ends[1]) == 200
    assert "Large print" not in guest.text.partition("Write down a need")[0]
    cover = {"code": "legal_expenses", "policy": "LX-77", "valid_from": "2025-11-03"}
    assert await guest.post(f"{here}/covers", cover | {"valid_to": "2025-01-01"}) == 400
    assert "before the first" in guest.text
    assert 'value="LX-77"' in guest.page
    assert await guest.post(f"{here}/covers", cover | {"household": "yes"}) == 200
    assert "holds , from 3 Nov 2025" in guest.text
    [end] = re.findall(rf"{here}/covers/\d+/end", guest.page)
    assert await guest.post(end, {"last_day": "2026-11-02"}) == 200
    assert "lapsed" in guest.text
    assert await guest.post(f"{here}/covers/999/end", {"last_day": "2026-11-02"}) == 404


async def test_a_cover_of_the_household_is_shown_to_all_of_it(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "leonie")
    await guest.get("/register")
    home = "FC3,Ravi Home,Foster carer,Mid,CM1 1QH,2020-01-01,H9,\nOC1,Tara Home,Own child,,,,H9,\n"
    await upload(guest, HEADER + CAROL + home)
    await guest.post(f"{guest.path}/acceptance")
    ravi, tara = [one for one in await one_world.all(Person) if one.household]  # type: ignore[attr-defined]
    cover = {"code": "stress_counselling", "valid_from": "2026-01-01", "household": "yes"}
    await guest.get(f"/people/{ravi.id}")
    await guest.post(f"/people/{ravi.id}/covers", cover)
    await guest.get(f"/people/{tara.id}")
    assert "Through Ravi Home" in guest.text
    own = {"code": "member_discounts", "valid_from": "2026-01-01"}  # A58: not every benefit is hers
    assert await guest.post(f"/people/{tara.id}/covers", own) == 400
    assert "The contract gives this to: foster carer, supported lodgings carer" in guest.text
    assert "Belongs to the household of somebody approved" in guest.text
