"""What of a contract people may change while it runs, and how a change is laid into its document.

Each thing has an address ("ladder", "signposts.childline", "texts.en.allocated") and a value that
can be stored as JSON. Called by contract/overlay.py, and by desk/agreed.py for what stands now.
Pure; nothing here knows who asks or what time it is. Whatever is not listed is set in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final, Literal

from helpline.contract.agreement import Contract
from helpline.contract.checks import Fault
from helpline.contract.document import Document, rows, table
from helpline.rules import wordings

Group = Literal["populations", "recipients", "signposts", "texts", "days", "ladder"]
Sources = Mapping[str, str]
"""The texts as they come with the software: "en.allocated" → template."""
BOUNDS: Final = {
    # the fewest and the most, and of what
    "minutes_between_rungs": (3, 60, "minutes"),
    "minutes_to_act": (10, 120, "minutes"),
    "hours_to_accept": (1, 24, "hours"),
}
MOST_RUNGS: Final = 6
FIRST_RUNGS: Final = ("on_call", "backup")
LAST_RUNGS: Final = ("lead", "manager")
RUNGS: Final = ("on_call", "backup", "lead", "manager")
"""Who may be asked by everything that has no ladder of its own."""
SIGNPOST: Final = ("contact", "hours", "line", "when", "last_verified")
"""What of a signpost may change: whom it is for and when it comes up is the contract's."""
COUNTED: Final = ("carer", "family")


@dataclass(frozen=True)
class Thing:
    """Something that may be changed: its address, under which heading, what it is called (empty
    where the page knows)."""

    what: str
    group: Group
    name: str = ""


def things(contract: Contract, sources: Sources, language: str = "en") -> list[Thing]:
    """Everything of a contract that may be changed, in the order of the page."""
    named = {one.code: one.label for one in contract.populations}
    counted = {one.group for one in contract.populations}
    for group in contract.groups:
        if group.counts_as in COUNTED and group.code not in counted:
            named.setdefault(group.code, group.name)
    found = [Thing("ladder", "ladder")]
    found += [Thing(f"populations.{code}", "populations", name) for code, name in named.items()]
    found += [Thing("commissioners", "recipients")]
    found += [Thing(f"reports.{one.code}", "recipients", one.title) for one in contract.reports]
    found += [Thing(f"signposts.{one.code}", "signposts", one.name) for one in contract.signposts]
    found += [
        Thing(f"texts.{language}.{code}", "texts")
        for code in wordings.ADAPTABLE
        if wordings.pieces(sources.get(f"{language}.{code}", ""))
    ]
    return [*found, Thing("calendar", "days"), Thing("office_hours", "days")]


def value_of(contract: Contract, sources: Sources, what: str) -> Any:
    """What stands in a contract, shaped as a change of it; None for what cannot be changed."""
    kind, _, code = what.partition(".")
    found = _READ.get(kind)
    return found(contract, sources, code) if found else None


def needs_second(contract: Contract, sources: Sources, what: str, value: Any) -> bool:
    """Whether somebody else must agree before it counts: whom an alert asks, what is said about
    danger, and what the first answer to everybody names. There a slip is found in the worst hour,
    by somebody who cannot put it right."""
    kind, _, code = what.partition(".")
    if kind == "texts":
        return wordings.needs_second(code.partition(".")[2], sources.get(code, ""))
    if kind == "signposts":
        only_looked_at = isinstance(value, dict) and value.keys() == {"last_verified"}
        return contract.signpost(code).first_answer and not only_looked_at
    return kind == "ladder"


def lay(document: Document, own: dict[str, str], sources: Sources, what: str, value: Any) -> None:
    """Put one change into a document and the words of its texts; ValueError, KeyError or TypeError
    for a value that is none of its kind. What it leads to is for the checks to say."""
    kind, _, code = what.partition(".")
    _LAY[kind](document, own, sources, code, value)


