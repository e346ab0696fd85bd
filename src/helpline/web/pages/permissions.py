"""Who may do what, as rules/permissions.py has it: the table itself in plain words, so that nobody
has to take somebody's word for it."""

from typing import Any, Final

from aiohttp import web

from helpline.rules.permissions import ALLOWED, COMMANDS, HOLDS, OPENED_BY_GLASS, Of
from helpline.vocabulary import Role
from helpline.web.showing import show

ROLES: Final = (
    (Role.WORKER, "Support worker"),
    (Role.LEAD, "Team lead"),
    (Role.SAFEGUARDING, "Safeguarding lead"),
    (Role.COMPLAINTS, "Complaints officer"),
    (Role.COMMISSIONER, "Commissioner"),
    (Role.ADMIN, "Administrator"),
)


async def show_permissions(request: web.Request) -> web.Response:
    groups = [
        (of, HOLDS[of], [line for line in ALLOWED.values() if line.of is of])
        for of in Of
        if any(line.of is of for line in ALLOWED.values())
    ]
    values: dict[str, Any] = {
        "groups": groups,
        "roles": ROLES,
        "opened": OPENED_BY_GLASS,
        "commands": sorted(COMMANDS.items()),
    }
    return show(request, "permissions.html.j2", **values)
