"""The commands about the audit trail and the keys, as a person at a terminal meets them."""

import asyncio
import sqlite3
from pathlib import Path

from helpline import sealing
from helpline.db import Database
from tests.drills import tamper
from tests.keys import RAW_TEST_KEY, TEST_KEY
from tests.test_cli import Terminal
from tests.test_cli import terminal as terminal

MARK = sealing.fingerprint(RAW_TEST_KEY).hex()


def database(terminal: Terminal) -> str:
    return terminal.env["HELPLINE_DATABASE_URL"]


def lived_in(terminal: Terminal) -> None:
    async def write() -> None:
        db = Database(database(terminal))
        await tamper.write_trail(db, 12, seed=1)
        await db.close()

    asyncio.run(write())


def test_the_trail_is_whole_until_somebody_changes_a_line(terminal: Terminal) -> None:
    lived_in(terminal)
    said = terminal.succeeds("audit", "verify").splitlines()
    assert said[0] == "Whole: 12 lines, up to 2026-09-01 08:00:11 UTC."
    terminal.succeeds("audit", "verify", "--line", f"2026-09-02 {said[1]}")
    exported = terminal.folder / "trail.jsonl"
    assert terminal.succeeds("audit", "export", "-o", str(exported)).endswith("12 lines.\n")
    assert len(exported.read_text().splitlines()) == 12
    connection = sqlite3.connect(database(terminal).removeprefix("sqlite:///"))
    with connection:
        connection.execute("UPDATE event SET kind = 'x.y' WHERE id = 7")
    connection.close()
    assert "line 7 (event 7) of 2026-09-01 08:00:06 UTC is not what was written" in terminal.fails(
        "audit", "verify"
    )
    assert "4711" in terminal.fails("audit", "verify", "--line", "no such line")
    assert "no new lines without" in terminal.fails("audit", "accept", "--to", "5")


def test_keys_are_changed_checked_and_never_shown(terminal: Terminal, tmp_path: Path) -> None:
    lived_in(terminal)
    new = terminal.run("keys", "new").stdout.decode().strip()
    assert len(new) == 43
    warned = terminal.succeeds("check")
    assert f"There may be only this one copy of {MARK}" in warned
    copy = tmp_path / "copy"
    copy.write_text(f"HELPLINE_KEYS={TEST_KEY}\n")
    assert "is written down" in terminal.succeeds("keys", "check", "--copy", str(copy))
    assert "only this one copy" not in terminal.succeeds("check")
    copy.write_text(new)
    assert "not" in terminal.fails("keys", "check", "--copy", str(copy))
    assert MARK in terminal.fails("serve", "--port", "0", keys=new)  # the old one is missing
    done = terminal.succeeds("keys", "rotate", keys=f"{new},{TEST_KEY}")
    assert "Nothing is left under any other key" in done
    after = terminal.succeeds("keys", "check", "--all", keys=new)
    assert MARK not in after
    assert "Everything that was looked at opens" in after
    assert terminal.succeeds("audit", "verify", keys=new).startswith("Whole: 12 lines")
    assert "lost" in terminal.run("keys", "check").stdout.decode()  # with the old one alone
    for said in (warned, done, after):
        assert new not in said
        assert TEST_KEY not in said
