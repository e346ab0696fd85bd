"""The practice helpline: who practises, the exercises, and what was good and what is missing.

Every function answers 404 unless the house is one (main.demo_house). Nobody needs a password:
nobody here is real, and nothing can leave."""

from aiohttp import web

from helpline.desk import access, practice
from helpline.desk.house import House
from helpline.errors import HelplineError, InvalidInput, NotFound
from helpline.rules.practice import EXERCISES, checked
from helpline.web import auth
from helpline.web.asked import actor_of, field, house_of, now_of, row_id
from helpline.web.showing import go, is_practice, show


async def show_welcome(request: web.Request) -> web.Response:
    """Who are you? Whoever is known goes on to the exercises."""
    _house(request)
    if await auth.recognise(request) is not None:
        return go("/practice/exercises")
    return await _welcome(request)


async def join(request: web.Request) -> web.Response:
    """A new learner, or one who was here before."""
    house, now = _house(request), now_of(request)
    known = row_id(await field(request, "learner"))
    try:
        async with house.db.write() as session:
            if known is not None:
                user_id = (await practice.find_learner(session, known)).id or 0
            else:
                name = await field(request, "name")
                user_id = await practice.join(session, house, name, now)
            old = request.cookies.get(auth.cookie_name(request, auth.SESSION))
            how = access.How("demo", auth.browser_of(request))
            new = await access.sign_in(session, user_id, old, now, how)
    except InvalidInput as error:
        return await _welcome(request, str(error))
    response = go("/practice/exercises")
    auth.sign_in(request, response, new)
    return response


async def show_exercises(request: web.Request) -> web.Response:
    """All of them, and how far this learner is with each."""
    house, actor = _house(request), actor_of(request)
    async with house.db.read() as session:
        runs = await practice.runs(session, actor.user_id)
        states = {}
        for code, run in runs.items():
            found = checked(code, await practice.done(session, run, actor))
            states[code] = (sum(ok for _, ok in found), len(found))
    listed = [(code, _said(house, code, "title"), states.get(code)) for code in EXERCISES]
    whole = sum(state is not None and state[0] == state[1] for _, _, state in listed)
    return show(request, "practice_exercises.html.j2", listed=listed, whole=whole)


async def show_exercise(request: web.Request) -> web.Response:
    return await _exercise(request)


async def begin(request: web.Request) -> web.Response:
    """An invented carer writes, as in real life. What was done before of this exercise is over."""
    house, now, actor, code = _house(request), now_of(request), actor_of(request), _code(request)
    try:
        async with house.db.write() as session:
            run = await practice.begin(session, house, code, actor, now)
    except HelplineError as error:
        return await _exercise(request, str(error))
    opening = practice.opening(house, run)
    await house.inbox.keep(opening, now)
    assert house.demo is not None
    house.demo.phones["sms"].write(opening.sender, opening.recipient, opening.text)
    async with house.db.write() as session:
        await practice.opened(session, house, run, actor, now)
    house.wakes.sending.set()
    return go(f"/practice/exercises/{code}")


async def _welcome(request: web.Request, problem: str = "") -> web.Response:
    async with _house(request).db.read() as session:
        learners = await practice.learners(session)
    status = 400 if problem else 200
    return show(request, "practice.html.j2", status, learners=learners, problem=problem)


async def _exercise(request: web.Request, problem: str = "") -> web.Response:
    house, actor, code = _house(request), actor_of(request), _code(request)
    async with house.db.read() as session:
        run = (await practice.runs(session, actor.user_id)).get(code)
        found = checked(code, await practice.done(session, run, actor)) if run else []
    told = [(ok, _said(house, code, f"{name}_{'good' if ok else 'missing'}")) for name, ok in found]
    codes = list(EXERCISES)
    after = codes[codes.index(code) + 1] if code != codes[-1] else ""
    return show(
        request,
        "practice_exercise.html.j2",
        409 if problem else 200,
        code=code,
        title=_said(house, code, "title"),
        asks=_said(house, code, "asks"),
        run=run,
        told=told,
        is_whole=bool(told) and all(ok for ok, _ in told),
        after=(after, _said(house, after, "title")) if after else None,
        problem=problem,
    )


def _said(house: House, code: str, what: str) -> str:
    return house.wording.say(f"practice.{code}_{what}")


def _house(request: web.Request) -> House:
    if not is_practice(request):
        raise NotFound("There is nothing at this address.")
    return house_of(request)


def _code(request: web.Request) -> str:
    code = request.match_info["code"]
    if code not in EXERCISES:
        raise NotFound("There is no such exercise.")
    return code
