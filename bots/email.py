"""E-mail: RFC 5321 and 3463 (sending, its codes), RFC 3501 (the mailbox), RFC 3834 (automatic
answers), aiosmtplib's and imaplib's documentation. main.py makes one and hands it to engine, which
asks `waiting`, `mark_read`, `arrivals` and `send`. It has no hook, decides nothing, keeps nothing.
"""

import asyncio
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as LINES_OF_SMTP
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bots import _mail, is_address
from helpline.channels import (
    Answer,
    Found,
    Inbound,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
    Wiring,
)
from helpline.errors import InvalidInput
from helpline.vocabulary import Fault, SendState

if TYPE_CHECKING:
    import aiosmtplib

ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
OURS = frozenset((421, 530, 534, 535, 538))  # our account or the server itself: somebody mends it

STEP_SECONDS = 10.0
BEFORE_SECONDS, LETTER_SECONDS = 22.0, 25.0  # together below the lease of a message (60 s)
LOOK_SECONDS = 20.0
THREAD = ("refers", "answers")  # the letters before this one, in the order of References
LARGEST = 25 * 1024 * 1024  # bytes; of a larger letter the beginning is taken
BEGINNING = 512 * 1024
AT_ONCE = 40 * 1024 * 1024  # bytes in memory in one look
LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORTS = {"smtp": 587, "smtps": 465, "imap": 143, "imaps": 993}
DATED = re.compile(rb'INTERNALDATE "([^"]+)"')
SIZED = re.compile(rb"RFC822\.SIZE (\d+)")
NUMBERED = re.compile(rb"\bUID (\d+)")


