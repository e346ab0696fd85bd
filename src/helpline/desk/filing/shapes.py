"""What one table puts into the file of a case: which rows, which columns, and what they are called.
Shapes only; the tables stand in the other modules of this folder, which desk/filing/reading reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class How(StrEnum):
    """What stands in a column, which says how it is written on paper."""

    TEXT = "text"
    CODE = "code"  # a word of the vocabulary
    CODES = "codes"  # some of them, with commas
    TIME = "time"
    DAY = "day"
    YES = "yes"  # said only where it is true
    YES_NO = "yes_no"  # left out only where nobody knows
    NUMBER = "number"
    USER = "user"
    PERSON = "person"
    PARTNER = "partner"
    GATHERING = "gathering"
    VERSION = "version"  # of something in the library
    NOTICE = "notice"  # the others are codes of the contract, or of its pathway
    CLOCK = "clock"
    SUPPORT = "support"
    CONTRACT = "contract"
    FIELDS = "fields"
    STAGE = "stage"
    QUESTION = "question"
    TO_DO = "to_do"
    STEP = "step"
    INCIDENT = "incident"
    SIGNPOST = "signpost"


@dataclass(frozen=True, eq=False)
class Shown:
    """One column and what it is called. `words`: of the codes that do not speak for themselves."""

    column: str
    label: str
    how: How = How.TEXT
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Kept:
    """The rows of one table. `at`: when, which is also their order; `by`: who of us. `link`: the
    column that points to the case, or for what stands `beside` to the row it belongs to. `only`:
    columns and the values they must have."""

    table: str
    name: str
    at: str
    shown: tuple[Shown, ...]
    by: str = ""
    link: str = "case_id"
    beside: tuple["Kept", ...] = ()
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_private: bool = False
    """What was asked of a counsellor: its words only for who works on the case."""


@dataclass(frozen=True)
class Chapter:
    title: str
    kept: tuple[Kept, ...]
