"""The papers of our own people, for leads and administrators: what holds, what runs out, who may
not be named on a case meanwhile. Nobody looks at their own."""

from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from helpline.desk import papers
from helpline.desk.papers import Typed
from helpline.errors import InvalidInput, NotFound
from helpline.vocabulary import PaperKind
from helpline.web.asked import (
    actor_of,
    contracts_of,
    form_of,
    house_of,
    narrowed,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case_referrals import day_in
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import ZONE, go, show

KIND_WORDS: Final = {
    PaperKind.QUALIFICATION: "Qualification",
    PaperKind.SAFEGUARDING: "Safeguarding training",
    PaperKind.DBS: "DBS check",
    PaperKind.SUPERVISION: "Supervision",
    PaperKind.INDUCTION: "Induction",
    PaperKind.APPRAISAL: "Appraisal",
    PaperKind.REGISTRATION: "Registration with a professional body",
    PaperKind.TRAINING: "Other training",
}
_WRONG: Final = {
    "Choose whose": "user",
    "Your own papers": "user",
    "Choose what kind": "kind",
    "Give the level": "level",
    "Give the day": "valid_from",
    "Give the last day": "valid_until",
    "It ends before": "valid_until",
    "Look at the days": "valid_from",
    "Say it shorter": "title",
}


async def show_papers(request: web.Request) -> web.Response:
    return await _page(request)


async def add(request: web.Request) -> web.Response:
    """Somebody has seen a paper."""
    said = {name: given[-1].strip() for name, given in (await form_of(request)).items()}
    actor, now = actor_of(request), now_of(request)
    try:
        user_id = row_id(said.get("user", ""))
        if user_id is None:
            raise InvalidInput("Choose whose paper it is.")
        typed = _typed(request, said)
        async with house_of(request).db.write() as session:
            await papers.add(session, user_id, typed, actor, now)
    except InvalidInput as error:
        return await _page(request, str(error))
    except NotFound as error:
        return await _page(request, f"Choose whose paper it is. {error}")
    return go(f"/papers?done=noted#person-{user_id}")


async def take_back(request: web.Request) -> web.Response:
    async with house_of(request).db.write() as session:
        await papers.take_back(
            session, number_in_path(request, "id"), actor_of(request), now_of(request)
        )
    return go("/papers?done=ended")


def _typed(request: web.Request, said: dict[str, str]) -> Typed:
    first, until = day_in(said.get("valid_from", "")), day_in(said.get("valid_until", ""))
    if first is None:
        raise InvalidInput("Give the day from which it holds.")
    if until is None and said.get("valid_until"):
        raise InvalidInput("Give the last day as a date, or leave it empty.")
    kind, level = said.get("kind", ""), said.get("level", "")
    if until is None:
        usual = [
            papers.usual_end(one, kind, first) for one in contracts_of(request, "paper.manage")
        ]
        until = min((day for day in usual if day is not None), default=None)
    return Typed(
        kind=kind,
        valid_from=first,
        valid_until=until,
        title=said.get("title", ""),
        number=said.get("number", ""),
        level=int(level) if level in ("1", "2", "3", "4") else None,
    )


async def _page(request: web.Request, problem: str = "") -> web.Response:
    actor, now = actor_of(request), now_of(request)
    contracts = contracts_of(request, "paper.manage")
    async with house_of(request).db.read() as session:
        shown = contracts[:1] if narrowed(request, contracts) == contracts else None
        shown = shown or narrowed(request, contracts)
        listed = [(one, await papers.sheets(session, one, actor, now)) for one in shown]
    everybody = {one.user_id: one.name for _, sheets in listed for one in sheets}
    everybody.pop(actor.user_id, None)
    typed = await form_of(request) if problem else {}
    values: dict[str, Any] = {
        "contracts": listed,
        "only": shown[0].key if shown else "",
        "people": sorted(everybody.items(), key=lambda one: one[1].lower()),
        "kinds": list(KIND_WORDS.items()),
        "kind_words": KIND_WORDS,
        "today": now.astimezone(ZoneInfo(ZONE)).date().isoformat(),
        "form": "paper" if problem else "",
        "problem": problem,
        "wrong": wrong_field(_WRONG, problem, "user"),
        "typed": {name: given[-1] for name, given in typed.items()},
        "done": request.query.get("done", ""),
    }
    return show(request, "papers.html.j2", 400 if problem else 200, **values)
