"""Invitations: a link that is good once and for 72 hours, behind which somebody chooses a password
that nobody else ever knows."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from helpline.desk import access, access_invitations
from helpline.errors import HelplineError
from helpline.models import Invitation, OutMessage, User
from helpline.vocabulary import Role
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import PASSWORD, World

NINA = {"name": "nina", "shown_name": "Nina N.", "role": "worker", "contract": ""}
HERS = "four words she chose"


async def invited(guest: Visitor, **more: str) -> str:
    """The path of the link that an administrator was just shown."""
    await guest.get("/users")
    assert await guest.post("/users", NINA | more) == 200, guest.text
    return link_on(guest)


def link_on(guest: Visitor) -> str:
    return "/invitation/" + guest.page.partition("/invitation/")[2].partition('"')[0]


async def rows(world: World, table: Any) -> list[Any]:
    async with world.house.db.read() as session:
        return list(await session.scalars(select(table).order_by(table.id)))


async def test_somebody_is_invited_chooses_a_password_and_is_in(
    everybody: World, come: Arrive
) -> None:
    ada, nina = await come(everybody, "ada"), await come(everybody, None)
    path = await invited(ada)
    assert await nina.get(path) == 200
    assert "Welcome, Nina N." in nina.text
    assert await nina.post(path, {"password": "short"}, token="") == 400
    assert "at least 12" in nina.text
    assert await nina.post(path, {"password": HERS}, token="") == 200
    assert nina.path == "/account/second"
    assert await (await come(everybody, None)).sign_in("Nina", HERS) == 200
    assert await (await come(everybody, None)).get(path) == 404  # once
    await ada.get("/users")
    assert "Links that wait" not in ada.text
    (row,) = await rows(everybody, Invitation)
    assert path.rpartition("/")[2] not in str(row)
    assert row.token_hash == access.token_hash(path.rpartition("/")[2])


async def test_a_link_ends_after_72_hours_and_is_made_anew(everybody: World, come: Arrive) -> None:
    path = await invited(await come(everybody, "ada"))
    await everybody.forward(hours=72.1)
    nina, ada = await come(everybody, None), await come(everybody, "ada")
    assert await nina.get(path) == 404
    assert access_invitations.GONE in nina.text
    assert await nina.post(path, {"password": HERS}, token="") == 404
    await ada.get("/users")
    assert "ran out" in ada.text
    (row,) = await rows(everybody, Invitation)
    assert await ada.post(f"/users/invitations/{row.id}/link") == 200
    assert await nina.post(link_on(ada), {"password": HERS}, token="") == 200


async def test_a_newer_link_makes_the_older_void_and_one_is_taken_back(
    everybody: World, come: Arrive
) -> None:
    ada, nina = await come(everybody, "ada"), await come(everybody, None)
    path = await invited(ada)
    (row,) = await rows(everybody, Invitation)
    assert await ada.post(f"/users/invitations/{row.id}/link") == 200
    newer = link_on(ada)
    assert await nina.get(path) == 404
    assert await nina.get(newer) == 200
    assert await ada.post(f"/users/invitations/{row.id}/end") == 200
    assert await nina.get(newer) == 404
    assert await ada.post(f"/users/invitations/{row.id}/link") == 404


async def test_of_two_who_use_it_at_once_one_is_let_in(world: World) -> None:
    ada = await world.hire("Ada", Role.ADMIN)
    async with world.house.db.write() as session:
        _, token = await access_invitations.invite(
            session, "nina", "", "worker", None, "", ada, world.now
        )

    async def once() -> bool:
        try:
            async with world.house.db.write() as session:
                await access_invitations.accept(session, token, "hash", world.now)
        except HelplineError:
            return False
        return True

    assert sum(await asyncio.gather(*(once() for _ in range(5)))) == 1
    assert [row.name for row in await rows(world, User)].count("nina") == 1


CANNOT_BE: list[tuple[dict[str, str], str]] = [
    ({"name": "wasim"}, "already called"),
    ({"name": " "}, "1 to 80 letters"),
    ({"role": "boss"}, "no role"),
    ({"role": "commissioner"}, "one contract"),
    ({"contract": "nowhere"}, "from the list"),
    ({"email": "no address"}, "not an e-mail address"),
]


async def test_an_invitation_that_cannot_be_is_refused_with_a_sentence(
    everybody: World, come: Arrive
) -> None:
    ada = await come(everybody, "ada")
    await ada.get("/users")
    for changed, says in CANNOT_BE:
        assert await ada.post("/users", NINA | changed) == 400, changed
        assert says in ada.text
        assert 'value="Nina N."' in ada.page
    assert not await rows(everybody, Invitation)


async def test_nobody_is_invited_twice_under_one_name(everybody: World, come: Arrive) -> None:
    ada = await come(everybody, "ada")
    await invited(ada)
    assert await ada.post("/users", NINA | {"name": "NINA"}) == 400
    assert "invited already" in ada.text


async def test_who_administers_one_contract_invites_into_no_other(everybody: World) -> None:
    of_one = await everybody.hire("Abe", Role.ADMIN, contract="essex")
    for contract in (None, "stoke"):
        with pytest.raises(HelplineError):
            async with everybody.house.db.write() as session:
                await access_invitations.invite(
                    session, "nina", "", "worker", contract, "", of_one, everybody.now
                )
    with pytest.raises(HelplineError):
        async with everybody.house.db.write() as session:
            user = everybody.worker.user_id
            await access_invitations.invite_back(session, user, of_one, everybody.now)


async def test_a_forgotten_password_is_chosen_anew_by_whose_it_is(
    everybody: World, come: Arrive
) -> None:
    wasim, ada = await come(everybody, "wasim"), await come(everybody, "ada")
    await ada.get("/users")
    path = f"/users/{everybody.worker.user_id}/password"
    assert await ada.post(path) == 200
    first = link_on(ada)
    assert await ada.post(path) == 200
    link = link_on(ada)
    assert await wasim.get("/inbox", follow=False) == 200  # nothing is changed until it is used
    guest = await come(everybody, None)
    assert await guest.get(first) == 404
    for weak in ("wasim wasim wasim", "Essex2026!!!", "essex essex essex"):
        assert await guest.post(link, {"password": weak}, token="") == 400, weak
    assert await guest.post(link, {"password": HERS}, token="") == 200
    assert await wasim.get("/inbox", follow=False) == 303
    assert await wasim.sign_in("wasim", PASSWORD) == 400
    assert await wasim.sign_in("wasim", HERS) == 200
    assert await ada.post("/users/9999/password") == 404


async def test_a_link_for_somebody_who_left_opens_nothing(everybody: World, come: Arrive) -> None:
    ada = await come(everybody, "ada")
    await ada.get("/users")
    await ada.post(f"/users/{everybody.worker.user_id}/password")
    link = link_on(ada)
    await ada.post(f"/users/{everybody.worker.user_id}/end")
    guest = await come(everybody, None)
    assert await guest.post(link, {"password": HERS}, token="") == 404
    assert await guest.sign_in("wasim", HERS) == 400


async def test_where_there_is_e_mail_the_link_goes_by_it(everybody: World, come: Arrive) -> None:
    channels = {**everybody.house.channels, "email": everybody.sms_network}
    object.__setattr__(everybody.house, "channels", channels)
    ada = await come(everybody, "ada")
    path = await invited(ada, email="Nina@Helpline.example")
    assert "on its way by e-mail" in ada.text
    (message,) = [m for m in await rows(everybody, OutMessage) if m.channel == "email"]
    assert message.recipient == "nina@helpline.example"
    assert path in message.body
    assert "nina" not in message.body.lower()
