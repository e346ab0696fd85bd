"""What must hold between the parts of a contract file, beyond the shape of each part.

Called by contract/loading.py with the file as plain tables, so that these faults are named in the
same breath as faults of shape. Each check yields (key, reason) and steps over what is misshapen:
the shape check names that. Pure; it reads no other file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, time
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from helpline.contract.document import (
    Document,
    codes,
    day_or_none,
    is_number,
    rows,
    strings,
    table,
    tables,
    texts,
)
from helpline.contract.words import squeezed
from helpline.vocabulary import (
    NETWORK_HELP_WORDS,
    OPT_IN_WORDS,
    OPT_OUT_WORDS,
    ClockStart,
    ClockStop,
    Unit,
)

Fault = tuple[str, str]

CHANNELS: Final = (
    *("sms", "whatsapp", "telegram", "webchat", "webform", "voice", "email", "simulator"),
    *("face_to_face", "letter", "event", "referral"),
)
CATEGORIES: Final = (  # what triage may answer with; each must be a reason
    *("allegation", "legal", "finance", "counselling", "abuse", "health", "placements"),
    *("training", "publications", "discounts", "networking", "recruitment", "membership"),
    *("complaint", "compliment", "other"),
)
NETWORK_WORDS: Final = OPT_OUT_WORDS | OPT_IN_WORDS | NETWORK_HELP_WORDS

_CODED: Final = (
    *("quadrants", "teams", "exclusions", "groups", "populations", "commissioners", "partners"),
    *("referral_sources", "entitlements", "reasons", "support", "levels", "methods", "outcomes"),
    *("named_outcomes", "evidence", "clocks", "retention", "signposts", "policies", "reports"),
    "sharing_bases",
    *("incidents", "notices"),
    *("open_questions", "obligations", "own_measures"),
)
LENGTHS: Final = ("month", "quarter", "half_year", "year")
_TELEPHONE: Final = re.compile(r"(?:\+\s?44|\b0)[\d ().-]{8,}\d")
_CHARGED: Final = ("084", "087", "09")


def faults(document: Document) -> Iterator[Fault]:
    """Every fault between the parts of one file, in the order of the checks below."""
    for check in _CHECKS:
        yield from check(document)


# --- the checks -----------------------------------------------------------------------------------


def _codes_are_unique(document: Document) -> Iterator[Fault]:
    for name in _CODED:
        if name == "populations":  # the same count of another date keeps its code
            continue
        yield from _repeats(rows(document, name))
    for key, reason in rows(document, "reasons"):
        yield from _repeats([(f"{key}.{inner}", row) for inner, row in rows(reason, "parts")])
    for key, report in rows(document, "reports"):
        yield from _repeats([(f"{key}.{inner}", row) for inner, row in rows(report, "lines")])


def repeated(document: Document, name: str) -> Iterator[Fault]:
    """The codes that stand more than once in a list."""
    yield from _repeats(rows(document, name))


def _repeats(found: list[tuple[str, Document]]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for key, row in found:
        code = row.get("code")
        if isinstance(code, str):
            if code in first:
                yield f"{key}.code", f"“{code}” is already the code of {first[code]}."
            first.setdefault(code, key)


def _words_mean_one_thing(document: Document) -> Iterator[Fault]:
    for name in ("quadrants", "teams", "groups", "support", "methods", "outcomes", "reasons"):
        yield from _ambiguous(rows(document, name))
    parts = [
        (f"{key}.{inner}", part)
        for key, reason in rows(document, "reasons")
        for inner, part in rows(reason, "parts")
    ]
    yield from _ambiguous(parts)


def _ambiguous(found: list[tuple[str, Document]]) -> Iterator[Fault]:
    meant: dict[str, str] = {}
    for key, row in found:
        here = [
            (place, row[place]) for place in ("code", "name") if isinstance(row.get(place), str)
        ]
        code = str(row.get("code"))
        for place, text in (*here, *texts(row, "synonyms")):
            word = squeezed(text)
            if not word:
                yield f"{key}.{place}", f"“{text}” has no letter or digit to recognise it by."
            elif meant.setdefault(word, code) != code:
                yield f"{key}.{place}", f"“{text}” already means {meant[word]}."


def _answers_can_be_given(document: Document) -> Iterator[Fault]:
    """What waits for an answer to a referral ends with what is written down of that answer."""
    fields = [row for _, row in rows(table(document, "referral"), "fields")]
    if not any(row.get("ours") is True for row in fields):
        for key, clock in rows(document, "clocks"):
            if clock.get("stops") == ClockStop.REFERRAL_ANSWER:
                yield f"{key}.stops", "it needs a field of the referral with ours = true."


def _references_exist(document: Document) -> Iterator[Fault]:
    groups, quadrants = codes(document, "groups"), codes(document, "quadrants")
    for key, team in rows(document, "teams"):
        yield from _one_of(team, "quadrant", key, quadrants, "quadrant")
        yield from _all_of(team, "groups", key, groups, "group")
    for key, row in rows(document, "populations"):
        yield from _one_of(row, "group", key, groups, "group")
        yield from _one_of(row, "quadrant", key, quadrants, "quadrant")
    for key, row in rows(document, "exclusions"):
        yield from _one_of(row, "signpost", key, codes(document, "signposts"), "signpost")
    for key, row in rows(document, "entitlements"):
        yield from _all_of(row, "groups", key, groups, "group")
    yield from _all_of(table(document, "age_limit"), "groups", "age_limit", groups, "group")
    referral = table(document, "referral")
    yield from _all_of(referral, "agreement_for", "referral", groups, "group")
    for key, row in rows(document, "clocks"):
        yield from _all_of(row, "only_reasons", key, codes(document, "reasons"), "reason")
    for key, row in rows(document, "obligations"):
        others = [code for code in codes(document, "obligations") if code != row.get("code")]
        yield from _one_of(row, "counted_from", key, others, "other obligation")
        if "counted_from" in row and row.get("every") != "when_named":
            yield f"{key}.every", "what is counted from another obligation is “when_named”."
        if row.get("skips_last_of_month") is True and row.get("every") != "week":
            yield f"{key}.skips_last_of_month", "only what is owed every “week” can skip one."
        yield from _in_order(key, row)
    yield from _registers_reference(document)
    sheet = table(document, "duty_rota")
    yield from _one_of(sheet, "recipient", "duty_rota", codes(document, "signposts"), "signpost")
    for key, report in rows(document, "reports"):
        roles = codes(document, "commissioners")
        yield from _all_of(report, "recipients", key, roles, "commissioner")
        yield from _one_of(report, "meeting", key, codes(document, "obligations"), "obligation")
        yield from _in_order(key, report)
        for inner, line in rows(report, "lines"):
            yield from _all_of(line, "groups", f"{key}.{inner}", groups, "group")
            plan = codes(document, "named_outcomes")
            yield from _all_of(line, "against", f"{key}.{inner}", plan, "named outcome")


def _in_order(key: str, row: Document) -> Iterator[Fault]:
    since, until = row.get("since"), row.get("until")
    if isinstance(since, date) and isinstance(until, date) and until < since:
        yield f"{key}.until", f"{until} lies before since."


def _registers_reference(document: Document) -> Iterator[Fault]:
    """Complaints, incidents and feedback name clocks and groups."""
    clocks, groups = codes(document, "clocks"), codes(document, "groups")
    for key, stage in rows(table(document, "complaints"), "stages"):
        for name in ("clock", "extended"):
            yield from _one_of(stage, name, f"complaints.{key}", clocks, "clock")
    for key, incident in rows(document, "incidents"):
        for inner, row in rows(incident, "notify"):
            yield from _one_of(row, "clock", f"{key}.{inner}", clocks, "clock")
    asked = table(document, "feedback")
    yield from _all_of(asked, "child_groups", "feedback", groups, "group")


def _one_of(row: Document, name: str, key: str, known: list[str], what: str) -> Iterator[Fault]:
    code = row.get(name)
    if isinstance(code, str) and code not in known:
        yield f"{key}.{name}", _not_among(what, code, known)


def _all_of(row: Document, name: str, key: str, known: list[str], what: str) -> Iterator[Fault]:
    for place, code in texts(row, name):
        if code not in known:
            yield f"{key}.{place}", _not_among(what, code, known)


def _not_among(what: str, code: str, known: list[str]) -> str:
    return f"there is no {what} “{code}” in this file; it has: {', '.join(known) or 'none'}."


def _clocks_warn_in_time(document: Document) -> Iterator[Fault]:
    for key, clock in rows(document, "clocks"):
        limit, in_hours = clock.get("limit"), clock.get("unit") == Unit.ELAPSED_HOURS
        for name, order in (("warn_after_hours", 1), ("warn_before_hours", -1)):
            warnings = clock.get(name)
            hours = [h for h in warnings if is_number(h)] if isinstance(warnings, list) else []
            place = f"{key}.{name}"
            if any((later - earlier) * order <= 0 for earlier, later in pairwise(hours)):
                word = "ascend" if order > 0 else "descend"
                yield place, f"the warnings must {word}, each later than the one before."
            if in_hours and is_number(limit) and any(hour >= limit for hour in hours):
                yield place, f"a warning must come before the limit of {limit:g} hours."
        yield from _amounts(key, clock)


def _amounts(key: str, clock: Document) -> Iterator[Fault]:
    limit, target, sooner = clock.get("limit"), clock.get("target"), table(clock, "or_sooner")
    amounts = [("limit", limit, clock), ("target", target, clock)]
    amounts.append(("or_sooner.limit", sooner.get("limit"), sooner))
    for name, amount, told in amounts:
        if not is_number(amount) or told.get("unit") not in list(Unit):
            continue
        unit = Unit(str(told["unit"]))
        if unit.is_whole and amount % 1:
            yield f"{key}.{name}", f"{amount:g} is not possible: {unit} are counted whole."
        if unit is Unit.FIRST_WORKING_DAY_AFTER and amount != 1:
            yield f"{key}.{name}", "it must be 1: the first working day after."
        if unit in (Unit.ELAPSED_HOURS, Unit.OPEN_HOURS) and not amount:
            yield f"{key}.{name}", "0 is not possible: it must be more than 0."
    if is_number(limit) and is_number(target):
        ahead = clock.get("unit") == Unit.WORKING_DAYS_BEFORE
        if target <= limit if ahead else target >= limit:
            yield f"{key}.target", f"the target must come before the limit of {limit:g}."
    ends = clock.get("day_ends")
    if isinstance(ends, time) and ends < time(6):
        yield f"{key}.day_ends", "a day ends between 06:00:00 and 23:59:59."
    if (clock.get("starts") == ClockStart.MEETING) != (
        clock.get("unit") == Unit.WORKING_DAYS_BEFORE
    ):
        yield f"{key}.unit", "working_days_before goes with starts = “meeting”, and only with it."
    if clock.get("starts") == ClockStart.PROMISE:
        yield f"{key}.starts", "a promise has its own time and needs no clock here."


def _channels_map_once(document: Document) -> Iterator[Fault]:
    mapped: dict[str, str] = {}
    for key, method in rows(document, "methods"):
        for place, channel in texts(method, "channels"):
            if channel in mapped:
                taken = f"the channel “{channel}” is already counted in {mapped[channel]}."
                yield f"{key}.{place}", taken
            mapped.setdefault(channel, str(method.get("code")))
    if "methods" in document:
        for channel in CHANNELS:
            if channel not in mapped:
                yield "methods", f"no method counts the channel “{channel}”."
        if "other" not in codes(document, "methods"):
            yield "methods", "there must be a method “other” for channels nobody foresaw."


def _reasons_cover_triage(document: Document) -> Iterator[Fault]:
    known = codes(document, "reasons")
    if known:
        for category in CATEGORIES:
            if category not in known:
                yield "reasons", f"there must be a reason “{category}”: triage can answer with it."
    for key, reason in rows(document, "reasons"):
        for inner, part in rows(reason, "parts"):
            whole, code = reason.get("code"), part.get("code")
            if isinstance(code, str) and code.partition(".")[0] != whole:
                yield f"{key}.{inner}.code", f"“{code}” must begin with “{whole}.”."


def _unknown_has_a_row(document: Document) -> Iterator[Fault]:
    groups = codes(document, "groups")
    if groups and "unknown" not in groups:
        yield "groups", "there must be a group “unknown”: a person not yet known is counted too."
    code = table(document, "unknown_quadrant").get("code", "unknown")
    if code != "unknown":
        yield "unknown_quadrant.code", "it must be “unknown”, the row that every breakdown prints."


def _notices_have_their_clocks(document: Document) -> Iterator[Fault]:
    """Each notice names clocks of this file, and each is begun by what the notice waits for."""
    starts = {str(clock.get("code")): clock.get("starts") for _, clock in rows(document, "clocks")}
    begun_by = (
        ("clock", ClockStart.ALLEGATION),
        ("outcome_clock", ClockStart.OUTCOME),
        ("answer_clock", ClockStart.NOTICE_SENT),
    )
    for key, notice in rows(document, "notices"):
        for name, start in begun_by:
            yield from _one_of(notice, name, key, list(starts), "clock")
            code = notice.get(name)
            if isinstance(code, str) and code in starts and starts[code] != start:
                yield f"{key}.{name}", f"the clock “{code}” must start with “{start}”."
        if notice.get("chases") and not notice.get("answer_clock"):
            yield f"{key}.chases", "it needs answer_clock, which says when to chase."


def _dates_are_ordered(document: Document) -> Iterator[Fault]:
    term = table(document, "term")
    start, end, extension = (
        day_or_none(term.get(name)) for name in ("start", "end", "extension_end")
    )
    if start and end and end <= start:
        yield "term.end", f"the last day ({end}) must be after the first ({start})."
    if end and extension and extension <= end:
        yield "term.extension_end", f"the extension ({extension}) must end after the term ({end})."
    for key, day in rows(table(document, "office_hours"), "days"):
        opens, closes = day.get("opens"), day.get("closes")
        if isinstance(opens, time) and isinstance(closes, time) and closes <= opens:
            yield f"office_hours.{key}.closes", "it must be later than opens on the same day."


def _added_holidays_are_weekdays(document: Document) -> Iterator[Fault]:
    """A holiday that falls on a weekend is kept on another day: that is the one that counts."""
    for key, row in rows(table(document, "calendar"), "added"):
        day = day_or_none(row.get("day"))
        if day is not None and day.weekday() > 4:
            yield (
                f"calendar.{key}.day",
                f"{day} is at a weekend: give the day on which it is kept instead.",
            )


def _populations_are_dated_once(document: Document) -> Iterator[Fault]:
    seen: dict[tuple[Any, ...], str] = {}
    for key, row in rows(document, "populations"):
        same = tuple(str(row.get(name)) for name in ("code", "group", "quadrant", "as_of"))
        if same in seen:
            yield key, f"{seen[same]} already gives this count for the same day."
        seen.setdefault(same, key)


def _places_lie_once(document: Document) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    for array, name in (("quadrants", "districts"), ("exclusions", "areas")):
        for key, row in rows(document, array):
            for place, area in texts(row, name):
                if area in taken:
                    yield f"{key}.{place}", f"“{area}” already belongs to {taken[area]}."
                taken.setdefault(area, str(row.get("code")))


def _zone_exists(document: Document) -> Iterator[Fault]:
    zone = document.get("zone")
    if isinstance(zone, str):
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # unknown, or no name a zone could have
            yield "zone", f"“{zone}” is not a time zone; one is “Europe/London”."


def _menu_avoids_network_words(document: Document) -> Iterator[Fault]:
    for key, reason in rows(document, "reasons"):
        menu = reason.get("menu")
        if isinstance(menu, str):
            for word in re.findall(r"[A-Za-z]+", menu):
                if word.upper() in NETWORK_WORDS:
                    yield f"{key}.menu", f"“{word}” is a word that the network answers itself."
    for key, signpost in rows(document, "signposts"):
        line = signpost.get("line")
        if isinstance(line, str):
            for word in re.findall(r"\b[A-Z]{3,}\b", line):
                if word in NETWORK_WORDS:
                    yield f"{key}.line", f"“{word}” is a word that the network answers itself."


def _wording_fits_a_text(document: Document) -> Iterator[Fault]:
    """One letter outside the short alphabet halves what fits and doubles the price (§8.1)."""
    for name, place in (("signposts", "line"), ("reasons", "menu")):
        for key, row in rows(document, name):
            text = row.get(place)
            if isinstance(text, str):
                odd = sorted({letter for letter in text if not letter.isascii() and letter != "£"})
                if odd:
                    yield (
                        f"{key}.{place}",
                        f"use plain letters only: {' '.join(odd)} cannot be sent.",
                    )


def _emergencies_come_first(document: Document) -> Iterator[Fault]:
    signposts = rows(document, "signposts")
    if signposts and not any(row.get("first_answer") is True for _, row in signposts):
        yield (
            "signposts",
            "at least one must have first_answer = true: the first answer carries it.",
        )


def _numbers_are_free_or_plain(document: Document) -> Iterator[Fault]:
    """Charged numbers are refused anywhere: old ones linger on stale pages (domain facts §6)."""
    for key, text in strings(document):
        for written in _TELEPHONE.findall(text):
            digits = re.sub(r"\D", "", written.replace("(0)", ""))
            national = "0" + digits.removeprefix("44") if written.startswith("+") else digits
            if national.startswith(_CHARGED):
                yield key, f"{written} costs the caller money; give the 03 or free number of today."


def _facts_can_be_checked(document: Document) -> Iterator[Fault]:
    for key, fact in tables(document):
        if fact.get("mark") == "from knowledge" and not (
            fact.get("last_verified") or fact.get("verify")
        ):
            yield (
                f"{key}.last_verified",
                "say when it was last checked, or in verify what is to be found out.",
            )


def _allegations_can_go_out(document: Document) -> Iterator[Fault]:
    """Numbers that only a report of a kind which nobody is owed may print would never be told."""
    every = table(table(document, "disclosure"), "allegations").get("every")
    owed = {str(report.get("every")) for _, report in rows(document, "reports")}
    if every in LENGTHS and owed.isdisjoint(LENGTHS[LENGTHS.index(every) :]):
        yield (
            "disclosure.allegations.every",
            "no report of the contract is about so long a period, so nobody would ever be told.",
        )


_CHECKS: Final[tuple[Callable[[Document], Iterator[Fault]], ...]] = (
    _codes_are_unique,
    _words_mean_one_thing,
    _references_exist,
    _answers_can_be_given,
    _notices_have_their_clocks,
    _dates_are_ordered,
    _added_holidays_are_weekdays,
    _populations_are_dated_once,
    _places_lie_once,
    _clocks_warn_in_time,
    _channels_map_once,
    _reasons_cover_triage,
    _unknown_has_a_row,
    _zone_exists,
    _menu_avoids_network_words,
    _wording_fits_a_text,
    _emergencies_come_first,
    _numbers_are_free_or_plain,
    _facts_can_be_checked,
    _allegations_can_go_out,
)
