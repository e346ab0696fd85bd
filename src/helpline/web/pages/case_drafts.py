"""Half-written forms: kept while somebody types, thrown away when they say so.

Scripts save every few seconds and are answered with no page; the button "Save for later" of a form
sends the same and goes back to the case.
"""

from aiohttp import web

from helpline.desk import drafts
from helpline.vocabulary import DraftForm
from helpline.web.asked import actor_of, field, form_of, house_of, now_of, number_in_path
from helpline.web.pages.case import find
from helpline.web.showing import go


async def save(request: web.Request) -> web.Response:
    """204 when it is kept (or empty, and nothing is); a button of the page goes back to it."""
    form, now = request.match_info["form"], now_of(request)
    typed = {name: values[-1] for name, values in (await form_of(request)).items()}
    async with house_of(request).db.write() as session:
        found = await find(session, request)
        key = typed.get("draft_key", "")
        await drafts.save(session, found, form, key, typed, actor_of(request), now)
        here = f"/cases/{found.reference}{'/record' if form == DraftForm.COMMENT else ''}"
    return go(f"{here}?done=begun#begun") if "later" in typed else web.Response(status=204)


async def throw_away(request: web.Request) -> web.Response:
    draft_id = number_in_path(request, "id")
    at_record = await field(request, "back") == "record"
    async with house_of(request).db.write() as session:
        found = await find(session, request)
        await drafts.throw_away(session, found, draft_id, actor_of(request), now_of(request))
    return go(f"/cases/{found.reference}{'/record' if at_record else ''}?done=thrown_away")
