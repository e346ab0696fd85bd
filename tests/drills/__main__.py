"""`make drill`: 10,000 signed webhooks, 60 kills, the figures and the seed; then the broken twin,
which must fail, or the drill proves nothing. Exit status 1 when a promise is broken."""

import argparse
import asyncio
import random
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

from helpline import sealing
from tests.drills.losing import Figures, Plan, drill
from tests.keys import RAW_TEST_KEY


def main() -> int:
    wanted = argparse.ArgumentParser(prog="drill", description=__doc__)
    wanted.add_argument("--messages", type=int, default=10_000)
    wanted.add_argument("--kills", type=int, default=60)
    wanted.add_argument("--pace", type=float, default=50, help="webhooks a second")
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    plan = Plan(asked.messages, asked.kills, asked.seed, asked.pace)
    figures = run(plan, "drill")
    twin = replace(
        plan, messages=min(1000, plan.messages), kills=min(15, plan.kills), is_hasty=True
    )
    broken = run(replace(twin, settles=False), "twin that answers before it has stored")
    if not figures.is_kept:
        print(f"drill: FAILED. Again: python -m tests.drills --seed {plan.seed}")
        return 1
    if not broken.acknowledged_but_lost:
        print("drill: the broken twin passed: this drill shows nothing.")
        return 1
    print("drill: every promise kept, and the broken twin was caught")
    return 0


def run(plan: Plan, name: str) -> Figures:
    with tempfile.TemporaryDirectory(prefix="helpline-drill-") as folder:
        figures = asyncio.run(drill(plan, Path(folder)))
    print(f"{name}: seed {plan.seed}")
    for one in fields(figures):
        value = getattr(figures, one.name)
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        print(f"  {one.name.replace('_', ' '):24} {shown}")
    sys.stdout.flush()
    return figures


if __name__ == "__main__":
    sys.exit(main())
