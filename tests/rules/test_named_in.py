"""Who of us is named in a complaint, and what in a conversation is one."""

import pytest

from helpline.rules.complaints import named_in, names_person, sounds_like_one

US = [(1, "Dilys Penhale"), (2, "Will Okafor"), (3, "Wasim")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("I want to make a complaint about Dilys Penhale, she told my sister", [1]),
        ("dilys never rings me back", [1]),
        ("WASIM AND DILYS ARE USELESS", [1, 3]),
        ("Will was rude to me", [2]),
        ("nobody will ring me back", []),
        ("Wasima was rude", []),
        ("", []),
    ],
)
def test_a_colleague_is_found_by_name(text: str, named: list[int]) -> None:
    assert named_in(text, US) == named


@pytest.mark.parametrize(
    ("text", "category", "names", "is_one"),
    [
        ("COMPLAINT you never ring", "other", False, True),
        ("my worker never rings me back and she is rude", "complaint", False, True),
        ("Dilys never rings me back and she is rude", "complaint", True, True),
        ("Dilys was lovely, thank you", "compliment", True, False),
        ("my social worker never rings me back", "complaint", False, False),
        ("my worker asked me to send this", "other", False, False),
    ],
)
def test_a_complaint_in_a_conversation_is_one(
    text: str, category: str, names: bool, is_one: bool
) -> None:
    assert sounds_like_one(text, category, names_colleague=names) is is_one


@pytest.mark.parametrize(
    ("text", "name", "is_named"),
    [
        ("Young carers may ring at weekends", "May Turner", False),
        ("People hope that young carers will be asked", "Hope Young", False),
        ("We will ring back", "will carter", False),
        ("Will said that nobody rang", "will carter", True),
        ("carol rang three times", "Carol Ashby", True),
        ("Mrs Ashby rang three times", "Carol Ashby", True),
        ("The ash tree", "Carol Ash", False),
        ("Nobody rang", "", False),
    ],
)
def test_a_name_that_is_also_a_word_may_stand_in_a_sentence(
    text: str, name: str, is_named: bool
) -> None:
    assert names_person(text, name) is is_named
