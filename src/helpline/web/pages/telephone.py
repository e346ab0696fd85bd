"""POST /cases/<reference>/telephone: ring the person of a case. The worker's own telephone rings
first; no connection to the database is held while the provider places the call."""

from aiohttp import web

from helpline.channels import SendResult, telephone_in
from helpline.desk import switchboard
from helpline.errors import Conflict, InvalidInput
from helpline.vocabulary import SendState
from helpline.web.asked import actor_of, contract_of, form_of, house_of, now_of
from helpline.web.pages.case import find, page_of
from helpline.web.showing import go
from helpline.web.voice import ways_of

OFF = "The telephone is not switched on here. Ring them from your own, and record the call."
REFUSED = "The call could not be placed. Ring them from your own telephone, and record the call."


async def ring(request: web.Request) -> web.Response:
    house, now = house_of(request), now_of(request)
    voice = telephone_in(house.channels)
    try:
        if voice is None:
            async with house.db.read() as session:
                await find(session, request)  # 404 for somebody who may not know of the case
            raise Conflict(OFF)
        async with house.db.write() as session:
            found = await find(session, request)
            contract = contract_of(request, found.contract)
            placing = await switchboard.begin(
                session, ways_of(house), contract, found, actor_of(request), now
            )
        result = await voice.ring(placing.number, placing.shown, placing.next, placing.ended)
        async with house.db.write() as session:
            if _may_ring(result):
                await switchboard.placed(session, placing.call_id, result.provider_id, now)
            else:
                await switchboard.not_placed(session, contract, placing.call_id, now)
        if not _may_ring(result):
            raise Conflict(REFUSED)
    except (InvalidInput, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 400
        typed = await form_of(request)
        return await page_of(
            request, status=status, form="telephone", problem=str(error), typed=typed
        )
    return go(f"/cases/{found.reference}?done=telephone")


def _may_ring(result: SendResult) -> bool:
    """An unsure answer may still ring: then its hooks lead the call, or the provider is asked."""
    return result.state in (SendState.ACCEPTED, SendState.UNSURE)
