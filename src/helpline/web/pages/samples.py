"""Samples of work: a lead looks at the cases that the lot drew of a month and says what was good
and what to try; everybody reads here what was said of their own work."""

from aiohttp import web

from helpline.desk import samples
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.web.asked import (
    actor_of,
    contract_of,
    contracts_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.showing import ZONE, go, show


async def show_samples(
    request: web.Request,
    *,
    status: int = 200,
    problem: str = "",
    failed: int = 0,
    typed: dict[str, str] | None = None,
) -> web.Response:
    actor, latest = actor_of(request), samples.month_before(now_of(request), ZONE)
    month = (typed or {}).get("month") or request.query.get("month") or latest
    contracts = contracts_of(request, "sample.write")
    async with house_of(request).db.read() as session:
        drawn = await samples.of_month(session, actor, contracts, month) if contracts else []
        own = await samples.of_worker(session, actor)
    return show(
        request,
        "samples.html.j2",
        status,
        month=month,
        latest=latest,
        drawn=drawn,
        own=own,
        may_say=bool(contracts),
        problem=problem,
        failed=failed,
        typed=typed or {},
        done=request.query.get("done", ""),
    )


async def say(request: web.Request) -> web.Response:
    """A lead's words on one case."""
    typed = {name: values[-1] for name, values in (await form_of(request)).items() if values}
    month, case_id = typed.get("month", ""), row_id(typed.get("case", "")) or 0
    actor, now = actor_of(request), now_of(request)
    contracts = contracts_of(request, "sample.write")
    try:
        async with house_of(request).db.write() as session:
            drawn = await samples.of_month(session, actor, contracts, month)
            sample = next((one for one in drawn if one.case_id == case_id), None)
            if sample is None:
                raise NotFound("The lot did not draw this case in that month.")
            contract = contract_of(request, sample.contract)
            words = (typed.get("good", ""), typed.get("to_try", ""))
            await samples.say(session, contract, sample, month, *words, actor, now)
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        return await show_samples(
            request, status=status, problem=str(error), failed=case_id, typed=typed
        )
    return go(f"/samples?month={month}&done=said")


async def acknowledge(request: web.Request) -> web.Response:
    """They have read it."""
    feedback_id = number_in_path(request, "id")
    async with house_of(request).db.write() as session:
        await samples.acknowledge(session, feedback_id, actor_of(request), now_of(request))
    back = await field(request, "back")
    return go("/inbox" if back == "inbox" else "/samples?done=read")
