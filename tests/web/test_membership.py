"""The pages of what members are given: an answer put into a reply and logged, news that a lead
sends after a second look, an event booked on a case, and a policy that anybody can read."""

from datetime import timedelta

from helpline.desk import library
from helpline.desk.library import OWN_POLICY, Draft
from helpline.engine.giving import give
from helpline.models import Booking, LibraryUse, News, NewsConsent
from tests.web.conftest import Arrive
from tests.world import CARER, World


async def test_an_answer_goes_into_the_reply_and_is_logged(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "can I claim council tax reduction")
    here = f"/cases/{(await one_world.case_of(CARER)).reference}"
    await shelve(one_world, Draft("answer", "Council tax", "Ask the council for its own form."))
    guest = await arrive(one_world, "wasim")
    await guest.get(here)
    assert await guest.post(f"{here}/library", {"asked": "council form"}) == 200
    assert "Council tax Answer, 1 text" in guest.text
    (entry,) = await entries(one_world, "council tax")
    assert f'href="{here}?insert={entry.version_id}#reply"' in guest.page
    await guest.get(f"{here}?insert={entry.version_id}")
    assert "Ask the council for its own form.</textarea>" in guest.page
    form = {"text": "Ask the council for its own form, Carol.", "library": str(entry.version_id)}
    assert await guest.post(f"{here}/replies", form) == 200
    (use,) = await one_world.all(LibraryUse)
    assert (use.version_id, use.how) == (entry.version_id, "sent")
    await guest.get(f"{here}/given")
    assert "Council tax Answer, version 1 : sent today" in guest.text
    await guest.post(f"{here}/given/items", {"version": "", "how": "said"})
    assert guest.status == 400 and "Choose something of the library." in guest.text


async def test_news_is_written_by_a_worker_and_sent_by_a_lead_who_looks_twice(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "can I claim council tax reduction")
    here = f"/cases/{(await one_world.case_of(CARER)).reference}/given"
    worker, lead = await arrive(one_world, "wasim"), await arrive(one_world, "leonie")
    await worker.get(here)
    form = {"channel": "sms", "answer": "yes", "how": "telephone"}
    assert await worker.post(f"{here}/consents", form) == 200
    assert "Text message: yes , they agreed on the telephone" in worker.text
    await worker.get("/news/new")
    assert await worker.post("/news", {"title": "Coffee", "body": ""}) == 400
    assert 'value="Coffee"' in worker.page
    await worker.post("/news", {"title": "Coffee", "body": "On Friday.", "groups": "foster_carer"})
    assert "1 of 1 person gets it : 1 by text message. 1 of them not at this hour." in worker.text
    assert "To have no more news send NONEWS." in worker.text
    at = worker.path
    await worker.post(f"{at}/readiness")
    assert await worker.get(f"{at}/sending") == 403
    await lead.get("/news")
    assert "Waiting for a lead Coffee" in lead.text
    await lead.get(f"{at}/sending")
    assert 'name="counted" value="1"' in lead.page
    assert await lead.post(f"{at}/sending", {"counted": "7"}) == 409
    assert "By now it reaches 1, not 7: look at it once more." in lead.text
    assert await lead.post(f"{at}/sending", {"counted": "1"}) == 200
    assert "0 of 1 sent, 1 waiting" in lead.text
    await worker.get(at)
    await worker.post(f"{at}/stop")
    assert "Stopped: nobody else gets it." in worker.text
    (item,) = await one_world.all(News)
    assert item.state == "stopped" and await one_world.count(NewsConsent) == 1


async def test_an_event_is_made_by_a_lead_and_booked_on_a_case(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "can I claim council tax reduction")
    here = f"/cases/{(await one_world.case_of(CARER)).reference}/given"
    worker, lead = await arrive(one_world, "wasim"), await arrive(one_world, "leonie")
    await lead.get("/events/new")
    day = (one_world.now + timedelta(days=3)).strftime("%Y-%m-%d")
    form = {"title": "Skills evening", "starts_at": f"{day}T18:00", "place": "Town Hall"}
    assert await lead.post("/events", form) == 400
    assert "Give when it begins, and a later time when it ends." in lead.text
    assert 'value="Skills evening"' in lead.page
    assert await lead.post("/events", form | {"ends_at": f"{day}T20:00", "places": "1"}) == 200
    await worker.get(here)
    assert await worker.post(f"{here}/bookings", {"event": "1", "needs": "a ramp"}) == 200
    assert "Skills evening , Friday 6 November, 6 pm: has a place." in worker.text
    assert await worker.post(f"{here}/bookings", {"event": "1"}) == 409
    await worker.get("/events/1")
    assert "Carol Ashby : has a place. Needs: a ramp." in worker.text
    assert await worker.post("/events/1/bookings", {"who": "nobody"}) == 400
    (booking,) = await one_world.all(Booking)
    assert booking.case_id is not None


async def test_a_policy_is_read_by_anybody_and_the_list_says_who_was_not_told(
    one_world: World, arrive: Arrive
) -> None:
    nobody, lead = await arrive(one_world, None), await arrive(one_world, "leonie")
    assert await nobody.get(f"/policies/essex/{OWN_POLICY}") == 404
    assert await nobody.get("/policies/essex/anything") == 404
    await shelve(one_world, Draft("policy", "How to complain", "Tell us.", code=OWN_POLICY))
    assert await nobody.get(f"/policies/essex/{OWN_POLICY}") == 200
    assert "How to complain" in nobody.text and "0808 157 0100" in nobody.text
    await lead.get("/policies-told")
    assert "0 of 1 carers told" in lead.text and "Carol Ashby" in lead.text
    assert await lead.post("/policies-told/rounds", {"contract": "essex"}) == 400
    assert "not in the library yet" in lead.text


async def test_what_waits_for_its_owner_stands_first_in_the_library(
    one_world: World, arrive: Arrive
) -> None:
    await give(one_world.house)
    yesterday = one_world.now.date() - timedelta(days=1)
    await shelve(one_world, Draft("answer", "Old", "Words.", review_on=yesterday))
    worker = await arrive(one_world, "wasim")
    await worker.get("/library")
    assert "Waiting for somebody to look Old : to be reviewed since 2 November 2026" in worker.text
    await worker.get("/library?kind=signpost&asked=childline")
    assert "1 item Childline Signpost" in worker.text
    assert await worker.get("/library/new") == 403


async def shelve(world: World, draft: Draft) -> None:
    async with world.house.db.write() as session:
        contract = world.house.contracts["essex"]
        await library.add(session, contract, draft, world.lead, world.now)


async def entries(world: World, asked: str) -> list[library.Entry]:
    async with world.house.db.read() as session:
        return await library.entries(session, world.house.contracts, world.now, asked=asked)
