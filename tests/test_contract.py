"""The Essex contract against the words of its specification, its look-ups and its warnings.

Every figure below is copied from the specification by hand, never from the file under test.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from helpline.contract import Contract, load_contracts, warnings
from helpline.errors import InvalidInput
from helpline.vocabulary import NETWORK_HELP_WORDS, OPT_OUT_WORDS

FOLDER = Path(__file__).parents[1] / "contracts"
SOURCE = Path(__file__).parents[1] / "src" / "helpline"
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def essex() -> Contract:
    return load_contracts(FOLDER)["essex"]


# --- what the specification says ------------------------------------------------------------------


def test_the_term_and_its_extension(essex: Contract) -> None:
    assert essex.term.start == date(2017, 8, 1)
    assert essex.term.end == date(2022, 7, 31)
    assert essex.term.extension_end == date(2024, 7, 31)  # five years and up to two more
    assert essex.term.after_end == "warn"
    assert essex.year_starts_month == 8


@pytest.mark.parametrize(
    ("code", "count", "group"),
    [
        ("foster_carers", 822, "foster_carer"),
        ("supported_lodgings_carers", 37, "supported_lodgings_carer"),
        ("looked_after_children", 1021, None),
        ("young_people_in_fostering", 544, None),
        ("young_people_in_supported_lodgings", 45, None),
    ],
)
def test_table_1_of_2016(essex: Contract, code: str, count: int, group: str | None) -> None:
    [found] = [population for population in essex.populations if population.code == code]
    assert (found.count, found.group, found.as_of.year, found.quadrant) == (
        count,
        group,
        2016,
        None,
    )


def test_up_to_20_requests_a_year(essex: Contract) -> None:
    assert essex.capacity is not None
    assert essex.capacity.allegation_requests_a_year == 20


def test_point_22_9_is_cited_in_the_contracts_own_words(essex: Contract) -> None:
    assert essex.legal_basis is not None
    assert "22.9" in essex.legal_basis.cited
    assert "22.12" in essex.legal_basis.note
    assert essex.legal_basis.verify


def test_four_quadrants_and_their_districts(essex: Contract) -> None:
    assert {quadrant.code: set(quadrant.districts) for quadrant in essex.quadrants} == {
        "north": {"Colchester", "Tendring"},
        "mid": {"Braintree", "Chelmsford", "Maldon"},
        "south": {"Basildon", "Brentwood", "Castle Point", "Rochford"},
        "west": {"Epping Forest", "Harlow", "Uttlesford"},
    }
    assert all(quadrant.verify for quadrant in essex.quadrants)  # a working assumption


def test_five_fostering_teams_and_one_for_the_whole_county(essex: Contract) -> None:
    assert {team.code: essex.quadrant_of_team(team.code) for team in essex.teams} == {
        "colchester": "north",
        "tendring": "north",
        "mid": "mid",
        "south": "south",
        "west": "west",
        "art16": None,
    }
    [art] = [team for team in essex.teams if team.code == "art16"]
    assert art.groups == ("supported_lodgings_carer",)


def test_thurrock_southend_and_agencies_are_excluded_and_told_whom_to_ring(essex: Contract) -> None:
    assert {one.code for one in essex.exclusions} == {"thurrock", "southend", "not_in_house"}
    assert all(essex.signpost(one.signpost).contact for one in essex.exclusions)


def test_eligible_groups_and_what_they_count_as(essex: Contract) -> None:
    assert {group.code: group.counts_as for group in essex.groups} == {
        "foster_carer": "carer",
        "supported_lodgings_carer": "carer",
        "own_child": "family",
        "household_member": "family",
        "staying_put_carer": "other",
        "former_carer": "other",
        "professional": "professional",
        "unknown": "other",
    }


def test_covered_until_the_day_before_the_25th_birthday(essex: Contract) -> None:
    limit = essex.age_limit
    assert limit is not None and limit.years == 25
    assert limit.covers(date(2001, 11, 23), TODAY)
    assert not limit.covers(date(2001, 11, 22), TODAY)
    inclusive = limit.model_copy(update={"includes_birthday": True})
    assert inclusive.covers(date(2001, 11, 22), TODAY)
    assert not inclusive.covers(date(2001, 11, 21), TODAY)


def test_a_birthday_on_29_february_is_1_march_in_a_common_year(essex: Contract) -> None:
    limit = essex.age_limit
    assert limit is not None
    assert limit.covers(date(2000, 2, 29), date(2025, 2, 28))
    assert not limit.covers(date(2000, 2, 29), date(2025, 3, 1))
    four = limit.model_copy(update={"years": 24})
    assert not four.covers(date(2000, 2, 29), date(2024, 2, 29))


def test_the_list_of_issues(essex: Contract) -> None:
    assert {reason.code for reason in essex.reasons} == {
        *("allegation", "legal", "finance", "counselling", "abuse", "health", "placements"),
        *("training", "publications", "discounts", "networking", "recruitment", "membership"),
        *("complaint", "compliment", "other", "influencing"),
    }
    finance = [part.name for part in essex.reason("finance").parts]
    assert finance == [
        *("Benefits", "Income Tax and National Insurance", "Mortgages", "Pensions"),
        *("Accountancy", "Retirement planning"),
    ]


def test_the_two_kinds_of_abuse_are_counted_apart(essex: Contract) -> None:
    assert not essex.is_allegation("abuse", "abuse.fostering_abused_child")
    assert essex.is_allegation("abuse", "abuse.allegation_against_carer")
    assert essex.is_allegation("abuse.allegation_against_carer")
    assert essex.is_allegation("allegation")
    assert not essex.is_allegation("legal")
    assert essex.is_allegation("legal.solicitor_at_interview")


def test_the_legal_list(essex: Contract) -> None:
    assert {entitlement.code for entitlement in essex.entitlements} == {
        *("solicitor_at_interview", "legal_protection_insurance", "legal_helpline"),
        *("stress_counselling", "legal_expenses", "legal_protection_guarantee"),
        *("member_discounts", "counselling", "own_child_counselling"),  # A39, A20
    }
    by_code = {entitlement.code: entitlement.groups for entitlement in essex.entitlements}
    assert "household_member" in by_code["solicitor_at_interview"]
    assert "household_member" in by_code["legal_expenses"]


@pytest.mark.parametrize(
    "code",
    [
        *("legal_advice", "welfare_advice", "information", "advocacy", "befriending"),
        *("solicitor_at_interview", "legal_helpline", "stress_counselling", "counselling"),
        *("counselling_own_child", "mediation", "signposting", "allegation_worker"),
    ],
)
def test_support_that_may_be_given(essex: Contract, code: str) -> None:
    assert essex.support_type(code).name


def test_only_the_qualified_give_legal_and_medical_advice(essex: Contract) -> None:
    assert essex.support_type("legal_advice").needs == "legal"
    assert essex.support_type("medical_information").needs == "medical"
    assert essex.support_type("information").needs is None


def test_both_clocks_run_24_elapsed_hours_from_receipt(essex: Contract) -> None:
    for code, stops in (("first_response", "human_reply"), ("allocation", "allocation")):
        clock = essex.clock(code)
        assert (clock.starts, clock.stops, clock.unit) == ("receipt", stops, "elapsed_hours")
        assert (clock.limit, clock.warn_after_hours) == (24, (12, 20, 23))
        assert clock.within == "within 24 hours"


@pytest.mark.parametrize(
    ("channel", "method"),
    [
        *(("voice", "telephone"), ("email", "email"), ("webform", "website")),
        *(("webchat", "website"), ("sms", "text"), ("whatsapp", "whatsapp")),
        *(("telegram", "telegram"), ("face_to_face", "face_to_face"), ("letter", "letter")),
        *(("event", "event"), ("referral", "referral"), ("SMS", "text")),
        *(("simulator", "text"), ("simulator_voice", "telephone"), ("simulator:sms", "text")),
        *(("carrier_pigeon", "other"), ("", "other")),
    ],
)
def test_every_channel_is_counted_in_one_method(essex: Contract, channel: str, method: str) -> None:
    assert essex.method_for(channel) == method
    assert method in essex.allowed("method")


def test_reports_go_to_the_two_commissioners_by_role(essex: Contract) -> None:
    assert [role.name for role in essex.commissioners] == [
        "Head of Fostering and Adoption and External Placements",
        "Service Manager Fostering",
    ]
    for code in ("quarter", "annual"):
        report = essex.report(code)
        assert report.recipients == ("head_of_fostering", "service_manager_fostering")
        assert report.breakdown == ("quadrant", "carer_type")
        assert report.due_working_days == 10


def test_a_report_has_the_contracts_lines(essex: Contract) -> None:
    lines = {line.code: line for line in essex.report("quarter").lines}
    assert lines["carers_accessing"].groups == ("foster_carer", "supported_lodgings_carer")
    assert ("quadrant", "carer_type") in lines["carers_accessing"].by
    for dimension in ("method", "reason", "support"):
        assert (dimension,) in lines["carers_accessing"].by
    assert lines["everyone_accessing"].groups == ()
    assert {"feedback", "outcomes"} <= set(lines["feedback"].measures)
    assert lines["compliments_complaints"].measures == ("compliments", "complaints")
    assert {"first_response.met", "allocation.missed"} <= set(lines["response_times"].measures)


def test_the_evidence_the_papers_the_partner(essex: Contract) -> None:
    assert {
        *("promoting_recruitment", "networking_support", "users_influencing"),
        *("locality_partnership", "promoting_allegation_support", "user_satisfaction"),
    } <= set(essex.allowed("evidence"))
    assert len(essex.policies) == 7
    assert "Essex Foster Carers Association" in [partner.name for partner in essex.partners]
    assert essex.complaints is not None
    assert "Consumer Care Policy" in essex.complaints.commissioner_policy
    assert [level.code for level in essex.levels] == ["advice", "support", "involvement"]


def test_small_numbers_are_hidden_below_eight(essex: Contract) -> None:
    assert essex.disclosure.applies
    assert (essex.disclosure.threshold, essex.disclosure.secondary) == (8, True)


def test_the_first_answer_names_999_and_the_emergency_duty_service(essex: Contract) -> None:
    together = " ".join(essex.first_answer_lines())
    assert "999" in together
    assert "0345 606 1212" in together
    assert len(together) <= 160  # one text message, before anything else is said


def test_what_the_contract_leaves_open_is_said_to_be_open(essex: Contract) -> None:
    codes = {question.code for question in essex.open_questions}
    assert {"initial_response", "quarters", "report_due", "quadrant_populations"} <= codes


@pytest.mark.parametrize("word", sorted(OPT_OUT_WORDS | NETWORK_HELP_WORDS))
def test_no_menu_word_is_the_networks(essex: Contract, word: str) -> None:
    menu = " ".join(reason.menu or "" for reason in essex.reasons)
    assert word not in re.findall(r"[A-Z]+", menu.upper())


def test_the_menu_fits_one_digit_and_two_texts(essex: Contract) -> None:
    menu = [reason.menu or "" for reason in essex.menu()]
    assert 5 <= len(menu) <= 9
    assert len("\n".join(f"{i} {words}" for i, words in enumerate(menu, 1))) <= 300
    assert essex.menu()[-1].code == "other"


def test_the_old_duty_number_stands_nowhere() -> None:
    for path in filter(Path.is_file, FOLDER.rglob("*")):
        assert "08456061212" not in re.sub(r"\D", "", path.read_text(encoding="utf-8"))


def test_no_council_stands_in_the_code() -> None:
    code = [*(SOURCE / "contract").glob("*.py"), SOURCE / "rules" / "periods.py"]
    code.append(SOURCE / "rules" / "postcodes.py")
    for path in code:
        assert "essex" not in path.read_text(encoding="utf-8").lower(), path


# --- looking things up ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "written", "code"),
    [
        *(("group", "FC", "foster_carer"), ("group", "foster carer", "foster_carer")),
        *(("group", "Foster-Carer", "foster_carer"), ("group", "SL", "supported_lodgings_carer")),
        ("group", "supported lodgings provider", "supported_lodgings_carer"),
        ("group", "Supported Lodgings", "supported_lodgings_carer"),
        *(("method", "phone", "telephone"), ("method", "Telephone", "telephone")),
        *(("method", "freephone", "telephone"), ("method", "website", "website")),
        *(("method", "web form", "website"), ("method", "text", "text"), ("method", "SMS", "text")),
        *(("method", "voice", "telephone"), ("method", "E-Mail", "email")),
        *(("quadrant", "North Essex", "north"), ("quadrant", "north", "north")),
        *(("quadrant", "MID", "mid"), ("quadrant", "unknown", "unknown")),
        *(("team", "Colchester", "colchester"), ("team", "ART 16+", "art16")),
        *(("team", "Mid Essex", "mid"), ("team", "art 16", "art16")),
        *(("reason", "Mortgages", "finance"), ("part", "Mortgages", "finance.mortgages")),
        *(("reason", "finance.mortgages", "finance"), ("reason", "ALLEGATION", "allegation")),
        ("reason", "health & wellbeing", "health"),
        ("support", "Counselling (adult)", "counselling"),
        ("support", "EDS", "safeguarding_referral"),
        ("outcome", "support completed", "support_completed"),
        ("outcome", "Resolved", "support_completed"),
        *(("group", "astronaut", None), ("quadrant", "", None), ("reason", "—", None)),
    ],
)
def test_peoples_words_are_found(
    essex: Contract, kind: Any, written: str, code: str | None
) -> None:
    assert essex.find_word(kind, written) == code


def test_every_code_and_name_finds_itself(essex: Contract) -> None:
    for quadrant in essex.quadrants:
        assert essex.find_word("quadrant", quadrant.name) == quadrant.code
    for kind in ("reason", "part", "support", "method", "group", "outcome", "quadrant", "team"):
        for code in essex.allowed(kind):  # type: ignore[arg-type]  # a loop over the literals
            assert essex.find_word(kind, code.upper().replace("_", " ")) == code  # type: ignore[arg-type]  # as above


def test_an_unknown_code_is_answered_with_the_known_ones(essex: Contract) -> None:
    with pytest.raises(InvalidInput, match="first_response, allocation"):
        essex.clock("second_response")
    with pytest.raises(InvalidInput, match="quarter, annual"):
        essex.report("month")


def test_the_newest_count_not_later_than_the_day_is_the_denominator(essex: Contract) -> None:
    [old] = [p for p in essex.populations if p.code == "foster_carers"]
    newer = old.model_copy(update={"count": 900, "as_of": date(2026, 8, 1)})
    north = old.model_copy(update={"count": 210, "quadrant": "north"})
    contract = essex.model_copy(update={"populations": (newer, old, north)})

    def count(on: date, quadrant: str | None = None) -> int | None:
        found = contract.population("foster_carer", quadrant, on)
        return found and found.count

    assert count(date(2016, 12, 30)) is None
    assert count(date(2026, 7, 31)) == 822
    assert count(date(2026, 8, 1)) == 900
    assert count(TODAY, "north") == 210
    assert count(TODAY, "south") is None  # no number is made up
    assert essex.population("own_child", None, TODAY) is None


@pytest.mark.parametrize(
    ("postcode", "quadrant", "excluded"),
    [
        *(("CO1 1AA", "north", None), ("CM2 6AA", "mid", None), ("SS7 1AA", "south", None)),
        *(("CM20 1AA", "west", None), ("CM3 1AA", "mid", None), ("SS1 1AA", None, "southend")),
        *(("RM17 6AA", None, "thurrock"), ("IP1 1AA", None, None)),
    ],
)
def test_a_postcode_suggests_a_quadrant(
    essex: Contract, postcode: str, quadrant: str | None, excluded: str | None
) -> None:
    found = essex.suggest_quadrant(postcode)
    assert (found.quadrant, found.excluded) == (quadrant, excluded)
    assert found.outside == (quadrant is None and excluded is None)


def test_mixed_postcodes_are_less_sure(essex: Contract) -> None:
    assert essex.suggest_quadrant("CM2 6AA").confidence == 1
    assert essex.suggest_quadrant("CM4 9AA").confidence == pytest.approx(250 / 438)


def test_the_table_of_postcodes_agrees_with_the_quadrants(essex: Contract) -> None:
    """The file's own quadrant column was worked out apart from the contract's list of districts."""
    lines = (FOLDER / "essex_outcodes.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(lines) == len(essex.outcodes) == 85
    for line in lines:
        district, _, _, _, quadrant, _ = line.split(",")
        found = essex.suggest_quadrant(district)
        side = found.quadrant or ("outside" if found.outside else "excluded")
        assert side == quadrant.lower(), district


def test_nothing_changes_after_loading(essex: Contract) -> None:
    with pytest.raises(ValidationError):
        essex.key = "other"  # type: ignore[misc]  # the point of the test


# --- what should be looked at ---------------------------------------------------------------------


def _warned(contract: Contract, on: date) -> dict[str, str]:
    return {warning.key: warning.reason for warning in warnings(contract, on)}


def test_a_contract_past_its_term_is_named(essex: Contract) -> None:
    assert "31 July 2024" in _warned(essex, TODAY)["term.end"]
    assert "extension may run to 31 July 2024" in _warned(essex, date(2023, 1, 1))["term.end"]
    assert "term.end" not in _warned(essex, date(2020, 1, 1))
    assert "1 August 2017" in _warned(essex, date(2017, 7, 31))["term.start"]


def test_counts_that_have_aged_are_named(essex: Contract) -> None:
    assert "31 December 2016" in _warned(essex, TODAY)["populations[0].as_of"]
    assert "populations[0].as_of" not in _warned(essex, date(2017, 12, 31))
    assert "future" in _warned(essex, date(2016, 1, 1))["populations[0].as_of"]


def test_signposts_nobody_verified_are_named(essex: Contract) -> None:
    place = {signpost.code: f"signposts[{i}]" for i, signpost in enumerate(essex.signposts)}
    warned = _warned(essex, TODAY)
    assert "Samaritans: not verified" in warned[place["samaritans"]]
    assert "fictional" in warned[place["legal_helpline"]]
    assert place["childline"] not in warned


def test_a_signpost_is_looked_at_again_after_90_days(essex: Contract) -> None:
    at = [signpost.code for signpost in essex.signposts].index("childline")
    place = f"signposts[{at}]"
    verified = essex.signpost("childline").last_verified
    assert verified is not None
    assert place not in _warned(essex, verified + timedelta(days=90))
    assert "look again" in _warned(essex, verified + timedelta(days=91))[place]
    assert "future" in _warned(essex, verified - timedelta(days=1))[place]


def test_what_is_from_knowledge_says_so(essex: Contract) -> None:
    for signpost in essex.signposts:
        assert signpost.mark in ("from knowledge", "fictional"), signpost.code


def test_ninety_days_before_the_bank_holidays_end_it_says_so(essex: Contract) -> None:
    def said(on: date) -> bool:
        return any("bank holidays are known only to" in one.reason for one in warnings(essex, on))

    assert not said(date(2028, 10, 1))
    assert said(date(2028, 10, 2)) and said(date(2030, 1, 1))
