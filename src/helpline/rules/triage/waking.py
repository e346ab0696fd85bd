"""What is no danger to life and yet wakes whoever is on call: the police are there, a child has
told of harm, somebody says that the carer hit.

Asked by desk/intake beside the reading, whose urgency it leaves alone: these are urgent, and a carer
at two in the morning should not meet the police or a child's words alone. It must stay quiet about
what is long ago, a course, a form or a question.
"""

from __future__ import annotations

import re
from typing import Final

from helpline.rules.triage.judgement import Reading
from helpline.rules.triage.languages import english_words, is_english
from helpline.rules.triage.words import plain, plain_words, words

POLICE: Final = (
    r"(?:police|polise|polce|polis|policeman|policemen|detectives?|officers|cops?|feds|cid)"
)
US: Final = (
    r"(?:me|us|him|her|i|we|husband|wife|partner|son|daughter|hubby|mum|dad|he|she|brother|lad)"
)
THINGS: Final = (
    r"(?:phones?|mobiles?|laptops?|computers?|ipads?|tablets?|devices|macbook|logs?|things|stuff)"
)
CHILD: Final = (
    r"(?:he|she|they|child|kid|boy|girl|lad|lass|baby|teen|teenager|son|daughter|lodger|yp|one|old)"
)
HARM: Final = (
    r"(?:touch(?:e[sd]|ing)?|rap(?:e[sd]?|ing)|molest(?:s|ed|ing)?|abus(?:e[sd]?|ing)|groom(?:s|ed|ing)?"
    r"|hurts?|hurting|hits?|hitting|beats?|beaten|beating|punch(?:es|ed)|kick(?:s|ed)"
    r"|slap(?:s|ped)|burn(?:s|t|ed)?|chok(?:es|ed)|strangl(?:es|ed)|assault(?:s|ed))"
)
DID: Final = (
    r"(?:hit|hurt|slap|slapped|smack|smacked|push|pushed|grab|grabbed|punch|punched|kick|kicked|shake"
    r"|shook|burnt|burned|touch|touched|abused|assaulted|dragged|choked|strangled|beat|harmed)"
)
RELATIVE: Final = (
    r"(?:dad|stepdad|step dad|father|stepfather|mum|mother|uncle|brother|grandad|man|somebody|someone"
    r"|boyfriend|cousin|teacher|driver|neighbour|friend|coach|he|she|they)"
)
PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # the police are there, took somebody or something
        rf"\b{POLICE} (?:is |are |have |has |had |been |now )*(?:here|at (?:door|house|home)|outside"
        r"|in (?:house|home|kitchen|hall|garden)|inside|downstairs|knocking|banging|searching"
        r"|arresting|raiding|turned up|arrived|in)\b",
        rf"\b{POLICE} (?:is |are |have |has |had |been )*(?:come|came|coming|knocked)"
        rf"(?: (?:for {US}|here|round|to (?:door|house|arrest|take|search)|in|tonight|now|and)\b|$)",
        rf"\b{POLICE} (?:is |are |have |has |had |been )*(?:arrest\w*|took|taken|taking|take|seized"
        rf"|seizing|detained|want to (?:take|arrest)) (?:{US}|{THINGS}|away|all|everything)\b",
        rf"\bthey (?:is |are |have |has )*(?:arrested|arresting|took|taken|seized|want|want to take) "
        rf"(?:all )?(?:{THINGS}|me away|me to)\b.*\b{POLICE}\b",
        rf"\b(?:i|we|he|she|{US}) (?:is |are |am |was |were |have |has |had |been |being |get |got )+"
        r"(?:arrested|under arrest|in custody|in (?:a )?(?:police )?cell)\b",
        r"\barrested (?:me|us|him|her|husband|wife|partner|son|daughter|hubby)\b",
        # a child has told of harm
        rf"\b{CHILD} (?:is |has |have |had |been |now )*(?:told|tells?|telling|showed|confided(?: in| to)?|said"
        rf"(?: to)?|says(?: to)?) (?:(?:me|us|wife|husband|partner|that) )*"
        rf"(?:{RELATIVE} )+(?:is |has |have |had |been |keeps? )*{HARM} (?:him|her|them|me|in|on|at|when)\b",
        rf"\b{CHILD} (?:is |has |have |had |now )*(?:told|tells|telling|disclosed to) (?:me|us)(?: that)? "
        rf"(?:he|she|they) (?:is |are |was |were |has |have |had |got |been |being )+{HARM}\b",
        rf"\b{CHILD} (?:is |has |have |had |now )*(?:disclosed|disclosing|made (?:a )?disclosure)\b",
        # somebody says that the carer did it
        r"\b(?:says?|said|saying|telling|told|tells|claims?|claimed|claiming|alleges?|alleged|alleging"
        r"|thinks?|reckons?) (?:(?:people|school|teacher|everyone|police|them|that|worker|social worker|sw"
        r"|mum|dad|me) )*(?:i|we|husband|wife|partner|hubby|son) (?:have |has |had |did |just )*"
        rf"{DID}\b(?! (?:target|ball|buttons?|brakes?|limit|goal|roof|jackpot|nail|base|wood))",
        r"\b(?:accused|accusing|accuses|accuse)(?: (?:me|us|husband|wife|partner|hubby|son))? of"
        r" (?:hit|hurt|slap|smack|push|grab|punch|kick|shak|burn|touch|abus|assault|neglect|rap)\w*",
    )
)
CALM: Final = re.compile(
    r"\b(?:course|courses|training|webinar|vetting|clearance|checks?|certificate|form|leaflet|policy"
    r"|years? ago|months? ago|weeks? ago|last (?:year|month|summer|week|spring|autumn|christmas)"
    r"|in 20\d\d|used to|nothing came|no further action|cleared|film|book|episode|programme|party"
    r"|when i was|what if|if (?:child|police|somebody|someone))\b"
)
ELSEWHERE: Final = re.compile(
    r"polic[ijy]|polit[iı]|poliți|политси|полици|поліці|policí|policía|polícia|\bpolis\w*|booli[sc]"
    r"|الشرطة|شرطة|پولیس|پلیس|পুলিশ|પોલીસ|ਪੁਲਿਸ|पुलिस|警察|警官|경찰|cảnh sát|canh sat|ፖሊስ"
)


def wakes(text: str, reading: Reading) -> bool:
    """Whether somebody on call must hear of this message now though it is no emergency."""
    if reading.urgency not in ("urgent", "emergency"):
        return False
    found = words(text)
    if not is_english(found):
        return ELSEWHERE.search(plain(text)) is not None
    said = " ".join(plain_words(found))
    return CALM.search(said) is None and any(one.search(said) for one in PATTERNS)


def is_strange(text: str) -> bool:
    """Whether a message is in words that triage does not know, as one word of another language."""
    found = words(text)
    letters = [word for word in found if word[0].isalpha()]
    if not letters:
        return False
    return not is_english(found) or (len(letters) <= 3 and not english_words() & set(letters))
