"""Runs `helpline` commands as processes of their own without loading everything anew for each: one
process that has loaded what commands need makes a copy of itself for every command. What a command
is given (words, variables, folder, input) and gives (output, errors, exit status) is as ever.

A few tests start the command really, so that its own beginning is tried too.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

NEEDED = ("helpline.main", "helpline.seed", "helpline.migrations.moving", "helpline.reports.render")
SERVER = f"""
import importlib, json, os, sys
from helpline import cli
for name in {NEEDED!r}:
    importlib.import_module(name)
asked, told = os.fdopen(int(sys.argv[1]), "rb"), int(sys.argv[2])
os.write(told, b"ready\\n")
for line in asked:
    one = json.loads(line)
    child = os.fork()
    if not child:
        asked.close()
        os.close(told)
        for number, (name, how) in enumerate(one["files"]):
            os.dup2(os.open(name, how), number)
        os.chdir(one["folder"])
        os.environ.clear()
        os.environ.update(one["env"])
        sys.argv = ["helpline", *one["words"]]
        status = 1
        try:
            cli.app_entry()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.write(told, b"%d\\n" % child)
    os.write(told, b"%d\\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Commands:
    """Makes processes of the `helpline` command. One command runs at a time."""

    def __init__(self, ask: int, hear: int) -> None:
        self._ask, self._hear, self._heard = ask, hear, b""

    def run(
        self,
        words: Sequence[str | bytes],
        env: Mapping[str, str],
        folder: Path,
        typed: bytes = b"",
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[bytes]:
        """Like `subprocess.run` with everything captured."""
        with TemporaryDirectory() as made:
            given, said, wrong = (Path(made) / name for name in ("in", "out", "err"))
            given.write_bytes(typed)
            new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            files = [(str(given), os.O_RDONLY), (str(said), new), (str(wrong), new)]
            shown = [os.fsdecode(word) for word in words]
            asked = {"words": shown, "env": dict(env), "folder": str(folder), "files": files}
            os.write(self._ask, json.dumps(asked).encode() + b"\n")
            process = int(self._line(timeout))
            try:
                status = int(self._line(timeout))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                self._line(timeout)
                raise
            return subprocess.CompletedProcess(shown, status, said.read_bytes(), wrong.read_bytes())

    def _line(self, timeout: float) -> bytes:
        while b"\n" not in self._heard:
            if not select.select([self._hear], [], [], timeout)[0]:
                raise TimeoutError
            more = os.read(self._hear, 4096)
            assert more, "the process that makes commands has ended"
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line


@contextlib.contextmanager
def commands() -> Iterator[Commands]:
    """The process that has loaded everything, ready to make copies of itself."""
    (asked, ask), (hear, told) = os.pipe(), os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(asked), str(told)],
        pass_fds=(asked, told),
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        | {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        stdin=subprocess.DEVNULL,
        cwd="/",
    )
    os.close(asked)
    os.close(told)
    ready = Commands(ask, hear)
    try:
        assert ready._line(120) == b"ready"
        yield ready
    finally:
        os.close(ask)
        process.wait(30)
        os.close(hear)
