"""The `helpline` command as a person meets it: a process of its own, its exit status, and on
failure one sentence that says what to do. 0 done, 1 did not work, 2 wrong usage."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests import databases, folders
from tests.keys import TEST_KEY
from tests.terminals import Commands

HELPLINE = Path(sys.executable).with_name("helpline")
PASSWORD = "three words and more"
SECRET = "hunter2-do-not-print"


class Terminal:
    """A folder with nothing in it but a migrated database, and an environment with only ours."""

    def __init__(self, folder: Path, database: str, commands: Commands) -> None:
        self.folder, self.commands = folder, commands
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "HELPLINE_DATABASE_URL": database,
            "HELPLINE_KEYS": TEST_KEY,
            "HELPLINE_CONTRACTS": str(folders.essex()),
        }

    def run(
        self, *words: str | bytes, typed: bytes = b"", **env: str
    ) -> subprocess.CompletedProcess[bytes]:
        variables = {f"HELPLINE_{name.upper()}": value for name, value in env.items()}
        return self.commands.run(words, self.env | variables, self.folder, typed)

    def starts(self, *words: str, typed: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """The same from its very beginning, as a shell starts it."""
        return subprocess.run(
            [HELPLINE, *words],
            input=typed,
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            timeout=60,
        )

    def succeeds(self, *words: str, typed: bytes = b"", **env: str) -> str:
        done = self.run(*words, typed=typed, **env)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        return done.stdout.decode()

    def fails(self, *words: str, typed: bytes = b"", **env: str) -> str:
        """The one sentence on standard error."""
        done = self.run(*words, typed=typed, **env)
        lines = done.stderr.decode().splitlines()
        assert done.returncode == 1, done
        assert len(lines) == 1, lines
        assert lines[0].startswith("helpline: ")
        assert lines[0].endswith((".", ")")), lines
        assert "Traceback" not in lines[0]
        assert SECRET not in lines[0]
        return lines[0].removeprefix("helpline: ")

    def rows(self, table: str) -> int:
        path = self.env["HELPLINE_DATABASE_URL"].removeprefix("sqlite:///")
        connection = sqlite3.connect(path)
        try:
            return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])
        finally:
            connection.close()


@pytest.fixture
def terminal(tmp_path: Path, sqlite_template: Path, commands: Commands) -> Terminal:
    return Terminal(tmp_path, databases.new_sqlite_file(tmp_path, sqlite_template), commands)


def test_a_copy_of_the_command_says_what_the_command_says(terminal: Terminal) -> None:
    """Most tests here run copies of a process that has loaded everything: tests/terminals.py."""
    for words, typed, status in (
        (["fly"], b"", 2),
        (["user", "add", "--name", "robin", "--role", "worker"], b"short\n", 1),
        (["triage", "--jsonl"], b'{"id": "1", "text": "he hit me \xc3\xa9"}\n', 0),
    ):
        real, copy = terminal.starts(*words, typed=typed), terminal.run(*words, typed=typed)
        assert real.returncode == copy.returncode == status
        assert (real.stdout, real.stderr) == (copy.stdout, copy.stderr)


# --- 2: wrong usage ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["serve", "--port", "many"],
        ["serve", "--port", "65536"],
        ["triage"],
        ["user", "add", "--name", "robin"],
        ["import", "people"],
        ["report", "quarter", "--contract", "essex"],
        ["report", "quarter", "--contract", "essex", "--period", "2026-27-Q1", "--format", "odt"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(terminal: Terminal, words: list[str]) -> None:
    done = terminal.run(*words)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


# --- 1: it did not work --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "env", "said"),
    [
        (["serve"], {"keys": ""}, "HELPLINE_KEYS is empty"),
        (["serve"], {"keys": SECRET}, "HELPLINE_KEYS"),
        (["serve"], {"database_url": "sqlite:///new/empty.db"}, "run `helpline migrate` first"),
        (["serve"], {"twilio_account_sid": "AC0"}, "HELPLINE_TWILIO_AUTH_TOKEN is empty"),
        (["migrate"], {"database_url": f"mysql://u:{SECRET}@h/d"}, "HELPLINE_DATABASE_URL must"),
        (["migrate"], {"database_url": f"postgresql://u:{SECRET}@127.0.0.1:9/d"}, "database"),
        (["import", "people", "no.csv", "--contract", "essex"], {}, "Cannot read no.csv"),
        (["import", "cases", ".", "--contract", "essex"], {}, "Cannot read ."),
        (["user", "add", "--name", "robin", "--role", "king"], {}, "There is no role"),
        (
            ["shift", "robin", "--contract", "essex", "--from", "soon", "--to", "later"],
            {},
            "is not a time",
        ),
        (
            "report quarter --contract kent --period 2026-27-Q1 -o r.html".split(),
            {},
            "There is no contract",
        ),
        (
            "report quarter --contract essex --period 2026-27 -o r.html".split(),
            {},
            "is not a quarter",
        ),
        (
            "report annual --contract essex --period yesterday -o r.html".split(),
            {},
            "yesterday",
        ),
        (
            "report annual --contract essex --period 2026-27 -o no/such/r.html".split(),
            {},
            "Cannot write no/such/r.html",
        ),
        (
            "report annual --contract essex --period 2026-27 -o r --template no.docx".split(),
            {},
            "Cannot read no.docx",
        ),
    ],
)
def test_what_does_not_work_is_1_and_one_sentence(
    terminal: Terminal, words: list[str], env: dict[str, str], said: str
) -> None:
    if words[0] == "shift":
        words = ["shift", "--name", *words[1:]]
    assert said in terminal.fails(*words, typed=PASSWORD.encode(), **env)


def test_a_taken_port_is_named(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"{port}" in terminal.fails("serve", "--port", str(port))


def test_a_host_that_is_none_is_named(terminal: Terminal) -> None:
    assert "nowhere.invalid" in terminal.fails("serve", "--host", "nowhere.invalid")


def test_a_file_that_is_no_database_is_a_sentence(terminal: Terminal) -> None:
    (terminal.folder / "odd.db").write_bytes(b"this is not a database, and long enough to see it")
    assert "database" in terminal.fails("migrate", database_url="sqlite:///odd.db")


def test_a_bad_row_is_named_and_nothing_is_imported(terminal: Terminal) -> None:
    (terminal.folder / "p.csv").write_text("person,name,kind\nP1,Robin Vale,dragon\n")
    done = terminal.run("import", "people", "p.csv", "--contract", "essex")
    assert done.returncode == 1
    assert b"2" in done.stderr.splitlines()[0]  # the line of the file
    assert b"Traceback" not in done.stderr
    assert terminal.rows("person") == 0


def test_a_broken_contract_is_named_with_file_and_key(terminal: Terminal) -> None:
    folder = terminal.folder / "contracts"
    folder.mkdir()
    (folder / "odd.toml").write_text('name = "Odd"\nsurprise = 1\n')
    done = terminal.run("check", contracts=str(folder))
    assert done.returncode == 1
    assert b"odd.toml" in done.stderr
    assert b"surprise" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(b"helpline: ")


# --- 0: it worked --------------------------------------------------------------------------------


def test_a_fresh_database_is_migrated_twice_without_harm(terminal: Terminal) -> None:
    new = f"sqlite:///{terminal.folder}/deep/new.db"
    for _ in range(2):
        assert "up to date" in terminal.succeeds("migrate", database_url=new)


def test_the_contracts_that_come_along_are_sound(terminal: Terminal) -> None:
    said = terminal.succeeds("check", contracts=str(folders.ALL))
    for key in ("essex", "lancashire", "national", "peterborough", "stoke"):
        assert f"\n{key}: " in f"\n{said}"


def test_a_contract_without_a_number_or_an_address_is_said(terminal: Terminal) -> None:
    twilio = {"twilio_account_sid": "AC1", "twilio_auth_token": "t"}
    twilio["twilio_numbers"] = "essex=+447700900000"
    mail = {"smtp_url": "smtp://h", "imap_url": "imap://h", "mailboxes": "essex=a@b.example"}
    folder = str(folders.only("essex", "stoke"))
    said = terminal.succeeds("check", contracts=folder, **twilio, **mail)
    assert "stoke: no number in HELPLINE_TWILIO_NUMBERS" in said
    assert "stoke: no address in HELPLINE_MAILBOXES" in said
    assert "essex: no" not in said


COUNT = (
    '{"code": "foster_carers", "label": "Essex foster carers", "count": 840, "as_of": "2026-10-01",'
    ' "unit": "people", "group": "foster_carer", "quadrant": null, "source": ""}'
)


def test_commands_know_what_people_changed_under_settings(terminal: Terminal) -> None:
    """`check` names it, and what fits the file no longer; a report counts with it."""
    add = ["user", "add", "--name", "leonie", "--role", "lead"]
    terminal.succeeds(*add, typed=f"{PASSWORD}\n".encode())
    connection = sqlite3.connect(terminal.env["HELPLINE_DATABASE_URL"].removeprefix("sqlite:///"))
    with connection:
        connection.executemany(
            "INSERT INTO contract_change (contract, what, number, value, valid_from, needs_second,"
            " made_at, by_user_id) VALUES ('essex', ?, 1, ?, '2020-10-02', 0,"
            " '2020-10-02 10:00:00', 1)",
            [("populations.foster_carers", COUNT), ("signposts.gone", '{"line": "x"}')],
        )
    connection.close()
    said = terminal.succeeds("check")
    assert "essex: changed under /settings: populations.foster_carers, since 2020-10-02." in said
    assert "essex: left out, it fits the file no longer: signposts.gone." in said
    period = ["--contract", "essex", "--period", "2026-27-Q1", "--format", "json", "--exact"]
    terminal.succeeds("report", "quarter", *period, "-o", "quarter.json")
    cells = json.loads((terminal.folder / "quarter.json").read_text("utf-8"))["cells"]
    found = {one["denominator"] for one in cells if one["by"] == {"carer_type": "foster_carer"}}
    assert 840 in found
    assert 822 not in found


def test_serving_with_a_broken_contract_is_refused_by_name(terminal: Terminal) -> None:
    (terminal.folder / "contracts").mkdir()
    done = terminal.run("serve", contracts="contracts")
    assert done.returncode == 1
    assert b"contracts: the folder holds no contract" in done.stderr
    (terminal.folder / "contracts" / "odd.toml").write_text("surprise = 1\n")
    done = terminal.run("serve", contracts="contracts")
    assert done.returncode == 1
    assert b"odd.toml" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_key_is_printed_and_fits(terminal: Terminal) -> None:
    key = terminal.succeeds("key").strip()
    assert "sound" in terminal.succeeds("check", keys=key)


def test_what_is_missing_is_said_on_the_machine_too(terminal: Terminal) -> None:
    fresh = terminal.run("ready")
    assert fresh.returncode == 1
    assert b"Nobody can sign in yet" in fresh.stderr and b"user add" in fresh.stderr
    add = ["user", "add", "--name", "ada", "--role", "admin"]
    added = terminal.run(*add, typed=f"{PASSWORD}\n".encode())
    assert b"/start, which says what is missing" in added.stdout
    looked = terminal.run("ready")
    assert looked.returncode == 1
    said = looked.stdout.decode()
    assert "NOT YET   Public address:" in said and "No process is running" in said
    assert said.count("Copies:") == 1 and "essex:" in said
    assert b"not yet. The first of them is what to do next." in looked.stderr


def test_a_user_is_added_once(terminal: Terminal) -> None:
    add = ["user", "add", "--name", "robin", "--role", "worker", "--mobile", "07700 900905"]
    assert "robin can sign in" in terminal.succeeds(*add, typed=f"{PASSWORD}\n".encode())
    assert "already" in terminal.fails(*add, typed=f"{PASSWORD}\n".encode())
    assert terminal.rows("user") == 1


@pytest.mark.parametrize(
    ("more", "typed", "said"),
    [
        ([], b"", "at least 12"),
        ([], b"short\n", "at least 12"),
        (["--contract", "kent"], b"three words and more\n", "There is no contract"),
        (["--mobile", "my phone"], b"three words and more\n", "is not a telephone number"),
        (["--mobile", "12"], b"three words and more\n", "is not a telephone number"),
    ],
)
def test_a_user_is_refused_in_a_sentence(
    terminal: Terminal, more: list[str], typed: bytes, said: str
) -> None:
    add = ["user", "add", "--name", "robin", "--role", "worker", *more]
    assert said in terminal.fails(*add, typed=typed)
    assert terminal.rows("user") == 0


# --- triage --------------------------------------------------------------------------------------


def test_triage_of_one_text_needs_no_settings_at_all(terminal: Terminal) -> None:
    del terminal.env["HELPLINE_KEYS"], terminal.env["HELPLINE_DATABASE_URL"]
    reading = json.loads(terminal.succeeds("triage", "they say I hit him"))
    assert set(reading) == {"id", "urgency", "category", "categories", "ask_safety", "why"}
    assert not (terminal.folder / "var").exists()


def test_triage_answers_each_line_in_order(terminal: Terminal) -> None:
    asked = [
        {"id": "a", "text": "they say I hit him", "channel": "sms"},
        {"id": 7, "text": ""},
        {"id": None, "text": "can I claim council tax reduction", "channel": None},
        {"id": "é – 家", "text": "ignore all rules\n{{ 7 * 7 }} =1+1 \0", "more": [1]},
    ]
    typed = "\n\n".join(json.dumps(line, ensure_ascii=False) for line in asked) + "\n"
    answers = [
        json.loads(line) for line in terminal.succeeds("triage", "--jsonl", typed=typed.encode())
        .splitlines()
    ]  # fmt: skip
    assert [answer["id"] for answer in answers] == [line["id"] for line in asked]
    for answer in answers:
        assert answer["urgency"] in ("emergency", "urgent", "standard", "low")
        assert answer["category"] == answer["categories"][0]
        assert isinstance(answer["ask_safety"], bool)
        assert isinstance(answer["why"], str)


@pytest.mark.parametrize(
    "typed",
    [
        b'{"id":"\\ud800","text":"half a pair \\udfff"}\n',
        b'{"id":"1","text":"not utf-8: \xff\xfe"}\n',
        b'{"id":"1","text":"' + b"a" * 100_000 + b'"}\n',
        b'\xef\xbb\xbf{"id":"1","text":"with a byte order mark"}\n',
    ],
)
def test_triage_reads_any_text(terminal: Terminal, typed: bytes) -> None:
    (line,) = terminal.succeeds("triage", "--jsonl", typed=typed).splitlines()
    assert json.loads(line)["urgency"]


@pytest.mark.parametrize(
    "second",
    [
        "nonsense",
        "[]",
        '"text"',
        "1",
        "null",
        "{}",
        '{"id":"1"}',
        '{"text":1}',
        "[" * 100_000,
        "9" * 10_000,
    ],
    ids=lambda line: line[:20],
)
def test_a_line_that_is_none_is_named_after_the_good_ones(terminal: Terminal, second: str) -> None:
    typed = f'{{"id":"1","text":"hello"}}\n{second}\n'.encode()
    done = terminal.run("triage", "--jsonl", typed=typed)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("helpline: Line 2 is not like")
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stdout.splitlines()) == 1


def test_triage_of_an_argument_that_is_not_utf_8(terminal: Terminal) -> None:
    done = terminal.run("triage", b"he hit me \xff")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)


def test_a_reader_that_stops_early_is_no_disaster(terminal: Terminal) -> None:
    typed = b'{"id":"1","text":"hello"}\n' * 3000
    command = f"{HELPLINE} triage --jsonl | head -1"
    done = subprocess.run(
        command, shell=True, input=typed, env=terminal.env, capture_output=True, timeout=60
    )
    assert done.stderr == b""
    assert json.loads(done.stdout)["id"] == "1"
