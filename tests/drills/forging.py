"""Forged hooks: what somebody sends who has neither Twilio's token nor Telegram's secret but may
have read a true request: made up, replayed, shifted in time, cut, re-ordered, split and encoded
anew, for another host, by another method, under an empty token. None may be taken, no row change.

A second opinion says what is rightly signed (tests/fakes/twilio.py signs without Twilio's library):
only such a request, which is a true one once more, may be answered by 2xx. `make trust` runs a
hundred thousand; tests/drills/test_forging.py some on each database.
"""

import argparse
import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from sqlalchemy import text

from helpline import log, sealing
from helpline.clock import MovableClock
from helpline.desk.house import House
from helpline.models import metadata
from helpline.web.app import ROUTES
from helpline.web.middleware import SIGNED
from tests import databases
from tests.drills.__main__ import empty_database
from tests.drills.houses import OUR_NUMBER, carer
from tests.drills.posting import Closed, Wire
from tests.fakes import telegram
from tests.fakes.telephone import Owner
from tests.fakes.twilio import ACCOUNT_SID, AUTH_TOKEN, Form, inbound_form, sign, status_form
from tests.fakes.ways import Sms, opened_way
from tests.keys import RAW_TEST_KEY
from tests.world import DUTY_PHONE

HOOKS: Final = tuple(route.path for route in ROUTES if route.allow == SIGNED)
SIGNATURE, SECRET = "X-Twilio-Signature", "X-Telegram-Bot-Api-Secret-Token"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
CONNECTIONS = 8
SIDS: Final = ("SM", "CA", "RE")
UNCOUNTED: Final = {"job_run"}  # the loops' own heartbeats


@dataclass(frozen=True)
class Request:
    """What goes over the wire. `signed_for` is the URL a provider would sign."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"
    host: str = "helpline.example"

    def raw(self) -> bytes:
        """Whatever is in it, as bytes; of two headers of one name both go."""
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + self.body

    def with_header(self, name: str, *values: str) -> "Request":
        """Instead of what this header said; without values it is not there."""
        others = tuple(one for one in self.headers if one[0] != name)
        return replace(self, headers=others + tuple((name, value) for value in values))


@dataclass
class Figures:
    """What came of it. Accepted: a 2xx or 3xx for what nobody had signed."""

    attacks: int = 0
    refused: int = 0
    replayed: int = 0
    accepted: int = 0
    faults: int = 0
    rows_changed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_kept(self) -> bool:
        return bool(self.attacks) and not (self.accepted or self.faults or self.rows_changed)


# --- true requests -------------------------------------------------------------------------------


@asynccontextmanager
async def attacked_house(database_url: str) -> AsyncIterator[tuple[Sms, list[Request]]]:
    """A whole helpline with every way switched on, in which everything has happened once, and the
    true requests by which it did."""
    async with opened_way("sms", database_url) as way:
        assert isinstance(way, Sms)
        heard: list[Request] = []
        post = way.provider.post

        async def remembered(path: str, form: Form) -> tuple[int, str]:
            heard.append(_twilio(way, path, form))
            return await post(path, form)

        way.provider.post = remembered  # type: ignore[method-assign]  # to hear what it says
        await _live(way, heard)
        yield way, [*heard, *_never_asked(way, heard)]


async def _live(way: Sms, heard: list[Request]) -> None:
    """Texts, a letter by WhatsApp, Telegram, calls that were taken and one that spoke to the
    machine, and the reports of what became of our answers."""
    exchange = way.provider
    for number in range(3):
        await way.write("He says I hit him, they come on Monday", by=number)
    form = inbound_form("whatsapp:" + carer(4), "whatsapp:" + OUR_NUMBER, "are you there?")
    await exchange.post("/hooks/sms", form)
    headers, body = telegram.delivered(telegram.update(700900123, "hello, they rang again"))
    update = Request("/hooks/telegram", (*FORM.items(), (SECRET, telegram.SECRET)), body)
    heard.append(update.with_header("Content-Type", headers["content-type"]))
    async with way.client.post("/hooks/telegram", data=body, headers=headers) as answer:
        assert answer.status == 200
    await way.settle()
    for sent in [one for one in exchange.sent if "body" in one][:2]:
        report = status_form(sent["sid"], "delivered", OUR_NUMBER, sent["to"])
        await exchange.post("/hooks/sms/status", report)
    exchange.owners[DUTY_PHONE] = Owner()
    await exchange.ring(carer(7), OUR_NUMBER, "1")
    await exchange.ring(carer(8), OUR_NUMBER, "2", says=b"please ring me")
    await way.settle()


def _never_asked(way: Sms, heard: list[Request]) -> Iterator[Request]:
    """A form for each hook that none of it came by, about the first call. Not a true request: its
    signature is nobody's."""
    about = next(one for one in heard if one.path == "/hooks/voice")
    for path in HOOKS:
        if all(urlsplit(one.path).path != path for one in heard):
            yield replace(about, path=f"{path}?call=1").with_header(SIGNATURE, "never made")


