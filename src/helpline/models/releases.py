"""A report of one period on its way to the council: draft, checked, signed, presented; and what was
said of its figures, its files, and who was given it. Nothing that was signed is ever written over:
a correction is another number of the same report, beside the first.
"""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class Release(SQLModel, table=True):
    """One report of one period, numbered from 1; 2 and up restate the earlier."""

    __tablename__ = "release"
    __table_args__ = (
        UniqueConstraint("contract", "report", "period", "number"),
        Index("ix_release_contract_starts_on", "contract", "starts_on"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    report: str
    """The contract's code of it."""
    period: str
    """The period's label."""
    starts_on: date
    ends_on: date
    """The period's first and last day."""
    number: int = 1
    why: str | None = sealed("release.why", optional=True)
    """Of a restatement: what was wrong before."""
    state: str = "draft"
    """A ReleaseState."""
    made_at: datetime
    made_by_id: int | None = Field(default=None, foreign_key="user.id")
    """None: it was made by itself when the period was over."""
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id", index=True)
    """By when it is owed; None where the contract gives no day."""
    counted_at: datetime | None = None
    """From here on its figures stand."""
    exact: str | None = sealed("release.exact", optional=True)
    """The figures as counted (reports/frozen.py writes and reads them)."""
    cells: str | None = sealed("release.cells", optional=True)
    """The figures as published."""
    checked_at: datetime | None = None
    checked_by_id: int | None = Field(default=None, foreign_key="user.id")
    signed_at: datetime | None = None
    signed_by_id: int | None = Field(default=None, foreign_key="user.id")
    presented_at: datetime | None = None
    """Of one presented before each presentation was a row of its own (ReleasePresentation): when
    somebody wrote it down. Read, and never written any more."""
    presented_by_id: int | None = Field(default=None, foreign_key="user.id")
    presented_on: date | None = None
    presented_to: str | None = sealed("release.presented_to", optional=True)


class ReleasePresentation(SQLModel, table=True):
    """A signed report was presented: on which day, and to whom. It may be more than once."""

    __tablename__ = "release_presentation"
    __table_args__ = (Index("ix_release_presentation_release_id", "release_id"),)

    id: int | None = Field(default=None, primary_key=True)
    release_id: int = Field(foreign_key="release.id")
    day: date
    to_whom: str = sealed("release_presentation.to_whom")
    by_user_id: int = Field(foreign_key="user.id")
    at: datetime
    """When it was written down."""


class ReleaseComment(SQLModel, table=True):
    """What we say of a figure that moved, or where a line of the report asks for words. The newest
    row of a place is printed; the earlier ones stay."""

    __tablename__ = "release_comment"
    __table_args__ = (Index("ix_release_comment_release_id", "release_id"),)

    id: int | None = Field(default=None, primary_key=True)
    release_id: int = Field(foreign_key="release.id")
    measure: str | None = None
    """The measure it is about; None where it is a line's own text."""
    line: str | None = None
    """The report line that asks for words."""
    text: str = sealed("release_comment.text")
    by_user_id: int = Field(foreign_key="user.id")
    at: datetime


class ReleaseFile(SQLModel, table=True):
    """A signed report as a file, kept byte for byte."""

    __tablename__ = "release_file"
    __table_args__ = (UniqueConstraint("release_id", "format", "template"),)

    id: int | None = Field(default=None, primary_key=True)
    release_id: int = Field(foreign_key="release.id")
    format: str
    """html, pdf, docx, xlsx, csv or json."""
    template: str = ""
    """SHA-256 of the council's own template it was set in; empty: ours."""
    sha256: str
    """Of the bytes."""
    size: int
    content: str = sealed("release_file.content")
    """The bytes in base64, sealed: what we wrote about the figures stands in them."""
    made_at: datetime


class Delivery(SQLModel, table=True):
    """A release was given to one of its recipients."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_release_id", "release_id"),)

    id: int | None = Field(default=None, primary_key=True)
    release_id: int = Field(foreign_key="release.id")
    recipient: str
    """The contract's code of a commissioner."""
    way: str
    """A DeliveryWay: portal, email or hand."""
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    """None: it lay in the portal from the moment it was signed."""
    note: str | None = sealed("delivery.note", optional=True)
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
    """The letter that says that it is ready; no figure is in it."""
    to_user_id: int | None = Field(default=None, foreign_key="user.id")
    """Whom the letter is to."""


class RunningFigures(SQLModel, table=True):
    """The totals of a period that still runs, as they stood on a Sunday at midnight: what the
    council sees of it, the same all week, so that no day's difference names anybody."""

    __tablename__ = "running_figures"
    __table_args__ = (UniqueConstraint("contract", "report", "period", "as_at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    report: str
    period: str
    as_at: datetime
    made_at: datetime
    cells: str = sealed("running_figures.cells")
    """As published: totals only; and the exact ones behind them (reports/weeks.py)."""
