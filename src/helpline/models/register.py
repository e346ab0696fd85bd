"""The register beside its people: the council's monthly lists, the populations dated from them,
what a person needs and is covered for, and who decided that a case is within the contract."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from helpline.models.tables import sealed


class RegisterList(SQLModel, table=True):
    """One list of the council, handed in: it changes nothing until somebody accepts it."""

    __tablename__ = "register_list"
    __table_args__ = (Index("ix_register_list_contract", "contract", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    as_of: date
    """The day on which the council drew it up: memberships and populations are dated from it."""
    is_whole: bool
    """Whether it names everybody, so that who is missing from it has left."""
    state: str = "pending"
    """A ListState."""
    content: str | None = sealed("register_list.content", optional=True)
    """The list itself while it waits; None once it is decided, as its people are then kept."""
    rows: int = 0
    added: int = 0
    changed: int = 0
    left: int = 0
    unchanged: int = 0
    clashes: int = 0
    steps_done: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of an accepted list that is being taken in: how many of its steps are done."""
    handed_in_at: datetime
    by_user_id: int = Field(foreign_key="user.id")
    decided_at: datetime | None = None
    decided_by_id: int | None = Field(default=None, foreign_key="user.id")


class Population(SQLModel, table=True):
    """How many of a group there were on a day, counted from an accepted list (A05, D6)."""

    __tablename__ = "population"
    __table_args__ = (Index("ix_population_contract_as_of", "contract", "as_of"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    group: str
    quadrant: str | None = None
    """None: everywhere; "unknown" is a row like any other."""
    as_of: date
    count: int
    list_id: int | None = Field(default=None, foreign_key="register_list.id")


class Need(SQLModel, table=True):
    """What a person needs so that we can reach and understand each other (A15). Ended, not taken
    away."""

    __tablename__ = "need"
    __table_args__ = (Index("ix_need_person_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id")
    kind: str
    """A NeedKind."""
    detail: str | None = sealed("need.detail", optional=True)
    since: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
    ended_at: datetime | None = None
    ended_by_id: int | None = Field(default=None, foreign_key="user.id")


class PersonEntitlement(SQLModel, table=True):
    """Something a person is covered for under the contract, from a day to a day (A31, A38)."""

    __tablename__ = "person_entitlement"
    __table_args__ = (Index("ix_person_entitlement_person_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    person_id: int = Field(foreign_key="person.id")
    code: str
    """The contract's entitlement."""
    policy: str | None = sealed("person_entitlement.policy", optional=True)
    """The insurer's or provider's own reference."""
    covers_household: bool = False
    """Whether the people of the household are covered too."""
    valid_from: date
    valid_to: date | None = None
    """The last day; None: until further notice."""
    written_at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")


class EligibilityDecision(SQLModel, table=True):
    """Whether a case is within the contract, each time that was decided anew; the newest counts and
    stands on the case."""

    __tablename__ = "eligibility_decision"
    __table_args__ = (Index("ix_eligibility_decision_case_id", "case_id"),)

    id: int | None = Field(default=None, primary_key=True)
    contract: str
    case_id: int = Field(foreign_key="case.id")
    decision: str
    """An Eligibility."""
    reason: str
    """A code of rules/eligibility.py, or "override"."""
    why: str | None = sealed("eligibility_decision.why", optional=True)
    """A lead's reason for deciding otherwise than the rules (K04)."""
    at: datetime
    by_user_id: int | None = Field(default=None, foreign_key="user.id")
