"""The weights of the second reader: how much each sign speaks for each answer.

Called by judgement to score a message. It must only add up: what follows from a score is decided
in judgement. weights.tsv is a plain table, written by train.py: sign, answer and hundredths, then
after a bar how many of the messages learned from, of each answer, had the sign.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache

from helpline.rules.triage.words import TABLES

FILE = TABLES / "weights.tsv"
CATEGORIES = (
    "allegation", "legal", "finance", "counselling", "abuse", "health", "placements", "training",
    "publications", "discounts", "networking", "recruitment", "membership", "complaint",
    "compliment", "other",
)  # fmt: skip
SHORT = {
    "emergency": "E", "urgent": "U", "low": "L",
    **{name: chr(ord("a") + i) for i, name in enumerate(CATEGORIES)},
}  # fmt: skip
LONG = {short: name for name, short in SHORT.items()}
_PAIR = re.compile(r"([A-Za-z])(-?\d+)")

# How the counts are heard beside the learned line (naive Bayes): the smoothing, and how loud.
SMOOTH, LOUD = 0.1, 0.02

Table = dict[str, dict[str, float]]
Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Weights:
    """sign → answer → weight; `world` is the table by meaning alone, for other languages.

    `counts` is sign → answer → in how many messages; its line "all" holds the sums.
    """

    signs: Table
    world: Table
    counts: Counts = field(default_factory=dict)
    heard: Table = field(default_factory=dict)

    def scores(self, signs: dict[str, float]) -> dict[str, float]:
        """For each answer: what the learned line says, and a little of what the counts say."""
        total = scores(self.signs, signs)
        for sign in signs:
            for answer, weight in self._counted(sign).items():
                total[answer] = total.get(answer, 0.0) + LOUD * weight
        return total

    def _counted(self, sign: str) -> dict[str, float]:
        """What the counts of one sign say for each answer; kept, for it is asked again."""
        if sign in self.heard:
            return self.heard[sign]
        here = self.counts.get(sign)
        said = {} if here is None or sign == "all" else self._logs(here)
        self.heard[sign] = said
        return said

    def _logs(self, here: dict[str, int]) -> dict[str, float]:
        sums, many = self.counts["all"], SMOOTH * (len(self.counts) - 1)
        each = {
            c: math.log((here.get(c, 0) + SMOOTH) / (sums.get(c, 0) + many)) for c in CATEGORIES
        }
        middle = sum(each.values()) / len(each)
        said = {c: v - middle for c, v in each.items()}
        whole, all_whole = (sum(t.get(c, 0) for c in CATEGORIES) for t in (here, sums))
        for answer in ("emergency", "urgent"):
            yes, all_yes = here.get(answer, 0), sums.get(answer, 0)
            no, all_no = whole - yes, all_whole - all_yes
            said[answer] = math.log((yes + SMOOTH) / (all_yes + many)) - math.log(
                (no + SMOOTH) / (all_no + many)
            )
        return said

    def written(self) -> str:
        """The tables as text, one sign a line, in order."""
        head = "# Written by train.py. E, U, L: emergency, urgent, low; then the categories:\n# "
        head += " ".join(f"{SHORT[c]}={c}" for c in CATEGORIES) + "\n"
        names = sorted(self.signs.keys() | self.counts.keys())
        lines = (
            f"{s}\t{_hundredths(self.signs.get(s, {}))}|{_numbers(self.counts.get(s, {}))}\n"
            for s in names
        )
        world = (f"{s}\t{_hundredths(self.world[s])}\n" for s in sorted(self.world))
        return head + "".join(lines) + "[world]\n" + "".join(world)


def _hundredths(row: dict[str, float]) -> str:
    return "".join(f"{SHORT[k]}{round(v * 100)}" for k, v in row.items())


def _numbers(row: dict[str, int]) -> str:
    return "".join(f"{SHORT[k]}{v}" for k, v in row.items())


def _row(text: str) -> dict[str, float]:
    return {LONG[k]: int(v) / 100 for k, v in _PAIR.findall(text)}


@lru_cache(maxsize=1)
def kept() -> Weights:
    """The weights kept with the code."""
    signs: Table = {}
    world: Table = {}
    counts: Counts = {}
    ours = True
    for raw in FILE.read_text(encoding="utf-8").splitlines():
        if raw == "[world]":
            ours = False
        elif not raw.startswith("#"):
            sign, values = raw.split("\t")
            line, _, numbers = values.partition("|")
            if line:
                (signs if ours else world)[sign] = _row(line)
            if numbers:
                counts[sign] = {LONG[k]: int(v) for k, v in _PAIR.findall(numbers)}
    return Weights(signs, world, counts)


def scores(table: Table, signs: dict[str, float]) -> dict[str, float]:
    """For each answer, the sum of what the signs of one message say."""
    total: dict[str, float] = {}
    for sign, strength in signs.items():
        for answer, weight in table.get(sign, {}).items():
            total[answer] = total.get(answer, 0.0) + weight * strength
    return total


def telling(table: Table, signs: dict[str, float], answer: str) -> list[str]:
    """The signs that spoke most for an answer, the loudest first."""
    said = {s: v * table.get(s, {}).get(answer, 0.0) for s, v in signs.items()}
    return sorted((s for s in said if said[s] > 0), key=lambda s: (-said[s], s))
