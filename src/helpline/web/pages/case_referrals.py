"""The tab of a case that says what was asked of others: solicitor, counsellor, interpreter, and how
long somebody waits for them."""

from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import referral_lists, referrals
from helpline.errors import InvalidInput
from helpline.models import Case
from helpline.web.asked import actor_of, field, now_of, number_in_path, row_id
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on, show_tab, tab_address
from helpline.web.pages.partners import KIND_WORDS, wrong_field

_WRONG: Final = {
    "Choose whom": "whom",
    "The council has not": "whom",
    "Choose for whom": "person",
    "Say what they are asked": "wanted",
    "Say what they agreed": "consent",
    "Say how you asked": "how",
    "Give its length": "minutes",
    "That day": "held_on",
    "That is more than a year": "held_on",
    "Give the day": "held_on",
    "Say how it ended": "ending",
    "They were": "ending",
    "Say it shorter": "words",
}


async def show_referrals(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        actor, now = actor_of(request), now_of(request)
        listed = await referrals.choices(session, contract, now)
        is_ask = again.get("form") == "ask"
        return {
            "referrals": await referral_lists.of_case(session, contract, found, actor, now),
            "choices": [
                (one.id or one.code, f"{KIND_WORDS[one.kind]}: {one.name}") for one in listed
            ],
            "partner_words": KIND_WORDS,
            "people": await referrals.people(session, found),
            "today": now.astimezone(ZoneInfo(contract.zone)).date().isoformat(),
            "wrong": wrong_field(
                _WRONG | ({"Say it shorter": "wanted"} if is_ask else {}),
                again.get("problem", ""),
                "words",
            ),
        }

    return await show_tab(request, "case_referrals.html.j2", fill, **again)


async def ask(request: web.Request) -> web.Response:
    """Write down that a partner is asked."""
    whom, wanted = await field(request, "whom"), await field(request, "wanted")
    person, consent = row_id(await field(request, "person")), await field(request, "consent")

    async def act(it: Act) -> str:
        made = await referrals.request(
            it.session, it.contract, it.case, whom, person or 0, wanted, consent, it.by, it.now
        )
        return f"{tab_address(request)}?done=ask#referral-{made.id}"

    return await act_on(request, "ask", act, show_referrals)


async def answer(request: web.Request) -> web.Response:
    referral_id, words = number_in_path(request, "id"), await field(request, "words")
    said = await field(request, "answer")

    async def act(it: Act) -> str:
        if said not in ("yes", "no"):
            raise InvalidInput("Say whether they accept or decline.")
        await referrals.answer(
            it.session, it.case, referral_id, said == "yes", words, it.by, it.now
        )
        return _back(request, "answer", referral_id)

    return await act_on(request, f"answer_{referral_id}", act, show_referrals)


async def chase(request: web.Request) -> web.Response:
    referral_id = number_in_path(request, "id")
    how, words = await field(request, "how"), await field(request, "words")

    async def act(it: Act) -> str:
        await referrals.chase(
            it.session, it.contract, it.case, referral_id, how, words, it.by, it.now
        )
        return _back(request, "chase", referral_id)

    return await act_on(request, f"chase_{referral_id}", act, show_referrals)


async def note_session(request: web.Request) -> web.Response:
    referral_id = number_in_path(request, "id")
    minutes, came = await field(request, "minutes"), await field(request, "came")
    said = await field(request, "held_on")

    async def act(it: Act) -> str:
        held_on = day_in(said)
        if held_on is None:
            raise InvalidInput("Give the day of the appointment.")
        is_number = minutes.isascii() and minutes.isdigit() and len(minutes) <= 4
        await referrals.note_session(
            it.session,
            it.contract,
            it.case,
            referral_id,
            held_on,
            int(minutes) if is_number else 0,
            came != "no",
            it.by,
            it.now,
        )
        return _back(request, "session", referral_id)

    return await act_on(request, f"session_{referral_id}", act, show_referrals)


async def end(request: web.Request) -> web.Response:
    referral_id = number_in_path(request, "id")
    ending, words = await field(request, "ending"), await field(request, "words")

    async def act(it: Act) -> str:
        await referrals.end(it.session, it.case, referral_id, ending, words, it.by, it.now)
        return _back(request, "end", referral_id)

    return await act_on(request, f"end_{referral_id}", act, show_referrals)


def day_in(text: str) -> date | None:
    """A day as a date field sends it; None for anything else."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _back(request: web.Request, done: str, referral_id: int) -> str:
    return f"{tab_address(request)}?done={done}#referral-{referral_id}"
