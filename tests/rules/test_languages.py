"""Which language the first answer comes in: told by its script, its letters and its small words,
and nothing is said where two are alike. A story tells the rest."""

import pytest

from helpline.rules import languages


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("আমার বাচ্চা", "bn"),
        ("ਮੇਰਾ ਬੱਚਾ", "pa"),
        ("میرے بچے کو یہاں", "ur"),
        ("بچه من اینجا نیست", "fa"),
        ("طفلي ليس هنا", "ar"),
        ("الطفلة هنا گ", "ar"),  # one Persian letter beside one that only Arabic has is a loan
        ("زما ماشوم ښه نه دی", ""),  # Pashto: neither
        ("моя дитина її", "uk"),
        ("мой ребёнок был", ""),  # Russian
        ("дитина", ""),  # no letter that only Ukrainian has
        ("nie wiem co mam robić, dziecko jest chore", "pl"),
        ("no sé qué es, mi niño no está", "es"),
        ("non so che è, il mio bambino è con me", ""),  # Italian, and nothing else
        ("łż", "pl"),  # the letters alone
        ("123 :-)", ""),
        ("", ""),
    ],
)
def test_the_language_or_nothing(text: str, code: str) -> None:
    assert languages.spoken(text) == code


def test_a_conversation_keeps_its_language_until_english_is_really_written() -> None:
    assert languages.heard("nie wiem co mam robić, dziecko jest chore", None) == "pl"
    assert languages.heard("ok", "pl") == "pl"
    assert languages.heard("please ring me tomorrow, it is about the school", "pl") is None
    assert languages.heard("zzz qqq xxx vvv", "pl") == "pl"  # no language at all
    assert languages.is_english("please ring me tomorrow, it is about the school")
    assert not languages.is_english("nie wiem co mam robić, dziecko jest chore")
