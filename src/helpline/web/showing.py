"""From a template's name and some values to a page. Pages and middleware call `show`.

Everything is escaped; nothing is written into a page as script or style. Times reach templates as
instants and are said in words there, in the contract's zone, measured from the request's `now`.
"""

import json
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment

from helpline.rules import saying
from helpline.rules.permissions import Actor, may
from helpline.settings import TEMPLATES
from helpline.templating import environment
from helpline.vocabulary import CaseKind, Role
from helpline.web import auth
from helpline.web.asked import HOUSE, NOW, house_of, signed_in
from helpline.web.helping import help_of
from helpline.web.shortcuts import SHORTCUTS

BUILT = TEMPLATES / "static" / "built"
ZONE: Final = "Europe/London"
NAVIGATION: Final = (
    # address, what it says, the action it takes to see it
    ("/inbox", "Inbox", "case.read"),
    ("/allocate", "Allocate", "case.allocate_others"),
    ("/tray", "Tray", "tray.read"),
    ("/people", "People", "people.read"),
    ("/rota", "Rota", "rota.read"),
    ("/reports", "Reports", "report.read"),
    ("/more", "More", "more.read"),
)

NAVIGATION_OF: Final[dict[Role, tuple[tuple[str, str, str], ...]]] = {
    # whose work is not cases: what they need first
    Role.COMPLAINTS: (
        ("/complaints", "Complaints", "complaint.read"),
        ("/incidents", "Incidents", "incident.read"),
        ("/feedback", "Feedback", "feedback.read"),
        ("/changes", "You said, we did", "change.read"),
        ("/reports", "Reports", "report.read"),
        ("/more", "More", "more.read"),
    ),
    Role.COMMISSIONER: (
        ("/portal", "Overview", "portal.read"),
        ("/reports", "Reports", "report.read"),
        ("/changes", "You said, we did", "change.read"),
        ("/handed-on", "Handed on", "handed_on.read"),
    ),
}

MORE: Final = (
    # address, what it says, one sentence, the action it takes to see it
    (
        "/overview",
        "Overview",
        "How it stands, who carries what, and when people write.",
        "overview.read",
    ),
    ("/samples", "Samples of work", "What was good, and what to try.", "sample.read"),
    ("/complaints", "Complaints", "What is open, and what is due.", "complaint.read"),
    ("/complaints/new", "Log a complaint", "Whoever it is about never sees it.", "complaint.log"),
    ("/compliments", "Compliments", "What we are thanked for.", "complaint.log"),
    ("/incidents", "Incidents", "What happened, who was told, what was learnt.", "incident.read"),
    ("/rights", "Their data", "What people ask of what we keep, and breaches.", "right.read"),
    ("/rights/kept", "Kept long enough", "What may go, and what is held.", "retention.work"),
    ("/rights/told", "Whom we told", "Who outside, and on what agreement.", "agreement.write"),
    ("/feedback", "Feedback", "What people say of us, and what came of it.", "feedback.read"),
    ("/changes", "You said, we did", "What changed, as the council may read it.", "change.read"),
    ("/feedback/answers", "Write down feedback", "What somebody said to you.", "feedback.record"),
    ("/register", "The register", "The council's own list, every month.", "register.manage"),
    ("/partners", "Partners", "Who else helps, and who waits for them.", "partner.read"),
    ("/obligations", "What is owed", "Reports and meetings, the next first.", "obligation.read"),
    ("/evidence", "Evidence", "What was done besides the cases.", "evidence.read"),
    ("/portal", "The council's page", "What it reads, asks and agrees with us.", "portal.read"),
    ("/supplied", "Figures from elsewhere", "What reports need from outside.", "report.supply"),
    ("/report-templates", "Report templates", "The council's own Word files.", "report.template"),
    ("/groups", "Carers' groups", "What they raised, and what came of it.", "group.read"),
    ("/triage", "How messages were read", "What was missed, and false alarms.", "triage.review"),
    ("/handed-on", "Handed on", "How often, to whom, each quarter.", "handed_on.read"),
    ("/papers", "Papers", "Checks and training of our own people.", "paper.manage"),
    ("/library", "Library", "Answers, signposts, policies, discounts.", "library.read"),
    ("/events", "Events", "What members may come to, and who does.", "gathering.read"),
    ("/news", "News", "To members who agreed to it, sent by a lead.", "news.write"),
    ("/policies-told", "Policies told", "The proof for each person.", "proof.read"),
    ("/blocks", "Blocks", "Who is kept from writing, since when and until when.", "block.manage"),
    ("/settings", "Settings", "Ladders, texts, figures: what may change.", "settings.write"),
    ("/users", "People who sign in", "Add somebody, and see how each is reached.", "user.ways"),
    ("/emergency", "Open a case in an emergency", "One that is shut to you.", "glass.break"),
    ("/emergencies", "Opened in an emergency", "By whom, and was it right?", "glass.review"),
    ("/permissions", "Who may do what", "Every line of it, in plain words.", "permissions.read"),
    ("/copies", "Copies", "The last one made, and what waits after a restore.", "restore.release"),
    ("/audit", "Audit trail", "Who did what and when, and whether it is whole.", "audit.read"),
    ("/start", "Set-up", "Are we live? What is missing, and a test message.", "start.work"),
    ("/running", "System", "What runs by itself, and what broke.", "running.manage"),
)
"""What is needed less often than the navigation: the page /more."""
_ACCUSED = tuple(kind for kind in CaseKind if kind.is_pathway)
CASE_TABS: Final[tuple[tuple[str, str, str, tuple[CaseKind, ...]], ...]] = (
    # below /cases/<reference>, what it says, the action, the kinds of case that have it (none: all)
    ("", "Conversation", "case.read", ()),
    ("/pathway", "Pathway", "case.read", _ACCUSED),
    ("/duties", "Notices and dates", "case.read", _ACCUSED),
    ("/plan", "Steps and plan", "case.read", ()),
    ("/record", "Record", "case.read", ()),
    ("/people", "People", "case.read", ()),
    ("/partners", "Partners", "case.read", ()),
    ("/given", "Given and booked", "case.read", ()),
    ("/standing", "Membership", "case.read", ()),
    ("/rights", "Their data", "case.read", ()),
    ("/restriction", "Who sees it", "case.restrict", ()),
)


