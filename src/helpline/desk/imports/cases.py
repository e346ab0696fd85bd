"""A provider's past log as cases, so that the first report covers the whole quarter.

Called through desk/imports. It makes what the helpline itself would have made: person, case,
contacts, both promises, support, one event. Nothing imported wakes anybody: no alert is due.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Clock, Contract
from helpline.desk.imports.checking import Checks
from helpline.desk.imports.past import COLUMNS, PastCase, understood
from helpline.desk.imports.reading import (
    ImportProblems,
    ImportResult,
    Problem,
    Progress,
    chunks,
    read_rows,
)
from helpline.desk.references import new_reference
from helpline.models import metadata
from helpline.sealing import ring
from helpline.vocabulary import (
    UNKNOWN,
    CaseStatus,
    ClockStart,
    ClockStop,
    ContactKind,
    DeadlineState,
    Direction,
    Identity,
)

CASE: Final = metadata.tables["case"]
CASE_SUPPORT: Final = metadata.tables["case_support"]
CONTACT: Final = metadata.tables["contact"]
DEADLINE: Final = metadata.tables["deadline"]
EVENT: Final = metadata.tables["event"]
PERSON: Final = metadata.tables["person"]
LOGGED: Final = (ClockStop.HUMAN_REPLY, ClockStop.REFERRAL_ANSWER, ClockStop.ALLOCATION)
Here = tuple[datetime, dict[str, datetime | None]]
"""Of a case that is here already: its receipt, and when each of its clocks was kept."""
_REFERENCE: Final = re.compile(r"[A-Z]{2,4}-[A-Z0-9]{4,8}")


async def import_cases(
    session: AsyncSession,
    contract: Contract,
    rows: str | bytes,
    now: datetime,
    dry_run: bool,
    progress: Progress | None = None,
) -> ImportResult:
    """Take in every case of the file that is not here yet, in the caller's transaction.

    A case is recognised by the file's own reference; one that was imported before is left as it
    is, and named in the result when its times in the file are not those that are stored: of the
    clocks that run for a case of the file's reason. Raises
    ImportProblems with every fault, before anything is written.
    """
    read, problems = read_rows(rows, COLUMNS, COLUMNS)
    checks = Checks(contract, now, problems)
    past = [case for row in read if (case := understood(checks, row)) is not None]
    if checks.problems:
        raise ImportProblems(checks.problems)
    here = await _imported_before(session, contract, past)
    new = [case for case in past if case.reference not in here]
    differing = tuple(
        Problem(case.line, None, "it was imported before with other times; it was left as it is.")
        for case in past
        if case.reference in here and _differs(contract, case, here[case.reference])
    )
    if not dry_run:
        await _store(session, contract, new, now, progress)
    return ImportResult(len(new), 0, len(past) - len(new), differing)


# --- what is here already ------------------------------------------------------------------------


async def _imported_before(
    session: AsyncSession, contract: Contract, past: Sequence[PastCase]
) -> dict[str, Here]:
    """The file's reference → the times stored for it, for those that were imported before."""
    found: dict[str, Here] = {}
    for chunk in chunks(past):
        keys = {key: case.reference for case in chunk for key in _import_keys(case.reference)}
        rows = await session.execute(
            select(CASE.c.import_key, CASE.c.opened_at, DEADLINE.c.clock, DEADLINE.c.met_at)
            .join(DEADLINE, DEADLINE.c.case_id == CASE.c.id)
            .where(CASE.c.contract == contract.key, CASE.c.import_key.in_(list(keys)))
            .order_by(DEADLINE.c.id)
        )
        for key, opened_at, clock, met_at in rows:
            _, met = found.setdefault(keys[key or ""], (opened_at, {}))
            met.setdefault(clock, met_at)
    return found


def _differs(contract: Contract, case: PastCase, here: Here) -> bool:
    opened_at, met = here
    return case.received_at != opened_at or any(
        case.met[clock.stops] != met[clock.code]
        for clock in _clocks(contract, case.reason)
        if clock.code in met  # else it was agreed after the import
    )


def _clocks(contract: Contract, reason: str) -> list[Clock]:
    """What the log can have kept or broken: the clocks from receipt that end with an answer or an
    allocation, and that run for a case of this reason."""
    return [
        clock
        for clock in contract.clocks
        if clock.starts is ClockStart.RECEIPT
        and clock.stops in LOGGED
        and clock.applies("standard", reason, contract.kind_for(reason))
    ]


def _import_keys(reference: str) -> list[str]:
    return ring().indexes("import", reference.upper())


# --- writing -------------------------------------------------------------------------------------


async def _store(
    session: AsyncSession,
    contract: Contract,
    past: Sequence[PastCase],
    now: datetime,
    progress: Progress | None,
) -> None:
    done = 0
    taken: set[str] = set()
    for chunk in chunks(past):
        people = await _people(session, contract, chunk, now)
        references = await _references(session, contract, chunk, taken)
        cases = [
            _case(contract, case, people[case.person.upper()], reference)
            for case, reference in zip(chunk, references, strict=True)
        ]
        ids = await _inserted(session, CASE, cases)
        made = list(zip(ids, cases, chunk, strict=True))
        await _insert(
            session,
            CONTACT,
            (
                row
                for id_, values, case in made
                for row in _contacts(contract, id_, values["person_id"], case, now)
            ),
        )
        await _insert(
            session,
            DEADLINE,
            (row for id_, _, case in made for row in _deadlines(contract, id_, case)),
        )
        await _insert(
            session,
            CASE_SUPPORT,
            (
                {"case_id": id_, "support": support, "at": case.closed_at or case.received_at}
                for id_, _, case in made
                for support in case.supports
            ),
        )
        await _insert(session, EVENT, (_event(contract, id_, case, now) for id_, _, case in made))
        done += len(chunk)
        if progress:
            progress(done, len(past))


