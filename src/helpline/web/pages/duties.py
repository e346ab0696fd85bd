"""Notices and dates of a case: what is owed to others, the police and the solicitor.

What is due next stands first, whoever it is owed to. The rest of the page's forms (cover, money,
moves, outcomes, the twenty-eight days) are answered in pages/duties_more.
"""

from datetime import date, datetime
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk.duties import agenda, answers, interviews, moves, notices
from helpline.errors import InvalidInput
from helpline.models import Case
from helpline.rules import duties
from helpline.rules.permissions import may
from helpline.web.asked import actor_of, field, fields, now_of, number_in_path
from helpline.web.pages.case import local_now
from helpline.web.pages.case_acts import Act, instant
from helpline.web.pages.case_frame import act_on, show_tab

WORDS = {
    "interview_kinds": duties.InterviewKind,
    "proceedings": duties.Proceeding,
    "hand_off_results": duties.HandOff,
    "offer_states": duties.OfferState,
    "moneys": duties.Money,
    "money_states": duties.MoneyState,
    "move_kinds": duties.MoveKind,
    "outcome_codes": duties.OutcomeWord,
    "definition_sets": duties.DefinitionSet,
    "ofsted_codes": duties.OfstedOutcome,
    "approval_codes": duties.ApprovalOutcome,
    "approval_kinds": duties.ApprovalKind,
    "appeal_choices": duties.AppealChoice,
}
"""What each list of the page is made of."""


BESIDE = (
    ("Choose how they were", "how"),
    ("Choose how the police", "kind"),
    ("Choose what was decided", "decision"),
    ("Choose what they were told", "state"),
    ("Choose whether it is a criminal", "proceeding"),
    ("Choose whether it is the allowance", "what"),
    ("Choose what the notice", "kind"),
    ("Say who told them so", "told_by"),
    ("Say who told you so", "told_by"),
    ("Say who decided", "decided_by"),
    ("Say which authority", "recipient"),
    ("Say why it was passed on", "why"),
    ("Write also", "said"),
    ("Write what was said", "words"),
    ("That time is", "at"),
    ("Give day and time", "at"),
    ("That is more than a year away", "at"),
    ("Give the day", "day"),
    ("That day is", "day"),
    ("That is more than a year ago", "day"),
    ("Tick that", "warned"),
)
"""How a sentence of the desk begins → the field it is about. Any other stands at the form's first
field."""


def beside(problem: str) -> str:
    """The field that a sentence is about; empty for the form's first one."""
    return next((field for begins, field in BESIDE if problem.startswith(begins)), "")


