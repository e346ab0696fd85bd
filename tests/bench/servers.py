"""Server processes of their own for the measurements: the helpline as `helpline serve` starts it,
and a bare aiohttp app that answers the same POST with the same words (`python -m
tests.bench.servers bare` is that process; with `twilio` it is a Twilio that takes every message).
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

from aiohttp import web

from tests import folders
from tests.bench.load import OUR_NUMBER
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, FakeTwilio
from tests.keys import TEST_KEY

ROOT = Path(__file__).parents[2]
PUBLIC_URL = "https://helpline.example"
PATIENCE = 60.0
"""Seconds until a server that has not started is given up."""
SERVER_CORE, CLIENT_CORE = 0, 1


@dataclass(frozen=True)
class Server:
    """A process that serves at `address`."""

    address: str
    process: subprocess.Popen[str]

    def cpu_seconds(self) -> float:
        """Processor time it has used so far; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stay_on(process_id: int, core: int) -> None:
    """Keep a process (0: this one) on one core, where there is a choice."""
    if hasattr(os, "sched_setaffinity") and core in os.sched_getaffinity(0) | {SERVER_CORE}:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(process_id, {core})


@contextlib.contextmanager
def on_client_core() -> Iterator[None]:
    """This process leaves the server its core while the block runs."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        stay_on(0, CLIENT_CORE)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def helpline(database_url: str, twilio_url: str = "", *, pin: bool = True) -> Iterator[Server]:
    """The whole helpline, as a person would start it, over a migrated database."""
    surroundings = {
        "HELPLINE_DATABASE_URL": database_url,
        "HELPLINE_PUBLIC_URL": PUBLIC_URL,
        "HELPLINE_KEYS": TEST_KEY,
        "HELPLINE_CONTRACTS": str(folders.essex()),
        "HELPLINE_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "HELPLINE_TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "HELPLINE_TWILIO_NUMBERS": f"essex={OUR_NUMBER}",
        "HELPLINE_TWILIO_API_URL": twilio_url or "http://127.0.0.1:9",
    }
    code = "from helpline.cli import app_entry; app_entry()"
    with _started(["-c", code, "serve", "--port", "0"], surroundings, pin=pin) as server:
        yield server


@contextlib.contextmanager
def bare() -> Iterator[Server]:
    """aiohttp and nothing else."""
    with _started(["-m", "tests.bench.servers", "bare"], {}, pin=True) as server:
        yield server


@contextlib.contextmanager
def twilio() -> Iterator[Server]:
    """A Twilio that takes every message, on any core."""
    with _started(["-m", "tests.bench.servers", "twilio"], {}, pin=False) as server:
        yield server


@contextlib.contextmanager
def _started(arguments: list[str], more: Mapping[str, str], *, pin: bool) -> Iterator[Server]:
    """A Python process that says "… 127.0.0.1:PORT." on a line beginning with Ready."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HELPLINE_")}
    own |= {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"} | more
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=own,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        if pin:
            stay_on(process.pid, SERVER_CORE)
        try:
            yield Server(_address(process), process)
        except BaseException:
            errors.seek(0)
            print(errors.read()[-2000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Ready"):
            return f"http://{line.split()[-1].rstrip('.')}"
    raise RuntimeError("The server ended before it was ready.")


def first_answer(server: Server, path: str = "/healthz") -> None:
    """Wait until `path` is answered with 200."""
    until = monotonic() + PATIENCE
    while True:
        try:
            with urlopen(server.address + path, timeout=1) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            if monotonic() > until:
                raise
        sleep(0.005)


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(text="<Response/>", content_type="text/xml")


async def _serve_bare() -> None:
    app = web.Application()
    app.router.add_post("/hooks/sms", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"Ready on 127.0.0.1:{runner.addresses[0][1]}.", flush=True)
    await asyncio.Event().wait()


async def _serve_twilio() -> None:
    async with FakeTwilio() as fake:
        print(f"Ready on {fake.url.removeprefix('http://')}.", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run({"bare": _serve_bare, "twilio": _serve_twilio}[sys.argv[1]]())
