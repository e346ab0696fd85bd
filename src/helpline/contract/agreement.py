"""One council's contract as a whole: its parts, and the look-ups everything else asks of it.

Built only by contract/loading.py, read by desk, reports, web and cli. Look-ups answer from the
contract alone: no clock, no database; a day is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field, StringConstraints

from helpline.contract import parts
from helpline.contract.measuring import Measure, MeasureTable, Split, expanded, expanded_splits
from helpline.contract.parts import Text, Worded
from helpline.contract.pathway import Nouns, PathwayTable, nouns
from helpline.contract.words import squeezed
from helpline.errors import InvalidInput
from helpline.rules import clocks as clock_rules
from helpline.rules import periods
from helpline.rules import rota as rota_rules
from helpline.rules.calendar import Calendar
from helpline.rules.periods import KIND_OF, Period
from helpline.rules.postcodes import Share, Suggestion, suggest_quadrant
from helpline.vocabulary import UNKNOWN, CaseKind, ClockStart

LAST_RESORT: Final = "other"  # the method of a channel nobody foresaw: counted, never lost
Kind = Literal[
    "reason", "part", "support", "method", "group", "outcome", "quadrant", "team", "evidence"
]
_Coded = TypeVar("_Coded", bound=Worded)


class Contract(parts.Table):
    """Everything that differs between councils. Tuples keep the order of the file."""

    file: str = ""  # set at loading
    outcodes: Mapping[str, tuple[Share, ...]] = Field(default_factory=dict, repr=False)
    holidays: parts.HolidayTable | None = Field(default=None, repr=False)  # set at loading
    path: PathwayTable | None = Field(default=None, repr=False)  # set at loading; see `way`
    measure_tables: tuple[MeasureTable, ...] = Field(default=(), repr=False)  # set at loading
    document: Mapping[str, Any] = Field(default_factory=dict, repr=False)  # set at loading
    own_words: Mapping[str, str] = Field(default_factory=dict)  # set by contract/overlay.py
    """The texts put otherwise, by language and code ("en.allocated"), as templates."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    name: Text
    council: Text
    council_full: Text
    provider_name: Text
    reference_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,4}$")]
    zone: Text
    year_starts_month: Annotated[int, Field(strict=True, ge=1, le=12)]
    pathway: parts.Code | None = None  # the file of that name in the folder pathway
    open_questions: tuple[parts.OpenQuestion, ...] = ()

    called: parts.Called
    term: parts.Term
    freephone: parts.Freephone | None = None
    legal_basis: parts.LegalBasis | None = None
    capacity: parts.Capacity | None = None
    age_limit: parts.AgeLimit | None = None
    quadrants: Annotated[tuple[parts.Area, ...], Field(min_length=1)]
    unknown_quadrant: parts.Area
    teams: tuple[parts.Team, ...]
    exclusions: tuple[parts.Exclusion, ...]
    postcodes: parts.Postcodes | None = None
    groups: Annotated[tuple[parts.Group, ...], Field(min_length=1)]
    populations: tuple[parts.Population, ...]
    commissioners: tuple[parts.Commissioner, ...]
    partners: tuple[parts.Partner, ...] = ()
    referral_sources: tuple[Worded, ...] = ()
    entitlements: tuple[parts.Entitlement, ...] = ()
    reasons: Annotated[tuple[parts.Reason, ...], Field(min_length=1)]
    support: Annotated[tuple[parts.Support, ...], Field(min_length=1)]
    levels: tuple[parts.Level, ...] = ()
    methods: Annotated[tuple[parts.Method, ...], Field(min_length=1)]
    outcomes: Annotated[tuple[parts.Outcome, ...], Field(min_length=1)]
    named_outcomes: tuple[parts.NamedOutcome, ...] = ()
    evidence: tuple[parts.Evidence, ...] = ()
    calendar: parts.Days
    clocks: Annotated[tuple[parts.Clock, ...], Field(min_length=1)]
    ladder: parts.Ladder
    whatsapp: parts.WhatsApp | None = None
    silence: parts.Silence | None = None
    reading: parts.Reading = parts.Reading()
    monthly_list: parts.MonthlyList | None = None
    privacy: parts.Privacy | None = None
    referral: parts.Referral | None = None
    happenings: tuple[parts.Happening, ...] = ()
    news: parts.News = parts.News()
    duty_rota: parts.DutyRota | None = None
    office_hours: parts.OfficeHours
    retention: tuple[parts.Retention, ...] = ()
    sharing_bases: tuple[parts.SharingBasis, ...] = ()
    interpreting: str = ""  # how an interpreter is had, in a sentence for the worker
    signposts: Annotated[tuple[parts.Signpost, ...], Field(min_length=1)]
    policies: tuple[parts.Policy, ...] = ()
    complaints: parts.Complaints | None = None
    incidents: tuple[parts.IncidentKind, ...] = ()
    notices: tuple[parts.Notice, ...] = ()
    feedback: parts.Feedback | None = None
    obligations: tuple[parts.Obligation, ...] = ()
    staff: parts.Staff | None = None
    disclosure: parts.Disclosure
    shared_measures: tuple[parts.Code, ...] = ()  # the files of those names in the folder measures
    own_measures: tuple[Measure, ...] = ()
    own_splits: tuple[Split, ...] = ()
    reports: Annotated[tuple[parts.Report, ...], Field(min_length=1)]

    # --- one by its code; InvalidInput where the contract has none --------------------------------

    def clock(self, code: str) -> parts.Clock:
        return self._one(self.clocks, code, "clock")

    def group(self, code: str) -> parts.Group:
        return self._one(self.groups, code, "group")

    def reason(self, code: str) -> parts.Reason:
        """The reason of a code, or of one of its parts ("finance.pensions" → finance)."""
        return self._one(self.reasons, code.partition(".")[0], "reason")

    def support_type(self, code: str) -> parts.Support:
        return self._one(self.support, code, "support")

    def outcome(self, code: str) -> parts.Outcome:
        return self._one(self.outcomes, code, "outcome")

    def signpost(self, code: str) -> parts.Signpost:
        return self._one(self.signposts, code, "signpost")

    def obligation(self, code: str) -> parts.Obligation:
        return self._one(self.obligations, code, "obligation")

    def report(self, code: str) -> parts.Report:
        for report in self.reports:
            if report.code == code:
                return report
        raise self._none("report", code, [report.code for report in self.reports])

    def report_for(self, kind: str) -> parts.Report:
        """The first report owed for such a period ("month", "quarter", "half_year", "annual")."""
        for report in self.reports:
            if KIND_OF[report.every] == kind:
                return report
        listed = ", ".join(f"{one.code} (every {one.every})" for one in self.reports)
        raise InvalidInput(f"No report of {self.key} is for such a period. It has: {listed}.")

    def period(self, label: str) -> Period:
        """The period that a label names in the contract's own year ("2026-27-Q1")."""
        try:
            return periods.period(label, self.year_starts_month)
        except periods.BadPeriod as error:
            raise InvalidInput(str(error)) from None

    def period_of(self, asked: parts.Report, label: str) -> Period:
        """The same; InvalidInput too for one that the report is not made for."""
        found = self.period(label)
        if found.kind != KIND_OF[asked.every]:
            said, example = periods.EXAMPLES[asked.every]
            raise InvalidInput(f"{label} is not {said}: write {example}.")
        return found

    def measure(self, code: str) -> Measure:
        found = self.measures.get(code)
        if found is None:
            raise self._none("measure", code, list(self.measures))
        return found

    def find_clock(self, code: str) -> parts.Clock | None:
        """None for a clock the file no longer has: a promise already made outlives it."""
        return next((clock for clock in self.clocks if clock.code == code), None)

    # --- what follows from the facts --------------------------------------------------------------

    def clocks_for(
        self, start: ClockStart, urgency: str, reason: str, kind: str = CaseKind.ADVICE
    ) -> tuple[parts.Clock, ...]:
        """The clocks that `start` begins for a case of this urgency, reason and kind."""
        begun = (clock for clock in self.clocks if clock.starts is start)
        return tuple(clock for clock in begun if clock.applies(urgency, reason, kind))

    def kind_for(self, reason: str) -> CaseKind:
        """The kind of case that a reason opens; a code the contract has not opens advice."""
        return next((one.opens for one in self.reasons if one.code == reason), CaseKind.ADVICE)

    @cached_property
    def reported_clocks(self) -> tuple[parts.Clock, ...]:
        """The promises that reports count: those every contact begins. What an allegation or a
        complaint begins happens to so few that its counts would name them."""
        return tuple(clock for clock in self.clocks if clock.starts is ClockStart.RECEIPT)

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """Every measure by its code; a contract's own instead of a shared one of that code."""
        shared = (one for table in self.measure_tables for one in table.measures)
        clocks = self.reported_clocks
        return {
            one.code: one for part in (shared, self.own_measures) for one in expanded(part, clocks)
        }

    @cached_property
    def splits(self) -> tuple[Split, ...]:
        """Measures that add up to another."""
        shared = (one for table in self.measure_tables for one in table.splits)
        return tuple(expanded_splits((*shared, *self.own_splits), self.reported_clocks))

    @cached_property
    def has_conditions(self) -> bool:
        """Whether some clock runs only for certain urgencies, reasons or kinds."""
        return any(one.only_urgency or one.only_reasons or one.only_kinds for one in self.clocks)

    def plan(self, clock: parts.Clock, started_at: datetime) -> clock_rules.Plan:
        """When what began at an instant is due by one of the contract's clocks."""
        return clock_rules.plan(clock.terms, started_at, self.days)

    @cached_property
    def days(self) -> Calendar:
        """Working and closed days, for rules/clocks.py."""
        assert self.holidays is not None, "loaded contracts have a table of holidays"
        closed = (day.split("-") for day in self.calendar.closed_each_year)
        known = self.holidays.rules
        added = {one.day for one in self.calendar.added}
        return Calendar(
            replace(known, days=known.days | added),
            closed_on_holidays=self.calendar.closed_on_holidays,
            closed_each_year=frozenset((int(month), int(day)) for month, day in closed),
            zone=self.zone,
        )

    @cached_property
    def busy_times(self) -> tuple[rota_rules.Needed, ...]:
        """When the first line needs more than one, for rules/rota.py."""
        busy = self.duty_rota.busy if self.duty_rota else ()
        return tuple(
            (
                (
                    rota_rules.instant(datetime.combine(one.first_day, time()), self.zone),
                    rota_rules.instant(
                        datetime.combine(one.last_day + timedelta(days=1), time()), self.zone
                    ),
                ),
                one.people,
            )
            for one in busy
        )

    def method_for(self, channel: str) -> str:
        """The report's method for a raw channel; a simulated one counts as what it simulates.

        "simulator_sms" and "simulator:sms" are read as sms. A channel that no method names is
        counted under "other": a report must not lose a contact over a word.
        """
        raw = channel.strip().lower()
        simulated = raw.removeprefix("simulator").lstrip(":-_./")
        return self._channels.get(raw) or self._channels.get(simulated) or LAST_RESORT

    def population(self, group: str, quadrant: str | None, on: date) -> parts.Population | None:
        """The newest count not later than `on`; quadrant None is the whole county, never a sum."""
        known = [
            population
            for population in self.populations
            if population.group == group
            and population.quadrant == quadrant
            and population.as_of <= on
        ]
        return max(known, key=lambda population: population.as_of, default=None)

    def quadrant_of_team(self, code: str) -> str | None:
        """None where the team covers the whole county: then only the home says which (A10)."""
        return self._one(self.teams, code, "team").quadrant

    def suggest_quadrant(self, postcode: str) -> Suggestion:
        """A guess from a postcode, with its confidence; it never decides who is eligible (A11)."""
        return suggest_quadrant(postcode, self.outcodes)

    def nouns(self, group: str = UNKNOWN) -> Nouns:
        """What people are called in the texts of an allegation about somebody of this group."""
        return nouns(self.called, next((one for one in self.groups if one.code == group), None))

    def way(self, group: str = UNKNOWN) -> PathwayTable | None:
        """What usually happens after an allegation about somebody of this group, in their words and
        with what applies to them; None where the contract names no pathway."""
        return self._ways.get(group) or self._ways.get(UNKNOWN)

    @cached_property
    def _ways(self) -> dict[str, PathwayTable]:
        if self.path is None:
            return {}
        codes = {UNKNOWN, *(one.code for one in self.groups)}
        return {code: self.path.said_of(self.nouns(code)) for code in codes}

    def is_allegation(self, reason: str, part: str | None = None) -> bool:
        """Whether a case with this reason (and part, "abuse.x") is an allegation case (A40)."""
        whole = self.reason(reason)
        code = part or reason
        return whole.allegation or any(p.allegation for p in whole.parts if p.code == code)

    def menu(self) -> tuple[parts.Reason, ...]:
        """The reasons offered by number in a text message: the first is 1."""
        return tuple(reason for reason in self.reasons if reason.menu is not None)

    def first_answer_lines(self) -> tuple[str, ...]:
        """The emergency signposts that the first answer to anyone carries."""
        return tuple(signpost.line for signpost in self.signposts if signpost.first_answer)

    # --- people's words → our codes ---------------------------------------------------------------

    def find_word(self, kind: Kind, text: str) -> str | None:
        """The code that a code, a name or a synonym means; case, spaces and marks do not matter.

        "reason" always answers with a whole reason ("Mortgages" → finance); "part" answers with
        the finer code ("finance.mortgages").
        """
        return self._words[kind].get(squeezed(text))

    def allowed(self, kind: Kind) -> list[str]:
        """The codes of a kind in the file's order, for a sentence that says what would be right."""
        return [worded.code for worded in self._kinds[kind]]

    @cached_property
    def _kinds(self) -> dict[str, tuple[Worded, ...]]:
        return {
            "reason": self.reasons,
            "part": tuple(part for reason in self.reasons for part in reason.parts),
            "support": self.support,
            "method": self.methods,
            "group": self.groups,
            "outcome": self.outcomes,
            "quadrant": (*self.quadrants, self.unknown_quadrant),
            "team": self.teams,
            "evidence": self.evidence,
        }

    @cached_property
    def _words(self) -> dict[str, dict[str, str]]:
        words = {kind: _index(worded) for kind, worded in self._kinds.items()}
        for word, code in words["part"].items():
            words["reason"].setdefault(word, code.partition(".")[0])
        for channel, code in self._channels.items():
            words["method"].setdefault(squeezed(channel), code)
        return words

    @cached_property
    def _channels(self) -> dict[str, str]:
        return {channel: method.code for method in self.methods for channel in method.channels}

    def _one(self, coded: Iterable[_Coded], code: str, what: str) -> _Coded:
        coded = tuple(coded)
        for one in coded:
            if one.code == code:
                return one
        raise self._none(what, code, [one.code for one in coded])

    def _none(self, what: str, code: str, known: list[str]) -> InvalidInput:
        listed = ", ".join(known)
        return InvalidInput(f"The contract {self.key} has no {what} “{code}”. It has: {listed}.")


def _index(worded: Iterable[Worded]) -> dict[str, str]:
    return {
        squeezed(word): one.code for one in worded for word in (one.code, one.name, *one.synonyms)
    }
