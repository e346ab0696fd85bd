"""Whether a year agrees with its quarters: what differs has its reason, and what has none is a
fault."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import Database
from helpline.models import Case, Release
from helpline.reports import frozen, over_time
from helpline.reports.cells import Cell
from helpline.reports.figures import counted
from helpline.reports.over_time import Standing
from helpline.rules.periods import period
from tests import databases
from tests.reports.year.filling import fill

LABELS = [f"2026-27-Q{number}" for number in (1, 2, 3, 4)]


@pytest.fixture
async def sqlite(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
    database = Database(databases.new_sqlite_file(tmp_path, sqlite_template))
    yield database
    await database.close()


def standing(measure: str, value: float | None, today: float | None, number: int = 0) -> Standing:
    then, now = Cell(measure, (), value), Cell(measure, (), today)
    signed = {measure: number} if number else {}
    return Standing("2026-27", {then.key: then}, {now.key: now}, signed)


@pytest.mark.parametrize(
    ("measure", "whole", "parts", "why"),
    [
        ("cases", (10, 10, 0), [(4, 4, 0), (5, 5, 0)], ""),  # a case is nowhere: our fault
        ("cases", (10, 10, 0), [(4, 5, 1), (5, 5, 1)], "since"),
        ("cases", (10, 10, 0), [(4, 5, 2), (5, 5, 1)], "restated"),
        ("cases", (9, 10, 1), [(5, 5, 1), (5, 5, 0)], "since"),
        ("cases", (10, 10, 0), [(4, 4, 1), (5, 5, 1)], ""),  # and counting again does not help
        ("people", (7, 7, 0), [(5, 5, 0), (4, 4, 0)], "people"),
        ("people", (9, 9, 0), [(5, 5, 0), (3, 3, 0)], ""),  # somebody came in neither
        ("people", (4, 4, 0), [(5, 5, 0), (4, 4, 0)], ""),
    ],
)
def test_why_the_parts_are_not_the_whole(
    essex: Contract,
    measure: str,
    whole: tuple[int, int, int],
    parts: list[tuple[int, int, int]],
    why: str,
) -> None:
    some = [standing(measure, *part) for part in parts]
    (found,), agree = over_time.apart(essex, standing(measure, *whole), some)
    assert (found.why, found.is_fault, agree) == (why, not why, 0)
    assert found.by_how_many == sum(part[0] for part in parts) - whole[0]
    assert found.since == tuple(now - then for then, now, _ in [*parts, whole])


def test_what_was_supplied_stands_and_what_nobody_knows_is_left_out(essex: Contract) -> None:
    whole, part = standing("cases", 10, 10), standing("cases", 4, 4)
    key = ("cases", ())
    given = replace(part, cells={key: Cell(*key, 4, source="Their log")})
    (found,), _ = over_time.apart(essex, whole, [given, part])
    assert found.why == "supplied"
    assert over_time.apart(essex, whole, [part, standing("cases", None, None)]) == ([], 0)
    assert over_time.apart(essex, whole, [replace(part, cells={})]) == ([], 0)
    assert over_time.apart(essex, whole, [standing("cases", 10, 10)]) == ([], 1)


def short(essex: Contract) -> Contract:
    """Its year and its quarter with a few figures in two cuts: the whole ones have thousands."""
    codes = ("people", "contacts", "cases", "first_response.median_minutes")
    own = [
        essex.measure(code).model_copy(update={"by": ("quadrant", "reason"), "crossed": False})
        for code in codes
    ]
    reports = []
    for asked in (essex.report("quarter"), essex.report("annual")):
        line = asked.lines[0].model_copy(update={"measures": codes, "by": ((), ("quadrant",))})
        reports.append(asked.model_copy(update={"lines": (line,)}))
    made = essex.model_copy(update={"own_measures": tuple(own), "reports": tuple(reports)})
    for remembered in ("measures", "splits"):
        made.__dict__.pop(remembered, None)
    return made


async def test_a_year_beside_its_signed_quarters(sqlite: Database, essex: Contract) -> None:
    essex = short(essex)
    record = await fill(sqlite, essex, seed=8, contacts=200)
    now, year = record.now, period("2026-27", essex.year_starts_month)
    async with sqlite.write() as session:
        for label in LABELS[:2]:
            span = period(label, essex.year_starts_month)
            report = await counted(session, essex, span, now, "quarter", late=False)
            release = Release(
                contract="essex",
                report="quarter",
                period=label,
                state="signed",
                starts_on=span.start,
                ends_on=span.end,
                made_at=now,
            )
            release.counted_at = release.signed_at = now
            release.exact = release.cells = frozen.kept(report)
            session.add(release)

    async def beside() -> over_time.Together:
        async with sqlite.read() as session:
            today = await counted(session, essex, year, now, "annual", late=False)
            (found,) = await over_time.together(session, essex, today, None, now)
        return found

    first = await beside()
    assert [part.label for part in first.parts] == LABELS
    assert [bool(part.signed) for part in first.parts] == [True, True, False, False]
    assert {one.why for one in first.apart} == {"people"}
    assert first.agree > 20
    assert {one.code for one in first.not_added} >= {"first_response.median_minutes"}
    async with sqlite.write() as session:  # it turns out that one case was not for us
        case = next(
            one
            for one in record.cases
            if date(2026, 8, 3) < one.opened.date() < date(2026, 10, 1) and one.eligibility != "out"
        )
        await session.execute(
            update(Case).where(col(Case.id) == case.number).values(eligibility="out")
        )
    second = {(one.measure, one.by): one for one in (await beside()).apart}
    assert second["cases", ()].why == "since"
    assert second["cases", ()].by_how_many == 1
    assert sorted(second["cases", ()].since) == [-1, 0, 0, 0, 0]
    assert not any(one.is_fault for one in second.values())
