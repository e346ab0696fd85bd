"""A calendar as text (RFC 5545): what a calendar program fetches to show somebody's shifts, and a
file of the days on which something is owed.

Called by desk/rota/feeds and web/pages/obligations. Times are written in UTC, which needs no
description of a zone; lines are folded at 75 octets, never inside a letter. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

WIDTH = 75
"""Octets in a line, without its end (RFC 5545 §3.1)."""


@dataclass(frozen=True)
class Entry:
    """One event. `uid` stays the same for ever, so that a changed event is the same event."""

    uid: str
    summary: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class WholeDay:
    """One event that takes a day, wherever the reader is."""

    uid: str
    summary: str
    on: date


def calendar(name: str, entries: Iterable[Entry | WholeDay], now: datetime) -> str:
    """The whole file, lines ended by CR LF. `now` is when it was made."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Helpline//Rota//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for entry in entries:
        lines += _event(entry, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def text(value: str) -> str:
    """A value of the type TEXT (§3.3.11): what means something there is escaped, what cannot be
    written there is left out."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(letter for letter in value if letter >= " " or letter in "\n\t")
    for letter in "\\;,":
        kept = kept.replace(letter, f"\\{letter}")
    return kept.replace("\x7f", "").replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """The line in pieces of at most WIDTH octets; all but the first begin with a blank."""
    piece, room = "", WIDTH
    for letter in line:
        size = len(letter.encode())
        if size > room:
            yield piece
            piece, room = " ", WIDTH - 1
        piece, room = piece + letter, room - size
    yield piece


def stamp(instant: datetime) -> str:
    """A time in UTC: 20261103T021500Z."""
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _event(entry: Entry | WholeDay, now: datetime) -> list[str]:
    if isinstance(entry, WholeDay):
        after = entry.on + timedelta(days=1)
        span = [f"DTSTART;VALUE=DATE:{entry.on:%Y%m%d}", f"DTEND;VALUE=DATE:{after:%Y%m%d}"]
    else:
        span = [f"DTSTART:{stamp(entry.starts_at)}", f"DTEND:{stamp(entry.ends_at)}"]
    return [
        "BEGIN:VEVENT",
        f"UID:{text(entry.uid)}",
        f"DTSTAMP:{stamp(now)}",
        *span,
        f"SUMMARY:{text(entry.summary)}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]
