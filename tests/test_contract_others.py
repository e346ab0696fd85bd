"""The four contracts besides Essex, against the words of their specifications. Each loads alone and
all five together.

What they must say is in tests/other_contracts.py, copied from the specifications by hand.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from helpline.contract import Contract, load_contracts
from helpline.rules import obligations, targets
from helpline.templating import Wording
from tests import folders
from tests.other_contracts import (
    AGES,
    BASES,
    CLOCKS,
    MEETING,
    OBLIGATIONS,
    POPULATIONS,
    REPORTS,
    TARGETS,
    TERMS,
)

OTHERS = ("lancashire", "national", "peterborough", "stoke")


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    """All of them in one installation, Essex too."""
    return load_contracts(folders.ALL)


def test_all_of_them_load_together_and_clash_nowhere(contracts: dict[str, Contract]) -> None:
    assert set(contracts) == {"essex", *OTHERS}


@pytest.mark.parametrize("name", OTHERS)
def test_each_loads_alone(name: str) -> None:
    assert list(load_contracts(folders.only(name))) == [name]


# --- clocks: what starts it, limit, unit, target, the sooner limit, and how far to trust it -------


@pytest.mark.parametrize(("number", "name", "code", "starts", "limit", "unit", "mark"), CLOCKS)
def test_promises(
    contracts: dict[str, Contract],
    number: str,
    name: str,
    code: str,
    starts: str,
    limit: float,
    unit: str,
    mark: str,
) -> None:
    clock = contracts[name].clock(code)
    assert (clock.starts, clock.limit, clock.unit, clock.mark) == (starts, limit, unit, mark), (
        number
    )


@pytest.mark.parametrize("name", OTHERS)
def test_no_time_of_a_promise_is_said_to_stand_in_a_specification_that_is_not_in_the_table(
    contracts: dict[str, Contract], name: str
) -> None:
    """A limit that is ours is marked so; one that is the specification's is in the table above."""
    checked = {code for _, contract, code, *_ in CLOCKS if contract == name}
    said = {clock.code for clock in contracts[name].clocks if clock.mark == "seed"}
    assert said <= checked


# --- term, year, age, denominators ----------------------------------------------------------------


@pytest.mark.parametrize(("number", "name", "start", "end", "extended", "month", "mark"), TERMS)
def test_terms(
    contracts: dict[str, Contract],
    number: str,
    name: str,
    start: date,
    end: date,
    extended: date | None,
    month: int,
    mark: str,
) -> None:
    contract = contracts[name]
    term = contract.term
    found = (term.start, term.end, term.extension_end, contract.year_starts_month, term.mark)
    assert found == (start, end, extended, month, mark), number


@pytest.mark.parametrize(("number", "name", "years"), AGES)
def test_age_limits(
    contracts: dict[str, Contract], number: str, name: str, years: int | None
) -> None:
    limit = contracts[name].age_limit
    assert (limit.years if limit else None) == years, number
    assert limit is None or not limit.includes_birthday  # D8


@pytest.mark.parametrize(("number", "name", "counts"), POPULATIONS)
def test_denominators(
    contracts: dict[str, Contract], number: str, name: str, counts: dict[str, int]
) -> None:
    found = contracts[name].populations
    assert {one.code: one.count for one in found} == counts, number
    # none of them is a count of a kind of user, so none may become a percentage of people (D9)
    assert not any(one.group for one in found)


# --- reports --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "name", "code", "every", "to", "due", "lines"), REPORTS)
def test_reports(
    contracts: dict[str, Contract],
    number: str,
    name: str,
    code: str,
    every: str,
    to: int,
    due: int | None,
    lines: int,
) -> None:
    report = contracts[name].report(code)
    found = (report.every, len(report.recipients), report.due_working_days, len(report.lines))
    assert found == (every, to, due, lines), number


@pytest.mark.parametrize("name", OTHERS)
def test_no_report_is_left_out_of_the_table(contracts: dict[str, Contract], name: str) -> None:
    checked = {code for _, contract, code, *_ in REPORTS if contract == name}
    assert {report.code for report in contracts[name].reports} == checked


