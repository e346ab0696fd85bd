"""The file of a case is whole: whatever hangs on a case is in it, or left out for a reason that
somebody wrote down. A table or a sealed column that is added later makes these red."""

import json

from helpline.desk import casefile_pdf, cases, record
from helpline.desk.filing import chapters, reading
from helpline.desk.filing.shapes import How
from helpline.models import PartnerReferral, metadata
from helpline.reports import letters, typeset
from helpline.rules.permissions import Actor
from tests.desk.filled import fill, hanging, is_sealed, word_of
from tests.world import CARER, World

FILED = {kept.table for kept in chapters.all_kept()}
APART = {*chapters.ELSEWHERE, *chapters.LEFT_OUT}
HANG_ON_WHAT_IS_APART = {"complaint_about", "complaint_entry", "feedback_theme", "page"}
HANG_ON_WHAT_IS_APART |= {"request_entry", "request_file", "request_passage", "request_pause"}


def test_every_table_that_hangs_on_a_case_is_in_its_file_or_left_out_for_a_reason() -> None:
    hang = set(hanging())
    assert hang - FILED - APART - HANG_ON_WHAT_IS_APART == set(), "say where it belongs"
    assert (FILED | APART) - hang == set(), "no such table hangs on a case"
    assert not FILED & APART
    assert all(len(why) > 20 for why in (chapters.ELSEWHERE | chapters.LEFT_OUT).values())


def test_every_sealed_column_of_what_is_in_the_file_stands_in_it() -> None:
    shown = {f"{kept.table}.{one.column}" for kept in chapters.all_kept() for one in kept.shown}
    sealed = {
        f"{name}.{column.name}"
        for name in FILED
        for column in metadata.tables[name].columns
        if is_sealed(column)
    }
    assert sealed - shown == set(chapters.COLUMNS_LEFT_OUT) & sealed


def test_what_is_named_is_there() -> None:
    for kept in chapters.all_kept():
        columns = metadata.tables[kept.table].columns
        named = {kept.at, kept.link, *kept.unless, *(one.column for one in kept.shown)}
        assert named | ({kept.by} - {""}) <= set(columns.keys()), kept.table
        for one in kept.shown:
            is_time = type(columns[one.column].type).__name__ in ("UTCDateTime", "Date")
            assert is_time == (one.how in (How.TIME, How.DAY)), (kept.table, one.column)


async def printed(world: World, by: Actor) -> tuple[dict[str, object], str]:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, by, (await world.case_of(CARER)).reference)
        contract = world.house.contracts["essex"]
        sheet = await record.sheet(session, contract, case, True, by, world.now)
    values = casefile_pdf.data(sheet, letters.lines)
    return values, json.dumps(values)


async def filled(world: World) -> None:
    await world.sms(CARER, "He says I grabbed him. What do I do")
    case = await world.case_of(CARER)
    async with world.house.db.write() as session:
        assert case.id
        await fill(session, case.id, case.person_id, world.worker.user_id)


async def test_every_text_of_a_case_is_printed(world: World) -> None:
    await filled(world)
    values, text = await printed(world, world.lead)
    for kept in chapters.all_kept():
        for shown in kept.shown:
            column = metadata.tables[kept.table].columns[shown.column]
            if is_sealed(column):
                assert word_of(kept.table, shown.column) in text.replace("\\u200b", ""), kept.table
    assert "feedbackaskcomment" not in text
    assert "complaintwords" not in text
    assert typeset.typeset(casefile_pdf.TEMPLATE, json.dumps(values)).startswith(b"%PDF")


async def test_what_was_asked_of_a_counsellor_is_read_by_who_works_on_the_case(
    world: World,
) -> None:
    await filled(world)
    async with world.house.db.write() as session:
        row = await session.get(PartnerReferral, 1)
        assert row is not None
        row.kind = "counsellor"
    _, hidden = await printed(world, world.lead)
    assert "partnerreferralwanted" not in hidden
    assert "partnerchasewords" not in hidden
    assert reading.NOT_YOURS in hidden
    await world.allocate(CARER, world.duty)
    for who in (world.duty, world.worker):  # who works on it, and who asked
        _, shown = await printed(world, who)
        assert "partnerreferralwanted" in shown
        assert "partnerchasewords" in shown
