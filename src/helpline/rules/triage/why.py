"""Says in one sentence what a reading rests on, for the worker who opens the message.

Called by judgement once the urgency is decided. It must name things a person can check in the
message, never the small words a table happens to lean on.
"""

from __future__ import annotations

from helpline.rules.triage.features import Seen
from helpline.rules.triage.languages import common_words
from helpline.rules.triage.phrases import Row
from helpline.rules.triage.weights import Weights, telling

# A meaning in the worker's words; one that is not here is never named.
NAMES = {
    "now": "now", "just": "just happened", "today": "today or tonight", "tomorrow": "tomorrow",
    "night": "last night", "emergency_services": "emergency services", "help": "a call for help",
    "not_breathing": "trouble breathing", "unconscious": "cannot be woken",
    "medical": "sudden illness or injury", "blood": "blood", "pills": "tablets or medicine",
    "drugs": "drugs or alcohol", "poison": "poison", "overdose": "an overdose",
    "suicide": "suicide", "gave_away": "things given away or put in order",
    "method": "a means of suicide", "selfharm": "self-harm", "weapon": "a weapon",
    "violence": "violence", "fire": "fire or gas", "missing": "somebody missing",
    "phone_off": "a telephone not answered", "exploit": "signs of exploitation",
    "sexual": "sexual harm", "childvoice": "a child may be writing", "doorlock": "a locked door",
    "allegation_word": "an allegation", "legal_word": "court or legal matters", "money": "money",
    "counselling_word": "distress", "abuse_word": "abuse", "health_word": "health",
    "placement_word": "the placement", "training_word": "training",
    "publication_word": "a publication", "discount_word": "discounts",
    "network_word": "meeting other carers", "recruit_word": "becoming a carer",
    "member_word": "membership or the service", "complain_word": "a complaint",
    "thanks": "thanks", "settled": "settled by now", "past": "in the past",
    "later": "no hurry", "child": "a child",
}  # fmt: skip
LAST = ("child", "now", "today")  # said after the rest: they only place it
MOST = 4
WORSE = ("emergency", "urgent")


def sentence(one: Seen, weights: Weights, rows: list[Row], urgency: str, category: str) -> str:
    """What the urgency rests on: a plain sentence met, a row of phrases, or what is mentioned."""
    kinds = [k for k in one.kinds if k.urgency == urgency]
    if kinds:
        return "; ".join(dict.fromkeys(k.says for k in kinds[:2])) + "."
    names = [r.name for r in rows if r.urgency == urgency][:2]
    if names:
        return f"Reads like: {', '.join(names)}."
    if not one.english:
        return _foreign(one)
    answer = urgency if urgency in WORSE else category
    told = _mentioned(telling(weights.signs, one.signs, answer))
    if told:
        return f"Mentions: {', '.join(told)}."
    return "Worded like messages that could not wait." if urgency in WORSE else "No sign of danger."


def _foreign(one: Seen) -> str:
    told = dict.fromkeys(NAMES[f.meaning] for f in one.found if f.meaning in NAMES)
    if not told:
        return "Not in English, and no word of it is known."
    return f"Not in English; seems to mention: {', '.join(list(told)[:MOST])}."


def _mentioned(signs: list[str]) -> list[str]:
    meant = [s[2:] for s in signs if s[:2] == "m:" and s[2:] in NAMES][:MOST]
    told = [NAMES[m] for m in sorted(meant, key=lambda m: m in LAST)]
    if all(m in LAST for m in meant):
        spoken = (s[2:] for s in signs if s[:2] == "w:")
        told += [f"“{w}”" for w in spoken if len(w) > 3 and w not in common_words()][:2]
    return told
