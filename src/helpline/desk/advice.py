"""Advice that only somebody qualified may give: who gave it, and by what qualification (A28).

Asked when a case closes with legal or medical advice among what was provided, once for each; kept
with the case and printed in its file. Called by desk/cases and the case's page. Commits nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.contract.parts import Support
from helpline.desk import events
from helpline.desk.said import in_a_line
from helpline.errors import InvalidInput
from helpline.models import AdviceGiven, Case, Partner, StaffPaper, User
from helpline.rules.permissions import Actor
from helpline.vocabulary import CASEWORKERS, PaperKind, PartnerKind

ASKED: Final = ("legal", "medical")
QUALIFIES: Final = (PaperKind.QUALIFICATION, PaperKind.REGISTRATION)
FITS: Final = {"legal": PartnerKind.SOLICITOR}
"""Whom the list offers first."""
ELSE: Final = "else"
LONGEST: Final = 160


@dataclass(frozen=True)
class Typed:
    """As somebody typed it: `who` an Adviser's key, or "else" with a `name`."""

    who: str = ""
    name: str = ""
    qualification: str = ""


@dataclass(frozen=True)
class Adviser:
    """Somebody who may be chosen: a partner of the directory, or one of our people with a
    qualification that holds today, which then stands for itself."""

    key: str
    name: str
    kind: str = ""
    qualification: str = ""


def asked_of(contract: Contract, supports: Collection[str]) -> list[Support]:
    """Those of `supports` that need to be known by whom they were given."""
    return [one for one in contract.support if one.code in supports and one.needs in ASKED]


def codes_asked(contract: Contract) -> list[str]:
    """Every support of the contract of which it is asked."""
    return [one.code for one in asked_of(contract, {one.code for one in contract.support})]


def by_support(contract: Contract, found: Sequence[Adviser]) -> dict[str, list[Adviser]]:
    """Support → who may have given it, whoever fits best first."""
    asked = asked_of(contract, codes_asked(contract))
    return {
        one.code: sorted(found, key=lambda adviser: adviser.kind != FITS.get(one.needs or "", ""))
        for one in asked
    }


def named_in(contract: Contract, problem: str) -> str:
    """The code of the support that a refusal of `take_down` is about; else empty."""
    asked = asked_of(contract, codes_asked(contract))
    return next((one.code for one in asked if problem.startswith(f"{one.name}: ")), "")


async def advisers(session: AsyncSession, contract: Contract, now: datetime) -> list[Adviser]:
    """Who may have given advice: the partners by name, then our own people."""
    partners = await session.scalars(
        select(Partner).where(
            col(Partner.contract) == contract.key, col(Partner.ended_at).is_(None)
        )
    )
    outside = [Adviser(f"partner:{one.id}", one.name, one.kind) for one in partners]
    outside.sort(key=lambda one: one.name.casefold())
    day = contract.days.day_of(now)
    papers = await session.execute(
        select(StaffPaper, col(User.shown_name))
        .join(User, col(User.id) == col(StaffPaper.user_id))
        .where(
            col(StaffPaper.kind).in_(QUALIFIES),
            col(StaffPaper.ended_at).is_(None),
            col(StaffPaper.valid_from) <= day,
            or_(col(StaffPaper.valid_until).is_(None), col(StaffPaper.valid_until) >= day),
            col(User.left_at).is_(None),
            col(User.role).in_(CASEWORKERS),
            or_(col(User.contract).is_(None), col(User.contract) == contract.key),
        )
        .order_by(col(User.shown_name), col(StaffPaper.id))
    )
    ours = [
        Adviser(f"paper:{paper.id}", name, qualification=paper.title or "")
        for paper, name in papers
        if paper.title
    ]
    return [*outside, *ours]


async def known(session: AsyncSession, case: Case) -> dict[str, AdviceGiven]:
    """Support → what was last written down of it."""
    rows = await session.scalars(
        select(AdviceGiven).where(col(AdviceGiven.case_id) == case.id).order_by(col(AdviceGiven.id))
    )
    return {one.support: one for one in rows}


async def take_down(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    supports: Sequence[str],
    typed: Mapping[str, Typed],
    by: Actor,
    now: datetime,
) -> None:
    """Keep who gave each advice that needs a qualification. InvalidInput where nobody says; what
    was said when the case was closed before need not be said again."""
    before = await known(session, case)
    for support in asked_of(contract, supports):
        said = typed.get(support.code, Typed())
        if support.code in before and not said.who:
            continue
        row = await _row(session, contract, case, support, said, now)
        row.by_user_id = by.user_id
        session.add(row)
        await session.flush()
        await events.on_case(
            session, "advice.noted", case, now, by, advice=row.id, support=support.code
        )


async def _row(
    session: AsyncSession,
    contract: Contract,
    case: Case,
    support: Support,
    said: Typed,
    now: datetime,
) -> AdviceGiven:
    about = f"{support.name}: "
    row = AdviceGiven(
        contract=case.contract,
        case_id=case.id or 0,
        support=support.code,
        needs=support.needs or "",
        qualification="",
        at=now,
        by_user_id=0,
    )
    qualification = in_a_line(said.qualification, LONGEST)
    if said.who == ELSE:
        row.who = in_a_line(said.name, LONGEST, about + "write the name of who gave it.")
    else:
        found = await advisers(session, contract, now)
        chosen = next((one for one in found if one.key == said.who), None)
        if chosen is None:
            raise InvalidInput(about + "say who gave it. Only somebody qualified may.")
        kind, _, number = chosen.key.partition(":")
        if kind == "partner":
            row.partner_id = int(number)
        else:
            paper = await session.get(StaffPaper, int(number))
            assert paper is not None
            row.user_id = paper.user_id
        qualification = qualification or chosen.qualification
    if not qualification:
        raise InvalidInput(about + "say by what qualification they gave it.")
    row.qualification = qualification
    return row
