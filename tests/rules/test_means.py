"""Which way is tried next: only theirs, only wanted, each once, and always an end."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.means import AUTOMATIC, Means, next_means
from helpline.rules.safety import SafeRules

LONG_AGO, LATELY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
WHATSAPP = Means(2, "whatsapp", is_theirs=True, used_at=LATELY)
EMAIL = Means(3, "email", is_theirs=True, used_at=LONG_AGO)
CHANNELS = (*AUTOMATIC, "voice", "webchat", "webform", "pigeon")


def chosen(
    *known: Means,
    rules: SafeRules = SafeRules(),  # noqa: B008  # frozen
    tried: tuple[str, ...] = ("sms",),
    certain: bool = True,
    unwanted: bool = False,
) -> int | None:
    found = next_means(known, rules, tried, is_person_certain=certain, was_unwanted=unwanted)
    return found.address_id if found else None


def test_the_way_they_used_last_comes_first() -> None:
    assert chosen(EMAIL, WHATSAPP) == 2
    assert chosen(replace(EMAIL, used_at=LATELY), replace(WHATSAPP, used_at=LONG_AGO)) == 3


def test_what_they_used_comes_before_what_they_only_allowed() -> None:
    allowed = Means(4, "telegram", is_theirs=True)
    assert chosen(allowed, EMAIL, rules=SafeRules(also_by=("telegram",))) == 3


@pytest.mark.parametrize(
    "spoilt",
    [
        replace(WHATSAPP, is_theirs=False),
        replace(WHATSAPP, is_bad=True),
        replace(WHATSAPP, has_opted_out=True),
        replace(WHATSAPP, used_at=None),
        replace(WHATSAPP, channel="voice"),
        replace(WHATSAPP, channel="webchat"),
        replace(WHATSAPP, channel="webform"),
    ],
)
def test_one_reason_against_it_is_enough(spoilt: Means) -> None:
    assert chosen(spoilt) is None
    assert chosen(spoilt, EMAIL) == 3


def test_a_text_never_goes_to_a_landline() -> None:
    landline = Means(5, "sms", is_theirs=True, used_at=LATELY, is_mobile=False)
    assert chosen(landline, tried=("whatsapp",)) is None
    assert chosen(replace(landline, is_mobile=True), tried=("whatsapp",)) == 5


def test_forbidden_is_forbidden_however_often_it_was_used() -> None:
    assert chosen(WHATSAPP, rules=SafeRules(not_by=("whatsapp",))) is None


def test_of_a_mere_claim_nothing_reaches_whom_it_names() -> None:
    assert chosen(WHATSAPP, certain=False) is None


def test_after_a_stop_only_what_was_expressly_allowed() -> None:
    assert chosen(WHATSAPP, EMAIL, unwanted=True) is None
    assert chosen(WHATSAPP, EMAIL, rules=SafeRules(also_by=("email",)), unwanted=True) == 3


ways = st.builds(
    Means,
    address_id=st.integers(1, 9),
    channel=st.sampled_from(CHANNELS),
    is_theirs=st.booleans(),
    used_at=st.sampled_from([None, LONG_AGO, LATELY]),
    is_mobile=st.booleans(),
    is_bad=st.booleans(),
    has_opted_out=st.booleans(),
)
wishes = st.builds(
    SafeRules,
    not_by=st.lists(st.sampled_from(CHANNELS)).map(tuple),
    also_by=st.lists(st.sampled_from(CHANNELS)).map(tuple),
)


@given(st.lists(ways, max_size=12), wishes, st.booleans())
def test_it_ends_and_goes_by_each_kind_of_way_once(
    known: list[Means], rules: SafeRules, unwanted: bool
) -> None:
    tried = ["sms"]
    while True:
        found = next_means(known, rules, tried, is_person_certain=True, was_unwanted=unwanted)
        if found is None:
            break
        assert found.channel in AUTOMATIC and found.channel not in (*tried, *rules.not_by)
        assert found.is_theirs and not found.is_bad and not found.has_opted_out
        assert found.channel in rules.also_by or (found.used_at and not unwanted)
        tried.append(found.channel)
    assert len(tried) <= len(AUTOMATIC)
