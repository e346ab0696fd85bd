"""Safe contact: who may be written to, when, and in which words."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.errors import InvalidInput
from helpline.rules.safety import (
    SafeRules,
    from_words,
    judge,
    next_opening,
    read,
    stricter,
    written,
)

ZONE = "Europe/London"
TIMES = st.none() | st.times().map(lambda at: at.replace(second=0, microsecond=0))


def test_without_rules_everything_may_leave() -> None:
    assert judge(SafeRules(), "sms", True, datetime(2026, 11, 3, 2, tzinfo=UTC), ZONE).may


def test_a_text_never_goes_to_a_landline() -> None:
    judged = judge(SafeRules(), "sms", False, datetime(2026, 11, 3, 2, tzinfo=UTC), ZONE)
    assert (judged.may, judged.until) == (False, None)


def test_a_channel_they_ruled_out_is_never_used() -> None:
    rules = SafeRules(not_by=("telegram",))
    now = datetime(2026, 11, 3, 2, tzinfo=UTC)
    assert not judge(rules, "telegram", True, now, ZONE).may
    assert judge(rules, "sms", True, now, ZONE).may


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (datetime(2026, 11, 3, 8, 59, tzinfo=UTC), datetime(2026, 11, 3, 9, 0, tzinfo=UTC)),
        (datetime(2026, 11, 3, 9, 0, tzinfo=UTC), None),
        (datetime(2026, 11, 3, 14, 59, tzinfo=UTC), None),
        (datetime(2026, 11, 3, 15, 0, tzinfo=UTC), datetime(2026, 11, 4, 9, 0, tzinfo=UTC)),
        # the night the clocks go back: nine in the morning is an hour later in UTC
        (datetime(2026, 10, 24, 20, 0, tzinfo=UTC), datetime(2026, 10, 25, 9, 0, tzinfo=UTC)),
        (datetime(2026, 10, 23, 20, 0, tzinfo=UTC), datetime(2026, 10, 24, 8, 0, tzinfo=UTC)),
    ],
)
def test_hours_are_local(now: datetime, opens: datetime | None) -> None:
    assert next_opening(SafeRules(begins=time(9), ends=time(15)), now, ZONE) == opens


def test_hours_may_run_over_midnight() -> None:
    rules = SafeRules(begins=time(22), ends=time(6))
    assert next_opening(rules, datetime(2026, 11, 3, 23, tzinfo=UTC), ZONE) is None
    assert next_opening(rules, datetime(2026, 11, 3, 5, tzinfo=UTC), ZONE) is None
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    assert next_opening(rules, noon, ZONE) == datetime(2026, 11, 3, 22, tzinfo=UTC)


@given(begins=TIMES, ends=TIMES, hours=st.integers(0, 10 * 365 * 24))
def test_an_opening_is_ahead_and_open(begins: time | None, ends: time | None, hours: int) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    opens = next_opening(SafeRules(begins=begins, ends=ends), now, ZONE)
    if opens is not None:
        assert opens > now


@given(
    st.builds(
        SafeRules,
        TIMES,
        TIMES,
        st.text(max_size=40),
        st.booleans(),
        st.booleans(),
        st.lists(st.sampled_from(["sms", "telegram"])).map(tuple),
    )
)
def test_rules_come_back_as_they_were_written(rules: SafeRules) -> None:
    assert read(written(rules)) == rules


@pytest.mark.parametrize(("begins", "ends"), [("9", "x"), ("09:00", ""), ("25:00", "26:00")])
def test_times_that_are_none_are_named(begins: str, ends: str) -> None:
    with pytest.raises(InvalidInput):
        from_words(begins, ends, "", False, False, [])


def test_a_way_cannot_be_both_forbidden_and_allowed() -> None:
    with pytest.raises(InvalidInput, match="both forbidden and allowed"):
        from_words("", "", "", False, False, ["sms"], ["sms", "email"])


def test_rules_written_before_there_were_other_ways_can_still_be_read() -> None:
    older = '{"begins":"","ends":"","code_name":"","no_voicemail":false,"neutral_only":true,'
    assert read(older + '"not_by":["sms"]}').also_by == ()


def test_of_two_sets_of_rules_the_stricter_holds() -> None:
    own = SafeRules(time(9), time(15), "Aunt May", no_voicemail=True, also_by=("email", "sms"))
    heard = SafeRules(time(12), time(18), neutral_only=True, not_by=("sms",), also_by=("email",))
    assert stricter(own, heard) == SafeRules(
        time(12), time(15), "Aunt May", True, True, not_by=("sms",), also_by=("email",)
    )
    assert stricter(SafeRules(), heard) == stricter(heard, SafeRules()) == heard


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ((22, 6), (5, 23), (5, 6)),  # in two pieces of an hour each: one of them
        ((22, 6), (23, 7), (23, 6)),
        ((20, 4), (1, 3), (1, 3)),
        ((9, 12), (13, 15), (9, 12)),  # never both: the newer
        ((None, None), (13, 15), (13, 15)),
        ((9, 9), (13, 15), (13, 15)),  # from nine to nine is always
    ],
)
def test_the_hours_of_two_sets_are_those_in_both(
    one: tuple[int | None, int | None],
    other: tuple[int | None, int | None],
    both: tuple[int | None, int | None],
) -> None:
    def rules(span: tuple[int | None, int | None]) -> SafeRules:
        begins, ends = (None if hour is None else time(hour) for hour in span)
        return SafeRules(begins, ends, no_voicemail=True)

    found = stricter(rules(one), rules(other))
    assert (found.begins, found.ends) == (rules(both).begins, rules(both).ends)


def test_a_name_that_cannot_be_printed_and_half_a_time_are_refused() -> None:
    def words(begins: str = "", ends: str = "", name: str = "", also: tuple = ()) -> SafeRules:
        return from_words(begins, ends, name, False, False, ["sms"], also)

    for wrong in ({"begins": "9:00"}, {"name": "x" * 41}, {"name": "a\nb"}, {"also": ("sms",)}):
        with pytest.raises(InvalidInput):
            words(**wrong)  # type: ignore[arg-type]  # each is right by itself
    assert words(name=" " + "x" * 40 + " ").code_name == "x" * 40


def test_hours_hold_a_message_until_they_open() -> None:
    rules = SafeRules(begins=time(9), ends=time(17))
    night = datetime(2026, 11, 3, 2, tzinfo=UTC)
    judged = judge(rules, "sms", True, night, ZONE)
    assert (judged.may, judged.why, judged.until) == (False, "hours", night.replace(hour=9))
