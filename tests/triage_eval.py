"""Five-fold cross-validation of triage over the labelled messages; prints the table and a curve.

Run by `make triage`. Near-copies stay in one fold; the limits of a fold are chosen on the others.
Messages in own_*.txt are only taught from; golden.txt is neither. The tables of words were written
by people who had read most of the judged messages, so the part left unread (DB-012 to DB-520) is
also shown by itself: it is the honest one.
"""

from __future__ import annotations

import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from helpline.rules.triage.features import Seen, seen
from helpline.rules.triage.judgement import (
    LIMITS,
    Heard,
    Limits,
    Reading,
    heard,
    how_urgent,
    judged,
)
from helpline.rules.triage.train import Example, examples, learned
from helpline.rules.triage.weights import Weights

FOLDER = Path(__file__).parent / "data" / "triage"
FOLDS = 5
ALARMS, PRESSING = 0.06, 0.085  # the shares of calm messages that may be called so
ABROAD = 0.975  # the share of emergencies in other languages that must be found
CALM = ("standard", "low")
ALL_ALARMS = Limits(-99.0, -99.0, -99.0, 0.0, -99.0)  # only noise and courtesy stay quiet
Pair = tuple[Example, Reading]


def groups(texts: list[str], alike: float = 0.4) -> list[int]:
    """For each text the number of its group: texts sharing so much of their letters are one."""
    shingles = [_shingles(t) for t in texts]
    group = list(range(len(texts)))
    holders: dict[str, list[int]] = defaultdict(list)
    for i, mine in enumerate(shingles):
        shared: dict[int, int] = defaultdict(int)
        for s in mine:
            for j in holders[s]:
                shared[j] += 1
            holders[s].append(i)
        for j, n in shared.items():
            if n / (len(mine) + len(shingles[j]) - n) > alike:
                old, new = group[j], group[i]
                group = [new if g == old else g for g in group]
    return group


def _shingles(text: str) -> set[str]:
    text = re.sub(r"\W+", " ", text.lower())
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def fold_of(many: list[Example]) -> list[int]:
    """A fold for each judged message, -1 for those only taught from."""
    judged_ones = [e for e in many if e.judged]
    group = groups([e.text for e in judged_ones])
    place = {g: n % FOLDS for n, g in enumerate(dict.fromkeys(group))}
    of = dict(zip((e.id for e in judged_ones), group, strict=True))
    return [place[of[e.id]] if e.judged else -1 for e in many]


@dataclass(frozen=True)
class Held:
    """One judged message as read by weights that never saw it."""

    example: Example
    fold: int
    one: Seen
    said: Heard
    weights: Weights
    quiet: bool


def one_fold(fold: int) -> list[Held]:
    """Learn from the other folds, score this one."""
    many = examples(FOLDER)
    folds = fold_of(many)
    taken: list[Seen] = [seen(e.text, e.channel) for e in many]
    taught = [i for i, f in enumerate(folds) if f != fold]
    weights = learned([many[i] for i in taught], [taken[i] for i in taught])
    here = [i for i, f in enumerate(folds) if f == fold]
    held = []
    for i in here:
        said = heard(taken[i], weights)
        quiet = judged(taken[i], said, weights, ALL_ALARMS).urgency == "low"
        held.append(Held(many[i], fold, taken[i], said, weights, quiet))
    return held


def chosen(held: list[Held], alarms: float = ALARMS, pressing: float = PRESSING) -> Limits:
    """The limits that let so many calm English messages through, and no more.

    Emergency: `alarms` of them; urgent or worse: `pressing`. Taken in that order, each over the
    whole reading, so that short messages and plain sentences count as they will.
    """
    calm = [h for h in held if h.example.urgency in CALM and h.example.lang == "en"]
    limits = Limits()
    for name, share_let, worse in (
        ("emergency", alarms, ("emergency",)),
        ("ask", (alarms + pressing) / 2, ("emergency", "urgent")),
        ("urgent", pressing, ("emergency", "urgent")),
    ):
        start = replace(limits, ask=9.0, urgent=9.0) if name == "emergency" else limits
        start = replace(start, urgent=9.0) if name == "ask" else start
        limits = replace(limits, **{name: _lowest(calm, start, name, share_let, worse)})
    return replace(limits, world_emergency=_world_limit(held))


def _world_limit(held: list[Held]) -> float:
    """The highest limit for other languages that finds so many of their emergencies."""
    found = sorted(
        h.said.world.get("emergency", 0.0)
        for h in held
        if h.example.urgency == "emergency" and not h.one.english
    )
    return math.floor(100 * found[int((1 - ABROAD) * len(found))]) / 100


def _lowest(
    calm: list[Held], start: Limits, name: str, let: float, worse: tuple[str, ...]
) -> float:
    """The lowest value of one limit, in hundredths, that lets no more than the share through."""
    low, high = -300, 300
    while low < high:
        middle = (low + high) // 2
        limits = replace(start, **{name: middle / 100})
        if sum(urgency(h, limits) in worse for h in calm) <= let * len(calm):
            high = middle
        else:
            low = middle + 1
    return low / 100


