"""Everything that can be asked of a helpline, in one table.

`make_app` is called by main and by the tests. A route without an `allow`, or with one nobody has
heard of, keeps the app from starting: access is denied unless this table grants it.
"""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from helpline.desk.evidence import LARGEST as LARGEST_PROOF
from helpline.desk.house import House
from helpline.desk.register import LARGEST_LIST
from helpline.rules.permissions import ALLOWED
from helpline.web import hooks, live, voice
from helpline.web.asked import HOUSE
from helpline.web.middleware import ALLOW, MIDDLEWARES, PUBLIC, SIGNED, Route, set_headers
from helpline.web.pacing import PACING, Pacing
from helpline.web.pages import (
    account,
    allocate,
    attachments,
    blocks,
    case,
    case_acts,
    case_drafts,
    case_people,
    case_plan,
    case_record,
    case_referrals,
    case_standing,
    chat,
    contact,
    demo,
    demo_calls,
    duties,
    duties_more,
    evidence,
    files,
    health,
    inbox,
    login,
    more,
    new_case,
    obligations,
    papers,
    partners,
    pathway,
    people,
    person,
    register,
    reports,
    rota,
    rota_passing,
    rota_plan,
    rota_shifts,
    running,
    safe_contact,
    search,
    telephone,
    tray,
    users,
)
from helpline.web.writing import TYPING, Typing

__all__ = ["HOUSE", "ROUTES", "Route", "make_app"]

