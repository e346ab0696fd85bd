"""Learns the weights of the second reader from labelled messages and writes them down.

Run by hand, `python -m helpline.rules.triage.train FOLDER`, and by the evaluation in the tests.
It must not be needed to read a message: the weights it writes are kept with the code.
"""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from helpline.rules.triage.features import Seen, seen, world_signs
from helpline.rules.triage.learn import Signs, line, numbered
from helpline.rules.triage.weights import CATEGORIES, FILE, Counts, Weights
from helpline.rules.triage.words import TABLES, words

COUNTED_NOT = ("t:", "al")  # topics and "always" are not counted
VOCABULARY = TABLES / "vocabulary.txt"
SMALLEST = 3  # weights are written in hundredths; smaller ones are left out


@dataclass(frozen=True)
class Example:
    """One labelled message; `judged` says whether the evaluation counts it."""

    id: str
    text: str
    channel: str
    urgency: str
    category: str
    lang: str
    judged: bool


def examples(folder: Path) -> list[Example]:
    """Every labelled message in a folder: *.jsonl are judged, own_*.txt only taught from."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        for raw in path.read_text(encoding="utf-8").splitlines():
            r = json.loads(raw)
            kept = {k: r[k] for k in ("id", "text", "channel", "urgency", "category", "lang")}
            found.append(Example(**kept, judged=True))
    for path in sorted(folder.glob("own_*.txt")):
        found += _own(path)
    return found


def _own(path: Path) -> list[Example]:
    found, urgency, category = [], "", ""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if raw.startswith("["):
            urgency, category = raw.strip("[]").split()
        elif raw and not raw.startswith("#"):
            name = f"{path.stem}:{number}"
            found.append(Example(name, raw, "sms", urgency, category, "", judged=False))
    return found


def learned(many: list[Example], taken: list[Seen]) -> Weights:
    """All the lines: emergency, urgent or worse, low, each category; the first two also by
    meaning alone, for other languages."""
    signs = numbered([t.signs for t in taken])
    rows, size = signs.rows, len(signs.names)
    urgency = [e.urgency for e in many]
    emergency = [u == "emergency" for u in urgency]
    worse = [u in ("emergency", "urgent") for u in urgency]
    near = [0.05 if u == "urgent" else 0.25 for u in urgency]
    even = [0.25] * len(many)
    lines = {
        "emergency": line(rows, size, emergency, near),
        "urgent": line(rows, size, worse, even),
        "low": line(rows, size, [u == "low" for u in urgency], [0.0 if w else 0.25 for w in worse]),
    }
    for category in CATEGORIES:
        here = [e.category == category for e in many]
        lines[category] = line(rows, size, here, [0.2] * len(many))
    world = numbered([world_signs(t) for t in taken])
    part = [4 * n * (0.2 if t.english else 1.0) for n, t in zip(near, taken, strict=True)]
    apart = [0.2 if t.english else 1.0 for t in taken]
    world_lines = {
        "emergency": line(world.rows, len(world.names), emergency, part, 60),
        "urgent": line(world.rows, len(world.names), worse, apart, 60),
    }
    counts = _counts(many, taken, frozenset(signs.names))
    return Weights(_table(signs.names, lines), _table(world.names, world_lines), counts)


def _counts(many: list[Example], taken: list[Seen], names: frozenset[str]) -> Counts:
    """In how many messages of each answer each sign stands; the line "all" holds the sums."""
    found: Counts = {"all": {}}
    for example, one in zip(many, taken, strict=True):
        answers = [example.category]
        answers += ["emergency"] if example.urgency == "emergency" else []
        answers += ["urgent"] if example.urgency in ("emergency", "urgent") else []
        for sign in one.signs:
            if sign in names and sign[:2] not in COUNTED_NOT:
                for row in (found.setdefault(sign, {}), found["all"]):
                    for answer in answers:
                        row[answer] = row.get(answer, 0) + 1
    return found


def _table(names: list[str], lines: dict[str, list[float]]) -> dict[str, Signs]:
    table: dict[str, Signs] = {}
    for i, name in enumerate(names):
        kept = {k: round(w[i], 2) for k, w in lines.items() if abs(w[i]) * 100 >= SMALLEST}
        if kept:
            table[name] = kept
    return table


def write_vocabulary(many: list[Example]) -> None:
    """The English words of the messages written to teach from: they tell English from the rest.

    None is taken from the judged messages, which must stay unseen.
    """
    ours = (e for e in many if not e.judged and not e.id.startswith("own_world"))
    found = sorted({w for e in ours for w in words(e.text) if w.isascii() and w.isalpha()})
    head = "# Written by train.py: the words of the English messages learned from.\n"
    VOCABULARY.write_text(head + textwrap.fill(" ".join(found), 100) + "\n", encoding="utf-8")


def main() -> None:
    """Learn from the folder named on the command line and write the tables beside this file."""
    many = examples(Path(sys.argv[1]))
    write_vocabulary(many)
    weights = learned(many, [seen(e.text, e.channel) for e in many])
    FILE.write_text(weights.written(), encoding="utf-8")
    print(f"{len(many)} messages, {len(weights.signs)} signs, {FILE.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
