"""The rota proved: nobody missing and nobody doubled on any night, and in a thousand generated
years every minute has somebody or stands in a named gap, by a second calculation."""

import os
import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.rota import (
    Away,
    Duty,
    Weekly,
    changes,
    compare,
    gaps,
    hours_on_duty,
    instant,
    on_call_at,
    shifts,
    shortages,
    standing,
    swap_problem,
    without,
)

LONDON = "Europe/London"
ALL_DAYS = frozenset(range(7))
SPRING, AUTUMN = date(2027, 3, 27), date(2026, 10, 24)  # the evenings before the clocks change
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def spans(pattern: Weekly, since: date, days: int) -> list[tuple[datetime, datetime]]:
    return [span for _, span in shifts(pattern, since, since + timedelta(days=days), LONDON)]


# --- patterns → shifts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evening", "hours"), [(AUTUMN, 13), (SPRING, 11), (date(2026, 12, 24), 12)]
)
def test_a_night_shift_has_11_or_13_hours_when_the_clocks_change(evening: date, hours: int) -> None:
    night = Weekly(ALL_DAYS, time(20), time(8), date(2026, 1, 1))
    ((starts, ends),) = spans(night, evening, 1)
    assert ends - starts == hours * HOUR
    assert starts.astimezone(ZoneInfo(LONDON)).time() == time(20)
    assert ends.astimezone(ZoneInfo(LONDON)).time() == time(8)


@pytest.mark.parametrize("boundary", [time(1), time(1, 30), time(1, 59), time(2), time(0, 30)])
@pytest.mark.parametrize("evening", [AUTUMN, SPRING])
def test_shifts_that_meet_in_the_odd_hour_still_meet(boundary: time, evening: date) -> None:
    late = Weekly(ALL_DAYS, time(20), boundary, date(2026, 1, 1))
    early = Weekly(ALL_DAYS, boundary, time(8), date(2026, 1, 1))
    ((_, ends),) = spans(late, evening, 1)
    ((starts, _),) = spans(early, evening + timedelta(days=1), 1)
    assert ends == starts


def test_a_skipped_time_is_the_change_and_a_doubled_one_the_first() -> None:
    assert instant(local("2027-03-28T01:30"), LONDON) == at("2027-03-28T01:00")
    assert instant(local("2026-10-25T01:30"), LONDON) == at("2026-10-25T00:30")


LOCAL = st.datetimes(local("2024-01-01"), local("2034-01-01"))


@given(st.tuples(LOCAL, LOCAL))
def test_the_order_of_local_times_is_kept(two: tuple[datetime, datetime]) -> None:
    first, second = sorted(two)
    assert instant(first, LONDON) <= instant(second, LONDON)


NEAR_A_CHANGE = st.builds(
    lambda day, minutes: datetime.combine(day, time()) + timedelta(minutes=minutes),
    st.sampled_from([date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31), date(2028, 3, 26)]),
    st.integers(0, 240),
)


