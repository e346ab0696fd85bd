"""The composition root: from settings to a running helpline. The only importer of bots.

Read top to bottom it says what runs. `build` makes a house out of settings; `serve` puts the web
and the engine into it and stays until told to stop, in an order that loses nothing: first no new
requests, then the loops finish their transaction, then the kept items are flushed, then the end.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web

from bots.email import Email
from bots.exchange import Exchange
from bots.simulator import Simulator
from bots.sms import Sms
from bots.telegram import Telegram
from bots.voice import Voice
from bots.webchat import own_pages
from bots.whatsapp import WhatsApp
from helpline import sealing
from helpline.channels import Channel
from helpline.clock import AgreedClock, Clock, MovableClock
from helpline.contract import Contract, load_contracts
from helpline.db import AWAY, STANDS_STILL, Database
from helpline.desk import in_force, keyring, rekeying
from helpline.desk.house import Demo, House, InForce, Wakes
from helpline.desk.inbox import Inbox
from helpline.engine.jobs import Engine
from helpline.engine.pulse import take_pulse
from helpline.errors import InvalidInput
from helpline.log import log, where
from helpline.migrations import is_current
from helpline.reports.apart import APART, Apart
from helpline.settings import Settings
from helpline.templating import Wording

PATIENCE = 30.0
"""Seconds that a node waits at its start for a PostgreSQL that does not answer yet."""


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    channels: Mapping[str, Channel] | None = None,
    demo: Demo | None = None,
    stands_still: float = STANDS_STILL,
) -> House:
    """A house ready to be served. `stands_still`: seconds that a transaction may do nothing before
    PostgreSQL ends it. InvalidInput when the settings do not make one: no keys, a
    contract that does not check, a number of a contract that is not there."""
    contracts = load_contracts(settings.contracts)
    _check(settings, contracts)
    sealing.install(sealing.KeyRing(settings.key_list))
    db, wakes = Database(settings.database_url, stands_still), Wakes()
    db.info[APART] = Apart(settings.database_url, settings.key_list)
    return House(
        settings=settings,
        db=db,
        contracts=contracts,
        clock=clock or (Clock() if db.is_sqlite else AgreedClock()),
        channels=own_pages() | dict(real_channels(settings) if channels is None else channels),
        inbox=Inbox(db, on_kept=wakes.routing.set),
        wording=Wording(),
        wakes=wakes,
        demo=demo,
        node=f"{os.uname().nodename}:{os.getpid()}",
        in_force=InForce(dict(contracts), contracts),
    )


def real_channels(settings: Settings) -> dict[str, Channel]:
    """The ways in and out that are configured, by name."""
    channels: list[Channel] = []
    if settings.twilio_account_sid:
        channels += [
            kind(
                settings.twilio_account_sid,
                settings.twilio_auth_token,
                api_url=settings.twilio_api_url,
                status_url=f"{settings.public_url}/hooks/sms/status",
            )
            for kind in (Sms, WhatsApp)  # one hook serves both
        ]
        channels.append(
            Voice(
                settings.twilio_account_sid,
                settings.twilio_auth_token,
                settings.public_url,
                api_url=settings.twilio_api_url,
            )
        )
    if settings.telegram_token:
        channels.append(
            Telegram(
                settings.telegram_token,
                settings.telegram_secret,
                api_url=settings.telegram_api_url,
            )
        )
    if settings.smtp_url:
        channels.append(Email(settings.smtp_url, settings.imap_url, settings.mail_addresses))
    return {channel.name: channel for channel in channels}


def demo_house(settings: Settings, practice: str = "") -> House:
    """The demo: simulated phones, a clock one can move, keys of its own. Refuses to stand beside
    real providers: the simulator cannot be switched on in production. `practice`: the contract on
    which new workers practise, with exercises instead of a past."""
    if settings.twilio_account_sid or settings.telegram_token or settings.smtp_url:
        raise InvalidInput(
            "The demo runs without real providers: unset HELPLINE_TWILIO_ACCOUNT_SID, "
            "HELPLINE_TELEGRAM_TOKEN and HELPLINE_SMTP_URL, or use `helpline serve`."
        )
    clock = MovableClock()
    phones = {name: Simulator(name, allow=True) for name in ("sms", "whatsapp", "telegram")}
    exchange = Exchange(allow=True)
    channels = phones | {exchange.name: exchange}
    return build(
        settings, clock=clock, channels=channels, demo=Demo(phones, clock, exchange, practice)
    )


async def serve(house: House, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Run web and engine until SIGTERM or SIGINT. `ready` is told the port once it answers."""
    if not await _is_current(house):
        raise InvalidInput("The database is not up to date: run `helpline migrate` first.")
    async with house.db.write() as session:
        if await keyring.stand(session, house.clock.now()):  # refuses where one is lost
            await rekeying.staff_first(session)
    await house.db.look_for_wall()
    await in_force.keep(house)  # before anybody is promised anything
    from helpline.web.app import make_app  # the pages are not needed by the other commands

    runner = web.AppRunner(make_app(house), access_log=None, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        number = error.errno or 0  # negative for a host name without an address
        reason = os.strerror(number) if number > 0 else error.strerror
        raise InvalidInput(
            f"Cannot listen on {host}:{port}: {reason}. --host and --port take others."
        ) from None
    engine = Engine(house)
    engine.start()
    house.wakes.routing.set()
    house.wakes.sending.set()
    served = runner.addresses[0][1]
    log().info("helpline.serving", port=served)
    ready(served)
    try:
        await _told_to_stop()
    finally:
        await runner.cleanup()
        await engine.stop()
        await house.inbox.stop()
        for channel in house.channels.values():
            await channel.close()
        if apart := house.db.info.get(APART):
            apart.close()
        await house.db.close()
        log().info("helpline.stopped")


async def _is_current(house: House) -> bool:
    """Whether the database has this version's tables; from here on this node lives by its clock.
    One that starts while PostgreSQL does just the same waits for it a little: whoever starts both
    cannot know which is first."""
    until = house.clock.seconds() + PATIENCE
    while True:
        try:
            if not await asyncio.to_thread(is_current, house.settings.database_url):
                return False
            await take_pulse(house, is_start=True)
            return True
        except AWAY as error:
            if house.db.is_sqlite or house.clock.seconds() > until:
                raise
            log().warning("helpline.waits_for_database", where=where(error))
            await asyncio.sleep(1)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop.set)
    await stop.wait()


