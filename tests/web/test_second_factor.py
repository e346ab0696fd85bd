"""The second factor: codes of an app, codes on paper, passkeys; that each is good once, and that
whoever must have one may do nothing else before."""

import json
from collections.abc import Mapping
from typing import Any

import pyotp
from sqlalchemy import select

from helpline.desk import access_codes
from helpline.models import Authenticator, Event, Passkey, RecoveryCode, Session
from tests.fakes.passkeys import Device
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, PASSWORD, WORKER_PHONE, World


def now_code(world: World, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(world.now.timestamp()) + 30 * steps)


async def with_app(world: World, guest: Visitor) -> tuple[str, list[str]]:
    """Sets the app up as a person would; its secret, and the ten codes for paper."""
    await guest.get("/account/second")
    await guest.post("/account/second/app")
    (row,) = [one for one in await rows(world, Authenticator) if one.confirmed_at is None]
    assert (
        await guest.post("/account/second/app/code", {"code": now_code(world, row.secret)}) == 200
    )
    papers = [part.partition("</code>")[0] for part in guest.page.split("<code>")[1:]]
    return row.secret, papers


async def rows(world: World, table: Any) -> list[Any]:
    key = next(iter(table.__table__.primary_key))
    async with world.house.db.read() as session:
        return list(await session.scalars(select(table).order_by(key)))


def require(world: World) -> None:
    needed = world.house.settings.model_copy(update={"second_factor": "required"})
    object.__setattr__(world.house, "settings", needed)


# --- the app -------------------------------------------------------------------------------------


async def test_after_the_password_the_app_is_asked_for(one_world: World, come: Arrive) -> None:
    first = await come(one_world, "wasim")
    secret, papers = await with_app(one_world, first)
    assert len(papers) == 10
    assert "shown now and never again" in first.text
    await one_world.forward(minutes=1)
    guest = await come(one_world, None)
    assert await guest.sign_in("wasim") == 200
    assert guest.path == "/login/second"
    assert await guest.get("/inbox", follow=False) == 303  # a password alone opens nothing
    assert await guest.post("/login/second", {"code": "000000"}) == 400
    assert "That code is not right" in guest.text
    code = now_code(one_world, secret)
    assert await guest.post("/login/second", {"code": f"{code[:3]} {code[3:]}"}) == 200
    assert guest.path == "/inbox"
    kept = (await rows(one_world, Session))[-1]
    assert (kept.method, kept.second_at) == ("app", one_world.now)


async def test_a_code_is_taken_once_and_none_that_is_older(world: World, come: Arrive) -> None:
    secret, _ = await with_app(world, await come(world, "wasim"))
    await world.forward(minutes=2)
    code, older = now_code(world, secret), now_code(world, secret, -1)
    guest, thief = await come(world, None), await come(world, None)
    await guest.sign_in("wasim")
    await thief.sign_in("wasim")
    assert await guest.post("/login/second", {"code": code}, follow=False) == 303
    assert await thief.post("/login/second", {"code": code}) == 400
    assert await thief.post("/login/second", {"code": older}) == 400


async def test_the_telephones_clock_may_be_half_a_minute_off(
    one_world: World, come: Arrive
) -> None:
    secret, _ = await with_app(one_world, await come(one_world, "wasim"))
    for steps, fits in ((-2, False), (-1, True), (1, True), (2, False)):
        await one_world.forward(minutes=5)
        async with one_world.house.db.write() as session:
            code = now_code(one_world, secret, steps)
            user = one_world.worker.user_id
            assert await access_codes.app_fits(session, user, code, one_world.now) == fits, steps


