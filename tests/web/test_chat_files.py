"""Files in the chat: handed in as a form, kept first and sealed, known by content, pictures made
anew, once however often they are sent; and whatever a broken client sends is answered."""

import asyncio
import io
import random
from datetime import timedelta

import pytest
from aiohttp import FormData
from PIL import Image
from sqlalchemy import text as sql

from helpline.desk import attachments, uploads
from helpline.engine.fetching import fetch_all
from helpline.engine.housekeeping import tidy_up
from helpline.errors import InvalidInput
from helpline.models import Attachment, Case, Contact, InboundItem, Upload
from helpline.web.handed_in import Part, parts_of
from helpline.web.pages import chat
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import World

SCRIPT = {"X-Requested-With": "chat"}
ID = "0123456789abcdef" * 2


def photo() -> bytes:
    """A picture that says where it was taken."""
    taken = Image.new("RGB", (40, 30), "green")
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "Nokia"
    written = io.BytesIO()
    taken.save(written, "JPEG", exif=exif)
    return written.getvalue()


async def hand_in(
    guest: Visitor,
    content: bytes,
    *,
    text: str = "",
    name: str = "bruise.jpg",
    message_id: str = ID,
    script: bool = True,
) -> int:
    form = FormData()
    form.add_field("id", message_id)
    form.add_field("text", text)
    form.add_field("file", io.BytesIO(content), filename=name, content_type="image/jpeg")
    answer = await guest.client.post(
        "/chat", data=form, headers=SCRIPT if script else {}, allow_redirects=not script
    )
    guest.page = await answer.text()
    return answer.status


async def the_file(world: World) -> attachments.HandedOut:
    (kept,) = await world.all(Attachment)
    assert isinstance(kept, Attachment) and kept.id is not None
    async with world.house.db.write() as session:
        return await attachments.handed_out(session, kept.id, world.worker, world.now)


async def test_a_picture_reaches_the_case_without_its_place(world: World, arrive: Arrive) -> None:
    guest, taken = await arrive(world, None), photo()
    assert b"Nokia" in taken
    await guest.get("/chat")
    assert await hand_in(guest, taken, text="This is what he did") == 204
    await world.settle()
    await fetch_all(world.house)
    (kept,) = await world.all(Attachment)
    assert (kept.state, kept.kind, kept.name) == ("kept", "image/jpeg", "bruise.jpg")  # type: ignore[attr-defined]
    (contact,) = await world.all(Contact, Contact.direction == "in")
    assert (contact.what, contact.body) == ("photo", "This is what he did")  # type: ignore[attr-defined]
    file = await the_file(world)
    assert b"Nokia" not in file.content
    assert Image.open(io.BytesIO(file.content)).size == (40, 30)
    assert await world.count(Upload) == 0  # nothing is left of what it was before
    await guest.get("/chat")
    assert "File: bruise.jpg" in guest.text
    assert "This is what he did" in guest.text


