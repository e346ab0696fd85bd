"""What people attach: fetched with the provider's credentials, looked at by content, pictures made
anew without their place, sealed in the row, and handed out only to who may see the case."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import text

from helpline.desk import attachments
from helpline.errors import Conflict, NotFound
from helpline.models import Attachment, Contact, Event
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.engine.twilio_house import TwilioHouse

ELSEWHERE = Actor(2, "Somebody", Role.WORKER, "another")
COUNCIL = Actor(3, "Colin", Role.COMMISSIONER, "essex")
LATITUDE = (51.0, 43.0, 59.123)


async def test_a_photo_by_whatsapp_is_kept_without_the_place_it_was_taken(
    at_work: TwilioHouse,
) -> None:
    taken = photo()
    assert Image.open(io.BytesIO(taken)).getexif().get_ifd(0x8825)  # it does say where
    photo_id = at_work.twilio.keep_file("image/jpeg", taken)
    await at_work.write("look at this", by="whatsapp", files=(photo_id,))

    (kept,) = await at_work.all(Attachment)
    assert (kept.state, kept.kind, kept.channel) == ("kept", "image/jpeg", "whatsapp")
    (contact,) = await at_work.all(Contact, Contact.direction == "in")
    assert (contact.id, contact.what) == (kept.contact_id, "photo")

    file = await download(at_work, kept.id)
    assert file.name.endswith(f"-{kept.id}.jpg")
    picture = Image.open(io.BytesIO(file.content))
    assert dict(picture.getexif()) == {}
    for trace in (b"Exif", b"GPS", b"Nokia", b"xmp", b"hidden words"):
        assert trace in taken or trace == b"GPS"
        assert trace not in file.content
    assert picture.size == (30, 40)  # turned the right way up before the note of it went


async def test_nothing_of_it_can_be_read_in_the_database(at_work: TwilioHouse) -> None:
    note_id = at_work.twilio.keep_file("text/plain", b"He is at number 12 Mill Lane")
    await at_work.write("", files=(note_id,))
    async with at_work.house.db.read() as session:
        row = (await session.execute(text("SELECT content, key FROM attachment"))).one()
    assert row.content and b"Mill Lane" not in bytes(row.content)
    assert b"SGUgaXMg" not in bytes(row.content)  # nor in base64
    assert b"twilio" not in bytes(row.key)


async def test_a_voice_note_is_kept_as_it_is(at_work: TwilioHouse) -> None:
    voice = b"OggS\0\x02" + b"\0" * 500
    voice_id = at_work.twilio.keep_file("audio/ogg; codecs=opus", voice)
    await at_work.write("", by="whatsapp", files=(voice_id,))
    (kept,) = await at_work.all(Attachment)
    assert (kept.kind, kept.size) == ("audio/ogg", len(voice))
    assert (await download(at_work, kept.id)).content == voice


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\0 a program", "image/jpeg"),
        (b"<html><script>alert(1)</script>", "text/plain"),
        (b"\xff\xd8\xff\xe0 not really a picture", "image/jpeg"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword"),
    ],
)
async def test_what_could_do_harm_is_kept_and_not_opened(
    at_work: TwilioHouse, content: bytes, said: str
) -> None:
    await at_work.write("see this", files=(at_work.twilio.keep_file(said, content),))
    (kept,) = await at_work.all(Attachment)
    assert (kept.state, kept.said_type) == ("unsafe", said)
    assert kept.content is not None
    with pytest.raises(Conflict, match="could harm"):
        await download(at_work, kept.id)


async def test_a_picture_that_unfolds_to_fill_the_memory_is_not_opened() -> None:
    written = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(written, "PNG")
    assert len(written.getvalue()) < 100_000
    assert not attachments.checked(written.getvalue()).is_safe


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_every_kind_of_picture_is_made_anew(kind: str) -> None:
    written = io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(written, kind, comment=b"where I live")
    found = attachments.checked(written.getvalue() + b"and more behind it: where I live")
    assert found.is_safe
    assert b"where I live" not in found.content
    assert Image.open(io.BytesIO(found.content)).size == (20, 10)


async def test_a_provider_in_trouble_is_asked_again(at_work: TwilioHouse) -> None:
    at_work.twilio.file_status = 503
    await at_work.write("", files=(at_work.twilio.keep_file("text/plain", b"hello"),))
    (waiting,) = await at_work.all(Attachment)
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    with pytest.raises(Conflict, match="still being fetched"):
        await download(at_work, waiting.id)
    at_work.twilio.file_status = 200
    await at_work.forward(minutes=1)
    (kept,) = await at_work.all(Attachment)
    assert kept.state == "kept"


async def test_after_many_tries_it_is_lost_and_said_so(at_work: TwilioHouse) -> None:
    at_work.twilio.file_status = 500
    await at_work.write("", files=(at_work.twilio.keep_file("text/plain", b"hello"),))
    for _ in range(10):
        await at_work.forward(hours=7)
    (lost,) = await at_work.all(Attachment)
    assert (lost.state, lost.attempts) == ("lost", len(attachments.PAUSES) + 1)
    assert await at_work.all(Event, Event.kind == "attachment.lost")
    with pytest.raises(Conflict, match="send it again"):
        await download(at_work, lost.id)


async def test_more_than_16_megabytes_are_lost(at_work: TwilioHouse) -> None:
    large = at_work.twilio.keep_file("video/mp4", b"\0" * (attachments.LARGEST + 1))
    await at_work.write("", by="whatsapp", files=(large,))
    (lost,) = await at_work.all(Attachment)
    assert (lost.state, lost.content) == ("lost", None)


async def test_a_fetcher_that_was_overtaken_settles_nothing(at_work: TwilioHouse) -> None:
    at_work.twilio.file_status = 500
    await at_work.write("", files=(at_work.twilio.keep_file("text/plain", b"hello"),))
    at_work.clock.forward(timedelta(minutes=5))
    async with at_work.house.db.write() as session:
        (slow,) = await attachments.claim(session, at_work.now)
        assert await attachments.claim(session, at_work.now) == []
    at_work.clock.forward(attachments.LEASE)
    async with at_work.house.db.write() as session:
        (fast,) = await attachments.claim(session, at_work.now)
        found = attachments.checked(b"hello")
        assert not await attachments.keep(session, slow, found, at_work.now)
        assert await attachments.keep(session, fast, found, at_work.now)
        assert not await attachments.keep(session, fast, found, at_work.now)


async def test_only_who_may_see_the_case_gets_the_file_and_it_is_recorded(
    at_work: TwilioHouse,
) -> None:
    await at_work.write("", files=(at_work.twilio.keep_file("text/plain", b"hello"),))
    (kept,) = await at_work.all(Attachment)
    for stranger in (ELSEWHERE, COUNCIL):
        with pytest.raises(NotFound):
            await download(at_work, kept.id, stranger)
    wasim = await at_work.hire("Wasim", "+447700900903")
    with pytest.raises(NotFound):
        await download(at_work, kept.id + 1, wasim)
    assert (await download(at_work, kept.id, wasim)).content == b"hello"
    (read,) = await at_work.all(Event, Event.kind == "attachment.read")
    assert (read.by_user_id, read.case_id) == (wasim.user_id, kept.case_id)


async def download(
    at_work: TwilioHouse, attachment_id: int, by: Actor | None = None
) -> attachments.HandedOut:
    """As the page asks for `by`, else for a worker hired for it."""
    by = by or await at_work.hire("Wasim", "+447700900903")
    async with at_work.house.db.write() as session:
        return await attachments.handed_out(session, attachment_id, by, at_work.now)


def photo() -> bytes:
    """As a telephone takes it: lying on its side, with its place, its maker and hidden words."""
    picture = Image.new("RGB", (40, 30), "blue")
    exif = Image.Exif()
    exif[0x010F] = "Nokia"
    exif[0x0112] = 6  # to be turned
    exif.get_ifd(0x8825).update({1: "N", 2: LATITUDE, 3: "E", 4: (0.0, 28.0, 7.5)})
    written = io.BytesIO()
    picture.save(
        written, "JPEG", exif=exif, comment=b"hidden words", xmp=b"<x:xmpmeta>xmp</x:xmpmeta>"
    )
    return written.getvalue()
