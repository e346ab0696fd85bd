"""How periods make up longer ones."""

from datetime import date

from helpline.rules.spans import Tiling, tilings

MONTHS = [(date(2026, 8, 1), date(2026, 8, 31)), (date(2026, 9, 1), date(2026, 9, 30))]
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
QUARTER = (date(2026, 8, 1), date(2026, 10, 31))


def test_months_make_up_the_quarter() -> None:
    assert tilings([*MONTHS, OCTOBER, QUARTER]) == (Tiling(QUARTER, (*MONTHS, OCTOBER), ()),)


def test_what_is_not_out_is_what_is_left_over() -> None:
    assert tilings([*MONTHS, QUARTER]) == (Tiling(QUARTER, tuple(MONTHS), (OCTOBER,)),)


def test_a_year_to_date_grows_by_a_month() -> None:
    to_september = (date(2026, 8, 1), date(2026, 9, 30))
    assert tilings([to_september, QUARTER]) == (Tiling(QUARTER, (to_september,), (OCTOBER,)),)


def test_spans_beside_one_another_say_nothing() -> None:
    assert tilings([*MONTHS, OCTOBER]) == ()