async def test_a_wrong_second_code_slows_and_is_told_to_whose_it_is(
    one_world: World, come: Arrive
) -> None:
    secret, _ = await with_app(one_world, await come(one_world, "wasim"))
    await one_world.forward(minutes=1)
    thief = await come(one_world, None)
    await thief.sign_in("wasim")
    answers = [await thief.post("/login/second", {"code": f"00000{n}"}) for n in range(6)]
    assert answers == [400] * 5 + [429]
    assert await thief.post("/login/second", {"code": now_code(one_world, secret)}) == 429
    await one_world.settle()
    assert any("knows your password" in text for text in one_world.texts_to(WORKER_PHONE))
    await one_world.forward(minutes=0.05)
    assert await thief.post("/login/second", {"code": now_code(one_world, secret)}) == 200


async def test_what_was_begun_is_over_after_ten_minutes(one_world: World, come: Arrive) -> None:
    secret, _ = await with_app(one_world, await come(one_world, "wasim"))
    guest = await come(one_world, None)
    await guest.sign_in("wasim")
    await one_world.forward(minutes=10.1)
    assert await guest.post("/login/second", {"code": now_code(one_world, secret)}) == 200
    assert guest.path == "/login?stale"
    assert "took too long" in guest.text


async def test_the_picture_holds_the_secret_and_is_gone_once_the_app_works(
    one_world: World, come: Arrive
) -> None:
    guest = await come(one_world, "wasim")
    await guest.get("/account/second")
    await guest.post("/account/second/app")
    (row,) = await rows(one_world, Authenticator)
    assert row.secret[:4] in guest.text
    assert await guest.get("/account/second/app.svg") == 200
    assert guest.headers["Content-Type"].startswith("image/svg")
    assert guest.headers["Cache-Control"] == "no-store"
    assert await guest.post("/account/second/app/code", {"code": "12 34"}) == 400
    assert "not right" in guest.text
    await guest.post("/account/second/app/code", {"code": now_code(one_world, row.secret)})
    assert await guest.get("/account/second/app.svg") == 404
    assert await guest.post("/account/second/app") == 409
    address = pyotp.parse_uri(access_codes.address_of(row.secret, "wasim"))
    assert address.secret == row.secret


# --- on paper ------------------------------------------------------------------------------------


async def test_a_code_on_paper_is_good_once_and_told(world: World, come: Arrive) -> None:
    _, papers = await with_app(world, await come(world, "wasim"))
    typed = papers[3].lower().replace("-", " ")
    for expected in (303, 400):
        guest = await come(world, None)
        await guest.sign_in("wasim")
        assert await guest.post("/login/second", {"code": typed}, follow=False) == expected
    await world.settle()
    assert any("codes on paper was used" in text for text in world.texts_to(WORKER_PHONE))
    assert sum(row.used_at is not None for row in await rows(world, RecoveryCode)) == 1
    assert not [row for row in await rows(world, RecoveryCode) if papers[3][2:7] in row.code_hash]


async def test_new_codes_on_paper_make_the_old_ones_void(one_world: World, come: Arrive) -> None:
    mine = await come(one_world, "wasim")
    _, papers = await with_app(one_world, mine)
    assert await mine.post("/account/second/papers") == 200
    guest = await come(one_world, None)
    await guest.sign_in("wasim")
    assert await guest.post("/login/second", {"code": papers[0]}) == 400


# --- required of everybody -----------------------------------------------------------------------


async def test_whoever_must_have_one_may_do_nothing_else_before(
    one_world: World, come: Arrive
) -> None:
    await one_world.sms(CARER, "Please ring me")
    reference = (await one_world.case_of(CARER)).reference
    require(one_world)
    guest = await come(one_world, None)
    await guest.sign_in("wasim")
    assert guest.path == "/account/second"
    assert "One thing before you go on" in guest.text
    for path in ("/inbox", f"/cases/{reference}", "/account", "/live/inbox", "/more"):
        assert await guest.get(path, follow=False) == 303
        assert guest.headers["Location"] == "/account/second"
    assert await guest.post(f"/cases/{reference}/notes", {"body": "x"}) == 403
    await with_app(one_world, guest)
    assert await guest.get(f"/cases/{reference}") == 200


