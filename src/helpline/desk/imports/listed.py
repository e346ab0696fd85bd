"""One row of a council's list, understood: who it is, since when, and how they can be reached.

Used by desk/imports/people.py. It asks no database; what is wrong with a row goes into the checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import phonenumbers

from helpline.desk.imports.checking import Checks
from helpline.desk.imports.reading import Row
from helpline.desk.people import plain_number
from helpline.rules import quadrants
from helpline.rules.quadrants import Quadrant
from helpline.sealing import ring
from helpline.vocabulary import UNKNOWN

REQUIRED: Final = ("person", "name", "kind")
COLUMNS: Final = (
    *REQUIRED,
    *("team", "postcode", "approved_from", "approved_to", "household"),
    *("mobile", "email", "language"),
    *("quadrant", "young_person_born"),
)
_POSTCODE: Final = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}")
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\"]{2,}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z]{2,4})?")
_DRAMA: Final = re.compile(r"7700900[0-9]{3}")  # Ofcom's numbers for stories: no network has them


@dataclass(frozen=True)
class Listed:
    """One row, understood. `addresses` are (channel, canonical value)."""

    row: Row
    id: str
    name: str
    group: str
    team: str
    quadrant: Quadrant
    postcode: str | None
    lives_outside: bool | None
    approved_from: date | None
    approved_to: date | None
    household: str | None
    language: str
    young_person_born: date | None
    addresses: tuple[tuple[str, str], ...]

    @property
    def person(self) -> dict[str, Any]:
        """What the list says of the person; a young person's birthday that somebody asked for is
        not taken away by a list that is silent about it."""
        wanted: dict[str, Any] = {"name": self.name, "group": self.group}
        wanted |= {"language": self.language, "household": self.household}
        if self.young_person_born:
            wanted["young_person_born"] = self.young_person_born.isoformat()
        return wanted

    @property
    def membership(self) -> dict[str, Any]:
        postcode_index = None
        if self.postcode:
            postcode_index = ring().index("postcode", self.postcode.replace(" ", ""))
        return {
            "group": self.group,
            "team": self.team,
            "quadrant": self.quadrant.code,
            "postcode": self.postcode,
            "postcode_index": postcode_index,
            "approved_from": self.approved_from,
            "approved_to": self.approved_to,
            "quadrant_from": self.quadrant.source,
            "quadrant_confidence": self.quadrant.confidence,
            "lives_outside": self.lives_outside,
        }

    def holds(self, on: date) -> bool:
        """Whether the list has them approved on that day."""
        return (self.approved_from or on) <= on <= (self.approved_to or on)


def understood(checks: Checks, row: Row) -> Listed:
    id_ = checks.needed(row, "person", 100).upper()
    checks.once(row, "person", id_)
    if id_ and not plain_number(id_):
        checks.wrong(row, "person", "it has no letter or digit that could be quoted.")
    name = checks.needed(row, "name")
    if not row["kind"]:
        checks.needed(row, "kind")
    postcode = _postcode(checks, row)
    team = checks.word(row, "team", "team")
    home = checks.contract.suggest_quadrant(postcode) if postcode else None
    start, end = checks.day(row, "approved_from"), checks.day(row, "approved_to")
    checks.not_before(row, "approved_to", end, "approved_from", start)
    addresses = (("sms", _mobile(checks, row)), ("email", _email(checks, row)))
    return Listed(
        row=row,
        id=id_,
        name=name,
        group=checks.word(row, "kind", "group"),
        team=team,
        quadrant=quadrants.derive(
            listed=checks.word(row, "quadrant", "quadrant"),
            of_team=checks.contract.quadrant_of_team(team) if team != UNKNOWN else None,
            home=home,
        ),
        postcode=postcode,
        lives_outside=quadrants.lives_outside(home),
        approved_from=start,
        approved_to=end,
        household=checks.short(row, "household") or None,
        language=_language(checks, row),
        young_person_born=checks.day(row, "young_person_born"),
        addresses=tuple((channel, value) for channel, value in addresses if value),
    )


def _postcode(checks: Checks, row: Row) -> str | None:
    plain = "".join(row["postcode"].upper().split())
    if not plain:
        return None
    if not _POSTCODE.fullmatch(plain):
        checks.wrong(row, "postcode", "it is no postcode; one is written CO1 1AA.")
    return f"{plain[:-3]} {plain[-3:]}"


def _mobile(checks: Checks, row: Row) -> str:
    """E.164. Only a mobile can be texted: a landline here would be told things it must not say."""
    if not row["mobile"]:
        return ""
    try:
        number = phonenumbers.parse(row["mobile"], "GB")
    except phonenumbers.NumberParseException:
        checks.wrong(row, "mobile", "it is no telephone number; one is written 07700 900123.")
        return ""
    if number.country_code != 44 or not _DRAMA.fullmatch(str(number.national_number)):
        mobile = phonenumbers.PhoneNumberType.MOBILE
        either = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
        if not phonenumbers.is_valid_number(number):
            checks.wrong(row, "mobile", "there is no such telephone number.")
        elif phonenumbers.number_type(number) not in (mobile, either):
            checks.wrong(row, "mobile", "it is no mobile number, so it cannot be texted.")
    e164 = str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    checks.once(row, "mobile", e164)
    return e164


def _email(checks: Checks, row: Row) -> str:
    address = checks.short(row, "email", 254).lower()
    if address and not _EMAIL.fullmatch(address):
        checks.wrong(row, "email", "it is no e-mail address.")
    checks.once(row, "email", address)
    return address


def _language(checks: Checks, row: Row) -> str:
    language = row["language"].lower() or "en"
    if not _LANGUAGE.fullmatch(language):
        checks.wrong(row, "language", "it must be a language's short code: en, pl, ro, ur …")
    return language
