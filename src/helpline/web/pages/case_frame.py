"""What the pages of one case share: the head, its tabs, the next thing, how a form is answered.

Every tab (people, record, pathway, …) shows itself through `show_tab` and changes something through
`act_on`: the case is found for the asker in the same transaction, and when the desk says no the
page comes back with the sentence and all that was typed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, drafts, nexts, parts
from helpline.errors import Conflict, InvalidInput
from helpline.models import Case, Person
from helpline.web.asked import actor_of, contract_of, field, form_of, house_of, now_of
from helpline.web.pages.case import Words, find, tabs_of
from helpline.web.pages.case_acts import Act
from helpline.web.showing import go, show

Fill = Callable[[AsyncSession, Case, Contract], Awaitable[dict[str, Any]]]
"""What a tab shows beside the frame."""
Page = Callable[..., Awaitable[web.Response]]
"""A tab that can be shown again: page(request, status=…, form=…, problem=…, typed=…)."""


async def show_tab(
    request: web.Request,
    template: str,
    fill: Fill,
    *,
    status: int = 200,
    form: str = "",
    problem: str = "",
    typed: dict[str, list[str]] | None = None,
) -> web.Response:
    """One tab. Opening it is a reading of the case; coming back to it with an error is not. `form`
    names the form that failed, `typed` what was in it (`typed.name` in the template is the last
    value, `all_typed.name` all of them)."""
    house, actor, now = house_of(request), actor_of(request), now_of(request)
    if request.method == "GET":
        async with house.db.write() as session:
            await cases.record_reading(session, await find(session, request), actor, now)
    async with house.db.read() as session:
        found = await find(session, request)
        contract = contract_of(request, found.contract)
        person = await session.get(Person, found.person_id)
        values = {
            "case": found,
            "contract": contract,
            "words": Words(contract),
            "person": person,
            "nexts": await nexts.of_case(session, contract, found, actor, now),
            "has_wall": await parts.has_wall(session, found.id or 0),
            "tabs": tabs_of(request, found),
            "form": form,
            "problem": problem,
            "typed": {name: given[-1] for name, given in (typed or {}).items() if given},
            "all_typed": typed or {},
            "done": request.query.get("done", ""),
        } | await fill(session, found, contract)
    return show(request, template, status, zone=contract.zone, **values)


async def act_on(
    request: web.Request, form: str, act: Callable[[Act], Awaitable[str | None]], page: Page
) -> web.Response:
    """One transaction: the case found for this asker, then the act. It may return the address to go
    to; otherwise back to the tab `page`, whose address is the form's without its last step."""
    house, actor, now = house_of(request), actor_of(request), now_of(request)
    try:
        async with house.db.write() as session:
            found = await find(session, request)
            contract = contract_of(request, found.contract)
            there = await act(Act(session, house, contract, found, actor, now))
            await drafts.sent(session, found, await field(request, "draft_key"), actor, now)
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        typed = await form_of(request)
        return await page(request, status=status, form=form, problem=str(error), typed=typed)
    house.wakes.sending.set()
    async with house.wakes.pages:
        house.wakes.pages.notify_all()
    return go(there or f"{tab_address(request)}?done={form}")


def tab_address(request: web.Request) -> str:
    """/cases/<reference>/<tab> of whatever stands below it."""
    return "/".join(request.path.split("/")[:4])
