"""The pathway of a case through its page: written down, brought up to date, printed, sent, and
never what must not be there."""

import re

import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import allegations, cases, firstday, parts
from helpline.errors import NotFound
from helpline.models import Alert, Allegation, AllegationRequest, Case, Task
from helpline.vocabulary import PartRole, Role
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World

SAID = {"told_by": "Carol Ashby", "told_to": "Wasim", "told_at": "2026-11-03T02:15"}


async def opened(world: World, arrive: Arrive, who: str = "wasim") -> tuple[Visitor, str]:
    await world.sms(CARER, "a question about the allowance")
    case = await world.case_of(CARER)
    guest = await arrive(world, who)
    return guest, f"/cases/{case.reference}/pathway"


async def written_down(world: World, guest: Visitor, path: str, **more: str) -> int:
    case = await world.case_of(CARER)
    form = SAID | {"person": str(case.person_id), "track": "allegation", "made_by": "not_told"}
    form |= {"words": "That she pushed child A", "whose_words": "carer"} | more
    return await guest.post(f"{path}/entries", form)


async def test_any_case_can_take_the_pathway_and_gets_its_tab(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path.removesuffix("/pathway"))
    assert "Somebody has made an allegation" in guest.text
    assert await guest.get(path) == 200
    assert "Do not ask what happened" in guest.text
    assert "Send them the short list" in guest.text
    assert await written_down(one_world, guest, path) == 200
    assert "the safeguarding lead is being asked" in guest.text
    (alert,) = await one_world.all(Alert, col(Alert.kind) == "allegation")
    taking = f"/alerts/{alert.id}/acknowledgement"  # type: ignore[attr-defined]
    assert await guest.post(taking) == 409  # who wrote it down does not take it from her
    assert "This asks the safeguarding lead" in guest.text
    await guest.get(path)
    assert 'aria-current="page" href="' + path in guest.page
    assert "Is anybody in danger now?" in guest.text
    assert "point 22.9 of the Fostering Services" in guest.text


