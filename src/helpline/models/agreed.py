"""What people changed of a contract while it runs: one row a change, laid over the contract's file.
Rows are ended, never rewritten, so that what held on a day can always be shown."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel


class ContractChange(SQLModel, table=True):
    """From a day on, one thing of a contract is otherwise than in its file."""

    __tablename__ = "contract_change"
    __table_args__ = (UniqueConstraint("contract", "what", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    what: str
    """The thing's address: "ladder", "signposts.childline", "texts.en.allocated"."""
    number: int
    """1, 2, 3 … of each thing: two people cannot make the same one."""
    value: Any = Field(sa_column=Column(JSON, nullable=False))
    """Its new value, as contract/changing.py shapes it; nothing personal."""
    valid_from: date
    """The first day, where the contract is."""
    needs_second: bool = False
    made_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    agreed_at: datetime | None = None
    agreed_by_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    """Taken back."""
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
