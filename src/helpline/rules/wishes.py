"""What people ask for in plain words in the middle of a conversation: to be rung, not to be rung,
how long it takes, whom to ring, to be left alone, not to be written to here. Pure.

Asked by rules/dialogue and desk/intake. A table of a few wordings each, matched on a short message
only: who writes a story is not read for orders. What fits nothing is left to the person who reads.
"""

import re
from enum import StrEnum
from typing import Final

LONGEST: Final = 140
"""Characters: a longer message is a story, in which "ring me" may be somebody else's words."""


class Wish(StrEnum):
    """What somebody asks of us, as far as the automatic side can do it."""

    NOT_HERE = "not_here"  # not to be written to where they write from
    NO_CALL = "no_call"
    NOTHING = "nothing"  # they take it back
    CALL = "call"
    NUMBER = "number"  # whom to ring
    STATUS = "status"
    HOW_TO_COMPLAIN = "how_to_complain"
    PUZZLED = "puzzled"  # they do not understand us
    QUESTION = "question"  # anything else that wants an answer


KIND: Final = (
    r"(?:(?:please|pls|plz|can|could|will|would|you|u|someone|somebody|anyone|a person|just|ok|yes"
    r"|hi|hello|actually|sorry|no|and|but|oh|i want you to|id like you to) )*"
)
FIRST: Final = (
    r"(?:(?:please|pls|plz|just|ok|yes|hi|hello|actually|sorry|no|and|but|oh|so|thanks"
    r"|thank you) )*"
)
SOON: Final = (
    r"(?: (?:back|please|pls|plz|now|asap|today|tonight|soon|again|anymore|any more|sorry|thanks"
    r"|thank you|tomorrow|first|then))*"
)
RING: Final = r"(?:call|ring|phone|telephone|fone)"
WHO: Final = (
    r"(?:husband|wife|partner|ex|he|she|mum|dad|they|boyfriend|girlfriend|someone|somebody|son)"
)
PHONE: Final = r"(?:phone|mobile|number|no)"
HERE: Final = rf"(?:here|(?:(?:on|to) )?this {PHONE}|(?:on|to) this$)"
NO_WRITING: Final = (
    r"(?:text|texting|txt|message|messaging|msg|write|writing)"
    rf"(?: (?:to )?(?:me|us)(?: {HERE})?| {HERE})\b(?! back| reply)"
    r"|(?:send|sending)(?: me| us)?(?: any)?(?: more)? (?:anything|texts?|messages?|msgs?)\b"
    r"(?! to (?!me\b|us\b|this\b))"
    rf"|(?:send|sending)(?: it)? {HERE}\b"
)
"""What somebody must say we are not to do: to write to them, and not to send a child away."""
WORDINGS: Final = (
    (
        Wish.NOT_HERE,
        rf"\b(?:please|pls|plz) (?:dont|do not|stop) (?:{NO_WRITING})"
        rf"|(?<!they )(?<!you )(?<!she )(?<!he )(?<!i )(?<!we )(?<!people )\b(?:dont|do not)"
        rf" (?:text|txt|message|msg|write)(?: to)?(?: me)? {HERE}\b",
    ),
    (
        Wish.NOT_HERE,
        rf"\b{WHO} (?:reads?|checks?|looks at|goes through|sees|can see|monitors|watches)"
        r"(?: all)?(?: of)? my (?:phone|texts?|messages|mobile)\b(?! (?:number|no)\b)",
    ),
    (Wish.NOT_HERE, rf"\b{WHO} has my (?:phone|mobile) with (?:him|her|them)\b"),
    (Wish.NOT_HERE, r"\bnot safe to (?:text|write|message)\b"),
    (Wish.NO_CALL, rf"^{FIRST}(?:dont|do not|no need to|not to) {RING}(?: me| us)?{SOON}$"),
    (Wish.NOTHING, r"\b(?:changed my mind|forget (?:it|that|about it)|never ?mind)\b"),
    (Wish.NOTHING, r"\b(?:dont|do not|no longer) need (?:anything|you|any help|help|it)\b"),
    (Wish.NOTHING, r"\b(?:ignore (?:me|that|this|my (?:message|text))|it doesnt matter)\b"),
    (Wish.CALL, rf"^{KIND}{RING} (?:me|us){SOON}$"),
    (
        Wish.CALL,
        rf"^(?:i |we )?(?:want|need|would like|id like)(?: a)? (?:{RING}(?: back)?"
        rf"|(?:someone|somebody|you|a person) to {RING} me){SOON}$",
    ),
    (
        Wish.NUMBER,
        rf"\b(?:what|which|whats|what is)(?: the| your)? (?:phone |telephone )?number\b"
        rf"|\b(?:is there|have you(?: got)?|got) an? (?:phone |telephone )?number\b"
        rf"|\bcan i {RING} (?:you|u|someone|somebody|anyone)\b"
        rf"|\bwho (?:do|can|should|shall) i {RING}\b|\bnumber to {RING}\b",
    ),
    (
        Wish.HOW_TO_COMPLAIN,
        r"\b(?:where|how|who)(?: do| can| could| should| would)?(?: i| we)?(?: to)?"
        r" (?:complain|(?:make|put in|send) a complaint)\b",
    ),
    (
        Wish.STATUS,
        r"\bhow (?:long|much longer)\b.*\b(?:wait|answer|reply|take|be)\b|\bhow much longer\b"
        r"|\bwhen (?:will|is|does|do) (?:someone|somebody|anyone|you|u|a person|they|my worker)\b"
        r"|\bany (?:news|update|updates)\b|\bstill waiting\b"
        r"|\b(?:is|are) (?:anyone|anybody|someone|somebody|you|u)(?: even)? (?:there|here"
        r"|reading)\b|\bdid (?:you|u|anyone) (?:get|see|read) (?:my|that|this)\b"
        r"|\bwhats? (?:is )?happening\b|\bwho (?:is|has|got) (?:my|dealing)\b"
        r"|\b(?:nobody|no one|noone) (?:is |has )?(?:answer|repl|reading|read|rung|rang|called)",
    ),
    (
        Wish.PUZZLED,
        r"\b(?:dont|do not|didnt|did not) (?:understand|get it|know what (?:that|this|it|you))\b"
        r"|\bwhat (?:do you|does (?:that|this|it)) mean\b",
    ),
)
TABLE: Final = tuple((wish, re.compile(wording)) for wish, wording in WORDINGS)
NOT_HERE: Final = re.compile(
    rf"^{FIRST}(?:(?:can|could|will|would) (?:you|u) {FIRST})?"
    rf"(?:dont|do not|not to|not|stop) (?:{NO_WRITING})"
)
"""Said to us: at the beginning, or after a comma. "School wont stop texting me" is about others,
and to be silent then would leave somebody alone who told us of it."""
BEGINS: Final = re.compile(
    r"(?:what|when|where|who|how|why|which|can|could|should|shall|do|does|did|is|are|am|will|would)\b"
)
CUES: Final = {
    "legal": r"\b(?:police|polise|cops|officers|detectives?|arrest\w*|solicitor|lawyer"
    r"|under caution|statement|sign (?:it|this|the|a|my|anything)"
    r"|they say (?:i|we) (?:hit|hurt|touched|pushed)"
    r"|allegation|accused)\b",
    "distress": r"\b(?:wants? to die|wanna die|kill (?:my|him|her|them)sel\w+|suicid\w*"
    r"|end (?:it all|my life|his life|her life)|self ?harm\w*|overdose\w*|cant go on"
    r"|better off dead"
    r"|not be here any ?more|cut(?:ting|s)? (?:my|him|her)sel\w+)\b",
    "young_person": r"\b(?:im|i am|iam) (?:only |just )?(?:[6-9]|1[0-7])"
    r"(?: (?:years? old|yrs? old|yo|y o|and|but|now|please)\b| i\b|$)"
    r"|\bmy (?:foster mum|foster dad|foster carers?|mum and dad) (?:is|are|foster|wont|hits?|has"
    r"|said)\b",
}
"""Cue → words for it. A contract's signposts name by the same cues when they help."""
FOUND: Final = {cue: re.compile(words) for cue, words in CUES.items()}
_CLAUSE: Final = re.compile(r"[.,;:!?\n]+")
_MARKS: Final = re.compile(r"[^\w]+")
_CLIPS: Final = re.compile(r"['’`´]")
_NOT_IN_A_NAME: Final = frozenset(
    """i im ive id you u me my mine we us he him she her they them it its this that these those the
    a an and or but if so no not nope yes yeah ok okay dont doesnt didnt cant wont want wants need
    needs know mean what when where who why how which is are am was were be been have has had do
    does did will would could should can please pls thanks thank sorry help stop forget never mind
    nothing anything data delete about with for from to of at by on in out here there now just
    really hello hi""".split()
)


