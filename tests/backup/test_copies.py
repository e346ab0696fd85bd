"""A copy is whole and comes back on either database; whatever is wrong with one is one sentence."""

import json
import sqlite3
import struct
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from helpline.backup import holding, making, manifest, reading, restoring, sealedfile
from helpline.db import checked_url, sync_url
from helpline.errors import InvalidInput
from helpline.models import Event, metadata
from tests import databases
from tests.backup.conftest import AT, BACKUP_KEY, KEYS, quiet
from tests.test_moving import rows_in
from tests.world import World

OTHER = bytes(32)


def counts(url: str) -> dict[str, int]:
    engine = create_engine(sync_url(checked_url(url)))
    with engine.connect() as connection:
        found = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


def back(copied: Path, url: str) -> restoring.Restored:
    return restoring.restore(copied, url, BACKUP_KEY, KEYS, AT + timedelta(hours=6), quiet)


def test_everything_comes_back_on_either_database_and_goes_over_again(
    busy: World, copied: Path, empty_postgres: str, tmp_path: Path, sqlite_template: Path
) -> None:
    was = counts(busy.house.settings.database_url)
    here = databases.new_sqlite_file(tmp_path, sqlite_template)
    manifests = [back(copied, url).manifest for url in (empty_postgres, here)]
    added = {"restored_copy", "held_back"}
    for url in (empty_postgres, here):
        now = counts(url)
        assert {n: c for n, c in now.items() if n not in added} == {
            n: c for n, c in was.items() if n not in added
        }
        assert now["case"] == 2
    assert manifests[0] == manifests[1]
    # and from PostgreSQL to SQLite, with what is held
    again, third = tmp_path / "again.copy", databases.new_sqlite_file(tmp_path, sqlite_template)
    making.make(empty_postgres, again, BACKUP_KEY, KEYS, AT, quiet)
    assert restoring.verify(again, BACKUP_KEY, KEYS, quiet).rows == rows_in(empty_postgres)
    twice = back(again, third)
    assert twice.held == back_held(empty_postgres)


def back_held(url: str) -> holding.Held:
    engine = create_engine(sync_url(checked_url(url)))
    with engine.connect() as connection:
        found = dict(
            connection.execute(
                select(holding.HELD.c.kind, func.count()).group_by(holding.HELD.c.kind)
            ).all()
        )
    engine.dispose()
    return holding.Held(
        found.get("message", 0), found.get("rung", 0) + found.get("act", 0), found["deadline"]
    )


async def test_a_copy_is_of_one_instant_while_the_helpline_goes_on(
    busy: World, tmp_path: Path
) -> None:
    url, path = busy.house.settings.database_url, tmp_path / "now.copy"
    before = await busy.count(Event)

    def meanwhile(table: str, rows: int) -> None:
        if table == "case":  # events are copied long after cases
            with sqlite3.connect(url.removeprefix("sqlite:///")) as other:
                other.execute(
                    "INSERT INTO event (kind, at, detail) VALUES ('odd', '2026-11-03', '{}')"
                )

    made = making.make(url, path, BACKUP_KEY, KEYS, AT, meanwhile)
    assert await busy.count(Event) == before + 1
    assert {table.name: table.rows for table in made.tables}["event"] == before
    assert restoring.verify(path, BACKUP_KEY, KEYS, quiet) == made


def test_a_copy_holds_nothing_that_can_be_read_and_no_key(copied: Path, busy: World) -> None:
    content = copied.read_bytes()
    assert copied.stat().st_mode & 0o077 == 0
    for word in (b"case", b"Wasim", b"essex", b"tablets", *KEYS, BACKUP_KEY):
        assert word not in content
    with copied.open("rb") as file:
        plain = b"".join(sealedfile.pieces(file, BACKUP_KEY, "x"))
    assert KEYS[0] not in plain
    lines = list(reading._lines(copied, BACKUP_KEY))
    first = json.loads(lines[0])
    assert first["keys"] == [manifest.mark_of(KEYS[0])]
    assert not [line for line in lines if b"+447700900123" in line or b"hit him" in line]


def test_every_way_to_damage_a_copy_is_seen_and_changes_nothing(
    copied: Path, tmp_path: Path
) -> None:
    good, head = copied.read_bytes(), len(sealedfile.MAGIC) + 4 + 16
    whole, middle = [good[:head]], len(good) // 2
    rest = good[head:]
    while rest:
        length = struct.unpack(">I", rest[:4])[0]
        whole.append(rest[: 4 + length])
        rest = rest[4 + length :]
    torn = {
        "one bit": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
        "one byte short": good[:-1],
        "half": good[: len(good) // 2],
        "head only": good[:head],
        "a piece more": good + whole[-1],
        "a byte more": good + b"\0",
        "a piece of nothing": good[:head] + struct.pack(">I", 0) + good[head:],
        "a huge length": good[:head] + struct.pack(">I", 2**32 - 1) + good[head + 4 :],
        "another salt": good[: head - 1] + bytes([good[head - 1] ^ 1]) + good[head:],
    }
    for name, content in torn.items():
        path, target = tmp_path / "torn.copy", tmp_path / "target.db"
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match="damaged, was changed, or was cut off"):
            back(path, f"sqlite:///{target}")
        assert not target.exists(), name


