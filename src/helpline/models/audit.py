"""The chain over the audit trail, what left the machine of it, and which keys have sealed here.

Filled by desk/chaining, desk/watching and desk/rekeying. Nothing here names a person of a case.
"""

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class AuditLink(SQLModel, table=True):
    """One line of the chain: an event, and the digest that ties it to the line before it."""

    __tablename__ = "audit_link"
    __table_args__ = (UniqueConstraint("event_id"), UniqueConstraint("proof"))

    seq: int = Field(primary_key=True)
    """1, 2, 3 … without a gap."""
    event_id: int
    """No foreign key: that an event is gone must be seen, not prevented by a table."""
    proof: bytes
    """The event's own (rules/chain.proof): key mark, random bytes, keyed digest of its content."""
    digest: bytes
    """Key mark, and the keyed digest of the line before, the number, the event and its proof."""


class AuditHead(SQLModel, table=True):
    """Where the chain ends: one row, locked by whoever adds to it."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True)
    """Always 1."""
    seq: int
    digest: bytes
    """The last line's."""
    unproved_after: int = 0
    unproved_to: int = 0
    """After which event and up to which one lines without a proof of their own may still be tied
    on, because a version wrote them that gave none. Nothing may where the two are the same."""
    proof: bytes
    """Key mark and keyed digest of the four above: a shorter chain cannot be made to look whole."""
    settled_id: int = 0
    """Up to which event nothing can appear any more that is not in the chain."""
    pending_id: int = 0
    pending_xid: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """PostgreSQL: `settled_id` becomes `pending_id` when every transaction below this one ended."""
    at: datetime


class AuditDigest(SQLModel, table=True):
    """The end of the chain as it left this machine once a day."""

    __tablename__ = "audit_digest"
    __table_args__ = (UniqueConstraint("day"),)

    id: int | None = Field(default=None, primary_key=True)
    day: str
    """ISO date, UTC."""
    seq: int
    digest: str
    """Hexadecimal."""
    made_at: datetime
    mailed_to: int = 0
    """How many addresses it was queued for."""
    written_at: datetime | None = None
    """When it was appended to HELPLINE_AUDIT_FILE."""


class AuditRound(SQLModel, table=True):
    """One time that the whole chain was looked through, by the loop or by a person."""

    __tablename__ = "audit_round"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    lines: int
    seconds: float
    is_whole: bool
    fault: str | None = None
    """A code of rules/chain.Fault; None: it is whole."""
    seq: int | None = None
    event_id: int | None = None


class UnusualReading(SQLModel, table=True):
    """Somebody read or looked for far more than they and others do. Once a person, kind and day."""

    __tablename__ = "unusual_reading"
    __table_args__ = (UniqueConstraint("user_id", "kind", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    user_id: int = Field(foreign_key="user.id")
    kind: str
    """A code of rules/reading.Kind."""
    day: str
    """ISO date where the contract is."""
    from_at: datetime
    count: int
    usual: int
    """What it was measured against."""
    at: datetime
    looked_at: datetime | None = None
    looked_by_id: int | None = Field(default=None, foreign_key="user.id")
    looked_why: str | None = sealed("unusual_reading.looked_why", optional=True)


class RingKey(SQLModel, table=True):
    """A key that has sealed something here, by its mark. While a row is not retired, a helpline
    without that key does not start: it could not open what it keeps."""

    __tablename__ = "ring_key"

    mark: str = Field(primary_key=True)
    """The first bytes of the key's hash, hexadecimal: its fingerprint, never the key."""
    audit: str = sealed("ring_key.audit")
    """The key that proves events written under it, so that they can be checked when it is gone."""
    since: datetime
    """When it was first the one that seals."""
    copy_seen_at: datetime | None = None
    """When somebody last showed us a second copy of it (`helpline keys check --copy`)."""
    remade_at: datetime | None = None
    """When everything was sealed anew under it."""
    words_to: int = 0
    """While that goes on: up to which case the words it is found by were made anew."""
    retired_at: datetime | None = None
    """When nothing was left under it."""
