"""Breaks the rules one small way at a time and looks whether a test notices: `make mutants`.

A mutant is one module of `rules` with one comparison, operator, number, word of logic or answer
changed. The tests that import the module are run against it, each time in a copy of a process that
has loaded everything else; a mutant that all of them let live is shown with its line. Some mutants
change nothing that can be seen, so that nobody kills all of them.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import random
import re
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
RULES = ROOT / "src" / "helpline" / "rules"
PACKAGE = "helpline.rules"
TESTS = ROOT / "tests" / "rules"
PLAINLY = ("-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--noconftest")
"""How the tests are run: they are pure, need no database and nobody reads what they say."""
LOADED = ("pytest", "hypothesis", "sqlalchemy", "sqlmodel", "cryptography", "pytest_asyncio")
HANGS_AFTER = 60  # seconds of work, however busy the machine is
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: in which line, what it was and what it is."""

    line: int
    what: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    left = {id(inner) for node in ast.walk(tree) for inner in _unseen(node)}
    for number, node in enumerate(ast.walk(tree)):
        for change in range(0 if id(node) in left else _changes(node)):
            mutated = copy.deepcopy(tree)
            same = _nth(mutated, number)
            line = getattr(same, "lineno", 0)
            before = ast.unparse(same)
            _change(same, change)
            after = ast.unparse(same)
            if before != after:
                yield Mutant(line, f"{_short(before)} → {_short(after)}", mutated)


def _unseen(node: ast.AST) -> Iterator[ast.AST]:
    """What a decorator is given, as that a class is frozen or how much is remembered: a change
    there changes no answer."""
    for one in getattr(node, "decorator_list", ()):
        yield from ast.walk(one)


def _nth(tree: ast.AST, number: int) -> ast.AST:
    return next(node for at, node in enumerate(ast.walk(tree)) if at == number)


def _changes(node: ast.AST) -> int:
    """In how many ways a node can be changed."""
    if isinstance(node, ast.Compare):
        return len(node.ops)
    if isinstance(node, ast.BoolOp):
        return 1
    if isinstance(node, ast.BinOp):
        return int(type(node.op) in SWAPS)
    if isinstance(node, ast.UnaryOp):
        return int(isinstance(node.op, ast.Not))
    if isinstance(node, ast.Constant):
        return int(isinstance(node.value, (bool, int, float)))
    if isinstance(node, ast.IfExp):
        return 1
    return int(isinstance(node, ast.Return) and node.value is not None)


def _change(node: ast.AST, which: int) -> None:
    if isinstance(node, ast.Compare):
        swap = SWAPS.get(type(node.ops[which]))
        if swap:
            node.ops[which] = swap()  # type: ignore[call-overload]
    elif isinstance(node, (ast.BoolOp, ast.BinOp)):
        node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
        node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
        ast.copy_location(node.operand, node)
        ast.fix_missing_locations(node)
    elif isinstance(node, ast.Constant):
        node.value = not node.value if isinstance(node.value, bool) else node.value + 1  # type: ignore[operator]
    elif isinstance(node, ast.IfExp):
        node.body, node.orelse = node.orelse, node.body
    elif isinstance(node, ast.Return):
        node.value = ast.copy_location(ast.Constant(None), node)


def _short(text: str) -> str:
    return " ".join(text.split())[:60]


class _Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives out the mutant in place of its module."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path, self.tree = name, path, tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.tree, str(self.path), "exec"), module.__dict__)


def tests_of(name: str) -> list[str]:
    """The files of tests that name the module, its own first."""
    wanted = re.compile(rf"helpline\.rules\.{name}\b|helpline\.rules import [^\n]*\b{name}\b")
    found = [
        path for path in sorted(TESTS.glob("test_*.py")) if wanted.search(path.read_text("utf-8"))
    ]
    return [str(path) for path in sorted(found, key=lambda path: path.stem != f"test_{name}")]


def is_killed(name: str, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Whether a test notices, or the mutant never ends."""
    child = os.fork()
    if not child:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (HANGS_AFTER, HANGS_AFTER))
        sys.meta_path.insert(0, _Broken(f"{PACKAGE}.{name}", RULES / f"{name}.py", tree))
        status = 1
        try:
            import pytest

            status = int(pytest.main([*PLAINLY, *tests]))
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def look_at(name: str, most: int, seed: int) -> tuple[int, int]:
    """How many mutants of a module there were and how many a test noticed; those that live are
    printed."""
    source, tests = (RULES / f"{name}.py").read_text("utf-8"), tests_of(name)
    if not tests:
        print(f"{name}: no test of tests/rules names it")
        return 0, 0
    if is_killed(name, ast.parse(source), tests):
        print(f"{name}: its tests fail without any change; look at them first")
        return 0, 0
    found = list(mutants(source))
    if len(found) > most:
        found = sorted(random.Random(seed).sample(found, most), key=lambda one: one.line)
    alive = [one for one in found if not is_killed(name, one.tree, tests)]
    print(f"{name}: {len(found) - len(alive)} of {len(found)} noticed")
    for one in alive:
        print(f"  line {one.line}: {one.what}")
    sys.stdout.flush()
    return len(found), len(found) - len(alive)


def load() -> None:
    """What every run of the tests needs, but none of our rules: copies then begin at once."""
    for name in LOADED:
        importlib.import_module(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help="of helpline.rules; without any, all of them")
    parser.add_argument("--most", type=int, default=40, help="mutants of each module, by lot")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    names = given.modules or [p.stem for p in sorted(RULES.glob("*.py")) if p.stem != "__init__"]
    load()
    total = noticed = 0
    for name in names:
        some, seen = look_at(name, given.most, given.seed)
        total, noticed = total + some, noticed + seen
    if total:
        print(f"together: {noticed} of {total} noticed, {100 * noticed / total:.1f} %")


if __name__ == "__main__":
    main()
