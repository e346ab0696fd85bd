"""Every measure of a contract explained: its question, its formula in words, what it is of, how it
is cut, what was agreed. Read by the console's page; it counts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from helpline.contract import Contract
from helpline.contract.measuring import POPULATION, Measure
from helpline.reports import codes
from helpline.rules import targets

COUNTED: Final[Mapping[str, str]] = {
    "contacts": "everything that came in",
    "cases": "cases that began",
    "closed": "cases that were closed",
    "open": "cases that were open",
    "promises": "promises whose time began",
    "apart": "contacts of people who are not within the contract",
    "complaints": "complaints that came in",
    "compliments": "compliments that came in",
    "feedback": "times that somebody was asked how it was",
    "evidence": "entries of the log of evidence",
    "allegations": "allegations that we first knew of",
    "incidents": "incidents that we first knew of",
}
BASES: Final[Mapping[str, str]] = {
    "period": "in the period",
    "year_to_date": "from the first day of the contract's year to the period's last",
    "month_end": "at the end of the period",
    "rolling_12_months": "in the twelve months that end with the period",
}
TAKES: Final[Mapping[str, str]] = {
    "number": "The number of {counted}",
    "people": "The number of different people, each once, of {counted}",
    "median": "The time that half of them took: {counted}",
    "p90": "The time that nine of ten did not exceed: {counted}",
    "slowest": "The longest time: {counted}",
}

BETTER: Final[Mapping[str, str]] = {
    "more": "More is better.",
    "less": "Less is better.",
    "neither": "",
}
MINUTES: Final[Mapping[str, str]] = {
    "median": "Of 10, 20 and 60 minutes it is 20.",
    "p90": "Of eleven times from 1 to 11 minutes it is 10.",
    "slowest": "Of 10, 20 and 60 minutes it is 60.",
}
TOLD: Final[Mapping[str, str]] = {
    "contacts": "One person who texts twice and rings once is three.",
    "cases": "One person who comes with two matters is two; ten messages on one matter are one.",
    "closed": "A matter that began in March and was closed in May counts in May.",
    "open": "A matter that began in March and was closed in May is open on the last day of April.",
    "promises": "A matter with two promises counts once for each of them.",
    "apart": "One carer of another council who texts twice is two.",
    "complaints": "A complaint that goes to a second stage is still one.",
    "compliments": "Two letters from one person are two.",
    "feedback": "Somebody asked in March and again in May is two times.",
    "evidence": "One meeting with five guests is one entry.",
    "allegations": "Two things alleged about one person are two.",
    "incidents": "What happened in March and became known in May counts in May.",
}
"""What is counted → how it is counted, by an example."""


@dataclass(frozen=True)
class Entry:
    """One measure in words."""

    measure: Measure
    formula: str
    share: str
    cuts: str
    expected: str
    reports: Sequence[str]
    better: str = ""
    moved: str = ""
    agreed: str = ""
    example: str = ""


def entries(contract: Contract) -> list[Entry]:
    """Every measure in the order of the contract, with the reports in which it stands."""
    return [entry(contract, measure) for measure in contract.measures.values()]


def entry(contract: Contract, measure: Measure) -> Entry:
    """One measure in words, with the reports in which it stands."""
    listed = [
        report.title
        for report in contract.reports
        if any(measure.code in line.measures for line in report.lines)
    ]
    return Entry(
        measure,
        _formula(contract, measure),
        _share(contract, measure),
        _cuts(measure),
        targets.expected(measure.target, "percent" if measure.is_share else measure.unit),
        listed,
        BETTER[measure.better],
        f"A change of {measure.moved:g}% against the period before asks for a sentence.",
        _agreed(measure),
        _example(contract, measure),
    )


def _formula(contract: Contract, measure: Measure) -> str:
    if measure.counts == "supplied":
        return f"Supplied by somebody, with its source, {BASES[measure.basis]}."
    counted = TAKES[measure.takes].format(counted=COUNTED[measure.counts])
    names = codes.names(contract)
    chosen = [
        f"{codes.NAMES[name].lower()}: " + " or ".join(names[name].get(one, one) for one in some)
        for name, some in measure.where.items()
    ]
    only = f", where {'; '.join(chosen)}" if chosen else ""
    return f"{counted}, {BASES[measure.basis]}{only}."


def _share(contract: Contract, measure: Measure) -> str:
    if not measure.of:
        return ""
    if POPULATION in measure.of:
        return "A percentage of the council's own count of that kind of carer, on the day printed."
    return "A percentage of " + " and ".join(contract.measure(of).name for of in measure.of) + "."


def _cuts(measure: Measure) -> str:
    if not measure.by:
        return ""
    listed = ", ".join(codes.NAMES[name].lower() for name in measure.by)
    return listed + ("; and every two of them" if measure.crossed else "")


def _agreed(measure: Measure) -> str:
    """From when to when it was agreed, where that was said."""
    since = f"from {measure.since.day} {measure.since:%B %Y}" if measure.since else ""
    until = f"until {measure.until.day} {measure.until:%B %Y}" if measure.until else ""
    return " ".join(one for one in (since, until) if one)


def _example(contract: Contract, measure: Measure) -> str:
    if measure.counts == "supplied":
        return ""
    if measure.takes == "people":
        told = "One person who turns to us ten times is one."
    elif measure.is_minutes:
        told = MINUTES[measure.takes]
    else:
        told = TOLD[measure.counts]
    if not measure.of or POPULATION in measure.of:
        return told
    names = " and ".join(contract.measure(of).name for of in measure.of)
    return f"{told} With 12 here and 48 in “{names}” together the share is 25%."
