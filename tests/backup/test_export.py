"""A council's export holds every row of that council, and not a word of another's."""

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Time,
    create_engine,
)
from sqlalchemy import insert as insert_into

from helpline.backup import making, restoring
from helpline.contract import load_contracts
from helpline.db import Database, checked_url, sync_url
from helpline.desk.leaving import belonging
from helpline.desk.leaving.export import Exported, export
from helpline.errors import InvalidInput
from helpline.models import Event, metadata
from helpline.sealing import Sealed, new_key
from tests import databases, folders
from tests.backup.conftest import BACKUP_KEY, quiet
from tests.backup.conftest import KEYS as SEALING
from tests.terminals import Commands
from tests.test_cli import Terminal
from tests.world import CARER, NIGHT, World, opened_world

KEYS = ("essex", "lancashire", "national", "peterborough", "stoke")


def test_every_table_belongs_to_a_council_or_says_why_not() -> None:
    undecided = {
        table.name
        for table in metadata.sorted_tables
        if table.name not in belonging.LEFT_OUT and belonging.is_of(table, "essex") is None
    }
    assert not undecided, "say in desk/leaving/belonging.py whose the rows of these are"
    gone = set(belonging.LEFT_OUT) - set(metadata.tables)
    assert not gone, "these are no tables any more"
    for name, column in belonging.BY.items():
        assert column in metadata.tables[name].c


def canary(contract: str, table: str, column: str) -> str:
    return f"canary-{contract}-{table}-{column}"


def row_of(contract: str, number: int, table: Any) -> dict[str, Any]:
    """A row of `table` that is this contract's by every column, each text a word of its own."""
    row = {column.name: value_of(contract, number, table, column) for column in table.c}
    if "content" in row:
        row["content"] = base64.b64encode(row["content"].encode()).decode()
    return row


def value_of(contract: str, number: int, table: Any, column: Any) -> Any:
    word = canary(contract, table.name, column.name)
    if column.name in ("contract", "from_contract"):
        return contract
    kind = column.type
    if isinstance(kind, Sealed):
        return word
    if isinstance(kind, JSON):
        return {"word": word}
    if isinstance(kind, Boolean):
        return True
    if isinstance(kind, Integer | Float):
        return number
    if isinstance(kind, LargeBinary):
        return word.encode()
    if isinstance(kind, DateTime) or isinstance(getattr(kind, "impl", None), DateTime):
        return NIGHT
    if isinstance(kind, Date):
        return NIGHT.date()
    if isinstance(kind, Time):
        return NIGHT.time()
    return word


@pytest.fixture
def filled(tmp_path: Path, sqlite_template: Path) -> str:
    """Every table has a row of each of five councils."""
    url = databases.new_sqlite_file(tmp_path, sqlite_template)
    engine = create_engine(sync_url(checked_url(url)))  # nobody looks at foreign keys here
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            rows = [row_of(key, number, table) for number, key in enumerate(KEYS, 1)]
            connection.execute(insert_into(table), rows)
    engine.dispose()
    return url


async def taken(url: str, contract: str, path: Path) -> Exported:
    contracts = load_contracts(folders.ALL)
    db = Database(url)
    try:
        async with db.read() as session:
            source = folders.ALL / f"{contract}.toml"
            return await export(session, contracts[contract], source, path, NIGHT)
    finally:
        await db.close()


def words_in(path: Path) -> dict[str, str]:
    """Name → text of every file of the archive."""
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name).decode("utf-8") for name in packed.namelist()}


@cache
def wanted(contract: str) -> frozenset[str]:
    """Every word that must be there."""
    return frozenset(
        canary(contract, table.name, column.name)
        for table in belonging.exported()
        for column in belonging.columns(table)
        if has_word(contract, table, column)
    )


def has_word(contract: str, table: Any, column: Any) -> bool:
    value = value_of(contract, 1, table, column)
    is_text = isinstance(value, str | dict) and column.name != "contract"
    return is_text and column.name != "from_contract"


