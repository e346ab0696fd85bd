"""What people asked of what we keep about them, what is due first; and one request: who they are,
what was asked back, how it ended. Breaches stand beside it."""

from typing import Any, Final

from aiohttp import web

from helpline.desk.rights import breaches, requests, retention, sharing
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Case, Person
from helpline.rules.permissions import may
from helpline.vocabulary import RightKind, RightStep
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    narrowed,
    now_of,
)
from helpline.web.pages import rights_words as words
from helpline.web.pages.case_acts import instant
from helpline.web.showing import go, show

_WRONG: Final = {
    "Choose how you made sure": "how",
    "Choose what we wait": "why",
    "Write down what you asked": "words",
    "Say when their answer": "at",
    "Give day": "at",
    "Choose how it ended": "outcome",
}
ERASE: Final = "erase"


async def show_rights(request: web.Request) -> web.Response:
    """What is due first, what waits for them, what is answered."""
    actor, known = actor_of(request), contracts_of(request, "right.read")
    if not known:
        raise NotFound("There is no contract here whose requests you may see.")
    shown = narrowed(request, known)
    keys = [one.key for one in shown]
    works = may(actor, "retention.work")
    async with house_of(request).db.read() as session:
        found = await requests.listed(session, actor, keys)
        lost = await breaches.listed(session, actor, shown)
        lists = await retention.runs(session, actor, keys) if works else []
        agreed = await sharing.agreements(session, keys, only_open=True)
    today = {one.key: one.days.day_of(now_of(request)) for one in known}
    return show(
        request,
        "rights.html.j2",
        zone=known[0].zone,
        found=found,
        lost=lost,
        waiting=[row for row in lists if row.RetentionRun.state in retention.OPEN],
        old_agreements=[one for one in agreed if one.review_on <= today[one.contract]],
        kinds=words.KINDS,
        pauses=words.PAUSES,
        outcomes=words.OUTCOMES,
        risks=words.RISKS,
        states=words.STATES,
        chosen=shown[0].key if len(shown) == 1 and len(known) > 1 else "",
        may_work=works,
        may_agree=may(actor, "agreement.write"),
        may_complaints=may(actor, "complaint.read"),
        may_log_incident=may(actor, "incident.log"),
    )


async def show_request(request: web.Request, **again: Any) -> web.Response:
    actor = actor_of(request)
    async with house_of(request).db.read() as session:
        found = await requests.find(session, actor, request.match_info["reference"])
        contract = contract_of(request, found.contract)
        person = await session.get(Person, found.person_id)
        case = await session.get(Case, found.case_id) if found.case_id else None
        values: dict[str, Any] = {
            "found": found,
            "person": person,
            "case_reference": case.reference if case else "",
            "standing": await requests.standing(session, contract, found, now_of(request)),
            "history": await requests.history(session, found),
        }
    return show(
        request,
        "right.html.j2",
        again.pop("status", 200),
        zone=contract.zone,
        is_access=found.kind == RightKind.ACCESS,
        is_own_file=found.prepared_by_id == actor.user_id,
        kinds=words.KINDS,
        identity_words=words.IDENTITY,
        pauses=words.PAUSES,
        outcomes=words.OUTCOMES,
        steps=words.STEPS,
        methods={one.code: one.name for one in contract.methods},
        may_work=may(actor, "right.work", contract.key),
        may_sign=may(actor, "right.sign", contract.key),
        done=request.query.get("done", ""),
        **({"form": "", "problem": "", "wrong": "", "typed": {}} | values | again),
    )


async def add_step(request: web.Request) -> web.Response:
    """One act on a request; which one stands in `kind`."""
    kind, actor, now = await field(request, "kind"), actor_of(request), now_of(request)
    said = await field(request, "words")
    there = ""
    try:
        async with house_of(request).db.write() as session:
            found = await requests.find(session, actor, request.match_info["reference"], lock=True)
            contract = contract_of(request, found.contract)
            match kind:
                case RightStep.IDENTITY:
                    how = await field(request, "how")
                    await requests.check_identity(session, contract, found, how, said, actor, now)
                case RightStep.PAUSED:
                    why = await field(request, "why")
                    await requests.pause(session, contract, found, why, said, actor, now)
                case RightStep.RESUMED:
                    at = instant(await field(request, "at"), contract.zone, now)
                    await requests.resume(session, contract, found, at, actor, now, said)
                case RightStep.EXTENDED:
                    await requests.extend(session, contract, found, said, actor, now)
                case RightStep.NOTE:
                    await requests.write(session, found, said, actor, now)
                case RightStep.CLOSED:
                    outcome = await field(request, "outcome")
                    await requests.close(session, found, outcome, said, actor, now)
                case "erase":
                    run = await retention.propose_for(session, contract, found, actor, now)
                    there = f"/rights/kept/{run.id}"
                case _:
                    raise InvalidInput("Choose what was done.")
            there = there or f"/rights/{found.reference}?done={kind}"
    except (InvalidInput, Conflict) as error:
        return await again(request, kind, error)
    return go(there)


async def again(request: web.Request, form: str, error: Exception) -> web.Response:
    """The page once more, with the sentence and all that was typed."""
    typed = {name: given[-1] for name, given in (await form_of(request)).items()}
    status = 409 if isinstance(error, Conflict) else 400
    problem = str(error)
    wrong = next((name for begins, name in _WRONG.items() if problem.startswith(begins)), "words")
    return await show_request(
        request, status=status, form=form, problem=problem, wrong=wrong, typed=typed
    )
