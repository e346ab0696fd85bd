"""Who the service is for: the council's list every month, who is in, who is out and kindly told so,
and where a carer is counted."""

from collections.abc import Sequence
from datetime import date

import pytest
from sqlalchemy import select
from sqlmodel import col

from helpline.desk import eligibility, membership, register
from helpline.desk.imports import ImportProblems
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import (
    Case,
    Event,
    Membership,
    Person,
    Population,
    RegisterList,
)
from helpline.reports import figures
from helpline.rules.periods import period
from helpline.rules.permissions import Actor
from tests.world import CARER, STRANGER, World

HEADER = "person,name,kind,team,postcode,approved_from,household,mobile"
CAROL = "FC1001,Carol Ashby,Foster carer,Mid,CM1 1QH,2020-01-01,,07700 900123"


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


async def hand_in(
    world: World, *rows: str, as_of: date | None = None, whole: bool = True, by: Actor | None = None
) -> int:
    async with world.house.db.write() as session:
        made = await register.hand_in(
            session,
            world.house.contracts["essex"],
            sheet(*rows),
            as_of or world.now.date(),
            by or world.lead,
            world.now,
            is_whole=whole,
        )
    assert made.id is not None
    return made.id


async def accept(world: World, list_id: int) -> None:
    async with world.house.db.write() as session:
        essex = world.house.contracts["essex"]
        await register.accept(session, essex, list_id, world.lead, world.now)


async def take_in(world: World, *rows: str, as_of: date | None = None) -> None:
    await accept(world, await hand_in(world, *rows, as_of=as_of))


async def told(world: World, number: str, **said: object) -> None:
    """A worker asked, and writes down what they said."""
    async with world.house.db.write() as session:
        case = await session.merge(await world.case_of(number))
        essex = world.house.contracts["essex"]
        heard = membership.Said(**said)  # type: ignore[arg-type]  # a test's own keywords
        await membership.note_facts(session, essex, case, heard, world.worker, world.now)


def standing(case: Case) -> tuple[str | None, str | None]:
    return case.eligibility, case.eligibility_reason


# --- in and out ----------------------------------------------------------------------------------


async def test_a_carer_living_in_southend_whom_essex_approved_is_in(world: World) -> None:
    sam = "FC2,Sam Sands,Foster carer,South,SS2 6XX,2021-05-01,,07700 900200"
    await take_in(world, CAROL, sam)
    await world.sms("+447700900200", "Can somebody ring me about my allowance")
    case = await world.case_of("+447700900200")
    assert standing(case) == ("in", "approved")
    assert (case.quadrant, case.team) == ("south", "south")
    [row] = await rows_of(world, case.person_id)
    assert row.lives_outside is True  # flagged, not refused (D7)


async def test_a_carer_whom_southend_approved_is_out_kindly_and_counted_apart(
    world: World,
) -> None:
    await world.sms(CARER, "I have a question about training")
    await world.sms(STRANGER, "I foster for Southend and they say I hit him")
    assert standing(await world.case_of(STRANGER)) == ("unknown", "not_known")
    await told(world, STRANGER, group="foster_carer", approved_by="southend", quadrant="south")
    case = await world.case_of(STRANGER)
    assert standing(case) == ("out", "southend")
    answer = world.house.wording.say(
        "register.not_ours",
        ours=world.house.contracts["essex"].called.ours,
        signpost=eligibility.signpost_for(world.house.contracts["essex"], "southend"),
    )
    await world.reply(STRANGER, answer)
    assert "Fosterline" in world.texts_to(STRANGER)[-1]
    assert "Thank you" in world.texts_to(STRANGER)[-1]
    async with world.house.db.read() as session:
        essex = world.house.contracts["essex"]
        report = await figures.figures(
            session, essex, period("2026-27-Q2", 8), world.now, exact=True
        )
    assert report.cell("people").value == 1  # Carol
    assert report.cell("people", carer_type="foster_carer").value == 1
    assert report.cell("cases").value == 1
    assert report.cell("first_response.met").value == 0
    assert report.cell("apart", excluded="southend").value == 1
    assert report.cell("apart", excluded="thurrock").value == 0


