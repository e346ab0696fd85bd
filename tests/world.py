"""A whole helpline in memory for stories: simulated phones, a frozen clock, real rules, a real
database. `world.sms("+447700900123", "they say I hit him")`, `world.forward(hours=12)`, and look at
whose phone rang. Nothing of ours is replaced but the phone networks and the time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bots.simulator import SECRET_HEADER, Simulator
from helpline.clock import MovableClock
from helpline.desk import access, cases, rota
from helpline.desk.house import Demo, House
from helpline.engine.deliver import deliver_all
from helpline.engine.routing import route_all
from helpline.engine.watch import watch
from helpline.main import build
from helpline.models import (
    Address,
    Alert,
    Case,
    Conversation,
    Deadline,
    Event,
    InboundItem,
    Membership,
    OutMessage,
    Person,
    Task,
    User,
)
from helpline.rules.permissions import Actor
from helpline.sealing import ring
from helpline.settings import Settings
from helpline.vocabulary import Role, ShiftKind
from helpline.web.hooks import take_in
from tests import folders, quick
from tests.keys import TEST_KEY

OUR_NUMBER = "+447700900000"
NIGHT = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)  # a Tuesday, quarter past two in the morning

DUTY_PHONE = "+447700900901"  # Dilys, on call
LEAD_PHONE = "+447700900902"  # Leonie, team lead
WORKER_PHONE = "+447700900903"  # Wasim, support worker
CARER = "+447700900123"  # Carol Ashby, foster carer, on the register
STRANGER = "+447700900456"  # nobody knows this number
PASSWORD = "three words and more"
quick.hash_passwords_cheaply()


class World:
    def __init__(self, house: House, sms: Simulator, telegram: Simulator) -> None:
        self.house, self.clock = house, house.clock
        self.sms_network, self.telegram_network = sms, telegram
        self.duty: Actor
        self.lead: Actor
        self.worker: Actor

    # --- what people do ---------------------------------------------------------------------------

    async def sms(self, number: str, text: str, copies: int = 1, *, to: str = OUR_NUMBER) -> None:
        """Somebody texts; the provider delivers it `copies` times; everything due then happens."""
        asked = self.sms_network.write(number, to, text)
        for _ in range(copies):
            await take_in(self.house, self.sms_network, asked)
        await self.settle()

    async def telegram(self, chat: str, text: str) -> None:
        asked = self.telegram_network.write(chat, "telegram", text)
        await take_in(self.house, self.telegram_network, asked)
        await self.settle()

    async def whatsapp(self, number: str, text: str) -> None:
        network = self.house.demo.phones["whatsapp"] if self.house.demo else None
        assert isinstance(network, Simulator)
        await take_in(self.house, network, network.write(number, OUR_NUMBER, text))
        await self.settle()

    async def unreadable(self, body: bytes = b"\xff\x00") -> None:
        """Something arrives that bears the provider's signature and makes no sense."""
        asked = self.sms_network.write(STRANGER, OUR_NUMBER, "x")
        asked = type(asked)(asked.url, {SECRET_HEADER: self.sms_network.secret}, body)
        await take_in(self.house, self.sms_network, asked)
        await self.settle()

    async def reply(self, number: str, text: str, by: Actor | None = None) -> None:
        async with self.house.db.write() as session:
            case = await _case(session, number)
            contract = self.house.contracts[case.contract]
            await cases.reply(session, contract, case, text, by or self.worker, self.now)
        await self.settle()

    async def allocate(self, number: str, to: Actor, by: Actor | None = None) -> None:
        async with self.house.db.write() as session:
            case = await _case(session, number)
            contract = self.house.contracts[case.contract]
            wording = self.house.wording
            await cases.allocate(
                session, contract, case, to.user_id, by or self.lead, self.now, wording=wording
            )
        await self.settle()

    async def close(self, number: str, by: Actor | None = None) -> None:
        async with self.house.db.write() as session:
            case = await _case(session, number)
            contract = self.house.contracts[case.contract]
            await cases.close(
                session,
                contract,
                case,
                [contract.support[0].code],
                contract.outcomes[0].code,
                by or self.worker,
                self.now,
            )
        await self.settle()

    # --- time -------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def forward(self, *, hours: float = 0, minutes: float = 0) -> None:
        """Let time pass, stopping wherever something is due, as the running helpline would."""
        end = self.now + timedelta(hours=hours, minutes=minutes)
        assert isinstance(self.clock, MovableClock)
        while (upcoming := await self._next_due()) is not None and upcoming < end:
            self.clock.forward(max(upcoming - self.now, timedelta(milliseconds=1)))
            await self.settle()
        self.clock.forward(max(end - self.now, timedelta()))
        await self.settle()

    async def later(self, *, hours: float) -> None:
        """Let time pass at one stroke, as after an outage: where who was asked meanwhile says
        nothing of what the story tells."""
        assert isinstance(self.clock, MovableClock)
        self.clock.forward(timedelta(hours=hours))
        await self.settle()

    async def settle(self) -> None:
        """Everything that is due now happens, until nothing more does."""
        while await route_all(self.house) + await watch(self.house) + await deliver_all(self.house):
            pass

    async def _next_due(self) -> datetime | None:
        waiting = OutMessage.state.in_(["queued", "unsure", "sending"])
        earliest = (
            select(func.min(Deadline.next_alert_at)),
            select(func.min(Alert.next_rung_at)),
            select(func.min(Alert.act_by)),
            select(func.min(OutMessage.next_try_at)).where(waiting),
            select(func.min(InboundItem.next_try_at)).where(InboundItem.state == "kept"),
        )
        async with self.house.db.read() as session:  # one question instead of five
            row = await session.execute(select(*(one.scalar_subquery() for one in earliest)))
            times = row.one()
        return min((time for time in times if time is not None), default=None)

    # --- what one can see -------------------------------------------------------------------------

    def texts_to(self, number: str) -> list[str]:
        """What this telephone has received, oldest first."""
        received = [m for m in self.sms_network.on(number) if m.direction == "out"]
        return [message.text for message in received]

    async def case_of(self, number: str) -> Case:
        async with self.house.db.read() as session:
            return await _case(session, number)

    async def all(self, table: type, *where: object) -> Sequence[object]:
        async with self.house.db.read() as session:
            return (await session.scalars(select(table).where(*where).order_by(table.id))).all()

    async def deadlines(self, number: str) -> dict[str, Deadline]:
        """Clock → its newest deadline on the case of this number."""
        case = await self.case_of(number)
        rows = await self.all(Deadline, Deadline.case_id == case.id)
        return {row.clock: row for row in rows if isinstance(row, Deadline)}

    async def events(self, number: str) -> list[str]:
        case = await self.case_of(number)
        rows = await self.all(Event, Event.case_id == case.id)
        return [row.kind for row in rows if isinstance(row, Event)]

    async def tasks(self, number: str) -> list[str]:
        case = await self.case_of(number)
        rows = await self.all(Task, Task.case_id == case.id, Task.done_at.is_(None))
        return [row.kind for row in rows if isinstance(row, Task)]

    async def count(self, table: type) -> int:
        async with self.house.db.read() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0

    # --- who there is -----------------------------------------------------------------------------

    async def hire(
        self, name: str, role: Role, mobile: str | None = None, contract: str | None = None
    ) -> Actor:
        contract = contract or ("essex" if role is Role.COMMISSIONER else None)
        async with self.house.db.write() as session:
            user = User(
                name=name.lower(),
                shown_name=name,
                role=role,
                contract=contract,
                password_hash=await _password_hash(),
                mobile=mobile,
                mobile_index=ring().index("address:sms", mobile) if mobile else None,
                created_at=self.now,
            )
            session.add(user)
            await session.flush()
            user_id = user.id
        assert user_id is not None
        return Actor(user_id, name, role, contract)

    async def known(self, name: str) -> Actor:
        """Somebody who was hired before."""
        async with self.house.db.read() as session:
            user = await session.scalar(select(User).where(User.name == name))
        assert user is not None and user.id is not None
        return Actor(user.id, user.shown_name, Role(user.role), user.contract)

    async def on_call(self, who: Actor, hours: float = 24 * 30, contract: str = "essex") -> None:
        async with self.house.db.write() as session:
            ends = self.now + timedelta(hours=hours)
            await rota.add_shift(
                session,
                contract,
                who.user_id,
                self.now - timedelta(hours=1),
                ends,
                ShiftKind.PRIMARY,
            )

    async def member(
        self,
        name: str,
        number: str,
        mobile: str | None = None,
        postcode: str = "CM1 1QH",
        team: str = "mid",
        quadrant: str = "mid",
        group: str = "foster_carer",
    ) -> int:
        """Somebody on the council's list."""
        keys = ring()
        async with self.house.db.write() as session:
            person = Person(
                contract="essex",
                name=name,
                group=group,
                register_id=number,
                register_index=keys.index("register:essex", number),
                created_at=self.now,
            )
            session.add(person)
            await session.flush()
            assert person.id is not None
            session.add(
                Membership(
                    person_id=person.id,
                    contract="essex",
                    number_index=keys.index("membership", number),
                    group=group,
                    team=team,
                    quadrant=quadrant,
                    postcode=postcode,
                    postcode_index=keys.index("postcode", postcode.replace(" ", "")),
                    approved_from=date(2020, 1, 1),
                )
            )
            if mobile:
                session.add(
                    Address(
                        person_id=person.id,
                        contract="essex",
                        channel="sms",
                        value=mobile,
                        value_index=keys.index("address:sms", mobile),
                        from_register=True,
                    )
                )
            return person.id


