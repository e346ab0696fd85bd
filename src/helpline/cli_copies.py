"""The commands about copies: `helpline backup`, `restore`, `release` and `export contract`.

`add_to` is called by cli.py once, which also says how a command gets at the database. Sentences
here, everything else in helpline/backup and desk/leaving.
"""

import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from helpline.clock import Clock
from helpline.errors import InvalidInput
from helpline.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from helpline.contract import Contract
    from helpline.desk.leaving.export import Exported
    from helpline.rules.permissions import Actor

Work = Callable[..., Coroutine[Any, Any, Any]]
Act = Callable[[Work], Any]


class Messages(StrEnum):
    SEND = "send"
    THROW_AWAY = "throw-away"


def add_to(app: typer.Typer, *, reads: Act, writes: Act) -> None:
    """Register the commands. `reads` and `writes` run `work(session, contracts, now)` on the
    configured database."""
    app.command()(backup)
    app.command()(restore)
    export_app = typer.Typer(no_args_is_help=True, help="Take away what belongs to a council.")
    app.add_typer(export_app, name="export")

    @app.command()
    def release(
        messages: Annotated[Messages, typer.Option(help="What becomes of those to carers.")],
        contract: Annotated[str, typer.Option(help="Only this contract; empty: all.")] = "",
    ) -> None:
        """Let go what a restored copy was about to send, after a person has looked at it."""
        _release(writes, messages, contract)

    @export_app.command("contract")
    def export_contract(
        contract: Annotated[str, typer.Option("--contract", help="A contract's key.")],
        by: Annotated[str, typer.Option("--by", help="The lead who asked for it, by sign-in.")],
        output: Annotated[Path, typer.Option("-o", "--output", help="The ZIP to write.")],
    ) -> None:
        """Everything of one council, readable: rows, files, a page a case. Nothing of another's."""
        _export(reads, writes, contract, by, output)


def backup(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A file, or a folder that keeps several.")
    ],
    keep: Annotated[int, typer.Option(help="Of a folder: how many stay.", min=1)] = 7,
    verify: Annotated[bool, typer.Option(help="Restore it into a scratch database.")] = True,
) -> None:
    """Copy the whole database, encrypted, while the helpline runs."""
    from helpline.backup import folder, making, restoring

    settings = read_settings()
    backup_key, keys = _keys(settings)
    now, url = Clock().now(), settings.database_url
    if output.is_dir():
        if not verify:
            raise InvalidInput("In a folder every copy is read back: older ones go by it.")
        copied = folder.copy_into(output, url, backup_key, keys, now, _progress, keep)
        _say(
            f"{output / copied.name}: {copied.rows:,} rows, {copied.size:,} bytes, read back whole."
        )
        return
    manifest = making.make(url, output, backup_key, keys, now, _progress)
    if verify:
        restoring.verify(output, backup_key, keys, _progress, output.parent)
    state = "read back whole" if verify else "not read back yet"
    _say(f"{output}: {manifest.rows:,} rows, {output.stat().st_size:,} bytes, {state}.")


def restore(
    file: Annotated[Path, typer.Argument(help="A copy made by `helpline backup`.")],
    to: Annotated[str, typer.Option(help="The address of an empty database.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Only prove that it can be.")] = False,
) -> None:
    """Fill an empty database from a copy; nothing it was about to send leaves by itself."""
    from helpline.backup import restoring

    if bool(to) == check:
        raise typer.BadParameter("give either --to with a database, or --check")
    backup_key, keys = _keys(read_settings())
    if check:
        manifest = restoring.verify(file, backup_key, keys, _progress)
        _say(
            f"{file} can be restored: {manifest.rows:,} rows as of "
            f"{manifest.made_at:%Y-%m-%d %H:%M} UTC, version {manifest.begun.version}."
        )
        return
    back = restoring.restore(file, to, backup_key, keys, Clock().now(), _progress)
    held = back.held
    _say(f"Restored {back.manifest.rows:,} rows, each read back and the same, as of")
    _say(f"{back.manifest.made_at:%Y-%m-%d %H:%M} UTC. Everybody signs in anew.")
    _say(
        f"Held until a person lets it go: {held.messages:,} messages that were waiting when this "
        f"copy was made, {held.alerts:,} alerts, {held.deadlines:,} promises."
    )
    _say("Set HELPLINE_DATABASE_URL to it, start `helpline serve`, and look at /copies, or use")
    _say("`helpline release --messages send` (or throw-away).")


