"""Who may sign in, and who is signed in now."""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class User(SQLModel, table=True):
    """Somebody who works with the console: worker, lead, commissioner or admin."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    """What they sign in with."""
    shown_name: str
    """What carers are told, and colleagues see."""
    role: str
    contract: str | None = None
    """The one contract they see; None for staff who work on all of the provider's."""
    password_hash: str
    mobile: str | None = sealed("user.mobile", optional=True)
    mobile_index: str | None = Field(default=None, index=True)
    telegram: str | None = sealed("user.telegram", optional=True)
    telegram_index: str | None = Field(default=None, index=True)
    email: str | None = sealed("user.email", optional=True)
    email_index: str | None = Field(default=None, index=True)
    means: str = ""
    """How they want to be asked when on call, in their own order: "sms,telegram"."""
    opted_out_at: datetime | None = None
    """Since when texts to their mobile are refused: they wrote STOP. Alerts go past them."""
    bad_since: datetime | None = None
    """Since when the provider says that nobody can be reached there; hearing from it clears it."""
    created_at: datetime
    left_at: datetime | None = None


class Session(SQLModel, table=True):
    """A signed-in browser. The cookie holds a random token; only its hash is here."""

    __tablename__ = "session"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    token_hash: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    method: str | None = None
    """How it was opened: a word of desk/access.METHODS."""
    browser: str | None = None
    """Its family and system, in words of ours: "Firefox on Windows"."""
    second_at: datetime | None = None
    """When a second factor was proved; None: one factor opened it."""
    confirmed_at: datetime | None = None
    """When whoever sits there last proved who they are."""


class LoginAttempt(SQLModel, table=True):
    """A failed sign-in, counted to slow guessing; holds hashes of name and address only."""

    __tablename__ = "login_attempt"

    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    """Blind index of the name or of the network address."""
    at: datetime
