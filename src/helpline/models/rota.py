"""What makes a rota besides its shifts: patterns, absences, swaps, the gaps that were found, what
workers can do, calendars they follow, and what one of them hands to the next."""

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class ShiftPattern(SQLModel, table=True):
    """The same shift every week, in the contract's local time (rules/rota.Weekly). It is ended and
    a new one begun, never rewritten."""

    __tablename__ = "shift_pattern"

    id: int | None = Field(default=None, primary_key=True)
    contract: str = Field(index=True)
    user_id: int = Field(foreign_key="user.id")
    kind: str = "primary"
    days: str
    """The weekdays on which a shift begins, Monday 0: "0,1,2"."""
    begins: time
    ends: time
    first_day: date
    last_day: date | None = None
    every_weeks: int = 1
    made_at: datetime
    made_by_id: int | None = Field(default=None, foreign_key="user.id")
    shifts_until: date
    """Up to this day, not included, its shifts stand in the rota."""


class Absence(SQLModel, table=True):
    """Somebody is away, from all rotas they are on."""

    __tablename__ = "absence"
    __table_args__ = (Index("ix_absence_user_id_ends_at", "user_id", "ends_at"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    kind: str = sealed("absence.kind")
    """Says something of their health, so it is sealed."""
    starts_at: datetime
    ends_at: datetime
    noted_at: datetime
    noted_by_id: int = Field(foreign_key="user.id")
    taken_back_at: datetime | None = None


class ShiftSwap(SQLModel, table=True):
    """One asks another to take a shift, for one of theirs or for nothing."""

    __tablename__ = "shift_swap"
    __table_args__ = (Index("ix_shift_swap_contract_state", "contract", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    shift_id: int = Field(foreign_key="shift.id", index=True)
    for_shift_id: int | None = Field(default=None, foreign_key="shift.id")
    asker_id: int = Field(foreign_key="user.id")
    asked_id: int = Field(foreign_key="user.id")
    state: str = "asked"
    asked_at: datetime
    expires_at: datetime
    """When the earlier of the two shifts begins."""
    agreed_at: datetime | None = None
    in_force_at: datetime | None = None
    closed_at: datetime | None = None
    """When it was refused, withdrawn or too late."""


class RotaGap(SQLModel, table=True):
    """A time in the coming week without anybody in the first line; ends when it is filled."""

    __tablename__ = "rota_gap"
    __table_args__ = (
        Index(
            "ix_rota_gap_open",
            "contract",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    starts_at: datetime
    ends_at: datetime
    found_at: datetime
    has_begun: bool = False
    """Whether the alarm "nobody now" was raised."""
    ended_at: datetime | None = None


class RotaWatch(SQLModel, table=True):
    """When the rota of a contract was last looked at; its row keeps two nodes from doing it at the
    same moment."""

    __tablename__ = "rota_watch"

    contract: str = Field(primary_key=True)
    looked_at: datetime


class CalendarFeed(SQLModel, table=True):
    """A secret address under which one person's calendar shows their shifts."""

    __tablename__ = "calendar_feed"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    token_hash: str
    made_at: datetime
    revoked_at: datetime | None = None


class Handover(SQLModel, table=True):
    """The first line passes from one to another; who comes says that they have read the sheet."""

    __tablename__ = "handover"
    __table_args__ = (UniqueConstraint("contract", "at", "to_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    at: datetime
    from_id: int = Field(foreign_key="user.id")
    to_id: int = Field(foreign_key="user.id", index=True)
    words: str | None = sealed("handover.words", optional=True)
    """What the one who goes wants the other to know."""
    seen: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON))
    """The case references of the sheet as it was acknowledged."""
    acknowledged_at: datetime | None = None
    void_at: datetime | None = None
    """The rota changed before it came to this."""


class UserSkill(SQLModel, table=True):
    """Something a worker can do, or a language they speak: what an allocation may ask for."""

    __tablename__ = "user_skill"
    __table_args__ = (UniqueConstraint("user_id", "kind", "word"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id", index=True)
    kind: str
    """skill or language."""
    word: str
    """In small letters; a language by its code where it has one of two letters: "pl"."""
