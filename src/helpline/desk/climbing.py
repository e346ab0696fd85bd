"""The ladder: an alert asks one rung after another, round and round, until somebody takes it and
does something.

Called by the tick, and by pages for a test of somebody's own ways; rules/ladder says whom,
by which way and when not. What leaves for a phone is a reference and a colour, nothing else
(design.md §4.8). What comes due at once for one person is one message with a count. Who must not
know of a case is never asked.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, distinct, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import (
    conflicts,
    covers,
    events,
    outbox,
    restricting,
    ringing,
    rota,
    seeing,
)
from helpline.desk.escalation import is_their_own, severity
from helpline.models import (
    Alert,
    Case,
    ComplaintEntry,
    Event,
    IncidentEntry,
    OutMessage,
    Page,
    RequestEntry,
    User,
)
from helpline.rules import ladder
from helpline.rules.permissions import Actor
from helpline.templating import Wording
from helpline.vocabulary import UNPLACED, AlertKind, OutState, Role

ACTS = (
    *("case.replied", "case.allocated", "case.closed", "case.urgency_set", "case.reason_set"),
    *("call.recorded", "call.placed", "call.connected", "note.written", "task.done"),
    *("promise.given", "promise.kept", "message.moved", "case.reopened"),
    *("allocation.accepted", "allocation.declined", "cover.begun"),
    *("allegation.recorded", "allegation.moved", "allegation.done"),
    *("allegation.told", "allegation.moved_on"),
    *("partner.asked", "partner.chased", "partner.session"),
    *("notice.sent", "notice.chased", "notice.answered", "notice.withheld"),
    *("interview.recorded", "interview.moved", "interview.called_off", "solicitor.requested"),
    *("solicitor.confirmed", "solicitor.attended", "outcome.reported", "appeal.chosen"),
    *("counselling.offered", "legal_line.handed_off", "aftercare.given", "resignation.in_force"),
)
"""Events that show that somebody is at work on a case; reading it is not enough."""


CALENDAR, PAPERS, OWED, LIST, REPORTS = "CALENDAR", "PAPERS", "OWED", "LIST", "REPORTS"
KEPT, SETTINGS = "KEPT", "SETTINGS"
"""What a telephone shows of what is looked after at a desk: a table of bank holidays that ends, a
paper of one of our people that runs out, something owed to the council, the council's list, a
report. Asked once a day, in office hours: none of it is a reason to wake anybody."""
WATCHED = ("TRAIL", "READING")
"""The trail is not whole, or somebody read more than is usual: asked at once, then once a day."""
DAY = timedelta(days=1)
LINKED = ("sms", "telegram")
"""Ways by which the place in the console goes along, in the same message."""
LOUD = [kind for kind in AlertKind if kind.is_loud]


@dataclass(frozen=True)
class Reach:
    """What this helpline can ask by: the channels that are switched on, and the address of its
    console for what is read at a desk."""

    channels: frozenset[str] = frozenset(ladder.MEANS)
    site: str = ""


async def any_due(session: AsyncSession, now: datetime) -> bool:
    """Whether some alert's next rung is due, or somebody who took one did nothing about it."""
    for at in (col(Alert.next_rung_at), col(Alert.act_by)):
        if await session.scalar(select(col(Alert.id)).where(at <= now).limit(1)) is not None:
            return True
    return False


