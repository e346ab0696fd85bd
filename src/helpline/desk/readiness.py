"""What rules/readiness looks at, gathered for one contract: settings, the database, what providers
answered. Called by the page /start, by `helpline ready` and at the start of a helpline. Writes
nothing; the providers have been asked before (desk/wiring).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.channels import Wiring
from helpline.contract import Contract, warnings
from helpline.desk import anchoring, backups, climbing, keyring, rota, trials
from helpline.desk.wiring import Answers
from helpline.models import Alert, JobRun, Node, Page, User, metadata
from helpline.rules import readiness, saying
from helpline.rules.readiness import Colleague, Facts, Line, Way
from helpline.sealing import ring
from helpline.settings import Settings
from helpline.templating import Wording
from helpline.vocabulary import CASEWORKERS, AlertKind, Role

AHEAD = timedelta(days=7)
HOOKS = {"sms": "/hooks/sms", "voice": "/hooks/voice", "telegram": "/hooks/telegram"}
FACTORS = ("authenticator", "passkey")
FICTIONAL = "fictional, for the demo"
"""How contract/doubts begins to say it."""


async def lines(
    session: AsyncSession,
    settings: Settings,
    contract: Contract,
    channels: frozenset[str],
    answers: Answers,
    now: datetime,
) -> list[Line]:
    """Everything that one contract's helpline needs, in the order in which it is set up."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    doubts = [one.reason for one in warnings(contract, today)]
    fictional = [one for one in doubts if FICTIONAL in one]
    tried = await trials.newest(session, contract.key)
    good = await backups.newest_good(session)
    digests = await anchoring.lately(session, 1)
    gaps = await rota.gaps(session, contract.key, now, now + AHEAD)
    node = await _node(session)
    facts = Facts(
        public_url=settings.public_url,
        second_is_required=settings.second_factor_required,
        key_copy_seen=await _copy_seen(session),
        term=(contract.term.start, contract.term.last_day),
        fictional=len(fictional),
        doubts=len(doubts),
        ways=[
            _way(code, settings, contract.key, channels, answers, tried)
            for code in ("sms", "voice", "whatsapp", "telegram", "email")
        ],
        people=await _people(session, contract.key, channels),
        is_anybody_on_call=bool(await rota.first_line(session, contract.key, now)),
        first_gap=gaps[0][0] if gaps else None,
        has_backup=await _has_backup(session, contract.key, now),
        backup_dir=str(settings.backup_dir or ""),
        backed_up_at=good.started_at if good else None,
        heartbeat_is_set=bool(settings.heartbeat_url),
        heart_beat_at=await _good_at(session, "heartbeat"),
        digest_leaves=bool(settings.audit_addresses or settings.audit_file),
        digest_at=digests[0].made_at if digests else None,
        clock_ahead=node.clock_ahead if node else None,
        is_running=node is not None,
        late_jobs=await _late(session, now),
    )
    return readiness.lines(facts, today, now)


def said(wording: Wording, line: Line, zone: str, now: datetime) -> tuple[str, str]:
    """What a line is called, and how it stands, in one sentence."""
    values = {name: saying.phone(value) for name, value in line.values.items()}
    if "at" in values:
        values["at"] = saying.when(datetime.fromisoformat(values["at"]), now=now, zone=zone)
    title = wording.say(f"start.title_{line.code}")
    return title, wording.say(f"start.{line.words}", **values)


async def is_empty(session: AsyncSession) -> bool:
    """Whether nobody can sign in yet."""
    return await session.scalar(select(col(User.id)).limit(1)) is None


def _way(
    code: str,
    settings: Settings,
    contract: str,
    channels: frozenset[str],
    answers: Answers,
    tried: Mapping[str, trials.Tried],
) -> Way:
    number = settings.number_of.get(contract, "")
    ours = {
        "sms": number,
        "voice": number,
        "whatsapp": settings.whatsapp_from(contract) if settings.whatsapp_numbers else "",
        "telegram": "telegram",
        "email": settings.mail_from(contract),
    }[code]
    is_on = code in channels and not (code == "whatsapp" and not settings.whatsapp_numbers)
    hook = HOOKS.get(code)
    answer: Wiring | None = answers.get(code)
    asked = "unasked" if code not in answers else "silent" if answer is None else "well"
    if answer is not None and answer.refused:
        asked = answer.refused
    return Way(
        code=code,
        is_on=is_on,
        ours=ours,
        asked=asked,
        wanted=f"{settings.public_url}{hook}" if hook else "",
        called=answer.hooks.get(ours) if answer else None,
        trial=_trial(tried.get(code)),
        is_needed=code == "sms",
    )


def _trial(one: trials.Tried | None) -> str:
    if one is None:
        return ""
    if one.is_elsewhere:
        return "elsewhere"
    if one.has_worked:
        return "worked"
    return "stuck" if one.trial.heard_at is not None else ""


async def _people(
    session: AsyncSession, contract: str, channels: frozenset[str]
) -> Sequence[Colleague]:
    """Everybody who is asked when something happens, and those who administer."""
    users = (
        await session.scalars(
            select(User)
            .where(
                col(User.left_at).is_(None),
                col(User.role).in_([*CASEWORKERS, Role.ADMIN]),
                or_(col(User.contract).is_(None), col(User.contract) == contract),
            )
            .order_by(col(User.shown_name))
        )
    ).all()
    with_second: set[int] = set()
    for name in FACTORS:
        table = metadata.tables[name]
        found = select(table.c.user_id)
        if name == "authenticator":
            found = found.where(table.c.confirmed_at.is_not(None))
        with_second.update(await session.scalars(found))
    answered = set(
        await session.scalars(
            select(col(Page.user_id))
            .join(Alert, col(Alert.id) == col(Page.alert_id))
            .where(col(Alert.kind) == AlertKind.TEST, col(Alert.acknowledged_at).is_not(None))
        )
    )
    reach = climbing.Reach(channels)
    return [
        Colleague(
            user.shown_name,
            user.role,
            user.id in with_second,
            len(climbing.working(user, reach)),
            user.id in answered,
        )
        for user in users
    ]


async def _has_backup(session: AsyncSession, contract: str, now: datetime) -> bool:
    """Whether anybody stands behind the first line in the coming week."""
    found, _ = await rota.whole(session, contract, now, now + AHEAD)
    return any(duty.kind == "backup" for duty, _ in found)


async def _copy_seen(session: AsyncSession) -> bool:
    """Whether somebody showed us a second copy of the key that seals now."""
    first = ring().marks[0]
    seen = {row.mark: row.copy_seen_at for row in await keyring.rows(session)}
    return seen.get(first) is not None


async def _good_at(session: AsyncSession, job: str) -> datetime | None:
    return await session.scalar(select(func.max(col(JobRun.good_at))).where(col(JobRun.job) == job))


async def _node(session: AsyncSession) -> Node | None:
    """The process that was seen last, of those that run."""
    return await session.scalar(
        select(Node)
        .where(col(Node.stopped_at).is_(None))
        .order_by(col(Node.seen_at).desc())
        .limit(1)
    )


async def _late(session: AsyncSession, now: datetime) -> Sequence[str]:
    """Loops that should have moved by now."""
    rows = await session.scalars(select(col(JobRun.job)).where(col(JobRun.late_at) < now))
    return sorted(set(rows))
