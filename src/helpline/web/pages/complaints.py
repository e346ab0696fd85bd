"""The registers of complaints and compliments: logged, worked through step by step, counted.

One that is about whoever asks is not there for them (desk/seeing.py). Every act on one is an entry,
so one address takes them all: POST /complaints/<reference>/entries.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, complaint_cases, complaints, independence, lists, owed
from helpline.desk import complaint_steps as steps
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Complaint
from helpline.rules import complaints as rules
from helpline.rules.permissions import Actor, may
from helpline.vocabulary import (
    ComplainantKind,
    ComplaintKind,
    ComplaintOutcome,
    EntryKind,
)
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    fields,
    form_of,
    house_of,
    now_of,
    row_id,
)
from helpline.web.pages.case import local_now
from helpline.web.pages.case_acts import instant
from helpline.web.showing import go, show

KINDS: Final = {
    ComplaintKind.SERVICE: "About us: we answer it",
    ComplaintKind.COUNCIL: "About the council: passed on to it",
    ComplaintKind.DATA: "About how we use personal information",
}
WHO: Final = {
    ComplainantKind.CARER: "A carer",
    ComplainantKind.FAMILY: "Somebody of a carer's household",
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
_WRONG: Final = {
    "Write down what": "words",
    "Say whose complaint": "kind",
    "Choose what it is about": "subject",
    "Choose who complains": "complainant",
    "Choose how it came": "method",
    "That time has not": "received_at",
    "Give day and time": "received_at",
    "There is no such case": "case",
    "This case is in": "case",
    "Say in a few words what worries": "worry",
}
_FIELD: Final = {"named": "user", "about": "user", "closed": "words"}


async def show_complaints(request: web.Request) -> web.Response:
    actor, contracts = actor_of(request), contracts_of(request, "complaint.read")
    keys = [contract.key for contract in contracts]
    async with house_of(request).db.read() as session:
        found = await complaints.listed(session, actor, keys, closed=False)
        closed = await complaints.listed(session, actor, keys, closed=True)
        alerts = await lists.open_alerts(session, actor, keys)
        unlogged = await complaint_cases.unlogged(session, actor, keys)
    return show(
        request,
        "complaints.html.j2",
        found=found,
        unlogged=unlogged,
        may_see_cases=may(actor, "case.read"),
        closed=closed,
        alerts=[alert for alert in alerts if alert.complaint_id is not None],
        subjects=_names(contracts),
        kinds=KINDS,
        outcomes=OUTCOMES,
        done=request.query.get("done", ""),
    )


async def ask_new(request: web.Request) -> web.Response:
    """The form; a case that is in the register already leads to where it stands there."""
    async with house_of(request).db.read() as session:
        case = await _case(session, request, request.query.get("case", ""))
        if case is not None:
            contract = contract_of(request, case.contract)
            here = await complaint_cases.on_case(session, actor_of(request), contract, case)
            its_own = [one.reference for one in here.linked if one.case_id == case.id]
            if its_own:
                return go(f"/complaints/{its_own[0]}")
    return await _new(request)


async def log(request: web.Request) -> web.Response:
    """Into the register; whoever logged one that they may not see is told only its reference."""
    actor, now = actor_of(request), now_of(request)
    try:
        contract = await _contract(request)
        async with house_of(request).db.write() as session:
            told = await _told(session, request, contract)
            made = await complaints.log(session, contract, told, actor, now)
            worry = await field(request, "worry")
            if worry:
                await steps.pass_to_safeguarding(session, contract, made, worry, actor, now)
            reference = made.reference
    except (InvalidInput, Conflict) as error:
        return await _new(request, str(error))
    sees = may(actor, "complaint.read", contract.key) and actor.user_id not in told.about
    return go(
        f"/complaints/{reference}?done=logged" if sees else f"/complaints/new?done={reference}"
    )


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
        step=rules.next_step(_standing(found, history)),
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


# --- the form of a new one ---------------------------------------------------------------------


async def _new(request: web.Request, problem: str = "") -> web.Response:
    typed = await form_of(request) if problem else {}
    reference = await field(request, "case") if problem else request.query.get("case", "")
    async with house_of(request).db.read() as session:
        case = await _case(session, request, reference)
        contract = contract_of(request, case.contract) if case else await _contract(request)
        workers = await independence.colleagues(session, contract.key)
        if case is not None and not problem:
            typed = await _filled(session, contract, case)
    found = (name for begins, name in _WRONG.items() if problem.startswith(begins))
    return show(
        request,
        "complaint_new.html.j2",
        400 if problem else 200,
        zone=contract.zone,
        contract=contract,
        workers=workers,
        kinds=KINDS,
        who=WHO,
        form="complaint" if typed else "",
        problem=problem,
        wrong=next(found, "words") if problem else "",
        typed={name: given[-1] for name, given in typed.items()},
        all_typed=typed,
        case_reference=case.reference if case else reference[:20],
        of_case=case.reference if case is not None and complaint_cases.is_one(case) else "",
        may_see_cases=may(actor_of(request), "case.read"),
        done=request.query.get("done", "")[:20],
    )


async def _case(session: AsyncSession, request: web.Request, reference: str) -> Case | None:
    """The case whose reference was given; None where there is none for whoever asks."""
    if not reference.strip():
        return None
    try:
        return await complaint_cases.find(session, actor_of(request), reference)
    except NotFound:
        return None


async def _filled(session: AsyncSession, contract: Contract, case: Case) -> dict[str, list[str]]:
    """The form as the case fills it."""
    told = await complaint_cases.filled(session, contract, case)
    received = local_now(told.received_at, contract.zone)
    names = ("kind", "subject", "complainant", "words", "name", "method")
    given = {name: [str(getattr(told, name))] for name in names}
    return given | {"case": [case.reference], "received_at": [received]}


async def _told(session: AsyncSession, request: web.Request, contract: Contract) -> complaints.Told:
    said = {
        name: await field(request, name)
        for name in ("kind", "subject", "complainant", "words", "wish", "name", "reach", "method")
    }
    reference, case = await field(request, "case"), None
    if reference:
        case = await _case(session, request, reference)
        if case is None:
            raise InvalidInput("There is no such case, or it is not yours to see.")
        if case.contract != contract.key:
            raise InvalidInput("There is no such case under this contract.")
    is_it = case is not None and complaint_cases.is_one(case)
    about = [row_id(one) for one in await fields(request, "about")]
    received = instant(await field(request, "received_at"), contract.zone, now_of(request))
    return complaints.Told(
        **said,
        received_at=received,
        person_id=case.person_id if case else None,
        about_case_id=case.id if case and not is_it else None,
        case_id=case.id if case and is_it else None,
        about=tuple(user_id for user_id in about if user_id is not None),
    )


async def _contract(request: web.Request) -> Contract:
    known = contracts_of(request, "complaint.log")
    wanted = await field(request, "contract") if request.method == "POST" else ""
    found = next((one for one in known if one.key == wanted), known[0] if known else None)
    if found is None:
        raise InvalidInput("There is no contract here that you may log complaints for.")
    return found


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


def _standing(found: Complaint, history: Any) -> rules.Standing:
    return rules.Standing(
        kind=ComplaintKind(found.kind),
        has_handler=found.handler_id is not None,
        acknowledged_at=found.acknowledged_at,
        safeguarding_at=found.safeguarding_at,
        forwarded_at=found.forwarded_at,
        answered_at=found.answered_at,
        explained_at=found.explained_at,
        has_learning=any(row[0].kind == EntryKind.LEARNING for row in history),
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
