"""The registers of complaints and compliments: logged, worked through step by step, counted.

One that is about whoever asks is not there for them (desk/seeing.py). Every act on one is an entry,
so one address takes them all: POST /complaints/<reference>/entries.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import (
    cases,
    changes,
    complaint_cases,
    complaints,
    escalation,
    feedback_themes,
    incidents,
    independence,
    lists,
    owed,
    todo,
)
from helpline.desk import complaint_steps as steps
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, Complaint
from helpline.rules import complaints as rules
from helpline.rules.permissions import Actor, may
from helpline.rules.todo import Turn
from helpline.vocabulary import (
    ComplainantKind,
    ComplaintKind,
    ComplaintOutcome,
    EntryKind,
    Role,
)
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    now_of,
    row_id,
)
from helpline.web.pages.case_acts import instant
from helpline.web.pages.inbox import today_ends
from helpline.web.showing import go, show

A_YEAR: Final = timedelta(days=365)
KINDS: Final = {
    ComplaintKind.SERVICE: "About us: we answer it",
    ComplaintKind.COUNCIL: "About the council: passed on to it",
    ComplaintKind.DATA: "About how we use personal information",
}
WHO: Final = {
    ComplainantKind.CARER: "Somebody who cares for a child",
    ComplainantKind.FAMILY: "Somebody of their household",
    ComplainantKind.CHILD: "A child or young person",
    ComplainantKind.PROFESSIONAL: "A professional",
    ComplainantKind.RESIDENT: "Somebody who lives near",
    ComplainantKind.OTHER: "Somebody else",
}
OUTCOMES: Final = {
    ComplaintOutcome.UPHELD: "Upheld",
    ComplaintOutcome.PARTLY: "Partly upheld",
    ComplaintOutcome.NOT_UPHELD: "Not upheld",
    ComplaintOutcome.WITHDRAWN: "Withdrawn by whoever made it",
    ComplaintOutcome.FORWARDED: "Passed on to the council",
}
_FIELD: Final = {"named": "user", "about": "user", "not_about": "user", "closed": "words"}


async def show_complaints(request: web.Request) -> web.Response:
    actor, contracts = actor_of(request), contracts_of(request, "complaint.read")
    keys = [contract.key for contract in contracts]
    async with house_of(request).db.read() as session:
        found = await complaints.listed(session, actor, keys, closed=False)
        closed = await complaints.listed(session, actor, keys, closed=True)
        alerts = await lists.open_alerts(session, actor, keys)
        unlogged = await complaint_cases.unlogged(session, actor, keys)
        beside = await _beside(session, request, contracts)
        learnt = await complaints.with_learning(session, [row.id for row in found])
    stages = {row.id: rules.next_step(_standing(row, row.id in learnt)) for row in found}
    alerts = [alert for alert in alerts if alert.complaint_id is not None]
    return show(
        request,
        "complaints.html.j2",
        turns=_turns(request, found, stages, alerts),
        found=found,
        unlogged=unlogged,
        beside=beside,
        steps=stages,
        may_see_cases=may(actor, "case.read"),
        closed=closed,
        alerts=alerts,
        is_theirs=escalation.may_take,
        may_take=may(actor, "alert.acknowledge"),
        subjects=_names(contracts),
        kinds=KINDS,
        outcomes=OUTCOMES,
        done=request.query.get("done", ""),
    )


def _turns(
    request: web.Request, found: Sequence[Any], stages: dict[int, str], alerts: Sequence[Any]
) -> list[Turn] | None:
    """What the complaints officer does next; None for whoever has another first page."""
    actor, now = actor_of(request), now_of(request)
    if actor.role is not Role.COMPLAINTS:
        return None
    rows = [(row, stages[row.id]) for row in found]
    return todo.of_complaints(rows, alerts, actor, now, today_ends(now))


async def _beside(
    session: AsyncSession, request: web.Request, contracts: list[Contract]
) -> list[tuple[str, str]]:
    """For the complaints officer, whose first page this is: what else waits, as address and words;
    nothing for anybody else."""
    actor, now = actor_of(request), now_of(request)
    if actor.role is not Role.COMPLAINTS:
        return []
    logged = await incidents.listed(session, actor, [one.key for one in contracts])
    still_open = [row for row in logged if row.closed_at is None]
    late = sum(row.due_at is not None and row.due_at < now for row in still_open)
    unread = hidden = 0
    for contract in contracts:
        if contract.feedback is not None:
            unread += await feedback_themes.unread(session, actor, contract, now - A_YEAR)
        hidden += len(await changes.listed(session, actor, contract, shown=False))
    told = (
        ("/incidents", len(still_open), "incident open", "incidents open"),
        ("/incidents", late, "incident late", "incidents late"),
        ("/feedback", unread, "comment without a theme", "comments without a theme"),
        ("/changes", hidden, "change not shown yet", "changes not shown yet"),
    )
    return [
        (at, f"{count} {one if count == 1 else more}") for at, count, one, more in told if count
    ]


async def show_complaint(request: web.Request, **again: Any) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        found = await complaints.find(session, actor, request.match_info["reference"])
        contract = contract_of(request, found.contract)
        history = await complaints.entries(session, found)
        offered = await independence.handlers(session, found.contract, found)
        case = await session.get(Case, found.case_id) if found.case_id else None
        address = await cases.reply_address(session, case) if case else None
        values = {
            "complaint": found,
            "contract": contract,
            "history": history,
            "owed": await owed.open_on(session, complaints.line_of(found)),
            "about": await independence.about(session, found),
            "workers": await independence.colleagues(session, contract.key),
            "handlers": [user for user, why in offered if not why],
            "refused": [(user, why) for user, why in offered if why],
            "handler": next((u.shown_name for u, _ in offered if u.id == found.handler_id), ""),
            "can_send": address is not None and address.opted_out_at is None,
            "channel": address.channel if address else "",
            "its_cases": await complaint_cases.cases_of(session, actor, found),
        }
    return show(
        request,
        "complaint.html.j2",
        again.pop("status", 200),
        zone=contract.zone,
        step=rules.next_step(_standing(found, _has_learning(history))),
        is_mine=found.handler_id == actor.user_id,
        has_next=_has_next(contract, found),
        kinds=KINDS,
        who=WHO,
        outcomes=OUTCOMES,
        methods=[(one.code, one.name) for one in contract.methods],
        names=_names([contract]),
        now_local=now,
        done=request.query.get("done", ""),
        **({"form": "", "problem": "", "wrong": "", "typed": {}} | values | again),
    )


async def add_entry(request: web.Request) -> web.Response:
    """One act: what it is stands in `kind`."""
    kind, actor, now = await field(request, "kind"), actor_of(request), now_of(request)
    reference = request.match_info["reference"]
    try:
        async with house_of(request).db.write() as session:
            found = await complaints.find(session, actor, reference, lock=True)
            contract = contract_of(request, found.contract)
            act = _ACTS.get(kind)
            if act is None:
                raise InvalidInput("Choose what was done.")
            await act(_Act(session, contract, found, await form_of(request), actor, now))
            reference = found.reference
    except (InvalidInput, Conflict) as error:
        typed = {name: given[-1] for name, given in (await form_of(request)).items()}
        status = 409 if isinstance(error, Conflict) else 400
        return await show_complaint(
            request,
            status=status,
            form=kind,
            problem=str(error),
            wrong=_wrong_of(kind, str(error)),
            typed=typed,
        )
    house_of(request).wakes.sending.set()
    if kind == EntryKind.ABOUT and row_id(await field(request, "user")) == actor.user_id:
        return go("/complaints?done=handed")
    return go(f"/complaints/{reference}?done={kind}")


@dataclass(frozen=True)
class _Act:
    session: AsyncSession
    contract: Contract
    found: Complaint
    given: dict[str, list[str]]
    by: Actor
    now: datetime

    def said(self, name: str) -> str:
        values = self.given.get(name)
        return values[-1].strip() if values else ""

    @property
    def user(self) -> int:
        chosen = row_id(self.said("user"))
        if chosen is None:
            raise InvalidInput("Choose somebody from the list.")
        return chosen


async def _name(it: _Act) -> None:
    await steps.name_handler(it.session, it.found, it.user, it.by, it.now)


async def _about(it: _Act) -> None:
    await steps.name_about(it.session, it.found, it.user, it.by, it.now)


async def _not_about(it: _Act) -> None:
    await steps.name_not_about(it.session, it.found, it.user, it.by, it.now)


async def _acknowledge(it: _Act) -> None:
    words, how = it.said("words"), it.said("how")
    await steps.acknowledge(it.session, it.contract, it.found, words, how, it.by, it.now)


async def _extend(it: _Act) -> None:
    await steps.extend(it.session, it.contract, it.found, it.said("words"), it.by, it.now)


async def _pass_on(it: _Act) -> None:
    words = it.said("words")
    await steps.pass_to_safeguarding(it.session, it.contract, it.found, words, it.by, it.now)


async def _resume(it: _Act) -> None:
    await steps.resume(it.session, it.contract, it.found, it.said("words"), it.by, it.now)


async def _forward(it: _Act) -> None:
    await steps.forward(it.session, it.found, it.said("words"), it.by, it.now)


async def _answer(it: _Act) -> None:
    await steps.answer(
        it.session,
        it.contract,
        it.found,
        outcome=it.said("outcome"),
        action=it.said("action"),
        words=it.said("words"),
        how=it.said("how"),
        by=it.by,
        now=it.now,
    )


async def _escalate(it: _Act) -> None:
    await steps.escalate(it.session, it.contract, it.found, it.said("words"), it.by, it.now)


async def _explain(it: _Act) -> None:
    at = instant(it.said("at"), it.contract.zone, it.now)
    how, words = it.said("how"), it.said("words")
    await steps.explain(it.session, it.contract, it.found, how, words, at, it.by, it.now)


async def _write(it: _Act) -> None:
    await steps.write(it.session, it.found, it.said("kind"), it.said("words"), it.by, it.now)


async def _classify(it: _Act) -> None:
    kind, subject = it.said("whose"), it.said("subject")
    await steps.classify(it.session, it.contract, it.found, kind, subject, it.by, it.now)


async def _close(it: _Act) -> None:
    await steps.close(it.session, it.found, it.by, it.now)


_ACTS: Final[dict[str, Callable[[_Act], Awaitable[None]]]] = {
    EntryKind.NAMED: _name,
    EntryKind.ABOUT: _about,
    EntryKind.NOT_ABOUT: _not_about,
    EntryKind.ACKNOWLEDGED: _acknowledge,
    EntryKind.EXTENDED: _extend,
    EntryKind.SAFEGUARDING: _pass_on,
    EntryKind.RESUMED: _resume,
    EntryKind.FORWARDED: _forward,
    EntryKind.ANSWERED: _answer,
    EntryKind.ESCALATED: _escalate,
    EntryKind.EXPLAINED: _explain,
    EntryKind.NOTE: _write,
    EntryKind.REMEDY: _write,
    EntryKind.LEARNING: _write,
    EntryKind.CORRECTION: _write,
    EntryKind.CLOSED: _close,
    "classified": _classify,
}


def _names(contracts: list[Contract]) -> dict[str, str]:
    """Code → words of subjects, actions, stages, methods and clocks."""
    found: dict[str, str] = {}
    for contract in contracts:
        found |= {one.code: one.name for one in (*contract.methods, *contract.clocks)}
        if contract.complaints is not None:
            given = contract.complaints
            found |= {one.code: one.name for one in (*given.actions, *given.compliments)}
            found |= {one.code: one.name for one in given.subjects}
    return found


def _has_learning(history: Any) -> bool:
    return any(row[0].kind == EntryKind.LEARNING for row in history)


def _standing(found: Any, has_learning: bool) -> rules.Standing:
    """Of a complaint, or of its row in a list."""
    return rules.Standing(
        kind=ComplaintKind(found.kind),
        has_handler=found.handler_id is not None,
        acknowledged_at=found.acknowledged_at,
        safeguarding_at=found.safeguarding_at,
        forwarded_at=found.forwarded_at,
        answered_at=found.answered_at,
        explained_at=found.explained_at,
        has_learning=has_learning,
        closed_at=found.closed_at,
    )


def _has_next(contract: Contract, found: Complaint) -> bool:
    given = contract.complaints
    return given is not None and found.stage < len(given.stages_of(found.kind))


def _wrong_of(kind: str, problem: str) -> str:
    """The field of an act's form that a sentence is about."""
    for begins, name in (
        ("Choose what was found", "outcome"),
        ("Choose what was done about", "action"),
        ("Choose how", "how"),
        ("There is nowhere to send", "how"),
        ("Say when", "at"),
        ("Give day", "at"),
        ("Choose what it is about", "subject"),
        ("Say whose", "whose"),
    ):
        if problem.startswith(begins):
            return name
    return _FIELD.get(kind, "words")
