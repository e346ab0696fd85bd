"""The telephone by Twilio: "TwiML for Programmable Voice", "Call resource", "Recordings resource",
"Voice webhooks" and "Status callbacks" in its documentation. main.py makes one and hands it to web
(which asks is_genuine, parse, parse_call and spoken) and engine (which asks find_call, fetch and
forget). It decides nothing about a call: rules/calls.py does, and this says it in TwiML. Nothing
that a person wrote can get into TwiML, because a step carries only what is ours.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from twilio.base.exceptions import TwilioRestException
from twilio.rest.api.v2010.account.call import CallInstance
from twilio.twiml.voice_response import VoiceResponse

from bots import _twilio, as_received, unreadable
from helpline.channels import (
    Answer,
    CallNews,
    CallStep,
    Fetched,
    Inbound,
    Media,
    Outbound,
    Receipt,
    SendResult,
    WebRequest,
    Wiring,
)
from helpline.vocabulary import CallMove, Fault, ItemKind, SendState

# CallStatus → whether the call is over. A word missing here says nothing.
ENDED: Mapping[str, bool] = {
    "queued": False,
    "initiated": False,
    "ringing": False,
    "in-progress": False,
    "completed": True,
    "busy": True,
    "no-answer": True,
    "canceled": True,
    "failed": True,
}

# Twilio's error code for a call that it does not place → what to do; others follow _twilio.py.
CODES: Mapping[int, SendState] = {
    13223: SendState.REFUSED,  # <Dial>: not a telephone number
    13224: SendState.REFUSED,  # <Dial>: nobody can be reached at that number
    13227: SendState.REFUSED,  # <Dial>: that country is switched off
    21201: SendState.REFUSED,  # no number to ring
    21210: SendState.REFUSED,  # the number shown is none of this account's
    21214: SendState.REFUSED,  # nobody can be reached at that number
    21215: SendState.REFUSED,  # that country is switched off
    21216: SendState.REFUSED,  # that number may not be rung from this account
    21217: SendState.REFUSED,  # not a telephone number
    21220: SendState.REFUSED,  # the call is not in a state for this
    20404: SendState.REFUSED,  # there is no such call
    20500: SendState.RETRY,  # something broke at theirs: whoever wanted to ring is told
}

# What Twilio puts in place of a number that is withheld: words, or the words in keypad digits.
WITHHELD = frozenset(
    ["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464"]
)  # ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE, and what one carrier sends for "none"

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
OWN_HOOK = re.compile(r"/hooks/voice(/[a-z]+)*(\?[a-z]+=[0-9]+(&[a-z]+=[0-9]+)*)?")
RING_SECONDS = 25  # of the telephone of whoever wants to ring somebody
NO_SOUND_SECONDS = 10  # of silence end a message
KEYS = frozenset("0123456789*#")
LANGUAGE = "en-GB"
API = "https://api.twilio.com"


class Voice:
    """One Twilio account's telephone lines. Raises InvalidInput without credentials: an empty
    token would make anybody's signature right."""

    name = "voice"
    accepted = Answer("text/xml", "<Response/>")

    def __init__(
        self, account_sid: str, auth_token: str, public_url: str, api_url: str = ""
    ) -> None:
        """`public_url` is where our hooks are, without a path; `api_url` puts another address in
        place of Twilio's."""
        self._account = _twilio.Account(account_sid, auth_token, api_url)
        self._account_sid, self._public_url = account_sid, public_url

    def is_genuine(self, request: WebRequest) -> bool:
        """Twilio's signature over the exact public URL, its query, and every form parameter."""
        return self._account.is_genuine(request)

    # --- what comes in ---------------------------------------------------------------------------

    def parse(self, request: WebRequest) -> Inbound | Receipt | None:
        """Somebody rings. A withheld number is nobody's: each such call is a sender of its own."""
        form = _twilio.read_form(request.body)
        call_id = form.first("CallSid")
        if not _twilio.MESSAGE_ID.fullmatch(call_id):
            _, known = _twilio.signed_as(form, self.name)
            return unreadable(self.name, request.body, external_id=known)
        return replace(
            _arrival(call_id, form.first("From"), form.first("To")), raw=as_received(request.body)
        )

    def parse_receipt(self, request: WebRequest) -> Receipt | None:
        """Calls are no messages: nothing here is one's report."""
        return None

    def parse_call(self, request: WebRequest) -> CallNews:
        """A line that was rung counts as joined only where Twilio says so, or does not say."""
        form = _twilio.read_form(request.body)
        call_id, recording = form.first("CallSid"), form.first("RecordingSid")
        key = form.first("Digits")
        length = form.first("CallDuration")
        is_dead = form.first("RecordingStatus") in ("absent", "failed")
        return CallNews(
            call_id=call_id if _twilio.MESSAGE_ID.fullmatch(call_id) else "",
            key=key if key in KEYS else "",
            has_ended=ENDED.get(form.first("CallStatus"), False),
            was_joined={"true": True, "false": False}.get(form.first("DialBridged").lower()),
            seconds=int(length) if length.isascii() and length.isdigit() else None,
            recording=recording if _twilio.MESSAGE_ID.fullmatch(recording) and not is_dead else "",
        )

    # --- what a line does ------------------------------------------------------------------------

    def spoken(self, step: CallStep) -> Answer:
        """The step as TwiML. Raises ValueError for a number or hook that cannot be ours."""
        twiml = VoiceResponse()
        if step.move is CallMove.ASK:
            asked = twiml.gather(
                input="dtmf",
                num_digits=1,
                finish_on_key="",  # so that # is a key like any other
                timeout=step.seconds,
                action=self._hook(step.next),
                method="POST",
                action_on_empty_result=True,
            )
            _say(asked, step.says)
        else:
            _say(twiml, step.says)
        if step.move is CallMove.RING:
            dial = twiml.dial(
                action=self._hook(step.next),
                method="POST",
                timeout=step.seconds,
                caller_id=_number(step.shown),
            )
            dial.number(_number(step.number), url=self._hook(step.whisper), method="POST")
        elif step.move is CallMove.RECORD:
            twiml.record(
                action=self._hook(step.next),
                method="POST",
                max_length=step.seconds,
                timeout=NO_SOUND_SECONDS,
                finish_on_key="#",
                play_beep=True,
                recording_status_callback=self._hook(step.next),
                recording_status_callback_method="POST",
            )
        if step.move in (CallMove.ASK, CallMove.RECORD):  # where Twilio goes when nothing came
            twiml.redirect(self._hook(step.next), method="POST")
        if step.move is CallMove.HANG_UP:
            twiml.hangup()
        return Answer("text/xml", str(twiml))

    async def ring(self, number: str, shown: str, next: str, ended: str) -> SendResult:
        """Place a call. Twilio asks `next` once it is answered, and tells `ended` in the end."""
        try:
            call = await self._account.client().calls.create_async(
                to=_number(number),
                from_=_number(shown),
                url=self._hook(next),
                method="POST",
                status_callback=self._hook(ended),
                status_callback_method="POST",
                timeout=RING_SECONDS,
            )
        except ValueError:
            return SendResult(SendState.REFUSED, code="number", fault=Fault.BAD_ADDRESS)
        except Exception as error:  # never raises: what nobody foresaw may have rung
            result = _twilio.from_error(error)
            code = int(result.code) if result.code.isdecimal() else 0
            return replace(result, state=CODES.get(code, result.state))
        return SendResult(SendState.ACCEPTED if call.sid else SendState.UNSURE, call.sid or "")

    async def send(self, outbound: Outbound) -> SendResult:
        """A telephone takes no text: it is rung, and the hooks in `extra` say what it hears."""
        if not (outbound.extra.get("next") and E164.fullmatch(outbound.sender)):
            return SendResult(SendState.REFUSED, code="voice")
        return await self.ring(
            outbound.recipient, outbound.sender, outbound.extra["next"], outbound.extra["ended"]
        )

    async def find_sent(self, outbound: Outbound) -> SendResult | None:
        """The newest call that we placed to this number since it was first tried."""
        try:
            found = await self._account.client().calls.list_async(to=outbound.recipient, limit=20)
        except Exception as error:  # never raises: the next look tries again
            return replace(_twilio.from_error(error), state=SendState.UNSURE)
        for call in found:
            begun = call.date_created or call.start_time
            is_ours = str(call.direction) == "outbound-api" and str(call.to) == outbound.recipient
            if is_ours and begun and begun >= outbound.since - _twilio.CLOCK_SLACK:
                return SendResult(SendState.ACCEPTED, str(call.sid))
        return SendResult(SendState.RETRY)

    # --- what Twilio knows -----------------------------------------------------------------------

    async def find_call(self, call_id: str) -> CallNews | None:
        """A call that is over comes with its recording: the hook that brings it may have been
        lost."""
        try:
            call = await self._account.client().calls(call_id).fetch_async()
        except TwilioRestException as error:
            if error.status == 404:
                return None
            raise
        news = _news(call)
        if not news.has_ended:
            return news
        found = await self._account.client().calls(call_id).recordings.list_async(limit=1)
        return replace(news, recording=str(found[0].sid) if found else "")

    async def arrivals(self, since: datetime) -> list[Inbound]:
        """Every call that was made to us since then; raises on failure."""
        found = await self._account.client().calls.list_async(
            start_time_after=since - _twilio.CLOCK_SLACK, page_size=1000
        )
        return [
            replace(
                _arrival(str(call.sid), str(call._from or ""), str(call.to or "")),
                sent_at=call.start_time or call.date_created,
            )
            for call in found
            if str(call.direction) == "inbound"
        ]

    def recorded(self, recording: str) -> Media:
        """A recording as something to fetch."""
        path = f"/2010-04-01/Accounts/{self._account_sid}/Recordings/{recording}.mp3"
        return Media(key=API + path, content_type="audio/mpeg", name="voicemail.mp3")

    async def wiring(self) -> Wiring:
        return await self._account.wiring(self.name)

    async def fetch(self, media: Media, largest: int) -> Fetched:
        """A recording is ready some seconds after the call: not found means ask again."""
        return replace(await self._account.fetch(media, largest), is_lost=False)

    async def forget(self, recording: str) -> bool:
        try:
            await self._account.client().recordings(recording).delete_async()
        except TwilioRestException as error:
            return bool(error.status == 404)
        except Exception:  # never raises: the next look tries again
            return False
        return True

    async def close(self) -> None:
        await self._account.close()

    def _hook(self, path: str) -> str:
        if not OWN_HOOK.fullmatch(path):
            raise ValueError("not one of our hooks")
        return self._public_url + path


def _arrival(call_id: str, caller: str, called: str) -> Inbound:
    is_known = bool(E164.fullmatch(caller)) and caller not in WITHHELD
    return Inbound(
        channel=Voice.name,
        external_id=call_id,
        sender=caller if is_known else f"withheld:{call_id}",
        recipient=called if E164.fullmatch(called) else "",
        text="",
        kind=ItemKind.CALL,
        extra={"what": "call"},
    )


def _news(call: CallInstance) -> CallNews:
    length = str(call.duration or "")
    return CallNews(
        call_id=str(call.sid),
        has_ended=ENDED.get(str(call.status), False),
        seconds=int(length) if length.isascii() and length.isdigit() else None,
        ended_at=call.end_time,
    )


def _say(verb: VoiceResponse, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        verb.say(sentence, language=LANGUAGE)


def _number(value: str) -> str:
    """A number as it may stand in TwiML. ValueError for anything else."""
    if not E164.fullmatch(value):
        raise ValueError("not a telephone number")
    return value
