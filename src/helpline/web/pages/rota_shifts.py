"""One shift at a time: a lead adds, changes and takes away; whoever has it asks for a swap."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk.rota import plan, swaps
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Shift, ShiftSwap, User
from helpline.rules.permissions import may
from helpline.vocabulary import ShiftKind, SwapState
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import local_now
from helpline.web.pages.case_acts import instant
from helpline.web.pages.rota import KINDS, chosen
from helpline.web.showing import go, show

FIELDS = ("contract", "user", "kind", "starts", "ends", "override", "asked", "for_shift")


# --- a new one -----------------------------------------------------------------------------------


async def ask_new(request: web.Request) -> web.Response:
    """The empty form; a gap's link fills in its times."""
    query = request.query
    typed = {name: query.get(name, "")[:40] for name in ("contract", "starts", "ends")}
    return await _form(request, typed)


async def add(request: web.Request) -> web.Response:
    typed = await _typed(request)
    contract = chosen(contracts_of(request, "rota.write"), typed["contract"])
    now = now_of(request)
    try:
        wanted = _wanted(typed, contract, request)
        async with house_of(request).db.write() as session:
            await plan.put_on_call(session, contract, wanted, actor_of(request).user_id, now)
    except (InvalidInput, Conflict) as error:
        return await _form(request, typed, _status(error), str(error))
    return go("/rota?done=shift_added")


async def _form(
    request: web.Request, typed: dict[str, str], status: int = 200, problem: str = ""
) -> web.Response:
    contracts = contracts_of(request, "rota.write")
    contract = chosen(contracts, typed.get("contract", ""))
    async with house_of(request).db.read() as session:
        staff = await plan.staff(session, contract.key)
    return show(
        request,
        "rota_new.html.j2",
        status,
        zone=contract.zone,
        contracts=contracts,
        contract=contract,
        staff=staff,
        kinds=KINDS,
        typed=typed,
        problem=problem,
    )


# --- one that is there ---------------------------------------------------------------------------


async def show_shift(request: web.Request) -> web.Response:
    return await _page(request)


async def change(request: web.Request) -> web.Response:
    typed, now = await _typed(request), now_of(request)
    try:
        async with house_of(request).db.write() as session:
            shift, contract = await _found(session, request, "rota.write")
            wanted = _wanted(typed, contract, request)
            actor = actor_of(request)
            await plan.change_shift(session, contract, shift.id or 0, wanted, actor.user_id, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, typed, "change", _status(error), str(error))
    return go("/rota?done=shift_changed")


async def move(request: web.Request) -> web.Response:
    """The same shift some days and hours earlier or later, as the clock on the wall shows them."""
    days, hours = await field(request, "days"), await field(request, "hours")
    now, typed = now_of(request), dict.fromkeys(FIELDS, "")
    try:
        async with house_of(request).db.write() as session:
            shift, contract = await _found(session, request, "rota.write")
            by = timedelta(days=_steps(days, 60), hours=_steps(hours, 23))
            typed |= {"user": str(shift.user_id), "kind": shift.kind}
            typed |= {"override": "yes" if shift.is_override else ""}
            for name, at in (("starts", shift.starts_at), ("ends", shift.ends_at)):
                local = at.astimezone(ZoneInfo(contract.zone)).replace(tzinfo=None) + by
                typed[name] = local.isoformat("T", "minutes")
            wanted = _wanted(typed, contract, request)
            actor = actor_of(request)
            await plan.change_shift(session, contract, shift.id or 0, wanted, actor.user_id, now)
    except (InvalidInput, Conflict) as error:
        return await _page(request, typed, "change", _status(error), str(error))
    day = date.fromisoformat(typed["starts"][:10])
    monday = day - timedelta(days=day.weekday())
    return go(f"/rota?contract={contract.key}&week={monday}&done=shift_changed")


def _steps(text: str, most: int) -> int:
    """A whole number of days or hours, either way."""
    plain = text.removeprefix("-")
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 2 or int(plain) > most:
        raise InvalidInput("Move it by whole days and hours, or give its times here.")
    return int(text)


