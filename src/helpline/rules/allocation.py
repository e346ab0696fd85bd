"""Who could be the support worker of a case: facts of the case and of the workers → a ranked list,
each place with its reasons in words.

Called by desk/allocation. Pure and deterministic: whoever is in conflict or away is never on the
list, more open cases never raise anybody, and equals stand in the order of their ids. A proposal
decides nothing: a person names the worker.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from helpline.vocabulary import Urgency

WEIGHT: Final = {Urgency.EMERGENCY: 6, Urgency.URGENT: 4, Urgency.STANDARD: 2, Urgency.LOW: 1}
"""What an open case weighs on whoever has it: an emergency as much as three standard ones."""

# What a fact about a worker is worth, in the same unit: a worker who knows the person may have six
# standard cases more than another and is still named first.
ON_CALL_NOW: Final = 1000  # in an emergency nothing else counts as much
SPEAKS: Final = 100
KNOWS_PERSON: Final = 12
KNOWS_HOUSEHOLD: Final = 8
HAS_SKILL: Final = 5
KNOWS_AREA: Final = 2
LEAVES_SOON: Final = -8
"""Away within two days: whoever is named now would need cover at once."""

SOON = timedelta(days=2)
JUST_BACK = timedelta(days=3)
OUR_LANGUAGE: Final = "en"
LANGUAGES: Final = {
    "ar": "Arabic",
    "bn": "Bengali",
    "bsl": "British Sign Language",
    "cy": "Welsh",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fa": "Farsi",
    "fr": "French",
    "gu": "Gujarati",
    "hi": "Hindi",
    "hu": "Hungarian",
    "ig": "Igbo",
    "it": "Italian",
    "ku": "Kurdish",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "pa": "Punjabi",
    "pl": "Polish",
    "ps": "Pashto",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "so": "Somali",
    "sq": "Albanian",
    "ti": "Tigrinya",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yo": "Yoruba",
    "zh": "Chinese",
}


@dataclass(frozen=True)
class Matter:
    """A case as far as it matters who takes it. `topics` and `places`: the words by which the
    contract knows its reason and its area, in small letters; `shut_out`: who must not work on it,
    `turned_down`: who has it already or said no to it."""

    id: int
    urgency: Urgency
    language: str = OUR_LANGUAGE
    topics: frozenset[str] = frozenset()
    topic: str = ""
    places: frozenset[str] = frozenset()
    place: str = ""
    shut_out: frozenset[int] = frozenset()
    turned_down: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Tie:
    """What a worker had to do with the person of a case before."""

    spoke_at: datetime | None = None
    was_theirs: bool = False
    knows_household: bool = False


@dataclass(frozen=True)
class Worker:
    """Somebody who can be named. `load` is the weight of their `open_cases`; `away_until`: they are
    away now; `leaves_at`: their next absence; `back_since`: when the last one ended; `words`: what
    they can do and the languages they speak, in small letters."""

    id: int
    load: int = 0
    open_cases: int = 0
    words: frozenset[str] = frozenset()
    is_on_call: bool = False
    away_until: datetime | None = None
    leaves_at: datetime | None = None
    back_since: datetime | None = None
    above: int = 0
    """Of a plan: how many cases before this one are proposed for them first."""

    def with_one_more(self, urgency: Urgency) -> "Worker":
        """The same once they are to have another case."""
        return replace(self, load=self.load + WEIGHT[urgency], above=self.above + 1)


@dataclass(frozen=True)
class Proposal:
    """One place on the list: who, and why in words."""

    worker_id: int
    points: int
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reasons as one line: "speaks Polish; 4 open cases; spoke with them in May"."""
        return "; ".join(self.reasons)


NO_TIE = Tie()


def proposals(
    matter: Matter,
    workers: Iterable[Worker],
    ties: dict[int, Tie],
    now: datetime,
    zone: str,
) -> list[Proposal]:
    """Everybody who may be named, the best first. `ties`: worker's id → what they had to do with
    the person."""
    found = [
        _judged(matter, worker, ties.get(worker.id, NO_TIE), now, zone)
        for worker in workers
        if may_be_proposed(matter, worker)
    ]
    return sorted(found, key=lambda one: (-one.points, one.worker_id))


