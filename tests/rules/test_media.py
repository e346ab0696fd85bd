"""What a file is by its content, whatever it is called, and which kinds may be handed out."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpline.rules import media


def zipped(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return written.getvalue()


WORD = ("[Content_Types].xml", "word/document.xml")
EXCEL = ("[Content_Types].xml", "xl/workbook.xml")
OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVEfmt ", "audio/wav"),
        (b"OggS\0\x02", "audio/ogg"),  # a WhatsApp voice note
        (b"#!AMR\n", "audio/amr"),  # a voice message of an old telephone
        (b"ID3\x04", "audio/mpeg"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp5", "video/3gpp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"see you on Tuesday \xc2\xa35", "text/plain"),
        (b"BEGIN:VCARD\r\nVERSION:3.0", "text/vcard"),
        (zipped(*WORD), OFFICE + "wordprocessingml.document"),
        (zipped(*EXCEL), OFFICE + "spreadsheetml.sheet"),
    ],
)
def test_what_may_be_handed_out(content: bytes, kind: str) -> None:
    assert media.kind_of(content) == kind
    assert media.is_safe(kind)
    assert media.extension(kind).isalnum()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/octet-stream"),
        (b"\0\x01\x02", "application/octet-stream"),
        (b"MZ\x90\0", "application/x-msdownload"),
        (b"\x7fELF\x02", "application/x-executable"),
        (b"#!/bin/sh\nrm", "text/x-script"),
        (b"  <!DOCTYPE html><script>", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "text/html"),
        (b"\xef\xbb\xbf<html>", "text/html"),
        (b"hello <SCRIPT>alert(1)</SCRIPT>", "text/html"),
        (b"\0\0\0\x18ftypheic", "image/heic"),  # says where it was taken, cannot be made anew
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (zipped("photo.jpg", "run.exe"), "application/zip"),
        (zipped(*WORD, "word/vbaProject.bin"), "application/zip"),
        (zipped(*WORD, "word/embeddings/oleObject1.xlsx"), "application/zip"),
        (b"PK\x03\x04broken", "application/zip"),
    ],
)
def test_what_is_kept_and_not_opened(content: bytes, kind: str) -> None:
    assert media.kind_of(content) == kind
    assert not media.is_safe(kind)
    assert media.extension(kind) == "bin"


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    assert "/" in media.kind_of(content)
    assert "/" in media.kind_of(b"PK\x03\x04" + content)


def test_an_office_file_of_no_known_program_is_just_a_zip() -> None:
    assert media.kind_of(zipped("[Content_Types].xml", "other/thing.xml")) == "application/zip"
