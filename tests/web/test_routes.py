"""Every route of the app and who may use it, said a second time by hand: a route that is added
without a line here fails, and so does one that lets in somebody it should not."""

import re

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer

from helpline.rules.permissions import ALLOWED
from helpline.web.app import ROUTES, Route, make_app
from helpline.web.middleware import ALLOW, PUBLIC, SIGNED
from helpline.web.pages import health
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, World

NAMES = {
    "W": "wasim",
    "L": "leonie",
    "S": "sefa",
    "Q": "quinn",
    "C": "colin",
    "A": "ada",
}

# method and path → who may: W support worker, L team lead, S safeguarding lead, Q complaints
# officer, C commissioner, A administrator
WHO = {
    "POST /logout": "WLSQCA",
    "GET /account": "WLSQCA",
    "POST /account/password": "WLSQCA",
    "POST /account/ways": "WLSQ",
    "POST /account/test": "WLSQ",
    "POST /account/telegram": "WLSQ",
    "POST /account/sessions/{id}/end": "WLSQCA",
    "POST /account/sessions/end": "WLSQCA",
    "GET /account/again": "WLSQCA",
    "POST /account/again": "WLSQCA",
    "POST /account/again/passkey": "WLSQCA",
    "GET /account/second": "WLSQCA",
    "POST /account/second/app": "WLSQCA",
    "GET /account/second/app": "WLSQCA",
    "GET /account/second/app.svg": "WLSQCA",
    "POST /account/second/app/code": "WLSQCA",
    "POST /account/second/app/end": "WLSQCA",
    "POST /account/second/passkeys/challenge": "WLSQCA",
    "POST /account/second/passkeys": "WLSQCA",
    "POST /account/second/passkeys/{id}/end": "WLSQCA",
    "POST /account/second/papers": "WLSQCA",
    "POST /account/provider": "WLSQCA",
    "POST /account/provider/end": "WLSQCA",
    "GET /palette": "WLSQCA",
    "GET /live/asked": "WLSQ",
    "GET /inbox": "WLS",
    "GET /tray": "WLS",
    "POST /tray/{id}/clearance": "WLS",
    "POST /tray/{id}/attempt": "WLS",
    "POST /tray/{id}/contract": "WLS",
    "POST /alerts/{id}/acknowledgement": "WLSQ",
    "GET /cases/{reference}": "WLS",
    "POST /cases/{reference}/replies": "WLS",
    "POST /cases/{reference}/preview": "WLS",
    "POST /cases/{reference}/page": "WLS",
    "POST /cases/{reference}/typing": "WLS",
    "POST /cases/{reference}/allocation": "WLS",
    "POST /cases/{reference}/notes": "WLS",
    "POST /cases/{reference}/calls": "WLS",
    "POST /cases/{reference}/telephone": "WLS",
    "POST /cases/{reference}/reason": "WLS",
    "POST /cases/{reference}/method": "WLS",
    "POST /cases/{reference}/urgency": "WLS",
    "POST /cases/{reference}/closure": "WLS",
    "POST /cases/{reference}/reopening": "WLS",
    "POST /cases/{reference}/undoing": "WLS",
    "POST /cases/{reference}/completion": "WLS",
    "GET /cases/{reference}/plan": "WLS",
    "POST /cases/{reference}/plan/tasks": "WLS",
    "POST /cases/{reference}/plan/happenings": "WLS",
    "POST /cases/{reference}/plan/tasks/{id}/end": "WLS",
    "POST /cases/{reference}/plan/tasks/{id}/change": "WLS",
    "POST /cases/{reference}/plan/steps": "WLS",
    "POST /cases/{reference}/plan/steps/{id}/end": "WLS",
    "POST /cases/{reference}/plan/kind": "WLS",
    "POST /cases/{reference}/plan/agreement": "WLS",
    "POST /cases/{reference}/plan/goals": "WLS",
    "POST /cases/{reference}/plan/goals/{id}": "WLS",
    "POST /cases/{reference}/plan/reviews": "WLS",
    "POST /cases/{reference}/plan/exit": "WLS",
    "POST /cases/{reference}/plan/waiver": "LS",
    "POST /cases/{reference}/plan/silence": "WLS",
    "POST /cases/{reference}/plan/referral": "WLS",
    "POST /cases/{reference}/plan/transfer": "LS",
    "POST /cases/{reference}/readings/{id}": "WLS",
    "POST /cases/{reference}/tasks/{id}/end": "WLS",
    "POST /cases/{reference}/promises": "WLS",
    "POST /cases/{reference}/promises/{id}/end": "WLS",
    "GET /attachments/{id}": "WLS",
    "GET /changes": "WLSQC",
    "POST /changes": "LSQ",
    "POST /changes/{id}": "LSQ",
    "GET /groups": "WLSQ",
    "POST /groups": "WLSQ",
    "POST /groups/{id}/ending": "WLSQ",
    "POST /groups/{id}/withdrawal": "WLSQ",
    "GET /overview": "L",
    "GET /triage": "L",
    "GET /handed-on": "WLSQC",
    "GET /people": "WLS",
    "GET /people/{id}": "WLS",
    "POST /people/{id}/telegram": "WLS",
    "POST /people/{id}/merges": "WLS",
    "POST /people/{id}/merges/{merge}/undoing": "WLS",
    "GET /register": "LA",
    "POST /register": "LA",
    "GET /register/{id}": "LA",
    "POST /register/{id}/acceptance": "LA",
    "POST /register/{id}/end": "LA",
    "GET /cases/{reference}/standing": "WLS",
    "POST /cases/{reference}/standing/facts": "WLS",
    "POST /cases/{reference}/standing/named": "WLS",
    "POST /cases/{reference}/standing/origin": "WLS",
    "POST /cases/{reference}/standing/override": "L",
    "POST /people/{id}/needs": "WLS",
    "POST /people/{id}/needs/{need}/end": "WLS",
    "POST /people/{id}/covers": "WLS",
    "POST /people/{id}/covers/{cover}/end": "WLS",
    "GET /new-case": "WLS",
    "POST /new-case": "WLS",
    "POST /cases/{reference}/block": "WLS",
    "POST /cases/{reference}/acceptance": "WLS",
    "POST /cases/{reference}/refusal": "WLS",
    "POST /cases/{reference}/conflicts": "WLS",
    "POST /cases/{reference}/conflicts/{id}/end": "LS",
    "GET /allocate": "LS",
    "POST /allocate": "LS",
    "POST /allocate/undoing": "LS",
    "GET /allocate/all": "LS",
    "POST /allocate/all": "LS",
    "GET /blocks": "LA",
    "POST /blocks/{id}/end": "LA",
    "POST /blocks/{id}/extension": "LA",
    "GET /cases/{reference}/safety": "WLS",
    "POST /cases/{reference}/safety": "WLS",
    "POST /people": "WLS",
    "GET /rota": "WLSA",
    "GET /rota/sheet": "WLSA",
    "GET /rota/calendar": "WLS",
    "POST /rota/calendar": "WLS",
    "POST /rota/calendar/end": "WLS",
    "GET /rota/new": "L",
    "POST /rota/shifts": "L",
    "GET /rota/shifts/{id}": "WLSA",
    "POST /rota/shifts/{id}": "L",
    "POST /rota/shifts/{id}/end": "L",
    "POST /rota/shifts/{id}/move": "L",
    "POST /rota/shifts/{id}/swaps": "WLS",
    "POST /rota/swaps/{id}/agreement": "WLS",
    "POST /rota/swaps/{id}/refusal": "WLS",
    "POST /rota/swaps/{id}/withdrawal": "WLS",
    "GET /rota/patterns": "L",
    "POST /rota/patterns": "L",
    "POST /rota/patterns/{id}/end": "L",
    "GET /rota/absences": "WLS",
    "POST /rota/absences": "WLS",
    "POST /rota/absences/{id}/end": "WLS",
    "GET /rota/people": "L",
    "POST /rota/people/{id}/skills": "L",
    "GET /rota/handovers/{id}": "WLS",
    "POST /rota/handovers/{id}/words": "WLS",
    "POST /rota/handovers/{id}/acknowledgement": "WLS",
    "GET /cases/{reference}/record": "WLS",
    "GET /cases/{reference}/record/chronology.pdf": "WLS",
    "GET /cases/{reference}/record/file.pdf": "WLS",
    "POST /cases/{reference}/record/notes": "WLS",
    "POST /cases/{reference}/record/comments": "WLS",
    "POST /cases/{reference}/drafts/{form}": "WLS",
    "POST /cases/{reference}/drafts/{id}/end": "WLS",
    "GET /cases/{reference}/people": "WLS",
    "POST /cases/{reference}/people/parts": "WLS",
    "POST /cases/{reference}/people/search": "WLS",
    "POST /cases/{reference}/people/known": "WLS",
    "POST /cases/{reference}/people/parts/{id}/end": "WLS",
    "POST /cases/{reference}/people/parts/{id}/own-case": "LS",
    "GET /cases/{reference}/messages/{id}": "WLS",
    "POST /cases/{reference}/messages/{id}/case": "WLS",
    "POST /cases/{reference}/messages/{id}/own-case": "WLS",
    "POST /cases/{reference}/people/links": "WLS",
    "POST /cases/{reference}/people/links/{id}/end": "WLS",
    "GET /people/{id}/readers": "WLS",
    "POST /people/{id}/readers": "WLS",
    "GET /cases/{reference}/restriction": "LS",
    "POST /cases/{reference}/restriction/people": "LS",
    "POST /cases/{reference}/restriction/end": "LS",
    "GET /emergency": "WLS",
    "POST /emergency": "WLS",
    "GET /emergencies": "LS",
    "POST /emergencies/{id}": "LS",
    "GET /permissions": "LSA",
    "GET /search": "WLS",
    "POST /search": "WLS",
    "GET /cases/{reference}/pathway": "WLS",
    "GET /cases/{reference}/pathway/list": "WLS",
    "POST /cases/{reference}/pathway/sending": "WLS",
    "POST /cases/{reference}/pathway/entries": "WLS",
    "POST /cases/{reference}/pathway/{id}/track": "WLS",
    "POST /cases/{reference}/pathway/{id}/stages": "WLS",
    "POST /cases/{reference}/pathway/{id}/told": "WLS",
    "POST /cases/{reference}/pathway/{id}/ticks": "WLS",
    "POST /cases/{reference}/pathway/{id}/unticks": "WLS",
    "POST /cases/{reference}/pathway/{id}/requests": "WLS",
    "POST /cases/{reference}/pathway/{id}/requests/{request}/answer": "WLS",
    "POST /cases/{reference}/pathway/{id}/meetings": "WLS",
    "POST /cases/{reference}/pathway/{id}/end": "WLS",
    "GET /cases/{reference}/duties": "WLS",
    "POST /cases/{reference}/duties/notices": "WLS",
    "POST /cases/{reference}/duties/notices/{id}/sending": "WLS",
    "POST /cases/{reference}/duties/notices/{id}/withholding": "WLS",
    "POST /cases/{reference}/duties/notices/{id}/answer": "WLS",
    "POST /cases/{reference}/duties/notices/{id}/steps": "WLS",
    "POST /cases/{reference}/duties/interviews": "WLS",
    "POST /cases/{reference}/duties/interviews/{id}/time": "WLS",
    "POST /cases/{reference}/duties/interviews/{id}/solicitor": "WLS",
    "POST /cases/{reference}/duties/interviews/{id}/end": "WLS",
    "POST /cases/{reference}/duties/claims": "WLS",
    "POST /cases/{reference}/duties/claims/{id}/state": "WLS",
    "POST /cases/{reference}/duties/legal-line": "WLS",
    "POST /cases/{reference}/duties/counselling/{id}": "WLS",
    "POST /cases/{reference}/duties/money": "WLS",
    "POST /cases/{reference}/duties/moves": "WLS",
    "POST /cases/{reference}/duties/moves/{id}/escalation": "WLS",
    "POST /cases/{reference}/duties/outcomes": "WLS",
    "POST /cases/{reference}/duties/approvals": "WLS",
    "POST /cases/{reference}/duties/approvals/{id}/choice": "WLS",
    "POST /cases/{reference}/duties/aftercare": "WLS",
    "POST /cases/{reference}/duties/aftercare/{id}/end": "WLS",
    "GET /more": "WLSQA",
    "GET /complaints": "LSQ",
    "GET /complaints/new": "WLSQ",
    "POST /complaints": "WLSQ",
    "GET /complaints/{reference}": "LSQ",
    "POST /complaints/{reference}/entries": "LSQ",
    "GET /samples": "WLS",
    "POST /samples": "L",
    "POST /samples/{id}/reading": "WLS",
    "GET /compliments": "WLSQ",
    "POST /compliments": "WLSQ",
    "POST /compliments/{id}/passing": "WLSQ",
    "GET /incidents": "WLSQ",
    "POST /incidents": "WLS",
    "GET /incidents/{reference}": "WLSQ",
    "POST /incidents/{reference}/entries": "WLS",
    "POST /incidents/{reference}/notices/{id}": "LS",
    "POST /incidents/{reference}/assessment": "LS",
    "GET /rights": "WLS",
    "GET /rights/kept": "LS",
    "GET /rights/kept/{id}": "LS",
    "POST /rights/kept/{id}": "LS",
    "POST /rights/kept/{id}/approval": "LS",
    "POST /rights/holds/{id}/end": "LS",
    "GET /rights/told": "LS",
    "POST /rights/agreements": "LS",
    "POST /rights/agreements/{id}": "LS",
    "GET /rights/{reference}": "WLS",
    "POST /rights/{reference}/steps": "LS",
    "GET /rights/{reference}/file": "LS",
    "POST /rights/{reference}/file": "LS",
    "GET /rights/{reference}/file/{form}": "LS",
    "POST /rights/{reference}/signature": "LS",
    "GET /cases/{reference}/rights": "WLS",
    "POST /cases/{reference}/rights/requests": "WLS",
    "POST /cases/{reference}/rights/told": "WLS",
    "POST /cases/{reference}/rights/holds": "LS",
    "GET /feedback": "LSQ",
    "POST /feedback/{id}/themes": "LSQ",
    "GET /feedback/answers": "WLS",
    "POST /feedback/answers": "WLS",
    "GET /papers": "LA",
    "POST /papers": "LA",
    "POST /papers/{id}/end": "LA",
    "GET /evidence": "WLSQ",
    "POST /evidence": "WLSQ",
    "POST /evidence/{id}/files": "WLSQ",
    "POST /evidence/{id}/agreements": "LA",
    "POST /evidence/{id}/withdrawal": "WLSQ",
    "GET /evidence/files/{id}": "WLSQ",
    "GET /obligations": "WLSQA",
    "GET /obligations.ics": "WLSQA",
    "POST /obligations": "LA",
    "POST /obligations/{id}": "LA",
    "POST /obligations/{id}/completion": "WLSQA",
    "POST /obligations/{id}/end": "LA",
    "GET /obligations/files/{id}": "WLSQA",
    "GET /partners": "WLS",
    "POST /partners": "LS",
    "POST /partners/found": "WLS",
    "GET /partners/new": "LS",
    "GET /partners/{id}": "LS",
    "POST /partners/{id}": "LS",
    "POST /partners/{id}/verification": "WLS",
    "POST /partners/{id}/end": "LS",
    "GET /cases/{reference}/partners": "WLS",
    "POST /cases/{reference}/partners/referrals": "WLS",
    "POST /cases/{reference}/partners/referrals/{id}/answer": "WLS",
    "POST /cases/{reference}/partners/referrals/{id}/chases": "WLS",
    "POST /cases/{reference}/partners/referrals/{id}/sessions": "WLS",
    "POST /cases/{reference}/partners/referrals/{id}/end": "WLS",
    "GET /live/inbox": "WLS",
    "GET /live/cases/{reference}": "WLS",
    "GET /portal": "LC",
    "GET /portal/{contract}/actions": "LC",
    "POST /portal/{contract}/actions": "LC",
    "POST /portal/{contract}/reviews": "LC",
    "POST /portal/{contract}/actions/{id}/{how}": "LC",
    "GET /portal/{contract}/questions": "LC",
    "POST /portal/{contract}/questions": "C",
    "GET /portal/{contract}/questions/{id}": "LC",
    "POST /portal/{contract}/questions/{id}/messages": "LC",
    "POST /portal/{contract}/questions/{id}/end": "C",
    "GET /portal/{contract}/measures": "LC",
    "POST /portal/{contract}/measures": "LC",
    "GET /portal/{contract}/measures/{id}": "LC",
    "POST /portal/{contract}/measures/{id}/{how}": "LC",
    "GET /reports": "WLSQC",
    "POST /releases": "L",
    "GET /releases/{id}": "L",
    "POST /releases/{id}/check": "L",
    "POST /releases/{id}/check/end": "L",
    "POST /releases/{id}/words": "L",
    "POST /releases/{id}/signature": "L",
    "POST /releases/{id}/presentation": "L",
    "POST /releases/{id}/deliveries": "L",
    "POST /releases/{id}/letters": "L",
    "POST /releases/{id}/restatement": "L",
    "GET /releases/{id}/files/{format}": "WLSQC",
    "GET /reports/{contract}/packs/{id}": "L",
    "GET /reports/{contract}/measures": "WLSQC",
    "GET /reports/{contract}/{label}": "WLSQC",
    "GET /reports/{contract}/figure/{label}": "LS",
    "GET /reports/{contract}/quality/{label}": "LS",
    "GET /supplied": "LA",
    "GET /reports/{contract}/supplied/{label}": "LA",
    "POST /reports/{contract}/supplied/{label}": "LA",
    "POST /reports/{contract}/supplied/{label}/lists": "LA",
    "GET /reports/{contract}/supplied/{label}/lists/{id}": "LA",
    "POST /reports/{contract}/supplied/{label}/lists/{id}/acceptance": "LA",
    "POST /reports/{contract}/supplied/{label}/lists/{id}/end": "LA",
    "POST /reports/{contract}/supplied/{label}/{id}/withdrawal": "LA",
    "GET /report-templates": "LA",
    "GET /report-templates/{contract}/{report}": "LA",
    "POST /report-templates/{contract}/{report}": "LA",
    "GET /report-templates/{contract}/{report}/ours": "LA",
    "GET /report-templates/{contract}/{report}/{id}/preview": "LA",
    "GET /report-templates/{contract}/{report}/{id}/file": "LA",
    "POST /report-templates/{contract}/{report}/{id}/use": "LA",
    "POST /report-templates/{contract}/{report}/{id}/withdrawal": "LA",
    "GET /settings": "LA",
    "GET /settings/{contract}": "LA",
    "GET /settings/{contract}/file": "LA",
    "GET /settings/{contract}/things/{what}": "LA",
    "POST /settings/{contract}/things/{what}": "LA",
    "POST /settings/changes/{id}/agreement": "LA",
    "POST /settings/changes/{id}/end": "LA",
    "GET /users": "LA",
    "POST /users/{id}/addresses": "LA",
    "POST /users/{id}/ways": "LA",
    "POST /users": "A",
    "POST /users/invitations/{id}/link": "A",
    "POST /users/invitations/{id}/end": "A",
    "POST /users/{id}/second/reset": "LA",
    "POST /users/{id}/sessions/end": "LA",
    "POST /users/{id}/password": "A",
    "POST /users/{id}/end": "A",
    "GET /copies": "LA",
    "POST /copies/release": "LA",
    "POST /copies/messages/{id}": "LA",
    "GET /audit": "LSA",
    "POST /audit/readings/{id}": "LS",
    "GET /practice/exercises": "WLSQCA",
    "GET /practice/exercises/{code}": "WLSQCA",
    "POST /practice/exercises/{code}": "WLSQCA",
    "GET /start": "LA",
    "GET /start/trials": "LA",
    "POST /start/trials": "LA",
    "POST /start/asking": "LA",
    "GET /running": "LA",
    "POST /running/set-aside/{id}/attempt": "LA",
    "GET /library": "WLSQ",
    "GET /library/new": "LSQ",
    "POST /library": "LSQ",
    "GET /library/{id}": "WLSQ",
    "POST /library/{id}": "LSQ",
    "POST /library/{id}/verification": "LSQ",
    "POST /library/{id}/withdrawal": "LSQ",
    "POST /cases/{reference}/library": "WLS",
    "GET /cases/{reference}/given": "WLS",
    "POST /cases/{reference}/given/items": "WLS",
    "POST /cases/{reference}/given/items/{id}": "WLS",
    "POST /cases/{reference}/given/consents": "WLS",
    "POST /cases/{reference}/given/bookings": "WLS",
    "POST /cases/{reference}/given/policies": "WLS",
    "GET /events": "WLS",
    "GET /events/new": "LS",
    "POST /events": "LS",
    "GET /events/{id}": "WLS",
    "GET /events/{id}/change": "LS",
    "POST /events/{id}": "LS",
    "POST /events/{id}/cancellation": "LS",
    "POST /events/{id}/bookings": "WLS",
    "POST /events/{id}/bookings/{booking}": "WLS",
    "GET /news": "WLS",
    "GET /news/new": "WLS",
    "POST /news": "WLS",
    "GET /news/{id}": "WLS",
    "GET /news/{id}/change": "WLS",
    "POST /news/{id}": "WLS",
    "POST /news/{id}/readiness": "WLS",
    "GET /news/{id}/sending": "L",
    "POST /news/{id}/sending": "L",
    "POST /news/{id}/stop": "WLS",
    "GET /policies-told": "WLSQ",
    "POST /policies-told/rounds": "LQ",
    "POST /policies-told/rounds/end": "LQ",
}
OPEN = {  # anybody may; each is tested where it belongs
    "GET /",
    "GET /login",
    "POST /login",
    "POST /login/passkey/challenge",
    "POST /login/passkey",
    "GET /login/second",
    "POST /login/second",
    "POST /login/second/challenge",
    "GET /login/provider",
    "GET /login/provider/callback",
    "GET /invitation/{token:[A-Za-z0-9_-]{43}}",
    "POST /invitation/{token:[A-Za-z0-9_-]{43}}",
    "POST /invitation/{token:[A-Za-z0-9_-]{43}}/provider",
    "GET /page/{token:[A-Za-z0-9_-]{43}}",
    "POST /page/{token:[A-Za-z0-9_-]{43}}",
    "GET /page",
    "GET /page/diary",
    "GET /page/panel",
    "GET /page/readers",
    "GET /page/contact",
    "POST /page/contact",
    "POST /page/language",
    "POST /page/leaving",
    "GET /chat",
    "POST /chat",
    "GET /chat/messages",
    "GET /chat/socket",
    "POST /chat/forgetting",
    "GET /contact",
    "POST /contact",
    "GET /rota/{secret:[A-Za-z0-9_-]{43}}.ics",
    "GET /policies/{contract}/{code}",
    "GET /manifest.webmanifest",
    "GET /icons/{kind:(?:maskable-)?}{size:[0-9]{3}}.png",
    "GET /worker.js",
    "GET /no-connection",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /static/{name:.+}",
    "GET /practice",
    "POST /practice",
    "GET /demo",
    "GET /demo/phones",
    "POST /demo/messages",
    "POST /demo/calls",
    "POST /demo/clock",
    "POST /demo/visits",
    "GET /demo/live",
}
HOOKS = {  # a provider's signature opens them, and nothing else
    f"{route.method} {route.path}" for route in ROUTES if route.path.startswith("/hooks/")
}