ROUTES = (
    # providers
    Route("POST", "/hooks/sms", hooks.receive_sms, SIGNED),
    Route("POST", "/hooks/sms/status", hooks.receive_sms_status, SIGNED),
    Route("POST", "/hooks/telegram", hooks.receive_telegram, SIGNED),
    # a telephone line: each answers with what the line does next
    Route("POST", "/hooks/voice", voice.answer, SIGNED),
    Route("POST", "/hooks/voice/menu", voice.menu, SIGNED),
    Route("POST", "/hooks/voice/rung", voice.rung, SIGNED),
    Route("POST", "/hooks/voice/left", voice.left, SIGNED),
    Route("POST", "/hooks/voice/whisper", voice.whisper, SIGNED),
    Route("POST", "/hooks/voice/accept", voice.accept, SIGNED),
    Route("POST", "/hooks/voice/status", voice.status, SIGNED),
    Route("POST", "/hooks/voice/outward", voice.outward, SIGNED),
    Route("POST", "/hooks/voice/outward/ring", voice.outward_ring, SIGNED),
    Route("POST", "/hooks/voice/outward/them", voice.outward_them, SIGNED),
    Route("POST", "/hooks/voice/outward/taken", voice.outward_taken, SIGNED),
    Route("POST", "/hooks/voice/outward/rung", voice.outward_rung, SIGNED),
    Route("POST", "/hooks/voice/outward/status", voice.outward_status, SIGNED),
    Route("POST", "/hooks/voice/alert", voice.alert, SIGNED),
    Route("POST", "/hooks/voice/alert/key", voice.alert_key, SIGNED),
    Route("POST", "/hooks/voice/alert/status", voice.alert_status, SIGNED),
    # the helpline's own site: no account
    Route("GET", "/chat", chat.show_chat, PUBLIC),
    Route("POST", "/chat", chat.send, PUBLIC),
    Route("GET", "/chat/messages", chat.show_messages, PUBLIC),
    Route("GET", "/chat/socket", chat.follow, PUBLIC),
    Route("POST", "/chat/forgetting", chat.forget, PUBLIC),
    Route("GET", "/contact", contact.show_form, PUBLIC),
    Route("POST", "/contact", contact.send, PUBLIC),
    # in and out
    Route("GET", "/", login.start, PUBLIC),
    Route("GET", "/login", login.ask, PUBLIC),
    Route("POST", "/login", login.sign_in, PUBLIC),
    Route("POST", "/logout", login.sign_out, "session.own"),
    Route("GET", "/account", account.show_account, "session.own"),
    Route("POST", "/account/password", account.change_password, "session.own"),
    Route("POST", "/account/ways", account.move_way, "alert.acknowledge"),
    Route("POST", "/account/test", account.try_ways, "alert.acknowledge"),
    Route("POST", "/account/telegram", account.make_code, "alert.acknowledge"),
    Route("POST", "/account/sessions/{id}/end", account.end_session, "session.own"),
    # the work
    Route("GET", "/inbox", inbox.show_inbox, "case.read"),
    Route("GET", "/tray", tray.show_tray, "tray.read"),
    Route("POST", "/tray/{id}/clearance", tray.clear, "tray.clear"),
    Route("POST", "/tray/{id}/attempt", tray.try_again, "tray.clear"),
    Route("POST", "/alerts/{id}/acknowledgement", inbox.acknowledge, "alert.acknowledge"),
    Route("GET", "/cases/{reference}", case.show_case, "case.read"),
    Route("GET", "/attachments/{id}", attachments.download, "case.read"),
    Route("POST", "/cases/{reference}/replies", case_acts.reply, "case.reply"),
    Route("POST", "/cases/{reference}/typing", chat.worker_types, "case.reply"),
    Route("POST", "/cases/{reference}/allocation", case_acts.allocate, "case.allocate"),
    Route("POST", "/cases/{reference}/notes", case_acts.write_note, "note.write"),
    Route("POST", "/cases/{reference}/calls", case_acts.record_call, "case.call"),
    Route("POST", "/cases/{reference}/telephone", telephone.ring, "case.call"),
    Route("POST", "/cases/{reference}/reason", case_acts.set_reason, "case.triage"),
    Route("POST", "/cases/{reference}/urgency", case_acts.set_urgency, "case.triage"),
    Route("POST", "/cases/{reference}/closure", case_acts.close, "case.close"),
    Route("POST", "/cases/{reference}/reopening", case_acts.reopen, "case.reopen"),
    Route("POST", "/cases/{reference}/promises", case_acts.promise, "case.reply"),
    Route("POST", "/cases/{reference}/promises/{id}/end", case_acts.end_promise, "case.reply"),
    Route("POST", "/cases/{reference}/tasks/{id}/end", case_acts.finish_task, "task.finish"),
    Route("POST", "/cases/{reference}/acceptance", case_acts.accept, "case.allocate"),
    Route("POST", "/cases/{reference}/refusal", case_acts.decline, "case.allocate"),
    Route("POST", "/cases/{reference}/conflicts", case_acts.declare_conflict, "case.read"),
    Route(
        "POST",
        "/cases/{reference}/conflicts/{id}/end",
        case_acts.end_conflict,
        "case.allocate_others",
    ),
    Route("GET", "/cases/{reference}/plan", case_plan.show_plan, "case.read"),
    Route("POST", "/cases/{reference}/plan/tasks", case_plan.give_task, "task.give"),
    Route("POST", "/cases/{reference}/plan/tasks/{id}/end", case_plan.end_task, "task.finish"),
    Route("POST", "/cases/{reference}/plan/tasks/{id}/change", case_plan.change_task, "task.give"),
    Route("POST", "/cases/{reference}/plan/steps", case_plan.tick_step, "case.triage"),
    Route("POST", "/cases/{reference}/plan/steps/{id}/end", case_plan.untick_step, "case.triage"),
    Route("POST", "/cases/{reference}/plan/kind", case_plan.change_kind, "case.triage"),
    Route("POST", "/cases/{reference}/plan/agreement", case_plan.make_plan, "plan.write"),
    Route("POST", "/cases/{reference}/plan/goals", case_plan.add_goal, "plan.write"),
    Route("POST", "/cases/{reference}/plan/goals/{id}", case_plan.settle_goal, "plan.write"),
    Route("POST", "/cases/{reference}/plan/reviews", case_plan.review_plan, "plan.write"),
    Route("POST", "/cases/{reference}/plan/exit", case_plan.agree_exit, "plan.write"),
    Route("POST", "/cases/{reference}/plan/waiver", case_plan.let_close, "case.allocate_others"),
    Route("POST", "/cases/{reference}/plan/silence", case_plan.follow_silence, "case.reply"),
    Route("POST", "/cases/{reference}/plan/referral", case_plan.write_referral, "plan.write"),
    Route("POST", "/cases/{reference}/plan/transfer", case_plan.hand_over, "case.transfer"),
    Route("GET", "/allocate", allocate.show_board, "case.allocate_others"),
    Route("POST", "/allocate", allocate.name, "case.allocate_others"),
    Route("POST", "/allocate/undoing", allocate.undo, "case.allocate_others"),
    Route("GET", "/allocate/all", allocate.ask_all, "case.allocate_others"),
    Route("POST", "/allocate/all", allocate.name_all, "case.allocate_others"),
    Route("GET", "/people", people.ask, "people.read"),
    Route("POST", "/people", people.find, "people.read"),
    Route("GET", "/people/{id}", person.show_person, "people.read"),
    Route("POST", "/people/{id}/telegram", person.make_code, "case.reply"),
    Route("POST", "/people/{id}/merges", person.merge, "case.triage"),
    Route("POST", "/people/{id}/merges/{merge}/undoing", person.unmerge, "case.triage"),
    # the council's list, and who is within the contract
    Route("GET", "/register", register.show_register, "register.manage"),
    Route("POST", "/register", register.hand_in, "register.manage", file_bytes=LARGEST_LIST),
    Route("GET", "/register/{id}", register.show_list, "register.manage"),
    Route("POST", "/register/{id}/acceptance", register.accept, "register.manage"),
    Route("POST", "/register/{id}/end", register.throw_away, "register.manage"),
    Route("GET", "/cases/{reference}/standing", case_standing.show_standing, "case.read"),
    Route("POST", "/cases/{reference}/standing/facts", case_standing.note_facts, "case.triage"),
    Route(
        "POST",
        "/cases/{reference}/standing/override",
        case_standing.override,
        "eligibility.override",
    ),
    Route("POST", "/people/{id}/needs", person.add_need, "case.triage"),
    Route("POST", "/people/{id}/needs/{need}/end", person.end_need, "case.triage"),
    Route("POST", "/people/{id}/covers", person.add_cover, "case.triage"),
    Route("POST", "/people/{id}/covers/{cover}/end", person.end_cover, "case.triage"),
    Route("GET", "/new-case", new_case.ask, "case.reply"),
    Route("POST", "/new-case", new_case.take_down, "case.reply"),
    Route("POST", "/cases/{reference}/block", case_acts.block, "case.triage"),
    Route("GET", "/blocks", blocks.show_blocks, "block.manage"),
    Route("POST", "/blocks/{id}/end", blocks.lift, "block.manage"),
    Route("POST", "/blocks/{id}/extension", blocks.extend, "block.manage"),
    Route("GET", "/cases/{reference}/safety", safe_contact.ask, "case.reply"),
    Route("POST", "/cases/{reference}/safety", safe_contact.set_rules, "case.reply"),
    Route("GET", "/cases/{reference}/record", case_record.show_record, "case.read"),
    Route(
        "GET",
        "/cases/{reference}/record/chronology.pdf",
        case_record.print_chronology,
        "case.read",
    ),
    Route("GET", "/cases/{reference}/record/file.pdf", case_record.print_file, "case.read"),
    Route("POST", "/cases/{reference}/record/notes", case_record.write_note, "note.write"),
    Route("POST", "/cases/{reference}/record/comments", case_record.file_comment, "note.write"),
    Route("POST", "/cases/{reference}/drafts/{form}", case_drafts.save, "case.read"),
    Route("POST", "/cases/{reference}/drafts/{id}/end", case_drafts.throw_away, "case.read"),
    Route("GET", "/cases/{reference}/people", case_people.show_people, "case.read"),
    Route("POST", "/cases/{reference}/people/parts", case_people.add_part, "case.triage"),
    Route("POST", "/cases/{reference}/people/parts/{id}/end", case_people.end_part, "case.triage"),
    Route(
        "POST", "/cases/{reference}/people/parts/{id}/own-case", case_people.separate, "case.link"
    ),
    Route("POST", "/cases/{reference}/people/links", case_people.link, "case.triage"),
    Route("POST", "/cases/{reference}/people/links/{id}/end", case_people.end_link, "case.triage"),
    Route("GET", "/search", search.ask, "search.use"),
    Route("POST", "/search", search.find, "search.use"),
    # the allegation pathway
    Route("GET", "/cases/{reference}/pathway", pathway.show_pathway, "case.read"),
    Route("GET", "/cases/{reference}/pathway/list", pathway.show_list, "case.read"),
    Route("POST", "/cases/{reference}/pathway/sending", pathway.send, "case.reply"),
    Route("POST", "/cases/{reference}/pathway/entries", pathway.record, "pathway.write"),
    Route("POST", "/cases/{reference}/pathway/{id}/track", pathway.move, "pathway.write"),
    Route("POST", "/cases/{reference}/pathway/{id}/stages", pathway.set_stage, "pathway.write"),
    Route("POST", "/cases/{reference}/pathway/{id}/told", pathway.set_told, "pathway.write"),
    Route("POST", "/cases/{reference}/pathway/{id}/ticks", pathway.tick, "pathway.write"),
    Route("POST", "/cases/{reference}/pathway/{id}/unticks", pathway.untick, "pathway.write"),
    Route("POST", "/cases/{reference}/pathway/{id}/end", pathway.take_back, "pathway.write"),
    Route("POST", "/cases/{reference}/duties/notices", duties.pass_on, "duty.write"),
    Route("GET", "/cases/{reference}/duties", duties.show_duties, "case.read"),
    Route(
        "POST", "/cases/{reference}/duties/notices/{id}/sending", duties.send_notice, "duty.write"
    ),
    Route(
        "POST",
        "/cases/{reference}/duties/notices/{id}/withholding",
        duties.withhold_notice,
        "duty.write",
    ),
    Route(
        "POST", "/cases/{reference}/duties/notices/{id}/answer", duties.answer_notice, "duty.write"
    ),
    Route(
        "POST", "/cases/{reference}/duties/notices/{id}/steps", duties.chase_notice, "duty.write"
    ),
    Route("POST", "/cases/{reference}/duties/interviews", duties.record_interview, "duty.write"),
    Route(
        "POST",
        "/cases/{reference}/duties/interviews/{id}/time",
        duties.set_interview_time,
        "duty.write",
    ),
    Route(
        "POST",
        "/cases/{reference}/duties/interviews/{id}/solicitor",
        duties.move_solicitor,
        "duty.write",
    ),
    Route(
        "POST",
        "/cases/{reference}/duties/interviews/{id}/end",
        duties.call_off_interview,
        "duty.write",
    ),
    Route("POST", "/cases/{reference}/duties/claims", duties_more.open_claim, "duty.write"),
    Route(
        "POST", "/cases/{reference}/duties/claims/{id}/state", duties_more.move_claim, "duty.write"
    ),
    Route("POST", "/cases/{reference}/duties/legal-line", duties_more.hand_off, "duty.write"),
    Route(
        "POST",
        "/cases/{reference}/duties/counselling/{id}",
        duties_more.offer_counselling,
        "duty.write",
    ),
    Route("POST", "/cases/{reference}/duties/money", duties_more.set_money, "duty.write"),
    Route("POST", "/cases/{reference}/duties/moves", duties_more.record_move, "duty.write"),
    Route(
        "POST",
        "/cases/{reference}/duties/moves/{id}/escalation",
        duties_more.escalate_move,
        "duty.write",
    ),
    Route("POST", "/cases/{reference}/duties/outcomes", duties_more.report_outcome, "duty.write"),
    Route("POST", "/cases/{reference}/duties/approvals", duties_more.record_approval, "duty.write"),
    Route(
        "POST",
        "/cases/{reference}/duties/approvals/{id}/choice",
        duties_more.choose_appeal,
        "duty.write",
    ),
    Route("POST", "/cases/{reference}/duties/aftercare", duties_more.begin_aftercare, "duty.write"),
    Route(
        "POST",
        "/cases/{reference}/duties/aftercare/{id}/end",
        duties_more.give_aftercare,
        "duty.write",
    ),
    Route("GET", "/more", more.show_more, "more.read"),
    # who else helps
    Route("GET", "/partners", partners.show_partners, "partner.read"),
    Route("POST", "/partners", partners.add, "partner.write"),
    Route("POST", "/partners/found", partners.find, "partner.read"),
    Route("GET", "/partners/new", partners.ask_new, "partner.write"),
    Route("GET", "/partners/{id}", partners.show_partner, "partner.write"),
    Route("POST", "/partners/{id}", partners.change, "partner.write"),
    Route("POST", "/partners/{id}/verification", partners.verify, "partner.verify"),
    Route("POST", "/partners/{id}/end", partners.end, "partner.write"),
    Route("GET", "/cases/{reference}/partners", case_referrals.show_referrals, "case.read"),
    Route("POST", "/cases/{reference}/partners/referrals", case_referrals.ask, "referral.work"),
    Route(
        "POST",
        "/cases/{reference}/partners/referrals/{id}/answer",
        case_referrals.answer,
        "referral.work",
    ),
    Route(
        "POST",
        "/cases/{reference}/partners/referrals/{id}/chases",
        case_referrals.chase,
        "referral.work",
    ),
    Route(
        "POST",
        "/cases/{reference}/partners/referrals/{id}/sessions",
        case_referrals.note_session,
        "referral.work",
    ),
    Route(
        "POST",
        "/cases/{reference}/partners/referrals/{id}/end",
        case_referrals.end,
        "referral.work",
    ),
    # the papers of our own people, what can be shown, and what is owed
    Route("GET", "/papers", papers.show_papers, "paper.manage"),
    Route("POST", "/papers", papers.add, "paper.manage"),
    Route("POST", "/papers/{id}/end", papers.take_back, "paper.manage"),
    Route("GET", "/evidence", evidence.show_evidence, "evidence.read"),
    Route("POST", "/evidence", evidence.write, "evidence.write", LARGEST_PROOF),
    Route("POST", "/evidence/{id}/files", evidence.add_file, "evidence.write", LARGEST_PROOF),
    Route("POST", "/evidence/{id}/withdrawal", evidence.take_back, "evidence.write"),
    Route("GET", "/evidence/files/{id}", evidence.download, "evidence.read"),
    Route("GET", "/obligations", obligations.show_obligations, "obligation.read"),
    Route("POST", "/obligations", obligations.add, "obligation.write"),
    Route("POST", "/obligations/{id}", obligations.give, "obligation.write"),
    Route(
        "POST",
        "/obligations/{id}/completion",
        obligations.settle,
        "obligation.read",
        LARGEST_PROOF,
    ),
    Route("POST", "/obligations/{id}/end", obligations.drop, "obligation.write"),
    Route("GET", "/obligations/files/{id}", evidence.download, "obligation.read"),
    # who is on call
    Route("GET", "/rota", rota.show_rota, "rota.read"),
    Route("GET", "/rota/sheet", rota.show_sheet, "rota.read"),
    Route("GET", "/rota/{secret:[A-Za-z0-9_-]{43}}.ics", rota.show_calendar, PUBLIC),
    Route("GET", "/rota/calendar", rota_plan.show_feed, "rota.own"),
    Route("POST", "/rota/calendar", rota_plan.make_feed, "rota.own"),
    Route("POST", "/rota/calendar/end", rota_plan.end_feed, "rota.own"),
    Route("GET", "/rota/new", rota_shifts.ask_new, "rota.write"),
    Route("POST", "/rota/shifts", rota_shifts.add, "rota.write"),
    Route("GET", "/rota/shifts/{id}", rota_shifts.show_shift, "rota.read"),
    Route("POST", "/rota/shifts/{id}", rota_shifts.change, "rota.write"),
    Route("POST", "/rota/shifts/{id}/end", rota_shifts.take_away, "rota.write"),
    Route("POST", "/rota/shifts/{id}/swaps", rota_shifts.ask_swap, "rota.own"),
    Route("POST", "/rota/swaps/{id}/agreement", rota_passing.agree, "rota.own"),
    Route("POST", "/rota/swaps/{id}/refusal", rota_passing.refuse, "rota.own"),
    Route("POST", "/rota/swaps/{id}/withdrawal", rota_passing.withdraw, "rota.own"),
    Route("GET", "/rota/patterns", rota_plan.show_patterns, "rota.write"),
    Route("POST", "/rota/patterns", rota_plan.add_pattern, "rota.write"),
    Route("POST", "/rota/patterns/{id}/end", rota_plan.end_pattern, "rota.write"),
    Route("GET", "/rota/absences", rota_plan.show_absences, "rota.own"),
    Route("POST", "/rota/absences", rota_plan.note_absence, "rota.own"),
    Route("POST", "/rota/absences/{id}/end", rota_plan.end_absence, "rota.own"),
    Route("GET", "/rota/people", rota_plan.show_people, "rota.write"),
    Route("POST", "/rota/people/{id}/skills", rota_plan.set_skills, "rota.write"),
    Route("GET", "/rota/handovers/{id}", rota_passing.show_handover, "rota.own"),
    Route("POST", "/rota/handovers/{id}/words", rota_passing.write, "rota.own"),
    Route("POST", "/rota/handovers/{id}/acknowledgement", rota_passing.acknowledge, "rota.own"),
    # live
    Route("GET", "/live/inbox", live.follow_inbox, "case.read"),
    Route("GET", "/live/cases/{reference}", live.follow_case, "case.read"),
    # those who pay
    Route("GET", "/portal", reports.show_portal, "portal.read"),
    Route("GET", "/reports", reports.show_reports, "report.read"),
    Route("GET", "/reports/{contract}/{label}", reports.show_report, "report.read"),
    # those who administer
    Route("GET", "/users", users.show_users, "user.ways"),
    Route("POST", "/users", users.add, "user.manage"),
    Route("POST", "/users/{id}/addresses", users.set_addresses, "user.ways"),
    Route("POST", "/users/{id}/ways", users.move_way, "user.ways"),
    Route("POST", "/users/{id}/password", users.set_password, "user.manage"),
    Route("POST", "/users/{id}/end", users.end_access, "user.manage"),
    Route("GET", "/running", running.show_running, "running.manage"),
    Route("POST", "/running/set-aside/{id}/attempt", running.try_again, "running.manage"),
    # machines
    Route("GET", "/healthz", health.lives, PUBLIC),
    Route("GET", "/readyz", health.works, PUBLIC),
    Route("GET", "/metrics", health.counters, PUBLIC),
    Route("GET", "/static/{name:.+}", files.send_file, PUBLIC),
    # the demo: 404 unless the house is one
    Route("GET", "/demo", demo.show_demo, PUBLIC),
    Route("GET", "/demo/phones", demo.show_phones, PUBLIC),
    Route("POST", "/demo/messages", demo.send_message, PUBLIC),
    Route("POST", "/demo/calls", demo_calls.act, PUBLIC),
    Route("POST", "/demo/clock", demo.move_clock, PUBLIC),
    Route("POST", "/demo/visits", demo.visit, PUBLIC),
    Route("GET", "/demo/live", demo.follow, PUBLIC),
)


def make_app(house: House, routes: Iterable[Route] = ROUTES) -> web.Application:
    """The application over a house that is ready. ValueError names a route nobody is allowed."""
    app = web.Application(middlewares=MIDDLEWARES)
    app[HOUSE] = house
    app[PACING], app[chat.SOCKETS] = Pacing(), chat.Sockets()
    app[TYPING] = Typing()
    app[chat.FILES_COMING_IN] = asyncio.Semaphore(chat.MOST_FILES_AT_ONCE)
    allow: dict[web.AbstractRoute, Route] = {}
    for route in routes:
        if route.allow not in (PUBLIC, SIGNED) and not ALLOWED.get(route.allow):
            raise ValueError(f"{route.method} {route.path} does not say who is allowed.")
        for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
            allow[app.router.add_route(method, route.path, route.page)] = route
    app[ALLOW] = allow
    app.on_response_prepare.append(set_headers)
    app.cleanup_ctx.append(live.listening)
    app.on_shutdown.append(live.end_all)
    app.on_shutdown.append(chat.end_all)
    return app
