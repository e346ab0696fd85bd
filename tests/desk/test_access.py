"""The corners of signing in that no page leads to by itself: what two people do at once, what was
taken away meanwhile, and what a stranger sends."""

import json
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from helpline.desk import (
    access,
    access_accounts,
    access_codes,
    access_factors,
    access_invitations,
    access_passkeys,
)
from helpline.desk.access_passkeys import LARGEST, MOST, Site
from helpline.desk.climbing import Reach
from helpline.errors import Conflict, InvalidInput, NotAllowed, NotFound
from helpline.models import User
from helpline.rules.permissions import Actor
from helpline.vocabulary import Role
from tests.fakes.passkeys import Device
from tests.world import PASSWORD, World

SITE = Site("helpline.example", "https://helpline.example")
ISSUER = "https://login.example"


async def user_of(session: Any, actor: Actor) -> User:
    found = await session.get(User, actor.user_id)
    assert isinstance(found, User)
    return found


async def test_nobody_ends_their_own_access_or_changes_that_of_who_has_left(world: World) -> None:
    ada = await world.hire("Ada", Role.ADMIN)
    async with world.house.db.write() as session:
        with pytest.raises(InvalidInput, match="your own access"):
            await access.end_access(session, ada.user_id, ada, world.now)
        await access.end_access(session, world.worker.user_id, ada, world.now)
        with pytest.raises(NotFound):
            await access.set_password(session, world.worker.user_id, "x", ada, world.now)
        await access.carry_over(session, world.now, world.now + timedelta(days=9))
        made = await access.add_user(
            session, "  new   one ", "worker", None, "three otters on a sledge", world.now
        )
        assert made


async def test_a_session_that_ended_meanwhile_is_not_confirmed(world: World) -> None:
    async with world.house.db.write() as session:
        name, known = "wasim", await access.known_password(session, "wasim")
        assert known and await access.fits(known[1], PASSWORD), name
        opened = await access.sign_in(session, known[0], None, world.now)
        signed, _ = await access.who(session, opened.token, world.now) or (None, None)
        assert signed
        assert await access.confirm(session, signed, world.now, is_second=True)
        await access.revoke(session, signed.session_id, world.worker, world.now)
        with pytest.raises(NotFound, match="signed out meanwhile"):
            await access.confirm(session, signed, world.now)


async def test_an_account_elsewhere_is_one_persons_and_one_only(world: World) -> None:
    mine, theirs = world.worker, world.lead
    async with world.house.db.write() as session:
        await access_accounts.link(session, mine.user_id, ISSUER, "42", world.now)
        await access_accounts.link(session, mine.user_id, ISSUER, "42", world.now)  # once more
        with pytest.raises(Conflict, match="somebody else"):
            await access_accounts.link(session, theirs.user_id, ISSUER, "42", world.now)
        with pytest.raises(Conflict, match="linked already"):
            await access_accounts.link(session, mine.user_id, ISSUER, "43", world.now)
        await access_accounts.end(session, mine, ISSUER, world.now)
        with pytest.raises(NotFound):
            await access_accounts.end(session, mine, ISSUER, world.now)


async def test_codes_that_were_never_asked_for_fit_nothing(world: World) -> None:
    mine = world.worker
    async with world.house.db.write() as session:
        assert not await access_codes.app_fits(session, mine.user_id, "123456", world.now)
        with pytest.raises(NotFound):
            await access_codes.end_app(session, mine, world.now, is_required=False)
        await access_codes.begin_app(session, mine, world.now)
        first = await access_codes.pending_secret(session, mine)
        await access_codes.begin_app(session, mine, world.now)
        assert await access_codes.pending_secret(session, mine) == first
        later = world.now + timedelta(days=1)
        await access_codes.begin_app(session, mine, later)
        second = await access_codes.pending_secret(session, mine)
        assert second != first
        code = pyotp.TOTP(second).at(int(later.timestamp()))
        assert not await access_codes.app_fits(session, mine.user_id, code, later)  # not confirmed
        await access_codes.confirm_app(session, mine, code, later)
        assert not await access_codes.use_paper(session, mine.user_id, 999_999, later)


