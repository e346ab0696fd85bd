"""The job that looks after telephone calls: one whose end nobody told us is asked about, so that a
call-back is owed even when a hook was lost; a recording that is kept here is deleted there."""

from datetime import timedelta

from helpline.channels import CallNews, TakesCalls, telephone_in
from helpline.desk import calls
from helpline.desk.house import House
from helpline.log import log, where
from helpline.models import Call

GRACE = timedelta(seconds=90)
"""A younger call is still being led by its hooks."""
UNKNOWN_AFTER = timedelta(minutes=10)
"""A call the provider knows nothing of by then never was one, or is long over."""


async def look_after_calls(house: House) -> int:
    """Returns how many calls were ended and recordings deleted. No connection is held while the
    provider is asked; one call's trouble does not keep the others waiting."""
    voice = telephone_in(house.channels)
    if voice is None:
        return 0
    now, done = house.clock.now(), 0
    async with house.db.read() as session:
        waiting = await calls.open_calls(session, now - GRACE)
        kept = await calls.kept_recordings(session)
    for call in waiting:
        try:
            done += await _ask_about(house, voice, call)
        except Exception as error:
            log().warning("call.not_asked", call=call.id, where=where(error))
    for call_id, recording in kept:
        if await voice.forget(recording):
            async with house.db.write() as session:
                await calls.recording_is_gone(session, call_id, house.clock.now())
            done += 1
    return done


async def _ask_about(house: House, voice: TakesCalls, call: Call) -> int:
    """1 when the call turned out to be over and is closed now."""
    now = house.clock.now()
    news = await voice.find_call(call.provider_id)
    if news is None and call.begun_at < now - UNKNOWN_AFTER:
        news = CallNews(call.provider_id, has_ended=True, seconds=0)
    if news is None or not news.has_ended or call.id is None:
        return 0
    contract = house.contracts[call.contract]
    async with house.db.write() as session:
        held = await calls.get(session, call.id)
        if held is None:
            return 0
        if news.recording:
            media = voice.recorded(news.recording)
            await calls.keep_message(session, contract, held, news.recording, media, now)
        await calls.end(session, contract, held, news, now)
    return 1
