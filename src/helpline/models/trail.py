"""What happened, and whether the loops run."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel


class Event(SQLModel, table=True):
    """One line of the audit trail. `detail` holds codes and numbers, never personal data."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_case_id_at", "case_id", "at"),
        Index("ix_event_contract_id", "contract", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str | None = None
    case_id: int | None = Field(default=None, foreign_key="case.id")
    kind: str
    """A noun and what happened: case.opened, deadline.met, case.read, …"""
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class JobRun(SQLModel, table=True):
    """The last beat of each loop on each node; /readyz reads it."""

    __tablename__ = "job_run"

    job: str = Field(primary_key=True)
    node: str = Field(primary_key=True)
    started_at: datetime
    good_at: datetime | None = None
    failures: int = 0
    failure: str | None = None
