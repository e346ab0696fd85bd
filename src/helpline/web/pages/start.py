"""Setting a helpline up: what is done, what is not yet, what to do next, and a test message to
oneself. For leads and administrators. Providers are asked before the database is, at most once a
minute, and what they said is kept by this process only."""

from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from helpline.contract import Contract
from helpline.desk import readiness, trials, wiring
from helpline.errors import InvalidInput
from helpline.rules.readiness import State, next_of
from helpline.web.asked import actor_of, contracts_of, field, house_of, now_of
from helpline.web.showing import go, show

ASKED: web.AppKey[dict[str, tuple[datetime, wiring.Answers]]] = web.AppKey("asked", dict)
"""When the providers were last asked, and what they said, under "last"."""
GOOD_FOR = timedelta(minutes=1)
PARTS = (
    # what a part of the list is called, and the lines that belong to it by how their codes begin
    ("Where it stands", ("address", "running", "keys", "contract")),
    ("Ways in and out", ("sms", "voice", "whatsapp", "telegram", "email")),
    ("People and their telephones", ("people", "second", "ways", "tried", "rota", "backup_person")),
    ("So that nothing is lost", ("backups", "heartbeat", "digest", "clock")),
)


async def show_start(request: web.Request) -> web.Response:
    return await _page(request)


async def show_trials(request: web.Request) -> web.Response:
    """The live part: how far each test message is."""
    contract = _contract(request, request.query.get("contract", ""))
    return show(request, "_start_trials.html.j2", **await _trials(request, contract))


async def begin_trial(request: web.Request) -> web.Response:
    """A new word to send from one's own phone."""
    contract = _contract(request, await field(request, "contract"))
    async with house_of(request).db.write() as session:
        channel = await field(request, "channel")
        await trials.begin(session, contract.key, channel, actor_of(request), now_of(request))
    return go(f"/start?contract={contract.key}#trials")


async def ask_again(request: web.Request) -> web.Response:
    """The providers are asked anew: something was just put right."""
    contract = _contract(request, await field(request, "contract"))
    request.app[ASKED].clear()
    return go(f"/start?contract={contract.key}")


def _contract(request: web.Request, key: str) -> Contract:
    """The contract that is set up; the first where none is named."""
    found = contracts_of(request, "start.work")
    chosen = [one for one in found if one.key == key] or ([] if key else found[:1])
    if not chosen:
        raise InvalidInput("Choose one of the contracts in the list.")
    return chosen[0]


async def _page(request: web.Request) -> web.Response:
    house, now = house_of(request), now_of(request)
    contract = _contract(request, request.query.get("contract", ""))
    asked_at, answers = await _answers(request)
    async with house.db.read() as session:
        lines = await readiness.lines(
            session, house.settings, contract, frozenset(house.channels), answers, now
        )
    worded = [(line, *readiness.said(house.wording, line, contract.zone, now)) for line in lines]
    following = next_of(lines)
    return show(
        request,
        "start.html.j2",
        zone=contract.zone,
        contracts=contracts_of(request, "start.work"),
        parts=[
            (name, [one for one in worded if _belongs(one[0].code, codes)]) for name, codes in PARTS
        ],
        following=next((one for one in worded if one[0] is following), None),
        done=sum(line.state is State.DONE for line in lines),
        missing=sum(line.state is State.NOT_YET for line in lines),
        asked_at=asked_at,
        **await _trials(request, contract),
    )


def _belongs(code: str, codes: tuple[str, ...]) -> bool:
    return code.removesuffix("_trial") in codes


async def _answers(request: web.Request) -> tuple[datetime, wiring.Answers]:
    known, now = request.app[ASKED], now_of(request)
    last = known.get("last")
    if last is None or now - last[0] > GOOD_FOR:
        last = known["last"] = (now, await wiring.ask(house_of(request).channels))
    return last


async def _trials(request: web.Request, contract: Contract) -> dict[str, Any]:
    house, now = house_of(request), now_of(request)
    async with house.db.read() as session:
        newest = await trials.newest(session, contract.key)
    addresses = {
        "sms": house.settings.number_of.get(contract.key, ""),
        "whatsapp": house.settings.whatsapp_from(contract.key)
        if house.settings.whatsapp_numbers
        else "",
        "telegram": "our bot",
        "email": house.settings.mail_from(contract.key),
    }
    ways = [
        (channel, addresses[channel], newest.get(channel))
        for channel in trials.WRITTEN
        if channel in house.channels and addresses[channel]
    ]
    waiting = any(
        tried and tried.trial.expires_at > now and not tried.has_worked for _, _, tried in ways
    )
    return {"contract": contract, "tried_ways": ways, "is_waiting": waiting}
