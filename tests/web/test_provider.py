"""The organisation's own sign-in, against a provider that is a process of its own: who is let in by
it, who is linked, and that every false word of it is refused with the same sentence."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from sqlalchemy import select

from helpline.models import Authenticator, ProviderAccount, Session, User
from helpline.web.provider import REFUSED
from tests.fakes.provider import CLIENT, SECRET
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import PASSWORD, World

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def there() -> Iterator[str]:
    """The address of the provider's process."""
    command = [sys.executable, "-m", "tests.fakes.provider"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()


class Elsewhere:
    """The provider as a browser and its owner meet it."""

    def __init__(self, url: str, world: World, client: aiohttp.ClientSession) -> None:
        self.url, self.world, self.client = url, world, client

    async def sits(self, sub: str = "subject-7", amr: list[str] | None = None, **lies: Any) -> None:
        told = {"sub": sub, "amr": amr, "now": int(self.world.now.timestamp()), "lies": lies}
        async with self.client.post(f"{self.url}/as", json=told) as answer:
            assert answer.status == 200

    async def goes(self, address: str) -> str:
        """Where the provider sends the browser back to, below our address."""
        async with self.client.get(address, allow_redirects=False) as answer:
            assert answer.status == 303
            back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    async def signs_in(self, guest: Visitor, path: str = "/login/provider") -> int:
        await guest.get(path, follow=False)
        assert guest.status == 303, guest.text
        return await guest.get(await self.goes(guest.headers["Location"]))

    async def links(self, guest: Visitor) -> int:
        await guest.get("/account/second")
        assert await guest.post("/account/provider") == 200
        return await guest.get(await self.goes(way_on(guest)))


def way_on(guest: Visitor) -> str:
    address = guest.page.partition('role="button" href="')[2].partition('"')[0]
    return address.replace("&amp;", "&")


@pytest.fixture
async def elsewhere(one_world: World, there: str) -> AsyncIterator[Elsewhere]:
    set_up(one_world, there)
    async with aiohttp.ClientSession() as client:
        yield Elsewhere(there, one_world, client)


def set_up(world: World, there: str, **more: str) -> None:
    named = {"oidc_issuer": there, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    settings = world.house.settings.model_copy(update=named | more)
    object.__setattr__(world.house, "settings", settings)


async def rows(world: World, table: Any) -> list[Any]:
    async with world.house.db.read() as session:
        return list(await session.scalars(select(table).order_by(table.id)))


async def test_a_linked_account_signs_in_and_no_other(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await elsewhere.sits("subject-7")
    assert await elsewhere.links(await come(one_world, "wasim")) == 200
    guest = await come(one_world, None)
    assert await elsewhere.signs_in(guest, "/login/provider?next=/rota") == 200
    assert guest.path == "/rota"
    assert (await rows(one_world, Session))[-1].method == "provider"
    await elsewhere.sits("subject-8")  # the same address, another subject
    other = await come(one_world, None)
    assert await elsewhere.signs_in(other) == 400
    assert "not linked to anybody here" in other.text
    assert "subject" not in str(
        [row.account_hash for row in await rows(one_world, ProviderAccount)]
    )


FALSE = {
    "a nonce of another sign-in": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "for another service": {"claims": {"aud": "somebody-else"}},
    "for several, and another asked": {"claims": {"aud": [CLIENT, "x"], "azp": "x"}},
    "for several, and nobody says which asked": {"claims": {"aud": [CLIENT, "x"]}},
    "asked for by another": {"claims": {"azp": "x"}},
    "by another issuer": {"claims": {"iss": "https://evil.example"}},
    "expired": {"claims": {"exp": 1700000000}},
    "without an end": {"claims": {"exp": None}},
    "an end that is no number": {"claims": {"exp": "tomorrow"}},
    "made long ago": {"claims": {"iat": 1700000000}},
    "made in the future": {"claims": {"iat": 4100000000}},
    "not yet good": {"claims": {"nbf": 4100000000}},
    "of nobody": {"claims": {"sub": ""}},
    "of a number": {"claims": {"sub": 7}},
    "signed by nobody": {"head": {"alg": "none"}, "signed_by": "nobody"},
    "said to be signed, and is not": {"signed_by": "nobody"},
    "signed with our own secret": {"head": {"alg": "HS256"}, "signed_by": "our_secret"},
    "signed by another key": {"signed_by": "other"},
    "signed by a key that is not there": {"head": {"kid": "two"}},
    "with an extension that we do not know": {"head": {"crit": ["x"], "x": 1}},
    "answered for another": {"back": {"iss": "https://evil.example"}},
    "with a state of another sign-in": {"back": {"state": "another"}},
    "without a code": {"back": {"code": ""}},
    "with a code that is none": {"back": {"code": "made-up"}},
}


async def test_every_false_word_is_refused_with_one_sentence(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await link(one_world, elsewhere.url)
    guest, let_in = await come(one_world, None), []
    for name, lies in FALSE.items():
        await elsewhere.sits("subject-7", **lies)
        status = await elsewhere.signs_in(guest)
        is_out = await guest.get("/inbox", follow=False) == 303
        await guest.get("/login")
        if status != 400 or not is_out:
            let_in.append(name)
    assert not let_in
    await elsewhere.sits("subject-7")
    assert await elsewhere.signs_in(guest) == 200  # nothing but the lies was wrong


async def link(world: World, issuer: str) -> None:
    from helpline.desk import access_accounts

    async with world.house.db.write() as session:
        user = world.worker.user_id
        await access_accounts.link(session, user, issuer, "subject-7", world.now)


async def test_a_provider_that_describes_another_is_not_believed(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    guest = await come(one_world, None)
    for about in (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ):
        await elsewhere.sits(about=about)
        assert await guest.get("/login/provider") == 400, about
        assert REFUSED in guest.text


async def test_who_is_to_prove_it_anew_there_must_have_done_so(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    """A session there that was left open must not answer the question whether it is still them."""
    await link(one_world, elsewhere.url)
    guest, now = await come(one_world, None), int(one_world.now.timestamp())
    for proved_at, status in ((None, 400), (now - 3600, 400), (now - 5, 200)):
        await elsewhere.sits("subject-7", claims={"auth_time": proved_at})
        assert await elsewhere.signs_in(guest, "/login/provider?again") == status, proved_at


async def test_what_came_back_once_is_good_once_and_in_its_own_browser(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await link(one_world, elsewhere.url)
    await elsewhere.sits("subject-7")
    guest, thief = await come(one_world, None), await come(one_world, None)
    await guest.get("/login/provider", follow=False)
    back = await elsewhere.goes(guest.headers["Location"])
    assert await thief.get(back) == 400  # another browser: it has begun nothing
    assert await guest.get(back) == 200
    await guest.post("/logout")
    assert await guest.get(back) == 400  # a second time
    assert REFUSED in guest.text


async def test_a_provider_that_is_away_is_one_sentence_and_passwords_go_on(
    one_world: World, come: Arrive
) -> None:
    set_up(one_world, "http://127.0.0.1:9")
    guest = await come(one_world, None)
    assert await guest.get("/login/provider") == 400
    assert REFUSED in guest.text
    assert await guest.sign_in("wasim") == 200


async def test_our_own_second_factor_is_asked_for_unless_theirs_was(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await link(one_world, elsewhere.url)
    set_up(one_world, elsewhere.url, second_factor="required")
    await elsewhere.sits("subject-7")
    guest = await come(one_world, None)
    await elsewhere.signs_in(guest)
    assert guest.path == "/account/second"
    await elsewhere.sits("subject-7", ["pwd", "mfa"])
    other = await come(one_world, None)
    await elsewhere.signs_in(other)
    assert other.path == "/inbox"


async def test_whoever_has_a_second_factor_here_is_asked_for_it_after_a_weak_sign_in_there(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await link(one_world, elsewhere.url)
    async with one_world.house.db.write() as session:
        now, user = one_world.now, one_world.worker.user_id
        session.add(Authenticator(user_id=user, secret="A", created_at=now, confirmed_at=now))
    for methods, path in ((["pwd"], "/login/second"), (["pwd", "otp"], "/inbox")):
        await elsewhere.sits("subject-7", methods)
        guest = await come(one_world, None)
        await elsewhere.signs_in(guest)
        assert guest.path == path


async def test_another_sites_link_signs_nobody_in_by_itself(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await elsewhere.sits("subject-7")
    guest = await come(one_world, None)
    trap = {"Sec-Fetch-Site": "cross-site"}
    assert await guest.get("/login/provider?next=/rota", follow=False, headers=trap) == 200
    assert "/login/provider?next=" in guest.page  # a person presses it, or not


async def test_an_account_is_one_persons_and_can_be_unlinked(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    await link(one_world, elsewhere.url)
    await elsewhere.sits("subject-7")
    leonie, wasim = await come(one_world, "leonie"), await come(one_world, "wasim")
    assert await elsewhere.links(leonie) == 409
    assert "linked to somebody else" in leonie.text
    await wasim.get("/account/second")
    assert "signs you in here" in wasim.text
    assert await wasim.post("/account/provider/end") == 200
    assert await elsewhere.signs_in(await come(one_world, None)) == 400


async def test_a_link_begun_by_one_is_not_finished_by_another(
    elsewhere: Elsewhere, one_world: World, come: Arrive
) -> None:
    """Signed out meanwhile, and somebody else signed in in the same browser."""
    await elsewhere.sits("subject-7")
    guest = await come(one_world, "wasim")
    await guest.get("/account/second")
    await guest.post("/account/provider")
    address = way_on(guest)
    await guest.get("/account")
    await guest.post("/logout")
    await guest.sign_in("leonie")
    assert await guest.get(await elsewhere.goes(address)) == 400
    assert not await rows(one_world, ProviderAccount)


async def test_the_invited_may_come_without_a_password(
    elsewhere: Elsewhere, everybody: World, come: Arrive
) -> None:
    ada = await come(everybody, "ada")
    await ada.get("/users")
    await ada.post("/users", {"name": "nina", "role": "worker"})
    path = "/invitation/" + ada.page.partition("/invitation/")[2].partition('"')[0]
    await elsewhere.sits("subject-9")
    nina = await come(everybody, None)
    await nina.get(path)
    assert await nina.post(f"{path}/provider", token="") == 200
    assert await nina.get(await elsewhere.goes(way_on(nina))) == 200
    assert nina.path == "/inbox"
    assert [row.name for row in await rows(everybody, User)][-1] == "nina"
    assert await (await come(everybody, None)).sign_in("nina", "") == 400
    await nina.get("/account/second")
    assert await nina.post("/account/provider/end") == 409
    assert "your only way in" in nina.text
    assert await elsewhere.signs_in(await come(everybody, None)) == 200


async def test_without_a_provider_there_is_nothing_to_see(one_world: World, come: Arrive) -> None:
    guest = await come(one_world, None)
    await guest.get("/login")
    assert "organisation" not in guest.text
    assert await guest.get("/login/provider") == 404
    assert await guest.get("/login/provider/callback?state=x&code=y") == 404
    assert PASSWORD
