"""A file that is encrypted in pieces, so that it can be written and read without holding it whole.

AES-256-GCM under a key derived from the backup key and the file's own salt. Each piece's number,
and whether it is the last, are part of its nonce: a piece that is changed, moved, left out or added
does not open, and neither does a file that ends too early. Used by making.py and restoring.py.
"""

import hmac
import secrets
import struct
from collections.abc import Iterator
from typing import IO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from helpline.errors import InvalidInput

MAGIC: Final = b"helpline copy 1\n"
PIECE: Final = 1 << 20
"""Bytes of plain text in a piece; the last may be shorter."""
SALT, MARK, TAG = 16, 4, 16
LENGTH: Final = struct.Struct(">I")


class Writer:
    """Encrypts what is written to it into `file`; `close` writes the last piece and leaves the file
    open."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        salt = secrets.token_bytes(SALT)
        self._file, self._head = file, MAGIC + mark_of(key) + salt
        self._cipher, self._number, self._waiting = _cipher(key, salt), 0, bytearray()
        file.write(self._head)

    def write(self, content: bytes) -> None:
        self._waiting += content
        while len(self._waiting) > PIECE:
            piece = bytes(self._waiting[:PIECE])
            del self._waiting[:PIECE]
            self._put(piece, is_last=False)

    def close(self) -> None:
        self._put(bytes(self._waiting), is_last=True)

    def _put(self, piece: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, is_last), piece, self._head)
        self._file.write(LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


def pieces(file: IO[bytes], key: bytes, name: str) -> Iterator[bytes]:
    """The plain pieces of what `Writer` wrote, each given only once it was proved. InvalidInput
    says in one sentence why `name` cannot be used."""
    head = file.read(len(MAGIC) + MARK + SALT)
    if not head.startswith(MAGIC) or len(head) < len(MAGIC) + MARK + SALT:
        raise InvalidInput(f"{name} is no copy made by `helpline backup`.")
    made_with = head[len(MAGIC) : len(MAGIC) + MARK]
    if not hmac.compare_digest(made_with, mark_of(key)):
        raise InvalidInput(
            f"{name} was made with another backup key (marked {made_with.hex()}; that in "
            f"HELPLINE_BACKUP_KEY is marked {mark_of(key).hex()}). Give the key it was made with."
        )
    cipher, number, following = _cipher(key, head[-SALT:]), 0, _sealed(file)
    while following is not None:
        sealed, following = following, _sealed(file)
        try:
            plain = cipher.decrypt(_nonce(number, following is None), sealed, head)
        except InvalidTag:
            raise _damaged(name) from None
        yield plain
        number += 1
    if not number:
        raise _damaged(name)


def mark_of(key: bytes) -> bytes:
    """Tells keys apart and says nothing about them."""
    return hmac.digest(key, b"helpline backup mark", "sha256")[:MARK]


def _damaged(name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is damaged, was changed, or was cut off: nothing in it can be relied on. Use "
        "another copy."
    )


def _sealed(file: IO[bytes]) -> bytes | None:
    """The next piece as it stands in the file; whatever is too short or too long does not open."""
    length = file.read(LENGTH.size)
    if not length:
        return None
    wanted = LENGTH.unpack(length)[0] if len(length) == LENGTH.size else 0
    sealed = file.read(min(wanted, PIECE + TAG))
    return sealed if len(sealed) == wanted else b""


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt, b"helpline backup").derive(key)
    return AESGCM(derived)
