"""How a line of the audit trail proves itself: the same event gives the same bytes, anything else
gives others, and without the key neither proof nor chain can be made."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from helpline.rules import chain
from helpline.vocabulary import Urgency

MARK, SECRET, OTHER = b"mark", b"k" * 32, b"o" * 32
KEYS = {MARK: SECRET}
AT = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "kind": "case.read",
    "at": AT,
    "contract": "essex",
    "case_id": 7,
    "by_user_id": 3,
    "detail": {"urgency": Urgency.URGENT, "tabs": ("a", "b")},
}


def said(**changed: Any) -> bytes:
    return chain.content(**EVENT | changed)


def test_the_same_event_is_the_same_bytes_in_any_zone_and_after_the_database() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))
    assert said(at=elsewhere) == said()
    assert said(detail={"tabs": ["a", "b"], "urgency": "urgent"}) == said()


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "case.closed"},
        {"at": AT + timedelta(microseconds=1)},
        {"contract": None},
        {"case_id": 8},
        {"by_user_id": None},
        {"detail": {}},
    ],
)
def test_whatever_is_changed_is_no_longer_proved(changed: dict[str, Any]) -> None:
    given = chain.proof(MARK, SECRET, chain.nonce(), said())
    assert len(given) == 48
    assert chain.is_proof_of(KEYS, given, said()) is True
    assert chain.is_proof_of(KEYS, given, said(**changed)) is False


def test_a_proof_needs_its_key_and_its_nonce() -> None:
    nonce = chain.nonce()
    given = chain.proof(MARK, SECRET, nonce, said())
    assert chain.is_proof_of({b"gone": SECRET}, given, said()) is None
    assert chain.is_proof_of({MARK: OTHER}, given, said()) is False
    assert chain.proof(MARK, SECRET, chain.nonce(), said()) != given
    assert len(nonce) == chain.NONCE


def test_a_proof_made_later_says_so() -> None:
    at_once = chain.proof(MARK, SECRET, chain.nonce(), said())
    later = chain.proof(MARK, SECRET, chain.nonce(chain.LATER), said())
    assert not chain.is_late(at_once)
    assert chain.is_late(later)


LINE: dict[str, Any] = {"before": chain.SEED, "seq": 1, "event_id": 9, "event_proof": b"p" * 48}


@pytest.mark.parametrize(
    "changed", [{"before": b"x"}, {"seq": 2}, {"event_id": 8}, {"event_proof": b"q" * 48}]
)
def test_a_link_holds_its_place_its_event_and_what_came_before(changed: dict[str, Any]) -> None:
    given = chain.link(MARK, SECRET, **LINE)
    assert len(given) == 36
    assert chain.is_made_by(KEYS, given, **LINE) is True
    assert chain.is_made_by(KEYS, given, **LINE | changed) is False
    assert chain.is_made_by({b"gone": SECRET}, given, **LINE) is None


def test_the_end_is_proved_with_how_far_it_reaches() -> None:
    digest = chain.link(MARK, SECRET, **LINE)
    end = chain.head(MARK, SECRET, 1, digest, (0, 0))
    assert len(end) == 36
    assert chain.head(MARK, SECRET, 1, digest, (0, 0)) == end
    others = [
        chain.head(MARK, SECRET, 2, digest, (0, 0)),
        chain.head(MARK, SECRET, 1, digest[::-1], (0, 0)),
        chain.head(MARK, SECRET, 1, digest, (0, 1)),
        chain.head(MARK, OTHER, 1, digest, (0, 0)),
    ]
    assert end not in others
    assert len(set(others)) == len(others)


def test_the_end_as_it_is_read_out_comes_back() -> None:
    digest = bytes(range(36))
    line = chain.anchor(12, digest)
    assert chain.anchored(line) == (12, digest.hex())
    assert chain.anchored(f"3 November: the trail ends at {line.upper()}.") == (12, digest.hex())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nothing: here",
        "12",
        "12:abc",
        "twelve:" + "a" * 72,
        "12:" + "g" * 72,
        "12:" + "a" * 71,
        "\u0663:" + "a" * 72,
    ],
)
def test_what_is_no_end_of_a_chain(line: str) -> None:
    assert chain.anchored(line) is None
