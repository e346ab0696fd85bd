"""Who may do what, said once more and independently of the table."""

import pytest

from helpline.errors import NotAllowed
from helpline.rules.permissions import ALLOWED, Actor, may, require
from helpline.vocabulary import Role


def actor(role: Role, contract: str | None = None) -> Actor:
    return Actor(1, "somebody", role, contract)


def allowed(role: Role) -> set[str]:
    return {action for action in ALLOWED if may(actor(role), action)}


def test_a_commissioner_reads_reports_and_nothing_about_anybody() -> None:
    assert allowed(Role.COMMISSIONER) == {
        "report.read",
        "portal.read",
        "review.write",  # what is agreed at reviews, which names nobody
        "question.read",
        "question.ask",
        "question.write",
        "measure.propose",
        "session.own",
        "change.read",  # what was done about what people said, as far as somebody showed it
        "handed_on.read",
    }


def test_an_admin_sees_no_case() -> None:
    assert allowed(Role.ADMIN) == {
        "user.manage",
        "rota.read",
        "session.own",
        "block.manage",
        "running.manage",
        "user.ways",
        "paper.manage",
        "obligation.read",
        "obligation.write",
        "register.manage",
        "more.read",
        "report.supply",
        "report.template",
    }


def test_a_complaints_officer_sees_no_case_and_nobody_on_the_register() -> None:
    mine = allowed(Role.COMPLAINTS)
    assert not {name for name in mine if name.startswith(("case.", "people.", "search.", "note."))}
    assert {"complaint.read", "complaint.work", "complaint.log", "incident.read"} <= mine
    assert not {"register.manage", "tray.read", "pathway.write", "duty.write", "user.manage"} & mine


def test_a_safeguarding_lead_may_all_that_a_worker_may_and_puts_up_walls() -> None:
    assert allowed(Role.WORKER) < allowed(Role.SAFEGUARDING)
    assert {"case.link", "case.allocate_others"} <= allowed(Role.SAFEGUARDING)
    assert not {"report.exact", "rota.write", "user.manage"} & allowed(Role.SAFEGUARDING)


def test_a_lead_may_all_that_a_worker_may_and_some_things_more() -> None:
    more = {"case.allocate_others", "report.exact", "rota.write", "block.manage"}
    more |= {"running.manage", "promises.read", "user.ways"}
    more |= {"complaint.read", "complaint.work", "incident.work", "feedback.read", "feedback.work"}
    more |= {"partner.write", "paper.manage", "evidence.take_back", "obligation.write"}
    more |= {"register.manage", "eligibility.override", "case.link", "case.transfer"}
    more |= {"library.write", "gathering.manage", "news.send", "proof.send", "change.work"}
    more |= {"portal.read", "review.write", "question.read", "question.write", "measure.propose"}
    more |= {"overview.read", "triage.review", "report.prepare", "report.sign", "report.behind"}
    more |= {"report.supply", "report.template"}
    assert allowed(Role.LEAD) - allowed(Role.WORKER) == more
    assert allowed(Role.WORKER) < allowed(Role.LEAD)


def test_a_contract_of_ones_own_shuts_the_others() -> None:
    assert may(actor(Role.COMMISSIONER, "essex"), "report.read", "essex")
    assert not may(actor(Role.COMMISSIONER, "essex"), "report.read", "elsewhere")
    assert may(actor(Role.LEAD), "report.read", "elsewhere")


def test_an_action_nobody_listed_is_nobodys() -> None:
    assert not any(may(actor(role), "case.delete") for role in Role)


def test_the_refusal_says_whom_to_ask() -> None:
    with pytest.raises(NotAllowed, match="team lead"):
        require(actor(Role.ADMIN), "case.read", "essex")
