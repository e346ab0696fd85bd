"""What people may ask of what we keep about them, how long it is kept, what was told to others, and
what went wrong with it. A request, a hold, a disclosure is never rewritten: what happens is added.
"""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class DataRequest(SQLModel, table=True):
    """Somebody asks for what we keep about them, or to have it put right, erased or left alone."""

    __tablename__ = "data_request"
    __table_args__ = (
        UniqueConstraint("reference"),
        Index("ix_data_request_contract_received_at", "contract", "received_at"),
        Index("ix_data_request_person_id", "person_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    reference: str
    contract: str
    kind: str
    """A RightKind."""
    person_id: int = Field(foreign_key="person.id")
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    """The case on which they asked."""
    method: str
    """The contract's code of the way it came."""
    words: str = sealed("data_request.words")
    received_at: datetime
    logged_at: datetime
    logged_by_id: int = Field(foreign_key="user.id")
    identity: str | None = None
    """An IdentityCheck: how it was made sure who asks."""
    identity_at: datetime | None = None
    identity_by_id: int | None = Field(default=None, foreign_key="user.id")
    extended_at: datetime | None = None
    """When two months more were taken, and they were told why."""
    prepared_at: datetime | None = None
    """When somebody had decided on every passage; the file is what it was then."""
    prepared_by_id: int | None = Field(default=None, foreign_key="user.id")
    signed_at: datetime | None = None
    signed_by_id: int | None = Field(default=None, foreign_key="user.id")
    """Somebody else, who looked at all of it."""
    outcome: str | None = None
    """A RightOutcome."""
    closed_at: datetime | None = None
    closed_by_id: int | None = Field(default=None, foreign_key="user.id")


class RequestPause(SQLModel, table=True):
    """The clock of a request stands still: we wait for proof of who asks, or for what they mean."""

    __tablename__ = "request_pause"

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="data_request.id", index=True)
    why: str
    """A PauseKind."""
    asked_at: datetime
    asked_by_id: int = Field(foreign_key="user.id")
    answered_at: datetime | None = None


class RequestEntry(SQLModel, table=True):
    """One thing that happened to a request, or one word added to it."""

    __tablename__ = "request_entry"

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="data_request.id", index=True)
    kind: str
    """A RightStep."""
    code: str = ""
    words: str | None = sealed("request_entry.words", optional=True)
    at: datetime
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class RequestPassage(SQLModel, table=True):
    """What a person decided about one passage of a file: shown, shown without names, left out."""

    __tablename__ = "request_passage"
    __table_args__ = (UniqueConstraint("request_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="data_request.id")
    key: str
    """A digest of the passage: one that has changed since is decided anew."""
    choice: str
    """A PassageChoice."""
    reason: str = ""
    """A PassageReason, where not all of it is shown."""
    decided_at: datetime
    decided_by_id: int = Field(foreign_key="user.id")


class RequestFile(SQLModel, table=True):
    """The file of a request as the second person saw it and the person got it."""

    __tablename__ = "request_file"
    __table_args__ = (UniqueConstraint("request_id", "form"),)

    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="data_request.id")
    form: str
    """json or pdf."""
    content: str = sealed("request_file.content")
    """The JSON itself; of a PDF the bytes in base64."""
    digest: str
    """SHA-256 of the file, hexadecimal."""
    made_at: datetime


class LegalHold(SQLModel, table=True):
    """Nothing of this case, or of this person, is erased until somebody has looked again."""

    __tablename__ = "legal_hold"

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id", index=True)
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    """None: everything of this person."""
    kind: str
    """A HoldKind."""
    reason: str = sealed("legal_hold.reason")
    review_on: date
    """When somebody looks again; it holds until somebody ends it all the same."""
    since: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
    ended_why: str | None = sealed("legal_hold.ended_why", optional=True)


class RetentionRun(SQLModel, table=True):
    """What has been kept for as long as the contract says: a list that one person looks through
    and another approves. Nothing is erased before."""

    __tablename__ = "retention_run"
    __table_args__ = (Index("ix_retention_run_contract_made_at", "contract", "made_at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    month: str
    """The month it was made for: 2026-11; of one that a request asked for, its reference."""
    made_at: datetime
    state: str
    """A RunState."""
    checked_at: datetime | None = None
    checked_by_id: int | None = Field(default=None, foreign_key="user.id")
    approved_at: datetime | None = None
    approved_by_id: int | None = Field(default=None, foreign_key="user.id")
    done_at: datetime | None = None


class RetentionLine(SQLModel, table=True):
    """One case of such a list: by which rule it goes and when it was due, or why it stays."""

    __tablename__ = "retention_line"
    __table_args__ = (UniqueConstraint("run_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="retention_run.id")
    case_id: int = Field(foreign_key="case.id", index=True)
    rule: str
    """The code of the contract's rule."""
    due_on: date | None = None
    stays: str = ""
    """A StayReason; empty: it goes."""
    why: str | None = sealed("retention_line.why", optional=True)
    """Why somebody took it off the list."""
    decided_by_id: int | None = Field(default=None, foreign_key="user.id")
    erased_at: datetime | None = None
    with_person: bool = False
    """Its person went too: nothing else of theirs was kept."""


class SharingAgreement(SQLModel, table=True):
    """What we have agreed with somebody about telling each other, and when that is looked at."""

    __tablename__ = "sharing_agreement"

    id: int | None = Field(default=None, primary_key=True)
    contract: str = Field(index=True)
    title: str
    party: str
    """With whom: an organisation, never a person."""
    basis: str
    """A code of the list of legal bases."""
    covers: str
    """What may be told, and what for."""
    from_day: date
    review_on: date
    ended_on: date | None = None
    made_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class Disclosure(SQLModel, table=True):
    """Somebody outside was told something of a person: whom, what, on which legal basis."""

    __tablename__ = "disclosure"
    __table_args__ = (Index("ix_disclosure_contract_told_at", "contract", "told_at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    recipient: str
    """A RecipientKind."""
    whom: str = sealed("disclosure.whom")
    what: str = sealed("disclosure.what")
    basis: str
    """A code of the list of legal bases."""
    agreement_id: int | None = Field(default=None, foreign_key="sharing_agreement.id")
    person_knows: str
    """Whether the person was told that we told: yes, or why not (a KnowsOfIt)."""
    told_at: datetime
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class BreachAssessment(SQLModel, table=True):
    """How great the risk to people is from a breach, as somebody judged it; the newest counts."""

    __tablename__ = "breach_assessment"

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", index=True)
    risk: str
    """A BreachRisk."""
    people: int
    """How many people it concerns, as far as is known."""
    words: str = sealed("breach_assessment.words")
    """What was lost or seen, and what may come of it."""
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class PrivacyTold(SQLModel, table=True):
    """A person was told what is kept about them: in which words, when, and on which way."""

    __tablename__ = "privacy_told"

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id", index=True)
    version: str
    """The first twelve signs of the SHA-256 of the contract's words."""
    channel: str
    at: datetime
