"""The `helpline` command. Each command reads the clock once, opens the transaction, prints plain
sentences. Exit status 0 done, 1 did not work (one sentence on standard error), 2 wrong usage.

Imports what a command needs inside that command: `helpline triage` must not wait for a web server.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from helpline import cli_copies, cli_start, cli_trust
from helpline.clock import Clock
from helpline.errors import HelplineError, InvalidInput
from helpline.settings import Settings, read_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from helpline.contract import Contract
    from helpline.reports.report import Report

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
user_app = typer.Typer(no_args_is_help=True, help="Who may sign in.")
import_app = typer.Typer(no_args_is_help=True, help="Bring in lists and past logs.")
report_app = typer.Typer(no_args_is_help=True, help="Make the reports a contract asks for.")
app.add_typer(user_app, name="user")
app.add_typer(import_app, name="import")
app.add_typer(report_app, name="report")
cli_copies.add_to(app, reads=lambda work: _read(work), writes=lambda work: _write(work))
cli_start.add_to(app)
cli_trust.add_to(app, reads=lambda work: _read(work), writes=lambda work: _write(work))

ContractKey = Annotated[str, typer.Option("--contract", help="A contract's key: its file's name.")]

WordTemplate = Annotated[
    Path | None, typer.Option(help="With --format docx: the council's own Word template.")
]


class Format(StrEnum):
    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    DOCX = "docx"
    CSV = "csv"
    JSON = "json"


def app_entry() -> None:
    """The console script: a failure is one sentence, never a traceback to a person."""
    try:
        check_commands(app)
        app()
    except HelplineError as error:
        _fail(str(error))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(1)
    except Exception as error:
        from sqlalchemy.exc import SQLAlchemyError

        from helpline.log import where

        if isinstance(error, SQLAlchemyError):
            _fail(
                "The database did not answer as expected. Is HELPLINE_DATABASE_URL right, and has "
                f"`helpline migrate` been run? ({where(error)})"
            )
        if type(error).__name__ == "CannotOpen":
            _fail(f"What is kept in {error} does not open: `helpline keys check` says why.")
        _fail(f"Something went wrong that should not have ({where(error)}). Nothing was changed.")


def check_commands(group: typer.Typer) -> None:
    """InvalidInput when a command has no line in rules/permissions.COMMANDS: then none runs."""
    from helpline.rules.permissions import undeclared

    if missing := undeclared(_commands(group)):
        raise InvalidInput(
            f"“{', '.join(missing)}” does not say what it needs: "
            "give it a line in COMMANDS of rules/permissions.py."
        )


def _commands(group: typer.Typer, path: str = "") -> Iterator[str]:
    for one in group.registered_commands:
        name = one.name or getattr(one.callback, "__name__", "").replace("_", "-")
        yield f"{path}{name}"
    for below in group.registered_groups:
        if below.typer_instance is not None:
            yield from _commands(below.typer_instance, f"{path}{below.name} ")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes any free port.", min=0, max=65535)] = 8080,
) -> None:
    """Run the helpline until told to stop."""
    from helpline import log, main

    log.set_up()
    settings = read_settings()
    house = main.build(settings)
    _say(f"Serving {settings.public_url} from {host}:{port} …")
    asyncio.run(_serve(main, house, host, port))


async def _serve(main: Any, house: Any, host: str, port: int) -> None:
    """Run it, and once it answers say what is still to be set up."""
    saying: list[asyncio.Task[None]] = []  # held, or it could be swept away half done

    def ready(port: int) -> None:
        _say(f"Ready on {host}:{port}.")
        saying.append(asyncio.get_running_loop().create_task(cli_start.say_at_start(house, _say)))

    await main.serve(house, host, port, ready)


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535)] = 8080,
    fresh: Annotated[bool, typer.Option(help="Throw the demo's database away first.")] = False,
) -> None:
    """Serve the demo: invented people, simulated phones, no account anywhere."""
    from helpline import log, main, seed, seed_portal

    log.set_up()
    settings = _invented(Path("var/demo"), f"http://{host}:{port}", fresh)
    house = seed_portal.since_lately(main.demo_house(settings), seed.CONTRACT)
    _say("Preparing the demo's database …")
    asyncio.run(_serve_demo(main, seed, house, host, port))


@app.command()
def practice(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535)] = 8080,
    fresh: Annotated[bool, typer.Option(help="Throw all learners and cases away first.")] = False,
) -> None:
    """Serve a helpline for new workers to practise on: invented people, nothing can leave."""
    from helpline import log, main, seed

    log.set_up()
    address = read_settings().practice_url or f"http://{host}:{port}"
    settings = _invented(Path("var/practice"), address, fresh)
    house = main.demo_house(settings, practice=seed.CONTRACT)
    _say("Preparing the practice helpline …")
    asyncio.run(_serve_practice(main, seed, house, host, port))


async def _serve_practice(main: Any, seed: Any, house: Any, host: str, port: int) -> None:
    from helpline.migrations import migrate

    await asyncio.to_thread(migrate, house.settings.database_url)
    await seed.sow_practice(house)
    await main.serve(
        house, host, port, lambda port: _say(f"Ready. Open http://{host}:{port}/practice.")
    )


def _invented(folder: Path, public_url: str, fresh: bool) -> Settings:
    """The settings of an invented helpline: a database and keys of its own below var/."""
    from helpline import seed
    from helpline.sealing import new_key

    folder.mkdir(parents=True, exist_ok=True)
    database, key_file = folder / "helpline.db", folder / "key"
    if fresh:
        for path in folder.glob("helpline.db*"):
            path.unlink()
    if not key_file.exists() or not database.exists():
        database.unlink(missing_ok=True)  # sealed under a key that is gone: nobody can read it
        key_file.write_text(new_key())
        key_file.chmod(0o600)
    return read_settings(
        database_url=f"sqlite:///{database}",
        keys=key_file.read_text().strip(),
        public_url=public_url,
        second_factor="offered",  # nobody is real, and nobody has a telephone of their own here
        twilio_numbers=seed.NUMBERS,
        telegram_contract=seed.CONTRACT,
    )


async def _serve_demo(main: Any, seed: Any, house: Any, host: str, port: int) -> None:
    from helpline.migrations import migrate

    await asyncio.to_thread(migrate, house.settings.database_url)
    await seed.sow(house, say=_say)
    signing: list[asyncio.Task[None]] = []  # held, or it could be swept away half done

    def ready(port: int) -> None:
        signed = seed.seed_portal.sign(house, house.contracts[seed.CONTRACT])
        signing.append(asyncio.get_running_loop().create_task(signed))
        address = f"http://{host}:{port}"
        _say(f"\nReady. Open {address}/demo for the simulated phones,")
        _say(f"and {address}/ for the console. Sign in as {seed.SIGN_INS}.")
        _say("Stop with Ctrl-C.\n")

    await main.serve(house, host, port, ready)


@app.command()
def migrate() -> None:
    """Bring the database to this version's tables."""
    from helpline import migrations

    settings = read_settings()
    migrations.migrate(settings.database_url)
    _say("The database is up to date.")


