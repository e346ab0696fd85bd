"""A client that posts signed webhooks as fast as a server takes them, over a fixed number of
connections that are kept open.

Written on asyncio's protocols, because an HTTP library's client would be slower than the server it
measures. Every message is made and signed before the clock starts.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import quantiles
from time import perf_counter
from urllib.parse import urlsplit

from tests.fakes import twilio

OUR_NUMBER = "+447700900000"
TEXTS = (
    "Hello, are you there?",
    "They say I hit him. What happens now?",
    "I need somebody to talk to about contact on Saturday, it always ends in tears",
    "Nobody has paid the allowance for three weeks and I have rung twice",
    "1",
    "My membership number is FC10023",
)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def carer(number: int) -> str:
    """One of the 899 fictional mobiles that are not our own."""
    return f"+447700900{101 + number % 899}"


def webhooks(public_url: str, address: str, count: int) -> list[bytes]:
    """`count` whole HTTP requests, each a message of its own, signed for `public_url` and addressed
    to the server at `address`."""
    url, host = f"{public_url}/hooks/sms", urlsplit(address).netloc
    made = []
    for number in range(count):
        text = TEXTS[number % len(TEXTS)]
        form = twilio.inbound_form(carer(number), OUR_NUMBER, text)
        headers, body = twilio.signed(url, form)
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(
            ["POST /hooks/sms HTTP/1.1", f"host: {host}", f"content-length: {len(body)}", *lines]
        )
        made.append(f"{head}\r\n\r\n".encode() + body)
    return made


@dataclass
class Tally:
    """What came back: answers by status, and how long each took in seconds."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (len(self.waits) - self.refused) / self.seconds

    @property
    def p99_ms(self) -> float:
        return quantiles(self.waits, n=100)[98] * 1000


async def post_all(address: str, requests: list[bytes], connections: int) -> Tally:
    """Post every request, each connection one after the other, and wait for all answers."""
    tally, waiting = Tally(), iter(requests)
    where, loop = urlsplit(address), asyncio.get_running_loop()
    opened = []
    for _ in range(min(connections, len(requests))):
        connection = _Connection(waiting, tally, loop.create_future())
        await loop.create_connection(lambda it=connection: it, where.hostname, where.port)
        opened.append(connection)
    started = perf_counter()
    for connection in opened:
        connection.post_next()
    await asyncio.gather(*(connection.done for connection in opened))
    tally.seconds = perf_counter() - started
    return tally


class _Connection(asyncio.Protocol):
    def __init__(self, waiting: Iterator[bytes], tally: Tally, done: asyncio.Future[None]) -> None:
        self.done = done
        self._waiting, self._tally = waiting, tally
        self._heard, self._asked_at = b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def post_next(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._transport.close()
            return
        self._asked_at = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, ended, body = self._heard.partition(b"\r\n\r\n")
        if not ended:
            return
        length = LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return
        self._tally.waits.append(perf_counter() - self._asked_at)
        self._tally.refused += head[9:12] != b"200"
        self._heard = b""
        self.post_next()

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None and next(self._waiting, None) is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error or ConnectionResetError("The server hung up."))
