"""Alembic's entry: connect by the URL in the configuration and run the steps in one transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import create_engine, pool

from helpline.models import metadata
from helpline.sealing import Sealed


def in_words(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A sealed column is plain bytes to the database: a step must not import today's code."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, Sealed) else False


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
        context.run_migrations()
