"""What may change while a contract runs: what holds now, what comes and what was; each change with
what it makes different before it is made, from a day on, and to be taken back. Also what stands in
the contract's file, and where. Thin: desk/agreed.py decides, contract/overlay.py lays over."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from aiohttp import web

from helpline.contract import Contract, changing, overlay
from helpline.contract.overlay import Change
from helpline.desk import agreed, examples, in_force
from helpline.desk.agreed import Draft, Made, Unfit
from helpline.desk.house import House
from helpline.errors import Conflict, InvalidInput, NotFound
from helpline.rules import wordings
from helpline.rules.permissions import require
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    form_of,
    house_of,
    now_of,
    number_in_path,
    one_of,
    row_id,
)
from helpline.web.pages import settings_fields
from helpline.web.showing import go, show, which_council

SHOWN: Final = 50
"""Changes of the past on the page of all settings."""


@dataclass(frozen=True)
class Looked:
    """A contract's settings as they are at this moment, read anew for each page: a change that was
    made on another node a second ago is there."""

    filed: Contract
    held: overlay.Overlaid
    made: list[Made]
    today: date

    @property
    def contract(self) -> Contract:
        return self.held.contract

    @property
    def counting(self) -> list[Change]:
        return [change_of(one) for one in self.made if one.counts]

    def stands(self, one: Made) -> str:
        """waits, comes, left_out, now or was."""
        if one.waits:
            return "waits"
        if not one.counts:
            return "was"
        if one.row.valid_from > self.today:
            return "comes"
        if any(change.id == one.row.id for change, _ in self.held.left_out):
            return "left_out"
        same = [change for change in self.held.laid if change.what == one.row.what]
        is_count = one.row.what.startswith("populations.")
        return "now" if is_count or (same and same[-1].id == one.row.id) else "was"

    def why_left_out(self, one: Made) -> str:
        return next((why for each, why in self.held.left_out if each.id == one.row.id), "")


def change_of(one: Made) -> Change:
    return Change(one.row.id or 0, one.row.what, one.row.value, one.row.valid_from)


async def choose(request: web.Request) -> web.Response:
    """Whose settings: asked only of whoever works for several councils."""
    contract = await one_of(request, contracts_of(request, "settings.write"))
    if contract is None:
        return which_council(request, "Settings", "/settings", "/more")
    return go(f"/settings/{contract.key}")


async def show_settings(request: web.Request) -> web.Response:
    house, filed = house_of(request), _filed(request)
    looked = await _look(request, filed)
    sources = house.wording.sources
    listed = changing.things(looked.contract, sources)
    return show(
        request,
        "settings.html.j2",
        zone=filed.zone,
        filed=filed,
        contract=looked.contract,
        groups=_grouped(listed),
        values={one.what: changing.value_of(looked.contract, sources, one.what) for one in listed},
        rows=_rows(looked, sources),
        shown=SHOWN,
        done=request.query.get("done", ""),
        **_words(looked.contract),
    )


async def show_thing(request: web.Request) -> web.Response:
    return await _thing(request)


async def show_file(request: web.Request) -> web.Response:
    """Everything that is not changed here, and where it is set."""
    filed = _filed(request)
    return show(request, "settings_file.html.j2", filed=filed, parts=_in_file(filed))


async def change(request: web.Request) -> web.Response:
    """First what it makes different, then the same again to be kept: what nobody looked at is not
    stored."""
    house, filed, what = house_of(request), _filed(request), request.match_info["what"]
    looked = await _look(request, filed, what)
    value = None
    try:
        value, valid_from = await _wanted(request, looked, what)
        seen = row_id(await field(request, "seen")) or 0
        draft = Draft(what, value, valid_from, seen)
        mark = _mark(draft)
        if await field(request, "looked") != mark and not await _only_looked(request, what):
            agreed.check(filed, looked.counting, house.wording.sources, draft, now_of(request))
            return await _thing(request, draft=draft, mark=mark)
        async with house.db.write() as session:
            row = await agreed.make(
                session, filed, house.wording.sources, draft, actor_of(request), now_of(request)
            )
            waits = row.needs_second
    except Unfit as error:
        wrong = settings_fields.field_of(what, error.field)
        return await _thing(request, problem=str(error), wrong=wrong, status=400)
    except Conflict as error:
        return await _thing(request, problem=str(error), wrong="theirs", status=409)
    except InvalidInput as error:
        return await _thing(request, problem=str(error), status=400)
    await in_force.keep(house, filed.key)
    return go(f"/settings/{filed.key}/things/{what}?done={'waits' if waits else 'made'}")


async def agree(request: web.Request) -> web.Response:
    house, actor, change_id = house_of(request), actor_of(request), number_in_path(request, "id")
    async with house.db.write() as session:
        found = await agreed.find(session, change_id, actor)
        filed = _filed_of(house, found.contract)
        row = await agreed.agree(
            session, filed, house.wording.sources, change_id, actor, now_of(request)
        )
        back = f"/settings/{row.contract}/things/{row.what}?done=agreed"
    await in_force.keep(house, row.contract)
    return go(back)


async def take_back(request: web.Request) -> web.Response:
    house, change_id = house_of(request), number_in_path(request, "id")
    async with house.db.write() as session:
        row = await agreed.take_back(session, change_id, actor_of(request), now_of(request))
        back = f"/settings/{row.contract}/things/{row.what}?done=taken_back"
    await in_force.keep(house, row.contract)
    return go(back)


async def _thing(
    request: web.Request,
    *,
    draft: Draft | None = None,
    mark: str = "",
    problem: str = "",
    wrong: str = "",
    status: int = 200,
) -> web.Response:
    """The page of one setting. `draft`: what was looked at and may be kept now."""
    house, filed, what = house_of(request), _filed(request), request.match_info["what"]
    looked, sources = await _look(request, filed, what), house.wording.sources
    now = changing.value_of(looked.contract, sources, what)
    if now is None:
        raise NotFound("There is nothing to be changed at this address.")
    language = what.split(".")[1] if what.startswith("texts.") else "en"
    listed = changing.things(looked.contract, sources, language)
    thing = next((one for one in listed if one.what == what), None)
    if thing is None:
        raise NotFound("There is nothing to be changed at this address.")
    given = await form_of(request) if request.method == "POST" else {}
    typed = {name: values[-1] for name, values in given.items()}
    newest = max((one.row.number for one in looked.made), default=0)
    is_stale = status == 409
    seen = newest if is_stale or not typed else row_id(typed.get("seen", "")) or 0
    then, before = _then(looked, draft, sources) if draft else (None, None)
    return show(
        request,
        "settings_thing.html.j2",
        status,
        zone=filed.zone,
        filed=filed,
        contract=looked.contract,
        thing=thing,
        kind=what.partition(".")[0],
        code=what.partition(".")[2],
        now_value=now,
        fields=settings_fields.typed_of(what, now),
        pieces=wordings.pieces(sources.get(what.partition(".")[2], "")),
        languages=_languages(sources, what),
        rows=_rows(looked, sources),
        needs_second=changing.needs_second(filed, sources, what, now),
        draft=draft,
        mark=mark,
        then=then,
        before=before,
        example=_example(request, looked, draft, what) if draft else None,
        example_now=_example_now(request, looked, what),
        seen=seen,
        first_day=looked.today,
        next_day=looked.today + timedelta(days=1),
        chosen=given.get("recipients", [])
        if given
        else now.get("recipients", [])
        if isinstance(now, dict)
        else [],
        done=request.query.get("done", ""),
        form="change" if typed else "",
        typed=typed,
        problem=problem,
        wrong=wrong,
        spare=settings_fields.SPARE,
        week=settings_fields.WEEK,
        most_rungs=changing.MOST_RUNGS,
        **_words(looked.contract),
    )


async def _only_looked(request: web.Request, what: str) -> bool:
    """Somebody rang and it is right: nothing would be different, so nothing is shown first."""
    return what.startswith("signposts.") and await field(request, "act") == "looked"


async def _wanted(request: web.Request, looked: Looked, what: str) -> tuple[Any, date]:
    """The value that the form asks for, and from which day."""
    sources = house_of(request).wording.sources
    now = changing.value_of(looked.contract, sources, what)
    if now is None:
        raise NotFound("There is nothing to be changed at this address.")
    if await _only_looked(request, what):
        return {"last_verified": looked.today.isoformat()}, looked.today
    form = await form_of(request)
    value = settings_fields.value_of(what, now, form)
    if what.startswith("populations."):  # its own day says from when it counts
        return value, looked.today
    return value, settings_fields.day_of(form)


def _then(looked: Looked, draft: Draft, sources: changing.Sources) -> tuple[Any, Any]:
    """What stands on the draft's day with it, and without it."""
    without = overlay.overlaid(looked.filed, looked.counting, draft.valid_from, sources)
    if draft.what.startswith("populations."):
        on, value = date.fromisoformat(draft.value["as_of"]), draft.value
        if value["group"] is None:
            return value, changing.value_of(without.contract, sources, draft.what)
        had = without.contract.population(value["group"], value["quadrant"], on)
        return value, None if had is None else had.model_dump(mode="json")
    return draft.value, changing.value_of(without.contract, sources, draft.what)


