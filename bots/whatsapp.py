"""WhatsApp by Twilio: "WhatsApp key concepts", "Send templates with ContentSid" and, as for SMS,
"Message resource" in its documentation. It comes in by the hook of SMS (bots/sms.py reads both) and
goes out by the same account with "whatsapp:" before each number. It decides nothing: whether the 24
hours after the person's last message are over, and which template stands for us then, comes in
`extra` (content_sid).
"""

import json
from datetime import datetime

from bots import _twilio
from bots._twilio import WHATSAPP
from helpline.channels import (
    Answer,
    Fetched,
    Inbound,
    Media,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
)


class WhatsApp:
    """One Twilio account with a number that has WhatsApp. Raises InvalidInput without
    credentials."""

    name = "whatsapp"
    accepted = Answer("text/xml", "<Response/>")

    def __init__(
        self, account_sid: str, auth_token: str, api_url: str = "", status_url: str = ""
    ) -> None:
        """`api_url` puts another address in place of Twilio's; `status_url` is where Twilio
        reports deliveries, nothing if empty."""
        self._account = _twilio.Account(account_sid, auth_token, api_url)
        self._callback = {"status_callback": status_url} if status_url else {}

    def is_genuine(self, request: WebRequest) -> bool:
        return self._account.is_genuine(request)

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        return _twilio.message_in(request.body)

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        return _twilio.report_in(request.body)

    async def send(self, outbound: Outbound) -> SendResult:
        try:
            message = await self._account.client().messages.create_async(
                to=WHATSAPP + outbound.recipient,
                from_=WHATSAPP + outbound.sender,
                **_content(outbound),
                **self._callback,
            )
            return _twilio.from_message(message)
        except Exception as error:  # never raises: what nobody foresaw may have gone
            return _twilio.from_error(error)

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        return await _twilio.find_sent(
            self._account,
            WHATSAPP + outbound.recipient,
            WHATSAPP + outbound.sender,
            outbound.text,
            outbound.since,
            within="content_sid" in outbound.extra,
        )

    async def state_of(self, provider_id: str) -> Receipt | None:
        return await self._account.state_of(self.name, provider_id)

    async def arrivals(self, since: datetime) -> list[Inbound]:
        return await self._account.arrivals(self.name, since)

    async def fetch(self, media: Media, largest: int) -> Fetched:
        return await self._account.fetch(media, largest)

    async def close(self) -> None:
        await self._account.close()


def _content(outbound: Outbound) -> dict[str, str]:
    """Free text, or an approved template with the text as its one variable, on one line: WhatsApp
    refuses line breaks there."""
    template = outbound.extra.get("content_sid")
    if not template:
        return {"body": outbound.text}
    return {
        "content_sid": template,
        "content_variables": json.dumps({"1": _twilio.one_line(outbound.text)}),
    }
