"""The first day on the command line: a password that is asked for twice, what `helpline serve` says
of a helpline that nobody can sign in to yet, `helpline ready`, and what `helpline check` says of
settings that people changed.

Part of cli.py, which puts it in its place. It only reads.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from helpline.clock import Clock
from helpline.errors import InvalidInput
from helpline.settings import Settings, read_settings

if TYPE_CHECKING:
    from helpline.contract import Contract
    from helpline.rules.readiness import Line

WHOLE = "the helpline as a whole"
MARKS = {"done": "done    ", "not_yet": "NOT YET ", "unseen": "look    ", "unused": "not used"}
FIRST = (
    "Nobody can sign in yet. In another window: helpline user add --name NAME --role admin "
    "(it asks for a password)."
)


def add_to(app: typer.Typer) -> None:
    """Put the command in its place."""
    app.command()(ready)


def asked_password() -> str:
    """One line of standard input; at a terminal it is asked for twice and not shown."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from getpass import getpass

    password = getpass("Password (at least 12 letters; three or four words do): ")
    if password != getpass("The same again: "):
        raise InvalidInput("The two are not the same. Nothing was changed.")
    return password


async def say_at_start(house: Any, say: Callable[[str], None]) -> None:
    """What is missing, once a helpline answers. A fault here must never stop it."""
    from helpline.log import log, where

    try:
        found = await _look(house)
    except Exception as error:
        log().warning("start.not_looked", where=where(error))
        return
    if found is None:
        say(FIRST)
        return
    missing = [
        (title, words)
        for worded in found.values()
        for line, title, words in worded
        if line.state == "not_yet"
    ]
    if missing:
        title, words = missing[0]
        say(f"{len(missing)} not yet. Next: {title}. {words}")
    say(f"The whole list: {house.settings.public_url}/start, or “helpline ready”.")


def ready() -> None:
    """Say what is still missing before the first carer writes; asks the providers too."""
    from helpline import main

    house = main.build(read_settings(), clock=Clock())
    found = asyncio.run(_ready(house))
    if found is None:
        raise InvalidInput(FIRST)
    missing = 0
    for part, worded in found.items():
        print(f"{part}:")
        for line, title, words in worded:
            print(f"  {MARKS[line.state]}  {title}: {words}")
            missing += line.state == "not_yet"
    if missing:
        raise InvalidInput(f"{missing} not yet. The first of them is what to do next.")
    print("You are live. A test message to yourself is on the page /start.")


async def _ready(house: Any) -> "dict[str, list[tuple[Line, str, str]]] | None":
    from helpline.desk import in_force
    from helpline.migrations import is_current

    if not await asyncio.to_thread(is_current, house.settings.database_url):
        raise InvalidInput("The database is not up to date: run `helpline migrate` first.")
    try:
        await in_force.keep(house)
        return await _look(house)
    finally:
        for channel in house.channels.values():
            await channel.close()
        await house.db.close()


async def _look(house: Any) -> "dict[str, list[tuple[Line, str, str]]] | None":
    """The helpline as a whole and each contract → its lines in words; None where nobody can sign
    in yet."""
    from helpline.desk import readiness, wiring
    from helpline.rules.readiness import HOUSE_WIDE

    answers = await wiring.ask(house.channels)
    now = house.clock.now()
    async with house.db.read() as session:
        if await readiness.is_empty(session):
            return None
        found: dict[str, list[tuple[Line, str, str]]] = {WHOLE: []}
        for key in sorted(house.contracts):
            contract = house.contracts[key]
            lines = await readiness.lines(
                session, house.settings, contract, frozenset(house.channels), answers, now
            )
            found[key] = []
            for line in lines:
                said = (line, *readiness.said(house.wording, line, contract.zone, now))
                if line.code not in HOUSE_WIDE:
                    found[key].append(said)
                elif said not in found[WHOLE]:
                    found[WHOLE].append(said)
    return found


def settings_in_force(settings: Settings, contracts: "Mapping[str, Contract]") -> list[str]:
    """What people changed of the contracts on the page of settings, for `helpline check`. Says
    nothing where there is no database yet: the files are what is checked."""
    from helpline.db import checked_url
    from helpline.migrations import is_current

    try:
        url = checked_url(settings.database_url)
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
            return []
        if not is_current(settings.database_url):
            return []
        return asyncio.run(_settings_in_force(settings, contracts))
    except Exception:  # whatever is wrong with the database, others of its lines say so
        return ["The database does not answer, so nobody knows which settings were changed."]


async def _settings_in_force(settings: Settings, contracts: "Mapping[str, Contract]") -> list[str]:
    from helpline.db import Database
    from helpline.desk import in_force
    from helpline.templating import text_sources

    db, said = Database(settings.database_url), list[str]()
    try:
        async with db.read() as session:
            found = await in_force.overlaid(session, contracts, text_sources(), Clock().now())
    finally:
        await db.close()
    for key, held in found.items():
        for change in held.laid:
            said.append(
                f"{key}: changed under /settings: {change.what}, since {change.valid_from}."
            )
        for change, why in held.left_out:
            said.append(f"{key}: left out, it fits the file no longer: {change.what}. {why}")
    return said
