"""Reading one e-mail, however broken or hostile: bytes in, an Inbound out. Used by bots/email.

Nothing here raises: what cannot be taken apart is kept as UNREADABLE. No archive is opened, no
picture decoded, nothing is fetched. The whole letter goes along in `raw`, one character a byte.
"""

import email
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from hashlib import sha256

import nh3

from bots import LONGEST_ADDRESS, is_address
from helpline.channels import Inbound, Media
from helpline.vocabulary import Fault, ItemKind

CHANNEL = "email"
MOST_PARTS = 50
"""Attachments noted one by one; of a letter with more, the whole of it is handed out instead."""
LONGEST_TEXT = 500_000
"""Characters of text that are taken out of a letter; the rest stays in `raw`."""
TOLD = (
    "auto-submitted precedence x-auto-response-suppress x-autoreply x-autorespond list-id "
    "list-unsubscribe feedback-id return-path x-failed-recipients content-type from subject"
).split()
"""Headers that say what kind of letter it is, for those who decide."""
# The enhanced status of a refusal (RFC 3463), by its beginning → what it says about the address.
FAULTS: Mapping[str, Fault] = {
    "5.1.1": Fault.BAD_ADDRESS,  # no such mailbox
    "5.1.2": Fault.BAD_ADDRESS,  # no such host
    "5.1.3": Fault.BAD_ADDRESS,  # no address at all
    "5.1.6": Fault.BAD_ADDRESS,  # moved away
    "5.1.10": Fault.BAD_ADDRESS,  # takes no mail
    "5.2.1": Fault.BAD_ADDRESS,  # switched off
    "5.4.4": Fault.BAD_ADDRESS,  # nowhere to bring it
    "5.7": Fault.BLOCKED,  # they, or their server, keep us out
}
DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
_BLOCKS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr"}
_HIDDEN = {"script", "style", "head", "title", "noscript", "template"}
_BRACKETED = re.compile(r"<([^<>\s]{1,300})>")
_NEW_LINE = re.compile(r"<(?:br|hr|/p|/div|/li|/tr|/h[1-6]|/blockquote)\b[^>]*>")
_TAG = re.compile(r"<[^<>]*>")
ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


def read(raw: bytes, ours: Sequence[str], size: int | None = None) -> Inbound:
    """The letter as it was fetched. `ours`: the addresses of this mailbox. `size`: how large it is,
    where only its beginning was fetched."""
    letter_id = ""
    try:
        letter = email.message_from_bytes(raw)
        letter_id = _letter_id(letter, raw)
        return _inbound(letter, letter_id, raw, ours, size)
    except (Exception, RecursionError):  # MIME can be wrong in every way there is
        return Inbound(
            channel=CHANNEL,
            external_id=letter_id or "mail:" + sha256(raw).hexdigest(),
            sender="",
            recipient=ours[0] if len(ours) == 1 else "",
            text="",
            kind=ItemKind.UNREADABLE,
            raw=raw.decode("latin-1"),
        )


def fault_of(enhanced: str) -> Fault:
    """What an enhanced status says about the address it was meant for."""
    return next(
        (fault for start, fault in FAULTS.items() if f"{enhanced}.".startswith(f"{start}.")),
        Fault.NONE,
    )


def _inbound(
    letter: Message, letter_id: str, raw: bytes, ours: Sequence[str], size: int | None
) -> Inbound:
    text, media, left_out = _parts(letter, letter_id)
    if left_out or size is not None or len(text) > LONGEST_TEXT:
        media.append(_whole(letter_id))
    sender = _sender(letter)
    extra = {
        "subject": _decoded(letter, "subject")[:500],
        "headers": json.dumps(
            {name: _decoded(letter, name)[:500] for name in TOLD if name in letter}
        ),
        "message_id": _decoded(letter, "message-id")[:500],
        "refers": _refers(letter),
        **_report(letter),
        **({"left_out": str(left_out)} if left_out else {}),
        **({"cut_from": str(size)} if size is not None else {}),
    }
    return Inbound(
        channel=CHANNEL,
        external_id=letter_id,
        sender=sender,
        recipient=_recipient(letter, ours),
        text=text[:LONGEST_TEXT],
        kind=ItemKind.TEXT if sender else ItemKind.UNREADABLE,
        extra=extra,
        raw=raw.decode("latin-1"),
        media=tuple(dict.fromkeys(media)),
    )


def _letter_id(letter: Message, raw: bytes) -> str:
    """The same letter delivered twice is one, whatever servers wrote on its envelope; another
    letter under a borrowed Message-ID is another."""
    named = "\0".join(
        str(letter.get(name, "")) for name in ("message-id", "from", "date", "subject")
    )
    body = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[-1]
    return "mail:" + sha256(named.encode("utf-8", "replace") + b"\0" + body.rstrip()).hexdigest()


def _parts(letter: Message, letter_id: str) -> tuple[str, list[Media], int]:
    """The text, what is attached (at most MOST_PARTS), and how many more there are. A part's key
    ends in its place in the order of walk()."""
    plain: list[str] = []
    marked_up: list[str] = []
    media: list[Media] = []
    left_out = 0
    for number, part in _leaves(letter):
        if _is_words(part):
            (plain if part.get_content_type() == "text/plain" else marked_up).append(_words(part))
        elif part.get_content_type() in ("message/delivery-status", "text/rfc822-headers"):
            continue
        elif len(media) < MOST_PARTS:
            name, said = _file_name(part), part.get_content_type()
            media.append(Media(f"{letter_id}:{number}", said[:100], name[:120]))
        else:
            left_out += 1
    text = "\n".join(plain)
    if not text.strip():
        text = "\n".join(_without_markup(one) for one in marked_up)
    if marked_up and not text.strip():  # a drawing of words, or markup too broken to read
        media.append(_whole(letter_id))
    return text.strip(), media, left_out


