"""What carers' groups raised with the provider and what came of it (P25). Words are sealed: a group
is small, and whoever speaks for it can be known by what they say."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class GroupIssue(SQLModel, table=True):
    """One thing a carers' group raised: open until it is answered; taken back, never removed."""

    __tablename__ = "group_issue"
    __table_args__ = (Index("ix_group_issue_contract_raised_on", "contract", "raised_on"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    group_name: str = sealed("group_issue.group_name")
    quadrant: str | None = None
    raised_on: date
    what: str = sealed("group_issue.what")
    answer_by: date | None = None
    """By when the group was told that it would hear; None: no day was named."""
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ending: str | None = None
    """An IssueEnding; None while it is open."""
    came: str | None = sealed("group_issue.came", optional=True)
    """What came of it, in the words that the group was told."""
    told_on: date | None = None
    """When the group was told."""
    settled_at: datetime | None = None
    settled_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_why: str | None = sealed("group_issue.taken_back_why", optional=True)
