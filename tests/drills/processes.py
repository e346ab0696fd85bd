"""Helplines in processes of their own, to be killed: the real command, and the quick starter."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.drills.houses import settings_for

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("helpline")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(database_url: str, twilio_url: str = "", telegram_url: str = "") -> dict[str, str]:
    """What `helpline serve` needs to hear, and nothing of what this process has heard."""
    settings = settings_for(database_url, twilio_url, telegram_url)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    names = (
        "database_url public_url keys twilio_account_sid twilio_auth_token twilio_numbers"
        " twilio_api_url telegram_token telegram_secret telegram_api_url contracts"
    ).split()
    ours = {f"HELPLINE_{name.upper()}": str(getattr(settings, name)) for name in names}
    return kept | ours | {"PYTHONPATH": f"{ROOT}/src:{ROOT}"}


class Command:
    """`helpline serve` itself."""

    def __init__(self, env: dict[str, str], port: int) -> None:
        self._env, self.port = env, port
        self._process: Process | None = None

    async def start(self) -> None:
        """Returns once it answers."""
        words = (COMMAND, "serve", "--port", str(self.port))
        process = await asyncio.create_subprocess_exec(*words, env=self._env, stdout=PIPE)
        self._process = process
        assert process.stdout is not None
        while not (line := await process.stdout.readline()).startswith(b"Ready"):
            assert line, "helpline serve ended before it was ready"

    async def kill(self) -> None:
        """kill -9: nothing in it can be finished."""
        assert self._process is not None
        self._process.kill()
        await self._process.communicate()

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self._process is not None
        self._process.terminate()
        await self._process.communicate()
        return self._process.returncode or 0


class Forked:
    """The same program through tests/drills/server.py."""

    def __init__(self, starter: Process, port: int) -> None:
        self._starter, self.port = starter, port
        self._pid = 0

    async def start(self) -> None:
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._starter.stdin.write(f"start {self.port}\n".encode())
        line = await self._starter.stdout.readline()
        assert line, "the starter has ended"
        self._pid = int(line.split()[0])

    async def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        while True:  # gone when the starter has buried it
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0.002)


@asynccontextmanager
async def starter(env: dict[str, str], port: int, *flags: str) -> AsyncIterator[Forked]:
    """A quick starter, and everything it started, for the length of a `with`."""
    words = (sys.executable, "-m", "tests.drills.server", *flags)
    process = await asyncio.create_subprocess_exec(
        *words, env=env, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    forked = Forked(process, port)
    try:
        yield forked
    finally:
        with suppress(ProcessLookupError, AssertionError):
            if forked._pid:
                os.kill(forked._pid, signal.SIGKILL)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
