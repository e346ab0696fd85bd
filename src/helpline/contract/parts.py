"""The parts a contract is made of, each the shape of one table of a contract file.

Only contract/agreement.py puts them together. They hold facts and check types and ranges; what
must hold between parts is in contract/checks.py, and nothing here looks outside its own part.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from helpline.rules import calendar, clocks, retention, saying
from helpline.rules import obligations as obligation_rules
from helpline.rules import papers as paper_rules
from helpline.vocabulary import (
    CaseKind,
    ClockStart,
    ClockStop,
    ComplaintKind,
    PaperKind,
    Unit,
    Urgency,
)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
PartCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Yes = Annotated[bool, Field(strict=True)]
Day = Annotated[date, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[int, Field(strict=True, gt=0)]
Hour = Annotated[float, Field(strict=True, gt=0)]
Amount = Annotated[float, Field(strict=True, ge=0, le=100_000)]
DayOfYear = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Rung = Literal["on_call", "backup", "lead", "manager", "worker", "safeguarding", "complaints"]
Dimension = Literal["quadrant", "carer_type", "method", "reason", "support"]


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


DayOrNone = Annotated[Day | None, BeforeValidator(_empty_is_none)]


class Table(BaseModel):
    """A table of the file: unknown keys are refused, and nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Table):
    """Something somebody could be wrong about: where it comes from, and when it was last checked.

    `mark`: "seed" stands in the contract's own words; "derived" is our reading or a choice that a
    setting can change; "from knowledge" must be looked at again (`last_verified`, or `verify`: the
    sentence that says what to find out); "fictional" is for the demo only.
    """

    source: str = ""
    mark: Literal["seed", "derived", "from knowledge", "fictional"] = "seed"
    last_verified: DayOrNone = None
    verify: Text | None = None


class Worded(Fact):
    """A code, what people read for it, and what else people write for it (imports, own words)."""

    code: Code
    name: Text
    synonyms: tuple[Text, ...] = ()


# --- term, helpline, law --------------------------------------------------------------------------


class Term(Fact):
    """First and last day (inclusive) and what happens to new cases after the last (A12)."""

    start: Day
    end: Day
    extension_end: DayOrNone = None
    after_end: Literal["warn", "refuse"]

    @property
    def last_day(self) -> date:
        """The last day with every possible extension taken."""
        return self.extension_end or self.end


class Freephone(Fact):
    """The number that costs the caller nothing and is answered day and night (A49)."""

    number: Text
    hours: Text


class LegalBasis(Fact):
    """Why allegation support is a duty: the contract's own words, and the rule it cites (A03)."""

    words: Text
    cited: Text
    note: Text


class Capacity(Fact):
    """What the council expects: allegation requests a contract year (A06)."""

    allegation_requests_a_year: Positive
    words: Text


class AgeLimit(Fact):
    """The young person in the household must be younger than `years` (A35, D8)."""

    years: Positive
    includes_birthday: Yes = False  # True: still covered on the birthday itself
    groups: tuple[Code, ...]
    rule: Text

    def covers(self, born: date, on: date) -> bool:
        """Whether a young person born then is within the limit on that day.

        Somebody born on 29 February has their birthday on 1 March in a common year.
        """
        if (born.month, born.day) == (2, 29):
            birthday = date(born.year + self.years, 3, 1)
            if _is_leap(birthday.year):
                birthday = date(birthday.year, 2, 29)
        else:
            birthday = born.replace(year=born.year + self.years)
        return on <= birthday if self.includes_birthday else on < birthday


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


# --- where ----------------------------------------------------------------------------------------


class Area(Worded):
    """A reporting area (quadrant) and the district councils in it (A07)."""

    districts: tuple[Text, ...] = ()


class Team(Worded):
    """A council team; `quadrant` is None where the team covers the whole county (A08, A10)."""

    quadrant: Code | None = None
    groups: tuple[Code, ...]
    base: str = ""


class Exclusion(Worded):
    """Who is out of scope, why, and the code of the signpost they are given (A02, A09). `said`:
    what their carers call them besides ("my agency")."""

    reason: Text
    said: tuple[Text, ...] = ()
    signpost: Code
    areas: tuple[Text, ...] = ()  # as the postcode file writes them


