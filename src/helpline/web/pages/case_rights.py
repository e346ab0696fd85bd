"""A tab of the case: what its person asked of what we keep, whom else we told, what is held; and
how they were told what is kept. Each is written down in one line from here."""

from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import privacy
from helpline.desk.rights import holds, requests, sharing
from helpline.desk.rights.requests import Told
from helpline.errors import InvalidInput
from helpline.models import Case, Contact, Person
from helpline.rules import kept
from helpline.rules.permissions import may
from helpline.vocabulary import Direction
from helpline.web.asked import actor_of, field, now_of, row_id
from helpline.web.pages import rights_words as words
from helpline.web.pages.case import local_now
from helpline.web.pages.case_acts import Act, instant
from helpline.web.pages.case_frame import act_on, show_tab
from helpline.web.pages.register import day


async def show_rights(request: web.Request, **again: Any) -> web.Response:
    wrong = _wrong(again.get("problem", ""))

    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        actor = actor_of(request)
        keys, today = [contract.key], contract.days.day_of(now_of(request))
        agreed = await sharing.agreements(session, keys, only_open=True)
        return {
            "asked": await requests.listed(session, actor, keys, person_id=found.person_id),
            "heard_asking": await _heard_asking(session, found),
            "told": await sharing.disclosures(session, actor, keys, case_id=found.id),
            "held": [
                row
                for row in await holds.standing(session, actor, keys, person_id=found.person_id)
                if row.LegalHold.case_id in (None, found.id)
            ],
            "privacy_told": await privacy.told(session, contract, found.person_id),
            "kinds": words.KINDS,
            "outcomes": words.OUTCOMES,
            "recipients": words.RECIPIENTS,
            "knows": words.KNOWS,
            "hold_words": words.HOLDS,
            "bases": {one.code: one.name for one in contract.sharing_bases},
            "methods": [(one.code, one.name) for one in contract.methods],
            "agreements": [(one.id, one.title) for one in agreed if one.from_day <= today],
            "local_now": local_now(now_of(request), contract.zone),
            "wrong": wrong,
            "beside": f"{again['form']}-{wrong}" if again.get("problem") else "",
            "may_log": may(actor, "right.log", contract.key),
            "may_hold": may(actor, "retention.work", contract.key),
        }

    return await show_tab(request, "case_rights.html.j2", fill, **again)


async def _heard_asking(session: AsyncSession, case: Case) -> Any:
    """When they last asked in a message what we keep: it may be the beginning of a request."""
    rows = await session.scalars(
        select(Contact)
        .where(col(Contact.case_id) == case.id, col(Contact.direction) == Direction.IN)
        .order_by(col(Contact.at).desc())
        .limit(50)
    )
    asking = (one.at for one in rows if one.body and kept.asks_what_is_kept(one.body))
    return next(asking, None)


async def log(request: web.Request) -> web.Response:
    """One click from a case: what they ask, into the register."""
    kind, said = await field(request, "kind"), await field(request, "words")
    method, at = await field(request, "method"), await field(request, "at")

    async def act(it: Act) -> str:
        person = await it.session.get(Person, it.case.person_id)
        assert person is not None
        told = Told(kind, said, method, instant(at, it.contract.zone, it.now))
        made = await requests.log(
            it.session, it.contract, person, told, it.by, it.now, case=it.case
        )
        return f"/rights/{made.reference}?done=logged"

    return await act_on(request, "request", act, show_rights)


async def disclose(request: web.Request) -> web.Response:
    given = {
        name: await field(request, name)
        for name in ("recipient", "whom", "what", "basis", "knows", "at", "agreement")
    }

    async def act(it: Act) -> str:
        told = sharing.Told(
            recipient=given["recipient"],
            whom=given["whom"],
            what=given["what"],
            basis=given["basis"],
            person_knows=given["knows"],
            told_at=instant(given["at"], it.contract.zone, it.now),
            agreement_id=row_id(given["agreement"]),
        )
        await sharing.disclose(it.session, it.contract, it.case, told, it.by, it.now)
        return f"/cases/{it.case.reference}/rights?done=told"

    return await act_on(request, "told", act, show_rights)


async def hold(request: web.Request) -> web.Response:
    kind, reason = await field(request, "kind"), await field(request, "reason")
    review, whole = day(await field(request, "review_on")), await field(request, "whole")

    async def act(it: Act) -> str:
        if review is None:
            raise InvalidInput("Give a day on which somebody looks again.")
        await holds.begin(it.session, it.case, kind, reason, review, whole == "yes", it.by, it.now)
        return f"/cases/{it.case.reference}/rights?done=held"

    return await act_on(request, "hold", act, show_rights)


_WRONG = {
    "Choose what they ask": "kind",
    "Choose how it came": "method",
    "Write down what they ask": "words",
    "Choose who was told": "recipient",
    "Say whom you told": "whom",
    "Say in a line": "what",
    "Choose on which": "basis",
    "Choose another basis": "basis",
    "Choose whether": "knows",
    "Choose an agreement": "agreement",
    "That agreement": "agreement",
    "Choose why": "kind",
    "Say why": "reason",
    "Give a day": "review_on",
}


def _wrong(problem: str) -> str:
    return next((name for begins, name in _WRONG.items() if problem.startswith(begins)), "at")