def _twilio(way: Sms, path: str, form: Form) -> Request:
    proof = sign(way.provider.public_url + path, form)
    return Request(path, (*FORM.items(), (SIGNATURE, proof)), urlencode(form).encode())


# --- what is made of them ------------------------------------------------------------------------

Forge = Callable[[random.Random, str, Request], Request]
"""Chance, our public address, a true request → what is sent."""


def _fresh(dice: random.Random, true: Request) -> Request:
    """The same about something new, so that it would be a row if it were believed."""
    if true.path == "/hooks/telegram":
        document = json.loads(true.body)
        document["update_id"] = dice.randrange(10**9)
        document["message"]["text"] = f"forged {dice.random()}"
        return replace(true, body=json.dumps(document).encode())
    sid, said = dice.randbytes(16).hex(), f"forged {dice.random()}"
    form = {name: value[:2] + sid if value[:2] in SIDS else value for name, value in _pairs(true)}
    return replace(true, body=urlencode(form | ({"Body": said} if "Body" in form else {})).encode())


def _pairs(true: Request) -> Form:
    return parse_qsl(true.body.decode(), keep_blank_values=True)


def _proof_of(true: Request) -> tuple[str, str]:
    return next(one for one in true.headers if one[0] in (SIGNATURE, SECRET))


def forged(dice: random.Random, us: str, true: Request) -> Request:
    """Something new under a proof that somebody could make up."""
    new, (name, old) = _fresh(dice, true), _proof_of(true)
    proofs = ["", " ", "\t", "null", "undefined", "None", "0", "wrong", "\xe9\xff", "A" * 28, "*"]
    proofs += [old[:-1], old[: dice.randrange(len(old))], old + "=", old.swapcase(), f'"{old}"']
    proofs += [old * 2, base64.b64encode(dice.randbytes(20)).decode(), dice.randbytes(20).hex()]
    if name == SIGNATURE:
        proofs += _near(us, new, dice)
    else:
        proofs += [telegram.TOKEN, telegram.SECRET.upper(), f"x{old}", f"Bearer {old}"]
    return new.with_header(name, dice.choice(proofs))


def _near(us: str, new: Request, dice: random.Random) -> list[str]:
    """Signatures a careless check would take: another key, another digest, half of the text."""
    form, url = _pairs(new), us + new.path
    whole = url + "".join(name + value for name, value in sorted(set(form)))

    def made(text_: str, key: str = AUTH_TOKEN, digest: str = "sha1") -> str:
        return base64.b64encode(hmac.digest(key.encode(), text_.encode(), digest)).decode()

    keys = ("", " ", AUTH_TOKEN[:-1], AUTH_TOKEN + " ", AUTH_TOKEN.upper(), ACCOUNT_SID, "None")
    plain = hashlib.sha1(whole.encode(), usedforsecurity=False).digest()
    return [
        *(made(whole, key) for key in keys),
        made(whole, digest="sha256"),
        made(url),
        made(new.body.decode()),
        made(url + new.body.decode()),
        made(whole)[:-2],
        base64.b64encode(plain).decode(),
    ]


