"""Every figure of a report counted a second way: plain Python over the record of a made year.

It shares no code with src/helpline/reports: measures and words come from the contract's text
(agreed.py), days are days in London instead of instants, people are sets, times are fractions,
percentages decimals. It is meant to be read, not to be quick.
"""

import itertools
import statistics
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.reports.year.agreed import Agreed, Told
from tests.reports.year.record import Case, Record, Span, months_on

Cut = tuple[tuple[str, str], ...]
"""Pairs of dimension and code, in the order of the alphabet."""
Codes = dict[str, Any]
"""Dimension → code; of what was provided there may be several."""
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)
TIMES = ("median", "p90", "slowest")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a cell must say. `value` of a time is a fraction of minutes, not yet rounded."""

    value: Any
    denominator: int | None = None
    percent: float | None = None
    denominator_as_of: date | None = None
    note: str | None = None
    words: str | None = None
    source: str | None = None
    is_time: bool = False


NONE = Expected(0)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that counts: on which day, with which codes, whose it was, how many microseconds it
    took."""

    day: date
    codes: Codes
    who: int | None = None
    took: int | None = None
    cells: dict[Any, list[int]] = field(default_factory=dict)
    """Where it counts, worked out once for all measures that are cut alike."""

    def has(self, where: Mapping[str, list[str]]) -> bool:
        return all(set(_listed(self.codes[name])) & set(codes) for name, codes in where.items())


