"""SMS and MMS by Twilio: "Messaging webhooks", "Message resource", "Message status callbacks",
"Webhook security" and "Error dictionary" in its documentation. main.py makes one and hands it to
web (which asks is_genuine and parse) and engine (which asks send, fetch, arrivals). It decides
nothing and keeps nothing; words and codes are in bots/_twilio.py, because WhatsApp has the same.
"""

from datetime import datetime

from bots import _twilio
from helpline.channels import (
    Answer,
    Fetched,
    Inbound,
    Media,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
    Wiring,
)


class Sms:
    """One Twilio account. Raises InvalidInput without credentials: an empty token would make
    anybody's signature right."""

    name = "sms"
    accepted = Answer("text/xml", "<Response/>")

    def __init__(
        self, account_sid: str, auth_token: str, api_url: str = "", status_url: str = ""
    ) -> None:
        """`api_url` puts another address in place of Twilio's; `status_url` is where Twilio
        reports deliveries, nothing if empty."""
        self._account = _twilio.Account(account_sid, auth_token, api_url)
        self._callback = {"status_callback": status_url} if status_url else {}

    def is_genuine(self, request: WebRequest) -> bool:
        """Twilio's signature over the exact public URL and every form parameter."""
        return self._account.is_genuine(request)

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        """A long text comes whole: Twilio has put its parts together. What came by WhatsApp says
        so in its channel: both come to one hook."""
        return _twilio.message_in(request.body)

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        return _twilio.report_in(request.body)

    async def send(self, outbound: Outbound) -> SendResult:
        try:
            message = await self._account.client().messages.create_async(
                to=outbound.recipient,
                from_=outbound.sender,
                body=outbound.text,
                **self._callback,
            )
            return _twilio.from_message(message)
        except Exception as error:  # never raises: what nobody foresaw may have gone
            return _twilio.from_error(error)

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        return await _twilio.find_sent(
            self._account, outbound.recipient, outbound.sender, outbound.text, outbound.since
        )

    async def state_of(self, provider_id: str) -> Receipt | None:
        return await self._account.state_of(self.name, provider_id)

    async def arrivals(self, since: datetime) -> list[Inbound]:
        return await self._account.arrivals(self.name, since)

    async def wiring(self) -> Wiring:
        return await self._account.wiring(self.name)

    async def fetch(self, media: Media, largest: int) -> Fetched:
        return await self._account.fetch(media, largest)

    async def close(self) -> None:
        await self._account.close()
