"""The demo's other councils: for each a few people, two quarters of past cases, a rota, talks of
the last days, and something in every register, so that no page of theirs is empty.

Called by seed.py, which has the provider's own staff and acts out the talks. Everybody here is
fictional and every number reserved for drama.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from helpline.contract import Contract
from helpline.desk import (
    complaints,
    compliments,
    evidence,
    incidents,
    library,
    obligation_lists,
    obligations,
    papers,
)
from helpline.desk.rota import plan
from helpline.rules import periods
from helpline.rules.permissions import Actor
from helpline.rules.rota import Weekly
from helpline.vocabulary import Role, ShiftKind

Row = dict[str, str]
Acts = tuple[tuple[float, str, str], ...]  # so many hours ago, a text or what a worker did, words


@dataclass(frozen=True)
class Council:
    """`people`: name, kind, team, quadrant. `past`: reasons of past cases with the support given.
    `talks`: whose it is by their place in `people`, and what happened."""

    key: str
    number: str  # what people text
    first_mobile: int  # theirs are counted from here
    commissioner: tuple[str, str]
    people: tuple[tuple[str, str, str, str], ...]
    past: tuple[tuple[str, str], ...]
    talks: tuple[tuple[int, Acts], ...]
    incident: tuple[str, str]
    evidence: tuple[str, str]
    complaint: str
    thanks: str
    giver: str = "carer"


COUNCILS = (
    Council(
        key="lancashire",
        number="+447700900002",
        first_mobile=220,
        commissioner=("lana", "Lana Birtwell"),
        people=(
            ("Ellis Thornber", "solo", "lot_1", "county"),
            ("Kia Sefton", "complex", "lot_2", "county"),
            ("Rowan Clegg", "complex", "lot_2", "twenty_miles"),
            ("Billie Hacking", "mainstream", "lot_3", "county"),
            ("Noor Aspinall", "mainstream", "lot_3", "ten_miles"),
            ("Dale Whitworth", "mainstream", "lot_3", "county"),
            ("Maxine Rigby", "staying_close", "lot_3", "county"),
        ),
        past=(
            ("referral", "impact_risk_assessment;placement_support"),
            ("placements", "placement_support;advocacy"),
            ("health", "information;emotional_support"),
            ("staying_close", "telephone_support"),
            ("training", "education_support"),
        ),
        talks=(
            (
                3,
                (
                    (27.0, "text", "when is my review and can I bring my own person to it"),
                    (26.1, "allocate", "amara"),
                    (25.5, "reply", "Hello, Amara here. It is on Thursday at two, and yes."),
                ),
            ),
            (6, ((5.0, "text", "who do I ask about my deposit for the flat"),)),
        ),
        incident=("placement_ended", "A planned ending: moved to be near a brother"),
        evidence=("voice_of_child", "Six young people chose what the house does on Fridays."),
        complaint="I asked three times when my review is and was told to wait.",
        thanks="Thank you for ringing on my birthday.",
        giver="child",
    ),
    Council(
        key="national",
        number="+447700900004",
        first_mobile=260,
        commissioner=("nia", "Nia Carew"),
        people=(
            ("Glenys Marlow", "foster_carer", "agency", "service_area"),
            ("Ray Tolland", "foster_carer", "agency", "service_area"),
            ("Shirin Abbott", "foster_carer", "agency", "elsewhere"),
            ("Lorcan Deane", "short_break_carer", "agency", "service_area"),
            ("Patience Ekow", "short_break_carer", "agency", "elsewhere"),
            ("Hester Vale", "early_permanence_carer", "agency", "service_area"),
        ),
        past=(
            ("placements", "placement_support;challenge"),
            ("training", "information"),
            ("abuse", "safeguarding_referral;risk_assessment"),
            ("short_breaks", "information"),
            ("finance", "information;signposting"),
        ),
        talks=(
            (
                0,
                (
                    (33.0, "text", "we were told nothing about his allergies before he came"),
                    (32.2, "allocate", "dilys"),
                    (
                        31.0,
                        "reply",
                        "Dilys here. I am asking the council for it today, in writing.",
                    ),
                    (6.0, "text", "thank you, nothing has come yet"),
                ),
            ),
            (3, ((2.0, "text", "is there a date for the next short break weekend"),)),
        ),
        incident=("placement_breakdown", "A placement ended at a day's notice"),
        evidence=("information_pursued", "Asked twice in writing for a health history."),
        complaint="Nobody asked my daughter what she thought about it.",
        thanks="You went on asking until they answered.",
    ),
    Council(
        key="peterborough",
        number="+447700900001",
        first_mobile=200,
        commissioner=("percy", "Percy Landor"),
        people=(
            ("Moira Sallow", "foster_carer", "permanency", "city"),
            ("Idris Fenn", "foster_carer", "permanency", "city"),
            ("Teodora Wick", "foster_carer", "permanency", "beyond"),
            ("Aaron Pryor", "adopter", "permanency", "city"),
            ("Lucille Barr", "adopter", "permanency", "beyond"),
            ("Winston Oduya", "special_guardian", "permanency", "city"),
            ("Bea Holloway", "supported_lodgings_carer", "permanency", "city"),
            ("Jamie Crowther", "care_leaver", "permanency", "city"),
        ),
        past=(
            ("special_guardianship", "information;legal_advice"),
            ("adoption_support", "psychological_consultation"),
            ("placements", "in_home_support;placement_support"),
            ("leaving_care", "information;signposting"),
            ("finance", "information"),
            ("recruitment", "information_pack"),
        ),
        talks=(
            (
                5,
                (
                    (28.0, "text", "the court wants my statement by friday, who helps with that"),
                    (27.5, "allocate", "wasim"),
                    (26.6, "reply", "Wasim here. I will ring you at four with a solicitor's name."),
                ),
            ),
            (0, ((3.2, "text", "nobody has visited since the summer, is that right"),)),
            (7, ((1.1, "text", "can I get money for driving lessons"),)),
        ),
        incident=("placement_changed", "A planned move, and the record was put right the same day"),
        evidence=("participation", "The carers' committee met senior managers."),
        complaint="I wrote about the visits and heard nothing for a fortnight.",
        thanks="The pack came the same day.",
    ),
    Council(
        key="stoke",
        number="+447700900003",
        first_mobile=240,
        commissioner=("stella", "Stella Wedge"),
        people=(
            ("Corinne Adderley", "home_worker", "core", "city"),
            ("Vikram Shelton", "home_worker", "core", "city"),
            ("Hollie Burslow", "home_worker", "core", "city"),
            ("Marcus Fenton-Hale", "home_worker", "core", "city"),
            ("Agnes Leek", "foster_carer", "pilot", "city"),
            ("Tomasz Milton", "foster_carer", "pilot", "twenty_miles"),
            ("Rhona Barlaston", "foster_carer", "pilot", "near"),
        ),
        past=(
            ("counselling", "consultation"),
            ("health", "consultation;camhs_referral"),
            ("placements", "support_plan;placement_support"),
            ("referral", "assessment;support_while_waiting"),
            ("training", "development_day"),
        ),
        talks=(
            (
                0,
                (
                    (30.0, "text", "could we talk before the team meeting about how nights go"),
                    (29.0, "allocate", "tessa"),
                    (28.4, "reply", "Tessa here. Yes: I ring the house at three tomorrow."),
                ),
            ),
            (4, ((4.0, "text", "how long is the wait now for the psychologist"),)),
        ),
        incident=("service_failure", "The line was down for ten minutes on Sunday"),
        evidence=("core_progress", "Two homes agreed on one plan for the nights."),
        complaint="We were told two weeks and it is the fifth.",
        thanks="The session on sleep helped the whole team.",
    ),
)
TESSA = ("tessa", "Tessa Burrows", "stoke", "+447700900906")
"""A support worker of one contract alone: she sees nothing of the others."""
EVERY_DAY = frozenset(range(7))
POLICIES = (
    (
        "How to complain about us",
        library.OWN_POLICY,
        "Tell us in any way you like, or have somebody tell us for you. We write back within 2 "
        "working days to say that we have it.",
    ),
    (
        "The council's own policy",
        library.COUNCILS_POLICY,
        "How the council treats those who use its services, and how to complain to the council.",
    ),
)


def numbers() -> str:
    """As HELPLINE_TWILIO_NUMBERS wants it."""
    return ",".join(f"{one.key}={one.number}" for one in COUNCILS)


def mobile(council: Council, place: int) -> str:
    return f"+447700900{council.first_mobile + place}"


def people(council: Council) -> list[Row]:
    """The council's list."""
    return [
        {
            "person": f"{council.key[:2].upper()}{place + 1:04}",
            "name": name,
            "kind": kind,
            "team": team,
            "quadrant": quadrant,
            "approved_from": f"{2018 + place % 6}-05-15",
            "mobile": "0" + mobile(council, place)[3:],
            "language": "en",
        }
        for place, (name, kind, team, quadrant) in enumerate(council.people)
    ]


