"""The lot by which a month's cases are drawn: the same for everybody, and nobody's choice."""

from helpline.rules.samples import EACH, drawn


def test_the_same_few_are_drawn_however_often_and_in_whatever_order() -> None:
    cases = range(1, 40)
    found = drawn("2026-10", 7, cases)
    assert len(found) == EACH
    assert drawn("2026-10", 7, reversed(cases)) == found
    assert drawn("2026-10", 7, [3]) == [3]
    assert drawn("2026-10", 7, []) == []


def test_no_case_has_a_better_chance_than_another() -> None:
    """Over many months each of ten cases is drawn about as often."""
    times = dict.fromkeys(range(10), 0)
    for month in range(500):
        for case in drawn(f"{month}", 7, times):
            times[case] += 1
    assert all(60 < number < 140 for number in times.values()), times
