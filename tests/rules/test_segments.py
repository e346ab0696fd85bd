"""Counting text messages by the phone network's two alphabets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.segments import Parts, parts_of


@pytest.mark.parametrize(
    ("text", "count", "left"),
    [
        ("", 1, 160),
        ("a" * 160, 1, 0),
        ("a" * 161, 2, 145),
        ("a" * 306, 2, 0),
        ("a" * 307, 3, 152),
        ("£" * 160, 1, 0),
        ("€" * 80, 1, 0),  # second page: two places each
        ("€" * 81, 2, 143),  # 76 whole ones in the first of 153
    ],
)
def test_the_networks_own_alphabet(text: str, count: int, left: int) -> None:
    assert parts_of(text) == Parts(count, left, None)


@pytest.mark.parametrize(
    ("text", "count", "left", "strange"),
    [
        ("ł", 1, 69, "ł"),
        ("a" * 69 + "ł", 1, 0, "ł"),
        ("a" * 70 + "ł", 2, 63, "ł"),
        ("😟" * 35, 1, 0, "😟"),
        ("😟" * 36, 2, 61, "😟"),  # 33 whole ones in the first of 67
        ("it’s", 1, 66, "’"),  # a typographic apostrophe costs more than half of the room
    ],
)
def test_any_other_letter(text: str, count: int, left: int, strange: str) -> None:
    assert parts_of(text) == Parts(count, left, strange)


@given(st.text(max_size=400))
def test_a_longer_text_never_takes_fewer(text: str) -> None:
    assert parts_of(text + "a").count >= parts_of(text).count
    assert 0 <= parts_of(text).left <= 160
