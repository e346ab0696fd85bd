"""An agreed proposal as the text that goes into the contract's file, for whoever keeps it.

Called by web/pages/portal_measures.py. What was measured before keeps its code, its words and its
target until the day before; what is agreed has a code of its own from that day, so that no figure
that is out changes its meaning. It writes no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from helpline.contract import Contract
from helpline.contract.measuring import Measure
from helpline.vocabulary import ProposalKind, TargetKind

_ORDER: Final = (
    *("code", "name", "question", "means", "counts", "takes", "where", "by", "crossed", "of"),
    *("basis", "unit", "better", "target", "owner", "moved", "since", "until"),
    *("source", "mark", "last_verified", "verify"),
)


def text(
    contract: Contract,
    kind: str,
    code: str,
    from_on: date,
    *,
    name: str = "",
    question: str = "",
    means: str = "",
    target: dict[str, Any] | None = None,
) -> str:
    """TOML for the contract's file, with what is to be done by hand as comments."""
    source = f"Agreed between {contract.council_full} and {contract.provider_name}, from {from_on}"
    worded: dict[str, Any] = {"source": source, "mark": "derived", "since": from_on}
    worded |= {"name": name, "question": question, "means": means, "target": target}
    if kind == ProposalKind.NEW:
        made = {"code": code, "counts": "supplied"} | worded
        return "\n".join(
            [
                "# A new measure. Until its formula is written here, its figure is supplied by",
                "# hand: counts, where, by and of say how it is counted (contract/measuring.py).",
                *_block(made),
                f"# Then name “{code}” in the lines of the reports in which it is to stand.",
            ]
        )
    old = contract.measure(code)
    lines = list(_ended(old, from_on, source))
    if kind == ProposalKind.CHANGE:
        new_code = _next_code(contract, code)
        lines += [
            "",
            "# What is agreed, from that day on.",
            *_block(_whole(old) | worded | {"code": new_code, "until": None}),
        ]
        lines.append(
            f"# Then name “{new_code}” after “{code}” in the lines of the reports: each period has "
            "the one that was agreed on its last day."
        )
    return "\n".join(lines)


def target_of(kind: str, number: float | None, words: str) -> dict[str, Any] | None:
    """A target as the file has it."""
    if kind == TargetKind.WORDS:
        return {"words": words}
    return {kind: number} if kind and number is not None else None


def _ended(old: Measure, from_on: date, source: str) -> Iterator[str]:
    yield "# What was measured until now. Where the file has a block of this code already, put only"
    yield "# the line “until” into that; this one takes the place of a shared measure of the code."
    until = from_on - timedelta(days=1)
    yield from _block(_whole(old) | {"until": until, "source": old.source or source})


def _whole(measure: Measure) -> dict[str, Any]:
    """What the file says of a measure, without what it says by saying nothing."""
    found = measure.model_dump(exclude_defaults=True)
    if measure.target is not None:
        found["target"] = measure.target.model_dump(exclude_defaults=True)
    return found


def _next_code(contract: Contract, code: str) -> str:
    number = 2
    while f"{code}_{number}" in contract.measures:
        number += 1
    return f"{code}_{number}"


def _block(measure: dict[str, Any]) -> list[str]:
    lines = ["[[own_measures]]"]
    for key in _ORDER:
        value = measure.get(key)
        if value is not None and value != "" and value != {}:
            lines.append(f"{key} = {_value(value)}")
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "")
    return str(value)
