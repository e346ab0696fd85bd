"""A packed file from outside is held to what it says of itself."""

import io
import struct
import zipfile
import zlib

import pytest

from helpline.rules.packed import content_of

SAID = 100


def file(kind: int = zipfile.ZIP_DEFLATED, size: int = 1_000, said: int | None = None) -> bytes:
    """One part of `size` bytes, of which the file says that it has `said`, its sum as well."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", kind) as packed:
        packed.writestr("a.xml", bytes(size))
    made = bytearray(written.getvalue())
    if said is not None:
        at = made.index(b"PK\x01\x02")
        struct.pack_into("<L", made, at + 16, zlib.crc32(bytes(said)))
        struct.pack_into("<L", made, at + 24, said)
    return bytes(made)


def read(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return content_of(packed, packed.getinfo("a.xml"))


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_what_is_as_large_as_it_says_is_read(kind: int, size: int) -> None:
    assert read(file(kind, size)) == bytes(size)


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("size", [SAID + 1, 30_000_000])
def test_what_is_larger_than_it_says_is_refused(kind: int, size: int) -> None:
    with pytest.raises(zipfile.BadZipFile):
        read(file(kind, size, SAID))


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_no_office_program_packs_is_refused(kind: int) -> None:
    with pytest.raises(zipfile.BadZipFile):
        read(file(kind))


def test_a_sum_that_fits_what_is_too_much_helps_nobody() -> None:
    made = bytearray(file(zipfile.ZIP_STORED, SAID + 1, SAID))
    at = made.index(b"PK\x01\x02")
    struct.pack_into("<L", made, at + 16, zlib.crc32(bytes(SAID + 1)))
    with pytest.raises(zipfile.BadZipFile, match="larger than it says"):
        read(bytes(made))
