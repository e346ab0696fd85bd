"""What belongs to reports and is not counted: figures that somebody supplied, the lists they came
by, and the councils' own Word templates. Nothing here is written over or removed.
"""

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
    words: str | None = sealed("supplied_figure.words", optional=True)
    """Instead of a number: a grade, or why there is none."""
    source: str | None = sealed("supplied_figure.source", optional=True)
    """Who or what it is from."""
    as_of: date | None = None
    given_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    """None: from the command line."""
    list_id: int | None = Field(default=None, foreign_key="figure_list.id", index=True)
    """The list that it came by."""
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_why: str | None = sealed("supplied_figure.taken_back_why", optional=True)


class FigureList(SQLModel, table=True):
    """A file of figures, handed in: it changes nothing until somebody accepts it."""

    __tablename__ = "figure_list"
    __table_args__ = (Index("ix_figure_list_contract", "contract", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    period: str
    """The label of the page it was handed in on: the period of rows that name none."""
    state: str = "pending"
    """A ListState."""
    content: str | None = sealed("figure_list.content", optional=True)
    """The list itself while it waits; None once it is decided."""
    rows: int = 0
    handed_in_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    decided_at: datetime | None = None
    decided_by_id: int | None = Field(default=None, foreign_key="user.id")


class ReportTemplate(SQLModel, table=True):
    """A council's own Word template for one report. The newest that is in use and not taken back
    is the one; the former ones stay, because signed reports were set in them."""

    __tablename__ = "report_template"
    __table_args__ = (Index("ix_report_template_contract_report", "contract", "report"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    report: str
    """The contract's code of it."""
    name: str = sealed("report_template.name")
    """What the file was called."""
    sha256: str
    """Of the bytes."""
    size: int
    content: str = sealed("report_template.content")
    """The bytes in base64, sealed."""
    handed_in_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    used_from: datetime | None = None
    """None: looked at only."""
    used_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_why: str | None = sealed("report_template.taken_back_why", optional=True)
