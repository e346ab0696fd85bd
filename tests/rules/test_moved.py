"""When a figure of a report moved so much that somebody must say why."""

import pytest

from helpline.rules.moved import moved


@pytest.mark.parametrize(
    ("before", "now", "limit", "change"),
    [
        (100, 120, 20, None),  # just as much as is allowed
        (100, 121, 20, 21.0),
        (100, 79, 20, -21.0),
        (0, 3, 20, 100.0),
        (3, 0, 20, -100.0),
        (0, 0, 20, None),
        (None, 3, 20, None),  # nobody measured it before
        (3, None, 20, None),
        (10, 10.1, 0, 1.0),
    ],
)
def test_a_move_is_said_from_its_limit_on(
    before: float | None, now: float | None, limit: float, change: float | None
) -> None:
    assert moved(before, now, limit) == change
