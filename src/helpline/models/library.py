"""What members are given besides help: answers, publications, signposts, policies and discounts,
the gatherings they book, and the proof that each was sent the policies. No item of the library is
about anybody, so it is not sealed and can be searched."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class LibraryItem(SQLModel, table=True):
    """One answer, publication, signpost, policy or discount; its words stand in its versions."""

    __tablename__ = "library_item"
    __table_args__ = (
        UniqueConstraint("contract", "code"),
        Index("ix_library_item_contract_kind", "contract", "kind"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    kind: str
    """A LibraryKind."""
    code: str | None = None
    """Only for what the program itself looks for: the two policies, the contract's signposts."""
    topic: str = ""
    """The contract's reason that it answers; empty: any."""
    locality: str = ""
    """The quadrant that it is for; empty: everywhere."""
    owner_id: int | None = Field(default=None, foreign_key="user.id")
    review_on: date | None = None
    verified_on: date | None = None
    """When somebody last rang the number or looked at the address that it gives."""
    valid_until: date | None = None
    """A discount's last day."""
    made_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    withdrawn_at: datetime | None = None
    withdrawn_by_id: int | None = Field(default=None, foreign_key="user.id")


class LibraryVersion(SQLModel, table=True):
    """The words of an item in one language as they were from then on; never rewritten."""

    __tablename__ = "library_version"
    __table_args__ = (UniqueConstraint("item_id", "language", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="library_item.id")
    language: str = "en"
    number: int
    """1, 2, 3 … in each language."""
    title: str
    body: str
    written_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class LibraryUse(SQLModel, table=True):
    """Somebody was given something of the library: which words, on which case, and how."""

    __tablename__ = "library_use"
    __table_args__ = (
        Index("ix_library_use_case_id", "case_id"),
        Index("ix_library_use_contract_at", "contract", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    item_id: int = Field(foreign_key="library_item.id", index=True)
    version_id: int = Field(foreign_key="library_version.id")
    case_id: int = Field(foreign_key="case.id")
    person_id: int = Field(foreign_key="person.id")
    contact_id: int | None = Field(default=None, foreign_key="contact.id")
    """The reply that it was sent in; None: it was said or handed over."""
    how: str
    """A UseHow."""
    taken_up: str = "not_asked"
    """A TakenUp: whether they went where they were pointed to."""
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    asked_at: datetime | None = None
    """When it was last written down whether they took it up."""


class Gathering(SQLModel, table=True):
    """A training, an evening or a meeting that members may come to."""

    __tablename__ = "gathering"
    __table_args__ = (Index("ix_gathering_contract_starts_at", "contract", "starts_at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    title: str
    body: str = ""
    starts_at: datetime
    ends_at: datetime
    place: str = ""
    link: str = ""
    """Where it is online."""
    places: int | None = None
    """None: as many as come."""
    groups: str = ""
    """The contract's groups that it is for, with commas; empty: everybody."""
    quadrant: str = ""
    made_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    cancelled_at: datetime | None = None
    cancelled_by_id: int | None = Field(default=None, foreign_key="user.id")


class Booking(SQLModel, table=True):
    """One person's place at a gathering, or their turn on its waiting list."""

    __tablename__ = "booking"
    __table_args__ = (
        UniqueConstraint("gathering_id", "person_id"),
        Index("ix_booking_person_id", "person_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    gathering_id: int = Field(foreign_key="gathering.id")
    person_id: int = Field(foreign_key="person.id")
    case_id: int | None = Field(default=None, foreign_key="case.id")
    state: str
    """A BookingState."""
    needs: str | None = sealed("booking.needs", optional=True)
    """What they need there: a ramp, an interpreter, somebody to sit with the children."""
    booked_at: datetime
    """The waiting list is in this order."""
    by_user_id: int = Field(foreign_key="user.id")
    changed_at: datetime
    told_message_id: int | None = Field(default=None, foreign_key="out_message.id")
    """That a place came free, that it is at another time or place, or that it does not take
    place."""
    word_due_at: datetime | None = None
    """When they are told that time or place is another; None: they know."""
    reminded_at: datetime | None = None
    reminder_id: int | None = Field(default=None, foreign_key="out_message.id")


class PolicyProof(SQLModel, table=True):
    """Somebody was sent or handed a policy: which words of it, when, why and how (A77, A78)."""

    __tablename__ = "policy_proof"
    __table_args__ = (
        Index("ix_policy_proof_person_id", "person_id"),
        Index("ix_policy_proof_contract_at", "contract", "at"),
        UniqueConstraint("key"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str
    """The document, the person and the occasion: nobody is sent it twice for one occasion."""
    contract: str
    person_id: int = Field(foreign_key="person.id")
    document: str
    """The item's code."""
    version_id: int = Field(foreign_key="library_version.id")
    why: str
    """A ProofWhy."""
    how: str
    """The channel, or "handed" for paper."""
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
    case_id: int | None = Field(default=None, foreign_key="case.id")
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class PolicyRound(SQLModel, table=True):
    """A lead had the policies sent to everybody who had not had them: it goes on until it is done
    or stopped."""

    __tablename__ = "policy_round"
    __table_args__ = (Index("ix_policy_round_contract", "contract", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    begun_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
    """Who stopped it; None: nobody was left."""
