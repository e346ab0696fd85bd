"""Copies that were made of the database, the copy it was restored from, and what is held back since
then."""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint


class BackupRun(SQLModel, table=True):
    """One try of the daily copy: the newest good one is what could be restored."""

    __tablename__ = "backup_run"
    __table_args__ = (UniqueConstraint("slot"),)

    id: int | None = Field(default=None, primary_key=True)
    slot: str
    """The day and the try, "2026-11-23/1": of several nodes one writes it and makes the copy."""
    node: str
    started_at: datetime
    ended_at: datetime | None = None
    is_good: bool = False
    """Written, and read back whole into a database of its own."""
    name: str = ""
    """The file's name in its folder."""
    row_count: int = 0
    size: int = 0
    """Bytes of the file."""
    failure: str | None = None
    """The class and place of the error."""


class RestoredCopy(SQLModel, table=True):
    """This database was restored from a copy: what the copy was about to send is held back until a
    person has looked at it."""

    __tablename__ = "restored_copy"

    id: int | None = Field(default=None, primary_key=True)
    made_at: datetime
    """When the copy was made."""
    version: str
    """Of the helpline that made it."""
    restored_at: datetime
    released_at: datetime | None = None
    """When the promises and alerts of the copy were let go again; until then they are held."""
    released_by_id: int | None = Field(default=None, foreign_key="user.id")


class HeldBack(SQLModel, table=True):
    """A message, alert or deadline of the copy that does nothing by itself until it is let go."""

    __tablename__ = "held_back"

    kind: str = Field(primary_key=True)
    """message, rung, act (both of an alert) or deadline."""
    row_id: int = Field(primary_key=True)
    due_at: datetime
    """When it would have moved."""
