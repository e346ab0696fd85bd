"""How much is measured: in full, quickly for a first look, or hardly at all for the test that the
measurements run."""

from collections.abc import Callable
from dataclasses import dataclass, replace

Say = Callable[[str], None]
"""Tells a person how far the measuring is."""


@dataclass(frozen=True)
class Sizes:
    """Counts of each measurement."""

    keep_connections: tuple[int, ...]
    keep_alone: int  # messages a turn over one connection
    keep_together: int  # messages a turn over several
    keep_turns: int
    backlog: int  # kept items to route
    cases: int  # open cases behind the inbox page
    pages: int  # times the page is asked for
    deadlines: tuple[int, ...]  # open ones, none due
    due: int
    sweeps: int
    starts: int
    contacts: tuple[int, ...]  # of a quarter that is reported on
    plainly: int  # up to so many, also by plain SQL


FULL = Sizes(
    keep_connections=(1, 32, 256),
    keep_alone=1_000,
    keep_together=6_000,
    keep_turns=7,
    backlog=10_000,
    cases=100_000,
    pages=200,
    deadlines=(1_000, 1_000_000),
    due=100,
    sweeps=200,
    starts=7,
    contacts=(10_000, 100_000, 1_000_000),
    plainly=1_000_000,
)
QUICK = replace(
    FULL,
    keep_alone=500,
    keep_together=3_000,
    keep_turns=3,
    backlog=2_000,
    cases=10_000,
    pages=50,
    deadlines=(1_000, 100_000),
    sweeps=50,
    starts=3,
    contacts=(10_000, 100_000),
)
TINY = Sizes((4,), 20, 40, 1, 20, 60, 5, (10, 50), 5, 3, 1, (100,), 100)