async def _people(
    session: AsyncSession, contract: Contract, chunk: Sequence[PastCase], now: datetime
) -> dict[str, int]:
    """The person's id in capitals → our row, made where the register does not have them."""
    place = f"register:{contract.key}"
    wanted = {case.person.upper(): case for case in chunk}
    indexes = {index: id_ for id_ in wanted for index in ring().indexes(place, id_)}
    rows = await session.execute(
        select(PERSON.c.register_index, PERSON.c.id).where(
            PERSON.c.contract == contract.key, PERSON.c.register_index.in_(list(indexes))
        )
    )
    found = {indexes[index]: id_ for index, id_ in rows if index and id_ is not None}
    missing = [case for id_, case in wanted.items() if id_ not in found]
    made = await _inserted(
        session,
        PERSON,
        [
            {
                "contract": contract.key,
                "group": case.group,
                "language": "en",
                "register_id": case.person,
                "register_index": ring().index(place, case.person.upper()),
                "created_at": now,
            }
            for case in missing
        ],
    )
    return found | {case.person.upper(): id_ for case, id_ in zip(missing, made, strict=True)}


async def _references(
    session: AsyncSession, contract: Contract, chunk: Sequence[PastCase], taken: set[str]
) -> list[str]:
    """The file's reference where it has our shape and is free, else one of ours."""
    chosen = [
        case.reference if _REFERENCE.fullmatch(case.reference) else new_reference(contract)
        for case in chunk
    ]
    while True:
        known = select(CASE.c.reference).where(CASE.c.reference.in_(chosen))
        seen = {*await session.scalars(known), *taken}
        clashes = []
        for place, reference in enumerate(chosen):
            if reference in seen:
                clashes.append(place)
            seen.add(reference)
        if not clashes:
            taken.update(chosen)
            return chosen
        for place in clashes:
            chosen[place] = new_reference(contract)


def _case(contract: Contract, case: PastCase, person_id: int, reference: str) -> dict[str, Any]:
    due = [
        contract.plan(clock, case.received_at).due_at
        for clock in _clocks(contract, case.reason)
        if case.met[clock.stops] is None
    ]
    return {
        "reference": reference,
        "contract": contract.key,
        "person_id": person_id,
        "status": CaseStatus.CLOSED if case.is_closed else CaseStatus.OPEN,
        "identity": Identity.KNOWN,
        "urgency": "standard",
        "kind": contract.kind_for(case.reason),
        "reason": case.reason,
        "reason_from": "worker",
        "group": case.group,
        "quadrant": case.quadrant,
        "team": UNKNOWN,
        "method": case.method,
        "opened_at": case.received_at,
        "allocated_at": case.met[ClockStop.ALLOCATION],
        "closed_at": case.closed_at,
        "outcome": case.outcome,
        "next_due_at": None if case.is_closed else min(due, default=None),
        "last_in_at": case.received_at,
        "import_key": ring().index("import", case.reference.upper()),
        "imported_as": case.reference.upper(),
    }


def _contacts(
    contract: Contract, case_id: int, person_id: int, case: PastCase, now: datetime
) -> Iterator[dict[str, Any]]:
    """The log says how many there were, not when: all stand at the receipt."""
    row = {
        "contract": contract.key,
        "case_id": case_id,
        "person_id": person_id,
        "direction": Direction.IN,
        "kind": ContactKind.CALL if case.channel == "voice" else ContactKind.MESSAGE,
        "channel": case.channel,
        "method": case.method,
        "at": case.received_at,
        "written_at": now,
        "what": "imported",
    }
    return (row for _ in range(case.contacts))


def _deadlines(contract: Contract, case_id: int, case: PastCase) -> Iterator[dict[str, Any]]:
    for clock in _clocks(contract, case.reason):
        met_at = case.met[clock.stops]
        plan = contract.plan(clock, case.received_at)
        yield {
            "contract": contract.key,
            "case_id": case_id,
            "clock": clock.code,
            "starts": clock.starts,
            "stops": clock.stops,
            "started_at": case.received_at,
            "due_at": plan.due_at,
            "target_at": plan.target_at,
            "is_certain": plan.is_certain,
            "state": DeadlineState.OPEN if met_at is None else DeadlineState.MET,
            "met_at": met_at,
            "next_alert_at": None,
        }


def _event(contract: Contract, case_id: int, case: PastCase, now: datetime) -> dict[str, Any]:
    detail = {"line": case.line, "contacts": case.contacts, "reason": case.reason}
    return {
        "contract": contract.key,
        "case_id": case_id,
        "kind": "case.imported",
        "at": now,
        "detail": detail,
    }


async def _inserted(session: AsyncSession, table: Table, rows: list[dict[str, Any]]) -> list[int]:
    """Insert in one go and return the new ids in the order of the rows."""
    if not rows:
        return []
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(await session.scalars(statement, rows))


async def _insert(session: AsyncSession, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    if listed:
        await session.execute(insert(table), listed)
