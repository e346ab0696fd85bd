"""The commands about the audit trail and the keys: `helpline audit …` and `helpline keys …`.

Part of cli.py, which puts them in their place. Whoever can run these has the keys and the database
anyway; what they did is in the trail all the same.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from helpline.clock import Clock
from helpline.errors import InvalidInput
from helpline.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from helpline.desk.rekeying import Left
    from helpline.desk.verifying import Found

Act = Callable[[Callable[..., Coroutine[Any, Any, Any]]], Any]


@dataclass
class _Acts:
    """How cli.py runs `work(session, contracts, now)` on the configured database."""

    reads: Act
    writes: Act


audit_app = typer.Typer(no_args_is_help=True, help="The audit trail, and whether it is whole.")
keys_app = typer.Typer(no_args_is_help=True, help="The keys that seal, and changing them.")
_acts: _Acts


def add_to(app: typer.Typer, *, reads: Act, writes: Act) -> None:
    """Put the commands in their place."""
    global _acts  # commands are functions of a module; who runs them is known once, at import
    _acts = _Acts(reads, writes)
    app.add_typer(audit_app, name="audit")
    app.add_typer(keys_app, name="keys")


# --- the audit trail -----------------------------------------------------------------------------


@audit_app.command("verify")
def audit_verify(
    line: Annotated[
        str, typer.Option(help="A line that left this machine: the trail must still hold it.")
    ] = "",
) -> None:
    """Look through the whole audit trail and name the first line that is wrong."""
    from helpline.desk import verifying
    from helpline.desk.chaining_words import said

    async def run(session: "AsyncSession", _: object, now: datetime) -> "Found":
        return await verifying.look_through(session, line or None)

    clock = Clock()
    began = clock.seconds()
    found: Found = _acts.reads(run)

    async def note(session: "AsyncSession", _: object, now: datetime) -> None:
        await verifying.note(session, found, clock.seconds() - began, now)

    if _may_write():
        _acts.writes(note)
    if found.fault is not None:
        raise InvalidInput(said(found))
    print(said(found))
    if found.lines:
        print(found.anchor)


def _may_write() -> bool:
    """A copy on a disk that takes no writing can be looked through as well."""
    url = read_settings().database_url
    return not url.startswith("sqlite:///") or os.access(url.removeprefix("sqlite:///"), os.W_OK)


@audit_app.command("export")
def audit_export(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
) -> None:
    """The audit trail as lines of JSON, with the digests that prove them."""
    from helpline.desk import events, verifying

    async def run(session: "AsyncSession", _: object, now: datetime) -> int:
        count = 0
        with output.open("w", encoding="utf-8") as file:
            async for row in verifying.lines(session):
                file.write(json.dumps(row) + "\n")
                count += 1
        return count

    try:
        count = _acts.reads(run)
    except OSError as error:
        raise InvalidInput(f"Cannot write {output}: {error.strerror}.") from None

    async def note(session: "AsyncSession", _: object, now: datetime) -> None:
        await events.record(session, "audit.exported", now, count=count)

    _acts.writes(note)
    print(f"{output}: {count:,} lines.")


@audit_app.command("accept")
def audit_accept(
    to: Annotated[int, typer.Option(help="The last event that was written without proof.")],
) -> None:
    """After a rollback: lines that an older version wrote without proof belong to the trail."""
    from helpline.desk import chaining

    async def run(session: "AsyncSession", _: object, now: datetime) -> int:
        return await chaining.accept(session, to, now)

    print(f"{_acts.writes(run):,} lines without proof are accepted, and this is in the trail.")


# --- the keys ------------------------------------------------------------------------------------


@keys_app.command("new")
def keys_new() -> None:
    """Make a key and say, step by step, how to change to it."""
    import base64

    from helpline.sealing import fingerprint, new_key

    made = new_key()
    mark = fingerprint(base64.urlsafe_b64decode(made + "=")).hex()
    print(made)
    print(
        f"""
The line above is the key; its fingerprint is {mark}. To change to it:
1. Write the key down in two places, neither of them this machine's disk alone, neither of them
   beside the database or its copies. Whoever loses every copy can never read anything again.
