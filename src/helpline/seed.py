"""The demo's invented world: carers, two quarters of past cases, three workers, a rota of weekly
patterns with a holiday that leaves a gap and a swap that waits for its answer, and a few
conversations of the last days. Everybody here is fictional and every number reserved for drama.

Called by `helpline demo`. It goes through the same imports, intake and desk functions as real life
does, so a fault in them shows here first.
"""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import col

from helpline import seed_councils, seed_portal
from helpline.channels import Inbound
from helpline.contract import Contract, changing
from helpline.desk import (
    access,
    agreed,
    allegations,
    cases,
    changes,
    chosen,
    complaints,
    compliments,
    consents,
    escalation,
    evidence,
    firstday,
    gatherings,
    groups,
    imports,
    in_force,
    incidents,
    kinds,
    library,
    membership,
    news,
    obligations,
    papers,
    partners,
    pathway,
    plans,
    readings,
    record,
    referrals,
    register,
    tasks,
)
from helpline.desk.duties import cover, interviews, notices
from helpline.desk.house import House
from helpline.desk.partners import Typed as Known
from helpline.desk.rights import breaches, requests, sharing
from helpline.desk.rota import plan, swaps
from helpline.engine.deliver import deliver_all
from helpline.engine.routing import route_all
from helpline.models import Address, Alert, Case, Conversation, Person, Shift, User
from helpline.rules import periods
from helpline.rules.permissions import Actor
from helpline.rules.rota import Weekly
from helpline.sealing import ring
from helpline.vocabulary import AbsenceKind, AlertKind, NeedKind, Role, ShiftKind, TaskKind

CONTRACT = "essex"
OUR_NUMBER = "+447700900000"
NUMBERS = (
    f"{CONTRACT}={OUR_NUMBER},{seed_councils.numbers()}"  # as HELPLINE_TWILIO_NUMBERS wants it
)
PASSWORD = "harbour lantern kettle"  # noqa: S105  # the demo's, printed on the demo's own page
SIGN_INS = (
    "wasim, dilys, amara (workers), leonie (lead), sefa (safeguarding lead), quinn (complaints "
    "officer), petra (council) or ada (admin); tessa (worker of one contract), lana, nia, percy or "
    "stella (the other councils): " + PASSWORD
)

STAFF = (
    ("wasim", "Wasim Okafor", Role.WORKER, "+447700900903"),
    ("dilys", "Dilys Penhale", Role.WORKER, "+447700900901"),
    ("amara", "Amara Linton", Role.WORKER, "+447700900904"),
    ("leonie", "Leonie Marsh", Role.LEAD, "+447700900902"),
    ("sefa", "Sefa Amadi", Role.SAFEGUARDING, "+447700900905"),
    ("quinn", "Quinn Tarrant", Role.COMPLAINTS, None),
    ("petra", "Petra Voss", Role.COMMISSIONER, None),
    ("ada", "Ada Quill", Role.ADMIN, None),
)
SHIFTS = (
    # who, as what, on which weekdays it begins, from and until which hour
    ("wasim", ShiftKind.PRIMARY, (0, 1, 2, 3, 4), 8, 20),
    ("leonie", ShiftKind.PRIMARY, (5, 6), 8, 20),
    ("dilys", ShiftKind.PRIMARY, (6, 0, 1, 2), 20, 8),
    ("amara", ShiftKind.PRIMARY, (3, 4, 5), 20, 8),
    ("leonie", ShiftKind.BACKUP, (0, 1, 2, 3, 4), 20, 8),
)
ABLE = (
    ("wasim", ("allegations", "finance"), ("english", "igbo")),
    ("dilys", ("allegations",), ("english", "welsh")),
    ("amara", ("young people", "counselling"), ("english", "polish")),
)
FIRST = (
    "Carol Tunde Marek Priya Joan Desmond Aoife Samir Beth Colin Nadia Roy Ines Paula Kofi Mags "
    "Owen Freya Imran Tess Gareth Lola Neil Ruth Adeola Hugh Wren Sunita Jude Elsie"
).split()
LAST = (
    "Ashby Brackley Corrin Dunmow Eddison Fairlop Gosling Harrow-Smith Ibbot Jessop Kettley Lorne "
    "Maplin Nairn Oakden Pell Quarrie Rushden Saltley Thorrin"
).split()
HOMES = (
    ("colchester", "CO2 7QW"),
    ("tendring", "CO15 1RJ"),
    ("mid", "CM1 1QH"),
    ("mid", "CM7 3HN"),
    ("south", "SS14 1BA"),
    ("south", "SS7 1TF"),
    ("west", "CM20 1WG"),
    ("west", "IG10 4PF"),
)
PAST_REASONS = (
    ("allegation", ("allegation_worker", "emotional_support")),
    ("finance", ("financial_advice",)),
    ("placements", ("information", "advocacy")),
    ("counselling", ("emotional_support",)),
    ("legal", ("legal_advice", "information")),
    ("health", ("information", "signposting")),
    ("training", ("information",)),
    ("membership", ("information",)),
    ("discounts", ("information",)),
    ("complaint", ("advocacy",)),
)