def test_every_route_stands_in_exactly_one_of_the_lists_here() -> None:
    named = [f"{route.method} {route.path}" for route in ROUTES]
    assert len(set(named)) == len(named)
    assert set(named) == set(WHO) | OPEN | HOOKS
    by_allow = {f"{route.method} {route.path}": route.allow for route in ROUTES}
    assert {name for name, allow in by_allow.items() if allow == PUBLIC} == OPEN
    assert {name for name, allow in by_allow.items() if allow == SIGNED} == HOOKS


async def test_the_app_knows_what_is_allowed_for_each_of_its_routes(one_world: World) -> None:
    app = make_app(one_world.house)
    assert set(app.router.routes()) == set(app[ALLOW])


@pytest.mark.parametrize("allow", ["", "case.delete", "anybody"])
def test_an_app_with_a_route_nobody_is_allowed_does_not_start(one_world: World, allow: str) -> None:
    with pytest.raises(ValueError, match="GET /secret does not say who is allowed"):
        make_app(one_world.house, [Route("GET", "/secret", health.lives, allow)])


async def follow(request: web.Request) -> web.StreamResponse:
    """A socket that somebody opens in a page."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.close()
    return socket


@pytest.mark.parametrize("stays", [True, False])
async def test_a_socket_opens_only_where_the_table_says_so(one_world: World, stays: bool) -> None:
    app = make_app(one_world.house, [Route("GET", "/socket", follow, PUBLIC, stays=stays)])
    async with TestClient(TestServer(app)) as client:
        if stays:
            async with client.ws_connect("/socket") as socket:
                assert (await socket.receive()).type is WSMsgType.CLOSE
        else:
            with pytest.raises(WSServerHandshakeError, match="500"):
                await client.ws_connect("/socket")


@pytest.mark.parametrize("letter", "WLSQCA")
async def test_each_role_gets_in_where_it_may_and_nowhere_else(
    everybody: World, arrive: Arrive, letter: str
) -> None:
    await everybody.sms(CARER, "Please ring me")
    reference = (await everybody.case_of(CARER)).reference
    guest = await arrive(everybody, NAMES[letter])
    wrong = []
    for name, who in WHO.items():
        method, path = name.split(" ")
        if path == "/logout" or path.startswith("/live/"):
            continue  # signing out ends the test; streams do not end: both are tested elsewhere
        status = await ask(guest, method, path, reference)
        if (status != 403) != (letter in who) or status >= 500:
            wrong.append((name, status))
    assert not wrong


async def ask(guest: Visitor, method: str, path: str, reference: str) -> int:
    filled = path.replace("{reference}", reference).replace("{id}", "987654")
    filled = filled.replace("{contract}", "essex").replace("{label}", "2026-27-Q1")
    filled = filled.replace("{form}", "note")
    filled = re.sub(r"\{\w+\}", "987654", filled)  # whatever else is a row's number
    if method == "GET":
        return await guest.get(filled, follow=False)
    return await guest.post(filled, follow=False)


async def test_nobody_signed_in_gets_nothing(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    for name in WHO:
        method, path = name.split(" ")
        status = await ask(guest, method, path, "ESX-B7CD4F")
        if method == "POST" or path.startswith("/live/"):
            assert status == 401, name
        else:
            assert status == 303, name
            assert guest.headers["Location"].startswith("/login"), name


def test_no_action_of_the_table_is_without_a_use() -> None:
    # asked by pages and desk, not by routes
    elsewhere = {"report.exact", "promises.read", "evidence.take_back", "contract.export"}
    assert {route.allow for route in ROUTES} - {PUBLIC, SIGNED} == set(ALLOWED) - elsewhere


async def test_an_unknown_address_or_method_is_a_page_that_says_so(
    everybody: World, arrive: Arrive
) -> None:
    guest = await arrive(everybody, "wasim")
    assert await guest.get("/nowhere") == 404
    assert "There is nothing at this address" in guest.text
    answer = await guest.client.delete("/inbox")
    assert answer.status == 405
    assert "GET" in answer.headers["Allow"]
    assert "This address takes a form only" in await answer.text()