@app.command()
def move(
    to: Annotated[str, typer.Option(help="postgresql://user:password@host/name, migrated, empty.")],
) -> None:
    """Copy this helpline from SQLite into PostgreSQL and compare every row."""
    from helpline.migrations.moving import move as move_everything

    def say(table: str, done: int, total: int) -> None:
        if done == total:
            _say(f"  {table}: {total:,}")
        elif sys.stderr.isatty():
            print(f"\r  {table}: {done:,} of {total:,}", end="\r", file=sys.stderr)

    _say("Moving every table, and comparing every row …")
    moved = move_everything(read_settings().database_url, to, Clock().now(), say)
    _say(f"Moved {moved:,} rows, each read back and the same. The old database is as it was.")
    _say("Now set HELPLINE_DATABASE_URL to the new one and start `helpline serve`.")


@app.command()
def check() -> None:
    """Read every contract and setting and name whatever is wrong, or in doubt."""
    from helpline.contract import ContractProblems, load_contracts, warnings

    settings = read_settings()
    try:
        contracts = load_contracts(settings.contracts)
    except ContractProblems as found:
        for problem in found.problems:
            print(problem, file=sys.stderr)
        raise InvalidInput(f"{len(found.problems)} to put right in the contracts.") from None
    today = Clock().now().date()
    for contract in contracts.values():
        doubts = warnings(contract, today)
        _say(f"{contract.key}: {contract.name}: sound, {len(doubts)} to look into.")
        for doubt in doubts:
            _say(f"  {doubt}")
    for line in cli_start.settings_in_force(settings, contracts):
        _say(line)
    for line in _unreachable(settings, contracts):
        _say(line)
    for line in _row_security(settings):
        _say(line)
    if not settings.key_list:
        _say("HELPLINE_KEYS is empty: `helpline serve` will not start. `helpline key` makes one.")
        return
    for line in cli_trust.key_warnings(settings):
        _say(line)


