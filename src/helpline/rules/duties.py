"""The duties an allegation makes, as words and small decisions. Pure; called by desk/duties and by
the page /duties.

Outcomes, decisions and views are other people's, reported to us: nothing here weighs them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from helpline.rules.clocks import months_after


class NoticeState(StrEnum):
    OWED = "owed"
    SENT = "sent"
    NOT_SENT = "not_sent"  # somebody signed why


class SentHow(StrEnum):
    """By which way somebody was told."""

    TELEPHONE = "telephone"
    EMAIL = "email"
    FORM = "form"  # the authority's own
    LETTER = "letter"
    IN_PERSON = "in_person"
    BY_OTHERS = "by_others"  # somebody else told them, and told us so
    READ_HERE = "read_here"  # they opened the case themself


OUR_LEAD = "safeguarding_lead"
"""The code of the word to our own safeguarding lead, where a contract owes one."""


class InterviewKind(StrEnum):
    """How the police speak with somebody. Not under arrest they are free to leave; both are
    interviews under caution (domain.md §1.5)."""

    VOLUNTARY = "voluntary"
    ARREST = "arrest"
    WITNESS = "witness"  # an own child as a witness: never rehearsed


class SolicitorStep(StrEnum):
    """What comes next for the solicitor of an interview."""

    REQUEST = "request"
    CONFIRM = "confirm"
    ATTEND = "attend"
    NONE = "none"  # it is known whether they were there


class Proceeding(StrEnum):
    CRIMINAL = "criminal"
    CIVIL = "civil"


class ClaimState(StrEnum):
    """Where a claim on the legal cover stands."""

    TO_NOTIFY = "to_notify"
    NOTIFIED = "notified"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CLOSED = "closed"

    @property
    def may_become(self) -> tuple["ClaimState", ...]:
        """The states that can follow. A refusal may be changed by the insurer."""
        return _CLAIM_GOES_ON[self]


_CLAIM_GOES_ON = {
    ClaimState.TO_NOTIFY: (ClaimState.NOTIFIED, ClaimState.CLOSED),
    ClaimState.NOTIFIED: (ClaimState.ACCEPTED, ClaimState.DECLINED, ClaimState.CLOSED),
    ClaimState.ACCEPTED: (ClaimState.CLOSED,),
    ClaimState.DECLINED: (ClaimState.ACCEPTED, ClaimState.CLOSED),
    ClaimState.CLOSED: (),
}


class HandOff(StrEnum):
    """How the legal helpline was given to somebody."""

    NUMBER_GIVEN = "number_given"
    PUT_THROUGH = "put_through"
    LINE_FAILED = "line_failed"  # nobody answered: an incident (A38)


class OfferState(StrEnum):
    """What became of counselling for one member of the household."""

    OFFERED = "offered"
    DECLINED = "declined"
    WANTED = "wanted"
    REFERRED = "referred"


class Money(StrEnum):
    ALLOWANCE = "allowance"
    FEE = "fee"


class MoneyState(StrEnum):
    """What the carer has been told about their money meanwhile."""

    NOT_ASKED = "not_asked"
    ASKED = "asked"
    PAID = "paid"  # goes on as before
    REDUCED = "reduced"
    STOPPED = "stopped"

    @property
    def is_answer(self) -> bool:
        return self in (MoneyState.PAID, MoneyState.REDUCED, MoneyState.STOPPED)


class MoveKind(StrEnum):
    """What was decided about where a fostered child lives meanwhile."""

    STAYS = "stays"
    MOVES = "moves"
    MOVED_AT_ONCE = "moved_at_once"  # before anybody could be heard
    RETURNS = "returns"


class OutcomeWord(StrEnum):
    """How an allegation ended, in the words of Keeping Children Safe in Education (domain.md
    §1.3), and four of ours that are no outcome."""

    SUBSTANTIATED = "substantiated"
    MALICIOUS = "malicious"
    FALSE = "false"
    UNSUBSTANTIATED = "unsubstantiated"
    UNFOUNDED = "unfounded"
    NOT_YET_KNOWN = "not_yet_known"
    NOT_TOLD_TO_US = "not_told_to_us"
    WITHDRAWN_BY_REFERRER = "withdrawn_by_referrer"
    DID_NOT_MEET_THRESHOLD = "did_not_meet_threshold"

    @property
    def is_end(self) -> bool:
        """Whether it says that the process is over, so that word of it is owed."""
        return self not in (OutcomeWord.NOT_YET_KNOWN, OutcomeWord.NOT_TOLD_TO_US)


class DefinitionSet(StrEnum):
    """Whose meaning a word has: "unfounded" means two things (domain.md §0.8)."""

    KCSIE = "kcsie"
    FOSTERING_NETWORK = "fostering_network"
    NOT_SAID = "not_said"


class OfstedOutcome(StrEnum):
    """The yearly return's three ways in which it ended."""

    RESOLVED_NO_FURTHER = "resolved_no_further"
    RESOLVED_MONITORED = "resolved_monitored"
    REFERRED_TO_PANEL = "referred_to_panel"


