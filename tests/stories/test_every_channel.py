"""Every channel through every trouble, once on SQLite and once on PostgreSQL: the whole helpline,
the real bots and client libraries, providers on loopback. GRID is the promise: a row for every
channel, a cell for every trouble; a cell is a proof, or why and where there is none here."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bots.webchat import own_pages
from helpline.engine.lines import look_after_calls
from helpline.engine.routing import route_all
from helpline.main import real_channels
from helpline.models import Alert, Call, Case, Contact, Deadline, InboundItem, OutMessage, Task
from tests.drills.houses import OUR_NUMBER, carer, row_counts
from tests.fakes.telephone import Exchange, Owner
from tests.fakes.ways import KINDS, Voice, Way, everything_on, opened_way
from tests.web.visitor import Visitor
from tests.world import DUTY_PHONE, WORKER_PHONE

TEXT = "Can I claim council tax reduction?"
Proof = Callable[[Way, pytest.MonkeyPatch], Awaitable[None]]


# --- the proofs: what a person and a provider do, what must then be true -------------------------


async def story(way: Way, _: pytest.MonkeyPatch) -> None:
    """In → case → reply out."""
    assert await way.write(TEXT) == {200}
    await way.settle()
    (case,) = await way.all(Case)
    assert case.method == way.method
    assert len(await way.all(Deadline)) == 2
    (first,) = await way.heard()
    assert case.reference in first and "999" in first

    await way.reply("Hello, this is Wasim.")
    assert "Hello, this is Wasim." in (await way.heard())[-1]
    (met,) = await way.all(Deadline, Deadline.stops == "human_reply")
    assert met.state == "met"


async def twice(way: Way, _: pytest.MonkeyPatch) -> None:
    """Ten times at once and once more later is once."""
    assert await way.write(TEXT, copies=10) == {200}
    await way.settle()
    await way.world.forward(minutes=10)
    assert await way.again() == {200}
    await way.settle()
    assert len(await way.all(InboundItem)) == 1
    assert len(await way.all(Case)) == 1
    assert len(await way.all(Contact, Contact.direction == "in")) == 1
    assert len(await way.heard()) == 1


async def tray(way: Way, _: pytest.MonkeyPatch) -> None:
    """What is genuine and cannot be read is answered 200, kept, and a person is told; the next
    message of the same person is like any other."""
    assert await way.malformed() == 200
    await way.settle()
    (item,) = await way.all(InboundItem)
    assert item.state == "set_aside"
    assert [alert.kind for alert in await way.all(Alert)] == ["tray"]
    await answered_as_usual(way)


async def said(way: Way, _: pytest.MonkeyPatch) -> None:
    """Our own page says what is wrong and keeps nothing."""
    assert await way.malformed() == 400
    assert await way.all(InboundItem) == []
    await answered_as_usual(way)


HOSTILE = (
    "'; DROP TABLE inbound_item; --",
    "{{ 7 * 1910071 }} {% raw %} ${7*1910071}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "left \u202e thgir \ufeff Z̷̧a̶l̵g̸o̷",
    "</Say><Dial>+447700900666</Dial> %s%n%x \x1b[2J",
    "word " * 300,
)


async def hostile(way: Way, _: pytest.MonkeyPatch) -> None:
    """What only pretends to come from the provider changes no table; what does come from it is
    words, whatever they look like: kept as they are, obeyed by nobody, repeated to nobody."""
    before = await row_counts(way.world.house)
    assert await way.forged() in (403, None)
    assert await row_counts(way.world.house) == before
    for by, text in enumerate(HOSTILE):
        assert await way.write(text, by) == {200}
    await way.settle()
    assert {item.state for item in await way.all(InboundItem)} == {"routed"}
    bodies = [one.body for one in await way.all(Contact, Contact.direction == "in")]
    for by, text in enumerate(HOSTILE):
        assert any(plain(text) in plain(body) for body in bodies), text
        (answer,) = await way.heard(by)
        assert "13370497" not in answer and plain(text) not in plain(answer)


async def slow(way: Way, _: pytest.MonkeyPatch) -> None:
    """While the provider has a message in its hand, whoever else writes is kept and gets a case."""
    go_on = way.hold()
    await way.write(TEXT)
    sending = asyncio.create_task(way.settle())
    await taken_in_hand(way)
    async with asyncio.timeout(10):
        assert await way.write(TEXT, by=1) == {200}
        await route_all(way.world.house)
    assert len(await way.all(Case)) == 2
    assert not sending.done() and await way.heard() == []
    go_on.set()
    await sending
    await way.settle()
    assert len(await way.heard()) == len(await way.heard(by=1)) == 1


async def busy(way: Way, _: pytest.MonkeyPatch) -> None:
    """429: not before the time that the provider named (Retry-After), and then once."""
    way.busy(300)
    await way.write(TEXT)
    await way.settle()
    way.recover()
    if way.names_time:
        await way.world.forward(minutes=4)
        assert await way.heard() == []
    await way.world.forward(minutes=2)
    assert len(await way.heard()) == 1
    assert await way.all(Task) == []


async def down(way: Way, _: pytest.MonkeyPatch) -> None:
    """5xx: tried again, ever more rarely, and it goes once; if it never ends, a person takes
    over."""
    way.down()
    await way.write(TEXT)
    await way.settle()
    await way.world.forward(minutes=5)
    assert await way.heard() == [] and await way.all(Task) == []
    way.recover()
    await way.world.forward(minutes=15)
    assert len(await way.heard()) == 1

    way.down()
    await way.reply("Hello, this is Wasim.")
    await way.world.forward(hours=6)
    way.recover()
    await way.world.forward(hours=2)
    assert len(await way.heard()) == 1
    assert [task.kind for task in await way.all(Task)] == ["reach_another_way"]


async def silent(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer at all, and nothing taken: it goes once, later."""
    async with way.impatient(monkeypatch):
        way.silent()
        await way.write(TEXT)
        await way.settle()
    assert [message.state for message in await way.all(OutMessage)] == ["unsure"]
    way.recover()
    assert await way.heard() == []
    await way.world.forward(minutes=3)
    assert len(await way.heard()) == 1


