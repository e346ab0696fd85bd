"""Alembic's entry: connect by the URL in the configuration and run the steps in one transaction. On
PostgreSQL one node at a time: the next one waits, and then finds nothing left to do."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import create_engine, pool, text

from helpline.models import metadata
from helpline.sealing import Sealed


def in_words(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A sealed column is plain bytes to the database: a step must not import today's code."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, Sealed) else False


TURN = 0x68656C706C696E65
"""Nobody else takes this advisory lock."""
engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite cannot alter a column in place
        compare_type=True,
        render_item=in_words,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TURN})
        context.run_migrations()
