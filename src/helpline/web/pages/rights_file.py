"""The file of somebody who asks for a copy: passage after passage, what is shown of each; then
signed by somebody else, and handed over as it was signed."""

from typing import Final

from aiohttp import web

from helpline.desk.rights import access, access_pdf, requests
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.models import Person
from helpline.web.asked import actor_of, contract_of, field, form_of, house_of, now_of
from helpline.web.pages import rights_words as words
from helpline.web.pages.rights import again as request_again
from helpline.web.showing import go, hand_out, show

AT_ONCE: Final = 40
"""Passages on one page: a form has two fields for each."""
TYPES: Final = {"pdf": "application/pdf", "json": "application/json"}


async def show_file(
    request: web.Request, status: int = 200, problem: str = "", typed: dict[str, str] | None = None
) -> web.Response:
    """`?from=` the first passage shown; `?all=1` those that were decided as well."""
    actor, now = actor_of(request), now_of(request)
    everything = bool(request.query.get("all"))
    async with house_of(request).db.write() as session:  # to gather it is to read it
        found = await requests.find(session, actor, request.match_info["reference"])
        contract = contract_of(request, found.contract)
        person = await session.get(Person, found.person_id)
        sheet = await access.gather(session, contract, found, actor, now)
    wanted = [
        (title, one)
        for title, each in sheet.sections
        for one in each
        if everything or one.choice is None
    ]
    to_look_at = [pair for pair in wanted if not pair[1].passage.is_plain]
    if to_look_at and not everything:  # what a person has to look at comes first
        wanted = to_look_at
    begin = _begin(request, len(wanted))
    page = wanted[begin : begin + AT_ONCE]
    plain = sum(
        one.choice is None and one.passage.is_plain for _, each in sheet.sections for one in each
    )
    return show(
        request,
        "right_file.html.j2",
        status,
        zone=contract.zone,
        found=found,
        person=person,
        sheet=sheet,
        page=page,
        plain=plain,
        begin=begin,
        more=begin + AT_ONCE if begin + AT_ONCE < len(wanted) else 0,
        before=max(begin - AT_ONCE, 0) if begin else None,
        wanted=len(wanted),
        looks=len(to_look_at),
        everything=everything,
        choices=words.CHOICES,
        reasons=words.REASONS,
        problem=problem,
        typed=typed or {},
        done=request.query.get("done", ""),
    )


async def decide(request: web.Request) -> web.Response:
    """What becomes of the passages of a page, or of all against which nothing speaks; or the file
    is ready to be signed."""
    act, actor, now = await field(request, "act"), actor_of(request), now_of(request)
    reference = request.match_info["reference"]
    if act == "prepare":
        return await _prepare(request)
    try:
        async with house_of(request).db.write() as session:
            found = await requests.find(session, actor, reference, lock=True)
            contract = contract_of(request, found.contract)
            sheet = await access.gather(session, contract, found, actor, now)
            if act == "plain":
                count = await access.show_plain(session, found, sheet, actor, now)
            else:
                chosen = await _chosen(request)
                count = await access.decide(session, found, sheet, chosen, actor, now)
    except (InvalidInput, Conflict) as error:
        typed = {name: given[-1] for name, given in (await form_of(request)).items()}
        status = 409 if isinstance(error, Conflict) else 400
        return await show_file(request, status, str(error), typed)
    return go(f"/rights/{reference}/file?done={count}")


async def _chosen(request: web.Request) -> dict[str, tuple[str, str]]:
    form = await form_of(request)
    keys = form.get("key", [])
    return {
        key: (form.get(f"choice-{key}", [""])[-1], form.get(f"reason-{key}", [""])[-1])
        for key in keys[:AT_ONCE]
        if form.get(f"choice-{key}")
    }


async def _prepare(request: web.Request) -> web.Response:
    """The PDF is made when the transaction is over: nobody waits for the typesetter."""
    actor, now = actor_of(request), now_of(request)
    house, reference = house_of(request), request.match_info["reference"]
    try:
        async with house.db.write() as session:
            found = await requests.find(session, actor, reference)
            contract = contract_of(request, found.contract)
            person = await session.get(Person, found.person_id)
            assert person is not None
            sheet = await access.gather(session, contract, found, actor, now)
            made = access.document(contract, found, person, sheet, now)
        pdf = await access_pdf.render(made)
        async with house.db.write() as session:
            found = await requests.find(session, actor, reference, lock=True)
            await access.prepare(session, found, made, pdf, actor, now)
    except (InvalidInput, Conflict) as error:
        return await show_file(request, 409, str(error))
    return go(f"/rights/{reference}?done=prepared")


async def judge(request: web.Request) -> web.Response:
    """Somebody else signs it, or sends it back."""
    act, actor, now = await field(request, "act"), actor_of(request), now_of(request)
    reference = request.match_info["reference"]
    try:
        async with house_of(request).db.write() as session:
            found = await requests.find(session, actor, reference, lock=True)
            if act == "sign":
                await access.sign(session, found, actor, now)
            else:
                why = await field(request, "words")
                await access.send_back(session, found, why, actor, now)
    except (InvalidInput, Conflict) as error:
        return await request_again(request, "sent_back", error)
    return go(f"/rights/{reference}?done={'signed' if act == 'sign' else 'sent_back'}")


async def hand_over(request: web.Request) -> web.Response:
    """The file as it was made."""
    actor, form = actor_of(request), request.match_info["form"]
    if form not in TYPES:
        raise NotFound("There is nothing at this address.")
    async with house_of(request).db.write() as session:
        found = await requests.find(session, actor, request.match_info["reference"])
        body = await access.file(session, found, form, actor, now_of(request))
    return hand_out(f"{found.reference}.{form}", body, TYPES[form])


def _begin(request: web.Request, count: int) -> int:
    text = request.query.get("from", "0")
    begin = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
    return begin if begin < count else 0
