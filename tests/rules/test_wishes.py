"""What people ask for in plain words, in several wordings, and what only looks like it."""

import pytest

from helpline.rules.wishes import Wish, cues_of, looks_like_a_name, wish_of

ASKED = {
    Wish.STATUS: [
        "how long do i wait",
        "When will somebody answer?",
        "is anyone there",
        "i hate this, are you even reading",
        "any news?",
        "nobody has rung me",
        "did you get my message",
    ],
    Wish.NUMBER: ["what number do i ring", "whats your number", "can i ring you", "who do i call?"],
    Wish.CALL: [
        "call me",
        "ring me please",
        "Please ring me",
        "can someone ring me back please?",
        "I want someone to call me",
        "i need a call back today",
    ],
    Wish.NO_CALL: ["actually dont ring me", "please do not call", "no need to ring"],
    Wish.NOTHING: [
        "changed my mind i dont need anything",
        "i want to stop. forget it, sorry",
        "never mind",
    ],
    Wish.HOW_TO_COMPLAIN: ["where do i complain", "how can I make a complaint?"],
    Wish.PUZZLED: ["i dont know what that means", "I don't understand"],
    Wish.NOT_HERE: [
        "pls dont text me here, my husband reads my phone",
        "Please do not text this phone",
        "he checks my phone",
        "it's not safe to text",
        "hi its carol, don't text me",
        "stop texting me",
        "Please stop sending me messages",
        "could you please not text this number",
        "he is back. do not write to me",
        "my ex has my phone with him at night",
        "he is in the room please dont text me",
        "he is in the room dont text me here",
    ],
    Wish.QUESTION: ["should I sign the police statement", "Do foster carers pay council tax?"],
}
NOTHING_ASKED = """no
1
thank you
you do not ring me
they dont text me back
my worker Dilys never rings me back and she is rude
he dont call me mum
the school will ring me on Friday
Robin Vale
I would rather you wrote
she told him to ring me and he did not
the birth mum wont stop texting me
school never send me anything
School dont text me and I never know
the social worker said she has my mobile number
someone has my phone number and keeps ringing
please dont send my foster lad away
please do not send this child away
please do not send anything to the school
dont write this down
social workers never message me
I asked them to stop messaging me
my ex has my phone, the police know
somebody sees my phone number on her form""".splitlines()


@pytest.mark.parametrize(
    ("wish", "text"), [(wish, text) for wish, texts in ASKED.items() for text in texts]
)
def test_a_plain_wish_is_understood(wish: Wish, text: str) -> None:
    assert wish_of(text) is wish


@pytest.mark.parametrize("text", NOTHING_ASKED)
def test_what_is_only_told_is_no_wish(text: str) -> None:
    assert wish_of(text) is None


def test_a_story_is_not_read_for_orders() -> None:
    story = "the social worker said never mind and do not text me here, " * 4
    assert wish_of(story) is None
    assert wish_of(story + "what now?") is Wish.QUESTION


@pytest.mark.parametrize(
    "text", ["Robin Vale", "Carol Ashby CM1 1QH", "FC1001", "my number is FC1001", "CM1 1QH"]
)
def test_a_name_or_number_is_taken_for_one(text: str) -> None:
    assert looks_like_a_name(text)


@pytest.mark.parametrize(
    "text",
    ["no", "1", "i dont know what that means", "I want to delete my data", "i want to stop", "",
     "forget it sorry", "I am 13 and my mum is crying"],
)  # fmt: skip
def test_other_words_are_not_taken_for_a_name(text: str) -> None:
    assert not looks_like_a_name(text)


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("should I sign the police statement", "legal"),
        ("I want to die", "distress"),
        ("i'm 13 and my mum is crying", "young_person"),
        ("I am 9", "young_person"),
        ("im 12 weeks pregnant", ""),
        ("I am 10 minutes away", ""),
        ("is there a first aid course", ""),
    ],
)
def test_a_cue_names_who_else_may_be_rung(text: str, cue: str) -> None:
    assert cues_of(text) == ({cue} if cue else frozenset())