@pytest.mark.parametrize(("code", "basis"), BASES)
def test_the_scorecards_bases(contracts: dict[str, Contract], code: str, basis: str) -> None:
    measure = contracts["peterborough"].measure(code)
    assert measure.basis == basis
    assert measure.mark == "seed"


def test_a_measure_without_a_basis_is_said_to_be_read_by_us(contracts: dict[str, Contract]) -> None:
    for code in ("order_carers", "matched_at_year_end", "home_and_back_6_months"):
        assert contracts["peterborough"].measure(code).mark == "derived"


@pytest.mark.parametrize(("number", "name", "code", "expected", "value", "words", "state"), TARGETS)
def test_targets(
    contracts: dict[str, Contract],
    number: str,
    name: str,
    code: str,
    expected: str,
    value: float | None,
    words: str | None,
    state: str,
) -> None:
    measure = contracts[name].measure(code)
    assert targets.expected(measure.target, measure.unit) == expected, number
    assert targets.state(measure.target, value, None, words) == state, number


# --- what is owed again and again, and the papers of those who do the work ------------------------


@pytest.mark.parametrize(
    ("number", "name", "code", "every", "amount", "unit", "since"), OBLIGATIONS
)
def test_obligations(
    contracts: dict[str, Contract],
    number: str,
    name: str,
    code: str,
    every: str,
    amount: int,
    unit: str,
    since: str | None,
) -> None:
    one = contracts[name].obligation(code)
    found = (one.every, one.amount, one.unit, one.counted_from)
    assert found == (every, amount, unit, since), number


# --- what each says besides -----------------------------------------------------------------------


def test_peterborough_s_72_hours_are_for_what_a_child_said(contracts: dict[str, Contract]) -> None:
    """P01, D19: the hours hold for allegations made by children; the outcome is owed as well."""
    peterborough = contracts["peterborough"]
    [council] = [one for one in peterborough.notices if one.code == "council"]
    assert set(council.only_alleged_by) == {"fostered_child", "not_told"}
    assert council.must_say == ("what was alleged", "what was done to keep the child safe")
    assert council.outcome_clock == "outcome_notice"
    [lado] = [one for one in peterborough.notices if one.code == "lado"]
    assert lado.only_alleged_by == ()  # P02, D5: always


def test_peterborough_s_placement_record_stretches_over_holidays(
    contracts: dict[str, Contract],
) -> None:
    """P14: 24 hours, and never more than 72."""
    sooner = contracts["peterborough"].clock("placement_change").or_sooner
    assert sooner is not None and (sooner.limit, sooner.unit) == (72, "elapsed_hours")


def test_peterborough_pays_30_pounds_for_24_hours_on_duty(contracts: dict[str, Contract]) -> None:
    rota = contracts["peterborough"].duty_rota  # P12
    assert rota is not None and (rota.fee_pounds, rota.fee_hours) == (30, 24)
    assert rota.busy and all(one.people > 1 for one in rota.busy)


def test_lancashire_aims_at_24_hours_before_48(contracts: dict[str, Contract]) -> None:
    """L01, D14: no indicator asks for it, and the quarterly return shows it all the same."""
    lancashire = contracts["lancashire"]
    clock = lancashire.clock("referral_response")
    assert clock.target == 24 and tuple(clock.only_kinds) == ("referral",)
    assert "referral" not in lancashire.clock("first_response").only_kinds
    assert lancashire.clock("referral_emergency").only_urgency == ("urgent", "emergency")  # L02
    [shown] = [one for one in lancashire.report("quarter").lines if one.code == "referrals"]
    assert "referral_response.met" in shown.measures


def test_lancashire_s_return_is_due_before_the_meeting(contracts: dict[str, Contract]) -> None:
    """L08: 10 working days; Monday 25 May 2026 is a bank holiday."""
    lancashire = contracts["lancashire"]
    assert lancashire.report("quarter").meeting == MEETING
    rule = lancashire.obligation("quarterly_report").rule
    owed = obligations.owed_for(rule, lancashire.days, date(2026, 6, 3))
    assert (owed.due_on, owed.is_certain) == (date(2026, 5, 19), True)


