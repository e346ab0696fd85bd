"""The automatic side of a conversation: every path as a row, then what must hold on all of them,
and the wording itself held against the network's words and the length of a text message."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpline.contract import load_contracts
from helpline.desk import eligibility, privacy, signposts
from helpline.rules import dialogue
from helpline.rules.dialogue import Facts, Turn
from helpline.settings import Settings
from helpline.templating import Wording
from helpline.vocabulary import NETWORK_HELP_WORDS, OPT_IN_WORDS, OPT_OUT_WORDS, Step

REASONS = {"1": "allegation", "anallegationorconcern": "allegation", "2": "legal", "legal": "legal"}
NEW = Facts(step=Step.NEW, is_known=True, reasons=REASONS)
STRANGER = replace(NEW, is_known=False)
WHO = replace(STRANGER, step=Step.WHO, quiet_hours=0.1)
REASON = replace(NEW, step=Step.REASON, quiet_hours=0.1)
DANGER = replace(NEW, step=Step.DANGER, quiet_hours=0.1)
DONE = replace(NEW, step=Step.DONE, quiet_hours=0.1)
QUIET = replace(DONE, questions_off=True)
CLOSED = replace(DONE, is_closed=True)
LONG_STORY = "it started on Monday when the school rang and nobody would tell me anything at all"
PATHS = {
    # the first message
    "known": ("hello", NEW, Turn(("first_answer", "ask_reason"), Step.REASON)),
    "told what is kept, before the question": (
        "hello",
        replace(NEW, privacy_due=True),
        Turn(("first_answer", "privacy", "ask_reason"), Step.REASON),
    ),
    "not while somebody may be in danger": (
        "he has a knife",
        replace(NEW, privacy_due=True, approved_elsewhere=True, alarming=True),
        Turn(("first_answer", "ask_danger"), Step.DANGER_FIRST),
    ),
    "nor while that is asked": (
        "hello",
        replace(NEW, privacy_due=True, ask_safety=True),
        Turn(("first_answer", "ask_danger"), Step.DANGER_FIRST),
    ),
    "approved by others": (
        "I foster for Southend",
        replace(STRANGER, approved_elsewhere=True),
        Turn(("first_answer", "approved_elsewhere", "ask_who"), Step.WHO),
    ),
    "approved by others, when asked who": (
        "I foster for Southend",
        replace(STRANGER, step=Step.WHO, approved_elsewhere=True),
        Turn(("approved_elsewhere", "ask_reason"), Step.REASON),
    ),
    "asks what is kept": (
        "What do you keep about me?",
        replace(NEW, step=Step.DONE, asks_what_is_kept=True, privacy_due=True),
        Turn(("what_is_kept",), Step.DONE),
    ),
    "danger silences it": (
        "YES",
        replace(NEW, step=Step.DANGER, approved_elsewhere=True, privacy_due=True),
        Turn(("danger_yes",), Step.DONE, danger=True, answers=True),
    ),
    "stranger": ("hello", STRANGER, Turn(("first_answer", "ask_who"), Step.WHO)),
    "alarming": (
        "he hit me",
        replace(STRANGER, alarming=True),
        Turn(("first_answer", "ask_danger"), Step.DANGER_FIRST),
    ),
    "worrying": (
        "he is very low",
        replace(NEW, ask_safety=True),
        Turn(("first_answer", "ask_danger"), Step.DANGER_FIRST),
    ),
    "call first": (
        "call",
        STRANGER,
        Turn(("first_answer", "call_noted", "ask_who"), Step.WHO, wants_call=True),
    ),
    "person first": (
        "PERSON",
        STRANGER,
        Turn(("first_answer", "person_noted"), Step.DONE, questions_off=True),
    ),
    # who are you
    "found": (
        "FC1001",
        replace(WHO, found=True),
        Turn(("who_noted", "ask_reason"), Step.REASON, answers=True),
    ),
    "not found": ("Robin Vale", WHO, Turn(("who_noted", "ask_reason"), Step.REASON)),
    "a number": ("FC9999", WHO, Turn(("who_noted", "ask_reason"), Step.REASON, answers=True)),
    "no name": ("no", WHO, Turn(("noted", "ask_reason"), Step.REASON)),
    "a digit is no name": ("1", WHO, Turn(("noted", "ask_reason"), Step.REASON)),
    "takes it back": ("i want to stop. forget it, sorry", WHO, Turn(("left_it",), Step.DONE)),
    "does not understand": (
        "i dont know what that means",
        WHO,
        Turn(("puzzled",), Step.DONE),
    ),
    "asks back": ("do I get a choice?", WHO, Turn(("held", "ask_reason"), Step.REASON)),
    "a story": (LONG_STORY, WHO, Turn(("noted", "ask_reason"), Step.REASON)),
    "found last": (
        "FC1001",
        replace(WHO, found=True, step=Step.WHO_LAST),
        Turn(("who_noted",), Step.DONE, answers=True),
    ),
    "not found last": (
        "Robin Vale",
        replace(WHO, step=Step.WHO_LAST),
        Turn(("who_noted",), Step.DONE),
    ),
    # what is it about
    "by number": (
        "2",
        REASON,
        Turn(("reason_noted", "ask_danger"), Step.DANGER, reason="legal", answers=True),
    ),
    "by number and dot": (
        " 1. ",
        REASON,
        Turn(("reason_noted", "ask_danger"), Step.DANGER, reason="allegation", answers=True),
    ),
    "by the menu's words": (
        "An allegation or concern",
        REASON,
        Turn(("reason_noted", "ask_danger"), Step.DANGER, reason="allegation", answers=True),
    ),
    "own words": ("my fees", REASON, Turn(("noted", "ask_danger"), Step.DANGER)),
    "no such number": ("99", REASON, Turn(("noted", "ask_danger"), Step.DANGER)),
    # is anyone in danger
    "yes": ("Yes!", DANGER, Turn(("danger_yes",), Step.DONE, danger=True, answers=True)),
    "yes at first": (
        "y",
        replace(DANGER, step=Step.DANGER_FIRST),
        Turn(("danger_yes",), Step.DONE, danger=True, answers=True),
    ),
    "no": ("no.", DANGER, Turn(("danger_no",), Step.DONE, danger=False, answers=True)),
    "no, from a stranger who was asked who": (
        "no",
        replace(DANGER, is_known=False),
        Turn(("danger_no",), Step.DONE, danger=False, answers=True),
    ),
    "no at first": (
        "no",
        replace(DANGER, step=Step.DANGER_FIRST),
        Turn(("danger_no",), Step.DONE, danger=False, answers=True),
    ),
    "no at first, from a stranger": (
        "nope",
        replace(DANGER, step=Step.DANGER_FIRST, is_known=False),
        Turn(("danger_no", "ask_who"), Step.WHO_LAST, danger=False, answers=True),
    ),
    "something else": (LONG_STORY, DANGER, Turn(("danger_again",), Step.DANGER_AGAIN)),
    "something else at first": (
        LONG_STORY,
        replace(DANGER, step=Step.DANGER_FIRST),
        Turn(("danger_again",), Step.DANGER_AGAIN),
    ),
    "something else again": (
        LONG_STORY,
        replace(DANGER, step=Step.DANGER_AGAIN),
        Turn((), Step.DANGER_AGAIN),
    ),
    "yes at last": (
        "yes he is here",
        replace(DANGER, step=Step.DANGER_AGAIN),
        Turn(("danger_yes",), Step.DONE, danger=True, answers=True),
    ),
    "yes in Polish": ("Tak!", DANGER, Turn(("danger_yes",), Step.DONE, danger=True, answers=True)),
    "yes in Arabic": ("نعم", DANGER, Turn(("danger_yes",), Step.DONE, danger=True, answers=True)),
    "no in Polish": ("nie", DANGER, Turn(("danger_no",), Step.DONE, danger=False, answers=True)),
    "no in words": (
        "no all fine",
        DANGER,
        Turn(("danger_no",), Step.DONE, danger=False, answers=True),
    ),
    "no, and then": ("no but he will", DANGER, Turn(("danger_again",), Step.DANGER_AGAIN)),
    "a name, and a word of one letter": (
        "Maya",
        DANGER,
        Turn(("danger_again",), Step.DANGER_AGAIN),
    ),
    "asks why": ("y do u need to know", DANGER, Turn(("danger_again",), Step.DANGER_AGAIN)),
    "says who is well": ("Si is fine", DANGER, Turn(("danger_again",), Step.DANGER_AGAIN)),
    "no, but alarming": (
        "no",
        replace(DANGER, alarming=True),
        Turn(("danger_signposts", "danger_again"), Step.DANGER_AGAIN),
    ),
    "a word of no language": (
        "jawohl",
        replace(DANGER, is_unreadable=True),
        Turn(("danger_again",), Step.DANGER_AGAIN, wakes=True),
    ),
    "a call instead": (
        "ring me please",
        DANGER,
        Turn(("call_noted",), Step.DANGER, wants_call=True, answers=True),
    ),
    "a question instead": (
        "should I sign it?",
        DANGER,
        Turn(("held", "danger_again"), Step.DANGER_AGAIN),
    ),
    "something else, next day": (
        LONG_STORY,
        replace(DANGER, quiet_hours=12),
        Turn(("arrived_again", "danger_again"), Step.DANGER_AGAIN),
    ),
    # afterwards
    "goes on writing": (LONG_STORY, DONE, Turn((), Step.DONE)),
    "next day": ("hello", replace(DONE, quiet_hours=13), Turn(("arrived_again",), Step.DONE)),
    "worrying later": (
        "I feel worse",
        replace(DONE, ask_safety=True),
        Turn(("ask_danger",), Step.DANGER),
    ),
    "alarming later": (
        "he is here",
        replace(DONE, alarming=True),
        Turn(("danger_signposts",), Step.DONE),
    ),
    "asks something": ("should I sign the statement", DONE, Turn(("held",), Step.DONE)),
    "asks whom to ring": ("what number do i ring", REASON, Turn(("number",), Step.REASON)),
    "asks how long": ("how long do i wait", DONE, Turn(("status",), Step.DONE, answers=True)),
    "asks how to complain": ("where do i complain", DONE, Turn(("how_to_complain",), Step.DONE)),
    "not to be rung": (
        "actually dont ring me",
        DONE,
        Turn(("no_call_noted",), Step.DONE, no_call=True, answers=True),
    ),
    "not here": (
        "pls dont text me here, my husband reads my phone",
        NEW,
        Turn((), Step.DONE, not_here=True),
    ),
    "the police are there": (
        "police are here",
        replace(DONE, waking=True),
        Turn(("duty_told",), Step.DONE),
    ),
    # three words at any time
    "status": ("status", REASON, Turn(("status",), Step.REASON, answers=True)),
    "call": ("Call.", WHO, Turn(("call_noted",), Step.WHO, wants_call=True, answers=True)),
    "person": (
        "Person",
        REASON,
        Turn(("person_noted",), Step.DONE, questions_off=True, answers=True),
    ),
    "status after person": ("STATUS", QUIET, Turn(("status",), Step.DONE, answers=True)),
    "after person": ("hello", QUIET, Turn((), Step.DONE)),
    "after person, next day": (
        "hello",
        replace(QUIET, quiet_hours=40),
        Turn(("arrived_again",), Step.DONE),
    ),
    "after person, alarming": (
        "he is here",
        replace(QUIET, alarming=True, ask_safety=True),
        Turn(("danger_signposts",), Step.DONE),
    ),
    # a closed case
    "comes back": ("hello again", CLOSED, Turn(("reopened",), Step.DONE)),
    "comes back for a call": ("CALL", CLOSED, Turn(("reopened",), Step.DONE, wants_call=True)),
    "comes back for a person": (
        "PERSON",
        CLOSED,
        Turn(("reopened",), Step.DONE, questions_off=True),
    ),
    "comes back alarmed": (
        "he is here",
        replace(CLOSED, alarming=True),
        Turn(("danger_signposts", "reopened"), Step.DONE),
    ),
    "asks where a closed case stands": (
        "STATUS",
        CLOSED,
        Turn(("status",), Step.DONE, opens_again=False),
    ),
    "answers YES after closing": (
        "yes",
        replace(CLOSED, step=Step.DANGER),
        Turn(("reopened", "danger_yes"), Step.DONE, danger=True, answers=True),
    ),
    "a YES to nothing": ("yes", CLOSED, Turn(("reopened",), Step.DONE)),
    # the network's words
    "stop": ("Stop", DANGER, Turn((), Step.DANGER, opted_out=True, opens_again=False)),
    "stop first": ("STOP", NEW, Turn((), Step.NEW, opted_out=True, opens_again=False)),
    "stop after closing": ("END", CLOSED, Turn((), Step.DONE, opted_out=True, opens_again=False)),
    "start": ("START", WHO, Turn(("welcome_back",), Step.WHO, opted_in=True, opens_again=False)),
    "start first": (
        "START",
        NEW,
        Turn(("first_answer", "ask_reason"), Step.REASON, opted_in=True),
    ),
    "stop in a sentence": ("please stop him", DONE, Turn((), Step.DONE)),
}

TYPED = [
    "",
    " ",
    "yes",
    "no",
    "1",
    "99",
    "STATUS",
    "CALL",
    "PERSON",
    "HELP",
    "INFO",
    "hello",
    LONG_STORY,
    "\0\ud800�",
    "9" * 5000,
    *sorted(OPT_OUT_WORDS | OPT_IN_WORDS),
]
anything = st.sampled_from(TYPED) | st.text(max_size=200)
facts = st.builds(
    Facts,
    step=st.sampled_from(Step),
    is_known=st.booleans(),
    found=st.booleans(),
    questions_off=st.booleans(),
    alarming=st.booleans(),
    ask_safety=st.booleans(),
    is_closed=st.booleans(),
    quiet_hours=st.none() | st.floats(min_value=0, max_value=10_000),
    reasons=st.just(REASONS),
).filter(lambda f: not (f.step is Step.NEW and (f.questions_off or f.is_closed)))


@pytest.mark.parametrize("path", PATHS)
def test_every_path(path: str) -> None:
    text, given_facts, turn = PATHS[path]
    assert dialogue.hear(text, given_facts) == turn


# --- on every path -------------------------------------------------------------------------------


@settings(max_examples=2000)
@given(anything, facts)
def test_what_holds_whatever_is_written_and_known(text: str, known: Facts) -> None:
    turn = dialogue.hear(text, known)
    questions = questions_of(turn)
    assert len(questions) <= 1
    assert len(set(turn.say)) == len(turn.say)
    if known.questions_off or turn.questions_off:
        assert not questions
    if turn.opted_out:
        assert turn.say == ()  # the network confirms it; a word of ours would break the law
    if turn.opted_in and known.step is not Step.NEW:
        assert turn.say == ("welcome_back",)
    if known.step is Step.NEW and not turn.opted_out:
        assert "first_answer" in turn.say  # it carries the signposts
    if known.alarming and not (turn.opted_out or turn.opted_in):
        assert {"first_answer", "danger_yes", "danger_signposts"} & set(turn.say)
    assert turn.reason is None or turn.reason in REASONS.values()


@given(anything, facts)
def test_the_question_that_is_asked_is_the_one_that_waits(text: str, known: Facts) -> None:
    turn = dialogue.hear(text, known)
    for question in questions_of(turn):
        assert turn.step.removesuffix("_first").removesuffix("_last") == question[len("ask_") :]


@given(st.lists(anything, max_size=12), st.booleans(), st.booleans())
def test_a_conversation_asks_each_question_at_most_once(
    texts: list[str], is_known: bool, is_alarming: bool
) -> None:
    turns = conversation(texts, is_known, alarming_at_first=is_alarming)
    asked = [question for turn in turns for question in questions_of(turn)]
    assert len(asked) == len(set(asked))


@given(st.lists(anything, max_size=6), st.lists(anything, max_size=12), st.booleans())
def test_one_word_ends_all_questions_for_good(
    before: list[str], after: list[str], is_known: bool
) -> None:
    turns = conversation([*before, "PERSON", *after], is_known, ask_safety=True)
    assert not any(questions_of(turn) for turn in turns[len(before) :])


@pytest.mark.parametrize("word", sorted(OPT_OUT_WORDS))
@pytest.mark.parametrize("step", Step)
def test_every_opt_out_word_is_met_with_silence(word: str, step: Step) -> None:
    for typed in (word, word.lower(), f" {word}. "):
        assert dialogue.hear(typed, Facts(step, is_known=False)).say == ()


@pytest.mark.parametrize("word", sorted(NETWORK_HELP_WORDS))
def test_somebody_whose_first_word_is_help_gets_the_signposts(word: str) -> None:
    turn = dialogue.hear(word, STRANGER)
    assert "first_answer" in turn.say


@pytest.mark.parametrize("word", sorted(OPT_OUT_WORDS | NETWORK_HELP_WORDS | OPT_IN_WORDS))
def test_no_word_of_the_network_is_a_command_or_an_answer(word: str) -> None:
    assert word not in {"STATUS", "CALL", "PERSON"} | dialogue.YES | dialogue.NO


@given(st.text(max_size=2000), facts)
def test_no_text_raises(text: str, known: Facts) -> None:
    dialogue.hear(text, known)


def test_who_complains_is_told_that_it_is_written_down_before_any_question() -> None:
    turn = dialogue.with_complaint(Turn(("first_answer", "ask_who"), Step.WHO))
    assert turn.say == ("first_answer", "complaint_logged", "ask_who")
    for say in ((), ("complaint_noted",), ("danger_yes",), ("first_answer", "ask_danger")):
        assert dialogue.with_complaint(Turn(say, Step.DONE)).say == say


# --- the words themselves ------------------------------------------------------------------------

VALUES = {
    "council": "Essex",
    "reference": "ESX-7K3M9Q",
    "by_when": "6.40 pm tomorrow, Sunday",
    "worker_by": "6.40 pm tomorrow, Sunday",
    "worker": "Wasim Okafor",
    "colour": "PURPLE",
    "spoken": "EMERGENCY",
    "next_reference": "ESX-7K3M9R",
    "next_colour": "PURPLE",
    "link": "https://helpline.example.org/cases/ESX-7K3M9Q",
    "code": "0417",
    "code_name": "Rowan",
    "child": False,
    "closed": False,
    "alarming": True,
    "waking": True,
    "young": False,
    "helpline": "0808 157 0100",
    "helpline_hours": "day or night",
    "ring_us": " To speak to a person now, ring 0808 157 0100, free, day or night.",
    "line": "2026-11-23 120 0f3a",
    "lines": " Samaritans: ring 116 123, free, day or night.",
    "elsewhere_checked": "22 November 2026",
}


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """Every text as a carer of the real contract would read it."""
    contract = load_contracts(Settings().contracts)["essex"]
    menu = [reason.menu for reason in contract.reasons if reason.menu]
    values = VALUES | {
        "signposts": " ".join(s.line for s in contract.signposts if s.first_answer),
        "signposts_but_999": " ".join(s.line for s in contract.signposts if s.code == "eds"),
        "menu": ", ".join(f"{number} {words}" for number, words in enumerate(menu, 1)),
        "has_number": True,
        "us": contract.called.us,
        "ours": contract.called.ours,
        "count": 3,
        **privacy.words(contract),
        **eligibility.words_elsewhere(contract, "southend"),
    }
    wording = Wording()
    return {key: wording.say(key, **values) for key in wording.keys}


def test_everything_that_can_be_said_has_words(said: dict[str, str]) -> None:
    source = Path(dialogue.__file__).read_text("utf-8")
    spoken = {key for _, _, turn in PATHS.values() for key in turn.say}
    assert spoken <= said.keys()
    spoken.add("complaint_logged")
    assert set(re.findall(r'\("(\w+)"[,)]', source)) & said.keys() <= spoken


def test_day_or_night_is_promised_only_where_the_contract_promises_it() -> None:
    essex = load_contracts(Settings().contracts)["essex"]
    assert essex.freephone is not None
    always = signposts.words(essex, "")
    assert "free, day or night." in always["ring_us"]
    in_hours = essex.freephone.model_copy(update={"hours": "9 am to 5 pm on working days"})
    by_day = signposts.words(essex.model_copy(update={"freephone": in_hours}), "")
    assert "free: 9 am to 5 pm on working days." in by_day["ring_us"]
    number = Wording().say("number", **by_day)
    assert "day or night" not in f"{by_day['ring_us']} {number}"
    assert "9 am to 5 pm" in number


def test_no_text_uses_a_word_of_the_network(said: dict[str, str]) -> None:
    words = "|".join(sorted(OPT_OUT_WORDS | NETWORK_HELP_WORDS))
    for key, text in said.items():
        assert not re.search(rf"\b({words})\b", text), key


def test_every_question_is_one_question(said: dict[str, str]) -> None:
    for key, text in said.items():
        assert text.count("?") <= (1 if key.startswith("ask_") else 0), key


def test_the_longest_answer_fits_into_one_message(said: dict[str, str]) -> None:
    """Twilio takes 1,600 characters; letters outside the GSM alphabet would double the price."""
    longest = "\n".join([said["danger_signposts"], said["first_answer"], said["ask_reason"]])
    assert len(longest) <= 1600
    for key, text in said.items():
        assert all(letter in GSM for letter in text), (key, set(text) - set(GSM))


def test_a_first_answer_carries_all_that_it_must(said: dict[str, str]) -> None:
    text = said["first_answer"]
    for needed in ("999", "ESX-7K3M9Q", "6.40 pm tomorrow, Sunday", "automatic"):
        assert needed in text
    assert "You don't need to tell me what happened" in text


# --- what the tests stand on ---------------------------------------------------------------------

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVW"
    "XYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
"""GSM 03.38, the alphabet of a text message that is not charged as two."""


def questions_of(turn: Turn) -> list[str]:
    return [key for key in turn.say if key.startswith("ask_")]


def conversation(
    texts: list[str], is_known: bool, *, alarming_at_first: bool = False, ask_safety: bool = False
) -> list[Turn]:
    """Turns for these messages of one person, carried on as desk/intake does."""
    step, off = Step.NEW, False
    turns: list[Turn] = []
    for text in texts:
        facts = Facts(
            step,
            is_known,
            questions_off=off,
            quiet_hours=0.1 if turns else None,
            reasons=REASONS,
            alarming=alarming_at_first and not turns,
            ask_safety=ask_safety and bool(turns),
        )
        turn = dialogue.hear(text, facts)
        step, off = turn.step, off or turn.questions_off
        turns.append(turn)
    return turns


@pytest.mark.parametrize(
    ("danger", "said"),
    [(True, ("first_answer", "danger_yes")), (False, ("first_answer",)), (None, ("first_answer",))],
)
def test_a_form_has_asked_everything(danger: bool | None, said: tuple[str, ...]) -> None:
    turn = dialogue.hear_form("finance", danger)
    assert (turn.say, turn.step, turn.reason, turn.danger) == (said, Step.DONE, "finance", danger)


def test_a_complaint_is_said_to_be_written_down_before_the_question() -> None:
    def said(*keys: str) -> tuple[str, ...]:
        return dialogue.with_complaint(Turn(keys, Step.DONE)).say

    assert said("noted") == ("noted", "complaint_logged")
    assert said("noted", "ask_who") == ("noted", "complaint_logged", "ask_who")
    assert said("noted", "ask_danger") == ("noted", "ask_danger")  # one thing at a time
    for alone in ((), ("danger_yes",), ("complaint_noted",), ("danger_signposts", "noted")):
        assert said(*alone) == alone


def test_the_networks_words_are_ours_to_read_where_there_is_no_network() -> None:
    stop = dialogue.hear("STOP", replace(NEW, has_network_words=False))
    assert not stop.opted_out and stop.say
    assert dialogue.hear("STOP", replace(NEW, has_network_words=True)).opted_out


def test_whoever_asks_for_something_once_all_is_asked_is_still_asked_about_danger() -> None:
    done = replace(NEW, step=Step.DONE)
    assert "ask_danger" not in dialogue.hear("CALL ME", done).say
    worried = dialogue.hear("CALL ME", replace(done, ask_safety=True))
    assert (worried.say[-1], worried.step) == ("ask_danger", Step.DANGER)
    off = dialogue.hear("CALL ME", replace(done, ask_safety=True, questions_off=True))
    assert "ask_danger" not in off.say