@dataclass(frozen=True)
class Server:
    """Where a mail server is and who we are there. Without a password nobody signs in."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @property
    def is_sealed(self) -> bool:
        """Whether the line is encrypted from its first byte."""
        return self.scheme.endswith("s")

    @property
    def must_seal(self) -> bool:
        """An open line is turned into an encrypted one before anything is said, except to this
        very machine."""
        return not self.is_sealed and self.host not in LOOPBACK


class Email:
    """One mailbox and the server that takes letters. `addresses`: ours, of which the first stands
    for all where there is only one. Raises InvalidInput for a URL that is none."""

    name = "email"
    accepted = Answer("text/plain", "")

    def __init__(self, smtp_url: str, imap_url: str, addresses: Sequence[str]) -> None:
        self._smtp, self._imap = _server(smtp_url, "smtp"), _server(imap_url, "imap")
        self._addresses = [address.lower() for address in addresses]

    def is_genuine(self, request: WebRequest) -> bool:
        """Nothing comes by web."""
        return False

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        return None

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        """Reports of undelivered letters are letters: they lie in the mailbox."""
        return None

    async def waiting(self) -> tuple[list[Found], int]:
        return await asyncio.to_thread(self._look, "UNSEEN", None)

    async def arrivals(self, since: datetime) -> list[Inbound]:
        """Letters that somebody else has marked as read: those are in no other list."""
        day = (since.astimezone(UTC) - timedelta(days=1)).strftime("%d-%b-%Y")
        found, _ = await asyncio.to_thread(self._look, f"SEEN SINCE {day}", since)
        return [one.inbound for one in found]

    async def mark_read(self, places: Sequence[str]) -> None:
        await asyncio.to_thread(self._mark, list(places))

    async def wiring(self) -> Wiring:
        """Signs in on both sides and leaves: reads no letter and sends none."""
        import aiosmtplib

        line = self._line()
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await line.connect()
                if self._smtp.password:
                    await line.login(self._smtp.user, self._smtp.password)
        except aiosmtplib.SMTPResponseException:
            return Wiring(refused="out")
        finally:
            line.close()
        try:
            await asyncio.to_thread(self._sign_in)
        except imaplib.IMAP4.abort:
            raise  # the line broke: nothing was said of us
        except imaplib.IMAP4.error:
            return Wiring(refused="in")
        return Wiring()

    async def send(self, outbound: Outbound) -> SendResult:
        if not _is_mailbox(outbound.recipient):
            return SendResult(SendState.REFUSED, code="address", fault=Fault.BAD_ADDRESS)
        try:
            letter = written(outbound)
        except (ValueError, UnicodeError, LookupError):  # our own address, or what we put in
            return SendResult(SendState.REFUSED, code="letter")
        line = self._line()
        try:
            return await self._hand_over(line, letter, outbound)
        finally:
            with suppress(Exception):  # it is settled already; a server may have hung up
                async with asyncio.timeout(1):
                    await line.quit()
            line.close()

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        """A mail server cannot be asked. A second copy has the same Message-ID: most mailboxes
        show it once."""
        return None

    async def close(self) -> None:
        """Every look and every letter has a line of its own."""

    def _line(self) -> "aiosmtplib.SMTP":
        import aiosmtplib  # late: a helpline without mail does not need it

        return aiosmtplib.SMTP(
            hostname=self._smtp.host,
            port=self._smtp.port,
            use_tls=self._smtp.is_sealed,
            start_tls=True if self._smtp.must_seal else None if not self._smtp.is_sealed else False,
            timeout=STEP_SECONDS,
        )

    def _sign_in(self) -> None:
        with _Mailbox(self._imap):
            pass

    async def _hand_over(
        self, line: "aiosmtplib.SMTP", letter: bytes, outbound: Outbound
    ) -> SendResult:
        """Before the letter itself is on its way any failure means that it surely did not go."""
        import aiosmtplib

        try:
            async with asyncio.timeout(BEFORE_SECONDS):
                await line.connect()
                if self._smtp.password:
                    await line.login(self._smtp.user, self._smtp.password)
                await _name_both(line, outbound)
        except aiosmtplib.SMTPResponseException as refusal:
            is_theirs = isinstance(refusal, aiosmtplib.SMTPRecipientRefused)
            return _refused(refusal.code, refusal.message, is_theirs)
        except Exception as error:  # nobody there, no encryption, too slow
            return SendResult(SendState.RETRY, code=type(error).__name__)
        try:
            async with asyncio.timeout(LETTER_SECONDS):
                await line.data(letter, timeout=LETTER_SECONDS)
        except aiosmtplib.SMTPResponseException as refusal:
            if refusal.code == -1:  # the line broke: it may have gone
                return SendResult(SendState.UNSURE, code="lost")
            return _refused(refusal.code, refusal.message, False)
        except Exception as error:
            return SendResult(SendState.UNSURE, code=type(error).__name__)
        return SendResult(SendState.ACCEPTED, outbound.extra.get("message_id", ""))

    def _look(self, asked: str, since: datetime | None) -> tuple[list[Found], int]:
        """Letters that the mailbox finds for these words, oldest first, as many as memory bears,
        and how many of those that were looked at could not be had."""
        with _Mailbox(self._imap) as box:
            validity, failed, held = _validity(box), 0, 0
            found: list[Found] = []
            for uid, size, arrived in _listed(box, asked):
                if since is not None and arrived is not None and arrived < since:
                    continue
                held += min(size, LARGEST)
                if held > AT_ONCE and found:
                    break
                raw = _fetched(box, uid, size)
                if raw is None:
                    failed += 1
                    continue
                inbound = _mail.read(raw, self._addresses, size if size > LARGEST else None)
                found.append(Found(f"{validity}:{uid}", replace(inbound, sent_at=arrived)))
            return found, failed

    def _mark(self, places: list[str]) -> None:
        with _Mailbox(self._imap) as box:
            validity = _validity(box)
            # Numbers of another time of this mailbox name other letters.
            uids = [uid for era, _, uid in (p.partition(":") for p in places) if era == validity]
            for some in _in_hundreds(uids):
                _good(box.uid("STORE", ",".join(some), "+FLAGS.SILENT", r"(\Seen)"))


def written(outbound: Outbound) -> bytes:
    """The letter as it goes on the line. `extra` may hold subject, message_id, refers (our letter
    before this one), answers (theirs), reply_to and automatic. Raises ValueError for what
    would break out of a header."""
    extra = outbound.extra
    letter = EmailMessage(policy=LINES_OF_SMTP)
    for name, value in (
        ("From", outbound.sender),
        ("To", outbound.recipient),
        ("Reply-To", extra.get("reply_to", "")),
        ("Subject", extra.get("subject", "")),
        ("Message-ID", _in_brackets(extra.get("message_id", ""))),
        ("In-Reply-To", _in_brackets(extra.get("answers", "") or extra.get("refers", ""))),
        ("References", " ".join(_in_brackets(extra[n]) for n in THREAD if extra.get(n))),
    ):
        if any(not c.isprintable() for c in value):
            raise ValueError(name)
        if value:
            letter[name] = value
    if not (_is_mailbox(outbound.sender) and _is_mailbox(outbound.recipient)):
        raise ValueError("address")
    letter["Date"] = outbound.since
    if extra.get("automatic"):
        letter["Auto-Submitted"] = "auto-replied"
        letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content(outbound.text, cte="quoted-printable")
    return letter.as_bytes()


async def _name_both(line: "aiosmtplib.SMTP", outbound: Outbound) -> None:
    """Reports come back to the address with the tag; a server that lets nobody write from there
    gets the plain one."""
    import aiosmtplib

    tagged = outbound.extra.get("reply_to", "") or outbound.sender
    try:
        await line.mail(tagged)
    except aiosmtplib.SMTPSenderRefused as refusal:
        if refusal.code < 500 or tagged == outbound.sender:
            raise
        await line.rset()
        await line.mail(outbound.sender)
    await line.rcpt(outbound.recipient)


def _refused(code: int, words: str, is_theirs: bool) -> SendResult:
    """4xx may pass, 5xx never; but a server that does not take *us* says nothing about them. Of the
    server's words only the enhanced code is kept: the rest may name the address."""
    found = ENHANCED.search(words)
    enhanced = found[1] if found else ""
    if code in OURS or code < 500:
        return SendResult(SendState.RETRY, code=f"{code} {enhanced}".strip())
    fault = _mail.fault_of(enhanced)
    if is_theirs and not enhanced and code in (550, 551, 553):
        fault = Fault.BAD_ADDRESS
    return SendResult(SendState.REFUSED, code=f"{code} {enhanced}".strip(), fault=fault)