def urgency(held: Held, limits: Limits) -> str:
    """The urgency alone, of a message that is neither noise nor courtesy."""
    if held.quiet:
        return "low"
    return how_urgent(held.one, held.said, limits)[0]


def share(pairs: Iterable[Pair], right: Callable[[Example, Reading], bool]) -> str:
    """A share with its 95 % interval (Wilson)."""
    hits = [right(e, r) for e, r in pairs]
    n, p = len(hits), sum(hits) / max(1, len(hits))
    z = 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n) if n else 0.0
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n) if n else 0.0
    return f"{100 * p:5.1f} %  ({100 * (middle - half):.1f} to {100 * (middle + half):.1f}; n={n})"


def table(pairs: list[Pair]) -> list[tuple[str, str]]:
    """The measures of triage over one set of messages."""
    emergency = [p for p in pairs if p[0].urgency == "emergency"]
    pressing = [p for p in pairs if p[0].urgency in ("emergency", "urgent")]
    calm = [p for p in pairs if p[0].urgency in ("standard", "low")]
    soon = [p for p in pairs if p[0].urgency == "urgent"]
    foreign = [p for p in emergency if p[0].lang != "en"]

    def alarm(e: Example, r: Reading) -> bool:
        return r.urgency == "emergency"

    def worse(e: Example, r: Reading) -> bool:
        return r.urgency in ("emergency", "urgent")

    return [
        ("emergencies called emergency", share(emergency, alarm)),
        ("  … or urgent with the safety question", share(emergency, lambda e, r: r.ask_safety)),
        ("  … not in English", share(foreign, alarm)),
        ("standard and low called emergency", share(calm, alarm)),
        ("urgent called emergency", share(soon, alarm)),
        ("urgent or worse called so", share(pressing, worse)),
        ("standard and low called urgent or worse", share(calm, worse)),
        ("standard and low asked for safety", share(calm, lambda e, r: r.ask_safety)),
        ("category first", share(pairs, lambda e, r: r.category == e.category)),
        ("category among first three", share(pairs, lambda e, r: e.category in r.categories[:3])),
    ]


def is_unread(example: Example) -> bool:
    """Whether nobody had read the message when the tables of words were written."""
    return example.id.startswith("DB-") and 12 <= int(example.id[3:]) <= 520


def all_held() -> list[Held]:
    """Every judged message, scored by weights that never saw it."""
    with ProcessPoolExecutor(2) as pool:
        return [h for fold in pool.map(one_fold, range(FOLDS)) for h in fold]


def read_pairs(held: list[Held], alarms: float = ALARMS, pressing: float = PRESSING) -> list[Pair]:
    """Every message with the reading of weights, and of limits, chosen without its fold."""
    pairs = []
    for fold in range(FOLDS):
        limits = chosen([h for h in held if h.fold != fold], alarms, pressing)
        here = (h for h in held if h.fold == fold)
        pairs += [(h.example, judged(h.one, h.said, h.weights, limits)) for h in here]
    return pairs


def curve(held: list[Held]) -> list[str]:
    """What fewer or more false alarms would cost or buy, for all and for the unread part."""
    lines = []
    for alarms in (0.02, 0.04, 0.06, 0.08, 0.12, 0.2):
        pairs = read_pairs(held, alarms, alarms + PRESSING - ALARMS)
        for name, some in (("all", pairs), ("unread", [p for p in pairs if is_unread(p[0])])):
            calm = [r.urgency == "emergency" for e, r in some if e.urgency in CALM]
            hit = [r.urgency == "emergency" for e, r in some if e.urgency == "emergency"]
            lines.append(
                f"{name:7} {100 * sum(calm) / len(calm):5.1f} % of calm messages alarm: "
                f"{100 * sum(hit) / len(hit):5.1f} % of emergencies called so"
            )
    return sorted(lines)


def main() -> None:
    """Print the table and the curve; `--misses` also lists what was missed in the read part."""
    held = all_held()
    pairs, limits = read_pairs(held), chosen(held)
    print(f"Limits by these folds: {limits}\nLimits kept with the code: {LIMITS}")
    for name, some in (("All", pairs), ("Unread part", [p for p in pairs if is_unread(p[0])])):
        print(f"{name}: {len(some)} messages")
        for what, figure in table(some):
            print(f"  {what:42} {figure}")
    print("\n".join(curve(held)))
    if "--misses" in sys.argv:
        for e, r in pairs:
            if e.urgency == "emergency" and r.urgency != "emergency" and not is_unread(e):
                print(f"{e.id} {e.lang} {e.category} → {r.urgency}: {e.text[:200]!r}; {r.why}")


if __name__ == "__main__":
    main()
