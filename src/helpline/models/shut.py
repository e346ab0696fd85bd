"""Cases that are kept to certain people, and cases that somebody opened in an emergency although
they are shut to them."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class Restriction(SQLModel, table=True):
    """A case is kept to the people named below; for everybody else it is not there."""

    __tablename__ = "restriction"
    __table_args__ = (
        Index(
            "ix_restriction_open",
            "case_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_restriction_case_id", "case_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    why: str = sealed("restriction.why")
    since: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class RestrictionName(SQLModel, table=True):
    """One of those to whom it is kept. Never taken away, only ended."""

    __tablename__ = "restriction_name"
    __table_args__ = (UniqueConstraint("restriction_id", "user_id", "since"),)

    id: int | None = Field(default=None, primary_key=True)
    restriction_id: int = Field(foreign_key="restriction.id", index=True)
    user_id: int = Field(foreign_key="user.id")
    since: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class BrokenGlass(SQLModel, table=True):
    """Somebody opened a case that was shut to them, in an emergency, for an hour. Stays."""

    __tablename__ = "broken_glass"
    __table_args__ = (
        Index("ix_broken_glass_case_id", "case_id"),
        Index("ix_broken_glass_user_id_until", "user_id", "until"),
        Index("ix_broken_glass_contract_at", "contract", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    user_id: int = Field(foreign_key="user.id")
    shut_by: str
    """What it was shut by, a Holds of rules/permissions, by its name: no_wall, not_restricted; both
    with a comma."""
    why: str = sealed("broken_glass.why")
    at: datetime
    until: datetime
    reviewed_at: datetime | None = None
    reviewed_by_id: int | None = Field(default=None, foreign_key="user.id")
    was_right: bool | None = None
    review: str | None = sealed("broken_glass.review", optional=True)
    """What whoever looked at it says."""
