"""A report on its way to the council, as one page that leads through: what to put right, the
figures, a sentence for each that moved, the signature, presenting and giving it out.

Counting, proving that nothing small is given away, and typesetting take seconds to minutes: they
are done between two transactions, and the act says so when something changed meanwhile. Who has
waited long enough for the check is let go, and finds its end on the page.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import events, letters, releasing, releasing_given, releasing_lists
from helpline.desk.releasing import BadText
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Release
from helpline.reports import frozen
from helpline.rules.permissions import may
from helpline.vocabulary import ReleaseState
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
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.reports import FILES, TEXTS, TYPES, page_of_reports
from helpline.web.showing import go, hand_out, show

NO_MAILBOX: Final = (
    "There is no mailbox for this contract, and no letter may leave from another's. "
    "Tell them yourself, and write down that you did."
)
CHECKING: Final = web.AppKey("checking", dict[int, asyncio.Task[None]])
"""The checks that go on, by their release. One that is cut off leaves a draft."""
PATIENCE: Final = 20.0  # seconds
_WRONG: Final = {
    "Give the day": "day",
    "Say to whom": "to",
    "Choose who it": "recipient",
    "Choose whom": "reader",
    "Say how": "note",
    "Say what": "why",
    "The council reads": "why",
}


async def show_release(request: web.Request) -> web.Response:
    row, going = number_in_path(request, "id"), request.app[CHECKING]
    check = going.get(row)
    if check is not None and check.done():
        async with house_of(request).db.read() as session:
            await _found(request, session, row)  # who may not see it ends nothing
        going.pop(row, None)
        try:
            await check
        except Conflict as error:
            return await _page(request, "check", error)
    return await _page(request)


async def draw_up(request: web.Request) -> web.Response:
    """A draft of an earlier period, by hand."""
    key, _, code = (await field(request, "report")).partition("/")
    contract = next((c for c in contracts_of(request, "report.prepare") if c.key == key), None)
    if contract is None:
        raise InvalidInput("Choose a report from the list.")
    label, actor, now = await field(request, "period"), actor_of(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            made = await releasing.draw_up(session, contract, code, label, actor, now)
    except (InvalidInput, Conflict, NotFound) as error:
        return await page_of_reports(request, error, f"{key}/{code}", label)
    return go(f"/releases/{made.id}?done=made")


async def check(request: web.Request) -> web.Response:
    """The figures are right: they are counted once, and stand."""
    row, going = number_in_path(request, "id"), request.app[CHECKING]
    try:
        async with house_of(request).db.read() as session:
            contract, release = await _found(request, session, row)
            releasing.may_check(release, actor_of(request))
    except Conflict as error:
        return await _page(request, "check", error)
    if row not in going:
        going[row] = asyncio.create_task(_check(request, contract, row))
    check = going[row]  # sent twice, it is one check, and each hears its end
    await asyncio.wait([check], timeout=PATIENCE)
    if not check.done():
        return go(f"/releases/{row}#figures")
    going.pop(row, None)
    try:
        await check
    except Conflict as error:
        return await _page(request, "check", error)
    return go(f"/releases/{row}?done=checked#words")


async def _check(request: web.Request, contract: Contract, row: int) -> None:
    db, actor, now = house_of(request).db, actor_of(request), now_of(request)
    async with db.read() as session:
        release = await releasing.find(session, row, actor)
        counted = await releasing.to_check(session, contract, release, now)
    async with db.write() as session:
        await releasing.check(session, contract, row, counted, actor, now)


async def end_checks(app: web.Application) -> None:
    """With the helpline."""
    for task in app[CHECKING].values():
        task.cancel()
    await asyncio.gather(*app[CHECKING].values(), return_exceptions=True)


async def take_back(request: web.Request) -> web.Response:
    row = number_in_path(request, "id")
    try:
        async with house_of(request).db.write() as session:
            await releasing.take_back(session, row, actor_of(request), now_of(request))
    except Conflict as error:
        return await _page(request, "take_back", error)
    return go(f"/releases/{row}?done=taken_back")


async def say(request: web.Request) -> web.Response:
    """Sentences and texts, as many as were typed."""
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    typed = {name: given[-1] for name, given in (await form_of(request)).items()}
    async with house_of(request).db.read() as session:
        contract, release = await _found(request, session, row)
    places = {field_of(place): place for place in _places(contract, release)}
    texts = {places[name]: text for name, text in typed.items() if name in places}
    try:
        async with house_of(request).db.write() as session:
            await releasing.say(session, contract, row, texts, actor, now)
    except BadText as error:
        return await _page(request, "words", error, typed, field_of(error.place))
    except Conflict as error:
        return await _page(request, "words", error, typed)
    return go(f"/releases/{row}?done=said#sign")


async def sign(request: web.Request) -> web.Response:
    """Signed: the files of every format are made and kept, and the council can read it."""
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    try:
        async with house_of(request).db.read() as session:
            contract, release = await _found(request, session, row)
            releasing.may_sign(release, actor)
            ready = await releasing.to_sign(session, contract, release, now)
            files = await releasing.files_of(session, contract, ready)
        async with house_of(request).db.write() as session:
            await releasing.sign(session, contract, ready, files, actor, now)
    except Conflict as error:
        return await _page(request, "sign", error)
    return go(f"/releases/{row}?done=signed#give")


async def present(request: web.Request) -> web.Response:
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    typed = {name: await field(request, name) for name in ("day", "to")}
    try:
        day = day_in(typed["day"])
        if day is None:
            raise InvalidInput("Give the day on which it was presented.")
        async with house_of(request).db.write() as session:
            found = await releasing.find(session, row, actor)
            contract = contract_of(request, found.contract)
            await releasing_given.present(session, contract, row, day, typed["to"], actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, "present", error, typed)
    return go(f"/releases/{row}?done=presented#give")


async def deliver(request: web.Request) -> web.Response:
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    typed = {name: await field(request, name) for name in ("recipient", "note")}
    try:
        async with house_of(request).db.write() as session:
            found = await releasing.find(session, row, actor)
            contract = contract_of(request, found.contract)
            await releasing_given.deliver(
                session, contract, row, typed["recipient"], typed["note"], actor, now
            )
    except (InvalidInput, Conflict) as error:
        return await _page(request, "deliver", error, typed)
    return go(f"/releases/{row}?done=delivered#give")


async def write_to(request: web.Request) -> web.Response:
    """Somebody of the council is told by e-mail that it is ready."""
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    house = house_of(request)
    typed = {name: await field(request, name) for name in ("recipient", "reader")}
    try:
        async with house.db.write() as session:
            found = await releasing.find(session, row, actor)
            contract = contract_of(request, found.contract)
            if not house.settings.mail_from(contract.key):
                raise Conflict(NO_MAILBOX)
            await releasing_given.write_to(
                session,
                contract,
                row,
                typed["recipient"],
                row_id(typed["reader"]),
                actor,
                now,
                wording=house.wording,
                site=house.settings.public_url,
            )
    except (InvalidInput, Conflict) as error:
        return await _page(request, "letter", error, typed)
    house.wakes.sending.set()
    return go(f"/releases/{row}?done=written#give")


async def _readers(
    request: web.Request, session: AsyncSession, contract: Contract
) -> Sequence[tuple[int, str]]:
    """Whom we can write to; nobody where this helpline sends no e-mail."""
    if letters.CHANNEL not in house_of(request).channels:
        return []
    return await releasing_given.readers(session, contract)


async def restate(request: web.Request) -> web.Response:
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    typed = {"why": await field(request, "why")}
    try:
        async with house_of(request).db.write() as session:
            found = await releasing.find(session, row, actor)
            contract = contract_of(request, found.contract)
            made = await releasing.restate(session, contract, row, typed["why"], actor, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, "restate", error, typed)
    return go(f"/releases/{made.id}?done=restated")


async def take_file(request: web.Request) -> web.Response:
    """A signed report as a file: the bytes that were signed."""
    row, format, now = number_in_path(request, "id"), request.match_info["format"], now_of(request)
    if format not in TYPES:
        raise NotFound("There is no such file.")
    async with house_of(request).db.read() as session:
        release = await session.get(Release, row, options=frozen.LIGHT)
        if (
            release is None
            or not ReleaseState(release.state).is_out
            or not may(actor_of(request), "report.read", release.contract)
        ):
            raise NotFound("There is no such file, or it is not yours to see.")
        body = await releasing.file(session, release, format)
    if body is None:
        raise NotFound("There is no such file.")
    async with house_of(request).db.write() as session:
        await events.record(
            session,
            "report.taken",
            now,
            contract=release.contract,
            by=actor_of(request).user_id,
            period=release.period,
            format=format,
            exact=False,
            release=row,
        )
    again = f"-{release.number}" if release.number > 1 else ""
    name = f"{release.contract}-{release.report}-{release.period}{again}.{format}"
    return web.Response(
        body=body,
        content_type=TYPES[format],
        charset="utf-8" if format in TEXTS else None,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def take_pack(request: web.Request) -> web.Response:
    """Everything for a meeting as one ZIP."""
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    key = request.match_info["contract"]
    contract = next((c for c in contracts_of(request, "report.prepare") if c.key == key), None)
    if contract is None:
        raise NotFound("There is no such meeting.")
    async with house_of(request).db.read() as session:
        body = await releasing_lists.pack(session, contract, row, actor, now)
    return hand_out(f"{key}-meeting-{row}.zip", body, "application/zip")


def field_of(place: str) -> str:
    """A place (frozen.said) as the name of a field."""
    return "say-" + place.replace(".", "-").replace(":", "-")


def _places(contract: Contract, release: Release) -> list[str]:
    lines = contract.report(release.report).lines
    measures = dict.fromkeys(one for line in lines for one in line.measures)
    return [*measures, *releasing.asked_for(contract, release)]


async def _found(request: web.Request, session: AsyncSession, row: int) -> tuple[Contract, Release]:
    release = await releasing.find(session, row, actor_of(request))
    return contract_of(request, release.contract), release


async def _page(
    request: web.Request,
    form: str = "",
    error: Exception | None = None,
    typed: Mapping[str, str] | None = None,
    wrong: str = "",
) -> web.Response:
    row, actor, now = number_in_path(request, "id"), actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        contract, release = await _found(request, session, row)
        values: dict[str, Any] = {
            "one": await releasing_lists.one(session, contract, release, now),
            "said": await frozen.said(session, release),
            "moves": [],
            "missing": (),
            "changed": [],
            "deliveries": await releasing_given.deliveries(session, release),
            "readers": await _readers(request, session, contract),
            "meetings": await releasing_lists.meetings(session, contract, now),
        }
        if release.state == ReleaseState.CHECKED:
            moves = await releasing.moves(session, contract, release, now)
            values["moves"] = [one for one in moves if one.change is not None]
            values["still"] = [one.measure for one in moves if one.change is None]
            values["missing"] = releasing.missing(contract, release, moves, values["said"])
        if release.state != ReleaseState.DRAFT:
            report = await frozen.load(session, contract, release)
            values["view"] = report.view
            values["changed"] = await releasing_lists.changed(session, contract, release, report)
    asked = releasing.asked_for(contract, release)
    sentence = str(error) if error else ""
    values |= {
        "release": release,
        "contract": contract,
        "lines": [
            (f"line:{line.code}", line, asked[f"line:{line.code}"])
            for line in contract.report(release.report).lines
            if f"line:{line.code}" in asked
        ],
        "recipients": [(one.code, one.name) for one in contract.commissioners],
        "field_of": field_of,
        "files": FILES,
        "done": request.query.get("done", ""),
        "form": form,
        "problem": sentence,
        "typed": typed or {},
        "wrong": wrong or _wrong(sentence),
        "is_being_checked": row in request.app[CHECKING],
        "is_other": release.checked_by_id != actor.user_id,
    }
    status = 400 if error else 200
    return show(request, "release.html.j2", status, zone=contract.zone, **values)


def _wrong(sentence: str) -> str:
    return next((name for begins, name in _WRONG.items() if sentence.startswith(begins)), "")
