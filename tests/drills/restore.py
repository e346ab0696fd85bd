"""The drill of the copy: a helpline with very many cases is copied while it works, brought back
into the other database, and left alone. Run by `make restore` and, small, by
tests/backup/test_drill.py.

Every figure of its report must be the same afterwards, every loop must have run, and not one
message may have left; then a new emergency must be answered and ring. The twin that holds nothing
back must be caught, or the drill proves nothing.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import col

from helpline import log, sealing
from helpline.backup import holding, making, restoring
from helpline.channels import Inbound
from helpline.clock import MovableClock
from helpline.db import Database
from helpline.desk import restored
from helpline.desk.house import House
from helpline.engine.jobs import JOBS
from helpline.migrations import migrate
from helpline.models import Address, Case, Event, Shift, User, metadata
from helpline.rules.periods import period
from helpline.sealing import ring
from tests import databases
from tests.bench.quarter import NOW, _fill, essex
from tests.drills.houses import OUR_NUMBER, carer, opened_house
from tests.fakes.twilio import FakeTexts
from tests.keys import RAW_TEST_KEY

BACKUP_KEY = bytes(range(32))
DUTY = "+447700900901"
LATER = timedelta(hours=9)
"""After the copy was made the machine is gone for so long."""
WAITING = 60
PROMISES = 200


@dataclass
class Figures:
    """`sent_alone`: messages that left while nobody had let anything go; `different`: figures of
    the report that are not what they were. Both must be 0. `answered`: telephones reached after a
    new emergency came in; it must be some."""

    rows: int = 0
    cases: int = 0
    cells: int = 0
    different: int = 0
    held: holding.Held = field(default_factory=lambda: holding.Held(0, 0, 0))
    sent_alone: int = 0
    answered: int = 0
    released: int = 0
    bytes: int = 0
    copied_seconds: float = 0
    proved_seconds: float = 0
    restored_seconds: float = 0

    @property
    def is_kept(self) -> bool:
        return self.different == 0 and self.sent_alone == 0 and self.answered > 0


async def drill(
    source: str,
    target: str,
    folder: Path,
    cases: int,
    *,
    hold: bool = True,
    is_small: bool = False,
) -> Figures:
    """Fill `source`, copy it into `target` by way of a file, and see. Without `hold` nothing is
    held back, which must be noticed. `is_small`: without the report, which takes the longest."""
    found, copy = Figures(), folder / "drill.copy"
    await _fill(source, 4 * cases)
    await _wait(source)
    before = {} if is_small else await _report(source)
    began = time.perf_counter()
    writing = asyncio.create_task(_work_on(source))
    manifest = await asyncio.to_thread(
        making.make, source, copy, BACKUP_KEY, [RAW_TEST_KEY], NOW, _quiet
    )
    found.copied_seconds = time.perf_counter() - began
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    found.rows, found.bytes = manifest.rows, copy.stat().st_size
    began = time.perf_counter()
    await asyncio.to_thread(restoring.verify, copy, BACKUP_KEY, [RAW_TEST_KEY], _quiet, folder)
    found.proved_seconds = time.perf_counter() - began
    began = time.perf_counter()
    back = await asyncio.to_thread(
        restoring.restore, copy, target, BACKUP_KEY, [RAW_TEST_KEY], NOW + LATER, _quiet
    )
    found.restored_seconds, found.held = time.perf_counter() - began, back.held
    if not hold:
        await _let_all_go_unseen(target)
    after = {} if is_small else await _report(target)
    found.cells = len(before)
    found.different = sum(before[name] != after.get(name) for name in before)
    await _leave_alone(target, found, is_small)
    return found


async def _wait(url: str) -> None:
    """What waits in the copy: answers to carers, promises that are about to break, somebody on call
    who could be asked."""
    db, keys = Database(url), ring()
    async with db.write() as session:
        user = User(
            name="dilys",
            shown_name="Dilys",
            role="worker",
            password_hash="-",
            mobile=DUTY,
            mobile_index=keys.index("address:sms", DUTY),
            created_at=NOW,
        )
        session.add(user)
        await session.flush()
        shift = {"contract": "essex", "user_id": user.id, "kind": "primary"}
        starts, ends = NOW - timedelta(days=1), NOW + timedelta(days=40)
        await session.execute(insert(Shift), [shift | {"starts_at": starts, "ends_at": ends}])
        address = Address(
            person_id=1,
            contract="essex",
            channel="sms",
            value=carer(1),
            value_index=keys.index("address:sms", carer(1)),
        )
        session.add(address)
        await session.flush()
        out = {
            "contract": "essex",
            "address_id": address.id,
            "channel": "sms",
            "created_at": NOW,
            "next_try_at": NOW,
        }
        await session.execute(
            insert(metadata.tables["out_message"]),
            [
                out
                | {"recipient": carer(1), "body": f"Old answer {number}", "state": "queued"}
                | {"attempts": 0, "fence": 0, "choices": ""}
                for number in range(WAITING)
            ],
        )
        promise = {"contract": "essex", "clock": "first_response", "stops": "human_reply"}
        await session.execute(
            insert(metadata.tables["deadline"]),
            [
                promise
                | {"case_id": number % 20 + 1, "state": "open", "started_at": NOW}
                | {"due_at": NOW + timedelta(hours=1), "next_alert_at": NOW + timedelta(minutes=5)}
                for number in range(PROMISES)
            ],
        )
    async with db.read() as session:
        assert (await session.execute(select(func.count()).select_from(Case))).scalar_one()
    await db.close()


async def _work_on(url: str) -> None:
    """Somebody goes on working while the copy is made."""
    db = Database(url)
    try:
        while True:
            async with db.write() as session:
                session.add(Event(kind="case.read", at=NOW, contract="essex", case_id=1))
            await asyncio.sleep(0.01)
    finally:
        await db.close()


async def _report(url: str) -> dict[str, Any]:
    """Every figure of the quarter's report by its measure and cut."""
    from helpline.reports.figures import figures

    db = Database(url)
    async with db.read() as session:
        made = await figures(session, essex(), period("2026-27-Q1", 8), NOW, exact=True)
    await db.close()
    return {repr((cell.measure, cell.by)): (cell.value, cell.denominator) for cell in made.cells}


