"""A house in this process over a fresh database, for what needs no second process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.simulator import Simulator
from helpline.clock import MovableClock
from helpline.desk.house import Demo, House
from helpline.main import build
from helpline.settings import Settings
from tests import folders
from tests.bench.load import OUR_NUMBER
from tests.keys import TEST_KEY


@asynccontextmanager
async def house(database_url: str) -> AsyncIterator[House]:
    """A whole helpline without its loops; messages out go to a simulated network."""
    clock = MovableClock()
    networks = {"sms": Simulator("sms", allow=True)}
    settings = Settings(
        database_url=database_url,
        keys=TEST_KEY,
        twilio_numbers=f"essex={OUR_NUMBER}",
        contracts=folders.essex(),
    )
    built = build(settings, clock=clock, channels=networks, demo=Demo(networks, clock))
    try:
        yield built
    finally:
        await built.inbox.stop()
        await built.db.close()
