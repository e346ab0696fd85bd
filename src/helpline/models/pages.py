"""The page that a carer opens by a link from their own telephone or mailbox: which links were made,
and what each of them opened.

Read and written by desk/page_links.py. Neither the token of a link nor that of a visit stands here,
only their digests; nor does anything that says who it is for but the ids.
"""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint


class PageLink(SQLModel, table=True):
    """A link that opens somebody's own page once, and the one visit that it opened."""

    __tablename__ = "page_link"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        UniqueConstraint("visit_hash"),
        Index("ix_page_link_case_id", "case_id"),
        Index("ix_page_link_address_id_made_at", "address_id", "made_at"),
        Index("ix_page_link_message_id", "message_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    """The matter they asked about, or a worker was on."""
    person_id: int = Field(foreign_key="person.id")
    """Whose page. It opens nothing any more once the case or the address is another person's."""
    address_id: int = Field(foreign_key="address.id")
    """Where it was sent to."""
    message_id: int | None = Field(default=None, foreign_key="out_message.id")
    """The message that carries it; None once the link was taken out of that message."""
    token_hash: str
    made_at: datetime
    expires_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    """The worker who sent it; None: they asked for it themself."""
    ended_at: datetime | None = None
    """A newer one took its place."""
    opened_at: datetime | None = None
    visit_hash: str | None = None
    language: str | None = None
    """Chosen on the page; None: as they write."""
    seen_at: datetime | None = None
    ends_at: datetime | None = None
    """When the visit ends whatever happens."""
    left_at: datetime | None = None
