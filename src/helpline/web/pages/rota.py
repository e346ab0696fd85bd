"""Who is on call in the coming two weeks, and where nobody is. Read only; shifts are entered by
the command line until the rota has pages of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Row

from helpline.desk import lists
from helpline.vocabulary import ShiftKind
from helpline.web.asked import contracts_of, house_of, now_of
from helpline.web.showing import show

AHEAD = timedelta(days=14)


async def show_rota(request: web.Request) -> web.Response:
    now, contracts = now_of(request), contracts_of(request, "rota.read")
    keys = [contract.key for contract in contracts]
    async with house_of(request).db.read() as session:
        shifts = await lists.shifts(session, keys, now, now + AHEAD)
    by_contract = {
        contract.key: {
            "contract": contract,
            "shifts": [shift for shift in shifts if shift.contract == contract.key],
            "gaps": gaps(
                [shift for shift in shifts if shift.contract == contract.key], now, now + AHEAD
            ),
        }
        for contract in contracts
    }
    return show(request, "rota.html.j2", rotas=by_contract, ahead=AHEAD)


def gaps(
    shifts: Sequence[Row[Any]], since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """The times between two instants in which nobody has the first shift and still works here."""
    found, covered = [], since
    for shift in shifts:
        if shift.kind != ShiftKind.PRIMARY or shift.left_at is not None:
            continue
        if shift.starts_at > covered:
            found.append((covered, shift.starts_at))
        covered = max(covered, shift.ends_at)
    if covered < until:
        found.append((covered, until))
    return found
