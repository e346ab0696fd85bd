"""How triage read each message, and what a person says it should have been: labelled examples.

The words themselves stay where they are, sealed in the contact, so that erasing somebody takes
their examples with it. What was read is never rewritten; a later judgement takes the place of an
earlier.
"""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class TriageReading(SQLModel, table=True):
    """One message as triage read it when it came."""

    __tablename__ = "triage_reading"
    __table_args__ = (Index("ix_triage_reading_contract_at", "contract", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id", index=True)
    contact_id: int = Field(foreign_key="contact.id", unique=True)
    at: datetime
    version: str
    """Of the reader: what is counted of one is not counted of another."""
    urgency: str
    reason: str
    """First of the reasons, by the contract's code; "unknown" where it has none such."""
    asked: bool
    """Whether the reader was not sure, so that the question about danger was put."""
    language: str | None = None
    """None is English; a code of rules/languages.py; "other"."""
    why: str = sealed("triage_reading.why")
    judged_urgency: str | None = None
    judged_reason: str | None = None
    judged_at: datetime | None = None
    judged_by_id: int | None = Field(default=None, foreign_key="user.id")
    """None of a judged one: the person themselves said that somebody is in danger."""