@given(NEAR_A_CHANGE, NEAR_A_CHANGE)
def test_the_order_is_kept_on_the_nights_themselves(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    assert instant(first, LONDON) <= instant(second, LONDON)


def test_a_pattern_begins_ends_and_skips_weeks() -> None:
    monday = date(2026, 11, 2)
    fortnightly = Weekly(
        frozenset({0, 2}), time(9), time(17), monday, date(2026, 12, 1), every_weeks=2
    )
    days = [day for day, _ in shifts(fortnightly, date(2026, 10, 1), date(2027, 1, 1), LONDON)]
    assert [f"{day:%d.%m.}" for day in days] == ["02.11.", "04.11.", "16.11.", "18.11.", "30.11."]


def test_a_whole_day_is_24_hours_and_no_time_at_all_is_never_a_shift() -> None:
    whole = Weekly(ALL_DAYS, time(8), time(8), monday := date(2026, 11, 2))
    assert spans(whole, monday, 1) == [(at("2026-11-02T08:00"), at("2026-11-03T08:00"))]
    skipped = Weekly(ALL_DAYS, time(1), time(1, 30), monday)
    assert spans(skipped, SPRING + timedelta(days=1), 1) == []


TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


@given(st.lists(TIMES, min_size=1, max_size=4, unique=True), st.integers(2024, 2033))
def test_patterns_that_share_out_the_day_leave_nobody_missing_and_nobody_doubled(
    boundaries: list[time], year: int
) -> None:
    """Any way to cut the day into shifts covers a whole year, clock changes included, exactly."""
    boundaries = sorted(boundaries)
    begin, end = date(year, 1, 1), date(year + 1, 1, 10)
    cut = [
        span
        for here, there in zip(boundaries, boundaries[1:] + boundaries[:1], strict=True)
        for _, span in shifts(Weekly(ALL_DAYS, here, there, begin), begin, end, LONDON)
    ]
    cut.sort()
    assert all(one[1] == two[0] for one, two in pairwise(cut))


# --- who stands ----------------------------------------------------------------------------------

DAY = (at("2026-11-02T08:00"), at("2026-11-02T20:00"))
MORNING, EVENING = at("2026-11-02T10:00"), at("2026-11-02T19:00")


def test_an_override_stands_alone_unless_its_person_is_away() -> None:
    usual, backup = Duty(1, 1, "primary", *DAY), Duty(2, 2, "backup", *DAY)
    instead = Duty(3, 3, "primary", at("2026-11-02T18:00"), DAY[1], True)
    everybody = [usual, backup, instead]
    assert [d.user_id for d in on_call_at(everybody, [], MORNING)] == [1, 2]
    assert [d.user_id for d in on_call_at(everybody, [], EVENING)] == [3, 2]
    ill = [Away(3, at("2026-11-02T12:00"), at("2026-11-05T12:00"))]
    assert [d.user_id for d in on_call_at(everybody, ill, EVENING)] == [1, 2]


def test_absence_makes_a_gap_and_a_backup_does_not_fill_it() -> None:
    rota = [Duty(1, 1, "primary", *DAY), Duty(2, 2, "backup", *DAY)]
    ill = [Away(1, at("2026-11-02T12:00"), at("2026-11-02T13:00"))]
    assert gaps(rota, ill, *DAY) == [ill[0].span]
    assert gaps(rota, [], *DAY) == []


def test_the_order_is_first_then_backup_then_in_charge() -> None:
    rota = [
        Duty(number, user, kind, *DAY)
        for number, (user, kind) in enumerate([(9, "manager"), (7, "backup"), (8, "primary")])
    ]
    assert [duty.user_id for duty in on_call_at(rota, [], MORNING)] == [8, 7, 9]


def test_the_first_line_passes_from_one_to_the_next() -> None:
    night = (DAY[1], at("2026-11-03T08:00"))
    rota = [Duty(1, 1, "primary", *DAY), Duty(2, 2, "primary", *night)]
    wide = (DAY[0] - HOUR, night[1] + HOUR)
    assert changes(rota, [], *wide) == [(DAY[1], frozenset({1}), frozenset({2}))]
    same = [Duty(1, 1, "primary", *DAY), Duty(2, 1, "primary", *night)]
    assert changes(same, [], *wide) == []


MINUTES = st.integers(0, 600)
START = at("2026-11-02T08:00")


def span_of(one: int, other: int) -> tuple[datetime, datetime]:
    first, second = sorted((one, other + 1 if other == one else other))
    return START + timedelta(minutes=first), START + timedelta(minutes=second)


SPANS = st.builds(span_of, MINUTES, MINUTES)
DUTIES = st.lists(
    st.builds(
        lambda user, kind, span, over: Duty(0, user, kind, *span, over),
        st.integers(1, 4),
        st.sampled_from(["primary", "backup"]),
        SPANS,
        st.booleans(),
    ),
    max_size=8,
)
AWAYS = st.lists(
    st.builds(lambda user, span: Away(user, *span), st.integers(1, 4), SPANS), max_size=5
)


@given(DUTIES, AWAYS, MINUTES)
def test_intervals_and_instants_agree(duties: list[Duty], aways: list[Away], minute: int) -> None:
    """What is cut out of intervals is what the definition says at each instant."""
    now = START + timedelta(minutes=minute)
    by_instant = Counter((duty.user_id, duty.kind) for duty in on_call_at(duties, aways, now))
    by_interval = Counter(
        (duty.user_id, duty.kind)
        for duty, parts in standing(duties, aways)
        if any(begin <= now < end for begin, end in parts)
    )
    assert by_instant == by_interval
    found = gaps(duties, aways, START, START + 10 * HOUR)
    in_gap = any(begin <= now < end for begin, end in found)
    if now < START + 10 * HOUR:
        assert in_gap == ("primary" not in {kind for _, kind in by_instant})


@given(SPANS, st.lists(SPANS, max_size=6))
def test_what_is_left_and_what_is_taken_are_the_whole(
    whole: tuple[datetime, datetime], holes: list[tuple[datetime, datetime]]
) -> None:
    left = without(whole, holes)
    taken = without(whole, left)
    assert sum((e - b for b, e in left + taken), timedelta()) == whole[1] - whole[0]
    assert all(begin < end for begin, end in left)
    assert not any(b < he and hb < e for b, e in left for hb, he in holes)


# --- a thousand years ----------------------------------------------------------------------------

KINDS = ("primary", "primary", "backup", "manager")
YEARS = int(os.environ.get("HELPLINE_TEST_YEARS") or 300)  # a thousand take half a minute
CUTS = ((8, 20), (7, 15, 23), (8,), (9, 17, 1), (6, 14, 22), (0, 12))


@cache
def year_of(pattern: Weekly) -> tuple[tuple[datetime, datetime], ...]:
    return tuple(spans(pattern, pattern.first_day, 365))


def generated(seed: int) -> tuple[list[Duty], list[Away], datetime, datetime]:
    """A year of somebody's rota: patterns that share out the day, holidays, illness, overrides,
    shifts that were cut short. Most have gaps; some have none."""
    dice = random.Random(seed)
    begin = date(dice.choice((2024, 2026, 2031)), dice.randint(1, 12), 1)
    end, people = begin + timedelta(days=365), dice.randint(2, 7)
    duties: list[Duty] = []
    cut = dice.choice(CUTS)
    for index, hour in enumerate(cut):
        ends = time(cut[(index + 1) % len(cut)], 0)
        for kind in dice.sample(KINDS, dice.randint(1, 2)):
            share = dice.randint(1, min(people, 3))
            for number in range(share):
                days = frozenset(day for day in range(7) if day % share == number)
                pattern = Weekly(days, time(hour), ends, begin)
                user = dice.randint(1, people)
                duties += [
                    Duty(len(duties), user, kind, *span)
                    for span in year_of(pattern)
                    if dice.random() > 0.002
                ]
    since = instant(datetime.combine(begin + timedelta(days=2), time()), LONDON)
    until = instant(datetime.combine(end - timedelta(days=2), time()), LONDON)

    def some(hours: int) -> tuple[datetime, datetime]:
        start = since + timedelta(minutes=dice.randint(0, 360 * 1440))
        return start, start + timedelta(minutes=dice.randint(1, hours * 60))

    aways = [Away(dice.randint(1, people), *some(400)) for _ in range(dice.randint(0, 12))]
    for _ in range(dice.randint(0, 25)):
        user, kind = dice.randint(1, people), dice.choice(KINDS)
        duties.append(Duty(len(duties), user, kind, *some(30), is_override=dice.random() < 0.7))
    return duties, aways, since, until


def covered_minutes(
    duties: list[Duty], aways: list[Away], since: datetime, until: datetime
) -> tuple[int, list[tuple[int, int]]]:
    """The second calculation: one walk along the year in whole minutes with counters, knowing no
    intervals. Returns the minutes with somebody, and the stretches with nobody."""

    def minute(instant: datetime) -> int:
        return int((instant - since).total_seconds()) // 60

    steps: list[tuple[int, int, int, bool, int]] = []
    for duty in duties:
        if duty.kind == "primary":
            steps.append((minute(duty.starts_at), 1, duty.user_id, duty.is_override, 0))
            steps.append((minute(duty.ends_at), -1, duty.user_id, duty.is_override, 0))
    for away in aways:
        steps.append((minute(away.starts_at), 1, away.user_id, False, 1))
        steps.append((minute(away.ends_at), -1, away.user_id, False, 1))
    steps.sort()
    plain, over, gone = Counter[int](), Counter[int](), Counter[int]()
    last, covered, bare = 0, 0, []
    end = minute(until)
    for when, step, user, is_override, is_away in [*steps, (end, 0, 0, False, 0)]:
        here = max(0, min(when, end))
        if here > last:
            people = {u for c in (plain, over) for u, n in c.items() if n and not gone[u]}
            if people:
                covered += here - last
            elif bare and bare[-1][1] == last:
                bare[-1] = (bare[-1][0], here)
            else:
                bare.append((last, here))
            last = here
        (gone if is_away else over if is_override else plain)[user] += step
    return covered, bare


@pytest.mark.slow
def test_hundreds_of_generated_years_have_somebody_or_a_named_gap_each_minute() -> None:
    minutes, with_gaps, nobody = 0, 0, 0
    for seed in range(YEARS):
        duties, aways, since, until = generated(seed)
        named = [
            (int((b - since).total_seconds()) // 60, int((e - since).total_seconds()) // 60)
            for b, e in gaps(duties, aways, since, until)
        ]
        covered, bare = covered_minutes(duties, aways, since, until)
        assert named == bare, seed
        total = int((until - since).total_seconds()) // 60
        assert covered + sum(end - begin for begin, end in named) == total
        minutes, with_gaps = minutes + total, with_gaps + bool(named)
        nobody += total - covered
    assert minutes > 500_000 * YEARS
    # the generator makes both kinds, or it would prove little
    assert 0.3 * YEARS < with_gaps < YEARS
    assert nobody > 1_000 * YEARS


# --- gaps that were found before -----------------------------------------------------------------


def span(begin: int, end: int) -> tuple[datetime, datetime]:
    return START + timedelta(minutes=begin), START + timedelta(minutes=end)


def test_a_busy_time_with_one_of_two_is_short_and_with_nobody_a_gap() -> None:
    day = (at("2026-12-25T00:00"), at("2026-12-26T00:00"))
    duties = [
        Duty(1, 1, "primary", at("2026-12-24T20:00"), at("2026-12-25T12:00")),
        Duty(2, 2, "primary", at("2026-12-25T08:00"), at("2026-12-25T20:00")),
        Duty(3, 3, "backup", at("2026-12-25T00:00"), at("2026-12-26T00:00")),
    ]
    short = shortages(duties, [], day, [(day, 2)])
    assert short == [
        (at("2026-12-25T00:00"), at("2026-12-25T08:00")),
        (at("2026-12-25T12:00"), at("2026-12-25T20:00")),
    ]
    assert gaps(duties, [], *day) == [(at("2026-12-25T20:00"), at("2026-12-26T00:00"))]
    assert shortages(duties, [], day, []) == []
    ill = [Away(2, at("2026-12-25T08:00"), at("2026-12-25T10:00"))]
    assert shortages(duties, ill, day, [(day, 2)])[0] == (day[0], at("2026-12-25T10:00"))


def test_a_duty_fee_is_for_the_hours_somebody_really_stood() -> None:
    duties = [
        Duty(1, 1, "primary", at("2026-12-24T20:00"), at("2026-12-25T20:00")),
        Duty(2, 2, "backup", at("2026-12-24T20:00"), at("2026-12-25T20:00")),
    ]
    ill = [Away(1, at("2026-12-25T08:00"), at("2026-12-25T10:00"))]
    within = at("2026-12-25T00:00"), at("2026-12-26T00:00")
    assert hours_on_duty(duties, ill, *within) == {1: 18.0}


def test_a_gap_stays_itself_while_it_moves_and_ends_when_it_is_filled() -> None:
    known = [(1, span(0, 60)), (2, span(200, 260))]
    found = [span(30, 60), span(400, 500)]
    result = compare(known, found)
    assert result.same == [(1, span(30, 60))]
    assert result.new == [span(400, 500)]
    assert result.filled == [2]


def test_a_gap_cut_in_two_is_the_old_one_and_a_new_one() -> None:
    result = compare([(1, span(0, 600))], [span(0, 100), span(200, 600)])
    assert (result.same, result.new) == ([(1, span(0, 100))], [span(200, 600)])
    assert result.filled == []


@given(st.lists(SPANS, max_size=5), st.lists(SPANS, max_size=5))
def test_every_gap_is_counted_once(old: list, found: list) -> None:  # type: ignore[type-arg]
    result = compare(enumerate(old), found)
    assert len(result.same) + len(result.new) == len(found)
    assert sorted([i for i, _ in result.same] + result.filled) == list(range(len(old)))


# --- swaps ---------------------------------------------------------------------------------------

NIGHT = Duty(1, 1, "primary", at("2026-11-02T20:00"), at("2026-11-03T08:00"))
OTHER = Duty(2, 2, "primary", at("2026-11-04T20:00"), at("2026-11-05T08:00"))
BEFORE = at("2026-11-02T09:00")


def test_two_free_people_may_swap() -> None:
    both = [NIGHT, OTHER]
    assert swap_problem(NIGHT, OTHER, 1, 2, both, [], BEFORE) is None
    assert swap_problem(NIGHT, None, 1, 2, both, [], BEFORE) is None


def test_what_stands_in_the_way_of_a_swap_is_said() -> None:
    both = [NIGHT, OTHER]
    busy = [*both, Duty(3, 2, "backup", at("2026-11-03T07:00"), at("2026-11-03T12:00"))]
    away = [Away(1, at("2026-11-05T00:00"), at("2026-11-06T00:00"))]
    assert "own shift" in (swap_problem(NIGHT, None, 1, 1, both, [], BEFORE) or "")
    assert "has begun" in (swap_problem(NIGHT, None, 1, 2, both, [], NIGHT.starts_at) or "")
    assert "changed since" in (swap_problem(NIGHT, None, 3, 2, both, [], BEFORE) or "")
    assert "They cannot" in (swap_problem(NIGHT, None, 1, 2, busy, [], BEFORE) or "")
    assert "You cannot" in (swap_problem(NIGHT, OTHER, 1, 2, both, away, BEFORE) or "")


def test_a_pattern_is_on_from_its_first_day_to_its_last() -> None:
    pattern = Weekly(frozenset({0}), time(9), time(17), date(2026, 11, 2), date(2026, 11, 16))
    days = [date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 16), date(2026, 11, 23)]
    assert [pattern.is_on(day) for day in days] == [False, True, True, False]
    assert not pattern.is_on(date(2026, 11, 3))


def test_busy_times_that_meet_are_one_and_those_outside_are_none() -> None:
    day = (at("2026-12-25T00:00"), at("2026-12-26T00:00"))
    noon = at("2026-12-25T12:00")
    alone = [Duty(1, 1, "primary", *day)]
    halves = [((day[0], noon), 2), ((noon, day[1]), 2)]
    assert shortages(alone, [], day, halves) == [day]
    before = (at("2026-12-24T00:00"), day[0])
    assert shortages(alone, [], day, [(before, 2)]) == []


def test_hours_outside_what_is_asked_are_not_paid() -> None:
    night = Duty(1, 1, "primary", at("2026-12-24T20:00"), at("2026-12-25T08:00"))
    asked = (at("2026-12-25T08:00"), at("2026-12-26T00:00"))
    assert hours_on_duty([night], [], *asked) == {}
