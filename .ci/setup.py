"""Makes the project ready to run: the environment, its parts, the pages' files, the package itself.

Called by `make setup`, and through it by `make run` and `make test`, with the machine's own Python
and nothing installed: standard library only. Each step is remembered by the digest of what it was
made from, so that a second call finds everything done. Must never install a part that is not in
the lock with its hash.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
NOTES = VENV / "setup"  # one file a step, holding the digest it was done for
OLDEST = (3, 11)


def main() -> None:
    if sys.version_info < OLDEST:
        stop(
            f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}. "
            "Name a newer one: make PYTHON=python3.12 setup"
        )
    make_environment()
    NOTES.mkdir(exist_ok=True)
    step("parts", ["requirements.lock"], "installing the locked parts (about half a minute)", parts)
    if needs_packaged_node():
        step("node", ["requirements-build.lock"], "no Node.js here: fetching one", packaged_node)
    run([PYTHON, "hatch_build.py"], quiet=False)
    step("package", ["pyproject.toml", "hatch_build.py"], "installing helpline itself", package)


def make_environment() -> None:
    """Create .venv, anew if the Python it was made with has gone."""
    if PYTHON.exists() and works([PYTHON, "-m", "pip", "--version"]):
        return
    say(f"creating .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    if not works([sys.executable, "-m", "venv", str(VENV)]):
        stop(
            "Python could not make a virtual environment. On Debian and Ubuntu the package "
            "python3-venv is missing: install it and run the same command again."
        )


def parts() -> None:
    # Python compiles what is used when it is first used; compiling it all here doubles the time.
    pip("install", "--no-compile", "--require-hashes", "-r", "requirements.lock")


def packaged_node() -> None:
    pip("install", "--require-hashes", "-r", "requirements-build.lock")


def package() -> None:
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")


def needs_packaged_node() -> bool:
    """Whether hatch_build finds no Node.js on this machine that will do."""
    check = "import hatch_build, sys; sys.exit(1 if hatch_build.node_on_path() else 0)"
    return works([PYTHON, "-c", check])


def step(name: str, made_from: list[str], saying: str, work: Callable[[], None]) -> None:
    """Do `work` unless it was done for these very files."""
    total = hashlib.sha256()
    for file in made_from:
        total.update((ROOT / file).read_bytes())
    note = NOTES / name
    if note.is_file() and note.read_text() == total.hexdigest():
        return
    say(saying)
    started = time.monotonic()
    work()
    note.write_text(total.hexdigest())
    say(f"  done in {time.monotonic() - started:.0f} s")


def pip(*arguments: str) -> None:
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
    run([PYTHON, "-m", "pip", *arguments, *quiet])


def run(command: list[object], quiet: bool = True) -> None:
    """Run at the root; when it fails, show what it said and stop with its status."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    )
    if done.returncode:
        stop(f"this did not work: {' '.join(map(str, command))}\n{(done.stdout or '').strip()}")


def works(command: list[object]) -> bool:
    """Whether a command ends well; what it says is not shown."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def stop(text: str) -> None:
    sys.exit(f"setup: {text}")


if __name__ == "__main__":
    main()
