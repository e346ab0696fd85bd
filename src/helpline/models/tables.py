"""What every table shares: one metadata with named constraints (Alembic needs the names to change
them on SQLite) and the sealed column."""

from typing import Any

from sqlalchemy import Column, MetaData
from sqlmodel import Field, SQLModel

from helpline.sealing import Sealed

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def sealed(place: str, *, optional: bool = False) -> Any:
    """A field sealed at rest; `place` is "table.column" and must never change once written."""
    column: Column[Any] = Column(Sealed(place), nullable=optional)
    return Field(default=None, sa_column=column) if optional else Field(sa_column=column)