@dataclass(frozen=True)
class Step:
    """One thing that happened in a conversation, `hours` ago: a text, or an act of a worker."""

    hours: float
    what: str
    text: str = ""


TALKS: tuple[tuple[int, tuple[Step, ...]], ...] = (
    (
        0,
        (
            Step(
                21.2,
                "text",
                "they have had a phone call and are saying I hit him. Nobody will tell me anything",
            ),
            Step(21.1, "text", "1"),
            Step(20.6, "allocate", "dilys"),
            Step(
                20.4,
                "reply",
                "Carol, this is Dilys. You did the right thing to write. I am ringing you now.",
            ),
            Step(
                20.1, "call", "Explained what happens in the first days. A solicitor is arranged."
            ),
            Step(20.0, "alleged", "That she hit child A."),
            Step(19.5, "recorded"),
        ),
    ),
    (3, (Step(13.4, "text", "can I still claim council tax reduction if we have two placements"),)),
    (
        5,
        (
            Step(
                30.0,
                "text",
                "could someone talk to my own daughter, she is not coping since he left",
            ),
            Step(29.0, "allocate", "amara"),
            Step(28.2, "reply", "Of course. Amara here. Would Thursday after school suit her?"),
            Step(5.1, "text", "thursday is good thank you"),
        ),
    ),
    (
        7,
        (
            Step(
                2.2,
                "text",
                "who do I ring about the laptop insurance, the little one spilled juice on it",
            ),
        ),
    ),
    (
        9,
        (
            Step(49.0, "text", "when is the next skills to foster evening"),
            Step(48.0, "reply", "The next one is on the first Tuesday of the month, at six."),
            Step(47.9, "allocate", "wasim"),
            Step(46.0, "close", "information"),
        ),
    ),
    (11, (Step(23.3, "text", "panel is next week and I still have not seen the report"),)),
    (14, (Step(6.0, "text", "CALL"),)),
    (
        17,
        (
            Step(
                0.6,
                "text",
                "lad in our lodgings says he cant pay his share again, what are the rules",
            ),
        ),
    ),
    (
        -1,
        (
            Step(1.4, "text", "hello is this the number for foster carers"),
            Step(1.2, "text", "my name is not on any list I just need someone to talk to"),
        ),
    ),
)


async def sow(house: House, say: Callable[[str], None], *, is_signed: bool = True) -> None:
    """Fill an empty demo database; leaves one that has people alone. `is_signed`: with reports that
    were signed, which take longer to set than all the rest."""
    async with house.db.read() as session:
        if await session.scalar(select(col(User.id)).limit(1)) is not None:
            return
    contract, now = house.contracts[CONTRACT], house.clock.now()
    dice = random.Random(7)  # noqa: S311  # the same invented world every time
    people = _people(dice)
    say(f"  {len(people)} carers and their families on the register")
    async with house.db.write() as session:
        staff = await _staff(session, now)
        await imports.import_people(session, contract, _csv(people), now, dry_run=False)
        await _register(session, contract, people, staff["leonie"], now)
        await _rota(session, house, staff, now)
    past = _past(contract, people, now, dice)
    say(f"  {len(past)} past cases over two quarters, and some of the three before")
    async with house.db.write() as session:
        older = _older(contract, people, now)
        await imports.import_cases(session, contract, _csv(past + older), now, dry_run=False)
    say(f"  {len(TALKS)} conversations of the last days")
    for index, steps in TALKS:
        number = _e164(people[index]["mobile"]) if index >= 0 else "+447700900456"
        for step in steps:
            await _happen(house, contract, staff, number, step, now - timedelta(hours=step.hours))
    for council in seed_councils.COUNCILS:
        await _of_council(house, council, staff, now)
    say(f"  {len(seed_councils.COUNCILS)} more councils, each with people, cases and a rota")
    async with house.db.write() as session:
        await _others(session, contract, staff, _e164(people[TALKS[0][0]]["mobile"]), now)
        await _membership(session, house, staff, now)
        await _casework(session, contract, _e164(people[TALKS[2][0]]["mobile"]), staff, now)
        await _registers(session, contract, staff, now)
        await _changes(session, contract, staff, now)
        await _settings(session, house, staff, now)
        await _rights(session, contract, _e164(people[TALKS[2][0]]["mobile"]), staff, now)
    if is_signed:
        await seed_portal.sow(house, contract, staff, PASSWORD)
    await in_force.keep(house)
    await deliver_all(house)