async def test_who_may_take_anothers_factors_away(world: World) -> None:
    ada = await world.hire("Ada", Role.ADMIN, contract="essex")
    async with world.house.db.write() as session:
        worker, lead = await user_of(session, world.worker), await user_of(session, world.lead)
        themself = await user_of(session, world.lead)
        may = access_factors.may_reset
        assert may(world.lead, worker)
        assert not may(world.lead, themself)
        assert not may(ada, lead)  # of the provider, not of this contract alone
        assert not may(world.worker, lead)
        with pytest.raises(NotAllowed):
            await access_factors.sign_out(session, themself, world.lead, world.now)
        with pytest.raises(NotAllowed):
            await access_factors.reset(session, themself, "lost", world.lead, world.now)
        for reason in ("", "x" * 501):
            with pytest.raises(InvalidInput):
                await access_factors.reset(session, worker, reason, world.lead, world.now)


async def test_somebody_who_cannot_be_reached_is_not_told(world: World) -> None:
    house, nobody = world.house, await world.hire("Nemo", Role.WORKER)
    ada = await world.hire("Ada", Role.ADMIN)
    said = (house.contracts, house.wording, Reach())
    async with house.db.write() as session:
        for user_id in (nobody.user_id, 999_999):
            assert not await access_factors.tell(session, *said, user_id, "factors", world.now)
        invited, _ = await access_invitations.invite(
            session, "late", "Late", "worker", None, "", ada, world.now
        )
        sent = await access_factors.mail_link(
            session, house.contracts, house.wording, invited, "https://x", world.now
        )
        assert not sent


async def test_whoever_works_for_one_contract_sees_its_invitations_alone(world: World) -> None:
    ada, alba = (
        await world.hire("Ada", Role.ADMIN),
        await world.hire("Alba", Role.ADMIN, None, "essex"),
    )
    async with world.house.db.write() as session:
        for name, contract in (("one", "essex"), ("two", None)):
            await access_invitations.invite(
                session, name, name, "worker", contract, "", ada, world.now
            )
        seen = await access_invitations.listed(session, alba, world.now)
        assert [one.name for one in seen] == ["one"]
        assert len(await access_invitations.listed(session, ada, world.now)) == 2


async def test_a_passkey_is_one_device_once_and_at_most_so_many(world: World) -> None:
    mine, device = world.worker, Device(SITE.origin)

    async def add(one: Device, said: str | None = None) -> None:
        async with world.house.db.write() as session:
            token, options = await access_passkeys.begin_adding(session, SITE, mine, world.now)
            credential = said if said is not None else one.make(json.loads(options))
            await access_passkeys.add(session, SITE, token, credential, "", mine, world.now)

    await add(device)
    with pytest.raises(Conflict, match="already"):
        await add(device)
    for nonsense in ("", "{}", "x" * (LARGEST + 1)):
        with pytest.raises(InvalidInput):
            await add(device, nonsense)
    for _ in range(MOST - 1):
        await add(Device(SITE.origin))
    with pytest.raises(Conflict, match="Take one away"):
        await add(Device(SITE.origin))

    async def prove(one: Device, said: str | None = None) -> int:
        async with world.house.db.write() as session:
            token, options = await access_passkeys.ask(session, SITE, world.now)
            credential = said if said is not None else one.answer(json.loads(options))
            return await access_passkeys.prove(session, SITE, token, credential, world.now)

    assert await prove(device) == mine.user_id
    with pytest.raises(InvalidInput):
        await prove(device, "x" * (LARGEST + 1))
    async with world.house.db.write() as session:
        await access.end_access(session, mine.user_id, world.lead, world.now)
    with pytest.raises(InvalidInput):
        await prove(device)
