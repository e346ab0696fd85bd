"""The council's list of carers and their families as the register that senders are matched with.

Called through desk/imports and by desk/register.py. A person is recognised by the list's own id;
taking in the same list again changes nothing. Nobody is removed: who left has a date in
approved_to, and a change of team or quadrant leaves the days before it as they were. It opens no
case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import eligibility, events, people
from helpline.desk.imports.difference import Change, Difference, compare, refuse_clashes
from helpline.desk.imports.listed import Listed
from helpline.desk.imports.reading import ImportResult, Progress, chunks
from helpline.desk.imports.register import ADDRESS, MEMBERSHIP, PERSON, Missing, Owner
from helpline.desk.people import plain_number
from helpline.models import Person
from helpline.sealing import ring
from helpline.vocabulary import Identity


async def import_people(
    session: AsyncSession,
    contract: Contract,
    rows: str | bytes,
    now: datetime,
    dry_run: bool,
    progress: Progress | None = None,
) -> ImportResult:
    """Take in the list, in the caller's transaction: new people added, changed ones brought up to
    it, the others left. Raises ImportProblems with every fault, before anything is written."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    difference = await compare(session, contract, rows, today, now, is_whole=False)
    refuse_clashes(difference)
    if not dry_run:
        await take_in(session, contract, difference, now, progress=progress)
    return ImportResult(len(difference.new), len(difference.changed), difference.unchanged)


