"""Processes of their own, at the back of the queue, for making reports: taking a message in goes
before counting, protecting and typesetting.

`main` hands one to the sessions that read; whoever makes figures, or files of them, calls `there`.
A process is started when it is first needed, lives as long as the helpline, and is started anew
if it was ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import multiprocessing
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from helpline import sealing
from helpline.db import Database

APART: Final = "apart"
"""Under this name sessions that read have it (`session.info`); those of the process itself have
none, nor has one that writes: what it wrote is not to be seen from there yet."""
NICE: Final = 19
AT_ONCE: Final = 2
"""Processes, the second only while the first is busy: a check may take minutes, and somebody who
opens a page meanwhile does not wait for it."""
Found = TypeVar("Found")
_url = ""


async def there(
    session: AsyncSession, act: Callable[..., Awaitable[Found]], *args: Any, **named: Any
) -> Found:
    """What `act(session, *args, **named)` gives: in the process apart with a session of its own,
    where `session` has one, else here. The function is known by its name in its module, and what
    goes in and comes out is copied: let it be little. It only reads.

    Until it comes `session` holds neither its connection nor its snapshot; afterwards it sees what
    is there then.
    """
    apart: Apart | None = session.info.get(APART)
    if apart is None:
        return await act(session, *args, **named)
    await session.commit()  # of nothing: it only reads; a rollback would forget what it has read
    return await apart.run(functools.partial(act, **named), *args)


class Apart:
    """Runs functions that take a session and give something back, AT_ONCE at a time. `keys` open
    what is sealed; they go to the processes through a pipe."""

    def __init__(self, url: str, keys: Sequence[bytes] = ()) -> None:
        self._url, self._keys = url, tuple(keys)
        self._pool: ProcessPoolExecutor | None = None
        self._processes: list[BaseProcess] = []

    async def run(self, act: Callable[..., Awaitable[Found]], *args: object) -> Found:
        """What `act(session, *args)` gives, with a session over there. The function is known by its
        name in its module, and what goes in and comes out is copied."""
        pool = self._pool
        try:
            begun, pool = self._begun(act, args), self._pool
            return await asyncio.wrap_future(begun)
        except BrokenProcessPool:  # somebody ended it: one more try, in a new one
            if self._pool is pool:  # which nobody else has begun meanwhile
                self.close()
            return await asyncio.wrap_future(self._begun(act, args))

    def close(self) -> None:
        """End the process; whatever waits for it hears so."""
        if self._pool is not None:
            for process in self._processes:
                process.kill()  # it only reads
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _begun(
        self, act: Callable[..., Awaitable[Found]], args: tuple[object, ...]
    ) -> Future[Found]:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                AT_ONCE, multiprocessing.get_context("spawn"), _begin, (self._url, self._keys)
            )
            self._processes = []
        before = multiprocessing.active_children()
        begun = self._pool.submit(_over_there, act, args)
        for process in multiprocessing.active_children():
            if process not in before:
                self._processes.append(process)
                stand_back(process.pid or 0)
        return begun


def stand_back(process_id: int) -> None:
    """To the back of the queue with a process (0: this one) that has one thread yet, before it has
    even imported anything.

    Where there is a class behind every number (Linux), it is taken: a process of the last number
    that runs when a message comes still runs for its millisecond or three, and messages come in so
    small pieces of work that this took a sixth of what could be taken in; one of that class is
    interrupted at once, and its reading of the disk waits as well.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process_id, NICE)
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(process_id, os.SCHED_IDLE, os.sched_param(0))


def _begin(url: str, keys: tuple[bytes, ...]) -> None:
    global _url
    _url = url
    if keys:
        sealing.install(sealing.KeyRing(list(keys)))
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
