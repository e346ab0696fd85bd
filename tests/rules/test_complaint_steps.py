"""Who may handle a complaint, and what comes next in it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from helpline.rules.complaints import Standing, is_meant, next_step, why_not_handle
from helpline.vocabulary import ComplaintKind

AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
NEW = Standing(ComplaintKind.SERVICE, False, None, None, None, None, None, False, None)
OURS = (
    # what is done, and what is next once it is
    ({}, "name"),
    ({"has_handler": True}, "acknowledge"),
    ({"acknowledged_at": AT}, "answer"),
    ({"answered_at": AT}, "explain"),
    ({"explained_at": AT}, "learn"),
    ({"has_learning": True}, "close"),
    ({"closed_at": AT}, ""),
)
COUNCILS = (
    ({}, "name"),
    ({"has_handler": True}, "acknowledge"),
    ({"acknowledged_at": AT}, "forward"),
    ({"forwarded_at": AT}, "close"),
    ({"closed_at": AT}, ""),
)


@pytest.mark.parametrize(
    ("kind", "steps"), [(ComplaintKind.SERVICE, OURS), (ComplaintKind.COUNCIL, COUNCILS)]
)
def test_one_step_after_the_other(kind: ComplaintKind, steps: tuple) -> None:
    standing = replace(NEW, kind=kind)
    for done, following in steps:
        standing = replace(standing, **done)
        assert next_step(standing) == following


def test_a_safeguarding_matter_goes_first_until_it_is_closed() -> None:
    waiting = replace(NEW, safeguarding_at=AT)
    assert next_step(waiting) == "safeguarding"
    assert next_step(replace(waiting, closed_at=AT)) == ""


def test_nobody_handles_what_they_have_a_part_in() -> None:
    why = {
        "about": "it is about them",
        "themself": "they made it",
        "involved": "they have worked with this person",
        "shut_out": "they must not know of it",
        "earlier": "they answered the stage before",
    }
    nobody: dict[str, list[int]] = {"about": [], "involved": []}
    for part, sentence in why.items():
        assert why_not_handle(3, **nobody | {part: [2, 3]}) == sentence
        assert why_not_handle(4, **nobody | {part: [2, 3]}) == ""
    # the gravest reason is the one that is said
    assert why_not_handle(3, **{part: [3] for part in why}) == "it is about them"


@pytest.mark.parametrize(
    ("text", "means_one"),
    [
        ("COMPLAIN", True),
        ("complaint about my worker", True),
        ("  Complaints", True),
        ("complaining again, am I", False),
        ("I want to complain", False),
    ],
)
def test_the_word_that_makes_it_one(text: str, means_one: bool) -> None:
    assert is_meant(text) is means_one