def past(contract: Contract, council: Council, now: datetime) -> list[Row]:
    """Closed cases since the quarter before this one, more of them than the rule for small numbers
    hides."""
    dice = random.Random(council.key)  # noqa: S311  # the same invented world every time
    current = periods.period_containing(now.date(), "quarter", contract.year_starts_month)
    begin, _ = periods.bounds(periods.previous(current), contract.zone)
    length = (now - timedelta(days=4) - begin).total_seconds()
    listed, rows = people(council), []
    for number in range(36):
        person = dice.choice(listed)
        reason, support = council.past[number % len(council.past)]
        received = begin + timedelta(seconds=dice.random() * length)
        answered = received + timedelta(hours=min(dice.expovariate(1 / 5), 29))
        rows.append(
            {
                "reference": f"PAST-{council.key[:3].upper()}-{number + 1:03}",
                "received_at": received.isoformat(timespec="seconds"),
                "method": dice.choice(("telephone", "text", "email", "referral")),
                "person": person["person"],
                "carer_type": person["kind"],
                "quadrant": person["quadrant"] if number % 11 else "",
                "reason": reason,
                "support": support,
                "first_response_at": answered.isoformat(timespec="seconds"),
                "allocated_at": answered.isoformat(timespec="seconds"),
                "closed_at": (answered + timedelta(hours=40)).isoformat(timespec="seconds"),
                "outcome": dice.choice(contract.outcomes).code,
                "contacts": str(1 + number % 3),
            }
        )
    return rows


