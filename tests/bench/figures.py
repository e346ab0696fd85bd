"""What a measurement says, the aim it is held against, the table for people and the JSON.

Called by every measurement and by __main__. An aim that is not met is shown, never raised: a busy
machine is no failure.
"""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Aim:
    """A bound on a figure: at least `least`, or at most `most`. Design.md §8 is the source."""

    least: float | None = None
    most: float | None = None

    def is_met_by(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def __str__(self) -> str:
        return f"≥ {_number(self.least)}" if self.least is not None else f"≤ {_number(self.most)}"


@dataclass(frozen=True)
class Figure:
    """One number. `baseline` is what the same run measured for the barest thing that could do the
    same; `ratio` is the figure's share of it, or how many times as long it takes."""

    row: str
    database: str
    value: float
    unit: str
    baseline: float | None = None
    aim: Aim | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def is_met(self) -> bool | None:
        return self.aim.is_met_by(self.value) if self.aim else None


def write_json(path: Path, figures: Sequence[Figure], seconds: float, is_quick: bool) -> None:
    """The figures as a list, with what one must know to read them."""
    rows = [asdict(figure) | {"ratio": figure.ratio, "is_met": figure.is_met} for figure in figures]
    told = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seconds": round(seconds, 1),
        "is_quick": is_quick,
        "figures": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


def table(figures: Sequence[Figure]) -> str:
    """The table for people: figure, baseline, ratio, aim, met or not."""
    heads = ("", "database", "figure", "unit", "baseline", "ratio", "aim", "met")
    rows = [heads, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    return "\n".join(_line(row, widths) for row in rows)


def _cells(figure: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[figure.is_met]
    return (
        figure.row,
        figure.database,
        _number(figure.value),
        figure.unit,
        _number(figure.baseline),
        _number(figure.ratio),
        str(figure.aim or ""),
        met,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    is_text = (True, True, False, True, False, False, False, True)
    padded = (
        cell.ljust(width) if left else cell.rjust(width)
        for cell, width, left in zip(cells, widths, is_text, strict=True)
    )
    return "  ".join(padded).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