async def take_in(
    session: AsyncSession,
    contract: Contract,
    difference: Difference,
    now: datetime,
    *,
    list_id: int | None = None,
    by: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write what differs, in the caller's transaction. Nothing is written where nothing does."""
    if difference.is_empty:
        return
    writing = Writing(session, contract, difference, now, list_id)
    await writing.all(progress)
    counts = {"added": len(difference.new), "changed": len(difference.changed)}
    counts |= {"left": len(difference.left), "unchanged": difference.unchanged}
    await events.record(session, "people.imported", now, contract=contract.key, by=by, **counts)


class Writing:
    """One taking in, or one portion of one: what every step of it needs."""

    def __init__(
        self,
        session: AsyncSession,
        contract: Contract,
        difference: Difference,
        now: datetime,
        list_id: int | None,
    ) -> None:
        self.session, self.contract, self.now = session, contract, now
        self.difference, self.list_id = difference, list_id

    async def all(self, progress: Progress | None) -> None:
        await self.give_up()  # numbers change hands: first what is given up, then what is taken
        await self.take(progress)
        await self.end(self.difference.left)

    async def give_up(self) -> None:
        """Who is here already becomes as the list has them, and loses what it does not have."""
        for change in self.difference.changed:
            await self._change(change)

    async def take(self, progress: Progress | None = None) -> None:
        """Who is new comes; and everybody gets the numbers and addresses that the list has."""
        new, changed = self.difference.new, self.difference.changed
        done, total = len(changed), len(new) + len(changed)
        for chunk in chunks(new):
            ids = await self._add(chunk)
            await self._give(list(zip(chunk, ids, strict=True)), self.difference.owners)
            done += len(chunk)
            if progress:
                progress(done, total)
        for portion in chunks(changed):
            holders = [(change.listed, change.stored.id) for change in portion]
            await self._give(holders, self.difference.owners)
        if progress and changed:
            progress(total, total)

    async def _change(self, change: Change) -> None:
        person, stored = change.listed, change.stored
        index = _household_index(self.contract, person)
        values = {**person.person, "household_index": index}
        await self.session.execute(update(PERSON).where(PERSON.c.id == stored.id).values(**values))
        if stored.membership_id is None:
            await self._begin(person, stored.id, None)
        elif change.begins is not None:
            await self._hold_until(stored.membership_id, change.begins, stored.membership)
            await self._begin(person, stored.id, change.begins)
        else:
            await self.session.execute(
                update(MEMBERSHIP)
                .where(MEMBERSHIP.c.id == stored.membership_id)
                .values(**person.membership)
            )
        gone = [id_ for address, id_ in stored.addresses.items() if address not in person.addresses]
        if gone:  # kept, as a conversation may hang on it; but it proves nobody's identity any more
            await self.session.execute(
                update(ADDRESS).where(ADDRESS.c.id.in_(gone)).values(from_register=False)
            )

    async def _begin(self, person: Listed, person_id: int, held_from: date | None) -> None:
        row = self._membership(person, person_id) | {"held_from": held_from}
        await self.session.execute(insert(MEMBERSHIP).values(row))

    async def _hold_until(
        self, membership_id: int, begins: date, before: Mapping[str, Any]
    ) -> None:
        """The row as it was ends the day before; one whose approval ended before has ended."""
        last = begins - timedelta(days=1)
        if before["approved_to"] is None or before["approved_to"] > last:
            await self.session.execute(
                update(MEMBERSHIP).where(MEMBERSHIP.c.id == membership_id).values(held_to=last)
            )

    async def end(self, left: Sequence[Missing]) -> None:
        for chunk in chunks(left):
            await self.session.execute(
                update(MEMBERSHIP)
                .where(MEMBERSHIP.c.id.in_([one.membership_id for one in chunk]))
                .values(approved_to=chunk[0].last_day)
            )

    async def _add(self, chunk: Sequence[Listed]) -> list[int]:
        place = f"register:{self.contract.key}"
        people = [
            {
                "young_person_born": None,
                **person.person,
                "household_index": _household_index(self.contract, person),
                "contract": self.contract.key,
                "register_id": person.row["person"],
                "register_index": ring().index(place, person.id),
                "created_at": self.now,
            }
            for person in chunk
        ]
        statement = insert(PERSON).returning(PERSON.c.id, sort_by_parameter_order=True)
        ids = list(await self.session.scalars(statement, people))
        rows = [self._membership(person, id_) for person, id_ in zip(chunk, ids, strict=True)]
        await self.session.execute(insert(MEMBERSHIP), rows)
        return ids

    def _membership(self, person: Listed, person_id: int) -> dict[str, Any]:
        return {
            **person.membership,
            "person_id": person_id,
            "contract": self.contract.key,
            "number_index": ring().index("membership", plain_number(person.id)),
            "list_id": self.list_id,
        }

    async def _give(
        self,
        holders: Sequence[tuple[Listed, int]],
        owners: Mapping[tuple[str, str], Owner],
    ) -> None:
        """Each address to its person: a new row, or the row an unknown sender has had until now."""
        new = []
        for person, person_id in holders:
            for channel, value in person.addresses:
                owner = owners.get((channel, value))
                if owner is None:
                    new.append(_address(self.contract, person_id, channel, value))
                elif owner.person_id != person_id and not owner.from_register:
                    await self._turns_out(owner, person_id, channel)
                elif owner.person_id != person_id or not owner.from_register:
                    await self.session.execute(
                        update(ADDRESS)
                        .where(ADDRESS.c.id == owner.address_id)
                        .values(person_id=person_id, from_register=True)
                    )
        if new:
            await self.session.execute(insert(ADDRESS), new)

    async def _turns_out(self, owner: Owner, person_id: int, channel: str) -> None:
        """Somebody wrote from there whom the list did not have, or who said to be somebody else:
        who they are is known now, and what they told us goes with them."""
        sender = await people.sender_at(self.session, owner.address_id)
        person = await self.session.get(Person, person_id)
        assert sender is not None
        assert person is not None
        case = sender.case if sender.case and sender.case.identity != Identity.KNOWN else None
        identity = Identity.CLAIMED if channel == "email" else Identity.KNOWN
        await people.identify(self.session, sender.address, case, person, self.now, identity)
        sender.address.from_register = True
        await self.session.flush()
        await eligibility.decide_cases_again(self.session, self.contract, person, None, self.now)


def _household_index(contract: Contract, person: Listed) -> str | None:
    if person.household is None:
        return None
    return ring().index(f"household:{contract.key}", person.household)


def _address(contract: Contract, person_id: int, channel: str, value: str) -> dict[str, Any]:
    return {
        "person_id": person_id,
        "contract": contract.key,
        "channel": channel,
        "value": value,
        "value_index": ring().index(f"address:{channel}", value),
        "from_register": True,
    }
