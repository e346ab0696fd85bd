"""The mail bot: what letters become, however broken or hostile, and what each answer of a mail
server means. Both ways go over a real line: aiosmtplib to aiosmtpd, imaplib to a small IMAP
server."""

import email
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots import _mail
from bots.email import Email, written
from helpline.channels import Channel, Inbound, Outbound, SendResult, WebRequest
from helpline.errors import InvalidInput
from helpline.vocabulary import Fault, ItemKind, SendState
from tests.fakes.mail import US, MailProvider, certificate

NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
CAROL = "carol@there.example"
ENVELOPE = f"From: Carol <{CAROL}>\r\nTo: {US}\r\nMessage-ID: <1@there.example>\r\n"


def read(raw: str | bytes, ours: tuple[str, ...] = (US,)) -> Inbound:
    return _mail.read(raw.encode() if isinstance(raw, str) else raw, ours)


def letter(body: str, kind: str = "text/plain; charset=utf-8", more: str = "") -> str:
    return f"{ENVELOPE}{more}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}"


# --- what a letter becomes ------------------------------------------------------------------------


def test_a_plain_letter() -> None:
    found = read(letter("Hello there.", more="Subject: =?utf-8?q?Caf=C3=A9?=\r\n"))
    assert (found.channel, found.sender, found.recipient) == ("email", CAROL, US)
    assert (found.text, found.kind) == ("Hello there.", ItemKind.TEXT)
    assert found.extra["subject"] == "Café"
    assert found.extra["message_id"] == "<1@there.example>"


def test_html_alone_becomes_what_a_reader_would_see() -> None:
    markup = (
        "<html><head><title>x</title><style>p{}</style></head><body><p>They say<br>I hit him.</p>"
        "<script>alert(1)</script><div>Fish &amp; chips &lt;3&nbsp;now</div><ul><li>one<li>two</ul>"
    )
    assert read(letter(markup, "text/html")).text == (
        "They say\nI hit him.\nFish & chips <3 now\none\ntwo"
    )


def test_of_two_forms_the_plain_one_is_taken_unless_it_is_empty() -> None:
    both = (
        "--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n"
        "--b\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n--b--"
    )
    kind = "multipart/alternative; boundary=b"
    assert read(letter(both.format("plain"), kind)).text == "plain"
    assert read(letter(both.format("  "), kind)).text == "rich"


@pytest.mark.parametrize(
    ("charset", "content", "text"),
    [
        ("iso-8859-1", "café".encode("latin-1"), "café"),
        ("utf-8", "caf\xe9".encode("latin-1"), "café"),
        ("no-such-thing", "café".encode(), "café"),
        ("zlib_codec", b"plain", "plain"),
        ("utf-8\0", b"plain", "plain"),
        ("us-ascii", "“quoted”".encode("cp1252"), "“quoted”"),
    ],
)
def test_a_wrong_charset_loses_no_word(charset: str, content: bytes, text: str) -> None:
    raw = letter("", f"text/plain; charset={charset}").encode() + content
    assert read(raw).text == text


def test_of_markup_without_a_word_the_whole_letter_is_offered() -> None:
    found = read(letter("<img src=x><p ", "text/html"))
    assert (found.text, [one.key.rpartition(":")[2] for one in found.media]) == ("", ["all"])


def test_attachments_are_named_by_their_place_and_not_opened() -> None:
    body = (
        "--b\r\nContent-Type: text/plain\r\n\r\nSee.\r\n"
        '--b\r\nContent-Type: application/zip; name="../../a\x00.zip"\r\n\r\nPK\r\n'
        "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\n\r\ninner words\r\n--b--"
    )
    found = read(letter(body, "multipart/mixed; boundary=b"))
    assert found.text == "See."
    assert [(one.key.rpartition(":")[2], one.content_type) for one in found.media] == [
        ("2", "application/zip"),
        ("3", "message/rfc822"),
    ]


def test_a_thousand_parts_are_counted_and_the_whole_letter_is_offered() -> None:
    part = "--b\r\nContent-Type: image/png\r\n\r\nx\r\n"
    found = read(letter(part * 1000 + "--b--", "multipart/mixed; boundary=b"))
    assert len(found.media) == _mail.MOST_PARTS + 1
    assert found.extra["left_out"] == "950"
    assert found.media[-1].key.endswith(":all")


@pytest.mark.timeout(30)  # a hang, not a speed
def test_parts_in_parts_without_end_are_kept_and_come_to_an_end() -> None:
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(3000)
    )
    found = read(ENVELOPE + nested + "\r\nHello")
    assert found.raw and found.external_id.startswith("mail:")


