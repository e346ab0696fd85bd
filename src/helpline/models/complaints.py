"""The registers of complaints, compliments and incidents. A line of a register is never taken away:
what happens to it is added as an entry, and a correction is a later entry."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class Complaint(SQLModel, table=True):
    """Somebody is not content with us, with the council, or with how we use what we hold."""

    __tablename__ = "complaint"
    __table_args__ = (
        UniqueConstraint("reference"),
        UniqueConstraint("case_id"),
        Index("ix_complaint_contract_received_at", "contract", "received_at"),
        Index("ix_complaint_person_id", "person_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    contract: str
    kind: str
    """A ComplaintKind."""
    subject: str
    """The contract's code of what it is about."""
    complainant: str
    """A ComplainantKind: carer, child, resident, …"""
    name: str | None = sealed("complaint.name", optional=True)
    reach: str | None = sealed("complaint.reach", optional=True)
    """How they want to be answered, in words: they need not be somebody we know."""
    person_id: int | None = Field(default=None, foreign_key="person.id")
    case_id: int | None = Field(default=None, foreign_key="case.id")
    """The case that is this complaint: whoever it is about is shut out of it too."""
    about_case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    """The case that it arose on."""
    method: str
    words: str = sealed("complaint.words")
    wish: str | None = sealed("complaint.wish", optional=True)
    received_at: datetime
    logged_at: datetime
    logged_by_id: int | None = Field(default=None, foreign_key="user.id")
    """None: it came by a message and was logged by itself."""
    stage: int = 1
    stage_since: datetime
    handler_id: int | None = Field(default=None, foreign_key="user.id", index=True)
    acknowledged_at: datetime | None = None
    extended_at: datetime | None = None
    """When this stage was given more time, once."""
    safeguarding_at: datetime | None = None
    """When it was passed on as holding a safeguarding matter."""
    forwarded_at: datetime | None = None
    answered_at: datetime | None = None
    """When the answer of this stage was given."""
    outcome: str | None = None
    """A ComplaintOutcome, of the latest stage."""
    action: str | None = None
    """The contract's code of what was done about it: reports count it."""
    explained_at: datetime | None = None
    explained_how: str | None = None
    closed_at: datetime | None = None


class ComplaintAbout(SQLModel, table=True):
    """Somebody of ours whom a complaint is about: they never see it, unless it turns out that it is
    not about them."""

    __tablename__ = "complaint_about"
    __table_args__ = (
        UniqueConstraint("complaint_id", "user_id"),
        Index("ix_complaint_about_user_id", "user_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    complaint_id: int = Field(foreign_key="complaint.id")
    user_id: int = Field(foreign_key="user.id")
    since: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None


class ComplaintEntry(SQLModel, table=True):
    """One thing that happened to a complaint, or one word added to it."""

    __tablename__ = "complaint_entry"

    id: int | None = Field(default=None, primary_key=True)
    complaint_id: int = Field(foreign_key="complaint.id", index=True)
    kind: str
    """An EntryKind."""
    stage: int = 1
    code: str = ""
    """The outcome, the subject, the action, the way: whatever code the kind has."""
    words: str | None = sealed("complaint_entry.words", optional=True)
    user_id: int | None = Field(default=None, foreign_key="user.id")
    """Whom it names: the one who handles it from now on."""
    at: datetime
    written_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class Compliment(SQLModel, table=True):
    """Somebody is content with us, and said so."""

    __tablename__ = "compliment"
    __table_args__ = (
        UniqueConstraint("contact_id"),
        Index("ix_compliment_contract_at", "contract", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    at: datetime
    method: str
    subject: str
    giver: str
    """A ComplainantKind."""
    person_id: int | None = Field(default=None, foreign_key="person.id")
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    contact_id: int | None = Field(default=None, foreign_key="contact.id")
    about_id: int | None = Field(default=None, foreign_key="user.id")
    words: str = sealed("compliment.words")
    passed_on_at: datetime | None = None
    """When whoever it is about was told."""
    logged_at: datetime
    logged_by_id: int | None = Field(default=None, foreign_key="user.id")


class Incident(SQLModel, table=True):
    """Something happened that must be reported, reviewed and learnt from."""

    __tablename__ = "incident"
    __table_args__ = (
        UniqueConstraint("reference"),
        Index("ix_incident_contract_happened_at", "contract", "happened_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    contract: str
    kind: str
    """The contract's code: missing, restraint, data_breach, …"""
    happened_at: datetime
    known_at: datetime
    """When we came to know of it: the clocks run from here."""
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    what: str = sealed("incident.what")
    done: str | None = sealed("incident.done", optional=True)
    """What was done at once."""
    child_view: str = "not_yet"
    """A ChildView: whether the child was asked how they see it (N12)."""
    logged_at: datetime
    logged_by_id: int = Field(foreign_key="user.id")
    reviewed_at: datetime | None = None
    closed_at: datetime | None = None


class IncidentNotice(SQLModel, table=True):
    """Somebody who is owed word of an incident, and by when; told, or not with a reason."""

    __tablename__ = "incident_notice"
    __table_args__ = (UniqueConstraint("incident_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id")
    code: str
    """The contract's code of who is owed word: council, ofsted, commissioner, …"""
    due_at: datetime
    told_at: datetime | None = None
    how: str = ""
    whom: str | None = sealed("incident_notice.whom", optional=True)
    not_needed: str | None = sealed("incident_notice.not_needed", optional=True)
    settled_at: datetime | None = None
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class IncidentEntry(SQLModel, table=True):
    """One thing added to an incident: a review, the child's view, what was learnt, a correction."""

    __tablename__ = "incident_entry"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    kind: str
    """An EntryKind."""
    code: str = ""
    words: str | None = sealed("incident_entry.words", optional=True)
    at: datetime
    written_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
