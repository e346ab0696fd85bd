"""One PDF, or its pages as pictures, from a template and its data: run as a program, in a process
of its own.

Started by desk/casefile_pdf.py, never imported by what serves: the typesetter keeps what it has
set in memory for as long as its process lives, and ends it where it meets a text it cannot bear.
Nothing of the house is imported here, so that it starts in a moment.
"""

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import typst

NICER = 10
"""It waits for whoever answers people."""
DOTS = 192
"""To the inch: sharp on paper, and small."""


def typeset(template: Path, values: str) -> bytes:
    """The PDF, fit for screen readers (PDF/UA-1), of a template that reads `values` (JSON) as its
    input "sheet". Raises typst.TypstError where a text has no shape."""
    made = typst.compile(
        template,
        root=template.parent,
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,  # the same file on every machine
        sys_inputs={"sheet": values},
    )
    assert isinstance(made, bytes)
    return made


def drawn(template: Path, values: str) -> list[bytes]:
    """The same as pictures (PNG), one a page."""
    made: Any = typst.compile(
        template,
        root=template.parent,
        format="png",
        ppi=DOTS,
        ignore_system_fonts=True,
        sys_inputs={"sheet": values},
    )
    return made if isinstance(made, list) else [made]


if __name__ == "__main__":
    os.nice(NICER)
    asked, given = Path(sys.argv[1]), sys.stdin.buffer.read().decode("utf-8")
    if sys.argv[2:] == ["png"]:
        print(json.dumps([base64.b64encode(one).decode() for one in drawn(asked, given)]))
    else:
        sys.stdout.buffer.write(typeset(asked, given))
