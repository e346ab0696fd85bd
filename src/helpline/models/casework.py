"""What a case is taken for, its steps, its plan, when it fell silent, and how it was handed over.

`case.kind` says what a case is now; the rows here say how it came to that and what was agreed with
the person. Nothing is rewritten: what no longer holds is ended and stays.
"""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from helpline.models.tables import sealed


class KindChange(SQLModel, table=True):
    """The case was taken for another kind, by whom and why."""

    __tablename__ = "kind_change"
    __table_args__ = (Index("ix_kind_change_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    before: str
    after: str
    why: str = sealed("kind_change.why")
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class StepTick(SQLModel, table=True):
    """A step of the case's kind that somebody ticked: done, or not needed and why not."""

    __tablename__ = "step_tick"
    __table_args__ = (Index("ix_step_tick_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    step: str
    """A code of rules/steps.py."""
    is_needed: bool = True
    why_not: str | None = sealed("step_tick.why_not", optional=True)
    done_at: datetime
    """When it happened, as told by whoever ticked it."""
    ticked_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    taken_back_at: datetime | None = None
    taken_back_by_id: int | None = Field(default=None, foreign_key="user.id")


class SupportPlan(SQLModel, table=True):
    """What was agreed with the person, to be looked at again on a day, with an end in sight
    (004 §2.3: review dates and an envisaged end date). A case has one that stands at most."""

    __tablename__ = "support_plan"
    __table_args__ = (Index("ix_support_plan_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    agreed_with: str = sealed("support_plan.agreed_with")
    agreed_on: date
    envisaged_end: date
    next_review_on: date | None = None
    review_deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    made_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class PlanGoal(SQLModel, table=True):
    """What the person wants, in their own words."""

    __tablename__ = "plan_goal"
    __table_args__ = (Index("ix_plan_goal_plan_id", "plan_id"),)

    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="support_plan.id")
    words: str = sealed("plan_goal.words")
    set_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    state: str = "open"
    """A GoalState."""
    settled_at: datetime | None = None
    settled_by_id: int | None = Field(default=None, foreign_key="user.id")


class PlanReview(SQLModel, table=True):
    """The plan was looked at again."""

    __tablename__ = "plan_review"
    __table_args__ = (Index("ix_plan_review_plan_id", "plan_id"),)

    id: int | None = Field(default=None, primary_key=True)
    plan_id: int = Field(foreign_key="support_plan.id")
    due_on: date | None = None
    held_on: date
    with_whom: str = sealed("plan_review.with_whom")
    said: str = sealed("plan_review.said")
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class CaseExit(SQLModel, table=True):
    """How support ends: what was agreed and with whom, and what to do if it comes back; or why a
    lead let a case with a plan close without it (004 §2.3)."""

    __tablename__ = "case_exit"
    __table_args__ = (Index("ix_case_exit_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    agreed: str | None = sealed("case_exit.agreed", optional=True)
    agreed_with: str | None = sealed("case_exit.agreed_with", optional=True)
    if_it_returns: str | None = sealed("case_exit.if_it_returns", optional=True)
    why_without: str | None = sealed("case_exit.why_without", optional=True)
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    void_at: datetime | None = None
    """The case was opened again: the next closing needs its own."""


class Silence(SQLModel, table=True):
    """Nobody has heard from the person for the contract's days. Ends when they are heard again, or
    when a person says what comes next; it never closes anything."""

    __tablename__ = "silence"
    __table_args__ = (
        Index("ix_silence_case_id", "case_id"),
        Index(
            "ix_silence_standing",
            "contract",
            "case_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    since: datetime
    """When they were last heard."""
    noticed_at: datetime
    task_id: int | None = Field(default=None, foreign_key="task.id")
    told_lead_at: datetime | None = None
    lead_task_id: int | None = Field(default=None, foreign_key="task.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
    heard_again: bool = False
    agreed_next: str | None = sealed("silence.agreed_next", optional=True)


class SilenceStep(SQLModel, table=True):
    """Something that was tried while a person was silent."""

    __tablename__ = "silence_step"
    __table_args__ = (Index("ix_silence_step_silence_id", "silence_id"),)

    id: int | None = Field(default=None, primary_key=True)
    silence_id: int = Field(foreign_key="silence.id")
    step: str
    """A SilenceMove."""
    words: str | None = sealed("silence_step.words", optional=True)
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class Transfer(SQLModel, table=True):
    """A case was taken over under another contract. What went along stands in `handed`, by count;
    the old case keeps everything."""

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("from_case_id"),
        Index("ix_transfer_to_case_id", "to_case_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    from_case_id: int = Field(foreign_key="case.id")
    to_case_id: int = Field(foreign_key="case.id")
    from_contract: str
    to_contract: str
    why: str = sealed("transfer.why")
    summary: str = sealed("transfer.summary")
    """What the new case is told, in words somebody chose."""
    notes_handed: int = 0
    addresses_handed: int = 0
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class ReferralForm(SQLModel, table=True):
    """What a professional who sent somebody told us (004 §2.3): kept however little it is, and
    asked for until nothing that the contract requires is missing."""

    __tablename__ = "referral_form"
    __table_args__ = (UniqueConstraint("case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    fields: str = sealed("referral_form.fields")
    """JSON: the contract's field code → what was said."""
    missing: int = 0
    """How many required fields are empty."""
    chase_task_id: int | None = Field(default=None, foreign_key="task.id")
    first_at: datetime
    complete_at: datetime | None = None
    changed_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
