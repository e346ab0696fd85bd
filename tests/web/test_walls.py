"""Each person through every route of the app: nobody is shown a case, its words or its people that
they must not know of, nor anything else of theirs, and nobody does anything to it. Routes come from
the route table, so a new page is walked without a line here; what a path leaves open is filled in,
and one with another gap in it fails."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import (
    allegations,
    cases,
    complaints,
    conflicts,
    feedback,
    gatherings,
    incidents,
    library,
    merging,
    parts,
)
from helpline.desk.rights import holds, sharing
from helpline.desk.rights import requests as rights
from helpline.engine.searching import read_for_search
from helpline.models import (
    Alert,
    Case,
    Compliment,
    DataRequest,
    FeedbackAsk,
    Handover,
    LegalHold,
    LibraryVersion,
    PartnerReferral,
    Person,
    PolicyProof,
    RetentionLine,
    RetentionRun,
)
from helpline.rules.permissions import ALLOWED, Actor
from helpline.vocabulary import Role
from helpline.web.app import ROUTES, Route
from helpline.web.middleware import PUBLIC, SIGNED
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, STRANGER, World

WORDS = "the lighthouse keeper says I pushed him"
SECRETS = ("lighthouse", "Carol", "Ashby", CARER, "07700 900123", STRANGER)
SAID = "the miller heard it"
"""What registers hold of her, which whoever hears complaints may read."""
FILLED = {
    "contract": ("essex",),
    "label": ("2026-27-Q1", "2026-27"),
    "id": ("1", "2"),
    "form": ("reply", "note"),
    "format": ("json",),
    "report": ("quarter",),
    "how": ("done", "agreement"),
    "request": ("1",),
    "need": ("1",),
    "cover": ("1",),
    "what": ("ladder",),
    "code": ("emergency",),
}
"""What stands in a path for what: ids as low as those of the first rows are."""
ASKED = {
    "/reports/{contract}/figure/{label}": tuple(
        f"?measure={code}"
        for code in (
            *("contacts", "people", "cases", "open_cases", "first_response.open", "allegations"),
            *("complaints", "compliments", "incidents", "feedback.asked", "outcomes"),
        )
    )
}
"""Pages that show nothing without a question."""
ELSEWHERE = re.compile(r"^/(live|static|demo|hooks|chat|contact)(/|$)|\.ics$")
"""Streams, files, the demo's phones, and the pages of the public site: tested where they are."""
ONES_OWN = re.compile(r"^/(account|logout|users)(/|$)")
"""What is posted there ends sign-ins, the walker's own among them."""
FOR_OFFICERS = ("/complaints/", "/incidents/", "/feedback/", "/compliments/")
OTHERS = ["amara", "nina", "lena", "quinn", "colin", "ada"]
"""The daughter's worker, one in conflict, a lead who took the daughter's side, the complaints
officer, the council's, the administrator."""