class Postcodes(Fact):
    """The file beside the contract that says which postcode district lies where."""

    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.csv$")]
    outside: Text  # the file's word for "not in this council's area"
    licence: Text


# --- who ------------------------------------------------------------------------------------------


class Called(Fact):
    """What the line and those who use it are called, so that nobody is called what they are not.
    `us`: "This is the …". `one`, `many`: who uses it. `ours`: for whom it is. `subject`: whom an
    allegation is about. `choose`: for whom, where people choose among councils. `service`: who of
    the council looks into it, `link`: the person's own worker there; a group may have its own."""

    us: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=45)]
    one: Text
    many: Text
    ours: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=110)]
    subject: Text
    choose: Text
    service: Text = "fostering service"
    link: Text = "supervising social worker"


class Group(Worded):
    """A kind of person; `counts_as` says in which line of a report they may stand (A54–A58).
    `called`, `service`, `link`: what one of them, the service that looks into an allegation and
    their own worker there are called in its texts; None: as the contract calls them."""

    counts_as: Literal["carer", "family", "professional", "other"]
    fostering_law: Yes = True  # False: the standards, the regulations and the IRM do not apply
    called: Text | None = None
    service: Text | None = None
    link: Text | None = None
    seed: str = ""


class Population(Fact):
    """How many there are, on which day: the denominator of a percentage (A05, D6, D9)."""

    code: Code
    label: Text
    count: Count
    as_of: Day
    as_of_said: str = ""  # the source's words where it gives no day
    unit: Literal["people", "households", "children"]
    group: Code | None = None
    quadrant: Code | None = None  # None: the whole county


class Commissioner(Worded):
    """A role at the council to whom reports are given (A62)."""

    recipient: Yes = True


class Partner(Worded):
    """An organisation worked with, and what for (A13)."""

    role: Text


class Entitlement(Worded):
    """Something members are covered for, and which groups (A30–A35, A38)."""

    seed: Text
    groups: tuple[Code, ...]


# --- what -----------------------------------------------------------------------------------------


class Part(Worded):
    """A finer reason; its code is the reason's code, a dot and a word (A37, A40)."""

    code: PartCode
    seed: str = ""
    allegation: Yes = False


class Reason(Worded):
    """Why somebody came. `menu`: short words for the numbered menu of a text, None keeps it out.
    `opens`: the kind of case that it opens."""

    menu: Text | None = None
    opens: CaseKind = CaseKind.ADVICE
    parts: tuple[Part, ...] = ()
    seed: str = ""
    allegation: Yes = False


class Support(Worded):
    """What somebody got; never the same field as the reason. `needs`: who may give it (A28)."""

    seed: str = ""
    needs: Literal["legal", "medical", "counselling"] | None = None


class Level(Worded):
    """How deep a support went (A29)."""


class Method(Worded):
    """A method of seeking support as reports print it, and the raw channels it covers (A53)."""

    channels: tuple[Code, ...]


class Outcome(Worded):
    """`contact`: how a contact ended; `case`: why a case closed; `change`: what got better."""

    kind: Literal["contact", "case", "change"]


class NamedOutcome(Fact):
    """An outcome of the council's own plan that reports are written against (A17)."""

    code: Code
    words: Text


class Evidence(Worded):
    """Something the provider must show that it does (A68–A73, A13, A24, A25, A76)."""

    seed: Text


# --- when -----------------------------------------------------------------------------------------


class Holiday(Table):
    day: Day
    name: Text


class Days(Fact):
    """Which days count: the table of bank holidays, those `added` since it was written, and the
    days on which the service is closed whatever the weekday, as "12-25" (D13)."""

    holidays: Code  # the file of that name in the folder calendars
    added: tuple[Holiday, ...] = ()
    closed_on_holidays: Yes = False
    closed_each_year: tuple[DayOfYear, ...] = ()


class HolidayTable(Fact):
    """A file of the folder calendars: the bank holidays from one day to another."""

    key: Code
    name: Text
    first: Day
    last: Day
    holidays: Annotated[tuple[Holiday, ...], Field(min_length=1)]

    @property
    def rules(self) -> calendar.Holidays:
        return calendar.Holidays(frozenset(one.day for one in self.holidays), self.first, self.last)


