"""The tab "Steps and plan" of a case: what is next, what is to be done, the steps of its kind, the
plan agreed with the person, a silence that is followed up, and how the case came to be what it is.

Each form is one function of desk (tasks, kinds, plans, silence, referred, transfer) in one
transaction; what goes wrong comes back beside its form with all that was typed.
"""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.desk import cases, kinds, plans, referred, silence, tasks, transfer
from helpline.errors import InvalidInput, NotFound
from helpline.models import Case, Task
from helpline.rules import silence as silence_rules
from helpline.rules import steps
from helpline.rules.permissions import may
from helpline.vocabulary import CaseKind, GoalState, SilenceMove, TaskKind
from helpline.web.asked import (
    actor_of,
    contracts_of,
    field,
    fields,
    house_of,
    now_of,
    number_in_path,
    row_id,
)
from helpline.web.pages.case import local_now
from helpline.web.pages.case_acts import Act, instant
from helpline.web.pages.case_frame import act_on, show_tab

FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    # form → (how the sentence about a field begins, the field); the last one is for anything else
    "task": (
        *(("Say by when", "due"), ("That time", "due"), ("That is more", "due")),
        *(("Give day", "due"), ("Choose", "owner"), ("", "what")),
    ),
    "made": (
        *(("Say with whom", "agreed_with"), ("The day on which", "agreed_on")),
        *(("Say on which", "agreed_on"), ("Say when you", "review_on")),
        *(("Give a day still", "review_on"), ("Say when support", "ends_on")),
        *(("The envisaged", "ends_on"), ("", "goal")),
    ),
    "review": (
        *(("Say in a few", "said"), ("Give a day", "next_on"), ("The envisaged", "ends_on")),
        ("", "with_whom"),
    ),
    "exit": (("Say with whom", "exit_with"), ("Say what they", "if_it_returns"), ("", "agreed")),
    "silence": (("Say", "words"), ("", "move")),
    "step": (("Say", "why_not"), ("That", "done_on"), ("Give", "done_on"), ("", "how")),
    "kind": (("Say", "why_kind"), ("", "kind")),
    "referral": (("That", "answered_at"), ("Give day", "answered_at")),
    "transfer": (("Say why", "why_transfer"), ("Write", "summary"), ("", "to")),
}
"""Beside which field a sentence of the desk stands."""
ASK_A_DAY = "Give a day as one that there is: 3 November 2026."


async def show_plan(request: web.Request, **again: Any) -> web.Response:
    async def fill(session: AsyncSession, found: Case, contract: Contract) -> dict[str, Any]:
        now = now_of(request)
        lines = await kinds.lines(session, found, now)
        return {
            "tasks": await tasks.on_case(session, found.id or 0),
            "done_tasks": await tasks.done_on(session, found.id or 0),
            "workers": await cases.workers_for(session, contract.key),
            "lines": lines,
            "next_step": steps.next_step(lines),
            "ticks": {row.step: row for row in await kinds.ticks(session, found.id or 0)},
            "kinds": list(CaseKind),
            "history": await kinds.history(session, found.id or 0),
            "changes": {
                change.at: change.why
                for change in await kinds.reasons_of_changes(session, found.id or 0)
            },
            "today": now.astimezone(ZoneInfo(contract.zone)).date(),
            "local_now": local_now(now, contract.zone),
            "wrong": _wrong(**again),
            "usual_due": _usual_due(contract, now),
            "local_day": contract.days.day_of,
            "local": lambda at: local_now(at, contract.zone) if at else "",
            **await _plan(session, request, found, contract),
            **await _quiet(session, found, now),
            **await _comings(session, request, found, contract),
        }

    return await show_tab(request, "case_plan.html.j2", fill, **again)


async def _plan(
    session: AsyncSession, request: web.Request, found: Case, contract: Contract
) -> dict[str, Any]:
    plan = await plans.standing(session, found.id or 0)
    old = await plans.ended(session, found.id or 0)
    shown = plan or (old[0] if old else None)
    return {
        "plan": plan,
        "old_plan": shown if plan is None else None,
        "goals": await plans.goals_of(session, shown.id or 0) if shown else [],
        "reviews": await plans.reviews_of(session, shown.id or 0) if shown else [],
        "goal_states": list(GoalState),
        "exit": await plans.exit_of(session, found.id or 0),
        "may_waive": plans.may_waive(actor_of(request), contract.key),
    }


async def _quiet(session: AsyncSession, found: Case, now: datetime) -> dict[str, Any]:
    quiet = await silence.on_case(session, found.id or 0)
    tried = await silence.steps_of(session, quiet.id or 0) if quiet else []
    heard = await silence.heard_at(session, found)
    return {
        "quiet": quiet,
        "tried_steps": tried,
        "next_move": silence_rules.next_move(frozenset(row.step for row in tried)),
        "moves": list(SilenceMove),
        "heard_at": heard,
        "quiet_days": (now - heard).days,
        "past_silences": await silence.past(session, found.id or 0),
    }


