"""What somebody typed into the form of a setting, as the value of a change; and a value as what
stands in the form's fields.

Called by web/pages/settings.py. It reads shapes only: whether a change may be made is for
desk/agreed.py to say. `Unfit` names the field a sentence is about.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from typing import Any, Final

from helpline.contract import changing
from helpline.desk.agreed import Unfit
from helpline.rules import wordings

Form = Mapping[str, Sequence[str]]
WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
SPARE: Final = 3
"""Empty lines below the holidays that stand."""
MOST_COUNTED: Final = 10_000_000
LONGEST: Final = {"contact": 160, "hours": 160, "line": 160, "when": 300}
_FIRST: Final = {
    "populations": "count",
    "commissioners": "name_new",
    "signposts": "line",
    "calendar": "closed",
}
"""Where a sentence stands that is about no field of its own."""
_FIELDS: Final = frozenset(
    "from count as_of quadrant source rungs recipients closed contact hours line when "
    "last_verified minutes_between_rungs minutes_to_act hours_to_accept".split()
)
_LABELS: Final = {
    "contact": "the number or address",
    "line": "the line in a message",
    "when": "for whom it fits",
}


def day_of(form: Form, name: str = "from") -> date:
    """The day in a field; Unfit where there is none."""
    try:
        day = date.fromisoformat(_one(form, name))
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 2100:
        raise Unfit(name, "Give the day like 2027-01-31.")
    return day


def value_of(what: str, now: Any, form: Form) -> Any:
    """The value of a change of `what`, whose value is `now` at present."""
    return _READ[what.partition(".")[0]](now, form)


def typed_of(what: str, value: Any) -> dict[str, str]:
    """A value as the fields of its form."""
    kind = what.partition(".")[0]
    if kind == "ladder":
        rungs = {f"rung_{place}": rung for place, rung in enumerate(value["rungs"])}
        return rungs | {name: str(value[name]) for name in changing.BOUNDS}
    if kind == "texts":
        return {f"piece_{place}": words for place, words in enumerate(value["pieces"])}
    if kind == "calendar":
        days = {f"day_{place}": one["day"] for place, one in enumerate(value["added"])}
        names = {f"name_{place}": one["name"] for place, one in enumerate(value["added"])}
        closed = "\n".join(day_said(one) for one in value["closed_each_year"])
        return days | names | {"closed": closed}
    if kind == "office_hours":
        hours = {one["day"]: one for one in value["days"]}
        return {
            f"{name}_{day}": hours[day][name][:5] if day in hours else ""
            for day in WEEK
            for name in ("opens", "closes")
        }
    if kind == "commissioners":
        return {f"name_{one['code']}": one["name"] for one in value} | {"name_new": ""}
    return {name: "" if one is None else str(one) for name, one in value.items()}


def field_of(what: str, key: str) -> str:
    """The field of the form that a key of the contract's file, or of a change, stands in."""
    kind = what.partition(".")[0]
    if found := re.search(r"added\[(\d+)\]\.(\w+)$", key):
        return f"{found[2]}_{found[1]}"
    last = key.rpartition(".")[2]
    if last in _FIELDS or re.match(r"(piece|name|rung|day|opens|closes)_", last):
        return last
    return _FIRST.get(kind, "from")


def day_said(month_and_day: str) -> str:
    """A day of each year as people write it: "25 December"."""
    month, _, day = month_and_day.partition("-")
    return f"{int(day)} {MONTHS[int(month) - 1]}"


def _ladder(_: Any, form: Form) -> Any:
    rungs = [_one(form, f"rung_{place}") for place in range(changing.MOST_RUNGS)]
    for rung in rungs:
        if rung and rung not in changing.RUNGS:
            raise Unfit("rungs", "Choose who is asked from the list.")
    numbers = {name: _number(form, name, 1_000_000) for name in changing.BOUNDS}
    return {**numbers, "rungs": [rung for rung in rungs if rung]}


def _population(now: Any, form: Form) -> Any:
    kept = {name: now[name] for name in ("code", "label", "unit", "group")}
    return kept | {
        "count": _number(form, "count", MOST_COUNTED),
        "as_of": day_of(form, "as_of").isoformat(),
        "quadrant": _one(form, "quadrant") or None,
        "source": _short(form, "source", 200),
    }