async def sow_practice(house: House) -> None:
    """The practice helpline begins empty but for the colleagues who are told, asked and rung, and
    what the contract itself puts into the library. Learners and their carers come by its pages."""
    contract, now = house.contracts[CONTRACT], house.clock.now()
    async with house.db.write() as session:
        if await session.scalar(select(col(User.id)).limit(1)) is not None:
            return
        ids = {
            name: await access.add_user(
                session, name, role, CONTRACT, PASSWORD, now, shown_name=shown, mobile=mobile
            )
            for name, shown, role, mobile in STAFF
            if role is not Role.COMMISSIONER
        }
        monday = now.date() - timedelta(days=now.weekday() + 7)
        for name, begins, ends in (("wasim", 8, 20), ("dilys", 20, 8)):  # so that there is no gap
            weekly = Weekly(frozenset(range(7)), time(begins), time(ends), monday)
            kind, by = ShiftKind.PRIMARY, ids["leonie"]
            await plan.add_pattern(session, contract, ids[name], kind, weekly, by, now)
        await library.keep_in_step(session, contract, now)


async def _settings(session: Any, house: House, staff: dict[str, Actor], now: datetime) -> None:
    """A text put otherwise since last week, a newer count, and a quicker ladder from next month
    that waits for a second person."""
    filed, sources, lead = house.in_force.filed[CONTRACT], house.wording.sources, staff["leonie"]
    then, today = now - timedelta(days=6), agreed.local_day(filed, now)
    soon = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    said = {"pieces": ["Thank you for telling us. A person reads it. You can write at any time."]}
    count = changing.value_of(filed, sources, "populations.looked_after_children")
    newer = {"count": 1034, "as_of": then.date().isoformat(), "source": "The council's letter"}
    ladder = changing.value_of(filed, sources, "ladder")
    for what, value, valid_from, at in (
        ("texts.en.feedback_thanks", said, agreed.local_day(filed, then), then),
        ("populations.looked_after_children", count | newer, today, now),
        ("ladder", ladder | {"minutes_between_rungs": 8}, soon, now),
    ):
        draft = agreed.Draft(what, value, valid_from, 0)
        await agreed.make(session, filed, sources, draft, lead, at)


async def _staff(session: Any, now: datetime) -> dict[str, Actor]:
    staff = {}
    for name, shown, role, mobile in STAFF:
        contract = CONTRACT if role is Role.COMMISSIONER else None
        user_id = await access.add_user(
            session, name, role, contract, PASSWORD, now, shown_name=shown, mobile=mobile
        )
        staff[name] = Actor(user_id, shown, role, contract)
    for name, shown, role, contract, mobile in seed_councils.commissioners():
        user_id = await access.add_user(
            session, name, role, contract, PASSWORD, now, shown_name=shown, mobile=mobile
        )
        staff[name] = Actor(user_id, shown, role, contract)
    await seed_councils.their_papers(session, staff, now)
    return staff


async def _of_council(
    house: House, council: seed_councils.Council, staff: dict[str, Actor], now: datetime
) -> None:
    contract, lead = house.contracts[council.key], staff["leonie"]
    async with house.db.write() as session:
        listed = _csv(seed_councils.people(council))
        if contract.monthly_list is not None:
            row = await register.hand_in(
                session, contract, listed, now.date(), lead, now, is_whole=True
            )
            await register.accept(session, contract, row.id or 0, lead, now)
        else:
            await imports.import_people(session, contract, listed, now, dry_run=False)
        await seed_councils.on_call(session, contract, staff, now)
        past = _csv(seed_councils.past(contract, council, now))
        await imports.import_cases(session, contract, past, now, dry_run=False)
    for place, acts in council.talks:
        number = seed_councils.mobile(council, place)
        for hours, what, text in acts:
            at = now - timedelta(hours=hours)
            step = Step(hours, what, text)
            await _happen(house, contract, staff, number, step, at, council.number)
    async with house.db.write() as session:
        await seed_councils.shelf(session, contract, lead, now)
        await seed_councils.registers(session, contract, council, staff, now)