async def take_away(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        shift, contract = await _found(session, request, "rota.write")
        actor = actor_of(request)
        await plan.take_away(session, contract, shift.id or 0, actor.user_id, now_of(request))
    return go("/rota?done=shift_taken_away")


async def ask_swap(request: web.Request) -> web.Response:
    """Ask a colleague to take one's own shift, for one of theirs or for nothing."""
    typed, house = await _typed(request), house_of(request)
    try:
        async with house.db.write() as session:
            shift, contract = await _found(session, request, "rota.own")
            for_shift, asked = row_id(typed["for_shift"]), row_id(typed["asked"])
            if for_shift is not None:
                asked = (await plan.find_shift(session, contract.key, for_shift)).user_id
            if asked is None:
                raise InvalidInput("Choose whom you ask.")
            await swaps.ask(
                session,
                contract,
                shift.id or 0,
                asked,
                for_shift,
                actor_of(request).user_id,
                now_of(request),
                wording=house.wording,
            )
    except (InvalidInput, Conflict) as error:
        return await _page(request, typed, "swap", _status(error), str(error))
    house.wakes.sending.set()
    return go("/rota?done=swap_asked")


async def _page(
    request: web.Request,
    typed: dict[str, str] | None = None,
    form: str = "",
    status: int = 200,
    problem: str = "",
) -> web.Response:
    actor, now = actor_of(request), now_of(request)
    async with house_of(request).db.read() as session:
        shift, contract = await _found(session, request, "rota.read")
        staff = await plan.staff(session, contract.key)
        person = await session.get(User, shift.user_id)
        others = await _exchangeable(session, contract, actor.user_id, request)
        asked = await session.scalar(
            select(ShiftSwap).where(
                (col(ShiftSwap.shift_id) == shift.id) | (col(ShiftSwap.for_shift_id) == shift.id),
                col(ShiftSwap.state) == SwapState.ASKED,
            )
        )
    is_mine = shift.user_id == actor.user_id
    shown = {
        "user": str(shift.user_id),
        "kind": shift.kind,
        "starts": local_now(shift.starts_at, contract.zone),
        "ends": local_now(shift.ends_at, contract.zone),
        "override": "yes" if shift.is_override else "",
    }
    return show(
        request,
        "rota_shift.html.j2",
        status,
        zone=contract.zone,
        contract=contract,
        shift=shift,
        person=person,
        staff=staff,
        others=others,
        asked=asked,
        is_mine=is_mine,
        is_over=shift.ends_at <= now,
        is_running=shift.starts_at <= now < shift.ends_at,
        may_write=may(actor, "rota.write", contract.key),
        may_swap=is_mine and shift.starts_at > now and may(actor, "rota.own"),
        kinds=KINDS,
        typed=typed or shown,
        form=form,
        problem=problem,
    )


async def _exchangeable(
    session: AsyncSession, contract: Contract, user_id: int, request: web.Request
) -> Sequence[Any]:
    """Shifts of colleagues in the coming weeks that one might take in exchange."""
    now = now_of(request)
    return (
        await session.execute(
            select(Shift, col(User.shown_name))
            .join(User, col(User.id) == col(Shift.user_id))
            .where(
                col(Shift.contract) == contract.key,
                col(Shift.user_id) != user_id,
                col(Shift.taken_away_at).is_(None),
                col(Shift.starts_at) > now,
                col(Shift.starts_at) < now + timedelta(days=28),
                col(User.left_at).is_(None),
            )
            .order_by(col(Shift.starts_at), col(Shift.id))
            .limit(100)
        )
    ).all()


async def _found(
    session: AsyncSession, request: web.Request, action: str
) -> tuple[Shift, Contract]:
    shift_id = number_in_path(request, "id")
    key = await plan.contract_of_shift(session, shift_id)
    for contract in contracts_of(request, action):
        if contract.key == key:
            return await plan.find_shift(session, key, shift_id), contract
    raise NotFound("There is no such shift. Somebody may have taken it away.")


async def _typed(request: web.Request) -> dict[str, str]:
    return {name: await field(request, name) for name in FIELDS}


def _wanted(typed: dict[str, str], contract: Contract, request: web.Request) -> plan.Wanted:
    now = now_of(request)
    if not typed["starts"] or not typed["ends"]:
        raise InvalidInput("Give both times: when it begins and when it ends.")
    if typed["kind"] not in list(ShiftKind):
        raise InvalidInput("Choose what they are on call as.")
    return plan.Wanted(
        row_id(typed["user"]) or 0,
        ShiftKind(typed["kind"]),
        instant(typed["starts"], contract.zone, now),
        instant(typed["ends"], contract.zone, now),
        bool(typed["override"]),
    )


def _status(error: Exception) -> int:
    return 409 if isinstance(error, Conflict) else 400
