"""A real helpline that can be started fifty times a minute, for the drill that kills it.

`python -m tests.drills.server [--hasty]` loads the whole program once and then, for every line
`start PORT` on its standard input, forks a process that serves exactly as `helpline serve` does,
and prints `PID PORT` once it answers. Loading is nine tenths of a start: the fork leaves it out
and nothing else. With --hasty the house is broken on purpose: it answers before the commit.
"""

import asyncio
import logging
import os
import signal
import sys
from dataclasses import replace
from datetime import datetime

import helpline.web.app
from helpline import log, main
from helpline.channels import Inbound
from helpline.desk.inbox import Inbox
from helpline.settings import read_settings


class HastyInbox(Inbox):
    """What must never be built: `keep` returns while the item is still in memory only, where it
    stays for a moment, so that a kill finds it there on the fastest of disks."""

    _late: set[asyncio.Task[None]]

    async def keep(self, inbound: Inbound, received_at: datetime) -> None:
        if not hasattr(self, "_late"):
            self._late = set()
        task = asyncio.create_task(self._keep_late(inbound, received_at))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _keep_late(self, inbound: Inbound, received_at: datetime) -> None:
        await asyncio.sleep(0.05)
        await super().keep(inbound, received_at)


def serve(port: int, is_hasty: bool) -> None:
    log.set_up(logging.WARNING)  # sixty starts need not be told
    house = main.build(read_settings())
    if is_hasty:
        house = replace(house, inbox=HastyInbox(house.db, on_kept=house.wakes.routing.set))
    asyncio.run(main.serve(house, "127.0.0.1", port, say))


def say(port: int) -> None:
    print(os.getpid(), port, flush=True)


def wait_for_orders(is_hasty: bool) -> None:
    assert helpline.web.app.ROUTES  # loaded before the first fork
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever was killed is buried at once
    for line in sys.stdin:
        port = int(line.removeprefix("start "))
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(port, is_hasty)
            os._exit(0)


if __name__ == "__main__":
    wait_for_orders("--hasty" in sys.argv)
