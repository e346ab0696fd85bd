"""Names of others in a text, and the text without them."""

from hypothesis import given
from hypothesis import strategies as st

from helpline.rules import redaction
from helpline.vocabulary import PassageChoice, PassageReason

OTHERS = ["Mark Ashby", "Dr Ada O\u2019Neill", "Jo"]
OWN = "Carol Ashby"


def test_a_name_is_found_whole_or_in_part_and_never_in_a_word() -> None:
    text = "MARK said so, and ada o\u2019neill too. Remarkable."
    assert redaction.names_in(text, OTHERS, OWN) == ("O\u2019Neill", "Mark", "Ada")
    out = redaction.without(text, redaction.names_in(text, OTHERS, OWN))
    assert (
        out
        == f"{redaction.BLACK} said so, and {redaction.BLACK} {redaction.BLACK} too. Remarkable."
    )


def test_their_own_name_and_what_it_shares_with_the_family_stays() -> None:
    assert redaction.names_in("Carol Ashby rang", OTHERS, OWN) == ()
    assert redaction.names_in("Mark Ashby rang", OTHERS, OWN) == ("Mark Ashby", "Mark")
    assert redaction.without("Mark Ashby rang", ("Mark", "Mark Ashby")) == f"{redaction.BLACK} rang"
    assert redaction.names_in("Jo rang", OTHERS, OWN) == ()  # two letters are in too many words


def test_a_suggestion_says_what_it_would_do_and_why() -> None:
    plain = redaction.suggest("They rang", OTHERS, OWN)
    assert (plain.choice, plain.reason, plain.names) == (PassageChoice.SHOW, None, ())
    named = redaction.suggest("Mark rang", OTHERS, OWN)
    assert named.choice is PassageChoice.WITHOUT_NAMES
    assert named.reason is PassageReason.THIRD_PARTY
    theirs = redaction.suggest("They rang", OTHERS, OWN, is_of_another=True)
    assert theirs.choice is PassageChoice.LEAVE_OUT


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4), st.text(max_size=20))
def test_nothing_that_was_found_is_left(text: str, others: list[str], own: str) -> None:
    names = redaction.names_in(text, others, own)
    out = redaction.without(text, names)
    assert redaction.names_in(out, names) == ()
    assert redaction.without(out, names) == out