async def test_a_supported_lodgings_carer_is_counted_where_they_live(world: World) -> None:
    """Not in Mid, where the 16+ team sits (A10)."""
    lena = "SL1,Lena Lodge,SL,ART 16+,CO1 1AA,2022-01-01,,07700 900210"
    await take_in(world, CAROL, lena)
    await world.sms("+447700900210", "My lodger has gone missing since lunch")
    case = await world.case_of("+447700900210")
    assert (case.team, case.quadrant) == ("art16", "north")
    [row] = await rows_of(world, case.person_id)
    assert row.quadrant_from == "postcode"
    assert row.quadrant_confidence == 100


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (date(2001, 11, 4), ("in", "young_person_covered")),  # 24, and 25 tomorrow
        (date(2001, 11, 3), ("out", "young_person_over")),  # 25 today (D8)
    ],
)
async def test_staying_put_holds_until_the_day_before_the_birthday(
    world: World, born: date, said: tuple[str, str]
) -> None:
    stella = "SP1,Stella Put,Staying Put,,CM1 1QH,2019-01-01,,07700 900220"
    await take_in(world, CAROL, stella)
    await world.sms("+447700900220", "He is at university now, am I still covered")
    assert standing(await world.case_of("+447700900220")) == ("unknown", "young_person_age")
    await told(world, "+447700900220", young_person_born=born)
    assert standing(await world.case_of("+447700900220")) == said


async def test_a_child_of_the_household_is_in_and_one_of_nobodys_is_asked_about(
    world: World,
) -> None:
    ravi = "FC3,Ravi Home,Foster carer,Mid,CM1 1QH,2020-01-01,H9,"
    tara = "OC1,Tara Home,Own child,,,,H9,07700 900230"
    alone = "OC2,Ola Nowhere,Own child,,,2030-01-01,H8,07700 900231"
    await take_in(world, CAROL, ravi, tara, alone)
    await world.sms("+447700900230", "can i talk to someone about my foster brother")
    await world.sms("+447700900231", "can i talk to someone")
    assert standing(await world.case_of("+447700900230")) == ("in", "family")
    assert standing(await world.case_of("+447700900231")) == ("unknown", "whose_family")


async def test_whoever_says_who_they_are_is_decided_anew(world: World) -> None:
    await world.sms(STRANGER, "Please can somebody ring me")
    assert standing(await world.case_of(STRANGER)) == ("unknown", "not_known")
    await world.sms(STRANGER, "FC1001")
    case = await world.case_of(STRANGER)
    assert (standing(case), case.identity) == (("in", "approved"), "claimed")


async def test_only_a_lead_decides_otherwise_and_says_why(world: World) -> None:
    await world.sms(STRANGER, "Hello, I foster for an agency")
    await told(world, STRANGER, group="foster_carer", approved_by="not_in_house")
    async with world.house.db.write() as session:
        case = await session.merge(await world.case_of(STRANGER))
        with pytest.raises(NotAllowed):
            await eligibility.override(session, case, "in", "Agreed", world.worker, world.now)
        with pytest.raises(InvalidInput, match="Say why"):
            await eligibility.override(session, case, "in", " ", world.lead, world.now)
        await eligibility.override(session, case, "in", "Head of Service", world.lead, world.now)
    await told(world, STRANGER, approved_by="southend")  # what a lead decided stands
    case = await world.case_of(STRANGER)
    assert standing(case) == ("in", "override")
    async with world.house.db.read() as session:
        history = await eligibility.history(session, case.id or 0)
    assert [(row.decision, row.why, row.by) for row in history] == [
        ("in", "Head of Service", "Leonie"),
        ("out", None, "Wasim"),
    ]


