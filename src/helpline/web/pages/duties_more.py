"""The other forms of the page /duties: cover, counselling, money, where a child lives, how it
ended, the twenty-eight days and the time afterwards. Each is one act of desk/duties.
"""

from aiohttp import web

from helpline.desk.duties import approvals, cover, moves, outcomes
from helpline.web.asked import field, number_in_path, row_id
from helpline.web.pages.case_acts import Act
from helpline.web.pages.case_frame import act_on
from helpline.web.pages.duties import back, day, show_duties


async def open_claim(request: web.Request) -> web.Response:
    who, proceeding = await field(request, "who"), await field(request, "proceeding")
    insurer, policy = await field(request, "insurer"), await field(request, "policy")

    async def act(it: Act) -> str:
        row = await cover.open_claim(
            it.session, it.case, who, proceeding, insurer, policy, it.by, it.now
        )
        return back(it, "claim", f"claim_{row.id}")

    return await act_on(request, "claim", act, show_duties)


async def move_claim(request: web.Request) -> web.Response:
    claim_id, state = number_in_path(request, "id"), await field(request, "state")
    words = await field(request, "words")

    async def act(it: Act) -> str:
        await cover.move_claim(it.session, it.case, claim_id, state, words, it.by, it.now)
        return back(it, "claim", f"claim_{claim_id}")

    return await act_on(request, f"claim_{claim_id}", act, show_duties)


async def hand_off(request: web.Request) -> web.Response:
    result = await field(request, "result")

    async def act(it: Act) -> str:
        await cover.hand_off(it.session, it.contract, it.case, result, it.by, it.now)
        return back(it, "legal_line", "legal_line")

    return await act_on(request, "legal_line", act, show_duties)


async def offer_counselling(request: web.Request) -> web.Response:
    person_id, state = number_in_path(request, "id"), await field(request, "state")
    checked_with = await field(request, "checked_with")

    async def act(it: Act) -> str:
        await cover.offer(
            it.session, it.contract, it.case, person_id, state, checked_with, it.by, it.now
        )
        return back(it, "offered", f"member_{person_id}")

    return await act_on(request, f"member_{person_id}", act, show_duties)


async def set_money(request: web.Request) -> web.Response:
    what, state = await field(request, "what"), await field(request, "state")
    until, told_by = await field(request, "until"), await field(request, "told_by")
    words = await field(request, "words")

    async def act(it: Act) -> str:
        last = day(until, "") if until else None
        await cover.set_money(it.session, it.case, what, state, last, told_by, words, it.by, it.now)
        return back(it, "money", "money")

    return await act_on(request, "money", act, show_duties)


async def record_move(request: web.Request) -> web.Response:
    texts = {
        name: await field(request, name)
        for name in (
            *("child", "decision", "decided_by", "nature", "about_child", "wishes"),
            *("risk_actions", "lado_view", "dissent"),
        )
    }
    on = await field(request, "decided_on")

    async def act(it: Act) -> str:
        told = moves.Decision(decided_on=day(on, "Give the day of the decision."), **texts)
        row = await moves.record(it.session, it.contract, it.case, told, it.by, it.now)
        return back(it, "move", f"move_{row.id}")

    return await act_on(request, "move", act, show_duties)


async def escalate_move(request: web.Request) -> web.Response:
    move_id, words = number_in_path(request, "id"), await field(request, "words")

    async def act(it: Act) -> str:
        await moves.escalate(it.session, it.case, move_id, words, it.by, it.now)
        return back(it, "escalated", f"move_{move_id}")

    return await act_on(request, f"move_{move_id}", act, show_duties)


async def report_outcome(request: web.Request) -> web.Response:
    texts = {
        name: await field(request, name)
        for name in ("outcome", "definitions", "ofsted", "approval", "told_by", "words")
    }
    on, allegation = await field(request, "told_on"), await field(request, "allegation")

    async def act(it: Act) -> str:
        told = outcomes.Told(
            told_on=day(on, "") if on else None, allegation_id=row_id(allegation), **texts
        )
        await outcomes.report(it.session, it.contract, it.case, told, it.by, it.now)
        return back(it, "outcome", "outcome")

    return await act_on(request, "outcome", act, show_duties)


async def record_approval(request: web.Request) -> web.Response:
    kind, who = await field(request, "kind"), await field(request, "who")
    on, warned = await field(request, "noticed_on"), bool(await field(request, "warned"))

    async def act(it: Act) -> str:
        noticed_on = day(on, "Give the day of the written notice.")
        row = await approvals.record(
            it.session, it.contract, it.case, kind, who, noticed_on, it.by, it.now, warned=warned
        )
        return back(it, "approval", f"approval_{row.id}")

    return await act_on(request, "approval", act, show_duties)


async def choose_appeal(request: web.Request) -> web.Response:
    step_id, choice = number_in_path(request, "id"), await field(request, "choice")

    async def act(it: Act) -> str:
        if choice == "in_force":
            await approvals.in_force(it.session, it.case, step_id, it.by, it.now)
        else:
            await approvals.choose(it.session, it.case, step_id, choice, it.by, it.now)
        return back(it, "appeal", f"approval_{step_id}")

    return await act_on(request, f"approval_{step_id}", act, show_duties)


async def begin_aftercare(request: web.Request) -> web.Response:
    on = await field(request, "over_on")

    async def act(it: Act) -> str:
        over_on = day(on, "Give the day on which it was over.")
        await approvals.begin_aftercare(it.session, it.contract, it.case, over_on, it.by, it.now)
        return back(it, "aftercare", "aftercare")

    return await act_on(request, "aftercare", act, show_duties)


async def give_aftercare(request: web.Request) -> web.Response:
    deadline_id = number_in_path(request, "id")

    async def act(it: Act) -> str:
        await approvals.aftercare_given(it.session, it.case, deadline_id, it.by, it.now)
        return back(it, "given", "aftercare")

    return await act_on(request, "aftercare", act, show_duties)
