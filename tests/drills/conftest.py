"""What is killed in the middle of its work lies on a disk and waits for it, as in earnest; the
other tests may have their SQLite files in memory (tests/conftest.py)."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="helpline-drill-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
