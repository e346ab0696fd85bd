"""Learns one straight line between two kinds of message (a linear support vector machine).

Called by train.py and by the evaluation in the tests, never while a message is read. It must give
the same weights for the same examples: the order of looking is drawn from a fixed seed.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

NEAR_ENOUGH = 0.05  # where no message pulls harder than this, the line is as good as found

Signs = dict[str, float]
Rows = list[tuple[list[int], list[float]]]


@dataclass(frozen=True)
class Examples:
    """Messages as numbered signs: names[i] is what number i stands for."""

    names: list[str]
    rows: Rows


def numbered(many: list[Signs], *, at_least: int = 2) -> Examples:
    """Signs that stand in at least so many messages, numbered in the order of their names."""
    count = Counter(name for signs in many for name in signs)
    names = sorted(name for name, times in count.items() if times >= at_least)
    number = {name: i for i, name in enumerate(names)}
    rows: Rows = []
    for signs in many:
        kept = [(number[n], v) for n, v in signs.items() if n in number]
        rows.append(([i for i, _ in kept], [v for _, v in kept]))
    return Examples(names, rows)


def line(
    rows: Rows, size: int, yes: list[bool], cost: list[float], passes: int = 25
) -> list[float]:
    """Weights by dual coordinate descent with squared hinge loss (Hsieh and others, 2008).

    `cost` says how dear a mistake on each message is; the two sides are balanced by weight.
    """
    positive = sum(c for c, y in zip(cost, yes, strict=True) if y)
    total = sum(cost)
    side = {True: total / (2 * positive), False: total / (2 * (total - positive))}
    weights, alpha = [0.0] * size, [0.0] * len(rows)
    damp = [1 / (2 * max(c * side[y], 1e-9)) for c, y in zip(cost, yes, strict=True)]
    square = [sum(v * v for v in vs) + d for (_, vs), d in zip(rows, damp, strict=True)]
    order = [i for i, c in enumerate(cost) if c > 0]
    chance = random.Random(7)  # noqa: S311 - no secret: the same order each time
    for _ in range(passes):
        chance.shuffle(order)
        farthest = 0.0
        for i in order:
            numbers, values = rows[i]
            sign = 1.0 if yes[i] else -1.0
            reach = sum([weights[j] * v for j, v in zip(numbers, values)])  # noqa: B905 - the hot loop; made equal above
            gradient = sign * reach - 1.0 + damp[i] * alpha[i]
            new = max(alpha[i] - gradient / square[i], 0.0)
            farthest = max(farthest, abs(gradient) if new or alpha[i] else 0.0)
            step = (new - alpha[i]) * sign
            alpha[i] = new
            if step:
                for j, v in zip(numbers, values):  # noqa: B905 - as above
                    weights[j] += step * v
        if farthest < NEAR_ENOUGH:
            break
    return weights
