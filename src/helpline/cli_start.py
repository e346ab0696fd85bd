"""The first day on the command line: a password that is asked for twice, what `helpline serve` says
of a helpline that nobody can sign in to yet, and `helpline ready`.

Part of cli.py, which puts it in its place. It only reads.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from helpline.clock import Clock
from helpline.errors import InvalidInput
from helpline.settings import read_settings

if TYPE_CHECKING:
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
    from helpline.migrations import is_current

    if not await asyncio.to_thread(is_current, house.settings.database_url):
        raise InvalidInput("The database is not up to date: run `helpline migrate` first.")
    try:
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
