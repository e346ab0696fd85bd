"""The directory of who else helps: found, written down, checked again, ended.

Called by web/pages/partners and desk/referrals. The contract's own signposts and partners stand in
the list too and are changed in its file only. Names are sealed, so a search looks at the words
after they were opened: a directory has hundreds of entries, never thousands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events, stale
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput, NotFound
from helpline.models import Partner
from helpline.rules.permissions import Actor, require
from helpline.vocabulary import PartnerApproval, PartnerKind

OLD_AFTER = timedelta(days=90)
MOST = 500
LONGEST: Mapping[str, int] = {
    "name": 120,
    "skills": 500,
    "hours": 120,
    "telephone": 40,
    "email": 200,
    "notes": 2000,
    "approval_words": 300,
}
CONTRACT = "contract"
"""The kind under which the contract's own entries are found."""


@dataclass(frozen=True)
class Typed:
    """An entry as somebody typed it."""

    kind: str
    name: str
    skills: str
    hours: str = ""
    areas: Sequence[str] = ()
    telephone: str = ""
    email: str = ""
    notes: str = ""
    approval: str = PartnerApproval.NOT_NEEDED
    approval_words: str = ""


@dataclass(frozen=True)
class Listed:
    """One entry as the list shows it. `id` None: the contract's own, named by `code`."""

    id: int | None
    code: str | None
    contract: str
    kind: str
    name: str
    skills: str
    hours: str
    areas: tuple[str, ...]
    telephone: str
    email: str
    notes: str
    approval: str
    approval_words: str
    verified_on: date | None
    is_old: bool

    @property
    def can_be_asked(self) -> bool:
        """Whether a case may be referred to them: the council has agreed where it must."""
        return not PartnerApproval(self.approval).stops_referrals

    def fits(self, kind: str, area: str, words: str) -> bool:
        """Whether it is what somebody looks for. No area of its own: it helps everywhere."""
        said = f"{self.name} {self.skills} {self.notes} {self.telephone}".lower()
        return (
            (not kind or self.kind == kind)
            and (not area or not self.areas or area in self.areas)
            and all(word in said for word in words.lower().split())
        )


async def listed(
    session: AsyncSession,
    contracts: Sequence[Contract],
    now: datetime,
    *,
    kind: str = "",
    area: str = "",
    words: str = "",
) -> list[Listed]:
    """The directory of these contracts in order of kind and name, the contract's own last."""
    keys = [contract.key for contract in contracts]
    rows = await session.scalars(
        select(Partner)
        .where(col(Partner.contract).in_(keys), col(Partner.ended_at).is_(None))
        .order_by(col(Partner.id))
        .limit(MOST)
    )
    zones = {contract.key: contract.zone for contract in contracts}
    found = [_entry(row, _today(zones[row.contract], now)) for row in rows.all()]
    order = list(PartnerKind)
    found.sort(key=lambda one: (order.index(PartnerKind(one.kind)), one.name.lower()))
    for contract in contracts:
        found += _own(contract, _today(contract.zone, now))
    return [one for one in found if one.fits(kind, area, words)]


async def find(
    session: AsyncSession, partner_id: int, by: Actor, action: str, *, lock: bool = False
) -> Partner:
    """One entry that `by` may do `action` with; NotFound otherwise, and for an ended one."""
    found = await session.get(Partner, partner_id, with_for_update=lock or None)
    if found is None or found.ended_at is not None:
        raise NotFound("There is no such partner in the directory.")
    require(by, action, found.contract)
    return found


def mark_of(found: Partner) -> str:
    """Of the details that a page shows."""
    return stale.mark_of(found.changed_at or found.made_at)


def shown(found: Partner, contract: Contract, now: datetime) -> Listed:
    """One entry as the list shows it."""
    return _entry(found, _today(contract.zone, now))


async def add(
    session: AsyncSession, contract: Contract, typed: Typed, by: Actor, now: datetime
) -> Partner:
    """Write a partner down; whoever does so has looked at the details today."""
    require(by, "partner.write", contract.key)
    found = Partner(
        contract=contract.key,
        made_at=now,
        made_by_id=by.user_id,
        verified_on=_today(contract.zone, now),
        verified_by_id=by.user_id,
        kind=PartnerKind.OTHER,
        name="",
        skills="",
    )
    _fill(found, contract, typed)
    session.add(found)
    await session.flush()
    await _event(session, "partner.added", found, by, now)
    return found


