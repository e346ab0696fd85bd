"""Houses with the real bots, for drills: several on one database are several nodes. Twilio and
Telegram are the fakes on loopback or, where nothing is sent, an address that nobody answers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from helpline.clock import Clock, MovableClock
from helpline.desk.house import House
from helpline.main import build
from helpline.models import metadata
from helpline.settings import Settings
from helpline.web.app import make_app
from tests import folders
from tests.fakes import telegram, twilio
from tests.keys import TEST_KEY

PUBLIC_URL = "http://helpline.example"
"""What providers sign: the drills' servers stand behind an imagined proxy."""
SMS_HOOK, STATUS_HOOK, TELEGRAM_HOOK = "/hooks/sms", "/hooks/sms/status", "/hooks/telegram"
OUR_NUMBER = "+447700900000"
NOBODY = "http://127.0.0.1:9"  # the discard port: refuses at once
NIGHT = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)


def carer(number: int) -> str:
    """The telephone number of one of a hundred invented carers."""
    return f"+447700900{100 + number % 100}"


def settings_for(database_url: str, twilio_url: str = "", telegram_url: str = "") -> Settings:
    return Settings(
        database_url=database_url,
        public_url=PUBLIC_URL,
        keys=TEST_KEY,
        twilio_account_sid=twilio.ACCOUNT_SID,
        twilio_auth_token=twilio.AUTH_TOKEN,
        twilio_numbers=f"essex={OUR_NUMBER}",
        twilio_api_url=twilio_url or NOBODY,
        contracts=folders.essex(),
        telegram_token=telegram.TOKEN,
        telegram_secret=telegram.SECRET,
        telegram_api_url=telegram_url or NOBODY,
    )


@asynccontextmanager
async def opened_house(
    database_url: str,
    *,
    twilio_url: str = "",
    telegram_url: str = "",
    clock: Clock | None = None,
    lines: bool = True,
) -> AsyncIterator[House]:
    """One node. Its loops do not run: the drill calls route_all, deliver_all and watch. `lines`:
    whether it has telephone lines, for a fake that answers to texts only."""
    settings = settings_for(database_url, twilio_url, telegram_url)
    house = build(settings, clock=clock or MovableClock(frozen_at=NIGHT))
    if not lines:
        texts = {name: one for name, one in house.channels.items() if name != "voice"}
        house = replace(house, channels=texts)
    try:
        yield house
    finally:
        await house.inbox.stop()
        for channel in house.channels.values():
            await channel.close()
        await house.db.close()


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[str]:
    """The house's whole web application on a free port: its address."""
    runner = web.AppRunner(make_app(house), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


# --- what can be seen ----------------------------------------------------------------------------


async def everything(house: House, table: type, *where: Any) -> Sequence[Any]:
    """The rows of a table in the order of their ids."""
    async with house.db.read() as session:
        return (await session.scalars(select(table).where(*where).order_by(table.id))).all()  # type: ignore[attr-defined]


async def row_counts(house: House) -> dict[str, int]:
    """Table → rows, without the loops' own heartbeats."""
    async with house.db.read() as session:
        return {
            name: (await session.execute(select(func.count()).select_from(table))).scalar_one()
            for name, table in metadata.tables.items()
            if name != "job_run"
        }
