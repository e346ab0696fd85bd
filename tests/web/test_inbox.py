"""The inbox: what is due next stands first, nothing is left out, and counts tell the truth."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import insert, text, update

from helpline.desk import lists, tray
from helpline.desk.lists import Filter, Scope
from helpline.models import Alert, InboundItem, User, metadata
from helpline.web.pages.inbox import today_ends
from tests.web.conftest import Arrive
from tests.world import CARER, STRANGER, World

CASE, PERSON = metadata.tables["case"], metadata.tables["person"]


async def many_cases(world: World, number: int) -> None:
    """Open cases, three in four with something due, at times of which many are equal; some of a
    second contract, some closed."""
    async with world.house.db.write() as session:
        added = await session.execute(
            insert(PERSON).values(contract="essex", created_at=world.now).returning(PERSON.c.id)
        )
        person_id = added.scalar_one()
        rows = [
            {
                "reference": f"ESX-{n:06}",
                "contract": "essex" if n % 5 else "other",
                "person_id": person_id,
                "status": "closed" if n % 11 == 0 else "open",
                "urgency": "emergency" if n % 17 == 0 else "standard",
                "method": "sms",
                "opened_at": world.now,
                "worker_id": world.worker.user_id if n % 3 == 0 else None,
                "next_due_at": world.now + timedelta(hours=n % 7 - 2) if n % 4 else None,
            }
            for n in range(number)
        ]
        await session.execute(insert(CASE), rows)


def scope(world: World, *contracts: str) -> Scope:
    return Scope(world.worker, contracts or ("essex", "other"), today_ends(world.now))


@pytest.mark.parametrize("chosen", list(Filter))
async def test_going_through_all_pages_shows_every_case_once_in_order(
    world: World, chosen: Filter
) -> None:
    await many_cases(world, 260)
    seen: list[lists.CaseRow] = []
    after: str | None = None
    async with world.house.db.read() as session:
        for _ in range(20):
            page = await lists.inbox(session, scope(world), chosen, after, world.now)
            seen += page.rows
            after = page.after
            if after is None:
                break
        rows = (await session.execute(CASE.select())).all()
        counted = await lists.counts(session, scope(world))
    wanted = [row for row in rows if row.status == "open" and belongs(world, chosen, row)]
    far = world.now + timedelta(days=999)
    wanted.sort(key=lambda row: (row.next_due_at or far, row.id))
    assert [row.reference for row in seen] == [row.reference for row in wanted]
    assert counted[chosen] == len(wanted)


def belongs(world: World, chosen: Filter, row: object) -> bool:
    return {
        Filter.ALL: True,
        Filter.MINE: row.worker_id == world.worker.user_id,
        Filter.UNALLOCATED: row.worker_id is None,
        Filter.TODAY: row.next_due_at is not None and row.next_due_at < today_ends(world.now),
        Filter.EMERGENCY: row.urgency == "emergency",
    }[chosen]


async def test_somebody_of_one_contract_sees_no_case_of_another(world: World) -> None:
    await many_cases(world, 60)
    async with world.house.db.read() as session:
        page = await lists.inbox(session, scope(world, "other"), Filter.ALL, None, world.now)
    assert {row.contract for row in page.rows} == {"other"}


async def test_counts_stop_at_a_thousand(one_world: World, arrive: Arrive) -> None:
    await many_cases(one_world, 2600)
    guest = await arrive(one_world, "wasim")
    await guest.get("/inbox")
    assert "All open 1,000+" in guest.text


async def test_a_page_of_many_uses_the_index_and_no_sort(one_world: World) -> None:
    async with one_world.house.db.read() as session:
        query = lists._due_after(
            lists.and_(*lists._open_in("essex", one_world.worker)), one_world.now, 7
        )
        compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))).all()
    steps = " / ".join(str(row[-1]) for row in plan)
    assert "ix_case_open_next_due" in steps
    assert "TEMP B-TREE FOR ORDER BY" not in steps


async def test_the_most_urgent_stands_above_what_is_due_sooner(
    world: World, arrive: Arrive
) -> None:
    await world.sms(CARER, "Is the training in March still on?")
    await world.forward(hours=20)
    await world.sms(STRANGER, "he says he has taken all his tablets")
    guest = await arrive(world, "dilys")
    await guest.get("/inbox")
    emergency, other = (await world.case_of(STRANGER)), (await world.case_of(CARER))
    assert f"Next for you Emergency {emergency.reference}" in guest.text
    assert "Nobody has taken it since today 22:15. You are on call." in guest.text
    rows = re.findall(r'id="row-([A-Z0-9-]+)"', guest.page)
    assert rows == [emergency.reference, other.reference]
    await world.reply(STRANGER, "I am ringing you now.")
    await guest.get("/inbox")
    assert "hl-next--emergency" not in guest.page
    assert re.search(rf"A promise is running out: [^:]+ {other.reference} : nobody", guest.text)
    rows = re.findall(r'id="row-([A-Z0-9-]+)"', guest.page)
    assert rows == [other.reference, emergency.reference]


async def test_next_is_every_emergency_before_anything_else(
    one_world: World, arrive: Arrive
) -> None:
    """Also when one that is answered still owes a support worker sooner than the others."""
    people = [CARER, STRANGER, "+447700900457"]
    for number in people:
        await one_world.sms(number, "he has a knife and will not let us out")
        await one_world.forward(minutes=10)
    await one_world.sms("+447700900458", "CALL")
    guest = await arrive(one_world, "dilys")
    for number in people:
        await guest.get("/inbox")
        reference = (await one_world.case_of(number)).reference
        assert f"Next for you Emergency {reference}" in guest.text
        await one_world.reply(number, "I am ringing you now.")


async def test_untaken_emergencies_stand_above_an_older_call_back(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "CALL")
    await one_world.forward(minutes=5)
    await one_world.sms(STRANGER, "he has a knife and will not let us out")
    guest = await arrive(one_world, "wasim")
    await guest.get("/inbox")
    alerts = guest.text.partition("Nobody has taken these yet")[2]
    assert alerts.strip().startswith("Emergency")


async def test_a_page_full_of_emergencies_goes_on_with_the_rest(one_world: World) -> None:
    await many_cases(one_world, 260)
    deadline, chosen = metadata.tables["deadline"], Filter.ALL
    async with one_world.house.db.write() as session:
        await session.execute(update(CASE).values(urgency="emergency").where(CASE.c.id % 3 == 0))
        ids = (
            await session.scalars(
                CASE.select()
                .with_only_columns(CASE.c.id)
                .where(CASE.c.urgency == "emergency", CASE.c.next_due_at.is_not(None))
            )
        ).all()
        await session.execute(
            insert(deadline),
            [
                {
                    "contract": "essex",
                    "case_id": i,
                    "clock": "first_response",
                    "stops": "human_reply",
                    "state": "open",
                    "started_at": one_world.now,
                    "due_at": one_world.now,
                }
                for i in ids
            ],
        )
    seen: list[lists.CaseRow] = []
    after: str | None = None
    async with one_world.house.db.read() as session:
        while after is not None or not seen:
            page = await lists.inbox(session, scope(one_world), chosen, after, one_world.now)
            seen += page.rows
            after = page.after
        rows = (await session.execute(CASE.select())).all()
    waiting = {row.id for row in seen if row.id in ids}
    assert len(waiting) > lists.PAGE
    assert {row.id for row in seen[: len(waiting)]} == waiting
    assert sorted(row.id for row in seen) == sorted(r.id for r in rows if r.status == "open")


async def test_both_clocks_and_who_has_it_are_said_in_words(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Please ring me")
    await world.forward(hours=21)
    await world.reply(CARER, "Ringing at midnight")
    guest = await arrive(world, "wasim")
    await guest.get("/inbox")
    assert "Answer: done today 23:15" in guest.text
    assert "Worker: due in 3 h, tomorrow 02:15" in guest.text
    assert "Nobody yet" in guest.text
    await world.allocate(CARER, world.worker)
    await world.forward(hours=1)
    await world.sms(CARER, "And one more thing")
    await guest.get("/inbox?filter=mine")
    assert "Wrote again just now" in guest.text
    assert "Yours" in guest.text


async def test_what_is_over_is_said_to_be_over(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(CARER, "Please ring me")
    await one_world.forward(hours=26, minutes=10)
    guest = await arrive(one_world, "wasim")
    await guest.get("/inbox?filter=today")
    assert "Answer: overdue by 2 h 10 min, since today 02:15" in guest.text


async def test_an_empty_inbox_says_that_nothing_is_due(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get("/inbox")
    assert "Nothing is due" in guest.text
    assert "There is no open case." in guest.text
    assert "On call: Dilys" in guest.text


async def test_an_alert_is_taken_with_one_click_and_the_ladder_rests(
    world: World, arrive: Arrive
) -> None:
    await world.sms(STRANGER, "he says he has taken all his tablets")
    guest = await arrive(world, "wasim")
    await guest.get("/inbox")
    assert "Nobody has taken these yet Emergency" in guest.text
    (alert,) = await world.all(Alert)
    assert isinstance(alert, Alert)
    assert await guest.post(f"/alerts/{alert.id}/acknowledgement") == 200
    assert guest.path == f"/cases/{alert.reference}"
    asked = len(world.texts_to("+447700900901"))
    await world.forward(minutes=25)
    assert len(world.texts_to("+447700900901")) == asked
    lead = await arrive(world, "leonie")
    assert await lead.post(f"/alerts/{alert.id}/acknowledgement") == 409
    assert "Somebody else has already taken this alert" in lead.text
    assert await lead.post("/alerts/987/acknowledgement") == 404


async def test_what_could_not_be_read_waits_in_the_tray(world: World, arrive: Arrive) -> None:
    await world.unreadable(b"\xffnot a form\x00")
    guest = await arrive(world, "wasim")
    await guest.get("/inbox")
    assert "Could not be read 1" in guest.text
    assert "Something could not be read" in guest.text
    await guest.get("/tray")
    assert "Something that could not be read by text message, today 02:15" in guest.text
    (item,) = await world.all(InboundItem)
    assert isinstance(item, InboundItem)
    assert await guest.post(f"/tray/{item.id}/attempt") == 200
    await world.settle()
    await guest.get("/tray")
    assert "could not be read" in guest.text  # it is as unreadable as before
    assert await guest.post(f"/tray/{item.id}/clearance") == 200
    assert "The tray is empty" in guest.text
    assert await guest.post(f"/tray/{item.id}/clearance") == 409


async def test_the_tray_of_another_contract_is_not_shown(world: World) -> None:
    await world.unreadable()
    async with world.house.db.read() as session:
        assert await tray.count(session, world.worker, ["essex"]) == 1
        assert await tray.count(session, world.worker, ["other"]) == 0
        assert len(await tray.listed(session, world.worker, ["other"])) == 0


async def test_somebody_of_another_contract_takes_no_alert_and_clears_no_tray(
    world: World, arrive: Arrive
) -> None:
    await world.sms(STRANGER, "he says he has taken all his tablets")
    await world.unreadable()
    async with world.house.db.write() as session:
        await session.execute(update(User).where(User.name == "wasim").values(contract="other"))
    guest = await arrive(world, "wasim")
    for alert in await world.all(Alert):
        assert isinstance(alert, Alert)
        assert await guest.post(f"/alerts/{alert.id}/acknowledgement") == 404
        await world.forward(minutes=1)
    (item,) = await world.all(InboundItem, InboundItem.state == "set_aside")
    assert isinstance(item, InboundItem)
    for act in ("clearance", "attempt"):
        assert await guest.post(f"/tray/{item.id}/{act}") == 409
    (kept,) = await world.all(InboundItem, InboundItem.state == "set_aside")
    assert isinstance(kept, InboundItem)
    assert all(a.acknowledged_at is None for a in await world.all(Alert) if isinstance(a, Alert))
    await guest.get("/inbox")
    assert "Nobody has taken these yet" not in guest.text


async def test_people_are_found_by_number_and_by_reference(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "Please ring me")
    reference = (await world.case_of(CARER)).reference
    guest = await arrive(world, "wasim")
    await guest.get("/people")
    await guest.post("/people", {"asked": "fc 1001"})
    assert guest.status == 200
    assert "Carol Ashby" in guest.text
    assert reference in guest.text
    assert "1001" not in guest.path
    await guest.post("/people", {"asked": reference.lower()})
    assert guest.path == f"/cases/{reference}"
    await guest.get("/people")
    await guest.post("/people", {"asked": "FC9999"})
    assert "Nobody on the register has this number" in guest.text
    assert await guest.post("/people", {"asked": "x"}) == 400


async def test_the_rota_shows_who_is_on_call_and_where_nobody_is(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get("/rota")
    assert "Dilys , today 01:15 , now First" in guest.text
    await one_world.forward(hours=7)
    assert "Nobody is first on call" not in guest.text
    async with one_world.house.db.write() as session:
        await session.execute(
            text("UPDATE shift SET ends_at = :at"), {"at": "2026-11-05 08:00:00.000000"}
        )
    await guest.get("/rota")
    assert "08:00 to Mon 16 Nov 00:00 Nobody is first on call" in guest.text