async def _rota(session: Any, house: House, staff: dict[str, Actor], now: datetime) -> None:
    """Days and nights of the week shared out, with a backup; beyond the coming week Amara is away
    for a night that nobody has yet, and Wasim asks Dilys to take a day of his."""
    contract, lead = house.contracts[CONTRACT], staff["leonie"].user_id
    monday = now.date() - timedelta(days=now.weekday() + 7)
    for name, kind, days, begins, ends in SHIFTS:
        weekly = Weekly(frozenset(days), time(begins), time(ends), monday)
        user, is_last = staff[name].user_id, (name, kind) == SHIFTS[-1][:2]
        await plan.add_pattern(
            session, contract, user, kind, weekly, lead, now, look_for_gaps=is_last
        )
    away = now + timedelta(days=8)
    night = await _shift(session, staff["amara"].user_id, away)
    await plan.note_absence(
        session,
        [contract],
        staff["amara"].user_id,
        AbsenceKind.HOLIDAY,
        night.starts_at,
        night.ends_at,
        lead,
        now,
    )
    day = await _shift(session, staff["wasim"].user_id, now + timedelta(days=2))
    await swaps.ask(
        session,
        contract,
        day.id or 0,
        staff["dilys"].user_id,
        None,
        staff["wasim"].user_id,
        now,
        wording=house.wording,
    )
    for person, skills, languages in ABLE:
        await plan.set_skills(session, staff[person].user_id, skills, languages, lead, now)


async def _shift(session: Any, user_id: int, after: datetime) -> Shift:
    """Their first shift in the first line that begins after an instant."""
    found = await session.scalar(
        select(Shift)
        .where(
            col(Shift.user_id) == user_id,
            col(Shift.starts_at) > after,
            col(Shift.kind) == ShiftKind.PRIMARY,
        )
        .order_by(col(Shift.starts_at))
        .limit(1)
    )
    assert isinstance(found, Shift)
    return found


def _people(dice: random.Random) -> list[dict[str, str]]:
    """60 people as the council's list has them; every sixth a supported lodgings carer."""
    rows = []
    for number in range(60):
        team, postcode = HOMES[number % len(HOMES)]
        lodgings = number % 6 == 5
        rows.append(
            {
                "person": f"{'SL' if lodgings else 'FC'}{1001 + number}",
                "name": f"{FIRST[number % 30]} {LAST[(number * 7 + number // 30) % 20]}",
                "kind": "supported_lodgings_carer" if lodgings else "foster_carer",
                "team": "" if lodgings else team,
                "postcode": postcode,
                "approved_from": f"{dice.randint(2012, 2025)}-0{dice.randint(1, 9)}-15",
                "approved_to": "",
                "household": f"H{number // 2:03}",
                "mobile": f"07700 900{100 + number}",
                "email": "",
                "language": "en",
            }
        )
    return rows


def _past(
    contract: Contract, people: list[dict[str, str]], now: datetime, dice: random.Random
) -> list[dict[str, str]]:
    """Closed cases from the start of the quarter before this one until a few days ago."""
    month = contract.year_starts_month
    current = periods.period_containing(now.date(), "quarter", month)
    begin, _ = periods.bounds(periods.previous(current), contract.zone)
    length = (now - timedelta(days=4) - begin).total_seconds()
    methods = ("telephone", "telephone", "text", "text", "email", "website")
    rows = []
    for number in range(112):
        person = dice.choice(people)
        received = begin + timedelta(seconds=dice.random() * length)
        answered = received + timedelta(hours=min(dice.expovariate(1 / 5), 30))
        allocated = received + timedelta(hours=min(dice.expovariate(1 / 7), 29))
        reason, supports = dice.choice(PAST_REASONS)
        suggested = contract.suggest_quadrant(person["postcode"]).quadrant
        rows.append(
            {
                "reference": f"PAST-{number + 1:04}",
                "received_at": received.isoformat(timespec="seconds"),
                "method": dice.choice(methods),
                "person": person["person"],
                "carer_type": person["kind"],
                "quadrant": (suggested or "") if number % 19 else "",
                "reason": reason,
                "support": ";".join(supports),
                "first_response_at": answered.isoformat(timespec="seconds"),
                "allocated_at": allocated.isoformat(timespec="seconds"),
                "closed_at": (max(answered, allocated) + timedelta(hours=40)).isoformat(
                    timespec="seconds"
                ),
                "outcome": dice.choice(contract.outcomes).code,
                "contacts": str(1 + int(dice.expovariate(1 / 1.5))),
            }
        )
    return rows


