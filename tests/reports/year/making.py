"""Makes a record of a year by chance from a seed: the same seed makes the same year.

It goes after what is hard to count: both midnights of every month in London, the hours of the clock
changes, promises met to the very microsecond, cases that end in a later quarter or not at all,
people who move or become another kind of carer, and codes that nobody knows any more.
"""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from helpline.contract import Contract
from tests.reports.year.record import (
    RETIRED,
    Alleged,
    Asked,
    Case,
    Complaint,
    Contact,
    Happened,
    Listed,
    Promise,
    Record,
    Shown,
    Supplied,
    months_on,
    periods,
)

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
KINDS = "advice allegation standards referral consultation complaint data_complaint".split()
WHY_OUT = "young_person_over approval_ended override".split()
"""Beside the contract's own exclusions."""
BEFORE = timedelta(days=45)
"""How long before the year the record begins, so that something is open already."""
CLOCK_CHANGES = (
    datetime(2026, 10, 24, 18, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC),
    datetime(2027, 3, 28, 1, tzinfo=UTC),
)


def make(
    contract: Contract, seed: int, contacts: int, first: date, now: datetime | None = None
) -> Record:
    """A year that begins on `first` in which so many contacts came in and count, as it is known at
    `now` (aware): by itself five hours after the year is over."""
    over = midnight(months_on(first, 12), contract.zone)
    record = Record(contract.key, contract.zone, first, now or over + timedelta(hours=5))
    _Making(contract, random.Random(f"{contract.key} {seed}"), record).all(contacts)
    return record


def midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


