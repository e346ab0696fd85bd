"""How many text messages a text is sent as: what the reply box tells the worker.

The phone network's own alphabet (GSM 03.38) puts 160 letters into one message and 153 into each of
several; one letter beyond it makes all of them 70 and 67 (3GPP TS 23.040). Pure.
"""

from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")
"""Letters of the alphabet's second page: each takes two places."""


@dataclass(frozen=True)
class Parts:
    """`count` messages, `left` places in the last one; `strange` is the first letter that made them
    short, None where all are of the network's alphabet."""

    count: int
    left: int
    strange: str | None


def parts_of(text: str) -> Parts:
    """An empty text counts as one message with every place left."""
    strange = next((letter for letter in text if letter not in GSM | GSM_TWICE), None)
    if strange is None:
        widths = [2 if letter in GSM_TWICE else 1 for letter in text]
        return _filled(widths, 160, 153, None)
    # UTF-16: a smiley takes two places
    widths = [2 if ord(letter) > 0xFFFF else 1 for letter in text]
    return _filled(widths, 70, 67, strange)


def pieces_of(text: str) -> list[str]:
    """The text as it is cut into messages."""
    count = parts_of(text).count
    if count == 1:
        return [text]
    is_plain = all(letter in GSM | GSM_TWICE for letter in text)
    each, pieces, used = 153 if is_plain else 67, [""], 0
    for letter in text:
        width = (1 + (letter in GSM_TWICE)) if is_plain else (1 + (ord(letter) > 0xFFFF))
        if used + width > each:
            pieces, used = [*pieces, ""], 0
        pieces[-1] += letter
        used += width
    return pieces


def _filled(widths: list[int], alone: int, each: int, strange: str | None) -> Parts:
    """A letter of two places is never cut in half: it goes whole into the next message."""
    total = sum(widths)
    if total <= alone:
        return Parts(1, alone - total, strange)
    count, used = 1, 0
    for width in widths:
        if used + width > each:
            count, used = count + 1, 0
        used += width
    return Parts(count, each - used, strange)
