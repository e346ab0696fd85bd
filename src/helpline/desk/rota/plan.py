"""Making and changing a rota: shifts, weekly patterns, absences, what workers can do.

Called by the console, the command line, the seed and the job `rota`. What has been is never
rewritten: a shift under way is cut at `now` and goes on as another. Every change takes the
rota's turn first, so that two never cross, and looks for gaps in the same transaction, so that an
alarm is right the moment the page is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.db import insert_for
from helpline.desk import events
from helpline.desk.rota import alarms
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Absence, Shift, ShiftPattern, ShiftSwap, User, UserSkill
from helpline.rules import rota as rules
from helpline.vocabulary import CASEWORKERS, AbsenceKind, ShiftKind, SwapState

HORIZON = timedelta(days=42)
"""So far ahead, patterns are shifts that can be seen, swapped and changed."""
LONGEST = timedelta(days=14)
LONGEST_AWAY = timedelta(days=400)
MOST_WORDS = 30


@dataclass(frozen=True)
class Wanted:
    """A shift as somebody wants it."""

    user_id: int
    kind: ShiftKind
    starts_at: datetime
    ends_at: datetime
    is_override: bool = False


# --- shifts --------------------------------------------------------------------------------------


async def staff(session: AsyncSession, contract: str) -> Sequence[User]:
    """Who can be put on call for this contract, by name."""
    found = await session.scalars(
        select(User)
        .where(
            col(User.role).in_(CASEWORKERS),
            col(User.left_at).is_(None),
            col(User.contract).is_(None) | (col(User.contract) == contract),
        )
        .order_by(col(User.shown_name), col(User.id))
    )
    return list(found)


async def put_on_call(
    session: AsyncSession, contract: Contract, wanted: Wanted, by: int | None, now: datetime
) -> int:
    """Add one shift. InvalidInput for a span that is none, Conflict when they are on call then."""
    await alarms.take_turn(session, contract.key, now)
    _check_span(wanted.starts_at, wanted.ends_at, now)
    await _require_person(session, contract.key, wanted.user_id)
    await _require_free(session, contract.key, wanted, None)
    shift = Shift(
        contract=contract.key,
        user_id=wanted.user_id,
        kind=wanted.kind,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        is_override=wanted.is_override,
    )
    session.add(shift)
    await session.flush()
    assert shift.id is not None
    await _done(session, contract, "shift.added", now, by, shift)
    return shift.id


async def change_shift(
    session: AsyncSession,
    contract: Contract,
    shift_id: int,
    wanted: Wanted,
    by: int,
    now: datetime,
) -> int:
    """Give a shift another person, kind or time. One under way keeps what has been: for another
    person it is cut now and goes on as a new one, whose id is returned."""
    await alarms.take_turn(session, contract.key, now)
    shift = await find_shift(session, contract.key, shift_id, lock=True)
    if shift.ends_at <= now:
        raise Conflict("That shift is over. What has been stays as it was.")
    is_running = shift.starts_at <= now
    starts_at = shift.starts_at if is_running else wanted.starts_at
    _check_span(starts_at, wanted.ends_at, now)
    await _require_person(session, contract.key, wanted.user_id)
    asked = Wanted(wanted.user_id, wanted.kind, max(starts_at, now), wanted.ends_at)
    await _require_free(session, contract.key, asked, shift_id)
    await _void_swaps(session, shift_id, now)
    is_other = (shift.user_id, shift.kind, shift.is_override) != (
        wanted.user_id,
        wanted.kind,
        wanted.is_override,
    )
    if is_running and is_other:
        new = Shift(
            contract=contract.key,
            user_id=wanted.user_id,
            kind=wanted.kind,
            starts_at=now,
            ends_at=wanted.ends_at,
            is_override=wanted.is_override,
            is_changed=True,
        )
        shift.ends_at, shift.is_changed = now, True
        session.add(new)
        shift = new
    else:
        shift.user_id, shift.kind = wanted.user_id, wanted.kind
        shift.starts_at, shift.ends_at = starts_at, wanted.ends_at
        shift.is_override, shift.is_changed = wanted.is_override, True
    await session.flush()
    await _done(session, contract, "shift.changed", now, by, shift)
    assert shift.id is not None
    return shift.id


async def take_away(
    session: AsyncSession, contract: Contract, shift_id: int, by: int, now: datetime
) -> None:
    """The shift is not; one under way ends now. Conflict when it is over."""
    await alarms.take_turn(session, contract.key, now)
    shift = await find_shift(session, contract.key, shift_id, lock=True)
    if shift.ends_at <= now:
        raise Conflict("That shift is over. What has been stays as it was.")
    await _void_swaps(session, shift_id, now)
    if shift.starts_at < now:
        shift.ends_at = now
    else:
        shift.taken_away_at = now
    shift.is_changed = True
    await session.flush()
    await _done(session, contract, "shift.taken_away", now, by, shift)


async def find_shift(
    session: AsyncSession, contract: str, shift_id: int, *, lock: bool = False
) -> Shift:
    """A shift of this contract that has not been taken away; NotFound."""
    shift = await session.get(Shift, shift_id, with_for_update=lock, populate_existing=lock)
    if shift is None or shift.contract != contract or shift.taken_away_at is not None:
        raise NotFound("There is no such shift. Somebody may have taken it away.")
    return shift


async def contract_of_shift(session: AsyncSession, shift_id: int) -> str | None:
    found: str | None = await session.scalar(
        select(col(Shift.contract)).where(col(Shift.id) == shift_id)
    )
    return found


# --- weekly patterns -----------------------------------------------------------------------------


async def add_pattern(
    session: AsyncSession,
    contract: Contract,
    user_id: int,
    kind: ShiftKind,
    weekly: rules.Weekly,
    by: int | None,
    now: datetime,
    *,
    look_for_gaps: bool = True,
) -> int:
    """Begin a pattern and make its shifts of the coming weeks. InvalidInput says what is amiss.

    `look_for_gaps` False: others follow in this transaction, and the last of them looks.
    """
    if not weekly.days:
        raise InvalidInput("Tick at least one day of the week.")
    if not 1 <= weekly.every_weeks <= 8:
        raise InvalidInput("Every how many weeks? Give a number from 1 to 8.")
    if weekly.last_day is not None and weekly.last_day < weekly.first_day:
        raise InvalidInput("The last day lies before the first.")
    await alarms.take_turn(session, contract.key, now)
    await _require_person(session, contract.key, user_id)
    pattern = ShiftPattern(
        contract=contract.key,
        user_id=user_id,
        kind=kind,
        days=",".join(str(day) for day in sorted(weekly.days)),
        begins=weekly.begins,
        ends=weekly.ends,
        first_day=weekly.first_day,
        last_day=weekly.last_day,
        every_weeks=weekly.every_weeks,
        made_at=now,
        made_by_id=by,
        shifts_until=max(weekly.first_day, _today(contract, now) - timedelta(days=1)),
    )
    session.add(pattern)
    await session.flush()
    await events.record(
        session, "pattern.added", now, contract=contract.key, by=by, pattern=pattern.id
    )
    await extend(session, contract, now)
    if look_for_gaps:
        await alarms.look(session, contract, now)
    assert pattern.id is not None
    return pattern.id


async def end_pattern(
    session: AsyncSession,
    contract: Contract,
    pattern_id: int,
    last_day: date,
    by: int,
    now: datetime,
) -> None:
    """No shift of it begins after `last_day`. What somebody changed by hand stays."""
    await alarms.take_turn(session, contract.key, now)
    pattern = await session.get(ShiftPattern, pattern_id, with_for_update=True)
    if pattern is None or pattern.contract != contract.key:
        raise NotFound("There is no such pattern.")
    if pattern.last_day is not None and pattern.last_day <= last_day:
        raise Conflict("This pattern ends by then already.")
    pattern.last_day = last_day
    gone = await session.scalars(
        select(Shift).where(
            col(Shift.pattern_id) == pattern_id,
            col(Shift.day) > last_day,
            col(Shift.starts_at) > now,
            col(Shift.is_changed).is_(False),
            col(Shift.taken_away_at).is_(None),
        )
    )
    for shift in gone:
        shift.taken_away_at = now
        assert shift.id is not None
        await _void_swaps(session, shift.id, now)
    await session.flush()
    await events.record(
        session, "pattern.ended", now, contract=contract.key, by=by, pattern=pattern_id
    )
    await alarms.look(session, contract, now)


async def patterns(session: AsyncSession, contract: str, today: date) -> Sequence[ShiftPattern]:
    """Those that have not ended, by person and beginning."""
    found = await session.scalars(
        select(ShiftPattern)
        .where(
            col(ShiftPattern.contract) == contract,
            col(ShiftPattern.last_day).is_(None) | (col(ShiftPattern.last_day) >= today),
        )
        .order_by(col(ShiftPattern.first_day), col(ShiftPattern.id))
    )
    return list(found)


def weekly_of(pattern: ShiftPattern) -> rules.Weekly:
    """The row as the rules see it."""
    return rules.Weekly(
        frozenset(int(day) for day in pattern.days.split(",")),
        pattern.begins,
        pattern.ends,
        pattern.first_day,
        pattern.last_day,
        pattern.every_weeks,
    )


async def extend(session: AsyncSession, contract: Contract, now: datetime) -> int:
    """Make the shifts of patterns as far as HORIZON; each day of each pattern makes one, ever, so
    that one that was taken away stays away. Returns how many were made."""
    until, made = _today(contract, now) + HORIZON, 0
    for pattern in await session.scalars(
        select(ShiftPattern).where(
            col(ShiftPattern.contract) == contract.key, col(ShiftPattern.shifts_until) < until
        )
    ):
        since, pattern.shifts_until = pattern.shifts_until, until
        for day, (starts_at, ends_at) in rules.shifts(
            weekly_of(pattern), since, until, contract.zone
        ):
            if ends_at > now:
                made += await _make(session, pattern, day, max(starts_at, now), ends_at)
    await session.flush()
    return made


async def _make(
    session: AsyncSession, pattern: ShiftPattern, day: date, starts_at: datetime, ends_at: datetime
) -> int:
    added = await session.scalar(
        insert_for(session, Shift)
        .values(
            contract=pattern.contract,
            user_id=pattern.user_id,
            kind=pattern.kind,
            starts_at=starts_at,
            ends_at=ends_at,
            is_override=False,
            pattern_id=pattern.id,
            day=day,
            is_changed=False,
        )
        .on_conflict_do_nothing(index_elements=["pattern_id", "day"])
        .returning(col(Shift.id))
    )
    return 0 if added is None else 1


# --- absences ------------------------------------------------------------------------------------


async def note_absence(
    session: AsyncSession,
    contracts: Sequence[Contract],
    user_id: int,
    kind: AbsenceKind,
    starts_at: datetime,
    ends_at: datetime,
    by: int,
    now: datetime,
) -> int:
    """Somebody is away: from the first instant on their shifts count as empty, on every rota."""
    if ends_at <= starts_at:
        raise InvalidInput("The absence must end after it begins.")
    if ends_at <= now:
        raise InvalidInput("That lies in the past. What has been stays as it was.")
    if ends_at - starts_at > LONGEST_AWAY:
        raise InvalidInput("An absence can be a year long at most.")
    absence = Absence(
        user_id=user_id,
        kind=kind,
        starts_at=starts_at,
        ends_at=ends_at,
        noted_at=now,
        noted_by_id=by,
    )
    session.add(absence)
    await session.flush()
    await events.record(session, "absence.noted", now, by=by, absence=absence.id, user=user_id)
    for contract in contracts:
        await alarms.look(session, contract, now)
    assert absence.id is not None
    return absence.id


async def end_absence(
    session: AsyncSession,
    contracts: Sequence[Contract],
    absence: Absence,
    by: int,
    now: datetime,
) -> None:
    """They are back, or do not go after all."""
    if absence.ends_at <= now or absence.taken_back_at is not None:
        raise Conflict("That absence is over already.")
    if absence.starts_at < now:
        absence.ends_at = now
    else:
        absence.taken_back_at = now
    await session.flush()
    await events.record(
        session, "absence.ended", now, by=by, absence=absence.id, user=absence.user_id
    )
    for contract in contracts:
        await alarms.look(session, contract, now)


async def absences(
    session: AsyncSession, user_ids: Sequence[int], now: datetime
) -> Sequence[Absence]:
    """Those of these people that are not over, the next first."""
    found = await session.scalars(
        select(Absence)
        .where(
            col(Absence.user_id).in_(user_ids),
            col(Absence.ends_at) > now,
            col(Absence.taken_back_at).is_(None),
        )
        .order_by(col(Absence.starts_at), col(Absence.id))
    )
    return list(found)


# --- what workers can do -------------------------------------------------------------------------


async def set_skills(
    session: AsyncSession,
    user_id: int,
    skills: Sequence[str],
    languages: Sequence[str],
    by: int,
    now: datetime,
) -> None:
    """Write down anew what somebody can do and which languages they speak."""
    words = {("skill", word) for word in _words(skills)}
    words |= {("language", word) for word in _words(languages)}
    await session.execute(delete(UserSkill).where(col(UserSkill.user_id) == user_id))
    session.add_all(
        UserSkill(user_id=user_id, kind=kind, word=word) for kind, word in sorted(words)
    )
    await session.flush()
    await events.record(session, "skills.set", now, by=by, user=user_id, words=len(words))


async def skills_of(
    session: AsyncSession, user_ids: Sequence[int]
) -> dict[int, dict[str, list[str]]]:
    """Person → skill or language → words in alphabetical order."""
    found: dict[int, dict[str, list[str]]] = {}
    for row in await session.scalars(
        select(UserSkill).where(col(UserSkill.user_id).in_(user_ids)).order_by(col(UserSkill.word))
    ):
        found.setdefault(row.user_id, {}).setdefault(row.kind, []).append(row.word)
    return found


def _words(given: Sequence[str]) -> list[str]:
    words = sorted({" ".join(word.lower().split()) for word in given} - {""})
    if len(words) > MOST_WORDS or any(len(word) > 40 for word in words):
        raise InvalidInput(f"At most {MOST_WORDS} words of at most 40 letters, please.")
    return words


# --- what all of these need ----------------------------------------------------------------------


def _today(contract: Contract, now: datetime) -> date:
    return now.astimezone(ZoneInfo(contract.zone)).date()


def local_midnight(day: date, zone: str) -> datetime:
    """The instant at which a local day begins."""
    return rules.instant(datetime.combine(day, time()), zone)


def _check_span(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise InvalidInput("The shift must end after it starts.")
    if ends_at <= now:
        raise InvalidInput("That lies in the past. What has been stays as it was.")
    if ends_at - max(starts_at, now) > LONGEST:
        raise InvalidInput("A shift can be two weeks long at most.")


async def _require_person(session: AsyncSession, contract: str, user_id: int) -> None:
    if user_id not in {user.id for user in await staff(session, contract)}:
        raise InvalidInput("Choose somebody who works on this contract.")


async def _require_free(
    session: AsyncSession, contract: str, wanted: Wanted, apart_from: int | None
) -> None:
    """Nobody has one kind of shift twice at once; a backup may step up to the first line."""
    query = select(col(Shift.id)).where(
        col(Shift.contract) == contract,
        col(Shift.user_id) == wanted.user_id,
        col(Shift.kind) == wanted.kind,
        col(Shift.taken_away_at).is_(None),
        col(Shift.starts_at) < wanted.ends_at,
        col(Shift.ends_at) > wanted.starts_at,
    )
    if apart_from is not None:
        query = query.where(col(Shift.id) != apart_from)
    if await session.scalar(query.limit(1)) is not None:
        raise Conflict("They are on call at that time already. Change that shift instead.")


async def _void_swaps(session: AsyncSession, shift_id: int, now: datetime) -> None:
    """What was asked about a shift that is no longer the same is asked no more."""
    await session.execute(
        update(ShiftSwap)
        .where(
            (col(ShiftSwap.shift_id) == shift_id) | (col(ShiftSwap.for_shift_id) == shift_id),
            col(ShiftSwap.state) == SwapState.ASKED,
        )
        .values(state=SwapState.EXPIRED, closed_at=now)
    )


async def _done(
    session: AsyncSession,
    contract: Contract,
    event: str,
    now: datetime,
    by: int | None,
    shift: Shift,
) -> None:
    await events.record(
        session, event, now, contract=contract.key, by=by, shift=shift.id, user=shift.user_id
    )
    await alarms.look(session, contract, now)
