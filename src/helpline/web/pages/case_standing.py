"""Whether a case is within the contract, and what a worker heard that decides it: who they are, who
approved them, how old the young person is, where they live; and who sent them.

A tab of the case. Whoever is out is answered here, kindly and with somebody else to ring.
"""

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, eligibility, membership, origins
from helpline.errors import InvalidInput
from helpline.models import Case, Person
from helpline.rules.permissions import may
from helpline.vocabulary import Eligibility
from helpline.web.asked import actor_of, field, house_of, now_of
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on, show_tab
from helpline.web.pages.register import day


async def show_standing(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        actor = actor_of(request)
        person = await session.get(Person, found.person_id)
        assert person is not None
        return {
            "now_decided": await eligibility.decision_for(
                session, contract, person, now_of(request)
            ),
            "sentence": eligibility.sentence(contract, found.eligibility_reason),
            "sentence_of": lambda reason: eligibility.sentence(contract, reason),
            "history": await eligibility.history(session, found.id or 0),
            "answer": _kind_answer(request, contract, found, person),
            "address": await cases.reply_address(session, found),
            "may_override": may(actor, "eligibility.override", contract.key),
            "in_house": eligibility.IN_HOUSE,
            "origin": await origins.of_case(session, found.id or 0),
        }

    return await show_tab(request, "case_standing.html.j2", fill, **again)


async def note_facts(request: web.Request) -> web.Response:
    born = await field(request, "young_person_born")
    said = membership.Said(
        group=await field(request, "group"),
        approved_by=await field(request, "approved_by"),
        young_person_born=day(born),
        quadrant=await field(request, "quadrant"),
    )

    async def act(it: Act) -> None:
        if born and said.young_person_born is None:
            raise InvalidInput("Give the young person's birthday like 2008-03-31.")
        await membership.note_facts(it.session, it.contract, it.case, said, it.by, it.now)

    return await act_on(request, "facts", act, show_standing)


async def settle_named(request: web.Request) -> web.Response:
    """One key: whether whoever they named approved them."""
    said = await field(request, "so")

    async def act(it: Act) -> None:
        if said not in ("yes", "no"):
            raise InvalidInput("Say whether it is so.")
        is_so = said == "yes"
        await eligibility.settle_suggestion(it.session, it.contract, it.case, is_so, it.by, it.now)

    return await act_on(request, "named", act, show_standing)


async def say_origin(request: web.Request) -> web.Response:
    source, level = await field(request, "source"), await field(request, "level")

    async def act(it: Act) -> None:
        await origins.say(it.session, it.contract, it.case, source, level, it.by, it.now)

    return await act_on(request, "origin", act, show_standing)


async def override(request: web.Request) -> web.Response:
    decision, why = await field(request, "decision"), await field(request, "why")

    async def act(it: Act) -> None:
        await eligibility.override(it.session, it.case, decision, why, it.by, it.now)

    return await act_on(request, "override", act, show_standing)


def _kind_answer(
    request: web.Request, contract: Contract, found: Case, person: Person
) -> str | None:
    """For whoever is out: what the worker may send as it is, or change first."""
    if found.eligibility != Eligibility.OUT:
        return None
    signpost = eligibility.signpost_for(contract, found.eligibility_reason)
    wording = house_of(request).wording
    return wording.say(
        "register.not_ours", person.language, ours=contract.called.ours, signpost=signpost
    )
