"""Whether a figure is as good as was agreed."""

import pytest

from helpline.contract.measuring import Target
from helpline.rules.targets import expected, state

GRADES = ("Inadequate", "Requires improvement", "Good", "Outstanding")


@pytest.mark.parametrize(
    ("target", "value", "percent", "words", "said"),
    [
        (None, 3, None, None, ""),
        (Target(words="TBC"), 3, 99.0, None, ""),
        (Target(at_least=95.0), 19, 95.0, None, "good"),
        (Target(at_least=95.0), 19, 94.9, None, "bad"),
        (Target(at_least=95.0, amber=90.0), 18, 90.0, None, "near"),
        (Target(at_least=95.0, amber=90.0), 17, 89.9, None, "bad"),
        (Target(at_least=3.0), 3, None, None, "good"),
        (Target(at_least=3.0), None, None, None, ""),
        (Target(at_most=5.0), 5, None, None, "good"),
        (Target(at_most=5.0, amber=8.0), 8, None, None, "near"),
        (Target(at_most=5.0, amber=8.0), 9, None, None, "bad"),
        (Target(scale=GRADES, grade="Good"), None, None, "good ", "good"),
        (Target(scale=GRADES, grade="Good"), None, None, "Outstanding", "good"),
        (Target(scale=GRADES, grade="Good"), None, None, "Requires improvement", "bad"),
        (Target(scale=GRADES, grade="Good"), None, None, "not inspected", ""),
        (Target(scale=GRADES, grade="Good"), 4, None, None, ""),
    ],
)
def test_a_figure_against_what_was_agreed(
    target: Target | None,
    value: float | None,
    percent: float | None,
    words: str | None,
    said: str,
) -> None:
    assert state(target, value, percent, words) == said


def test_what_was_agreed_in_words() -> None:
    assert expected(None, "number") == ""
    assert expected(Target(at_least=95.0), "percent") == "at least 95%"
    assert expected(Target(at_most=60.0), "minutes") == "at most 60 minutes"
    assert expected(Target(scale=GRADES, grade="Good"), "grade") == "Good or better"
    assert expected(Target(words="to be agreed"), "percent") == "to be agreed"
