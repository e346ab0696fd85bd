"""An automatic text as somebody would get it, for whoever is about to put it otherwise.

Called by web/pages/settings.py. Everything in it is invented or the contract's own; nobody is sent
anything.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from helpline.contract import Contract
from helpline.desk import privacy, signposts
from helpline.rules import saying, wordings
from helpline.rules.segments import parts_of
from helpline.templating import example


@dataclass(frozen=True)
class Example:
    """The same moment in the words of now and in the new ones; how many text messages each is."""

    before: str
    after: str

    @property
    def counts(self) -> tuple[int, int]:
        return parts_of(self.before).count, parts_of(self.after).count


def of_text(contract: Contract, before: str, after: str, name: str, now: datetime) -> Example:
    """The moment nearest to an ordinary one in which the two texts differ. `name`: whose is used
    where the text names somebody of ours."""
    for values in _moments(_values(contract, name, now), after):
        found = Example(example(before, values), example(after, values))
        if found.before != found.after:
            return found
    values = _values(contract, name, now)
    return Example(example(before, values), example(after, values))


def _values(contract: Contract, name: str, now: datetime) -> dict[str, Any]:
    by = now + timedelta(hours=24)
    said, figures = saying.by_when(by, now, contract.zone), saying.in_figures(by, contract.zone)
    menu = [one.menu for one in contract.reasons if one.menu]
    return {
        "us": contract.called.us,
        "ours": contract.called.ours,
        "reference": f"{contract.reference_prefix}-7K3M9Q",
        "by_when": said,
        "by_figures": figures,
        "worker_by": said,
        "worker": name,
        "closed": False,
        "alarming": False,
        "waking": False,
        "child": False,
        "code_name": "",
        "has_number": True,
        "menu": ", ".join(f"{number} {words}" for number, words in enumerate(menu, 1)),
        **signposts.words(contract, ""),
        **privacy.words(contract),
    }


def _moments(values: Mapping[str, Any], source: str) -> Iterator[Mapping[str, Any]]:
    """The ordinary moment, then those in which one condition of the text is otherwise, then two."""
    conditions = {word for piece in wordings.pieces(source) for word in piece.only_when}
    names = sorted({name for one in conditions for name in re.findall(r"\w+", one)} & {*values})
    for count in range(3):
        for turned in combinations(names, count):
            yield {**values, **{name: _turned(values, name) for name in turned}}


def _turned(values: Mapping[str, Any], name: str) -> Any:
    if isinstance(values[name], bool):
        return not values[name]
    return "" if values[name] else values["worker"]
