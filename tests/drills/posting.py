"""Plain HTTP by hand: exactly the bytes one wants, over a connection that stays open. A client
library would refuse to send half of what the drills send."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Closed(ConnectionError):
    """The server ended the connection without an answer."""


class Wire:
    """One connection to a server at `url`; opened anew when the server has closed it."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._host, self._port = there.hostname or "", there.port or 80
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return await self.send(
            request_bytes(path, {**headers, "Content-Length": str(len(body))}, body)
        )

    async def send(self, raw: bytes) -> Answer:
        """Write these bytes and read one answer."""
        await self.write(raw)
        return await self.answer()

    async def write(self, raw: bytes) -> None:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(raw)
        await self._writer.drain()

    async def answer(self, seconds: float = 20) -> Answer:
        """The next answer on this connection. Closed when there is none."""
        assert self._reader is not None
        try:
            async with asyncio.timeout(seconds):
                head = await self._reader.readuntil(b"\r\n\r\n")
                status, headers = _head(head)
                body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            await self.close()
            raise Closed from error
        if headers.get("connection", "").lower() == "close":
            await self.close()
        return Answer(status, headers, body)

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            try:
                await writer.wait_closed()
            except ConnectionError:
                return  # the other side was faster


def request_bytes(path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """A POST as it goes over the wire; header values may hold any Latin-1 letter."""
    lines = [f"POST {path} HTTP/1.1", "Host: helpline.example"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


def _head(raw: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = raw.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}
