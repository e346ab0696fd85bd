"""What keeps other sites, other people and broken clients from doing harm: tokens, origins,
headers, limits, and that nothing a client sends is a fault of ours."""

import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.models import Contact, Note
from helpline.web.app import ROUTES
from tests.web.conftest import Arrive
from tests.web.visitor import Visitor
from tests.world import CARER, PASSWORD, World

REPLY = {"text": "Hello, I can ring you at ten."}


async def case_page(world: World, arrive: Arrive) -> tuple[Visitor, str]:
    await world.sms(CARER, "Please ring me")
    path = f"/cases/{(await world.case_of(CARER)).reference}"
    guest = await arrive(world, "wasim")
    await guest.get(path)
    return guest, path


async def human_replies(world: World) -> int:
    rows = await world.all(Contact, Contact.kind == "message", Contact.direction == "out")
    return len(rows)


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("wrong", {}),
        (None, {"Origin": "https://evil.example"}),
        (None, {"Origin": "null"}),
        (None, {"Origin": "http://["}),
        (None, {"Sec-Fetch-Site": "cross-site"}),
        (None, {"Sec-Fetch-Site": "same-site"}),
    ],
)
async def test_a_form_that_is_not_from_our_own_page_does_nothing(
    one_world: World, arrive: Arrive, token: str | None, headers: dict[str, str]
) -> None:
    guest, path = await case_page(one_world, arrive)
    if token == "":
        guest.csrf = ""
    assert await guest.post(f"{path}/replies", REPLY, token=token, headers=headers) == 403
    assert await human_replies(one_world) == 0


async def test_our_own_page_may(one_world: World, arrive: Arrive) -> None:
    guest, path = await case_page(one_world, arrive)
    host = f"http://{guest.client.host}:{guest.client.port}"
    headers = {"Origin": host, "Sec-Fetch-Site": "same-origin"}
    assert await guest.post(f"{path}/replies", REPLY, headers=headers) == 200
    headers = {"Origin": "http://127.0.0.1:8080"}  # the public address, behind a proxy
    assert await guest.post(f"{path}/replies", {"text": "And again"}, headers=headers) == 200
    assert await human_replies(one_world) == 2


async def test_the_token_of_another_session_does_not_fit(one_world: World, arrive: Arrive) -> None:
    guest, path = await case_page(one_world, arrive)
    other = await arrive(one_world, "leonie")
    await other.get("/inbox")
    assert await guest.post(f"{path}/replies", REPLY, token=other.csrf) == 403
    assert "out of date" in guest.text


async def test_another_site_cannot_sign_somebody_in(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    form = {"name": "wasim", "password": PASSWORD}
    assert await guest.post("/login", form, headers={"Origin": "https://evil.example"}) == 403
    assert "Set-Cookie" not in guest.headers


@pytest.mark.parametrize(
    "path", ["/login", "/inbox", "/nowhere", "/static/helpline.css", "/healthz"]
)
async def test_every_answer_carries_the_policy(one_world: World, arrive: Arrive, path: str) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get(path)
    policy = guest.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert guest.headers["X-Content-Type-Options"] == "nosniff"
    assert guest.headers["Referrer-Policy"] == "same-origin"
    assert guest.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert guest.headers["Server"] == "helpline"


async def test_pages_are_not_kept_by_browsers_and_files_are(
    one_world: World, arrive: Arrive
) -> None:
    guest = await arrive(one_world, "wasim")
    await guest.get("/inbox")
    assert guest.headers["Cache-Control"] == "no-store"
    address = guest.page.partition('href="/static/helpline.css')[2].partition('"')[0]
    await guest.get("/static/helpline.css" + address)
    assert "immutable" in guest.headers["Cache-Control"]
    await guest.get("/static/helpline.css?v=old")
    assert guest.headers["Cache-Control"] == "no-cache"


async def test_no_page_has_a_script_or_a_style_written_into_it(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await case_page(one_world, arrive)
    for page in [path, "/inbox", "/tray", "/people", "/rota", "/reports", "/account", "/demo"]:
        await guest.get(page)
        assert "<style" not in guest.page, page
        assert " style=" not in guest.page, page
        assert " onclick=" not in guest.page, page
        assert "<script>" not in guest.page, page


async def test_what_a_carer_writes_is_shown_and_never_obeyed(
    one_world: World, arrive: Arrive
) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} ' OR 1=1 --"
    await one_world.sms(CARER, attack)
    guest = await arrive(one_world, "wasim")
    await guest.get(f"/cases/{(await one_world.case_of(CARER)).reference}")
    assert "<script>alert" not in guest.page
    assert "<img" not in guest.page
    assert attack in guest.text.replace("  ", " ")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../helpline.scss",
        "/static/..%2f..%2fpyproject.toml",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static//etc/passwd",
        "/static/built/../../../pyproject.toml",
        "/static/manifest.json%00",
    ],
)
async def test_only_built_files_are_sent(one_world: World, arrive: Arrive, path: str) -> None:
    guest = await arrive(one_world, None)
    assert await guest.get(path) == 404
    assert "requires-python" not in guest.page


