"""What people attach, as the case page shows and hands it out; WhatsApp's window as a clock; what a
provider said about a number or a worker's phone, where people look."""

import base64

from sqlalchemy import insert, select, update

from helpline.models import Address, Attachment, Case, Contact, Event, User
from helpline.vocabulary import Role
from tests.web.conftest import Arrive
from tests.world import CARER, DUTY_PHONE, World


async def attached(world: World, content: bytes, **values: object) -> int:
    """Something kept with the first message of the case."""
    row = {
        "contract": "essex",
        "channel": "sms",
        "key": "k",
        "state": "kept",
        "kind": "text/plain",
        "said_type": "text/plain",
        "attempts": 1,
        "size": len(content),
        "content": base64.b64encode(content).decode(),
    }
    async with world.house.db.write() as session:
        contact = (await session.execute(select(Contact.id, Contact.case_id).limit(1))).one()
        row |= {"contact_id": contact.id, "case_id": contact.case_id}
        added = insert(Attachment).values(row | values).returning(Attachment.id)
        return int(await session.scalar(added) or 0)


async def test_a_file_is_a_download_and_never_a_page(world: World, arrive: Arrive) -> None:
    await world.sms(CARER, "see this")
    page = b"<script>alert(1)</script>"
    file_id = await attached(world, page, size=2048)
    guest = await arrive(world, "wasim")
    await guest.get(f"/cases/{(await world.case_of(CARER)).reference}")
    assert "Download: text file, 2 kB" in guest.text
    assert await guest.get(f"/attachments/{file_id}") == 200
    assert guest.page == page.decode()
    assert guest.headers["Content-Disposition"].startswith('attachment; filename="ESX-')
    assert guest.headers["Content-Type"] == "application/octet-stream"
    assert guest.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in guest.headers["Content-Security-Policy"]
    assert "script-src" not in guest.headers["Content-Security-Policy"]
    assert guest.headers["Cache-Control"] == "no-store"
    (read,) = await world.all(Event, Event.kind == "attachment.read")
    assert read.detail == {"attachment": file_id}


async def test_what_is_not_here_is_said_in_a_sentence(one_world: World, arrive: Arrive) -> None:
    await one_world.sms(CARER, "see this")
    unsafe = await attached(one_world, b"MZ", state="unsafe", kind="application/x-msdownload")
    await attached(one_world, b"", state="waiting", kind="", said_type="image/jpeg")
    await attached(one_world, b"", state="lost", kind="", said_type="video/mp4")
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{(await one_world.case_of(CARER)).reference}")
    assert "kept and not opened" in guest.text
    assert "Picture: being fetched" in guest.text
    assert "Video: could not be had" in guest.text
    assert f"/attachments/{unsafe}" not in guest.page
    assert await guest.get(f"/attachments/{unsafe}") == 409
    assert "could harm this computer" in guest.text
    for nothing in ("999999", "x", "0", "-1", "9" * 30):
        assert await guest.get(f"/attachments/{nothing}") == 404


async def test_whatsapps_window_is_a_clock_on_the_page(one_world: World, arrive: Arrive) -> None:
    await one_world.whatsapp(CARER, "they say I hit him")
    guest = await arrive(one_world, "wasim")
    (case,) = await one_world.all(Case)
    path = f"/cases/{case.reference}"
    await guest.get(path)
    assert "WhatsApp window closes in 24 h, tomorrow 02:15." in guest.text
    await one_world.forward(hours=21)
    await guest.sign_in("wasim")
    await guest.get(path)
    assert "WhatsApp window closes in 3 h, tomorrow 02:15." in guest.text
    await one_world.forward(hours=3)
    await guest.sign_in("wasim")
    await guest.get(path)
    assert "The WhatsApp window is closed. Your words go out inside an approved" in guest.text


async def test_a_number_that_did_not_work_says_so_where_one_writes(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "hello")
    async with one_world.house.db.write() as session:
        await session.execute(update(Address).values(bad_since=one_world.now))
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{(await one_world.case_of(CARER)).reference}")
    assert "The last message to this number did not arrive" in guest.text
    assert "Nobody could be reached there" in guest.text


async def test_a_worker_whose_phone_takes_no_texts_is_seen_in_the_list(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.hire("Ada", Role.ADMIN)
    await one_world.sms(DUTY_PHONE, "STOP")
    (dilys,) = await one_world.all(User, User.name == "dilys")
    assert dilys.opted_out_at is not None
    guest = await arrive(one_world, "ada")
    await guest.get("/users")
    assert "No texts reach their phone since today 02:15: they wrote STOP" in guest.text


async def test_a_refused_reply_says_how_many_texts_it_would_take(
    one_world: World, arrive: Arrive
) -> None:
    await one_world.sms(CARER, "hello")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}"
    guest = await arrive(one_world, "wasim")
    await guest.get(path)
    assert "This takes" not in guest.text
    assert await guest.post(f"{path}/replies", {"text": "a" * 1700}) == 400
    assert "This takes 12 text messages. One text message holds" in guest.text
    await guest.post(f"{path}/replies", {"text": "a" * 1700 + "ł"})
    assert "This takes 26 text messages, short ones because of “ł”." in guest.text
