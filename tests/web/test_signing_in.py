"""Signing in, staying signed in, being signed out; and how guessing is slowed."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from argon2 import Type, extract_parameters

from helpline.desk import access, guessing
from helpline.errors import Conflict, InvalidInput
from helpline.models import LoginAttempt, Session, User
from helpline.settings import Settings
from helpline.vocabulary import Role
from tests import quick
from tests.web.conftest import Arrive
from tests.world import PASSWORD, World


async def test_each_role_lands_on_its_own_first_page(everybody: World, arrive: Arrive) -> None:
    for name, first in [("wasim", "/inbox"), ("leonie", "/inbox"), ("colin", "/portal")]:
        assert (await arrive(everybody, name)).path == first
    assert (await arrive(everybody, "ada")).path == "/users"


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    assert await guest.sign_in("wasim", "not the password") == 400
    known = guest.text
    assert await guest.sign_in("nobody", "not the password") == 400
    assert guest.text == known
    assert access.REFUSED in known


async def test_the_name_that_was_typed_is_still_there_and_the_password_is_not(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.sign_in('"><script>alert(1)</script>', "a secret thing to type")
    assert "&#34;&gt;&lt;script&gt;" in guest.page
    assert "<script>alert" not in guest.page
    assert "a secret thing" not in guest.page


@pytest.fixture
def in_earnest(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are hashed as the helpline itself does it, not as quickly as tests want it."""
    (hasher,) = quick.IN_EARNEST
    monkeypatch.setattr(access, "_HASHER", hasher)
    access._nobodys_hash.cache_clear()
    yield
    access._nobodys_hash.cache_clear()


async def test_a_stolen_hash_is_slow_to_guess(in_earnest: None) -> None:
    """What tests/quick.py makes cheap is dear in earnest: 64 MiB and three rounds a guess."""
    stored = extract_parameters(await access.hashed(PASSWORD))
    assert stored.type is Type.ID
    assert stored.memory_cost >= 64 * 1024
    assert stored.time_cost >= 3


async def test_a_password_is_compared_whole() -> None:
    longest = "three words " * 83 + "and"
    known = await access.hashed(longest[: access.LONGEST_PASSWORD])
    assert await access.fits(known, longest[: access.LONGEST_PASSWORD])
    assert not await access.fits(known, longest[: access.LONGEST_PASSWORD] + "x" * 99)


async def test_an_unknown_name_costs_one_whole_verification_too(
    one_world: World, in_earnest: None
) -> None:
    async with one_world.house.db.read() as session:
        known = await access.known_password(session, "WASIM ")
    assert known is not None
    assert await access.fits(known[1], PASSWORD)
    known = (known[0], await access.hashed(PASSWORD))
    await access.fits(None, "x")  # makes the hash that nobody has

    async def taken(hash_: str | None) -> float:
        started = time.perf_counter()
        assert not await access.fits(hash_, "not the password")
        return time.perf_counter() - started

    known_name, unknown_name = [
        min([await taken(hash_) for _ in range(3)]) for hash_ in (known[1], None)
    ]
    assert 0.2 < known_name / unknown_name < 5


