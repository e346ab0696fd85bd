"""The day's copy makes itself, in a process of its own, keeps seven, and a lead hears when none was
good for a day; and the commands as a person types them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from helpline.backup import folder, restoring
from helpline.clock import MovableClock
from helpline.desk import backups
from helpline.desk.house import House
from helpline.engine.backups import all_made, keep_copies
from helpline.errors import InvalidInput
from helpline.models import Alert, BackupRun
from helpline.sealing import new_key
from helpline.settings import read_settings
from tests.backup.conftest import KEYS, quiet
from tests.terminals import Commands
from tests.test_cli import Terminal
from tests.world import World

BACKUP_KEY = new_key()
RAW = read_settings(backup_key=BACKUP_KEY).backup_key_bytes


def with_copies(world: World, where: Path) -> House:
    new = {"backup_dir": where, "backup_key": BACKUP_KEY}
    return replace(world.house, settings=world.house.settings.model_copy(update=new))


async def test_once_a_day_and_read_back(busy: World, tmp_path: Path) -> None:
    house, where = with_copies(busy, tmp_path / "copies"), tmp_path / "copies"
    assert await keep_copies(busy.house) == 0, "no folder, no copy"
    assert await keep_copies(house) == 1
    assert await keep_copies(replace(house, node="another")) == 0
    await all_made()
    (run,) = await busy.all(BackupRun)
    assert isinstance(run, BackupRun)
    assert run.is_good, run.failure
    path = where / run.name
    assert path.stat().st_size == run.size
    assert restoring.verify(path, RAW, KEYS, quiet).rows == run.row_count
    assert list(where.iterdir()) == [path], "nothing beside it: no plain file, no scratch database"
    async with house.db.read() as session:
        good = await backups.newest_good(session)
    assert good is not None


async def test_one_that_fails_is_tried_again_and_a_lead_hears(busy: World, tmp_path: Path) -> None:
    where = tmp_path / "a file"
    where.write_text("no folder")
    house = with_copies(busy, where)
    assert await keep_copies(house) == 1
    await all_made()
    (run,) = await busy.all(BackupRun)
    assert isinstance(run, BackupRun)
    assert not run.is_good
    assert run.failure is not None
    assert "InvalidInput at" in run.failure
    assert await keep_copies(house) == 0
    assert isinstance(busy.clock, MovableClock)
    busy.clock.forward(timedelta(hours=26, minutes=1))
    where.unlink()
    assert await keep_copies(house) == 1
    await all_made()
    told = await busy.all(Alert, Alert.key.startswith("backup:"))  # type: ignore[attr-defined]
    assert [one.rungs for one in told if isinstance(one, Alert)] == ["lead"]
    assert [one.is_good for one in await busy.all(BackupRun) if isinstance(one, BackupRun)] == [
        False,
        True,
    ]
    assert await keep_copies(house) == 0


def test_a_folder_keeps_the_newest_good_ones(busy: World, tmp_path: Path) -> None:
    url, at = busy.house.settings.database_url, busy.now
    for number in range(3):
        old = folder.named(tmp_path, at - timedelta(days=number + 1))
        old.write_bytes(b"an older one")
    (tmp_path / "helpline-20260101T000000Z.copy.part").write_bytes(b"torn")
    (tmp_path / "letter.txt").write_text("not ours to delete")
    made = folder.copy_into(tmp_path, url, RAW, KEYS, at, quiet, keep=2)
    left = sorted(path.name for path in tmp_path.iterdir() if "helpline-" in path.name)
    assert left == [folder.named(tmp_path, at - timedelta(days=1)).name, made.name]
    assert (tmp_path / "letter.txt").exists()


def test_one_that_cannot_be_read_back_does_not_stay_and_no_older_one_goes(
    busy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        folder.named(tmp_path, busy.now - timedelta(days=number + 1)).write_bytes(b"older")

    def torn(*_: object) -> None:
        raise OSError("the disk lost a byte")

    monkeypatch.setattr(restoring, "verify", torn)
    with pytest.raises(OSError, match="lost a byte"):
        folder.copy_into(
            tmp_path, busy.house.settings.database_url, RAW, KEYS, busy.now, quiet, keep=1
        )
    assert sorted(path.read_bytes() for path in tmp_path.glob("*.copy")) == [b"older"] * 3


def test_the_commands(busy: World, tmp_path: Path, commands: Commands) -> None:
    terminal = Terminal(tmp_path, busy.house.settings.database_url, commands)
    assert "HELPLINE_BACKUP_KEY is empty" in terminal.fails("backup", "-o", "night.copy")
    terminal.env["HELPLINE_BACKUP_KEY"] = BACKUP_KEY
    assert "read back whole" in terminal.succeeds("backup", "-o", "night.copy")
    assert "is there already" in terminal.fails("backup", "-o", "night.copy")
    assert "can be restored" in terminal.succeeds("restore", "night.copy", "--check")
    said = terminal.succeeds("restore", "night.copy", "--to", "sqlite:///risen.db")
    assert "messages that were waiting when this copy was made" in said
    assert "is not empty" in terminal.fails("restore", "night.copy", "--to", "sqlite:///risen.db")
    nobody = "postgresql://helpline:secret-word@127.0.0.1:9/helpline"
    refused = terminal.fails("restore", "night.copy", "--to", nobody)
    assert "does not answer" in refused
    assert "secret-word" not in refused
    assert terminal.run("restore", "night.copy").returncode == 2
    risen = {"database_url": "sqlite:///risen.db"}
    assert "promises go on" in terminal.succeeds("release", "--messages", "throw-away", **risen)
    assert "let go already" in terminal.fails("release", "--messages", "send", **risen)


def test_settings_that_could_make_no_copy_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="HELPLINE_BACKUP_KEY is empty"):
        read_settings(backup_dir=tmp_path)
    with pytest.raises(InvalidInput, match="must be another key than"):
        read_settings(keys=BACKUP_KEY, backup_key=BACKUP_KEY)
    with pytest.raises(InvalidInput, match="is not 32 bytes"):
        read_settings(backup_key="short")
    assert BACKUP_KEY not in repr(read_settings(backup_key=BACKUP_KEY))