async def climb(
    session: AsyncSession,
    contracts: Mapping[str, Contract],
    wording: Wording,
    now: datetime,
    limit: int = 500,
    reach: Reach = Reach(),
) -> int:
    """Ask the next rung of every alert whose time has come, the worst first; what goes to one
    person goes in one message. Before that, alerts that somebody took and let lie climb again.
    Returns how many alerts moved."""
    given_back = await _give_back(session, now, limit)
    waiting = (
        await session.scalars(
            select(Alert)
            .where(col(Alert.next_rung_at) <= now)
            .order_by(col(Alert.kind).in_(LOUD).desc(), col(Alert.next_rung_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    asking = _Asking(session, contracts, wording, now, reach)
    await asking.prepare([alert for alert in waiting if alert.contract in contracts])
    for alert in sorted(waiting, key=lambda alert: (severity(alert), alert.raised_at, alert.id)):
        if alert.contract in contracts:
            await asking.ask(alert)
        else:  # a contract that was taken out: a person looks; it must not hold up the others
            alert.next_rung_at = now + timedelta(hours=1)
    await asking.send()
    await session.flush()
    return given_back + len(waiting)


class _Asking:
    """One round of asking: who is where, who was just written to, and what each will be told."""

    def __init__(
        self,
        session: AsyncSession,
        contracts: Mapping[str, Contract],
        wording: Wording,
        now: datetime,
        reach: Reach,
    ) -> None:
        self._session, self._contracts = session, contracts
        self._wording, self._now, self._reach = wording, now, reach
        self._standing: dict[tuple[str, str], Sequence[User]] = {}
        self._asked: dict[tuple[int, int], int] = {}
        self._last: dict[int, datetime] = {}
        self._last_emergency: dict[int, datetime] = {}
        self._shut_out: dict[int, frozenset[int]] = {}
        self._kept_to: dict[int, Sequence[User]] = {}
        self._complained_about: dict[int, frozenset[int]] = {}
        self._not_of_incident: dict[int, frozenset[int]] = {}
        self._not_of_request: dict[int, frozenset[int]] = {}
        self._said: list[dict[str, Any]] = []
        self._bundles: dict[int, tuple[User, dict[str, str], list[Alert]]] = {}

    async def prepare(self, alerts: Sequence[Alert]) -> None:
        """Everything that is asked once for the whole round."""
        if not alerts:
            return
        case_ids = {alert.case_id for alert in alerts if alert.case_id is not None}
        self._shut_out = await conflicts.of_cases(self._session, case_ids)
        self._kept_to = await restricting.kept_to(self._session, case_ids)
        complaint_ids = {alert.complaint_id for alert in alerts if alert.complaint_id is not None}
        self._complained_about = await conflicts.of_complaints(self._session, complaint_ids)
        incident_ids = {alert.incident_id for alert in alerts if alert.incident_id is not None}
        self._not_of_incident = await conflicts.of_incidents(self._session, incident_ids)
        request_ids = {alert.request_id for alert in alerts if alert.request_id is not None}
        self._not_of_request = await conflicts.of_requests(self._session, request_ids)
        ids = [alert.id for alert in alerts]
        pages = await self._session.execute(
            select(col(Page.alert_id), col(Page.user_id), func.count(distinct(col(Page.rung))))
            .where(col(Page.alert_id).in_(ids))
            .group_by(col(Page.alert_id), col(Page.user_id))
        )
        self._asked = {(alert, user): times for alert, user, times in pages}
        recent = await self._session.execute(
            select(col(Page.user_id), col(Alert.kind), func.max(col(Page.at)))
            .join(Alert, col(Alert.id) == col(Page.alert_id))
            .join(OutMessage, col(OutMessage.id) == col(Page.message_id))
            .where(
                col(Page.at) > self._now - ladder.QUIET,
                col(Alert.kind) != AlertKind.TEST,
                # What did not get through disturbed nobody.
                col(OutMessage.state).not_in([OutState.FAILED, OutState.HELD]),
            )
            .group_by(col(Page.user_id), col(Alert.kind))
        )
        for user_id, kind, at in recent:
            self._last[user_id] = max(at, self._last.get(user_id, at))
            if kind in LOUD:
                self._last_emergency[user_id] = at

    async def ask(self, alert: Alert) -> None:
        """Decide whom this alert asks now, and put it into their bundles. Whoever was written to a
        moment ago is left in peace until then, and the alert waits for them on its rung."""
        contract = self._contracts[alert.contract]
        between = timedelta(minutes=contract.ladder.minutes_between_rungs)
        rungs = self._rungs(contract, alert)
        people = [await self._people(alert, rung) for rung in rungs]
        rung = ladder.next_rung([bool(standing) for standing in people], alert.rung)
        if rung is None:
            self._climbed(alert, alert.rung, between, [])
            return
        peace: list[datetime] = []
        asked = []
        for user, addresses in _with_somebody_sure(people, rung):
            assert user.id is not None
            until = ladder.quiet_until(
                AlertKind(alert.kind),
                self._last.get(user.id),
                self._last_emergency.get(user.id),
                between,
            )
            if until is not None and until > self._now:
                peace.append(until)
                continue
            self._bundles.setdefault(user.id, (user, addresses, []))[2].append(alert)
            asked.append(user.id)
        if asked or not peace:
            self._climbed(alert, rung, between, asked)
        else:
            alert.rung, alert.next_rung_at = rung, min(peace)

    async def send(self) -> None:
        """One message for each person and way, about everything they are asked now."""
        await events.record_all(self._session, self._said)
        for user, addresses, alerts in self._bundles.values():
            assert user.id is not None
            worst = alerts[0]
            before = self._asked.get((worst.id or 0, user.id), 0)
            code = await free_code(self._session, user.id)
            for means in ladder.ways(user.means, addresses, before, AlertKind(worst.kind)):
                await send_one(
                    self._session,
                    self._wording,
                    self._reach,
                    user.id,
                    (means, addresses[means]),
                    alerts,
                    code,
                    self._now,
                )

    def _rungs(self, contract: Contract, alert: Alert) -> list[str]:
        own = ["owner"] if alert.owner_id is not None else []
        if alert.case_id in self._kept_to:  # those who know of it first: others may not be asked
            own.append("named")
        return [*own, *(alert.rungs.split(",") if alert.rungs else contract.ladder.rungs)]

    async def _people(self, alert: Alert, rung: str) -> list[tuple[User, dict[str, str]]]:
        """Whoever stands on this rung now, may be asked about the case and can be reached."""
        if rung in ("owner", "worker"):
            user_id = alert.owner_id if rung == "owner" else await self._worker(alert)
            user = await self._session.get(User, user_id) if user_id is not None else None
            standing: Sequence[User] = [user] if user is not None and not user.left_at else []
        elif rung == "named":
            standing = self._kept_to[alert.case_id or 0]
        else:
            standing = await self._stand(alert.contract, rung)
        shut_out = self._shut_out.get(alert.case_id or 0, frozenset())
        shut_out |= self._complained_about.get(alert.complaint_id or 0, frozenset())
        shut_out |= self._not_of_incident.get(alert.incident_id or 0, frozenset())
        shut_out |= self._not_of_request.get(alert.request_id or 0, frozenset())
        reachable = (
            (user, working(user, self._reach))
            for user in standing
            if user.id not in shut_out
            and not is_their_own(alert, user.id)
            and (alert.reference != UNPLACED or _reads_unplaced(user))
        )
        return [(user, addresses) for user, addresses in reachable if addresses]

    async def _worker(self, alert: Alert) -> int | None:
        """Whoever has the case, or stands in on it while they are away."""
        case = await self._session.get(Case, alert.case_id) if alert.case_id else None
        return await covers.who_acts(self._session, case, self._now) if case else None

    async def _stand(self, contract: str, rung: str) -> Sequence[User]:
        key = (contract, rung)
        if key not in self._standing:
            match rung:
                case "on_call":
                    found = await rota.first_line(self._session, contract, self._now)
                    if all(_is_doubtful(user) for user in found):
                        more = await rota.backups(self._session, contract, self._now)
                        found = list({user.id: user for user in [*found, *more]}.values())
                case "backup":
                    found = await rota.backups(self._session, contract, self._now)
                case "manager":
                    found = await rota.managers(self._session, contract, self._now)
                case "safeguarding":
                    found = await rota.safeguarding_leads(self._session, contract)
                case "complaints":
                    found = await rota.complaints_officers(self._session, contract)
                case _:
                    found = await rota.leads(self._session, contract)
            self._standing[key] = found
        return self._standing[key]

    def _climbed(
        self, alert: Alert, rung: int, between: timedelta, user_ids: Sequence[int]
    ) -> None:
        alert.rung, alert.next_rung_at = rung + 1, self._now + between
        desks = (CALENDAR, PAPERS, OWED, LIST, REPORTS, KEPT, SETTINGS, *WATCHED)
        is_for_a_desk = alert.reference in desks
        if is_for_a_desk or alert.kind == AlertKind.TASK:  # nobody is woken for these
            contract = self._contracts[alert.contract]
            alert.next_rung_at = office_time(contract, self._now + DAY)
        self._said.append(
            events.line(
                "alert.asked" if user_ids else "alert.nobody",
                self._now,
                contract=alert.contract,
                case_id=alert.case_id,
                alert=alert.id,
                rung=rung,
                users=list(user_ids),
            )
        )


Standing = list[tuple[User, dict[str, str]]]


def _reads_unplaced(user: User) -> bool:
    return seeing.unplaced(Actor(user.id or 0, user.shown_name, Role(user.role), user.contract))


def _is_doubtful(user: User) -> bool:
    """Whether texts do not arrive on their telephone: they wrote STOP, or it takes none."""
    return user.opted_out_at is not None or user.bad_since is not None


def _with_somebody_sure(people: Sequence[Standing], rung: int) -> Standing:
    """Whoever stands on this rung; where it is doubtful that any of them is reached, the first
    after them of whom it is not is asked in the same moment."""
    standing = people[rung % len(people)]
    if not all(_is_doubtful(user) for user, _ in standing):
        return standing
    for step in range(1, len(people)):
        sure = [one for one in people[(rung + step) % len(people)] if not _is_doubtful(one[0])]
        if sure:
            return [*standing, *sure]
    return standing


async def send_one(
    session: AsyncSession,
    wording: Wording,
    reach: Reach,
    user_id: int,
    way: tuple[str, str],
    alerts: Sequence[Alert],
    code: str,
    now: datetime,
) -> None:
    """One message to one person by one way (means, address) about these alerts, the worst first:
    a text, a letter or a telephone call. Answering with `code` takes them; on the telephone, 1."""
    means, address = way
    worst = alerts[0]
    text = wording.say(
        "alert" if len(alerts) == 1 else "alerts",
        reference=worst.reference,
        colour=worst.colour.upper(),
        spoken=AlertKind(worst.kind).spoken,
        code=code,
        count=len(alerts),
        link=f"{reach.site}{place_of(worst)}" if reach.site and means in LINKED else "",
    )
    if means == "email" and reach.site:
        text = f"{text}\n\n{reach.site}{place_of(worst) if len(alerts) == 1 else '/inbox'}"
    message = await outbox.queue(
        session,
        worst.contract,
        means,
        address,
        text,
        now,
        alert_id=worst.id,
        choices=code,
    )
    await session.flush()
    if means == ringing.CHANNEL:
        await ringing.prepare(session, message, user_id, now)
    session.add_all(
        Page(
            alert_id=alert.id or 0,
            user_id=user_id,
            rung=max(alert.rung - 1, 0),
            at=now,
            channel=means,
            message_id=message.id,
            code=code,
        )
        for alert in alerts
    )


def office_time(contract: Contract, at: datetime) -> datetime:
    """`at`, or when the contract's next office day begins."""
    days = contract.days.beyond(contract.days.day_of(at))
    return ladder.office_time(at, contract.zone, days.is_working)


def place_of(alert: Alert) -> str:
    """Where in the console the alert is about: an address without anything personal."""
    if alert.case_id is not None:
        return f"/cases/{alert.reference}"
    if alert.complaint_id is not None:
        return f"/complaints/{alert.reference}"
    if alert.incident_id is not None:
        return f"/incidents/{alert.reference}"
    if alert.request_id is not None:
        return f"/rights/{alert.reference}"
    if alert.reference == UNPLACED:
        return "/tray"
    if alert.reference in WATCHED:
        return "/audit"
    desks = {PAPERS: "/papers", OWED: "/obligations", LIST: "/register", REPORTS: "/reports"}
    desks |= {KEPT: "/rights/kept", SETTINGS: "/settings"}
    if alert.reference in desks:
        return desks[alert.reference]
    kind = AlertKind(alert.kind)
    places = {AlertKind.TRAY: "/tray", AlertKind.TEST: "/account"}
    if kind in (AlertKind.ROTA_GAP, AlertKind.ROTA_NOBODY):
        return "/rota"
    return places.get(kind, "/inbox")


def working(user: User, reach: Reach = Reach()) -> dict[str, str]:
    """Means → address, of the ways by which this person can be asked now. STOP is about texts: a
    telephone that gets none can still be rung."""
    text = user.mobile if user.opted_out_at is None else None
    known = {"telegram": user.telegram, "sms": text, "voice": user.mobile, "email": user.email}
    return {
        means: address for means, address in known.items() if address and means in reach.channels
    }


async def _give_back(session: AsyncSession, now: datetime, limit: int) -> int:
    """Alerts that somebody took: done when they have acted on the case since, otherwise the ladder
    goes on where it stood."""
    taken = (
        await session.scalars(
            select(Alert)
            .where(col(Alert.act_by) <= now)
            .order_by(col(Alert.act_by))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for alert in taken:
        alert.act_by = None
        if alert.ended_at is not None or await _has_acted(session, alert):
            continue
        let_lie = alert.acknowledged_by_id
        alert.acknowledged_at, alert.acknowledged_by_id, alert.next_rung_at = None, None, now
        await events.record(
            session,
            "alert.given_back",
            now,
            contract=alert.contract,
            case_id=alert.case_id,
            alert=alert.id,
            user=let_lie,
        )
    await session.flush()
    return len(taken)


def is_acted_on() -> ColumnElement[bool]:
    """That anybody of ours has done something about an alert's case since it was taken, or its
    taker since it was raised: whoever answers first and takes it afterwards has acted."""
    taker = and_(
        col(Event.by_user_id) == col(Alert.acknowledged_by_id),
        col(Event.at) >= col(Alert.raised_at),
    )
    return exists(
        select(col(Event.id))
        .where(
            col(Event.case_id) == col(Alert.case_id),
            col(Event.kind).in_(ACTS),
            col(Event.by_user_id).is_not(None),
            or_(col(Event.at) >= col(Alert.acknowledged_at), taker),
        )
        .correlate(Alert)
    )


async def _has_acted(session: AsyncSession, alert: Alert) -> bool:
    """Whether something was done about what the alert is about."""
    if (alert.complaint_id, alert.incident_id, alert.request_id) != (None, None, None):
        return await _has_added(session, alert)
    if alert.case_id is None:
        return False  # what lies in the tray ends its alert when it is dealt with
    done = select(col(Alert.id)).where(col(Alert.id) == alert.id, is_acted_on())
    return await session.scalar(done) is not None


async def _has_added(session: AsyncSession, alert: Alert) -> bool:
    """Whether anybody has added a line to the complaint, incident or request since the alert was
    taken."""
    entry: type[ComplaintEntry] | type[IncidentEntry] | type[RequestEntry] = ComplaintEntry
    of = col(ComplaintEntry.complaint_id) == alert.complaint_id
    if alert.incident_id is not None:
        entry, of = IncidentEntry, col(IncidentEntry.incident_id) == alert.incident_id
    if alert.request_id is not None:
        entry, of = RequestEntry, col(RequestEntry.request_id) == alert.request_id
    added = select(col(entry.id)).where(
        of, col(entry.by_user_id).is_not(None), col(entry.written_at) >= alert.acknowledged_at
    )
    return await session.scalar(added.limit(1)) is not None


async def free_code(session: AsyncSession, user_id: int) -> str:
    """Four digits that none of this person's messages of the last day carries."""
    used = set(
        await session.scalars(
            select(col(Page.code))
            .where(col(Page.user_id) == user_id)
            .order_by(col(Page.at).desc())
            .limit(2000)
        )
    )
    for _ in range(50):
        code = f"{secrets.randbelow(10_000):04}"
        if code not in used:
            break
    return code