# --- the monthly list ----------------------------------------------------------------------------


async def test_a_list_is_a_difference_and_accepting_it_twice_changes_nothing(
    world: World,
) -> None:
    old = "FC8,Olive Old,Foster carer,West,CM20 1AA,2018-01-01,,"
    await take_in(world, CAROL, old, as_of=date(2026, 10, 1))
    moved = CAROL.replace("Mid", "Colchester")
    new = "FC9,Nora New,Foster carer,Tendring,CO15 1AA,2026-10-20,,07700 900240"
    list_id = await hand_in(world, moved, new, as_of=date(2026, 11, 1))
    async with world.house.db.read() as session:
        row = await register.find_list(session, world.lead, list_id)
        assert "Nora" in (row.content or "")
        essex = world.house.contracts["essex"]
        shown = await register.shown(session, essex, row, world.lead, world.now)
    found = shown.difference
    assert [person.name for person in found.new] == ["Nora New"]
    assert [change.fields for change in found.changed] == [
        (("team", "mid", "colchester"), ("quadrant", "mid", "north"))
    ]
    assert [(one.name, one.last_day) for one in found.left] == [("Olive Old", date(2026, 10, 31))]
    assert (found.clashes, found.unchanged) == ([], 0)
    assert await world.count(Person) == 2  # nothing is changed yet

    await accept(world, list_id)
    before = await everything(world)
    await accept(world, list_id)
    assert await everything(world) == before
    again = await hand_in(world, moved, new, as_of=date(2026, 11, 1))
    await accept(world, again)
    assert await everything(world) == before  # handed in anew: no person, no membership changed
    teams = [(one.team, one.held_to, one.approved_to) for one in before[1]]
    assert ("mid", date(2026, 10, 31), None) in teams
    assert ("colchester", None, None) in teams
    assert ("west", None, date(2026, 10, 31)) in teams
    assert all(one.content is None for one in await world.all(RegisterList))  # type: ignore[attr-defined]


async def test_a_list_with_forty_faults_names_all_forty_and_changes_nothing(
    world: World,
) -> None:
    rows = [f"FC{n},Somebody {n},astronaut,Mid,CM1 1QH,2020-01-01,," for n in range(2000, 2020)]
    rows += [f"FC{n},Somebody {n},FC,Atlantis,nowhere,2020-01-01,," for n in range(3000, 3010)]
    before = await everything(world)
    with pytest.raises(ImportProblems) as refused:
        await hand_in(world, CAROL, *rows)
    assert len(refused.value.problems) == 40
    assert [one.line for one in refused.value.problems[:20]] == list(range(3, 23))
    assert await everything(world) == before
    assert await world.count(RegisterList) == 0


async def test_percentages_are_of_the_newest_list_by_the_end_of_the_period(
    world: World,
) -> None:
    lena = "SL1,Lena Lodge,SL,ART 16+,CO1 1AA,2022-01-01,,"
    others = [f"FC{n},Other {n},Foster carer,West,,2020-01-01,," for n in range(10, 13)]
    await take_in(world, CAROL, lena, *others, as_of=date(2026, 11, 2))
    await world.sms(CARER, "I have a question about training")
    essex = world.house.contracts["essex"]
    async with world.house.db.read() as session:
        before, during = [
            await figures.figures(session, essex, period(label, 8), world.now, exact=True)
            for label in ("2026-27-Q1", "2026-27-Q2")
        ]
    cell = during.cell("people", carer_type="foster_carer")
    assert (cell.denominator, cell.denominator_as_of) == (4, date(2026, 11, 2))
    assert cell.percent == 25.0
    west = during.cell("people", quadrant="west", carer_type="foster_carer")
    assert west.denominator == 3
    assert before.cell("people", carer_type="foster_carer").denominator == 822
    counted = {(one.group, one.quadrant): one.count for one in await world.all(Population)}  # type: ignore[attr-defined]
    assert counted["supported_lodgings_carer", "north"] == 1
    assert counted["supported_lodgings_carer", "unknown"] == 0


