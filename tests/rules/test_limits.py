"""Nobody is locked out: a first message is always taken, the rest is asked to come again soon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.limits import LONGEST_HOLD, OF_A_DEVICE, OF_AN_ADDRESS, WINDOW, Pace, pace

AGES = st.lists(st.floats(0, 2 * WINDOW), max_size=300)


def test_somebody_who_types_is_never_slowed() -> None:
    assert pace([3.0 * n for n in range(1, OF_A_DEVICE)], []) == Pace()


def test_a_device_that_floods_is_asked_to_come_again_when_there_is_room() -> None:
    ages = [float(n) for n in range(OF_A_DEVICE)]
    assert pace(ages, []) == Pace(again_in=WINDOW - (OF_A_DEVICE - 1))
    assert pace([age + WINDOW for age in ages], []) == Pace()


def test_behind_a_flooding_address_a_first_message_waits_a_little_and_is_taken() -> None:
    flood = [1.0] * (OF_AN_ADDRESS + 3)
    assert pace([], flood) == Pace(hold=1.0)
    assert pace([], flood * 10) == Pace(hold=LONGEST_HOLD)
    assert pace([], [1.0] * (OF_AN_ADDRESS - 1)) == Pace()


def test_behind_a_flooding_address_further_messages_come_again() -> None:
    assert pace([1.0], [1.0] * OF_AN_ADDRESS).again_in == pytest.approx(WINDOW - 1)


@given(AGES, AGES)
def test_first_messages_are_always_taken_and_no_pause_is_long(
    device: list[float], address: list[float]
) -> None:
    found = pace(device, address)
    assert 0 <= found.hold <= LONGEST_HOLD
    assert 0 <= found.again_in <= WINDOW
    if not [age for age in device if age < WINDOW]:
        assert found.again_in == 0
