"""A carer's own page: what may leave, how much is shown to whom, and words that somebody of eleven
can read."""

import re
import tomllib
from datetime import UTC, datetime, time, timedelta

import pytest

from helpline.rules import languages
from helpline.rules.dialogue import Facts, hear
from helpline.rules.own_page import (
    Shows,
    Standing,
    WhoFacts,
    is_only_stricter,
    is_shut_by,
    shows,
    stands,
    why_not,
)
from helpline.rules.pathway import gives_away
from helpline.rules.safety import SafeRules
from helpline.settings import TEMPLATES
from helpline.vocabulary import OPT_OUT_WORDS, Step

NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
ZONE = "Europe/London"
GAP = re.compile(r"\{\{ (\w+)")


def words_of(code: str) -> dict[str, str]:
    return tomllib.loads((TEMPLATES / "messages" / code / "page.toml").read_text("utf-8"))


ENGLISH = words_of("en")


@pytest.mark.parametrize(
    "said", ["PAGE", "page", "My page", "mypage.", "Page please", "Send me my page"]
)
def test_the_word_for_the_page_asks_for_it_and_changes_nothing_else(said: str) -> None:
    for step in (Step.REASON, Step.DANGER, Step.DONE):
        turn = hear(said, Facts(step=step, is_known=True))
        assert turn.wants_page
        assert turn.step is step
        assert turn.say == ()
    closed = hear(said, Facts(step=Step.DONE, is_known=True, is_closed=True))
    assert closed.wants_page
    assert not closed.opens_again
    assert not hear(said, Facts(step=Step.NEW, is_known=True)).wants_page
    assert not hear("which page of the form is it", Facts(step=Step.DONE, is_known=True)).wants_page


@pytest.mark.parametrize(
    ("rules", "channel", "opted_out", "why"),
    [
        (SafeRules(), "sms", False, ""),
        (SafeRules(), "sms", True, "opted_out"),
        (SafeRules(), "voice", False, "no_links"),
        (SafeRules(), "webform", False, "no_links"),
        (SafeRules(not_by=("sms",)), "sms", False, "not_by_this_channel"),
        (SafeRules(not_by=("sms",)), "email", False, ""),
        (SafeRules(neutral_only=True), "email", False, "neutral_only"),
        (SafeRules(begins=time(9), ends=time(15)), "sms", False, "hours"),
        (SafeRules(begins=time(1), ends=time(5)), "sms", False, ""),
    ],
)
def test_a_link_leaves_only_where_real_words_may_leave_now(
    rules: SafeRules, channel: str, opted_out: bool, why: str
) -> None:
    assert why_not(rules, channel, True, opted_out, NOW, ZONE) == why
    assert why_not(SafeRules(), "sms", False, False, NOW, ZONE) == "landline"


def test_a_page_that_is_open_shuts_when_its_way_is_found_unsafe() -> None:
    assert is_shut_by(SafeRules(not_by=("sms",)), "sms")
    assert is_shut_by(SafeRules(neutral_only=True), "sms")
    assert not is_shut_by(SafeRules(not_by=("voice",), begins=time(9), ends=time(15)), "sms")


@pytest.mark.parametrize("doubt", ["is_listed", "is_known", "is_shared", "is_joined"])
def test_one_doubt_is_enough_to_show_little(doubt: str) -> None:
    certain = {"is_listed": True, "is_known": True, "is_shared": False, "is_joined": False}
    assert shows(WhoFacts(**certain)) is Shows.ALL
    assert shows(WhoFacts(**certain | {doubt: not certain[doubt]})) is Shows.LITTLE


def test_where_things_stand_is_said_in_two_sentences() -> None:
    soon, gone = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    told = {
        Standing(False, soon, False, soon): ("stands_waiting", "stands_worker_by"),
        Standing(False, gone, False, gone): ("stands_late", "stands_no_worker"),
        Standing(False, None, True, None): ("stands_answered", "stands_worker"),
        Standing(False, None, False, None): ("stands_answered",),
        Standing(True, gone, True, None): ("stands_closed", "stands_come_back"),
    }
    for facts, keys in told.items():
        assert stands(facts, NOW) == keys


def test_only_what_forbids_more_holds_at_once() -> None:
    held = SafeRules(begins=time(9), ends=time(17), not_by=("voice",), code_name="Aunt May")
    more = SafeRules(time(10), time(16), "Aunt May", True, True, ("sms", "voice"))
    assert is_only_stricter(more, held)
    assert is_only_stricter(held, held)
    assert is_only_stricter(held, SafeRules())
    assert is_only_stricter(SafeRules(), SafeRules())
    for looser in (
        SafeRules(),
        SafeRules(time(8), time(17), "Aunt May", not_by=("voice",)),
        SafeRules(time(9), time(17), "Aunt May"),
        SafeRules(time(9), time(17), not_by=("voice",)),
        SafeRules(None, None, "Aunt May", not_by=("voice",)),
        SafeRules(time(9), time(17), "Aunt May", not_by=("voice",), also_by=("email",)),
    ):
        assert not is_only_stricter(looser, held)


# --- the words -----------------------------------------------------------------------------------


def test_the_message_with_the_link_says_nothing_that_gives_anything_away() -> None:
    for key in ("link", "several"):
        assert gives_away(ENGLISH[key]) is None
        said = set(re.findall(r"\w+", ENGLISH[key].upper()))
        assert not said & {*OPT_OUT_WORDS, "HELP", "INFO", "HELPLINE", "CARER", "CASE", "WORKER"}
        assert len(ENGLISH[key]) < 160


def test_the_fixed_words_can_be_read_at_eleven() -> None:
    """Flesch and Kincaid's school grade: 5 to 6 is eleven years. And no long sentence anywhere."""
    text = " ".join(GAP.sub("Anna", value) for value in ENGLISH.values() if len(value.split()) > 3)
    sentences = [one for one in re.split(r"[.:!?]+\s", re.sub(r"[{}]", "", text)) if one.strip()]
    words = [word for one in sentences for word in re.findall(r"[A-Za-z'’]+", one)]
    grade = 0.39 * len(words) / len(sentences) + 11.8 * syllables(words) / len(words) - 15.59
    assert grade < 5, grade
    long_ones = [value for value in ENGLISH.values() if longest(value) > 20]
    assert not long_ones


def longest(value: str) -> int:
    return max(len(one.split()) for one in re.split(r"[.:!?]+\s", value))


def syllables(words: list[str]) -> int:
    return sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", w.lower())))) for w in words)


def test_a_count_that_sees_hard_words_as_easy_would_prove_nothing() -> None:
    hard = (
        "Notwithstanding the aforementioned, safeguarding considerations necessitate verification"
    )
    words = hard.split()
    assert 0.39 * len(words) + 11.8 * syllables(words) / len(words) - 15.59 > 12


@pytest.mark.parametrize("code", sorted(languages.NAMES))
def test_each_language_has_every_word_with_the_same_gaps(code: str) -> None:
    ours = words_of(code)
    assert ours.keys() == ENGLISH.keys()
    for key, value in ours.items():
        assert set(GAP.findall(value)) == set(GAP.findall(ENGLISH[key])), key
        assert value.strip(), key
    assert "999" in ours["danger"]
    assert "PAGE" in ours["gone"]
    assert ours["unchecked"]