def test_what_is_hidden_in_names_leaves_nothing_behind() -> None:
    found = read(f"From: =?utf-8?q?Carol=0D=0ABcc:_x@y.example?= <{CAROL}>\r\n\r\nHi")
    assert found.sender == CAROL
    assert all(c.isprintable() for value in found.extra.values() for c in value)


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ("From: Carol <CAROL@There.Example>", CAROL),
        ("From: undisclosed\r\nReturn-Path: <carol@there.example>", CAROL),
        ("From: a@b.example, c@d.example", "a@b.example"),
        ("From: " + "x" * 200 + "@there.example", ""),
        ("From: nobody", ""),
        ("To: us", ""),
    ],
)
def test_who_wrote(headers: str, sender: str) -> None:
    found = read(f"{headers}\r\n\r\nHello")
    assert found.sender == sender
    assert found.kind is (ItemKind.TEXT if sender else ItemKind.UNREADABLE)


def test_which_of_our_addresses_it_came_to() -> None:
    ours = ("one@x.example", "two@x.example")
    assert read("From: a@b.example\r\nTo: Two+h1-ab@X.example\r\n\r\n", ours).recipient == ours[1]
    delivered = "From: a@b.example\r\nTo: list@y.example\r\nDelivered-To: one@x.example\r\n\r\n"
    assert read(delivered, ours).recipient == ours[0]
    assert read("From: a@b.example\r\nTo: list@y.example\r\n\r\n", ours).recipient == ""
    assert read("From: a@b.example\r\nTo: list@y.example\r\n\r\n").recipient == US


def test_the_same_letter_by_two_ways_has_one_id_and_another_has_another() -> None:
    one = read(letter("Hello"))
    assert read("Received: x\r\n" + letter("Hello")).external_id == one.external_id
    assert read(letter("Hello you")).external_id != one.external_id


def test_the_whole_letter_is_kept_byte_for_byte() -> None:
    raw = letter("").encode() + bytes(range(1, 256))
    assert read(raw).raw.encode("latin-1") == raw


def test_headers_that_say_what_it_is_are_handed_on() -> None:
    found = read(letter("x", more="Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\n"))
    told = json.loads(found.extra["headers"])
    assert (told["auto-submitted"], told["precedence"]) == ("auto-replied", "bulk")


def test_a_servers_report_says_what_and_about_which() -> None:
    raw = (
        "From: MAILER-DAEMON@x.example\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Action: failed\r\nStatus: 5.7.1\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <ours@x>\r\n\r\nx\r\n--b--"
    )
    extra = read(raw).extra
    assert (extra["action"], extra["status"], extra["about"]) == ("failed", "5.7.1", "<ours@x>")
    assert extra["fault"] == Fault.BLOCKED


@given(st.binary(max_size=400))
def test_no_bytes_break_it(raw: bytes) -> None:
    for some in (raw, ENVELOPE.encode() + raw, letter("").encode() + raw):
        found = read(some)
        assert found.external_id.startswith("mail:") and found.raw == some.decode("latin-1")


MIME = st.sampled_from(
    [
        "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: message/rfc822\r\n",
        "Content-Type: message/delivery-status\r\n",
        "Content-Type: multipart/report; boundary=b\r\n",
        "Content-Type: text/html; charset=\xff\r\n",
        "Content-Disposition: attachment; filename*=x''%ff\r\n",
        "Content-Transfer-Encoding: base64\r\n",
        "Content-Transfer-Encoding: x-uuencode\r\n",
        "Subject: =?x?b?!!!?=\r\n",
        "From: <<@>,;:\r\n",
        "--b\r\n",
        "--b--\r\n",
        "\r\n",
        "begin 644 x\r\n",
        "=?utf-8?b?/w==?=",
        "<p><b",
    ]
)


@given(st.lists(MIME, max_size=30))
def test_no_pieces_of_mime_break_it(pieces: list[str]) -> None:
    raw = (ENVELOPE + "".join(pieces)).encode("latin-1")
    assert read(raw).raw == raw.decode("latin-1")


# --- what leaves ----------------------------------------------------------------------------------


OUT = Outbound(
    key="7",
    sender=US,
    recipient=CAROL,
    text="Hello – it is me.\n.\nBye",
    since=NOW,
    extra={
        "subject": "Your message",
        "message_id": "h7-ab@x",
        "reply_to": US.replace("@", "+h7-ab@"),
    },
)


