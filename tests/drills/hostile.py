"""Bodies that nobody should send: random bytes, spoilt forms, spoilt JSON, odd encodings. All from
one `random.Random`, so that a seed repeats a run."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes

Pairs = Sequence[tuple[str, str]]

ODD_TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "x\udfff",
    "\ufeff",
    "\u202e",
    "\x1b[2J",
    "\r\nSet-Cookie: a=b",
    "😀👨‍👩‍👧",
    "İstanbul ß ﷺ",
    "e\u0301" * 50,
    "Z̷̧a̶l̵g̸o̷" * 20,
    "'; DROP TABLE item;--",
    "{{ 7 * 7 }} {% raw %}",
    "<script>alert(1)</script>",
    "=1+1",
    "%s%n%x",
    "../../etc/passwd",
    "-1",
    "0",
    "1e309",
    "NaN",
    "null",
    "true",
    "[]",
    "9" * 400,
    "2026-02-30T25:61",
    "9999-12-31T23:59",
    "0001-01-01T00:00",
    "A" * 5000,
    "+447700900123",
    "+44" * 40,
    "STOP",
    "START",
    "PERSON",
    "yes",
)
CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=no-such",
    "application/json",
    "application/json; charset=\xff",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "text/plain",
    "application/octet-stream",
    "/",
    ";;;",
    "",
)


def body(chance: Random, genuine: bytes, names: Sequence[str]) -> bytes:
    """One hostile body: sometimes a spoilt copy of a genuine one, sometimes nothing like it."""
    make = chance.choice((_noise, _form, _form, _form, _spoilt, _spoilt, _document, _repeated))
    return make(chance, genuine, names)


def form(chance: Random, names: Sequence[str]) -> bytes:
    """A form with some of these fields, some of them twice, filled with odd texts."""
    return _form(chance, b"", names)


def field(name: str, value: str) -> bytes:
    """One field as a browser would send it, half letters included."""
    return name.encode() + b"=" + quote_from_bytes(value.encode("utf-8", "surrogatepass")).encode()


def headers(chance: Random) -> dict[str, str]:
    """A content type, right or wrong or none."""
    kind = chance.choice(CONTENT_TYPES)
    return {"Content-Type": kind} if kind else {}


def _noise(chance: Random, genuine: bytes, names: Sequence[str]) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 7, 100, 3000)))


def _form(chance: Random, genuine: bytes, names: Sequence[str]) -> bytes:
    count = chance.choice((1, 2, 5, 20, 20, 20, 400))
    pairs = [(chance.choice((*names, "x")), _value(chance)) for _ in range(count)]
    if chance.random() < 0.5:  # every name once, so that it is read as a whole
        pairs = [(name, _value(chance)) for name in names]
    return b"&".join(
        _encoded(chance, name) + b"=" + _encoded(chance, value) for name, value in pairs
    )


def _value(chance: Random) -> str:
    if chance.random() < 0.6:
        return chance.choice(ODD_TEXTS)
    letters = (
        chr(chance.choice((chance.randrange(128), chance.randrange(0x110000)))) for _ in "x" * 12
    )
    return "".join(letters)


def _encoded(chance: Random, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    way = chance.random()
    if way < 0.7:
        return quote_from_bytes(raw).encode()
    if way < 0.8:
        return raw  # not encoded at all
    if way < 0.9:
        return quote_from_bytes(raw).encode().replace(b"%", b"%%", 1)
    return quote_from_bytes(text.encode("utf-16", "surrogatepass")).encode()


def _spoilt(chance: Random, genuine: bytes, names: Sequence[str]) -> bytes:
    """Some bytes of a genuine body changed, cut, doubled or put in."""
    spoilt = bytearray(genuine)
    for _ in range(chance.choice((1, 1, 3, 20))):
        at = chance.randrange(len(spoilt) + 1)
        match chance.randrange(5):
            case 0 if at < len(spoilt):
                spoilt[at] = chance.randrange(256)
            case 1:
                del spoilt[at : at + chance.randrange(30)]
            case 2:
                spoilt[at:at] = spoilt[at : at + 50]
            case 3:
                spoilt[at:at] = chance.choice(
                    (b"\0", b"%00", b"%ff", b"&", b"=", b"\xed\xa0\x80", b'"', b"{")
                )
            case _:
                del spoilt[at:]
    return bytes(spoilt)


def _repeated(chance: Random, genuine: bytes, names: Sequence[str]) -> bytes:
    """Very much of very little."""
    some = chance.choice(
        (b"a=b&", b"&", b"=", b"%", b"[", b'{"a":', b"9", b"\xf0\x9f\x98\x80", b"+")
    )
    return some * chance.choice((10, 1000, 20_000))


def _document(chance: Random, genuine: bytes, names: Sequence[str]) -> bytes:
    """A JSON document: a genuine one with parts exchanged, or an invented one."""
    try:
        document = json.loads(genuine)
    except ValueError:
        document = {name: _json(chance, 2) for name in names}
    for _ in range(chance.choice((1, 2, 6))):
        document = _exchanged(chance, document)
    text = json.dumps(document, ensure_ascii=chance.random() < 0.7)
    encoding = chance.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"))
    return text.encode(encoding, "surrogatepass")


def _exchanged(chance: Random, value: Any) -> Any:
    """The same with one part somewhere inside replaced, removed or wrapped."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        name = chance.choice(list(value))
        if chance.random() < 0.1:
            return {key: part for key, part in value.items() if key != name}
        return value | {name: _exchanged(chance, value[name])}
    if isinstance(value, list) and value and chance.random() < 0.7:
        at = chance.randrange(len(value))
        return [*value[:at], _exchanged(chance, value[at]), *value[at + 1 :]]
    return _json(chance, 3)


def _json(chance: Random, depth: int) -> Any:
    match chance.randrange(9):
        case 0:
            return None
        case 1:
            return chance.choice((0, -1, 2**31, 2**63, 2**64, 10**400, -(2**63)))
        case 2:
            return chance.choice((0.5, 1e308, float("inf"), float("nan"), -0.0))
        case 3:
            return chance.random() < 0.5
        case 4 if depth:
            return [_json(chance, depth - 1) for _ in range(chance.randrange(4))]
        case 5 if depth:
            return {_value(chance): _json(chance, depth - 1) for _ in range(chance.randrange(4))}
        case _:
            return _value(chance)
