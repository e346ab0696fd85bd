"""Documentation that breaks the build: what README and ARCHITECTURE list is what there is."""

import re
from pathlib import Path

import typer.main

from helpline import cli
from helpline.engine.jobs import JOBS
from helpline.settings import Settings
from helpline.web.app import ROUTES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
ABOUT = sorted((ROOT / "docs").glob("*.md"))
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")


def test_the_first_lines_of_the_readme_are_the_two_commands() -> None:
    block = README.split("```")[1]
    assert [line.split("#")[0].strip() for line in block.strip().splitlines()] == [
        "make run",
        "make test",
    ]


def test_every_setting_is_in_the_readme_and_the_example_and_no_other() -> None:
    variables = {f"HELPLINE_{name.upper()}" for name in Settings.model_fields}
    listed = set(re.findall(r"^\| `(HELPLINE_\w+)` \|", README, re.MULTILINE))
    shown = set(re.findall(r"^#?(HELPLINE_\w+)=", EXAMPLE, re.MULTILINE))
    assert listed == variables
    assert shown == variables


def test_every_command_is_in_the_readme_and_no_other() -> None:
    assert set(re.findall(r"^\| `(helpline [a-z ]+)` \|", README, re.MULTILINE)) == commands()


def test_every_job_is_in_the_architecture_and_no_other() -> None:
    table = ARCHITECTURE.split("## What happens by itself")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [job.name for job in JOBS]


def test_the_list_of_modules_is_the_list_of_modules() -> None:
    listed = ARCHITECTURE.split("```")[1]
    package = ROOT / "src" / "helpline"
    found = {
        path.name + ("/" if path.is_dir() else "")
        for path in package.iterdir()
        if not path.name.startswith("__")
    }
    missing = {name for name in found if f" {name}" not in listed}
    assert not missing


def test_files_the_documents_name_exist() -> None:
    for text in (README, ARCHITECTURE, *(path.read_text("utf-8") for path in ABOUT)):
        for path in re.findall(r"`((?:src|tests|contracts|templates|docs|bots)/[\w./]+)`", text):
            assert (ROOT / path.rstrip("/")).exists(), path
    for path in re.findall(r"\]\((docs/[\w.]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_fixed_addresses_are_served() -> None:
    paths = {(route.method, route.path) for route in ROUTES}
    fixed = {
        ("POST", "/hooks/sms"),
        ("POST", "/hooks/sms/status"),
        ("POST", "/hooks/telegram"),
        ("POST", "/hooks/voice"),
        ("GET", "/chat"),
        ("GET", "/chat/socket"),
        ("GET", "/contact"),
        ("GET", "/login"),
        ("GET", "/inbox"),
        ("GET", "/cases/{reference}"),
        ("GET", "/rota"),
        ("GET", "/people"),
        ("GET", "/reports"),
        ("GET", "/portal"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
    }
    assert fixed <= paths


def commands() -> set[str]:
    """Every command as it is typed, groups followed to their leaves."""
    return {f"helpline {path}" for path in _leaves(typer.main.get_command(cli.app), "")}


def _leaves(command: object, path: str) -> list[str]:
    children = getattr(command, "commands", None)
    if not children:
        return [path.strip()]
    return [leaf for name, child in children.items() for leaf in _leaves(child, f"{path} {name}")]