def _row_security(settings: Settings) -> Iterator[str]:
    """Whether PostgreSQL itself keeps contracts apart as well."""
    from sqlalchemy.exc import SQLAlchemyError

    from helpline.db import checked_url
    from helpline.migrations import policies

    url = checked_url(settings.database_url)
    if url.get_backend_name() != "postgresql":
        return
    try:
        stands = policies.stands(url)
    except SQLAlchemyError:
        yield "The database does not answer, so nobody knows whether row security stands."
        return
    if not stands:
        yield (
            "Row security does not stand: the database's user may not make a role, or `helpline "
            "migrate` has not been run. Pages ask by their own conditions alone. To have it, let "
            "a superuser run `helpline migrate` once."
        )


def _unreachable(settings: Settings, contracts: Iterable[str]) -> Iterator[str]:
    """The contracts that have no number or no address of their own, and what follows from it."""
    for key in contracts:
        if settings.twilio_account_sid and key not in settings.number_of:
            yield (
                f"{key}: no number in HELPLINE_TWILIO_NUMBERS: nobody can text or ring it, and its "
                "people are not texted; our own people are, from another number."
            )
        if settings.imap_url and not settings.mail_from(key):
            yield f"{key}: no address in HELPLINE_MAILBOXES: it neither gets nor sends letters."


@app.command()
def key() -> None:
    """Print a new key for HELPLINE_KEYS. Keep it outside the database and its backups."""
    from helpline.sealing import new_key

    print(new_key())


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Option(help="What they sign in with.")],
    role: Annotated[str, typer.Option(help="worker, lead, commissioner or admin.")],
    contract: Annotated[str, typer.Option(help="The one contract they see; empty: all.")] = "",
    shown_name: Annotated[str, typer.Option(help="What carers are told; default: the name.")] = "",
    mobile: Annotated[str, typer.Option(help="For alerts when on call.")] = "",
) -> None:
    """Add somebody. The password is read from standard input."""
    from helpline.desk import access, intake

    password = cli_start.asked_password()

    async def add(session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime) -> None:
        if contract and contract not in contracts:
            raise InvalidInput(_no_contract(contract, contracts))
        number = intake.canonical("sms", mobile) if mobile else None
        if number and not re.fullmatch(r"\+[1-9][0-9]{7,14}", number):
            raise InvalidInput(
                f"“{mobile[:30]}” is not a telephone number: write it like 07700 900123."
            )
        await access.add_user(
            session,
            name,
            role,
            contract or None,
            password,
            now,
            shown_name=shown_name or None,
            mobile=number,
        )

    _write(add)
    _say(f"{name} can sign in as {role}.")
    if role in ("admin", "lead"):
        _say(f"Next: sign in at {read_settings().public_url}/start, which says what is missing.")


