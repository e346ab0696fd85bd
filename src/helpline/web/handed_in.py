"""A form of our own pages that may carry one file (multipart/form-data, RFC 7578).

Used by the pages that take files. Read whole and within a bound, then taken apart by `parts_of`,
which knows no network. Nothing that a client sends here may become a 5xx: what makes no sense is
InvalidInput. What a file is called and said to be proves nothing.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from helpline.desk.inbox import tidy
from helpline.errors import InvalidInput
from helpline.web.asked import FORM, FORM_BYTES, form_of

LONGEST_SECONDS: Final = 120.0
"""For a form with a file to arrive: 10 MB in two minutes is what a poor mobile connection does."""
MOST_PARTS: Final = 20
LONGEST_NAME: Final = 120
UNREADABLE: Final = "This form could not be read. Load the page again, then send it once more."
_BOUNDARY = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.I)
_NAME = re.compile(rb'(?<![\w*])name="([^"\r\n]{0,100})"', re.I)
_FILENAME = re.compile(rb'(?<![\w*])filename="([^"\r\n]*)"', re.I)


@dataclass(frozen=True)
class Part:
    """One field. `filename` is None for what is no file, "" for a file field left empty."""

    name: str
    filename: str | None
    content: bytes


@dataclass(frozen=True)
class HandedIn:
    """The file that came with a form. Not whole when it is larger than the page takes."""

    name: str
    content: bytes
    is_whole: bool


FILE = web.RequestKey("file", HandedIn)
"""The file of a form whose route takes one; not there where none was chosen."""


async def file_in(request: web.Request, field: str, largest: int) -> HandedIn | None:
    """Reads the form, so that asked.field() knows its other fields, and gives the file of `field`;
    None where none was chosen. `largest` in bytes. Of a larger one only the beginning is read: the
    fields before it are still known. Raises InvalidInput."""
    if request.content_type != "multipart/form-data":
        await form_of(request)
        return None
    body, is_whole = await _read(request, largest + FORM_BYTES)
    parts = parts_of(request.headers.get("Content-Type", ""), body, is_whole=is_whole)
    request[FORM] = _fields(parts)
    files = [part for part in parts if part.name == field and part.filename]
    if not files:
        return None
    file, is_whole = files[0], is_whole and len(files[0].content) <= largest
    return HandedIn(_name(file.filename or ""), file.content if is_whole else b"", is_whole)


def parts_of(content_type: str, body: bytes, *, is_whole: bool = True) -> list[Part]:
    """The fields in a multipart body, in order. Of one that was cut off, what is there of its last
    part counts as that part. Raises InvalidInput."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise InvalidInput(UNREADABLE)
    mark = b"\r\n--" + (found[1] or found[2]).encode("utf-8", "replace")
    pieces = (b"\r\n" + body).split(mark, MOST_PARTS + 2)
    has_end = any(piece.startswith(b"--") for piece in pieces[1:])
    if len(pieces) > MOST_PARTS + 2 or (is_whole and not has_end):
        raise InvalidInput(UNREADABLE)
    parts = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        parts.append(_part(piece))
    return parts


def _part(piece: bytes) -> Part:
    """Headers and content: only the name and the file's name are looked at."""
    headers, between, content = piece.partition(b"\r\n\r\n")
    name = _NAME.search(headers)
    if not between or name is None or len(headers) > 4000:
        raise InvalidInput(UNREADABLE)
    filename = _FILENAME.search(headers)
    return Part(_text(name[1]), _text(filename[1]) if filename else None, content)


def _fields(parts: Sequence[Part]) -> dict[str, list[str]]:
    """What is no file, as asked.form_of would have it."""
    fields: dict[str, list[str]] = {}
    texts = [part for part in parts if part.filename is None]
    if sum(len(part.content) for part in texts) > FORM_BYTES:
        raise InvalidInput(UNREADABLE)
    for part in texts:
        fields.setdefault(part.name, []).append(_text(part.content).replace("\r\n", "\n"))
    return fields


def _text(content: bytes) -> str:
    return tidy(content.decode("utf-8", "replace"))


def _name(filename: str) -> str:
    """The last part of a path, printable, its ending kept where it must be shortened."""
    last = re.split(r"[/\\]", filename.replace("%22", "'"))[-1]
    plain = "".join(letter for letter in last if letter.isprintable()).strip() or "file"
    return plain if len(plain) <= LONGEST_NAME else plain[: LONGEST_NAME - 11] + "…" + plain[-10:]


async def _read(request: web.Request, most: int) -> tuple[bytes, bool]:
    """The body, or its beginning, and whether it is all of it. 408 when it does not come to an
    end."""
    body = bytearray()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    return bytes(body[:most]), False
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The rest never came.") from None
    return bytes(body), True
