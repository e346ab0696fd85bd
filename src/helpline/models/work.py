"""Whose work a case is: who was named, what they said to it, and who stands in while they are away.

`case.worker_id` says who it is now; these rows say how it came to that, and are never rewritten.
"""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class Allocation(SQLModel, table=True):
    """Somebody was named on a case. One that a lead made waits for its answer: accepted, declined,
    or ended because somebody else was named."""

    __tablename__ = "allocation"
    __table_args__ = (
        Index("ix_allocation_case_id", "case_id"),
        Index(
            "ix_allocation_standing",
            "worker_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    worker_id: int = Field(foreign_key="user.id")
    before_id: int | None = Field(default=None, foreign_key="user.id")
    """Who the support worker was until then."""
    named_at: datetime
    named_by_id: int | None = Field(default=None, foreign_key="user.id")
    told_contact_id: int | None = Field(default=None, foreign_key="contact.id")
    """The message that tells the person the name."""
    accepted_at: datetime | None = None
    declined_at: datetime | None = None
    why: str | None = sealed("allocation.why", optional=True)
    """Why they declined."""
    ended_at: datetime | None = None
    """When somebody was named after it, or it was undone."""
    replaced_by_id: int | None = None
    """The allocation that ended it: where that one falls away, this one stands again."""


class Cover(SQLModel, table=True):
    """Somebody stands in on a case while its support worker is away. It holds as long as the
    absence does, so that the case is theirs again by itself when they are back."""

    __tablename__ = "cover"
    __table_args__ = (
        Index("ix_cover_case_id", "case_id"),
        Index(
            "ix_cover_standing",
            "worker_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    worker_id: int = Field(foreign_key="user.id")
    """Who stands in."""
    for_id: int = Field(foreign_key="user.id")
    """Whose case it is."""
    absence_id: int = Field(foreign_key="absence.id", index=True)
    begun_at: datetime
    begun_by_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    """When somebody said otherwise; the end of the absence needs no row."""
    replaced_by_id: int | None = None
    """The allocation that ended it."""