async def test_only_the_kinds_of_people_on_a_list_can_leave_by_it(world: World) -> None:
    await world.member("Tara Ashby", "OC7", group="own_child")
    list_id = await hand_in(world, "FC9,Nora New,Foster carer,Mid,,2026-10-20,,")
    async with world.house.db.read() as session:
        row = await session.get(RegisterList, list_id)
        assert row is not None
        essex = world.house.contracts["essex"]
        shown = await register.shown(session, essex, row, world.lead, world.now)
    assert [one.name for one in shown.difference.left] == ["Carol Ashby"]


async def test_what_clashes_is_named_and_the_rest_is_taken_in(world: World) -> None:
    nora = "FC9,Nora New,Foster carer,Mid,,2026-10-20,,07700 900123"  # Carol's number
    twin = "FC10,Carol Ashbey,Foster carer,Mid,CM1 1QH,2026-10-20,,"  # Carol under a new number
    list_id = await hand_in(world, nora, twin, whole=False)
    async with world.house.db.read() as session:
        row = await session.get(RegisterList, list_id)
        assert row is not None
        essex = world.house.contracts["essex"]
        shown = await register.shown(session, essex, row, world.lead, world.now)
    clashes = [(one.line, one.kind) for one in shown.difference.clashes]
    assert clashes == [(2, "taken"), (3, "alike")]
    await accept(world, list_id)
    await world.sms(CARER, "Hello")
    async with world.house.db.read() as session:
        person = await session.get(Person, (await world.case_of(CARER)).person_id)
    assert person is not None
    assert person.name == "Carol Ashby"
    assert await world.count(Person) == 3


async def test_a_list_older_than_the_last_is_refused_and_a_thrown_away_one_is_gone(
    world: World,
) -> None:
    waiting = await hand_in(world, CAROL, as_of=date(2026, 10, 1))
    await take_in(world, CAROL, as_of=date(2026, 11, 1))  # the first is thrown away by the second
    with pytest.raises(Conflict, match="thrown away"):
        await accept(world, waiting)
    with pytest.raises(InvalidInput, match="1 November 2026 is accepted already"):
        await hand_in(world, CAROL, as_of=date(2026, 10, 1))
    with pytest.raises(NotAllowed):
        await hand_in(world, CAROL, by=world.worker)


async def test_a_case_keeps_where_the_carer_was_when_it_opened(world: World) -> None:
    await world.sms(CARER, "I have a question about training")
    await take_in(world, CAROL.replace("Mid", "West"))
    assert (await world.case_of(CARER)).quadrant == "mid"
    async with world.house.db.read() as session:
        person = await session.get(Person, (await world.case_of(CARER)).person_id)
        assert person is not None
        rows = await membership.memberships_of(session, person.id or 0)
    assert [(one.quadrant, one.held_to) for one in rows] == [
        ("west", None),
        ("mid", date(2026, 11, 2)),
    ]


async def test_nothing_of_a_person_is_in_the_trail_of_a_list(world: World) -> None:
    await take_in(world, CAROL, "FC9,Nora New,Foster carer,Mid,,2026-10-20,,")
    async with world.house.db.read() as session:
        details = await session.scalars(select(col(Event.detail)))
        assert "Nora" not in str(list(details))


async def rows_of(world: World, person_id: int) -> Sequence[Membership]:
    async with world.house.db.read() as session:
        return await membership.memberships_of(session, person_id)


async def everything(world: World) -> tuple[list[object], list[Membership]]:
    """People and memberships as they are, to be compared."""
    people = [one.model_dump() for one in await world.all(Person)]  # type: ignore[attr-defined]
    rows = [one for one in await world.all(Membership) if isinstance(one, Membership)]
    return people, rows
