"""What proves who somebody is besides a password, and what is half done on the way in.

Read and written by desk/access_*.py only. A secret is sealed or stands here as a hash; what a
browser holds (tokens of links and of half a sign-in) is never here itself.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class Authenticator(SQLModel, table=True):
    """The app that shows somebody codes; one for each person. Unconfirmed until a code fitted."""

    __tablename__ = "authenticator"

    user_id: int = Field(primary_key=True, foreign_key="user.id")
    secret: str = sealed("authenticator.secret")
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = 0
    """The half minute (counted since 1970) of the newest code that was taken: none is taken twice,
    and none that is older."""


class RecoveryCode(SQLModel, table=True):
    """One of the ten codes on somebody's paper. `place`: its own first digit."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "place"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    place: int
    code_hash: str
    """argon2, like a password: a code is short enough to be typed."""
    created_at: datetime
    used_at: datetime | None = None


class Passkey(SQLModel, table=True):
    """A key that somebody's device or security key keeps for them; here is its public half."""

    __tablename__ = "passkey"
    __table_args__ = (UniqueConstraint("credential_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    credential_id: str
    """base64url, as the device names it."""
    public_key: str
    """base64url of the COSE key."""
    sign_count: int = 0
    name: str = sealed("passkey.name")
    """What its owner calls it."""
    created_at: datetime
    used_at: datetime | None = None


class SignInStep(SQLModel, table=True):
    """Something begun and not finished: a password that fitted and waits for the second factor, a
    challenge to a passkey, a visit to the organisation's own sign-in. Good once and for minutes;
    the browser that began it holds the token."""

    __tablename__ = "sign_in_step"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    token_hash: str
    user_id: int | None = Field(default=None, foreign_key="user.id")
    detail: str = sealed("sign_in_step.detail")
    """JSON: the challenge; state, nonce and verifier; where to go afterwards."""
    created_at: datetime
    expires_at: datetime = Field(index=True)
    used_at: datetime | None = None


class Invitation(SQLModel, table=True):
    """A link that lets one named person in once: to begin here, or, where `user_id` was there when
    it was made, to choose a new password."""

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str
    name: str = sealed("invitation.name")
    shown_name: str = sealed("invitation.shown_name")
    role: str
    contract: str | None = None
    email: str | None = sealed("invitation.email", optional=True)
    by_user_id: int = Field(foreign_key="user.id")
    created_at: datetime
    expires_at: datetime
    mailed_at: datetime | None = None
    ended_at: datetime | None = None
    """Taken back, or replaced by a newer link."""
    used_at: datetime | None = None
    user_id: int | None = Field(default=None, foreign_key="user.id")
    """Who it let in, or whose password it renews."""
    is_renewal: bool = False
    """Whether it is for somebody who is here already."""


class ProviderAccount(SQLModel, table=True):
    """That an account at the organisation's own sign-in is somebody of ours. Found by who vouches
    for it and its subject there, never by an address."""

    __tablename__ = "provider_account"
    __table_args__ = (UniqueConstraint("account_hash"), UniqueConstraint("user_id", "issuer"))

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    issuer: str
    account_hash: str
    """SHA-256 of issuer and subject: which account it is can be recognised, not read."""
    linked_at: datetime
    used_at: datetime | None = None


class FactorReset(SQLModel, table=True):
    """Somebody's second factor was taken away by a colleague, and why."""

    __tablename__ = "factor_reset"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    by_user_id: int = Field(foreign_key="user.id")
    reason: str = sealed("factor_reset.reason")
    at: datetime
