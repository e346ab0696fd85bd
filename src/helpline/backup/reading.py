"""Reads a copy: decrypted, unpacked, line by line, and compared with what its manifest says.

`whole` goes through all of it and touches no database; `tables` hands out the rows. Used by
restoring.py.
"""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from helpline.backup import sealedfile
from helpline.backup.manifest import FORMAT, Begun, Counting, Kept, Manifest, read_last, read_line
from helpline.errors import InvalidInput

ROW: Final = b"["
"""How a row's line begins; every other line is about what follows."""
AT_ONCE: Final = 1 << 20
"""Bytes that are unpacked at a time, whatever a piece claims to hold."""


def whole(path: Path, backup_key: bytes, keys: Sequence[bytes]) -> Manifest:
    """The manifest of a copy of which every byte was proved and every row counted. InvalidInput
    says in one sentence what is wrong with it."""
    manifest: Manifest | None = None
    begun: Begun | None = None
    found: list[Kept] = []
    table: dict[str, Any] = {}
    counting = Counting()
    for line in _lines(path, backup_key):
        if line.startswith(ROW):
            counting.add(line)
            continue
        said = read_line(line)
        if table:
            found.append(counting.kept(table["table"], table["columns"]))
        if begun is None:
            begun = _begun(said, path)
        elif "table" in said:
            table, counting = said, Counting()
        else:
            manifest = read_last(begun, said, keys, str(path))
    if manifest is None or manifest.tables != tuple(found):
        raise InvalidInput(f"{path} does not hold what it says of itself: do not use it.")
    return manifest


def rows(path: Path, backup_key: bytes) -> Iterator[dict[str, Any] | list[Any]]:
    """What lies between the first line and the last: of each table a dict with `table` and
    `columns`, then its rows."""
    for line in _lines(path, backup_key):
        read = read_line(line)
        if line.startswith(ROW) or "table" in read:
            yield read


def _begun(said: dict[str, Any], path: Path) -> Begun:
    if said.get("format") != FORMAT:
        raise InvalidInput(f"{path} was made by a newer version of the helpline: use that one.")
    return Begun(
        made_at=said["made_at"],
        version=said["version"],
        migration=tuple(said["migration"]),
        keys=tuple(said["keys"]),
        database=said["database"],
    )


def _lines(path: Path, backup_key: bytes) -> Iterator[bytes]:
    rest = b""
    for piece in _unpacked(path, backup_key):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        raise InvalidInput(f"{path} ends in the middle of a line: do not use it.")


def _unpacked(path: Path, backup_key: bytes) -> Iterator[bytes]:
    unpacking = zlib.decompressobj()
    try:
        with path.open("rb") as file:
            for piece in sealedfile.pieces(file, backup_key, str(path)):
                while piece:
                    yield unpacking.decompress(piece, AT_ONCE)
                    piece = unpacking.unconsumed_tail
        yield unpacking.flush()
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.") from None
    except zlib.error:
        raise InvalidInput(f"{path} cannot be unpacked: do not use it.") from None