def faults_of(document: Document, sources: Sources, what: str, value: Any) -> Iterator[Fault]:
    """What only a change must keep to, beyond the checks of a file; (field, sentence)."""
    kind, _, code = what.partition(".")
    if kind == "ladder":
        yield from _ladder_faults(value)
    elif kind == "texts":
        language, _, text = code.partition(".")
        source, is_english = sources[code], language == "en"
        for number, piece in enumerate(wordings.pieces(source)[: len(value["pieces"])]):
            said = str(value["pieces"][number])
            for why in wordings.faults_of(text, piece.words, said, is_english=is_english):
                yield f"piece_{number}", why
        if len(value["pieces"]) != len(wordings.pieces(source)):
            yield "piece_0", "The text has other parts by now: open it anew and write it again."
    elif kind == "commissioners":
        yield from _recipient_faults(document, value)
    elif kind == "reports" and not value["recipients"]:
        yield "recipients", "Somebody must be given the report: choose at least one."


# --- what stands ----------------------------------------------------------------------------------


def _population(contract: Contract, _: Sources, code: str) -> Any:
    known = [one for one in contract.populations if one.code == code]
    if known:
        newest = max(known, key=lambda one: (one.quadrant is None, one.as_of))
        return newest.model_dump(mode="json", include=_POPULATION)
    group = next((one for one in contract.groups if one.code == code), None)
    if group is None:
        return None
    row = {"code": code, "label": group.name, "unit": "people", "group": code}
    return row | {"count": None, "as_of": "", "quadrant": None, "source": ""}


_POPULATION: Final = {"code", "label", "count", "as_of", "unit", "group", "quadrant", "source"}


def _commissioners(contract: Contract, _: Sources, code: str) -> Any:
    listed = contract.commissioners
    return None if code else [{"code": one.code, "name": one.name} for one in listed]


def _recipients(contract: Contract, _: Sources, code: str) -> Any:
    found = next((one for one in contract.reports if one.code == code), None)
    return None if found is None else {"recipients": list(found.recipients)}


def _signpost(contract: Contract, _: Sources, code: str) -> Any:
    found = next((one for one in contract.signposts if one.code == code), None)
    return None if found is None else found.model_dump(mode="json", include=set(SIGNPOST))


def _text(contract: Contract, sources: Sources, code: str) -> Any:
    source = sources.get(code)
    if source is None or code.partition(".")[2] not in wordings.ADAPTABLE:
        return None
    said = contract.own_words.get(code, source)
    return {"pieces": [one.words for one in wordings.pieces(said)]}


def _calendar(contract: Contract, _: Sources, code: str) -> Any:
    if code:
        return None
    return contract.calendar.model_dump(mode="json", include={"added", "closed_each_year"})


def _office_hours(contract: Contract, _: Sources, code: str) -> Any:
    if code:
        return None
    return contract.office_hours.model_dump(mode="json", include={"days", "open_on_bank_holidays"})


def _ladder(contract: Contract, _: Sources, code: str) -> Any:
    if code:
        return None
    return contract.ladder.model_dump(mode="json", include={"rungs", *BOUNDS})


_READ: Final[Mapping[str, Callable[[Contract, Sources, str], Any]]] = {
    "populations": _population,
    "commissioners": _commissioners,
    "reports": _recipients,
    "signposts": _signpost,
    "texts": _text,
    "calendar": _calendar,
    "office_hours": _office_hours,
    "ladder": _ladder,
}


# --- into the document ----------------------------------------------------------------------------


def _lay_population(document: Document, _o: Any, _s: Any, code: str, value: Any) -> None:
    """One more count; one of the same day and place takes the other's place."""
    row = {name: one for name, one in value.items() if one is not None and name in _POPULATION}
    row |= {"code": code, "as_of": date.fromisoformat(value["as_of"])}
    same = ("code", "group", "quadrant", "as_of")
    listed = [
        one
        for _, one in rows(document, "populations")
        if any(one.get(name) != row.get(name) for name in same)
    ]
    document["populations"] = [*listed, row]


