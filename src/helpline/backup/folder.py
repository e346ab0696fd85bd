"""A folder of copies: what they are called, which of them stay, one daily copy from start to end.

Called by `helpline backup` with a folder, and by the process of the daily job (__main__.py). A copy
is let go only when a newer one was read back whole.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from helpline.backup import making, restoring
from helpline.errors import InvalidInput

PATTERN: Final = "helpline-*.copy"
KEEP: Final = 7


@dataclass(frozen=True)
class Copied:
    """What was written and read back. `size`: bytes of the file."""

    name: str
    rows: int
    size: int


def named(folder: Path, now: datetime) -> Path:
    return folder / f"helpline-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.copy"


def copy_into(
    folder: Path,
    url: str,
    backup_key: bytes,
    keys: Sequence[bytes],
    now: datetime,
    say: making.Say,
    keep: int = KEEP,
) -> Copied:
    """Make a copy in the folder, read it back, and let go of all but the newest `keep`. One that
    cannot be read back does not stay, and then no older one goes."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for torn in folder.glob(f"{PATTERN}.part"):  # of a process that was killed
            torn.unlink()
    except OSError as error:
        raise InvalidInput(f"Cannot use the folder {folder}: {error.strerror}.") from None
    path = named(folder, now)
    making.make(url, path, backup_key, keys, now, say)
    try:
        manifest = restoring.verify(path, backup_key, keys, lambda *_: None, folder)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    for old in sorted(folder.glob(PATTERN))[:-keep]:
        with contextlib.suppress(OSError):
            old.unlink()
    return Copied(path.name, manifest.rows, path.stat().st_size)