def _older(contract: Contract, people: list[dict[str, str]], now: datetime) -> list[dict[str, str]]:
    """Closed cases of the three quarters before those, so that a trend has something to show."""
    current = periods.period_containing(now.date(), "quarter", contract.year_starts_month)
    before, rows = periods.previous(current), []
    for number in range(3):
        over, _ = periods.bounds(before, contract.zone)  # when the quarter before it was over
        dice = random.Random(20 + number)  # noqa: S311
        some = _past(contract, people, over + timedelta(days=4), dice)[: 48 - 6 * number]
        rows += [row | {"reference": f"OLD{number}-{row['reference']}"} for row in some]
        before = periods.previous(before)
    return rows


async def _happen(
    house: House,
    contract: Contract,
    staff: dict[str, Actor],
    number: str,
    step: Step,
    at: datetime,
    ours: str = OUR_NUMBER,
) -> None:
    if step.what == "text":
        external_id = f"seed-{number[-3:]}-{at:%d%H%M%S}"
        await house.inbox.keep(Inbound("sms", external_id, number, ours, step.text), at)
        phone = house.demo.phones["sms"] if house.demo else None
        if phone is not None:
            phone.write(number, ours, step.text)  # so that it shows on the phone as well
        await route_all(house)
        return
    async with house.db.write() as session:
        case = await _case(session, number)
        if step.what == "alleged":
            await _alleged(session, contract, case, staff, step, at)
            return
        if step.what == "recorded":
            await _recorded(session, case, await _worker(session, case, staff), at)
            return
        by = staff["leonie"] if step.what == "allocate" else await _worker(session, case, staff)
        if step.what == "allocate":
            await cases.allocate(
                session,
                contract,
                case,
                staff[step.text].user_id,
                by,
                at,
                wording=house.wording,
            )
        elif step.what == "reply":
            await cases.reply(session, contract, case, step.text, by, at)
            if asked := await readings.to_judge(session, case):
                await readings.judge(session, contract, case, asked.id or 0, "right", by, at)
        elif step.what == "call":
            await cases.record_call(
                session, contract, case, "out", "spoke", 24, step.text, at, by, at
            )
        elif step.what == "close":
            await cases.close(
                session, contract, case, [step.text], contract.outcomes[0].code, by, at
            )


async def _alleged(
    session: Any,
    contract: Contract,
    case: Case,
    staff: dict[str, Actor],
    step: Step,
    at: datetime,
) -> None:
    """What Carol was told, how far it is, and the first of the list; Sefa has heard of it."""
    by, day = await _worker(session, case, staff), contract.days.day_of(at)
    said = allegations.Told(
        case.person_id,
        at - timedelta(hours=1),
        words=step.text,
        types=["physical"],
        made_by="fostered_child",
        made_by_words="child A",
        told_by="Carol",
        track="allegation",
        track_said_by="Ms Ode, fostering team",
    )
    made = await allegations.record(session, contract, case, said, by, at)
    entry = made.id or 0
    for item in ("safe_now", "safe_contact", "police_there", "ring_back", "risk_to_self"):
        await firstday.tick(session, contract, case, entry, item, by, at)
    told_by = "Ms Ode, fostering team"
    await pathway.set_stage(
        session, contract, case, entry, "reported", "reached", day, told_by, by, at
    )
    await pathway.set_told(
        session, contract, case, entry, "process", "told", told_by, day, "An allegation", by, at
    )
    for one in await notices.of_case(session, contract, case.id or 0):
        if one.row.kind == "safeguarding_lead":
            sent = notices.Sent(
                "telephone", "Sefa Amadi", "Told what we know, and how Carol is.", at
            )
            await notices.send(session, contract, case, one.row.id or 0, sent, by, at)
    heard = await session.scalar(
        select(Alert).where(col(Alert.case_id) == case.id, col(Alert.kind) == AlertKind.ALLEGATION)
    )
    await escalation.acknowledge(session, heard.id, staff["sefa"].user_id, at)
    await _duties(session, contract, case, by, at)


async def _duties(session: Any, contract: Contract, case: Case, by: Actor, at: datetime) -> None:
    """The police have asked to see her in three days; a solicitor is asked and has not said yes."""
    hour = (at + timedelta(days=3)).replace(minute=0, second=0, microsecond=0)
    asked = interviews.Asked("Carol Ashby", "voluntary", hour, "Harlow", "PC 4411", "EX/33412")
    row = await interviews.record(session, contract, case, asked, by, at)
    name = "Marsh and Daughters"
    await interviews.solicitor_asked(session, contract, case, row.id or 0, name, by, at)
    await cover.hand_off(session, contract, case, "put_through", by, at)
    await cover.offer(session, contract, case, case.person_id, "wanted", "", by, at)
    await cover.set_money(session, case, "allowance", "asked", None, "", "", by, at)