async def _comings(
    session: AsyncSession, request: web.Request, found: Case, contract: Contract
) -> dict[str, Any]:
    """Where the case came from, and where it may go."""
    is_referral = found.kind == CaseKind.REFERRAL and contract.referral is not None
    form = await referred.of_case(session, found.id or 0) if is_referral else None
    said = referred.said_in(form)
    actor = actor_of(request)
    others = [one for one in contracts_of(request, "case.transfer") if one.key != contract.key]
    may_go = bool(others) and may(actor, "case.transfer", contract.key)
    return {
        "is_referral": is_referral,
        "referral": form,
        "referral_fields": referred.fields_of(contract, found.group) if is_referral else (),
        "referral_said": said,
        "referral_ours": [one.code for one in referred.our_fields(contract)],
        "referral_mark": referred.mark_of(form),
        "referral_unanswered": referred.unanswered(contract, said) if is_referral else [],
        "referral_missing": referred.missing(contract, found.group, said) if is_referral else [],
        "other_contracts": others if may_go and found.status == "open" else [],
        "notes": await transfer.notes_to_choose(session, found.id or 0) if may_go else [],
        "went": await transfer.of_case(session, found.id or 0),
        "contract_names": {key: one.name for key, one in house_of(request).contracts.items()},
    }


def _wrong(*, form: str = "", problem: str = "", **_: Any) -> dict[str, dict[str, str]]:
    """The field that a sentence is about → an error message for it; of the form that failed."""
    known = FIELDS.get("step" if form.startswith("step_") else form, ())
    field_name = next((name for words, name in known if problem.startswith(words)), "")
    return {field_name: {"text": problem}} if field_name else {}


def _usual_due(contract: Contract, now: datetime) -> str:
    """What the time of a new task is filled with: the end of the next working day."""
    return local_now(tasks.end_of_working_day(contract, now, 1), contract.zone)


# --- tasks ---------------------------------------------------------------------------------------


async def give_task(request: web.Request) -> web.Response:
    what, owner = await field(request, "what"), await field(request, "owner")
    due = await field(request, "due")

    async def act(it: Act) -> None:
        if not due:
            raise InvalidInput("Say by when it is to be done.")
        due_at = instant(due, it.contract.zone, it.now, ahead=True)
        await tasks.give(
            it.session, it.case, TaskKind.GIVEN, what, row_id(owner), due_at, it.by, it.now
        )

    return await act_on(request, "task", act, show_plan)


async def note_happening(request: web.Request) -> web.Response:
    code = await field(request, "happening")

    async def act(it: Act) -> None:
        await tasks.give_for(it.session, it.contract, it.case, code, it.by, it.now)

    return await act_on(request, "happening", act, show_plan)


async def end_task(request: web.Request) -> web.Response:
    task_id, how = number_in_path(request, "id"), await field(request, "how")

    async def act(it: Act) -> str:
        end = tasks.drop if how == "dropped" else tasks.finish
        _must_be_of(it.case, await end(it.session, task_id, it.by, it.now))
        return f"/cases/{it.case.reference}/plan?done={'dropped' if how == 'dropped' else 'done'}"

    return await act_on(request, "tasks", act, show_plan)


async def change_task(request: web.Request) -> web.Response:
    task_id = number_in_path(request, "id")
    owner, due = await field(request, "owner"), await field(request, "due")

    async def act(it: Act) -> str:
        due_at = instant(due, it.contract.zone, it.now, ahead=True) if due else None
        await tasks.change(it.session, it.case, task_id, row_id(owner), due_at, it.by, it.now)
        return f"/cases/{it.case.reference}/plan?done=changed"

    return await act_on(request, f"task_{task_id}", act, show_plan)


def _must_be_of(case: Case, task: Task) -> None:
    if task.case_id != case.id:
        raise NotFound("There is no such task on this case.")


# --- steps and kind ------------------------------------------------------------------------------


async def tick_step(request: web.Request) -> web.Response:
    step, how = await field(request, "step"), await field(request, "how")
    done_on, why_not = await field(request, "done_on"), await field(request, "why_not")

    async def act(it: Act) -> str:
        if how == "not_needed":
            await kinds.skip(it.session, it.case, step, why_not, it.by, it.now)
        else:
            day = _day(done_on) if done_on else None
            await kinds.tick(it.session, it.contract, it.case, step, day, it.by, it.now)
        return f"/cases/{it.case.reference}/plan?done=step"

    return await act_on(request, f"step_{step[:40]}", act, show_plan)


async def untick_step(request: web.Request) -> web.Response:
    tick_id = number_in_path(request, "id")

    async def act(it: Act) -> str:
        await kinds.untick(it.session, it.case, tick_id, it.by, it.now)
        return f"/cases/{it.case.reference}/plan?done=unticked"

    return await act_on(request, "steps", act, show_plan)