def _is_mailbox(address: str) -> bool:
    return is_address(address) and address.isascii() and bool(_mail.ADDRESS.fullmatch(address))


def _in_brackets(message_id: str) -> str:
    return f"<{message_id}>" if message_id else ""


def _server(url: str, kind: str) -> Server:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in (kind, kind + "s") or not parts.hostname:
        raise InvalidInput(
            f"HELPLINE_{kind.upper()}_URL must look like {kind}s://user:password@host"
        )
    return Server(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


# --- the mailbox: imaplib, on a thread of its own ------------------------------------------------


class _Mailbox:
    """A line to the mailbox, signed in, INBOX chosen; let go of at the end."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __enter__(self) -> imaplib.IMAP4:
        server, sealed = self._server, ssl.create_default_context()
        if server.is_sealed:
            self._box: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                server.host, server.port, ssl_context=sealed, timeout=LOOK_SECONDS
            )
        else:
            self._box = imaplib.IMAP4(server.host, server.port, timeout=LOOK_SECONDS)
        try:
            if server.must_seal:
                self._box.starttls(sealed)
            self._box.login(server.user, server.password)
            _good(self._box.select("INBOX"))
        except BaseException:
            self.__exit__()
            raise
        return self._box

    def __exit__(self, *_: object) -> None:
        with suppress(imaplib.IMAP4.error, OSError):
            self._box.logout()
        with suppress(imaplib.IMAP4.error, OSError):
            self._box.shutdown()


def _good(answer: tuple[str, Any]) -> list[Any]:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error("refused")  # without the server's words: they may hold a secret
    said: list[Any] = answer[1]
    return said


def _validity(box: imaplib.IMAP4) -> str:
    said = box.response("UIDVALIDITY")[1]
    return said[0].decode() if said and isinstance(said[0], bytes) else ""


def _listed(box: imaplib.IMAP4, asked: str) -> Iterator[tuple[str, int, datetime | None]]:
    """Number, size and time of arrival of what is found, in the order of arrival."""
    found = _good(box.uid("SEARCH", *asked.split()))
    uids = sorted((found[0] or b"").split(), key=int) if isinstance(found[0], bytes) else []
    for some in _in_hundreds([uid.decode() for uid in uids]):
        told: dict[str, tuple[int, datetime | None]] = {}
        for line in _good(box.uid("FETCH", ",".join(some), "(UID RFC822.SIZE INTERNALDATE)")):
            if isinstance(line, bytes) and (uid := NUMBERED.search(line)):
                size, dated = SIZED.search(line), DATED.search(line)
                told[uid[1].decode()] = (int(size[1]) if size else 0, _instant(dated))
        for one in some:
            if one in told:  # else it is gone since
                yield one, *told[one]


def _fetched(box: imaplib.IMAP4, uid: str, size: int) -> bytes | None:
    """The letter, or the beginning of one that is too large. Reading it marks nothing."""
    some = f"<0.{BEGINNING}>" if size > LARGEST else ""
    try:
        for line in _good(box.uid("FETCH", uid, f"(BODY.PEEK[]{some})")):
            if isinstance(line, tuple) and len(line) == 2 and isinstance(line[1], bytes):
                return line[1]
    except imaplib.IMAP4.abort:
        raise  # the line broke: the others cannot be had either
    except imaplib.IMAP4.error:
        pass
    return None


def _instant(dated: re.Match[bytes] | None) -> datetime | None:
    if dated is None:
        return None
    try:
        return datetime.strptime(dated[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _in_hundreds(uids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(uids), 100):
        yield uids[start : start + 100]
