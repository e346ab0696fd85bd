"""What the automatic side says next: one message heard, one decision. Pure; called by desk/intake.

It acknowledges, asks at most one question at a time (who, what about, is anyone in danger) and
stops when told. It never asks what happened, never advises, and ignoring it loses nothing. STOP
and HELP belong to the network and are no commands here.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from helpline.rules.wishes import Wish, looks_like_a_name, wish_of
from helpline.vocabulary import OPT_IN_WORDS, OPT_OUT_WORDS, Step

YES = frozenset(
    """YES Y YEAH YEP YES! YEA AYE TAK DA TAIP PO SI SÍ SIM OUI EVET HAAN JI HAA ТАК ДА
    نعم اه ہاں جی بله بلی হ্যাঁ হা ਹਾਂ હા हाँ हां 是 是的 有""".split()
)
NO = frozenset(
    """NO N NOPE NAH NIE NU NON NÃO NAO HAYIR NAHI NAHIN НІ НЕТ
    لا نہیں نه خیر না ਨਹੀਂ ના नहीं 不 不是 没有""".split()
)
"""Also in the languages that are most written to us; what means yes in one and no in another (ne,
jo) is neither, and asked again. Nor is a name that is also a word for one of them ("Maya")."""
BEGINS_YES = frozenset("YES YEAH YEP YEA AYE".split())
BEGINS_NO = frozenset("NO NOPE NAH".split())
"""Those that are so too as the first word of more: "y do u ask", "Si is here" and "да нет" are
none."""
YES_IN: Mapping[str, frozenset[str]] = {
    code: frozenset(words.split())
    for code, words in {
        "ar": "نعم اه ايوه",
        "bn": "হ্যাঁ জি জী",
        "es": "SÍ SI",
        "fa": "بله بلی اره آره",
        "fr": "OUI",
        "pa": "ਹਾਂ ਜੀ",
        "pl": "TAK",
        "pt": "SIM",
        "ro": "DA",
        "so": "HAA",
        "tr": "EVET",
        "uk": "ТАК",
        "ur": "ہاں جی",
    }.items()
}
"""Words that mean yes anywhere in a short answer of somebody who writes in that language, unless a
word for no stands beside them."""
ANSWERS = 6
"""Words: so short a message that begins with YES is one ("yes he is here")."""
DIGIT = re.compile(r"\d")
PAGE_WORDS = frozenset(["PAGE", "MYPAGE", "PAGEPLEASE", "MYPAGEPLEASE", "SENDMEMYPAGE"])
"""Whoever sends one of them is sent a link to their own page."""
COMMANDS = frozenset(["STATUS", "CALL", "PERSON"]) | PAGE_WORDS | OPT_IN_WORDS | OPT_OUT_WORDS
"""Words that mean something at any time, whatever question waits."""


@dataclass(frozen=True)
class Facts:
    """What is known before this message is answered.

    `reasons` maps what may be typed (a menu number or the menu's own word) to the contract's code.
    `found` tells whether the register has the person this text names (looked up only in step WHO).
    `has_network_words`: STOP and START are the telephone network's; in our own chat they are words.
    `quiet_hours` is how long ago the sender last wrote; None for the first time.
    `approved_elsewhere`: they say so, and it was not heard before. `privacy_due`: nobody has told
    them yet what is kept about them; `asks_what_is_kept`: they ask.
    """

    step: Step
    is_known: bool
    found: bool = False
    questions_off: bool = False
    alarming: bool = False
    ask_safety: bool = False
    is_closed: bool = False
    has_network_words: bool = True
    quiet_hours: float | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    approved_elsewhere: bool = False
    privacy_due: bool = False
    asks_what_is_kept: bool = False
    waking: bool = False
    """Whether whoever is on call hears of this message at once though it is no emergency."""
    language: str | None = None
    """In which they write, where it is not English (rules/languages.py)."""
    is_unreadable: bool = False
    """Whether its words are in no language that triage reads."""


@dataclass(frozen=True)
class Turn:
    """What to do: texts to send (keys of the wording, in order, joined into one message), the next
    step, and what the person settled with this message."""

    say: tuple[str, ...]
    step: Step
    reason: str | None = None
    danger: bool | None = None
    wants_call: bool = False
    questions_off: bool = False
    opted_out: bool = False
    opted_in: bool = False
    answers: bool = False
    """Whether the message is an answer to our question or a command: its words are then no sign of
    urgency by themselves (a name and a postcode read like no language at all)."""
    no_call: bool = False
    not_here: bool = False
    """They asked not to be written to on this way: nothing more is said there."""
    wakes: bool = False
    """Whether a person must look now, because nobody can tell whether somebody is in danger."""
    wants_page: bool = False
    """They asked for the link to their own page; what is said instead where none may be sent is not
    said here (desk/page_links)."""
    opens_again: bool = True
    """Whether a closed case is opened again by this message; a question about it does not."""


def hear(text: str, facts: Facts) -> Turn:
    """The turn for one message. Every path either says something useful or stays quiet."""
    word = one_word(text)
    if not facts.has_network_words and word in OPT_OUT_WORDS | OPT_IN_WORDS:
        word = ""
    if word in OPT_OUT_WORDS:
        return Turn((), facts.step, opted_out=True, opens_again=False)
    if word in OPT_IN_WORDS and facts.step is Step.NEW:  # perhaps after a STOP before anything else
        return replace(_first(word, facts), opted_in=True)
    if word in OPT_IN_WORDS:
        return Turn(("welcome_back",), facts.step, opted_in=True, opens_again=False)
    wish = wish_of(text)
    if wish is Wish.NOT_HERE and facts.has_network_words:
        return Turn((), facts.step if facts.step.asks_danger else Step.DONE, not_here=True)
    turn = _turn(text, word, wish, facts)
    if not {"first_answer", "danger_yes"} & set(turn.say):
        if facts.alarming:
            turn = replace(turn, say=("danger_signposts", *turn.say))
        elif facts.waking:
            turn = replace(turn, say=("duty_told", *turn.say))
    return turn if facts.alarming or turn.danger else replace(turn, say=_with_more(turn.say, facts))


def _with_more(say: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    """What is said besides, before the question if there is one, while nobody is in danger: who
    else helps a carer whom others approved, and what is kept about them."""
    more = []
    if facts.approved_elsewhere:
        say = tuple(key for key in say if key not in ("who_noted", "noted", "held"))
        more.append("approved_elsewhere")
    if facts.asks_what_is_kept:
        say = tuple(key for key in say if key not in ("who_noted", "noted", "held"))
        more.append("what_is_kept")
    elif facts.privacy_due and (say or more) and "ask_danger" not in say:
        more.append("privacy")
    at = next((i for i, key in enumerate(say) if key.startswith("ask_")), len(say))
    return (*say[:at], *more, *say[at:])


def with_complaint(turn: Turn) -> Turn:
    """The same turn where the message was written into the register of complaints: they are told,
    before the question if there is one, unless all of it is about that or about danger."""
    if not turn.say or {"complaint_noted", "danger_yes", "danger_signposts"} & set(turn.say):
        return turn
    at = next((i for i, key in enumerate(turn.say) if key.startswith("ask_")), len(turn.say))
    if turn.say[at:] == ("ask_danger",):
        return turn
    return replace(turn, say=(*turn.say[:at], "complaint_logged", *turn.say[at:]))


def hear_form(reason: str | None, danger: bool | None) -> Turn:
    """The turn for a form of our own page: it has asked all there is to ask, and nobody could
    answer a question there."""
    say = ("first_answer", "danger_yes") if danger else ("first_answer",)
    return Turn(say, Step.DONE, reason=reason, danger=danger)


def _turn(text: str, word: str, wish: Wish | None, facts: Facts) -> Turn:
    if facts.step is Step.NEW:
        return _first(word, facts)
    if word in PAGE_WORDS:
        return Turn((), facts.step, wants_page=True, answers=True, opens_again=False)
    if facts.is_closed and word == "STATUS":
        return Turn(("status",), facts.step, opens_again=False)
    if facts.is_closed:
        return _again(word, facts)
    if word == "STATUS":
        return Turn(("status",), facts.step, answers=True)
    if word == "CALL":
        return Turn(("call_noted",), facts.step, wants_call=True, answers=True)
    if word == "PERSON":
        return Turn(("person_noted",), Step.DONE, questions_off=True, answers=True)
    if facts.step.asks_danger and not facts.questions_off:
        return _danger(text, word, wish, facts)
    if wish is not None and wish in WISHES:
        return _done(wish, facts)
    if facts.questions_off:
        return Turn(_held(wish, facts), Step.DONE)
    if facts.step.asks_who:
        return _who(text, wish, facts)
    if facts.step is Step.REASON:
        return _reason(text, wish, facts)
    return _open_talk(wish, facts)


WISHES: Mapping[Wish, str] = {
    Wish.CALL: "call_noted",
    Wish.NO_CALL: "no_call_noted",
    Wish.NOTHING: "left_it",
    Wish.NUMBER: "number",
    Wish.STATUS: "status",
    Wish.HOW_TO_COMPLAIN: "how_to_complain",
    Wish.PUZZLED: "puzzled",
}


def _done(wish: Wish, facts: Facts) -> Turn:
    """What is asked for in plain words is done, and no question is put on top of it but whether
    somebody is in danger."""
    gives_up = wish in (Wish.NOTHING, Wish.PUZZLED)
    turn = Turn(
        (WISHES[wish],),
        Step.DONE if gives_up or facts.questions_off else facts.step,
        wants_call=wish is Wish.CALL,
        no_call=wish is Wish.NO_CALL,
        answers=wish in (Wish.CALL, Wish.NO_CALL, Wish.STATUS),
    )
    if facts.ask_safety and facts.step is Step.DONE and not facts.questions_off:
        return replace(turn, say=(*turn.say, "ask_danger"), step=Step.DANGER)
    return turn


def _held(wish: Wish | None, facts: Facts) -> tuple[str, ...]:
    """A question that only a person can answer is told with whom it is and by when."""
    return ("held",) if wish is Wish.QUESTION else _after_silence(facts)


def _first(word: str, facts: Facts) -> Turn:
    """The first answer to anyone: it arrived, by when a person answers, the signposts, and the
    one question that matters most."""
    if word == "PERSON":
        return Turn(("first_answer", "person_noted"), Step.DONE, questions_off=True)
    question, step = _next_question(facts)
    extra = ("call_noted",) if word == "CALL" else ()
    return Turn(("first_answer", *extra, question), step, wants_call=word == "CALL")


def _next_question(facts: Facts) -> tuple[str, Step]:
    if facts.alarming or facts.ask_safety:
        return "ask_danger", Step.DANGER_FIRST
    if not facts.is_known:
        return "ask_who", Step.WHO
    return "ask_reason", Step.REASON


def _again(word: str, facts: Facts) -> Turn:
    """A closed case is taken up again. No question is asked, but PERSON counts as ever, and a YES
    to a question that was still open is no less an alarm for coming late."""
    if facts.step.asks_danger and word in YES:
        return Turn(("reopened", "danger_yes"), Step.DONE, danger=True, answers=True)
    return Turn(("reopened",), Step.DONE, wants_call=word == "CALL", questions_off=word == "PERSON")


def _who(text: str, wish: Wish | None, facts: Facts) -> Turn:
    """Whoever has this telephone must not learn by trying names who is on the register, so the
    same is said either way."""
    is_name = facts.found or looks_like_a_name(text)
    noted = "who_noted" if is_name else "held" if wish is Wish.QUESTION else "noted"
    # A number or postcode shows an answer; a few words without one may be a cry for help.
    answers = facts.found or (is_name and bool(DIGIT.search(text)))
    if facts.step is Step.WHO_LAST:
        return Turn((noted,), Step.DONE, answers=answers)
    return Turn((noted, "ask_reason"), Step.REASON, answers=answers)


def _reason(text: str, wish: Wish | None, facts: Facts) -> Turn:
    chosen = facts.reasons.get(one_word(text).lower())
    noted = "reason_noted" if chosen else "held" if wish is Wish.QUESTION else "noted"
    return Turn((noted, "ask_danger"), Step.DANGER, reason=chosen, answers=bool(chosen))


def _danger(text: str, word: str, wish: Wish | None, facts: Facts) -> Turn:
    begins = one_word(text.split()[0]) if 0 < len(text.split()) <= ANSWERS else ""
    if word in YES or begins in BEGINS_YES or _is_yes_in(facts.language, text):
        return Turn(("danger_yes",), Step.DONE, danger=True, answers=True)
    is_only_no = word in NO and not facts.alarming
    if is_only_no or (begins in BEGINS_NO and _is_a_plain_no(text, wish, facts)):
        if facts.step is Step.DANGER_FIRST and not facts.is_known:
            return Turn(("danger_no", "ask_who"), Step.WHO_LAST, danger=False, answers=True)
        return Turn(("danger_no",), Step.DONE, danger=False, answers=True)
    # Whatever else they wrote is on the case. The question stands and is put once more; a person
    # looks at once where nobody can tell what was meant.
    if wish is not None and wish in WISHES and wish is not Wish.PUZZLED:
        return replace(_done(wish, facts), step=facts.step)
    again = facts.step is not Step.DANGER_AGAIN
    held = _held(wish, facts)
    return Turn(
        (*held, "danger_again") if again else held,
        Step.DANGER_AGAIN,
        wakes=facts.is_unreadable,
    )


def _is_yes_in(language: str | None, text: str) -> bool:
    said = [one_word(one) for one in text.split()]
    yes = YES_IN.get(language or "", frozenset())
    return len(said) <= ANSWERS and not yes.isdisjoint(said) and NO.isdisjoint(said)


def _is_a_plain_no(text: str, wish: Wish | None, facts: Facts) -> bool:
    """ "No, all fine": and not "no but he will"."""
    is_calm = not (facts.alarming or facts.waking or facts.ask_safety or wish)
    doubts = {"BUT", "YET", "SURE", "MAYBE", "IDEA"}
    return is_calm and len(text.split()) <= 4 and doubts.isdisjoint(text.upper().split())


def _open_talk(wish: Wish | None, facts: Facts) -> Turn:
    if facts.ask_safety:
        return Turn(("ask_danger",), Step.DANGER)
    return Turn(_held(wish, facts), Step.DONE)


def _after_silence(facts: Facts) -> tuple[str, ...]:
    """A conversation that goes on is not interrupted; one taken up again is acknowledged."""
    is_old = facts.quiet_hours is not None and facts.quiet_hours >= 12
    return ("arrived_again",) if is_old else ()


def one_word(text: str) -> str:
    """The message as one capital word, without the dots and spaces that phones add; empty for what
    is too long to be an answer from a menu."""
    if len(text) >= 60:
        return ""
    plain = unicodedata.normalize("NFC", text)
    kept = (letter for letter in plain if unicodedata.category(letter)[0] not in "PZC")
    return "".join(kept).upper()
