"""One box for everything that can be looked for. The question is posted, never part of an address:
what is asked about people must not end up in logs or in a browser's history."""

from aiohttp import web

from helpline.desk import search
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of
from helpline.web.pages.case import Words
from helpline.web.showing import go, show


async def ask(request: web.Request) -> web.Response:
    return show(request, "search.html.j2", asked="", problem="", found=None, words={})


async def find(request: web.Request) -> web.Response:
    """A reference that is whole goes straight to its case, and the only complaint or incident that
    begins so to its page; everything else is listed."""
    asked = await field(request, "asked")
    contracts = contracts_of(request, "search.use")
    words = {contract.key: Words(contract) for contract in contracts}
    if len(asked) < 2 or len(asked) > search.LONGEST_QUESTION:
        problem = f"Write what to look for: 2 to {search.LONGEST_QUESTION} letters."
        return show(
            request,
            "search.html.j2",
            400,
            asked=asked[: search.LONGEST_QUESTION],
            problem=problem,
            found=None,
            words=words,
        )
    async with house_of(request).db.write() as session:
        found = await search.find(session, actor_of(request), contracts, asked, now_of(request))
    references = [one.row.reference for one in found.cases]
    if asked.upper() in references:
        return go(f"/cases/{asked.upper()}")
    if len(found.lines) == 1 and not (found.people or found.cases):
        return go(f"/{found.lines[0].register}/{found.lines[0].reference}")
    return show(request, "search.html.j2", asked=asked, problem="", found=found, words=words)
