"""What is packed in a ZIP file that comes from outside: a Word template, an Excel workbook.

Used by reports/word_check.py, reports/word.py and desk/imports/sheets.py. What such a file says of
its own sizes decides whether it is opened at all; here it is held to it.
"""

from __future__ import annotations

import copy
import zipfile
from typing import Final

_KINDS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How Word and Excel pack. The other two can grow a thousand times more, and all at once."""


def content_of(packed: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """A part of it, unpacked no further than the size that the file gives for it. BadZipFile
    where there is more, or where it is packed as no office program does."""
    if one.compress_type not in _KINDS:
        raise zipfile.BadZipFile("packed in a way that is not used for documents")
    asked = copy.copy(one)
    asked.file_size += 1  # the reader stops in silence at the size it is told
    with packed.open(asked) as part:
        content = part.read(asked.file_size)
    if len(content) > one.file_size:
        raise zipfile.BadZipFile("larger than it says")
    return content