def test_lancashire_s_plan_is_due_in_the_years_last_quarter(contracts: dict[str, Contract]) -> None:
    """L13: the contract's year begins in July."""
    lancashire = contracts["lancashire"]
    rule = lancashire.obligation("improvement_plan").rule
    [owed] = obligations.owed_between(
        rule, lancashire.days, lancashire.year_starts_month, date(2026, 1, 1), date(2026, 12, 31)
    )
    assert owed.due_on == date(2026, 6, 30)


def test_lancashire_asks_for_four_texts_and_ten_outcomes(contracts: dict[str, Contract]) -> None:
    """L10, L11: what is written and not counted has a line that asks for it."""
    lancashire = contracts["lancashire"]
    lines = {one.code: one for one in lancashire.report("quarter").lines}
    for code in ("improvement", "efficiency", "voice", "partnership"):
        assert lines[code].asks and lines[code].seed
    outcomes = [one for code, one in lines.items() if code.startswith("outcome_")]
    named = lancashire.named_outcomes
    assert [one.seed for one in outcomes] == [one.words for one in named[:10]]
    [plan] = [one for one in lancashire.report("improvement_plan").lines if one.code == "plan"]
    assert plan.against == tuple(one.code for one in named[10:])
    assert [one.source for one in named[10:]] == ["8.2.1", "8.2.2", "8.2.3"]
    assert len(outcomes) == 10
    assert all("Inputs, outputs and outcome" in one.asks for one in outcomes)


def test_lancashire_s_people_and_their_papers(contracts: dict[str, Contract]) -> None:
    """L20: fortnightly supervision, an appraisal a year."""
    staff = contracts["lancashire"].staff
    assert staff is not None
    papers = {one.code: one for one in staff.papers}
    assert papers["supervision"].renew_days == 14
    assert papers["appraisal"].renew_months == 12


def test_stoke_is_closed_on_both_days_of_christmas(contracts: dict[str, Contract]) -> None:
    """K08, D13: 26 December 2026 is a Saturday and its bank holiday is Monday 28; both are closed,
    as is Friday 25. What came on Thursday at noon has 12 open hours left after midnight, and the
    only open day before Tuesday is Sunday 27."""
    stoke = contracts["stoke"]
    received = datetime(2026, 12, 24, 12, tzinfo=UTC)
    plan = stoke.plan(stoke.clock("first_response"), received)
    assert plan.due_at == datetime(2026, 12, 27, 12, tzinfo=UTC)
    assert stoke.days.is_closed(date(2026, 12, 26)) and stoke.days.is_closed(date(2026, 12, 28))
    assert not stoke.days.is_closed(date(2026, 12, 27))  # weekends are open


def test_stoke_reviews_seven_things(contracts: dict[str, Contract]) -> None:
    """K12: the same seven, monthly in the first year and every three months after it."""
    stoke = contracts["stoke"]
    month, quarter = stoke.report("review_month"), stoke.report("review_quarter")
    lines = tuple(one for one in quarter.lines if one.code != "so_far")  # ours, beside the seven
    assert month.lines == lines
    numbers = [one.title.partition(" ")[0] for one in lines]
    assert numbers == ["(i)", "(ii)", "(iii)", "(iv)", "(v)", "(vi)", "(vii)"]
    assert all(one.seed for one in lines)
    assert len(stoke.obligation("performance_review").agenda) == 7


def test_stoke_s_reviews_are_monthly_in_the_first_year_and_then_every_three_months(
    contracts: dict[str, Contract],
) -> None:
    """K12: the contract's first year is July 2018 to June 2019."""
    stoke = contracts["stoke"]
    last, first = date(2019, 6, 30), date(2019, 9, 30)
    for monthly in (stoke.obligation("performance_review_month"), stoke.report("review_month")):
        assert monthly.every == "month"
        assert monthly.owes(date(2018, 7, 31)) and monthly.owes(last) and not monthly.owes(first)
    for later in (stoke.obligation("performance_review"), stoke.report("review_quarter")):
        assert later.every == "quarter"
        assert later.owes(first) and not later.owes(last)


def test_nobody_is_called_what_they_are_not(contracts: dict[str, Contract]) -> None:
    """Children in a home are no carers, nor are their texts those of a carers' helpline."""
    say = Wording().say
    for key, contract in contracts.items():
        us, ours = contract.called.us, contract.called.ours
        texts = (
            say("membership.news", us=us, body="x", word="NONEWS"),
            say("feedback_ask", us=us),
            say("voice.greeting", us=us, signposts=""),
            say("email.frame", us=us, body="x", mark="m"),
        )
        assert all(us in text for text in texts)
        assert all("carer" not in text for text in texts) or key == "essex"
        assert ours in say("register.not_ours", ours=ours, signpost="x")


