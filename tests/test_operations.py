"""What machines and people need to run it: the alert rules and the dashboard name only metrics that
/metrics prints, the list of parts is whole and always the same, what the runbook names exists."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from helpline import cli
from helpline.settings import Settings
from helpline.web.app import ROUTES
from tests.test_docs import commands as all_commands
from tests.test_packaging import versions
from tests.web.conftest import Arrive, arrive, one_world  # noqa: F401  # fixtures
from tests.world import CARER, World

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"\b(helpline_[a-z_]+|process_[a-z_]+)\b")
RUNBOOK = (ROOT / "RUNBOOK.md").read_text("utf-8")
NIGHTS = (
    "A provider is down",
    "The database is full",
    "The key is lost",
    "A wrong clock",
    "Nobody on call",
    "A breach",
    "A flood",
    "A restore",
    "A version that does not work",
    "The end of a contract",
)


def rules() -> list[dict[str, Any]]:
    read = yaml.safe_load((ROOT / "ops" / "alerts.yaml").read_text("utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def asked_for() -> dict[str, str]:
    """Metric → who asks for it."""
    found = {name: rule["alert"] for rule in rules() for name in NAME.findall(rule["expr"])}
    board = json.loads((ROOT / "ops" / "dashboard.json").read_text("utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            found |= dict.fromkeys(NAME.findall(target["expr"]), panel["title"])
    return found


async def test_rules_and_dashboard_name_what_is_printed(
    one_world: World,  # noqa: F811
    arrive: Arrive,  # noqa: F811
) -> None:
    await one_world.sms(CARER, "Please ring me")
    guest = await arrive(one_world, None)
    await guest.get("/healthz")
    assert await guest.get("/metrics") == 200
    printed = set(re.findall(r"^# TYPE (\w+) ", guest.page, re.MULTILINE))
    printed |= {name.removesuffix("_total") + "_total" for name in printed}
    unknown = {name: who for name, who in asked_for().items() if name not in printed}
    assert not unknown
    ours = {name for name in printed if name.startswith("helpline_") and "_created" not in name}
    ours = {name for name in ours if name.removesuffix("_total") == name}
    unused = {
        name for name in ours if name not in asked_for() and f"{name}_total" not in asked_for()
    }
    rarely = {"helpline_live_messages", "helpline_items_reconciled"}
    assert unused <= rarely, "a gauge that nobody looks at"


def test_every_rule_says_what_it_means_and_which_night_helps() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) >= 12
    for rule in rules():
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        for number in re.findall(r"\b(\d+): ", rule["annotations"].get("night", "")):
            assert re.search(rf"^## {number}\. ", RUNBOOK, re.MULTILINE), number


def test_the_list_of_parts_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    bills = []
    for name in ("one.json", "two.json"):
        subprocess.run([sys.executable, ROOT / ".ci" / "sbom.py", tmp_path / name], check=True)
        bills.append((tmp_path / name).read_bytes())
    assert bills[0] == bills[1]
    bill = json.loads(bills[0])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {one["name"]: one["version"] for one in bill["components"] if ":pypi/" in one["purl"]}
    assert found == versions("requirements-serve.lock")
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    pages = [one for one in bill["components"] if one["purl"].startswith("pkg:npm/")]
    assert len(pages) == len(packages) - 1
    assert all(len(one["hashes"][0]["content"]) == 128 for one in pages)
    assert b"://" not in bills[0]


# --- the runbook ----------------------------------------------------------------------------------


def fenced() -> list[str]:
    """Each command of the runbook's blocks, continued lines joined, comments left out."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def test_the_ten_nights_are_there_and_say_the_four_things() -> None:
    pages = re.split(r"^## \d+\. ", RUNBOOK, flags=re.MULTILINE)[1:]
    assert [page.partition("\n")[0] for page in pages] == list(NIGHTS)
    for page in pages:
        for said in ("What you see", "What carers feel", "What to do", "When it is over"):
            assert f"**{said}" in page, (page[:30], said)
        assert re.search(r"^1\. ", page, re.MULTILINE)


@pytest.mark.parametrize("line", fenced())
def test_a_command_of_the_runbook_exists(line: str) -> None:
    for part in re.split(r"\s(?:\||&&|;)\s", line):
        words = shlex.split(re.sub(r"[<>]\S*", "", part), comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            assert_known_setting(words.pop(0).partition("=")[0])
        if words and words[0] == "helpline":
            assert_known_command(words[1:])
        for word in words:
            if match := re.search(r"https?://[^/\s]+(/[a-z]+)", word):
                assert match[1] in {route.path for route in ROUTES}


def assert_known_setting(name: str) -> None:
    ours = {f"HELPLINE_{field.upper()}" for field in Settings.model_fields}
    assert name in ours | {"UPGRADE", "TARGET"}, name


def assert_known_command(words: list[str]) -> None:
    command = typer.main.get_command(cli.app)
    while getattr(command, "commands", None):
        assert words[0] in command.commands, words  # type: ignore[attr-defined]
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, word
    for one in command.params:
        named = any(option in words for option in one.opts) or one.param_type_name == "argument"
        assert named or not one.required, one.opts


def test_every_setting_and_command_the_runbook_names_exists() -> None:
    for name in set(re.findall(r"HELPLINE_[A-Z_]+", RUNBOOK)):
        assert_known_setting(name)
    known = all_commands()
    for named in set(re.findall(r"`(helpline [a-z]+(?: [a-z]+)?)", RUNBOOK)):
        assert any(one == named or named.startswith(f"{one} ") for one in known), named
    for path in set(re.findall(r"`(/[a-z/-]+)`", RUNBOOK)):
        assert path in {route.path for route in ROUTES}, path
