"""What a Word template must not bring along: macros, embedded files, anything that Word would fetch
or run. Looked at before it is opened.

Called by reports/word.py. It reads the parts as XML does, not as text, so that quotation marks,
capitals, namespaces and entities hide nothing; it follows and opens nothing.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final
from xml.parsers import expat

from helpline.errors import InvalidInput
from helpline.rules.packed import content_of

LARGEST: Final = 5_000_000
"""Bytes of a template, as it is sent."""
LARGEST_OPEN: Final = 40_000_000
LARGEST_XML: Final = 15_000_000
MOST_PARTS: Final = 400
ACTIVE: Final = re.compile(
    r"vbaproject|vbadata|activex|/embeddings/|macrosheets|afchunk|\.bin$", re.IGNORECASE
)
BRINGING: Final = frozenset(
    ("afchunk", "attachedtemplate", "control", "frame", "oleobject", "subdocument")
)
"""Kinds of relationship, by the last word of their type, that a template needs for nothing."""
WEB: Final = re.compile(r"(https?|mailto):", re.IGNORECASE)
HARMLESS: Final = (
    "image/",
    "font/",
    "application/x-font",
    "application/vnd.openxmlformats-officedocument.obfuscatedfont",
)
"""Kinds of content that are not looked into."""
FETCHING: Final = frozenset(
    "database dde ddeauto embed import include includepicture includetext link macrobutton".split()
)
"""Fields, by their first word, that fetch or run something."""
DAMAGED: Final = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(EOFError, OSError, ValueError, LookupError),
)
"""What a file that is no template, or is not whole, sets off where it is read; LookupError also
for an encoding that nobody knows."""
ELSEWHERE: Final = re.compile(r"\s*([a-z][a-z0-9+.-]*:|//|\\\\)", re.IGNORECASE)


def check(template: bytes) -> None:
    """Look at a template without opening it: InvalidInput names what cannot be in one."""
    if len(template) > LARGEST:
        raise InvalidInput(f"The template is larger than {LARGEST // 1_000_000} MB.")
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as packed:
            _check_parts(packed)
    except DAMAGED:
        raise InvalidInput(
            "This is not a Word document (.docx), or it has a password. Save it as .docx."
        ) from None


def _check_parts(packed: zipfile.ZipFile) -> None:
    listed = packed.infolist()
    names = [one.filename for one in listed]
    is_xml = [one for one in listed if one.filename.lower().endswith((".xml", ".rels"))]
    if (
        len(listed) > MOST_PARTS
        or sum(one.file_size for one in listed) > LARGEST_OPEN
        or sum(one.file_size for one in is_xml) > LARGEST_XML
    ):
        raise InvalidInput("The template holds too much. Take pictures out and save it again.")
    if "word/document.xml" not in names or len({name.lower() for name in names}) != len(names):
        raise InvalidInput("This is not a Word document (.docx). Save it as .docx.")
    if any(ACTIVE.search(name) for name in names):
        raise InvalidInput("The template has macros or embedded files in it. Save it without them.")
    for one in is_xml:
        _Looking(one.filename).at(content_of(packed, one))


class _Looking:
    """One part, read once from its beginning to its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: list[str] = []  # those that are open here, the innermost last
        self.is_instruction = False

    def at(self, content: bytes) -> None:
        reader = expat.ParserCreate(namespace_separator=" ")
        reader.StartDoctypeDeclHandler = self._doctype
        reader.StartElementHandler = self._begin
        reader.EndElementHandler = self._end
        reader.CharacterDataHandler = self._text
        try:
            reader.Parse(content, True)
        except expat.ExpatError:
            raise _not_by_word() from None
        for field in self.fields:
            _check_field(field)

    def _doctype(self, *_: object) -> None:
        raise _not_by_word()

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        kind = _local(tag)
        given = {_local(name): value for name, value in attributes.items()}
        if kind == "relationship":
            _check_relationship(given)
        elif self.name == "[Content_Types].xml":
            _check_type(given)
        elif any(ELSEWHERE.match(given.get(name, "")) for name in ("src", "href")):
            raise _fetches()
        if "instr" in given:
            _check_field(given["instr"])
        if kind == "fldchar":
            self._field(given.get("fldchartype", ""))
        self.is_instruction = kind in ("instrtext", "delinstrtext")

    def _end(self, tag: str) -> None:
        self.is_instruction = False

    def _text(self, text: str) -> None:
        if self.is_instruction:
            if not self.fields:
                self.fields.append("")
            self.fields[-1] += text

    def _field(self, at: str) -> None:
        if at == "begin":
            self.fields.append("")
        elif self.fields:  # its instruction is over
            _check_field(self.fields.pop())


def _check_relationship(given: dict[str, str]) -> None:
    kind = given.get("type", "").rpartition("/")[2].lower()
    is_outside = given.get("targetmode", "").strip().lower() == "external"
    if kind in BRINGING:
        raise _fetches() if is_outside else _embeds()
    if is_outside and not (kind == "hyperlink" and WEB.match(given.get("target", ""))):
        raise _fetches()


def _check_type(given: dict[str, str]) -> None:
    """Whatever is no picture and no typeface ends in .xml or .rels, and is looked at."""
    kind = given.get("contenttype", "").lower()
    if "macroenabled" in kind:
        raise InvalidInput("The template may have macros. Save it as .docx, without them.")
    ending = (given.get("extension") or given.get("partname", "").rpartition(".")[2]).lower()
    if kind and ending not in ("xml", "rels") and not kind.startswith(HARMLESS):
        raise _embeds()


def _check_field(instruction: str) -> None:
    word = instruction.split(maxsplit=1)[:1]
    if word and word[0].strip('"').lower() in FETCHING:
        raise _runs()


def _local(name: str) -> str:
    """A name without its namespace, in small letters."""
    return name.rpartition(" ")[2].lower()


def _fetches() -> InvalidInput:
    return InvalidInput("The template fetches something from elsewhere. Put it in instead.")


def _embeds() -> InvalidInput:
    return InvalidInput("The template has macros or embedded files in it. Save it without them.")


def _runs() -> InvalidInput:
    return InvalidInput("The template has a field that fetches or runs something. Take it out.")


def _not_by_word() -> InvalidInput:
    return InvalidInput("The template was not written by Word. Open it there and save it again.")
