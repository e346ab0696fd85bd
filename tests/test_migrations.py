"""Models and migrations say the same, on both databases."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from helpline.db import checked_url, sync_url
from helpline.migrations import is_current, migrate
from helpline.models import metadata


def test_models_and_migrations_agree(empty_database_url: str) -> None:
    migrate(empty_database_url)
    assert differences(empty_database_url) == []
    assert is_current(empty_database_url)


def test_a_difference_would_be_seen(empty_database_url: str) -> None:
    migrate(empty_database_url)
    engine = create_engine(sync_url(checked_url(empty_database_url)))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE task DROP COLUMN detail"))
    engine.dispose()
    assert any("detail" in str(difference) for difference in differences(empty_database_url))


def test_an_unmigrated_database_is_not_current(empty_database_url: str) -> None:
    assert not is_current(empty_database_url)


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    migrate(empty_database_url)
    migrate(empty_database_url)
    assert is_current(empty_database_url)


def differences(url: str) -> list[object]:
    engine = create_engine(sync_url(checked_url(url)))
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "target_metadata": metadata}
            )
            return list(compare_metadata(context, metadata))
    finally:
        engine.dispose()


pytestmark = pytest.mark.timeout(120)
