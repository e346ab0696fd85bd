"""A few words somebody gives as a reason, made one clean line. Called by the acts that ask why."""

from helpline.errors import InvalidInput


def in_a_line(text: str, longest: int, missing: str = "") -> str:
    """The words with single spaces between them. InvalidInput when there are more than `longest`
    characters, and, where `missing` says what to write, when there are none."""
    said = " ".join(text.replace("\0", "").split())
    if missing and not said:
        raise InvalidInput(missing)
    if len(said) > longest:
        raise InvalidInput(f"Say it shorter: {longest} characters are enough.")
    return said