async def test_a_page_asked_for_before_signing_in_comes_after_it(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.get("/rota")
    assert guest.path == "/login?next=/rota"
    await guest.post("/login", {"name": "wasim", "password": PASSWORD, "next": "/rota"})
    assert guest.path == "/rota"


@pytest.mark.parametrize(
    "trap", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_no_address_of_another_site_is_followed(
    one_world: World, arrive: Arrive, trap: str
) -> None:
    guest = await arrive(one_world, None)
    form = {"name": "wasim", "password": PASSWORD, "next": trap}
    assert await guest.post("/login", form, follow=False) == 303
    assert guest.headers["Location"] == "/"


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, None)
    await guest.post("/login", {"name": "wasim", "password": PASSWORD}, follow=False)
    given = [value for name, value in guest.headers.items() if name == "Set-Cookie"]
    assert len(given) == 2
    for cookie in given:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie  # served by plain http here


async def test_under_https_the_cookie_is_bound_to_the_host(
    one_world: World, arrive: Arrive
) -> None:
    secure = one_world.house.settings.model_copy(update={"public_url": "https://helpline.example"})
    assert isinstance(secure, Settings)
    object.__setattr__(one_world.house, "settings", secure)
    guest = await arrive(one_world, None)
    await guest.post("/login", {"name": "wasim", "password": PASSWORD}, follow=False)
    given = [value for name, value in guest.headers.items() if name == "Set-Cookie"]
    assert all(cookie.startswith("__Host-helpline") for cookie in given)
    assert all("Secure" in cookie and "Path=/" in cookie for cookie in given)
    assert "Strict-Transport-Security" in guest.headers


async def test_only_a_hash_of_the_token_is_stored(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, "wasim")
    token = next(c.value for c in guest.client.session.cookie_jar if c.key == "helpline")
    (row,) = await world.all(Session)
    assert isinstance(row, Session)
    assert row.token_hash == access.token_hash(token)
    assert token not in str(row)


async def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(
    world: World, arrive: Arrive
) -> None:
    guest = await arrive(world, "wasim")
    kept = {c.key: c.value for c in guest.client.session.cookie_jar}
    await guest.post("/logout")
    assert guest.path == "/login"
    thief = await arrive(world, None)
    assert await thief.get("/inbox", follow=False) == 303
    answer = await thief.client.get("/inbox", cookies=kept, allow_redirects=False)
    assert answer.status == 303


async def test_a_session_ends_after_eight_hours_without_use(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    await one_world.forward(hours=7, minutes=59)
    assert await guest.get("/inbox", follow=False) == 200
    await one_world.forward(hours=7, minutes=59)
    assert await guest.get("/inbox", follow=False) == 303  # 14 hours are over


async def test_using_it_keeps_it_but_not_beyond_fourteen_hours(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    for _ in range(2):
        await one_world.forward(hours=6, minutes=50)
        assert await guest.get("/inbox", follow=False) == 200
    await one_world.forward(minutes=21)
    assert await guest.get("/inbox", follow=False) == 303


async def test_idle_sessions_end(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, "wasim")
    await one_world.forward(hours=8, minutes=1)
    assert await guest.get("/inbox", follow=False) == 303


async def test_somebody_who_left_is_out_at_once(everybody: World, arrive: Arrive) -> None:
    wasim, ada = await arrive(everybody, "wasim"), await arrive(everybody, "ada")
    assert await ada.post(f"/users/{everybody.worker.user_id}/end") == 200
    assert "cannot sign in any more" in ada.text
    assert await wasim.get("/inbox", follow=False) == 303
    assert await wasim.sign_in("wasim") == 400


async def test_ones_own_sign_ins_can_be_ended_and_nobody_elses(
    one_world: World, arrive: Arrive
) -> None:
    here, there = await arrive(one_world, "wasim"), await arrive(one_world, "wasim")
    other = await arrive(one_world, "leonie")
    ids = [row.id for row in await one_world.all(Session) if isinstance(row, Session)]
    await here.get("/account")
    assert here.page.count("Sign it out") == 1
    assert await other.post(f"/account/sessions/{ids[1]}/end") == 404
    assert await here.post(f"/account/sessions/{ids[1]}/end") == 200
    assert await there.get("/inbox", follow=False) == 303
    assert await here.get("/inbox", follow=False) == 200


async def test_everywhere_but_here_is_ended_at_once(one_world: World, arrive: Arrive) -> None:
    here, there = await arrive(one_world, "wasim"), await arrive(one_world, "wasim")
    await here.get("/account")
    assert "with a password" in here.text
    assert await here.post("/account/sessions/end") == 200
    assert "Every other browser is signed out" in here.text
    assert await there.get("/inbox", follow=False) == 303
    assert await here.get("/inbox", follow=False) == 200


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1 Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("<b>my own</b> name +447700900123", "A browser"),
    ],
)
async def test_of_a_browser_only_its_family_is_kept(
    one_world: World, arrive: Arrive, said: str, kept: str
) -> None:
    guest = await arrive(one_world, None)
    form = {"name": "wasim", "password": PASSWORD}
    await guest.post("/login", form, headers={"User-Agent": said})
    (row,) = await one_world.all(Session)
    assert isinstance(row, Session)
    assert row.browser == kept


async def test_a_changed_password_signs_out_every_other_browser(
    one_world: World, arrive: Arrive
) -> None:
    here, there = await arrive(one_world, "wasim"), await arrive(one_world, "wasim")
    new = {"old": "wrong", "new": "four words it now is"}
    assert await here.post("/account/password", new) == 400
    assert await here.post("/account/password", new | {"old": PASSWORD}) == 200
    assert await there.get("/inbox", follow=False) == 303
    assert await here.get("/inbox", follow=False) == 200
    assert await there.sign_in("wasim") == 400
    assert await there.sign_in("wasim", "four words it now is") == 200


# --- guessing ------------------------------------------------------------------------------------


async def test_after_five_wrong_tries_each_next_one_waits(world: World, arrive: Arrive) -> None:
    guest = await arrive(world, None)
    for _ in range(5):
        assert await guest.sign_in("wasim", "wrong wrong wrong") == 400
    assert await guest.sign_in("wasim") == 429
    assert "Wait 1 s" in guest.text
    await world.forward(minutes=0.02)
    assert await guest.sign_in("wasim", "wrong wrong wrong") == 400
    assert await guest.sign_in("wasim") == 429
    assert "Wait 2 s" in guest.text
    await world.forward(minutes=1)
    assert await guest.sign_in("wasim") == 200


async def test_a_name_nobody_has_is_slowed_the_same_way(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    answers = [await guest.sign_in("nobody", "wrong wrong wrong") for _ in range(6)]
    assert answers == [400] * 5 + [429]


async def test_a_hundred_tries_at_once_count_as_a_hundred(world: World) -> None:
    async def once() -> bool:
        try:
            async with world.house.db.write() as session:
                await guessing.count_try(session, "wasim", "192.0.2.1", None, world.now)
        except guessing.TooSoon:
            return False
        return True

    assert sum(await asyncio.gather(*(once() for _ in range(20)))) == 5


async def test_waiting_is_not_made_longer_by_hammering(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    for _ in range(5):
        await guest.sign_in("wasim", "wrong wrong wrong")
    for _ in range(20):
        assert await guest.sign_in("wasim", "wrong wrong wrong") == 429
    assert "Wait 1 s" in guest.text
    assert await one_world.count(LoginAttempt) == 15  # five tries: by name, by address, by both


async def test_somebody_elses_guessing_does_not_keep_the_duty_worker_out(
    one_world: World, arrive: Arrive
) -> None:
    duty, stranger = await arrive(one_world, "dilys"), await arrive(one_world, None)
    await duty.post("/logout")
    for _ in range(12):
        await stranger.sign_in("dilys", "wrong wrong wrong")
        await one_world.forward(minutes=1.1)
    assert await stranger.sign_in("dilys", "wrong wrong wrong") == 400
    assert await stranger.sign_in("dilys", PASSWORD) == 429
    assert await duty.sign_in("dilys") == 200


async def test_one_strangers_guessing_does_not_slow_the_duty_worker_at_another_address(
    one_world: World,
) -> None:
    """Also on a telephone in which nobody ever signed in."""
    for _ in range(8):
        async with one_world.house.db.write() as session:
            with contextlib.suppress(guessing.TooSoon):
                await guessing.count_try(session, "dilys", "192.0.2.1", None, one_world.now)
    async with one_world.house.db.write() as session:
        with pytest.raises(guessing.TooSoon):
            await guessing.count_try(session, "dilys", "192.0.2.1", None, one_world.now)
        await guessing.count_try(session, "dilys", "192.0.2.2", None, one_world.now)


async def test_guessing_one_name_from_many_addresses_is_slowed_as_well(one_world: World) -> None:
    async with one_world.house.db.write() as session:
        for number in range(50):
            await guessing.count_try(session, "wasim", f"192.0.2.{number}", None, one_world.now)
        with pytest.raises(guessing.TooSoon):
            await guessing.count_try(session, "wasim", "192.0.2.200", None, one_world.now)


async def test_one_address_leaves_only_so_much_lying(one_world: World) -> None:
    """Challenges and visits to a provider are rows that anybody may make."""
    async with one_world.house.db.write() as session:
        for _ in range(120):
            await guessing.count_step(session, "192.0.2.1", one_world.now)
        with pytest.raises(guessing.TooSoon):
            await guessing.count_step(session, "192.0.2.1", one_world.now)
        await guessing.count_step(session, "192.0.2.2", one_world.now)


def test_the_addresses_of_one_home_count_as_one() -> None:
    one, other = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9"
    assert guessing.network(one) == guessing.network(other) != guessing.network("2001:db8:1:3::1")
    assert guessing.network("::ffff:192.0.2.1") == guessing.network("192.0.2.1") == "192.0.2.1"
    assert guessing.network("") == ""


async def test_a_known_browser_is_known_for_its_own_name_only(
    one_world: World, arrive: Arrive
) -> None:
    wasim = await arrive(one_world, "wasim")
    for _ in range(5):
        await wasim.sign_in("leonie", "wrong wrong wrong")
    assert await wasim.sign_in("leonie", "wrong wrong wrong") == 429


async def test_a_made_up_mark_makes_no_known_browser(one_world: World) -> None:
    async with one_world.house.db.write() as session:
        for mark in ["0123456789abcdef.0", "x.y", "é" * 20, "0123456789abcdef." + "0" * 32]:
            await guessing.count_try(session, "wasim", "", mark, one_world.now)
        await guessing.count_try(session, "wasim", "", None, one_world.now)
        with pytest.raises(guessing.TooSoon):
            await guessing.count_try(session, "wasim", "", "1" * 16 + ".0", one_world.now)


async def test_one_address_cannot_try_many_names(one_world: World) -> None:
    async with one_world.house.db.write() as session:
        for number in range(20):
            await guessing.count_try(session, f"name {number}", "192.0.2.7", None, one_world.now)
        with pytest.raises(guessing.TooSoon):
            await guessing.count_try(session, "name 20", "192.0.2.7", None, one_world.now)
        await guessing.count_try(session, "name 20", "192.0.2.8", None, one_world.now)


def test_the_pause_grows_and_has_an_end() -> None:
    brake = guessing.BRAKES["pair"]
    assert [brake.pause(n).total_seconds() for n in (0, 4, 5, 6, 7)] == [0, 0, 1, 2, 4]
    assert brake.pause(1000) == timedelta(seconds=60)


# --- users ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "role", "contract", "password", "says"),
    [
        ("", "worker", None, PASSWORD, "1 to 80 letters"),
        ("   ", "worker", None, PASSWORD, "1 to 80 letters"),
        ("x" * 81, "worker", None, PASSWORD, "1 to 80 letters"),
        ("a\x07b", "worker", None, PASSWORD, "1 to 80 letters"),
        (
            "nina",
            "boss",
            None,
            PASSWORD,
            "worker, lead, safeguarding, complaints, commissioner, admin",
        ),
        ("nina", "worker", None, "", "at least 12"),
        ("nina", "worker", None, " " * 30, "at least 12"),
        ("nina", "worker", None, "x" * 1001, "at most 1000"),
        ("nina", "commissioner", None, PASSWORD, "one contract"),
        ("nina", "worker", None, "aaaaaaaaaaaaaaaaaa", "repeats"),
        ("nina", "worker", None, "qwertyuiopasdf", "runs along"),
        ("nina", "worker", None, "Password123456", "among the first"),
        ("nina", "worker", None, "Helpline2026!!", "among the first"),
        ("ninamarie", "worker", None, "ninamarie2026", "among the first"),
    ],
)
async def test_a_user_that_cannot_be_is_refused_with_a_sentence(
    one_world: World, name: str, role: str, contract: str | None, password: str, says: str
) -> None:
    before = await one_world.count(User)
    with pytest.raises(InvalidInput, match=says):
        async with one_world.house.db.write() as session:
            await access.add_user(session, name, role, contract, password, one_world.now)
    assert await one_world.count(User) == before


async def test_a_name_is_taken_whatever_its_capitals(one_world: World) -> None:
    with pytest.raises(Conflict, match="already called"):
        async with one_world.house.db.write() as session:
            await access.add_user(session, " Wasim ", Role.WORKER, None, PASSWORD, one_world.now)
