"""Commands are denied by default as routes are: each says in rules/permissions.py what it needs."""

import pytest
import typer

from helpline import cli
from helpline.errors import InvalidInput
from helpline.rules.permissions import COMMANDS


def test_a_command_without_a_line_keeps_the_command_line_from_starting() -> None:
    own, below = typer.Typer(), typer.Typer()
    own.command("serve")(lambda: None)
    below.command("add")(lambda: None)
    own.add_typer(below, name="user")
    cli.check_commands(own)
    below.command("wipe")(lambda: None)
    with pytest.raises(InvalidInput, match="“user wipe” does not say what it needs"):
        cli.check_commands(own)


def test_the_entry_of_the_command_line_checks_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = typer.Typer()
    own.command("wipe")(lambda: print("wiped"))
    own.command("serve")(lambda: None)
    monkeypatch.setattr(cli, "app", own)
    with pytest.raises(SystemExit):
        cli.app_entry()
    told = capsys.readouterr()
    assert "“wipe” does not say what it needs" in told.err
    assert "wiped" not in told.out


def test_every_command_has_a_line_and_every_line_a_command() -> None:
    assert set(cli._commands(cli.app)) == set(COMMANDS)