class SecondCount:
    """Counts the reports of one contract over one record, as it is known at `record.now`."""

    def __init__(self, agreed: Agreed, record: Record) -> None:
        self.agreed, self.record, self.zone = agreed, record, ZoneInfo(record.zone)
        self._rows: dict[Any, list[Row]] = {}
        self._spread: dict[Any, list[int]] = {}
        self._places: dict[Any, list[tuple[Cut, int]]] = {}
        self._number_of: dict[Cut, int] = {}
        self._case_codes: dict[int, Codes] = {}
        self._counts: dict[tuple[str, str], Mapping[int, int]] = {}

    def report(self, code: str, span: Span) -> dict[tuple[str, Cut], Expected]:
        """Every cell that the report of that code prints for a period, noughts too."""
        found: dict[tuple[str, Cut], Expected] = {}
        for name in self.agreed.measures_of(code):
            measure = self.agreed.measures[name]
            if measure["counts"] == "supplied":
                found[name, ()] = Expected(None, note="nobody has supplied this yet")
            elif measure.get("takes") in TIMES:
                found |= self._times(name, span)
            else:
                found |= self._numbers(name, span)
        for key, cell in self._supplied(span.label).items():
            if key in found:
                found[key] = cell
        return found

    def rows(self, fact: str, span: Span) -> list[Row]:
        """What counts of a kind in a period."""
        return self._chosen({"counts": fact}, span)

    def broken(self, span: Span) -> list[tuple[str, str, float, bool]]:
        """Every promise of the period that was not kept: which, where, minutes late, answered."""
        return sorted(told for day, told in self._broken if span.first <= day <= span.last)

    @cached_property
    def _broken(self) -> list[tuple[date, tuple[str, str, float, bool]]]:
        found = []
        for one in self.record.promises:
            late = (one.met or self.record.now) - one.due
            if self._is_promise(one) and late > timedelta(0):
                assert one.case is not None
                area = self._known("quadrant", one.case.quadrant)
                told = (one.clock, area, late / MINUTE, one.met is not None)
                found.append((self._day(one.started), told))
        return found

    # --- cells ------------------------------------------------------------------------------------

    def _numbers(self, name: str, span: Span) -> dict[tuple[str, Cut], Expected]:
        measure, own = self.agreed.measures[name], self._count(name, span)
        of = measure.get("of", [])
        wholes = [self._count(one, span) for one in of if one != "population"]
        found = {}
        for cut, place in self._all_places(name):
            number = own.get(place, 0)
            if not number and not of:
                found[name, cut] = NONE
            elif "population" in of:
                found[name, cut] = self._of_population(cut, number, span.last)
            elif wholes:
                whole = sum([one.get(place, 0) for one in wholes])
                found[name, cut] = Expected(number, whole, _percent(number, whole))
            else:
                found[name, cut] = Expected(number)
        return found

    def _times(self, name: str, span: Span) -> dict[tuple[str, Cut], Expected]:
        took: dict[int, list[int]] = defaultdict(list)
        for row in self._chosen(self.agreed.measures[name], span):
            if row.took is not None:
                for cut in self._cuts_of(name, row):
                    took[cut].append(row.took)
        takes = self.agreed.measures[name]["takes"]
        return {
            (name, cut): Expected(_time(took[place], takes), len(took[place]), is_time=True)
            if place in took
            else Expected(None, 0)
            for cut, place in self._all_places(name)
        }

    def _count(self, name: str, span: Span) -> Mapping[int, int]:
        known = self._counts.get((name, span.label))
        if known is None:  # what shares are of is asked for again and again
            known = self._counts[name, span.label] = self._counted(name, span)
        return known

    def _counted(self, name: str, span: Span) -> Mapping[int, int]:
        measure = self.agreed.measures[name]
        if measure.get("takes") == "people":
            people: dict[int, set[int]] = defaultdict(set)
            for row in self._chosen(measure, span):
                if row.who is not None:
                    for cut in self._cuts_of(name, row):
                        people[cut].add(row.who)
            return {cut: len(some) for cut, some in people.items()}
        cells = (self._cuts_of(name, row) for row in self._chosen(measure, span))
        return Counter(itertools.chain.from_iterable(cells))

    def _of_population(self, cut: Cut, number: int, on: date) -> Expected:
        codes = dict(cut)
        group, area = codes.get("carer_type"), codes.get("quadrant")
        if group is None:
            return Expected(number)
        counts_as = {one["code"]: one["counts_as"] for one in self.agreed.told["groups"]}
        if counts_as.get(group) != "carer":
            return Expected(number, note="number only: not one of the carers the council counts")
        there = [
            (one["as_of"], 0, one["count"], one["unit"] == "people")
            for one in self.agreed.told.get("populations", [])
            if (one.get("group"), one.get("quadrant")) == (group, area)
        ]
        there += [
            (one.day, place, one.count, True)
            for place, one in enumerate(self.record.listed, 1)
            if (one.group, one.quadrant) == (group, area)
        ]
        day, _, whole, is_people = max(
            (one for one in there if one[0] <= on), default=(on, 0, 0, False)
        )
        if not is_people or not whole:
            return Expected(number, note="no denominator supplied")
        return Expected(number, whole, _percent(number, whole), day)

    def _supplied(self, label: str) -> dict[tuple[str, Cut], Expected]:
        found = {}
        for one in self.record.supplied:  # in the order in which they were given: the last counts
            if one.period == label and not one.is_taken_back:
                cell = Expected(one.value, denominator_as_of=one.as_of)
                source = one.source or "supplied"
                cut = tuple(sorted(one.by))
                found[one.measure, cut] = replace(cell, words=one.words, source=source)
        return found

    # --- which rows, and where each counts --------------------------------------------------------

    def _chosen(self, measure: Told, span: Span) -> list[Row]:
        first, last = self._days(measure.get("basis", "period"), span)
        rows = self._of(measure["counts"], last, measure.get("where", {}))
        begin = bisect_left(rows, first, key=lambda row: row.day)
        return rows[begin : bisect_right(rows, last, key=lambda row: row.day)]

    def _days(self, basis: str, span: Span) -> tuple[date, date]:
        if basis == "year_to_date":
            begins = date(span.first.year, self.agreed.told["year_starts_month"], 1)
            return months_on(begins, -12) if begins > span.first else begins, span.last
        if basis == "rolling_12_months":
            return months_on(months_on(span.last, 1), -12), span.last
        return span.first, span.last

    def _cuts_of(self, name: str, row: Row) -> list[int]:
        """Every cell of a measure in which a row counts, by the number of its cut."""
        cuts = self.agreed.cuts(name)
        known = row.cells.get(cuts)
        if known is None:
            key = cuts, *(row.codes[one] for one in self.agreed.measures[name].get("by", ()))
            known = self._spread.get(key) or [
                self._numbered(tuple(zip(cut, chosen, strict=True)))
                for cut in cuts
                for chosen in itertools.product(*(_listed(row.codes[one]) for one in cut))
            ]
            row.cells[cuts] = self._spread[key] = known
        return known

    def _all_places(self, name: str) -> list[tuple[Cut, int]]:
        """Every cut that is printed, with its number."""
        cuts = self.agreed.cuts(name)
        if cuts not in self._places:
            places = [
                tuple(zip(cut, chosen, strict=True))
                for cut in cuts
                for chosen in itertools.product(*(self.agreed.codes[one] for one in cut))
            ]
            self._places[cuts] = [(place, self._numbered(place)) for place in places]
        return self._places[cuts]

    def _numbered(self, cut: Cut) -> int:
        return self._number_of.setdefault(cut, len(self._number_of))

    # --- what counts ------------------------------------------------------------------------------

    def _of(self, fact: str, last: date, where: Mapping[str, list[str]]) -> list[Row]:
        """Everything of a kind that has one of the codes asked for, in the order of its days."""
        if fact == "open":
            return [row for row in self._open(last) if row.has(where)]
        key = fact, *((name, *codes) for name, codes in sorted(where.items()))
        if key not in self._rows:
            if where:
                self._rows[key] = [row for row in self._of(fact, last, {}) if row.has(where)]
            else:
                made: Iterator[Row] = getattr(self, f"_{fact}")()
                self._rows[key] = sorted(made, key=lambda row: row.day)
        return self._rows[key]

    def _contacts(self) -> Iterator[Row]:
        for one in self._came_in:
            if one.case.eligibility != "out":
                codes = self._codes(one.case) | {"method": self._known("method", one.method)}
                yield Row(self._day(one.at), codes, one.who)

    def _apart(self) -> Iterator[Row]:
        for one in self._came_in:
            if one.case.eligibility == "out":
                yield Row(
                    self._day(one.at), {"excluded": self._known("excluded", one.case.why_out)}
                )

    def _cases(self) -> Iterator[Row]:
        for case in self._within:
            yield Row(self._day(case.opened), self._codes(case), case.who)

    def _closed(self) -> Iterator[Row]:
        for case in self._within:
            if case.closed:
                yield Row(self._day(case.closed), self._codes(case), case.who)

    def _open(self, last: date) -> Iterator[Row]:
        """What had begun and was not closed when the last day was over, or now."""
        after = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=self.zone)
        moment = min(after.astimezone(UTC), self.record.now)
        for case in self._within:
            if case.opened < moment and (case.closed is None or case.closed >= moment):
                has = case.allocated is not None and case.allocated < moment
                codes = self._codes(case) | {"allocated": "yes" if has else "no"}
                yield Row(last, codes, case.who)

    def _promises(self) -> Iterator[Row]:
        for one in self.record.promises:
            if not self._is_promise(one, of_reports=False):
                continue
            assert one.case is not None
            if one.met is not None:
                verdict = "met" if one.met <= one.due else "missed"
            else:
                verdict = "open" if self.record.now <= one.due else "missed"
            codes = {"clock": self._known("clock", one.clock), "verdict": verdict}
            took = (one.met - one.started) // TICK if one.met else None
            yield Row(self._day(one.started), self._codes(one.case) | codes, one.case.who, took)

    def _feedback(self) -> Iterator[Row]:
        for one in self.record.asked:
            if one.case is None or one.case.eligibility != "out":
                codes = self._place(one.case) | {
                    "answered": "yes" if one.score else "no",
                    "score": str(one.score) if one.score else (),
                }
                yield Row(self._day(one.at), codes, one.who)

    def _place(self, case: Case | None) -> dict[str, Any]:
        """Where and of whom, as it was when the case began."""
        return {
            "quadrant": self._known("quadrant", case.quadrant if case else None),
            "carer_type": self._known("carer_type", case.group if case else None),
        }

    def _complaints(self) -> Iterator[Row]:
        for one in self.record.complaints:
            codes = self._place(one.case) | {
                "subject": self._known("subject", one.subject),
                "finding": self._known("finding", one.outcome),
                "action": self._known("action", one.action),
            }
            yield Row(self._day(one.at), codes, one.who)

    def _compliments(self) -> Iterator[Row]:
        for one in self.record.compliments:
            codes = self._place(one.case) | {"praised": self._known("praised", one.kind)}
            yield Row(self._day(one.at), codes)

    def _incidents(self) -> Iterator[Row]:
        for one in self.record.incidents:
            yield Row(self._day(one.at), {"incident": self._known("incident", one.kind)})

    def _evidence(self) -> Iterator[Row]:
        for one in self.record.shown:
            if not one.is_taken_back:
                yield Row(one.day, {"shown": self._known("shown", one.kind)})

    def _allegations(self) -> Iterator[Row]:
        real = [one for one in self.record.allegations if not one.is_mistake]
        for one in real:
            before = any(other.who == one.who and other.at < one.at for other in real)
            codes = {
                "track": self._known("track", one.track),
                "made_by": self._known("made_by", one.made_by),
                "repeated": "yes" if before else "no",
            }
            if one.case.eligibility != "out":
                yield Row(self._day(one.at), self._codes(one.case) | codes, one.who)

    # --- single words -----------------------------------------------------------------------------

    @cached_property
    def _within(self) -> list[Case]:
        """Cases of whoever is within the contract."""
        return [case for case in self.record.cases if case.eligibility != "out"]

    @cached_property
    def _came_in(self) -> list[Any]:
        """What a person sent us of their own accord."""
        return [
            one
            for one in self.record.contacts
            if one.is_in and one.kind != "automatic" and one.what != "feedback"
        ]

    def _is_promise(self, one: Any, *, of_reports: bool = True) -> bool:
        return (
            one.case is not None
            and one.case.eligibility != "out"
            and one.state != "cancelled"
            and (not of_reports or one.clock in self.agreed.counted_clocks)
        )

    def _codes(self, case: Case) -> Codes:
        """What is known of a case, whatever of it is counted."""
        if case.number not in self._case_codes:
            self._case_codes[case.number] = self._codes_of(case)
        return self._case_codes[case.number]

    def _codes_of(self, case: Case) -> Codes:
        known = self._known
        some = {known("support", one) for one in case.supports} or {"unknown"}
        return {
            "quadrant": known("quadrant", case.quadrant),
            "carer_type": known("carer_type", case.group),
            "reason": known("reason", case.reason.split(".")[0]),
            "method": known("method", case.method),
            "kind": case.kind,
            "support": tuple(sorted(some)),
            "state": "closed" if case.closed else "open",
            "outcome": known("outcome", case.outcome),
            "ended": known("outcome", case.outcome),
        }

    def _known(self, name: str, code: str | None) -> str:
        return code if code in self.agreed.codes[name] else self.agreed.rest[name]

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()


def _listed(code: Any) -> tuple[str, ...]:
    return code if isinstance(code, tuple) else (code,)


def _percent(part: int, whole: int) -> float | None:
    if not whole:
        return None
    exact = Decimal(100 * part) / Decimal(whole)
    return float(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))


def _time(took: list[int], takes: str) -> Fraction:
    """Minutes of so many microseconds."""
    if takes == "median":
        value: float = statistics.median(took)
    elif takes == "slowest":
        value = max(took)
    elif len(took) == 1:
        value = took[0]
    else:
        value = statistics.quantiles(took, n=10, method="inclusive")[8]
    return Fraction(value) / 60_000_000
