"""What people said, in the report: counted, noughts printed, small numbers protected."""

from datetime import datetime, timedelta

from helpline.contract import Contract
from helpline.db import Database
from helpline.models import Case, Complaint, Compliment, FeedbackAsk, Person
from helpline.reports.figures import figures
from helpline.rules.periods import period

QUARTER = "2026-27-Q1"


async def some_voices(db: Database, now: datetime) -> None:
    """Seven complaints about a worker, two about time; ten people asked, six of them answered."""
    at = now - timedelta(days=10)
    async with db.write() as session:
        for number in range(10):
            person = Person(contract="essex", group="foster_carer", created_at=at)
            session.add(person)
            await session.flush()
            case = Case(
                reference=f"ESX-{number}",
                contract="essex",
                person_id=person.id or 0,
                group="foster_carer",
                quadrant="north",
                method="sms",
                status="closed",
                opened_at=at,
                closed_at=at,
                outcome="support_completed" if number else None,
            )
            session.add(case)
            await session.flush()
            session.add(
                FeedbackAsk(
                    contract="essex",
                    person_id=person.id or 0,
                    case_id=case.id,
                    why="closing",
                    asked_at=at,
                    open_until=at,
                    score=5 if number < 6 else None,
                )
            )
            if number < 9:
                session.add(
                    Complaint(
                        reference=f"C-{number}",
                        contract="essex",
                        kind="service",
                        subject="worker" if number < 7 else "response_time",
                        complainant="carer",
                        method="sms",
                        words="x",
                        received_at=at,
                        logged_at=at,
                        stage_since=at,
                        outcome="upheld" if number < 5 else None,
                        action="apology" if number < 5 else None,
                    )
                )
        session.add(
            Compliment(
                contract="essex",
                at=at,
                method="sms",
                subject="worker",
                giver="carer",
                words="x",
                logged_at=at,
            )
        )


async def test_what_was_said_is_counted_and_noughts_are_printed(
    db: Database, essex: Contract, now: datetime
) -> None:
    await some_voices(db, now)
    async with db.read() as session:
        exact = await figures(session, essex, period(QUARTER, 8), now, exact=True)
        shown = await figures(session, essex, period(QUARTER, 8), now, exact=False)
    values = {cell.key: cell for cell in exact.cells}
    assert values["complaints", ()].value == 9
    assert values["complaints", (("subject", "worker"),)].value == 7
    assert values["complaints", (("subject", "council"),)].value == 0
    assert values["complaints", (("finding", "upheld"),)].value == 5
    assert values["complaints", (("finding", "waiting"),)].value == 4
    assert values["complaints", (("action", "apology"),)].value == 5
    assert values["compliments", ()].value == 1
    feedback = values["feedback", ()]
    assert (feedback.value, feedback.denominator, feedback.percent) == (6, 10, 60.0)
    assert values["feedback", (("quadrant", "north"),)].value == 6
    assert values["feedback", (("quadrant", "south"),)].value == 0
    assert values["outcomes", ()].value == 10
    assert values["outcomes", (("outcome", "unknown"),)].value == 1
    ends = [c for c in exact.cells if c.measure == "outcomes" and c.by and c.by[0][0] == "outcome"]
    assert sum(c.value or 0 for c in ends) == 10
    hidden = {cell.key: cell.hidden for cell in shown.cells}
    assert hidden["complaints", (("subject", "response_time"),)]
    assert hidden["complaints", (("subject", "worker"),)] or hidden["complaints", ()]
    assert hidden["complaints", (("finding", "waiting"),)]
    assert hidden["compliments", ()]
    protected = next(cell for cell in shown.cells if cell.key == ("feedback", ()))
    assert protected.percent is None  # of ten people only
