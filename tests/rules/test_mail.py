"""What an e-mail is and what of it is new: letters as mail programs really write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules import mail
from helpline.rules.mail import MARK, Sort, new_words, sort_of

DIGEST = "0123456789abcdef0123456789abcdef"


# --- tokens ---------------------------------------------------------------------------------------


@given(st.integers(0, 2**53))
def test_a_token_comes_back_from_wherever_it_was_put(number: int) -> None:
    token = mail.token(number, DIGEST)
    address = mail.with_plus("carers@helpline.example", token)
    for place in (address, address.upper(), f"<{token}@helpline.example>", f"x {token} y"):
        assert mail.tokens_in(place) == [(number, DIGEST[:20])]


@given(st.text())
def test_no_text_breaks_the_search_for_tokens(text: str) -> None:
    assert isinstance(mail.tokens_in(text, text), list)


def test_a_letter_with_a_thousand_tokens_is_looked_at_for_fifty() -> None:
    assert len(mail.tokens_in(" ".join(mail.token(n, DIGEST) for n in range(1000)))) == 50


# --- what it is -----------------------------------------------------------------------------------


def sort(*, status: str = "", answers_us: bool = False, is_ours: bool = False, **said: str) -> Sort:
    headers = {name.replace("_", "-"): value for name, value in said.items()}
    return sort_of(headers, status, answers_us=answers_us, is_ours=is_ours)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Sort.LETTER),
        ({"auto_submitted": "no"}, Sort.LETTER),
        ({"from": "Carol <carol@there.example>", "subject": "Out of office hours?"}, Sort.LETTER),
        ({"auto_submitted": "auto-replied"}, Sort.AWAY),
        ({"auto_submitted": "auto-replied; owner-email=x"}, Sort.AWAY),
        ({"precedence": "auto_reply"}, Sort.AWAY),
        ({"x_autoreply": "yes"}, Sort.AWAY),
        ({"content_type": "multipart/report; report-type=disposition-notification"}, Sort.AWAY),
        ({"auto_submitted": "auto-generated"}, Sort.BULK),
        ({"precedence": "bulk"}, Sort.BULK),
        ({"list_id": "<news.example>"}, Sort.BULK),
        ({"list_unsubscribe": "<mailto:x@y.example>"}, Sort.BULK),
        ({"x_auto_response_suppress": "DR, OOF, AutoReply"}, Sort.BULK),
        ({"x_auto_response_suppress": "DR, RN"}, Sort.LETTER),
        ({"return_path": "<>"}, Sort.BULK),
        ({"from": "MAILER-DAEMON@there.example", "return_path": "<>"}, Sort.BOUNCE),
        ({"from": "Post <postmaster@there.example>", "return_path": "<>"}, Sort.BOUNCE),
        ({"from": "postmaster@there.example"}, Sort.LETTER),
    ],
)
def test_a_letter_is_told_by_its_headers(headers: dict[str, str], expected: Sort) -> None:
    assert sort(**headers) is expected


def test_a_servers_report_is_a_bounce_or_a_delay() -> None:
    assert sort(status="failed") is Sort.BOUNCE
    assert sort(status="delayed", auto_submitted="auto-replied") is Sort.DELAY


def test_a_subject_alone_makes_a_program_only_of_an_answer_to_us() -> None:
    assert sort(subject="Automatic reply: Your message", answers_us=True) is Sort.AWAY
    assert sort(subject="Automatic reply: Your message") is Sort.LETTER


def test_ours_come_back_is_ours_whatever_else_it_says() -> None:
    assert sort(is_ours=True, auto_submitted="auto-replied") is Sort.OWN


# --- what of it is new ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello", "Hello"),
        ("Hello\n\nOn Tue, Wasim wrote:\n> What?\n> When?", "Hello"),
        (
            "Hello\r\n\r\nOn Tue, 3 Nov 2026 at 02:16,\r\n<a@b.example> wrote:\r\n\r\n> What?",
            "Hello",
        ),
        ("Hello\n\nAm 3.11.2026 schrieb Wasim:\n> Was?", "Hello"),
        (f"Hello\n\n> {MARK}\n>\n> We are here.", "Hello"),
        (f"Hello\n\n{MARK}\n\nWe are here.\n--\nCarers' helpline", "Hello"),
        (
            f"Hello\n\n________________________________\nFrom: us\nSent: Tuesday\nTo: me\n"
            f"Subject: Re\n\n{MARK}\n\nWe are here.",
            "Hello",
        ),
        (f"Hello\n\n-----Original Message-----\n\n{MARK}\n\nWe are here.", "Hello"),
    ],
)
def test_a_quotation_at_the_end_is_not_shown(text: str, shown: str) -> None:
    assert new_words(text) == (shown, shown != text)


@pytest.mark.parametrize(
    "text",
    [
        "> When can I ring?\nAfter four.",
        "> When can I ring?\nAfter four.\n> Where?\nAt home.",
        f"> {MARK}\n> Hello\nI write below.",
        "On Tuesday he wrote:\nI will kill you\nWhat shall I do?",
        "From: the school\nThey rang me.",
        "I said > three times > no",
        "> all of it is quoted\n> nothing else",
        f"{MARK}\n\nI answer below your words.",
    ],
)
def test_what_somebody_wrote_anywhere_else_stays(text: str) -> None:
    assert new_words(text) == (text, False)


def test_between_two_quotations_only_the_last_goes() -> None:
    shown, is_cut = new_words("> When?\nAfter four.\n\nOn Tue, W wrote:\n> Bye")
    assert (shown, is_cut) == ("> When?\nAfter four.", True)


def test_a_very_long_letter_is_cut_and_says_so() -> None:
    shown, is_cut = new_words("word " * 100_000)
    assert len(shown) <= mail.LONGEST_SHOWN and is_cut


@given(st.text(alphabet="> \nabwrote:On-", max_size=300))
def test_nothing_is_invented_and_something_always_stays(text: str) -> None:
    shown, is_cut = new_words(text)
    assert shown in text.strip()
    assert bool(shown) == bool(text.strip())
    assert is_cut or shown == text.strip()


@pytest.mark.parametrize("piece", ["> \n", "On a wrote\n", "-", "From: \n", "on " * 50 + "\n"])
@pytest.mark.timeout(30)  # a hang, not a speed: a pattern that runs wild would take hours
def test_no_letter_runs_wild(piece: str) -> None:
    letter = piece * (500_000 // len(piece))
    assert new_words(letter)[0] in letter.strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("No\n\nSent from my iPhone", "No"),
        ("2\n\nGet Outlook for Android <https://aka.ms/x>", "2"),
        ("PERSON\n-- \nCarol Ashby\n12 High Street", "PERSON"),
        ("No, but he said he will kill me", "No, but he said he will kill me"),
        (
            "No\nbut he said he will kill me\n\nSent from my iPhone",
            "No\nbut he said he will kill me",
        ),
        ("Sent from my heart", "Sent from my heart"),
        ("", ""),
    ],
)
def test_a_short_answer_is_read_without_what_programs_put_below_it(text: str, words: str) -> None:
    assert mail.without_signature(text) == words


def test_subjects_lose_what_mail_programs_put_before_them() -> None:
    assert mail.bare_subject("RE: Fwd: AW:  Your message\r\n to us") == "Your message to us"
    assert mail.bare_subject("Regarding Tom") == "Regarding Tom"


def test_a_part_is_found_by_its_place_and_archives_stay_shut() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--"
    assert [mail.part_of(raw, n) for n in (1, 2, 3)] == [b"one", b"two", None]


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("<abc.1-2@mail.there.example>", "abc.1-2@mail.there.example"),
        (" <a@b>\n", "a@b"),
        ("", ""),
        ("abc@there.example", ""),
        ("<abc@there.example> <def@there.example>", ""),
        ("<abc@there.example>\r\nBcc: <all@there.example>", ""),
        ("<abc\r\nBcc:x@there.example>", ""),
        ("<abc def@there.example>", ""),
        ("<a@b@c>", ""),
        ("<é@there.example>", ""),
        ("<" + "a" * 121 + "@there.example>", ""),
        ("<" * 5000, ""),
    ],
)
def test_only_a_plain_message_id_is_named_in_our_answer(header: str, named: str) -> None:
    assert mail.answerable_id(header) == named


@given(st.text())
def test_nothing_that_could_end_a_line_is_ever_named(header: str) -> None:
    named = mail.answerable_id(f"<{header}@there.example>")
    assert named.isascii() and named.isprintable() and " " not in named and len(named) <= 241


def test_a_part_of_a_letter_by_its_number() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nForwarded\r\n--b--\r\n"
    )
    assert mail.part_of(raw, 0) is None  # what holds the others has nothing itself
    assert mail.part_of(raw, 1) == b"Hello"
    assert b"Forwarded" in (mail.part_of(raw, 2) or b"")
    assert mail.part_of(raw, 9) is None
    empty = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    assert mail.part_of(empty, 0) in (None, b"", b"\n")


def test_a_letter_nested_without_end_has_no_parts() -> None:
    deep = b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"the end"
    assert mail.part_of(deep, 4_999) in (None, b"the end")