class Or(Table):
    """The other limit of a clock that ends with the sooner of two."""

    limit: Amount
    unit: Unit


class Clock(Worded):
    """A promise with a time on it: what starts and what meets it, the limit and its unit, a target
    before the limit, when to warn and whom to alert (A50, A51; L01; P01; P09; P27; L08)."""

    starts: ClockStart
    stops: ClockStop
    limit: Amount
    unit: Unit
    target: Amount | None = None  # in the same unit
    or_sooner: Or | None = None
    day_ends: Annotated[time, Field(strict=True)] = clocks.DAY_ENDS  # for units of days
    rolls: Yes = False  # a last day that is no working day becomes the next one
    warn_after_hours: tuple[Hour, ...] = ()
    warn_before_hours: tuple[Hour, ...] = ()
    only_urgency: tuple[Urgency, ...] = ()  # empty: whatever the urgency
    only_reasons: tuple[Code, ...] = ()
    only_kinds: tuple[CaseKind, ...] = ()
    reopening: Literal["restart", "keep"] = "restart"
    rungs: tuple[Rung, ...] = ()  # empty: the contract's ladder

    @property
    def terms(self) -> clocks.Terms:
        """The same for rules/clocks.py."""
        target = None if self.target is None else self._limit(self.target, self.unit)
        sooner = None
        if self.or_sooner is not None:
            sooner = self._limit(self.or_sooner.limit, self.or_sooner.unit)
        return clocks.Terms(
            self._limit(self.limit, self.unit),
            sooner=sooner,
            target=target,
            warn_after_hours=self.warn_after_hours,
            warn_before_hours=self.warn_before_hours,
        )

    def _limit(self, amount: float, unit: Unit) -> clocks.Limit:
        return clocks.Limit(amount, unit, self.day_ends, self.rolls)

    @property
    def within(self) -> str:
        """The limit as people say it: "within 24 hours"."""
        return saying.within(self.limit, self.unit)

    def applies(self, urgency: str, reason: str, kind: str = CaseKind.ADVICE) -> bool:
        """Whether it runs for a case of this urgency, reason and kind."""
        return (
            (not self.only_urgency or urgency in self.only_urgency)
            and (not self.only_reasons or reason in self.only_reasons)
            and (not self.only_kinds or kind in self.only_kinds)
        )


class Ladder(Fact):
    """Whom an alert climbs to until somebody acknowledges it, round and round."""

    minutes_between_rungs: Positive
    minutes_to_act: Positive = 30  # whoever takes an alert and does nothing gives it back
    hours_to_accept: Positive = 4  # a naming that nobody answered is a lead's again
    rungs: Annotated[tuple[Rung, ...], Field(min_length=1)]


class MonthlyList(Fact):
    """By the end of which day of each month the council's list of that month is here (P14)."""

    by_day: Annotated[int, Field(strict=True, ge=1, le=28)]


class Privacy(Fact):
    """What people are told of what is kept about them: what, why, how long and where to read more
    (K13). `line` in the first answer, `answer` to who asks, `spoken` on the telephone."""

    line: Annotated[str, StringConstraints(min_length=1, max_length=110)]
    answer: Annotated[str, StringConstraints(min_length=1, max_length=600)]
    spoken: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    page: Text


class Silence(Fact):
    """After how many days without a word from the person their support worker is given the task to
    try again, after how many more a lead looks, and how many they have for it (A36; 004 §2.3)."""

    days: Positive
    pathway_days: Positive  # of an allegation or a concern about standards of care
    lead_after_days: Positive
    task_days: Positive = 2

    def of(self, kind: str) -> int:
        """The days of a kind of case."""
        return self.pathway_days if CaseKind(kind).is_pathway else self.days


class Reading(Table):
    """From where on what somebody reads is looked into (rules/reading.py): so many cases in an hour
    and so many times what is usual, so many at night that they have no part in, so many searches
    while they open fewer cases than that."""

    cases_in_hour: Positive = 25
    times_usual: Positive = 3
    at_night: Positive = 5
    searches_in_hour: Positive = 20
    opened_at_least: Positive = 3
    night_from: time = time(22)
    night_to: time = time(6)


class HappeningTask(Table):
    """Something to be done after it, by the end of so many working days (0: today)."""

    what: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
    working_days: Count


