"""The helpline's own pages as channels: the chat (/chat) and the form (/contact).

There is no provider: our own server is the other side. web/pages puts what was typed straight into
the inbox, and what goes out is read by the person's browser from the database, so that accepting it
is all that sending means. No request from outside is ever genuine here: /hooks has no such route.
"""

from helpline.channels import Answer, Inbound, Outbound, Receipt, SendResult, WebRequest
from helpline.vocabulary import SendState


class OwnPage:
    """One of our own pages, "webchat" or "webform"."""

    accepted = Answer("text/plain", "")

    def __init__(self, name: str) -> None:
        self.name = name

    def is_genuine(self, request: WebRequest) -> bool:
        """Never: what is typed on our pages comes by web/pages, not by a hook."""
        return False

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        return None

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        return None

    async def send(self, outbound: Outbound) -> SendResult:
        """It is there to be read: a chat shows it, a form's first answer stands on the page that
        follows. Receipts name it by this id once a browser has fetched it."""
        return SendResult(SendState.ACCEPTED, f"{self.name}:{outbound.key}")

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        return SendResult(SendState.ACCEPTED, f"{self.name}:{outbound.key}")

    async def close(self) -> None:
        """It holds no connection."""


def own_pages() -> dict[str, OwnPage]:
    """Both, by name: they need no setting, so every helpline has them."""
    return {name: OwnPage(name) for name in ("webchat", "webform")}
