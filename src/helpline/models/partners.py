"""Who else helps: the directory of partners, what a case asks of them, and the papers of our own
people. Rows are ended, never taken away, so that what was asked and waited for can be shown."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class Partner(SQLModel, table=True):
    """Somebody outside who can be asked: a solicitor, a counsellor, a council team."""

    __tablename__ = "partner"
    __table_args__ = (Index("ix_partner_contract", "contract"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    kind: str
    """A PartnerKind."""
    name: str = sealed("partner.name")
    skills: str = sealed("partner.skills")
    """What they can be asked for, in plain words."""
    hours: str = ""
    areas: str = ""
    """Codes of the contract's areas with commas; empty: everywhere."""
    telephone: str | None = sealed("partner.telephone", optional=True)
    email: str | None = sealed("partner.email", optional=True)
    notes: str | None = sealed("partner.notes", optional=True)
    approval: str = "not_needed"
    """A PartnerApproval: whether the council has to agree, and has (K21)."""
    approval_words: str | None = sealed("partner.approval_words", optional=True)
    """Who agreed or refused, and when they said so."""
    verified_on: date | None = None
    verified_by_id: int | None = Field(default=None, foreign_key="user.id")
    made_at: datetime
    made_by_id: int | None = Field(default=None, foreign_key="user.id")
    changed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class PartnerReferral(SQLModel, table=True):
    """A case asked a partner for something: requested, answered, seen, ended."""

    __tablename__ = "partner_referral"
    __table_args__ = (
        Index("ix_partner_referral_case_id", "case_id"),
        Index("ix_partner_referral_partner_id", "partner_id"),
        Index("ix_partner_referral_contract_requested_at", "contract", "requested_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    person_id: int = Field(foreign_key="person.id")
    """For whom: somebody of the case."""
    partner_id: int | None = Field(default=None, foreign_key="partner.id")
    signpost: str | None = None
    """Instead of a partner: the code of one of the contract's own signposts."""
    kind: str
    """A PartnerKind, as it was when it was asked."""
    wanted: str = sealed("partner_referral.wanted")
    """What was asked for. Of counselling only those who work on the case read it."""
    consent: str
    """A ConsentKind: what the person said to being named to the partner."""
    consent_at: datetime
    state: str = "requested"
    """A ReferralState."""
    requested_at: datetime
    requested_by_id: int = Field(foreign_key="user.id")
    answered_at: datetime | None = None
    """When they accepted or declined."""
    answered_words: str | None = sealed("partner_referral.answered_words", optional=True)
    first_seen_on: date | None = None
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
    ending: str | None = None
    """A ReferralEnding."""
    ended_words: str | None = sealed("partner_referral.ended_words", optional=True)
    deadline_id: int | None = Field(default=None, foreign_key="deadline.id")
    """By when they must have been seen, or the wait is challenged."""


class PartnerSession(SQLModel, table=True):
    """One appointment with a partner: when, how long, and whether they came."""

    __tablename__ = "partner_session"
    __table_args__ = (Index("ix_partner_session_referral_id", "referral_id"),)

    id: int | None = Field(default=None, primary_key=True)
    referral_id: int = Field(foreign_key="partner_referral.id")
    held_on: date
    minutes: int
    came: bool = True
    written_at: datetime
    by_user_id: int = Field(foreign_key="user.id")


class PartnerChase(SQLModel, table=True):
    """We asked again: the proof that a wait, or a silence, was pursued (N09)."""

    __tablename__ = "partner_chase"
    __table_args__ = (Index("ix_partner_chase_referral_id", "referral_id"),)

    id: int | None = Field(default=None, primary_key=True)
    referral_id: int = Field(foreign_key="partner_referral.id")
    at: datetime
    how: str
    """A ChaseWay."""
    words: str = sealed("partner_chase.words")
    """Whom, and what they said."""
    by_user_id: int = Field(foreign_key="user.id")


class StaffPaper(SQLModel, table=True):
    """A paper of one of our own people: a qualification, a check, a supervision held."""

    __tablename__ = "staff_paper"
    __table_args__ = (Index("ix_staff_paper_user_id", "user_id"),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user.id")
    kind: str
    """A PaperKind."""
    level: int | None = None
    """Of safeguarding training: 1 to 4."""
    title: str | None = sealed("staff_paper.title", optional=True)
    number: str | None = sealed("staff_paper.number", optional=True)
    valid_from: date
    valid_until: date | None = None
    """The last day on which it holds; None: it does not expire."""
    noted_at: datetime
    noted_by_id: int = Field(foreign_key="user.id")
    ended_at: datetime | None = None
    """Entered by mistake, or withdrawn by whoever gave it."""
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")
