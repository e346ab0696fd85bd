"""A test of a way in and out: one of us sends a word from their own phone, and sees it come."""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint


class Trial(SQLModel, table=True):
    """A word that somebody who sets the helpline up was given to send. It makes no person, no case
    and no contact, so that no figure can hold it."""

    __tablename__ = "trial"
    __table_args__ = (UniqueConstraint("word"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    channel: str
    """The way it is meant for."""
    user_id: int = Field(foreign_key="user.id")
    word: str
    """Six digits, said to nobody else and of no use to anybody."""
    made_at: datetime
    expires_at: datetime
    heard_at: datetime | None = None
    """When a provider brought it."""
    heard_by: str | None = None
    """By which way it came, and below to whose number."""
    heard_for: str | None = None
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
    """Our answer to it."""
