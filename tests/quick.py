"""What every test would otherwise do again and prove nothing by: compiling the same SQL for a new
engine, and hashing a password for a tenth of a second. Half of a story's time went into the two."""

from argon2 import PasswordHasher
from sqlalchemy import util
from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
IN_EARNEST: list[PasswordHasher] = []
"""What the helpline itself hashes with."""
_compiled = util.LRUCache(4000)


def share_compiled_statements() -> None:
    """A helpline compiles a statement once in its life; all the helplines of a test process now do
    so together. Of each kind there is one database here, so that their dialects are alike."""
    plain = Engine.__init__

    def made(engine: Engine, *args: object, **named: object) -> None:
        plain(engine, *args, **named)  # type: ignore[arg-type]
        engine._compiled_cache = _compiled

    Engine.__init__ = made  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[assignment]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[assignment]


def hash_passwords_cheaply() -> None:
    """Hashing is slow on purpose: tests/web/test_signing_in.py, where it is so in earnest."""
    from helpline.desk import access

    if access._HASHER is not CHEAP:
        IN_EARNEST.append(access._HASHER)
        access._HASHER = CHEAP
