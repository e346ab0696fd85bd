"""Passwords that are guessed first are refused with a reason; words of one's own are not."""

import pytest

from helpline.rules.passwords import weakness


@pytest.mark.parametrize(
    ("password", "begins"),
    [
        ("aaaaaaaaaaaaaaaa", "That password repeats"),
        ("abababababababab", "That password repeats"),
        ("qwertyuiopasdfgh", "That password runs along"),
        ("0987654321098765", "That password runs along"),
        ("ABCDEFGHIJKLMNOP", "That password runs along"),
        ("Password2026!!", "That password is among"),
        ("p4ssw0rd-p4ssw0rd", "That password is among"),
        ("HelplineFostering1", "That password is among"),
        ("WilhelminaOkonjo7", "That password is among"),
        ("Summer2026Summer", "That password is among"),
    ],
)
def test_what_is_tried_first(password: str, begins: str) -> None:
    assert weakness(password, "Wilhelmina Okonjo").startswith(begins)


@pytest.mark.parametrize(
    "password",
    ["harbour lantern kettle", "three otters on a sledge", "xK7#pQ2!vL9zRm", "summer otter kettle"],
)
def test_words_of_ones_own_are_enough(password: str) -> None:
    assert weakness(password, "Wilhelmina Okonjo") == ""


def test_a_short_part_of_a_name_is_no_name() -> None:
    assert weakness("joliness embankment", "Jo Li") == ""
