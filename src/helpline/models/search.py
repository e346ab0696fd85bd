"""What cases and people are found by: keyed digests of words, never a word.

Filled by desk/search from the sealed texts; can be thrown away and made anew from them.
"""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class CaseWord(SQLModel, table=True):
    """A word that stands somewhere in a case: a message, a note, a task."""

    __tablename__ = "case_word"
    __table_args__ = (Index("ix_case_word_case_id", "case_id"),)

    word: str = Field(primary_key=True)
    """Digest under the contract's own label, so that two contracts' words cannot be compared."""
    case_id: int = Field(primary_key=True, foreign_key="case.id")


class PersonWord(SQLModel, table=True):
    """What a person is found by: beginnings of the name, the place."""

    __tablename__ = "person_word"
    __table_args__ = (Index("ix_person_word_person_id", "person_id"),)

    word: str = Field(primary_key=True)
    person_id: int = Field(primary_key=True, foreign_key="person.id")


class SearchMark(SQLModel, table=True):
    """How far a source of words has been read."""

    __tablename__ = "search_mark"

    source: str = Field(primary_key=True)
    last_id: int = 0
    is_settled: bool = False
    """Whether what was read last has been looked at once more: rows may appear out of order."""
    at: datetime