class Happening(Worded):
    """Something that happens on a case and brings work with it: a placement at risk, an ending
    that nobody planned (P13, L15, N19)."""

    says: Text
    tasks: Annotated[tuple[HappeningTask, ...], Field(min_length=1)]


class ReferralField(Table):
    """Something a referral says; `required`: it is asked for until it is there. `ours`: what we
    write down of our own answer, never asked of the referrer; the answer counts with it (L01)."""

    code: Code
    name: Text
    hint: str = ""
    required: Yes = True
    ours: Yes = False
    long: Yes = False  # more than a line


class Referral(Fact):
    """What a professional who sends somebody must tell us (004 §2.3), how many days the referrer is
    given for what is missing, and whose agreement it needs first, if anybody's: of everybody, or of
    the groups in `agreement_for` only (K02)."""

    fields: Annotated[tuple[ReferralField, ...], Field(min_length=1)]
    chase_days: Positive = 2
    agreement_of: Text | None = None
    agreement_for: tuple[Code, ...] = ()

    def agreed_by(self, group: str) -> str | None:
        """Whose agreement a referral of somebody of this group needs first."""
        return self.agreement_of if not self.agreement_for or group in self.agreement_for else None


class WhatsApp(Fact):
    """The approved template that carries an answer once the 24 hours after the person's last
    message are over. `words` as approved: {{1}} is the answer."""

    content_sid: Annotated[str, StringConstraints(pattern=r"^HX[0-9a-f]{32}$")]
    words: Annotated[str, StringConstraints(pattern=r"\{\{1\}\}", max_length=400)]


class Busy(Table):
    """Local days, the first and the last included, on which `people` must be on call."""

    first_day: date
    last_day: date
    people: Positive


class DutyRota(Fact):
    """Who is given the duty rota, as a sheet: the code of a signpost. `busy`: days that need more
    than one in the first line. `fee_pounds` for each `fee_hours` on duty, where somebody is paid
    for it (001 §6.1.5)."""

    recipient: Code
    busy: tuple[Busy, ...] = ()
    fee_pounds: Positive | None = None
    fee_hours: Positive = 24


class OfficeDay(Table):
    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    opens: Annotated[time, Field(strict=True)]
    closes: Annotated[time, Field(strict=True)]


class OfficeHours(Fact):
    """When the council's own offices are open; outside them a contact is out of hours (A23)."""

    days: tuple[OfficeDay, ...]
    open_on_bank_holidays: Yes


class Retention(Fact):
    """How long something is kept, counted from what. `cases`: the kinds of closed case it is for;
    `counselling`: for a case with counselling; `anonymous`: of people nobody knows. The longest of
    those that fit holds. `child_until_age`: a child's is kept at least to that birthday."""

    code: Code
    name: Text
    keep: Positive
    unit: Literal["days", "months", "years"]
    starts: Text
    cases: tuple[CaseKind, ...] = ()
    counselling: Yes = False
    anonymous: Yes = False
    child_until_age: Positive | None = None

    @property
    def rule(self) -> retention.Rule:
        """The same for rules/retention.py."""
        return retention.Rule(
            self.code,
            self.keep,
            self.unit,
            frozenset(self.cases),
            self.counselling,
            self.anonymous,
            self.child_until_age,
        )


class SharingBasis(Fact):
    """A legal basis on which somebody outside may be told something, and the law it cites."""

    code: Code
    name: Text
    cited: Text


# --- whom else to ring ----------------------------------------------------------------------------


class Signpost(Worded):
    """Somebody else to ring. `line` is the short text for a message; `when` is for whom it fits.

    `first_answer`: stands in the first answer to anyone. `topics`: the cues that bring it up.
    """

    contact: Text
    when: Text
    hours: str = ""
    line: Annotated[str, StringConstraints(min_length=1, max_length=160)]
    audience: Literal["everyone", "carers", "children", "professionals", "ineligible"]
    first_answer: Yes = False
    topics: tuple[Code, ...] = ()


class News(Fact):
    """How news that members agreed to is sent: so many a minute, within local hours, every day of
    the week. `days_before`: when whoever booked a gathering is reminded of it (A43)."""

    per_minute: Positive = 30
    begins: Annotated[time, Field(strict=True)] = time(9)
    ends: Annotated[time, Field(strict=True)] = time(19)
    days_before: Positive = 1


