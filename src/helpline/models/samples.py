"""What a lead said to a worker about one of their cases, drawn by lot. No report counts it."""

from datetime import datetime

from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class WorkFeedback(SQLModel, table=True):
    """One case of a worker's month, looked at by a lead: what was good, what to try."""

    __tablename__ = "work_feedback"
    __table_args__ = (UniqueConstraint("case_id", "worker_id", "month"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id", index=True)
    worker_id: int = Field(foreign_key="user.id", index=True)
    month: str
    """The month whose work it is: 2026-10."""
    good: str = sealed("work_feedback.good")
    to_try: str | None = sealed("work_feedback.to_try", optional=True)
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    read_at: datetime | None = None
    """When the worker said that they have read it."""