async def change_kind(request: web.Request) -> web.Response:
    kind, why = await field(request, "kind"), await field(request, "why_kind")

    async def act(it: Act) -> None:
        await kinds.change(it.session, it.contract, it.case, kind, why, it.by, it.now)

    return await act_on(request, "kind", act, show_plan)


# --- plan ----------------------------------------------------------------------------------------


async def make_plan(request: web.Request) -> web.Response:
    goals = await fields(request, "goal")
    agreed_with, agreed_on = await field(request, "agreed_with"), await field(request, "agreed_on")
    review_on, ends_on = await field(request, "review_on"), await field(request, "ends_on")

    async def act(it: Act) -> None:
        await plans.make(
            it.session,
            it.contract,
            it.case,
            goals,
            agreed_with,
            _day(agreed_on, "Say on which day it was agreed."),
            _day(review_on, "Say when you look at it again."),
            _day(ends_on, "Say when support is meant to end; it may change."),
            it.by,
            it.now,
        )

    return await act_on(request, "made", act, show_plan)


async def add_goal(request: web.Request) -> web.Response:
    words = await field(request, "goal")

    async def act(it: Act) -> None:
        await plans.add_goal(it.session, it.case, words, it.by, it.now)

    return await act_on(request, "goal", act, show_plan)


async def settle_goal(request: web.Request) -> web.Response:
    goal_id, state = number_in_path(request, "id"), await field(request, "state")

    async def act(it: Act) -> str:
        await plans.settle_goal(it.session, it.case, goal_id, state, it.by, it.now)
        return f"/cases/{it.case.reference}/plan?done=goal_settled"

    return await act_on(request, "goals", act, show_plan)


async def review_plan(request: web.Request) -> web.Response:
    with_whom, said = await field(request, "with_whom"), await field(request, "said")
    next_on, ends_on = await field(request, "next_on"), await field(request, "ends_on")

    async def act(it: Act) -> None:
        await plans.review(
            it.session,
            it.contract,
            it.case,
            with_whom,
            said,
            _day(next_on) if next_on else None,
            _day(ends_on) if ends_on else None,
            it.by,
            it.now,
        )

    return await act_on(request, "review", act, show_plan)


async def agree_exit(request: web.Request) -> web.Response:
    agreed, agreed_with = await field(request, "agreed"), await field(request, "exit_with")
    if_it_returns = await field(request, "if_it_returns")

    async def act(it: Act) -> None:
        await plans.agree_exit(
            it.session, it.case, agreed, agreed_with, if_it_returns, it.by, it.now
        )

    return await act_on(request, "exit", act, show_plan)


async def let_close(request: web.Request) -> web.Response:
    why = await field(request, "why_without")

    async def act(it: Act) -> None:
        await plans.let_close(it.session, it.case, why, it.by, it.now)

    return await act_on(request, "waiver", act, show_plan)


# --- silence, referral, another contract ---------------------------------------------------------


async def follow_silence(request: web.Request) -> web.Response:
    move, words = await field(request, "move"), await field(request, "words")

    async def act(it: Act) -> None:
        await silence.try_again(it.session, it.case, move, words, it.by, it.now)

    return await act_on(request, "silence", act, show_plan)


async def write_referral(request: web.Request) -> web.Response:
    async def act(it: Act) -> None:
        given = {
            one.code: await field(request, f"referral_{one.code}")
            for one in referred.fields_of(it.contract, it.case.group)
        }
        seen = await field(request, "seen")
        at = instant(await field(request, "answered_at"), it.contract.zone, it.now)
        await referred.fill(it.session, it.contract, it.case, given, it.by, it.now, seen, at)

    return await act_on(request, "referral", act, show_plan)


async def hand_over(request: web.Request) -> web.Response:
    to, why = await field(request, "to"), await field(request, "why_transfer")
    summary, ticked = await field(request, "summary"), await fields(request, "note")
    along = await fields(request, "along")

    async def act(it: Act) -> str:
        other = it.house.contracts.get(to)
        if other is None:
            raise InvalidInput("Choose the contract it goes over to.")
        handed = transfer.Handed(
            why,
            summary,
            [number for number in map(row_id, ticked[: transfer.MOST_NOTES]) if number is not None],
            with_addresses="addresses" in along,
            with_tasks="tasks" in along,
        )
        new = await transfer.hand_over(
            it.session, it.contract, it.case, other, handed, it.by, it.now
        )
        return f"/cases/{new.reference}/plan?done=transfer"

    return await act_on(request, "transfer", act, show_plan)


def _day(text: str, missing: str = ASK_A_DAY) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(missing if not text else ASK_A_DAY) from None
    if not 2000 <= day.year <= 2100:
        raise InvalidInput(f"Give a day anew: the year {day.year} cannot be meant.")
    return day
