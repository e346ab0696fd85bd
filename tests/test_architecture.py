"""The import rules and the few words that may stand only in one place, read from the source itself.

Nothing is imported here: a breach is named file:line even where the code would not start. Each
rule is also held against a line that breaks it, so that a rule which sees nothing cannot pass.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LINES = (
    ("vocabulary", "errors", "clock", "channels", "settings", "log", "outgoing"),
    "contract rules models db sqlite sealing templating migrations backup".split(),
    ("desk", "reports"),
    ("web", "engine", "bots"),
    ("main", "cli", "cli_copies", "cli_start", "cli_trust", "seed", "seed_councils", "seed_portal"),
)
"""Each line may import only from lines above it, and from its own: but see APART."""
APART = {"web", "engine", "bots"}
"""These never import one another: main hands each what it needs."""
FIRST = set(LINES[0])
LIBRARIES_OF_FIRST = {
    "settings": {"pydantic", "pydantic_settings"},  # its library
    "log": {"structlog"},  # its library
    "outgoing": {"aiohttp"},  # its library
}
WHERE_TIME_IS_READ = "src/helpline/clock.py"
WHERE_CLOCKS_END = {
    "src/helpline/desk/deadlines.py",
    "src/helpline/desk/imports/cases.py",  # a past log's clocks had ended before they came here
}
ENDED = ("MET", "CANCELLED", "LAPSED")
# The invented worlds need contracts.
WHERE_COUNCILS_ARE_NAMED = {"src/helpline/seed.py", "src/helpline/seed_councils.py"}


@dataclass(frozen=True)
class Module:
    """A source file: where it is, what part of the house it belongs to, what it says."""

    path: str
    text: str

    @property
    def part(self) -> str:
        """`desk` for src/helpline/desk/inbox.py, `cli` for src/helpline/cli.py, else `bots`."""
        names = Path(self.path).parts
        return Path(names[2]).stem if names[0] == "src" else names[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def at(self, line: int, sentence: str) -> str:
        return f"{self.path}:{line}: {sentence}"

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and full name of everything that is imported, also inside functions and for types
        only: what only a type checker reads still ties two parts together."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names = (f"{node.module}.{alias.name}" for alias in node.names)
                yield from ((node.lineno, name) for name in names)

    def ours(self) -> Iterator[tuple[int, str, str]]:
        """Line, part and full name of what is imported from the house."""
        for line, name in self.imports():
            first, _, rest = name.partition(".")
            if first == "helpline":
                yield line, rest.partition(".")[0], name
            elif first == "bots":
                yield line, "bots", name

    def libraries(self) -> Iterator[tuple[int, str]]:
        """Line and package of what comes neither from us nor from Python itself."""
        for line, name in self.imports():
            package = name.partition(".")[0]
            if package not in sys.stdlib_module_names | {"helpline", "bots"}:
                yield line, package


@cache
def the_house() -> list[Module]:
    found = [*ROOT.glob("src/helpline/**/*.py"), *ROOT.glob("bots/**/*.py")]
    return [Module(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in sorted(found)]


def line_of(part: str) -> int:
    return next((number for number, parts in enumerate(LINES, 1) if part in parts), 0)


# --- the rules: each yields one sentence a breach ------------------------------------------------


def unknown_parts(module: Module) -> Iterator[str]:
    if module.part != "__init__" and not line_of(module.part):
        yield module.at(1, f"{module.part} stands on no line of the layout")


def upward_imports(module: Module) -> Iterator[str]:
    own = line_of(module.part)
    for line, part, name in module.ours():
        theirs = line_of(part)
        if own and theirs > own:
            yield module.at(line, f"{module.part} (line {own}) imports {name} (line {theirs})")


def neighbours(module: Module) -> Iterator[str]:
    if module.part not in APART:
        return
    for line, part, name in module.ours():
        if part in APART - {module.part}:
            yield module.at(line, f"{module.part} imports {name}; main would hand it over")


def bots_beyond_the_first_line(module: Module) -> Iterator[str]:
    if module.part != "bots":
        return
    for line, part, name in module.ours():
        if part not in FIRST | {"bots"}:
            yield module.at(line, f"a bot knows line 1 only, not {name}")


def rules_with_libraries(module: Module) -> Iterator[str]:
    if module.part != "rules":
        return
    for line, package in module.libraries():
        yield module.at(line, f"rules use the standard library only, not {package}")
    for line, part, name in module.ours():
        if part not in FIRST | {"rules"}:
            yield module.at(line, f"rules know line 1 only, not {name}")


def first_line_with_libraries(module: Module) -> Iterator[str]:
    if module.part not in FIRST:
        return
    for line, package in module.libraries():
        if package not in LIBRARIES_OF_FIRST.get(module.part, set()):
            yield module.at(line, f"{module.part} uses the standard library only, not {package}")


def bots_outside_main(module: Module) -> Iterator[str]:
    if module.part in ("bots", "main"):
        return
    for line, part, name in module.ours():
        if part == "bots":
            yield module.at(line, f"only main imports bots, and this is {name}")


def readings_of_time(module: Module) -> Iterator[str]:
    if module.path == WHERE_TIME_IS_READ:
        return
    for line, name in module.imports():
        if name == "time" or name.startswith("time."):
            yield module.at(line, f"only clock.py reads the time, and this imports {name}")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and (name := _time_asked_of(node.func)):
            yield module.at(node.lineno, f"only clock.py reads the time, and this asks {name}()")


def commits_in_desk(module: Module) -> Iterator[str]:
    if module.part != "desk":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback", "begin"):
            yield module.at(node.lineno, f"desk leaves .{node.attr} to the edges")


def clocks_that_end_elsewhere(module: Module) -> Iterator[str]:
    """How a clock ended is compared everywhere and written in one place, so that one which was
    missed cannot be made to look as if it had never run."""
    if module.path in WHERE_CLOCKS_END:
        return
    compared = {
        id(part)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Compare)
        for part in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute) or id(node) in compared:
            continue
        if node.attr in ENDED and ast.unparse(node.value).endswith("DeadlineState"):
            yield module.at(node.lineno, f"clocks end in deadlines.end, not by {node.attr}")


def names_of_councils(module: Module) -> Iterator[str]:
    if module.path in WHERE_COUNCILS_ARE_NAMED:
        return
    for number, line in enumerate(module.text.splitlines(), 1):
        if found := councils().search(line):
            yield module.at(number, f"a contract is data; the code names {found[0]}")


def modules_without_words(module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield module.at(1, "says nowhere what it is for")


Rule = Callable[[Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    unknown_parts,
    upward_imports,
    neighbours,
    bots_beyond_the_first_line,
    rules_with_libraries,
    first_line_with_libraries,
    bots_outside_main,
    readings_of_time,
    commits_in_desk,
    clocks_that_end_elsewhere,
    names_of_councils,
    modules_without_words,
)


def _time_asked_of(called: ast.expr) -> str:
    """`datetime.now` and the like; "" for our own clocks, which are handed in."""
    if not isinstance(called, ast.Attribute) or called.attr not in (
        "now",
        "utcnow",
        "today",
        "current_timestamp",
    ):
        return ""
    asked = called.value.func if isinstance(called.value, ast.Call) else called.value
    name = ast.unparse(asked)
    return "" if name.split(".")[-1].lower().endswith("clock") else f"{name}.{called.attr}"


@cache
def councils() -> re.Pattern[str]:
    """What the contract files call their councils, and the first word of it."""
    files = [path.read_text("utf-8") for path in (ROOT / "contracts").glob("*.toml")]
    names = {tomllib.loads(text)["council"] for text in files}
    words = names | {re.split(r"\W", name)[0] for name in names if len(name.split()) == 1}
    return re.compile("|".join(sorted(map(re.escape, words))), re.IGNORECASE)


# --- the tests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: Rule) -> None:
    breaches = [breach for module in the_house() for breach in rule(module)]
    assert not breaches, "\n" + "\n".join(breaches)


def test_the_parts_on_one_line_import_each_other_in_one_direction_only() -> None:
    ties = {(m.part, part) for m in the_house() for _, part, _ in m.ours() if m.part != part}
    both = sorted(tie for tie in ties if tie[::-1] in ties and tie[0] < tie[1])
    assert not both


def test_every_file_of_the_house_was_read() -> None:
    read = {module.part for module in the_house()}
    assert set().union(*map(set, LINES)) <= read
    assert len(the_house()) > 60


BREAKERS = {
    unknown_parts: ("src/helpline/services/x.py", "1"),
    upward_imports: ("src/helpline/desk/x.py", "from helpline.web.hooks import LARGEST"),
    neighbours: ("src/helpline/engine/x.py", "def f():\n    from helpline import web"),
    bots_beyond_the_first_line: ("bots/x.py", "import helpline.models"),
    rules_with_libraries: ("src/helpline/rules/x.py", "from sqlalchemy import text"),
    first_line_with_libraries: ("src/helpline/errors.py", "import pydantic"),
    bots_outside_main: ("src/helpline/seed.py", "from bots.simulator import Simulator"),
    readings_of_time: ("src/helpline/desk/x.py", "n = datetime.now(UTC)"),
    commits_in_desk: ("src/helpline/desk/x.py", "async def f(s):\n    await s.commit()"),
    clocks_that_end_elsewhere: (
        "src/helpline/desk/x.py",
        "x = row.state == DeadlineState.MET\nrow.state = DeadlineState.CANCELLED",
    ),
    names_of_councils: ("src/helpline/desk/x.py", 'KEY = "Essex"'),
    modules_without_words: ("src/helpline/desk/x.py", "import os"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_breach_is_named_with_file_and_line(rule: Rule) -> None:
    path, text = BREAKERS[rule]
    (breach,) = rule(Module(path, text))
    assert breach.startswith(f"{path}:{len(text.splitlines())}: ")


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import monotonic",
        "d = datetime.datetime.today()",
        "d = date.today()",
        "q = func.now()",
        "d = arrow.utcnow()",
    ],
)
def test_every_way_to_read_the_time_is_seen(text: str) -> None:
    assert list(readings_of_time(Module("src/helpline/web/x.py", text)))


@pytest.mark.parametrize(
    "text", ["now = house.clock.now()", "now = Clock().now()", "now = self._house.clock.now()"]
)
def test_asking_our_own_clock_is_allowed(text: str) -> None:
    assert not list(readings_of_time(Module("src/helpline/web/x.py", text)))


def test_a_second_breach_of_the_rules_line_is_seen_too() -> None:
    module = Module("src/helpline/rules/x.py", "from helpline.models import Case")
    assert list(rules_with_libraries(module)) == [
        "src/helpline/rules/x.py:1: rules know line 1 only, not helpline.models.Case"
    ]