def _release(writes: Act, messages: Messages, contract: str) -> None:
    async def run(session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime) -> Any:
        from helpline.desk import restored

        wanted = [contract] if contract else list(contracts)
        _must_be_there(contract, contracts)
        return await restored.release(session, wanted, messages.replace("-", "_"), None, now)

    gone = writes(run)
    _say(f"{gone.sent:,} messages go out, {gone.thrown_away:,} were thrown away.")
    _say(f"{gone.alerts:,} alerts and {gone.deadlines:,} promises go on.")


def _export(reads: Act, writes: Act, contract: str, by: str, output: Path) -> None:
    async def run(
        session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime
    ) -> "Exported":
        from helpline.desk.leaving.export import export

        source = read_settings().contracts / f"{contract}.toml"
        return await export(session, contracts[contract], source, output, now)

    async def ask(session: "AsyncSession", contracts: dict[str, "Contract"], _: datetime) -> None:
        _must_be_there(contract, contracts)
        await _asker(session, by, contract)

    async def note(session: "AsyncSession", _: object, now: datetime) -> None:
        from helpline.desk import events

        asker = await _asker(session, by, contract)
        await events.record(
            session,
            "contract.exported",
            now,
            contract=contract,
            by=asker.user_id,
            cases=made.cases,
            files=made.files,
        )

    reads(ask)
    made = reads(run)
    try:
        writes(note)  # that it was taken stands in the trail, or it is not taken
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    _say(f"{output}: {made.cases:,} cases, {sum(made.rows.values()):,} rows, {made.files:,} files.")
    _say("It is readable by whoever has it: hand it over encrypted, and delete it here.")


async def _asker(session: "AsyncSession", name: str, contract: str) -> "Actor":
    """Whoever is named, if they may take a council's export."""
    from sqlalchemy import func, select
    from sqlmodel import col

    from helpline.models import User
    from helpline.rules.permissions import Actor, require
    from helpline.vocabulary import Role

    user = await session.scalar(
        select(User).where(func.lower(col(User.name)) == name.lower(), col(User.left_at).is_(None))
    )
    if user is None or user.id is None:
        raise InvalidInput(f"Nobody signs in as “{name}”.")
    actor = Actor(user.id, user.shown_name, Role(user.role), user.contract)
    require(actor, "contract.export", contract)
    return actor


def _must_be_there(contract: str, contracts: dict[str, "Contract"]) -> None:
    if contract and contract not in contracts:
        raise InvalidInput(f"There is no contract “{contract}”. There are: {', '.join(contracts)}.")


def _keys(settings: Settings) -> tuple[bytes, Sequence[bytes]]:
    if not settings.key_list:
        raise InvalidInput("HELPLINE_KEYS is empty: a copy is signed under the sealing key.")
    if not settings.backup_key:
        raise InvalidInput(
            "HELPLINE_BACKUP_KEY is empty: a copy is encrypted under a key of its own. `helpline "
            "key` makes one; keep it apart from the copies and from HELPLINE_KEYS."
        )
    return settings.backup_key_bytes, settings.key_list


def _progress(table: str, rows: int) -> None:
    if sys.stderr.isatty():
        print(f"\r  {table}: {rows:,}\033[K", end="", file=sys.stderr)


def _say(text: str) -> None:
    print(text, flush=True)
