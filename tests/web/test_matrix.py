"""Every route × everybody × everything it can be asked about: who must not get in is refused, and
nothing was changed by asking.

Routes come from the application itself. What is expected is written down here by hand, a second
time: WHO of test_routes (which roles), SHUT (who must not know of which case) and whose contract a
thing is of; nothing of rules/permissions or desk/seeing is asked. A route that leads to something
nobody named here fails, and so does one without a line in WHO. Requests are handled in this process
without a network; transactions are rolled back, so that every cell meets the same world.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from helpline.web.app import ROUTES, Route
from helpline.web.middleware import PUBLIC, SIGNED
from helpline.web.pages import health
from tests.web.matrix_world import (
    CASES,
    EVERYBODY,
    FILLED,
    OTHER,
    THREE,
    Person,
    Scene,
    opened_scene,
)
from tests.web.test_routes import WHO

CASE, ROW, CONTRACT, OWN, HOUSE = "case", "row", "contract", "own", "house"
LEADS_TO = {
    # how an address with a gap begins → what it leads to, and the table whose row that is
    "/cases/{reference}": (CASE, "case"),
    "/live/cases/{reference}": (CASE, "case"),
    "/people/{id}": (CASE, "person"),
    "/attachments/{id}": (CASE, "attachment"),
    "/alerts/{id}": (CASE, "alert"),
    "/emergencies/{id}": (CASE, "broken_glass"),
    "/complaints/{reference}": (ROW, "complaint"),
    "/compliments/{id}": (ROW, "compliment"),
    "/feedback/{id}": (ROW, "feedback_ask"),
    "/incidents/{reference}": (ROW, "incident"),
    "/blocks/{id}": (ROW, "block"),
    "/changes/{id}": (ROW, "said_and_done"),
    "/events/{id}": (ROW, "gathering"),
    "/evidence/files/{id}": (ROW, "evidence_file"),
    "/evidence/{id}": (ROW, "evidence_entry"),
    "/groups/{id}": (ROW, "group_issue"),
    "/library/{id}": (ROW, "library_item"),
    "/news/{id}": (ROW, "news"),
    "/obligations/files/{id}": (ROW, "evidence_file"),
    "/obligations/{id}": (ROW, "obligation_due"),
    "/partners/{id}": (ROW, "partner"),
    "/register/{id}": (ROW, "register_list"),
    "/releases/{id}": (ROW, "release"),
    "/rota/patterns/{id}": (ROW, "shift_pattern"),
    "/rota/shifts/{id}": (ROW, "shift"),
    "/rota/swaps/{id}": (ROW, "shift_swap"),
    "/rota/handovers/{id}": (ROW, "handover"),
    "/portal/{contract}": (CONTRACT, ""),
    "/reports/{contract}": (CONTRACT, ""),
    "/report-templates/{contract}": (CONTRACT, ""),
    "/settings/changes/{id}": (ROW, "contract_change"),
    "/settings/{contract}": (CONTRACT, ""),
    "/samples/{id}": (OWN, "work_feedback"),
    "/rota/absences/{id}": (OWN, "absence"),
    "/account/": (OWN, "session"),
    "/users/": (HOUSE, "user"),
    "/papers/{id}": (HOUSE, "staff_paper"),
    "/rota/people/{id}": (HOUSE, "user"),
    "/tray/{id}": (HOUSE, "inbound_item"),
    "/running/set-aside/{id}": (HOUSE, "set_aside"),
    "/rights/kept/{id}": (ROW, "retention_run"),
    "/rights/holds/{id}": (CASE, "legal_hold"),
    "/rights/agreements/{id}": (ROW, "sharing_agreement"),
    "/rights/{reference}": (ROW, "data_request"),
    "/copies/messages/{id}": (HOUSE, ""),
    "/audit/readings/{id}": (ROW, "unusual_reading"),
    "/practice/exercises/{code}": (HOUSE, ""),
}
CROSSING = ("wasim", "wendy", "lara", "seth")
"""Who asks through a case of theirs for what is below another."""
LOOKED_AFTER = {"absence": "L"}
"""What is somebody's own, and who may do it for them."""
GAPS = {
    "what": "ladder",
    "label": "2026-27-Q1",
    "form": "note",
    "format": "json",
    "report": "quarter",
    "how": "done",
}
"""What stands in a gap that is no row's number."""
BELOW = {
    # in an address below a case: what stands before a row's number → its table
    "conflicts": "conflict",
    "drafts": "draft",
    "aftercare": "task",
    "approvals": "approval_step",
    "claims": "expenses_claim",
    "moves": "move_decision",
    "counselling": "person",
    "interviews": "police_interview",
    "notices": "notice",
    "items": "library_use",
    "messages": "contact",
    "referrals": "partner_referral",
    "pathway": "allegation",
    "requests": "allegation_request",
    "links": "case_link",
    "parts": "part",
    "goals": "plan_goal",
    "steps": "step_tick",
    "tasks": "task",
    "promises": "deadline",
    "readings": "triage_reading",
    "samples": "work_feedback",
}
FORMS = {
    "/duties/counselling/": {"state": "offered"},
    "/rights/agreements/": {"act": "end"},
}
"""Where a field means something else."""
SAYS_INSTEAD = {
    "/evidence/{id}/files": 400,  # that there is no file, before it looks whose the row is
    "/cases/{reference}/drafts/{id}/end": 303,  # nothing: what is not theirs just stays
}
"""What some answer to whoever must not, having done nothing."""
REFUSED = (401, 403, 404)
NOBODY = mock.Mock()
"""Stands where a connection would."""
MAY_WRITE = re.compile(r"INSERT INTO event|UPDATE session|INSERT INTO login", re.IGNORECASE)
"""That somebody was refused may be written down."""
FORM = {
    "why": "because it must be so",
    "text": "x",
    "body": "x",
    "words": "x",
    "what": "x",
    "hours": "24",
    "owner": "1",
    "user": "1",
    "title": "x",
    "name": "x",
    "state": "asked",
    "day": "2026-12-01",
    "last_day": "2026-12-01",
    "on": "2026-12-01",
    "until": "2026-12-01",
    "answer": "yes",
    "result": "spoke",
    "at": "2026-11-03T01:00",
    "decision": "keep",
    "agreed": "x",
    "by_day": "2026-12-01",
    "done_on": "2026-11-02",
    "proof": "x",
    "how": "show",
    "asked_by": "the police",
    "due_at": "2026-11-05T10:00",
    "minutes": "50",
    "came": "yes",
    "held_on": "2026-11-02",
    "review_on": "2027-02-01",
    "checked_with": "x",
    "step": "confirmed",
    "given": "x",
}
"""What most forms want, so that it is not they who say no."""