def _lay_commissioners(document: Document, _o: Any, _s: Any, _c: str, value: Any) -> None:
    known = {str(one.get("code")): one for _, one in rows(document, "commissioners")}
    document["commissioners"] = [
        {**known.get(one["code"], {}), "code": one["code"], "name": one["name"]} for one in value
    ]


def _lay_recipients(document: Document, _o: Any, _s: Any, code: str, value: Any) -> None:
    _row(document, "reports", code)["recipients"] = list(value["recipients"])


def _lay_signpost(document: Document, _o: Any, _s: Any, code: str, value: Any) -> None:
    row = _row(document, "signposts", code)
    row |= {name: value[name] for name in SIGNPOST if name in value}
    if value.get("last_verified"):
        row["last_verified"] = date.fromisoformat(value["last_verified"])


def _lay_text(_d: Any, own: dict[str, str], sources: Sources, code: str, value: Any) -> None:
    own[code] = wordings.put_otherwise(sources[code], value["pieces"])


def _lay_calendar(document: Document, _o: Any, _s: Any, _c: str, value: Any) -> None:
    added = [{"day": date.fromisoformat(one["day"]), "name": one["name"]} for one in value["added"]]
    table(document, "calendar").update(
        {"added": added, "closed_each_year": list(value["closed_each_year"])}
    )


def _lay_office_hours(document: Document, _o: Any, _s: Any, _c: str, value: Any) -> None:
    days = [
        {
            "day": one["day"],
            "opens": time.fromisoformat(one["opens"]),
            "closes": time.fromisoformat(one["closes"]),
        }
        for one in value["days"]
    ]
    open_then = value["open_on_bank_holidays"]
    table(document, "office_hours").update({"days": days, "open_on_bank_holidays": open_then})


def _lay_ladder(document: Document, _o: Any, _s: Any, _c: str, value: Any) -> None:
    table(document, "ladder").update({name: value[name] for name in ("rungs", *BOUNDS)})


def _row(document: Document, name: str, code: str) -> Document:
    return next(one for _, one in rows(document, name) if one.get("code") == code)


_LAY: Final[Mapping[str, Callable[[Document, dict[str, str], Sources, str, Any], None]]] = {
    "populations": _lay_population,
    "commissioners": _lay_commissioners,
    "reports": _lay_recipients,
    "signposts": _lay_signpost,
    "texts": _lay_text,
    "calendar": _lay_calendar,
    "office_hours": _lay_office_hours,
    "ladder": _lay_ladder,
}


# --- what a change must keep to -------------------------------------------------------------------


def _ladder_faults(value: Mapping[str, Any]) -> Iterator[Fault]:
    for name, (fewest, most, unit) in BOUNDS.items():
        if not fewest <= value[name] <= most:
            yield name, f"Give {fewest} to {most} {unit}."
    rungs: Sequence[str] = value["rungs"]
    if not rungs or rungs[0] not in FIRST_RUNGS:
        yield "rungs", "Begin with somebody on call: they are the ones who are awake for it."
    elif rungs[-1] not in LAST_RUNGS:
        yield "rungs", "Let the last one asked be a lead or a manager."
    elif len(rungs) > MOST_RUNGS:
        yield "rungs", f"At most {MOST_RUNGS} steps: after the last it begins anew anyway."


def _recipient_faults(document: Document, value: Sequence[Mapping[str, str]]) -> Iterator[Fault]:
    if not value:
        yield "names", "Keep at least one: reports are given to somebody."
    left = {one["code"] for one in value}
    names = {str(one.get("code")): one.get("name") for _, one in rows(document, "commissioners")}
    for _, report in rows(document, "reports"):
        for code in report.get("recipients", ()):
            if code not in left:
                who, which = names.get(code, code), report.get("title")
                yield "names", f"{who} is given the {which}: take them out of it first."
