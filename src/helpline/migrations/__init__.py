"""The database's history, step by step, and the two functions that walk it.

Called by `helpline migrate`, the demo and the tests. Models and migrations are compared on both
databases by tests/test_migrations.py.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from helpline.db import checked_url, sync_url
from helpline.migrations import policies


def configuration(url: str) -> Config:
    """Alembic's configuration without an ini file: the URL may hold a password."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = sync_url(checked_url(url))
    return config


def migrate(url: str, to: str = "head") -> None:
    """Bring the database to `to`; does nothing when it is there already."""
    checked = checked_url(url)
    if checked.get_backend_name() == "sqlite" and checked.database:
        Path(checked.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(configuration(url), to)
    if checked.get_backend_name() == "postgresql" and to == "head":
        policies.apply(checked)


def is_current(url: str) -> bool:
    """Whether the database has every step that this version knows; serve refuses to start on one
    that has not. One that a newer version has brought further serves the older one as well: while
    versions change, steps only add."""
    steps, heads = _steps(url), _heads(url)
    known = {step.revision for step in steps.walk_revisions()}
    return heads == set(steps.get_heads()) or bool(heads - known)


def is_at_head(url: str) -> bool:
    """Whether the database has exactly the tables of this version."""
    return _heads(url) == set(_steps(url).get_heads())


def steps_known() -> set[str]:
    """Every step this version can take."""
    return {step.revision for step in _steps("sqlite:///none.db").walk_revisions()}


def heads() -> set[str]:
    """The last steps of this version."""
    return set(_steps("sqlite:///none.db").get_heads())


def _heads(url: str) -> set[str]:
    engine = create_engine(sync_url(checked_url(url)))
    try:
        with engine.connect() as connection:
            return set(MigrationContext.configure(connection).get_current_heads())
    finally:
        engine.dispose()


def _steps(url: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(configuration(url))
