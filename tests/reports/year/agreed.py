"""What a contract's own text says is to be counted, and by which words: read with Python's reader
of TOML and nothing of ours, so that the second count shares no reading with the first."""

import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

CONTRACTS = Path(__file__).parents[3] / "contracts"
Told = dict[str, Any]

FIXED = {
    "kind": "advice allegation standards complaint data_complaint referral consultation",
    "state": "open closed",
    "allocated": "yes no",
    "verdict": "met missed open",
    "answered": "yes no",
    "score": "1 2 3 4 5",
    "track": "allegation standards complaint unknown",
    "made_by": "fostered_child birth_family professional other not_told",
    "repeated": "no yes",
    "finding": "upheld partly not_upheld withdrawn forwarded waiting",
}
"""Words that are the same in every contract."""


@dataclass
class Agreed:
    """One contract's text, with the texts of the measures it shares."""

    told: Told
    shared: list[Told]
    _cuts: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    @cached_property
    def codes(self) -> dict[str, list[str]]:
        """Dimension → every code that is printed; what is none of them falls to `rest`."""
        told, heard = self.told, self.told.get("complaints", {})
        found = {
            "quadrant": [*_codes(told["quadrants"]), told["unknown_quadrant"]["code"]],
            "carer_type": [*_codes(told["groups"]), "unknown"],
            "method": [*_codes(told["methods"]), "unknown"],
            "reason": [*_codes(told["reasons"]), "unknown"],
            "support": [*_codes(told["support"]), "unknown"],
            "outcome": [*_codes(told["outcomes"]), "unknown"],
            "clock": [*_codes(told["clocks"]), "other"],
            "excluded": [*_codes(told.get("exclusions", [])), "other"],
            "subject": [*_codes(heard.get("subjects", [])), "other"],
            "action": [*_codes(heard.get("actions", [])), "waiting"],
            "praised": [*_codes(heard.get("compliments", [])), "other"],
            "shown": [*_codes(told.get("evidence", [])), "other"],
            "incident": [*_codes(told.get("incidents", [])), "other"],
        } | {name: words.split() for name, words in FIXED.items()}
        if told.get("age_limit"):
            found["excluded"].append("young_person_over")
        found["ended"] = found["outcome"]
        return {name: list(dict.fromkeys(some)) for name, some in found.items()}

    @cached_property
    def rest(self) -> dict[str, str]:
        """Dimension → the code of whatever has no code of its own."""
        unknown = "carer_type method reason support outcome ended track".split()
        other = "clock excluded subject praised shown incident".split()
        rest = dict.fromkeys(unknown, "unknown") | dict.fromkeys(other, "other")
        rest |= {"quadrant": self.told["unknown_quadrant"]["code"], "made_by": "not_told"}
        return rest | {"finding": "waiting", "action": "waiting"}

    @cached_property
    def counted_clocks(self) -> list[str]:
        return [one["code"] for one in self.told["clocks"] if one["starts"] == "receipt"]

    @cached_property
    def measures(self) -> dict[str, Told]:
        """Code → measure; one that is for each promise stands once for each."""
        found: dict[str, Told] = {}
        for one in itertools.chain(
            *(table["measures"] for table in self.shared), self.told.get("own_measures", [])
        ):
            for measure in self._for_each(one):
                found[measure["code"]] = measure
                if measure.get("so_far"):
                    found[f"{measure['code']}.so_far"] = _so_far(measure)
        return found

    def _for_each(self, measure: Told) -> Iterator[Told]:
        if measure.get("for_each") != "reported_clock":
            yield measure
            return
        for clock in self.counted_clocks:
            yield measure | {
                "code": measure["code"].replace("CLOCK", clock),
                "of": [one.replace("CLOCK", clock) for one in measure.get("of", [])],
                "where": measure.get("where", {}) | {"clock": [clock]},
            }

    @cached_property
    def reports(self) -> dict[str, Told]:
        return {one["code"]: one for one in self.told["reports"]}

    def measures_of(self, report: str) -> list[str]:
        """What the report's lines ask for; of a promise all of it: kept, late and still open."""
        lines = self.reports[report]["lines"]
        asked = [code for line in lines for code in line.get("measures", [])]
        for clock in self.counted_clocks:
            ends = [f"{clock}.{verdict}" for verdict in ("met", "missed", "open")]
            if set(ends) & set(asked):
                asked += ends
        return list(dict.fromkeys(asked))

    def cuts(self, measure: str) -> tuple[tuple[str, ...], ...]:
        """Every way in which a measure is cut, each in the order of the alphabet."""
        if measure not in self._cuts:
            by = self.measures[measure].get("by", [])
            pairs = itertools.combinations(by, 2) if self.measures[measure].get("crossed") else ()
            cuts = [(), *((name,) for name in by), *pairs]
            self._cuts[measure] = tuple(tuple(sorted(cut)) for cut in cuts)
        return self._cuts[measure]


def agreed(key: str, folder: Path = CONTRACTS) -> Agreed:
    """The text of the contract with that key, wherever in the folder it lies."""
    for file in sorted(folder.rglob("*.toml")):
        told = tomllib.loads(file.read_text("utf-8"))
        if told.get("key") == key and "reports" in told:
            shared = [
                tomllib.loads((CONTRACTS / "measures" / f"{name}.toml").read_text("utf-8"))
                for name in told.get("shared_measures", [])
            ]
            return Agreed(told, shared)
    raise AssertionError(f"no contract of the key {key} under {folder}")


def _so_far(measure: Told) -> Told:
    of = measure.get("of", [])
    return measure | {
        "code": f"{measure['code']}.so_far",
        "of": [one if one == "population" else f"{one}.so_far" for one in of],
        "basis": "year_to_date",
    }


def _codes(tables: list[Told]) -> list[str]:
    return [one["code"] for one in tables]