# --- what is owed, and who may do the work --------------------------------------------------------


class Owing(Fact):
    """What is owed for some years of a contract only (004 §4.3, K12): for whatever ends between
    `since` and `until`, the first and the last day; without one, for as long as it runs."""

    since: DayOrNone = None
    until: DayOrNone = None

    def owes(self, day: date) -> bool:
        """Whether it is owed for what ends on that day."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )


class Obligation(Worded, Owing):
    """Something owed to somebody again and again (L08, L12, L13, P20, P28). `anchor` or `on` is a
    day of each period, `amount` of `unit` after it, or before it where negative. "when_named": a
    person gives each day; `counted_from` takes its days from another obligation instead."""

    to: Text
    every: obligation_rules.Every
    anchor: obligation_rules.Anchor = "last_day"
    on: DayOfYear | None = None
    amount: Annotated[int, Field(strict=True, ge=-400, le=400)] = 0
    unit: obligation_rules.OffsetUnit = "working_days"
    rolls: Yes = False  # a day that is no working day becomes the next one
    skips_last_of_month: Yes = False  # of what is owed every week (001 §7)
    counted_from: Code | None = None
    warn_days: tuple[Positive, ...] = (14, 3)
    agenda: tuple[Text, ...] = ()  # what stands on it each time, of a meeting (P20)
    report: Literal["quarter", "annual"] | None = None

    @property
    def rule(self) -> obligation_rules.Recurring:
        """The same for rules/obligations.py."""
        month, _, day = (self.on or "").partition("-")
        on = (int(month), int(day)) if self.on else None
        return obligation_rules.Recurring(
            self.every,
            self.anchor,
            on,
            self.amount,
            self.unit,
            self.rolls,
            self.skips_last_of_month,
        )


class PaperRule(Worded):
    """A paper that whoever works on cases must have (A27, L20, K18). `stops`: whether one that is
    over, or missing, keeps somebody from being named on a case."""

    kind: PaperKind
    least_level: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None
    stops: paper_rules.Stops = "never"
    renew_months: Positive | None = None  # gives its last day when none is written down
    renew_days: Positive | None = None  # instead, of what is due every fortnight
    warn_days: Positive | None = None  # instead of the contract's

    @property
    def rule(self) -> paper_rules.Needed:
        """The same for rules/papers.py."""
        return paper_rules.Needed(
            self.kind, self.name, self.stops, self.least_level, self.warn_days
        )


class Staff(Fact):
    """What the contract asks of our own people, and how long before it runs out leads hear."""

    warn_days: Positive = 60
    papers: tuple[PaperRule, ...] = ()


# --- what is shown --------------------------------------------------------------------------------


class Policy(Worded):
    """A rule or paper the service keeps to (A16)."""

    version: str = ""


class Stage(Worded):
    """A stage of a complaint: whose complaint it is, and the clocks of its answer, the second for
    when more time was taken. Stages of a kind follow each other in the order of the file."""

    kind: ComplaintKind
    clock: Code
    extended: Code | None = None


class Complaints(Fact):
    """Our own procedure, the council's paper beside it, what complaints are about, their stages,
    and what may be done about them (A77–A79)."""

    own_procedure: Text
    commissioner_policy: Text
    told: tuple[Literal["on_joining", "on_request"], ...]
    subjects: Annotated[tuple[Worded, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    actions: Annotated[tuple[Worded, ...], Field(min_length=1)]
    compliments: tuple[Worded, ...] = ()

    def stages_of(self, kind: str) -> tuple[Stage, ...]:
        return tuple(stage for stage in self.stages if stage.kind == kind)


class Notify(Worded):
    """Somebody who is owed word of an incident, by which clock."""

    clock: Code


class Notice(Worded):
    """Word that somebody is owed of an allegation, by which clock (P01, P02, N02, N03)."""

    clock: Code  # one that an allegation begins
    to: Text  # whom we tell
    must_say: tuple[Text, ...] = ()
    asks_authority: Yes = False  # which one it is differs and is written down
    only_alleged_by: tuple[
        Literal["fostered_child", "birth_family", "professional", "other", "not_told"], ...
    ] = ()  # empty: whoever made it (D19)
    not_sent_signed_by: Literal["worker", "lead", "safeguarding"] = "lead"
    outcome_clock: Code | None = None  # a second word, of how it ended, is owed by this clock
    answer_clock: Code | None = None  # the wait for an answer, and for each chasing after it
    chases: Count = 0  # the last of them writes to the director of children's services


class IncidentKind(Worded):
    """A kind of incident, what it starts, and who is owed word of it (N04)."""

    starts: Literal["incident", "data_breach"] = "incident"
    asks_child: Yes = False  # the child's view is sought (N12)
    notify: tuple[Notify, ...] = ()
    seed: str = ""


class Feedback(Fact):
    """When people are asked how it was, and what their answers are sorted by (A66, A73, K11).
    Days are calendar days; hours are local and those in which we ask at all."""

    not_again_days: Positive
    later_days: Positive
    ongoing_days: Positive
    crisis_days: Positive  # how long after a crisis nobody is asked
    pathway_days: Positive  # an allegation younger than this is not asked about
    open_days: Positive  # how long an answer by one digit is taken for one
    opens: Annotated[time, Field(strict=True)]
    closes: Annotated[time, Field(strict=True)]
    child_groups: tuple[Code, ...] = ()
    themes: Annotated[tuple[Worded, ...], Field(min_length=1)]


class AllegationCounts(Table):
    """How far numbers of allegations go out: they are few, and every crossing names them."""

    every: Literal["month", "quarter", "half_year", "year"]  # for no shorter period
    never_by: tuple[Literal["quadrant", "carer_type", "track", "made_by", "repeated"], ...]
    crossed: Yes  # whether they may be cut by two things at once
    whole: Text  # what all quadrants together are called: "the whole county"

    @property
    def sentence(self) -> str:
        """The same in words, for the reader of a report."""
        said = [_YEARLY[self.every]]
        said += [f"for {self.whole}"] if "quadrant" in self.never_by else []
        said += [f"never by {_CUT[one]}" for one in self.never_by if one != "quadrant"]
        said += [] if self.crossed else ["by one thing at a time"]
        return f"Allegation counts only {', '.join(said)}."


_YEARLY: Final = {
    "month": "monthly",
    "quarter": "quarterly",
    "half_year": "half-yearly",
    "year": "yearly",
}
_CUT: Final = {
    "carer_type": "kind of person",
    "track": "what they are handled as",
    "made_by": "who made them",
    "repeated": "how often somebody was named",
}


class Disclosure(Fact):
    """How small numbers are kept from naming people in what leaves the provider (D16)."""

    applies: Yes
    threshold: Positive  # counts from 1 to threshold - 1 are hidden
    symbol: Text
    secondary: Yes
    round_to: Positive  # 1: shown counts are not rounded
    percent_needs_denominator: Positive
    allegations: AllegationCounts


class ReportLine(Table):
    """One part of a report: what it asks, its measures and every way in which it shows them; or
    what somebody is to write (`asks`). `against`: the outcomes of the council's own plan that it is
    written against, which stand above it (A17)."""

    code: Code
    title: Text
    seed: str = ""
    asks: str = ""  # what the provider writes here
    against: tuple[Code, ...] = ()
    measures: tuple[Text, ...] = ()
    by: tuple[tuple[Text, ...], ...] = ((),)  # () is the total
    groups: tuple[Code, ...] = ()  # empty: everybody


class Report(Owing):
    """A report owed to the council: when, to whom, with which lines (A59–A67, D11). It can be made
    for any period, whether or not it is owed then."""

    code: Code
    title: Text
    every: Literal["month", "quarter", "half_year", "year"]
    breakdown: tuple[Text, ...] = ()
    recipients: tuple[Code, ...]
    due_working_days: Positive | None = None  # after the last day of the period; None: not agreed
    meeting: Code | None = None  # the obligation that it is owed before, by its own working days
    opens: str = ""  # the sentence it begins with
    lines: Annotated[tuple[ReportLine, ...], Field(min_length=1)]


class OpenQuestion(Table):
    """Something the contract leaves open, and what is done until it is answered."""

    code: Code
    question: Text
    until_then: Text
