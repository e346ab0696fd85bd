"""What belongs to reports and is not counted: figures that somebody supplied."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class SuppliedFigure(SQLModel, table=True):
    """One figure that somebody gave us: by hand, or from a file of earlier quarters. A later row
    of the same figure counts instead of an earlier; nothing is written over."""

    __tablename__ = "supplied_figure"
    __table_args__ = (Index("ix_supplied_figure_contract_period", "contract", "period", "measure"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    period: str
    """The label of the period it is for."""
    measure: str
    by: str = ""
    """How it is cut: "quadrant=west" and, after a comma, a second; empty for the total."""
    value: float | None = None
    words: str | None = None
    """Instead of a number: a grade, or why there is none."""
    source: str | None = sealed("supplied_figure.source", optional=True)
    """Who or what it is from."""
    as_of: date | None = None
    given_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")