async def test_the_last_one_stays_where_it_is_required(one_world: World, come: Arrive) -> None:
    guest = await come(one_world, "wasim")
    await with_app(one_world, guest)
    require(one_world)
    assert await guest.post("/account/second/app/end") == 409
    assert "your last second factor" in guest.text
    assert len(await rows(one_world, Authenticator)) == 1


async def test_adding_one_signs_out_every_other_browser_and_is_told(
    one_world: World, come: Arrive
) -> None:
    here, there = await come(one_world, "wasim"), await come(one_world, "wasim")
    before = {c.key: c.value for c in here.client.session.cookie_jar}["helpline"]
    await with_app(one_world, here)
    assert await there.get("/inbox", follow=False) == 303
    assert await here.get("/inbox", follow=False) == 200
    after = {c.key: c.value for c in here.client.session.cookie_jar}["helpline"]
    assert after != before  # a session that may more has another token
    await one_world.settle()
    assert any("new way to prove" in text for text in one_world.texts_to(WORKER_PHONE))


# --- lost ----------------------------------------------------------------------------------------


async def test_a_lead_gives_a_new_start_with_a_reason(one_world: World, come: Arrive) -> None:
    wasim, leonie = await come(one_world, "wasim"), await come(one_world, "leonie")
    await with_app(one_world, wasim)
    await leonie.get("/users")
    path = f"/users/{one_world.worker.user_id}/second/reset"
    assert await leonie.post(path, {"reason": " "}) == 400
    assert await wasim.get("/inbox", follow=False) == 200
    assert await leonie.post(path, {"reason": "I rang him; I know his voice"}) == 200
    assert "They were told" in leonie.text
    assert await wasim.get("/inbox", follow=False) == 303
    assert await wasim.sign_in("wasim") == 200
    assert wasim.path == "/inbox"
    await one_world.settle()
    assert any("reset your second factor" in text for text in one_world.texts_to(WORKER_PHONE))
    kinds = [row.kind for row in await rows(one_world, Event)]
    assert "user.factors_reset" in kinds


async def test_a_lead_signs_somebody_out_everywhere(one_world: World, come: Arrive) -> None:
    wasim, leonie = await come(one_world, "wasim"), await come(one_world, "leonie")
    await leonie.get("/users")
    assert await leonie.post(f"/users/{one_world.worker.user_id}/sessions/end") == 200
    assert "may sign in again" in leonie.text
    assert await wasim.get("/inbox", follow=False) == 303
    assert await leonie.post(f"/users/{one_world.lead.user_id}/sessions/end") == 403
    assert await wasim.sign_in("wasim") == 200


async def test_nobody_resets_their_own_and_a_lead_no_administrators(
    everybody: World, come: Arrive
) -> None:
    leonie, ada = await come(everybody, "leonie"), await come(everybody, "ada")
    admin, lead = await everybody.known("ada"), everybody.lead
    why = {"reason": "lost her telephone"}
    await leonie.get("/users")
    assert await leonie.post(f"/users/{admin.user_id}/second/reset", why) == 403
    assert await leonie.post(f"/users/{lead.user_id}/second/reset", why) == 403
    await ada.get("/users")
    assert await ada.post(f"/users/{lead.user_id}/second/reset", why) == 200


# --- passkeys ------------------------------------------------------------------------------------

HERE = {"Host": "localhost:8080"}


async def post(
    guest: Visitor, path: str, form: Mapping[str, str] = {}, follow: bool = False
) -> int:
    return await guest.post(path, form, follow=follow, headers=HERE)


async def with_passkey(guest: Visitor, name: str = "my telephone", **lies: Any) -> Device:
    device = Device("http://localhost:8080", **lies)
    await guest.get("/account/second", headers=HERE)
    await post(guest, "/account/second/passkeys/challenge")
    made = device.make(json.loads(guest.page))
    await post(guest, "/account/second/passkeys", {"credential": made, "name": name})
    return device