def _check(settings: Settings, contracts: Mapping[str, Contract]) -> None:
    if not settings.key_list:
        raise InvalidInput(
            "HELPLINE_KEYS is empty: nothing could be sealed. Make a key with `helpline key`."
        )
    if not contracts:
        raise InvalidInput(f"There is no contract file in {Path(settings.contracts).name}/.")
    for number, key in settings.every_number.items():
        if key not in contracts:
            listed = "" if number in settings.numbers else "WHATSAPP_"
            raise InvalidInput(
                f"HELPLINE_TWILIO_{listed}NUMBERS gives …{number[-4:]} to a contract {key!r}, "
                f"which has no file. There are: {', '.join(contracts)}."
            )
    for address, key in settings.mailbox_contracts.items():
        if key not in contracts:
            raise InvalidInput(
                f"HELPLINE_MAILBOXES gives {address} to a contract {key!r}, which has no file. "
                f"There are: {', '.join(contracts)}."
            )
    _check_telegram(settings, contracts)
    if settings.imap_url and not settings.mailbox_contracts and len(contracts) > 1:
        raise InvalidInput(
            "HELPLINE_MAILBOXES must say whose mailbox it is: there are several contracts."
        )


def _check_telegram(settings: Settings, contracts: Mapping[str, Contract]) -> None:
    """One bot serves all contracts; who writes to it without saying for which is somebody's."""
    there = f"There are: {', '.join(contracts)}."
    if settings.telegram_contract and settings.telegram_contract not in contracts:
        raise InvalidInput(
            f"HELPLINE_TELEGRAM_CONTRACT names a contract {settings.telegram_contract!r}, which "
            f"has no file. {there}"
        )
    if settings.telegram_token and not settings.telegram_contract and len(contracts) > 1:
        raise InvalidInput(
            "HELPLINE_TELEGRAM_CONTRACT must say whose case it is when somebody writes to the bot "
            f"without saying for which contract. {there}"
        )