async def _register(
    session: Any, contract: Contract, people: list[dict[str, str]], by: Actor, now: datetime
) -> None:
    """This month's list waits to be read: one moved, one new, one left. The first carer needs large
    print and has cover for legal expenses."""
    moved, new = people[3] | {"team": "West"}, dict.fromkeys(people[0], "")
    new |= {"person": "FC1999", "name": "Imani Rowe", "kind": "foster_carer", "team": "Tendring"}
    listed = _csv([*people[:3], moved, *people[4:-1], new])
    await register.hand_in(session, contract, listed, now.date(), by, now, is_whole=True)
    person = await session.scalar(select(Person).order_by(col(Person.id)).limit(1))
    await membership.add_need(session, person, NeedKind.LARGE_PRINT, "", by, now)
    code, first = "legal_expenses", now.date() - timedelta(days=90)
    last = first + timedelta(days=364)
    await membership.add_cover(
        session, contract, person, code, "HFS-00417", first, last, by, now, covers_household=True
    )


async def _recorded(session: Any, case: Case, by: Actor, at: datetime) -> None:
    """Notes of each kind, one put right, and what Carol says to one."""

    async def note(kind: str, body: str, **more: Any) -> int:
        written = await cases.add_note(session, case, kind, body, at, by, at, **more)
        return written.id or 0

    meeting = await note("fact", "Ms Ode rang: the first meeting is on Thursday at ten.")
    await note("fact", "It is on Friday at ten; I had misheard.", corrects=meeting)
    await note("own_words", "I never touched him. I cannot sleep and I cannot ask anybody.")
    opinion = await note("opinion", "She is close to giving up fostering.")
    await note("decision", "We do not ring the school.", why="Nobody may speak with witnesses.")
    said = "I am not giving up. I am tired."
    await record.comment(session, case, "disagreement", "", said, opinion, at, by, at)


async def _case(session: Any, number: str) -> Case:
    found = await session.scalar(
        select(Case)
        .join(Conversation, col(Conversation.case_id) == col(Case.id))
        .join(Address, col(Address.id) == col(Conversation.address_id))
        .where(col(Address.value_index).in_(ring().indexes("address:sms", number)))
    )
    assert isinstance(found, Case)
    return found


async def _worker(session: Any, case: Case, staff: dict[str, Actor]) -> Actor:
    allocated = (actor for actor in staff.values() if actor.user_id == case.worker_id)
    return next(allocated, staff["wasim"])


def _csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _e164(number: str) -> str:
    return "+44" + number.replace(" ", "")[1:]


# --- who else helps, the papers of our people, what was done and what is owed ---------------------

KNOWN = (
    Known(
        *("solicitor", "Pettifer & Rowe Solicitors", "Police interviews, by day and by night"),
        *("At any hour", ("north", "mid"), "01632 960321"),
    ),
    Known(
        *("counsellor", "Marram Counselling", "Talking after an allegation; own children too"),
        *("Monday to Thursday 9 to 7", (), "01632 960555"),
    ),
    Known(
        *("interpreter", "Haven Interpreters", "Polish, Lithuanian, British Sign Language"),
        *("Ask for the evening desk after six", (), "01632 960777"),
    ),
    Known(
        *("finance", "Tollgate Money Advice", "Fees, tax and benefits of foster carers"),
        *("Weekdays 10 to 4", (), "01632 960440"),
    ),
)


async def _others(
    session: Any, contract: Contract, staff: dict[str, Actor], number: str, now: datetime
) -> None:
    lead, day = staff["leonie"], timedelta(days=1)
    made = [
        await partners.add(session, contract, one, lead, now - (100 if at == 2 else 9) * day)
        for at, one in enumerate(KNOWN)
    ]
    case = await _case(session, number)
    by = await _worker(session, case, staff)
    await referrals.request(
        session,
        contract,
        case,
        str(made[1].id),
        case.person_id,
        "Somebody outside to talk to while it goes on",
        "agreed",
        by,
        now - timedelta(hours=3),
    )
    today = contract.days.day_of(now)
    for name, ends in (("wasim", 700), ("dilys", 400), ("amara", 40)):
        paper = papers.Typed("dbs", today - (1096 - ends) * day, today + ends * day)
        await papers.add(session, staff[name].user_id, paper, lead, now)
    said = evidence.Typed(
        "users_influencing",
        today - 6 * day,
        "Carers at the listening evening asked for an answer at night as well.",
        "Listening evening",
        locality="Colchester",
        partner="efca",
        reached=23,
        you_said="Nobody answers in the holidays",
        we_did="Two are on call from Christmas to New Year",
    )
    await evidence.write(session, contract, said, lead, now)
    await obligations.add(
        session, contract, "joint_review", "", today + 20 * day, lead.user_id, lead, now
    )


