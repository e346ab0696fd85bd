"""The council's list is late once its day of the month is over."""

from datetime import date

import pytest

from helpline.rules.monthly import missed

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("newest", "today", "wanted"),
    [
        (date(2026, 10, 3), date(2026, 11, 10), None),  # until the end of the tenth there is time
        (date(2026, 10, 3), date(2026, 11, 11), NOVEMBER),
        (date(2026, 11, 1), date(2026, 11, 11), None),
        (date(2026, 9, 30), date(2026, 11, 5), OCTOBER),  # last month's never came
        (date(2026, 8, 30), date(2026, 11, 30), NOVEMBER),  # said once for what is missing newest
        (date(2026, 11, 30), date(2027, 1, 2), date(2026, 12, 1)),
        (None, date(2026, 11, 30), None),
    ],
)
def test_a_list_is_missed_after_its_day(
    newest: date | None, today: date, wanted: date | None
) -> None:
    assert missed(10, newest, today) == wanted
