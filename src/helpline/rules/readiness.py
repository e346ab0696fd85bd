"""Whether a helpline is ready for its first carer: a line for each thing it needs, what is wrong
with it, and which to do next. Facts in, lines out; desk/readiness gathers them, the words stand in
templates/messages/en/start.toml under "<code>_<fault>".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

RECENT = timedelta(hours=26)
"""A copy, a digest or a call of the outside watch that is older says that it stopped."""
WATCH_SILENT = timedelta(minutes=10)
CLOCK_MAY_BE_OFF = 2.0
"""Seconds."""
OTHERS = 2
"""How many must be there to be asked besides the lead and the safeguarding lead."""


HOUSE_WIDE = frozenset(
    ("address", "running", "keys", "second", "backups", "heartbeat", "digest", "clock")
)
"""Lines that are the same for every contract of one helpline."""


class State(StrEnum):
    """How a line stands, in the order in which they are to be looked at."""

    NOT_YET = "not_yet"
    UNSEEN = "unseen"  # nothing here can tell: somebody has to look
    UNUSED = "unused"  # left out, which is nobody's fault
    DONE = "done"


@dataclass(frozen=True)
class Line:
    """One thing. `fault`: which sentence; `at`: the page on which it is put right, empty where it
    is not on one; `values`: what the sentence names."""

    code: str
    state: State
    fault: str = ""
    at: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The name of its sentence."""
        return f"{self.code}_{self.fault or self.state}"


@dataclass(frozen=True)
class Way:
    """One way in. `is_on`: set up here at all; `ours`: our address there, empty where this contract
    has none; `wanted`: the hook it must call; `called`: the one it calls, None where this address
    is not the account's. `asked`: "well", "silent", "unasked" (it cannot be asked), or what was
    refused. `trial`: how the newest test message went."""

    code: str
    is_on: bool
    ours: str = ""
    asked: str = "unasked"
    wanted: str = ""
    called: str | None = None
    trial: str = ""
    is_needed: bool = False


@dataclass(frozen=True)
class Colleague:
    """Somebody who works here, as far as being reached goes."""

    name: str
    role: str
    has_second: bool
    ways: int
    """By how many ways an alert reaches them."""
    has_answered: bool
    """Whether they answered a test alert."""


@dataclass(frozen=True)
class Facts:
    """All that is looked at, for one contract."""

    public_url: str
    second_is_required: bool
    key_copy_seen: bool
    term: tuple[date, date]
    fictional: int
    doubts: int
    ways: Sequence[Way]
    people: Sequence[Colleague]
    is_anybody_on_call: bool
    first_gap: datetime | None
    has_backup: bool
    backup_dir: str
    backed_up_at: datetime | None
    heartbeat_is_set: bool
    heart_beat_at: datetime | None
    digest_leaves: bool
    digest_at: datetime | None
    clock_ahead: float | None
    is_running: bool
    late_jobs: Sequence[str] = ()


def lines(facts: Facts, today: date, now: datetime) -> list[Line]:
    """Every line, in the order in which a helpline is set up."""
    return [
        _address(facts.public_url),
        _running(facts),
        _keys(facts.key_copy_seen),
        _contract(facts, today),
        *(line for way in facts.ways for line in _way(way)),
        _people(facts.people),
        _second(facts),
        *_reached(facts.people),
        *_rota(facts),
        _backup(facts, now),
        _heartbeat(facts, now),
        _digest(facts, now),
        _clock(facts.clock_ahead),
    ]


def next_of(found: Sequence[Line]) -> Line | None:
    """What to do now: the first that is not yet done. None when all is."""
    return next((line for line in found if line.state is State.NOT_YET), None)


def is_live(found: Sequence[Line]) -> bool:
    """Nothing that can be seen from here is missing."""
    return next_of(found) is None


def _address(url: str) -> Line:
    parts = urlsplit(url)
    if parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127."):
        return Line("address", State.NOT_YET, "here", values={"url": url})
    if parts.scheme != "https":
        return Line("address", State.NOT_YET, "open", values={"url": url})
    return Line("address", State.DONE, values={"url": url})


def _running(facts: Facts) -> Line:
    if not facts.is_running:
        return Line("running", State.NOT_YET, "off")
    if facts.late_jobs:
        named = {"jobs": ", ".join(facts.late_jobs)}
        return Line("running", State.NOT_YET, "late", "/running", named)
    return Line("running", State.DONE, at="/running")


def _keys(copy_seen: bool) -> Line:
    return Line("keys", State.DONE if copy_seen else State.NOT_YET)


def _contract(facts: Facts, today: date) -> Line:
    first, last = facts.term
    if facts.fictional:
        named = {"count": str(facts.fictional)}
        return Line("contract", State.NOT_YET, "fictional", values=named)
    if today < first:
        return Line("contract", State.NOT_YET, "early", values={"day": _day(first)})
    if today > last:
        return Line("contract", State.NOT_YET, "over", values={"day": _day(last)})
    return Line("contract", State.DONE, values={"day": _day(last), "count": str(facts.doubts)})


