"""What a copy says of itself, and the lines it is made of.

A copy is lines of JSON: first what it is, then of each table its name and columns and one line a
row, at the end how many rows and which digest each table has, signed under the key that seals. The
digest is of the lines themselves, so whatever is read back is compared by writing it again.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any, Final

from helpline.errors import InvalidInput

FORMAT: Final = 1


@dataclass(frozen=True)
class Begun:
    """The first line. `migration`: the steps of the database; `keys`: the marks of the keys on the
    ring when it was made, the first of which signed it."""

    made_at: str
    version: str
    migration: tuple[str, ...]
    keys: tuple[str, ...]
    database: str
    format: int = FORMAT


@dataclass(frozen=True)
class Kept:
    """One table of a copy. `digest`: SHA-256 of its lines, in hexadecimal."""

    name: str
    columns: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True)
class Manifest:
    begun: Begun
    tables: tuple[Kept, ...]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.begun.made_at)

    def text(self) -> str:
        """What is signed."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


class Counting:
    """Rows on their way, and what the manifest will say of them."""

    def __init__(self) -> None:
        self.rows, self._digest = 0, hashlib.sha256()

    def lines(self, rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
        """Each row as its line."""
        for row in rows:
            line = _JSON.encode(row).encode() + b"\n"
            self.add(line)
            yield line

    def add(self, line: bytes) -> None:
        self._digest.update(line)
        self.rows += 1

    def kept(self, name: str, columns: Iterable[str]) -> Kept:
        return Kept(name, tuple(columns), self.rows, self._digest.hexdigest())


def line_of(value: Any) -> bytes:
    return _JSON.encode(value).encode() + b"\n"


def read_line(line: bytes) -> Any:
    """What `line_of` wrote: times, days and bytes as such."""
    return json.loads(line, object_hook=_untagged)


def mark_of(key: bytes) -> str:
    """Names a sealing key as every value sealed under it does: the first bytes of its hash."""
    return hashlib.sha256(key).hexdigest()[:8]


def signature(manifest: Manifest, key: bytes) -> str:
    """Under a key made from the sealing key: whoever has the backup key alone cannot make one."""
    signing = hmac.digest(key, b"helpline backup manifest", "sha256")
    return hmac.new(signing, manifest.text().encode(), hashlib.sha256).hexdigest()


def last_line(manifest: Manifest, key: bytes) -> bytes:
    tables = [asdict(table) for table in manifest.tables]
    return line_of({"tables": tables, "signature": signature(manifest, key)})


def read_last(begun: Begun, read: Mapping[str, Any], keys: Sequence[bytes], name: str) -> Manifest:
    """The manifest, if one of our sealing keys signed it. InvalidInput says why not."""
    tables = tuple(
        Kept(one["name"], tuple(one["columns"]), one["rows"], one["digest"])
        for one in read["tables"]
    )
    manifest = Manifest(begun, tables)
    ours = {mark_of(key): key for key in keys}
    key = ours.get(begun.keys[0])
    if key is None:
        raise InvalidInput(
            f"{name} was made under the sealing key marked {begun.keys[0]}, which is not in "
            f"HELPLINE_KEYS (there: {', '.join(ours) or 'none'}): without it nothing in the copy "
            "could be read. Find that key and add it at the end of the list."
        )
    if not hmac.compare_digest(signature(manifest, key), str(read["signature"])):
        raise InvalidInput(f"The signature of {name} is not ours: do not use it.")
    return manifest


def _tagged(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"t": value.isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    if isinstance(value, time):
        return {"h": value.isoformat()}
    raise TypeError(type(value).__name__)


def _untagged(found: dict[str, Any]) -> Any:
    if len(found) != 1:
        return found
    (tag, value), *_ = found.items()
    match tag:
        case "b":
            return base64.b64decode(value)
        case "t":
            return datetime.fromisoformat(value)
        case "d":
            return date.fromisoformat(value)
        case "h":
            return time.fromisoformat(value)
    return found


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_tagged)
