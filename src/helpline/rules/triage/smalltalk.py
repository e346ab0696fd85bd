"""Knows the short messages that ask for nothing: thanks, yes and no, a day or a time, a name.

Called by judgement before anything else counts. It must stay strict: one word that is not on its
lists, and the message is read like any other.
"""

from __future__ import annotations

import re

LONGEST = 12  # words; past that nobody is only saying thanks

POLITE = frozenset(
    """thanks thank you thankyou thanku ty thx cheers ta tar much so very many lovely brilliant
    great perfect super fab fabulous wonderful excellent amazing ace grand ok okay okey okie
    oki k kk yes yep yeah yea yup ye aye no nope nah fine good sounds sure maybe all sorted
    done received got it that thats this is its was will do i im we were the a your reply
    message email call text mate love hun dear xx x xxx xxxx hi hello hey hiya there morning
    afternoon evening night bye goodnight happy merry christmas xmas new year easter day have
    weekend nice see speak then soon later sorry wrong number ignore last for late sent by
    mistake error again me help helpful been of and to too my any time anytime please best
    better early whenever suits works work monday mon tuesday tues tue wednesday weds wed
    thursday thurs thu friday fri saturday sat sunday sun today tomorrow tonight week next
    around about after before at on in between half past quarter oclock noon lunchtime teatime
    school run pickup drop am pm evenings mornings afternoons either both right correct lol
    haha hehe test testing problem problems worries bother can make free available one two
    three four five six seven eight nine ten eleven twelve or from until till sweet cool
    awesome appreciated appreciate kind people person lady chat really just well as always glad
    pleased welcome anyway stop now cant wait not yet""".split()
)
# A message of polite words must hold one of these, so that "i cant be here now" is not one.
HEARTS = frozenset(
    """thanks thank thankyou thanku ty thx cheers ta ok okay okie k kk yes yep yeah yea yup ye aye
    no nope nah fine good great perfect lovely brilliant sure maybe hi hello hey hiya morning
    bye goodnight sorry ignore monday mon tuesday tues wednesday weds wed thursday thurs friday
    fri saturday sat sunday sun oclock noon test testing lol haha happy merry appreciated
    received correct right sorted evenings mornings anytime x xx tomorrow afternoon evening
    half week today tonight again bother stop weekend worries problem""".split()
)
NOT_WITH = frozenset("not cant help need now".split())
_POSTCODE = re.compile(r"\b[A-Za-z]{1,2}\d[A-Za-z\d]?\s*\d[A-Za-z]{2}\b")
_NUMBER = re.compile(r"^\W*(?:[A-Za-z]{0,4}[- ]?)?\d[\d\s/.-]*\W*$")
_NAMING = re.compile(
    r"^\W*(?:(?:hi|hello|yes|ok)\W+)?(?:(?:my|the)\s+)?"
    r"(?:name|membership number|member number|number|phone number|postcode|e?mail|date of birth"
    r"|dob|address)\s*(?:is|:|-|=)?\s*[\w .,'’@+/-]{1,60}$",
    re.IGNORECASE,
)
_ASKED = re.compile(r"\?|\b(?:what|how|where|when|why|wrong|lost|forgot|change)\b", re.IGNORECASE)


def is_small_talk(text: str, words: list[str]) -> bool:
    """Whether a message is only politeness, an answer, a time, a name or a number."""
    letters = [w for w in words if w[0].isalpha()]
    if len(letters) > LONGEST:
        return False
    if _NUMBER.match(text):
        return True
    if _NAMING.match(text) and not _ASKED.search(text):
        return True
    if _POSTCODE.search(text):
        return len(_POSTCODE.sub(" ", text).split()) <= 3
    known = all(w in POLITE for w in letters)
    grave = sum(w in NOT_WITH for w in letters)
    return bool(letters) and known and not grave and any(w in HEARTS for w in letters)
