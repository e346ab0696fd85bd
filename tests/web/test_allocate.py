"""The board by plain forms, accepting and declining, conflicts on the case page: what each says,
what it does, and what it does when somebody else was faster."""

import asyncio
import re
from datetime import timedelta

from helpline.desk import cases
from helpline.desk.rota import plan
from helpline.rules.permissions import Actor
from helpline.vocabulary import AbsenceKind
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World

QUESTION = "can I claim council tax reduction"


async def away(world: World, who: Actor) -> None:
    async with world.house.db.write() as session:
        await plan.note_absence(
            session,
            list(world.house.contracts.values()),
            who.user_id,
            AbsenceKind.HOLIDAY,
            world.now,
            world.now + timedelta(days=7),
            world.lead.user_id,
            world.now,
        )


async def form(world: World, who: Actor, seen: str = "") -> dict[str, str]:
    reference = (await world.case_of(CARER)).reference
    return {"case": reference, "worker": str(who.user_id), "seen": seen}


async def test_a_lead_names_somebody_and_undoes_it(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    lead = await arrive(world, "leonie")
    await lead.get("/allocate")
    assert "Carol Ashby" in lead.text and "Nobody yet" in lead.text
    assert await lead.post("/allocate", await form(world, world.worker)) == 200
    assert "Wasim is named" in lead.text
    assert "Every open case has somebody who is here" in lead.text
    key = re.search(r'name="key" value="(a\d+)"', lead.page)
    assert key
    reference = (await world.case_of(CARER)).reference
    await lead.post("/allocate/undoing", {"case": reference, "key": key[1]})
    assert "Undone" in lead.text and "Nobody yet" in lead.text
    assert (await world.case_of(CARER)).worker_id is None


async def test_somebody_else_was_faster(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    lead = await arrive(world, "leonie")
    await lead.get("/allocate")
    await world.allocate(CARER, world.duty)
    assert await lead.post("/allocate", await form(world, world.worker)) == 409
    assert "Somebody else was faster" in lead.text
    asked = {"Asked-By": "board"}
    assert await lead.post("/allocate", await form(world, world.worker), headers=asked) == 409
    assert lead.page.startswith("Somebody else was faster")
    assert (await world.case_of(CARER)).worker_id == world.duty.user_id


async def test_two_leads_at_the_same_moment_name_one(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, QUESTION)
    leads = [await arrive(world, "leonie") for _ in range(4)]
    names = [world.worker, world.duty, world.lead, world.worker]
    posts = [
        lead.post("/allocate", await form(world, who), headers={"Asked-By": "board"})
        for lead, who in zip(leads, names, strict=True)
    ]
    assert sorted(await asyncio.gather(*posts)) == [200, 409, 409, 409]
    assert (await world.events(CARER)).count("case.allocated") == 1


async def test_all_first_proposals_are_taken_after_a_look(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    await world.sms(STRANGER, "Please ring me about money")
    lead = await arrive(world, "leonie")
    await lead.get("/allocate/all")
    takes = re.findall(r'name="take" value="([^"]+)"', lead.page)
    assert len(takes) == 2
    await world.allocate(STRANGER, world.lead)
    await lead.post("/allocate/all", [("take", take) for take in takes])
    assert "1 case has somebody now. 1 had changed meanwhile" in lead.text
    assert (await world.case_of(CARER)).worker_id is not None
    assert (await world.case_of(STRANGER)).worker_id == world.lead.user_id


async def test_the_worker_sees_it_in_the_inbox_and_declines_with_a_reason(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    await world.allocate(CARER, world.worker)
    reference = (await world.case_of(CARER)).reference
    wasim, lead = await arrive(world, "wasim"), await arrive(world, "leonie")
    await wasim.get("/inbox")
    assert "Yours: accept or decline" in wasim.text and "Leonie named you" in wasim.text
    await wasim.get(f"/cases/{reference}")
    assert "Can you take it?" in wasim.text
    assert await wasim.post(f"/cases/{reference}/refusal", {"why_not": ""}) == 400
    assert "why you decline" in wasim.text
    await wasim.post(f"/cases/{reference}/refusal", {"why_not": "full until Friday"})
    assert "Declined. Your lead is shown it" in wasim.text
    await lead.get("/allocate")
    assert "Declined by Wasim : “full until Friday”" in lead.text


async def test_accepted_from_the_inbox(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    await world.allocate(CARER, world.worker)
    reference = (await world.case_of(CARER)).reference
    wasim = await arrive(world, "wasim")
    await wasim.get("/inbox")
    await wasim.post(f"/cases/{reference}/acceptance", {"back": "inbox"})
    assert wasim.path == "/inbox" and "accept or decline" not in wasim.text
    assert await wasim.post(f"/cases/{reference}/acceptance") == 409


async def test_cover_by_one_click_and_both_are_told(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    await world.allocate(CARER, world.worker)
    await away(world, world.worker)
    lead, dilys = await arrive(world, "leonie"), await arrive(world, "dilys")
    await lead.get("/allocate")
    assert "Needs cover: Wasim is away until" in lead.text
    seen = f"{world.worker.user_id}-away"
    await lead.post("/allocate", await form(world, world.duty, seen))
    assert "Dilys stands in" in lead.text
    await dilys.get("/inbox?filter=mine")
    assert "You stand in" in dilys.text and "Yours for Wasim" in dilys.text
    await dilys.get(f"/cases/{(await world.case_of(CARER)).reference}")
    assert "You stand in for Wasim until" in dilys.text


async def test_somebody_away_is_named_on_the_case_only_with_a_reason(
    one_world: World, arrive: Arrive
) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    await away(world, world.worker)
    reference = (await world.case_of(CARER)).reference
    lead = await arrive(world, "leonie")
    await lead.get(f"/cases/{reference}")
    worker = {"worker": str(world.worker.user_id)}
    assert await lead.post(f"/cases/{reference}/allocation", worker) == 400
    assert "Wasim is away until" in lead.text and "Why, if they are away" in lead.text
    assert f'<option value="{world.worker.user_id}" selected>' in lead.page
    worker["although_away"] = "He wants to see it through"
    assert await lead.post(f"/cases/{reference}/allocation", worker) == 200
    assert "He wants to see it through" in lead.text


async def test_a_conflict_is_said_shown_and_ended(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    reference = (await world.case_of(CARER)).reference
    wasim, lead = await arrive(world, "wasim"), await arrive(world, "leonie")
    await wasim.get(f"/cases/{reference}")
    assert await wasim.post(f"/cases/{reference}/conflicts", {"why_conflict": " "}) == 400
    assert "Say in a few words why" in wasim.text
    other = {"why_conflict": "x", "who": str(world.duty.user_id)}
    assert await wasim.post(f"/cases/{reference}/conflicts", other) == 403
    await wasim.get(f"/cases/{reference}")
    await wasim.post(f"/cases/{reference}/conflicts", {"why_conflict": "my neighbour"})
    assert wasim.path == "/inbox"  # they see the case no more
    assert await wasim.get(f"/cases/{reference}") == 404
    await lead.get("/allocate")
    assert "Wasim" not in lead.text
    assert await lead.post("/allocate", await form(world, world.worker)) == 409
    assert "Wasim must not work on this case" in lead.text
    await lead.get(f"/cases/{reference}")
    ending = re.search(rf"/cases/{reference}/conflicts/\d+/end", lead.page)
    assert ending and "my neighbour" in lead.text
    await lead.post(ending[0])
    await lead.get("/allocate")
    assert "Wasim" in lead.text


async def test_nonsense_is_a_sentence(one_world: World, arrive: Arrive) -> None:
    world = one_world
    await world.sms(CARER, QUESTION)
    lead = await arrive(world, "leonie")
    await lead.get("/allocate")
    right = await form(world, world.worker)
    for wrong, status in (
        ({"case": "ESX-NONE99"}, 404),
        ({"case": "x" * 300}, 404),
        ({"worker": ""}, 400),
        ({"worker": "99999999999"}, 400),
        ({"worker": "987654"}, 400),
        ({"seen": "nobody"}, 200),  # a seen worker that is no number was nobody
    ):
        assert await lead.post("/allocate", right | wrong) == status, wrong
    for key in ("", "a", "x1", "a99999999999", "c1"):
        assert await lead.post("/allocate/undoing", {"case": right["case"], "key": key}) == 404
    assert await lead.get("/allocate?done=a1&taken=x&missed=99999999999") == 200
    assert await lead.post("/allocate/all", [("take", "::"), ("take", "x")]) == 200


async def test_the_board_of_a_large_team_is_bounded(one_world: World, arrive: Arrive) -> None:
    world = one_world
    for number in range(3):
        await world.sms(f"+4477009003{number:02}", QUESTION)
    lead = await arrive(world, "leonie")
    await lead.get("/allocate")
    assert lead.page.count("data-case=") == 3
    async with world.house.db.read() as session:
        workers = await cases.workers_for(session, "essex")
    assert lead.page.count('class="hl-choice"') == 3 * min(3, len(workers))
