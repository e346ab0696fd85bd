"""The tab "Steps and plan": what is next stands first, every form works, what fails keeps what was
typed."""

import re
from dataclasses import replace

from helpline.models import CaseExit, PlanGoal, StepTick, SupportPlan, Task
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def _opened(world: World, text: str = "Can you tell me about tax?") -> str:
    await world.forward(hours=7)
    await world.sms(CARER, text)
    await world.reply(CARER, "I ring you.")
    return f"/cases/{(await world.case_of(CARER)).reference}/plan"


async def test_the_next_thing_stands_first_and_steps_are_ticked(
    one_world: World, arrive: Arrive
) -> None:
    path = await _opened(one_world)
    guest = await arrive(one_world, "wasim")
    assert await guest.get(path) == 200
    assert "Know what they need" in guest.text.split(" Next ")[1][:200]
    assert await guest.post(f"{path}/steps", {"step": "understood", "how": "done"}) == 200
    assert "The step is ticked" in guest.text
    assert "Ask how to reach them" in guest.text.split(" Next ")[1][:200]
    assert (
        await guest.post(f"{path}/steps", {"step": "safe", "how": "not_needed", "why_not": " "})
        == 400
    )
    assert "why it is not needed" in guest.text
    assert (
        await guest.post(f"{path}/steps", {"step": "safe", "how": "done", "done_on": "2027-01-01"})
        == 400
    )
    assert await guest.post(f"{path}/steps", {"step": "safe", "how": "done"}) == 400
    assert "Write down first, under Safe contact," in guest.text  # nothing is agreed yet
    (tick,) = await one_world.all(StepTick)
    assert await guest.post(f"{path}/steps/{tick.id}/end") == 200  # type: ignore[attr-defined]
    assert await guest.post(f"{path}/steps/999/end") == 404


async def test_tasks_are_given_changed_and_done(one_world: World, arrive: Arrive) -> None:
    path = await _opened(one_world)
    guest = await arrive(one_world, "wasim")
    bad = {"what": "Ask for <the> handbook", "due": "2026-11-01T09:00", "owner": ""}
    assert await guest.post(f"{path}/tasks", bad) == 400
    assert "has passed" in guest.text and "Ask for &lt;the&gt; handbook" in guest.page
    assert await guest.post(f"{path}/tasks", bad | {"due": "2026-11-05T12:00"}) == 200
    (task,) = await one_world.all(Task)
    mine = {"due": "2026-11-04T09:00", "owner": str(one_world.worker.user_id)}
    assert await guest.post(f"{path}/tasks/{task.id}/change", mine) == 200  # type: ignore[attr-defined]
    assert "Yours" in guest.text
    await guest.get("/inbox")
    assert "Ask for <the> handbook" in guest.text
    assert await guest.post(f"{path}/tasks/{task.id}/end", {"how": "done"}) == 200  # type: ignore[attr-defined]
    assert "Done before: 1" in guest.text


async def test_a_plan_is_made_looked_at_again_and_ends(one_world: World, arrive: Arrive) -> None:
    path = await _opened(one_world)
    guest = await arrive(one_world, "wasim")
    made = {"goal": "I want to sleep", "agreed_with": "Carol", "agreed_on": "2026-11-03"}
    made |= {"review_on": "2026-11-20", "ends_on": "2026-11-10"}
    assert await guest.post(f"{path}/agreement", made) == 400
    assert "I want to sleep" in guest.page and "before the day of the review" in guest.text
    assert await guest.post(f"{path}/agreement", made | {"ends_on": "2027-01-10"}) == 200
    assert "20 November 2026" in guest.text
    (goal,) = await one_world.all(PlanGoal)
    assert await guest.post(f"{path}/goals/{goal.id}", {"state": "reached"}) == 200  # type: ignore[attr-defined]
    assert await guest.post(f"{path}/goals", {"goal": "Know about tax"}) == 200
    again = {"with_whom": "Carol", "said": "Better", "next_on": "2026-12-01", "ends_on": ""}
    assert await guest.post(f"{path}/reviews", again) == 200
    assert await guest.post(f"{path}/exit", {"agreed": "Two calls", "exit_with": ""}) == 400
    whole = {"agreed": "Two calls", "exit_with": "Carol", "if_it_returns": "She rings"}
    assert await guest.post(f"{path}/exit", whole) == 200
    assert await guest.post(f"{path}/waiver", {"why_without": "x"}) == 403
    (plan,), (agreed,) = await one_world.all(SupportPlan), await one_world.all(CaseExit)
    assert plan.next_review_on.isoformat() == "2026-12-01"  # type: ignore[attr-defined]
    assert agreed.agreed == "Two calls"  # type: ignore[attr-defined]


