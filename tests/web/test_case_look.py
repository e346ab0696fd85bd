"""The case in one look: what is shown of its timeline, and how a reply will look to them."""

from datetime import time

from helpline.desk import safety
from helpline.rules.safety import SafeRules
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_a_timeline_is_shown_in_part_by_plain_links(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(CARER, "Is the training in March still on?")
    place = f"/cases/{(await one_world.case_of(CARER)).reference}"
    wasim = await arrive(one_world, "wasim")
    await wasim.get(place)
    await wasim.post(f"{place}/notes", {"kind": "fact", "body": "Likes to be rung at noon"})
    shown = {
        "": ("training in March", "Likes to be rung", "Case opened"),
        "?show=messages": ("training in March", "", ""),
        "?show=notes": ("", "Likes to be rung", ""),
        "?show=by_itself": ("", "", "Case opened"),
        "?show=calls&part=live": ("", "", ""),
        "?show=nonsense": ("training in March", "Likes to be rung", "Case opened"),
    }
    for query, expected in shown.items():
        assert await wasim.get(place + query) == 200
        start = wasim.page.index('class="hl-timeline"')
        listed = wasim.page[start : wasim.page.index("</ol>", start)]
        found = [words in listed for words in shown[""]]
        assert found == [bool(words) for words in expected], query
    assert "Nothing of this sort has happened." not in listed


async def test_how_a_reply_will_look_is_shown_before_it_is_sent(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "Is the training in March still on?")
    case = await one_world.case_of(CARER)
    place = f"/cases/{case.reference}"
    wasim = await arrive(one_world, "wasim")
    await wasim.get(place)
    texts = len(one_world.texts_to(CARER))
    assert await wasim.post(f"{place}/preview", {"text": "Yes, it is on. " * 12}) == 200
    assert wasim.page.count('class="hl-look__bubble"') == 2
    await one_world.settle()
    assert len(one_world.texts_to(CARER)) == texts

    rules = SafeRules(begins=time(9), ends=time(17), code_name="Jo", neutral_only=True)
    async with one_world.house.db.write() as session:
        await safety.hold_to(
            session, case.person_id, rules, one_world.worker.user_id, one_world.now
        )
    await wasim.post(f"{place}/preview", {"text": "Yes, it is on."})
    assert "It waits until today 09:00: they asked to be reached only then." in wasim.text
    start = wasim.page.index("data-look-text")
    assert "it is on" not in wasim.page[start : start + 300]  # a stranger may read it