class Matter:
    """Carol's cases and her daughter's, a wall between; who works on which; who is shut out.
    `gaps`: what stands in the paths that lead to something of Carol's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.carers = self.daughters = ""
        self.registers: list[str] = []
        self.gaps: dict[str, dict[str, tuple[str, ...]]] = {}


async def name(world: World, reference: str, who: Actor) -> None:
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, reference)
        contract = world.house.contracts["essex"]
        await cases.allocate(
            session, contract, case, who.user_id, world.lead, world.now, wording=world.house.wording
        )


@pytest.fixture
async def matter(everybody: World) -> AsyncIterator[Matter]:
    world, it = everybody, Matter(everybody)
    amara = await world.hire("Amara", Role.WORKER)
    nina = await world.hire("Nina", Role.WORKER)
    lena = await world.hire("Lena", Role.LEAD)
    contract = world.house.contracts["essex"]
    await world.sms(CARER, WORDS)
    await world.sms(STRANGER, WORDS)  # it is her, from another telephone
    it.carers = (await world.case_of(CARER)).reference
    async with world.house.db.write() as session:
        case = await cases.find_case(session, world.lead, it.carers)
        part = await parts.write_down(
            session, contract, case, "Tess", "own_child", "own_child", world.lead, world.now
        )
        other = await parts.separate(
            session, contract, case, part.id or 0, "she said it", world.lead, world.now
        )
        it.daughters = other.reference
        for one in (case, await session.merge(await world.case_of(STRANGER))):
            await conflicts.declare(session, one, nina.user_id, "neighbours", world.lead, world.now)
        await cases.add_note(session, other, "fact", "I spoke to her", world.now, lena, world.now)
    await name(world, it.carers, world.worker)
    await name(world, it.daughters, amara)
    async with world.house.db.write() as session:
        await what_else_there_is(session, it, case)
    await read_for_search(world.house)
    yield it


async def what_else_there_is(session: AsyncSession, it: Matter, case: Case) -> None:
    """Everything that the registers and lists hold of Carol, and where it is found."""
    world, by, now = it.world, it.world.worker, it.world.now
    contract, case_id, person_id = world.house.contracts["essex"], case.id or 0, case.person_id
    into = await session.get(Person, person_id)
    other = await session.get(Person, (await world.case_of(STRANGER)).person_id)
    assert into is not None
    assert other is not None
    joined = await merging.merge(session, into, other, "the same voice", world.lead, now)
    alleged = allegations.Told(
        person_id=person_id,
        told_at=now,
        made_by="fostered_child",
        track="allegation",
        told_by="the carer",
    )
    await allegations.record(session, contract, case, alleged, by, now)
    told = {"kind": "service", "subject": "worker", "complainant": "carer", "words": SAID}
    for where in ({"about_case_id": case_id}, {"person_id": person_id}):
        said = complaints.Told(
            **told, **where, received_at=now, method="telephone", name="Mrs Wren"
        )  # type: ignore[arg-type]  # by name
        made = await complaints.log(session, contract, said, by, now)
        it.registers.append(made.reference)
    kind = contract.incidents[0].code
    happened = incidents.Told(kind, SAID, now, now, case=case)
    incident = await incidents.log(session, contract, happened, by, now)
    await feedback.record(session, contract, case, 2, SAID, False, by, now)
    of = {"contract": "essex", "person_id": person_id, "case_id": case_id}
    thanks = Compliment(
        **of, at=now, method="telephone", subject="other", giver="carer", words=SAID
    )
    thanks.logged_at = now
    draft = library.Draft(
        kind="policy", title="Complaints", body="words", code=next(iter(library.DOCUMENTS))
    )
    await library.add(session, contract, draft, world.lead, now)
    evening = gatherings.Plan(
        title="Evening",
        starts_at=now + timedelta(days=3),
        ends_at=now + timedelta(days=3, hours=2),
        place="Hall",
    )
    event = await gatherings.write(session, contract, evening, world.lead, now)
    booking = await gatherings.book(session, event, into, SAID, by, now, case_id)
    passing = Handover(contract="essex", at=now, from_id=world.duty.user_id, words=SAID)
    passing.to_id = by.user_id
    version_id = (await session.scalars(select(col(LibraryVersion.id)))).first()
    proof = PolicyProof(**of, key="k", document="complaints", why="asked", how="handed", at=now)
    proof.version_id = version_id or 0
    asked = PartnerReferral(**of, signpost="x", kind="counsellor", wanted=SAID, consent="agreed")
    asked.consent_at = asked.requested_at = now
    asked.requested_by_id = by.user_id
    alerts = [Alert(contract="essex", kind="breach", colour="red", raised_at=now) for _ in range(2)]
    for alert, reference in zip(alerts, (it.carers, incident.reference), strict=True):
        alert.key, alert.reference = f"walls:{reference}", reference
    alerts[0].case_id, alerts[1].incident_id = case_id, incident.id
    session.add_all([thanks, passing, proof, asked, *alerts])
    await session.flush()
    request, hold = await of_her_data(session, contract, case, into, by, now)
    ask_id = (await session.scalars(select(col(FeedbackAsk.id)))).one()
    it.gaps = {
        "/cases/": {"reference": (it.carers,)},
        "/complaints/": {"reference": tuple(it.registers)},
        "/incidents/": {"reference": (incident.reference,)},
        "/people/": {"id": (str(person_id),), "merge": (str(joined.id),)},
        "/alerts/": {"id": tuple(str(alert.id) for alert in alerts)},
        "/feedback/": {"id": (str(ask_id),)},
        "/compliments/": {"id": (str(thanks.id),)},
        "/events/{id}/bookings/": {"id": (str(event.id),), "booking": (str(booking.id),)},
        "/rota/handovers/": {"id": (str(passing.id),)},
        "/rights/{reference}": {"reference": (request.reference,), "form": ("pdf", "json")},
        "/rights/holds/": {"id": (str(hold.id),)},
    }
    it.registers += [incident.reference, request.reference]


async def of_her_data(
    session: AsyncSession, contract: Contract, case: Case, who: Person, by: Actor, now: datetime
) -> tuple[DataRequest, LegalHold]:
    """What she asked of what we keep, a hold, whom we told, and a list with her case on it."""
    told = rights.Told("access", SAID, "telephone", now)
    request = await rights.log(session, contract, who, told, by, now, case=case)
    lead = Actor(by.user_id, by.name, Role.LEAD, None)
    day = (now + timedelta(days=30)).date()
    hold = await holds.begin(session, case, "legal", SAID, day, True, lead, now)
    told_police = sharing.Told("police", SAID, SAID, "safeguarding", "not_yet", now)
    await sharing.disclose(session, contract, case, told_police, by, now)
    run = RetentionRun(contract="essex", month="2026-11", made_at=now, state="proposed")
    session.add(run)
    await session.flush()
    line = RetentionLine(run_id=run.id or 0, case_id=case.id or 0, rule="enquiry", due_on=day)
    session.add(line)
    await session.flush()
    return request, hold


def filled(path: str, gaps: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Every address that a path of the table stands for here."""
    found = [path + question for question in ASKED.get(path, ("",))]
    for gap, values in {**FILLED, **gaps}.items():
        if "{" + gap + "}" in path:
            found = [one.replace("{" + gap + "}", value) for one in found for value in values]
    assert not any("{" in one for one in found), f"say in FILLED what stands in {path}"
    return found


