"""A few weeks of a contract's life, made by chance: something of every kind that is counted, with
codes the contract has, codes it has not, and people in several places."""

import random
from datetime import date, datetime, timedelta
from typing import Any

from helpline.contract import Contract
from helpline.db import Database
from helpline.models import (
    Allegation,
    Case,
    CaseSupport,
    Complaint,
    Compliment,
    Contact,
    Deadline,
    EvidenceEntry,
    FeedbackAsk,
    Incident,
    Person,
    User,
)

CASES = 40


async def live(db: Database, contract: Contract, start: datetime, seed: int = 7) -> int:
    """`CASES` cases of twenty-five people, begun within sixty days of `start`, with all that hangs
    on cases and in the registers. Returns the id of a user who did it all."""
    life = _Life(contract, start, random.Random(seed))
    async with db.write() as session:
        user = User(
            name=f"by-{contract.key}",
            shown_name="By",
            role="lead",
            password_hash="x",
            created_at=start,
        )
        session.add(user)
        people = [Person(contract=contract.key, created_at=start) for _ in range(25)]
        session.add_all(people)
        await session.flush()
        cases = [life.case(number, people) for number in range(CASES)]
        session.add_all(cases)
        await session.flush()
        user_id = user.id or 0
        for number, case in enumerate(cases):
            session.add_all(life.on_case(number, case))
        for number in range(12):
            session.add_all(life.registers(number, user_id, cases[number]))
    return user_id


class _Life:
    def __init__(self, contract: Contract, start: datetime, chance: random.Random) -> None:
        self.contract, self.key, self.start, self.chance = contract, contract.key, start, chance

    def one(self, listed: Any, *more: str) -> str:
        return self.chance.choice([*(one.code for one in listed), *more])

    def at(self, days: float = 60) -> datetime:
        return self.start + timedelta(seconds=int(self.chance.random() * days * 86400))

    def case(self, number: int, people: list[Person]) -> Case:
        contract, opened = self.contract, self.at()
        is_closed = self.chance.random() < 0.5
        return Case(
            reference=f"{self.key[:3].upper()}-{number:04}",
            contract=self.key,
            person_id=self.chance.choice(people).id or 0,
            status="closed" if is_closed else "open",
            kind=self.chance.choice(("advice", "allegation", "referral")),
            reason=self.one(contract.reasons, "unknown", "no_such"),
            group=self.one(contract.groups, "unknown", "no_such"),
            quadrant=self.one(contract.quadrants, "unknown"),
            method=self.one(contract.methods, "pigeon"),
            opened_at=opened,
            closed_at=opened + timedelta(days=5) if is_closed else None,
            outcome=self.one(contract.outcomes, "unknown") if is_closed else None,
            eligibility=self.chance.choice(("in", "in", "unknown", "out", None)),
            eligibility_reason=self.one(contract.exclusions, "no_such"),
        )

    def on_case(self, number: int, case: Case) -> list[Any]:
        at, chance = case.opened_at, self.chance
        ids = {"contract": self.key, "case_id": case.id or 0, "person_id": case.person_id}
        found: list[Any] = [
            Contact(
                **ids,
                direction="in",
                kind=chance.choice(("message", "call", "automatic")),
                channel="sms",
                method=self.one(self.contract.methods, "pigeon"),
                at=at + timedelta(days=more),
                written_at=at,
            )
            for more in range(chance.choice((1, 1, 2, 6)))
        ]
        given = chance.sample([one.code for one in self.contract.support], k=number % 3)
        found += [CaseSupport(case_id=case.id or 0, support=one, at=at) for one in given]
        found += [self._deadline(clock.code, case) for clock in self.contract.reported_clocks]
        if number % 3 == 0:
            found.append(
                FeedbackAsk(
                    **ids,
                    why="closing",
                    asked_at=at,
                    open_until=at,
                    score=chance.choice((None, 1, 5)),
                )
            )
        if number % 5 == 0:
            found.append(
                Allegation(
                    **ids,
                    track=chance.choice(("allegation", "standards", "unknown")),
                    made_by=chance.choice(("fostered_child", "professional", "not_told")),
                    told_at=at,
                    aware_at=at,
                    recorded_at=at,
                )
            )
        return found

    def _deadline(self, clock: str, case: Case) -> Deadline:
        state = self.chance.choice(("open", "met", "met", "met", "cancelled"))
        took = timedelta(minutes=self.chance.randrange(4_000))
        return Deadline(
            contract=self.key,
            case_id=case.id,
            clock=clock,
            stops="human_reply",
            started_at=case.opened_at,
            due_at=case.opened_at + timedelta(hours=24),
            state=state,
            met_at=case.opened_at + took if state == "met" else None,
        )

    def registers(self, number: int, user_id: int, case: Case) -> list[Any]:
        contract, at = self.contract, self.at()
        given = contract.complaints
        found: list[Any] = [
            Compliment(
                contract=self.key,
                at=at,
                method="text",
                subject=self.one(given.compliments if given else (), "no_such"),
                giver="carer",
                case_id=case.id if number % 2 else None,
                words="x",
                logged_at=at,
            ),
            Complaint(
                reference=f"C-{self.key}-{number}",
                contract=self.key,
                kind="service",
                subject=self.one(given.subjects if given else (), "no_such"),
                complainant="carer",
                method="text",
                words="x",
                received_at=at,
                logged_at=at,
                stage_since=at,
                outcome=self.chance.choice((None, "upheld")),
                action=self.one(given.actions if given else (), "no_such"),
            ),
            Incident(
                reference=f"I-{self.key}-{number}",
                contract=self.key,
                kind=self.one(contract.incidents, "no_such"),
                happened_at=at,
                known_at=at,
                what="x",
                logged_at=at,
                logged_by_id=user_id,
            ),
            EvidenceEntry(
                contract=self.key,
                kind=self.one(contract.evidence, "no_such"),
                day=date(at.year, at.month, at.day),
                what="x",
                written_at=at,
                by_user_id=user_id,
                taken_back_at=at if number == 3 else None,
            ),
        ]
        return found