async def asked(way: Way, _: pytest.MonkeyPatch) -> None:
    """Taken and never said: the provider is asked, and it is not sent again."""
    way.loses_answers()
    await way.write(TEXT)
    await went_once(way)


async def asked_too(way: Way, _: pytest.MonkeyPatch) -> None:
    """Taken and then called a failure: the same."""
    way.fails_afterwards()
    await way.write(TEXT)
    await went_once(way)


async def copied(way: Way, _: pytest.MonkeyPatch) -> None:
    """Nobody can be asked what became of it. The policy: it is sent again after a minute, because
    to read it twice does less harm than never; after three copies at most a person takes over. A
    letter's copies have one Message-ID: most mailboxes show them once."""
    way.loses_answers()
    await way.write(TEXT)
    await way.settle()
    way.recover()
    await way.world.forward(minutes=10)
    assert len(await way.heard()) == 2
    assert [message.state for message in await way.all(OutMessage)] == ["sent"]
    assert await way.all(Task) == []

    way.loses_answers()
    await way.reply("Hello, this is Wasim.")
    await way.world.forward(hours=6)
    copies = (await way.heard())[2:]
    assert len(copies) == 3 and len(set(copies)) == 1
    assert [task.kind for task in await way.all(Task)] == ["reach_another_way"]
    if way.name == "email":
        ids = [one.letter["message-id"] for one in way.provider.taken]
        assert ids[0] == ids[1] != ids[2] and len(set(ids)) == 2


async def taken_in_hand(way: Way) -> None:
    """Waits until the provider has been offered something."""
    async with asyncio.timeout(10):
        while not way.offered:  # noqa: ASYNC110  # the fake has no event for it
            await asyncio.sleep(0.01)


async def answered_as_usual(way: Way) -> None:
    assert await way.write(TEXT) == {200}
    await way.settle()
    assert "999" in (await way.heard())[0]


async def went_once(way: Way) -> None:
    await way.settle()
    assert [message.state for message in await way.all(OutMessage)] == ["unsure"]
    await way.world.forward(hours=1)
    assert [message.state for message in await way.all(OutMessage)] == ["sent"]
    assert len(await way.heard()) == way.offered == 1


def plain(text: str) -> str:
    """As it reads: mail programs and pages break lines where they like."""
    return " ".join(text.split())


# --- the telephone's own -------------------------------------------------------------------------


async def call(way: Way, _: pytest.MonkeyPatch) -> None:
    """Somebody rings and speaks with whoever is on call; they are rung back from the console."""
    lines = exchange_of(way)
    lines.owners |= {DUTY_PHONE: Owner(), carer(0): Owner()}
    log = await lines.ring(carer(0), OUR_NUMBER)
    assert "9 9 9" in log.heard[0] and log.joined == [DUTY_PHONE]
    (case,) = await way.all(Case)
    assert case.method == way.method
    (met,) = await way.all(Deadline, Deadline.stops == "human_reply")
    assert met.state == "met"

    assert await press_ring(way) == 200
    (placed,) = placed_by(lines)
    assert (await lines.answer(placed, "1")).joined == [carer(0)]


