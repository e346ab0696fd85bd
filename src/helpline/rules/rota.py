"""The rota as plain intervals: weekly patterns → shifts, who stands on call, where nobody does.

Called by desk/rota; also the whole of what is proved about a rota, because nothing here knows a
database. Every span is half open: it holds its first instant and not its last, so that two shifts
that meet neither miss nor double anybody. It must never read the clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from helpline.vocabulary import ShiftKind

Span = tuple[datetime, datetime]
"""From (included) until (not included), aware UTC instants."""

Needed = tuple[Span, int]
"""A time, and how many people the first line needs in it."""

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Weekly:
    """A pattern in local time. `days`: the weekdays on which a shift begins, Monday 0. A shift that
    ends at or before the time it begins ends on the next day. `last_day`: the last day on which
    one begins; None for no end. `every_weeks` 2: one week yes, one week no, from `first_day`'s."""

    days: frozenset[int]
    begins: time
    ends: time
    first_day: date
    last_day: date | None = None
    every_weeks: int = 1

    def is_on(self, day: date) -> bool:
        """Whether a shift begins on this local day."""
        if day.weekday() not in self.days or day < self.first_day:
            return False
        if self.last_day is not None and day > self.last_day:
            return False
        monday = self.first_day.toordinal() - self.first_day.weekday()
        return (day.toordinal() - monday) // 7 % self.every_weeks == 0


@dataclass(frozen=True)
class Duty:
    """One shift as the rota has it. An override stands instead of all others of its kind."""

    id: int
    user_id: int
    kind: str
    starts_at: datetime
    ends_at: datetime
    is_override: bool = False

    @property
    def span(self) -> Span:
        return self.starts_at, self.ends_at


@dataclass(frozen=True)
class Away:
    """A time in which somebody cannot be on call: a holiday, illness, or they have left."""

    user_id: int
    starts_at: datetime
    ends_at: datetime

    @property
    def span(self) -> Span:
        return self.starts_at, self.ends_at


# --- local time → instants -----------------------------------------------------------------------


@lru_cache(maxsize=20_000)
def instant(local: datetime, zone: str) -> datetime:
    """The instant of a local time. What the clocks skip in spring is the instant of the change;
    what they show twice in autumn is the first. Both ways the order of times is kept, so a shift
    that ends when the next begins still does."""
    place = ZoneInfo(zone)
    found = local.replace(tzinfo=place).astimezone(UTC)
    if found.astimezone(place).replace(tzinfo=None) == local:
        return found
    early, late = local.replace(tzinfo=place, fold=1).astimezone(UTC), found
    before = early.astimezone(place).utcoffset()
    while late - early > SECOND:  # the change lies between the two readings of a skipped time
        middle = early + (late - early) // 2
        if middle.astimezone(place).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def shifts(pattern: Weekly, since: date, until: date, zone: str) -> Iterator[tuple[date, Span]]:
    """Each local day from `since` to before `until` on which a shift begins, with its span."""
    over_midnight = DAY if pattern.ends <= pattern.begins else timedelta()
    day = max(since, pattern.first_day)
    last = until - DAY if pattern.last_day is None else min(until - DAY, pattern.last_day)
    while day <= last:
        if pattern.is_on(day):
            starts = instant(datetime.combine(day, pattern.begins), zone)
            ends = instant(datetime.combine(day + over_midnight, pattern.ends), zone)
            if starts < ends:  # the whole of a shift may lie in the hour that spring skips
                yield day, (starts, ends)
        day += DAY


# --- who stands, and where nobody does -----------------------------------------------------------


def without(span: Span, holes: Iterable[Span]) -> list[Span]:
    """What is left of a span, in order."""
    begin, end = span
    left = []
    for hole_begin, hole_end in sorted(h for h in holes if h[0] < end and h[1] > begin):
        if hole_begin > begin:
            left.append((begin, hole_begin))
        begin = max(begin, hole_end)
    if begin < end:
        left.append((begin, end))
    return left


def standing(duties: Sequence[Duty], aways: Iterable[Away]) -> list[tuple[Duty, list[Span]]]:
    """Each duty with the parts of it in which its person really is on call: not away, and nobody
    put there instead. An override whose person is away covers nothing."""
    absent: dict[int, list[Span]] = {}
    for away in aways:
        absent.setdefault(away.user_id, []).append(away.span)
    present = {id(d): without(d.span, absent.get(d.user_id, ())) for d in duties}
    instead: dict[str, list[Span]] = {}
    for duty in duties:
        if duty.is_override:
            instead.setdefault(duty.kind, []).extend(present[id(duty)])
    return [(duty, _parts(duty, present[id(duty)], instead)) for duty in duties]


def on_call_at(duties: Iterable[Duty], aways: Iterable[Away], at: datetime) -> list[Duty]:
    """Who stands at one instant: the first line, then backups, then those in charge; by person."""
    absent = {away.user_id for away in aways if away.starts_at <= at < away.ends_at}
    there = [d for d in duties if d.starts_at <= at < d.ends_at and d.user_id not in absent]
    replaced = {duty.kind for duty in there if duty.is_override}
    there = [duty for duty in there if duty.is_override or duty.kind not in replaced]
    return sorted(there, key=lambda duty: (ShiftKind(duty.kind).rank, duty.user_id, duty.id))