def wish_of(text: str) -> Wish | None:
    """What a short message asks for; None where nothing is asked."""
    if len(text) > LONGEST:
        return Wish.QUESTION if text.rstrip().endswith("?") else None
    if any(NOT_HERE.search(_said(clause)) for clause in _CLAUSE.split(text)):
        return Wish.NOT_HERE
    said = _said(text)
    for wish, wording in TABLE:
        if wording.search(said):
            return wish
    return Wish.QUESTION if "?" in text or BEGINS.match(said) else None


def cues_of(text: str) -> frozenset[str]:
    """What a message is about, as far as a contract has somebody else to ring for it."""
    said = _said(text[:2000])
    return frozenset(cue for cue, words in FOUND.items() if words.search(said))


def looks_like_a_name(text: str) -> bool:
    """Whether a message may be somebody's name, postcode or number, and not words to us."""
    words = _said(text).split()
    if len(words) == 1 and words[0].isdigit() and len(words[0]) < 3:
        return False  # a number of a menu
    others = sum(word in _NOT_IN_A_NAME for word in words)
    if any(character.isdigit() for character in text) and len(text) < 80:
        return others < 4  # "my number is FC1001", and not "I am 13 and my mum is crying"
    return 0 < len(words) <= 5 and not others


def _said(text: str) -> str:
    return _MARKS.sub(" ", _CLIPS.sub("", text.lower())).strip()
