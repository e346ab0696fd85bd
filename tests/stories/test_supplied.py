"""Figures that nobody here counts, asked for and handed in; a provider's past, so that trends begin
before us; and the council's own paper for it all."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import docx
import openpyxl
import pytest

from helpline.desk import releasing, report_templates, supplying
from helpline.desk.imports import ImportProblems
from helpline.desk.supplying import Misread, Typed
from helpline.errors import Conflict, InvalidInput, NotAllowed
from helpline.models import Event, FigureList, SuppliedFigure
from helpline.reports.figures import figures
from helpline.reports.render import render
from helpline.reports.report import Report
from helpline.rules.periods import period
from helpline.vocabulary import Role
from tests import databases, folders
from tests.stories.test_releases import _check, _write
from tests.web.conftest import Arrive
from tests.world import World, opened_world

QUARTER = "2026-27-Q2"
SOURCE = "Residential monitoring, monthly return"


BOTH = folders.only("essex", "lancashire")


@pytest.fixture
async def councils(database_url: str) -> AsyncIterator[World]:
    """Two councils, of which one grades: it is 3 November 2026."""
    async with opened_world(database_url, contracts=BOTH) as world:
        yield world


@pytest.fixture
async def pages(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[World]:
    """The same, for what has nothing to do with the database."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    async with opened_world(url, contracts=BOTH) as world:
        yield world


async def counted(world: World, key: str, label: str, *, exact: bool = True) -> Report:
    contract = world.house.contracts[key]
    wanted = period(label, contract.year_starts_month)
    async with world.house.db.read() as session:
        return await figures(session, contract, wanted, world.now, exact)


async def supply(world: World, *typed: tuple[str, str], source: str = SOURCE) -> int:
    contract = world.house.contracts["lancashire"]
    async with world.house.db.write() as session:
        return await supplying.supply(
            session,
            contract,
            period(QUARTER, contract.year_starts_month),
            [Typed(code, text) for code, text in typed],
            source,
            date(2026, 10, 31),
            world.lead,
            world.now,
        )


async def missing(world: World) -> int:
    contract = world.house.contracts["lancashire"]
    async with world.house.db.read() as session:
        asked = period(QUARTER, contract.year_starts_month)
        return await supplying.missing(session, contract, asked)


async def bring_in(world: World, *rows: str, key: str = "essex") -> Any:
    text = "\n".join(["period,measure,cut,value,source,as_of", *rows])
    async with world.house.db.write() as session:
        return await supplying.import_figures(
            session, world.house.contracts[key], text, world.now, dry_run=False
        )


# --- what is asked from outside -------------------------------------------------------------------


async def test_a_grade_and_a_percentage_are_asked_given_and_held_against_what_was_agreed(
    councils: World,
) -> None:
    before = await missing(councils)
    assert await supply(councils, ("kpi4", "good"), ("kpi1", "97.5 %")) == 2
    assert await missing(councils) == before - 2
    report = await counted(councils, "lancashire", QUARTER)
    grade = next(t for line in report.view.lines for t in line.totals if t.measure.code == "kpi4")
    assert (grade.cell.words, grade.state, grade.expected) == ("Good", "good", "Good or better")
    assert grade.cell.source == SOURCE
    assert report.view.shown(report.cell("kpi1")) == "97.5%"
    page = " ".join(render(report, "html").decode().split())
    assert f"{SOURCE}, 31 October 2026" in page


async def test_what_cannot_be_a_figure_is_named_and_nothing_is_kept(pages: World) -> None:
    with pytest.raises(Misread) as error:
        await supply(pages, ("kpi1", "965"), ("kpi4", "Fine"), ("kpi2", "12 or so"))
    assert set(error.value.wrong) == {"kpi1", "kpi2", "kpi4"}
    assert "Inadequate" in error.value.wrong["kpi4"]
    assert await pages.count(SuppliedFigure) == 0
    with pytest.raises(InvalidInput, match="who or what"):
        await supply(pages, ("kpi1", "96"), source="")


async def test_a_figure_is_put_right_beside_the_first_and_taken_back_with_a_reason(
    councils: World,
) -> None:
    await supply(councils, ("kpi1", "90"))
    assert await supply(councils, ("kpi1", "90")) == 0  # the same again changes nothing
    await supply(councils, ("kpi1", "96.5"))
    report = await counted(councils, "lancashire", QUARTER)
    assert report.cell("kpi1").value == 96.5
    contract = councils.house.contracts["lancashire"]
    newest = (await councils.all(SuppliedFigure))[-1]
    assert isinstance(newest, SuppliedFigure) and newest.id
    async with councils.house.db.write() as session:
        args = (session, contract, newest.id)
        with pytest.raises(InvalidInput, match="why"):
            await supplying.take_back(*args, " ", councils.lead, councils.now)
        with pytest.raises(NotAllowed):
            await supplying.take_back(*args, "wrong month", councils.worker, councils.now)
        await supplying.take_back(*args, "of another month", councils.lead, councils.now)
    assert (await counted(councils, "lancashire", QUARTER)).cell("kpi1").value is None
    assert await councils.count(SuppliedFigure) == 2
    assert len(await councils.all(Event, Event.kind == "figures.supplied")) == 2