def may_be_proposed(matter: Matter, worker: Worker) -> bool:
    """Nobody in conflict, nobody away, nobody who has it or has turned it down."""
    unasked = matter.shut_out | matter.turned_down
    return worker.id not in unasked and worker.away_until is None


def plan(
    matters: Sequence[Matter],
    workers: Collection[Worker],
    ties: dict[int, dict[int, Tie]],
    now: datetime,
    zone: str,
) -> dict[int, list[Proposal]]:
    """The proposals for several cases, in their order: each is made as if the first proposal of
    every case before it had been taken, so that twenty cases do not all go to one person. `ties`:
    case's id → worker's id → tie."""
    standing = {worker.id: worker for worker in workers}
    found: dict[int, list[Proposal]] = {}
    for matter in matters:
        ranked = proposals(matter, standing.values(), ties.get(matter.id, {}), now, zone)
        found[matter.id] = ranked
        if ranked:
            first = ranked[0].worker_id
            standing[first] = standing[first].with_one_more(matter.urgency)
    return found


def waiting_order(urgency: Urgency, due_at: datetime | None, case_id: int) -> tuple[object, ...]:
    """Where a case stands on the waiting list: the most urgent first, then what is due first, what
    owes nothing last."""
    return (-urgency.rank, due_at is None, due_at.timestamp() if due_at else 0.0, case_id)


def _judged(matter: Matter, worker: Worker, tie: Tie, now: datetime, zone: str) -> Proposal:
    points, reasons = -worker.load, list[str]()
    if worker.is_on_call and matter.urgency is Urgency.EMERGENCY:
        points += ON_CALL_NOW
        reasons.append("on call now")
    if matter.language != OUR_LANGUAGE and speaks(worker, matter.language):
        points += SPEAKS
        reasons.append(f"speaks {LANGUAGES.get(matter.language, matter.language)}")
    if tie.was_theirs or tie.spoke_at is not None:
        points += KNOWS_PERSON
        reasons.append(_tie_in_words(tie, now, zone))
    elif tie.knows_household:
        points += KNOWS_HOUSEHOLD
        reasons.append("knows their household")
    if worker.words & matter.topics:
        points += HAS_SKILL
        reasons.append(f"skilled in {matter.topic}")
    if worker.words & matter.places:
        points += KNOWS_AREA
        reasons.append(f"knows {matter.place}")
    reasons.append(_cases_in_words(worker.open_cases, worker.above))
    if worker.leaves_at is not None and worker.leaves_at - now <= SOON:
        points += LEAVES_SOON
        reasons.append(f"away from {_day(worker.leaves_at, now, zone)}")
    elif worker.back_since is not None and now - worker.back_since <= JUST_BACK:
        reasons.append(f"back from leave since {_day(worker.back_since, now, zone)}")
    return Proposal(worker.id, points, tuple(reasons))


def speaks(worker: Worker, language: str) -> bool:
    """Whether the rota says so, by code or by name."""
    return bool(worker.words & {language.lower(), LANGUAGES.get(language, language).lower()})


def _tie_in_words(tie: Tie, now: datetime, zone: str) -> str:
    if tie.spoke_at is None:
        return "was their support worker"
    local, today = (at.astimezone(ZoneInfo(zone)).date() for at in (tie.spoke_at, now))
    days = (today - local).days
    if days <= 0:
        return "spoke with them today"
    if days == 1:
        return "spoke with them yesterday"
    if days <= 6:
        return f"spoke with them on {local:%A}"
    return f"spoke with them in {_month(local, today)}"


def _month(day: date, today: date) -> str:
    is_near = (today - day).days < 330  # "in May" is never said in another May
    return f"{day:%B}" if is_near else f"{day:%B %Y}"


def _day(at: datetime, now: datetime, zone: str) -> str:
    local, today = at.astimezone(ZoneInfo(zone)).date(), now.astimezone(ZoneInfo(zone)).date()
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((local - today).days)
    return near or f"{local:%A}"


def _cases_in_words(number: int, above: int) -> str:
    words = f"{number or 'no'} open case{'s' if number > 1 else ''}"
    return f"{words}, {above} above" if above else words
