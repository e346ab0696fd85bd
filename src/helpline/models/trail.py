"""What happened, and whether the loops run."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.rules import chain
from helpline.sealing import ring


def _proof(context: Any) -> bytes:
    """Whoever inserts an event, its proof goes along (rules/chain.py)."""
    row = context.get_current_parameters()
    said = chain.content(
        row["kind"],
        row["at"],
        row.get("contract"),
        row.get("case_id"),
        row.get("by_user_id"),
        row["detail"],
    )
    keys = ring()
    return chain.proof(keys.mark, keys.audits[keys.mark], chain.nonce(), said)


class Event(SQLModel, table=True):
    """One line of the audit trail. `detail` holds codes and numbers, never personal data. Nothing
    changes or removes one: the lines are a chain (desk/chaining.py)."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_case_id_at", "case_id", "at"),
        Index("ix_event_contract_id", "contract", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str | None = None
    case_id: int | None = Field(default=None, foreign_key="case.id")
    kind: str
    """A noun and what happened: case.opened, deadline.met, case.read, …"""
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    proof: bytes | None = Field(
        default=None, sa_column=Column(LargeBinary, nullable=True, default=_proof)
    )
    """Key mark, random bytes, keyed digest of all of the above; None: of an older version."""


class JobRun(SQLModel, table=True):
    """The last beat of each loop on each node: /readyz and the page of what runs read it."""

    __tablename__ = "job_run"

    job: str = Field(primary_key=True)
    node: str = Field(primary_key=True)
    started_at: datetime
    good_at: datetime | None = None
    late_at: datetime | None = None
    """When the loop is late unless another beat was written before; None: nobody minds."""
    seconds: float = 0
    """How long the last beat took."""
    failures: int = 0
    """In a row, since `failing_since`."""
    failing_since: datetime | None = None
    again_at: datetime | None = None
    """After a failure: when it is tried again."""
    failure: str | None = None
    """The class and place of the last error; kept when it went well again."""


class Node(SQLModel, table=True):
    """A process of the helpline, by its own word."""

    __tablename__ = "node"

    name: str = Field(primary_key=True)
    version: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None = None
    """When it ended in good order; a node that falls silent without died."""
    clock_ahead: float | None = None
    """Seconds its machine's own clock is ahead of the database's; None where they are one."""
    database_seconds: float = 0
    """How long the database took to answer when last asked."""
    keys: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The fingerprints of its ring's keys, the one that seals first, with commas."""


class SetAside(SQLModel, table=True):
    """A deadline or an alert that broke the loop which should have moved it: tried again for a
    while, then left for a person, so that the others go on."""

    __tablename__ = "set_aside"
    __table_args__ = (UniqueConstraint("kind", "row_id"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """deadline or alert."""
    row_id: int
    contract: str
    due_at: datetime
    """When the row first should have moved."""
    failures: int = 1
    failure: str
    """The class and place of the last error."""
    first_at: datetime
    last_at: datetime
    is_given_up: bool = False
    """Nothing is tried by itself any more: a person was told."""
