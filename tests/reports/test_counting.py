"""Facts beside contacts and promises: each is counted when it happened, and by its own codes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from helpline.contract import Contract
from helpline.contract.measuring import COUNTED, Measure, Split, Target, wrong
from helpline.db import Database
from helpline.models import (
    Allegation,
    Case,
    Complaint,
    Deadline,
    EvidenceEntry,
    FeedbackAsk,
    Incident,
    Person,
    SuppliedFigure,
    User,
)
from helpline.reports import codes
from helpline.reports.counting import count
from helpline.reports.facts import Window
from tests.reports.test_figures import counted

START, END = datetime(2026, 7, 31, 23, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def measure(counts: str, **more: Any) -> Measure:
    return Measure(code=f"m.{counts}", name="x", question="x?", counts=counts, **more)  # type: ignore[arg-type]


async def numbers(
    db: Database, essex: Contract, now: datetime, *measures: Measure
) -> dict[tuple[str, ...], int]:
    """Measure and codes → number, of everything that is not nought."""
    window = Window(START, END, now, essex.zone)
    async with db.read() as session:
        found = await count(session, "essex", measures, window, codes.printed(essex))
    return {(code, *(code for _, code in by)): n for (code, by), n in found.numbers.items() if n}


async def a_case(db: Database, opened: datetime, **more: Any) -> tuple[int, int]:
    async with db.write() as session:
        person = Person(contract="essex", group="foster_carer", created_at=opened)
        session.add(person)
        await session.flush()
        case = Case(
            reference=f"ESX-{opened:%m%d%H}{person.id}",
            contract="essex",
            person_id=person.id or 0,
            group="foster_carer",
            quadrant="north",
            method="text",
            opened_at=opened,
            **more,
        )
        session.add(case)
        await session.flush()
        return case.id or 0, person.id or 0


async def test_what_was_open_at_the_end_is_not_what_was_opened(
    db: Database, essex: Contract, now: datetime
) -> None:
    before, within = START - timedelta(days=90), START + timedelta(days=9)
    await a_case(db, before)
    await a_case(db, before, status="closed", closed_at=before + timedelta(days=1))
    await a_case(db, within, status="closed", closed_at=END + timedelta(hours=1))
    await a_case(db, within, status="closed", closed_at=END - timedelta(hours=1))
    await a_case(db, END + timedelta(hours=1))
    found = await numbers(db, essex, now, measure("open"), measure("cases"), measure("closed"))
    assert found == {("m.open",): 2, ("m.cases",): 2, ("m.closed",): 1}


async def test_an_allegation_counts_when_we_knew_and_says_whether_it_is_the_first(
    db: Database, essex: Contract, now: datetime
) -> None:
    case_id, person_id = await a_case(db, START + timedelta(days=1))
    told = [START - timedelta(days=400), START + timedelta(days=1), START + timedelta(days=2)]
    async with db.write() as session:
        for number, at in enumerate((*told, START + timedelta(days=3))):
            session.add(
                Allegation(
                    contract="essex",
                    case_id=case_id,
                    person_id=person_id,
                    made_by="fostered_child" if number else "professional",
                    told_at=at,
                    aware_at=at,
                    recorded_at=at,
                    ended_at=at if number == 3 else None,  # written down by mistake
                )
            )
    cut = measure("allegations", by=("made_by", "repeated"), crossed=True)
    found = await numbers(db, essex, now, cut)
    assert found["m.allegations",] == 2
    assert found["m.allegations", "fostered_child", "yes"] == 2
    assert ("m.allegations", "no") not in found


async def test_evidence_and_incidents_count_by_their_day_and_kind(
    db: Database, essex: Contract, now: datetime
) -> None:
    kind, incident = essex.evidence[0].code, essex.incidents[0].code
    async with db.write() as session:
        user = User(name="lea", shown_name="Lea", role="lead", password_hash="x", created_at=START)
        session.add(user)
        await session.flush()
        by = {"by_user_id": user.id or 0, "contract": "essex", "written_at": START}
        for day in (date(2026, 7, 31), date(2026, 8, 1), date(2026, 10, 31), date(2026, 11, 1)):
            session.add(EvidenceEntry(kind=kind, day=day, what="x", **by))
        session.add(
            EvidenceEntry(kind=kind, day=date(2026, 8, 2), what="x", taken_back_at=START, **by)
        )
        session.add(
            Incident(
                reference="I-1",
                contract="essex",
                kind=incident,
                happened_at=START - timedelta(days=1),
                known_at=START,
                what="x",
                logged_at=START,
                logged_by_id=user.id or 0,
            )
        )
    shown = await numbers(
        db, essex, now, measure("evidence", by=("shown",)), measure("incidents", by=("incident",))
    )
    assert shown["m.evidence", kind] == shown["m.evidence",] == 2
    assert shown["m.incidents", incident] == 1


async def test_whoever_was_given_a_worker_after_the_end_had_none_at_the_end(
    db: Database, essex: Contract, now: datetime
) -> None:
    for hours in (-1, 1):
        await a_case(
            db, START + timedelta(days=1 + hours), allocated_at=END + timedelta(hours=hours)
        )
    found = await numbers(db, essex, now, measure("open", by=("allocated",)))
    assert found == {("m.open",): 2, ("m.open", "yes"): 1, ("m.open", "no"): 1}


async def test_whoever_is_out_of_the_contract_is_in_no_figure_but_their_own(
    db: Database, essex: Contract, now: datetime
) -> None:
    at = START + timedelta(days=2)
    for eligibility in ("out", None):
        case_id, person_id = await a_case(db, at, eligibility=eligibility)
        whose = {"contract": "essex", "case_id": case_id, "person_id": person_id}
        told = {"told_at": at, "aware_at": at, "recorded_at": at}
        async with db.write() as session:
            session.add(Allegation(**whose, **told))
            session.add(FeedbackAsk(**whose, why="closing", asked_at=at, open_until=at, score=4))
        at += timedelta(days=1)
    facts = [measure(one) for one in ("cases", "allegations", "feedback")]
    found = await numbers(db, essex, now, *facts)
    assert found == {("m.cases",): 1, ("m.allegations",): 1, ("m.feedback",): 1}


async def test_what_the_contract_no_longer_lists_counts_as_something_else(
    db: Database, essex: Contract, now: datetime
) -> None:
    case_id, _ = await a_case(db, START)
    async with db.write() as session:
        session.add(
            Deadline(
                contract="essex",
                case_id=case_id,
                clock="once_promised",
                stops="human_reply",
                started_at=START,
                due_at=END,
            )
        )
        session.add(
            Complaint(
                reference="C-1",
                contract="essex",
                kind="service",
                subject="once_a_subject",
                complainant="carer",
                method="letter",
                words="x",
                received_at=START,
                logged_at=START,
                stage_since=START,
            )
        )
    cut = [measure("promises", by=("clock",)), measure("complaints", by=("subject",))]
    found = await numbers(db, essex, now, *cut)
    assert found["m.promises", "other"] == found["m.complaints", "other"] == 1
    for name in ("shown", "incident", "praised", "excluded"):
        assert codes.printed(essex)[name][-1] == "other"


async def test_a_supplied_figure_says_whose_it_is_and_the_last_one_counts(
    db: Database, essex: Contract, now: datetime
) -> None:
    staff = measure("supplied", unit="percent", target=Target(at_least=95.0))
    report = essex.report("quarter")
    line = report.lines[0].model_copy(update={"measures": (staff.code,), "by": ((),)})
    asked = report.model_copy(update={"lines": (line,)})
    contract = essex.model_copy(update={"own_measures": (staff,), "reports": (asked,)})
    contract.__dict__.pop("measures", None)  # worked out once for each contract
    assert (await counted(db, contract, "2026-27-Q1", now)).cell(staff.code).value is None
    async with db.write() as session:
        for value in (90.0, 96.5):
            session.add(
                SuppliedFigure(
                    contract="essex",
                    period="2026-27-Q1",
                    measure=staff.code,
                    value=value,
                    source="The staff list",
                    given_at=now,
                )
            )
    cell = (await counted(db, contract, "2026-27-Q1", now, exact=False)).cell(staff.code)
    assert (cell.value, cell.source) == (96.5, "The staff list")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (measure("evidence", by=("quadrant",)), "cannot be cut or chosen by “quadrant”"),
        (measure("complaints", where={"method": ("x",)}), "cannot be cut or chosen"),
        (measure("complaints", takes="people"), "not known by person"),
        (measure("cases", takes="median"), "take no time"),
        (measure("cases", basis="month_end"), "as at month end"),
        (measure("cases", of=("luck",)), "“luck” is no measure"),
        (measure("feedback", by=("score",)), "choose what was answered"),
        (measure("supplied", target=Target(grade="Good", scale=("Bad",))), "not on the target"),
        (measure("cases", unit="grade"), "can only be supplied"),
    ],
)
def test_a_measure_that_cannot_be_counted_is_refused_with_the_reason(
    made: Measure, said: str
) -> None:
    assert any(said in one for one in wrong(made, frozenset({"people"})))


def test_every_measure_of_essex_fits_and_its_splits_add_up(essex: Contract) -> None:
    for one in essex.measures.values():
        assert not list(wrong(one, frozenset(essex.measures)))
        assert one.counts in COUNTED
    assert (
        Split(total="cases", parts=("allocation.met", "allocation.missed", "allocation.open"))
        in essex.splits
    )
