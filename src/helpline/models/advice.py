"""Who gave advice that only somebody qualified may give (A28). Asked when a case closes, kept with
it; rows are added and never taken away."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class AdviceGiven(SQLModel, table=True):
    """One support on a case that needed a qualification, who gave it, and by what. The newest row
    of a support counts. Exactly one of `partner_id`, `user_id` and `who` says who."""

    __tablename__ = "advice_given"
    __table_args__ = (Index("ix_advice_given_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    support: str
    """The contract's code of the support."""
    needs: str
    """What qualification it needed, as the contract said then: legal or medical."""
    partner_id: int | None = Field(default=None, foreign_key="partner.id")
    user_id: int | None = Field(default=None, foreign_key="user.id")
    who: str | None = sealed("advice_given.who", optional=True)
    """Somebody who is neither in the directory nor one of our people."""
    qualification: str = sealed("advice_given.qualification")
    """As it was on that day, in words: papers and partners change later."""
    at: datetime
    by_user_id: int = Field(foreign_key="user.id")
