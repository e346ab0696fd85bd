"""Reporting periods: what a label means, that periods leave no gap, and which instants they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.periods import (
    ANNUAL,
    QUARTER,
    BadPeriod,
    Period,
    bounds,
    following,
    in_words,
    parts,
    period,
    period_containing,
    previous,
    quarters,
    rolling_year,
    year_to_date,
)

AUGUST = 8  # the Essex contract year: 1 August to 31 July
LONDON = "Europe/London"

days = st.dates(date(2001, 1, 1), date(2098, 12, 31))
months = st.integers(1, 12)
instants = st.integers(1_000_000_000, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
kinds = st.sampled_from([QUARTER, ANNUAL])


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2026-27", date(2026, 8, 1), date(2027, 7, 31)),
        ("2026-27-Q1", date(2026, 8, 1), date(2026, 10, 31)),
        ("2026-27-Q2", date(2026, 11, 1), date(2027, 1, 31)),
        ("2026-27-Q3", date(2027, 2, 1), date(2027, 4, 30)),
        ("2026-27-Q4", date(2027, 5, 1), date(2027, 7, 31)),
        ("2023-24-Q3", date(2024, 2, 1), date(2024, 4, 30)),  # over 29 February
        ("2017-18-Q1", date(2017, 8, 1), date(2017, 10, 31)),  # the contract's first quarter
    ],
)
def test_the_contract_year_starts_in_august(label: str, first: date, last: date) -> None:
    found = period(label, AUGUST)
    assert (found.start, found.end, found.label) == (first, last, label)


def test_other_years_start_in_other_months() -> None:
    assert period("2026-27-Q4", 4).start == date(2027, 1, 1)
    assert period("2026-27", 1).end == date(2026, 12, 31)
    assert period("2026-27-Q4", 12).end == date(2027, 11, 30)


@pytest.mark.parametrize(
    "label",
    [
        *("", "2026", "2026-28", "2026-26", "26-27", "2026/27", "2026-27-Q0", "2026-27-Q5"),
        *(
            "2026-27-Q",
            "2026-27Q1",
            "Q1",
            "2026-27-Q1\n2026-27-Q2",
            "1926-27",
            "２０２６-２７",
            "x" * 9999,
        ),
    ],
)
def test_a_label_that_is_none_says_what_one_looks_like(label: str) -> None:
    with pytest.raises(BadPeriod, match=r"2026-27-Q1") as raised:
        period(label, AUGUST)
    assert len(str(raised.value)) < 400


def test_a_label_may_be_typed_carelessly() -> None:
    assert period(" 2026-27-q1 ", AUGUST) == period("2026-27-Q1", AUGUST)


@pytest.mark.parametrize("month", [0, 13, -1])
def test_a_year_starts_in_one_of_twelve_months(month: int) -> None:
    with pytest.raises(BadPeriod, match="months are 1 to 12"):
        period("2026-27", month)
    with pytest.raises(BadPeriod, match="months are 1 to 12"):
        period_containing(date(2026, 8, 1), QUARTER, month)


def test_a_kind_is_a_quarter_or_annual() -> None:
    with pytest.raises(BadPeriod, match="half_year or annual"):
        period_containing(date(2026, 8, 1), "week", AUGUST)
    with pytest.raises(BadPeriod, match="not a year"):
        quarters(period("2026-27-Q1", AUGUST))


def test_a_quarter_with_the_autumn_change_is_an_hour_longer() -> None:
    start, end = bounds(period("2026-27-Q1", AUGUST), LONDON)
    assert start == datetime(2026, 7, 31, 23, tzinfo=UTC)  # midnight of 1 August, summer time
    assert end == datetime(2026, 11, 1, tzinfo=UTC)
    assert end - start == timedelta(days=92, hours=1)


def test_a_quarter_with_the_spring_change_is_an_hour_shorter() -> None:
    start, end = bounds(period("2026-27-Q3", AUGUST), LONDON)
    assert (start, end) == (
        datetime(2027, 2, 1, tzinfo=UTC),
        datetime(2027, 4, 30, 23, tzinfo=UTC),
    )


@given(days, months, kinds)
def test_a_day_lies_in_its_period_and_the_label_leads_back(
    day: date, month: int, kind: str
) -> None:
    found = period_containing(day, kind, month)
    assert found.start <= day <= found.end
    assert period(found.label, month) == found
    assert found.kind == kind


@given(days, months, kinds)
def test_periods_follow_one_another_without_gap(day: date, month: int, kind: str) -> None:
    found = period_containing(day, kind, month)
    after = following(found)
    assert after.start == found.end + timedelta(days=1)
    assert previous(after) == found
    assert bounds(found, LONDON)[1] == bounds(after, LONDON)[0]


@given(days, months)
def test_four_quarters_are_exactly_the_year(day: date, month: int) -> None:
    year = period_containing(day, ANNUAL, month)
    parts = quarters(year)
    assert parts[0].start == year.start
    assert parts[-1].end == year.end
    assert sum(part.days for part in parts) == year.days
    assert [part.label[-2:] for part in parts] == ["Q1", "Q2", "Q3", "Q4"]


@given(instants, months)
def test_an_instant_is_counted_by_its_london_date(instant: datetime, month: int) -> None:
    local_day = instant.astimezone(ZoneInfo(LONDON)).date()
    found: Period = period_containing(local_day, QUARTER, month)
    start, end = bounds(found, LONDON)
    assert start <= instant < end


def test_months_and_half_years_are_of_the_contracts_year() -> None:
    month = period("2026-M11", AUGUST)
    assert (month.start, month.end) == (date(2026, 11, 1), date(2026, 11, 30))
    assert month.year_start == date(2026, 8, 1)
    assert period_containing(date(2027, 2, 28), "month", AUGUST).label == "2027-M02"
    half = period("2026-27-H2", AUGUST)
    assert (half.start, half.end) == (date(2027, 2, 1), date(2027, 7, 31))
    assert previous(half).label == "2026-27-H1"
    assert following(period("2026-M12", AUGUST)).label == "2027-M01"
    for wrong in ("2026-27-H3", "2026-M13", "2026-M00", "2026-27-M1"):
        with pytest.raises(BadPeriod, match="2026-M11"):
            period(wrong, AUGUST)


def test_a_basis_reaches_back_from_the_periods_last_day() -> None:
    month = period("2027-M02", AUGUST)
    so_far, rolling = year_to_date(month), rolling_year(month)
    assert (so_far.start, so_far.end) == (date(2026, 8, 1), date(2027, 2, 28))
    assert (rolling.start, rolling.end) == (date(2026, 3, 1), date(2027, 2, 28))
    leap = rolling_year(period("2028-M02", AUGUST))
    assert (leap.start, leap.end) == (date(2027, 3, 1), date(2028, 2, 29))


def test_longer_periods_are_made_of_shorter_ones() -> None:
    year = period("2026-27", AUGUST)
    assert [one.label for one in parts(year, "half_year")] == ["2026-27-H1", "2026-27-H2"]
    assert len(parts(year, "month")) == 12
    assert [one.label for one in parts(period("2026-27-Q3", AUGUST), "month")] == [
        "2027-M02",
        "2027-M03",
        "2027-M04",
    ]
    assert parts(period("2026-M11", AUGUST), "quarter") == ()


def test_a_month_is_read_by_its_name() -> None:
    assert period("2026-M11", 8).words == in_words("2026-M11") == "November 2026"
    assert period("2026-27-Q1", 8).words == in_words("2026-27-Q1") == "2026-27-Q1"
