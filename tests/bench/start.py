"""How long from the command to the first answer, beside a bare aiohttp app's start."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from statistics import median
from time import perf_counter

from tests.bench import servers
from tests.bench.databases import Databases
from tests.bench.figures import Figure
from tests.bench.servers import Server
from tests.bench.sizes import Say, Sizes


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Seconds until /healthz answers 200, a migrated database at hand."""
    bare = median(_seconds(servers.bare, "") for _ in range(sizes.starts))
    for kind in databases.kinds:
        url = databases.fresh(kind)
        ours = [_seconds(partial(servers.helpline, url), "/healthz") for _ in range(sizes.starts)]
        say(f"start {kind}: {median(ours):.2f} s, a bare app {bare:.2f} s")
        yield Figure("start to first answer", kind, median(ours), "s", bare)


def _seconds(start: Callable[[], AbstractContextManager[Server]], path: str) -> float:
    started = perf_counter()
    with start() as server:
        if path:
            servers.first_answer(server, path)
        return perf_counter() - started
