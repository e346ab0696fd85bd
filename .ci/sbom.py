"""Writes what the program is made of, as CycloneDX JSON: every part of requirements-serve.lock and
of package-lock.json with its exact version and digests.

Called by `make sbom` with nothing installed: standard library only. The same locks give the same
bytes: no time, no random number, no address is in it.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "sbom.cdx.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text(), "utf-8")
    print(f"{target}: {len(components())} parts")


def text() -> str:
    return json.dumps(bill(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def bill() -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    parts = components()
    ours = f"pkg:pypi/{project['name']}@{project['version']}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "purl": ours,
            }
        },
        "components": parts,
        "dependencies": [
            {"ref": ours, "dependsOn": [part["bom-ref"] for part in parts]},
            *({"ref": part["bom-ref"]} for part in parts),
        ],
    }


def components() -> list[dict[str, Any]]:
    """Those of Python, then those of the pages, each by name."""
    return [*_of_python(), *_of_pages()]


def _of_python() -> list[dict[str, Any]]:
    """One may have many files (a machine each); each file's digest is listed as a property, because
    none of them is the digest of the part."""
    found: list[dict[str, Any]] = []
    for line in (ROOT / "requirements-serve.lock").read_text("utf-8").splitlines():
        if pin := PIN.match(line):
            name, version, marker = pin.groups()
            found.append(_part(f"pkg:pypi/{name}@{version}", name, version))
            if marker:
                found[-1]["properties"].append({"name": "helpline:only-where", "value": marker})
        elif digest := DIGEST.search(line):
            value = f"sha256:{digest[1]}"
            found[-1]["properties"].append({"name": "helpline:file", "value": value})
    return found


def _of_pages() -> list[dict[str, Any]]:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    found = []
    for path, package in sorted(packages.items()):
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        quoted = name.replace("@", "%40", 1) if name.startswith("@") else name
        part = _part(f"pkg:npm/{quoted}@{package['version']}", name, package["version"])
        kind, _, digest = package["integrity"].partition("-")
        content = base64.b64decode(digest).hex()
        part["hashes"] = [{"alg": kind.upper().replace("SHA", "SHA-"), "content": content}]
        if licence := package.get("license"):
            part["licenses"] = [{"expression": licence}]
        found.append(part)
    return found


def _part(purl: str, name: str, version: str) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "properties": [],
    }


if __name__ == "__main__":
    main()
