"""Which cases of a worker's month are looked at: drawn by lot, the same lot for everybody, so that
nobody is picked out and nobody can choose. Pure; asked by desk/samples.py.

The lot is a digest of the month, the worker and the case: whoever draws again draws the same, and
no case has a better chance than another.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

EACH: Final = 2
"""Cases of each worker and month: enough to talk about, few enough to be read with care."""


def drawn(month: str, worker: int, cases: Iterable[int], number: int = EACH) -> list[int]:
    """At most `number` of the cases, in the order of their lots."""
    return sorted(set(cases), key=lambda case: _lot(month, worker, case))[:number]


def _lot(month: str, worker: int, case: int) -> bytes:
    return hashlib.sha256(f"{month}/{worker}/{case}".encode()).digest()