def out(**changed: str) -> Outbound:
    return Outbound(
        key=OUT.key,
        sender=changed.pop("sender", OUT.sender),
        recipient=changed.pop("recipient", OUT.recipient),
        text=changed.pop("text", OUT.text),
        since=NOW,
        extra={**OUT.extra, **changed},
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"subject": "x\r\nBcc: all@there.example"},
        {"reply_to": "a@b.example\nX: y"},
        {"message_id": "a\r\n\r\nbody"},
        {"recipient": "a@b.example\r\nBcc: c@d.example"},
        {"recipient": "a@b.example, c@d.example"},
        {"recipient": "nobody"},
        {"sender": ""},
    ],
)
def test_nothing_breaks_out_of_a_header(bad: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        written(out(**bad))


def test_only_what_a_program_said_is_marked_so() -> None:
    assert email.message_from_bytes(written(OUT))["auto-submitted"] is None
    marked = email.message_from_bytes(written(out(automatic="yes")))
    assert (marked["auto-submitted"], marked["x-auto-response-suppress"]) == ("auto-replied", "All")


@pytest.fixture
async def provider() -> AsyncIterator[MailProvider]:
    async with MailProvider() as running:
        yield running


def bot(provider: MailProvider) -> Email:
    return Email(provider.smtp_url, provider.imap_url, [US])


async def test_a_letter_arrives_whole(provider: MailProvider) -> None:
    assert await bot(provider).send(OUT) == SendResult(SendState.ACCEPTED, "h7-ab@x")
    (taken,) = provider.taken
    assert (taken.sender, taken.recipient) == (OUT.extra["reply_to"], CAROL)
    assert taken.text.strip() == OUT.text


async def test_a_server_that_knows_no_tags_gets_the_plain_address(provider: MailProvider) -> None:
    provider.answers["tagged"] = "553 5.7.1 not yours"
    assert (await bot(provider).send(OUT)).state is SendState.ACCEPTED
    assert provider.taken[0].sender == US


@pytest.mark.parametrize(
    ("step", "said", "state", "code", "fault"),
    [
        ("rcpt", "450 4.2.1 busy", SendState.RETRY, "450 4.2.1", Fault.NONE),
        ("rcpt", f"550 5.1.1 <{CAROL}> unknown", SendState.REFUSED, "550 5.1.1", Fault.BAD_ADDRESS),
        ("rcpt", "550 no such user", SendState.REFUSED, "550", Fault.BAD_ADDRESS),
        ("rcpt", "550 5.1.10 null MX", SendState.REFUSED, "550 5.1.10", Fault.BAD_ADDRESS),
        ("rcpt", "554 5.7.1 blocked", SendState.REFUSED, "554 5.7.1", Fault.BLOCKED),
        ("rcpt", "552 5.2.2 full", SendState.REFUSED, "552 5.2.2", Fault.NONE),
        ("mail", "530 5.7.0 sign in", SendState.RETRY, "530 5.7.0", Fault.NONE),
        ("data", "451 4.3.0 later", SendState.RETRY, "451 4.3.0", Fault.NONE),
        ("data", "554 5.7.1 spam", SendState.REFUSED, "554 5.7.1", Fault.BLOCKED),
        ("data", "550 rejected", SendState.REFUSED, "550", Fault.NONE),
    ],
)
async def test_what_each_answer_means(
    provider: MailProvider, step: str, said: str, state: SendState, code: str, fault: Fault
) -> None:
    provider.answers[step] = said
    if step == "mail":
        provider.answers["tagged"] = said
    assert await bot(provider).send(OUT) == SendResult(state, code=code, fault=fault)


@pytest.mark.parametrize(
    ("step", "state"),
    [("tagged", SendState.RETRY), ("rcpt", SendState.RETRY), ("data", SendState.UNSURE)],
)
async def test_a_line_that_breaks(provider: MailProvider, step: str, state: SendState) -> None:
    provider.dies_after = step
    result = await bot(provider).send(OUT)
    assert result.state is state
    assert CAROL not in result.code


async def test_nobody_there_is_a_later_try() -> None:
    async with MailProvider() as gone:
        mail = bot(gone)
    assert (await mail.send(OUT)).state is SendState.RETRY
    assert await mail.find_sent(OUT) is None


async def test_an_open_line_to_another_machine_is_encrypted_first() -> None:
    far = Email("smtp://mail.example", "imaps://a%40b.example:x@mail.example", [US])
    assert far._smtp.must_seal and far._smtp.port == 587
    near = Email("smtps://localhost", "imap://x:y@127.0.0.1", [US])
    assert not near._smtp.must_seal and not near._imap.must_seal


async def test_a_server_without_encryption_hears_nothing(
    provider: MailProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.email.LOOPBACK", ())
    provider.write(CAROL, "Hello.", NOW)
    assert (await bot(provider).send(OUT)).state is SendState.RETRY
    assert not provider.taken
    with pytest.raises(Exception, match="TLS"):
        await bot(provider).waiting()
    assert not any("LOGIN" in asked for asked in provider.asked)


async def test_only_a_certificate_that_is_trusted_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, file = certificate(tmp_path)
    async with MailProvider(context) as provider:
        provider.write(CAROL, "Hello.", NOW)
        assert (await bot(provider).send(OUT)).state is SendState.RETRY
        with pytest.raises(ssl.SSLCertVerificationError):
            await bot(provider).waiting()
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert (await bot(provider).send(OUT)).state is SendState.ACCEPTED
        found, _ = await bot(provider).waiting()
        assert [one.inbound.text for one in found] == ["Hello."]


@pytest.mark.parametrize("url", ["", "http://x", "smtp://", "smtp://[x", "smtp://h:none"])
def test_a_url_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(InvalidInput, match="HELPLINE_SMTP_URL"):
        Email(url, "imaps://a:b@h", [US])


def test_nothing_comes_by_web(monkeypatch: pytest.MonkeyPatch) -> None:
    mail: Channel = Email("smtp://localhost", "imap://localhost", [US])
    asked = WebRequest("https://x/hooks/email", {}, b"{}")
    assert not mail.is_genuine(asked)
    assert mail.parse(asked) is None and mail.parse_receipt(asked) is None


# --- the mailbox ----------------------------------------------------------------------------------


async def test_what_waits_is_read_without_marking_it(provider: MailProvider) -> None:
    provider.write(CAROL, "One.", NOW)
    provider.write(CAROL, "Two.", NOW + timedelta(minutes=1))
    found, failed = await bot(provider).waiting()
    assert [one.inbound.text for one in found] == ["One.", "Two."] and failed == 0
    assert [one.inbound.sent_at for one in found] == [NOW, NOW + timedelta(minutes=1)]
    assert not any(stored.flags for stored in provider.box)


async def test_marked_is_not_shown_again(provider: MailProvider) -> None:
    provider.write(CAROL, "One.", NOW)
    mail = bot(provider)
    found, _ = await mail.waiting()
    await mail.mark_read([one.place for one in found])
    assert await mail.waiting() == ([], 0)


async def test_numbers_of_another_mailbox_mark_nothing(provider: MailProvider) -> None:
    provider.write(CAROL, "One.", NOW)
    mail = bot(provider)
    found, _ = await mail.waiting()
    provider.validity = 2
    await mail.mark_read([one.place for one in found])
    assert not provider.box[0].flags


async def test_of_a_letter_that_is_too_large_the_beginning_is_taken(
    provider: MailProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.email.LARGEST", 2000)
    monkeypatch.setattr("bots.email.BEGINNING", 1000)
    provider.write(CAROL, "Help me. " + "x" * 5000, NOW)
    (found,), _ = await bot(provider).waiting()
    assert found.inbound.text.startswith("Help me.")
    assert int(found.inbound.extra["cut_from"]) > 5000
    assert len(found.inbound.raw) == 1000


async def test_memory_bears_what_is_read_at_once(
    provider: MailProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.email.AT_ONCE", 1000)
    for number in range(5):
        provider.write(CAROL, f"{number} " + "x" * 400, NOW)
    found, _ = await bot(provider).waiting()
    assert 1 <= len(found) < 5


async def test_a_wrong_password_raises_and_says_none(provider: MailProvider) -> None:
    url = provider.imap_url.replace("open%20the%20mailbox", "wrong")
    with pytest.raises(Exception) as refused:
        await Email(provider.smtp_url, url, [US]).waiting()
    assert "wrong" not in str(refused.value)


async def test_arrivals_are_those_somebody_else_has_read(provider: MailProvider) -> None:
    provider.write(CAROL, "Unread.", NOW)
    provider.write(CAROL, "Read.", NOW).flags.add("\\Seen")
    provider.write(CAROL, "Old.", NOW - timedelta(hours=2)).flags.add("\\Seen")
    found = await bot(provider).arrivals(NOW - timedelta(hours=1))
    assert [one.text for one in found] == ["Read."]
