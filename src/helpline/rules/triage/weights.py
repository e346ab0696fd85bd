"""The weights of the second reader: how much each sign speaks for each answer.

Called by judgement to score a message. It must only add up: what follows from a score is decided
in judgement. weights.tsv is a plain table, written by train.py: sign, then answer=hundredths.
"""

from __future__ import annotations

from dataclasses import dataclass
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

Table = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Weights:
    """sign → answer → weight; `world` is the table by meaning alone, for other languages."""

    signs: Table
    world: Table

    def written(self) -> str:
        """The table as text, one sign a line, in order."""
        head = "# Written by train.py. E, U, L: emergency, urgent, low; then the categories:\n# "
        head += " ".join(f"{SHORT[c]}={c}" for c in CATEGORIES) + "\n"
        return head + _lines(self.signs) + "[world]\n" + _lines(self.world)


def _lines(table: Table) -> str:
    return "".join(
        f"{sign}\t{' '.join(f'{SHORT[k]}{round(v * 100)}' for k, v in table[sign].items())}\n"
        for sign in sorted(table)
    )


@lru_cache(maxsize=1)
def kept() -> Weights:
    """The weights kept with the code."""
    signs: Table = {}
    world: Table = {}
    table = signs
    for raw in FILE.read_text(encoding="utf-8").splitlines():
        if raw == "[world]":
            table = world
        elif not raw.startswith("#"):
            sign, values = raw.split("\t")
            table[sign] = {LONG[v[0]]: int(v[1:]) / 100 for v in values.split(" ")}
    return Weights(signs, world)


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
