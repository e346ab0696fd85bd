"""The definitions of the measures from templates/reports/wording.toml, for one contract.

Read by every rendering, so that a figure never travels without saying what it counts.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from helpline.contract import Contract
from helpline.reports.measures import (
    APART,
    EVIDENCE,
    all_measures,
    apart,
    shown_done,
    voiced,
)
from helpline.settings import TEMPLATES
from helpline.vocabulary import Unit


def definitions(contract: Contract) -> dict[str, str]:
    """Measure → what it counts, in one or two sentences, in printing order."""
    written: dict[str, str] = _wording()["definitions"]
    clocks = {clock.code: clock for clock in contract.reported_clocks}
    said, found = voiced(contract), {}
    for measure in all_measures(contract):
        name, _, last = measure.partition(".")
        clock = clocks.get(name)
        if name == EVIDENCE and last:
            found[measure] = written["evidence.kind"].format(name=shown_done(contract)[measure])
            continue
        if measure in said:
            family = measure.rpartition(".")[0] if measure not in written else measure
            found[measure] = written[family].format(name=said[measure])
            continue
        text = written[last if clock else name if name == APART else measure]
        if name == APART:
            text = text.format(name=apart(contract)[measure])
        if clock:
            elapsed = clock.unit is Unit.ELAPSED_HOURS
            counted = ", weekends and bank holidays included" if elapsed else ""
            text = text.format(name=clock.name, within=clock.within, counted=counted)
        found[measure] = text
    return found


@cache
def _wording() -> dict[str, Any]:
    return tomllib.loads((TEMPLATES / "reports" / "wording.toml").read_text("utf-8"))
