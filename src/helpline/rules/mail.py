"""What an e-mail is and what of it is new: bounces, automatic answers, lists, quotations, and the
token by which an answer finds its case.

Called by desk/letters and desk/mailing with plain values; decides by headers (RFC 3834, RFC 3464),
never by guessing from a subject to which case a letter belongs. Where it is not sure, a letter
counts as written by a person: a needless answer does less harm than a carer nobody reads.
"""

import email
import re
from collections.abc import Iterable, Mapping, Sequence
from email.message import Message
from enum import StrEnum

LONGEST_SHOWN = 20_000
"""Characters of a letter that stand on the timeline; the rest can be downloaded."""
MARK = "--- Please write above this line ---"
"""Stands above our own words in every letter we send: below it nothing is new."""

_TOKEN = re.compile(r"h([0-9]{1,18})-([0-9a-f]{20})", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"\s*<([!-;=?-~]{1,120}@[!-;=?-~]{1,120})>\s*")
_ATTRIBUTION = re.compile(
    r"(?:on|am|le|el|il|op|den)\b.{0,300}(?:wrote|schrieb|a écrit|escribió)\b.{0,100}:"
)
_SEPARATOR = re.compile(
    r"-{2,}\s*(?:original message|forwarded message|original appointment)\s*-{2,}"
)
_OUTLOOK = re.compile(
    r"(?:\*?from:\*?|\*?sent:\*?|\*?to:\*?|\*?subject:\*?|\*?date:\*?|\*?cc:\*?)\s"
)
_REPLY_MARKS = re.compile(
    r"^(?:\s*(?:re|fw|fwd|aw|wg|sv|antw)\s*(?:\[\d+\])?\s*:)+\s*", re.IGNORECASE
)
_AWAY = re.compile(
    r"\s*(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office|autoreply"
    r"|abwesenheits|automatische antwort|réponse automatique)",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"(?:sent (?:from|via) |get outlook for |envoyé de )", re.IGNORECASE)
_ROBOTS = ("mailer-daemon", "postmaster", "mail-daemon")


class Sort(StrEnum):
    """What kind of letter it is, and so what may follow from it."""

    LETTER = "letter"  # a person wrote it
    BOUNCE = "bounce"  # a mail server says that ours did not arrive
    DELAY = "delay"  # a mail server says that it is still trying
    AWAY = "away"  # a program answered ours: it is nobody's answer
    BULK = "bulk"  # a list or a machine: read by a person, answered by none of our programs
    OWN = "own"  # one of ours, come back


# --- the token -----------------------------------------------------------------------------------


def token(message_id: int, digest: str) -> str:
    """Names one message of ours in an address or a Message-ID. `digest`: a keyed hash of the same
    id in hexadecimal, of which 80 bits are used. Letters are small: mail servers fold case."""
    return f"h{message_id}-{digest[:20]}"


def tokens_in(*texts: str) -> list[tuple[int, str]]:
    """Every (message id, digest) that looks like a token, in order, each once; at most 50. Whether
    one is ours, only the key can tell."""
    found: dict[tuple[int, str], None] = {}
    for text in texts:
        for match in _TOKEN.finditer(text[:50_000]):
            found[int(match[1]), match[2].lower()] = None
            if len(found) >= 50:
                return list(found)
    return list(found)


def with_plus(address: str, tag: str) -> str:
    """`name@host` → `name+tag@host`: the same mailbox, and the tag comes back with an answer."""
    name, _, host = address.rpartition("@")
    return f"{name}+{tag}@{host}"


def answerable_id(header: str) -> str:
    """The Message-ID in this header, without brackets, if our answer may name it: one id in plain
    visible letters, at most 241 of them (RFC 5322, 3.6.4), so that nothing in it can end a line or
    begin another. Empty for anything else; the answer then begins a thread of its own."""
    found = _MESSAGE_ID.fullmatch(header[:400])
    return found[1] if found and found[1].count("@") == 1 else ""


# --- what it is ----------------------------------------------------------------------------------


def sort_of(headers: Mapping[str, str], status: str, *, answers_us: bool, is_ours: bool) -> Sort:
    """`headers` by lower-case name; `status` is the Action of a delivery report (RFC 3464), empty
    without one; `answers_us`: it carries a token of ours; `is_ours`: its own Message-ID is one."""
    if is_ours:
        return Sort.OWN
    if status:
        return Sort.BOUNCE if status == "failed" else Sort.DELAY
    if _says_undelivered(headers):
        return Sort.BOUNCE
    automatic = _word(headers, "auto-submitted")
    if automatic == "auto-replied" or _word(headers, "precedence") == "auto_reply":
        return Sort.AWAY
    if "x-autoreply" in headers or "x-autorespond" in headers:
        return Sort.AWAY
    if "disposition-notification" in headers.get("content-type", "").lower():
        return Sort.AWAY  # "your message was read", said by a program
    if answers_us and _AWAY.match(bare_subject(headers.get("subject", ""))):
        return Sort.AWAY  # the old ones mark nothing but the subject
    if automatic not in ("", "no") or _word(headers, "precedence") in ("bulk", "list", "junk"):
        return Sort.BULK
    if {"list-id", "list-unsubscribe", "feedback-id"} & headers.keys():
        return Sort.BULK
    suppress = {
        part.strip() for part in headers.get("x-auto-response-suppress", "").lower().split(",")
    }
    if suppress & {"all", "autoreply", "oof"}:
        return Sort.BULK
    return Sort.BULK if _word(headers, "return-path") == "<>" else Sort.LETTER