async def test_without_script_a_file_needs_no_words(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    assert 'enctype="multipart/form-data"' in guest.page

    async def route() -> None:
        await asyncio.sleep(0.1)
        await one_world.settle()

    status, _ = await asyncio.gather(hand_in(guest, photo(), script=False), route())
    assert status == 200
    assert "File: bruise.jpg" in guest.text
    assert "Your message has arrived, reference ESX-" in guest.text


async def test_sent_again_it_is_one_message_and_one_file(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    await guest.get("/chat")
    statuses = await asyncio.gather(*(hand_in(guest, photo()) for _ in range(3)))
    assert statuses == [204] * 3
    assert await world.count(Upload) == 1
    await world.settle()
    await fetch_all(world.house)
    assert await hand_in(guest, photo()) == 204  # the answer got lost for a long time
    await world.settle()
    assert await world.count(InboundItem) == 1
    assert await world.count(Attachment) == 1
    assert await world.count(Upload) == 0


async def test_it_is_sealed_from_the_first_moment(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    await guest.get("/chat")
    await hand_in(guest, b"He is at number 12 Mill Lane", name="mill lane.txt")
    async with world.house.db.read() as session:
        content = bytes((await session.execute(sql("SELECT content FROM upload"))).scalar_one())
        item = bytes((await session.execute(sql("SELECT sealed FROM inbound_item"))).scalar_one())
    for trace in (b"Mill Lane", b"SGUgaXMg", b"mill lane"):
        assert trace not in content + item


async def test_too_large_is_said_and_the_words_are_still_there(
    one_world: World, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST", 1024**2)
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    for size in (1024**2 + 1, 3 * 1024**2):
        assert await hand_in(guest, b"x" * size, text="typed for a while") == 413
        assert guest.page.startswith("This file is too large: 1 MB at most.")
        assert await hand_in(guest, b"x" * size, text="typed for a while", script=False) == 413
        assert "typed for a while" in guest.page
        assert "choose the file again" in guest.text
    assert await hand_in(guest, b"x" * 1024**2) == 204
    assert await hand_in(guest, b"", message_id="b" * 32) == 400
    assert "empty" in guest.page
    assert await one_world.count(InboundItem) == 1


async def test_what_could_do_harm_is_kept_and_said(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    assert await hand_in(guest, b"MZ" + b"\0" * 90, name="holiday.jpg") == 204
    await one_world.settle()
    await fetch_all(one_world.house)
    (kept,) = await one_world.all(Attachment)
    assert (kept.state, kept.kind) == ("unsafe", "application/x-msdownload")  # type: ignore[attr-defined]
    await guest.get("/chat")
    assert "We can't open this kind of file" in guest.text


async def test_files_weigh_more_than_words(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    sent = [await hand_in(guest, b"x", message_id=f"{n:032x}") for n in range(6)]
    assert sent == [204] * 5 + [429]
    assert await one_world.count(Upload) == 5


async def test_too_many_at_once_are_asked_to_come_again(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    coming_in = guest.client.server.app[chat.FILES_COMING_IN]  # type: ignore[attr-defined]
    for _ in range(chat.MOST_FILES_AT_ONCE):
        await coming_in.acquire()
    assert await hand_in(guest, b"x" * 200_000) == 503
    assert await hand_in(guest, b"x", text="a small one never waits") == 204


async def test_a_file_whose_message_never_came_goes(world: World) -> None:
    async with world.house.db.write() as session:
        await uploads.keep(session, "a" * 64, b"alone", world.now)
    await tidy_up(world.house)
    assert await world.count(Upload) == 1
    await world.forward(hours=2)
    await tidy_up(world.house)
    assert await world.count(Upload) == 0


async def test_a_message_that_waits_keeps_its_file(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/chat")
    await hand_in(guest, photo())
    one_world.clock.forward(timedelta(hours=2))  # type: ignore[attr-defined]
    await tidy_up(one_world.house)
    assert await one_world.count(Upload) == 1
    await one_world.settle()
    await fetch_all(one_world.house)
    assert (await the_file(one_world)).content
    assert await one_world.count(Case) == 1


# --- hostile forms --------------------------------------------------------------------------------

WHOLE = (
    b'--AB\r\nContent-Disposition: form-data; name="id"\r\n\r\n' + ID.encode() + b"\r\n"
    b'--AB\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\nthere\r\n'
    b'--AB\r\nContent-Disposition: form-data; name="file"; filename="C:\\a\\b.txt"\r\n'
    b"Content-Type: image/png\r\n\r\n\r\n--A\r\nbody\r\n\r\n--AB--\r\n"
)
TYPE = "multipart/form-data; boundary=AB"


def test_the_fields_of_a_form_to_the_byte() -> None:
    assert parts_of(TYPE, WHOLE) == [
        Part("id", None, ID.encode()),
        Part("text", None, b"hello\r\nthere"),
        Part("file", "C:\\a\\b.txt", b"\r\n--A\r\nbody\r\n"),
    ]
    assert parts_of('multipart/form-data; boundary="AB"', WHOLE) == parts_of(TYPE, WHOLE)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", WHOLE),
        (TYPE, b""),
        (TYPE, WHOLE[:-6]),
        (TYPE, b"--AB\r\n\r\n\r\n--AB--"),
        (TYPE, b'--AB\r\nContent-Disposition: form-data; filename="x"\r\n\r\nx\r\n--AB--'),
        (TYPE, b"--AB\r\n" * 100_000 + b"--AB--"),
        (TYPE, b'--AB\r\nX: name="a"\r\n\r\n\r\n' * 40 + b"--AB--"),
    ],
)
def test_what_is_no_form_is_said_to_be_none(content_type: str, body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parts_of(content_type, body)


async def test_no_broken_form_is_our_fault(one_world: World, arrive: Arrive) -> None:
    """Bytes left out, doubled, changed; odd types and encodings: never a 5xx."""
    guest, chance = await arrive(one_world, None), random.Random(5)
    await guest.get("/chat")
    odd = [b"\0", b"\r\n", b"\r\n\r\n", b"--AB", b'name="', b'filename="\xff%00/"', b"\xed\xa0\x80"]
    types = [TYPE] * 6 + [
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\xff",
        "multipart/mixed; boundary=AB",
        "multipart/form-data;" + "a" * 900,
    ]
    seen = set()
    for turn in range(300):
        body = bytearray(WHOLE.replace(ID.encode(), f"{turn:032x}".encode()))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(body))
            body[at : at + chance.randrange(12)] = chance.choice(odd)
        headers = SCRIPT | {"Content-Type": chance.choice(types)}
        headers |= {"X-Forwarded-For": f"192.0.2.{turn % 250}"}
        answer = await guest.client.post("/chat", data=bytes(body), headers=headers)
        seen.add(answer.status)
        guest.client.session.cookie_jar.clear()  # another device, or it would soon be slowed
    assert seen <= {204, 400, 413, 415}
    assert {204, 400, 415} <= seen