2. With several processes: HELPLINE_KEYS=OLD,NEW everywhere, each process started anew.
3. HELPLINE_KEYS=NEW,OLD everywhere, each process started anew.
4. `helpline keys rotate`, while it runs. It says when nothing is left under the old key.
5. HELPLINE_KEYS=NEW everywhere. Keep OLD as long as copies of the database made under it are kept.
""",
        file=sys.stderr,
    )


@keys_app.command("rotate")
def keys_rotate() -> None:
    """While it runs: everything sealed anew under the first of HELPLINE_KEYS, with a proof."""
    from helpline.desk import rekeying

    left: Left = asyncio.run(_on_running(lambda db: rekeying.rotate(db, Clock(), _progress)))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(f"{left.done:,} values were made anew under {left.first}.")
    for line in _odd(left):
        print(line)
    if not left.is_nothing:
        raise InvalidInput(" ".join(_remaining(left)))
    print("Nothing is left under any other key. Take the old one out of HELPLINE_KEYS everywhere.")


@keys_app.command("check")
def keys_check(
    copy: Annotated[
        Path | None, typer.Option(help="A file with a second copy of the key that seals.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Open every value there is, not only the newest.")
    ] = False,
) -> None:
    """How much each key holds, and whether anything cannot be opened."""
    from helpline.desk import keyring, rekeying
    from helpline.sealing import ring

    mark = _mark_in(copy) if copy else None

    async def run(session: "AsyncSession", _: object, now: datetime) -> tuple[Any, ...]:
        broken = await rekeying.cannot_open(session, None if everything else 50)
        known = await keyring.rows(session)
        return await keyring.counted(session), await rekeying.left(session, now), broken, known

    counts, left, broken, known = _acts.reads(run)
    for one in [*ring().marks, *sorted(left.lost)]:
        role = "this one seals" if one == left.first else "opens only"
        print(_key_line(one, counts, known, "lost: not here" if one in left.lost else role))
    for line in _odd(left):
        print(line)
    if copy:
        _note_copy(mark, left.first, copy)
    if left.lost:
        raise InvalidInput(keyring.lost_words(left.lost))
    if broken:
        where = ", ".join(f"{count} in {place}" for place, count in broken.items())
        raise InvalidInput(
            f"Values that do not open although their key is here: {where}. Somebody altered or "
            "moved them: look at the audit trail, and restore them from a copy."
        )
    if left.sealed:
        print("Under an older key there is still something: `helpline keys rotate` moves it.")
    print("Everything that was looked at opens.")


def _key_line(mark: str, counts: dict[str, dict[str, int]], known: Any, role: str) -> str:
    total = sum(one.get(mark, 0) for one in counts.values())
    row = next((one for one in known if one.mark == mark), None)
    copied = row.copy_seen_at if row else None
    words = [f"{mark}: {total:,} values", role]
    if total:
        words.append(
            f"a second copy was shown on {copied:%d %B %Y}"
            if copied
            else "no second copy of it was ever shown to `helpline keys check --copy FILE`"
        )
    return ", ".join(words) + "."


def _note_copy(mark: str | None, first: str, copy: Path) -> None:
    from helpline.desk import keyring

    if mark != first:
        raise InvalidInput(f"{copy} holds the key {mark}, not {first}, which seals now.")

    async def note(session: "AsyncSession", _: object, now: datetime) -> None:
        await keyring.copy_seen(session, first, now)

    _acts.writes(note)
    print(f"{copy} holds the key that seals. That it was shown today is written down.")


def _mark_in(copy: Path) -> str:
    """The fingerprint of the key in a file, whatever stands around it in a line of settings."""
    from helpline.sealing import fingerprint

    try:
        text = copy.read_text("utf-8").strip().removeprefix("HELPLINE_KEYS=")
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"Cannot read {copy} ({type(error).__name__}).") from None
    try:
        (key,) = read_settings(keys=text).key_list
    except (InvalidInput, ValueError):
        raise InvalidInput(f"{copy} does not hold one key of 32 bytes in base64url.") from None
    return fingerprint(key).hex()


def _odd(left: "Left") -> Iterator[str]:
    from helpline.desk.index_sources import MADE

    why = {f"{made.table}.{made.column}": made.why_odd for made in MADE}
    for place, count in left.odd.items():
        yield f"{count:,} of {place} cannot be made anew: {why[place]}."


def _remaining(left: "Left") -> Iterator[str]:
    from helpline.desk import keyring

    if left.lost:
        yield keyring.lost_words(left.lost)
    elif left.sealed:
        where = ", ".join(
            f"{sum(counts.values()):,} in {place}" for place, counts in left.sealed.items()
        )
        yield f"Still under an older key: {where}. Run `helpline keys rotate` again."
    if left.codes_until is not None:
        yield (
            "A code that was read out to somebody is still good under the old key until "
            f"{left.codes_until:%H:%M} UTC: run `helpline keys rotate` again after that."
        )


def key_warnings(settings: Settings) -> Iterator[str]:
    """What `helpline check` says of the keys: before one is lost, not after. The database may not
    be there yet."""
    from sqlalchemy.exc import SQLAlchemyError

    from helpline.desk import keyring
    from helpline.sealing import KeyRing

    async def known(session: "AsyncSession", _: object, now: datetime) -> Any:
        return await keyring.rows(session)

    first, *others = KeyRing(settings.key_list).marks
    yield f"HELPLINE_KEYS: {first} seals" + (f"; {', '.join(others)} open." if others else ".")
    try:
        rows = _acts.reads(known) if _is_there(settings.database_url) else []
    except (InvalidInput, SQLAlchemyError):  # not migrated, or it does not answer: serve says it
        rows = []
    if lost := {row.mark for row in rows if row.retired_at is None} - {first, *others}:
        yield f"  {keyring.lost_words(lost)}"
    copies = {row.mark: row.copy_seen_at for row in rows}
    if copies.get(first) is None:
        yield (
            f"  There may be only this one copy of {first}. If it is lost, nobody can ever read "
            "what is kept here, neither you nor we. Keep a second one elsewhere, and show it once: "
            "`helpline keys check --copy FILE`."
        )


def _is_there(url: str) -> bool:
    """Asking must not make an empty file."""
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


# --- private -------------------------------------------------------------------------------------


def _progress(what: str, done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{what}: {done:,}", end="", file=sys.stderr)


async def _on_running(work: Any) -> Any:
    """With a database of this ring, for what opens its own transactions."""
    from helpline import sealing
    from helpline.db import Database
    from helpline.migrations import is_current

    settings = read_settings()
    if not settings.key_list:
        raise InvalidInput("HELPLINE_KEYS is empty: nothing could be sealed or opened.")
    sealing.install(sealing.KeyRing(settings.key_list))
    if not await asyncio.to_thread(is_current, settings.database_url):
        raise InvalidInput("The database is not up to date: run `helpline migrate` first.")
    db = Database(settings.database_url, stands_still=600)
    try:
        return await work(db)
    finally:
        await db.close()