def _says_undelivered(headers: Mapping[str, str]) -> bool:
    """Reports of servers that know no RFC 3464: from the mail system itself, to nobody."""
    is_robot = headers.get("from", "").lower().partition("@")[0].endswith(_ROBOTS)
    is_report = _word(headers, "content-type").startswith("multipart/report")
    nowhere = _word(headers, "return-path") == "<>" or "x-failed-recipients" in headers
    return is_robot and (nowhere or is_report)


def _word(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").partition(";")[0].strip().lower()


# --- what of it is new ---------------------------------------------------------------------------


def bare_subject(subject: str) -> str:
    """The subject without Re:, Fwd: and the like, on one line."""
    return _REPLY_MARKS.sub("", " ".join(subject[:500].split()))


def new_words(text: str) -> tuple[str, bool]:
    """What the writer added, and whether anything was left out (quotations, length).

    Only the end is cut, and only where all of it is a quotation: quoted with ">" to the last line,
    or standing below our own MARK. Whatever somebody wrote below or between quotations stays, and
    of a letter that is nothing but a quotation everything stays."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut = min(_below_mark(lines), _quoted_end(lines))
    shown = "\n".join(lines[:cut]).strip()
    if not shown:
        shown, cut = "\n".join(lines).strip(), len(lines)
    return shown[:LONGEST_SHOWN].rstrip(), cut < len(lines) or len(shown) > LONGEST_SHOWN


def without_signature(text: str) -> str:
    """The words without what a program puts below them by itself: "Sent from my iPhone", and what
    follows the line of two dashes. For reading a one-word answer; a timeline shows all of it."""
    lines = text.strip().split("\n")
    for number, line in enumerate(lines):
        if number and line.rstrip() == "--" and len(lines) - number <= 12:
            lines = lines[:number]
            break
    while len(lines) > 1 and (not lines[-1].strip() or _SIGNED.match(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines).strip()


def _below_mark(lines: Sequence[str]) -> int:
    """Where our own letter begins, with the lines above it that only say whose it is. Where it is
    quoted with ">" and somebody wrote in between, nothing is cut."""
    for number, line in enumerate(lines):
        bare = line.lstrip("> \t")
        if bare.startswith(MARK):
            is_quoted = line.lstrip().startswith(">")
            if is_quoted and not _all_quoted(lines[number:]):
                return len(lines)
            return _without_heading(lines, number)
    return len(lines)


def _quoted_end(lines: Sequence[str]) -> int:
    """Where a block of ">" lines begins that goes on to the end."""
    first = len(lines)
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number].strip()
        if line.startswith(">"):
            first = number
        elif line:
            break
    return _without_heading(lines, first) if first < len(lines) else first


def _all_quoted(lines: Iterable[str]) -> bool:
    return all(not line.strip() or line.lstrip().startswith(">") for line in lines)


def _without_heading(lines: Sequence[str], end: int) -> int:
    """Lines just above a quotation that only introduce it go with it: "On … wrote:" (which mail
    programs break in two or three), "--- Original Message ---", "From: … Sent: …"."""
    start = end
    while start and end - start < 12:
        above = lines[start - 1].strip().lstrip("> ").lower()
        if not above or _OUTLOOK.match(above) or _SEPARATOR.fullmatch(above) or set(above) <= {"_"}:
            start -= 1
            continue
        wrapped = next(
            (
                size
                for size in (1, 2, 3)
                if start >= size
                and _ATTRIBUTION.fullmatch(
                    " ".join(
                        part.strip().lstrip("> ") for part in lines[start - size : start]
                    ).lower()
                )
            ),
            0,
        )
        if not wrapped:
            break
        start -= wrapped
    return start


# --- what came with it ---------------------------------------------------------------------------


def part_of(raw: bytes, number: int) -> bytes | None:
    """The content of the part that stands at `number` when the parts are walked from 0; None where
    there is none. Archives are not opened."""
    try:
        for at, part in enumerate(email.message_from_bytes(raw).walk()):
            if at == number:
                return _content(part)
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError):
        return None
    return None


def _content(part: Message) -> bytes | None:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        first = inner[0] if isinstance(inner, list) and inner else None
        return first.as_bytes() if isinstance(first, Message) else None
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else None
