"""A council's own Word template for one of its reports: handed in, looked at filled with the newest
figures, used from then on, taken back.

Called by web/pages/report_templates.py; whoever makes the files of a report asks `templates_of`. A
template is somebody else's file: it is only ever looked at and filled as reports/word.py does.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, defer
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import events
from helpline.desk.said import in_a_line
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import ReportTemplate, User
from helpline.reports.figures import figures
from helpline.reports.report import Report
from helpline.reports.word_check import LARGEST as LARGEST
from helpline.rules import periods
from helpline.rules.periods import KIND_OF, Period
from helpline.rules.permissions import Actor, require

LONGEST_WHY: Final = 300
LONGEST_NAME: Final = 120


@dataclass(frozen=True)
class Shown:
    """A template in the list. `is_used`: reports are set in it now."""

    row: ReportTemplate
    by: str
    used_by: str | None
    taken_back_by: str | None
    is_used: bool


async def templates_of(session: AsyncSession, contract: Contract, report: str) -> bytes | None:
    """The template that this report is set in now; None: ours."""
    row = await session.scalar(_newest_used(contract, report))
    return content_of(row) if row else None


async def in_use(session: AsyncSession, contract: Contract, report: str) -> ReportTemplate | None:
    """Which one that is, without its bytes."""
    without_bytes = defer(ReportTemplate.content)  # type: ignore[arg-type]  # a column, to SQLModel a str
    return await session.scalar(_newest_used(contract, report).options(without_bytes))


def _newest_used(contract: Contract, report: str) -> Select[ReportTemplate]:
    """The newest of those that are in use and not taken back."""
    return (
        select(ReportTemplate)
        .where(
            col(ReportTemplate.contract) == contract.key,
            col(ReportTemplate.report) == report,
            col(ReportTemplate.used_from).is_not(None),
            col(ReportTemplate.taken_back_at).is_(None),
        )
        .order_by(col(ReportTemplate.used_from).desc(), col(ReportTemplate.id).desc())
        .limit(1)
    )


def content_of(row: ReportTemplate) -> bytes:
    """The file itself. Conflict where it is not the one that was handed in."""
    content = base64.b64decode(row.content)
    if digest(content) != row.sha256:
        raise Conflict("The template was changed since it was handed in. Hand it in again.")
    return content


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def newest_figures(
    session: AsyncSession, contract: Contract, report: str, now: datetime
) -> Report:
    """What a template is tried with: the last whole period, protected as it would be sent."""
    asked = contract.report(report)
    return await figures(
        session, contract, last_whole(contract, asked.every, now), now, False, asked.code
    )


def last_whole(contract: Contract, every: str, now: datetime) -> Period:
    """The newest period of this length that is over."""
    today = now.astimezone(ZoneInfo(contract.zone)).date()
    running = periods.period_containing(today, KIND_OF[every], contract.year_starts_month)
    return periods.previous(running)


# --- what is done --------------------------------------------------------------------------------


async def keep(
    session: AsyncSession,
    contract: Contract,
    report: str,
    name: str,
    content: bytes,
    by: Actor,
    now: datetime,
) -> ReportTemplate:
    """Keep a template that was filled without fault; nothing is set in it before somebody says so.
    The same file again is the one that is there."""
    require(by, "report.template", contract.key)
    contract.report(report)
    sha256 = digest(content)
    there = await session.scalar(
        select(ReportTemplate).where(
            col(ReportTemplate.contract) == contract.key,
            col(ReportTemplate.report) == report,
            col(ReportTemplate.sha256) == sha256,
            col(ReportTemplate.taken_back_at).is_(None),
        )
    )
    if there is not None:
        return there
    row = ReportTemplate(
        contract=contract.key,
        report=report,
        name=in_a_line(name, LONGEST_NAME) or "template.docx",
        sha256=sha256,
        size=len(content),
        content=base64.b64encode(content).decode("ascii"),
        handed_in_at=now,
        by_user_id=by.user_id,
    )
    session.add(row)
    await session.flush()
    await _event(session, "report_template.handed_in", row, by, now)
    return row


async def use(
    session: AsyncSession, contract: Contract, template_id: int, by: Actor, now: datetime
) -> ReportTemplate:
    """This report is set in it from now on; files that were signed stay as they are."""
    require(by, "report.template", contract.key)
    row = await find(session, contract, template_id)
    if row.taken_back_at is not None:
        raise Conflict("This template was taken back. Hand it in again.")
    current = await in_use(session, contract, row.report)
    if current is not None and current.id == row.id:
        return row
    row.used_from, row.used_by_id = now, by.user_id
    await session.flush()
    await _event(session, "report_template.used", row, by, now)
    return row


async def take_back(
    session: AsyncSession, contract: Contract, template_id: int, why: str, by: Actor, now: datetime
) -> ReportTemplate:
    """Nothing is set in it any more: the one before is used again, or ours. It is kept."""
    require(by, "report.template", contract.key)
    row = await find(session, contract, template_id)
    if row.taken_back_at is not None:
        raise Conflict("This template was taken back already.")
    row.taken_back_why = in_a_line(why, LONGEST_WHY, "Say why it is taken back.")
    row.taken_back_at, row.taken_back_by_id = now, by.user_id
    await session.flush()
    await _event(session, "report_template.taken_back", row, by, now)
    return row


# --- what is shown -------------------------------------------------------------------------------


async def find(session: AsyncSession, contract: Contract, template_id: int) -> ReportTemplate:
    row = await session.get(ReportTemplate, template_id)
    if row is None or row.contract != contract.key:
        raise NotFound("There is no such template.")
    return row


async def listed(session: AsyncSession, contract: Contract, report: str) -> Sequence[Shown]:
    """Every template of a report, the newest first, without its bytes."""
    sent, used, back = aliased(User), aliased(User), aliased(User)
    rows: Any = await session.execute(
        select(ReportTemplate, sent.shown_name, used.shown_name, back.shown_name)  # type: ignore[call-overload]  # columns of aliases
        .join(sent, sent.id == col(ReportTemplate.by_user_id))
        .outerjoin(used, used.id == col(ReportTemplate.used_by_id))
        .outerjoin(back, back.id == col(ReportTemplate.taken_back_by_id))
        .where(col(ReportTemplate.contract) == contract.key, col(ReportTemplate.report) == report)
        .options(defer(ReportTemplate.content))  # type: ignore[arg-type]  # a column, to SQLModel a str
        .order_by(col(ReportTemplate.id).desc())
    )
    current = await in_use(session, contract, report)
    now_used = current.id if current else None
    return [Shown(row, by, user, gone, row.id == now_used) for row, by, user, gone in rows]


def found_report(contract: Contract, code: str) -> Any:
    """The contract's report of a code in an address. NotFound where it has none."""
    try:
        return contract.report(code)
    except InvalidInput:
        raise NotFound("This contract has no such report.") from None


async def _event(
    session: AsyncSession, kind: str, row: ReportTemplate, by: Actor, now: datetime
) -> None:
    await events.record(
        session,
        kind,
        now,
        contract=row.contract,
        by=by.user_id,
        report=row.report,
        template=row.sha256,
    )
