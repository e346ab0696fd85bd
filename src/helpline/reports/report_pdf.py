"""A report as a PDF that screen readers can read (PDF/UA-1): the answer first, then each line.

Called by reports/render.py. It is set in a process of its own, niced, by reports/typeset.py; what
stands on the pages is reports/paper.py's, how it looks is templates/reports/report.typ's. The same
report always gives the same bytes: its date is when it was counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from helpline.reports import letters
from helpline.reports.paper import paper, parts
from helpline.reports.report import Report
from helpline.settings import TEMPLATES

TYPESETTER: Final = Path(__file__).with_name("typeset.py")
TEMPLATE: Final = TEMPLATES / "reports" / "report.typ"
CHARTS: Final = TEMPLATES / "reports" / "charts.typ"
LONGEST_SECONDS: Final = 60
UPRIGHT, ON_ITS_SIDE = 8, 14
"""Columns that a page holds beside the rows' names: tables of more lie on their side."""
LONG: Final = 110
"""Lines of a page, from which on a report says first what is in it: more than two pages."""


class CannotSet(Exception):
    """The typesetter made nothing of it."""


def pdf(report: Report) -> bytes:
    """The PDF. Should the typesetter break on somebody's words, it is made again with plain Latin
    letters only."""
    printed = paper(report)
    local = report.generated_at.astimezone(UTC)
    printed["made"] = [local.year, local.month, local.day, local.hour, local.minute, local.second]
    for line in printed["lines"]:
        line["tables"] = [part for table in line["tables"] for part in _fitting(table)]
    printed["is_long"] = _rows(printed) > LONG
    try:
        return _set(_shown(printed, letters.lines))
    except CannotSet:
        return _set(_shown(printed, letters.plain_lines))


def _rows(printed: dict[str, Any]) -> int:
    """About how many lines of a page its parts take."""
    lines = printed["lines"]
    tables = [len(table["rows"]) + 3 for line in lines for table in line["tables"]]
    return sum(tables) + sum(len(line["totals"]) + 4 for line in lines)


def _fitting(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Times and shares are wider than counts: fewer columns of them, and never on their side."""
    if not table["is_crossed"]:
        return [{**part, "is_wide": False} for part in parts(table, 6)]
    is_wide = len(table["columns"]) > UPRIGHT
    most = ON_ITS_SIDE if is_wide else UPRIGHT
    return [{**part, "is_wide": is_wide} for part in parts(table, most)]


def pictures(charts: Sequence[dict[str, Any]]) -> list[str]:
    """Each chart as a picture, PNG in base64; should the typesetter break on somebody's words, they
    are drawn with plain Latin letters only."""
    if not charts:
        return []
    values = {"charts": [{"bars": one["bars"]} for one in charts]}
    try:
        made = _run(_shown(values, letters.lines), CHARTS, "png")
    except CannotSet:
        made = _run(_shown(values, letters.plain_lines), CHARTS, "png")
    drawn: list[str] = json.loads(made)
    return drawn


def _set(values: dict[str, Any]) -> bytes:
    made = _run(values, TEMPLATE)
    if not made.startswith(b"%PDF"):
        raise CannotSet("The typesetter made no PDF.")
    return made


def _run(values: dict[str, Any], template: Path, *more: str) -> bytes:
    """In a process that has nothing of ours but the text (reports/typeset.py)."""
    try:
        made = subprocess.run(  # our own program; nothing on its line is from outside
            [sys.executable, "-I", str(TYPESETTER), str(template), *more],
            input=json.dumps(values).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"RAYON_NUM_THREADS": "1"},
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotSet("It took too long.") from None
    if made.returncode:
        raise CannotSet(f"The typesetter ended with {made.returncode}.")
    return made.stdout


def _shown(value: Any, words: Callable[[str], list[dict[str, Any]]]) -> Any:
    """The same with every text as the typefaces can show it."""
    if isinstance(value, str):
        return "\n".join("".join(map(_piece, line["of"])) for line in words(value))
    if isinstance(value, dict):
        return {name: _shown(one, words) for name, one in value.items()}
    if isinstance(value, list):
        return [_shown(one, words) for one in value]
    return value


def _piece(piece: dict[str, Any]) -> str:
    if "text" in piece:
        return str(piece["text"])
    if "sign" in piece:
        return f"[{piece['sign']}]"
    return f"[{piece['words']} words in {piece['script']} letters]"