def empty_token(dice: random.Random, us: str, true: Request) -> Request:
    """Signed as by a helpline whose token was left empty."""
    new, (name, _) = _fresh(dice, true), _proof_of(true)
    if name == SECRET:
        return new.with_header(name, *dice.choice(((), ("",), (" ",))))
    return new.with_header(name, sign(us + new.path, _pairs(new), ""))


def no_proof(dice: random.Random, us: str, true: Request) -> Request:
    """The proof is missing, or stands where nobody looks for it."""
    new, (name, proof) = _fresh(dice, true), _proof_of(true)
    bare = new.with_header(name)
    where = dice.choice(("nowhere", "query", "cookie", "Authorization", "X-Signature", "body"))
    match where:
        case "nowhere":
            return bare
        case "query":
            return replace(bare, path=_asked(bare.path, f"{name}={quote(proof, safe='')}"))
        case "cookie":
            return bare.with_header("Cookie", f"{name}={proof}")
        case "body":
            return replace(bare, body=bare.body + f"&{name}={quote(proof, safe='')}".encode())
    return bare.with_header(where, proof)


def changed(dice: random.Random, us: str, true: Request) -> Request:
    """A true request with one value changed, one put in or one taken away."""
    form = _pairs(true) if _proof_of(true)[0] == SIGNATURE else []
    if not form:
        return forged(dice, us, true)
    at, act = dice.randrange(len(form)), dice.randrange(3)
    if act == 0:
        form[at] = (form[at][0], form[at][1] + "1")
    elif act == 1:
        form.insert(at, (form[at][0], "other"))
    else:
        del form[at]
    return replace(true, body=urlencode(form).encode())


def cut(dice: random.Random, us: str, true: Request) -> Request:
    """A true request that ends early. Of an update the cut text is no JSON any more: without the
    secret, as whoever has it is Telegram."""
    body = true.body[: dice.randrange(len(true.body))]
    name, proof = _proof_of(true)
    shown = proof if name == SIGNATURE else proof[: dice.randrange(len(proof))]
    return replace(true, body=body).with_header(name, shown)


def reordered(dice: random.Random, us: str, true: Request) -> Request:
    """The same parameters in another order, some of them twice: still rightly signed."""
    if _proof_of(true)[0] == SECRET:
        return true
    form = _pairs(true)
    dice.shuffle(form)
    return replace(true, body=urlencode(form + form[: dice.randrange(4)]).encode())


def split_anew(dice: random.Random, us: str, true: Request) -> Request:
    """Twilio signs names and values without a mark between them: the same text split elsewhere."""
    if _proof_of(true)[0] == SECRET:
        return true
    form = sorted(set(_pairs(true)))
    at = dice.randrange(len(form) - 1)
    (name, value), (name_after, value_after) = form[at], form[at + 1]
    whole = name + value + name_after + value_after
    middle = dice.choice((len(name), dice.randrange(1, len(whole))))
    form[at : at + 2] = [(whole[:middle], whole[middle:])]
    return replace(true, body=urlencode(form).encode())


def encoded_anew(dice: random.Random, us: str, true: Request) -> Request:
    """The same in another encoding. Of an update, which carries its secret, only what is no
    update any more is left to try: that is what `forged` does."""
    if _proof_of(true)[0] == SECRET:
        return forged(dice, us, true)
    plain = true.body
    match dice.randrange(8):
        case 0:  # every letter in percent signs
            every = "&".join("=".join(_percent(one) for one in pair) for pair in _pairs(true))
            return replace(true, body=every.encode())
        case 1:
            return replace(true, body=plain.decode().encode("utf-16"))
        case 2:
            return replace(true, body=quote(plain).encode())
        case 3:
            return replace(true, body=json.dumps(dict(_pairs(true))).encode()).with_header(
                "Content-Type", "application/json"
            )
        case 4:
            body = gzip.compress(plain)
            return replace(true, body=body).with_header(
                "Content-Encoding", dice.choice(("br", "x"))
            )
        case 5:
            body = gzip.compress(_fresh(dice, true).body)
            return replace(true, body=body).with_header("Content-Encoding", "gzip")
        case 6:
            return replace(true, body=b"\xef\xbb\xbf" + plain)
        case _:
            kind = "multipart/form-data; boundary=x"
            return _fresh(dice, true).with_header("Content-Type", kind)