async def show_duties(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        actor, now = actor_of(request), now_of(request)
        shown = await agenda.of_case(session, contract, found, actor, now)
        return {
            **{name: list(words) for name, words in WORDS.items()},
            "hows": [one for one in duties.SentHow if one is not duties.SentHow.READ_HERE],
            "agenda": shown,
            "bad": beside(again.get("problem", "")),
            "dues": shown.dues,
            "missing_of": moves.missing,
            "step_of": interviews.step_of,
            "needs_adult": agenda.is_child_interview,
            "repeat_words": duties.said_of(shown.repeat) if shown.repeat else "",
            "next_claim_states": {
                claim.id: duties.ClaimState(claim.state).may_become for claim in shown.claims
            },
            "may_write": may(actor, "duty.write", contract.key),
            "signers": {
                one.code: actor.role in notices.SIGNERS[one.not_sent_signed_by]
                for one in contract.notices
            },
            "covered": [one.name for one in contract.entitlements if found.group in one.groups],
            "nouns": contract.nouns(found.group),
            "under_fostering_law": contract.nouns(found.group).fostering_law,
            "line": next((s for s in contract.signposts if "legal" in s.topics), None),
            "local_now": local_now(now, contract.zone),
            "today": contract.days.day_of(now).isoformat(),
        }

    return await show_tab(request, "case_duties.html.j2", fill, **again)


def back(it: Act, done: str, anchor: str = "") -> str:
    """The page again, with what was done; `anchor`: the place it was done at."""
    return f"/cases/{it.case.reference}/duties?done={done}" + (f"#{anchor}" if anchor else "")


def day(text: str, missing: str) -> date:
    """The day of a date field; InvalidInput with `missing` where there is none."""
    if not text:
        raise InvalidInput(missing)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput("Give the day as one that there is: 3 November 2026.") from None
    if not 2000 <= found.year <= 2100:
        raise InvalidInput(f"Give the day anew: the year {found.year} cannot be meant.")
    return found


# --- notices --------------------------------------------------------------------------------------


async def send_notice(request: web.Request) -> web.Response:
    notice_id, at = number_in_path(request, "id"), await field(request, "at")
    how, to = await field(request, "how"), await field(request, "to")
    words, recipient = await field(request, "words"), await field(request, "recipient")
    said = tuple(await fields(request, "said"))

    async def act(it: Act) -> str:
        when = instant(at, it.contract.zone, it.now)
        sent = notices.Sent(how, to, words, when, recipient, said)
        await notices.send(it.session, it.contract, it.case, notice_id, sent, it.by, it.now)
        return back(it, "sent", f"notice_{notice_id}")

    return await act_on(request, f"sent_{notice_id}", act, show_duties)


async def pass_on(request: web.Request) -> web.Response:
    to, how, at = [await field(request, name) for name in ("to", "how", "at")]
    why, words = await field(request, "why"), await field(request, "words")

    async def act(it: Act) -> str:
        sent = notices.Sent(how, to, words, instant(at, it.contract.zone, it.now))
        row = await notices.pass_on(it.session, it.case, sent, why, it.by, it.now)
        return back(it, "sent", f"notice_{row.id}")

    return await act_on(request, "passed_on", act, show_duties)


async def withhold_notice(request: web.Request) -> web.Response:
    notice_id, why = number_in_path(request, "id"), await field(request, "why")

    async def act(it: Act) -> str:
        await notices.withhold(it.session, it.contract, it.case, notice_id, why, it.by, it.now)
        return back(it, "signed", f"notice_{notice_id}")

    return await act_on(request, f"signed_{notice_id}", act, show_duties)


async def answer_notice(request: web.Request) -> web.Response:
    notice_id, words = number_in_path(request, "id"), await field(request, "answer")

    async def act(it: Act) -> str:
        await answers.answered(it.session, it.case, notice_id, words, it.by, it.now)
        return back(it, "answered", f"notice_{notice_id}")

    return await act_on(request, f"answered_{notice_id}", act, show_duties)


async def chase_notice(request: web.Request) -> web.Response:
    notice_id, how = number_in_path(request, "id"), await field(request, "how")
    words = await field(request, "words")

    async def act(it: Act) -> str:
        await answers.chase(it.session, it.contract, it.case, notice_id, how, words, it.by, it.now)
        return back(it, "chased", f"notice_{notice_id}")

    return await act_on(request, f"chased_{notice_id}", act, show_duties)


# --- the police -----------------------------------------------------------------------------------


async def record_interview(request: web.Request) -> web.Response:
    who, kind, at = [await field(request, name) for name in ("who", "kind", "at")]
    station, officer = await field(request, "station"), await field(request, "officer")
    log_number, needs = await field(request, "log_number"), await field(request, "needs")
    policy, is_child = await field(request, "policy"), bool(await field(request, "under_18"))

    async def act(it: Act) -> str:
        when = _ahead(it, at)
        asked = interviews.Asked(
            who, kind, when, station, officer, log_number, needs, policy, is_under_18=is_child
        )
        row = await interviews.record(it.session, it.contract, it.case, asked, it.by, it.now)
        return back(it, "interview", f"interview_{row.id}")

    return await act_on(request, "interview", act, show_duties)


async def set_interview_time(request: web.Request) -> web.Response:
    interview_id, at = number_in_path(request, "id"), await field(request, "at")

    async def act(it: Act) -> str:
        when = _ahead(it, at)
        await interviews.set_time(
            it.session, it.contract, it.case, interview_id, when, it.by, it.now
        )
        return back(it, "time", f"interview_{interview_id}")

    return await act_on(request, f"time_{interview_id}", act, show_duties)


async def move_solicitor(request: web.Request) -> web.Response:
    """One step: asked, confirmed, there or not there."""
    interview_id, step = number_in_path(request, "id"), await field(request, "step")
    solicitor = await field(request, "solicitor")

    async def act(it: Act) -> str:
        base = (it.session, it.case, interview_id)
        match step:
            case "asked":
                await interviews.solicitor_asked(
                    it.session, it.contract, it.case, interview_id, solicitor, it.by, it.now
                )
            case "confirmed":
                await interviews.solicitor_confirmed(*base, it.by, it.now)
            case "attended" | "not_attended":
                was_there = step == "attended"
                await interviews.attended(*base, was_there, it.by, it.now)
            case _:
                raise InvalidInput("Say how far it is with the solicitor.")
        return back(it, "solicitor", f"interview_{interview_id}")

    return await act_on(request, f"solicitor_{interview_id}", act, show_duties)


async def call_off_interview(request: web.Request) -> web.Response:
    interview_id = number_in_path(request, "id")

    async def act(it: Act) -> str:
        await interviews.call_off(it.session, it.case, interview_id, it.by, it.now)
        return back(it, "called_off")

    return await act_on(request, f"solicitor_{interview_id}", act, show_duties)


def _ahead(it: Act, text: str) -> datetime | None:
    return instant(text, it.contract.zone, it.now, ahead=True) if text else None