async def on_call(
    session: Any, contract: Contract, staff: Mapping[str, Actor], now: datetime
) -> None:
    """Somebody by day and somebody by night, and a second on each day that the contract calls
    busy."""
    lead, day = staff["leonie"].user_id, contract.days.day_of(now)
    monday = day - timedelta(days=day.weekday() + 7)
    by_day = "tessa" if contract.key == TESSA[2] else "wasim"
    lines = [
        (by_day, Weekly(EVERY_DAY, time(8), time(20), monday)),
        ("dilys", Weekly(EVERY_DAY, time(20), time(8), monday)),
    ]
    for one in contract.duty_rota.busy if contract.duty_rota else ():
        before = one.first_day - timedelta(days=1)  # its night reaches into the first of them
        if before > day:
            for who, begins, ends in (("amara", 8, 20), ("leonie", 20, 8)):
                span = Weekly(EVERY_DAY, time(begins), time(ends), before, one.last_day)
                lines.append((who, span))
    for place, (name, weekly) in enumerate(lines, 1):
        await plan.add_pattern(
            session,
            contract,
            staff[name].user_id,
            ShiftKind.PRIMARY,
            weekly,
            lead,
            now,
            look_for_gaps=place == len(lines),
        )


async def their_papers(session: Any, staff: Mapping[str, Actor], now: datetime) -> None:
    """What the strictest of the contracts asks of whoever is named there."""
    lead, today = staff["leonie"], now.date()
    since, until = today - timedelta(days=300), today + timedelta(days=700)
    for name in ("wasim", "dilys", "amara", "tessa"):
        asked = [
            papers.Typed("qualification", since, None, "Psychotherapist, registered 2019"),
            papers.Typed("safeguarding", since, until, level=3),
        ]
        if name == "tessa":
            asked.append(papers.Typed("dbs", since, until))
        for one in asked:
            await papers.add(session, staff[name].user_id, one, lead, now)