def elsewhere(dice: random.Random, us: str, true: Request) -> Request:
    """Rightly signed, but for another host, another scheme or another path of ours."""
    new, (name, _) = _fresh(dice, true), _proof_of(true)
    if name == SECRET:
        hook = dice.choice([path for path in HOOKS if path != true.path])
        return replace(new, path=hook)
    others = ["http://evil.example", "http://helpline.example.evil.example", "//", ""]
    others += [us.replace("http", "https"), us + "/x", us.upper(), us + ":8443"]
    if dice.random() < 0.5:
        path = dice.choice([path for path in HOOKS if path != urlsplit(true.path).path])
        wrong = sign(us + path, _pairs(new))
    else:
        wrong = sign(dice.choice(others) + new.path, _pairs(new))
    host = dice.choice(("evil.example", "helpline.example", "127.0.0.1", "a" * 200))
    new = replace(new, host=host).with_header("X-Forwarded-Host", "evil.example")
    return new.with_header(SIGNATURE, wrong)


def at_another_path(dice: random.Random, us: str, true: Request) -> Request:
    """A true request, at an address that is nearly right."""
    path = dice.choice(
        (
            *(one for one in HOOKS if one != urlsplit(true.path).path),
            true.path + "/",
            "/" + true.path,
            true.path.replace("s", "%73", 1),
            "/hooks/.." + true.path,
            true.path.upper(),
            _asked(true.path, f"call={dice.randrange(5)}"),
            _asked(true.path, "user=2"),
            "http://evil.example" + true.path,
        )
    )
    name, proof = _proof_of(true)
    return replace(true, path=path).with_header(name, proof if name == SIGNATURE else proof[1:])


def by_another_method(dice: random.Random, us: str, true: Request) -> Request:
    """A true request by a method no hook has, or one that says it is another."""
    method = dice.choice(("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"))
    if dice.random() < 0.3:
        new = _fresh(dice, true).with_header("X-HTTP-Method-Override", "POST")
        return replace(new, method="GET")
    return replace(true, method=method)


def replayed(dice: random.Random, us: str, true: Request) -> Request:
    """A true request once more, to the letter."""
    return true


def _asked(path: str, query: str) -> str:
    return path + ("&" if "?" in path else "?") + query


def _percent(one: str) -> str:
    return "".join(f"%{byte:02x}" for byte in one.encode())


FORGES: Final[Sequence[tuple[Forge, int]]] = (
    (forged, 30),
    (empty_token, 8),
    (no_proof, 10),
    (changed, 10),
    (cut, 8),
    (reordered, 4),
    (split_anew, 5),
    (encoded_anew, 8),
    (elsewhere, 8),
    (at_another_path, 8),
    (by_another_method, 5),
    (replayed, 5),
)
"""Each with its share."""


def is_rightly_signed(us: str, one: Request) -> bool:
    """The second opinion: whether a provider could have sent this."""
    if one.method != "POST" or any(name == "Content-Encoding" for name, _ in one.headers):
        return False
    if one.path == "/hooks/telegram":
        return next((v for name, v in one.headers if name == SECRET), "") == telegram.SECRET
    given = next((value for name, value in one.headers if name == SIGNATURE), "")
    pairs = parse_qsl(one.body.decode("latin-1"), keep_blank_values=True)
    try:
        return bool(given) and sign(us + one.path, pairs) == given
    except UnicodeEncodeError:
        return False


# --- the drill -----------------------------------------------------------------------------------


