"""Who is on call, what they were told and whether anybody took it."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint


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
            "ix_alert_next_rung_at",
            "next_rung_at",
            sqlite_where=text("next_rung_at IS NOT NULL"),
            postgresql_where=text("next_rung_at IS NOT NULL"),
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
    reference: str
    """What the phone shows: the case reference, or TRAY."""
    raised_at: datetime
    code: str
    """Four digits: replying with them takes the alert."""
    rung: int = 0
    """How many rungs have been asked so far; the ladder goes round and round."""
    next_rung_at: datetime | None = None
    """When the next rung is asked; None once acknowledged or moot."""
    acknowledged_at: datetime | None = None
    acknowledged_by_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    """When it became moot by itself: the deadline was met."""


class Page(SQLModel, table=True):
    """One person asked about one alert, once."""

    __tablename__ = "page"
    __table_args__ = (Index("ix_page_alert_id", "alert_id"), Index("ix_page_user_id", "user_id"))

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id")
    user_id: int = Field(foreign_key="user.id")
    rung: int
    at: datetime
    channel: str
