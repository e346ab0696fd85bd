"""One report as counted: its cells, and how it came about. Frozen; made by reports/figures.py or
read back by reports/frozen.py, read by every rendering and by the console's pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from helpline.contract import Contract
from helpline.contract import parts as contract_parts
from helpline.reports.cells import DIMENSIONS, Breach, Cell, Key, by_of
from helpline.reports.view import View
from helpline.rules.periods import Period, bounds


@dataclass(frozen=True)
class Report:
    """Everything a rendering needs, and nothing that must not leave: hidden values are not in it.

    `exact` is what was asked for; `is_protected` whether small numbers are hidden (a contract may
    say that none are). `breaches` is empty in a protected report: each line is one person's case.
    `said` is what was written of it: a measure's code, or "line:" and a line's code → the text.
    `number` from 2 on restates an earlier release, and `why` says what was wrong with it.
    """

    contract: Contract
    asked: contract_parts.Report
    period: Period
    cells: tuple[Cell, ...]
    breaches: tuple[Breach, ...]
    exact: bool
    is_protected: bool
    generated_at: datetime
    said: Mapping[str, str] = field(default_factory=dict)
    number: int = 1
    why: str = ""

    @cached_property
    def _by_key(self) -> dict[Key, Cell]:
        return {cell.key: cell for cell in self.cells}

    def cell(self, measure: str, **by: str) -> Cell:
        """The figure of a measure, cut as given; KeyError where no report has such a figure."""
        unknown = [name for name in by if name not in DIMENSIONS]
        if unknown:
            raise KeyError(f"A report is cut by {', '.join(DIMENSIONS)}; not by {unknown[0]}.")
        return self._by_key[measure, by_of(by)]

    def find(self, measure: str, **by: str) -> Cell | None:
        """The same, or None where this report has no such figure."""
        return self._by_key.get((measure, by_of(by)))

    @property
    def is_provisional(self) -> bool:
        """Whether the period still ran when the figures were counted."""
        return self.generated_at < bounds(self.period, self.contract.zone)[1]

    @cached_property
    def view(self) -> View:
        """The report arranged for reading, for templates/reports/_report.html.j2."""
        return View(self)
