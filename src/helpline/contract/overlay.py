"""A contract as it holds on a day: its file, and the dated changes that people made laid over it.

`contract + changes + day → contract`, by the very checks of the file. Called by desk/agreed.py,
which reads the changes. Pure. A change that does not fit any more is left out and named, so that a
file somebody edits can never stop the service.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from helpline.contract import changing
from helpline.contract.agreement import Contract
from helpline.contract.changing import Sources
from helpline.contract.checks import Fault
from helpline.contract.loading import checked

UNREADABLE: Final = "What was stored for it cannot be read any more: make the change again."


@dataclass(frozen=True)
class Change:
    """One dated change: from `valid_from`, a local day, `what` is `value`."""

    id: int
    what: str
    value: Any
    valid_from: date


@dataclass(frozen=True)
class Overlaid:
    """The contract of a day; which changes are in it, and which had to be left out and why."""

    contract: Contract
    laid: tuple[Change, ...] = ()
    left_out: tuple[tuple[Change, str], ...] = ()


def overlaid(filed: Contract, changes: Iterable[Change], day: date, sources: Sources) -> Overlaid:
    """The contract as it holds on `day`. A later change of a thing takes the place of an earlier
    one; counts of different days stand side by side."""
    due = sorted(
        (one for one in changes if one.valid_from <= day), key=lambda one: (one.valid_from, one.id)
    )
    whole = _with(filed, due, sources)
    if isinstance(whole, Contract):
        return Overlaid(whole, tuple(due))
    contract, laid, left_out = filed, list[Change](), list[tuple[Change, str]]()
    for change in due:
        found = _with(filed, [*laid, change], sources)
        if isinstance(found, Contract):
            contract = found
            laid.append(change)
        else:
            left_out.append((change, found[0][1]))
    return Overlaid(contract, tuple(laid), tuple(left_out))


def faults(
    filed: Contract, before: Iterable[Change], change: Change, sources: Sources
) -> Sequence[Fault]:
    """What keeps a change from being made, as (key, sentence); none where it may be. The key is
    the field of a change, or that of the file."""
    standing = overlaid(filed, before, change.valid_from, sources)
    found = _with(filed, [*standing.laid, change], sources)
    return () if isinstance(found, Contract) else found


def _with(
    filed: Contract, changes: Sequence[Change], sources: Sources
) -> Contract | Sequence[Fault]:
    if not changes:
        return filed
    document, own = copy.deepcopy(dict(filed.document)), dict(filed.own_words)
    wrong: list[Fault] = []
    for change in changes:
        try:
            wrong += changing.faults_of(document, sources, change.what, change.value)
            if not wrong:
                changing.lay(document, own, sources, change.what, change.value)
        except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
            wrong.append((change.what, UNREADABLE))
    if wrong:
        return wrong
    found = checked(filed, document)
    if isinstance(found, Contract):
        return found.model_copy(update={"own_words": own})
    return [(one.key, _sentence(one.reason)) for one in found]


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]
