"""Folders of contracts for tests: all that come along, or only some, with what they name beside
them. A world that needs one council has one, so that nothing of another is loaded and watched."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

ALL = Path(__file__).parents[1] / "contracts"
SHARED = ("calendars", "measures", "pathway")


def laid_out(folder: Path, *keys: str) -> Path:
    """Lay these contracts into a folder, and whatever they name."""
    for shared in SHARED:
        shutil.copytree(ALL / shared, folder / shared)
    for key in keys:
        for file in ALL.glob(f"{key}*.*"):
            shutil.copy(file, folder)
    return folder


@functools.cache
def only(*keys: str) -> Path:
    """A folder with these contracts alone, for as long as this process lives."""
    folder = Path(tempfile.mkdtemp(prefix="helpline-contracts-"))
    atexit.register(_take_away, folder, os.getpid())
    return laid_out(folder, *keys)


def _take_away(folder: Path, maker: int) -> None:
    if os.getpid() == maker:  # a process forked from it may end sooner
        shutil.rmtree(folder, ignore_errors=True)


def essex() -> Path:
    """Where one council is enough."""
    return only("essex")