def _commissioners(now: Any, form: Form) -> Any:
    kept = [
        {"code": one["code"], "name": _short(form, f"name_{one['code']}", 160)}
        for one in now
        if _one(form, f"name_{one['code']}")
    ]
    name = _short(form, "name_new", 160)
    if not name:
        return kept
    code = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60].rstrip("_")
    if not code or not code[0].isalpha():
        raise Unfit("name_new", "Begin the name with a letter.")
    if any(one["code"] == code for one in now):
        raise Unfit("name_new", "There is somebody of this name already.")
    return [*kept, {"code": code, "name": name}]


def _recipients(_: Any, form: Form) -> Any:
    return {"recipients": list(form.get("recipients", ()))}


def _signpost(_: Any, form: Form) -> Any:
    said = {name: _short(form, name, most) for name, most in LONGEST.items()}
    for name, label in _LABELS.items():
        if not said[name]:
            raise Unfit(name, f"Write {label}.")
    return said | {"last_verified": day_of(form, "last_verified").isoformat()}


def _text(now: Any, form: Form) -> Any:
    said = [_one(form, f"piece_{place}") for place in range(len(now["pieces"]))]
    return {"pieces": [words[: wordings.LONGER_BY * 20] for words in said]}


def _calendar(now: Any, form: Form) -> Any:
    added = []
    for place in range(len(now["added"]) + SPARE):
        day, name = _one(form, f"day_{place}"), _short(form, f"name_{place}", 80)
        if day and not name:
            raise Unfit(f"name_{place}", "Say what day it is: “Bank holiday for the …”.")
        if day or name:
            added.append({"day": day_of(form, f"day_{place}").isoformat(), "name": name})
    if len({one["day"] for one in added}) < len(added):
        raise Unfit("day_0", "One of these days stands here twice.")
    lines = [line.strip() for line in _one(form, "closed").splitlines() if line.strip()]
    closed = [_day_of_year(line) for line in lines[:40]]
    return {
        "added": sorted(added, key=lambda one: one["day"]),
        "closed_each_year": list(dict.fromkeys(closed)),
    }


def _day_of_year(line: str) -> str:
    found = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?\s+([A-Za-z]+)", line)
    month = next(
        (
            place
            for place, name in enumerate(MONTHS, 1)
            if found and len(found[2]) >= 3 and name.lower().startswith(found[2].lower())
        ),
        0,
    )
    try:
        day = date(2028, month, int(found[1]) if found else 0)  # a year that has 29 February
    except ValueError:
        raise Unfit(
            "closed", f"“{line[:40]}” is no day of the year: write it like 25 December."
        ) from None
    return f"{day:%m-%d}"


def _office_hours(_: Any, form: Form) -> Any:
    days = []
    for day in WEEK:
        opens, closes = _one(form, f"opens_{day}"), _one(form, f"closes_{day}")
        if not opens and not closes:
            continue
        at, until = _time(form, f"opens_{day}"), _time(form, f"closes_{day}")
        if until <= at:
            raise Unfit(f"closes_{day}", "Close later than you open, on the same day.")
        days.append({"day": day, "opens": f"{at:%H:%M:%S}", "closes": f"{until:%H:%M:%S}"})
    return {"days": days, "open_on_bank_holidays": _one(form, "bank_holidays") == "yes"}


def _time(form: Form, name: str) -> time:
    try:
        return time.fromisoformat(_one(form, name)[:5])
    except ValueError:
        raise Unfit(
            name, "Give the time like 09:00, or leave both times of the day empty."
        ) from None


def _number(form: Form, name: str, most: int) -> int:
    text = _one(form, name).replace(",", "").replace(" ", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= most):
        raise Unfit(name, "Give a whole number.")
    return int(text)


def _short(form: Form, name: str, most: int) -> str:
    text = " ".join(_one(form, name).split())
    if len(text) > most:
        raise Unfit(name, f"Say it shorter: {most} letters at most.")
    return text


def _one(form: Form, name: str) -> str:
    values = form.get(name)
    return values[-1].strip() if values else ""


_READ: Final[Mapping[str, Callable[[Any, Form], Any]]] = {
    "ladder": _ladder,
    "populations": _population,
    "commissioners": _commissioners,
    "reports": _recipients,
    "signposts": _signpost,
    "texts": _text,
    "calendar": _calendar,
    "office_hours": _office_hours,
}