async def by_passkey(guest: Visitor, device: Device, **changed: str) -> int:
    await post(guest, "/login/passkey/challenge")
    options = json.loads(guest.page) | changed
    return await post(guest, "/login/passkey", {"credential": device.answer(options)})


async def test_a_passkey_alone_signs_in_and_is_both_factors(one_world: World, come: Arrive) -> None:
    mine = await come(one_world, "wasim")
    device = await with_passkey(mine)
    assert mine.page.count("<code>") == 10
    require(one_world)
    guest = await come(one_world, None)
    assert await by_passkey(guest, device) == 303
    assert await guest.get("/inbox", follow=False) == 200
    (key,) = await rows(one_world, Passkey)
    assert (key.name, key.sign_count, key.used_at) == ("my telephone", 1, one_world.now)
    assert (await rows(one_world, Session))[-1].method == "passkey"


async def test_a_passkey_is_the_second_step_after_a_password(
    one_world: World, come: Arrive
) -> None:
    device = await with_passkey(await come(one_world, "wasim"))
    guest = await come(one_world, None)
    await guest.sign_in("wasim")
    await post(guest, "/login/second/challenge")
    answer = device.answer(json.loads(guest.page))
    assert await post(guest, "/login/second", {"credential": answer}) == 303
    assert await guest.get("/inbox", follow=False) == 200


async def test_what_a_thief_would_try_with_a_passkey_is_refused(
    one_world: World, come: Arrive
) -> None:
    device = await with_passkey(await come(one_world, "wasim"))
    guest = await come(one_world, None)
    other = Device("http://localhost:8080")
    assert await by_passkey(guest, other) == 400  # a key that nobody has here
    other.id = device.id
    assert await by_passkey(guest, other) == 400  # another key under its name
    device.origin = "http://localhost.evil.example"
    assert await by_passkey(guest, device) == 400  # asked for by a false page
    device.origin = "http://localhost:8080"
    assert await by_passkey(guest, device, challenge="c29tZXRoaW5nIGVsc2U") == 400
    assert await by_passkey(guest, device, rpId="evil.example") == 400
    device.knows_its_owner = False
    assert await by_passkey(guest, device) == 400  # found on a table: no finger, no PIN
    device.knows_its_owner = True
    assert await by_passkey(guest, device) == 303
    device.count -= 1
    assert await by_passkey(guest, device) == 400  # a copy counts less than the original
    for nonsense in ("", "{}", "[1]", '{"id": 7}', "null", "é" * 9, "[" * 3000):
        await post(guest, "/login/passkey/challenge")
        assert await post(guest, "/login/passkey", {"credential": nonsense}) == 400
    assert "That passkey did not fit" in guest.text


async def test_an_answer_is_good_once(one_world: World, come: Arrive) -> None:
    device = await with_passkey(await come(one_world, "wasim"))
    device.count = -1  # a device that never counts
    guest = await come(one_world, None)
    await post(guest, "/login/passkey/challenge")
    answer = device.answer(json.loads(guest.page))
    assert await post(guest, "/login/passkey", {"credential": answer}) == 303
    assert await post(guest, "/login/passkey", {"credential": answer}) == 400


async def test_a_passkey_of_somebody_else_is_no_second_step(one_world: World, come: Arrive) -> None:
    await with_passkey(await come(one_world, "wasim"))
    theirs = await with_passkey(await come(one_world, "leonie"))
    guest = await come(one_world, None)
    await guest.sign_in("wasim")
    await post(guest, "/login/second/challenge")
    answer = theirs.answer(json.loads(guest.page))
    assert await post(guest, "/login/second", {"credential": answer}) == 400


async def test_no_name_is_asked_and_none_is_told(one_world: World, come: Arrive) -> None:
    await with_passkey(await come(one_world, "wasim"))
    guest = await come(one_world, None)
    await post(guest, "/login/passkey/challenge")
    assert not json.loads(guest.page).get("allowCredentials")


