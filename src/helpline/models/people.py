"""Who the helpline knows and how each can be reached. One person belongs to one contract."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class Person(SQLModel, table=True):
    """Somebody the helpline knows, or a sender it does not know yet."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("contract", "register_index"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str = Field(index=True)
    name: str | None = sealed("person.name", optional=True)
    """As the register or the person has it; None while unknown."""
    group: str = "unknown"
    """The contract's group code: foster_carer, own_child, …"""
    language: str = "en"
    household: str | None = sealed("person.household", optional=True)
    household_index: str | None = Field(default=None, index=True)
    """Blind index of the household: whoever worked with one of it knows the others' home."""
    register_id: str | None = sealed("person.register_id", optional=True)
    """The id the council or the provider's past log uses for this person."""
    register_index: str | None = None
    """Blind index of register_id; two people of one contract never share one."""
    approved_by: str | None = None
    """The code of one of the contract's exclusions where somebody else approved them (A02, A09)."""
    quadrant: str | None = None
    """What they said when they were asked; used where neither list nor postcode says it."""
    young_person_born: str | None = sealed("person.young_person_born", optional=True)
    """ISO date: of the young person for whom a Staying Put or former carer is covered (A35)."""
    privacy_told_at: datetime | None = None
    """When they were told what is kept about them, why and for how long (K13)."""
    created_at: datetime
    erased_at: datetime | None = None
    """When everything that said who they are went: the row stays, so that no total changes."""


class Membership(SQLModel, table=True):
    """A dated right to the service under a contract (A04). A change of group, team or quadrant is a
    new row: the old one keeps the days on which it held."""

    __tablename__ = "membership"

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    contract: str
    number_index: str = Field(index=True)
    """Blind index of the membership number, letters and digits only, capitals."""
    group: str
    team: str = "unknown"
    quadrant: str = "unknown"
    postcode: str | None = sealed("membership.postcode", optional=True)
    postcode_index: str | None = Field(default=None, index=True)
    approved_from: date | None = None
    approved_to: date | None = None
    held_from: date | None = None
    """The first and the last day on which group, team and quadrant were these; None: no other row
    came before, or after."""
    held_to: date | None = None
    quadrant_from: str | None = None
    """A QuadrantSource: who said the quadrant."""
    quadrant_confidence: int | None = None
    """Percent of the postcode district's homes that lie there, where a postcode said it."""
    lives_outside: bool | None = None
    """Whether the home lies outside the council's area: in by approval, and flagged (D7)."""
    list_id: int | None = Field(default=None, foreign_key="register_list.id")
    """The accepted list that wrote it."""


class Address(SQLModel, table=True):
    """One way to reach a person: a channel and a value."""

    __tablename__ = "address"
    __table_args__ = (
        UniqueConstraint("contract", "channel", "value_index"),
        Index("ix_address_value_index", "value_index"),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    contract: str
    channel: str
    value: str = sealed("address.value")
    value_index: str
    """Blind index of the canonical value (E.164, chat id, lower-case mail address)."""
    from_register: bool = False
    """Whether the council's list gave it: only then does it prove who is writing."""
    opted_out_at: datetime | None = None
    """Since when the network's opt-out forbids sending here (domain.md §8.1)."""
    bad_since: datetime | None = None
    """Since when the provider says that nobody can be reached here; hearing from it clears it."""


class SafeContact(SQLModel, table=True):
    """How a person may be reached without putting them at risk; the newest row counts. Enforced at
    the moment of sending (design.md §4.8)."""

    __tablename__ = "safe_contact"
    __table_args__ = (Index("ix_safe_contact_person_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    rules: str = sealed("safe_contact.rules")
    """JSON: from, to (local HH:MM), code_name, no_voicemail, neutral_only, not_by (channels)."""
    set_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class Merge(SQLModel, table=True):
    """Two records that were one person: what was moved, so that it can be undone."""

    __tablename__ = "merge"
    __table_args__ = (Index("ix_merge_into_id", "into_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    into_id: int = Field(foreign_key="person.id")
    from_id: int = Field(foreign_key="person.id")
    reason: str = sealed("merge.reason")
    moved: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Table → ids of the rows that were moved."""
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    undone_at: datetime | None = None
    undone_by_id: int | None = Field(default=None, foreign_key="user.id")


class LinkCode(SQLModel, table=True):
    """A one-time code that proves who is behind a chat: said by a worker to a person they know, or
    shown to a worker who is signed in. Used once, soon, or never."""

    __tablename__ = "link_code"
    __table_args__ = (UniqueConstraint("code_index"),)

    id: int | None = Field(default=None, primary_key=True)
    code_index: str
    person_id: int | None = Field(default=None, foreign_key="person.id")
    user_id: int | None = Field(default=None, foreign_key="user.id")
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