async def shelf(session: Any, contract: Contract, lead: Actor, now: datetime) -> None:
    """The two policies that everybody is told of."""
    await library.keep_in_step(session, contract, now)
    for title, code, body in POLICIES:
        draft = library.Draft(
            kind="policy",
            title=title,
            body=body,
            topic="complaint",
            code=code,
            owner_id=lead.user_id,
            review_on=now.date() + timedelta(days=300),
            verified_on=None,
            valid_until=None,
        )
        await library.add(session, contract, draft, lead, now - timedelta(days=30))


async def registers(
    session: Any, contract: Contract, council: Council, staff: Mapping[str, Actor], now: datetime
) -> None:
    """A complaint that waits for its answer, a thank-you, an incident, what was done besides."""
    quinn, day = staff["quinn"], timedelta(days=1)
    told = complaints.Told(
        kind="service",
        subject="information",
        complainant=council.giver,
        words=council.complaint,
        wish="An answer in writing",
        reach="By letter, please",
        received_at=now - day,
        method="letter",
    )
    await complaints.log(session, contract, told, quinn, now)
    await compliments.log(
        session,
        contract,
        subject="support",
        giver=council.giver,
        words=council.thanks,
        method="telephone",
        at=now - 2 * day,
        about_id=staff["dilys"].user_id,
        case=None,
        by=staff["dilys"],
        now=now,
    )
    kind, what = council.incident
    happened = now - timedelta(minutes=20)
    event = incidents.Told(kind, what, happened, happened)
    made = await incidents.log(session, contract, event, staff["amara"], now)
    for row in await incidents.notices(session, made):
        await incidents.tell(
            session,
            contract,
            made,
            row[0].id or 0,
            whom="The council's duty desk",
            how="telephone",
            at=now,
            not_needed="",
            by=staff["leonie"],
            now=now,
        )
    await _what_was_owed(session, contract, staff["leonie"], now)
    shown, words = council.evidence
    entry = evidence.Typed(shown, contract.days.day_of(now - 6 * day), words, "Meeting", reached=9)
    await evidence.write(session, contract, entry, staff["leonie"], now)


async def _what_was_owed(session: Any, contract: Contract, lead: Actor, now: datetime) -> None:
    """Last month's meetings and papers were held and handed in; what comes is still owed."""
    await obligations.lay_out(session, contract, now)
    today, only = obligations.today_of(contract, now), {contract.key: contract}
    for one in await obligation_lists.listed(session, only, now, is_open=True):
        if one.due_on < today and one.report is None:
            proof = "Held; the minutes went to everybody who was there"
            await obligations.settle(session, contract, one.id, one.due_on, proof, lead, now)


def commissioners() -> Sequence[tuple[str, str, Role, str, str | None]]:
    """Name to sign in with, name shown, role, contract, mobile: who belongs to one contract."""
    name, shown, key, number = TESSA
    paying = [(*one.commissioner, Role.COMMISSIONER, one.key, None) for one in COUNCILS]
    return [*paying, (name, shown, Role.WORKER, key, number)]