def _whole(letter_id: str) -> Media:
    return Media(f"{letter_id}:all", "text/plain", "the whole e-mail")


def _leaves(letter: Message) -> Iterator[tuple[int, Message]]:
    """Parts that hold something, with their place. A letter inside the letter counts as one."""
    inside: set[int] = set()
    for number, part in enumerate(letter.walk()):
        if id(part) in inside:
            inside.update(id(child) for child in _children(part))
        elif part.get_content_maintype() == "message":
            inside.update(id(child) for child in _children(part))
            yield number, part
        elif not part.is_multipart():
            yield number, part


def _children(part: Message) -> list[Message]:
    payload = part.get_payload()
    return (
        [child for child in payload if isinstance(child, Message)]
        if isinstance(payload, list)
        else []
    )


def _is_words(part: Message) -> bool:
    is_file = part.get_content_disposition() == "attachment" or bool(_file_name(part))
    return part.get_content_type() in ("text/plain", "text/html") and not is_file


def _words(part: Message) -> str:
    """The part's text: its charset as it says, else UTF-8, else what Windows would think."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    for charset in (part.get_content_charset() or "utf-8", "utf-8"):
        try:
            return content.decode(charset)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def _without_markup(markup: str) -> str:
    """What a reader would see of HTML, as lines. nh3 reads it as a browser does, so that nothing
    broken reaches the two expressions that follow."""
    clean = nh3.clean(
        markup[: 4 * LONGEST_TEXT],
        tags=_BLOCKS,
        clean_content_tags=_HIDDEN,
        attributes={},
        link_rel=None,
    )
    flat = re.sub(r"[ \t\r\n\xa0]+", " ", clean.replace("&nbsp;", " "))
    text = html.unescape(_TAG.sub("", _NEW_LINE.sub("\n", flat)))
    lines = [line.strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _file_name(part: Message) -> str:
    try:
        return "".join(c for c in part.get_filename() or "" if c.isprintable())
    except (ValueError, LookupError, TypeError, AttributeError):
        return "unnamed"


def _decoded(letter: Message, name: str) -> str:
    """A header in plain characters on one line; what cannot be decoded stays as it came."""
    value = str(letter.get(name, ""))
    with suppress(ValueError, LookupError, UnicodeError):
        value = str(make_header(decode_header(value)))
    plain = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(plain.split())


def _addresses(letter: Message, name: str) -> list[str]:
    """The addresses in all headers of this name, small letters."""
    values = [str(value)[:20_000] for value in letter.get_all(name, [])]
    try:
        found = [address for _, address in getaddresses(values)]
    except (ValueError, TypeError, IndexError):
        found = []
    return [one.lower() for one in found if ADDRESS.fullmatch(one) and is_address(one)]


def _sender(letter: Message) -> str:
    """Who wrote: From, else whom the envelope named. Empty where nobody is."""
    for name in ("from", "sender", "return-path"):
        # Names can be written to look like addresses; what stands in brackets is none of them.
        bracketed = [one.lower() for one in _BRACKETED.findall(str(letter.get(name, ""))[:20_000])]
        plain = [one for one in bracketed[-1:] if ADDRESS.fullmatch(one) and is_address(one)]
        if found := plain or _addresses(letter, name):
            return found[0][:LONGEST_ADDRESS]
    # A report of an undelivered letter may name nobody at all.
    return "mailer-daemon" if _report(letter) else ""


def _recipient(letter: Message, ours: Sequence[str]) -> str:
    """Which of our addresses it was sent to; the tag after a plus is no part of it."""
    for name in DELIVERED:
        for address in _addresses(letter, name):
            plain = re.sub(r"\+[^@]*@", "@", address)
            if plain in ours:
                return plain
    return ours[0] if len(ours) == 1 else ""


def _refers(letter: Message) -> str:
    """Everything in which a token of ours may come back, except the text: there anybody may have
    copied it to."""
    names = (*DELIVERED, "in-reply-to", "references")
    return " ".join(str(value)[:5000] for name in names for value in letter.get_all(name, []))[
        :20_000
    ]


def _report(letter: Message) -> dict[str, str]:
    """What a mail server reports of a letter of ours (RFC 3464): action, status, its Message-ID."""
    if letter.get_content_type() != "multipart/report":
        return {}
    said: dict[str, str] = {}
    for part in letter.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in _children(part):
                action = str(block.get("action", "")).strip().lower()
                if action and said.get("action") != "failed":
                    said["action"] = action[:40]
                    said["status"] = str(block.get("status", "")).strip()[:40]
                    said["fault"] = fault_of(said["status"]).value
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            payload = part.get_payload()
            first = payload[0] if isinstance(payload, list) and payload else str(payload)
            inner = first if isinstance(first, Message) else email.message_from_string(str(first))
            said["about"] = (
                f"{said.get('about', '')} {str(inner.get('message-id', ''))[:500]}".strip()
            )
    return said
