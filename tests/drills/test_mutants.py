"""The drill that breaks the rules: what it changes, and that tests notice."""

import subprocess
import sys

from tests.drills import mutants

SOURCE = """
def late(now, due):
    if not due:
        return False
    return now > due + 1 and now != 7
"""


def test_each_small_change_is_made_once() -> None:
    assert sorted((one.line, one.what) for one in mutants.mutants(SOURCE)) == [
        (3, "not due → +bool(due)"),
        (4, "False → True"),
        (4, "return False → return None"),
        (5, "1 → 2"),
        (5, "7 → 8"),
        (5, "due + 1 → due - 1"),
        (5, "now != 7 → now == 7"),
        (5, "now > due + 1 and now != 7 → now > due + 1 or now != 7"),
        (5, "now > due + 1 → now >= due + 1"),
        (5, "return now > due + 1 and now != 7 → return None"),
    ]
    for one in mutants.mutants(SOURCE):
        compile(one.tree, "mutant", "exec")


def test_a_change_is_noticed_by_the_tests_of_its_module() -> None:
    words = [sys.executable, "-m", "tests.drills.mutants", "moved", "--most", "2"]
    done = subprocess.run(words, cwd=mutants.ROOT, capture_output=True, timeout=100, check=True)
    assert done.stdout.decode().splitlines()[0].startswith("moved: 2 of 2 noticed")


def test_a_module_without_a_test_has_none() -> None:
    assert mutants.tests_of("no_such_rule") == []
