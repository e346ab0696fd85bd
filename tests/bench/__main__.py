"""`python -m tests.bench [--quick] [--only keep,sweep] [--database sqlite]`: measure, say how far
it is, print the table, leave the JSON in var/bench/latest.json."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

from tests.bench import backlog, databases, every_page, finding, keep, pages, quarter, start, sweep
from tests.bench.databases import Databases
from tests.bench.figures import Figure, table, write_json
from tests.bench.sizes import FULL, QUICK, Say, Sizes
from tests.databases import KINDS

Measurement = Callable[[Databases, Sizes, Say], Iterator[Figure]]
MEASUREMENTS: dict[str, Measurement] = {
    "start": start.measure,
    "keep": keep.measure,
    "backlog": backlog.measure,
    "inbox": pages.measure,
    "pages": every_page.measure,
    "sweep": sweep.measure,
    "search": finding.measure,
    "quarter": quarter.measure,
}
JSON = Path("var/bench/latest.json")


def run(sizes: Sizes, only: list[str], kinds: tuple[str, ...], say: Say) -> list[Figure]:
    """Every chosen measurement, in the order of the table above."""
    with databases.opened(kinds) as opened:
        return [
            figure
            for name, measurement in MEASUREMENTS.items()
            if name in only
            for figure in measurement(opened, sizes, say)
        ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a first look in a minute or two")
    parser.add_argument("--only", default=",".join(MEASUREMENTS), help="some of them, with commas")
    parser.add_argument("--database", choices=KINDS, help="one of the two")
    chosen = parser.parse_args()
    only = chosen.only.split(",")
    if unknown := set(only) - set(MEASUREMENTS):
        parser.error(f"no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    begun = perf_counter()

    def say(text: str) -> None:
        print(f"{perf_counter() - begun:6.0f} s  {text}", flush=True)

    kinds = (chosen.database,) if chosen.database else KINDS
    figures = run(QUICK if chosen.quick else FULL, only, kinds, say)
    print(f"\n{table(figures)}\n")
    write_json(JSON, figures, perf_counter() - begun, chosen.quick)
    print(f"The figures are in {JSON} as well.")


if __name__ == "__main__":
    main()