# --- the provider's past --------------------------------------------------------------------------


async def test_trends_begin_before_our_first_day(councils: World) -> None:
    result = await bring_in(
        councils,
        "2016-17-Q4,cases,,214,The provider before us,2017-07-31",
        "2016-17-Q4,Cases that began,Area: West Essex,40,The provider before us,",
        "2016-17-Q4,first_response.met,,150,The provider before us,",
        "2016-17-Q4,first_response.missed,,50,The provider before us,",
    )
    assert (result.added, result.changed, result.unchanged) == (4, 0, 0)
    report = await counted(councils, "essex", "2016-17-Q4")
    assert report.cell("cases").value == 214
    assert report.cell("cases", quadrant="west").value == 40
    assert report.cell("cases", quadrant="mid").value is None  # not nought: nobody said
    late = report.cell("first_response.missed")
    assert (late.value, late.denominator, late.percent) == (50, 200, 25.0)
    assert report.view.promises[0].state == "broken"
    assert "The provider before us" in render(report, "html").decode()
    sent = await counted(councils, "essex", "2016-17-Q4", exact=False)
    assert (sent.cell("cases").value, sent.cell("cases", quadrant="mid").value) == (215, None)
    again = await bring_in(councils, "2016-17-Q4,cases,,214,The provider before us,2017-07-31")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)


async def test_what_we_count_ourselves_is_not_overruled(councils: World) -> None:
    with pytest.raises(ImportProblems) as error:
        await bring_in(
            councils,
            "2026-27-Q1,cases,,999,Somebody,",
            "2016-17-Q4,cases,,12.5,Somebody,",
            "2016-17-Q4,cases,quadrant=atlantis,1,Somebody,",
            "2016-17-Q4,nonsense,,1,Somebody,",
            "2030-31-Q1,cases,,1,Somebody,",
            "2016-17-Q4,cases,west,1,Somebody,",
            "2016-17-Q4,cases,quadrant=,1,Somebody,",
        )
    told = {(one.line, one.column) for one in error.value.problems}
    assert {(2, "measure"), (3, "value"), (4, "cut"), (5, "measure"), (6, "period")} <= told
    assert {(7, "cut"), (8, "cut")} <= told
    assert await councils.count(SuppliedFigure) == 0


# --- a list on the page ---------------------------------------------------------------------------


def workbook() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["measure", "value", "source", "as_of"])
    sheet.append(["kpi1", 0.965, SOURCE, date(2026, 10, 31)])
    sheet["B2"].number_format = "0.0%"
    sheet.append(["kpi4", "Outstanding", "Inspection report", None])
    book.save(file)
    return file.getvalue()


async def send_file(guest: Any, address: str, name: str, content: bytes) -> int:
    form = aiohttp.FormData()
    form.add_field("csrf", guest.csrf)
    form.add_field("file", content, filename=name)
    return await guest._read(await guest.client.post(address, data=form))


async def test_a_list_is_looked_at_before_it_counts(pages: World, arrive: Arrive) -> None:
    address = f"/reports/lancashire/supplied/{QUARTER}"
    leonie = await arrive(pages, "leonie")
    assert await leonie.get(address) == 200
    assert "are missing" in leonie.text
    assert (
        await send_file(leonie, f"{address}/lists", "a.csv", b"measure,value\nkpi1,lots of 5")
        == 400
    )
    assert "Line 2, value" in leonie.text
    assert await send_file(leonie, f"{address}/lists", "a.xlsx", workbook()) == 200
    assert "2 new, 0 other than now, 0 as they are" in leonie.text
    assert "96.5%" in leonie.text
    assert await pages.count(SuppliedFigure) == 0
    assert await leonie.post(f"{leonie.path}/acceptance") == 200
    assert "Accepted" in leonie.text
    assert (await counted(pages, "lancashire", QUARTER)).cell("kpi1").value == 96.5
    [kept] = await pages.all(FigureList)
    assert isinstance(kept, FigureList) and kept.content is None
    wrong = {"source": SOURCE, "as_of": "2026-10-31", "value.kpi2": "a 5 or so"}
    assert await leonie.post(address, wrong) == 400
    assert "Write a number such as 12 or 96.5" in leonie.text
    assert "a 5 or so" in leonie.page
    assert await leonie.post(address, wrong | {"value.kpi2": "98"}) == 200
    assert "98%" in leonie.text or ": 98" in leonie.text