class ApprovalOutcome(StrEnum):
    """What became of the approval, as we were told (001 §14.2: the final outcome)."""

    CONTINUES = "continues"
    CHANGED = "changed"
    TRAINING = "training"
    TERMINATED = "terminated"
    RESIGNED = "resigned"
    PROSECUTION = "prosecution"


class ApprovalKind(StrEnum):
    """A written notice that begins twenty-eight days."""

    DETERMINATION = "determination"  # the service proposes to end or change the approval
    RESIGNATION = "resignation"


class AppealChoice(StrEnum):
    """Representations or the independent review: one of them, never both (domain.md §1.2)."""

    REPRESENTATIONS = "representations"
    IRM = "irm"
    NEITHER = "neither"


@dataclass(frozen=True)
class Wanted:
    """A solicitor for one person of a case."""

    who: str
    solicitor: str
    """A name or its blind index; empty where nobody is named yet."""


def shared_solicitors(wanted: Iterable[Wanted]) -> tuple[tuple[str, str], ...]:
    """Pairs of people for whom the same solicitor is named: their interests may clash, so each
    should have their own (domain.md §1.5)."""
    found = [one for one in wanted if one.solicitor]
    return tuple(
        (one.who, other.who)
        for place, one in enumerate(found)
        for other in found[place + 1 :]
        if one.solicitor == other.solicitor and one.who != other.who
    )


def solicitor_step(
    requested_at: datetime | None, confirmed_at: datetime | None, has_attended: bool | None
) -> SolicitorStep:
    if has_attended is not None:
        return SolicitorStep.NONE
    if confirmed_at is not None:
        return SolicitorStep.ATTEND
    return SolicitorStep.CONFIRM if requested_at is not None else SolicitorStep.REQUEST


def is_too_near(
    at: datetime | None, now: datetime, warn_before_hours: Sequence[float], kind: str
) -> bool:
    """Whether somebody must be asked at once for a solicitor: they are under arrest, or the first
    warning would have been sooner than now. An interview that is over waits for nobody."""
    if at is not None and at <= now:
        return False
    if kind == InterviewKind.ARREST:
        return True
    first = max(warn_before_hours, default=0)
    return at is not None and at - now <= timedelta(hours=first)


_CHILD = re.compile(r"(?:child |young person )?([A-Za-z])")


def child_letter(text: str) -> str | None:
    """ "A" for "a", "A", "child A"; None for anything that could be a name."""
    found = _CHILD.fullmatch(" ".join(text.split()))
    return found[1].upper() if found else None


@dataclass(frozen=True, order=True)
class Earlier:
    """An allegation or a concern about one person: when we knew of it, and its track."""

    at: datetime
    track: str
    is_here: bool = False
    """Whether it is on the case that is being looked at."""
    is_household: bool = False
    """About somebody else who lives there."""
    is_elsewhere: bool = False
    """Under another contract."""


@dataclass(frozen=True)
class Repeat:
    """How many there are about one person, the newest included."""

    count: int
    """All that are known."""
    within: int | None
    """The shortest span of years that holds them all; None: over a longer time than is counted."""
    household: int
    sharpest: tuple[int, int] | None = None
    """How many in how many years, where those of a shorter span say more than all together."""


WINDOWS = (1, 2, 3, 5, 10)
"""Years, the shortest first."""


def repeat_of(found: Sequence[Earlier], today: date) -> Repeat | None:
    """All there are about the person themself, and the sharpest true thing about them; None where
    there is but one and nothing about others of the household."""
    own = [one.at.date() for one in found if not one.is_household]
    household = len(found) - len(own)
    if len(own) < 2 and not household:
        return None
    held = {years: sum(day >= months_after(today, -12 * years) for day in own) for years in WINDOWS}
    within = next((years for years, count in held.items() if count == len(own)), None)
    sharpest = _sharpest(held)
    return Repeat(len(own), within, household, None if sharpest == (len(own), within) else sharpest)


def _sharpest(held: Mapping[int, int]) -> tuple[int, int] | None:
    """How many in how many years: of the spans with at least one a year, the one with most for each
    year. Three or more come before two, because two may be chance."""
    for least in (3, 2):
        dense = [
            (count / years, count, years)
            for years, count in held.items()
            if count >= max(least, years)
        ]
        if dense:
            _, count, years = max(dense)
            return count, years
    return None


_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_NUMBERS = {1: "one year", 2: "two years", 3: "three years", 5: "five years", 10: "ten years"}


def said_of(repeat: Repeat) -> str:
    """ "Third in two years, fourth in ten years", and "others in the household" where there are
    some."""
    parts = [_counted(*repeat.sharpest)] if repeat.sharpest else []
    if repeat.count > 1:
        parts.append(_counted(repeat.count, repeat.within))
    if repeat.household:
        others = "one" if repeat.household == 1 else str(repeat.household)
        parts.append(f"{others} about others in the household")
    said = ", ".join(parts)
    return said[:1].upper() + said[1:]


def _counted(count: int, years: int | None) -> str:
    which = _ORDINALS[count] if count < len(_ORDINALS) else f"number {count}"
    return f"{which} in {_NUMBERS[years]}" if years else f"{which} known to us"
