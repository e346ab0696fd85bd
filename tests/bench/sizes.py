"""How much is measured: in full, quickly for a first look, or hardly at all for the test that the
measurements run."""

from collections.abc import Callable
from dataclasses import dataclass

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


FULL = Sizes((1, 32, 256), 1_000, 6_000, 7, 10_000, 100_000, 200, (1_000, 1_000_000), 100, 200, 7)
QUICK = Sizes((1, 32, 256), 500, 3_000, 3, 2_000, 10_000, 50, (1_000, 100_000), 100, 50, 3)
TINY = Sizes((1, 4), 20, 40, 1, 20, 60, 5, (10, 50), 5, 3, 1)
