"""Passkeys (WebAuthn level 3): a key that a telephone, a computer or a small device on a key ring
keeps, opened there by a finger, a face or a PIN. One is both factors at once.

Called by the pages of signing in and of one's own account. Every challenge is good once, the
signature must be over our own address, and the device must have recognised whoever holds it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.desk import access_codes, access_steps, events
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Passkey, User, metadata
from helpline.rules.permissions import Actor, require

KEY = metadata.tables["passkey"]
MOST: Final = 10
LONGEST_NAME: Final = 60
LARGEST: Final = 16 * 1024  # letters of what a browser hands over
REFUSED: Final = "That passkey did not fit. Try again, or sign in another way."
NOT_MADE: Final = "The passkey was not made. Try again, or choose another way."


@dataclass(frozen=True)
class Site:
    """What a passkey is bound to: the name of this helpline's host, and its whole origin."""

    name: str
    origin: str


# --- using one -----------------------------------------------------------------------------------


async def ask(
    session: AsyncSession, site: Site, now: datetime, user_id: int | None = None
) -> tuple[str, str]:
    """The browser's token and the challenge as JSON. Without `user_id` the device itself says whose
    it is, so that nothing is said of any name."""
    import webauthn
    from webauthn.helpers import structs

    keys = await _ids(session, user_id) if user_id is not None else []
    options = webauthn.generate_authentication_options(
        rp_id=site.name,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=key) for key in keys] or None,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    challenge = webauthn.helpers.bytes_to_base64url(options.challenge)
    token = await access_steps.open_step(
        session, access_steps.PASSKEY, now, user_id, challenge=challenge
    )
    return token, webauthn.options_to_json(options)


async def prove(
    session: AsyncSession,
    site: Site,
    token: str,
    credential: str,
    now: datetime,
    user_id: int | None = None,
) -> int:
    """Whose passkey answered. `user_id`: whose it must be. InvalidInput for every other answer."""
    step = await access_steps.finish(session, access_steps.PASSKEY, token, now)
    if step is None or step.user_id != user_id:
        raise InvalidInput(REFUSED)
    key = await _named(session, credential)
    if key is None or user_id not in (None, key.user_id):
        raise InvalidInput(REFUSED)
    count = _verified(site, step.detail["challenge"], credential, key)
    owner = await session.get(User, key.user_id)
    if owner is None or owner.left_at is not None:
        raise InvalidInput(REFUSED)
    same = (KEY.c.id == key.id, KEY.c.sign_count == key.sign_count)
    counted = update(KEY).where(*same).values(sign_count=count, used_at=now).returning(KEY.c.id)
    if not (await session.execute(counted)).first():
        raise InvalidInput(REFUSED)
    return key.user_id


def _verified(site: Site, challenge: str, credential: str, key: Passkey) -> int:
    """How often the key says it has signed. A copy of a key would count less: refused."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes, exceptions

    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, *UNREADABLE):
        raise InvalidInput(REFUSED) from None
    return verified.new_sign_count


UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What a library says to bytes that are none of its kind."""


async def _named(session: AsyncSession, credential: str) -> Passkey | None:
    from webauthn.helpers import exceptions, parse_authentication_credential_json

    if len(credential) > LARGEST:
        return None
    try:
        given = parse_authentication_credential_json(credential)
    except (exceptions.WebAuthnException, *UNREADABLE):
        return None
    found: Passkey | None = await session.scalar(
        select(Passkey).where(col(Passkey.credential_id) == given.id.rstrip("="))
    )
    return found


# --- making one ----------------------------------------------------------------------------------


async def begin_adding(
    session: AsyncSession, site: Site, by: Actor, now: datetime
) -> tuple[str, str]:
    """The browser's token, and what the device is asked to make, as JSON."""
    require(by, "factor.own")
    import webauthn
    from webauthn.helpers import structs

    wanted = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.REQUIRED,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    known = [
        structs.PublicKeyCredentialDescriptor(id=key) for key in await _ids(session, by.user_id)
    ]
    options = webauthn.generate_registration_options(
        rp_id=site.name,
        rp_name="Helpline",
        user_id=f"user-{by.user_id}".encode(),
        user_name=by.name,
        user_display_name=by.name,
        attestation=structs.AttestationConveyancePreference.NONE,
        authenticator_selection=wanted,
        exclude_credentials=known,
    )
    challenge = webauthn.helpers.bytes_to_base64url(options.challenge)
    token = await access_steps.open_step(
        session, access_steps.ADDING, now, by.user_id, challenge=challenge
    )
    return token, webauthn.options_to_json(options)


async def add(
    session: AsyncSession,
    site: Site,
    token: str,
    credential: str,
    name: str,
    by: Actor,
    now: datetime,
) -> None:
    """The device made a key: keep its public half under the name its owner gives it."""
    require(by, "factor.own")
    step = await access_steps.finish(session, access_steps.ADDING, token, now)
    if step is None or step.user_id != by.user_id or len(credential) > LARGEST:
        raise InvalidInput(NOT_MADE)
    made = _made(site, step.detail["challenge"], credential)
    if len(await own(session, by.user_id)) >= MOST:
        raise Conflict(f"You have {MOST} passkeys. Take one away first.")
    taken = select(KEY.c.id).where(KEY.c.credential_id == made["credential_id"])
    if (await session.execute(taken)).first():
        raise Conflict("This device has a passkey here already.")
    name = " ".join(name.split())[:LONGEST_NAME] or "Passkey"
    session.add(Passkey(user_id=by.user_id, name=name, created_at=now, **made))
    await session.flush()
    await events.record(session, "user.factor_added", now, by=by.user_id, factor="passkey")


def _made(site: Site, challenge: str, credential: str) -> dict[str, Any]:
    import webauthn
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, exceptions

    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (exceptions.WebAuthnException, *UNREADABLE):
        raise InvalidInput(NOT_MADE) from None
    return {
        "credential_id": bytes_to_base64url(made.credential_id),
        "public_key": bytes_to_base64url(made.credential_public_key),
        "sign_count": made.sign_count,
    }


# --- one's own -----------------------------------------------------------------------------------


async def own(session: AsyncSession, user_id: int) -> list[Passkey]:
    query = select(Passkey).where(col(Passkey.user_id) == user_id).order_by(col(Passkey.id))
    return list(await session.scalars(query))


async def end(
    session: AsyncSession, key_id: int, by: Actor, now: datetime, is_required: bool
) -> None:
    """Take one of one's own away; NotFound for anybody else's."""
    require(by, "factor.own")
    mine = (KEY.c.id == key_id, KEY.c.user_id == by.user_id)
    if not (await session.execute(select(KEY.c.id).where(*mine))).first():
        raise NotFound("You have no such passkey.")
    await access_codes.not_the_last(session, by, is_required, passkeys=1)
    await session.execute(delete(KEY).where(*mine))
    await events.record(session, "user.factor_ended", now, by=by.user_id, factor="passkey")


async def _ids(session: AsyncSession, user_id: int) -> list[bytes]:
    from webauthn.helpers import base64url_to_bytes

    query = select(KEY.c.credential_id).where(KEY.c.user_id == user_id)
    return [base64url_to_bytes(one) for one in (await session.execute(query)).scalars()]
