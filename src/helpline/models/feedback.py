"""What people say of the service when they are asked: when each was asked, what they answered, what
themes a person found in it, and who said that they do not want to be asked."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class FeedbackAsk(SQLModel, table=True):
    """One person was asked once how it was, and what they answered."""

    __tablename__ = "feedback_ask"
    __table_args__ = (
        UniqueConstraint("case_id", "person_id", "why"),
        Index("ix_feedback_ask_contract_asked_at", "contract", "asked_at"),
        Index("ix_feedback_ask_person_id", "person_id"),
        Index(
            "ix_feedback_ask_open",
            "address_id",
            sqlite_where=text("score IS NULL"),
            postgresql_where=text("score IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id")
    case_id: int | None = Field(default=None, foreign_key="case.id")
    why: str
    """An AskedWhy: at closing, weeks later, while it goes on, by a person."""
    wording: str = "adult"
    """adult or child."""
    address_id: int | None = Field(default=None, foreign_key="address.id")
    channel: str = ""
    """Empty: a person asked, on the telephone or face to face."""
    asked_at: datetime
    open_until: datetime
    """Until when an answer by one digit is taken for one."""
    asked_by_id: int | None = Field(default=None, foreign_key="user.id")
    score: int | None = None
    """1 to 5: very poor to very good."""
    answered_at: datetime | None = None
    comment: str | None = sealed("feedback_ask.comment", optional=True)
    commented_at: datetime | None = None
    quote: str | None = sealed("feedback_ask.quote", optional=True)
    """Of the comment, what may be shown to others: approved by a person, nobody recognisable."""
    quoted_at: datetime | None = None
    quoted_by_id: int | None = Field(default=None, foreign_key="user.id")
    quote_agreed_on: date | None = None
    """When whoever wrote it said that the council may read it; None: it stays with us."""


class FeedbackTheme(SQLModel, table=True):
    """A theme that a person found in an answer; ended when it was put there by mistake."""

    __tablename__ = "feedback_theme"
    __table_args__ = (Index("ix_feedback_theme_ask_id", "ask_id"),)

    id: int | None = Field(default=None, primary_key=True)
    ask_id: int = Field(foreign_key="feedback_ask.id")
    theme: str
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None


class FeedbackRefusal(SQLModel, table=True):
    """Somebody does not want to be asked."""

    __tablename__ = "feedback_refusal"
    __table_args__ = (Index("ix_feedback_refusal_person_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id")
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None


class SaidAndDone(SQLModel, table=True):
    """ "You said, we did": one change that came of what people said, in words fit for anybody."""

    __tablename__ = "said_and_done"
    __table_args__ = (Index("ix_said_and_done_contract_at", "contract", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    at: datetime
    said: str
    done: str
    theme: str = ""
    complaint_id: int | None = Field(default=None, foreign_key="complaint.id")
    by_user_id: int = Field(foreign_key="user.id")
    source: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """A ChangeSource: where it was said; empty where nobody said so."""
    said_on: date | None = None
    done_on: date | None = None
    """None: decided, and not done yet."""
    issue_id: int | None = Field(default=None, foreign_key="group_issue.id")
    quote_ask_id: int | None = Field(default=None, foreign_key="feedback_ask.id")
    """The answer whose agreed quotation stands beside it."""
    shown_at: datetime | None = None
    """Since when the council may read it; None: it is ours alone."""
    shown_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")
