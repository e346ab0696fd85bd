"""Each exercise asks for things that can all be done, and notices each that was not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from helpline.rules.practice import EXERCISES, Done, checked

NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
NOTHING = Done(NOW, "Robin Vale", "ESX-1")
ALL = Done(
    begun_at=NOW,
    me="Robin Vale",
    reference="ESX-1",
    has_read=True,
    alert_taken_at=NOW + timedelta(minutes=10),
    replies=("It is robin. In danger ring 999.",),
    replied_at=NOW + timedelta(minutes=5),
    calls=("Spoke for ten minutes about the visit; ring again on Friday.",),
    has_safe_hours=True,
    safe_set_at=NOW + timedelta(minutes=5),
    is_mine=True,
    has_judged=True,
    was_alleged=True,
    steps=3,
    was_told_on=True,
    handover="ESX-1 wants to be rung at eight, before the school run.",
    is_closed=True,
    closed_at=NOW + timedelta(minutes=5),
)


@pytest.mark.parametrize("code", EXERCISES)
def test_all_of_it_can_be_done_and_nothing_is_done_at_first(code: str) -> None:
    assert all(ok for _, ok in checked(code, ALL))
    assert not any(ok for _, ok in checked(code, NOTHING))


@pytest.mark.parametrize(
    ("code", "name", "changed"),
    [
        ("alert", "quick", {"alert_taken_at": NOW + timedelta(minutes=11)}),
        ("emergency", "danger", {"replies": ("It is Robin.",)}),
        ("emergency", "who", {"replies": ("Ring 999.",), "me": "Robin"}),
        ("safe", "first", {"safe_set_at": NOW + timedelta(minutes=6)}),
        ("safe", "nothing", {"replies": ("About the allegation", "ok")}),
        ("call", "note", {"calls": ("Spoke.",)}),
        ("allegation", "steps", {"steps": 2}),
        ("handover", "words", {"handover": "ESX-1"}),
        ("handover", "which", {"handover": "She wants to be rung at eight, before the school."}),
        ("close", "wrote", {"replied_at": NOW + timedelta(minutes=6)}),
    ],
)
def test_what_is_missing_is_named(code: str, name: str, changed: dict[str, object]) -> None:
    found = dict(checked(code, replace(ALL, **changed)))  # type: ignore[arg-type]
    assert not found[name]