async def test_what_is_missing_is_said_and_all_that_was_typed_stays(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    more = {"told_by": "", "made_by_words": "a teacher", "types": "physical"}
    assert await written_down(one_world, guest, path, **more) == 400
    assert "Say who told us" in guest.text
    assert 'value="a teacher"' in guest.page
    assert re.search(r'value="physical" checked', guest.page)
    assert "That she pushed child A</textarea>" in guest.page
    assert await one_world.count(Allegation) == 0


async def test_the_line_says_where_it_is_what_comes_and_by_when_it_usually_does(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    (one,) = await one_world.all(Allegation)
    assert isinstance(one, Allegation)
    stage = {"stage": "reported", "state": "reached", "reached_on": "2026-11-02"}
    assert await guest.post(f"{path}/{one.id}/stages", stage) == 400
    assert "Say who told you" in guest.text
    stage |= {"told_by": "her social worker"}
    assert await guest.post(f"{path}/{one.id}/stages", stage) == 200
    assert "Reported Here now Monday 2 November, as told by her social worker" in guest.text
    assert "LADO told Next" in guest.text
    assert "Usually within 1 working day: by Tuesday 3 November" in guest.text
    assert await guest.get(path.replace("pathway", "record")) == 200
    assert "was written down, handled as an allegation" in guest.text
    assert "How far it is, as told to us: reported, reached" in guest.text
    stage |= {"reached_on": "2026-11-04"}
    assert await guest.post(f"{path}/{one.id}/stages", stage) == 400
    assert "That day is still to come" in guest.text


async def test_what_they_were_not_told_is_the_list_of_what_to_ask(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    (one,) = await one_world.all(Allegation)
    told = {"item": "allowance", "state": "told", "told_words": "Paid until the review"}
    assert await guest.post(f"{path}/{one.id}/told", told) == 400  # type: ignore[attr-defined]
    assert "Say who told them" in guest.text
    assert "Which clause says what is paid" in guest.text
    told |= {"told_by": "Ms Ode, fostering team"}
    assert await guest.post(f"{path}/{one.id}/told", told) == 200  # type: ignore[attr-defined]
    assert "Which clause says what is paid" not in guest.text
    assert "Paid until the review" in guest.text


async def test_what_is_late_stands_first_until_somebody_ticks_it(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    await one_world.forward(minutes=40)
    await guest.get(path)
    assert "3 are late" in guest.text
    assert guest.text.index("Is anybody in danger now?") < guest.text.index("Ring them.")
    (one,) = await one_world.all(Allegation)
    ticks = f"{path}/{one.id}/ticks"  # type: ignore[attr-defined]
    assert await guest.post(ticks, {"item": "safe_now"}) == 200
    assert "2 are late" in guest.text
    assert "by Wasim" in guest.text
    assert await guest.post(ticks.replace("ticks", "unticks"), {"item": "safe_now"}) == 200
    assert "3 are late" in guest.text


async def test_the_list_is_sent_by_the_ordinary_way_and_names_nothing(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    shown = re.search(r'<textarea[^>]*id="sending-text"[^>]*>(.*?)</textarea>', guest.page, re.S)
    assert shown is not None
    text = re.sub("&#39;", "'", shown[1])
    assert await guest.post(f"{path}/sending", {"text": text + " The allegation"}) == 400
    assert "Leave “allegation” out" in guest.text
    assert await guest.post(f"{path}/sending", {"text": text}) == 200
    await one_world.settle()
    sent = one_world.texts_to(CARER)[-1]
    assert "0808 157 0024" in sent
    assert "999" in sent
    assert not re.search(r"alleg|accus|child a\b|polic|pushed", sent, re.I)
    assert (await one_world.deadlines(CARER))["first_response"].met_at is not None


async def test_the_printed_list_names_nobody(one_world: World, arrive: Arrive) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    assert await guest.get(f"{path}/list") == 200
    assert "The first 15 minutes" in guest.text
    assert "do not resign" in guest.text
    article = guest.page[guest.page.index("<article") : guest.page.index("</article")]
    assert "Carol" not in article
    assert "pushed" not in article


async def test_what_an_authority_asks_for_warns_and_is_answered_once(
    world: World, arrive: Arrive
) -> None:
    guest, path = await opened(world, arrive)
    await guest.get(path)
    await written_down(world, guest, path)
    (one,) = await world.all(Allegation)
    asked = {"asked_by": "Ms Ode", "what": "Our dates of contact", "due_at": ""}
    requests = f"{path}/{one.id}/requests"  # type: ignore[attr-defined]
    assert await guest.post(requests, asked) == 400
    assert "Say by when they want it" in guest.text
    assert await guest.post(requests, asked | {"due_at": "2026-11-05T12:00"}) == 200
    assert "Ms Ode : Our dates of contact Due in" in guest.text
    task = (await world.all(Task, Task.owner_id.is_(None)))[-1]  # type: ignore[union-attr]
    assert isinstance(task, Task)
    assert task.what == "Answer Ms Ode: Our dates of contact"
    (row,) = await world.all(AllegationRequest)
    answer = f"{requests}/{row.id}/answer"  # type: ignore[attr-defined]
    assert await guest.post(answer, {"given": ""}) == 400
    assert await guest.post(answer, {"given": "A list of dates, by e-mail"}) == 200
    assert "A list of dates, by e-mail" in guest.text
    assert (await world.all(Task, Task.id == task.id, Task.done_at.is_not(None))) != []
    assert await guest.post(answer, {"given": "Again"}) == 409


async def test_who_was_at_a_meeting_or_why_nobody_was(one_world: World, arrive: Arrive) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    (one,) = await one_world.all(Allegation)
    meetings = f"{path}/{one.id}/meetings"  # type: ignore[attr-defined]
    held = {"kind": "strategy", "held_at": "2026-11-02T10:00", "were_there": "no", "who": ""}
    assert await guest.post(meetings, held) == 400
    assert "Say why nobody of us was there" in guest.text
    assert await guest.post(meetings, held | {"who": "We were not invited"}) == 200
    assert "Nobody of us was there: We were not invited" in guest.text


async def test_an_entry_of_another_case_cannot_be_reached_through_this_one(
    everybody: World, arrive: Arrive
) -> None:
    guest, path = await opened(everybody, arrive)
    await guest.get(path)
    await written_down(everybody, guest, path)
    await everybody.sms("+447700900456", "another matter")
    other = await everybody.case_of("+447700900456")
    (one,) = await everybody.all(Allegation)
    for last in ("track", "stages", "told", "ticks", "end"):
        form = {"item": "safe_now", "track": "standards", "stage": "lado", "state": "reached"}
        where = f"/cases/{other.reference}/pathway/{one.id}/{last}"  # type: ignore[attr-defined]
        assert await guest.post(where, form | {"mistake": "x", "said_by": "x", "why": "x"}) == 404


async def test_a_closed_case_shows_its_pathway_and_changes_nothing(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    await one_world.close(CARER)
    assert await guest.get(path) == 200
    assert "That she pushed child A" in guest.text
    assert "Write it down" not in guest.text
    assert await written_down(one_world, guest, path) == 409


ACTS = (
    *("track", "stages", "told", "ticks", "unticks", "end", "requests", "meetings"),
    "requests/1/answer",
)


async def test_both_sides_are_supported_and_neither_sees_across(
    world: World, arrive: Arrive
) -> None:
    """The carer is accused by her grown-up daughter, who needs somebody as well."""
    sefa = await world.hire("Sefa", Role.SAFEGUARDING, "+447700900907")
    nadia = await world.hire("Nadia", Role.WORKER, "+447700900908")
    contract = world.house.contracts["essex"]
    await world.sms(CARER, "my daughter has said things about me")
    await world.allocate(CARER, world.worker)
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        found = await cases.find_case(session, sefa, case.reference)
        part = await parts.write_down(
            *(session, contract, found, "Chris Ashby", contract.groups[0].code),
            *(PartRole.ALLEGED_BY, sefa, world.now),
        )
        about = await allegations.may_be_about(session, found)
        assert part.person_id not in about
        other = await parts.separate(
            session, contract, found, part.id or 0, "she accuses her mother", sefa, world.now
        )
        await cases.allocate(
            *(session, contract, other, nadia.user_id, sefa, world.now),
            wording=world.house.wording,
        )
        there = other.reference
    guest = await arrive(world, "wasim")
    await guest.get(f"/cases/{case.reference}/pathway")
    more = {"words": "Words of one side"}
    assert await written_down(world, guest, f"/cases/{case.reference}/pathway", **more) == 200
    (made,) = await world.all(Allegation)
    entry = made.id  # type: ignore[attr-defined]

    # Each worker has their own case, and the other's is not there, by any of its addresses.
    mine, theirs = f"/cases/{case.reference}/pathway", f"/cases/{there}/pathway"
    for name, own, across in (("wasim", mine, theirs), ("nadia", theirs, mine)):
        guest = await arrive(world, name)
        assert await guest.get(own) == 200
        assert ("Words of one side" in guest.text) == (name == "wasim")
        assert await guest.get(across) == 404
        assert await guest.get(f"{across}/list") == 404
        form = {"item": "safe_now", "track": "standards", "text": "x", "mistake": "x"}
        for last in ("entries", "sending", *(f"{entry}/{a}" for a in ACTS)):
            assert await guest.post(f"{across}/{last}", form) == 404, last

    # What somebody did on one side shuts the other, though nobody named them.
    async with world.house.db.write() as session:
        found = await cases.find_case(session, world.duty, case.reference)
        await firstday.tick(session, contract, found, entry, "safe_now", world.duty, world.now)
    async with world.house.db.read() as session:
        with pytest.raises(NotFound):
            await cases.find_case(session, world.duty, there)
        assert await cases.find_case(session, sefa, there)


FOSTERING = (
    *("foster carer", "fostering service", "fostering panel", "supervising social worker"),
    "fostered child",
)


async def test_a_lodgings_host_is_never_called_a_foster_carer(
    one_world: World, arrive: Arrive
) -> None:
    """Their own word, their own team, and nothing of what holds for foster carers only."""
    guest, path = await opened(one_world, arrive)
    reference = path.split("/")[2]
    async with one_world.house.db.write() as session:
        (found,) = await session.scalars(select(Case).where(col(Case.reference) == reference))
        found.group = "supported_lodgings_carer"
    await guest.get(path)
    await written_down(one_world, guest, path)
    (one,) = await one_world.all(Allegation)
    assert isinstance(one, Allegation)
    stage = {"stage": "panel", "state": "reached", "told_by": "the duty LADO"}
    assert await guest.post(f"{path}/{one.id}/stages", stage) == 400  # not on their way
    stage |= {"stage": "other_rules"}
    assert await guest.post(f"{path}/{one.id}/stages", stage) == 200
    seen = []
    for page in (path, f"{path}/list", path.replace("/pathway", "/duties")):
        await guest.get(page)
        seen.append(guest.text)
    whole = " ".join(seen)
    assert not [word for word in FOSTERING if word in whole.lower()]
    assert "For the supported lodgings carer" in seen[0]
    assert "As the supported lodgings carer repeated it" in seen[0]
    assert "Access to Resources Team with the supported lodgings carer" in seen[0]
    assert "What follows from it" in seen[0] and "Approval review" not in seen[0]
    assert "worker at the Access to Resources Team that we are supporting you" in seen[1]
    assert "A foster carer's resignation" not in seen[1]
    assert "do not apply to a supported lodgings carer" in seen[2]
    assert "In the yearly return" not in seen[2]


async def test_a_foster_carer_has_the_whole_way(one_world: World, arrive: Arrive) -> None:
    guest, path = await opened(one_world, arrive)
    await guest.get(path)
    await written_down(one_world, guest, path)
    for stage in ("Approval review", "Fostering panel", "Appeal"):
        assert stage in guest.text
    assert "What follows from it" not in guest.text
    assert "For the carer" in guest.text
    await guest.get(f"{path}/list")
    assert "A foster carer's resignation cannot be taken back" in guest.text
