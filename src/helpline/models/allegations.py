"""What somebody alleged, as it was told to us, and the way it goes from there. Never whether it is
true: nothing here says so, and nothing is written over. A later row counts instead of an earlier.
"""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class Allegation(SQLModel, table=True):
    """One thing that somebody alleged about one person of a case. A case may have several."""

    __tablename__ = "allegation"
    __table_args__ = (
        Index("ix_allegation_case_id", "case_id"),
        Index("ix_allegation_person_id_aware_at", "person_id", "aware_at"),
        Index("ix_allegation_contract_aware_at", "contract", "aware_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    person_id: int = Field(foreign_key="person.id")
    """Who it is about: the carer of the case, or somebody who has a part in it."""
    track: str = "unknown"
    """A Track: where it stands now. How it came there: AllegationTrack."""
    types: str = "not_told"
    """AllegationTypes, with commas between them."""
    made_by: str = "not_told"
    """An AllegedBy: what kind of person made it, never a name."""
    made_by_words: str | None = sealed("allegation.made_by_words", optional=True)
    """Who made it, as we were told: "child A", "a teacher"."""
    words: str | None = sealed("allegation.words", optional=True)
    """What was alleged, as told; None: they were told nothing yet."""
    whose_words: str = "carer"
    """A Teller: in whose words it stands here."""
    told_by: str | None = sealed("allegation.told_by", optional=True)
    """Who told us."""
    told_to: str | None = sealed("allegation.told_to", optional=True)
    """Whom of us they told."""
    told_at: datetime
    """When they told us."""
    aware_at: datetime
    """When we first knew of it: what is owed to others runs from here."""
    clocks_from: datetime | None = None
    """Since when the contract's clocks for allegations run; None while it is no allegation."""
    recorded_at: datetime
    recorded_by_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    """When it was found to be a mistake of ours (written down twice, on the wrong case)."""
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
    ended_why: str | None = sealed("allegation.ended_why", optional=True)


class AllegationTrack(SQLModel, table=True):
    """It was said to be an allegation, a concern about standards of care, or a complaint."""

    __tablename__ = "allegation_track"
    __table_args__ = (Index("ix_allegation_track_allegation_id", "allegation_id"),)

    id: int | None = Field(default=None, primary_key=True)
    allegation_id: int = Field(foreign_key="allegation.id")
    track: str
    said_by: str | None = sealed("allegation_track.said_by", optional=True)
    said_at: datetime
    """When they said so."""
    why: str | None = sealed("allegation_track.why", optional=True)
    set_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class AllegationStage(SQLModel, table=True):
    """How far it has come, as we were told. The newest row of a stage counts."""

    __tablename__ = "allegation_stage"
    __table_args__ = (Index("ix_allegation_stage_allegation_id", "allegation_id"),)

    id: int | None = Field(default=None, primary_key=True)
    allegation_id: int = Field(foreign_key="allegation.id")
    stage: str
    """A code of the pathway's stages."""
    state: str
    """A StageState."""
    reached_on: date | None = None
    """The day, in the contract's zone; None where nobody said which."""
    told_by: str | None = sealed("allegation_stage.told_by", optional=True)
    set_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class AllegationTelling(SQLModel, table=True):
    """What the carer was told, was not told, or has asked for. The newest row of an item counts."""

    __tablename__ = "allegation_telling"
    __table_args__ = (Index("ix_allegation_telling_allegation_id", "allegation_id"),)

    id: int | None = Field(default=None, primary_key=True)
    allegation_id: int = Field(foreign_key="allegation.id")
    item: str
    """A code of the pathway's questions."""
    state: str
    """A ToldState."""
    told_by: str | None = sealed("allegation_telling.told_by", optional=True)
    """Who told them, or who was asked."""
    words: str | None = sealed("allegation_telling.words", optional=True)
    """What they were told."""
    told_on: date | None = None
    set_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class AllegationTick(SQLModel, table=True):
    """Something on the list of the first days was done. Never taken away, only undone."""

    __tablename__ = "allegation_tick"
    __table_args__ = (Index("ix_allegation_tick_allegation_id", "allegation_id"),)

    id: int | None = Field(default=None, primary_key=True)
    allegation_id: int = Field(foreign_key="allegation.id")
    item: str
    """A code of the pathway's list for workers."""
    done_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    undone_at: datetime | None = None
    undone_by_id: int | None = Field(default=None, foreign_key="user.id")


class AllegationRequest(SQLModel, table=True):
    """An authority asked us for something by a day (P05), and what it was given."""

    __tablename__ = "allegation_request"
    __table_args__ = (Index("ix_allegation_request_allegation_id", "allegation_id"),)

    id: int | None = Field(default=None, primary_key=True)
    allegation_id: int = Field(foreign_key="allegation.id")
    asked_by: str = sealed("allegation_request.asked_by")
    what: str = sealed("allegation_request.what")
    asked_at: datetime
    due_at: datetime
    task_id: int | None = Field(default=None, foreign_key="task.id")
    """What warns of it."""
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    answered_at: datetime | None = None
    answered_by_id: int | None = Field(default=None, foreign_key="user.id")
    given: str | None = sealed("allegation_request.given", optional=True)
    """What it was given, and how."""


class AllegationMeeting(SQLModel, table=True):
    """A meeting of those who look into it, and who of us was there or why nobody was."""

    __tablename__ = "allegation_meeting"
    __table_args__ = (Index("ix_allegation_meeting_allegation_id", "allegation_id"),)

    id: int | None = Field(default=None, primary_key=True)
    allegation_id: int = Field(foreign_key="allegation.id")
    kind: str
    """A MeetingKind."""
    held_at: datetime
    we_were_there: bool
    who: str = sealed("allegation_meeting.who")
    """Who of us was there; where nobody was, why."""
    said: str | None = sealed("allegation_meeting.said", optional=True)
    """What was said that concerns our support."""
    set_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
