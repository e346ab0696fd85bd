"""The chronology or the whole file of a case as a PDF that screen readers can read (PDF/UA-1).

Called by web/pages/case_record.py with what desk/record.py has gathered. Words that people wrote go
in as data and are never taken for markup; reports/letters.py sorts out what the typefaces cannot
show. Every word that is ours stands in templates/reports/casefile.typ.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from helpline.contract import Contract
from helpline.desk.casefile import Entry
from helpline.desk.filing import reading
from helpline.desk.record import Line, Sheet
from helpline.errors import InvalidInput
from helpline.models import Case
from helpline.reports import letters
from helpline.reports.report_pdf import TYPESETTER
from helpline.rules.saying import span
from helpline.settings import TEMPLATES
from helpline.vocabulary import PartRole, Track

TEMPLATE: Final = TEMPLATES / "reports" / "casefile.typ"
LONGEST_SECONDS: Final = 60
SHORT: Final = 1500
"""Characters: less than a quarter of a page."""
TRACK_WORDS: Final = {
    Track.ALLEGATION: "an allegation",
    Track.STANDARDS: "a concern about standards of care",
    Track.COMPLAINT: "a complaint",
    Track.UNKNOWN: "not known yet",
}
LETTERED_CHILD: Final = re.compile(r"child [a-z]", re.IGNORECASE)


class CannotSet(Exception):
    """The typesetter made nothing of it."""


Words = Callable[[str], list[dict[str, Any]]]


async def render(sheet: Sheet) -> bytes:
    """The PDF. Should the typesetter break on what somebody wrote, it is made again with plain
    Latin letters only, each of the others said by what it is."""
    try:
        return await typeset(data(sheet, letters.lines))
    except CannotSet:
        return await typeset(data(sheet, letters.plain_lines))


async def typeset(values: dict[str, Any], template: Path = TEMPLATE) -> bytes:
    """One PDF of a template and its values, in a process of its own, which has nothing of ours but
    the text (reports/typeset.py)."""
    setter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(TYPESETTER), str(template)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"RAYON_NUM_THREADS": "1"},
    )
    try:
        written = json.dumps(values).encode()
        made, _ = await asyncio.wait_for(setter.communicate(written), LONGEST_SECONDS)
    except TimeoutError:
        raise CannotSet("It took too long.") from None
    finally:
        if setter.returncode is None:
            setter.kill()
            await setter.wait()
    if setter.returncode or not made.startswith(b"%PDF"):
        raise CannotSet(f"The typesetter ended with {setter.returncode}.")
    return made


def data(sheet: Sheet, words: Words) -> dict[str, Any]:
    """What the template is given: texts as lines of pieces, times in words, codes as they are."""
    case, contract = sheet.case, sheet.contract
    zone = ZoneInfo(contract.zone)
    return {
        "whole": sheet.is_whole,
        "reference": case.reference,
        "contract": words(contract.name),
        "person": words(sheet.person.name or ""),
        "worker": words(sheet.worker or ""),
        "opened": _when(case.opened_at, zone),
        "closed": _when(case.closed_at, zone) if case.closed_at else "",
        "has_wall": sheet.has_wall,
        "printed_by": words(sheet.printed_by),
        "printed_at": _when(sheet.printed_at, zone),
        "people": [
            {"role": one.role, "name": words(named(contract, one.role, one.group, one.name))}
            for one in sheet.people
        ],
        "comments": [_comment(one, words, zone) for one in sheet.chronology.comments],
        "lines": [_line(one, words, zone, contract) for one in sheet.chronology.lines],
        "cut": sheet.chronology.is_cut,
        "about": [
            {"name": name, "said": words(said)} for name, said in about(case, contract) if said
        ],
        "linked": [one.reference for one in sheet.linked],
        "chapters": [
            {
                "title": chapter.title,
                "entries": [_entry(one, sheet, words, zone) for one in chapter.entries],
            }
            for chapter in sheet.chapters
        ],
    }


def about(case: Case, contract: Contract) -> list[tuple[str, str]]:
    """What the case is, for the first page."""
    names = {one.code: one.name for one in contract.reasons}
    return [
        ("Kind of case", case.kind.replace("_", " ")),
        ("Reason", names.get(case.reason.partition(".")[0], case.reason.replace("_", " "))),
        ("Urgency", case.urgency),
        ("How it ended", _outcome(contract, case.outcome) if case.outcome else ""),
    ]


def _entry(one: reading.Entry, sheet: Sheet, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    """A row of one of the chapters: when, what, by whom, its values, and what stands beside it."""
    said = [(value.label, _value(value, sheet, zone)) for value in one.values]
    return {
        "at": _at(one.at, zone),
        "name": one.name,
        "by": words(one.by),
        "short": sum(len(text) for _, text in said) < SHORT,
        "values": [{"label": label, "said": words(text)} for label, text in said if text],
        "beside": [_entry(other, sheet, words, zone) for other in one.beside],
    }


def _value(value: reading.Value, sheet: Sheet, zone: ZoneInfo) -> str:
    if value.person is None:
        return value.said if isinstance(value.said, str) else _at(value.said, zone)
    if value.person == sheet.case.person_id:
        return sheet.person.name or "the person the case is for"
    found = sheet.persons.get(value.person)
    name = named(sheet.contract, found.role or "", found.group, found.name) if found else ""
    return name or "not named here"


def _at(at: datetime | date | None, zone: ZoneInfo) -> str:
    if isinstance(at, datetime):
        return _when(at, zone)
    return f"{at.day} {at:%B %Y}" if at else ""


def named(contract: Contract, role: str, group: str, name: str | None) -> str:
    """How somebody is called on paper. Whoever made the allegation is named only where they are
    certainly no fostered child: of those a file has "child A" and no name (domain.md §7)."""
    said = name or ""
    if role != PartRole.ALLEGED_BY or LETTERED_CHILD.fullmatch(said):
        return said
    counts_as = next((one.counts_as for one in contract.groups if one.code == group), "other")
    return said if counts_as != "other" else ""


def _line(line: Line, words: Words, zone: ZoneInfo, contract: Contract) -> dict[str, Any]:
    entry = line.entry
    late = line.late_by is not None
    is_apart = line.written_after.total_seconds() > 3600
    return {
        "at": _when(entry.at, zone),
        "short": len(entry.body or "") + len(entry.reason or "") < SHORT,
        "kind": entry.note_kind if entry.kind == "note" else entry.kind,
        "ours": entry.is_ours,
        "by": words(entry.by or ""),
        "body": words(entry.body or ""),
        "reason": words(entry.reason or ""),
        "whose": words(entry.whose or ""),
        "what": entry.what,
        "channel": entry.channel,
        "state": entry.state or "",
        "result": entry.call_result or "",
        "minutes": entry.call_minutes or 0,
        "event": entry.event,
        "detail": words(_detail(entry, contract)),
        "written": _when(entry.written_at, zone) if entry.written_at and is_apart else "",
        "late": span(line.written_after) if late else "",
        "corrects": _when(entry.corrects_at, zone) if entry.corrects_at else "",
        "corrected_by": [
            {
                "at": _when(one.written_at or one.at, zone),
                "by": words(one.by or ""),
                "body": words(one.body or ""),
            }
            for one in line.corrected_by
        ],
        "comments": [_comment(one, words, zone) for one in line.comments],
    }


def _comment(one: Any, words: Words, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "who": words(one.who or ""),
        "at": _when(one.said_at, zone),
        "by": words(one.by),
        "body": words(one.body),
    }


def _track(code: object) -> str:
    return TRACK_WORDS[Track(str(code))] if code in list(Track) else ""


def _detail(entry: Entry, contract: Contract) -> str:
    """What an event of the chronology is about: who was named, how it ended, how urgent it is."""
    detail = entry.detail
    if entry.event == "case.closed":
        return _outcome(contract, str(detail.get("outcome", "")))
    if entry.event == "case.urgency_set":
        return str(detail.get("urgency", ""))
    if entry.event == "allegation.moved_on":
        return f"{detail.get('stage', '')}, {detail.get('state', '')}".replace("_", " ")
    return str(detail.get("worker") or _track(detail.get("track")))


def _outcome(contract: Contract, code: str) -> str:
    try:
        return contract.outcome(code).name
    except InvalidInput:  # a code the contract had once
        return code.replace("_", " ")


def _when(at: datetime, zone: ZoneInfo) -> str:
    """ "3 November 2026, 14:05": whole, because paper is read years later."""
    local = at.astimezone(zone)
    return f"{local.day} {local:%B %Y}, {local:%H:%M}"