async def test_a_passkey_is_never_slowed_by_a_strangers_guessing(
    one_world: World, come: Arrive
) -> None:
    device = await with_passkey(await come(one_world, "wasim"))
    guest = await come(one_world, None)
    for _ in range(7):
        await guest.sign_in("wasim", "wrong wrong wrong")
    assert guest.status == 429
    assert await by_passkey(guest, device) == 303


async def test_one_is_taken_away_by_its_owner_only(one_world: World, come: Arrive) -> None:
    wasim, leonie = await come(one_world, "wasim"), await come(one_world, "leonie")
    device = await with_passkey(wasim)
    (key,) = await rows(one_world, Passkey)
    await leonie.get("/account/second")
    assert await leonie.post(f"/account/second/passkeys/{key.id}/end") == 404
    assert await wasim.post(f"/account/second/passkeys/{key.id}/end") == 200
    assert await by_passkey(await come(one_world, None), device) == 400


# --- is it still you? ----------------------------------------------------------------------------


async def test_a_while_after_signing_in_it_is_asked_again(one_world: World, come: Arrive) -> None:
    guest = await come(one_world, "wasim")
    await guest.get("/account/second")
    await one_world.forward(minutes=16)
    assert await guest.post("/account/second/app") == 403
    assert "Is it still you?" in guest.text
    assert await guest.post("/account/second/app", {"again_password": "wrong wrong"}) == 400
    assert await guest.post("/account/second/app", {"again_password": PASSWORD}) == 200
    assert guest.path == "/account/second/app"
    assert await guest.post("/account/second/app") == 200  # and not once more


async def test_nothing_that_was_typed_is_lost_by_it(everybody: World, come: Arrive) -> None:
    ada = await come(everybody, "ada")
    await ada.get("/users")
    await everybody.forward(minutes=16)
    form = {"name": "nina", "shown_name": 'Nina "N."', "role": "worker", "contract": ""}
    assert await ada.post("/users", form) == 403
    assert 'name="shown_name" value="Nina &#34;N.&#34;"' in ada.page
    assert await ada.post("/users", form | {"again_password": PASSWORD}) == 200
    assert "The invitation for nina" in ada.text


async def test_an_export_is_asked_for_again(one_world: World, come: Arrive) -> None:
    await one_world.sms(CARER, "Please ring me")
    path = f"/cases/{(await one_world.case_of(CARER)).reference}/record/file.pdf"
    guest = await come(one_world, "wasim")
    await one_world.forward(minutes=16)
    assert await guest.get(path) == 200
    assert guest.path.startswith("/account/again?next=/cases/")
    assert await guest.post("/account/again", {"next": path, "again_password": "no"}) == 400
    form = {"next": path, "again_password": PASSWORD}
    assert await guest.post("/account/again", form, follow=False) == 303
    assert guest.headers["Location"] == path
    trap = {"next": "//evil.example", "again_password": PASSWORD}
    await guest.post("/account/again", trap, follow=False)
    assert guest.headers["Location"] == "/account"


async def test_guessing_at_it_is_slowed(one_world: World, come: Arrive) -> None:
    guest = await come(one_world, "wasim")
    await guest.get("/account/second")
    await one_world.forward(minutes=16)
    answers = [
        await guest.post("/account/second/papers", {"again_password": f"wrong {n}"})
        for n in range(6)
    ]
    assert answers == [400] * 5 + [429]


async def test_a_code_or_a_passkey_proves_it_as_well(one_world: World, come: Arrive) -> None:
    guest = await come(one_world, "wasim")
    secret, _ = await with_app(one_world, guest)
    device = await with_passkey(guest)
    await one_world.forward(minutes=16)
    code = {"again_code": now_code(one_world, secret)}
    assert await guest.post("/account/second/papers", code) == 200
    await one_world.forward(minutes=16)
    await guest.get("/account/second")
    await post(guest, "/account/again/passkey")
    answer = {"again_passkey": device.answer(json.loads(guest.page))}
    assert await guest.post("/account/second/papers", answer, headers=HERE) == 200
