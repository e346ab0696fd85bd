"""Fresh migrated databases of both kinds for the measurements; one PostgreSQL serves them all."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpline.migrations import migrate
from tests import databases as tests


@dataclass(frozen=True)
class Databases:
    """`kinds` are those to be measured."""

    kinds: tuple[str, ...]
    folder: Path
    template: Path
    server: str
    """The URL of PostgreSQL; empty when it is not to be measured."""

    def fresh(self, kind: str) -> str:
        """The URL of a new database with every table and no row."""
        if kind == "sqlite":
            return tests.new_sqlite_file(self.folder, self.template)
        url = tests.new_postgres_database(self.server)
        migrate(url)
        return url


@contextlib.contextmanager
def opened(kinds: tuple[str, ...]) -> Iterator[Databases]:
    """Databases for as long as the block runs."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(tests.postgres_server()) if "postgres" in kinds else ""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="helpline-bench-")))
        yield Databases(kinds, folder, tests.migrated_sqlite(folder), server)