# --- what members are given: the library, an evening, news ----------------------------------------

SHELF = (
    # kind, title, words, about, days until its review, code
    (
        *("answer", "Council tax while fostering"),
        "Many councils lower council tax for carers. Ask yours for its form for foster carers. "
        "We can fill it in with you: write CALL.",
        *("finance", 200, ""),
    ),
    (
        *("answer", "A child was moved without notice"),
        "You should be told in writing, and before it happens. Ask the social worker for the "
        "decision and the reason. We can come to the meeting with you.",
        *("placements", -12, ""),
    ),
    (
        *("publication", "Keeping a diary: a leaflet"),
        "Write the same day, what you saw and heard, with the time. We can post you the leaflet.",
        *("publications", 90, ""),
    ),
    (
        *("discount", "Half price at the county pools"),
        "Show your member card at any of the county's pools: half price for the household.",
        *("discounts", 120, ""),
    ),
    (
        *("policy", "How to complain about us"),
        "Tell us in any way you like, or have somebody tell us for you.\n\nWe write back within 2 "
        "working days to say that we have it, and answer within 10. If you are not content, "
        "somebody else looks at it afresh within 20.",
        *("complaint", 300, library.OWN_POLICY),
    ),
    (
        *("policy", "The council's own policy"),
        "How the council treats those who use its services, and how to complain to the council.",
        *("complaint", 300, library.COUNCILS_POLICY),
    ),
)


async def _membership(session: Any, house: House, staff: dict[str, Actor], now: datetime) -> None:
    """A shelf of the library, an evening with a place left, two who agreed to news, and a piece
    of it that waits for a lead."""
    contract, lead, day = house.contracts[CONTRACT], staff["leonie"], timedelta(days=1)
    await library.keep_in_step(session, contract, now)
    for kind, title, body, topic, days, code in SHELF:
        review, until = now.date() + days * day, now.date() + 100 * day
        draft = library.Draft(
            kind=kind,
            title=title,
            body=body,
            topic=topic,
            code=code,
            owner_id=lead.user_id,
            review_on=review,
            verified_on=now.date() if kind == "discount" else None,
            valid_until=until if kind == "discount" else None,
        )
        await library.add(session, contract, draft, lead, now - 30 * day)
    begins = (now + 9 * day).replace(hour=18, minute=0, second=0, microsecond=0)
    plan_of = gatherings.Plan(
        "Skills evening", begins, begins + timedelta(hours=2), place="Town Hall", places=3
    )
    evening = await gatherings.write(session, contract, plan_of, lead, now)
    listed = await session.scalars(select(Person).order_by(col(Person.id)).limit(3))
    for person in listed.all()[:2]:
        await gatherings.book(session, evening, person, "", staff["wasim"], now)
        await consents.write_down(session, person, "sms", True, "telephone", staff["wasim"], now)
    words = "Coffee morning for carers on Friday at ten, in the library. Children are welcome."
    item = await news.write(
        session, contract, "Coffee morning", words, chosen.Choice(), staff["wasim"], now
    )
    await news.make_ready(session, item, staff["wasim"], now)


async def _casework(
    session: Any, contract: Contract, number: str, staff: dict[str, Actor], now: datetime
) -> None:
    """A plan that was agreed yesterday, its first step ticked, and something to do tomorrow."""
    case, by, day = await _case(session, number), staff["amara"], contract.days.day_of(now)
    goals = ["I want her to sleep through the night again", "Somebody of her own to talk to"]
    ends = day + timedelta(days=90)
    review = contract.days.beyond(day).working_days_after(day, 10)
    await plans.make(
        session, contract, case, goals, "her mother and father", day, review, ends, by, now
    )
    await kinds.tick(session, contract, case, "understood", None, by, now)
    due_at = tasks.end_of_working_day(contract, now, 1)
    what = "Ask which counsellor has time after school"
    await tasks.give(session, case, TaskKind.GIVEN, what, by.user_id, due_at, by, now)


# --- the registers: a complaint that waits for its answer, a thank-you, an incident ---------------


