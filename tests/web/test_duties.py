"""The tab Notices and dates: every form once, what is due first, and errors beside the form."""

from datetime import timedelta
from pathlib import Path

import pytest

from helpline.desk import allegations, cases, parts
from helpline.models import Case, Incident, Notice, PoliceInterview
from helpline.vocabulary import PartRole
from helpline.web.pages import duties
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World

HELPLINE = Path(__file__).parents[2] / "src" / "helpline"


async def accused(world: World) -> str:
    """Carol has told us that something was alleged about her; returns the tab's address."""
    await world.sms(CARER, "They say a child has said something about me")
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        told = allegations.Told(case.person_id, world.now, track="allegation", told_by="Carol")
        contract = world.house.contracts["essex"]
        await allegations.record(session, contract, case, told, world.worker, world.now)
        return f"/cases/{case.reference}/duties"


async def notice_of(world: World, kind: str) -> int:
    rows = await world.all(Notice, Notice.kind == kind)
    assert isinstance(rows[0], Notice)
    return rows[0].id or 0


@pytest.fixture
async def tab(everybody: World, arrive: Arrive) -> tuple[World, Visitor, str]:
    here = await accused(everybody)
    guest = await arrive(everybody, "wasim")
    assert await guest.get(here) == 200, guest.text
    return everybody, guest, here


async def test_what_is_due_first_stands_first_and_a_telling_is_kept(
    tab: tuple[World, Visitor, str],
) -> None:
    world, guest, here = tab
    assert "Tell: Our safeguarding lead" in guest.text
    lado = await notice_of(world, "lado")
    form = [("to", "the duty LADO"), ("how", "form"), ("at", ""), ("said", "<b>so</b>")]
    assert await guest.post(f"{here}/notices/{lado}/sending", form) == 400
    assert "Write also: about whom" in guest.text
    assert f'id="said-{lado}-2-error"' in guest.page
    assert f'id="to-{lado}-error"' not in guest.page
    early = [("to", "the duty LADO"), ("how", "form"), ("at", "2020-01-01T09:00")]
    assert await guest.post(f"{here}/notices/{lado}/sending", early) == 400
    assert "That time is before we knew of it" in guest.text
    form += [("said", "Carol"), ("said", "Child A, at her grandmother's")]
    assert await guest.post(f"{here}/notices/{lado}/sending", form) == 200
    assert "Kept: they were told" in guest.text
    assert "what was alleged, as told: &lt;b&gt;so&lt;/b&gt;" in guest.page
    assert "No answer yet" in guest.text
    assert await guest.post(f"{here}/notices/{lado}/steps", {"how": "telephone", "words": "Rang"})
    assert "Asked again" in guest.text
    assert await guest.post(f"{here}/notices/{lado}/answer", {"answer": "A meeting on Friday"})
    assert "A meeting on Friday" in guest.text
    assert "No answer yet" not in guest.text
    assert "Chase an answer: Designated officer" not in guest.text
    assert await guest.post(f"{here}/notices/{lado}/sending", form) == 409


async def test_an_error_stands_at_the_form_with_all_that_was_typed(
    tab: tuple[World, Visitor, str],
) -> None:
    world, guest, here = tab
    council = await notice_of(world, "council")
    typed = {"to": "", "how": "email", "at": "", "words": "All that I wrote"}
    assert await guest.post(f"{here}/notices/{council}/sending", typed) == 400
    assert "Say who was told" in guest.text
    assert "All that I wrote" in guest.page
    assert f'id="sent_{council}" open' in guest.page
    assert await guest.post(f"{here}/notices/{council}/withholding", {"why": "x"}) == 403
    assert await guest.post(f"{here}/moves", {"child": "Kylie", "decided_on": "2026-11-02"}) == 400
    assert "Never a name" in guest.text
    assert await guest.post(f"{here}/outcomes", {"outcome": "false", "told_by": ""}) == 400
    assert await guest.post(f"{here}/approvals", {"kind": "resignation", "noticed_on": "x"}) == 400
    assert await guest.post(f"{here}/interviews", {"who": "", "kind": "arrest"}) == 400
    assert await guest.post(f"{here}/interviews/987654/time", {"at": "2026-12-01T09:00"}) == 404


async def test_the_safeguarding_lead_knows_once_she_opens_it_and_signs_what_only_she_may(
    tab: tuple[World, Visitor, str], arrive: Arrive
) -> None:
    world, guest, here = tab
    sefa = await arrive(world, "sefa")
    assert await sefa.get(here.removesuffix("/duties")) == 200
    assert await guest.get(here) == 200
    assert "Sefa opened the case" in guest.text
    assert "Tell: Our safeguarding lead" not in guest.text
    lado = await notice_of(world, "lado")
    assert await sefa.get(here) == 200
    why = {"why": "The police have told her already"}
    assert await sefa.post(f"{here}/notices/{lado}/withholding", why) == 200
    assert "Signed: Sefa" in sefa.text


