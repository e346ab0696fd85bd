"""A process of its own, at the back of the queue, for reports over very many contacts: taking a
message in goes before counting.

`main` hands one to the database's sessions; reports/counting.py uses it where there is much to
count. The process is started when it is first needed, lives as long as the helpline, and is started
anew if it was ended.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from helpline.db import Database

APART: Final = "apart"
"""Under this name sessions have it (`session.info`); those of the process itself have none."""
NICE: Final = 19
"""With less, whoever takes messages in on a busy processor would still lose a tenth of it."""
Found = TypeVar("Found")
_url = ""


class Apart:
    """Runs functions that take a session and give something back, one at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, act: Callable[..., Awaitable[Found]], *args: object) -> Found:
        """What `act(session, *args)` gives, with a session over there. The function is known by its
        name in its module, and what goes in and comes out is copied."""
        try:
            return await self._run(act, args)
        except BrokenProcessPool:  # somebody ended it: one more try, in a new one
            self.close()
            return await self._run(act, args)

    def close(self) -> None:
        """End the process; whatever waits for it hears so."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _run(self, act: Callable[..., Awaitable[Found]], args: tuple[object, ...]) -> Found:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, multiprocessing.get_context("spawn"), _begin, (self._url,)
            )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, _over_there, act, args)


def _begin(url: str) -> None:
    global _url
    _url = url
    os.nice(NICE)
    threading.Thread(target=_end_with_the_helpline, daemon=True).start()


def _end_with_the_helpline() -> None:
    """A helpline that was killed tells nobody: without this the process would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(0)


def _over_there(act: Callable[..., Awaitable[Found]], args: tuple[object, ...]) -> Found:
    return asyncio.run(_with_a_session(act, args))


async def _with_a_session(act: Callable[..., Awaitable[Found]], args: tuple[object, ...]) -> Found:
    db = Database(_url)
    try:
        async with db.read() as session:
            return await act(session, *args)
    finally:
        await db.close()