def _example(
    request: web.Request, looked: Looked, draft: Draft | None, what: str
) -> examples.Example | None:
    if draft is None or not what.startswith("texts."):
        return None
    code, sources = what.partition(".")[2], house_of(request).wording.sources
    without = overlay.overlaid(looked.filed, looked.counting, draft.valid_from, sources).contract
    before = without.own_words.get(code, sources[code])
    after = wordings.put_otherwise(sources[code], draft.value["pieces"])
    name = actor_of(request).name.partition(" ")[0]
    return examples.of_text(looked.contract, before, after, name, now_of(request))


def _example_now(request: web.Request, looked: Looked, what: str) -> str:
    """A text as somebody gets it now; empty for anything else."""
    if not what.startswith("texts."):
        return ""
    code, sources = what.partition(".")[2], house_of(request).wording.sources
    said = looked.contract.own_words.get(code, sources[code])
    name = actor_of(request).name.partition(" ")[0]
    return examples.of_text(looked.contract, said, said, name, now_of(request)).before


async def _look(request: web.Request, filed: Contract, what: str = "") -> Looked:
    house, today = house_of(request), agreed.local_day(filed, now_of(request))
    async with house.db.read() as session:
        made = await agreed.made(session, filed.key, what)
        counting = await agreed.counting(session, filed.key)
    held = overlay.overlaid(filed, counting, today, house.wording.sources)
    return Looked(filed, held, made, today)