async def drill(attacks: int, seed: int, database_url: str) -> Figures:
    """So many attacks; in the second half the clock stands weeks later."""
    dice, figures = random.Random(seed), Figures()
    slices = 2 * max(1, min(10, attacks // 400))
    async with attacked_house(database_url) as (way, trues):
        us, url = way.provider.public_url, str(way.client.make_url("/"))
        house = way.world.house
        before = await fingerprint(house)
        for number in range(slices):
            if number == slices // 2:
                await way.settle()
                await _compare(house, before, figures, "everything that was due afterwards")
                assert isinstance(house.clock, MovableClock)
                house.clock.forward(timedelta(days=40))
            slice_ = [_one(dice, us, trues) for _ in range(attacks // slices)]
            await _send(url, us, slice_, figures)
            await _compare(house, before, figures, f"slice {number}")
    return figures


def _one(dice: random.Random, us: str, trues: Sequence[Request]) -> tuple[str, Request]:
    (forge,) = dice.choices([one for one, _ in FORGES], [share for _, share in FORGES])
    return forge.__name__, forge(dice, us, dice.choice(trues))


async def _send(url: str, us: str, slice_: Sequence[tuple[str, Request]], figures: Figures) -> None:
    waiting = iter(slice_)

    async def some() -> None:
        async with Wire(url) as wire:
            for kind, one in waiting:
                figures.attacks += 1
                figures.kinds[kind] += 1
                try:
                    status = await _status(wire, one)
                except Closed:
                    status = 400  # it hung up: nothing was taken
                _note(figures, kind, one, status, may=is_rightly_signed(us, one))

    await asyncio.gather(*(some() for _ in range(CONNECTIONS)))


async def _status(wire: Wire, one: Request) -> int:
    """An answer to HEAD has no body to be read: that line is not used again."""
    if one.method != "HEAD":
        return (await wire.send(one.raw())).status
    await wire.write(one.raw())
    assert wire._reader is not None
    line = await wire._reader.readline()
    await wire.close()
    if not line:
        raise Closed  # it had hung up before
    return int(line.split()[1])


def _note(figures: Figures, kind: str, one: Request, status: int, *, may: bool) -> None:
    if status >= 500:
        figures.faults += 1
    elif status >= 400:
        figures.refused += 1
        return
    elif may:
        figures.replayed += 1
        return
    else:
        figures.accepted += 1
    figures.wrong.append(f"{kind}: {status} for {one.raw()[:700]!r}")


async def _compare(house: House, before: dict[str, str], figures: Figures, when: str) -> None:
    after = await fingerprint(house)
    different = [name for name in before if before[name] != after[name]]
    if different:
        figures.rows_changed += len(different)
        figures.wrong.append(f"after {when} there is a difference in {', '.join(different)}")
        before.update(after)


async def fingerprint(house: House) -> dict[str, str]:
    """Table → a digest over every value of every row."""
    made: dict[str, str] = {}
    async with house.db.read() as session:
        for name in metadata.tables:
            if name in UNCOUNTED:
                continue
            rows: Any = await session.execute(text(f'SELECT * FROM "{name}"'))
            lines = sorted(repr(tuple(map(_plain, row))) for row in rows)
            made[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return made


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, (bytes, memoryview)) else value


def main() -> int:
    wanted = argparse.ArgumentParser(prog="forging", description=__doc__)
    wanted.add_argument("--database", choices=(*databases.KINDS, "both"), default="both")
    wanted.add_argument("--attacks", type=int, default=100_000, help="on both together")
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = wanted.parse_args()
    log.set_up(logging.ERROR)
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    kinds = databases.KINDS if asked.database == "both" else (asked.database,)
    kept = True
    for kind in kinds:
        with empty_database(kind) as url:
            figures = asyncio.run(drill(asked.attacks // len(kinds), asked.seed, url))
        print(f"forging: {kind}, seed {asked.seed}, {len(HOOKS)} hooks")
        for name in ("attacks", "refused", "replayed", "accepted", "faults", "rows_changed"):
            print(f"  {name.replace('_', ' '):14} {getattr(figures, name)}")
        print("  of these       " + ", ".join(f"{n} {k}" for k, n in figures.kinds.most_common()))
        for wrong in figures.wrong[:20]:
            print(f"  WRONG {wrong}")
        kept = kept and figures.is_kept
    print("forging: none was taken, no row changed" if kept else "forging: FAILED")
    sys.stdout.flush()
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