@app.command()
def shift(
    name: Annotated[str, typer.Option(help="Who is on call, by sign-in name.")],
    contract: ContractKey,
    starts: Annotated[str, typer.Option("--from", help="ISO 8601 with zone.")],
    ends: Annotated[str, typer.Option("--to", help="ISO 8601 with zone.")],
    kind: Annotated[str, typer.Option("--as", help="primary, backup or manager.")] = "primary",
) -> None:
    """Put somebody on call."""
    from sqlalchemy import func, select
    from sqlmodel import col

    from helpline.desk.rota import plan
    from helpline.models import User
    from helpline.vocabulary import ShiftKind

    starts_at, ends_at = _instant(starts), _instant(ends)
    if kind not in list(ShiftKind):
        raise InvalidInput(f"There is no kind “{kind}”. There are: {', '.join(ShiftKind)}.")

    async def add(session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime) -> None:
        if contract not in contracts:
            raise InvalidInput(_no_contract(contract, contracts))
        user = await session.scalar(
            select(col(User.id)).where(func.lower(col(User.name)) == name.lower())
        )
        if user is None:
            raise InvalidInput(f"Nobody signs in as “{name}”.")
        wanted = plan.Wanted(user, ShiftKind(kind), starts_at, ends_at)
        await plan.put_on_call(session, contracts[contract], wanted, None, now)

    _write(add)
    _say(f"{name} is on call from {starts} to {ends}.")


@import_app.command("people")
def import_people(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    contract: ContractKey,
    dry_run: Annotated[bool, typer.Option(help="Check only; change nothing.")] = False,
) -> None:
    """The council's list of carers. Every bad row is named; with one, nothing is changed."""
    from helpline.desk import imports

    _import(imports.import_people, file, contract, dry_run)


@import_app.command("cases")
def import_cases(
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    contract: ContractKey,
    dry_run: Annotated[bool, typer.Option(help="Check only; change nothing.")] = False,
) -> None:
    """A past log of cases, so that the first report covers the whole quarter."""
    from helpline.desk import imports

    _import(imports.import_cases, file, contract, dry_run)


@import_app.command("figures")
def import_figures(
    file: Annotated[Path, typer.Argument(help="A CSV or Excel file.")],
    contract: ContractKey,
    dry_run: Annotated[bool, typer.Option(help="Check only; change nothing.")] = False,
) -> None:
    """Figures that were counted elsewhere, earlier quarters too, so that trends begin before us."""
    from helpline.desk import supplying

    _import(supplying.import_figures, file, contract, dry_run)


def _import(importer: Callable[..., Any], file: Path, key: str, dry_run: bool) -> None:
    content = _content(file)

    async def run(session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime) -> Any:
        if key not in contracts:
            raise InvalidInput(_no_contract(key, contracts))
        return await importer(
            session, contracts[key], content, now, dry_run=dry_run, progress=_progress
        )

    try:
        result = _write(run)
    except InvalidInput as error:
        for problem in getattr(error, "problems", ()):
            print(problem, file=sys.stderr)
        raise
    word = "would be" if dry_run else "were"
    counts = f"{result.changed} changed, {result.unchanged} left as they are"
    _say(f"{result.added} {word} added, {counts}.")