@dataclass(frozen=True)
class Cell:
    """One question: `path` is whole; `why` says what of, for whoever reads a failure."""

    route: Route
    path: str
    who: Person
    of: str
    gets_in: bool


# --- what is expected, by hand -------------------------------------------------------------------


def has_role(route: Route, who: Person) -> bool:
    return bool(who.role) and who.role in WHO[f"{route.method} {route.path}"]


def works_for(who: Person, contract: str) -> bool:
    return who.contract in (None, contract)


def knows_of(who: Person, kind: str) -> bool:
    """Whether they may know of this case."""
    contract, shut = CASES[kind]
    return works_for(who, contract) and who.name not in shut


def led_to(route: Route) -> tuple[str, str]:
    """What the address leads to; KeyError, with a sentence, for one that nobody named."""
    if "{" not in route.path:
        return "", ""
    longest = sorted(LEADS_TO, key=len, reverse=True)
    found = [LEADS_TO[begins] for begins in longest if route.path.startswith(begins)]
    if not found:
        raise KeyError(f"say in LEADS_TO what {route.path} leads to")
    return found[0]


def cells(scene: Scene) -> Iterator[Cell]:
    """Who may not get in, with everything there is to ask about; and one who may, for each route
    whose answer does not hang on what a row holds."""
    for route in ROUTES:
        if route.allow in (PUBLIC, SIGNED):
            continue
        kind, table = led_to(route)
        is_plain = not kind or (table == "case" and not below_a_row(route))
        has_got_in = route.stays or not is_plain or route.path == "/logout"
        for who in EVERYBODY:
            for of, gets_in in everything(route, kind, table, who):
                if gets_in and (has_got_in or of not in ("", "plain")):
                    continue
                has_got_in |= gets_in
                yield Cell(route, filled_in(scene, route, table, of), who, of, gets_in)


