"""A house with the real Twilio bots and a fake Twilio, for the tests of what goes wrong on the way:
people write by SMS or WhatsApp, webhooks come or do not, reports come in any order, time passes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from helpline.channels import WebRequest
from helpline.clock import MovableClock
from helpline.desk import cases, outbox, rota
from helpline.desk.house import House
from helpline.engine.deliver import deliver_all
from helpline.engine.fetching import fetch_all
from helpline.engine.reconcile import reconcile
from helpline.engine.routing import route_all
from helpline.engine.watch import watch
from helpline.models import Case, User
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from helpline.vocabulary import Role, ShiftKind
from helpline.web.hooks import take_in
from tests.drills.houses import NIGHT, OUR_NUMBER, PUBLIC_URL, everything, opened_house
from tests.fakes.twilio import FakeTexts, FakeTwilio, inbound_form, signed, status_form

CARER = "+447700900123"
DUTY_PHONE, BACKUP_PHONE, LEAD_PHONE = "+447700900901", "+447700900904", "+447700900902"


class TwilioHouse:
    def __init__(self, house: House, twilio: FakeTwilio, clock: MovableClock) -> None:
        self.house, self.twilio, self.clock = house, twilio, clock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def write(
        self,
        text: str,
        *,
        by: str = "sms",
        sender: str = CARER,
        files: tuple[str, ...] = (),
        webhook: bool = True,
        settle: bool = True,
    ) -> str:
        """Somebody writes; `webhook` False: Twilio's call to us gets lost. Returns its id."""
        prefix = "whatsapp:" if by == "whatsapp" else ""
        to, from_ = prefix + OUR_NUMBER, prefix + sender
        sid = self.twilio.receive(from_, to, text, media=files)
        if webhook:
            more = {"NumMedia": str(len(files))}
            for number, media_id in enumerate(files):
                more[f"MediaUrl{number}"] = self.twilio.media_url(sid, media_id)
                more[f"MediaContentType{number}"] = self.twilio.files[media_id][0]
            await self.post(inbound_form(from_, to, text, sid, **more))
        if settle:
            await self.settle()
        return sid

    async def post(self, form: list[tuple[str, str]]) -> None:
        headers, body = signed(PUBLIC_URL + "/hooks/sms", form)
        asked = WebRequest(PUBLIC_URL + "/hooks/sms", headers, body)
        channel = self.house.channels["sms"]
        assert channel.is_genuine(asked)
        await take_in(self.house, channel, asked)

    async def report(self, sent: dict[str, Any], status: str, code: int = 0) -> None:
        """Twilio reports what became of a message (an entry of twilio.sent)."""
        sent.update(status=status, error_code=code or None)
        form = status_form(sent["sid"], status, sent["from"], sent["to"], str(code or ""))
        receipt = self.house.channels["sms"].parse_receipt(
            WebRequest(PUBLIC_URL, {}, urlencode(form).encode())
        )
        assert receipt is not None
        async with self.house.db.write() as session:
            await outbox.record_receipt(session, receipt, self.now)

    async def settle(self) -> None:
        while True:
            moved = await route_all(self.house) + await watch(self.house)
            if not moved + await deliver_all(self.house) + await fetch_all(self.house):
                break

    async def look(self) -> int:
        """One look of the reconciler, and what follows from it."""
        found = await reconcile(self.house)
        await self.settle()
        return found

    async def forward(self, **span: float) -> None:
        self.clock.forward(timedelta(**span))
        await self.settle()

    async def reply(self, text: str, by: Actor) -> None:
        async with self.house.db.write() as session:
            case = (await session.scalars(select(Case))).one()
            contract = self.house.contracts[case.contract]
            await cases.reply(session, contract, case, text, by, self.now)
        await self.settle()

    def sent_to(self, address: str) -> list[dict[str, Any]]:
        return [message for message in self.twilio.sent if message["to"] == address]

    async def all(self, table: type, *where: Any) -> list[Any]:
        return list(await everything(self.house, table, *where))

    async def hire(
        self, name: str, mobile: str, role: Role = Role.WORKER, shift: ShiftKind | None = None
    ) -> Actor:
        async with self.house.db.write() as session:
            user = User(
                name=name.lower(),
                shown_name=name,
                role=role,
                password_hash="-",
                mobile=mobile,
                mobile_index=ring().index("address:sms", mobile),
                created_at=self.now,
            )
            session.add(user)
            await session.flush()
            assert user.id is not None
            if shift:
                begins, ends = self.now - timedelta(hours=1), self.now + timedelta(days=30)
                await rota.add_shift(session, "essex", user.id, begins, ends, shift)
        return Actor(user.id, name, role, None)


@asynccontextmanager
async def opened_twilio_house(database_url: str) -> AsyncIterator[TwilioHouse]:
    clock = MovableClock(frozen_at=NIGHT)
    async with (
        FakeTexts(clock=clock) as twilio,
        opened_house(database_url, twilio_url=twilio.url, clock=clock) as house,
    ):
        # This fake has no telephone lines: whoever is asked is asked by text.
        texts = {name: one for name, one in house.channels.items() if name != "voice"}
        yield TwilioHouse(replace(house, channels=texts), twilio, clock)