async def test_a_body_that_is_too_large_is_refused(one_world: World, arrive: Arrive) -> None:
    guest, path = await case_page(one_world, arrive)
    assert await guest.post(f"{path}/notes", {"kind": "fact", "body": "x" * 200_000}) == 413
    assert "too large" in guest.text
    assert await guest.post("/login", {"name": "x" * 200_000, "password": "y"}) == 413


async def test_a_form_of_another_kind_is_refused(one_world: World, arrive: Arrive) -> None:
    guest, path = await case_page(one_world, arrive)
    answer = await guest.client.post(f"{path}/notes", json={"body": "x", "csrf": guest.csrf})
    assert answer.status == 415


async def test_a_form_with_thousands_of_fields_is_refused(one_world: World, arrive: Arrive) -> None:
    guest, path = await case_page(one_world, arrive)
    many = [(f"f{number}", "x") for number in range(500)]
    assert await guest.post(f"{path}/notes", many) == 400


@pytest.mark.parametrize(
    "path",
    [
        "/cases/%00",
        "/cases/%ff%fe",
        "/cases/" + "A" * 5000,
        "/cases/../inbox",
        "/cases/ESX-1%27%20OR%201=1",
        "/inbox?filter=%00",
        "/inbox?filter=%ff",
        "/inbox?after=%00~1",
        "/inbox?after=9999-12-31T23:59:59%2B00:00~99999999999999999999999",
        "/inbox?after=0001-01-01T00:00:00%2B23:59~1",
        "/inbox?after=2026-11-03~-1",
        "/inbox?part=%00&filter=mine",
        "/reports/essex/2026-27-Q9",
        "/reports/essex/%00",
        "/reports/nowhere/2026-27-Q1",
        "/reports/essex/2026-27-Q1?format=exe",
        "/reports/essex/0000-01",
        "/reports/essex/2099-00",
        "/demo?carer=%00&channel=%ff&duty=" + "9" * 300,
        "/live/cases/NONE",
        "/login?next=%00%0d%0aSet-Cookie:x",
    ],
)
async def test_odd_addresses_are_never_our_fault(
    one_world: World, arrive: Arrive, path: str
) -> None:
    guest = await arrive(one_world, "wasim")
    assert await guest.get(path) < 500, guest.text
    assert "Traceback" not in guest.page


HOSTILE = [
    "",
    " ",
    "\0",
    "\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "0",
    "-1",
    "٣",
    "9" * 30,
    "1e9",
    "NaN",
    "x" * 30_000,
    "😟" * 2000,
    "' OR 1=1 --",
    "{{7*7}}",
    "<script>",
    "2026-13-45T99:99",
    "2026-11-03T25:00",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2026-11-03T10:00+99:99",
    "emergency",
    "spoke",
    "fact",
    "in",
]
NAMES = (
    "text worker kind body happened_at direction result minutes reason urgency why support".split()
)
NAMES += (
    "outcome asked name password role contract shown_name old new hours carer duty number".split()
)
NAMES += ["channel", "user", "back", "next"]


