"""What the council and we agree beside the figures: reviews and their actions, questions on a
figure, and measures proposed. Nothing here changes a figure; every row belongs to one contract,
and nothing in it says whose case anything was."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class Review(SQLModel, table=True):
    """A meeting at which the council and we looked at the service together (A74)."""

    __tablename__ = "review"
    __table_args__ = (Index("ix_review_contract_held_on", "contract", "held_on"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    held_on: date
    present: str | None = sealed("review.present", optional=True)
    """Who was there, in words."""
    said: str | None = sealed("review.said", optional=True)
    """What was looked at."""
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class ReviewAction(SQLModel, table=True):
    """What was agreed: by whom and by when. The row says how it stands, its entries how it came."""

    __tablename__ = "review_action"
    __table_args__ = (Index("ix_review_action_contract_due_on", "contract", "due_on"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    review_id: int | None = Field(default=None, foreign_key="review.id")
    what: str = sealed("review_action.what")
    side: str
    """A Side: whose it is to do."""
    owner: str = sealed("review_action.owner")
    """Who looks after it, in words: a name or a role."""
    due_on: date
    state: str = "open"
    """An ActionState."""
    done_on: date | None = None
    evidence: str | None = sealed("review_action.evidence", optional=True)
    """What shows that it was done, or why it is no longer wanted."""
    obligation_id: int | None = Field(default=None, foreign_key="obligation_due.id")
    """Of what is ours to do: its line in our calendar."""
    made_at: datetime
    made_by_id: int = Field(foreign_key="user.id")


class ReviewActionEntry(SQLModel, table=True):
    """One thing that happened to an action."""

    __tablename__ = "review_action_entry"
    __table_args__ = (Index("ix_review_action_entry_action_id", "action_id"),)

    id: int | None = Field(default=None, primary_key=True)
    action_id: int = Field(foreign_key="review_action.id")
    kind: str
    """An ActionStep."""
    day: date | None = None
    """Its day from now on, or the day it was done."""
    text: str | None = sealed("review_action_entry.text", optional=True)
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class FigureQuestion(SQLModel, table=True):
    """A question of the council on a figure, or on a whole report; its words are its messages."""

    __tablename__ = "figure_question"
    __table_args__ = (Index("ix_figure_question_contract_asked_at", "contract", "asked_at"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    report: str
    period: str
    """The period's label."""
    release_id: int | None = Field(default=None, foreign_key="release.id")
    """The release that was read; None: the period as it ran."""
    measure: str | None = None
    """None: the whole report."""
    by: str = ""
    """How the figure is cut: "quadrant=west"; empty for the total."""
    figure: str | None = None
    """The figure as it was shown when it was asked about."""
    state: str = "waiting"
    """A QuestionState."""
    asked_at: datetime
    asked_by_id: int = Field(foreign_key="user.id")
    due_on: date
    """By when it is to be answered."""
    answered_at: datetime | None = None
    """The first answer since it last waited."""
    closed_at: datetime | None = None
    obligation_id: int | None = Field(default=None, foreign_key="obligation_due.id")


class MeasureProposal(SQLModel, table=True):
    """A measure that one side would have new, otherwise, or no more (A74, A76). Agreed or declined
    by the other side than wrote its newest version."""

    __tablename__ = "measure_proposal"
    __table_args__ = (
        Index("ix_measure_proposal_contract", "contract"),
        Index("ux_measure_proposal_claim", "contract", "claim", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    kind: str
    """A ProposalKind."""
    measure: str
    """The code it has, or would have."""
    claim: str | None = None
    """What nobody else may propose meanwhile: "new:" and the code it takes, while it is proposed or
    agreed; "open:" and the code of a measure there is, while it is proposed."""
    state: str = "proposed"
    """A ProposalState."""
    made_at: datetime
    made_by_id: int = Field(foreign_key="user.id")
    from_on: date | None = None
    """Agreed from this day."""
    decided_at: datetime | None = None
    decided_by_id: int | None = Field(default=None, foreign_key="user.id")
    decided_why: str | None = sealed("measure_proposal.decided_why", optional=True)


class MeasureVersion(SQLModel, table=True):
    """A proposal as one side worded it, numbered from 1; the newest is what is agreed."""

    __tablename__ = "measure_version"
    __table_args__ = (UniqueConstraint("proposal_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    proposal_id: int = Field(foreign_key="measure_proposal.id")
    number: int
    side: str
    """A Side: whose words they are."""
    why: str = sealed("measure_version.why")
    name: str = sealed("measure_version.name")
    question: str = sealed("measure_version.question")
    """What it answers, in words."""
    means: str | None = sealed("measure_version.means", optional=True)
    """How it is counted, in detail."""
    target_kind: str = ""
    """A TargetKind; empty: no target."""
    target: float | None = None
    target_words: str | None = sealed("measure_version.target_words", optional=True)
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class PortalMessage(SQLModel, table=True):
    """A message in the thread of a question or of a proposal: one of the two ids."""

    __tablename__ = "portal_message"
    __table_args__ = (
        Index("ix_portal_message_question_id", "question_id"),
        Index("ix_portal_message_proposal_id", "proposal_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    question_id: int | None = Field(default=None, foreign_key="figure_question.id")
    proposal_id: int | None = Field(default=None, foreign_key="measure_proposal.id")
    side: str
    """A Side."""
    text: str = sealed("portal_message.text")
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
