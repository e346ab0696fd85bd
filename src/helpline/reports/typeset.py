"""One PDF from a template and its data: run as a program, in a process of its own.

Started by reports/casefile_pdf.py, never imported by what serves: the typesetter keeps what it has
set in memory for as long as its process lives, and ends it where it meets a text it cannot bear.
Nothing of the house is imported here, so that it starts in a moment.
"""

import os
import sys
from pathlib import Path

import typst

NICER = 10
"""It waits for whoever answers people."""


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


if __name__ == "__main__":
    os.nice(NICER)
    sys.stdout.buffer.write(typeset(Path(sys.argv[1]), sys.stdin.buffer.read().decode("utf-8")))
