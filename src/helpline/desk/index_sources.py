"""Which blind index is made of what: how each is made anew when keys change.

`helpline keys rotate` goes by this list (desk/rekeying.py). A test holds it against every column
whose name ends in _index and every module that uses the key ring, so that neither can be added
without somebody saying here what a change of keys does to it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from helpline.desk.people import plain_number


@dataclass(frozen=True)
class Made:
    """An index and what it is made of: `of` are sealed columns of `source` (its own table where it
    is None); `kind` and `value` say of a row of the source what goes into `ring().index`. A value
    of None makes none. Where the source is another table, whatever holds the old index gets the
    new one, whoever's row it is on by now."""

    table: str
    column: str
    of: str
    kind: Callable[[Mapping[str, Any]], str]
    value: Callable[[str], str | None] = str
    source: str | None = None
    also: tuple[str, ...] = ()
    """Plain columns of the source that `kind` looks at."""
    or_plain: str = ""
    """The plain column that may hold the same where nothing is sealed: of rows written before it
    was kept."""
    why_odd: str = "it was made of something else than what its row says now"
    """What is said of one that cannot be made anew."""


def _always(kind: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: kind


def _channel(row: Mapping[str, Any]) -> str:
    return f"address:{row['channel']}"


def _contract(kind: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: f"{kind}:{row['contract']}"


def _sender(sealed: str) -> str | None:
    """Of a kept item: who sent it, as it was when it was kept."""
    try:
        sender = json.loads(sealed)["sender"]
    except (ValueError, KeyError, TypeError):
        return None
    return sender if isinstance(sender, str) else None


MADE: Final = (
    Made("address", "value_index", "value", _channel, also=("channel",)),
    Made(
        "person",
        "household_index",
        "household",
        _contract("household"),
        source="person",
        also=("contract",),
    ),
    Made(
        "person",
        "register_index",
        "register_id",
        _contract("register"),
        str.upper,
        also=("contract",),
    ),
    Made(
        "membership",
        "number_index",
        "register_id",
        _always("membership"),
        plain_number,
        source="person",
    ),
    Made(
        "membership",
        "postcode_index",
        "postcode",
        _always("postcode"),
        lambda postcode: postcode.replace(" ", ""),
    ),
    Made("user", "mobile_index", "mobile", _always("address:sms")),
    Made("user", "telegram_index", "telegram", _always("address:telegram")),
    Made("user", "email_index", "email", _always("address:email")),
    Made("police_interview", "solicitor_index", "solicitor", _always("solicitor"), str.casefold),
    Made(
        "inbound_item",
        "sender_index",
        "sealed",
        lambda row: f"sender:{row['channel']}",
        _sender,
        also=("channel",),
    ),
    Made(
        "case",
        "import_key",
        "imported_as",
        _always("import"),
        or_plain="reference",
        why_odd="from which line of a past log the case came was not kept then: "
        "do not import that log again",
    ),
)
"""Every index that is made anew from what is sealed."""

PASSES: Final = {
    "link_code.code_index": "a code that was read out is good for half an hour",
    "login_attempt.subject": "wrong tries are counted for an hour, under the key that seals",
}
"""Indexes of what is kept nowhere else and ends by itself."""

WORDS: Final = ("case_word", "person_word")
"""Digests of words: made anew from the texts, case by case and person by person."""

USES: Final = {
    "cli_trust.py": "this is what it is about",
    "desk/access.py": "MADE: user",
    "desk/breaking.py": "looks up by every key",
    "desk/byhand.py": "MADE: address",
    "desk/calls.py": "MADE: address; a lock's number lives for one transaction",
    "desk/casefile.py": "looks up by every key",
    "desk/chaining.py": "the proofs of the trail stay true: their keys are kept, sealed",
    "desk/duties/interviews.py": "MADE: police_interview",
    "desk/faults.py": "looks up by every key",
    "desk/guessing.py": "PASSES; a browser's mark is unknown once its key is gone",
    "desk/imports/cases.py": "MADE: case, person",
    "desk/imports/listed.py": "MADE: membership",
    "desk/imports/people.py": "MADE: person, membership, address",
    "desk/imports/register.py": "looks up by every key",
    "desk/inbox.py": "MADE: inbound_item",
    "desk/intake.py": "looks up by every key",
    "desk/keyring.py": "this is what it is about",
    "desk/letters.py": "a letter's token is unknown once its key is gone: then by sender",
    "desk/linking.py": "PASSES: link_code; MADE: user",
    "desk/mailing.py": "looks up by every key",
    "desk/merging.py": "looks up by every key",
    "desk/news.py": "looks up by every key",
    "desk/people.py": "MADE: address, membership",
    "desk/practice.py": "MADE: address, in a database of its own; looks up by every key",
    "desk/readiness.py": "names the key that seals, and looks up nothing",
    "desk/rekeying.py": "this is what it is about",
    "desk/rights/erasing.py": "MADE: address, of what stands in place of one that went",
    "desk/search.py": "WORDS; looks up by every key",
    "desk/transfer.py": "MADE: address",
    "desk/ways.py": "MADE: user",
    "desk/webchat.py": "looks up by every key",
    "desk/webform.py": "MADE: address",
    "engine/pulse.py": "says which keys a process has",
    "models/trail.py": "the proofs of the trail stay true: their keys are kept, sealed",
    "sealing.py": "this is what it is about",
    "seed.py": "looks up by every key; the demo",
    "web/pages/demo_calls.py": "looks up by every key; the demo",
}
"""Every module that asks for the ring, and what a change of keys does to what it makes of it."""
