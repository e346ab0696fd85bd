"""Which paper holds, which runs out and which stops a naming."""

from datetime import date, timedelta

import pytest

from helpline.rules import papers as rules
from helpline.rules.papers import Needed, Paper

TODAY = date(2026, 11, 23)
DBS = Needed("dbs", "DBS check", "expired")
LEVEL_2 = Needed("safeguarding", "Safeguarding training", "missing", least_level=2)


def until(days: int, kind: str = "dbs", level: int | None = None) -> Paper:
    return Paper(kind, date(2024, 1, 1), TODAY + timedelta(days=days), level)


@pytest.mark.parametrize(
    ("papers", "state", "stops"),
    [
        ([], "missing", False),
        ([until(0)], "soon", False),  # the last day still counts
        ([until(-1)], "expired", True),
        ([until(60)], "soon", False),
        ([until(61)], "holds", False),
        ([until(-1), until(400)], "holds", False),  # a newer one has taken its place
        ([Paper("dbs", date(2024, 1, 1))], "holds", False),
        ([Paper("dbs", TODAY + timedelta(days=1))], "missing", False),  # not yet
        ([until(400, "safeguarding", 3)], "missing", False),
    ],
)
def test_one_paper(papers: list[Paper], state: str, stops: bool) -> None:
    (found,) = rules.standings([DBS], papers, TODAY, 60)
    assert (found.state, found.stops) == (state, stops)


@pytest.mark.parametrize(("level", "stops"), [(None, True), (1, True), (2, False), (4, False)])
def test_a_level_too_low_is_none(level: int | None, stops: bool) -> None:
    (found,) = rules.standings([LEVEL_2], [until(400, "safeguarding", level)], TODAY, 60)
    assert found.stops is stops


def test_what_is_renewed_often_needs_less_notice() -> None:
    monthly = Needed("supervision", "Supervision", warn_days=7)
    states = [
        rules.standings([monthly], [until(days, "supervision")], TODAY, 60)[0].state
        for days in (8, 7)
    ]
    assert states == ["holds", "soon"]


def test_the_reason_is_said_in_words() -> None:
    found = rules.standings([DBS, LEVEL_2], [until(-1)], TODAY, 60)
    assert rules.why_not(found) == (
        "DBS check ran out on 22 November 2026; Safeguarding training at level 2: none is on record"
    )


def test_a_paper_without_an_end_holds() -> None:
    (found,) = rules.standings([DBS], [Paper("dbs", date(2024, 1, 1))], TODAY, 60)
    assert found.words == "DBS check: holds"
