"""Who is on call, what they were told and whether anybody took it."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class Shift(SQLModel, table=True):
    """One person's time on call for one contract."""

    __tablename__ = "shift"
    __table_args__ = (
        Index("ix_shift_contract_ends_at", "contract", "ends_at"),
        UniqueConstraint("pattern_id", "day"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    user_id: int = Field(foreign_key="user.id")
    kind: str = "primary"
    starts_at: datetime
    ends_at: datetime
    is_override: bool = False
    """Stands instead of everybody else of its kind."""
    pattern_id: int | None = Field(default=None, foreign_key="shift_pattern.id")
    day: date | None = None
    """The local day of the pattern: each makes one shift, once."""
    is_changed: bool = False
    """A person changed it: it no longer follows its pattern."""
    taken_away_at: datetime | None = None


class Alert(SQLModel, table=True):
    """Something a person must look at now; climbs the ladder until it is acknowledged."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_alert_case_id", "case_id"),
        Index(
            "ix_alert_deadline_id",
            "deadline_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "ix_alert_next_rung_at",
            "next_rung_at",
            sqlite_where=text("next_rung_at IS NOT NULL"),
            postgresql_where=text("next_rung_at IS NOT NULL"),
        ),
        Index(
            "ix_alert_act_by",
            "act_by",
            sqlite_where=text("act_by IS NOT NULL"),
            postgresql_where=text("act_by IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str
    """What it is about, for ever: raising the same thing twice makes one alert."""
    contract: str
    kind: str
    colour: str
    case_id: int | None = Field(default=None, foreign_key="case.id")
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    complaint_id: int | None = Field(default=None, foreign_key="complaint.id", index=True)
    incident_id: int | None = Field(default=None, foreign_key="incident.id", index=True)
    request_id: int | None = None
    """Instead of a case: a request about somebody's own data (data_request)."""
    reference: str
    """What the phone shows: the case reference, or TRAY."""
    raised_at: datetime
    owner_id: int | None = Field(default=None, foreign_key="user.id")
    """Whose own promise it is about: they are asked before anybody on the ladder."""
    rungs: str = ""
    """Whom it climbs to, in order, with commas; empty: the contract's ladder."""
    minutes_to_act: int = 30
    rung: int = 0
    """How many rungs have been asked so far; the ladder goes round and round."""
    next_rung_at: datetime | None = None
    """When the next rung is asked; None once acknowledged or moot."""
    acknowledged_at: datetime | None = None
    acknowledged_by_id: int | None = Field(default=None, foreign_key="user.id")
    act_by: datetime | None = None
    """When whoever took it must have done something, or the ladder goes on; None once they have."""
    ended_at: datetime | None = None
    """When it became moot by itself: the deadline was met."""


class Page(SQLModel, table=True):
    """One person asked about one alert, once, by one message; a message may ask about several."""

    __tablename__ = "page"
    __table_args__ = (
        Index("ix_page_alert_id", "alert_id"),
        Index("ix_page_user_id_at", "user_id", "at"),
        Index("ix_page_message_id", "message_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id")
    user_id: int = Field(foreign_key="user.id")
    rung: int
    at: datetime
    channel: str
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
    code: str
    """Four digits: replying with them takes everything the message asked about."""


class Conflict(SQLModel, table=True):
    """Somebody who must not work on a case, nor be asked about it: they are its subject, or know
    the people. Never taken away, only ended."""

    __tablename__ = "conflict"
    __table_args__ = (
        Index("ix_conflict_case_id", "case_id"),
        Index("ix_conflict_user_id", "user_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    user_id: int = Field(foreign_key="user.id")
    kind: str = Field(default="declared", sa_column_kwargs={"server_default": "declared"})
    why: str = sealed("conflict.why")
    since: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
