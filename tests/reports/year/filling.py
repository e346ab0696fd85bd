"""Writes a made year into the tables, a few thousand rows at a time.

It knows the tables and nothing of what is counted: what is asked of a table is not to be guessed
from here. Rows that a table must have and no figure looks at are filled with anything.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.db import Database
from helpline.models import metadata
from tests.reports.year.making import make
from tests.reports.year.record import Case, Record

CHUNK = 20_000
Row = dict[str, Any]


async def fill(
    where: AsyncSession | Database,
    contract: Contract,
    seed: int,
    contacts: int,
    first: date | None = None,
    now: datetime | None = None,
) -> Record:
    """Make a year of a contract in which so many contacts came in and count, and write it down.

    `first` is the year's first day, by itself that of 2026; `now` the moment at which it is looked
    at, by itself five hours after the year is over (Record.now). What is in the tables already
    stays: five contracts may be filled one after the other.
    """
    record = make(contract, seed, contacts, first or date(2026, contract.year_starts_month, 1), now)
    await write(where, contract, record)
    return record


async def write(where: AsyncSession | Database, contract: Contract, record: Record) -> None:
    """Write a record down."""
    if isinstance(where, Database):
        async with where.write() as session:
            await _Writing(session, contract, record).all()
    else:
        await _Writing(where, contract, record).all()


class _Writing:
    def __init__(self, session: AsyncSession, contract: Contract, record: Record) -> None:
        self.session, self.contract, self.record = session, contract, record
        self.begin = record.now - timedelta(days=900)
        self.before: dict[str, int] = {}  # table → the highest number that was there

    async def all(self) -> None:
        for name in ("user", "person", "case", "complaint", "incident"):
            ids = metadata.tables[name].c.id
            self.before[name] = await self.session.scalar(select(func.max(ids))) or 0
        self.user = self.before["user"] + 1
        for name, rows in (
            ("user", [self._user()]),
            *(("person", self._people()), ("merge", self._merges())),
            *(("case", self._cases()), ("case_support", self._supports())),
            *(("contact", self._contacts()), ("deadline", self._deadlines())),
            *(("feedback_ask", self._asked()), ("allegation", self._allegations())),
            *(("complaint", self._complaints()), ("compliment", self._compliments())),
            *(("incident", self._incidents()), ("evidence_entry", self._shown())),
            *(("supplied_figure", self._supplied()), ("population", self._listed())),
        ):
            await self._insert(name, rows)

    async def _insert(self, name: str, rows: Iterable[Row]) -> None:
        table, rows = metadata.tables[name], iter(rows)
        while some := list(islice(rows, CHUNK)):
            await self.session.execute(insert(table), some)
        if name in self.before and self.session.get_bind().dialect.name == "postgresql":
            # numbers that were given by hand are not given again
            await self.session.execute(
                text(
                    "SELECT setval(pg_get_serial_sequence(:name, 'id'),"
                    f' (SELECT coalesce(max(id), 1) FROM "{name}"))'
                ),
                {"name": f'"{name}"'},
            )

    # --- one table each ---------------------------------------------------------------------------

    def _person(self, who: int | None) -> int | None:
        return None if who is None else self.before["person"] + who

    def _case(self, case: Case | None) -> int | None:
        return None if case is None else self.before["case"] + case.number

    def _user(self) -> Row:
        name = f"year-{self.record.contract}-{self.user}"
        return {
            "id": self.user,
            "name": name,
            "shown_name": "Yara",
            "role": "lead",
            "password_hash": "x",
            "created_at": self.begin,
        }

    def _people(self) -> Iterator[Row]:
        for who, (group, _) in self.record.people.items():
            yield {
                "id": self._person(who),
                "contract": self.record.contract,
                "group": group,
                "created_at": self.begin,
            }
        for number in range(1, len(self.record.joined) + 1):
            yield {
                "id": self._second(number),
                "contract": self.record.contract,
                "group": "unknown",
                "created_at": self.begin,
            }

    def _second(self, number: int) -> int:
        """The second record of the `number`th person who had two."""
        return self.before["person"] + len(self.record.people) + number

    def _merges(self) -> Iterator[Row]:
        shared = {"contract": self.record.contract, "reason": "the same voice", "moved": {}}
        by = {"at": self.begin, "by_user_id": self.user}
        for number, who in enumerate(self.record.joined, 1):
            ids = {"into_id": self._person(who), "from_id": self._second(number)}
            yield shared | by | ids | {"undone_at": None, "undone_by_id": None}
        for into, other in self.record.parted:
            ids = {"into_id": self._person(into), "from_id": self._person(other)}
            yield shared | by | ids | {"undone_at": self.record.now, "undone_by_id": self.user}

    def _cases(self) -> Iterator[Row]:
        prefix = self.contract.reference_prefix
        for case in self.record.cases:
            yield {
                "id": self._case(case),
                "reference": f"{prefix}-{self._case(case):07}",
                "contract": self.record.contract,
                "person_id": self._person(case.who),
                "status": "closed" if case.closed else "open",
                "kind": case.kind,
                "reason": case.reason,
                "group": case.group,
                "quadrant": case.quadrant,
                "method": case.method,
                "opened_at": case.opened,
                "allocated_at": case.allocated,
                "worker_id": self.user if case.allocated else None,
                "closed_at": case.closed,
                "outcome": case.outcome,
                "eligibility": case.eligibility,
                "eligibility_reason": case.why_out,
            }

    def _supports(self) -> Iterator[Row]:
        for case in self.record.cases:
            for support in case.supports:
                yield {"case_id": self._case(case), "support": support, "at": case.opened}

    def _contacts(self) -> Iterator[Row]:
        for one in self.record.contacts:
            yield {
                "contract": self.record.contract,
                "case_id": self._case(one.case),
                "person_id": self._person(one.who),
                "direction": "in" if one.is_in else "out",
                "kind": one.kind,
                "channel": "sms",
                "method": one.method,
                "at": one.at,
                "written_at": one.written,
                "what": one.what,
            }

    def _deadlines(self) -> Iterator[Row]:
        for one in self.record.promises:
            yield {
                "contract": self.record.contract,
                "case_id": self._case(one.case),
                "clock": one.clock,
                "stops": "human_reply",
                "started_at": one.started,
                "due_at": one.due,
                "state": one.state,
                "met_at": one.met,
            }

    def _asked(self) -> Iterator[Row]:
        for number, one in enumerate(self.record.asked):
            yield {
                "contract": self.record.contract,
                "person_id": self._person(one.who),
                "case_id": self._case(one.case),
                "why": f"closing{number}",
                "channel": "sms",
                "asked_at": one.at,
                "open_until": one.at,
                "score": one.score,
                "answered_at": one.at if one.score else None,
            }

    def _allegations(self) -> Iterator[Row]:
        for one in self.record.allegations:
            yield {
                "contract": self.record.contract,
                "case_id": self._case(one.case),
                "person_id": self._person(one.who),
                "track": one.track,
                "made_by": one.made_by,
                "told_at": one.at,
                "aware_at": one.at,
                "recorded_at": one.at,
                "ended_at": self.record.now if one.is_mistake else None,
            }

    def _complaints(self) -> Iterator[Row]:
        for number, one in enumerate(self.record.complaints, self.before["complaint"] + 1):
            yield {
                "id": number,
                "reference": f"{self.contract.reference_prefix}-C{number}",
                "contract": self.record.contract,
                "kind": "service",
                "subject": one.subject,
                "complainant": "carer",
                "person_id": self._person(one.who),
                "about_case_id": self._case(one.case),
                "method": "telephone",
                "words": "x",
                "received_at": one.at,
                "logged_at": one.at,
                "stage_since": one.at,
                "outcome": one.outcome,
                "action": one.action,
            }

    def _compliments(self) -> Iterator[Row]:
        for one in self.record.compliments:
            yield {
                "contract": self.record.contract,
                "at": one.at,
                "method": "telephone",
                "subject": one.kind,
                "case_id": self._case(one.case),
                "giver": "carer",
                "words": "x",
                "logged_at": one.at,
            }

    def _incidents(self) -> Iterator[Row]:
        for number, one in enumerate(self.record.incidents, self.before["incident"] + 1):
            yield {
                "id": number,
                "reference": f"{self.contract.reference_prefix}-I{number}",
                "contract": self.record.contract,
                "kind": one.kind,
                "happened_at": one.at - timedelta(days=2),
                "known_at": one.at,
                "what": "x",
                "logged_at": one.at,
                "logged_by_id": self.user,
            }

    def _shown(self) -> Iterator[Row]:
        for one in self.record.shown:
            yield {
                "contract": self.record.contract,
                "kind": one.kind,
                "day": one.day,
                "what": "x",
                "written_at": self.record.now,
                "by_user_id": self.user,
                "taken_back_at": self.record.now if one.is_taken_back else None,
            }

    def _supplied(self) -> Iterator[Row]:
        for one in self.record.supplied:
            yield {
                "contract": self.record.contract,
                "period": one.period,
                "measure": one.measure,
                "by": ",".join(f"{name}={code}" for name, code in one.by),
                "value": one.value,
                "words": one.words,
                "source": one.source,
                "as_of": one.as_of,
                "given_at": self.record.now,
                "taken_back_at": self.record.now if one.is_taken_back else None,
            }

    def _listed(self) -> Iterator[Row]:
        for one in self.record.listed:
            yield {
                "contract": self.record.contract,
                "group": one.group,
                "quadrant": one.quadrant,
                "as_of": one.day,
                "count": one.count,
            }