async def call_twice(way: Way, _: pytest.MonkeyPatch) -> None:
    """Every hook of a call asked twice, routing beside it: one call on one case."""
    lines = exchange_of(way)
    lines.twice, lines.owners[DUTY_PHONE] = True, Owner()
    log = await lines.ring(carer(0), OUR_NUMBER)
    await way.settle()
    assert log.joined == [DUTY_PHONE]
    for table in (InboundItem, Call, Case, Contact):
        assert len(await way.all(table)) == 1, table


async def call_tray(way: Way, _: pytest.MonkeyPatch) -> None:
    """A call whose form makes no sense is spoken to, kept, and a person is told."""
    assert await way.malformed() == 200
    await way.settle()
    (item,) = await way.all(InboundItem)
    assert item.state == "set_aside"
    assert [alert.kind for alert in await way.all(Alert)] == ["tray"]
    await way.write("")
    await way.settle()
    assert [one.state for one in await way.all(Call)] == ["missed"]


async def call_hostile(way: Way, _: pytest.MonkeyPatch) -> None:
    """Without the signature nothing happens; nothing that a caller sends is ever spoken."""
    before = await row_counts(way.world.house)
    assert await way.forged() == 403
    assert await row_counts(way.world.house) == before
    lines = exchange_of(way)
    for number, text in enumerate(HOSTILE):
        form = [("CallSid", f"CA{number:032}"), ("From", text), ("To", OUR_NUMBER)]
        for path in ("/hooks/voice", "/hooks/voice/menu", "/hooks/voice/left"):
            asked_with = [*form, ("Digits", text), ("CallerName", text), ("RecordingSid", text)]
            status, spoken = await lines.post(path, asked_with)
            assert status == 200
            assert "0666" not in spoken and "DROP" not in spoken and "script" not in spoken
    await way.settle()
    assert {item.state for item in await way.all(InboundItem)} == {"routed"}


async def call_slow(way: Way, _: pytest.MonkeyPatch) -> None:
    """While the provider places one call, somebody else rings and is led through."""
    lines = exchange_of(way)
    await lines.ring(carer(0), OUR_NUMBER)
    go_on = way.hold()
    pressing = asyncio.create_task(press_ring(way))
    await taken_in_hand(way)
    async with asyncio.timeout(10):
        lines.owners[DUTY_PHONE] = Owner()
        log = await lines.ring(carer(1), OUR_NUMBER)
    assert log.joined == [DUTY_PHONE] and not pressing.done()
    go_on.set()
    assert await pressing == 200


async def call_busy(way: Way, _: pytest.MonkeyPatch) -> None:
    """429: nobody waits at a telephone. The worker is told at once and may press again."""
    way.busy(300)
    await call_not_placed(way)


async def call_down(way: Way, _: pytest.MonkeyPatch) -> None:
    """5xx: the same."""
    way.down()
    await call_not_placed(way)