@report_app.command("quarter")
def report_quarter(
    contract: ContractKey,
    period: Annotated[str, typer.Option(help="Such as 2026-27-Q1.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.HTML,
    exact: Annotated[bool, typer.Option(help="Unprotected small numbers.")] = False,
    template: WordTemplate = None,
) -> None:
    """A quarter of the contract's own year."""
    _report(contract, period, "quarter", format, exact, output, template)


@report_app.command("annual")
def report_annual(
    contract: ContractKey,
    period: Annotated[str, typer.Option(help="Such as 2026-27.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.HTML,
    exact: Annotated[bool, typer.Option(help="Unprotected small numbers.")] = False,
    template: WordTemplate = None,
) -> None:
    """A whole contract year, counted anew and never summed from quarters."""
    _report(contract, period, "annual", format, exact, output, template)


@report_app.command("other")
def report_other(
    contract: ContractKey,
    code: Annotated[str, typer.Option(help="The report's code in the contract.")],
    period: Annotated[str, typer.Option(help="Such as 2026-M11, 2026-27-Q1, 2026-27-H1, 2026-27.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.HTML,
    exact: Annotated[bool, typer.Option(help="Unprotected small numbers.")] = False,
    template: WordTemplate = None,
) -> None:
    """Any report that the contract asks for, by its code."""
    _report(contract, period, code, format, exact, output, template)


@report_app.command("releases")
def report_releases(contract: ContractKey) -> None:
    """The reports on their way to the council, and those it has."""
    from helpline.reports import frozen

    async def run(
        session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime
    ) -> list[str]:
        if contract not in contracts:
            raise InvalidInput(_no_contract(contract, contracts))
        found = await frozen.releases(session, contracts[contract], only_out=False)
        return [
            f"{one.period}  {one.report}  number {one.number}  {one.state}"
            + (f" {one.signed_at:%Y-%m-%d}" if one.signed_at else "")
            for one in found
        ]

    for line in _read(run) or ["None yet."]:
        print(line)


@report_app.command("template")
def report_template(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
) -> None:
    """Our own Word template, for a council to begin its own from."""
    from helpline.reports.word_template import built_in

    try:
        output.write_bytes(built_in())
    except OSError as error:
        raise InvalidInput(f"Cannot write {output}: {error.strerror}.") from None
    _say(f"{output}: change it in Word, and give it with --template.")


def _report(
    key: str,
    label: str,
    code: str,
    format: Format,
    exact: bool,
    output: Path,
    template: Path | None,
) -> None:
    from helpline.desk import events, report_templates
    from helpline.reports import figures, render

    try:
        own = template.read_bytes() if template else None
    except OSError as error:
        raise InvalidInput(f"Cannot read {template}: {error.strerror}.") from None

    async def run(
        session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime
    ) -> "tuple[Report, bytes | None]":
        if key not in contracts:
            raise InvalidInput(_no_contract(key, contracts))
        contract = contracts[key]
        wanted = contract.period_of(contract.report(code), label)
        counted = await figures.figures(session, contract, wanted, now, exact, code)
        if template is None and format is Format.DOCX:
            return counted, await report_templates.templates_of(session, contract, code)
        return counted, own

    async def note(session: "AsyncSession", _: object, now: datetime) -> None:
        await events.record(
            session,
            "report.taken",
            now,
            contract=key,
            period=label,
            format=format.value,
            exact=True,
        )

    counted, set_in = _read(run)
    content = asyncio.run(render.rendered(counted, format.value, set_in))  # no connection is held
    if exact:
        _write(note)  # whoever holds the keys may; that they did is written down
    try:
        output.write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"Cannot write {output}: {error.strerror}.") from None
    _say(f"{output}: {label} of {key}, {len(content):,} bytes.")


@app.command()
def triage(
    text: Annotated[str | None, typer.Argument(help="A message.")] = None,
    jsonl: Annotated[bool, typer.Option(help="Lines of JSON in, lines of JSON out.")] = False,
    judged: Annotated[
        bool, typer.Option(help="How this reader reads what your workers judged; shows no words.")
    ] = False,
    contract: Annotated[str, typer.Option(help="Whose messages, with --judged.")] = "",
) -> None:
    """How urgent a message reads, and what it is about."""
    if judged:
        _say_judged(contract)
        return
    # Half a surrogate pair can be typed and written in JSON, but not printed.
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    if jsonl:
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")  # type: ignore[union-attr]
        for number, line in enumerate(sys.stdin, 1):
            if line.strip():
                print(json.dumps(_read_line(number, line), ensure_ascii=False))
    elif text is None:
        raise typer.BadParameter(
            "give a TEXT, or --jsonl with lines on standard input, or --judged --contract KEY"
        )
    else:
        print(json.dumps(_reading("", text, "sms"), ensure_ascii=False, indent=2))


def _say_judged(contract: str) -> None:
    from helpline.desk import readings

    async def run(
        session: "AsyncSession", contracts: dict[str, "Contract"], now: datetime
    ) -> "tuple[readings.Row, readings.Row]":
        if contract not in contracts:
            raise InvalidInput(_no_contract(contract, contracts))
        return await readings.again(session, contracts[contract])

    for row in _read(run):
        _say(f"{row.name}: {row.judged} judged messages")
        for what, share in (
            ("emergencies called so", row.found),
            ("… or urgent, or asked about danger", row.reached),
            ("urgent or worse called so", row.pressing),
            ("calm messages called emergency", row.alarms),
            ("right reason first", row.reasons),
        ):
            low, high = share.between
            rate = "none yet" if share.percent is None else f"{share.percent:.1f} %"
            _say(f"  {what:36} {rate}  ({low:.0f} to {high:.0f}; {share.part} of {share.whole})")


def _read_line(number: int, line: str) -> dict[str, object]:
    try:
        given = json.loads(line)
        text = given["text"]
        if not isinstance(text, str):
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InvalidInput(
            f'Line {number} is not like {{"id": "1", "text": "…", "channel": "sms"}}.'
        ) from None
    return _reading(given.get("id", ""), text, str(given.get("channel") or "sms"))


def _reading(id: object, text: str, channel: str) -> dict[str, object]:
    from helpline.rules import triage as rules

    reading = rules.read(text, channel=channel)
    return {
        "id": id,
        "urgency": reading.urgency,
        "category": reading.category,
        "categories": list(reading.categories),
        "ask_safety": reading.ask_safety,
        "why": reading.why,
    }


def _write(work: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
    """Run `work(session, contracts, now)` in one transaction on the configured database."""
    return asyncio.run(_on_database(read_settings(), work, Clock().now(), writing=True))


def _read(work: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
    """The same without writing: a long report must not hold up what comes in."""
    return asyncio.run(_on_database(read_settings(), work, Clock().now(), writing=False))


async def _on_database(
    settings: Settings,
    work: Callable[..., Coroutine[Any, Any, Any]],
    now: datetime,
    *,
    writing: bool,
) -> Any:
    from helpline import sealing
    from helpline.contract import load_contracts
    from helpline.db import Database
    from helpline.desk import in_force, keyring
    from helpline.migrations import is_current
    from helpline.templating import text_sources

    if not settings.key_list:
        raise InvalidInput("HELPLINE_KEYS is empty: nothing could be sealed or opened.")
    sealing.install(sealing.KeyRing(settings.key_list))
    contracts = load_contracts(settings.contracts)
    if not await asyncio.to_thread(is_current, settings.database_url):
        raise InvalidInput("The database is not up to date: run `helpline migrate` first.")
    db = Database(settings.database_url, stands_still=600)  # a long import thinks between rows
    try:
        async with db.write() if writing else db.read() as session:
            if writing:  # never beside what no key here opens
                await keyring.stand(session, now)
            held = await in_force.overlaid(session, contracts, text_sources(), now)
            return await work(session, {key: held[key].contract for key in held}, now)
    finally:
        await db.close()


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidInput(f"“{text}” is not a time like 2026-11-22T18:00+00:00.")
    return instant


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"Cannot read {file}: {error.strerror}.") from None


def _no_contract(key: str, contracts: Iterable[str]) -> str:
    return f"There is no contract “{key}”. There are: {', '.join(contracts)}."


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} of {total:,}", end="\n" if done == total else "", file=sys.stderr)


def _say(text: str) -> None:
    print(text, flush=True)


def _fail(text: str) -> None:
    print(f"helpline: {text}", file=sys.stderr)
    sys.exit(1)