def _filed(request: web.Request) -> Contract:
    key = request.match_info["contract"]
    filed = _filed_of(house_of(request), key)
    require(actor_of(request), "settings.write", key)
    return filed


def _filed_of(house: House, key: str) -> Contract:
    filed = house.in_force.filed.get(key)
    if filed is None:
        raise NotFound("There is no such contract.")
    return filed


def _rows(looked: Looked, sources: changing.Sources) -> list[dict[str, Any]]:
    """Every change as a line of a list, the newest first."""
    names = {thing.what: thing.name for thing in changing.things(looked.contract, sources)}
    return [
        {
            "id": one.row.id,
            "row": one.row,
            "what": one.row.what,
            "name": names.get(one.row.what, ""),
            "by": one.by,
            "agreed_by": one.agreed_by,
            "ended_by": one.ended_by,
            "state": looked.stands(one),
            "why": looked.why_left_out(one),
        }
        for one in looked.made
    ]


def _grouped(listed: list[changing.Thing]) -> dict[str, list[changing.Thing]]:
    groups: dict[str, list[changing.Thing]] = {}
    for one in listed:
        groups.setdefault(one.group, []).append(one)
    return groups


def _languages(sources: changing.Sources, what: str) -> list[str]:
    """The languages in which this text exists, English first."""
    if not what.startswith("texts."):
        return []
    code = what.split(".", 2)[2]
    found = {key.partition(".")[0] for key in sources if key.partition(".")[2] == code}
    return sorted(found, key=lambda one: (one != "en", one))


def _words(contract: Contract) -> dict[str, Any]:
    """What templates need to say a value in words."""
    return {
        "areas": {one.code: one.name for one in contract.quadrants},
        "roles": {one.code: one.name for one in contract.commissioners},
        "day_said": settings_fields.day_said,
        "day_from": date.fromisoformat,
        "steps": _steps,
    }


def _mark(draft: Draft) -> str:
    """Stands for what was looked at: anything typed otherwise afterwards is looked at again."""
    whole = json.dumps([draft.what, draft.value, draft.valid_from.isoformat(), draft.seen])
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


_CHANGED_HERE: Final = {
    *("ladder", "populations", "commissioners", "signposts", "calendar", "office_hours"),
}
_ASIDE: Final = ("source", "mark", "verify", "last_verified")
_SAYS: Final = ("name", "title", "label", "question", "words", "cited")


def _in_file(filed: Contract) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is not changed here, table by table as the file has it: (where, what it says)."""
    first: list[tuple[str, str]] = []
    found: list[tuple[str, list[tuple[str, str]]]] = [("", first)]
    for name, value in filed.document.items():
        if name in _CHANGED_HERE:
            continue
        if isinstance(value, dict):
            lines = [
                (f"[{name}] {key}", _plain(one)) for key, one in value.items() if key not in _ASIDE
            ]
            found.append((name, lines))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found.append((name, [_entry(filed, name, one) for one in value]))
        else:
            first.append((name, _plain(value)))
    return found


def _entry(filed: Contract, name: str, row: dict[str, Any]) -> tuple[str, str]:
    code = str(row.get("code", ""))
    said = next((str(row[one]) for one in _SAYS if row.get(one)), "")
    if name == "clocks":
        said = f"{said}: {filed.clock(code).within}"
    return f"[{name}.{code}]", said


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        if value and isinstance(value[0], dict):
            return ", ".join(str(one.get("name") or one.get("code") or "") for one in value)
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(one)}" for key, one in value.items())
    return str(value)


def _steps(
    value: dict[str, Any], before: dict[str, Any] | None = None
) -> list[tuple[str, int, int | None]]:
    """Each step of a ladder: who, after how many minutes, and after how many they were asked
    before; None where they were not."""

    def at(ladder: dict[str, Any]) -> dict[tuple[str, int], int]:
        rungs: list[str] = ladder["rungs"]
        return {
            (rung, rungs[:place].count(rung)): place * ladder["minutes_between_rungs"]
            for place, rung in enumerate(rungs)
        }

    was = at(before) if before else {}
    return [(rung, minutes, was.get((rung, turn))) for (rung, turn), minutes in at(value).items()]
