"""What a file is, by its first bytes: what its sender's side called it proves nothing.

Called by desk/attachments. `kind_of` names the kind, `is_safe` says whether it may be handed out as
a download. Only kinds that cannot carry a program are safe; everything else is kept unopened.
"""

import io
import zipfile
from collections.abc import Sequence

PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""Made anew before they are kept, without what they say of where they were taken."""
SAFE = frozenset(
    (
        *PICTURES,
        "audio/ogg",
        "audio/mpeg",
        "audio/amr",
        "audio/wav",
        "audio/aac",
        "audio/mp4",
        "video/mp4",
        "video/3gpp",
        "video/webm",
        "text/plain",
        "text/vcard",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )
)
UNKNOWN_KIND = "application/octet-stream"

# First bytes → kind, where they alone say it. RIFF, ftyp and zip need a second look (below).
_BEGINNINGS: Sequence[tuple[bytes, str]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xe3", "audio/mpeg"),  # at 8 kHz: what a telephone's recording has
    (b"\xff\xe2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"MZ", "application/x-msdownload"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "text/x-script"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # old Office: macros
    (b"Rar!", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
)
_BRANDS = {b"M4A": "audio/mp4", b"3gp": "video/3gpp", b"3g2": "video/3gpp"}
_HEIF = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")
_OFFICE = {"word/": "wordprocessingml.document", "xl/": "spreadsheetml.sheet"}
_EXTENSIONS = {
    "image/jpeg": "jpg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "video/3gpp": "3gp",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


def kind_of(content: bytes) -> str:
    """The media type its content shows; "application/octet-stream" where it shows none."""
    head = content[:64]
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], UNKNOWN_KIND)
    if head[4:8] == b"ftyp":
        if head[8:12] in _HEIF:
            return "image/heic"
        return _BRANDS.get(head[8:11], "video/mp4")
    if head[:4] == b"PK\x03\x04":
        return _zipped(content)
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    return _text(content)


def is_safe(kind: str) -> bool:
    """Whether it may be handed out. HEIC pictures may not: we cannot make them anew, and they say
    where they were taken."""
    return kind in SAFE


def extension(kind: str) -> str:
    """What a file of this kind is called at the end, without a dot."""
    if kind not in SAFE:
        return "bin"
    return _EXTENSIONS.get(kind, kind.partition("/")[2])


def _zipped(content: bytes) -> str:
    """An office document without a program in it, else just a zip: those are never safe."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return "application/zip"
    lower = [name.lower() for name in names]
    if "[content_types].xml" not in lower or any(
        name.endswith(".bin") or "/embeddings/" in name or "/activex/" in name for name in lower
    ):
        return "application/zip"
    for folder, kind in _OFFICE.items():
        if any(name.startswith(folder) for name in lower):
            return f"application/vnd.openxmlformats-officedocument.{kind}"
    return "application/zip"


def _text(content: bytes) -> str:
    """Plain text, a contact card, or markup: markup can carry a program."""
    if not content or b"\0" in content:
        return UNKNOWN_KIND
    try:
        said = content.decode("utf-8").lstrip("\ufeff \t\r\n")
    except UnicodeDecodeError:
        return UNKNOWN_KIND
    if said.startswith("<") or "<script" in said.lower() or "<html" in said.lower():
        return "text/html"
    return "text/vcard" if said.upper().startswith("BEGIN:VCARD") else "text/plain"
