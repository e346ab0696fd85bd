"""How a word of a contract is compared with a word somebody wrote.

Used by the look-up of words and by the check that no word means two things, so that both agree.
"""

from __future__ import annotations

import unicodedata


def squeezed(text: str) -> str:
    """Letters and digits only, without case: "Foster-Carer " and "foster_carer" are the same.

    "&" is read as "and". An empty result matches nothing.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("&", "and")
    return "".join(letter for letter in plain if letter.isalnum())
