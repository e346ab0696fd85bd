"""What an allegation or a concern makes somebody owe: notices, a solicitor, cover, dates.

Each row hangs on a case and says what was done, by whom and when. What was said, who was named and
why is sealed; a fostered child is never named. Deadlines themselves are rows of their own.
"""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class Notice(SQLModel, table=True):
    """Somebody outside must be told something by a time. Sent, or left unsent with a signed
    reason; either way it stays (000 P16: "a record of that referral is retained")."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_case_id", "case_id"),
        Index("ix_notice_deadline_id", "deadline_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    allegation_id: int | None = Field(default=None, foreign_key="allegation.id", index=True)
    """Which allegation of the case it is about; None for an incident."""
    kind: str
    """The contract's code of this notice."""
    is_outcome: bool = False
    """The second word that follows the first: how it ended. Open until it was sent."""
    follows_id: int | None = Field(default=None, foreign_key="notice.id")
    recipient: str | None = sealed("notice.recipient", optional=True)
    """Which authority, where it is not always the same one."""
    state: str = "owed"
    """A NoticeState."""
    begun_at: datetime
    """When we became aware: its time runs from here."""
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    sent_at: datetime | None = None
    sent_by_id: int | None = Field(default=None, foreign_key="user.id")
    sent_how: str | None = None
    """A SentHow."""
    sent_to: str | None = sealed("notice.sent_to", optional=True)
    words: str | None = sealed("notice.words", optional=True)
    """The copy that is kept: what was said or written."""
    why_not: str | None = sealed("notice.why_not", optional=True)
    settled_at: datetime | None = None
    """When it was signed that it is not sent."""
    settled_by_id: int | None = Field(default=None, foreign_key="user.id")
    answered_at: datetime | None = None
    answer: str | None = sealed("notice.answer", optional=True)


class NoticeStep(SQLModel, table=True):
    """One more try to get an answer to a notice; the last writes to the director (000 P17)."""

    __tablename__ = "notice_step"
    __table_args__ = (Index("ix_notice_step_notice_id", "notice_id"),)

    id: int | None = Field(default=None, primary_key=True)
    notice_id: int = Field(foreign_key="notice.id")
    step: int
    """From 1."""
    is_last: bool = False
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    done_at: datetime | None = None
    done_by_id: int | None = Field(default=None, foreign_key="user.id")
    how: str | None = None
    words: str | None = sealed("notice_step.words", optional=True)


