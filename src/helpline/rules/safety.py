"""Whether a message may leave now, in which words, or must wait: safe contact, decided when it is
about to be sent (design.md §4.8). Pure; asked by desk/safety for every message to a person.

A rule never silences somebody: what may not leave waits for its hour or becomes a worker's task.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpline.errors import InvalidInput

DAY = 24 * 60
"""Minutes."""


@dataclass(frozen=True)
class SafeRules:
    """What a person asked for. `begins` and `ends` are local times of day between which they may
    be reached (None: always; the span may run over midnight). `not_by` names channels, `also_by`
    those that may be tried where what they used last does not get through."""

    begins: time | None = None
    ends: time | None = None
    code_name: str = ""
    no_voicemail: bool = False
    neutral_only: bool = False
    not_by: tuple[str, ...] = ()
    also_by: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == SafeRules()


@dataclass(frozen=True)
class Verdict:
    """`may` send now; else `until` when it waits, or never by this channel (until None)."""

    may: bool
    until: datetime | None = None
    why: str = ""
    is_neutral: bool = False
    """Whether neutral words go instead of the real ones."""


def judge(rules: SafeRules, channel: str, is_mobile: bool, now: datetime, zone: str) -> Verdict:
    """The verdict for one message by `channel`; `is_mobile` matters for text messages only (a text
    to a landline may be read aloud: domain.md §0.5)."""
    if channel in rules.not_by:
        return Verdict(False, why="not_by_this_channel")
    if channel == "sms" and not is_mobile:
        return Verdict(False, why="landline")
    opens = next_opening(rules, now, zone)
    if opens is not None:
        return Verdict(False, until=opens, why="hours")
    return Verdict(True, is_neutral=rules.neutral_only)


def next_opening(rules: SafeRules, now: datetime, zone: str) -> datetime | None:
    """When the person may be reached next; None when now. On the night the clocks change an
    opening in the missing hour is the instant the clocks jump to."""
    if rules.begins is None or rules.ends is None or rules.begins == rules.ends:
        return None
    local = now.astimezone(ZoneInfo(zone))
    if _is_within(rules.begins, rules.ends, local.time()):
        return None
    day = local.date() if local.time() < rules.begins else local.date() + timedelta(days=1)
    opening = datetime.combine(day, rules.begins, ZoneInfo(zone))
    return opening.astimezone(now.tzinfo)


def _is_within(begins: time, ends: time, at: time) -> bool:
    if begins < ends:
        return begins <= at < ends
    return at >= begins or at < ends  # over midnight


def stricter(newer: SafeRules, older: SafeRules) -> SafeRules:
    """What holds for somebody for whom both were written down: whatever either forbids, and the
    hours that both allow. Where no hour is in both, the newer's hours stand: a rule never silences
    somebody."""
    if newer.is_empty or older.is_empty:
        return older if newer.is_empty else newer
    begins, ends = _hours_of_both(newer, older)
    not_by = {*newer.not_by, *older.not_by}
    return SafeRules(
        begins=begins,
        ends=ends,
        code_name=newer.code_name or older.code_name,
        no_voicemail=newer.no_voicemail or older.no_voicemail,
        neutral_only=newer.neutral_only or older.neutral_only,
        not_by=tuple(sorted(not_by)),
        also_by=tuple(sorted({*newer.also_by} & {*older.also_by} - not_by)),
    )


def _hours_of_both(newer: SafeRules, older: SafeRules) -> tuple[time | None, time | None]:
    """The longest span of the day that lies in both."""
    spans = [
        (rules.begins, rules.ends)
        for rules in (newer, older)
        if rules.begins is not None and rules.ends is not None and rules.begins != rules.ends
    ]
    if len(spans) < 2:
        return spans[0] if spans else (None, None)
    (one, lasts), (other, other_lasts) = (_minutes(*span) for span in spans)
    shared = []
    for turn in (-DAY, 0, DAY):  # the other span as it lies on the day before and after
        begins = max(one, other + turn)
        shared.append((min(one + lasts, other + turn + other_lasts) - begins, begins))
    length, begins = max(shared)
    if length <= 0:
        return spans[0]
    return _clock(begins), _clock(begins + length)


def _minutes(begins: time, ends: time) -> tuple[int, int]:
    """A span as the minute of the day at which it begins and its length in minutes."""
    first, last = (at.hour * 60 + at.minute for at in (begins, ends))
    return first, (last - first) % DAY


def _clock(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


def written(rules: SafeRules) -> str:
    """As JSON for the sealed column."""
    return json.dumps(
        {
            "begins": rules.begins.isoformat("minutes") if rules.begins else "",
            "ends": rules.ends.isoformat("minutes") if rules.ends else "",
            "code_name": rules.code_name,
            "no_voicemail": rules.no_voicemail,
            "neutral_only": rules.neutral_only,
            "not_by": list(rules.not_by),
            "also_by": list(rules.also_by),
        }
    )


def read(text: str) -> SafeRules:
    """Back from the JSON of `written`."""
    values = json.loads(text)
    return SafeRules(
        begins=time.fromisoformat(values["begins"]) if values["begins"] else None,
        ends=time.fromisoformat(values["ends"]) if values["ends"] else None,
        code_name=values["code_name"],
        no_voicemail=values["no_voicemail"],
        neutral_only=values["neutral_only"],
        not_by=tuple(values["not_by"]),
        also_by=tuple(values.get("also_by", ())),  # older rules say nothing of it
    )


def said(rules: SafeRules) -> str:
    """In words for a worker's task: "09:00 to 17:00, not by voice, no voicemail"."""
    parts = []
    if rules.begins is not None and rules.ends is not None:
        parts.append(f"{rules.begins:%H:%M} to {rules.ends:%H:%M}")
    parts += [f"not by {way}" for way in rules.not_by]
    parts += ["no voicemail"] if rules.no_voicemail else []
    parts += ["neutral words only"] if rules.neutral_only else []
    return ", ".join(parts) or "at any time and in any way"


def from_words(
    begins: str,
    ends: str,
    code_name: str,
    no_voicemail: bool,
    neutral_only: bool,
    not_by: list[str],
    also_by: Collection[str] = (),
) -> SafeRules:
    """From a form. InvalidInput says which part cannot be used."""
    if bool(begins.strip()) != bool(ends.strip()):
        raise InvalidInput("Give both times, from and to, or neither.")
    if len(code_name.strip()) > 40 or not code_name.isprintable():
        raise InvalidInput("A code name has at most 40 letters.")
    if set(not_by) & set(also_by):
        raise InvalidInput("A way cannot be both forbidden and allowed: choose one of the two.")
    return SafeRules(
        begins=_time(begins),
        ends=_time(ends),
        code_name=code_name.strip(),
        no_voicemail=no_voicemail,
        neutral_only=neutral_only,
        not_by=tuple(sorted(set(not_by))),
        also_by=tuple(sorted(set(also_by))),
    )


def _time(text: str) -> time | None:
    if not text.strip():
        return None
    try:
        return time.fromisoformat(text.strip()).replace(tzinfo=None, second=0, microsecond=0)
    except ValueError:
        raise InvalidInput(f"“{text.strip()[:20]}” is not a time like 09:30.") from None
