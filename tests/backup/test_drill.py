"""The drill of the copy, small enough for every run: brought back and left alone, with every loop
at work, it sends nothing; a new emergency is answered and rings; let go, what waited leaves."""

from pathlib import Path

from tests import databases
from tests.drills.restore import PROMISES, WAITING, drill


async def test_brought_back_and_left_alone_nothing_leaves(
    tmp_path: Path, sqlite_template: Path
) -> None:
    source = databases.new_sqlite_file(tmp_path, sqlite_template)
    target = f"sqlite:///{tmp_path}/back.db"
    found = await drill(source, target, tmp_path, cases=20, is_small=True)
    assert found.is_kept, found
    assert found.answered == 2
    assert (found.held.messages, found.held.deadlines) == (WAITING, PROMISES)
    assert found.released > WAITING, "the messages, and one page to whoever is on call"
