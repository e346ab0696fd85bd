"""Five-fold cross-validation of triage over the labelled messages; prints the table.

Run as `python -m tests.triage_eval`. Near-copies stay in one fold. Messages in own_*.txt are only
taught from. The tables of words were written by people who had read most of these messages, so
the part first left unread (DB-012 to DB-520) is also shown by itself: it is the honest one.
"""

from __future__ import annotations

import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from helpline.rules.triage.features import Seen, seen
from helpline.rules.triage.judgement import Reading, judged
from helpline.rules.triage.train import Example, examples, learned

FOLDER = Path(__file__).parent / "data" / "triage"
FOLDS = 5
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


def one_fold(fold: int) -> list[Pair]:
    """Learn from the other folds, read this one."""
    many = examples(FOLDER)
    folds = fold_of(many)
    taken: list[Seen] = [seen(e.text, e.channel) for e in many]
    taught = [i for i, f in enumerate(folds) if f != fold]
    weights = learned([many[i] for i in taught], [taken[i] for i in taught])
    return [(many[i], judged(taken[i], weights)) for i, f in enumerate(folds) if f == fold]


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


def all_pairs() -> list[Pair]:
    """Every judged message with the reading of a model that had not seen it."""
    with ProcessPoolExecutor(2) as pool:
        return [pair for pairs in pool.map(one_fold, range(FOLDS)) for pair in pairs]


def main() -> None:
    """Print the table; `--misses` also lists what was missed in the part already read."""
    pairs = all_pairs()
    for name, some in (("All", pairs), ("Unread part", [p for p in pairs if is_unread(p[0])])):
        print(f"{name}: {len(some)} messages")
        for what, figure in table(some):
            print(f"  {what:42} {figure}")
    if "--misses" in sys.argv:
        for e, r in pairs:
            if e.urgency == "emergency" and r.urgency != "emergency" and not is_unread(e):
                print(f"{e.id} {e.lang} {e.category} → {r.urgency}: {e.text[:200]!r}; {r.why}")


if __name__ == "__main__":
    main()