async def _registers(
    session: Any, contract: Contract, staff: dict[str, Actor], now: datetime
) -> None:
    """Somebody was not rung back: Quinn looks into it, and Wasim does not see it."""
    quinn, day = staff["quinn"], timedelta(days=1)
    told = complaints.Told(
        kind="service",
        subject="worker",
        complainant="carer",
        words="I was to be rung at four and nobody rang. I sat by the telephone all evening.",
        wish="Somebody else, and an apology",
        reach="By letter, please",
        received_at=now - day,
        method="telephone",
        about=(staff["wasim"].user_id,),
    )
    await complaints.log(session, contract, told, quinn, now)
    await compliments.log(
        session,
        contract,
        subject="support",
        giver="carer",
        words="You were there at two in the morning. We will not forget it.",
        method="letter",
        at=now - 2 * day,
        about_id=staff["dilys"].user_id,
        case=None,
        by=staff["dilys"],
        now=now,
    )
    happened = now - timedelta(hours=2)
    event = incidents.Told("lone_working", "Followed from a visit to the car", happened, happened)
    made = await incidents.log(session, contract, event, staff["amara"], now)
    for row in await incidents.notices(session, made):
        await incidents.tell(
            session,
            contract,
            made,
            row[0].id or 0,
            whom="Leonie",
            how="telephone",
            at=now,
            not_needed="",
            by=staff["leonie"],
            now=now,
        )


# --- what carers' groups raised, and what the council reads of what came of it --------------------


async def _changes(
    session: Any, contract: Contract, staff: dict[str, Actor], now: datetime
) -> None:
    """One group has heard and the council may read it; another waits."""
    quinn, day = staff["quinn"], now.astimezone(ZoneInfo(contract.zone)).date()
    then, told_on = day - timedelta(days=40), day - timedelta(days=12)
    words = "Courses are only by day, when we are with the children"
    raised = groups.Raised("Harlow carers", words, then)
    issue = await groups.write(session, contract, raised, quinn, now)
    came = "Every second course is in the evening now, and online"
    await groups.settle(
        session, contract, issue.id or 0, "changed", came, told_on, staff["leonie"], now
    )
    change = await changes.add(
        session,
        contract,
        changes.Typed(words, came, "group", then, told_on, issue=issue.id),
        quinn,
        now,
    )
    await changes.show(session, change.id or 0, quinn, now)
    wish = "A list of who in the council to ring about what, kept up to date"
    waits = groups.Raised(
        "Clacton and Tendring carers", wish, day - timedelta(days=9), answer_by=day
    )
    await groups.write(session, contract, waits, staff["dilys"], now)
    rings = changes.Typed(
        "Nobody rang when it was promised", "A promised call has a name and a time now, and "
        "somebody else is asked when it is nearly late", "complaint", then, None
    )  # fmt: skip
    await changes.add(session, contract, rings, quinn, now)


# --- somebody's own data: a copy asked for, a school told, a letter that went astray --------------


async def _rights(
    session: Any, contract: Contract, number: str, staff: dict[str, Actor], now: datetime
) -> None:
    """A request whose asker is known, an agreement and what was told on it, and a breach that was
    judged and told."""
    case, lead, day = await _case(session, number), staff["leonie"], contract.days.day_of(now)
    person = await session.get(Person, case.person_id)
    words = "Please send me everything you keep about me and about that night"
    asked = requests.Told("access", words, "telephone", now - timedelta(days=4))
    made = await requests.log(session, contract, person, asked, staff["amara"], now, case=case)
    await requests.check_identity(session, contract, made, "called_back", "", lead, now)
    agreed = await sharing.agree(
        session,
        contract,
        "Telling schools what helps a child",
        "The schools of the county",
        "agreement",
        "That a family has support, and what helps the child at school",
        day - timedelta(days=300),
        day + timedelta(days=65),
        lead,
        now,
    )
    told = sharing.Told(
        recipient="other",
        whom="Mrs Idle, head of the year",
        what="That the family has support, and whom to ring",
        basis="agreement",
        person_knows="agreed",
        told_at=now - timedelta(hours=20),
        agreement_id=agreed.id,
    )
    await sharing.disclose(session, contract, case, told, staff["amara"], now)
    known = now - timedelta(hours=5)
    what = "A letter about a booking went to the house next door and came back opened"
    lost = incidents.Told("data_breach", what, known, known, done="Fetched back, said sorry")
    breach = await incidents.log(session, contract, lost, staff["dilys"], now)
    risk = "A name and a day, nothing of why: the neighbour knew both"
    await breaches.assess(session, contract, breach, "unlikely", 1, risk, lead, now)
    for row in await incidents.notices(session, breach):
        is_regulator = row[0].code == breaches.REGULATOR
        await incidents.tell(
            session,
            contract,
            breach,
            row[0].id or 0,
            whom="" if is_regulator else "Leonie",
            how="telephone",
            at=now,
            not_needed=risk if is_regulator else "",
            by=lead,
            now=now,
        )
