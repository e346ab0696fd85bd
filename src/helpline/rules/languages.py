"""Which of the languages that we have words in a message is written in, so that the first answer
comes in it.

Called by desk/intake.py. A hint and no more: whether English is read at all is decided by triage,
a person is told in any case, and where two languages are alike nothing is said. Pure; by script and
by the small words that nobody can do without.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from helpline.rules.triage.languages import common_words
from helpline.rules.triage.languages import is_english as are_english
from helpline.rules.triage.words import words

NAMES: Final[Mapping[str, str]] = {
    "ar": "Arabic",
    "bn": "Bengali",
    "es": "Spanish",
    "fa": "Persian (Farsi or Dari)",
    "fr": "French",
    "pa": "Punjabi",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "so": "Somali",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
}
"""The languages in which we have a first answer, by their code."""
FEWEST: Final = 2
"""Small words of a language that must be there, and more than of any other; a letter that no other
has counts as so many."""
_LETTERS: Final = {
    "ł": "pl",
    "ż": "pl",
    "ź": "pl",
    "ğ": "tr",
    "ă": "ro",
    "ț": "ro",
} | dict.fromkeys("ãõ", "pt")
_SCRIPTS: Final = {"bn": ("\u0980", "\u09ff"), "pa": ("\u0a00", "\u0a7f")}
_ARABIC: Final = ("\u0600", "\u06ff")
_CYRILLIC: Final = ("\u0400", "\u04ff")
_URDU: Final = frozenset("ٹڈڑںےہھ")
_PERSIAN: Final = frozenset("پچژگیک")
_ONLY_ARABIC: Final = frozenset("ةىيك")
"""Where one of them stands, a single letter of Persian is a loan, as in Iraq."""
_NOT_UKRAINIAN: Final = frozenset("әөүұқғңһўыэёъ")
_NEITHER: Final = frozenset("ټډړښېۍڕڵۆێەڼځ")  # Pashto, Kurdish
_SMALL_WORDS: Final[Mapping[str, frozenset[str]]] = {
    code: frozenset(words.split())
    for code, words in {
        "en": """the and is my to she he has have was with not for of in on it i im we they this
            that what about please you your can are been do me an at from need help""",
        "pl": """nie jest się sie mnie moja mój moj moje że ze do na co jak prosze proszę mam czy
            już juz ale dla jestem był byla była teraz ma go jej wiem dziecko dziecka
            dzisiaj dziś od nas po sa są mi dzien dzień dobry dziekuje dziękuję bardzo pomoc
            pomocy temu chce moze może""",
        "ro": """nu este și si mea meu mi că ca la pe să sa am cu ce cum vă va rog copilul e din
            sunt acum mai pentru fost are într ne el ea știu stiu unde azi într-un in aveti
            aveți multumesc mulțumesc buna bună""",
        "so": """waa waxa waxaa iyo ayaa ma ka ku u oo aan uu ay la soo si anigu hadda ilmaha
            maxaa waan lagu caawimaad fadlan kan guriga canugga inan wuxuu waxay miyaa
            gabadh inanta badan jir mahadsanid walaal ha way ayay""",
        "tr": """ve bir bu çok cok değil degil var yok için icin ne mi mı benim ben şimdi simdi
            ama çocuk cocuk bana nasıl nasil kadar gibi evde oldu lütfen lutfen da de o beni
            dedi merhaba yardim yardım edin tesekkurler teşekkürler genc genç evdeki""",
        "pt": """não nao é e que uma um com está esta meu minha para ela ele do da os as em por
            tem eu foi agora preciso muito mas estou ajuda criança crianca isto você voce na
            no se diz ta so pra tava q""",
        "es": """no es que una un con está esta mi para ella él el la los las en por tiene yo fue
            ahora necesito muy pero estoy ayuda niño niña qué como se ha y de lo me está hoy
            su""",
        "fr": """ne pas est que une un avec mon ma pour elle il le la les en et je j'ai ai
            maintenant besoin mais suis aide enfant de du des qui nous sur dans ce c'est a
            été ete très tres au""",
        # Not ours, and taken for one of them otherwise.
        "it": """non è che una un con mio mia per lei lui il la gli le in ho adesso bisogno molto
            ma sono aiuto bambino bambina di del della ha e si da come""",
        "lt": """ne yra ir mano kad su į as aš dabar vaikas reikia bet prašau prasau man jis ji
            kaip""",
        "sq": """nuk është eshte dhe im ime që qe me në ne tani duhet por ju lutem fëmija femija
            unë""",
        "cs": """je se můj moje že ze na do s teď ted potřebuji prosím prosim ale jsem není co
            dítě""",
        "sk": "je sa môj moja že na do s teraz potrebujem prosím prosim ale som nie čo dieťa",
        "hu": "nem van és es a az egy hogy most kérem kerem de gyerek vagyok mit meg segítség",
        "cy": "mae yn ac i'r y ddim wedi fy plentyn nawr angen ond gyda ar am i o",
        "sw": "ni na ya wa kwa mtoto sasa nahitaji lakini tafadhali yangu hapana",
        "tl": "ang ng sa na ako ko po hindi ngayon kailangan anak pero siya niya",
        "vi": "không khong là la tôi toi con của cua và va có co bây giờ cần giúp",
        "ku": "û li ji bi min ez me ku em hatin",
        "bg": """ne i da se na moeto deteto sega az mi sas za моето не е и да на се моето детето
            сега аз""",
        "lv": "nav ir un mans bērns berns tagad vajag bet lūdzu ludzu es viņš",
        "yo": "mi ni ti o ko ati omo ọmọ jowo jọwọ fun",
        "hi": "hai ka ki ko se mein nahi ho kya karun wo aur kal ke hain main gaya gayi bacha",
        "arabizi": "el w fi 3am hiye shou bel min ana huwe mish mesh ya",
    }.items()
}


def is_english(text: str) -> bool:
    """Whether a message reads as English, or is too short to tell."""
    return are_english(words(text))


def heard(text: str, before: str | None) -> str | None:
    """The language of a conversation after one more message: a code of NAMES, or None for English.
    What is too short to tell, as YES, changes nothing."""
    said = words(text)
    if not are_english(said):
        return spoken(text) or before
    return None if sum(word in common_words() for word in said) > FEWEST else before


def spoken(text: str) -> str:
    """The code of the language, one of NAMES; empty where it is none of them or cannot be told."""
    letters = [letter for letter in text.lower() if letter.isalpha()]
    if not letters:
        return ""
    for code, (first, last) in _SCRIPTS.items():
        if _share(letters, first, last) > 1 / 2:
            return code
    if _share(letters, *_ARABIC) > 1 / 2:
        return _in_arabic_letters(set(letters))
    if _share(letters, *_CYRILLIC) > 1 / 2:
        is_ours = set("іїєґ") & set(letters) and not _NOT_UKRAINIAN & set(letters)
        return "uk" if is_ours else ""
    return _by_small_words(text)


def _share(letters: list[str], first: str, last: str) -> float:
    return sum(first <= letter <= last for letter in letters) / len(letters)


def _in_arabic_letters(letters: set[str]) -> str:
    if letters & _NEITHER:
        return ""
    if letters & _URDU:
        return "ur"
    needed = FEWEST if letters & _ONLY_ARABIC else 1
    return "fa" if len(letters & _PERSIAN) >= needed else "ar"


def _by_small_words(text: str) -> str:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    found = Counter(
        {code: sum(word in small for word in words) for code, small in _SMALL_WORDS.items()}
    )
    found.update({_LETTERS[letter]: FEWEST for letter in set(text.lower()) & _LETTERS.keys()})
    (best, most), (_, next_most) = found.most_common(2)
    return best if best in NAMES and most >= FEWEST and most > next_most else ""