async def test_a_list_that_waits_stands_on_the_page_until_the_same_period_has_another(
    pages: World, arrive: Arrive
) -> None:
    def address(label: str) -> str:
        return f"/reports/lancashire/supplied/{label}"

    leonie = await arrive(pages, "leonie")
    for label in ("2026-27-Q1", QUARTER, QUARTER):
        assert await send_file(leonie, f"{address(label)}/lists", "a.xlsx", workbook()) == 200
    lists = [one for one in await pages.all(FigureList) if isinstance(one, FigureList)]
    assert [one.state for one in lists] == ["pending", "thrown_away", "pending"]
    assert [one.content is None for one in lists] == [False, True, False]
    for page, waiting in (
        ("/supplied", {(0, "2026-27-Q1"), (2, QUARTER)}),
        (address("2026-27-Q1"), {(0, "2026-27-Q1")}),
        (address(QUARTER), {(2, QUARTER)}),
    ):
        assert await leonie.get(page) == 200
        assert leonie.text.count("A list waits for a yes") == len(waiting)
        for at, label in waiting:
            assert f'href="{address(label)}/lists/{lists[at].id}"' in leonie.page
    assert await leonie.post(f"{address(QUARTER)}/lists/{lists[2].id}/acceptance") == 200
    assert "A list waits" not in leonie.text
    assert await leonie.post(f"{address(QUARTER)}/lists/{lists[2].id}/acceptance") == 200
    assert await leonie.post(f"{address(QUARTER)}/lists/{lists[1].id}/acceptance") != 500
    assert await pages.count(SuppliedFigure) == 2


# --- the council's own paper ----------------------------------------------------------------------


def paper(*paragraphs: str) -> bytes:
    document, file = docx.Document(), io.BytesIO()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(file)
    return file.getvalue()


async def test_a_councils_own_template_is_tried_then_used_then_taken_back(
    pages: World, arrive: Arrive
) -> None:
    address, contract = "/report-templates/essex/quarter", pages.house.contracts["essex"]
    own = paper("For the panel: {{ title }}, {{ period }}")
    leonie = await arrive(pages, "leonie")
    assert await leonie.get(address) == 200
    assert await send_file(leonie, address, "own.docx", paper("{{ carers }}")) == 400
    assert "“carers”, which no report has" in leonie.text
    assert await send_file(leonie, address, "own.docx", own) == 200
    assert "Read and filled without a fault" in leonie.text
    made = await leonie.client.get(f"{address}/1/preview")
    said = docx.Document(io.BytesIO(await made.read())).paragraphs[0].text
    assert said.startswith("For the panel: ") and said.endswith("2026-27-Q1")
    async with pages.house.db.read() as session:
        assert await report_templates.templates_of(session, contract, "quarter") is None
    await leonie.get(address)
    assert await leonie.post(f"{address}/1/use") == 200
    async with pages.house.db.read() as session:
        row = await report_templates.in_use(session, contract, "quarter")
        assert row is not None and "content" not in vars(row)  # a list of reports needs no files
        assert await report_templates.templates_of(session, contract, "quarter") == own
        assert await report_templates.templates_of(session, contract, "annual") is None
    assert await leonie.post(f"{address}/1/withdrawal", {"why": ""}) == 400
    assert await leonie.post(f"{address}/1/withdrawal", {"why": "They changed their crest"}) == 200
    assert "They changed their crest" in leonie.text
    async with pages.house.db.write() as session:
        assert await report_templates.templates_of(session, contract, "quarter") is None
        with pytest.raises(Conflict):
            await report_templates.use(session, contract, 1, pages.lead, pages.now)


async def test_what_is_signed_is_set_in_the_councils_own_template(pages: World) -> None:
    contract, lena = pages.house.contracts["essex"], await pages.hire("Lena", Role.LEAD)
    own = paper("For the panel: {{ period }}")
    async with pages.house.db.write() as session:
        args = (contract, "quarter", "own.docx", own, pages.lead, pages.now)
        made = await report_templates.keep(session, *args)
        await report_templates.use(session, contract, made.id or 0, pages.lead, pages.now)
    async with pages.house.db.write() as session:
        drawn = await releasing.draw_up(
            session, contract, "quarter", "2026-27-Q1", pages.lead, pages.now
        )
    await _check(pages, drawn.id or 0, pages.lead)
    await _write(pages, drawn.id or 0, pages.lead)
    async with pages.house.db.read() as session:
        release = await releasing.find(session, drawn.id or 0, lena)
        ready = await releasing.to_sign(session, contract, release, pages.now)
        assert ready.template == own
        with pytest.raises(Conflict, match="template cannot be used"):
            unfit = replace(ready, template=paper("{{ carers }}"))
            await releasing.files_of(session, contract, unfit)
        files = await releasing.files_of(session, contract, ready)
    async with pages.house.db.write() as session:
        await releasing.sign(session, contract, ready, files, lena, pages.now)
    async with pages.house.db.read() as session:
        kept = await releasing.file(session, release, "docx")
    assert kept == files["docx"]
    assert docx.Document(io.BytesIO(kept or b"")).paragraphs[0].text == "For the panel: 2026-27-Q1"