def _way(way: Way) -> Iterator[Line]:
    """Whether it is set up as it must be, and whether a message came and was answered."""
    line = _wired(way)
    yield line
    if way.code == "voice" or line.state is State.UNUSED or line.fault in ("off", "no_address"):
        return
    values = {"ours": way.ours}
    if way.trial == "worked":
        yield Line(f"{way.code}_trial", State.DONE, values=values)
    else:
        yield Line(f"{way.code}_trial", State.NOT_YET, way.trial, "#trials", values)


def _wired(way: Way) -> Line:
    values = {"ours": way.ours, "wanted": way.wanted, "called": way.called or ""}
    if not way.is_on:
        state = State.NOT_YET if way.is_needed else State.UNUSED
        return Line(way.code, state, "off")
    if not way.ours:
        return Line(way.code, State.NOT_YET, "no_address")
    if way.asked == "unasked":
        return Line(way.code, State.UNSEEN, values=values)
    if way.asked == "silent":
        return Line(way.code, State.NOT_YET, "silent", values=values)
    if way.asked != "well":
        return Line(way.code, State.NOT_YET, f"refused_{way.asked}", values=values)
    if way.wanted and way.called is None:
        return Line(way.code, State.NOT_YET, "not_ours", values=values)
    if way.wanted and way.called != way.wanted:
        fault = "elsewhere" if way.called else "nowhere"
        return Line(way.code, State.NOT_YET, fault, values=values)
    return Line(way.code, State.DONE, values=values)


def _people(people: Sequence[Colleague]) -> Line:
    roles = [one.role for one in people]
    for role in ("lead", "safeguarding"):
        if role not in roles:
            return Line("people", State.NOT_YET, f"no_{role}", "/users")
    others = sum(role in ("worker", "lead", "safeguarding") for role in roles) - 2
    if others < OTHERS:
        return Line("people", State.NOT_YET, "few", "/users", {"count": str(OTHERS - others)})
    return Line("people", State.DONE, at="/users", values={"count": str(len(roles))})


def _second(facts: Facts) -> Line:
    without = [one.name for one in facts.people if not one.has_second]
    if without:
        return Line("second", State.NOT_YET, "missing", "/users", _names(without))
    if not facts.second_is_required:
        return Line("second", State.NOT_YET, "offered")
    return Line("second", State.DONE, at="/users")


def _reached(people: Sequence[Colleague]) -> Iterator[Line]:
    """Those who may be asked when something happens: that alerts have a way to them, and that it
    was tried."""
    asked = [one for one in people if one.role != "admin"]
    without = [one.name for one in asked if not one.ways]
    if without:
        yield Line("ways", State.NOT_YET, "none", "/users", _names(without))
    elif single := [one.name for one in asked if one.ways == 1]:
        yield Line("ways", State.NOT_YET, "one", "/users", _names(single))
    else:
        yield Line("ways", State.DONE if asked else State.NOT_YET, "" if asked else "nobody")
    untried = [one.name for one in asked if one.ways and not one.has_answered]
    if untried:
        yield Line("tried", State.NOT_YET, "missing", "/account#ways", _names(untried))
    elif asked and not without:
        yield Line("tried", State.DONE, at="/account#ways")


def _rota(facts: Facts) -> Iterator[Line]:
    if not facts.is_anybody_on_call:
        yield Line("rota", State.NOT_YET, "nobody", "/rota")
    elif facts.first_gap is not None:
        yield Line("rota", State.NOT_YET, "gap", "/rota", {"at": facts.first_gap.isoformat()})
    else:
        yield Line("rota", State.DONE, at="/rota")
    has = State.DONE if facts.has_backup else State.NOT_YET
    yield Line("backup_person", has, at="/rota")


def _backup(facts: Facts, now: datetime) -> Line:
    if not facts.backup_dir:
        return Line("backups", State.NOT_YET, "off")
    if facts.backed_up_at is None:
        return Line("backups", State.NOT_YET, "none", "/copies")
    values = {"at": facts.backed_up_at.isoformat(), "where": facts.backup_dir}
    if now - facts.backed_up_at > RECENT:
        return Line("backups", State.NOT_YET, "old", "/copies", values)
    return Line("backups", State.DONE, at="/copies", values=values)


def _heartbeat(facts: Facts, now: datetime) -> Line:
    if not facts.heartbeat_is_set:
        return Line("heartbeat", State.NOT_YET, "off")
    if facts.heart_beat_at is None or now - facts.heart_beat_at > WATCH_SILENT:
        return Line("heartbeat", State.NOT_YET, "silent", "/running")
    return Line("heartbeat", State.DONE)


def _digest(facts: Facts, now: datetime) -> Line:
    if not facts.digest_leaves:
        return Line("digest", State.NOT_YET, "off")
    if facts.digest_at is None or now - facts.digest_at > RECENT:
        return Line("digest", State.NOT_YET, "none", "/audit")
    return Line("digest", State.DONE, at="/audit")


def _clock(ahead: float | None) -> Line:
    if ahead is None:
        return Line("clock", State.UNSEEN)
    if abs(ahead) > CLOCK_MAY_BE_OFF:
        return Line("clock", State.NOT_YET, "off", "/running", {"seconds": f"{abs(ahead):.0f}"})
    return Line("clock", State.DONE)


def _names(people: Sequence[str]) -> dict[str, str]:
    shown = ", ".join(people[:4])
    more = len(people) - 4
    return {"names": f"{shown} and {more} more" if more > 0 else shown}


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