async def test_all_of_one_council_and_nothing_of_another(filled: str, tmp_path: Path) -> None:
    for contract in KEYS:
        path = tmp_path / f"{contract}.zip"
        made = await taken(filled, contract, path)
        files = words_in(path)
        found = set(re.findall(r"canary-[a-z]+-\w+-\w+", "\n".join([*files, *files.values()])))
        ours = {word for word in found if word.startswith(f"canary-{contract}-")}
        assert not found - ours, sorted(found - ours)[:5]
        assert wanted(contract) <= ours, sorted(wanted(contract) - ours)[:5]
        left = {word.split("-")[2] for word in ours} & set(belonging.LEFT_OUT)
        assert left <= {"user"}
        assert {word for word in ours if "-user-" in word} <= {
            canary(contract, "user", "shown_name")
        }
        assert made.rows == {table.name: 1 for table in belonging.exported()}
        assert made.cases == 1
        kept = [table for table in belonging.exported() if "content" in table.c]
        assert made.files == len(kept)


def test_a_copy_takes_every_kind_of_value_there_is(filled: str, tmp_path: Path) -> None:
    """A row in every table, each column filled, comes back the same."""
    path = tmp_path / "night.copy"
    made = making.make(filled, path, BACKUP_KEY, SEALING, NIGHT, quiet)
    assert {table.rows for table in made.tables} == {len(KEYS)}
    assert restoring.verify(path, BACKUP_KEY, SEALING, quiet) == made


async def test_the_manifest_counts_and_proves_every_file(filled: str, tmp_path: Path) -> None:
    path = tmp_path / "essex.zip"
    made = await taken(filled, "essex", path)
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as packed:
        told = json.loads(packed.read("manifest.json"))
        assert set(told["sha256"]) == set(packed.namelist()) - {"manifest.json"}
        for name, digest in told["sha256"].items():
            assert hashlib.sha256(packed.read(name)).hexdigest() == digest
        assert told["rows"] == made.rows
        for name, count in made.rows.items():
            assert packed.read(f"data/{name}.jsonl").count(b"\n") == count
    with pytest.raises(InvalidInput, match="is there already"):
        await taken(filled, "essex", path)


async def test_a_spreadsheet_works_nothing_out_and_pages_run_nothing(
    one_council: World, tmp_path: Path
) -> None:
    world = one_council
    for bad in ('=HYPERLINK("http://x","y")', "+1+1", "-2", "@SUM(1)", "\t=1", " =1"):
        await world.sms(CARER, bad)
    await world.sms(CARER, "<script>alert(1)</script>")
    path = tmp_path / "essex.zip"
    await taken(world.house.settings.database_url, "essex", path)
    files = words_in(path)
    cells = [
        cell
        for name, text in files.items()
        if name.endswith(".csv")
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")))
        for cell in row
    ]
    assert '\'=HYPERLINK("http://x","y")' in cells
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    pages = [text for name, text in files.items() if name.endswith(".html")]
    assert not [page for page in pages if "<script" in page]
    reference = (await world.case_of(CARER)).reference
    assert "&lt;script&gt;" in files[f"cases/{reference}.html"]
    assert reference in files["index.html"]
    assert (
        '"=HYPERLINK' in files["data/contact.jsonl"] or "=HYPERLINK" in files["data/contact.jsonl"]
    )


@pytest.fixture
async def one_council(tmp_path: Path, sqlite_template: Path) -> Any:
    async with opened_world(databases.new_sqlite_file(tmp_path, sqlite_template)) as world:
        yield world


async def test_it_is_the_same_from_postgresql(world: World, tmp_path: Path) -> None:
    await world.sms(CARER, "Please ring me")
    path = tmp_path / "essex.zip"
    made = await taken(world.house.settings.database_url, "essex", path)
    assert made.cases == 1
    assert "Please ring me" in words_in(path)["data/contact.jsonl"]


async def test_a_lead_takes_it_and_that_is_written_down(
    one_council: World, tmp_path: Path, commands: Commands
) -> None:
    await one_council.sms(CARER, "Please ring me")
    terminal = Terminal(tmp_path, one_council.house.settings.database_url, commands)
    words = ("export", "contract", "--contract", "essex", "-o", "essex.zip", "--by")
    assert "Your sign-in does not allow this" in terminal.fails(*words, "wasim")
    assert "Nobody signs in as" in terminal.fails(*words, "nobody")
    assert not (tmp_path / "essex.zip").exists()
    said = terminal.succeeds(*words, "leonie")
    assert "1 cases" in said
    assert "hand it over encrypted" in said
    events = [row.kind for row in await one_council.all(Event)]
    assert "contract.exported" in events
    other = terminal.run(*words, "leonie", keys=new_key())
    assert other.returncode == 1
