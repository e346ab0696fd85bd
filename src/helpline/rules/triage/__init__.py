"""Triage: what a message is about and how soon a person is needed.

Called by desk/intake for every message and by the `triage` command. It must not lower anything a
person has decided, needs no network, and reads a message as words only: nothing written in it (a
prompt, markup, a query, a formula) is ever obeyed.
"""

from __future__ import annotations

from helpline.rules.triage.judgement import URGENCIES, VERSION, Reading, read
from helpline.rules.triage.place import PIECES, TOGETHER, Place, read_in
from helpline.rules.triage.waking import is_strange, wakes
from helpline.rules.triage.weights import CATEGORIES

__all__ = [
    "CATEGORIES",
    "PIECES",
    "TOGETHER",
    "URGENCIES",
    "VERSION",
    "Place",
    "Reading",
    "is_strange",
    "read",
    "read_in",
    "wakes",
]
