"""Who may do what, said once more and independently of the table."""

import pytest

from helpline.errors import NotAllowed
from helpline.rules.permissions import (
    ALLOWED,
    HOLDS,
    OPENED_BY_GLASS,
    Actor,
    Holds,
    Of,
    as_for,
    may,
    on,
    opened_for,
    require,
    undeclared,
)
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
        "factor.own",
        "change.read",  # what was done about what people said, as far as somebody showed it
        "handed_on.read",
    }


def test_an_admin_sees_no_case() -> None:
    assert allowed(Role.ADMIN) == {
        "user.manage",
        "rota.read",
        "settings.write",
        "session.own",
        "factor.own",
        "restore.release",
        "block.manage",
        "running.manage",
        "start.work",
        "audit.read",
        "user.ways",
        "paper.manage",
        "obligation.read",
        "obligation.write",
        "register.manage",
        "permissions.read",
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
    more |= {"running.manage", "promises.read", "user.ways", "start.work"}
    more |= {"audit.read", "reading.settle", "sample.write"}
    more |= {"complaint.read", "complaint.work", "incident.work", "feedback.read", "feedback.work"}
    more |= {"partner.write", "paper.manage", "evidence.take_back", "obligation.write"}
    more |= {"register.manage", "eligibility.override", "case.link", "case.transfer"}
    more |= {"library.write", "gathering.manage", "news.send", "proof.send", "change.work"}
    more |= {"portal.read", "review.write", "question.read", "question.write", "measure.propose"}
    more |= {"overview.read", "triage.review", "report.prepare", "report.sign", "report.behind"}
    more |= {"report.supply", "report.template", "case.restrict", "glass.review"}
    more |= {"permissions.read", "restore.release", "contract.export", "settings.write"}
    more |= {"right.work", "right.sign", "retention.work", "retention.approve", "agreement.write"}
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


def test_every_kind_of_thing_says_what_must_hold_of_it() -> None:
    assert set(HOLDS) == set(Of)
    assert {one for words in HOLDS.values() for one in words} == set(Holds)
    of_council = {of for of in Of if of not in (Of.OWN, Of.HOUSE)}
    assert all(Holds.CONTRACT in HOLDS[of] for of in of_council)


def test_a_case_asks_for_its_contract_and_that_nobody_is_shut_out_of_it() -> None:
    assert set(HOLDS[Of.CASE]) == {
        Holds.CONTRACT,
        Holds.NO_CONFLICT,
        Holds.NOT_THEMSELF,
        Holds.NO_WALL,
        Holds.NOT_RESTRICTED,
    }


def test_an_emergency_opens_walls_and_what_is_kept_to_few_and_nothing_else() -> None:
    assert {Holds.NO_WALL, Holds.NOT_RESTRICTED} == OPENED_BY_GLASS
    helping = {"case.read", "case.reply", "case.call", "note.write"}
    assert {name for name, line in ALLOWED.items() if line.by_glass} == helping
    assert all(line.of is Of.CASE for line in ALLOWED.values() if line.by_glass)


def test_what_is_open_in_an_emergency_is_so_for_helping_alone() -> None:
    sam = Actor(1, "Sam", Role.WORKER, None, frozenset({7}))
    assert opened_for(sam, "case.read") == {7}
    assert opened_for(sam, "case.close") == frozenset()
    assert opened_for(sam, "case.delete") == frozenset()
    assert as_for(sam, "note.write") is sam
    assert as_for(sam, "case.close").opened == frozenset()
    assert as_for(sam, "case.close").user_id == sam.user_id


def test_a_line_without_a_role_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALLOWED, "case.delete", on(Of.CASE, "delete a case"))
    assert not any(may(actor(role), "case.delete") for role in Role)


def test_every_line_says_in_words_what_it_lets_somebody_do() -> None:
    assert all(line.says and line.says == line.says.strip() for line in ALLOWED.values())


def test_a_command_without_a_line_is_named() -> None:
    assert undeclared(["serve", "user add"]) == []
    assert undeclared(["serve", "wipe everything"]) == ["wipe everything"]


def test_what_is_allowed_is_let_through_and_the_refusal_is_a_sentence() -> None:
    worker = Actor(1, "Wasim", Role.WORKER, "essex")
    require(worker, "case.read", "essex")
    for action, contract in (("case.read", "stoke"), ("user.manage", None), ("no.such", None)):
        with pytest.raises(NotAllowed, match="ask your team lead"):
            require(worker, action, contract)
