"""What came in, what it belongs to and what goes out."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class InboundItem(SQLModel, table=True):
    """The raw thing a provider handed us, kept before the provider hears 2xx."""

    __tablename__ = "inbound_item"
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        Index(
            "ix_inbound_item_waiting",
            "id",
            sqlite_where=text("state = 'kept'"),
            postgresql_where=text("state = 'kept'"),
        ),
        Index("ix_inbound_item_state", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    external_id: str
    sender_index: str
    """Blind index of channel and sender: routing keeps the order of one sender."""
    kind: str
    received_at: datetime
    sealed: str = sealed("inbound_item.sealed")
    """The Inbound as JSON, the raw body included."""
    state: str = "kept"
    attempts: int = 0
    next_try_at: datetime | None = None
    failure: str | None = None
    """The class and place of the last error: never what the message said."""
    settled_at: datetime | None = None
    contact_id: int | None = None


class Conversation(SQLModel, table=True):
    """The thread with one address under one contract: where the dialogue stands, which case."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("address_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    address_id: int = Field(foreign_key="address.id")
    case_id: int | None = Field(default=None, foreign_key="case.id", index=True)
    step: str = "new"
    questions_off: bool = False
    """The person wrote PERSON: no more questions."""
    last_in_at: datetime | None = None


class Contact(SQLModel, table=True):
    """One interaction, in or out. Reports call the ones of direction `in` contacts."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_case_id_at", "case_id", "at"),
        Index("ix_contact_contract_at", "contract", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    person_id: int = Field(foreign_key="person.id")
    direction: str
    kind: str
    channel: str
    method: str
    """The contract's reporting method (A53); the raw channel stays beside it."""
    at: datetime
    """When it happened: receipt for what came in, acceptance for what went out."""
    written_at: datetime
    body: str | None = sealed("contact.body", optional=True)
    what: str = "text"
    """text, or what kind of thing it was: photo, voice, unsupported, …"""
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    call_result: str | None = None
    call_minutes: int | None = None


class OutMessage(SQLModel, table=True):
    """One message to leave: claimed, committed, sent, settled (never a connection held)."""

    __tablename__ = "out_message"
    __table_args__ = (
        Index(
            "ix_out_message_due",
            "next_try_at",
            sqlite_where=text("state IN ('queued','unsure','sending')"),
            postgresql_where=text("state IN ('queued','unsure','sending')"),
        ),
        Index("ix_out_message_provider", "channel", "provider_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    channel: str
    recipient: str = sealed("out_message.recipient")
    body: str = sealed("out_message.body")
    address_id: int | None = Field(default=None, foreign_key="address.id")
    """The carer's address; None for what goes to a worker's phone."""
    contact_id: int | None = Field(default=None, foreign_key="contact.id", index=True)
    case_id: int | None = Field(default=None, foreign_key="case.id")
    alert_id: int | None = Field(default=None, foreign_key="alert.id")
    state: str = "queued"
    attempts: int = 0
    created_at: datetime
    first_tried_at: datetime | None = None
    next_try_at: datetime
    """When it may be claimed; while it is being sent, when the lease of the sender ends."""
    fence: int = 0
    """Grows with every claim: a sender that was overtaken cannot settle."""
    provider_id: str | None = None
    code: str | None = None
    """The provider's last word on it."""
    settled_at: datetime | None = None
