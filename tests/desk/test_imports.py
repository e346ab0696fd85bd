"""Past logs and people's lists from CSV: every fault named, all or nothing, twice is once."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpline import sealing
from helpline.contract import Contract, load_contracts
from helpline.db import Database
from helpline.desk.imports import ImportProblems, ImportResult, import_cases, import_people
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.past import understood
from helpline.desk.imports.reading import read_rows
from helpline.desk.people import sender, standing
from helpline.models import Person, metadata
from helpline.sealing import ring
from tests import databases, folders

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CASE_COLUMNS = (
    "reference received_at method person carer_type quadrant reason support first_response_at "
    "allocated_at closed_at outcome contacts"
).split()
PEOPLE_COLUMNS = (
    "person name kind team postcode approved_from approved_to household mobile email language"
).split()
PERSON = {"person": "M-100", "name": "Ada Example", "kind": "Foster carer"}
TABLES = ("person", "membership", "address", "case", "contact", "deadline", "case_support", "event")


@pytest.fixture(scope="session")
def essex() -> Contract:
    return load_contracts(Path(__file__).parents[2] / "contracts")["essex"]


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


def sheet(columns: list[str], rows: list[dict[str, str]], **dialect: Any) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def case(reference: str = "LOG-1", **more: str) -> dict[str, str]:
    return {
        "reference": reference,
        "received_at": "2026-09-01T10:00:00+01:00",
        "person": "M-100",
        **more,
    }


def log(*rows: dict[str, str], **dialect: Any) -> str:
    return sheet(CASE_COLUMNS, list(rows), **dialect)


def people(*rows: dict[str, str], **dialect: Any) -> str:
    return sheet(PEOPLE_COLUMNS, [PERSON | row for row in rows], **dialect)


async def take_cases(
    db: Database, contract: Contract, text: str | bytes, dry_run: bool = False
) -> ImportResult:
    async with db.write() as session:
        return await import_cases(session, contract, text, NOW, dry_run)


async def take_people(
    db: Database, contract: Contract, text: str | bytes, dry_run: bool = False
) -> ImportResult:
    async with db.write() as session:
        return await import_people(session, contract, text, NOW, dry_run)


async def stored(db: Database, name: str) -> list[dict[str, Any]]:
    table = metadata.tables[name]
    async with db.read() as session:
        rows = await session.execute(select(table).order_by(table.c.id))
        return [dict(row) for row in rows.mappings()]


async def sizes(db: Database) -> dict[str, int]:
    async with db.read() as session:
        return {
            name: await session.scalar(select(func.count()).select_from(metadata.tables[name])) or 0
            for name in TABLES
        }


# --- cases ---------------------------------------------------------------------------------------


async def test_a_row_becomes_what_the_helpline_would_have_made(
    db: Database, essex: Contract
) -> None:
    text = log(
        case(
            "ESX-AB12C3",
            method="Phone",
            carer_type="FC",
            quadrant="North",
            reason="Mortgages",
            support="Information; Signposted",
            first_response_at="2026-09-01T12:00:00+01:00",
            closed_at="2026-09-03T09:00:00Z",
            outcome="Resolved",
            contacts="3",
        )
    )
    assert await take_cases(db, essex, text) == ImportResult(1, 0, 0)
    [made] = await stored(db, "case")
    assert (made["reference"], made["group"], made["quadrant"]) == (
        *("ESX-AB12C3", "foster_carer", "north"),
    )
    assert (made["reason"], made["method"], made["status"]) == ("finance", "telephone", "closed")
    assert made["opened_at"] == datetime(2026, 9, 1, 9, tzinfo=UTC)
    contacts = await stored(db, "contact")
    assert [(c["direction"], c["kind"], c["channel"]) for c in contacts] == [
        ("in", "call", "voice")
    ] * 3
    deadlines = {row["clock"]: row for row in await stored(db, "deadline")}
    response, allocation = deadlines["first_response"], deadlines["allocation"]
    assert (response["state"], response["met_at"]) == (
        "met",
        datetime(2026, 9, 1, 11, tzinfo=UTC),
    )
    assert response["due_at"] - response["started_at"] == timedelta(hours=24)
    assert (allocation["state"], allocation["met_at"]) == ("open", None)
    supports = {row["support"] for row in await stored(db, "case_support")}
    assert supports == {"information", "signposting"}
    assert [event["kind"] for event in await stored(db, "event")] == ["case.imported"]


async def test_the_past_wakes_nobody(db: Database, essex: Contract) -> None:
    await take_cases(db, essex, log(case()))
    assert [row["next_alert_at"] for row in await stored(db, "deadline")] == [None, None]
    assert (await stored(db, "case"))[0]["next_due_at"] is not None


async def test_an_empty_word_is_unknown_and_never_other(db: Database, essex: Contract) -> None:
    await take_cases(db, essex, log(case("a"), case("b", method="unknown", reason="Unknown")))
    for made in await stored(db, "case"):
        words = {made[name] for name in ("group", "quadrant", "method", "reason", "team")}
        assert words == {"unknown"}


async def test_taking_in_the_same_log_again_changes_nothing(db: Database, essex: Contract) -> None:
    text = log(case("a"), case("b", person="M-2"), case("c"))
    assert (await take_cases(db, essex, text)).added == 3
    before = await sizes(db)
    assert await take_cases(db, essex, text) == ImportResult(0, 0, 3)
    assert await sizes(db) == before


async def test_a_longer_log_adds_only_what_is_new(db: Database, essex: Contract) -> None:
    await take_cases(db, essex, log(case("a")))
    result = await take_cases(db, essex, log(case("a"), case("b")))
    assert (result.added, result.unchanged) == (1, 1)


async def test_a_row_that_came_with_other_times_before_is_left_and_named(
    db: Database, essex: Contract
) -> None:
    await take_cases(db, essex, log(case("a")))
    answered = case("a", first_response_at="2026-09-01T11:00:00Z")
    result = await take_cases(db, essex, log(answered))
    assert (result.added, result.unchanged) == (0, 1)
    assert [problem.line for problem in result.problems] == [2]
    assert {row["state"] for row in await stored(db, "deadline")} == {"open"}


async def test_a_dry_run_counts_and_writes_nothing(db: Database, essex: Contract) -> None:
    before = await sizes(db)
    assert (await take_cases(db, essex, log(case("a"), case("b")), dry_run=True)).added == 2
    assert (await take_people(db, essex, people({}), dry_run=True)).added == 1
    assert await sizes(db) == before
    with pytest.raises(ImportProblems):
        await take_cases(db, essex, log(case(contacts="none")), dry_run=True)


async def test_a_person_of_the_register_keeps_their_cases_together(
    db: Database, essex: Contract
) -> None:
    await take_people(db, essex, people({}))
    await take_cases(db, essex, log(case("a", person="m-100"), case("b", person="M-100 ")))
    assert len(await stored(db, "person")) == 1
    assert len({row["person_id"] for row in await stored(db, "case")}) == 1


async def test_the_same_id_under_another_contract_is_another_person(
    db: Database, essex: Contract
) -> None:
    other = essex.model_copy(update={"key": "elsewhere"})
    await take_cases(db, essex, log(case("a")))
    await take_cases(db, other, log(case("a")))
    assert len(await stored(db, "person")) == 2


async def test_a_reference_that_is_taken_or_has_another_shape_is_replaced(
    db: Database, essex: Contract
) -> None:
    await take_cases(db, essex, log(case("ESX-AAAA")))
    other = essex.model_copy(update={"key": "elsewhere"})
    await take_cases(db, other, log(case("ESX-AAAA"), case("ticket 7")))
    references = [row["reference"] for row in await stored(db, "case")]
    assert references[0] == "ESX-AAAA"
    assert len(set(references)) == 3
    assert all(reference.startswith("ESX-") for reference in references)


async def test_a_log_taken_in_again_differs_by_no_clock_that_does_not_run_for_a_case(
    db: Database,
) -> None:
    homes = load_contracts(folders.only("lancashire"))["lancashire"]
    at, later = "2026-09-02T10:00:00+01:00", "2026-09-02T11:00:00+01:00"
    rows = [case("asked", first_response_at=at), case("sent", reason="referral")]
    rows[1]["first_response_at"] = at
    first = await take_cases(db, homes, log(*rows))
    assert first.added == 2
    assert {row["kind"] for row in await stored(db, "case")} == {"advice", "referral"}
    assert (await take_cases(db, homes, log(*rows))).problems == ()
    changed = [row | {"first_response_at": later} for row in rows]
    again = await take_cases(db, homes, log(*changed))
    assert [problem.line for problem in again.problems] == [2, 3]


async def test_progress_is_told_to_the_end(db: Database, essex: Contract) -> None:
    told: list[tuple[int, int]] = []
    async with db.write() as session:
        text = log(*(case(f"r{n}") for n in range(1_200)))
        await import_cases(
            *(session, essex, text, NOW, False), lambda done, total: told.append((done, total))
        )
    assert told == [(500, 1200), (1000, 1200), (1200, 1200)]


async def test_an_import_that_fails_leaves_nothing(db: Database, essex: Contract) -> None:
    before = await sizes(db)
    with pytest.raises(ImportProblems):
        await take_cases(db, essex, log(case("a"), case("b", contacts="0")))
    with pytest.raises(ImportProblems):
        await take_people(db, essex, people({}, {"person": "2", "email": "nobody"}))
    assert await sizes(db) == before


CASE_FAULTS = [
    ({"reference": ""}, "reference", "empty"),
    ({"reference": "x" * 101}, "reference", "longer than 100"),
    ({"person": ""}, "person", "empty"),
    ({"received_at": ""}, "received_at", "empty"),
    ({"received_at": "2026-09-01T10:00:00"}, "received_at", "no time zone"),
    ({"received_at": "2026-09-01"}, "received_at", "no time zone"),
    ({"received_at": "01/09/2026 10:00"}, "received_at", "no time"),
    ({"received_at": "2026-02-30T10:00:00Z"}, "received_at", "no time"),
    ({"received_at": "0001-01-01T00:00:00+14:00"}, "received_at", "no time"),
    ({"received_at": "1026-09-01T10:00:00Z"}, "received_at", "before the year 2000"),
    ({"received_at": "2026-11-22T12:00:01Z"}, "received_at", "in the future"),
    ({"method": "carrier pigeon"}, "method", "telephone, email"),
    ({"carer_type": "astronaut"}, "carer_type", "foster_carer"),
    ({"quadrant": "north-west"}, "quadrant", "north, mid"),
    ({"quadrant": "—"}, "quadrant", "not known"),
    ({"reason": "weather"}, "reason", "allegation"),
    ({"support": "information; magic"}, "support", "magic"),
    ({"outcome": "who can say"}, "outcome", "support_completed"),
    ({"first_response_at": "2026-09-01T09:59:59+01:00"}, "first_response_at", "before received_at"),
    ({"allocated_at": "2026-08-31T10:00:00Z"}, "allocated_at", "before received_at"),
    ({"closed_at": "2026-08-31T10:00:00Z"}, "closed_at", "before received_at"),
    ({"closed_at": "2027-01-01T00:00:00Z"}, "closed_at", "in the future"),
    ({"first_response_at": "yesterday"}, "first_response_at", "no time"),
    ({"allocated_at": "2026-09-02T10:00"}, "allocated_at", "no time zone"),
    ({"contacts": "0"}, "contacts", "whole number"),
    ({"contacts": "-1"}, "contacts", "whole number"),
    ({"contacts": "1.5"}, "contacts", "whole number"),
    ({"contacts": "1e9"}, "contacts", "whole number"),
    ({"contacts": "1001"}, "contacts", "1,000"),
    ({"contacts": "９９９９"}, "contacts", "whole number"),
]


@pytest.mark.parametrize(("wrong", "column", "reason"), CASE_FAULTS)
async def test_each_fault_of_a_case_names_line_column_and_reason(
    sqlite_db: Database, essex: Contract, wrong: dict[str, str], column: str, reason: str
) -> None:
    text = log(case("good"), case("bad") | wrong)
    with pytest.raises(ImportProblems) as refused:
        await take_cases(sqlite_db, essex, text)
    [problem] = refused.value.problems
    assert (problem.line, problem.column) == (3, column)
    assert reason in problem.reason
    assert "line 3" in str(refused.value)


@pytest.fixture
async def sqlite_db(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
    """Faults are found before any database is asked: one kind is enough here."""
    database = Database(databases.new_sqlite_file(tmp_path, sqlite_template))
    yield database
    await database.close()


async def test_a_file_of_forty_faults_names_all_forty(db: Database, essex: Contract) -> None:
    bad = [
        case(f"bad{n}") | wrong for n, (wrong, _, _) in enumerate(CASE_FAULTS + CASE_FAULTS[2:10])
    ]
    rows = [row for one in bad for row in (case(f"good for {one['reference']}"), one)]
    rows = [row | {"reference": f"row {n}"} if n % 2 == 0 else row for n, row in enumerate(rows)]
    text = log(*rows) + "one,field,too,few\r\n" + ",".join("x" * 14) + "\r\n"
    with pytest.raises(ImportProblems) as refused:
        await take_cases(db, essex, text)
    lines = [problem.line for problem in refused.value.problems]
    assert lines == [2 * n + 3 for n in range(38)] + [78, 79]
    assert str(refused.value).startswith("40 things are wrong")
    assert await sizes(db) == dict.fromkeys(TABLES, 0)


async def test_two_faults_of_one_row_are_both_named(db: Database, essex: Contract) -> None:
    with pytest.raises(ImportProblems) as refused:
        await take_cases(db, essex, log(case(method="pigeon", contacts="none")))
    assert [problem.column for problem in refused.value.problems] == ["method", "contacts"]


async def test_a_reference_twice_in_one_file_names_the_first(db: Database, essex: Contract) -> None:
    with pytest.raises(ImportProblems, match="line 4, reference: it is the same as on line 2"):
        await take_cases(db, essex, log(case("A-1"), case("b"), case("a-1")))


# --- the file itself -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoded",
    [
        lambda text: text,
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\r\n", "\n").encode(),
        lambda text: text.replace("\r\n", "\r").encode(),
        lambda text: text.encode("cp1252"),
        lambda text: ("\r\n" + text + "\r\n,,,,,,,,,,,,\r\n\r\n").encode(),
    ],
    ids=["str", "utf8", "bom", "utf16", "lf", "cr", "cp1252", "blank lines"],
)
async def test_a_file_is_read_however_it_was_saved(
    sqlite_db: Database, essex: Contract, encoded: Any
) -> None:
    text = people({"name": "Zoë Müller"})
    assert (await take_people(sqlite_db, essex, encoded(text))).added == 1
    assert [row["name"] for row in await stored(sqlite_db, "person")] == ["Zoë Müller"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_the_delimiter_is_recognised(
    sqlite_db: Database, essex: Contract, delimiter: str
) -> None:
    row = case(support="information;signposting")
    assert (await take_cases(sqlite_db, essex, log(row, delimiter=delimiter))).added == 1
    assert len(await stored(sqlite_db, "case_support")) == 2


async def test_lines_are_counted_through_quoted_line_breaks(
    sqlite_db: Database, essex: Contract
) -> None:
    rows = [case("a", support="information\nsignposting"), case("b", contacts="many")]
    with pytest.raises(ImportProblems) as refused:
        await take_cases(sqlite_db, essex, log(*rows))
    assert [problem.line for problem in refused.value.problems] == [4]


HEADER = ",".join(CASE_COLUMNS)
GOOD = "LOG-1,2026-09-01T10:00:00Z,,M-1,,,,,,,,,"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\r\n\r\n  \r\n", "it is empty"),
        (HEADER, "no rows"),
        (HEADER.replace("person,", ""), "the column person is missing"),
        ("a,b\n1,2", "the column reference is missing"),
        (HEADER + ",mood\n" + GOOD + ",", "there is no column “mood”"),
        (HEADER + ",contacts\n" + GOOD + ",", "the column contacts is there 2 times"),
        (HEADER + ",\n" + GOOD + ",", "a column has no name"),
        (HEADER + "\n" + GOOD + ",", "it has 14 fields where the header has 13"),
        (HEADER + "\n" + GOOD[:-1], "it has 12 fields where the header has 13"),
        (HEADER + '\n"' + GOOD, "opened and never closed"),
        (HEADER + '\n"a"b' + GOOD, "stands inside a field"),
        (HEADER + "\n" + GOOD.replace("M-1", "M\0-1"), "NUL"),
        (HEADER + "\n" + GOOD.replace("M-1", "M" * 200_000), "longer than 2,000"),
        (b"\xff\xfe\x00", "no text that can be read"),
        (b"\x81\x8d\x8f", "no text that can be read"),
        (b"PK\x03\x04 a spreadsheet", "cannot be read as an Excel workbook"),
    ],
)
async def test_what_is_wrong_with_a_file_is_said(
    sqlite_db: Database, essex: Contract, content: Any, said: str
) -> None:
    with pytest.raises(ImportProblems, match=said):
        await take_cases(sqlite_db, essex, content)


async def test_a_huge_field_does_not_hide_the_faults_after_it(
    sqlite_db: Database, essex: Contract
) -> None:
    text = log(case("x" * 300_000), case("b", contacts="many"))
    with pytest.raises(ImportProblems) as refused:
        await take_cases(sqlite_db, essex, text)
    assert [problem.line for problem in refused.value.problems] == [2, 3]
    assert csv.field_size_limit() == 131_072


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_no_content_breaks_the_reading(content: str | bytes) -> None:
    try:
        rows, problems = read_rows(content, CASE_COLUMNS, [])
    except ImportProblems as refused:
        assert refused.problems
    else:
        assert rows or problems


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=30), min_size=13, max_size=13))
async def test_no_row_breaks_the_checks(essex: Contract, fields: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([CASE_COLUMNS, fields])
    try:
        rows, problems = read_rows(text.getvalue(), CASE_COLUMNS, CASE_COLUMNS)
    except ImportProblems:
        return
    checks = Checks(essex, NOW, problems)
    for row in rows:
        understood(checks, row)


# --- people --------------------------------------------------------------------------------------


FULL = {
    "team": "Colchester",
    "postcode": "co1 1aa",
    "approved_from": "2019-05-01",
    "household": "H7",
    "mobile": "07700 900123",
    "email": "Ada@Example.org",
    "language": "PL",
}


async def test_a_person_is_on_the_register_with_addresses_that_prove_who_writes(
    db: Database, essex: Contract
) -> None:
    assert await take_people(db, essex, people(FULL)) == ImportResult(1, 0, 0)
    [person] = await stored(db, "person")
    assert (person["name"], person["group"], person["language"], person["household"]) == (
        *("Ada Example", "foster_carer", "pl", "H7"),
    )
    assert person["register_index"] == ring().index("register:essex", "M-100")
    [membership] = await stored(db, "membership")
    assert (membership["team"], membership["quadrant"]) == ("colchester", "north")
    assert membership["number_index"] == ring().index("membership", "M100")
    assert membership["postcode"] == "CO1 1AA"
    assert membership["postcode_index"] == ring().index("postcode", "CO11AA")
    assert membership["approved_from"] == date(2019, 5, 1)
    addresses = {row["channel"]: row for row in await stored(db, "address")}
    assert addresses["sms"]["value"] == "+447700900123"
    assert addresses["sms"]["value_index"] == ring().index("address:sms", "+447700900123")
    assert addresses["email"]["value"] == "ada@example.org"
    assert all(row["from_register"] for row in addresses.values())


async def test_names_and_numbers_are_sealed_at_rest(db: Database, essex: Contract) -> None:
    await take_people(db, essex, people(FULL))
    async with db.read() as session:
        raw = await session.connection()
        for table in ("person", "membership", "address"):
            rows = (await raw.exec_driver_sql(f'SELECT * FROM "{table}"')).all()
            assert b"Ada" not in repr(rows).encode()
            assert "7700900123" not in repr(rows)


async def test_taking_in_the_same_list_again_changes_nothing(db: Database, essex: Contract) -> None:
    text = people(FULL, {"person": "M-101", "name": "Bo Example"})
    await take_people(db, essex, text)
    before = [await stored(db, name) for name in TABLES]
    assert await take_people(db, essex, text) == ImportResult(0, 0, 2)
    assert [await stored(db, name) for name in TABLES] == before


async def test_a_list_is_recognised_after_the_keys_have_changed(
    db: Database, essex: Contract
) -> None:
    old = ring()
    await take_people(db, essex, people(FULL))
    await take_cases(db, essex, log(case("a")))
    try:
        keys = [b"a newer key of thirty-two bytes!", b"the key that only the tests use!"]
        sealing.install(sealing.KeyRing(keys))
        assert await take_people(db, essex, people(FULL)) == ImportResult(0, 0, 1)
        assert await take_cases(db, essex, log(case("a"))) == ImportResult(0, 0, 1)
    finally:
        sealing.install(old)


@pytest.mark.parametrize(
    ("changed", "table", "column", "value"),
    [
        ({"name": "Ada Sample"}, "person", "name", "Ada Sample"),
        ({"kind": "SL"}, "membership", "group", "supported_lodgings_carer"),
        ({"team": "West"}, "membership", "quadrant", "west"),
        ({"approved_to": "2026-10-01"}, "membership", "approved_to", date(2026, 10, 1)),
        ({"household": ""}, "person", "household", None),
    ],
)
async def test_a_changed_row_is_brought_up_to_the_list(
    db: Database, essex: Contract, changed: dict[str, str], table: str, column: str, value: Any
) -> None:
    await take_people(db, essex, people(FULL))
    assert await take_people(db, essex, people(FULL | changed)) == ImportResult(0, 1, 0)
    assert (await stored(db, table))[-1][column] == value


async def test_a_change_of_team_leaves_the_days_before_it_as_they_were(
    db: Database, essex: Contract
) -> None:
    await take_people(db, essex, people(FULL))
    await take_people(db, essex, people(FULL | {"team": "West"}))
    await take_people(db, essex, people(FULL | {"team": "West", "postcode": "CM20 1AA"}))
    before, after = await stored(db, "membership")
    assert (before["quadrant"], before["held_to"]) == ("north", date(2026, 11, 21))
    assert (after["quadrant"], after["held_from"]) == ("west", date(2026, 11, 22))
    assert after["postcode"] == "CM20 1AA"  # put right in place: nobody moved team
    async with db.read() as session:
        person = await session.get(Person, before["person_id"])
        assert person is not None
        then = await standing(session, person, date(2026, 11, 21))
        today = await standing(session, person, date(2026, 11, 22))
    assert (then.quadrant, then.team) == ("north", "colchester")
    assert (today.quadrant, today.team) == ("west", "west")


async def test_who_comes_back_has_a_second_membership(db: Database, essex: Contract) -> None:
    over = FULL | {"approved_to": "2026-03-01"}
    await take_people(db, essex, people(over))
    await take_people(db, essex, people(FULL | {"approved_from": "2026-09-01"}))
    first, second = await stored(db, "membership")
    assert (first["approved_to"], first["held_to"]) == (date(2026, 3, 1), None)
    assert (second["approved_from"], second["approved_to"]) == (date(2026, 9, 1), None)


async def test_an_old_number_stays_but_proves_nothing_any_more(
    db: Database, essex: Contract
) -> None:
    await take_people(db, essex, people(FULL))
    await take_people(db, essex, people(FULL | {"mobile": "07700 900999"}))
    sms = [row for row in await stored(db, "address") if row["channel"] == "sms"]
    assert {row["value"]: row["from_register"] for row in sms} == {
        "+447700900123": False,
        "+447700900999": True,
    }


async def test_two_people_may_swap_their_numbers(db: Database, essex: Contract) -> None:
    first = {"person": "1", "mobile": "07700 900001"}
    second = {"person": "2", "mobile": "07700 900002"}
    await take_people(db, essex, people(first, second))
    swapped = [first | {"mobile": "07700 900002"}, second | {"mobile": "07700 900001"}]
    assert await take_people(db, essex, people(*swapped)) == ImportResult(0, 2, 0)
    people_by_id = {row["register_id"]: row["id"] for row in await stored(db, "person")}
    owners = {row["value"]: row["person_id"] for row in await stored(db, "address")}
    assert owners == {"+447700900002": people_by_id["1"], "+447700900001": people_by_id["2"]}
    assert all(row["from_register"] for row in await stored(db, "address"))


async def test_a_number_that_wrote_as_an_unknown_sender_goes_to_its_person(
    db: Database, essex: Contract
) -> None:
    async with db.write() as session:
        await sender(session, "essex", "sms", "+447700900123", NOW)
    await take_people(db, essex, people(FULL))
    [sms] = [row for row in await stored(db, "address") if row["channel"] == "sms"]
    [ada] = [row for row in await stored(db, "person") if row["register_id"]]
    assert (sms["person_id"], sms["from_register"]) == (ada["id"], True)


async def test_a_number_that_another_person_keeps_cannot_be_given(
    db: Database, essex: Contract
) -> None:
    await take_people(db, essex, people(FULL))
    with pytest.raises(ImportProblems, match="line 2, mobile: somebody else on the register"):
        await take_people(db, essex, people({"person": "M-2", "mobile": FULL["mobile"]}))


async def test_a_team_for_the_whole_county_takes_the_quadrant_from_the_home(
    db: Database, essex: Contract
) -> None:
    await take_people(db, essex, people({"team": "ART 16+", "postcode": "CM20 1AA"}))
    assert [row["quadrant"] for row in await stored(db, "membership")] == ["west"]


async def test_columns_after_kind_may_be_left_out(db: Database, essex: Contract) -> None:
    text = sheet(["kind", "person", "name"], [PERSON])
    assert (await take_people(db, essex, text)).added == 1
    assert await stored(db, "address") == []


PEOPLE_FAULTS = [
    ({"person": ""}, "person", "empty"),
    ({"person": "—"}, "person", "no letter or digit"),
    ({"name": ""}, "name", "empty"),
    ({"name": "x" * 201}, "name", "longer than 200"),
    ({"kind": ""}, "kind", "empty"),
    ({"kind": "astronaut"}, "kind", "foster_carer"),
    ({"team": "Atlantis"}, "team", "colchester"),
    ({"postcode": "Colchester"}, "postcode", "CO1 1AA"),
    ({"approved_from": "01/05/2019"}, "approved_from", "2026-08-01"),
    ({"approved_from": "2019-02-30"}, "approved_from", "no date"),
    ({"approved_from": "2019-05-02", "approved_to": "2019-05-01"}, "approved_to", "before"),
    ({"mobile": "ring me"}, "mobile", "no telephone number"),
    ({"mobile": "07700"}, "mobile", "no such telephone number"),
    ({"mobile": "0808 157 0123"}, "mobile", "no "),
    ({"mobile": "01632 960123"}, "mobile", "no "),
    ({"email": "nobody"}, "email", "no e-mail address"),
    ({"email": "a@b.example, c@d.example"}, "email", "no e-mail address"),
    ({"language": "Polish!"}, "language", "short code"),
]


@pytest.mark.parametrize(("wrong", "column", "reason"), PEOPLE_FAULTS)
async def test_each_fault_of_a_person_names_line_column_and_reason(
    sqlite_db: Database, essex: Contract, wrong: dict[str, str], column: str, reason: str
) -> None:
    with pytest.raises(ImportProblems) as refused:
        await take_people(sqlite_db, essex, people({"person": "M-1"}, wrong))
    [problem] = refused.value.problems
    assert (problem.line, problem.column) == (3, column)
    assert reason in problem.reason


async def test_a_refusal_repeats_no_name_number_or_address(
    sqlite_db: Database, essex: Contract
) -> None:
    wrong = FULL | {"email": "ada@nowhere", "mobile": "0770090012", "postcode": "XX"}
    with pytest.raises(ImportProblems) as refused:
        await take_people(sqlite_db, essex, people(wrong))
    said = str(refused.value)
    assert len(refused.value.problems) == 3
    assert not any(word in said for word in ("Ada", "nowhere", "0770090012", "XX", "M-100"))


async def test_one_number_or_address_on_two_rows_is_refused(
    sqlite_db: Database, essex: Contract
) -> None:
    with pytest.raises(ImportProblems) as refused:
        await take_people(sqlite_db, essex, people(FULL, FULL | {"person": "M-2"}))
    assert [problem.column for problem in refused.value.problems] == ["mobile", "email"]