async def change(
    session: AsyncSession,
    contract: Contract,
    found: Partner,
    typed: Typed,
    by: Actor,
    now: datetime,
    seen: str = "",
) -> None:
    """New details. Cases that were referred keep the kind they were referred to. `seen`: the mark
    of the details that the page showed (desk/stale.py); Conflict where they are others now."""
    require(by, "partner.write", found.contract)
    stale.must_be_fresh(seen, found.changed_at or found.made_at)
    _fill(found, contract, typed)
    found.changed_at = now
    found.verified_on, found.verified_by_id = _today(contract.zone, now), by.user_id
    await session.flush()
    await _event(session, "partner.changed", found, by, now)


async def verify(
    session: AsyncSession, contract: Contract, found: Partner, by: Actor, now: datetime
) -> None:
    """Somebody rang or looked: the details are still right today."""
    require(by, "partner.verify", found.contract)
    found.verified_on, found.verified_by_id = _today(contract.zone, now), by.user_id
    await session.flush()
    await _event(session, "partner.verified", found, by, now)


async def end(session: AsyncSession, found: Partner, by: Actor, now: datetime) -> None:
    """They are asked no more. What was asked of them stays on the cases."""
    require(by, "partner.write", found.contract)
    found.ended_at, found.ended_by_id = now, by.user_id
    await session.flush()
    await _event(session, "partner.ended", found, by, now)


def _fill(found: Partner, contract: Contract, typed: Typed) -> None:
    if typed.kind not in list(PartnerKind):
        raise InvalidInput("Choose what kind of partner they are.")
    if typed.approval not in list(PartnerApproval):
        raise InvalidInput("Say whether the council has to agree to them.")
    if unknown := set(typed.areas) - {area.code for area in contract.quadrants}:
        raise InvalidInput(f"The contract has no area “{sorted(unknown)[0][:40]}”.")
    said = {name: _line(typed, name) for name in LONGEST}
    if not said["name"]:
        raise InvalidInput("Give their name.")
    if not said["skills"]:
        raise InvalidInput("Say what they can be asked for.")
    if not said["telephone"] and not said["email"]:
        raise InvalidInput("Give a telephone number or an e-mail address.")
    is_settled = typed.approval in (PartnerApproval.APPROVED, PartnerApproval.REFUSED)
    if is_settled and not said["approval_words"]:
        raise InvalidInput("Say who at the council decided, and when.")
    found.kind, found.name, found.skills = typed.kind, said["name"], said["skills"]
    found.hours, found.areas = said["hours"], ",".join(dict.fromkeys(typed.areas))
    found.telephone, found.email = said["telephone"] or None, said["email"] or None
    found.notes = said["notes"] or None
    found.approval, found.approval_words = typed.approval, said["approval_words"] or None


def _line(typed: Typed, name: str) -> str:
    try:
        return in_a_line(getattr(typed, name), LONGEST[name])
    except InvalidInput:
        words = "approval" if name == "approval_words" else name
        raise InvalidInput(
            f"Say it shorter: of {words}, {LONGEST[name]} characters are enough."
        ) from None


def _entry(row: Partner, today: date) -> Listed:
    return Listed(
        id=row.id,
        code=None,
        contract=row.contract,
        kind=row.kind,
        name=row.name,
        skills=row.skills,
        hours=row.hours,
        areas=tuple(row.areas.split(",")) if row.areas else (),
        telephone=row.telephone or "",
        email=row.email or "",
        notes=row.notes or "",
        approval=row.approval,
        approval_words=row.approval_words or "",
        verified_on=row.verified_on,
        is_old=row.verified_on is None or today - row.verified_on > OLD_AFTER,
    )


def _own(contract: Contract, today: date) -> list[Listed]:
    """The contract's partners and signposts, as its file has them."""
    own = [(one, one.role, "", "") for one in contract.partners]
    own_signposts = [(one, one.when, one.contact, one.hours) for one in contract.signposts]
    return [
        Listed(
            id=None,
            code=one.code,
            contract=contract.key,
            kind=CONTRACT,
            name=one.name,
            skills=skills,
            hours=hours,
            areas=(),
            telephone=contact,
            email="",
            notes="",
            approval=PartnerApproval.NOT_NEEDED,
            approval_words="",
            verified_on=one.last_verified,
            is_old=one.mark == "from knowledge"
            and (one.last_verified is None or today - one.last_verified > OLD_AFTER),
        )
        for one, skills, contact, hours in (*own, *own_signposts)
    ]


def _today(zone: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


async def _event(
    session: AsyncSession, kind: str, found: Partner, by: Actor, now: datetime
) -> None:
    await events.record(
        session, kind, now, contract=found.contract, by=by.user_id, partner=found.id
    )
