"""What a page of a case needs so that half-written forms survive: a key of its own, and what its
reader began before. Called by the pages that hold such forms; templates/static/draft.js does the
saving, and the button "Save for later" does it without scripts.
"""

import secrets
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.desk import drafts
from helpline.models import Case
from helpline.web.asked import actor_of, row_id


async def on_page(
    session: AsyncSession, request: web.Request, found: Case, form: str = ""
) -> dict[str, Any]:
    """`begun` and `page_key`; with `?draft=` in the address, and unless a form (`form`) just
    failed, also `form` and `typed`: the page goes on with what was begun there."""
    actor = actor_of(request)
    begun = list(await drafts.begun_on(session, found, actor))
    values: dict[str, Any] = {"begun": begun, "page_key": secrets.token_urlsafe(12)}
    draft_id = row_id(request.query.get("draft", ""))
    if not form and request.method == "GET" and draft_id is not None:
        one = await drafts.one_begun(session, found, draft_id, actor)
        values["begun"] = [other for other in begun if other.id != one.id]
        values |= {"form": one.form, "typed": {**one.fields, "draft_key": one.page_key}}
    return values