def gaps(
    duties: Sequence[Duty],
    aways: Iterable[Away],
    since: datetime,
    until: datetime,
    kind: str = ShiftKind.PRIMARY,
) -> list[Span]:
    """The times between two instants in which nobody stands as `kind`, in order."""
    of_kind = [duty for duty in duties if duty.kind == kind]
    covered = [span for _, parts in standing(of_kind, aways) for span in parts]
    return without((since, until), covered) if since < until else []


def shortages(
    duties: Sequence[Duty], aways: Iterable[Away], within: Span, needed: Iterable[Needed]
) -> list[Span]:
    """The times in which somebody stands in the first line, and fewer than `needed` asks for then
    (001 §6.1.5: extended holidays need more than one), in order. A time with nobody is a gap."""
    first = [duty for duty in duties if duty.kind == ShiftKind.PRIMARY]
    covered = [(span, duty.user_id) for duty, parts in standing(first, aways) for span in parts]
    short = []
    for (first_instant, last), people in needed:
        begin, end = max(first_instant, within[0]), min(last, within[1])
        if begin >= end:
            continue
        cuts = {begin, end, *(at for span, _ in covered for at in span if begin < at < end)}
        for here, there in pairwise(sorted(cuts)):
            on = {user for span, user in covered if span[0] <= here and there <= span[1]}
            if 0 < len(on) < people:
                short.append((here, there))
    return _joined(short)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans that meet or overlap as one, in order."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def hours_on_duty(
    duties: Sequence[Duty], aways: Iterable[Away], since: datetime, until: datetime
) -> dict[int, float]:
    """Person → hours between two instants in which they really stood in the first line: what a duty
    fee is paid for (001 §6.1.5)."""
    hours: dict[int, float] = {}
    for duty, parts in standing([d for d in duties if d.kind == ShiftKind.PRIMARY], aways):
        for begin, end in parts:
            seconds = (min(end, until) - max(begin, since)).total_seconds()
            if seconds > 0:
                hours[duty.user_id] = hours.get(duty.user_id, 0) + seconds / 3600
    return hours


def changes(
    duties: Sequence[Duty], aways: Iterable[Away], since: datetime, until: datetime
) -> list[tuple[datetime, frozenset[int], frozenset[int]]]:
    """Each instant after `since` and not after `until` at which the first line passes from one
    person to another: when, who goes, who comes. Where nobody comes, or nobody goes, there is a gap
    and nothing to hand over."""
    parts = [
        (span, duty.user_id)
        for duty, spans in standing([d for d in duties if d.kind == ShiftKind.PRIMARY], aways)
        for span in spans
    ]
    found = []
    for at in sorted({span[1] for span, _ in parts if since < span[1] <= until}):
        before = frozenset(user for (begin, end), user in parts if begin < at <= end)
        after = frozenset(user for (begin, end), user in parts if begin <= at < end)
        if before - after and after - before:
            found.append((at, before - after, after - before))
    return found


def _parts(duty: Duty, present: list[Span], instead: dict[str, list[Span]]) -> list[Span]:
    holes = instead.get(duty.kind)
    if duty.is_override or not holes:
        return present
    return [part for span in present for part in without(span, holes)]


# --- gaps that were found before -----------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """`same`: a known gap's id and how far it goes now; `new`: never seen; `filled`: ids."""

    same: list[tuple[int, Span]]
    new: list[Span]
    filled: list[int]


def compare(known: Iterable[tuple[int, Span]], found: Iterable[Span]) -> Compared:
    """Which gaps are still the ones we know. A gap that was shortened, lengthened or that has begun
    is the same gap; one that was cut in two is the old one and a new one."""
    open_ones, result = dict(known), Compared([], [], [])
    for span in found:
        ids = [i for i, one in open_ones.items() if one[0] < span[1] and span[0] < one[1]]
        if ids:
            result.same.append((ids[0], span))
            del open_ones[ids[0]]
        else:
            result.new.append(span)
    result.filled.extend(open_ones)
    return result


# --- swaps ---------------------------------------------------------------------------------------


def swap_problem(
    given: Duty,
    taken: Duty | None,
    asker: int,
    asked: int,
    others: Sequence[Duty],
    aways: Sequence[Away],
    now: datetime,
) -> str | None:
    """Why a swap cannot be asked for, or cannot come into force; None when it can. `given` passes
    from asker to asked, `taken` (if any) the other way. `others`: what else the two have."""
    if asker == asked:
        return "Choose somebody else: this is your own shift."
    if given.user_id != asker or (taken is not None and taken.user_id != asked):
        return "The rota has changed since. Look at it again, then ask again."
    if given.starts_at <= now or (taken is not None and taken.starts_at <= now):
        return "A shift that has begun cannot be swapped. The team lead can change it."
    moved = {given.id, taken.id if taken else given.id}
    for duty, person, said in ((given, asked, "They"), (taken, asker, "You")):
        if duty is None:
            continue
        if _is_taken(duty, person, [o for o in others if o.id not in moved], aways):
            return f"{said} cannot take that shift: already on call or away then."
    return None


def _is_taken(duty: Duty, person: int, others: Iterable[Duty], aways: Iterable[Away]) -> bool:
    spans = [other.span for other in others if other.user_id == person]
    spans += [away.span for away in aways if away.user_id == person]
    return any(begin < duty.ends_at and duty.starts_at < end for begin, end in spans)
