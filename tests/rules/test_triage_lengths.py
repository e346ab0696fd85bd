"""A letter of many pages: judged by its beginning and end, and no emergency in it goes unread."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.triage import read
from helpline.rules.triage.lengths import (
    LONG,
    SENTENCE,
    WHOLE,
    beginning_and_end,
    sentences,
)

ALLOWANCE = (
    "We went to the meeting about the placement and the social worker said that the panel would "
    "look at the plans for the summer. My husband asked about the allowance and nobody knew when "
    "it would be paid, which has happened before. He is ten years old and likes football. "
)
COURSE = (
    "I am writing about the summer course in Chelmsford. We were told in the spring that the "
    "places would be given out by June, and it is July now. My wife rang twice and left a message. "
    "Could you tell us whom to ask about mileage, and whether the receipts still count? "
    "The garden is looking well and the boys have planted beans. "
)
DANGERS = (
    "He has swallowed a whole box of his tablets.",
    "Please help, she is not breathing.",
    "He has a knife and he is outside the door.",
    "I want to kill myself tonight.",
)
MARKED = "§the very words that matter§"


@pytest.mark.parametrize("danger", DANGERS)
@pytest.mark.parametrize("before", [0, 500, 3_000, 6_000, 11_000, 15_000, 19_500])
def test_danger_is_found_wherever_it_stands_in_twenty_thousand_letters(
    before: int, danger: str
) -> None:
    text = f"{(COURSE * 100)[:before]}. {danger} {(COURSE * 100)[: 19_900 - before]}"
    found = read(text)
    assert (found.urgency, found.ask_safety) == ("emergency", True)
    assert found.why.endswith(".") and "\n" not in found.why


@pytest.mark.parametrize(
    "chat", [ALLOWANCE, COURSE, COURSE + "\n\n", ALLOWANCE.replace(". ", ", ")]
)
@pytest.mark.parametrize("length", [1_000, 5_000, 20_000])
def test_a_long_calm_letter_wakes_nobody(chat: str, length: int) -> None:
    assert read(chat * (length // len(chat))).urgency in ("standard", "low")


def test_what_it_is_about_stands_at_the_beginning_or_the_end() -> None:
    text = "The social worker says there is an allegation against my husband. " + COURSE * 60
    assert read(text).category == "allegation"


def test_a_short_text_is_read_whole() -> None:
    text = COURSE * (WHOLE // len(COURSE))
    assert beginning_and_end(text) == text
    assert list(sentences(text[:LONG])) == []


@given(
    st.lists(
        st.sampled_from(["one two. ", "x" * 90, "\n", "he has gone! ", "word ", "…"]), min_size=1
    ).map(lambda pieces: ("".join(pieces) * 30_000)[:30_000]),
    st.integers(WHOLE + 1, 30_000),
    st.integers(0, 29_000),
)
def test_what_somebody_says_stands_whole_in_a_piece(text: str, length: int, at: int) -> None:
    text, at = text[:length], min(at, length - 60)
    marked = f"{text[:at]} {MARKED} {text[at:]}"
    pieces = list(sentences(marked))
    assert any(MARKED in said for said, _ in pieces)
    assert all(len(said) <= SENTENCE and said in around for said, around in pieces)
    assert sum(len(said) for said, _ in pieces) < 2 * len(marked)


@pytest.mark.parametrize("piece", [COURSE, "he is ", "a1", "! ", "no not no ", "x"])
def test_eight_times_the_length_takes_about_eight_times_the_time(piece: str) -> None:
    """And not sixty-four times, as a pattern that begins anew at every letter would."""

    def taken(length: int) -> float:
        text = (piece * length)[:length]
        begin = time.process_time()
        read(text)
        return time.process_time() - begin

    taken(10_000)
    assert min(taken(80_000) for _ in range(2)) < 24 * min(taken(10_000) for _ in range(3)) + 0.05