async def test_nobody_who_works_for_the_other_side_reads_or_writes_here(
    tab: tuple[World, Visitor, str], arrive: Arrive
) -> None:
    world, _, here = tab
    contract, lead, now = world.house.contracts["essex"], world.lead, world.now
    await world.allocate(CARER, world.worker)
    async with world.house.db.write() as session:
        case = await session.get(Case, (await world.case_of(CARER)).id)
        assert case is not None
        given = ("A daughter", "household_member", PartRole.ALLEGED_BY, lead, now)
        part = await parts.write_down(session, contract, case, *given)
        other = await parts.separate(
            session, contract, case, part.id or 0, "She said it", lead, now
        )
        wording = world.house.wording
        told = (session, contract, other, world.duty.user_id, lead, now)
        await cases.allocate(*told, wording=wording)
        there = f"/cases/{other.reference}/duties"
    across = await arrive(world, "dilys")
    assert await across.get(there) == 200
    assert "in the household" not in across.text
    assert await across.get(here) == 404
    lado = await notice_of(world, "lado")
    assert await across.post(f"{here}/notices/{lado}/answer", {"answer": "x"}) == 404
    assert await across.post(f"{there}/notices/{lado}/answer", {"answer": "x"}) == 404


async def test_an_interview_from_the_police_to_the_solicitor(
    tab: tuple[World, Visitor, str],
) -> None:
    world, guest, here = tab
    local = (world.now + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M")
    for who in ("Carol Ashby", "Colin Ashby"):
        form = {"who": who, "kind": "voluntary", "at": local, "station": "Harlow", "needs": ""}
        assert await guest.post(f"{here}/interviews", form) == 200, guest.text
    found = [row.id for row in await world.all(PoliceInterview) if isinstance(row, PoliceInterview)]
    for one in found:
        asked = {"step": "asked", "solicitor": "Marsh and Daughters"}
        assert await guest.post(f"{here}/interviews/{one}/solicitor", asked) == 200
    assert "have the same solicitor" in guest.text
    assert await guest.post(f"{here}/interviews/{found[0]}/solicitor", {"step": "confirmed"}) == 200
    assert "Solicitor confirmed" in guest.text
    assert await guest.post(f"{here}/interviews/{found[1]}/end") == 200
    assert "have the same solicitor" not in guest.text


async def test_everything_else_is_written_down_once_and_shown(
    tab: tuple[World, Visitor, str],
) -> None:
    world, guest, here = tab
    carol = (await world.case_of(CARER)).person_id
    forms = [
        (
            "notices",
            {"to": "The night desk", "how": "telephone", "why": "A threat", "words": "All of it"},
            "Why: A threat",
        ),
        ("legal-line", {"result": "put_through"}, "Put through"),
        ("legal-line", {"result": "line_failed"}, "Nobody answered there"),
        ("legal-line", {"result": "line_failed"}, "Nobody answered there"),
        (
            "claims",
            {"who": "Carol", "proceeding": "criminal", "insurer": "Harbour Mutual"},
            "Mutual",
        ),
        ("claims/1/state", {"state": "notified", "words": ""}, "no answer yet"),
        (f"counselling/{carol}", {"state": "wanted"}, "Wanted"),
        ("money", {"what": "fee", "state": "stopped", "told_by": "Her manager"}, "Stopped"),
        (
            "moves",
            {
                "child": "a",
                "decision": "moves",
                "decided_by": "The head of service",
                "decided_on": "2026-11-02",
                "dissent": "Carol was not heard",
            },
            "Ask whoever decided",
        ),
        ("moves/1/escalation", {"words": "The director: will look"}, "will look"),
        (
            "outcomes",
            {"outcome": "unfounded", "definitions": "kcsie", "told_by": "The LADO"},
            "Told by The LADO",
        ),
        (
            "approvals",
            {"kind": "determination", "noticed_on": "2026-11-02", "who": "Carol"},
            "due in 27 days",
        ),
        ("approvals/1/choice", {"choice": "irm"}, "independent review is asked"),
        ("aftercare", {"over_on": "2026-11-02"}, "Six weeks after it was over"),
    ]
    for path, form, seen in forms:
        assert await guest.post(f"{here}/{path}", form) == 200, (path, guest.text)
        assert seen in guest.text, path
    assert await world.count(Incident) == 1  # one outage, tried twice
    assert await guest.get(here.removesuffix("/duties")) == 200
    assert "Outcome as told to us: unfounded" in guest.text


def test_every_sentence_that_stands_at_a_field_is_one_that_is_said() -> None:
    files = [*HELPLINE.glob("desk/duties/*.py"), HELPLINE / "web/pages/duties_more.py"]
    said = "".join(path.read_text("utf-8") for path in files)
    assert [begins for begins, _ in duties.BESIDE if begins not in said] == []