async def test_a_kind_is_changed_and_a_referral_filled_in(one_world: World, arrive: Arrive) -> None:
    path = await _opened(one_world)
    guest = await arrive(one_world, "wasim")
    assert await guest.post(f"{path}/kind", {"kind": "referral", "why_kind": ""}) == 400
    assert await guest.post(f"{path}/kind", {"kind": "referral", "why_kind": "Sue sent her"}) == 200
    assert "Ask the referrer" in guest.text.split(" Next ")[1][:200]
    assert await guest.post(f"{path}/referral", {"referral_referrer": "Sue Wren"}) == 200
    assert "Sue Wren" in guest.page and "Still missing" in guest.text
    assert "Advice and support → A referral by a professional. Sue sent her" in guest.text


async def test_two_who_fill_in_one_referral_lose_nothing(one_world: World, arrive: Arrive) -> None:
    path = await _opened(one_world)
    guest, lead = await arrive(one_world, "wasim"), await arrive(one_world, "leonie")
    await guest.post(f"{path}/kind", {"kind": "referral", "why_kind": "Sue sent her"})
    old = {"seen": mark_in(guest.page), "referral_referrer": "Sue Wren"}
    assert old["seen"] == "new"
    await lead.get(path)
    theirs = {"seen": mark_in(lead.page), "referral_referrer": "Sue Wren, fostering team"}
    assert await lead.post(f"{path}/referral", theirs) == 200
    assert await guest.post(f"{path}/referral", old) == 409
    assert "A colleague changed this while you were writing" in guest.text
    assert 'value="Sue Wren"' in guest.page
    assert "Kept now: Sue Wren, fostering team" in guest.text
    assert await guest.post(f"{path}/referral", old | {"seen": mark_in(guest.page)}) == 200
    assert 'value="Sue Wren"' in guest.page


def mark_in(page: str) -> str:
    """Of what the form showed."""
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found
    return found[1]


async def test_every_kind_has_its_page(one_world: World, arrive: Arrive) -> None:
    path = await _opened(one_world)
    guest = await arrive(one_world, "leonie")
    for kind in ("complaint", "data_complaint", "consultation", "allegation"):
        assert await guest.post(f"{path}/kind", {"kind": kind, "why_kind": "So it is"}) == 200
        assert 'hl-step hl-step--next"' in guest.page or kind == "allegation"
    assert 'href="' + path.replace("/plan", "/pathway") in guest.page


async def test_what_happens_brings_tasks_and_a_lead_hands_a_case_over(
    one_world: World, arrive: Arrive
) -> None:
    essex = one_world.house.contracts["essex"]
    other = essex.model_copy(update={"key": "wessex", "name": "Wessex", "reference_prefix": "WX"})
    contracts = {"essex": essex, "wessex": other}
    one_world.house = replace(one_world.house, contracts=contracts)
    path = await _opened(one_world)
    guest, lead = await arrive(one_world, "wasim"), await arrive(one_world, "leonie")
    assert await guest.post(f"{path}/happenings", {"happening": ""}) == 400
    assert await guest.post(f"{path}/happenings", {"happening": "unplanned_ending"}) == 200
    assert "Ring the carer: how is everybody at home" in guest.text
    assert "Hand it over to another contract" not in guest.text
    gone = {"to": "wessex", "why_transfer": "They moved", "summary": "", "along": "tasks"}
    assert await guest.post(f"{path}/transfer", gone) == 403
    assert await lead.post(f"{path}/transfer", gone) == 400
    assert "They moved" in lead.page and "what the other side must know" in lead.text
    assert await lead.post(f"{path}/transfer", gone | {"summary": "All of it"}) == 200
    assert "This is the new case." in lead.text and lead.path.startswith("/cases/WX-")
    assert "Ring the carer: how is everybody at home" in lead.text
    await lead.get(path)
    assert "It went over to Wessex" in lead.text and "Closed" in lead.text
