"""What people write about who approved them, and what only sounds like it; and whether they ask
what is kept about them."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import helpline.rules
from helpline.rules import elsewhere
from helpline.rules.elsewhere import approved_elsewhere
from helpline.rules.kept import asks_what_is_kept

NAMED = {
    "southend": ("Southend", "Southend-on-Sea", "Southend council"),
    "thurrock": ("Thurrock", "Thurrock council"),
    "not_in_house": ("IFA", "agency", "fostering agency", "independent fostering agency"),
}
OWN = ("Essex", "Essex County Council")

SAID = {
    "I foster for Southend": "southend",
    "I foster for Southend and they say I hit him": "southend",
    "Hi, we foster with Thurrock council": "thurrock",
    "i'm fostering for southend on sea": "southend",
    "I\u2019m a foster carer with Thurrock": "thurrock",
    "I am an approved foster carer for Southend.": "southend",
    "We are Thurrock foster carers": "thurrock",
    "I'm a Southend carer, can you help?": "southend",
    "my council is Thurrock": "thurrock",
    "My local authority is Southend-on-Sea": "southend",
    "Thurrock is my council": "thurrock",
    "I was approved by Southend in 2019": "southend",
    "Approved by Thurrock, 2 placements": "thurrock",
    "Fostering for Southend 5 years": "southend",
    "I live in Essex but foster for Thurrock": "thurrock",
    "I live in Basildon. I foster children for Thurrock": "thurrock",
    "My sister told me to ring. I foster for Southend": "southend",
    "we have been fostering for thurrock since may": "thurrock",
    "I'm with Southend": "southend",
    "I foster with an agency": "not_in_house",
    "We foster through an independent fostering agency": "not_in_house",
    "im a foster carer with an IFA": "not_in_house",
    "I also foster for Southend": "southend",
    "NOT GOOD. I FOSTER FOR SOUTHEND": "southend",
}
NOT_SAID = (
    "I live in Southend but foster for Essex",
    "I foster for Essex and live in Thurrock",
    "I live in Thurrock",
    "I foster in Southend",
    "We are foster carers for Essex, and the child is from Southend",
    "the boy was placed by Thurrock",
    "his social worker is with Southend council",
    "My sister fosters for Thurrock",
    "my sister is approved by Thurrock",
    "my mum and dad foster for Southend",
    "they live in Basildon and foster for Thurrock",
    "I used to foster for Southend",
    "I no longer foster for Southend",
    "I don't foster for Southend",
    "I have never fostered for Thurrock",
    "can I foster for Southend instead?",
    "should we foster with an agency",
    "if I foster for Thurrock what do they pay",
    "I want to foster for Southend",
    "The meeting is in Southend, at the hospital",
    "Southend police rang me",
    "I foster for both Essex and Thurrock",
    "Essex is my council, I foster a lad who lived in Southend",
    "My council is Essex. My friend is a carer for Southend",
    "The estate agency is awful",
    "The agency social worker came",
    "hello",
    "",
)


@pytest.mark.parametrize("text", SAID)
def test_who_approved_them_is_heard(text: str) -> None:
    assert approved_elsewhere(text, NAMED, OWN) == SAID[text]


@pytest.mark.parametrize("text", NOT_SAID)
def test_what_only_sounds_like_it_is_not(text: str) -> None:
    assert approved_elsewhere(text, NAMED, OWN) is None


@pytest.mark.timeout(20)  # a pattern that reads a word in two ways never ends
def test_nobody_holds_us_up_by_saying_one_word_again_and_again() -> None:
    assert approved_elsewhere("fostering " * 200, NAMED, OWN) is None
    for pattern in patterns():
        for word in set(re.findall(r"[a-z]{2,}", pattern.pattern)):
            for before in ("", "i ", "my "):
                pattern.search(f"{before}{f'{word} ' * 40}!")


def patterns() -> Iterator[re.Pattern[str]]:
    """Every pattern that a module of the rules holds."""
    yield from elsewhere._patterns(OWN)
    path, prefix = helpline.rules.__path__, "helpline.rules."
    for found in pkgutil.walk_packages(path, prefix):
        for held in vars(importlib.import_module(found.name)).values():
            many = held.values() if isinstance(held, dict) else [held]
            for one in many if isinstance(held, dict | re.Pattern) else _flat(held):
                if isinstance(one, re.Pattern):
                    yield one


def _flat(held: object) -> Iterator[object]:
    """What stands in a tuple, and in the tuples of one."""
    for one in held if isinstance(held, tuple) else ():
        yield from one if isinstance(one, tuple) else (one,)


@pytest.mark.parametrize(
    "text",
    [
        "What do you keep about me?",
        "what information do you hold on me",
        "what data have you got about us",
        "how long do you keep my messages",
        "Do you record what I say?",
        "are you recording this call",
        "Is this being recorded?",
        "what happens to my data",
        "what do you do with what I tell you",
        "where is your privacy notice",
        "what details do u have",
        "I want to make a subject access request",
    ],
)
def test_a_question_about_what_is_kept_is_heard(text: str) -> None:
    assert asks_what_is_kept(text)


@pytest.mark.parametrize(
    "text",
    [
        "What records do I have to keep about him?",
        "do I need to keep a record of his medicine",
        "the school keeps information about me",
        "how long will this take",
        "can you keep me updated",
        "they keep saying I hit him",
        "Do you keep in touch with the council",
        "what do you know about allowances",
        "I keep a diary of what he says to me",
    ],
)
def test_keeping_something_else_is_not(text: str) -> None:
    assert not asks_what_is_kept(text)
