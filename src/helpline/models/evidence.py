"""What the provider can show that it did, and what it still owes: the log of evidence, the calendar
of obligations, and the files that prove either."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class EvidenceEntry(SQLModel, table=True):
    """One thing done that the contract asks to be shown (A68 to A76). Taken back, never removed."""

    __tablename__ = "evidence_entry"
    __table_args__ = (Index("ix_evidence_entry_contract_day", "contract", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    kind: str
    """The contract's evidence code."""
    day: date
    what: str = sealed("evidence_entry.what")
    channel: str = ""
    """Where or by what: a meeting, social media, a newsletter, a place."""
    quadrant: str | None = None
    locality: str = ""
    partner_id: int | None = Field(default=None, foreign_key="partner.id")
    partner_code: str | None = None
    """Instead of one of the directory: the contract's own partner."""
    reached: int | None = None
    you_said: str | None = sealed("evidence_entry.you_said", optional=True)
    we_did: str | None = sealed("evidence_entry.we_did", optional=True)
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_why: str | None = sealed("evidence_entry.taken_back_why", optional=True)


class ObligationDue(SQLModel, table=True):
    """One thing owed on one day: made by a rule of the contract, or written down by a person."""

    __tablename__ = "obligation_due"
    __table_args__ = (
        UniqueConstraint("contract", "rule", "for_day"),
        Index("ix_obligation_due_contract_due_on", "contract", "due_on"),
        Index(
            "ix_obligation_due_next_alert_at",
            "next_alert_at",
            sqlite_where=text("next_alert_at IS NOT NULL"),
            postgresql_where=text("next_alert_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    rule: str | None = None
    """The contract's obligation code; None for what a person wrote down."""
    what: str | None = sealed("obligation_due.what", optional=True)
    """In words, where no rule names it."""
    for_day: date
    """What it is for: the last day of the period, the day of the meeting, the day itself."""
    due_on: date
    is_certain: bool = True
    """False when it reaches beyond the known bank holidays: due then or later."""
    is_moved: bool = False
    """A person gave it another day: its rule no longer moves it."""
    owner_id: int | None = Field(default=None, foreign_key="user.id")
    evidence_id: int | None = Field(default=None, foreign_key="evidence_entry.id")
    """The review in which it was agreed."""
    next_alert_at: datetime | None = None
    """When somebody hears of it next; None when it is done."""
    made_at: datetime
    made_by_id: int | None = Field(default=None, foreign_key="user.id")
    done_on: date | None = None
    done_at: datetime | None = None
    done_by_id: int | None = Field(default=None, foreign_key="user.id")
    proof: str | None = sealed("obligation_due.proof", optional=True)
    """What shows that it was done: to whom it went, where it lies."""
    dropped_at: datetime | None = None
    """Not owed this time: the council said so, or it was written down by mistake."""
    dropped_by_id: int | None = Field(default=None, foreign_key="user.id")
    dropped_why: str | None = sealed("obligation_due.dropped_why", optional=True)


class EvidenceFile(SQLModel, table=True):
    """A file that proves an entry or an obligation: sealed, handed out as a download only."""

    __tablename__ = "evidence_file"
    __table_args__ = (
        Index("ix_evidence_file_entry_id", "entry_id"),
        Index("ix_evidence_file_obligation_id", "obligation_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    entry_id: int | None = Field(default=None, foreign_key="evidence_entry.id")
    obligation_id: int | None = Field(default=None, foreign_key="obligation_due.id")
    name: str = sealed("evidence_file.name")
    kind: str
    """What it is by its content."""
    size: int
    is_safe: bool
    """False: of a kind that is kept and never handed out."""
    content: str = sealed("evidence_file.content")
    """The bytes in base64, sealed."""
    kept_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
