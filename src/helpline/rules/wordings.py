"""Which words of an automatic text a provider may put otherwise, and which must stay.

A text's fixed parts (values, conditions, line breaks) are never shown as code and cannot be lost:
what is edited are the pieces between them. Called by contract/overlay.py and the page of settings.
Pure: the source of a text goes in, a source or sentences come out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from helpline.rules.pathway import gives_away
from helpline.vocabulary import NETWORK_HELP_WORDS, OPT_IN_WORDS, OPT_OUT_WORDS

ADAPTABLE: Final = (
    *("first_answer", "reopened", "danger_yes", "danger_signposts", "duty_told", "first_hours"),
    *("ask_who", "ask_reason", "ask_danger", "danger_again", "danger_no", "puzzled"),
    *("held", "noted", "who_noted", "reason_noted", "person_noted", "left_it", "welcome_back"),
    *("arrived_again", "status", "allocated", "taken", "late", "call_noted", "no_call_noted"),
    *("neutral", "complaint_noted", "complaint_logged", "how_to_complain", "linked"),
    *("feedback_ask", "feedback_ask_child", "feedback_scored", "feedback_thanks"),
    "feedback_refused",
)
"""The texts to carers that may be put otherwise; those to our own people may not."""
NEUTRAL: Final = "neutral"
LONGER_BY: Final = 160
"""Letters by which a piece may be longer than ours: one more text message."""
KEPT_PHRASES: Final = ("automatic", "You don't need to tell me what happened", "free")
"""Words that stay wherever ours has them: nobody may take a machine for a person, nobody is asked
what happened, and nobody is left to wonder what a call costs."""
NEVER_NEUTRAL: Final = ("helpline", "foster", "carer", "council", "social work", "support")
NETWORK: Final = OPT_OUT_WORDS | OPT_IN_WORDS | NETWORK_HELP_WORDS
_CODE: Final = re.compile(r"({%.*?%}|{{.*?}})", re.DOTALL)
_VALUE: Final = re.compile(r"{{ (\w+) }}")
_GAP: Final = re.compile(r"\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Piece:
    """A run of words between two conditions, as people edit it: values stand in square brackets.
    `only_when`: the conditions under which it is said, as the text has them."""

    words: str
    only_when: tuple[str, ...]


def pieces(source: str) -> list[Piece]:
    """What may be put otherwise, in order; a run that is values alone is none."""
    return [Piece(said, when) for said, when, _ in _runs(source) if said is not None]


def put_otherwise(source: str, said: Sequence[str]) -> str:
    """The source with these words in place of its pieces; call `faults_of` first."""
    words, out = iter(said), []
    for was, _, part in _runs(source):
        if was is None:
            out.append(part)
            continue
        before, after = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
        out.append(f"{before}{_as_code(next(words).strip())}{after}")
    return "".join(out)


def needs_second(code: str, source: str) -> bool:
    """Whether two people must agree to other words: what is said about danger, and what hides what
    a message is about."""
    return code == NEUTRAL or "999" in source or "signposts" in source


def faults_of(code: str, ours: str, words: str, *, is_english: bool) -> Iterator[str]:
    """What keeps `words` from being said instead of a piece of ours, as sentences."""
    words = words.strip()
    if not words:
        yield f"Leave no part empty: ours says “{_short(ours)}”."
        return
    if len(words) > len(ours) + LONGER_BY:
        most = len(ours) + LONGER_BY
        yield f"“{_short(words)}” is longer than {most} letters: it would be several messages."
    if re.search(r"[{}]", words):
        yield "Leave the curly brackets out."
    yield from _gaps(ours, words)
    yield from _what_stays(ours, words)
    yield from _what_is_never_said(code, ours, words)
    if is_english:
        odd = sorted({letter for letter in words if not letter.isascii() and letter != "£"})
        if odd:
            yield f"Use plain letters only: {' '.join(odd)} makes a text message twice as long."


def _gaps(ours: str, words: str) -> Iterator[str]:
    wanted, given = Counter(_GAP.findall(ours)), Counter(_GAP.findall(words))
    for name in wanted - given:
        yield f"Keep [{name}] in it: it is filled in when the text is sent."
    for name in given - wanted:
        yield f"[{name}] cannot be filled in here: take it out."


def _what_stays(ours: str, words: str) -> Iterator[str]:
    for number in dict.fromkeys(re.findall(r"\d+", _GAP.sub("", ours))):
        if not re.search(rf"(?<!\d){number}(?!\d)", words):
            yield f"Keep {number} in it."
    for word in dict.fromkeys(re.findall(r"\b[^\W\d_]{2,}\b", _GAP.sub("", ours))):
        if word.isupper() and not re.search(rf"\b{word}\b", words):
            yield f"Keep the word {word} in it: people send it back to us."
    for phrase in KEPT_PHRASES:
        if re.search(rf"\b{phrase}\b", ours) and not re.search(rf"\b{phrase}\b", words):
            yield f"Keep the words “{phrase}” in it."


def _what_is_never_said(code: str, ours: str, words: str) -> Iterator[str]:
    for word in dict.fromkeys(re.findall(r"\b[A-Z]{3,}\b", words)):
        if word in NETWORK:
            yield f"Leave {word} out in capitals: the telephone network answers it itself."
    if words.count("?") > ours.count("?"):
        yield "Ask nothing more than ours asks: nobody has to tell us what happened."
    word = gives_away(words)
    if word is not None and word not in ours.lower():
        yield f"Leave “{word}” out: somebody else may read this on a locked screen."
    if code == NEUTRAL:
        for never in NEVER_NEUTRAL:
            if never in words.lower():
                yield f"Leave “{never}” out: this text must say nothing of who we are."


def _runs(source: str) -> Iterator[tuple[str | None, tuple[str, ...], str]]:
    """(what is edited, or None; under which conditions; the source of it), in order. Joined, the
    sources are the whole text."""
    conditions: list[str] = []
    run = ""
    for part in _CODE.split(source):
        if not part.startswith("{%"):
            run += part
            continue
        yield _run(run, conditions)
        run = ""
        yield None, (), part
        _step(conditions, part[2:-2].strip())
    yield _run(run, conditions)


def _run(source: str, conditions: Sequence[str]) -> tuple[str | None, tuple[str, ...], str]:
    said = _VALUE.sub(lambda found: f"[{found[1].replace('_', ' ')}]", source).strip()
    is_words = bool(re.search(r"\w{2,}", _GAP.sub("", said))) and "{" not in said
    return (said if is_words else None), tuple(conditions), source


def _step(conditions: list[str], tag: str) -> None:
    word, _, condition = tag.partition(" ")
    if word == "if":
        conditions.append(condition)
    elif word == "elif" and conditions:
        conditions[-1] = condition
    elif word == "else" and conditions:
        conditions[-1] = f"otherwise {conditions[-1]}"
    elif word == "endif" and conditions:
        conditions.pop()


def _as_code(words: str) -> str:
    return _GAP.sub(lambda found: f"{{{{ {found[1].replace(' ', '_')} }}}}", words)


def _short(words: str) -> str:
    return words if len(words) <= 60 else f"{words[:57].rstrip()} …"