def test_stoke_counts_core_and_pilot_apart(contracts: dict[str, Contract]) -> None:
    """K22: two lines of service with progress of their own."""
    stoke = contracts["stoke"]
    assert stoke.measure("core.cases").where == {"carer_type": ("home_worker",)}
    assert stoke.measure("pilot.cases").where == {"carer_type": ("foster_carer",)}


def test_stoke_s_referral_asks_for_what_it_must(contracts: dict[str, Contract]) -> None:
    """K01, K02: the minimum, and the Strategic Manager's agreement."""
    referral = contracts["stoke"].referral
    assert referral is not None and referral.agreement_of == "the Strategic Manager"
    required = {one.code for one in referral.fields if one.required}
    assert required == {
        *("name", "address", "born", "gender", "ethnicity", "carer", "history"),
        *("referrer", "referrer_contact", "risks", "before"),
    }


def test_stoke_s_papers_stop_a_naming(contracts: dict[str, Contract]) -> None:
    """K18: level 2, a DBS check of three years, a qualification."""
    staff = contracts["stoke"].staff
    assert staff is not None
    papers = {one.code: one for one in staff.papers}
    assert papers["safeguarding"].least_level == 2
    assert papers["dbs"].renew_months == 36
    for code in ("qualification", "safeguarding", "dbs"):
        assert papers[code].stops == "missing"


def test_stoke_asks_everybody_twice_a_year(contracts: dict[str, Contract]) -> None:
    feedback = contracts["stoke"].feedback  # K11
    assert feedback is not None and feedback.ongoing_days <= 183


def test_the_model_contract_has_no_times_of_its_own(contracts: dict[str, Contract]) -> None:
    """Immediately, quickly, timely: every limit is the provider's or the law's, and says so."""
    national = contracts["national"]
    assert {clock.mark for clock in national.clocks} == {"derived", "from knowledge"}
    assert all(clock.source for clock in national.clocks)
    assert national.term.mark == "fictional" and national.term.verify


def test_the_model_contract_tells_both_authorities(contracts: dict[str, Contract]) -> None:
    """N02, N03: each is asked for, chased, and the last chasing goes to the director."""
    notices = {one.code: one for one in contracts["national"].notices}
    for code in ("placing_authority", "host_authority"):
        assert notices[code].asks_authority and notices[code].clock == "council_notice"
        assert (notices[code].answer_clock, notices[code].chases) == ("notice_answer", 3)


def test_the_model_contract_s_register_of_events(contracts: dict[str, Contract]) -> None:
    """N04, N05, N12, N17: told to the authorities, the child's view sought."""
    kinds = {one.code: one for one in contracts["national"].incidents}
    for code in ("restraint", "missing", "child_protection", "significant_event"):
        told = {one.code for one in kinds[code].notify}
        assert kinds[code].asks_child and {"placing_authority", "host_authority"} <= told


def test_one_provider_runs_all_five(contracts: dict[str, Contract]) -> None:
    assert len({one.provider_name for one in contracts.values()}) == 1
    numbers = [one.freephone.number for one in contracts.values() if one.freephone]
    assert len(set(numbers)) == len(contracts) == 5


@pytest.mark.parametrize("name", OTHERS)
def test_numbers_that_nobody_was_given_are_fictional(
    contracts: dict[str, Contract], name: str
) -> None:
    contract = contracts[name]
    assert contract.freephone is not None
    assert contract.freephone.mark == "fictional"
    assert contract.freephone.number.startswith("0808 157 0")
    for one in contract.signposts:
        assert (one.mark == "fictional") == one.contact.startswith("0808 157 0"), one.code


@pytest.mark.parametrize("name", OTHERS)
def test_what_a_specification_leaves_open_is_asked(
    contracts: dict[str, Contract], name: str
) -> None:
    asked = {one.code for one in contracts[name].open_questions}
    assert {"first_response", "report_days", "year", "small_numbers"} <= asked
