"""A carer's own page: whether its link may leave, how much it shows, and in which words it says
where things stand. Pure; asked by desk/page_links and desk/own_page.

The link opens the page to whoever holds the telephone. So it goes only where safe contact allows
real words now, and where it is not certain who that is, the page says no more than the automatic
answer to STATUS would.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from helpline.rules import safety
from helpline.rules.safety import SafeRules

LASTS: Final = timedelta(minutes=30)
"""How long a link opens something."""
IDLE: Final = timedelta(minutes=20)
LONGEST: Final = timedelta(hours=2)
"""How long a visit lasts: since the last page that was asked for, and altogether."""
MOST_IN_AN_HOUR: Final = 3
"""Links to one address: each ends the one before it, so more would only be noise."""
CARRIES: Final = ("sms", "whatsapp", "telegram", "email", "webchat")
"""Channels by which a link can be sent."""


def why_not(
    rules: SafeRules, channel: str, is_mobile: bool, opted_out: bool, now: datetime, zone: str
) -> str:
    """Why the link may not leave by this channel now; empty when it may. It does not wait for an
    hour that is safe: by then it would open nothing. Nor do neutral words go in its place, because
    they would say that something is there and not what."""
    if channel not in CARRIES:
        return "no_links"
    if opted_out:
        return "opted_out"
    judged = safety.judge(rules, channel, is_mobile, now, zone)
    if not judged.may:
        return judged.why
    return "neutral_only" if judged.is_neutral else ""


def is_shut_by(rules: SafeRules, channel: str) -> bool:
    """Whether a page that is open must close: somebody said that this way is not safe."""
    return rules.neutral_only or channel in rules.not_by


class Shows(StrEnum):
    """How much of what is kept somebody sees who came by a link."""

    ALL = "all"  # what is theirs
    LITTLE = "little"  # where the matter stands, which STATUS says to anybody who writes from there


@dataclass(frozen=True)
class WhoFacts:
    """What speaks for the person at the other end being the one whose page it is. `is_listed`: the
    council's list or a one-time code gave the address; `is_known`: it is certain whose matter it
    is; `is_shared`: others write from there too; `is_joined`: a worker joined two records for
    it."""

    is_listed: bool
    is_known: bool
    is_shared: bool
    is_joined: bool


def shows(facts: WhoFacts) -> Shows:
    certain = facts.is_listed and facts.is_known and not facts.is_shared and not facts.is_joined
    return Shows.ALL if certain else Shows.LITTLE


@dataclass(frozen=True)
class Standing:
    """What is known of a matter: by when somebody answers (None: answered), by when they have a
    worker (None: nothing runs)."""

    is_closed: bool
    answer_by: datetime | None
    has_worker: bool
    worker_by: datetime | None


def stands(facts: Standing, now: datetime) -> tuple[str, ...]:
    """Keys of the wording, in order: one about the answer, one about the worker."""
    if facts.is_closed:
        return ("stands_closed", "stands_come_back")
    if facts.answer_by is None:
        said = ["stands_answered"]
    else:
        said = ["stands_late" if facts.answer_by < now else "stands_waiting"]
    if facts.has_worker:
        said.append("stands_worker")
    elif facts.worker_by is not None:
        said.append("stands_no_worker" if facts.worker_by < now else "stands_worker_by")
    return tuple(said)


def is_only_stricter(wished: SafeRules, held: SafeRules) -> bool:
    """Whether a change of how somebody may be reached can do them no harm, whoever asks for it:
    everything that was forbidden still is. Anything else a worker asks them about first."""
    if wished.is_empty:
        return held.is_empty
    if held.code_name and wished.code_name != held.code_name:
        return False
    if not set(wished.also_by) <= set(held.also_by):
        return False
    kept = safety.stricter(wished, held)
    return kept == wished
