"""The form of the helpline's own site (/contact), for who would rather write once than chat.

What is filled in takes the way of every channel, as an item of "webform"; the page that follows
says the reference, by when a person answers, and whom to ring. An error shows all that was typed.
"""

import asyncio
import contextlib
import re
import secrets
from datetime import datetime
from typing import Any, Final

import phonenumbers
from aiohttp import web
from sqlalchemy import select
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import deadlines, webform
from helpline.desk.house import House
from helpline.models import Case, Contact, InboundItem
from helpline.rules import saying
from helpline.vocabulary import ClockStop
from helpline.web.asked import field, house_of, now_of
from helpline.web.pages.chat import choose_contract, keep_paced, site_contract, site_values
from helpline.web.showing import show

LONGEST: Final = 4000
"""Characters of the message."""
FIELDS: Final = ("danger", "message", "reason", "phone", "email", "safe", "name", "membership")
"""In the order of the page."""
LONGEST_LINE: Final = {"name": 120, "membership": 60, "phone": 40, "email": 200, "safe": 500}
MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
SUBMISSION: Final = re.compile(r"[0-9a-f]{32}")
ROUTED_WITHIN: Final = 2.0
"""Seconds the page waits for the reference; without it, it says so and the rest."""


async def show_form(request: web.Request) -> web.Response:
    contract = site_contract(request)
    if contract is None:
        return choose_contract(request, "/contact", "Write to us")
    return _form(request, contract, {}, {})


async def send(request: web.Request) -> web.Response:
    """Keep the form and say what happens next. Sending it twice (reload, a lost answer) is sending
    it once: the page names each form before it is filled in."""
    contract = site_contract(request)
    if contract is None:
        return choose_contract(request, "/contact", "Write to us")
    typed = {name: await field(request, name) for name in FIELDS}
    given = await field(request, "id")
    submission = given if SUBMISSION.fullmatch(given) else secrets.token_hex(16)
    faults = _faults(typed, contract)
    if faults:
        return _form(request, contract, typed, faults, 400, submission)
    form = _filled(typed, contract)
    inbound = webform.pack(form, submission, contract.key)
    problem, status, _ = await keep_paced(request, submission, inbound)
    if problem:
        return _form(request, contract, typed, {"message": problem}, status, submission)
    return await _sent(request, contract, form, submission)


async def _sent(
    request: web.Request, contract: Contract, form: webform.Form, submission: str
) -> web.Response:
    now = now_of(request)
    reference, answer_by = await _promised(house_of(request), submission)
    answer_by = answer_by or _from_contract(contract, now)
    by_when = saying.by_when(answer_by, now, contract.zone) if answer_by else ""
    return show(
        request,
        "contact_sent.html.j2",
        zone=contract.zone,
        reference=reference,
        by_when=by_when,
        is_in_danger=form.danger,
        can_answer=bool(form.phone or form.email),
        **site_values(request, contract),
    )


async def _promised(house: House, submission: str) -> tuple[str, datetime | None]:
    """The reference and the time promised; empty when routing takes longer than a moment."""
    case_of = (
        select(Case)
        .join(Contact, col(Contact.case_id) == col(Case.id))
        .join(InboundItem, col(InboundItem.contact_id) == col(Contact.id))
        .where(
            col(InboundItem.channel) == webform.CHANNEL,
            col(InboundItem.external_id) == submission,
        )
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ROUTED_WITHIN):
            while True:
                async with house.db.read() as session:
                    case = await session.scalar(case_of)
                    if case is not None and case.id is not None:
                        due = await deadlines.open_due_times(session, case.id)
                        answer = due.get(ClockStop.HUMAN_REPLY)
                        return case.reference, answer or due.get(ClockStop.REFERRAL_ANSWER)
                await asyncio.sleep(0.1)
    return "", None


def _from_contract(contract: Contract, now: datetime) -> datetime | None:
    """By when a person answers what arrives now: the soonest of the contract's clocks for it."""
    return deadlines.first_due(contract, now, [ClockStop.HUMAN_REPLY])


def _form(
    request: web.Request,
    contract: Contract,
    typed: dict[str, str],
    faults: dict[str, str],
    status: int = 200,
    submission: str = "",
) -> web.Response:
    return show(
        request,
        "contact.html.j2",
        status,
        zone=contract.zone,
        typed={name: typed.get(name, "") for name in FIELDS},
        faults=faults,
        submission=submission or secrets.token_hex(16),
        longest=LONGEST,
        **site_values(request, contract),
    )


def _faults(typed: dict[str, str], contract: Contract) -> dict[str, str]:
    """Field → what is wrong and what would be right, in the order of the page."""
    faults: dict[str, str] = {}
    for name, most in LONGEST_LINE.items():
        if len(typed[name]) > most:
            faults[name] = f"This is too long: shorten it to {most} characters."
    if typed["phone"] and "phone" not in faults and _e164(typed["phone"]) is None:
        faults["phone"] = "Write a telephone number like 07700 900123, or leave this empty."
    if typed["email"] and "email" not in faults and not MAIL.fullmatch(typed["email"]):
        faults["email"] = "Write an e-mail address like name@example.com, or leave this empty."
    if typed["reason"] and typed["reason"] not in {one.code for one in contract.reasons}:
        faults["reason"] = "Choose what it is about from the list, or leave it open."
    if not typed["message"]:
        faults["message"] = "Write a few words, so that we know what you need."
    elif len(typed["message"]) > LONGEST:
        over = len(typed["message"]) - LONGEST
        faults["message"] = f"This is {over:,} characters too long: it holds {LONGEST:,}."
    if typed["danger"] not in ("", "yes", "no"):
        faults["danger"] = "Choose yes or no, or leave it open."
    return {name: faults[name] for name in FIELDS if name in faults}


def _filled(typed: dict[str, str], contract: Contract) -> webform.Form:
    reason = typed["reason"] or None
    return webform.Form(
        message=typed["message"],
        name=_line(typed["name"]),
        membership=_line(typed["membership"]),
        phone=(_e164(typed["phone"]) or "") if typed["phone"] else "",
        email=typed["email"],
        safe=typed["safe"],
        reason=reason,
        reason_name=contract.reason(reason).name if reason else "",
        danger={"yes": True, "no": False}.get(typed["danger"]),
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _e164(text: str) -> str | None:
    """The number in E.164; None when it is none. Ofcom's numbers for drama are let through."""
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        return None
    found: Any = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return str(found) if phonenumbers.is_possible_number(number) else None
