"""Finds the browser that the page tests drive, and gets one where there is none.

`make test` runs it first (`python -m tests.find_browser`), so that a missing browser is one clear
sentence and not fifty failures; the fixtures under tests/browser call `find`. Browser tests are
never skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a Chromium to give Playwright as `executable_path`, or None."""
    named = [shutil.which(name) for name in NAMES]
    return next((path for path in named if path), None) or of_playwright()


def of_playwright() -> str | None:
    """The Chromium that Playwright itself installed, if it did."""
    from playwright.sync_api import sync_playwright  # 300 ms, and only needed on few machines

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> None:
    """Try the system's packages, then Playwright's own download. Says what it does."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if is_root() and shutil.which("apt-get"):
        fetch = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        attempts = [["apt-get", "update", "-qq"], fetch, *attempts]
    for command in attempts:
        print(f"browser: {' '.join(command)}", flush=True)
        subprocess.run(command, capture_output=True)
        if find():
            return


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def main() -> int:
    if not find():
        install()
    path = find()
    if path is None:
        print(
            "browser: the page tests need Chromium and none could be installed. Install chromium "
            "or google-chrome and run the same command again.",
            file=sys.stderr,
        )
        return 1
    print(f"browser: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