@asynccontextmanager
async def opened_world(
    database_url: str,
    at: datetime = NIGHT,
    *,
    is_known: bool = False,
    is_empty: bool = False,
    contracts: Path | None = None,
    numbers: str = f"essex={OUR_NUMBER}",
) -> AsyncIterator[World]:
    """A world with Carol on the register, Dilys on call, Leonie leading and Wasim supporting.
    `is_known`: the database is a copy of one in which they are already. `contracts`: the folder;
    without one it is Essex alone. `is_empty`: nobody was hired yet."""
    clock = MovableClock(frozen_at=at)
    sms, telegram = Simulator("sms", allow=True), Simulator("telegram", allow=True)
    whatsapp = Simulator("whatsapp", allow=True)
    settings = Settings(
        database_url=database_url,
        keys=TEST_KEY,
        twilio_numbers=numbers,
        contracts=contracts or folders.essex(),
    )
    networks = {"sms": sms, "telegram": telegram, "whatsapp": whatsapp}
    demo = Demo(networks, clock)
    # How long a test may stand still on a busy machine is not what is tested here.
    house = build(settings, clock=clock, channels=networks, demo=demo, stands_still=60)
    house.db.info.clear()  # reports are made here; in a process apart: tests/reports/test_apart.py
    world = World(house, sms, telegram)
    try:
        if is_known:
            world.duty, world.lead, world.worker = [
                await world.known(name) for name in ("dilys", "leonie", "wasim")
            ]
            yield world
            return
        if is_empty:
            yield world
            return
        world.duty = await world.hire("Dilys", Role.WORKER, DUTY_PHONE)
        world.lead = await world.hire("Leonie", Role.LEAD, LEAD_PHONE)
        world.worker = await world.hire("Wasim", Role.WORKER, WORKER_PHONE)
        await world.on_call(world.duty)
        await world.member("Carol Ashby", "FC1001", CARER)
        yield world
    finally:
        await house.inbox.stop()
        await house.db.close()


_hashes: list[str] = []


async def _password_hash() -> str:
    """PASSWORD's hash, made once: every world hires three."""
    if not _hashes:
        _hashes.append(await access.hashed(PASSWORD))
    return _hashes[0]


async def _case(session: object, number: str) -> Case:
    """The case of the conversation with this number."""
    found = await session.scalar(  # type: ignore[attr-defined]
        select(Case)
        .join(Conversation, Conversation.case_id == Case.id)
        .join(Address, Address.id == Conversation.address_id)
        .where(Address.value_index.in_(ring().indexes("address:sms", number)))
    )
    assert isinstance(found, Case), f"{number} has no case"
    return found