async def call_silent(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer at all: it may ring. When it never did, that is found out by asking, and the worker
    may press again."""
    await exchange_of(way).ring(carer(0), OUR_NUMBER)
    async with way.impatient(monkeypatch):
        way.silent()
        assert await press_ring(way) == 200
    way.recover()
    assert await press_ring(way) == 409  # a call of theirs may be ringing
    await way.world.forward(minutes=11)
    assert await look_after_calls(way.world.house) == 1
    assert await press_ring(way) == 200
    assert len(placed_by(exchange_of(way))) == 1


async def call_lost(way: Way, _: pytest.MonkeyPatch) -> None:
    """Taken and never said: its own hooks lead it, and it is not placed again."""
    lines = exchange_of(way)
    lines.owners[carer(0)] = Owner(minutes=3)
    await lines.ring(carer(0), OUR_NUMBER)
    way.loses_answers()
    assert await press_ring(way) == 200
    way.recover()
    assert await press_ring(way) == 409
    (placed,) = placed_by(lines)
    assert (await lines.answer(placed, "1")).joined == [carer(0)]
    (_, made) = await way.all(Call)
    assert (made.state, made.seconds) == ("ended", 180)


async def call_not_placed(way: Way) -> None:
    await exchange_of(way).ring(carer(0), OUR_NUMBER)
    assert await press_ring(way) == 409
    assert await way.all(Contact, Contact.direction == "out", Contact.kind == "call") == []
    way.recover()
    assert await press_ring(way) == 200
    assert len(placed_by(exchange_of(way))) == 1


async def press_ring(way: Way) -> int:
    """Wasim presses "Ring them now" on the only case of whoever rang first."""
    guest = Visitor(way.client)
    case = (await way.all(Case))[0]
    page = f"/cases/{case.reference}"
    if await guest.get(page) != 200 or guest.path != page:
        assert await guest.sign_in("wasim") == 200
        await guest.get(page)
    return await guest.post(f"{page}/telephone")


def placed_by(lines: Exchange) -> list[dict[str, Any]]:
    """The calls that rang Wasim first; what else is sent are texts to others."""
    return [one for one in lines.sent if one["to"] == WORKER_PHONE]


def exchange_of(way: Way) -> Exchange:
    assert isinstance(way, Voice)
    return way.provider


# --- the grid ------------------------------------------------------------------------------------

OWN = "There is no provider: our own server hands it to the browser that comes to fetch it."
SAME = "The page sends it again under the same id, which is the column of repeats."
FORM = "The first answer is the page itself; the next ones go by text or e-mail, which have rows."
PACE = "tests/web/test_chat.py::test_who_floods_is_slowed_and_nobody_else"
KEEP = "tests/web/test_chat.py::test_when_it_cannot_be_kept_the_page_says_so_and_holds_the_words"
BOT = "Telegram's 5xx is an answer: it counts as not taken and is tried again, as for any 5xx."
SMTP = "By SMTP's own rule (RFC 5321, 4.2.5) a 4xx or 5xx after the letter means it was not taken."
RINGS = (
    "A 500 is said to the worker like a 503; should it ring all the same, its own hooks lead it."
)

# A table is read by its columns. The last two troubles come after the provider took the message:
# it never says so, or says that it failed.
# fmt: off
TROUBLES = (
    "story", "repeats", "malformed", "hostile", "slow", "429", "5xx", "silence", "lost answer",
    "500",
)
GRID: dict[str, tuple[Proof | str, ...]] = {
    #            story    repeats     malformed    hostile       slow       429        5xx        silence      lost answer  500  # noqa: E501
    "sms":      (story,   twice,      tray,        hostile,      slow,      busy,      down,      silent,      asked,       asked_too),  # noqa: E501
    "whatsapp": (story,   twice,      tray,        hostile,      slow,      busy,      down,      silent,      asked,       asked_too),  # noqa: E501
    "telegram": (story,   twice,      tray,        hostile,      slow,      busy,      down,      silent,      copied,      BOT),  # noqa: E501
    "email":    (story,   twice,      tray,        hostile,      slow,      busy,      down,      silent,      copied,      SMTP),  # noqa: E501
    "voice":    (call,    call_twice, call_tray,   call_hostile, call_slow, call_busy, call_down, call_silent, call_lost,   RINGS),  # noqa: E501
    "webchat":  (story,   twice,      said,        hostile,      OWN,       PACE,      KEEP,      OWN,         SAME,        OWN),  # noqa: E501
    "webform":  (story,   twice,      said,        hostile,      FORM,      PACE,      KEEP,      FORM,        SAME,        FORM),  # noqa: E501
}
# fmt: on
NOT_FOR_PEOPLE = {"simulator": "the demo's phones", "exchange": "the demo's telephone lines"}
FILES = {"webform": "webchat"}  # a channel's file in bots/, where it has not its own name


@pytest.mark.parametrize(
    ("channel", "trouble"),
    [
        pytest.param(channel, trouble, id=f"{channel}-{trouble.replace(' ', '_')}")
        for channel, row in GRID.items()
        for trouble, cell in zip(TROUBLES, row, strict=True)
        if not isinstance(cell, str)
    ],
)
async def test_a_channel_in_trouble(
    database_url: str, monkeypatch: pytest.MonkeyPatch, channel: str, trouble: str
) -> None:
    proof = GRID[channel][TROUBLES.index(trouble)]
    assert not isinstance(proof, str)
    async with opened_way(channel, database_url) as way:
        await proof(way, monkeypatch)


def test_every_channel_has_its_row() -> None:
    """Whoever adds a channel adds its row: by what main.py switches on, and by the files."""
    there = set(own_pages()) | set(real_channels(everything_on()))
    assert there == set(GRID) == {kind.name for kind in KINDS}
    files = {file.stem for file in Path("bots").glob("[!_]*.py")} - set(NOT_FOR_PEOPLE)
    assert files == {FILES.get(channel, channel) for channel in GRID}


def test_every_row_has_a_cell_for_every_trouble() -> None:
    assert {len(row) for row in GRID.values()} == {len(TROUBLES)}


def test_a_cell_without_a_proof_here_has_its_reason_or_its_place() -> None:
    for cell in {cell for row in GRID.values() for cell in row if isinstance(cell, str)}:
        file, _, name = cell.partition("::")
        if name:
            module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
            assert callable(getattr(module, name))
        else:
            assert cell.endswith(".")
