"""That somebody opened a page which shows people, or took a file, where the page does not write it
down by itself: who, when, which page and which row, never what stood on it.

Called by the middleware after every page. What is neither QUIET nor ITSELF is noted, so that a page
somebody adds is in the audit trail until they say here why it need not be.
"""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from helpline.db import AWAY
from helpline.desk import events
from helpline.log import log, where
from helpline.rules.permissions import Actor
from helpline.web.asked import house_of, now_of, signed_in

ITSELF: Final = frozenset(
    """
    /cases/{reference} /cases/{reference}/plan /cases/{reference}/standing
    /cases/{reference}/record /cases/{reference}/record/chronology.pdf
    /cases/{reference}/record/file.pdf /cases/{reference}/people /cases/{reference}/pathway
    /cases/{reference}/duties /cases/{reference}/partners /cases/{reference}/given
    /cases/{reference}/restriction
    /attachments/{id} /evidence/files/{id} /obligations/files/{id} /audit
    /reports/{contract}/figure/{label} /releases/{id}/files/{format}
    /reports/{contract}/{label}
    """.split()
)
"""Pages that write an event of their own: case.read, attachment.read, report.taken, …"""
QUIET: Final = frozenset(
    """
    /account /account/again /account/second /account/second/app /account/second/app.svg
    /inbox /live/inbox /live/cases/{reference} /allocate /allocate/all /people /search /new-case
    /more /complaints/new /feedback/answers /emergency /permissions /running /copies /start
    /start/trials /practice/exercises /practice/exercises/{code}
    /changes /groups /overview /triage /handed-on /partners/new /partners
    /evidence /obligations /obligations.ics /library /library/new /library/{id}
    /events /events/new /events/{id}/change /news /news/new /news/{id}/change /news/{id}
    /rota /rota/sheet /rota/calendar /rota/new /rota/shifts/{id} /rota/patterns /rota/people
    /portal /portal/{contract}/actions /portal/{contract}/questions
    /portal/{contract}/questions/{id} /portal/{contract}/measures
    /portal/{contract}/measures/{id} /reports /releases/{id} /reports/{contract}/measures
    /reports/{contract}/quality/{label} /supplied /reports/{contract}/supplied/{label}
    /reports/{contract}/supplied/{label}/lists/{id}
    /report-templates /report-templates/{contract}/{report}
    /report-templates/{contract}/{report}/ours
    /report-templates/{contract}/{report}/{id}/preview
    /report-templates/{contract}/{report}/{id}/file
    """.split()
)
"""Pages of one's own, forms, counts, what is about nobody, and the lists of work, which lead to
what is noted when it is opened."""
PERSON: Final = "/people/{id}"
_PLAIN: Final = re.compile(r"[0-9]{1,10}")


REFUSED: Final = web.AppKey("refused", dict[int, tuple[datetime, int]])
"""User → when a refusal of theirs was written down last, and how many came since."""
ONCE_IN: Final = timedelta(minutes=1)


async def refused(request: web.Request, path: str) -> None:
    """Somebody who is signed in asked for what they may not: written down once a minute for each
    person, with how many came in between, so that hammering costs nothing."""
    signed = signed_in(request)
    if signed is None:
        return
    who, now, told = signed.actor.user_id, now_of(request), request.app[REFUSED]
    last, more = told.get(who, (None, 0))
    if last is not None and timedelta() <= now - last < ONCE_IN:
        told[who] = (last, more + 1)
        return
    told[who] = (now, 0)
    detail: dict[str, Any] = {"route": path, "method": request.method, "count": more + 1}
    try:
        async with house_of(request).db.write() as session:
            await events.record_all(session, [events.line("access.refused", now, by=who, **detail)])
    except AWAY as error:  # they are refused all the same
        log().error("refusal.not_noted", where=where(error))


async def note(request: web.Request, path: str, response: web.StreamResponse, actor: Actor) -> None:
    """Write down that `actor` was shown the page at the pattern `path`."""
    if request.method != "GET" or response.status != 200 or path in ITSELF | QUIET:
        return
    if "HX-Request" in request.headers:  # a part of a page that was opened before
        return
    rows = [int(one) for one in request.match_info.values() if _PLAIN.fullmatch(one)]
    house, now = house_of(request), now_of(request)
    kind = "person.read" if path == PERSON else "page.read"
    async with house.db.write() as session:
        await events.record(session, kind, now, by=actor.user_id, route=path, rows=rows)
