"""One file per platform, each the same page: the provider's words on top, a class that keeps
helpline.channels.Channel, private functions last. Only main.py imports them. Here stands what each
of them needs to keep one promise: whatever a provider signed is kept, readable or not.
"""

from hashlib import sha256

from helpline.channels import Inbound
from helpline.vocabulary import ItemKind

LONGEST_ADDRESS = 128  # characters; longer than any telephone number or provider's user id


def as_received(body: bytes) -> str:
    """The body as text to keep: bytes that are not UTF-8 are written out as `\\xNN`, never lost."""
    return body.decode("utf-8", errors="backslashreplace")


def is_address(value: str) -> bool:
    """Whether this can name a sender or a recipient: printable, not blank, not absurdly long."""
    return value.isprintable() and value.strip() != "" and len(value) <= LONGEST_ADDRESS


def whole_text(value: object) -> str:
    """A text from JSON that UTF-8 can carry: JSON may hold halves of surrogate pairs, each becomes
    a question mark. Raises ValueError for anything but a text."""
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value.encode(errors="replace").decode()


def unreadable(
    channel: str,
    body: bytes,
    *,
    external_id: str = "",
    sender: str = "",
    recipient: str = "",
    text: str = "",
) -> Inbound:
    """Something genuine that could not be read, with whatever little is known of it. Without the
    provider's id one is made from the body, so that its repeats are recognised."""
    return Inbound(
        channel=channel,
        external_id=external_id or "unreadable:" + sha256(body).hexdigest(),
        sender=sender,
        recipient=recipient,
        text=text,
        kind=ItemKind.UNREADABLE,
        raw=as_received(body),
    )