def gaps_of(it: Matter, path: str) -> dict[str, tuple[str, ...]] | None:
    """What leads to something of hers where the path has room for it; None for any other path."""
    for begins, gaps in it.gaps.items():
        if path.startswith(begins) and "{" in path:
            return gaps
    return None


def is_theirs(it: Matter, who: str, path: str) -> bool:
    """Whoever hears complaints reads the registers, and is asked about an incident."""
    of_incident = f"/alerts/{it.gaps['/alerts/']['id'][1]}/"
    return who == "quinn" and path.startswith((*FOR_OFFICERS, of_incident))


def hidden_from(it: Matter, who: str) -> tuple[str, ...]:
    if who == "quinn":  # a complaint names the case it arose on
        return SECRETS
    return (*SECRETS, "miller", "Wren", it.carers, *it.registers)


def walked(method: str) -> list[Route]:
    return [
        route
        for route in ROUTES
        if route.method == method
        and route.allow not in (PUBLIC, SIGNED)
        and not ELSEWHERE.search(route.path)
    ]


@pytest.mark.parametrize("who", OTHERS)
async def test_nobody_is_shown_or_does_anything_to_what_they_must_not_know(
    matter: Matter, arrive: Arrive, who: str
) -> None:
    guest = await arrive(matter.world, who)
    await no_page_shows_it(matter, guest, who)
    await guest.get("/account")
    await nothing_can_be_done_to_it(matter, guest, who)
    await no_form_takes_it(matter, guest)


async def no_page_shows_it(matter: Matter, guest: Visitor, who: str) -> None:
    hidden = hidden_from(matter, who)
    seen, told = 0, []
    for route in walked("GET"):
        gaps = gaps_of(matter, route.path)
        for path in filled(route.path, gaps or {}):
            status = await guest.get(path, follow=False)
            seen += status == 200
            assert status < 500, path
            if gaps and not is_theirs(matter, who, path) and "/handovers/" not in path:
                assert status in (403, 404), path
            told += [(path, secret) for secret in hidden if secret in guest.page]
    assert seen >= 2  # whoever is shown nothing at all proves nothing
    assert told == []


