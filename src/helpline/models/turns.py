"""Whose turn it is in a loop that looks at a few rows at a time. No personal data."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Turn(SQLModel, table=True):
    """How far a loop has looked: it goes on after this row, and begins anew after the last, so that
    rows nothing can be done about never stand in the way of those behind them."""

    __tablename__ = "turn"

    loop: str = Field(primary_key=True)
    """What looks, and for which contract: "feedback:north"."""
    last_id: int = 0
    at: datetime