def test_pieces_in_another_order_or_left_out_do_not_open(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        writer = sealedfile.Writer(file, OTHER)
        for number in range(5):
            writer.write(bytes([number]) * sealedfile.PIECE)
        writer.close()
    content, size = path.read_bytes(), sealedfile.PIECE + sealedfile.TAG + 4
    head = len(content) % size if len(content) % size else 0
    head = len(sealedfile.MAGIC) + sealedfile.MARK + sealedfile.SALT
    pieces = [content[head + n * size : head + (n + 1) * size] for n in range(5)]
    assert read(path, content) == b"".join(bytes([n]) * sealedfile.PIECE for n in range(5))
    for order in ([1, 0, 2, 3, 4], [0, 1, 2, 3], [0, 2, 3, 4], [0, 0, 1, 2, 3, 4], [4]):
        with pytest.raises(InvalidInput, match="damaged"):
            read(path, content[:head] + b"".join(pieces[n] for n in order))


def read(path: Path, content: bytes) -> bytes:
    path.write_bytes(content)
    with path.open("rb") as file:
        return b"".join(sealedfile.pieces(file, OTHER, "x"))


def test_wrong_keys_and_wrong_files_are_one_sentence(copied: Path, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/target.db"

    def refused(path: Path, backup_key: bytes = BACKUP_KEY, keys: list[bytes] = KEYS) -> str:
        with pytest.raises(InvalidInput) as found:
            restoring.restore(path, target, backup_key, keys, AT, quiet)
        assert not (tmp_path / "target.db").exists()
        return str(found.value)

    said = refused(copied, OTHER)
    assert "was made with another backup key" in said
    assert sealedfile.mark_of(BACKUP_KEY).hex() in said
    assert "which is not in HELPLINE_KEYS" in refused(copied, keys=[OTHER])
    other = tmp_path / "letter.txt"
    other.write_text("Dear Sir or Madam")
    assert "is no copy made by `helpline backup`" in refused(other)
    assert "Cannot read" in refused(tmp_path / "none.copy")


def test_a_copy_signed_by_nobody_of_ours_is_refused(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: World
) -> None:
    """Whoever has the backup key alone can write a file that opens, and still no copy of ours."""
    forged = tmp_path / "forged.copy"
    monkeypatch.setattr(manifest, "signature", lambda *_: "0" * 64)
    making.make(busy.house.settings.database_url, forged, BACKUP_KEY, KEYS, AT, quiet)
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match=r"The signature of .* is not ours"):
        back(forged, f"sqlite:///{tmp_path}/target.db")


def test_a_database_with_anything_in_it_is_refused(
    copied: Path, busy: World, empty_postgres: str, tmp_path: Path
) -> None:
    url = busy.house.settings.database_url
    with pytest.raises(InvalidInput, match="is not empty: there are rows in"):
        back(copied, url)
    engine = create_engine(sync_url(checked_url(empty_postgres)))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE photographs (id integer)"))
    with pytest.raises(InvalidInput, match="holds something else"):
        back(copied, empty_postgres)
    engine.dispose()


def test_a_row_that_comes_back_changed_stops_everything(
    copied: Path, empty_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = restoring.put

    def careless(table: object, names: object, rows: object, to: object) -> int:
        count = put(table, names, rows, to)  # type: ignore[arg-type]
        if table.name == "contact":  # type: ignore[attr-defined]
            to.execute(text("UPDATE contact SET channel = 'smss' WHERE id = 2"))  # type: ignore[attr-defined]
        return count

    monkeypatch.setattr(restoring, "put", careless)
    with pytest.raises(InvalidInput, match="“contact” reads differently"):
        back(copied, empty_postgres)
    assert rows_in(empty_postgres) == 0


def test_a_copy_of_a_newer_version_is_refused_by_name(
    busy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, path = making._begun, tmp_path / "newer.copy"

    def newer(*given: object) -> manifest.Begun:
        made = begun(*given)  # type: ignore[arg-type]
        return manifest.Begun(made.made_at, "9.0", ("9999",), made.keys, made.database)

    monkeypatch.setattr(making, "_begun", newer)
    making.make(busy.house.settings.database_url, path, BACKUP_KEY, KEYS, AT, quiet)
    with pytest.raises(InvalidInput, match=r"newer version of the helpline \(9\.0, step 9999\)"):
        back(path, f"sqlite:///{tmp_path}/target.db")


def test_a_full_disk_leaves_no_file(busy: World, tmp_path: Path) -> None:
    path = tmp_path / "there" / "night.copy"
    with pytest.raises(InvalidInput, match=r"Cannot write .*: No such file or directory"):
        making.make(busy.house.settings.database_url, path, BACKUP_KEY, KEYS, AT, quiet)
    there = tmp_path / "old.copy"
    there.write_text("x")
    with pytest.raises(InvalidInput, match="is there already"):
        making.make(busy.house.settings.database_url, there, BACKUP_KEY, KEYS, AT, quiet)
    assert there.read_text() == "x"
