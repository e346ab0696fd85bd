"""How the person of a case may be reached without putting them at risk: a page of its own, because
it is read out and agreed with the person, line by line."""

from aiohttp import web

from helpline.desk import safety
from helpline.errors import InvalidInput
from helpline.rules.means import AUTOMATIC
from helpline.rules.safety import SafeRules, from_words
from helpline.web.asked import actor_of, contract_of, field, fields, house_of, now_of
from helpline.web.pages.case import find
from helpline.web.showing import go, show

CHANNELS = ("sms", "whatsapp", "telegram", "email", "voice")


async def ask(request: web.Request) -> web.Response:
    return await _page(request)


async def set_rules(request: web.Request) -> web.Response:
    """Take down what was agreed; a mistake shows the page again with all that was chosen."""
    given = (await field(request, "begins"), await field(request, "ends"))
    try:
        rules = from_words(
            *given,
            await field(request, "code_name"),
            bool(await field(request, "no_voicemail")),
            bool(await field(request, "neutral_only")),
            [one for one in await fields(request, "not_by") if one in CHANNELS],
            [one for one in await fields(request, "also_by") if one in AUTOMATIC],
        )
    except InvalidInput as error:
        return await _page(request, 400, str(error))
    async with house_of(request).db.write() as session:
        case = await find(session, request)
        await safety.set_rules(session, case, rules, actor_of(request), now_of(request))
    return go(f"/cases/{case.reference}?done=safe_contact")


async def _page(request: web.Request, status: int = 200, problem: str = "") -> web.Response:
    async with house_of(request).db.read() as session:
        case = await find(session, request)
        rules = await safety.rules_of(session, case.person_id)
    zone = contract_of(request, case.contract).zone
    values = {"case": case, "problem": problem, "channels": CHANNELS, "automatic": AUTOMATIC}
    return show(
        request,
        "safe_contact.html.j2",
        status,
        zone=zone,
        typed=await _typed(request, rules) if problem else _shown(rules),
        **values,
    )


def _shown(rules: SafeRules) -> dict[str, object]:
    return {
        "begins": rules.begins.isoformat("minutes") if rules.begins else "",
        "ends": rules.ends.isoformat("minutes") if rules.ends else "",
        "code_name": rules.code_name,
        "no_voicemail": rules.no_voicemail,
        "neutral_only": rules.neutral_only,
        "not_by": rules.not_by,
        "also_by": rules.also_by,
    }


async def _typed(request: web.Request, rules: SafeRules) -> dict[str, object]:
    names = ("begins", "ends", "code_name", "no_voicemail", "neutral_only")
    typed: dict[str, object] = {name: await field(request, name) for name in names}
    return typed | {name: await fields(request, name) for name in ("not_by", "also_by")}
