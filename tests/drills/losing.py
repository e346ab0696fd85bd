"""The drill of losing nothing: signed webhooks at a steady pace, one listener that is killed with
-9 at random moments, a provider that never tries twice. Run by tests/drills/__main__.py
(`make drill`) and, smaller, by tests/drills/test_losing.py.

What was answered 200 must be stored when the dust settles; what was not must be found by the next
two looks of the reconciler; nothing may be there, or be sent, twice.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from helpline.clock import MovableClock
from helpline.desk.house import House
from helpline.engine.deliver import deliver_all
from helpline.engine.reconcile import reconcile
from helpline.engine.routing import route_all
from helpline.models import Contact, Event, InboundItem, OutMessage
from tests.drills.houses import OUR_NUMBER, PUBLIC_URL, SMS_HOOK, carer, everything, opened_house
from tests.drills.posting import Wire
from tests.drills.processes import Forked, environment, free_port, starter
from tests.fakes.twilio import FakeTexts, inbound_form, signed

ROUNDS = 2


@dataclass(frozen=True)
class Plan:
    """`pace`: webhooks a second. `is_hasty`: the twin that answers before it has stored."""

    messages: int
    kills: int
    seed: int
    pace: float = 100
    is_hasty: bool = False
    settles: bool = True
    """Whether to route and send everything in the end, which shows what is there twice."""


@dataclass
class Figures:
    """What the drill saw. The last five are promises: all of them 0."""

    sent: int = 0
    acknowledged: int = 0
    kills: int = 0
    seconds: float = 0
    found_while_running: int = 0  # by the looks of the helpline itself, between two kills
    missing_before: int = 0
    found: list[int] = field(default_factory=list)
    acknowledged_but_lost: int = 0
    never_stored: int = 0
    stored_twice: int = 0
    heard_twice: int = 0
    answered_twice: int = 0

    @property
    def is_kept(self) -> bool:
        return not any(
            (
                self.acknowledged_but_lost,
                self.never_stored,
                self.stored_twice,
                self.heard_twice,
                self.answered_twice,
            )
        )


async def drill(plan: Plan, url: str) -> Figures:
    """Run it on the migrated and empty database at `url`."""
    figures, chance = Figures(), random.Random(plan.seed)
    begun = time.perf_counter()
    async with FakeTexts() as twilio:
        flags = ("--hasty",) if plan.is_hasty else ()
        async with starter(environment(url, twilio.url), free_port(), *flags) as listener:
            await listener.start()
            killing = asyncio.create_task(_kill(listener, plan, chance, figures))
            acknowledged = await _post_all(twilio, listener.port, plan, figures)
            await killing
            await asyncio.sleep(0.5)  # what was answered just now may still be on its way to disk
            await listener.kill()
        clock = MovableClock()
        clock.forward(timedelta(minutes=2))
        async with opened_house(url, twilio_url=twilio.url, clock=clock) as house:
            await _judge(house, clock, twilio, acknowledged, plan, figures)
    figures.seconds = time.perf_counter() - begun
    return figures


async def _post_all(twilio: FakeTexts, port: int, plan: Plan, figures: Figures) -> set[str]:
    """Every message at its moment, whether anybody listens or not; the ids that heard 200."""
    acknowledged: set[str] = set()
    idle: list[Wire] = []

    async def post(number: int) -> None:
        sender, text = carer(number), f"message {number:05}"
        sid = twilio.receive(sender, OUR_NUMBER, text)
        headers, body = signed(PUBLIC_URL + SMS_HOOK, inbound_form(sender, OUR_NUMBER, text, sid))
        wire = idle.pop() if idle else Wire(f"http://127.0.0.1:{port}")
        try:
            answer = await wire.post(SMS_HOOK, headers, body)
        except (OSError, TimeoutError):  # refused, cut off, or silent: it is not tried again
            await wire.close()
            return
        if answer.status == 200:
            acknowledged.add(sid)
        idle.append(wire)

    posting = []
    for number in range(plan.messages):
        posting.append(asyncio.create_task(post(number)))
        await asyncio.sleep(1 / plan.pace)
    await asyncio.gather(*posting)
    await asyncio.gather(*(wire.close() for wire in idle))
    figures.sent, figures.acknowledged = plan.messages, len(acknowledged)
    return acknowledged


async def _kill(listener: Forked, plan: Plan, chance: random.Random, figures: Figures) -> None:
    """`plan.kills` times in the length of the drill: wait, kill, stay away, start again."""
    each = plan.messages / plan.pace / max(plan.kills, 1)
    for _ in range(plan.kills):
        up = each * chance.uniform(0.2, 0.9)
        await asyncio.sleep(up)
        await listener.kill()
        figures.kills += 1
        await asyncio.sleep(max(each - up, 0) * chance.random())
        await listener.start()


async def _judge(
    house: House,
    clock: MovableClock,
    twilio: FakeTexts,
    acknowledged: set[str],
    plan: Plan,
    figures: Figures,
) -> None:
    everybody = {message["sid"] for message in twilio.received}
    stored = await _stored(house)
    figures.acknowledged_but_lost = len(acknowledged - set(stored))
    figures.missing_before = len(everybody - set(stored))
    looks = await everything(house, Event, Event.kind == "items.reconciled")
    figures.found_while_running = sum(look.detail["count"] for look in looks)
    for _ in range(ROUNDS):
        figures.found.append(await reconcile(house))
        clock.forward(timedelta(minutes=1))
    stored = await _stored(house)
    figures.never_stored = len(everybody - set(stored))
    figures.stored_twice = len(stored) - len(set(stored))
    if not plan.settles:
        return
    for _ in range(8):  # what was being sent when it was killed is asked about after a minute
        await route_all(house)
        await deliver_all(house)
        clock.forward(timedelta(minutes=2))
    heard = Counter(c.body for c in await everything(house, Contact, Contact.direction == "in"))
    figures.never_stored += len(everybody) - len(heard)
    figures.heard_twice = sum(heard.values()) - len(heard)
    ours = Counter((m.recipient, m.body) for m in await everything(house, OutMessage))
    theirs = Counter((m["to"], m["body"]) for m in twilio.sent)
    figures.answered_twice = sum((theirs - ours).values())


async def _stored(house: House) -> Sequence[str]:
    return [item.external_id for item in await everything(house, InboundItem)]
