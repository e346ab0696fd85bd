"""Sealing personal data at rest, and finding it again without opening everything.

AES-256-GCM under a key ring that lives outside the database, with "table.column" as associated
data so that a sealed value cannot be moved elsewhere. Look-ups go through keyed blind indexes.
`install` is called once by main and the tests; models use `Sealed`, desk uses `indexes`.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

MARK = 4
"""Bytes at the beginning of a sealed value that say which key sealed it."""
_NONCE = 12


class CannotOpen(Exception):
    """No key on the ring opens this value, or it was moved or altered. Carries no content."""


@dataclass(frozen=True)
class _Key:
    mark: bytes  # the first bytes of the key's hash: which key sealed a value
    cipher: AESGCM
    index: bytes
    audit: bytes  # proves lines of the audit trail, and opens nothing


class KeyRing:
    """32-byte keys, the first of which seals; all of them open and look up."""

    def __init__(self, keys: list[bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys):
            raise ValueError("A key ring needs one or more keys of 32 bytes.")
        self._keys = [_key(key) for key in keys]
        self._by_mark = {key.mark: key for key in self._keys}

    @property
    def mark(self) -> bytes:
        """Of the key that seals."""
        return self._keys[0].mark

    @property
    def marks(self) -> list[str]:
        """The fingerprints of all of them, hexadecimal, the one that seals first."""
        return [key.mark.hex() for key in self._keys]

    @property
    def audits(self) -> dict[bytes, bytes]:
        """Mark → the key by which lines of the audit trail are proved. It is kept, sealed, after
        its own key is gone: desk/keyring.py."""
        return {key.mark: key.audit for key in self._keys}

    def seal(self, place: str, plain: str) -> bytes:
        """`place` is "table.column"; the result is key mark, nonce and ciphertext."""
        key, nonce = self._keys[0], secrets.token_bytes(_NONCE)
        return key.mark + nonce + key.cipher.encrypt(nonce, plain.encode(), place.encode())

    def open(self, place: str, sealed: bytes) -> str:
        """The plain text; CannotOpen when the key is missing or the value is not from `place`."""
        key = self._by_mark.get(bytes(sealed[:MARK]))
        if key is None:
            raise CannotOpen(place)
        nonce, rest = sealed[MARK : MARK + _NONCE], sealed[MARK + _NONCE :]
        try:
            return key.cipher.decrypt(bytes(nonce), bytes(rest), place.encode()).decode()
        except (InvalidTag, ValueError):  # ValueError: cut off before the nonce ends
            raise CannotOpen(place) from None

    def index(self, kind: str, value: str) -> str:
        """The blind index stored beside a sealed value: equal values, equal index, no way back."""
        return _digest(self._keys[0].index, kind, value)

    def indexes(self, kind: str, value: str) -> list[str]:
        """The index under every key on the ring, for look-ups while keys are being changed."""
        return [_digest(key.index, kind, value) for key in self._keys]


def fingerprint(key: bytes) -> bytes:
    """What names a key everywhere: four bytes of its hash say nothing of the key."""
    return hashlib.sha256(key).digest()[:MARK]


def new_key() -> str:
    """A fresh key as HELPLINE_KEYS wants it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


_ring: KeyRing | None = None


def install(ring: KeyRing) -> None:
    """Make `ring` the one that sealed columns of this process use."""
    global _ring  # one ring a process: a column type is built at import, before any key is known
    _ring = ring


def ring() -> KeyRing:
    if _ring is None:
        raise RuntimeError("No key ring is installed.")
    return _ring


class Sealed(TypeDecorator[str]):
    """A text column that is sealed in the database and plain in Python."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else ring().seal(self.place, value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else ring().open(self.place, value)


def _key(key: bytes) -> _Key:
    index = hmac.digest(key, b"helpline blind index", "sha256")
    sealing = hmac.digest(key, b"helpline sealing", "sha256")
    audit = hmac.digest(key, b"helpline audit", "sha256")
    return _Key(fingerprint(key), AESGCM(sealing), index, audit)


def _digest(key: bytes, kind: str, value: str) -> str:
    return hmac.digest(key, f"{kind}\0{value}".encode(), "sha256")[:16].hex()
