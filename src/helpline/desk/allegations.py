"""What was alleged, as told by whom, and whether it is handled as an allegation, a concern about
standards of care or a complaint. Called by the pages of a case and by whatever is owed because of
it. We write down what others said and never whether it is true.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import escalation, events, kinds, parts
from helpline.desk.duties import notices
from helpline.desk.holding import hold, twin
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Allegation, AllegationTrack, Case, Person, User
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import (
    AlertKind,
    AllegationType,
    AllegedBy,
    CaseKind,
    CaseStatus,
    PartRole,
    Teller,
    Track,
)

LONGEST_WORDS = 4000
LONGEST_NAME = 120
LONGEST_WHY = 500
MOST_ON_A_CASE = 20
SAME = ("case_id", "person_id", "words", "types", "made_by", "track", "ended_at")
"""What is alike in one that was sent twice; whoever told us "now" has moved on by then."""
CHOOSE_WHOM = "Choose whom it is about: the person of the case, or somebody who lives there."
SAY_WHO_TOLD = "Say who told us: the person themself, or who else."
SAY_WHO_SAID = "Say who told you so. We never decide this ourselves."
SAY_THE_REASON = "Say in a few words what they gave as the reason."
STILL_TO_COME = "That time is still to come: give when they said it."
WHY_KIND = "What was alleged is handled so."
"""Why the case is of that kind, in its history."""
NEVER_ABOUT = (PartRole.ALLEGED_BY, PartRole.PROFESSIONAL)
"""Parts whose holders an allegation on this case is not about."""


@dataclass(frozen=True)
class Told:
    """What we were told. Everything but who it is about may be unknown; `told_at` is when they told
    us, and the clocks run from there."""

    person_id: int
    told_at: datetime
    words: str = ""
    whose_words: str = Teller.CARER
    types: Sequence[str] = ()
    made_by: str = AllegedBy.NOT_TOLD
    made_by_words: str = ""
    told_by: str = ""
    told_to: str = ""
    track: str = Track.UNKNOWN
    track_said_by: str = ""


async def record(
    session: AsyncSession, contract: Contract, case: Case, told: Told, by: Actor, now: datetime
) -> Allegation:
    """Write down what was alleged (A18, P03). The case takes the pathway, the clocks that an
    allegation begins run from when we were told, and the safeguarding lead is asked at once."""
    require(by, "pathway.write", case.contract)
    _must_be_open(case)
    made = await _read(session, case, told, by, now)
    before = await twin(session, made, by, now, who="recorded_by_id", at="recorded_at", same=SAME)
    if before is not None:
        return before
    await hold(session, case)
    if len(await of_case(session, case.id or 0)) >= MOST_ON_A_CASE:
        raise InvalidInput(f"A case shows {MOST_ON_A_CASE} at most. Open another case.")
    session.add(made)
    await session.flush()
    said_by = in_a_line(told.track_said_by, LONGEST_NAME) or None
    _track_row(session, made, Track(made.track), said_by, made.told_at, None, by, now)
    await events.on_case(
        session, "allegation.recorded", case, now, by, allegation=made.id, track=made.track
    )
    if Track(made.track).has_duties:
        await _start(session, contract, case, made, made.aware_at, now)
    await _follow(session, contract, case, by, now)
    return made


async def move(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation_id: int,
    track: str,
    said_by: str,
    said_at: datetime,
    why: str,
    by: Actor,
    now: datetime,
) -> Allegation:
    """Somebody now says that it is handled as something else. The way it came stays to be read.
    Where it becomes an allegation the clocks run from when that was said; none is cancelled when it
    stops being one: whoever decides about a notice says so there."""
    require(by, "pathway.write", case.contract)
    found = await find_open(session, case, allegation_id)
    if track not in list(Track):
        raise InvalidInput("Choose what it is handled as now.")
    if track == found.track:
        raise Conflict("It is handled as that already.")
    who = in_a_line(said_by, LONGEST_NAME, SAY_WHO_SAID)
    reason = in_a_line(why, LONGEST_WHY, SAY_THE_REASON)
    _must_be_past(said_at, now)
    before, found.track = found.track, track
    _track_row(session, found, Track(track), who, said_at, reason, by, now)
    await session.flush()
    detail = {"allegation": found.id, "track": track, "before": before}
    await events.on_case(session, "allegation.moved", case, now, by, **detail)
    if Track(track).has_duties and not Track(before).has_duties:
        await _start(session, contract, case, found, said_at, now)
    await _follow(session, contract, case, by, now)
    return found


async def take_back(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation_id: int,
    why: str,
    by: Actor,
    now: datetime,
) -> None:
    """It was written down by mistake: twice, or on the wrong case. It stays to be read, and its
    deadlines stay open, because somebody decides about each of those."""
    require(by, "pathway.write", case.contract)
    found = await find_open(session, case, allegation_id)
    said = in_a_line(why, LONGEST_WHY, "Say what the mistake was. It is no word on what is true.")
    found.ended_at, found.ended_by_id, found.ended_why = now, by.user_id, said
    await session.flush()
    await escalation.end(session, _alert_key(found), now)
    await events.on_case(session, "allegation.taken_back", case, now, by, allegation=found.id)
    await _follow(session, contract, case, by, now)


async def of_case(session: AsyncSession, case_id: int) -> list[Allegation]:
    """What stands on a case that the caller has found for its asker, the oldest first."""
    found = await session.scalars(
        select(Allegation)
        .where(col(Allegation.case_id) == case_id, col(Allegation.ended_at).is_(None))
        .order_by(col(Allegation.id))
    )
    return list(found)


async def find(session: AsyncSession, case: Case, allegation_id: int) -> Allegation:
    """One that stands on this case, held until the transaction ends; NotFound for any other."""
    found = await session.get(
        Allegation, allegation_id, with_for_update=True, populate_existing=True
    )
    if found is None or found.case_id != case.id or found.ended_at is not None:
        raise NotFound("There is no such entry on this case.")
    return found


async def find_open(session: AsyncSession, case: Case, allegation_id: int) -> Allegation:
    """The same, on a case that is open: on a closed one nothing is changed."""
    _must_be_open(case)
    return await find(session, case, allegation_id)


async def tracks_of(session: AsyncSession, allegation_id: int) -> Sequence[Row[Any]]:
    """How it came to what it is handled as, the oldest first: track, said_by, said_at, why, set_at,
    name (of who wrote it down)."""
    columns = (
        *(col(AllegationTrack.track), col(AllegationTrack.said_by), col(AllegationTrack.said_at)),
        *(col(AllegationTrack.why), col(AllegationTrack.set_at), col(User.shown_name)),
    )
    query = (
        select(*columns)
        .outerjoin(User, col(User.id) == col(AllegationTrack.by_user_id))
        .where(col(AllegationTrack.allegation_id) == allegation_id)
        .order_by(col(AllegationTrack.id))
    )
    return list(await session.execute(query))


async def may_be_about(session: AsyncSession, case: Case) -> dict[int, str | None]:
    """Person id → name of everybody on the case whom an allegation may be about: who the case is
    for first."""
    person = await session.get(Person, case.person_id)
    found = {case.person_id: person.name if person else None}
    for one in await parts.on_case(session, case.id or 0):
        if one.role not in NEVER_ABOUT:
            found.setdefault(one.person_id, one.name)
    return found


def types_of(allegation: Allegation) -> list[AllegationType]:
    return [AllegationType(code) for code in allegation.types.split(",")]


async def _read(
    session: AsyncSession, case: Case, told: Told, by: Actor, now: datetime
) -> Allegation:
    if told.person_id not in await may_be_about(session, case):
        raise InvalidInput(CHOOSE_WHOM)
    if told.track not in list(Track):
        raise InvalidInput("Choose what they say it is: “not known yet” is an answer.")
    if told.made_by not in list(AllegedBy):
        raise InvalidInput("Choose who made it: “not told” is an answer.")
    if told.whose_words not in list(Teller):
        raise InvalidInput("Choose in whose words it stands here.")
    _must_be_past(told.told_at, now)
    return Allegation(
        contract=case.contract,
        case_id=case.id or 0,
        person_id=told.person_id,
        track=told.track,
        types=",".join(_types(told.types)),
        made_by=told.made_by,
        made_by_words=in_a_line(told.made_by_words, LONGEST_NAME) or None,
        words=_words(told.words),
        whose_words=told.whose_words,
        told_by=in_a_line(told.told_by, LONGEST_NAME, SAY_WHO_TOLD),
        told_to=in_a_line(told.told_to, LONGEST_NAME) or by.name,
        told_at=told.told_at,
        aware_at=told.told_at,
        recorded_at=now,
        recorded_by_id=by.user_id,
    )


def _types(given: Iterable[str]) -> list[AllegationType]:
    chosen = set(given)
    if chosen - set(AllegationType):
        raise InvalidInput("Choose the kinds from the list: “not told yet” is an answer.")
    if len(chosen) > 1:
        chosen.discard(AllegationType.NOT_TOLD)
    return [kind for kind in AllegationType if kind in chosen] or [AllegationType.NOT_TOLD]


def _words(text: str) -> str | None:
    plain = text.replace("\0", "").replace("\r\n", "\n").strip()
    if len(plain) > LONGEST_WORDS:
        over = len(plain) - LONGEST_WORDS
        raise InvalidInput(f"This is {over} characters too long. What was said is enough.")
    return plain or None


def _track_row(
    session: AsyncSession,
    allegation: Allegation,
    track: Track,
    said_by: str | None,
    said_at: datetime,
    why: str | None,
    by: Actor,
    now: datetime,
) -> None:
    session.add(
        AllegationTrack(
            allegation_id=allegation.id or 0,
            track=track,
            said_by=said_by,
            said_at=said_at,
            why=why,
            set_at=now,
            by_user_id=by.user_id,
        )
    )


async def _start(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    allegation: Allegation,
    since: datetime,
    now: datetime,
) -> None:
    """What is owed to others begins to run, once; and the safeguarding lead is told (P05)."""
    if allegation.clocks_from is None:
        allegation.clocks_from = since
        await notices.owe(session, contract, case, allegation, since)
    cause = escalation.Cause(
        AlertKind.ALLEGATION,
        _alert_key(allegation),
        case.reference,
        case_id=case.id,
        rungs=("safeguarding",),
    )
    await session.flush()
    await escalation.raise_alert(session, contract, cause, now)


def _alert_key(allegation: Allegation) -> str:
    return f"allegation:{allegation.id}"


async def _follow(
    session: AsyncSession, contract: Contract, case: Case, by: Actor, now: datetime
) -> None:
    """The case is of the kind of the gravest that stands on it."""
    tracks = {Track(one.track) for one in await of_case(session, case.id or 0)}
    is_allegation = any(track.has_duties for track in tracks)
    kind = CaseKind.ALLEGATION if is_allegation else CaseKind.STANDARDS
    if tracks and case.kind != kind:
        await kinds.change(session, contract, case, kind, WHY_KIND, by, now)


def _must_be_open(case: Case) -> None:
    if case.status != CaseStatus.OPEN:
        raise Conflict("This case is closed. Open it again first.")


def _must_be_past(at: datetime, now: datetime) -> None:
    if at > now:
        raise InvalidInput(STILL_TO_COME)
