"""How long a case is kept: the longest rule that fits, and what keeps it longer."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.retention import (
    Facts,
    Rule,
    all_over,
    closed_before,
    kept_until,
    verdict,
)
from helpline.vocabulary import StayReason

ALLEGATION = Rule("allegation_case", 10, "years", frozenset({"allegation"}))
ENQUIRY = Rule("enquiry", 2, "years", frozenset({"advice", "referral"}))
COUNSEL = Rule("counselling_notes", 7, "years", counselling=True, child_until_age=25)
NOBODY = Rule("anonymous", 6, "months", anonymous=True)
SCHEDULE = (ALLEGATION, ENQUIRY, COUNSEL, NOBODY)
CLOSED = date(2026, 11, 3)


def test_the_longest_of_those_that_fit_holds() -> None:
    plain = verdict(Facts("advice", CLOSED), SCHEDULE)
    assert plain is not None
    assert (plain.rule, plain.kept_until) == ("enquiry", date(2028, 11, 3))
    with_counselling = verdict(Facts("advice", CLOSED, had_counselling=True), SCHEDULE)
    assert with_counselling is not None
    assert (with_counselling.rule, with_counselling.kept_until.year) == ("counselling_notes", 2033)
    both = verdict(Facts("allegation", CLOSED, had_counselling=True), SCHEDULE)
    assert both is not None
    assert both.rule == "allegation_case"


def test_of_nobody_known_it_is_kept_for_months_and_where_no_rule_is_for_ever() -> None:
    nobody = verdict(Facts("allegation", CLOSED, is_anonymous=True), SCHEDULE)
    assert nobody is not None
    assert nobody.kept_until == date(2027, 5, 3)
    assert verdict(Facts("complaint", CLOSED), SCHEDULE) is None
    known = verdict(Facts("allegation", CLOSED, is_anonymous=True), (ALLEGATION,))
    assert known is not None
    assert known.rule == "allegation_case"


def test_the_last_day_itself_is_kept() -> None:
    said = verdict(Facts("advice", date(2024, 2, 29)), SCHEDULE)
    assert said is not None
    assert said.kept_until == date(2026, 2, 28)
    assert not said.is_over(date(2026, 2, 28))
    assert said.is_over(date(2026, 3, 1))
    assert kept_until(Rule("x", 90, "days"), CLOSED) == CLOSED + timedelta(days=90)


def test_a_child_s_record_waits_until_somebody_writes_down_their_birthday() -> None:
    def stays(**facts: bool) -> StayReason | None:
        said = verdict(Facts("advice", CLOSED, had_counselling=True, **facts), SCHEDULE)
        assert said is not None
        return said.stays

    assert stays(is_child=True) is StayReason.CHILD
    assert stays(is_child=True, knows_birthday=True) is None
    assert stays() is None
    plain = verdict(Facts("advice", CLOSED, is_child=True), SCHEDULE)
    assert plain is not None
    assert plain.stays is None  # only where the contract says so


@given(
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    st.sampled_from(["allegation", "advice", "referral"]),
    st.booleans(),
    st.lists(st.sampled_from([*StayReason]), max_size=3),
)
def test_nothing_goes_before_each_rule_that_fits_is_over(
    closed: date, kind: str, had: bool, stays: list[StayReason]
) -> None:
    said = verdict(Facts(kind, closed, had_counselling=had, stays=stays), SCHEDULE)
    assert said is not None
    fits = [one for one in SCHEDULE if kind in one.kinds or (had and one.counselling)]
    assert said.kept_until == max(kept_until(one, closed) for one in fits)
    assert said.stays is (stays[0] if stays else None)


@given(
    st.dates(date(2000, 1, 1), date(2040, 1, 1)),
    st.integers(0, 4000),
    st.sampled_from([*SCHEDULE, Rule("x", 90, "days")]),
)
def test_what_is_left_out_beforehand_is_never_over(today: date, ago: int, rule: Rule) -> None:
    closed = today - timedelta(days=ago)
    if kept_until(rule, closed) < today:
        assert closed <= closed_before(rule, today)
    if closed <= all_over(rule, today):
        assert kept_until(rule, closed) < today
