"""What the person of a case was given and has booked: news or none, the library, events, policies;
and the search of the library from which an answer is put into the reply.

The search works as a page; templates/static/library.js shows the same list below the field while
somebody types. What is looked for is posted, so that it stands in no address.
"""

from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import consents, gatherings, given, inviting, library, proofs
from helpline.errors import InvalidInput
from helpline.models import Case, Person
from helpline.rules.permissions import may
from helpline.vocabulary import ConsentHow
from helpline.web.asked import (
    actor_of,
    contract_of,
    field,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import Words, find
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on, show_tab
from helpline.web.pages.library import CODE_WORDS, KIND_WORDS
from helpline.web.pages.partners import wrong_field
from helpline.web.showing import show

MOST_FOUND = 8
_WRONG: Final = {
    "Choose something": "version",
    "Say whether you told": "how",
    "Choose by which way": "channel",
    "Say whether they want": "answer",
    "Choose how they said": "how",
    "Choose an event": "event",
    "Say what they need": "needs",
}
"""How a sentence begins → the field it is about."""


async def show_given(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        now = now_of(request)
        coming, _ = await gatherings.listed(session, [contract.key], now)
        items = await library.entries(session, {contract.key: contract}, now, topic=found.reason)
        return {
            "given": await given.on_case(session, found.id or 0),
            "consents": await consents.standing(session, found.person_id),
            "told": await proofs.of_person(session, found.person_id),
            "bookings": await gatherings.of_person(session, found.person_id),
            "coming": [one for one, _ in coming],
            "items": [(one.version_id, one.title) for one in items if not one.is_over],
            "kind_words": KIND_WORDS,
            "code_words": CODE_WORDS,
            "may_book": may(actor_of(request), "gathering.book", contract.key),
            "wrong": wrong_field(_WRONG, again.get("problem", ""), "event"),
            "local": lambda one: ", ".join(inviting.when_words(one, contract)),
        }

    return await show_tab(request, "case_given.html.j2", fill, **again)


async def search(request: web.Request) -> web.Response:
    """The library, as far as it fits what was typed, in the person's language where it can."""
    asked = (await field(request, "asked"))[:100]
    async with house_of(request).db.read() as session:
        found = await find(session, request)
        contract, person = contract_of(request, found.contract), None
        person = await session.get(Person, found.person_id)
        hits = await library.entries(
            session,
            {contract.key: contract},
            now_of(request),
            asked=asked,
            topic=found.reason,
            language=person.language if person else library.LANGUAGE,
            limit=MOST_FOUND,
        )
    is_part = bool(await field(request, "part"))
    return show(
        request,
        "_library_hits.html.j2" if is_part else "case_library.html.j2",
        case=found,
        asked=asked,
        hits=hits,
        kind_words=KIND_WORDS,
        words=Words(contract),
        is_part=is_part,
    )


async def log(request: web.Request) -> web.Response:
    """They were told something of the library, or handed it."""
    version_id, how = row_id(await field(request, "version")), await field(request, "how")

    async def act(it: Act) -> None:
        if version_id is None:
            raise InvalidInput("Choose something of the library.")
        await given.log_given(it.session, it.case, version_id, how, it.by, it.now)

    return await act_on(request, "items", act, show_given)


async def note_taken_up(request: web.Request) -> web.Response:
    use_id, answer = number_in_path(request, "id"), await field(request, "answer")

    async def act(it: Act) -> str:
        await given.note_taken_up(it.session, it.case, use_id, answer, it.by, it.now)
        return f"/cases/{it.case.reference}/given?done=items"

    return await act_on(request, "taken_up", act, show_given)


async def write_consent(request: web.Request) -> web.Response:
    """They said yes or no to news."""
    channel, how = await field(request, "channel"), await field(request, "how")
    answer = await field(request, "answer")

    async def act(it: Act) -> None:
        if answer not in ("yes", "no"):
            raise InvalidInput("Say whether they want news or not.")
        person = await it.session.get(Person, it.case.person_id)
        assert person is not None
        await consents.write_down(
            it.session, person, channel, answer == "yes", how or ConsentHow.TELEPHONE, it.by, it.now
        )

    return await act_on(request, "consents", act, show_given)


async def book(request: web.Request) -> web.Response:
    gathering_id, needs = row_id(await field(request, "event")), await field(request, "needs")

    async def act(it: Act) -> str:
        if gathering_id is None:
            raise InvalidInput("Choose an event.")
        person = await it.session.get(Person, it.case.person_id)
        assert person is not None
        event = await gatherings.find(it.session, it.by, gathering_id)
        made = await gatherings.book(
            it.session, event, person, needs, it.by, it.now, case_id=it.case.id
        )
        return f"/cases/{it.case.reference}/given?done={made.state}"

    return await act_on(request, "bookings", act, show_given)


async def note_policies(request: web.Request) -> web.Response:
    """Both policies were handed over or read out."""

    async def act(it: Act) -> None:
        await proofs.note_handed(it.session, it.contract, it.case, it.by, it.now)

    return await act_on(request, "policies", act, show_given)
