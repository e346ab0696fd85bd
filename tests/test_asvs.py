"""The table of OWASP ASVS 5.0 (docs/asvs.md) is whole, counts right, and names what is there.

It holds the standard's own numbers and levels, so that no requirement can be left out, and reads
the sources as text: nothing of the helpline is imported. Whether a test proves what it is said to
prove, only a reader can tell.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "asvs.md").read_text("utf-8")
TABLE, WRITTEN_DOWN = PAGE.split("\n# What the standard wants written down\n")
STATES = ("met", "partly", "not met", "does not apply")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\d) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w./-]+\.\w+)::(\w+)`")
VALUE = re.compile(r"`([\w./-]+\.py)::(\w+)` = `([^`]+)`")
FILE = re.compile(
    r"`((?:src|tests|bots|templates|docs|ops)/[\w./-]+|[\w-]+\.(?:md|toml|yaml|lock))`"
)
DEFINED = re.compile(r"^ *(?:async def|def|class) (\w+)|^(\w+)\b[^\n=(]*=", re.MULTILINE)
CIPHERS = re.compile(
    r"^\s*(?:from|import) (?:argon2|cryptography|hashlib|hmac|joserfc|pyotp|ssl|webauthn)\b", re.M
)

# Version 5.0.0, section by section: the level of its first requirement, of its second, and so on.
RELEASE = """
1.1 22  1.2 1111122223  1.3 112222222223  1.4 222  1.5 123
2.1 122  2.2 112  2.3 12223  2.4 23
3.1 3  3.2 113  3.3 12223  3.4 11222233  3.5 11122333  3.6 3  3.7 22333
4.1 12233  4.2 23333  4.3 22  4.4 1222
5.1 2  5.2 112333  5.3 113  5.4 222
6.1 122  6.2 111111112222  6.3 11223333  6.4 112233  6.5 22222333  6.6 2223  6.7 33  6.8 2222
7.1 222  7.2 1111  7.3 22  7.4 11222  7.5 223  7.6 22
8.1 1233  8.2 1123  8.3 133  8.4 23
9.1 111  9.2 1222
10.1 22  10.2 223  10.3 22223  10.4 1111122222233333  10.5 22222  10.6 22  10.7 222
11.1 2233  11.2 22233  11.3 11233  11.4 1222  11.5 23  11.6 23  11.7 33
12.1 12233  12.2 11  12.3 22223
13.1 2333  13.2 222223  13.3 2233  13.4 1222233
14.1 22  14.2 12223333  14.3 122
15.1 12233  15.2 12233  15.3 1222222  15.4 3333
16.1 2  16.2 22222  16.3 2222  16.4 222  16.5 2223
17.1 23  17.2 22223333  17.3 22
"""


def test_every_requirement_of_both_levels_is_there_once() -> None:
    words = RELEASE.split()
    levels = {
        f"{section}.{number}": level
        for section, some in zip(words[::2], words[1::2], strict=True)
        for number, level in enumerate(some, 1)
    }
    assert Counter(levels.values()) == {"1": 70, "2": 183, "3": 92}
    listed = [(number, level) for number, level, *_ in rows()]
    assert listed == [pair for pair in levels.items() if pair[1] != "3"]
    assert len(listed) == len(re.findall(r"^\| \d+\.\d", TABLE, re.M)), "a line that is no row"


def test_the_counts_are_those_of_the_table() -> None:
    found = rows()
    for name, some in (
        ("level 1", [row for row in found if row[1] == "1"]),
        ("level 2", [row for row in found if row[1] == "2"]),
        ("both", found),
    ):
        assert f"\n| {name} | {' | '.join(map(str, counted(some)))} | {len(some)} |\n" in TABLE
    for chapter in TABLE.split("\n## ")[1:]:
        said = ", ".join(
            f"{state} {count}" for state, count in zip(STATES, counted(rows(chapter)), strict=True)
        )
        assert f"\n{said}\n" in chapter, chapter.splitlines()[0]


def test_what_is_met_names_what_meets_it_and_the_rest_says_what_is_missing() -> None:
    for number, _, _, state, shown in rows():
        assert state in STATES, number
        below = "below, under " in shown
        assert state != "met" or NAMED.search(shown) or FILE.search(shown) or below, number
        words = re.sub(r"`[^`]*`|\W", "", shown)
        assert state == "met" or words, number
    sections = set(re.findall(r"^## (.+)$", WRITTEN_DOWN, re.M))
    assert set(re.findall(r"below, under ([A-Z][\w ]+\w)", TABLE)) == sections


def test_every_test_and_function_it_names_is_there() -> None:
    missing = [f"{path}::{name}" for path, name in NAMED.findall(PAGE) if name not in names(path)]
    missing += [path for path in FILE.findall(PAGE) if not (ROOT / path).exists()]
    assert missing == []


def test_every_value_it_gives_is_that_of_the_code() -> None:
    given = VALUE.findall(WRITTEN_DOWN)
    assert len(given) > 10
    for path, name, value in given:
        assert re.search(rf"^{name}(?:: \w+)? = {re.escape(value)}(?:$|  #)", source(path), re.M), (
            name
        )


def test_every_module_that_hashes_or_encrypts_is_listed() -> None:
    section = WRITTEN_DOWN.split("\n## Keys and algorithms\n")[1].split("\n## ")[0]
    modules = [*(ROOT / "src").rglob("*.py"), *(ROOT / "bots").rglob("*.py")]
    found = {
        str(path.relative_to(ROOT)) for path in modules if CIPHERS.search(path.read_text("utf-8"))
    }
    assert found - set(FILE.findall(section)) == set()


def rows(text: str = TABLE) -> list[tuple[str, ...]]:
    """Number, level, what it asks in short, state, what shows it."""
    return ROW.findall(text)


def counted(some: list[tuple[str, ...]]) -> list[int]:
    """How many of each state, in their order."""
    states = Counter(row[3] for row in some)
    return [states[state] for state in STATES]


@cache
def names(path: str) -> set[str]:
    """The functions, classes and constants of a module."""
    found = DEFINED.findall(source(path))
    return {name for some in found for name in some}


@cache
def source(path: str) -> str:
    """The text of a file; empty where there is none."""
    file = ROOT / path
    return file.read_text("utf-8") if file.exists() else ""
