"""How fast a message is on disk and answered: real signed webhooks into the real helpline in a
process of its own on one core, the client on another, against a bare aiohttp app that answers the
same POST. The two are measured in turns, so that a busy machine slows both.
"""

import asyncio
from collections.abc import Iterator
from statistics import median

from tests.bench import servers
from tests.bench.databases import Databases
from tests.bench.figures import Aim, Figure
from tests.bench.load import Tally, post_all, webhooks
from tests.bench.servers import Server
from tests.bench.sizes import Say, Sizes

SHARE = {1: None, 32: Aim(least=0.45), 256: Aim(least=0.55)}
P99_MS = {32: Aim(most=25.0)}


def measure(databases: Databases, sizes: Sizes, say: Say) -> Iterator[Figure]:
    """Share of bare aiohttp, requests a second and p99 at each number of connections."""
    with servers.bare() as bare, servers.twilio() as twilio:
        for kind in databases.kinds:
            for connections in sizes.keep_connections:
                url = databases.fresh(kind)
                with servers.helpline(url, twilio.address) as helpline:
                    yield from _turns(kind, bare, helpline, connections, sizes, say)


def _turns(
    kind: str, bare: Server, helpline: Server, connections: int, sizes: Sizes, say: Say
) -> Iterator[Figure]:
    count = sizes.keep_alone if connections == 1 else sizes.keep_together
    post(helpline, connections, count // 5), post(bare, connections, count // 5)
    ours, theirs = [], []
    for turn in range(sizes.keep_turns):
        theirs.append(post(bare, connections, count))
        before = helpline.cpu_seconds()
        ours.append(post(helpline, connections, count))
        used = (helpline.cpu_seconds() - before) / count * 1e6
        share = ours[-1].rate / theirs[-1].rate
        say(
            f"keep {kind} {connections}: turn {turn + 1} of {sizes.keep_turns}: "
            f"{ours[-1].rate:,.0f}/s of {theirs[-1].rate:,.0f}/s ({share:.0%}), "
            f"{used:.0f} µs processor time each"
        )
    name = f"keep, {connections} at once"
    rate, base = median(t.rate for t in ours), median(t.rate for t in theirs)
    share = median(a.rate / b.rate for a, b in zip(ours, theirs, strict=True))
    yield Figure(f"{name}: share of bare", kind, share, "", aim=SHARE.get(connections))
    yield Figure(f"{name}: rate", kind, rate, "1/s", base)
    yield Figure(
        f"{name}: p99",
        kind,
        median(t.p99_ms for t in ours),
        "ms",
        median(t.p99_ms for t in theirs),
        P99_MS.get(connections),
    )


def post(server: Server, connections: int, count: int) -> Tally:
    """Post so many messages over so many connections, and say how it went."""
    requests = webhooks(servers.PUBLIC_URL, server.address, count)
    with servers.on_client_core():
        tally = asyncio.run(post_all(server.address, requests, connections))
    if tally.refused:
        raise RuntimeError(f"{tally.refused} of {count} messages were refused.")
    return tally
