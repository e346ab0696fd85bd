"""How a line of the audit trail proves itself, and how the lines hang together.

A line is proved by a keyed digest of its content, made in the transaction that writes it, so that
nobody waits for anybody. One loop later ties the lines into a chain. Whoever has the database and
no key can make neither. Pure: bytes in, bytes out; desk/events and desk/chaining call it.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

MARK, NONCE = 4, 12
"""Bytes of a proof before its digest: which key made it, and what makes it unlike any other."""
AT_ONCE, LATER = b"\0", b"\1"
"""How the second begins: made with the event, or for an event of a version that made none."""
SEED: Final = b"helpline audit"
"""What the first line follows."""


class Fault(StrEnum):
    """What can be wrong with a chain; the words are desk/chaining's."""

    EDITED = "edited"  # the event is not what was written
    REMOVED = "removed"  # the event of a line is gone
    TORN = "torn"  # a line is missing, or does not follow from the one before it
    ADDED = "added"  # an event stands beside the chain that nobody wrote through the helpline
    UNPROVED = "unproved"  # a line without a proof, written after proofs began
    NO_KEY = "no_key"  # made under a key that nobody knows any more
    SHORT = "short"  # the end is missing
    OTHER = "other"  # not the chain that a digest which left the machine was taken from


def content(
    kind: str,
    at: datetime,
    contract: str | None,
    case_id: int | None,
    by_user_id: int | None,
    detail: Mapping[str, Any],
) -> bytes:
    """The same bytes for the same event, whatever database it stands in."""
    plain = json.loads(json.dumps(detail))  # what comes back from the database: no enums, no tuples
    return stored(kind, at, contract, case_id, by_user_id, plain)


def stored(
    kind: str,
    at: datetime,
    contract: str | None,
    case_id: int | None,
    by_user_id: int | None,
    plain: Mapping[str, Any],
) -> bytes:
    """The same of what was read from a database."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [kind, instant, contract, case_id, by_user_id, plain]
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def nonce(made: bytes = AT_ONCE) -> bytes:
    return made + secrets.token_bytes(NONCE - 1)


def is_late(given: bytes) -> bool:
    """Whether this proof was made for an event that came without one."""
    return bytes(given[MARK : MARK + 1]) == LATER


def proof(mark: bytes, secret: bytes, nonce: bytes, said: bytes) -> bytes:
    """`mark` names the key, `secret` is the key; 48 bytes."""
    return mark + nonce + hmac.digest(secret, b"event\0" + nonce + said, "sha256")


def is_proof_of(keys: Mapping[bytes, bytes], given: bytes, said: bytes) -> bool | None:
    """Whether the proof is of this content; None when its key is not among `keys`."""
    secret = keys.get(bytes(given[:MARK]))
    if secret is None:
        return None
    true = proof(bytes(given[:MARK]), secret, bytes(given[MARK : MARK + NONCE]), said)
    return hmac.compare_digest(true, bytes(given))


def link(
    mark: bytes, secret: bytes, before: bytes, seq: int, event_id: int, event_proof: bytes
) -> bytes:
    """The digest of a line that follows the line with the digest `before`; 36 bytes."""
    said = b"line\0%d\0%d\0" % (seq, event_id) + before + event_proof
    return mark + hmac.digest(secret, said, "sha256")


def head(mark: bytes, secret: bytes, seq: int, digest: bytes, unproved: tuple[int, int]) -> bytes:
    """The proof of where the chain ends, and of which lines may lack a proof; 36 bytes."""
    said = b"end\0%d\0%d\0%d\0" % (seq, *unproved) + digest
    return mark + hmac.digest(secret, said, "sha256")


def is_made_by(keys: Mapping[bytes, bytes], given: bytes, **line: Any) -> bool | None:
    """Whether `given` is the digest that `link` makes of the line; None without its key."""
    mark = bytes(given[:MARK])
    if mark not in keys:
        return None
    return hmac.compare_digest(link(mark, keys[mark], **line), bytes(given))


def anchor(seq: int, digest: bytes) -> str:
    """The end of a chain as it leaves the machine: short enough to be read out."""
    return f"{seq}:{bytes(digest).hex()}"


def anchored(text: str) -> tuple[int, str] | None:
    """The number and the digest of such a line, wherever they stand in it; None without any."""
    for word in text.split():
        number, colon, digest = word.strip(".,;").partition(":")
        if colon and number.isascii() and number.isdigit() and _is_digest(digest):
            return int(number), digest.lower()
    return None


def _is_digest(text: str) -> bool:
    return len(text) == 72 and all(letter in "0123456789abcdefABCDEF" for letter in text)
