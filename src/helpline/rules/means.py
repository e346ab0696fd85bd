"""When a message could not be delivered: by which other way it is tried next, if by any.

Pure; asked by desk/means for every message to a person that failed for good. It only picks among
ways that are certainly theirs and that they use or have allowed, each kind of way once, so that it
always comes to an end; whatever it picks is held to safe contact again when it leaves. A telephone
is never dialled by a program.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from helpline.rules.safety import SafeRules

AUTOMATIC = ("sms", "whatsapp", "telegram", "email")
"""Ways that a program may try by itself. A web chat is a page somebody must come back to, a form is
read once, and a voice on the telephone may speak to anybody."""
NEVER_USED = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Means:
    """One address of a person. `is_theirs`: the council's list, a one-time code or a worker's word
    says so, not only whoever wrote from there. `used_at`: when they last wrote from there."""

    address_id: int
    channel: str
    is_theirs: bool
    used_at: datetime | None = None
    is_mobile: bool = True
    is_bad: bool = False
    has_opted_out: bool = False


def next_means(
    known: Sequence[Means],
    rules: SafeRules,
    tried: Collection[str],
    *,
    is_person_certain: bool,
    was_unwanted: bool,
) -> Means | None:
    """The way to try next; None leaves it to a worker.

    `tried`: the channels this message has gone by. `is_person_certain`: whose matter it is has been
    confirmed: of a mere claim nothing may reach the person it names. `was_unwanted`: they told the
    network STOP; then only what they have expressly allowed is tried."""
    if not is_person_certain:
        return None
    fitting = [
        means for means in known if _may_carry(means, rules, tried, was_unwanted=was_unwanted)
    ]
    # What they used last is what they look at; then in the order of AUTOMATIC.
    fitting.sort(key=lambda m: (AUTOMATIC.index(m.channel), m.address_id))
    fitting.sort(key=lambda m: m.used_at or NEVER_USED, reverse=True)
    return fitting[0] if fitting else None


def _may_carry(
    means: Means, rules: SafeRules, tried: Collection[str], *, was_unwanted: bool
) -> bool:
    if means.channel not in AUTOMATIC or means.channel in tried:
        return False
    if not means.is_theirs or means.is_bad or means.has_opted_out:
        return False
    if means.channel in rules.not_by or (means.channel == "sms" and not means.is_mobile):
        return False
    is_allowed = means.channel in rules.also_by
    return is_allowed or (means.used_at is not None and not was_unwanted)
