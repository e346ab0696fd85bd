"""Eight kills. While messages are posted without pause, the process is killed (-9) at random
moments and started again. At the end every message that was answered 2xx is in the database exactly
once and on a case. (That one which answers before it has stored is caught: test_losing.py.)

Two of the eight hit `helpline serve` itself; the others the same program forked from a
process that has already loaded it (tests/drills/server.py), because loading takes 1.3 s a start.
HELPLINE_TEST_SEED repeats a run; the seed is printed when it fails.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from helpline.desk.house import House
from helpline.desk.inbox import opened
from helpline.models import Case, Contact, InboundItem, OutMessage
from tests.drills.houses import (
    OUR_NUMBER,
    PUBLIC_URL,
    SMS_HOOK,
    carer,
    everything,
    opened_house,
)
from tests.drills.posting import Wire
from tests.drills.processes import Command, Forked, environment, free_port, starter
from tests.fakes.twilio import FakeTwilio, inbound_form, signed

KILLS_OF_THE_COMMAND, KILLS_OF_THE_FORK = 1, 3  # on each of the two databases
PEOPLE = 12
POSTERS, MOST_UNANSWERED = 4, 12
SEED = int(os.environ.get("HELPLINE_TEST_SEED") or random.SystemRandom().randrange(10**9))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


async def test_kill_after_kill_loses_nothing_that_was_answered(database_url: str) -> None:
    print(f"HELPLINE_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    port = free_port()
    async with FakeTwilio() as twilio, opened_house(database_url) as house:
        env = environment(database_url, twilio.url)
        async with starter(env, port) as forked, posted_to(port, chance) as ledger:
            for _ in range(KILLS_OF_THE_FORK):
                await live_and_die(forked, ledger, chance)
            for _ in range(KILLS_OF_THE_COMMAND):
                await live_and_die(Command(env, port), ledger, chance)
            ledger.is_over = True
            await forked.start()
            await ledger.all_answered()
            await until_routed(house)
            for _ in range(600):  # at the latest now an answer leaves
                if twilio.sent:
                    break
                await asyncio.sleep(0.1)
        await look_for_losses(house, ledger)
        await look_for_repeats(house, ledger)
        sent = Counter((message["to"], message["body"]) for message in twilio.sent)
        assert max(sent.values()) == 1, sent.most_common(3)


# --- living and dying ----------------------------------------------------------------------------


async def live_and_die(helpline: Command | Forked, ledger: "Ledger", chance: random.Random) -> None:
    """Start, live until a random few messages more are answered (or not even one), then die a
    random moment later: in the middle of keeping, routing or sending."""
    await helpline.start()
    enough = len(ledger.answered) + chance.choice([0, 1, 5, 20])
    for _ in range(500):
        if len(ledger.answered) >= enough:
            break
        await asyncio.sleep(0.005)
    await asyncio.sleep(chance.random() * 0.03)
    await helpline.kill()


async def until_routed(house: House, tries: int = 600) -> None:
    for _ in range(tries):
        if not await everything(house, InboundItem, InboundItem.state == "kept"):
            return
        await asyncio.sleep(0.2)
    pytest.fail("some items are still not routed")


# --- the other side ------------------------------------------------------------------------------


@dataclass
class Ledger:
    """What the provider's side knows: which messages it posted and which were answered 2xx."""

    chance: random.Random
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)  # id → sender, text
    answered: set[str] = field(default_factory=set)
    unanswered: list[str] = field(default_factory=list)
    others: Counter[int] = field(default_factory=Counter)  # answers that were not 2xx
    is_over: bool = False

    def next_message(self) -> str | None:
        """An unanswered one again (as a provider's second try), or a new one. While nobody listens
        there are few new ones."""
        must_wait = self.is_over or len(self.unanswered) >= MOST_UNANSWERED
        if self.unanswered and (must_wait or self.chance.random() < 0.5):
            return self.unanswered.pop(0)
        if self.is_over:
            return None
        number = len(self.texts)
        sid = f"SM{self.chance.getrandbits(128):032x}"
        self.texts[sid] = (carer(number % PEOPLE), f"message {number}")
        return sid

    async def all_answered(self, tries: int = 1200) -> None:
        for _ in range(tries):
            if len(self.answered) == len(self.texts):
                return
            await asyncio.sleep(0.05)
        pytest.fail(f"{len(self.answered)} of {len(self.texts)} messages were ever answered")


@asynccontextmanager
async def posted_to(port: int, chance: random.Random) -> AsyncIterator[Ledger]:
    """Messages are posted to this port for the length of a `with`, whoever listens there."""
    ledger = Ledger(random.Random(chance.random()))
    posters = [asyncio.create_task(post(ledger, port)) for _ in range(POSTERS)]
    try:
        yield ledger
    finally:
        for poster in posters:
            poster.cancel()
        await asyncio.gather(*posters, return_exceptions=True)
    assert not ledger.others, ledger.others


async def post(ledger: Ledger, port: int) -> None:
    async with Wire(f"http://127.0.0.1:{port}") as wire:
        while True:
            sid = ledger.next_message()
            if sid is not None:
                await post_one(ledger, wire, sid)
            await asyncio.sleep(ledger.chance.random() * 0.02)


async def post_one(ledger: Ledger, wire: Wire, sid: str) -> None:
    sender, text = ledger.texts[sid]
    form = inbound_form(sender, OUR_NUMBER, text, sid)
    headers, body = signed(PUBLIC_URL + SMS_HOOK, form)
    try:
        answer = await wire.post(SMS_HOOK, headers, body)
    except OSError:  # nobody there, or killed in the middle: perhaps kept, perhaps not
        ledger.unanswered.append(sid)
        return
    if answer.status == 200:
        ledger.answered.add(sid)
    else:
        ledger.others[answer.status] += 1


# --- the reckoning -------------------------------------------------------------------------------


async def lost(house: House, ledger: Ledger) -> set[str]:
    """What was answered 2xx and is not there."""
    answered = set(ledger.answered)  # before looking: more may be answered meanwhile
    return answered - {item.external_id for item in await everything(house, InboundItem)}


async def look_for_losses(house: House, ledger: Ledger) -> None:
    assert len(ledger.answered) > 25, "hardly anything was answered: this was no drill"
    missing = await lost(house, ledger)
    assert not missing, f"{len(missing)} of {len(ledger.answered)} answered messages are lost"
    items = {item.external_id: item for item in await everything(house, InboundItem)}
    cases = {case.id for case in await everything(house, Case)}
    contacts = {contact.id: contact for contact in await everything(house, Contact)}
    for sid in ledger.answered:
        item = items[sid]
        assert (item.state, item.attempts) == ("routed", 0), sid
        contact = contacts[item.contact_id]
        assert contact.case_id in cases
        assert (opened(item.sealed).sender, contact.body) == ledger.texts[sid]


async def look_for_repeats(house: House, ledger: Ledger) -> None:
    items = await everything(house, InboundItem)
    assert max(Counter(item.external_id for item in items).values()) == 1
    assert len(await everything(house, Case)) == PEOPLE
    contacts = await everything(house, Contact)
    heard = Counter(contact.body for contact in contacts if contact.direction == "in")
    assert set(heard.values()) == {1}
    assert len(heard) == len(items) == len(ledger.answered)
    provider_ids = [m.provider_id for m in await everything(house, OutMessage) if m.provider_id]
    assert len(provider_ids) == len(set(provider_ids))
