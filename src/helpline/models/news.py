"""News that members have asked for: who agreed to which channel, what is sent to whom, and how far
it has come. Nobody gets news who has not agreed, and "no news" touches nothing else we send."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint


class NewsConsent(SQLModel, table=True):
    """Somebody agreed to news by one channel, or took it back. The newest row for a person and a
    channel counts; without one they have not agreed."""

    __tablename__ = "news_consent"
    __table_args__ = (Index("ix_news_consent_person_id", "person_id", "channel"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id")
    channel: str
    is_given: bool
    how: str
    """A ConsentHow."""
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    """Who wrote it down; None: they said so themselves by message."""


class News(SQLModel, table=True):
    """One piece of news and whom it is for. It is written by anybody, and sent by a lead."""

    __tablename__ = "news"
    __table_args__ = (
        Index("ix_news_contract", "contract", "id"),
        Index(
            "ix_news_sending",
            "contract",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    title: str
    """For us; it is not sent."""
    body: str
    groups: str = ""
    """Codes of the contract, with commas; empty: all. A person fits when each of the five does."""
    quadrants: str = ""
    teams: str = ""
    needs: str = ""
    languages: str = ""
    never_came: bool = False
    """Only those of them who have never come to us: to tell them that we are there (A22)."""
    state: str = "draft"
    """A NewsState."""
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ready_at: datetime | None = None
    """When its writer asked a lead to look."""
    sent_at: datetime | None = None
    sent_by_id: int | None = Field(default=None, foreign_key="user.id")
    counted: int | None = None
    """How many were to get it when the lead said yes."""
    stopped_at: datetime | None = None
    stopped_by_id: int | None = Field(default=None, foreign_key="user.id")
    done_at: datetime | None = None


class NewsRecipient(SQLModel, table=True):
    """One person and one piece of news: never twice, whatever restarts."""

    __tablename__ = "news_recipient"
    __table_args__ = (
        UniqueConstraint("news_id", "person_id"),
        Index("ix_news_recipient_message_id", "message_id"),
        Index(
            "ix_news_recipient_waiting",
            "news_id",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_news_recipient_queued_at", "contract", "queued_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    news_id: int = Field(foreign_key="news.id")
    person_id: int = Field(foreign_key="person.id")
    state: str = "waiting"
    """A RecipientState."""
    why: str = ""
    """Why they do not get it, or not yet: a WhyNot."""
    next_at: datetime
    """When it may be looked at again."""
    queued_at: datetime | None = None
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