def show(
    request: web.Request, template: str, status: int = 200, *, zone: str = ZONE, **values: Any
) -> web.Response:
    """The page `pages/<template>` as a response."""
    text = rendered(request, template, zone=zone, **values)
    return web.Response(text=text, status=status, content_type="text/html")


def rendered(request: web.Request, template: str, *, zone: str = ZONE, **values: Any) -> str:
    """The same as text, for pages that are put together from several."""
    now = request[NOW]
    signed = signed_in(request)
    context = {
        "signed": signed,
        "actor": signed.actor if signed else None,
        "csrf": signed.csrf if signed else "",
        "path": request.path,
        "now": now,
        "is_demo": HOUSE in request.app and house_of(request).demo is not None,
        "navigation": _navigation(request),
        "help": help_of(request),
        "is_practice": is_practice(request),
        "practice_url": _practice_url(request),
        "may_search": bool(signed and may(signed.actor, "search.use") and _is_whole(request)),
        "when": partial(saying.when, now=now, zone=zone),
        "due": partial(saying.due, now=now, zone=zone),
        "ago": partial(saying.ago, now=now),
        "span": saying.span,
        "councils": _councils(request),
        "shortcuts": SHORTCUTS,
    }
    context["of_council"] = partial(_of_council, _councils(request))
    return _pages().get_template(f"pages/{template}").render(context | values)


def which_council(
    request: web.Request, title: str, at: str, back: str, problem: str = ""
) -> web.Response:
    """Asks for which council something new is, before its form at the address `at`."""
    values = {"title": title, "at": at, "back": back, "problem": problem}
    return show(request, "choose_council.html.j2", 400 if problem else 200, **values)


def _councils(request: web.Request) -> dict[str, str]:
    """Contract → council, for whoever works for several of them; empty for everybody else."""
    signed = signed_in(request)
    if signed is None or signed.actor.contract is not None:
        return {}
    found = house_of(request).contracts or {}  # a page that says what broke needs none
    return {key: found[key].council for key in sorted(found)} if len(found) > 1 else {}


def _of_council(councils: Mapping[str, str], key: Any) -> str:
    """Whose a row is; empty where nobody could take it for another's."""
    return councils.get(str(key), "")


def go(address: str) -> web.Response:
    """To another page of ours: after every change, so that reloading does not repeat it."""
    return web.Response(status=303, headers={"Location": address})


def hand_out(
    name: str, content: bytes, content_type: str = "application/octet-stream"
) -> web.Response:
    """A file as a download and never as a page: whatever it is, a browser may not run it on the
    console's address. `name` is ours, never the sender's."""
    return web.Response(
        body=content,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "no-store",
        },
    )


def asset(name: str) -> str:
    """The address of a built file; it changes with the file, so it may be cached for ever."""
    version = built_files().get(name, "")
    return f"/static/{name}?v={version}" if version else f"/static/{name}"


def channel_words(channel: str) -> str:
    """A channel's name in a sentence: "by text message"."""
    known = {"sms": "text message", "voice": "telephone", "whatsapp": "WhatsApp"}
    known |= {"webchat": "web chat", "webform": "web form"}
    return known.get(channel) or channel.replace("_", " ").capitalize()


@cache
def built_files(folder: Path = BUILT) -> dict[str, str]:
    """Name → digest of every file that pages may load; empty before the pages are built."""
    try:
        files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        return {}
    return dict(files)


@cache
def _pages() -> Environment:
    pages = environment()
    pages.globals |= {"asset": asset, "phone": saying.phone, "channel_words": channel_words}
    return pages


def is_practice(request: web.Request) -> bool:
    """Whether nobody here is real because people practise."""
    demo = house_of(request).demo if HOUSE in request.app else None
    return demo is not None and bool(demo.practice)


def _practice_url(request: web.Request) -> str:
    """Where the real console sends whoever wants to practise; empty where there is none."""
    return house_of(request).settings.practice_url if HOUSE in request.app else ""


def _is_whole(request: web.Request) -> bool:
    """Whether the pages are open to them; else only that of their second factor is."""
    signed = signed_in(request)
    return HOUSE not in request.app or signed is None or auth.is_whole(request, signed)


def _navigation(request: web.Request) -> list[tuple[str, str, bool]]:
    signed = signed_in(request)
    if signed is None or not _is_whole(request):
        return []
    return [
        (address, text, request.path.startswith(address))
        for address, text, action in navigation_of(signed.actor)
    ]


def navigation_of(actor: Actor) -> list[tuple[str, str, str]]:
    """The pages in the head of every page for this person, the first one first: address, what it
    says, the action."""
    pages = NAVIGATION_OF.get(actor.role, NAVIGATION)
    return [page for page in pages if may(actor, page[2])]
