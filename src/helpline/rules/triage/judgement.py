"""Puts the readers together: the more worried one wins.

Called through `helpline.rules.triage.read`. It must answer for any text whatever, and must not
call a message an emergency only because it cannot be understood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from helpline.rules.triage.features import Seen, seen, world_signs
from helpline.rules.triage.languages import is_english
from helpline.rules.triage.lengths import beginning_and_end, sentences
from helpline.rules.triage.meanings import meanings
from helpline.rules.triage.phrases import NEGATABLE, Row, rows_met, standing
from helpline.rules.triage.sentences import kinds_met
from helpline.rules.triage.smalltalk import is_small_talk
from helpline.rules.triage.weights import CATEGORIES, Weights, kept, scores
from helpline.rules.triage.why import sentence
from helpline.rules.triage.words import words

VERSION = "2026.11.3"
URGENCIES = ("emergency", "urgent", "standard", "low")


@dataclass(frozen=True)
class Limits:
    """Where a score begins to count. Chosen on cross-validation; see tests/triage_eval.py.

    A miss costs far more than a false alarm: from `ask` on a message is urgent, and the safety
    question is asked at once. `world_emergency` is for other languages.
    """

    emergency: float = -0.09
    ask: float = -0.22
    urgent: float = 0.33
    low: float = 0.0
    world_emergency: float = -0.67


LIMITS = Limits()
MOST_LOOKED_AT = 20  # sentences of a long text that say an emergency; each is read once more
SHORT = 14  # words: up to here a plain sentence decides
FEWEST, MOST = 3, 80  # words: shorter and longer messages are weighed as if they had so many
LENGTH_SAYS = 1.0  # for each doubling or so of the length: much chat drowns the one sentence
LENGTH_SAYS_URGENT = 0.3
URGENT_SAYS = 0.3  # what sounds urgent is a little nearer to an emergency too
ASK_SOONER = 0.7  # whoever is urgent anyway is asked on less
HINT = 0.2  # what a plain emergency sentence adds in a long message
GRAVE = frozenset(NEGATABLE | {"not_breathing", "suicide", "pills", "poison", "method", "sexual",
    "emergency_services", "allegation_word", "drugs", "help"})  # fmt: skip
DANGERS = frozenset(("suicide", "overdose", "weapon", "sexual", "unconscious", "not_breathing"))
PEOPLE = frozenset(("someone", "child", "self", "carer", "childvoice"))
FRAMES = frozenset(("past", "settled", "later", "training_word", "publication_word", "figure",
    "discount_word", "question_info", "thanks", "laugh", "complain_word", "noise"))  # fmt: skip
DOUBT = -1.5  # the least score at which a danger named in a short message is asked about
ROW_SAYS = {"emergency": 0.5, "urgent": 0.3}  # what a row or sentence adds to its category


@dataclass(frozen=True)
class Reading:
    """What triage made of one message; `why` is one plain sentence for the worker."""

    urgency: str
    category: str
    categories: tuple[str, ...]
    ask_safety: bool
    why: str


@dataclass(frozen=True)
class Heard:
    """The scores of one message, and the rows of phrases it meets."""

    total: dict[str, float]
    world: dict[str, float]
    rows: list[Row]

    def says(self, answer: str) -> float:
        """The score for an answer of the English tables."""
        return self.total.get(answer, 0.0)


def read(text: str, *, channel: str = "sms") -> Reading:
    """Urgency and subject of a first message (A23, A28). Any text is read; none raises. A long one
    is judged by its beginning and end, and an emergency is looked for in each of its sentences."""
    reading = _read(beginning_and_end(text), channel)
    looked = 0
    for said, around in sentences(text):
        if reading.urgency == "emergency" or looked >= MOST_LOOKED_AT:
            break
        if _says_emergency(said):
            alone, near = _read(said, channel), _read(around, channel)
            reading, looked = _worse(reading, alone, near), looked + 1
    return reading


def _read(text: str, channel: str) -> Reading:
    one = seen(text, channel)
    return judged(one, heard(one, kept()), kept())


def _says_emergency(text: str) -> bool:
    """Whether plain words for an emergency stand in one sentence of a long text; what it sounds
    like otherwise does not count there, for among many sentences one always sounds like something.
    """
    said = words(text)
    if not is_english(said):
        return _read(text, "sms").urgency == "emergency"
    met = (*(k.urgency for k in kinds_met(said)), *(r.urgency for r in rows_met(meanings(said))))
    return "emergency" in met


def _worse(first: Reading, alone: Reading, near: Reading) -> Reading:
    """What one sentence adds, read alone and with its neighbours. Where neither reads like an
    emergency (it is asked about, it was long ago), the person is asked."""
    is_emergency = "emergency" in (alone.urgency, near.urgency)
    told = alone if alone.urgency == "emergency" else near
    return replace(
        first,
        urgency="emergency" if is_emergency else "urgent",
        ask_safety=True,
        why=f"In the middle of a long text: {told.why}",
    )


def heard(one: Seen, weights: Weights) -> Heard:
    """The scores of a message already taken apart, by the given weights."""
    if one.english:
        return Heard(weights.scores(one.signs), {}, rows_met(one.found))
    return Heard(weights.scores(one.signs), scores(weights.world, world_signs(one)), [])


def judged(one: Seen, said: Heard, weights: Weights, limits: Limits = LIMITS) -> Reading:
    """The reading of a message from its scores."""
    if not one.kinds and _is_noise(one, weights):
        return Reading("low", "other", _first("other"), False, "The message holds no known words.")
    if not one.kinds and is_small_talk(one.text, one.words):
        return Reading("low", "other", _first("other"), False, "A courtesy or a short answer.")
    urgency, ask = how_urgent(one, said, limits)
    ranked = _subjects(one, said)
    why = sentence(one, weights, said.rows, urgency, ranked[0])
    return Reading(urgency, ranked[0], ranked, ask, why)


def _is_noise(one: Seen, weights: Weights) -> bool:
    """No letters at all, or a few in no known word: a pocket, a toddler, a test of the line."""
    letters = [w for w in one.words if w[0].isalpha()]
    if all(len(w) == 1 and w.isascii() for w in letters):
        return True
    known = one.found or any(f"w:{w}" in weights.signs for w in letters)
    return one.english and not known and len(letters) <= 3


def how_urgent(one: Seen, said: Heard, limits: Limits) -> tuple[str, bool]:
    """How urgent, and whether to ask if anyone is in danger.

    The score decides; a short message is judged first by the plain sentence it holds, for there is
    little else. The longer a message, the more of it is chat around the one sentence that matters,
    so its score is listened to more closely.
    """
    if not one.english:
        return _foreign(one, said, limits)
    short = len(one.words) <= SHORT
    met = one.kinds[0].urgency if one.kinds else ""
    length = math.log(max(FEWEST, min(len(one.words), MOST)) / SHORT)
    score = said.says("emergency") + URGENT_SAYS * said.says("urgent") + LENGTH_SAYS * length
    score += HINT if met == "emergency" and not short else 0.0
    if score >= limits.emergency or (short and met == "emergency"):
        return "emergency", True
    asked = score >= limits.ask - ASK_SOONER or (short and bool(met))
    pressing = said.says("urgent") + LENGTH_SAYS_URGENT * length >= limits.urgent
    if score >= limits.ask or pressing or (short and met == "urgent"):
        return "urgent", asked
    if short and score >= DOUBT and _names_danger(one):
        return "urgent", True
    return _calm(said, limits), False


def _names_danger(one: Seen) -> bool:
    """Whether a danger and a person are named, not denied, in no frame that explains it away."""
    meant = {f.meaning for f in standing(one.found)}
    return bool(meant & DANGERS and meant & PEOPLE) and not meant & FRAMES


def _calm(said: Heard, limits: Limits) -> str:
    return "low" if said.says("low") >= limits.low else "standard"


def _foreign(one: Seen, said: Heard, limits: Limits) -> tuple[str, bool]:
    """A language we do not read: urgent and asked, unless it holds thanks and nothing graver."""
    score = said.world.get("emergency", 0.0)
    if score >= limits.world_emergency:
        return "emergency", True
    meant = {f.meaning for f in one.found}
    if "thanks" in meant and not meant & GRAVE and len(one.words) <= SHORT:
        return "low", False
    return "urgent", True


def _first(category: str) -> tuple[str, ...]:
    return (category, *(c for c in CATEGORIES if c != category))


def _subjects(one: Seen, said: Heard) -> tuple[str, ...]:
    """All the categories, the likeliest first."""
    total = {c: said.says(c) for c in CATEGORIES}
    for met in (one.kinds[:1], said.rows[:1]):
        for one_met in met:
            total[one_met.category] += ROW_SAYS[one_met.urgency] / (2 if len(one.words) > 14 else 1)
    return tuple(sorted(CATEGORIES, key=lambda c: (-total[c], c)))
