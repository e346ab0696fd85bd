"""The short plain messages of tests/data/triage/golden.txt, each with the urgency it must get.

Triage never learns from this file: it is the promise to somebody who can write no more than that.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from helpline.rules.triage import Reading, read

FILE = Path(__file__).parents[1] / "data" / "triage" / "golden.txt"
Golden = dict[str, list[tuple[str, Reading]]]


@pytest.fixture(scope="module")
def golden() -> Golden:
    """Each kind's messages with their readings."""
    found: Golden = defaultdict(list)
    kind = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            found[kind].append((line, read(line)))
    return found


def test_there_are_enough_messages_of_every_kind(golden: Golden) -> None:
    assert sum(map(len, golden.values())) >= 400
    assert set(golden) == {"emergency", "urgent", "standard", "low", "calm"}
    assert len(golden["emergency"]) >= 250


def test_every_plain_emergency_is_one_and_asks_for_safety(golden: Golden) -> None:
    missed = [t for t, r in golden["emergency"] if r.urgency != "emergency" or not r.ask_safety]
    assert missed == []


def test_a_plain_urgent_message_is_never_left_to_wait(golden: Golden) -> None:
    waiting = [t for t, r in golden["urgent"] if r.urgency not in ("emergency", "urgent")]
    assert len(waiting) <= len(golden["urgent"]) * 0.02, waiting


@pytest.mark.parametrize("kind", ["standard", "low", "calm"])
def test_calm_messages_wake_nobody(golden: Golden, kind: str) -> None:
    alarms = [t for t, r in golden[kind] if r.urgency == "emergency"]
    pressing = [t for t, r in golden[kind] if r.urgency in ("emergency", "urgent")]
    assert len(alarms) <= len(golden[kind]) * 0.05, alarms
    assert len(pressing) <= len(golden[kind]) * 0.10, pressing


def test_thanks_and_answers_ask_nothing(golden: Golden) -> None:
    asked = [t for t, r in golden["low"] if r.ask_safety]
    assert len(asked) <= len(golden["low"]) * 0.02, asked
