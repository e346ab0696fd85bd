"""One box for everything that can be looked for. The question is posted, never part of an address:
what is asked about people must not end up in logs or in a browser's history. The palette asks the
same for lines instead of a page."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial

from aiohttp import web

from helpline.desk import search
from helpline.rules import saying
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of
from helpline.web.pages.case import Words
from helpline.web.pages.palette import line
from helpline.web.showing import ZONE, go, show

LINES = "application/json"
"""What the palette accepts."""


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
        if wants_lines(request):
            return web.json_response({"problem": problem, "found": []}, status=400)
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
    if wants_lines(request):
        say = partial(saying.when, now=now_of(request), zone=ZONE)
        lines = [*lines_of(found, words, say)]
        return web.json_response({"found": lines, "has_more": found.has_more})
    references = [one.row.reference for one in found.cases]
    if asked.upper() in references:
        return go(f"/cases/{asked.upper()}")
    if len(found.lines) == 1 and not (found.people or found.cases):
        return go(f"/{found.lines[0].register}/{found.lines[0].reference}")
    return show(request, "search.html.j2", asked=asked, problem="", found=found, words=words)


def wants_lines(request: web.Request) -> bool:
    return request.headers.get("Accept") == LINES


def lines_of(
    found: search.Found, words: Mapping[str, Words], when: Callable[[datetime], str]
) -> Iterator[dict[str, str]]:
    """Each case once: by its reference or of people who were found, then by its words; at the end
    of somebody's cases their own page."""
    known: set[str] = set()
    for person in found.people:
        name = person.name or "Somebody not known yet"
        for case in found.their_cases.get(person.id, ()):
            known.add(case.reference)
            about = f"{'open' if case.is_open else 'closed'}, {when(case.opened_at)}"
            yield line(f"/cases/{case.reference}", f"{name}, {case.reference}", about)
        yield line(f"/people/{person.id}", name, words[person.contract]("group", person.group))
    for one in found.cases:
        row = one.row
        if row.reference not in known:
            name = f"{row.reference} {row.name or 'Somebody not known yet'}"
            about = f"{words[row.contract]('reason', row.reason)}, {row.status}"
            yield line(f"/cases/{row.reference}", name, f"{about}, {when(row.opened_at)}")
    for each in found.lines:
        yield line(f"/{each.register}/{each.reference}", each.reference)
