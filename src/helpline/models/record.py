"""What belongs to the record beside the notes: what the person says to it, and what a worker has
begun to write and not finished."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class RecordComment(SQLModel, table=True):
    """What somebody says to what was written about them: filed beside it, and nothing is changed
    by it (000 N10)."""

    __tablename__ = "record_comment"
    __table_args__ = (Index("ix_record_comment_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    note_id: int | None = Field(default=None, foreign_key="note.id")
    """The note it is about; None: the whole record."""
    kind: str
    """A CommentKind."""
    who: str | None = sealed("record_comment.who", optional=True)
    """Whose words they are; None: those of the person the case is for."""
    body: str = sealed("record_comment.body")
    said_at: datetime
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class Draft(SQLModel, table=True):
    """What a worker began to write, kept so that a dead battery takes nothing. Shown to nobody
    else, and part of no record."""

    __tablename__ = "draft"
    __table_args__ = (
        UniqueConstraint("user_id", "page_key"),
        Index("ix_draft_case_id_user_id", "case_id", "user_id"),
        Index("ix_draft_saved_at", "saved_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    case_id: int = Field(foreign_key="case.id")
    page_key: str
    """Made with the page that holds the form: two open pages never overwrite one another, and
    what comes late from a page whose form was sent is let go."""
    form: str
    """A DraftForm."""
    fields: str | None = sealed("draft.fields", optional=True)
    """The form's fields as JSON; None once it was sent or thrown away."""
    begun_at: datetime
    saved_at: datetime
    ended_at: datetime | None = None
