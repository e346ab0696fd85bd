"""A guess at the quadrant from a postcode: how sure it is, and that it pretends no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.postcodes import UNREADABLE, Share, outcode, suggest_quadrant

TABLE = {
    "AB1": (Share("Hill", 90, "north"), Share("Dale", 10, "mid")),
    "AB2": (Share("Hill", 40, "north"), Share("Dale", 35, "mid"), Share("Vale", 25, "mid")),
    "AB3": (Share("Port", 66, excluded="port"), Share("Hill", 34, "north")),
    "AB4": (Share("Elsewhere", 9), Share("Hill", 1, "north")),
    "AB11": (Share("Vale", 5, "mid"),),
}


@pytest.mark.parametrize(
    ("written", "district"),
    [
        *(("CO1 1AA", "CO1"), ("co11aa", "CO1"), ("CO11 1AA", "CO11"), ("CO111AA", "CO11")),
        *(
            (" CO1  1aa ", "CO1"),
            ("CO1", "CO1"),
            ("CO11", "CO11"),
            ("CM4 9", "CM4"),
            ("E4 7AA", "E4"),
        ),
        *(("", None), ("Colchester", None), ("12345", None), ("CO1 1A", None), ("C0111AAA", None)),
    ],
)
def test_a_postcode_is_read_however_it_is_written(written: str, district: str | None) -> None:
    assert outcode(written) == district


def test_a_district_of_one_quadrant_is_near_certain() -> None:
    found = suggest_quadrant("AB1 2CD", TABLE)
    assert (found.quadrant, found.district, found.confidence) == ("north", "Hill", 0.9)


def test_areas_of_one_quadrant_are_counted_together() -> None:
    found = suggest_quadrant("AB2 2CD", TABLE)
    assert (found.quadrant, found.district, found.confidence) == ("mid", "Dale", 0.6)


def test_an_excluded_area_is_said_and_no_quadrant_made_up() -> None:
    found = suggest_quadrant("AB3 2CD", TABLE)
    assert (found.quadrant, found.excluded, found.outside) == (None, "port", False)
    assert found.confidence == 0.66


def test_outside_is_outside() -> None:
    assert suggest_quadrant("AB4 2CD", TABLE).outside
    unlisted = suggest_quadrant("ZE1 0AA", TABLE)
    assert (unlisted.outside, unlisted.quadrant, unlisted.confidence) == (True, None, 1.0)


def test_a_longer_district_is_not_taken_for_a_shorter() -> None:
    assert suggest_quadrant("AB111AA", TABLE).quadrant == "mid"
    assert suggest_quadrant("AB11AA", TABLE).quadrant == "north"


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    found = suggest_quadrant(text, TABLE)
    assert 0 <= found.confidence <= 1
    assert (found == UNREADABLE) == (outcode(text) is None)
