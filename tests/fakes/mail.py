"""A mail provider on loopback: a real SMTP server (aiosmtpd) that takes letters and can be told to
misbehave, and a small real IMAP4rev1 server with one mailbox. What people send is put into the
mailbox; what we send is remembered as it came over the line."""

import asyncio
import email
import re
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

US = "carers@helpline.example"
USER, PASSWORD = US, "open the mailbox"


@dataclass
class Taken:
    """A letter that the SMTP server took in."""

    sender: str
    recipient: str
    raw: bytes

    @property
    def letter(self) -> Message:
        return email.message_from_bytes(self.raw)

    @property
    def text(self) -> str:
        content = self.letter.get_payload(decode=True)
        assert isinstance(content, bytes)
        return content.decode().replace("\r\n", "\n")


@dataclass
class Stored:
    """A letter in the mailbox."""

    uid: int
    raw: bytes
    at: datetime
    flags: set[str] = field(default_factory=set)
    is_broken: bool = False


class MailProvider:
    """`answers` maps a step (mail, rcpt, data) to what the server says instead of yes. `dies_after`
    is the step after which the line breaks: the letter is taken all the same where it is "data";
    at "lost" it breaks there and the letter is not taken. `held`: a letter waits for this event."""

    def __init__(self, sealed: ssl.SSLContext | None = None) -> None:
        """`sealed`: both lines are encrypted from their first byte with this certificate."""
        self._sealed = sealed
        self.taken: list[Taken] = []
        self.box: list[Stored] = []
        self.answers: dict[str, str] = {}
        self.dies_after = ""
        self.held: asyncio.Event | None = None
        self.offered = 0
        self.forgets_marks = False
        self.validity = 1
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._servers = [
            await loop.create_server(
                lambda: SMTP(_Takes(self), hostname="mx.example", loop=loop),
                "127.0.0.1",
                0,
                ssl=self._sealed,
            ),
            await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=2**20, ssl=self._sealed),
        ]
        smtp, imap = (server.sockets[0].getsockname()[1] for server in self._servers)
        user = USER.replace("@", "%40")
        s = "s" if self._sealed else ""
        self.smtp_url = f"smtp{s}://127.0.0.1:{smtp}"
        self.imap_url = f"imap{s}://{user}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{imap}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        await asyncio.sleep(0.05)  # lines that are being let go of

    # --- what people do ---------------------------------------------------------------------------

    def put(self, raw: bytes, at: datetime) -> Stored:
        stored = Stored(len(self.box) + 1, raw, at)
        self.box.append(stored)
        return stored

    def write(
        self,
        sender: str,
        text: str,
        at: datetime,
        subject: str = "Hello",
        to: str = US,
        **headers: str,
    ) -> Stored:
        """Somebody's mail program sends a plain letter; `headers` by name with _ for -."""
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = sender, to, subject
        letter["Date"] = format_datetime(at)
        if "message_id" not in headers:
            letter["Message-ID"] = f"<{len(self.box)}.{at.timestamp()}@there.example>"
        for name, value in headers.items():
            letter[name.replace("_", "-")] = value
        letter.set_content(text)
        return self.put(letter.as_bytes(), at)

    def answer(self, to: Taken, text: str, at: datetime, sender: str = "", **more: str) -> Stored:
        """Somebody presses Reply on one of our letters, and their program quotes it."""
        ours = to.letter
        quoted = "\n".join(f"> {line}" for line in to.text.splitlines())
        body = f"{text}\n\nOn Tue, 3 Nov 2026 at 02:16, <{US}> wrote:\n\n{quoted}\n"
        return self.write(
            sender or to.recipient,
            body,
            at,
            subject=f"Re: {ours['subject']}",
            to=str(ours["reply-to"]),
            In_Reply_To=str(ours["message-id"]),
            References=str(ours["message-id"]),
            **more,
        )

    def bounce(self, of: Taken, at: datetime, status: str = "5.1.1") -> Stored:
        """Another mail server says that a letter of ours could not be delivered (RFC 3464)."""
        report = (
            f"From: Mail Delivery System <MAILER-DAEMON@there.example>\r\nTo: {of.sender}\r\n"
            "Return-Path: <>\r\nSubject: Undelivered Mail Returned to Sender\r\n"
            f"Message-ID: <bounce{len(self.box)}@there.example>\r\nAuto-Submitted: auto-replied\r\n"
            "MIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
            "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.there.example\r\n\r\n"
            f"Final-Recipient: rfc822; {of.recipient}\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
            "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
            f"Message-ID: {of.letter['message-id']}\r\nFrom: {US}\r\n\r\n--b--\r\n"
        )
        return self.put(report.encode(), at)

    # --- IMAP -------------------------------------------------------------------------------------

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK IMAP4rev1 ready\r\n")
        is_in = False
        try:
            while line := await reader.readline():
                tag, _, rest = line.decode().strip().partition(" ")
                self.asked.append(rest.partition(" ")[0] if "LOGIN" in rest else rest)
                words = rest.split(" ")
                command = " ".join(words[:2]) if words[0].upper() == "UID" else words[0]
                if command.upper() == "LOGIN":
                    is_in = rest == f'LOGIN {USER} "{PASSWORD}"'
                    answer = "OK in" if is_in else "NO [AUTHENTICATIONFAILED] no"
                elif command.upper() == "CAPABILITY":
                    writer.write(b"* CAPABILITY IMAP4rev1\r\n")
                    answer = "OK done"
                elif command.upper() == "LOGOUT":
                    writer.write(b"* BYE\r\n")
                    answer = "OK bye"
                else:
                    answer = self._does(command.upper(), rest, writer) if is_in else "BAD first"
                writer.write(f"{tag} {answer}\r\n".encode())
                await writer.drain()
                if command.upper() == "LOGOUT":
                    break
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _does(self, command: str, rest: str, writer: asyncio.StreamWriter) -> str:
        if command == "SELECT":
            writer.write(
                f"* {len(self.box)} EXISTS\r\n* OK [UIDVALIDITY {self.validity}]\r\n".encode()
            )
            return "OK [READ-WRITE] open"
        if command == "UID SEARCH":
            found = " ".join(str(one.uid) for one in self.box if _fits(one, rest))
            writer.write(f"* SEARCH {found}\r\n".replace(" \r", "\r").encode())
            return "OK done"
        if command == "UID FETCH":
            return self._fetch(rest, writer)
        if command == "UID STORE":
            for one in self._named(rest):
                if not self.forgets_marks:
                    one.flags.add("\\Seen")
            return "OK done"
        return "BAD unknown"

    def _fetch(self, rest: str, writer: asyncio.StreamWriter) -> str:
        for one in self._named(rest):
            head = f"* {one.uid} FETCH (UID {one.uid} "
            if "BODY.PEEK[]" in rest:
                if one.is_broken:
                    return "NO [SERVERBUG] cannot"
                part = re.search(r"<0\.(\d+)>", rest)
                raw = one.raw[: int(part[1])] if part else one.raw
                name = "BODY[]<0>" if part else "BODY[]"
                writer.write(f"{head}{name} {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
            else:
                at = one.at.strftime("%d-%b-%Y %H:%M:%S +0000")
                size = f'RFC822.SIZE {len(one.raw)} INTERNALDATE "{at}")'
                writer.write(f"{head}{size}\r\n".encode())
        return "OK done"

    def _named(self, rest: str) -> list[Stored]:
        uids = {int(uid) for uid in rest.split(" ")[2].split(",")}
        return [one for one in self.box if one.uid in uids]


def _fits(stored: Stored, asked: str) -> bool:
    is_seen = "\\Seen" in stored.flags
    if "UNSEEN" in asked:
        return not is_seen
    since = re.search(r"SINCE (\S+)", asked)
    day = datetime.strptime(since[1], "%d-%b-%Y").replace(tzinfo=UTC) if since else stored.at
    return is_seen and stored.at >= day


class _Takes:
    """aiosmtpd asks this what to say."""

    def __init__(self, provider: MailProvider) -> None:
        self._provider = provider

    def _says(self, step: str, server: Any) -> str | None:
        if self._provider.dies_after == step:
            server.transport.abort()
        return self._provider.answers.get(step)

    async def handle_MAIL(  # noqa: N802, RUF100  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if said := self._says("tagged" if "+" in address else "mail", server):
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if said := self._says("rcpt", server):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self._provider.offered += 1
        if self._provider.held is not None:
            await self._provider.held.wait()
        said = self._says("data", server)
        if self._provider.dies_after == "lost":
            server.transport.abort()
            return "451 4.3.0 gone"
        if said is None:
            raw = bytes(envelope.content)
            self._provider.taken.append(Taken(envelope.mail_from, envelope.rcpt_tos[0], raw))
        return said or "250 2.0.0 taken"


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for 127.0.0.1 that nobody trusts until told to: what a server needs, and the
    file that names it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example")])
    begun = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begun)
        .not_valid_after(begun.replace(year=2099))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = Encoding.PEM
    file = folder / "server.pem"
    secret = key.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file