class _Making:
    def __init__(self, contract: Contract, chance: random.Random, record: Record) -> None:
        self.contract, self.chance, self.record = contract, chance, record
        zone, first = contract.zone, record.first
        self.midnights = [midnight(months_on(first, number), zone) for number in range(13)]
        self.start, self.over = self.midnights[0], self.midnights[-1]
        self.codes = {
            "group": _few([one.code for one in contract.groups], "unknown", RETIRED),
            "quadrant": _few([one.code for one in contract.quadrants], "unknown", RETIRED),
            "reason": _few(_with_parts(contract), "unknown", RETIRED),
            "method": _few([one.code for one in contract.methods], RETIRED),
            "support": _few([one.code for one in contract.support], RETIRED),
            "outcome": _few([one.code for one in contract.outcomes], None, RETIRED),
            "kind": _few(KINDS),
            "eligibility": ((None, "in", "unknown", "professional", "out"), (20, 86, 93, 95, 100)),
            "why_out": _few([*(one.code for one in contract.exclusions), *WHY_OUT]),
        }
        self.counted = 0
        self.of: dict[int, list[Case]] = {}
        self.moves: dict[int, tuple[datetime, str, str]] = {}

    def all(self, contacts: int) -> None:
        self._people(max(12, contacts // 9))
        for at in self._edges():
            self._case(at)
            self._case(at - 20 * DAY, closed=at)
        while self.counted < contacts:
            self._case(self._some_time(self.start - BEFORE, self.record.now))
        self._in_every_quarter()
        self._allegations()
        self._asked(contacts // 16)
        self._registers(max(60, contacts // 150))
        self._supplied()
        self._lists()

    # --- who, when, which code --------------------------------------------------------------------

    def _pick(self, what: str) -> Any:
        codes, weights = self.codes[what]
        return self.chance.choices(codes, cum_weights=weights)[0]

    def _some_time(self, first: datetime, last: datetime) -> datetime:
        at = first + timedelta(seconds=int(self.chance.random() * (last - first).total_seconds()))
        return at + TICK * self.chance.randrange(1, 10**6) if self.chance.random() < 0.1 else at

    def _later(self, at: datetime, days: float) -> datetime:
        """After some days, sooner rather than later."""
        return at + timedelta(seconds=60 + int(self.chance.expovariate(1 / (days * 86_400))))

    def _edges(self) -> list[datetime]:
        """The last instant of each month and the first of the next, in London; the hours in which
        clocks change; now."""
        edges = [at for one in self.midnights for at in (one - TICK, one)]
        edges += CLOCK_CHANGES
        return [at for at in edges if at < self.record.now]

    def _people(self, number: int) -> None:
        for who in range(1, number + 1):
            self.record.people[who] = self._pick("group"), self._pick("quadrant")
            chance = self.chance.random()
            if chance < 0.1:  # moves house, or becomes another kind of carer
                at = self._some_time(self.start, self.over)
                self.moves[who] = at, self._pick("group"), self._pick("quadrant")
            elif chance < 0.12:
                self.record.joined.append(who)
            elif chance < 0.125 and who > 1:
                self.record.parted.append((who - 1, who))
        self.record.people[1], self.record.people[2] = (RETIRED, RETIRED), ("unknown", "unknown")

    def _stands(self, who: int, at: datetime) -> tuple[str, str]:
        moved = self.moves.get(who)
        return moved[1:] if moved and moved[0] <= at else self.record.people[who]

    def _who(self) -> int:
        """Some turn to us often, most once or twice."""
        return 1 + int(self.chance.random() ** 1.7 * len(self.record.people))

    # --- cases, contacts, promises ----------------------------------------------------------------

    def _case(
        self, opened: datetime, who: int | None = None, closed: datetime | None = None
    ) -> Case:
        chance, now = self.chance, self.record.now
        who = who or self._who()
        group, quadrant = self._stands(who, opened)
        if closed is None and chance.random() < 0.8:
            closed = self._later(opened, 25)
        closed = closed if closed and opened < closed < now else None
        eligibility = self._pick("eligibility")
        case = Case(
            number=len(self.record.cases) + 1,
            who=who,
            opened=opened,
            group=group,
            quadrant=quadrant,
            reason=self._pick("reason"),
            method=self._pick("method"),
            kind=self._pick("kind"),
            allocated=None,
            closed=closed,
            outcome=self._pick("outcome") if closed else None,
            eligibility=eligibility,
            why_out=self._pick("why_out") if eligibility == "out" else None,
            supports=self._supports(),
        )
        self.record.cases.append(case)
        self.of.setdefault(who, []).append(case)
        self._contacts(case)
        self._promises(case)
        return case

    def _supports(self) -> tuple[str, ...]:
        number = self.chance.choice((0, 1, 1, 2, 3))
        return tuple(dict.fromkeys(self._pick("support") for _ in range(number)))

    def _contacts(self, case: Case) -> None:
        chance = self.chance
        self._contact(case, case.opened, "message", "text", is_in=True)
        last = min(self.record.now, (case.closed or self.record.now) + DAY)
        for _ in range(int(chance.expovariate(1 / 3.2))):
            at = self._later(case.opened, 6)
            if at >= last:
                continue
            is_in = chance.random() < 0.85
            kind = chance.choices(("message", "call", "automatic"), (70, 25, 5))[0]
            what = chance.choices(("text", "photo", "feedback"), (92, 5, 3))[0]
            self._contact(case, at, kind, what, is_in=is_in)
        if chance.random() < 0.01:
            at = chance.choice(self._edges())
            if case.opened < at < last:
                self._contact(case, at, "message", "text", is_in=True)

    def _contact(self, case: Case, at: datetime, kind: str, what: str, *, is_in: bool) -> None:
        chance = self.chance
        who = self._who() if chance.random() < 0.02 else case.who  # somebody with a part in it
        written = self._later(at, 3) if chance.random() < 0.08 else at  # written up days later
        method = case.method if chance.random() < 0.6 else self._pick("method")
        self.record.contacts.append(Contact(case, who, at, written, is_in, kind, what, method))
        counts = is_in and kind != "automatic" and what != "feedback" and case.eligibility != "out"
        self.counted += counts and self.start <= at < self.over

    def _promises(self, case: Case) -> None:
        chance, now = self.chance, self.record.now
        for clock in self.contract.reported_clocks:
            urgency = chance.choices(("standard", "emergency"), (92, 8))[0]
            if not clock.applies(urgency, case.reason, case.kind):
                continue
            promise = self._promise(case, clock.code, case.opened)
            if clock.code == "allocation" and promise.state == "met":
                case.allocated = promise.met
            if chance.random() < 0.02:  # opened again, and the clock with it
                again = self._later(case.opened, 40)
                if again < now:
                    self._promise(case, clock.code, again)
        if case.allocated is None and chance.random() < 0.3:
            at = self._later(case.opened, 20)
            case.allocated = at if at < now else None
        if chance.random() < 0.06:
            self._promise(case, chance.choice(("promise.call", RETIRED)), case.opened)

    def _promise(self, case: Case | None, clock: str, started: datetime) -> Promise:
        """Kept long before its time, on the very instant or just after it, much later, or never:
        still open, late, lapsed, or not waited for."""
        chance, now = self.chance, self.record.now
        known = self.contract.find_clock(clock)
        due = self.contract.plan(known, started).due_at if known else started + timedelta(hours=9)
        span = max(due - started, timedelta(minutes=10))
        draw = chance.random()
        met: datetime | None = started + timedelta(
            seconds=int(chance.expovariate(4 / span.total_seconds()))
        )
        if draw < 0.03:
            met = due
        elif draw < 0.05:
            met = due + TICK
        elif draw < 0.10:
            met = due + timedelta(seconds=int(chance.expovariate(1 / span.total_seconds())))
        elif draw < 0.15:
            met = None
        if met is not None and met >= now:
            met = None
        state = "met" if met else "open"
        if met is None and chance.random() < 0.4:
            state = "lapsed" if due < now else "cancelled"
        if 0.15 <= draw < 0.17:  # nobody waited for it any more, before it was late
            met, state = None, "cancelled"
        promise = Promise(case, clock, started, due, met, state)
        self.record.promises.append(promise)
        return promise

    def _in_every_quarter(self) -> None:
        """People who turn to us in every quarter: each is one person of the year."""
        for who in list(self.record.people)[:5]:
            for number in (1, 4, 7, 10):
                at = self.midnights[number] + timedelta(hours=who)
                if at < self.record.now:
                    self._case(at, who)

    # --- everything else --------------------------------------------------------------------------

    def _allegations(self) -> None:
        chance = self.chance
        tracks = "allegation standards complaint unknown".split()
        makers = "fostered_child birth_family professional other not_told".split()
        for case in chance.sample(self.record.cases, len(self.record.cases) // 50):
            at = min(case.opened + timedelta(hours=chance.randrange(200)), self.record.now - TICK)
            if chance.random() < 0.1:
                at = chance.choice(self._edges())
            some = [case, *self.of[case.who][: chance.choice((0, 0, 1))]]
            for one in some:  # about somebody about whom there was one, or two in one instant
                later = timedelta(days=chance.choice((0, 0, 1, 90)))
                told = at if one is case else min(at + later, self.record.now - TICK)
                self.record.allegations.append(
                    Alleged(
                        case=one,
                        who=case.who if chance.random() < 0.9 else self._who(),
                        at=told,
                        track=chance.choice(tracks),
                        made_by=chance.choice(makers),
                        is_mistake=chance.random() < 0.08,
                    )
                )

    def _asked(self, number: int) -> None:
        chance = self.chance
        with_cases = chance.sample(self.record.cases, min(number, len(self.record.cases)))
        for case in with_cases:
            at = min(self._later(case.closed or case.opened, 5), self.record.now - TICK)
            at = chance.choice(self._edges()) if chance.random() < 0.02 else at
            score = chance.choices((1, 2, 3, 4, 5, None), (2, 3, 8, 15, 22, 50))[0]
            self.record.asked.append(
                Asked(case.who, case if chance.random() < 0.95 else None, at, score)
            )

    def _registers(self, number: int) -> None:
        """Complaints, compliments, incidents, and what the contract asks to be shown."""
        chance, contract = self.chance, self.contract
        given = contract.complaints
        subjects = _few([one.code for one in given.subjects] if given else [], RETIRED)
        actions = _few([one.code for one in given.actions] if given else [], RETIRED)
        praised = _few([one.code for one in given.compliments] if given else [], RETIRED)
        incidents = _few([one.code for one in contract.incidents], RETIRED)
        shown = _few([one.code for one in contract.evidence], RETIRED)
        findings = ("upheld", "partly", "not_upheld", "withdrawn", "forwarded", None)

        def one(codes: tuple[Sequence[Any], Sequence[int]]) -> Any:
            return chance.choices(codes[0], cum_weights=codes[1])[0]

        times = [self._some_time(self.start - BEFORE, self.record.now) for _ in range(number)]
        for at in [*self._edges(), *times]:
            who = self._who() if chance.random() < 0.7 else None
            finding = chance.choice(findings)
            action = one(actions) if finding and chance.random() < 0.8 else None
            arose = chance.choice(self.record.cases) if chance.random() < 0.8 else None
            self.record.complaints.append(Complaint(who, arose, at, one(subjects), finding, action))
            self.record.compliments.append(Happened(at, one(praised), arose))
            self.record.incidents.append(Happened(at, one(incidents)))
            day = at.astimezone(ZoneInfo(contract.zone)).date()
            self.record.shown.append(Shown(day, one(shown), chance.random() < 0.08))
        for _ in range(9):
            at = self._some_time(self.start, self.over)
            if at < self.record.now:
                self._promise(None, contract.reported_clocks[0].code, at)  # waits in the tray

    def _supplied(self) -> None:
        """Most of what somebody has to supply, for every period; some twice, some taken back."""
        chance = self.chance
        for report in self.contract.reports:
            wanted = [
                one
                for line in report.lines
                for one in map(self.contract.measure, line.measures)
                if one.counts == "supplied"
            ]
            for span in periods(self.record.first):
                for measure in wanted if span.every == report.every else ():
                    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
                        self.record.supplied.append(self._one_supplied(measure, span.label))

    def _one_supplied(self, measure: Any, label: str) -> Supplied:
        chance = self.chance
        is_word = measure.unit == "grade" or chance.random() < 0.05
        return Supplied(
            period=label,
            measure=measure.code,
            by=(),
            value=None if is_word else chance.choice((0.0, 7.0, 81.5, 99.25, float(1 << 20))),
            words=chance.choice(("Good", "Outstanding")) if is_word else None,
            source=chance.choice(("The staff list", None)),
            as_of=self.record.first if chance.random() < 0.3 else None,
            is_taken_back=chance.random() < 0.15,
        )

    def _lists(self) -> None:
        """Two lists that the council sent: a day in the year's first quarter and one in its last,
        and one of a day after the year."""
        carers = [one.code for one in self.contract.groups if one.counts_as == "carer"]
        days = [months_on(self.record.first, number) for number in (2, 10, 14)]
        for day in days:
            for group in carers[:2]:
                for place in (None, self.contract.quadrants[0].code, "unknown"):
                    count = self.chance.randrange(0, 900)
                    self.record.listed.append(Listed(group, place, day, count))


def _few(codes: Sequence[Any], *rare: Any) -> tuple[list[Any], list[int]]:
    """The codes with weights that add up: the first is frequent, the last is not, and what is rare
    is rarer still."""
    weights = [4 + 60 // (number + 1) for number in range(len(codes))] + [2] * len(rare)
    added = [sum(weights[: number + 1]) for number in range(len(weights))]
    return [*codes, *rare], added


def _with_parts(contract: Contract) -> list[str]:
    """Whole reasons, and every third as one of its parts."""
    return [
        reason.parts[0].code if reason.parts and place % 3 == 2 else reason.code
        for place, reason in enumerate(contract.reasons)
    ]
