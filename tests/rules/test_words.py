"""What is made alike is found, and what every text has is not kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.words import (
    LONGEST,
    MOST_WORDS,
    beginnings_of,
    bones,
    name_asked,
    places_of,
    stem,
    words_of,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ringing", "rings"),
        ("worried", "worry"),
        ("allegations", "allegation"),
        ("stopped", "stop"),
        ("Café", "cafe"),
        ("carer’s", "carers"),
        ("placing", "placed"),
        ("calls", "calling"),
    ],
)
def test_forms_of_a_word_are_one(one: str, other: str) -> None:
    assert words_of(one) == words_of(other) != set()


@pytest.mark.parametrize(("one", "other"), [("police", "polite"), ("2026", "2027"), ("son", "sun")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert words_of(one) != words_of(other)


def test_common_words_are_not_kept_and_numbers_are() -> None:
    assert words_of("They said that he was at 14 Mill Lane") == {"said", "14", "mill", "lane"}


@given(st.text(max_size=400))
def test_any_text_gives_words_that_fit_and_the_same_again(text: str) -> None:
    found = words_of(text)
    assert len(found) <= MOST_WORDS
    assert all(0 < len(word) <= LONGEST + 1 for word in found)
    assert words_of(text) == found
    assert all(stem(stem(word)) for word in found)


def test_a_name_is_found_by_its_beginning_and_with_a_slip() -> None:
    found = beginnings_of("Carol Ashby-O'Neill")
    assert {"car", "carol", "ash", "ashby", "oneill"} <= found
    assert "ca" not in found
    assert bones("ashbie") in found
    assert bones("karl") not in found
    assert bones("brakley") in beginnings_of("Tunde Brackley")
    assert bones("stefen") in beginnings_of("Stephen")
    assert bones("bristow") not in beginnings_of("Brackley")


def test_a_postcode_is_found_whole_and_by_its_first_half() -> None:
    assert places_of("co2 7qw") == {"CO27QW", "CO2"}
    assert places_of("CM1") == set() or places_of("CM1") == {"CM1"}
    assert places_of("") == set()


def test_a_long_text_gives_so_many_words_and_no_more() -> None:
    text = " ".join(f"word{number}" for number in range(MOST_WORDS + 50))
    assert len(words_of(text)) == MOST_WORDS


def test_the_words_of_a_question_each_once_in_their_order() -> None:
    assert name_asked("Okonjo samir  OKONJO") == ["okonjo", "samir"]
