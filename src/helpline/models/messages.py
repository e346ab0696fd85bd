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
    letter_id: str | None = sealed("conversation.letter_id", optional=True)
    """E-mail: the Message-ID of their last letter, which our next one answers."""


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
        Index(
            "ix_out_message_unreported",
            "next_try_at",
            sqlite_where=text("state = 'sent'"),
            postgresql_where=text("state = 'sent'"),
        ),
        Index("ix_out_message_provider", "channel", "provider_id"),
        Index(
            "ix_out_message_copy_of_id",
            "copy_of_id",
            sqlite_where=text("copy_of_id IS NOT NULL"),
            postgresql_where=text("copy_of_id IS NOT NULL"),
        ),
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
    copy_of_id: int | None = Field(default=None, foreign_key="out_message.id")
    """The message that did not get through and that this one carries another way."""
    state: str = "queued"
    attempts: int = 0
    created_at: datetime
    first_tried_at: datetime | None = None
    expires_at: datetime | None = None
    """After that it is not sent any more, and at no time another way: what it says is worth nothing
    then, or is for this address alone."""
    next_try_at: datetime
    """When it may be claimed; while it is being sent, when the lease of the sender ends; once it is
    sent, when the provider is asked what became of it if no report has come."""
    fence: int = 0
    """Grows with every claim: a sender that was overtaken cannot settle."""
    provider_id: str | None = None
    code: str | None = None
    """The provider's last word on it."""
    choices: str = ""
    """What may be answered with one tap where the channel has buttons, with | between."""
    settled_at: datetime | None = None


class Attachment(SQLModel, table=True):
    """Something that came with a contact: kept whole and sealed, never served inline."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_contact_id", "contact_id"),
        Index(
            "ix_attachment_waiting",
            "next_try_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id", index=True)
    contact_id: int = Field(foreign_key="contact.id")
    channel: str
    key: str = sealed("attachment.key")
    """What the provider wants to hear to hand it over."""
    name: str | None = sealed("attachment.name", optional=True)
    said_type: str = ""
    """What the sender's side called it."""
    kind: str = ""
    """What it is by its content: image/jpeg, audio/ogg, application/pdf, …"""
    size: int | None = None
    content: str | None = sealed("attachment.content", optional=True)
    """The bytes in base64, sealed."""
    state: str = "waiting"
    attempts: int = 0
    next_try_at: datetime | None = None
    fetched_at: datetime | None = None


class Upload(SQLModel, table=True):
    """A file handed in on our own pages, kept before its message is. Gone once it is an attachment,
    so that nothing is left of what a picture said of where it was taken."""

    __tablename__ = "upload"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    """The external id of its message: handing it in again changes nothing."""
    content: str = sealed("upload.content")
    """The bytes in base64, sealed."""
    kept_at: datetime


class Block(SQLModel, table=True):
    """A sender nobody answers automatically for a while: timed, with a reason, to be reviewed.
    What they send is still kept."""

    __tablename__ = "block"
    __table_args__ = (Index("ix_block_address_id_until", "address_id", "until"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    address_id: int = Field(foreign_key="address.id")
    reason: str = sealed("block.reason")
    begun_at: datetime
    until: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
    end_reason: str | None = sealed("block.end_reason", optional=True)


class Call(SQLModel, table=True):
    """One telephone call on our line, in or out, as the provider numbers it."""

    __tablename__ = "call"
    __table_args__ = (UniqueConstraint("provider_id"), Index("ix_call_case_id", "case_id"))

    id: int | None = Field(default=None, primary_key=True)
    provider_id: str
    contract: str
    direction: str
    state: str = "ringing"
    address_id: int | None = Field(default=None, foreign_key="address.id")
    case_id: int | None = Field(default=None, foreign_key="case.id")
    contact_id: int | None = Field(default=None, foreign_key="contact.id")
    user_id: int | None = Field(default=None, foreign_key="user.id")
    """Who took it, or made it; of an alert by telephone, who is asked."""
    message_id: int | None = Field(default=None, foreign_key="out_message.id", index=True)
    """Of an alert by telephone: the message that the call carries."""
    asked: str = ""
    """The ids of those already rung for it, in order, with commas."""
    in_danger: bool = False
    begun_at: datetime
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    recording_id: str | None = None
    """The provider's id of a voicemail; its sound is an attachment of the contact."""