class PoliceInterview(SQLModel, table=True):
    """The police want to speak with somebody of the household: when, where, and whether a solicitor
    is asked, confirmed and was there (A30)."""

    __tablename__ = "police_interview"
    __table_args__ = (Index("ix_police_interview_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    who: str = sealed("police_interview.who")
    is_carer: bool = True
    is_under_18: bool = False
    kind: str
    """An InterviewKind."""
    at: datetime | None = None
    """None: not told yet."""
    station: str | None = sealed("police_interview.station", optional=True)
    officer: str | None = sealed("police_interview.officer", optional=True)
    log_number: str | None = sealed("police_interview.log_number", optional=True)
    needs: str | None = sealed("police_interview.needs", optional=True)
    """An interpreter, an appropriate adult, a disability: in words."""
    policy: str | None = sealed("police_interview.policy", optional=True)
    recorded_at: datetime
    recorded_by_id: int = Field(foreign_key="user.id")
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    solicitor: str | None = sealed("police_interview.solicitor", optional=True)
    solicitor_index: str | None = None
    """Blind index of the name: two people of one case should not have the same one."""
    requested_at: datetime | None = None
    requested_by_id: int | None = Field(default=None, foreign_key="user.id")
    confirmed_at: datetime | None = None
    confirmed_by_id: int | None = Field(default=None, foreign_key="user.id")
    attended_at: datetime | None = None
    attended_by_id: int | None = Field(default=None, foreign_key="user.id")
    has_attended: bool | None = None
    """None until somebody says whether the solicitor was there."""
    ended_at: datetime | None = None
    """It was called off."""
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class ExpensesClaim(SQLModel, table=True):
    """A claim on the cover for legal expenses (A34)."""

    __tablename__ = "expenses_claim"
    __table_args__ = (Index("ix_expenses_claim_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    who: str = sealed("expenses_claim.who")
    proceeding: str
    """A Proceeding."""
    insurer: str | None = sealed("expenses_claim.insurer", optional=True)
    policy: str | None = sealed("expenses_claim.policy", optional=True)
    state: str = "to_notify"
    """A ClaimState."""
    recorded_at: datetime
    recorded_by_id: int = Field(foreign_key="user.id")
    notified_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    words: str | None = sealed("expenses_claim.words", optional=True)
    """What the insurer said, last."""


class LegalHandOff(SQLModel, table=True):
    """Somebody was handed to the legal helpline (A32); its own failing is an incident (A38)."""

    __tablename__ = "legal_hand_off"
    __table_args__ = (
        Index("ix_legal_hand_off_case_id", "case_id"),
        Index("ix_legal_hand_off_contract_at", "contract", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    result: str
    """A HandOff."""
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class CounsellingOffer(SQLModel, table=True):
    """Counselling, offered to one member of the household (A33)."""

    __tablename__ = "counselling_offer"
    __table_args__ = (Index("ix_counselling_offer_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    person_id: int | None = Field(default=None, foreign_key="person.id")
    who: str = sealed("counselling_offer.who")
    is_child: bool = False
    state: str
    """An OfferState."""
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    checked_with: str | None = sealed("counselling_offer.checked_with", optional=True)
    """Who of the investigating team said that it does not touch a child's evidence."""
    checked_at: datetime | None = None


class MoneyPosition(SQLModel, table=True):
    """What is known about the allowance or the fee meanwhile. The newest row of each counts."""

    __tablename__ = "money_position"
    __table_args__ = (Index("ix_money_position_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    what: str
    """A Money: allowance or fee."""
    state: str
    """A MoneyState."""
    until: date | None = None
    told_by: str | None = sealed("money_position.told_by", optional=True)
    words: str | None = sealed("money_position.words", optional=True)
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class MoveDecision(SQLModel, table=True):
    """Whether a fostered child stays or moves, as it was decided and by whom (001 §14.2). The child
    is "child A"."""

    __tablename__ = "move_decision"
    __table_args__ = (Index("ix_move_decision_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    child: str
    """ "A", "B", …: never a name."""
    decision: str
    """A MoveKind."""
    nature: str | None = sealed("move_decision.nature", optional=True)
    """What was alleged and who made it."""
    about_child: str | None = sealed("move_decision.about_child", optional=True)
    """Age and circumstances."""
    wishes: str | None = sealed("move_decision.wishes", optional=True)
    risk_actions: str | None = sealed("move_decision.risk_actions", optional=True)
    decided_by: str = sealed("move_decision.decided_by")
    decided_on: date
    lado_view: str | None = sealed("move_decision.lado_view", optional=True)
    dissent: str | None = sealed("move_decision.dissent", optional=True)
    """Who disagrees and why."""
    escalated_at: datetime | None = None
    escalation: str | None = sealed("move_decision.escalation", optional=True)
    """To whom the disagreement was taken, and what they said."""
    recorded_at: datetime
    recorded_by_id: int = Field(foreign_key="user.id")


class OutcomeReport(SQLModel, table=True):
    """How it ended, as reported to us. Never determined here; the newest row counts and the older
    ones stay."""

    __tablename__ = "outcome_report"
    __table_args__ = (Index("ix_outcome_report_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    allegation_id: int | None = Field(default=None, foreign_key="allegation.id", index=True)
    outcome: str
    """An OutcomeWord (KCSIE's five and our four)."""
    definitions: str
    """A DefinitionSet: whose meaning of the word it was."""
    ofsted: str | None = None
    """An OfstedOutcome."""
    approval: str | None = None
    """An ApprovalOutcome."""
    told_by: str | None = sealed("outcome_report.told_by", optional=True)
    told_on: date | None = None
    words: str | None = sealed("outcome_report.words", optional=True)
    recorded_at: datetime
    recorded_by_id: int = Field(foreign_key="user.id")


class ApprovalStep(SQLModel, table=True):
    """A written decision about approval, or a resignation: both begin twenty-eight days."""

    __tablename__ = "approval_step"
    __table_args__ = (Index("ix_approval_step_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    kind: str
    """An ApprovalKind."""
    who: str | None = sealed("approval_step.who", optional=True)
    noticed_on: date
    """The day of the written notice."""
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    choice: str | None = None
    """An AppealChoice."""
    chosen_at: datetime | None = None
    chosen_by_id: int | None = Field(default=None, foreign_key="user.id")
    warned: bool = False
    """That they were told before it was sent that a resignation cannot be taken back."""
    recorded_at: datetime
    recorded_by_id: int = Field(foreign_key="user.id")
