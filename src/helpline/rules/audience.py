"""Who gets a piece of news, by which way, or why not. Pure; asked by desk/news for the preview, and
again for each person at the moment their message is made and at the moment it leaves.

Without a word of theirs nobody gets any, and somebody in a crisis is left alone. A no here never
keeps a message about their own matter from them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpline.rules import safety
from helpline.rules.safety import SafeRules
from helpline.vocabulary import NEWS_CHANNELS, WhyNot


@dataclass(frozen=True)
class Way:
    """One address of a person. `used_at`: when they last wrote from there."""

    address_id: int
    channel: str
    is_mobile: bool = True
    is_bad: bool = False
    has_opted_out: bool = False
    is_blocked: bool = False
    used_at: datetime | None = None


@dataclass(frozen=True)
class Reader:
    """Somebody news could be for. `agreed`: the channels they said yes to, and not no since."""

    person_id: int
    agreed: frozenset[str] = frozenset()
    ways: Sequence[Way] = ()
    rules: SafeRules = field(default_factory=SafeRules)
    in_crisis: bool = False


@dataclass(frozen=True)
class Verdict:
    """`way` they get it by; else `why` not, and `until` where it is only a matter of the hour."""

    way: Way | None
    why: WhyNot | None = None
    until: datetime | None = None

    @property
    def gets(self) -> bool:
        """Whether they get it at all, be it later today or tomorrow."""
        return self.way is not None


def judge(reader: Reader, now: datetime, zone: str, begins: time, ends: time) -> Verdict:
    """One person, at `now`. `begins` and `ends` are the contract's local hours for news; their own
    safe hours count as well: both must be open."""
    if not reader.agreed:
        return Verdict(None, WhyNot.NO_CONSENT)
    ways = [way for way in reader.ways if _is_open(way, reader)]
    if reader.rules.neutral_only or not ways:
        return Verdict(None, WhyNot.NO_WAY)
    if reader.in_crisis:
        return Verdict(None, WhyNot.CRISIS)
    if any(way.is_blocked for way in reader.ways):
        return Verdict(None, WhyNot.BLOCKED)
    way = _best(ways)
    until = next_hour(reader.rules, now, zone, begins, ends)
    return Verdict(way, WhyNot.HOURS if until else None, until)


def next_hour(
    rules: SafeRules, now: datetime, zone: str, begins: time, ends: time
) -> datetime | None:
    """When both the contract's hours and the person's are open next; None when they are now. Where
    they never meet, theirs win: it then goes at their first hour."""
    ours = SafeRules(begins=begins, ends=ends)
    at = now
    for _ in range(6):  # two spans a day: three days are more than enough
        later = safety.next_opening(rules, at, zone) or safety.next_opening(ours, at, zone)
        if later is None:
            return None if at == now else at
        at = later
    return safety.next_opening(rules, now, zone)


def own_way(reader: Reader) -> Way | None:
    """By which address somebody is written to about what they asked for themself: a place they
    booked, a policy. No consent to news is needed; what is unsafe or leads nowhere is never used,
    nor one whose screen may show neutral words only."""
    if reader.rules.neutral_only:
        return None
    ways = [way for way in reader.ways if _leads_there(way, reader.rules)]
    return _best(ways) if ways else None


def counted(verdicts: Iterable[Verdict]) -> Mapping[str, int]:
    """How many get it ("gets", of whom "later" not at this hour), and how many not for which
    reason; every reason is there, zero too."""
    count = {"gets": 0, "later": 0}
    count |= {why: 0 for why in WhyNot if why not in (WhyNot.HOURS, WhyNot.STOPPED)}
    for verdict in verdicts:
        if verdict.gets:
            count["gets"] += 1
            count["later"] += verdict.until is not None
        else:
            count[verdict.why or WhyNot.NO_WAY] += 1
    return count


def allowance(per_minute: int, made: Sequence[datetime], now: datetime, beat: float) -> int:
    """How many messages may be made now, when `made` says when the last ones were and the next look
    is `beat` seconds away: never more than `per_minute` in any minute, spread over its beats."""
    lately = sum(1 for at in made if at > now - timedelta(minutes=1))
    share = max(1, round(per_minute * beat / 60))
    return max(0, min(share, per_minute - lately))


def _is_open(way: Way, reader: Reader) -> bool:
    return way.channel in reader.agreed and _leads_there(way, reader.rules)


def _leads_there(way: Way, rules: SafeRules) -> bool:
    if way.channel not in NEWS_CHANNELS or way.channel in rules.not_by:
        return False
    return way.is_mobile and not way.is_bad and not way.has_opted_out


def _best(ways: Sequence[Way]) -> Way:
    """What they wrote from last; among the others, the order of NEWS_CHANNELS."""
    used = [way for way in ways if way.used_at is not None]
    if used:
        return max(used, key=lambda way: (way.used_at, -way.address_id))
    return min(ways, key=lambda way: (NEWS_CHANNELS.index(way.channel), way.address_id))


def local_day(instant: datetime, zone: str) -> str:
    """ "Tuesday 1 December", as a reminder says it."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B}"