async def test_hostile_forms_are_never_our_fault(everybody: World, arrive: Arrive) -> None:
    """Every POST of the app with three mixed-up forms each, as the roles that may."""
    await everybody.sms(CARER, "Please ring me")
    reference = (await everybody.case_of(CARER)).reference
    dice = random.Random(7)
    guests = [await arrive(everybody, name) for name in ("leonie", "ada")]
    posts = [route.path for route in ROUTES if route.method == "POST"]
    posts = [path for path in posts if not path.startswith(("/hooks/", "/login", "/logout"))]
    for path in posts:
        for _ in range(3):
            filled = path.replace("{reference}", reference)
            filled = filled.replace("{id}", dice.choice(["1", "0", "99999999999", "x", "%00", "٣"]))
            form = [(name, dice.choice(HOSTILE)) for name in NAMES if dice.random() < 0.7]
            for guest in guests:
                if path.startswith("/demo/") or guest is guests[path.startswith("/users")]:
                    status = await guest.post(filled, form, follow=False)
                    assert status < 500, (filled, form, guest.text)
                    if status == 303 and path.startswith("/demo/visits"):
                        guests = [await arrive(everybody, name) for name in ("leonie", "ada")]


async def test_hostile_bodies_at_the_sign_in_page(one_world: World, arrive: Arrive) -> None:
    guest = await arrive(one_world, None)
    dice = random.Random(11)
    for number in range(120):
        if number % 20 == 0:
            await one_world.forward(hours=2)  # or all but the first would only be told to wait
        body = bytes(dice.randrange(256) for _ in range(dice.randrange(200)))
        body = dice.choice([body, b"name=" + body, b"name=wasim&password=" + body, b"%" + body])
        kinds = [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=x",
        ]
        kinds += ["multipart/form-data; boundary=x", "", "text/plain", "a/b; c=\x7f"]
        headers = {"Content-Type": dice.choice(kinds)}
        try:
            answer = await guest.client.post("/login", data=body, headers=headers)
        except ValueError:  # a header no client can send
            continue
        assert answer.status < 500


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(then=st.text(alphabet=string.printable + "é\u2028\\", max_size=40))
def test_where_to_go_next_is_always_a_path_of_ours(then: str) -> None:
    from helpline.web.again import safe_path

    safe = safe_path(then)
    assert safe == "" or (safe[0] == "/" and safe[1:2] not in ("/", "\\"))
    assert "\n" not in safe
    assert "\r" not in safe


async def test_a_fault_of_ours_is_a_page_without_detail(
    one_world: World, arrive: Arrive, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = await arrive(one_world, "wasim")
    object.__setattr__(one_world.house, "contracts", None)  # as broken as a house can be
    assert await guest.get("/inbox") == 500
    assert "Something went wrong here" in guest.text
    assert "NoneType" not in guest.page
    assert "Traceback" not in guest.page


async def test_signed_out_in_the_middle_of_a_form_the_text_is_not_lost(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await case_page(one_world, arrive)
    await one_world.forward(hours=9)
    note = {"kind": "fact", "body": "Two pages about <b>yesterday</b>"}
    assert await guest.post(f"{path}/notes", note) == 401
    assert "Two pages about &lt;b&gt;yesterday" in guest.page
    assert "nothing was sent or saved" in guest.text
    assert await one_world.count(Note) == 0


async def test_a_page_goes_out_packed_but_never_one_that_repeats_what_it_was_given(
    one_world: World, arrive: Arrive
) -> None:
    guest, path = await case_page(one_world, arrive)
    for asked, is_packed in ((path, True), (f"{path}?done=note", False), ("/none", False)):
        await guest.get(asked)
        assert (guest.headers.get("Content-Encoding") is not None) is is_packed, asked
    await guest.post(f"{path}/replies", {"text": ""})
    assert guest.headers.get("Content-Encoding") is None
