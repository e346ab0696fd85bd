"""Calendars, read back by a strict reader of RFC 5545 that shares nothing with the writer."""

import re
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from helpline.rules.ical import Entry, WholeDay, calendar, text

NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
NAME = re.compile(r"(?P<name>[A-Z0-9-]+)(?P<parameters>(?:;[A-Z-]+=[A-Z]+)*):(?P<value>.*)", re.S)


def lines(file: bytes) -> list[tuple[str, str]]:
    """Names and raw values, folded lines joined; AssertionError for what no calendar may hold."""
    assert file.endswith(b"\r\n")
    physical = file[:-2].split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in physical)
    for line in physical:
        line.decode("utf-8")  # no letter is cut in two
    joined: list[str] = []
    for line in physical:
        if line.startswith(b" "):
            joined[-1] += line[1:].decode()
        else:
            joined.append(line.decode())
    found = [NAME.fullmatch(line) for line in joined]
    assert all(found), joined
    return [(match["name"], match["value"]) for match in found if match]


def plain(value: str) -> str:
    """A TEXT without its escapes; a backslash before anything else is a fault."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value)
    assert re.fullmatch(r"(?:[^\\]|\\[\\;,nN])*", value)
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def events(file: bytes) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    read = lines(file)
    assert read[0] == ("BEGIN", "VCALENDAR")
    assert read[-1] == ("END", "VCALENDAR")
    inside = False
    for name, value in read[1:-1]:
        if (name, value) == ("BEGIN", "VEVENT"):
            assert not inside
            found.append({})
            inside = True
        elif (name, value) == ("END", "VEVENT"):
            inside = False
        elif inside:
            assert name not in found[-1]
            found[-1][name] = value
    assert not inside
    return found


def entry(summary: str, uid: str = "shift-1@helpline") -> Entry:
    return Entry(uid, summary, NOW, NOW + timedelta(hours=12))


def test_a_shift_is_an_event_in_utc() -> None:
    (event,) = events(calendar("On call", [entry("On call, first: Essex")], NOW).encode())
    assert event == {
        "UID": "shift-1@helpline",
        "DTSTAMP": "20261103T021500Z",
        "DTSTART": "20261103T021500Z",
        "DTEND": "20261103T141500Z",
        "SUMMARY": "On call\\, first: Essex",
        "TRANSP": "TRANSPARENT",
    }


def test_what_takes_a_day_begins_and_ends_with_it() -> None:
    day = WholeDay("owed-7@helpline", "Panel: Peterborough", date(2026, 12, 31))
    file = calendar("What is owed", [day], NOW)
    (event,) = events(file.encode())
    assert (event["DTSTART"], event["DTEND"]) == ("20261231", "20270101")
    assert "DTSTART;VALUE=DATE:20261231" in file and event["SUMMARY"] == day.summary


def test_a_calendar_without_shifts_is_a_calendar() -> None:
    read = lines(calendar("On call", [], NOW).encode())
    assert ("VERSION", "2.0") in read
    assert events(calendar("On call", [], NOW).encode()) == []


@given(st.text(max_size=300))
def test_any_words_come_back_and_no_line_is_too_long(summary: str) -> None:
    summary = summary.encode("utf-8", "ignore").decode()
    (event,) = events(calendar("x", [entry(summary)], NOW).encode())
    normal = summary.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(letter for letter in normal if letter >= " " or letter in "\n\t")
    assert plain(event["SUMMARY"]) == kept.replace("\x7f", "")


def test_nothing_can_begin_a_line_of_its_own() -> None:
    (event,) = events(calendar("x", [entry("a\r\nEND:VEVENT\r\nBEGIN:VALARM")], NOW).encode())
    assert plain(event["SUMMARY"]) == "a\nEND:VEVENT\nBEGIN:VALARM"
    assert text("a\\;,") == "a\\\\\\;\\,"
