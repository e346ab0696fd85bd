"""What takes long to make and is then only copied is made once in a whole run, by whichever of the
test processes needs it first; the others wait for it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A file of the run and whether it is there. If not, make it within the `with`: elsewhere, and
    move it there at the end, so that what fails half-way is made anew."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each process has its own below the run's
    path = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go by closing, or by dying
        yield path, path.exists()
