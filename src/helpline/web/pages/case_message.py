"""One message of a case, for whoever sees that it belongs elsewhere: to another case, or that what
comes from there is a matter of its own from now on."""

from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, elsewhere
from helpline.errors import InvalidInput
from helpline.models import Case
from helpline.web.asked import field, number_in_path, row_id
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on, show_tab


async def show_message(request: web.Request, **again: Any) -> web.Response:
    contact_id = number_in_path(request, "id")

    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        return {
            "message": await elsewhere.find_message(session, found, contact_id),
            "conversations": await elsewhere.conversations(session, found),
        }

    return await show_tab(request, "case_message.html.j2", fill, **again)


async def move(request: web.Request) -> web.Response:
    contact_id, reference = number_in_path(request, "id"), await field(request, "other")

    async def act(it: Act) -> str:
        if not reference:
            raise InvalidInput("Give the reference of the other case.")
        to = await cases.find_case(it.session, it.by, reference[:20])
        await elsewhere.move_message(it.session, it.case, contact_id, to, it.by, it.now)
        return f"/cases/{to.reference}#timeline-heading"

    return await act_on(request, "move", act, show_message)


async def split_off(request: web.Request) -> web.Response:
    address_id = row_id(await field(request, "address"))

    async def act(it: Act) -> str:
        await elsewhere.split_off(it.session, it.case, address_id, it.by, it.now)
        return f"/cases/{it.case.reference}/people?done=split"

    return await act_on(request, "split", act, show_message)
