"""The trend of a figure, and what is shown of a period that runs: of what is published alone."""

from datetime import UTC, date, datetime

from helpline.contract import Contract
from helpline.contract.measuring import Target
from helpline.db import Database
from helpline.models import Release, SuppliedFigure
from helpline.reports import running, trend
from helpline.reports.cells import Cell
from helpline.reports.report import Report
from helpline.reports.trend import Past
from helpline.rules import periods

MET, MISSED = "first_response.met", "first_response.missed"


def over(*cells: Cell | None) -> Past:
    """A past of one cell a quarter; None: that quarter's report did not count it."""
    labels = [f"2025-26-Q{n + 1}" for n in range(len(cells))]
    return Past(labels, [{one.measure: one} if one else {} for one in cells])


def test_a_hidden_figure_is_a_gap_and_the_line_is_broken_there(essex: Contract) -> None:
    def kept(percent: float) -> Cell:
        return Cell(MET, (), 80, 100, percent)

    hidden = Cell(MET, (), None, hidden="hidden")
    past = over(kept(90), kept(95), hidden, kept(100), kept(80), None, Cell(MET, (), 0, 0))
    found = past.of(essex.measure(MET))
    words = ["90%", "95%", "not shown", "100%", "80%", "not counted", "–"]
    assert [one.words for one in found.points] == words
    assert [one.value for one in found.points] == [90, 95, None, 100, 80, None, None]
    assert [len(run.split(" ")) for run in found.segments] == [2, 2]
    drawn = [one.y for one in found.points if one.y is not None]
    assert drawn[2] < drawn[1] < drawn[0] < drawn[3] < found.base
    assert found.is_drawn


def test_where_a_promise_is_hidden_what_is_published_of_the_late_ones_is_said(
    essex: Contract,
) -> None:
    hidden = Cell(MET, (), None, hidden="hidden")
    late = Cell(MISSED, (), None, hidden="hidden", note="fewer than 8")
    past = Past(["2025-26-Q1"], [{MET: hidden, MISSED: late}])
    assert [one.words for one in past.of(essex.measure(MET)).points] == ["fewer than 8 late"]


async def test_the_trend_begins_before_us_and_few_stay_hidden_there(
    essex: Contract, db: Database, now: datetime
) -> None:
    begun = essex.term.model_copy(update={"start": date(2026, 8, 1)})
    contract = essex.model_copy(update={"term": begun})
    given = {
        "2025-26-Q4": {"contacts": 240, MET: 90, MISSED: 10, "allocation.met": 95},
        "2025-26-Q3": {"contacts": 3, MET: 97, MISSED: 3},
        "2025-26-Q1": {"contacts": 99},
    }
    async with db.write() as session:
        for label, values in given.items():
            for code, value in values.items():
                row = SuppliedFigure(contract="essex", period=label, measure=code, value=value)
                row.given_at = now
                session.add(row)
    ours = Release(contract="essex", report="quarter", period="2026-27-Q1", id=7)
    ours.ends_on, ours.number = date(2026, 10, 31), 1
    async with db.read() as session:
        found = await trend.past(session, contract, [ours], "quarter")
        other = await trend.past(session, essex, [ours], "quarter")
    assert list(found.labels) == ["2025-26-Q3", "2025-26-Q4", "2026-27-Q1"]
    assert list(other.labels) == ["2026-27-Q1"]  # there, what was before the quarter was ours
    kept = found.of(contract.measure(MET)).points
    assert [one.words for one in kept] == ["not shown", "90%", "not counted"]
    assert found.of(contract.measure(MET)).given == ["2025-26-Q4"]
    contacts = found.of(contract.measure("contacts")).points
    assert [one.words for one in contacts] == ["not shown", "240", "not counted"]
    allocated = found.of(contract.measure("allocation.met")).points
    assert [one.words for one in allocated][1] == "95"  # of what, nobody supplied


def test_a_target_is_drawn_and_each_period_is_held_against_it(essex: Contract) -> None:
    target = Target(at_least=95, amber=90)
    measure = essex.measure(MET).model_copy(update={"target": target})
    found = over(*(Cell(MET, (), 1, 1, share) for share in (96.0, 92.0, 50.0))).of(measure)
    assert [one.state for one in found.points] == ["good", "near", "bad"]
    assert found.expected == "at least 95%"
    assert found.target_y is not None and found.points[0].y is not None
    assert found.points[0].y < found.target_y


def test_counts_are_drawn_from_nought_and_one_period_is_no_line(essex: Contract) -> None:
    contacts = essex.measure("contacts")
    found = over(Cell("contacts", (), 50), Cell("contacts", (), 100)).of(contacts)
    low, high = (one.y or 0 for one in found.points)
    assert found.base - high == 2 * (found.base - low)
    assert not over(Cell("contacts", (), 5)).of(contacts).is_drawn


def test_of_a_running_period_only_wholes_and_what_was_late(essex: Contract) -> None:
    cells = (
        Cell("contacts", (), 60),
        Cell("cases", (), 35),
        Cell(MET, (), 30, 35, 85.0),
        Cell(MISSED, (), None, hidden="hidden"),
        Cell("allocation.missed", (), 0, 35, 0.0),
        Cell("complaints", (), 3),
    )
    period = periods.period("2026-27-Q2", essex.year_starts_month)
    at = datetime(2026, 11, 23, tzinfo=UTC)
    report = Report(essex, essex.report("quarter"), period, cells, (), False, True, at)
    shown = running.shown(report)
    assert [measure.code for measure, _ in shown.totals] == ["contacts", "cases"]
    assert [(one.clock.code, one.state) for one in shown.late] == [
        ("first_response", "hidden"),
        ("allocation", "none"),
    ]
    assert shown.sunday == date(2026, 11, 22)
