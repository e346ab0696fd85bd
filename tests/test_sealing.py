"""What is sealed opens only with a key of the ring and only where it belongs, and can be found
again while keys are being changed."""

import sqlite3
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from helpline import sealing
from helpline.db import Database
from helpline.models import Person
from helpline.sealing import CannotOpen, KeyRing
from tests.keys import RAW_TEST_KEY

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
texts = st.text(max_size=300).filter(lambda text: _can_be_written(text))


def _can_be_written(text: str) -> bool:
    """Half a surrogate pair is no text; tidy() takes them away before anything is sealed."""
    return not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


@given(texts)
def test_what_is_sealed_opens_again(text: str) -> None:
    ring = KeyRing([NEW])
    assert ring.open("person.name", ring.seal("person.name", text)) == text


@given(texts)
def test_a_value_moved_to_another_column_does_not_open(text: str) -> None:
    ring = KeyRing([NEW])
    with pytest.raises(CannotOpen):
        ring.open("note.body", ring.seal("person.name", text))


@given(st.data())
def test_a_value_with_one_bit_changed_does_not_open(data: st.DataObject) -> None:
    ring = KeyRing([NEW])
    sealed = bytearray(ring.seal("person.name", "Carol Ashby"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CannotOpen):
        ring.open("person.name", bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 3, 4, 10, 16, 31])
def test_what_is_too_short_does_not_open(length: int) -> None:
    ring = KeyRing([NEW])
    with pytest.raises(CannotOpen):
        ring.open("person.name", ring.seal("person.name", "")[:length])


def test_the_second_key_opens_and_only_the_first_seals() -> None:
    before = KeyRing([OLD]).seal("person.name", "Carol")
    during = KeyRing([NEW, OLD])
    assert during.open("person.name", before) == "Carol"
    after = during.seal("person.name", "Carol")
    assert KeyRing([NEW]).open("person.name", after) == "Carol"
    with pytest.raises(CannotOpen):
        KeyRing([OLD]).open("person.name", after)


def test_a_ring_without_the_key_does_not_open() -> None:
    sealed = KeyRing([OLD]).seal("person.name", "Carol")
    with pytest.raises(CannotOpen):
        KeyRing([NEW, OTHER]).open("person.name", sealed)


def test_the_refusal_says_nothing_of_the_content() -> None:
    sealed = KeyRing([OLD]).seal("person.name", "Carol")
    with pytest.raises(CannotOpen) as refused:
        KeyRing([NEW]).open("person.name", sealed)
    assert str(refused.value) == "person.name"


def test_the_same_text_is_never_sealed_alike() -> None:
    ring = KeyRing([NEW])
    assert len({ring.seal("person.name", "Carol") for _ in range(200)}) == 200


def test_nothing_of_the_text_shines_through() -> None:
    assert b"Carol" not in KeyRing([NEW]).seal("person.name", "Carol" * 20)


# --- the blind index -----------------------------------------------------------------------------


def test_the_index_is_stable_for_ever() -> None:
    """Written down: a change of how it is made would lose every person on the register."""
    known = KeyRing([RAW_TEST_KEY]).index("address:sms", "+447700900123")
    assert known == "baabd64e459b4a0a67e6b886385d0556"


@given(texts, texts)
def test_equal_values_and_only_those_share_an_index(one: str, other: str) -> None:
    ring = KeyRing([NEW])
    assert (ring.index("k", one) == ring.index("k", other)) == (one == other)


def test_kinds_and_keys_keep_apart() -> None:
    ring = KeyRing([NEW])
    assert ring.index("address:sms", "1") != ring.index("address:telegram", "1")
    assert ring.index("a", "b") != KeyRing([OLD]).index("a", "b")


def test_while_keys_are_changed_both_indexes_are_looked_up() -> None:
    during = KeyRing([NEW, OLD])
    assert KeyRing([OLD]).index("a", "b") in during.indexes("a", "b")
    assert during.indexes("a", "b")[0] == during.index("a", "b") == KeyRing([NEW]).index("a", "b")


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b""], [NEW + b"x"]])
def test_a_ring_needs_whole_keys(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing(keys)


def test_a_new_key_is_one_and_is_new() -> None:
    from helpline.settings import Settings

    keys = [sealing.new_key() for _ in range(50)]
    assert len(set(keys)) == 50
    (raw, *_) = Settings(keys=",".join(keys)).key_list
    assert len(raw) == 32


# --- in the database -----------------------------------------------------------------------------


@pytest.fixture
def ring_of_the_tests() -> Iterator[None]:
    yield
    sealing.install(KeyRing([RAW_TEST_KEY]))


async def test_a_sealed_column_is_unreadable_at_rest_and_plain_in_python(
    database_url: str, ring_of_the_tests: None
) -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 11, 3, tzinfo=UTC)
    db = Database(database_url)
    try:
        sealing.install(KeyRing([OLD]))
        async with db.write() as session:
            session.add(Person(contract="essex", name="Carol Ashby", created_at=at))
        assert b"Carol" not in _stored_name(database_url)

        sealing.install(KeyRing([NEW, OLD]))
        async with db.read() as session:
            assert (await session.scalar(select(Person.name))) == "Carol Ashby"

        sealing.install(KeyRing([NEW]))
        with pytest.raises(CannotOpen):
            async with db.read() as session:
                await session.scalar(select(Person.name))
    finally:
        await db.close()


def _stored_name(url: str) -> bytes:
    """What somebody with a copy of the database, and no key, would see."""
    query = "SELECT name FROM person"
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        try:
            return bytes(connection.execute(query).fetchone()[0])
        finally:
            connection.close()
    with psycopg.connect(url) as connected:
        row = connected.execute(query).fetchone()
        assert row is not None
        return bytes(row[0])


def test_a_ring_says_which_keys_it_has_and_needs_whole_ones() -> None:
    ring = KeyRing([NEW, OLD])
    marks = [sealing.fingerprint(key) for key in (NEW, OLD)]
    assert (ring.mark, ring.marks) == (marks[0], [mark.hex() for mark in marks])
    assert list(ring.audits) == marks
    for keys in ([], [NEW[:31]], [NEW, b""]):
        with pytest.raises(ValueError, match="32 bytes"):
            KeyRing(keys)


def test_without_a_ring_nothing_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_ring", None)
    with pytest.raises(RuntimeError, match="No key ring"):
        sealing.ring()