def everything(route: Route, kind: str, table: str, who: Person) -> Iterator[tuple[str, bool]]:
    """Of what somebody could ask this, and whether they get in. Where it is their role or their
    contract that keeps them out, three cases stand for all of them."""
    is_theirs = has_role(route, who)
    if kind == CASE:
        is_shut = not is_theirs or who.contract == OTHER
        for of in FILLED if table not in ("case", "person") else THREE if is_shut else CASES:
            yield of, is_theirs and knows_of(who, of)
        if is_theirs and table == "case" and below_a_row(route) and who.name in CROSSING:
            yield "crossed", False  # through a case they see, a row of another
    elif kind in (ROW, CONTRACT):
        for of in ("essex", OTHER):
            yield of, is_theirs and works_for(who, of)
    elif kind == OWN:  # somebody else's
        yield "own", is_theirs and who.role in LOOKED_AFTER.get(table, "")
    else:
        yield "", is_theirs


def below_a_row(route: Route) -> bool:
    return re.search(r"\{(id|request)\}", route.path) is not None


def filled_in(scene: Scene, route: Route, table: str, of: str) -> str:
    path, child = route.path, "plain"
    if of == "crossed":
        of, child = "plain", "other"
    first = {"case": scene.references.get(of, "")}.get(table) or scene.rows.get((table, of), "1")
    path = path.replace("{contract}", of if of in ("essex", OTHER) else "essex")
    for gap, value in GAPS.items():
        path = path.replace("{" + gap + "}", value)
    if table:
        path = re.sub(r"\{\w+\}", first, path, count=1)
    while found := re.search(r"(\w[\w-]*)/\{\w+\}", path):
        row = scene.rows.get((BELOW.get(found[1], ""), child), "1")
        path = path.replace(found[0], f"{found[1]}/{row}", 1)
    return path


# --- asking --------------------------------------------------------------------------------------


async def ask(scene: Scene, cell: Cell) -> int:
    """The status of the answer, in this process."""
    token, csrf = scene.signed.get(cell.who.name, ("", ""))
    own = next((form for part, form in FORMS.items() if part in cell.path), {})
    form = urlencode(FORM | own | {"csrf": csrf}).encode() if cell.route.method == "POST" else b""
    payload = StreamReader(NOBODY, 2**16)
    payload.feed_data(form)
    payload.feed_eof()
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    headers = CIMultiDict([("Host", "127.0.0.1"), ("Cookie", f"helpline={token}"), kind])
    request = scene.app._make_request(
        RawRequestMessage(
            cell.route.method,
            cell.path,
            HttpVersion11,
            CIMultiDictProxy(headers),
            (),
            False,
            None,
            False,
            False,
            URL(cell.path),
        ),
        payload,
        NOBODY,
        NOBODY,
        NOBODY,
    )
    answer = await scene.app._handle(request)
    assert isinstance(answer, web.StreamResponse)
    if answer.status == 303 and answer.headers["Location"].startswith("/login"):
        return 401
    return answer.status


def what_is_wrong(scene: Scene, cell: Cell, status: int) -> str:
    told = f"{cell.who.name} {cell.route.method} {cell.path} ({cell.of}): {status}"
    if not cell.gets_in:
        wrote = [one for one in scene.wrote if not MAY_WRITE.match(one)]
        expected = SAYS_INSTEAD.get(cell.route.path)
        is_refused = status in REFUSED or (expected is not None and status == expected)
        return told + f", wrote {wrote}" if wrote or not is_refused else ""
    is_not_there = status == 404 and cell.of == "plain" and cell.route.method == "GET"
    return told if status in (401, 403) or is_not_there else ""


@pytest.mark.timeout(400)  # thirteen thousand questions
async def test_nobody_gets_in_who_must_not_and_nothing_is_changed_by_asking(scene: Scene) -> None:
    asked, refused, wrong = 0, Counter[str](), []
    for cell in cells(scene):
        scene.wrote.clear()
        status = await ask(scene, cell)
        asked += 1
        refused[cell.of or "no thing"] += not cell.gets_in
        if problem := what_is_wrong(scene, cell, status):
            wrong.append(problem)
    print(f"{asked:,} cells, {sum(refused.values()):,} of them refused, {len(wrong)} wrong")
    assert wrong == []
    assert asked >= 10_000


def test_a_route_that_nobody_named_fails() -> None:
    secret = Route("GET", "/secrets/{id}", health.lives, "case.read")
    with pytest.raises(KeyError, match="say in LEADS_TO what /secrets"):
        led_to(secret)
    with pytest.raises(KeyError):
        has_role(secret, EVERYBODY[0])


@pytest.fixture
async def scene(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    tables = {table for kind, table in LEADS_TO.values() if kind in (ROW, OWN, HOUSE)}
    async with opened_scene(tmp_path, sqlite_template, monkeypatch, tables) as made:
        yield made