async def _let_all_go_unseen(url: str) -> None:
    """The broken twin: as if nothing had been held."""
    db = Database(url)
    async with db.write() as session:
        await restored.release(session, ["essex"], "send", None, NOW + LATER)
    await db.close()


async def _leave_alone(url: str, found: Figures, is_small: bool) -> None:
    clock = MovableClock(frozen_at=NOW + LATER)
    async with (
        FakeTexts() as twilio,
        opened_house(url, twilio_url=twilio.url, clock=clock, lines=False) as house,
    ):
        for _ in range(1 if is_small else 3):
            await _every_loop(house, is_small)
            clock.forward(timedelta(hours=2))
        found.sent_alone = len(twilio.sent)
        async with house.db.read() as session:
            found.cases = (await session.execute(select(func.count(col(Case.id))))).scalar_one()
        stranger = Inbound(
            "sms", "new", "+447700900456", OUR_NUMBER, "he has taken all his tablets"
        )
        await house.inbox.keep(stranger, clock.now())
        for _ in range(2):  # the first raises the alert, the second sends what it asks
            await _every_loop(house, True)
        reached = {message["to"] for message in twilio.sent[found.sent_alone :]}
        found.answered = len(reached & {"+447700900456", DUTY})
        already = len(twilio.sent)
        if await _is_held(house):
            async with house.db.write() as session:
                await restored.release(session, ["essex"], "send", None, clock.now())
            clock.forward(timedelta(minutes=2))
            for _ in range(2):
                await _every_loop(house, True)
        found.released = len(twilio.sent) - already


async def _every_loop(house: House, is_quick: bool) -> None:
    """What `helpline serve` does by itself, each loop once; those that a hold stops are left out as
    the engine does. `is_quick`: without the two that count and clear away, and so take long."""
    from helpline.engine.jobs import WAIT_FOR_RELEASE

    for job in JOBS:
        if is_quick and job.name in ("reporting", "tidy"):
            continue
        if job.name not in WAIT_FOR_RELEASE or not await _is_held(house):
            await job.run(house)


async def _is_held(house: House) -> bool:
    async with house.db.read() as session:
        return await restored.is_held(session)


def _quiet(table: str, rows: int) -> None:
    assert rows >= 0, table


def told(found: Figures) -> str:
    held = found.held
    return (
        f"  {found.cases:,} cases, {found.rows:,} rows, {found.bytes / 1e6:,.0f} MB: copied in "
        f"{found.copied_seconds:.0f} s, proved in {found.proved_seconds:.0f} s, restored in "
        f"{found.restored_seconds:.0f} s\n"
        f"  held: {held.messages:,} messages, {held.alerts:,} alerts, {held.deadlines:,} promises\n"
        f"  figures compared: {found.cells:,}, different: {found.different}\n"
        f"  left by itself: {found.sent_alone}; a new emergency reached {found.answered} of 2; "
        f"after letting go: {found.released}"
    )


async def _once(cases: int, kinds: tuple[str, str], server: str, *, hold: bool) -> Figures:
    with tempfile.TemporaryDirectory(prefix="helpline-drill-") as folder:
        urls = []
        for kind in kinds:
            if kind == "sqlite":
                urls.append(f"sqlite:///{folder}/{len(urls)}.db")
            else:
                urls.append(databases.new_postgres_database(server))
        migrate(urls[0])
        return await drill(urls[0], urls[1], Path(folder), cases, hold=hold, is_small=not hold)


def main() -> int:
    wanted = argparse.ArgumentParser(prog="restore", description=__doc__)
    wanted.add_argument("--cases", type=int, default=100_000)
    wanted.add_argument("--source", choices=(*databases.KINDS, "both"), default="both")
    asked = wanted.parse_args()
    log.set_up(logging.ERROR)
    sealing.install(sealing.KeyRing([RAW_TEST_KEY]))
    is_kept = True
    with databases.postgres_server() as server:
        for kinds in (databases.KINDS, databases.KINDS[::-1]):
            if asked.source not in (kinds[0], "both"):
                continue
            found = asyncio.run(_once(asked.cases, kinds, server, hold=True))
            print(f"restore: {' to '.join(kinds)}\n{told(found)}", flush=True)
            is_kept = is_kept and found.is_kept
        twin = asyncio.run(_once(200, ("sqlite", "sqlite"), server, hold=False))
    print(f"restore: the twin that holds nothing back sent {twin.sent_alone} by itself")
    is_kept = is_kept and not twin.is_kept
    print("restore: every promise kept" if is_kept else "restore: FAILED")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
