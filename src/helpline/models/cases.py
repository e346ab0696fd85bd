"""A case and what hangs on it."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class Case(SQLModel, table=True):
    """One matter a person came with, from first receipt to closing."""

    __tablename__ = "case"
    __table_args__ = (
        UniqueConstraint("reference"),
        UniqueConstraint("contract", "import_key"),
        Index("ix_case_contract_opened_at", "contract", "opened_at"),
        Index("ix_case_person_id", "person_id"),
        Index(
            "ix_case_open_next_due",
            "contract",
            "next_due_at",
            "id",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_case_open_emergency",
            "contract",
            "next_due_at",
            sqlite_where=text("status = 'open' AND urgency = 'emergency'"),
            postgresql_where=text("status = 'open' AND urgency = 'emergency'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    contract: str
    person_id: int = Field(foreign_key="person.id")
    status: str = "open"
    kind: str = Field(default="advice", sa_column_kwargs={"server_default": "advice"})
    """A CaseKind."""
    identity: str = "unknown"
    urgency: str = "standard"
    reason: str = "unknown"
    """The contract's reason code (type of service required)."""
    reason_from: str = "triage"
    """Who chose the reason: triage, person or worker; a later one never yields to an earlier."""
    why: str | None = sealed("case.why", optional=True)
    """Why triage read it so, in a sentence that may quote the message."""
    group: str = "unknown"
    quadrant: str = "unknown"
    team: str = "unknown"
    """Group, quadrant and team as they were when the case opened: reports keep history (A04)."""
    method: str
    opened_at: datetime
    """First receipt; both clocks run from here."""
    worker_id: int | None = Field(default=None, foreign_key="user.id", index=True)
    allocated_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by_id: int | None = Field(default=None, foreign_key="user.id")
    outcome: str | None = None
    eligibility: str | None = None
    """An Eligibility, as decided on the day it opened or last decided since; reports keep it."""
    eligibility_reason: str | None = None
    language: str | None = None
    """In which they write, by its code, where it is not English: a guess (rules/languages.py)."""
    said_exclusion: str | None = None
    """The contract's exclusion that they seem to have named ("I foster for Southend"), until a
    worker says whether it is so."""
    next_due_at: datetime | None = None
    """The earliest open deadline: what the inbox is ordered by. Kept by desk/deadlines.py."""
    last_in_at: datetime | None = None
    erased_at: datetime | None = None
    """When everything that was said in it went: codes and times stay, so that no total changes."""
    import_key: str | None = None
    """Blind index of the past log's reference, so that one row is imported once."""
    imported_as: str | None = sealed("case.imported_as", optional=True)
    """That reference, from which the index is made anew when keys change."""


class Part(SQLModel, table=True):
    """Somebody's part in a case beside the person it is for. Never taken away, only ended."""

    __tablename__ = "part"
    __table_args__ = (
        Index("ix_part_case_id", "case_id"),
        Index("ix_part_person_id", "person_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    person_id: int = Field(foreign_key="person.id")
    role: str
    """A PartRole."""
    since: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class CaseLink(SQLModel, table=True):
    """Two cases that belong together; `sides` is a wall between them."""

    __tablename__ = "case_link"
    __table_args__ = (
        Index("ix_case_link_case_id", "case_id"),
        Index("ix_case_link_other_id", "other_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    other_id: int = Field(foreign_key="case.id")
    kind: str
    """A LinkKind."""
    why: str | None = sealed("case_link.why", optional=True)
    made_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class CaseSupport(SQLModel, table=True):
    """Support provided on a case (what they got; never the same field as the reason)."""

    __tablename__ = "case_support"
    __table_args__ = (UniqueConstraint("case_id", "support"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    support: str
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class Deadline(SQLModel, table=True):
    """One promise with a time on it. The database is the only truth for time."""

    __tablename__ = "deadline"
    __table_args__ = (
        Index("ix_deadline_case_id", "case_id"),
        Index("ix_deadline_item_id", "item_id"),
        Index("ix_deadline_contract_started_at", "contract", "started_at"),
        Index(
            "ix_deadline_open_due_at",
            "contract",
            "due_at",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_deadline_uncertain",
            "contract",
            sqlite_where=text("is_certain = 0 AND state = 'open'"),
            postgresql_where=text("NOT is_certain AND state = 'open'"),
        ),
        Index(
            "ix_deadline_next_alert_at",
            "next_alert_at",
            sqlite_where=text("next_alert_at IS NOT NULL"),
            postgresql_where=text("next_alert_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int | None = Field(default=None, foreign_key="case.id")
    item_id: int | None = Field(default=None, foreign_key="inbound_item.id")
    """Instead of a case: the tray entry that waits for a person."""
    complaint_id: int | None = Field(default=None, foreign_key="complaint.id", index=True)
    incident_id: int | None = Field(default=None, foreign_key="incident.id", index=True)
    """Instead of a case: the line of a register that owes somebody something."""
    request_id: int | None = Field(default=None, index=True)
    """Instead of a case: a request about somebody's own data (data_request)."""
    clock: str
    """The contract's clock code: first_response, allocation, …"""
    starts: str = "receipt"
    """What began it; a worker's own promise: "promise"."""
    stops: str
    started_at: datetime
    due_at: datetime
    target_at: datetime | None = None
    """Earlier than due_at, where the contract hopes for better than it demands."""
    is_certain: bool = True
    """False when it reaches beyond the known bank holidays: due then or later."""
    owner_id: int | None = Field(default=None, foreign_key="user.id")
    """Whose own promise it is."""
    what: str | None = sealed("deadline.what", optional=True)
    """What was promised, in the worker's words."""
    state: str = "open"
    met_at: datetime | None = None
    met_by_id: int | None = Field(default=None, foreign_key="user.id")
    answered_automatically_at: datetime | None = None
    """The automatic reply's instant (D1): kept, and never stops the clock."""
    next_alert_at: datetime | None = None
    """When the next warning or the breach is due; None when nothing is left to say."""


class Note(SQLModel, table=True):
    """A worker's record. Never overwritten; a correction is a later note that points to it."""

    __tablename__ = "note"

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id", index=True)
    kind: str
    body: str = sealed("note.body")
    reason: str | None = sealed("note.reason", optional=True)
    """Why, where it is a decision."""
    whose: str | None = sealed("note.whose", optional=True)
    """Whose own words they are; None: those of the person the case is for."""
    corrects_id: int | None = Field(default=None, foreign_key="note.id", index=True)
    """The note that this one puts right."""
    happened_at: datetime
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class Task(SQLModel, table=True):
    """Something a person must do on a case that no message carries."""

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_case_id", "case_id"),
        Index(
            "ix_task_open_due_at",
            "due_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    kind: str
    detail: str = ""
    """A code or a channel name; nothing personal."""
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
    """The message that did not get through; the task ends by itself once it has another way."""
    what: str | None = sealed("task.what", optional=True)
    """What is to be done, in words; None where the kind says it all."""
    owner_id: int | None = Field(default=None, foreign_key="user.id", index=True)
    """Whose it is; None: the support worker's, whoever that is then."""
    given_by_id: int | None = Field(default=None, foreign_key="user.id")
    """None: it arose by itself."""
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    """The clock that warns of it."""
    created_at: datetime
    due_at: datetime | None = None
    done_at: datetime | None = None
    done_by_id: int | None = Field(default=None, foreign_key="user.id")
    dropped_at: datetime | None = None
    """Not needed any more: `done_at` is set as well, so that nobody is asked again."""
