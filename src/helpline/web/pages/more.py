"""What else there is: the pages that are needed less often than those of the navigation."""

from aiohttp import web

from helpline.rules.permissions import may
from helpline.web.asked import actor_of
from helpline.web.showing import MORE, navigation_of, show


async def show_more(request: web.Request) -> web.Response:
    actor = actor_of(request)
    above = {at for at, _, _ in navigation_of(actor)}
    found = [
        (at, name, words)
        for at, name, words, action in MORE
        if may(actor, action) and at not in above
    ]
    return show(request, "more.html.j2", found=found)