async def nothing_can_be_done_to_it(matter: Matter, guest: Visitor, who: str) -> None:
    hidden = hidden_from(matter, who)
    answers, told = {}, []
    for route in walked("POST"):
        if ONES_OWN.search(route.path) or "{" not in route.path:
            continue
        gaps = gaps_of(matter, route.path)
        for path in filled(route.path, gaps or {"id": ("1",)}):
            status = await guest.post(path, follow=False)
            assert status < 500, path
            told += [(path, secret) for secret in hidden if secret in guest.page]
            if gaps and not is_theirs(matter, who, path):
                answers[path] = status
    assert told == []
    assert len(answers) > 50
    assert set(answers.values()) <= {403, 404}, answers


async def no_form_takes_it(matter: Matter, guest: Visitor) -> None:
    """Forms that name a case or a person: as if there were none."""
    now = matter.world.now.strftime("%Y-%m-%dT%H:%M")
    said = {"case": matter.carers, "words": "x", "what": "x", "kind": "service", "score": "5"}
    said |= {"subject": "other", "complainant": "carer", "giver": "carer", "method": "telephone"}
    said |= {"at": now, "received_at": now, "happened_at": now, "known_at": now, "worker": "1"}
    event = matter.gaps["/events/{id}/bookings/"]["id"][0]
    forms: dict[str, dict[str, str]] = dict.fromkeys(
        ("/allocate", "/complaints", "/compliments", "/incidents", "/feedback/answers"), said
    )
    forms |= {"/people": {"asked": "FC1001"}, f"/events/{event}/bookings": {"who": "FC1001"}}
    for path, form in forms.items():
        status = await guest.post(path, form, follow=False)
        assert status < 500, path
        assert status != 303, path
        assert [secret for secret in SECRETS if secret in guest.page] == [], path


async def test_who_works_on_it_is_shown_it(matter: Matter, arrive: Arrive) -> None:
    """The same walk by the support worker: otherwise the walks above would prove nothing."""
    guest = await arrive(matter.world, "wasim")
    shown = await pages_of(guest, matter.carers)
    assert {200} == set(shown.values()), shown
    await guest.get("/inbox")
    assert matter.carers in guest.page
    assert matter.daughters not in guest.page
    for prefix in ("/people/", "/incidents/", "/rota/handovers/"):
        (gap,) = (one for gap in ("reference", "id") for one in matter.gaps[prefix].get(gap, ()))
        assert await guest.get(f"{prefix}{gap}") == 200, prefix
        assert ("Carol" if prefix == "/people/" else "miller") in guest.page
    guest = await arrive(matter.world, "leonie")
    for path in ("/complaints", "/feedback", "/compliments"):
        await guest.get(path)
        assert "miller" in guest.page or matter.registers[0] in guest.page, path


async def test_the_search_finds_only_what_its_asker_may_see(matter: Matter, arrive: Arrive) -> None:
    for who in ("amara", "nina", "wasim"):
        guest = await arrive(matter.world, who)
        await guest.get("/search")
        for asked in ("lighthouse", "Ashby", CARER, matter.carers):
            await guest.post("/search", {"asked": asked})
            found = f"/cases/{matter.carers}" in guest.page or ">Carol Ashby<" in guest.page
            assert found == (who == "wasim"), (who, asked)


async def pages_of(guest: Visitor, reference: str) -> dict[str, int]:
    """Every page of a case that a worker may open and that has no further gap in its address →
    status."""
    return {
        route.path: await guest.get(route.path.replace("{reference}", reference))
        for route in walked("GET")
        if route.path.startswith("/cases/")
        and Role.WORKER in ALLOWED[route.allow].roles
        and re.findall(r"\{\w+\}", route.path) == ["{reference}"]
    }
