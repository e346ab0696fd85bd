"""Who is within a contract: decided by who approved them and when, never by where they live."""

from datetime import date
from typing import Any

import pytest

from helpline.rules.eligibility import SENTENCES, Facts, Held, decide
from helpline.rules.postcodes import UNREADABLE, Suggestion
from helpline.rules.quadrants import derive, lives_outside
from helpline.vocabulary import Eligibility, QuadrantSource

TODAY = date(2026, 11, 23)
HOLDS = (Held(date(2020, 1, 1), None),)
ENDED = (Held(date(2020, 1, 1), date(2026, 11, 22)),)
LATER = (Held(date(2026, 11, 24), None),)
CARER, FAMILY = {"counts_as": "carer"}, {"counts_as": "family"}
LIMITED = {"has_age_limit": True}
YOUNG, OLD = LIMITED | {"is_young_person_within": True}, LIMITED | {"is_young_person_within": False}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (CARER | {"held": HOLDS}, "in approved"),
        (CARER | {"held": (Held(None, None),)}, "in approved"),
        (CARER | {"held": (Held(TODAY, TODAY),)}, "in approved"),
        (CARER | {"held": LATER}, "unknown not_yet_approved"),
        (CARER, "unknown not_on_list"),
        (CARER | {"held": ENDED}, "out ended"),
        (CARER | {"held": ENDED} | LIMITED, "unknown young_person_age"),
        (
            CARER | {"held": ENDED} | YOUNG,
            "in young_person_covered",
        ),
        (
            CARER | {"held": ENDED} | OLD,
            "out young_person_over",
        ),
        # whoever is approved needs no young person of a certain age
        (CARER | {"held": HOLDS} | OLD, "in approved"),
        (CARER | {"excluded_by": "southend"}, "out southend"),
        (CARER | {"excluded_by": "southend", "held": ENDED}, "out southend"),
        # the council's own list knows better than what somebody was heard to say
        (CARER | {"excluded_by": "southend", "held": HOLDS}, "in approved"),
        (FAMILY, "unknown whose_family"),
        (FAMILY | {"household_is_approved": True}, "in family"),
        (FAMILY | {"held": HOLDS}, "in family"),
        (FAMILY | {"held": ENDED}, "unknown whose_family"),
        ({"counts_as": "other"} | LIMITED, "unknown young_person_age"),
        (
            {"counts_as": "other"} | YOUNG,
            "in young_person_covered",
        ),
        (
            {"counts_as": "other"} | OLD,
            "out young_person_over",
        ),
        ({"counts_as": "other"}, "unknown not_known"),
        ({"counts_as": "professional"}, "professional professional"),
        ({"counts_as": "professional", "excluded_by": "southend"}, "professional professional"),
        (CARER | {"held": HOLDS, "term_ended": True}, "out term_over"),
    ],
)
def test_each_set_of_facts_has_one_decision_with_its_reason(
    facts: dict[str, Any], said: str
) -> None:
    decided = decide(Facts(on=TODAY, **facts))
    assert f"{decided.eligibility} {decided.reason}" == said
    assert decided.reason in SENTENCES or decided.reason == facts["excluded_by"]


def test_nobody_is_out_for_want_of_an_answer() -> None:
    for counts_as in ("carer", "family", "other"):
        facts = Facts(on=TODAY, counts_as=counts_as, has_age_limit=counts_as != "family")
        assert decide(facts).eligibility is Eligibility.UNKNOWN


NORTH = Suggestion("north", "Colchester", 0.78)
SEA = Suggestion(None, "Southend", 0.97, excluded="southend")


def test_the_quadrant_is_said_by_the_list_then_the_team_then_the_home_then_the_person() -> None:
    everything: dict[str, Any] = {"of_team": "mid", "home": NORTH, "asked": "west"}
    assert derive(listed="south", **everything).source is QuadrantSource.LIST
    assert derive(listed="unknown", **everything).code == "mid"
    without_team = derive(home=NORTH, asked="west")
    assert (without_team.code, without_team.source, without_team.confidence) == (
        *("north", QuadrantSource.POSTCODE, 78),
    )
    assert derive(home=SEA, asked="west").source is QuadrantSource.ASKED
    assert (derive().code, derive().source) == ("unknown", QuadrantSource.UNKNOWN)


def test_living_outside_is_a_flag_and_silent_without_a_postcode() -> None:
    assert lives_outside(SEA) is True
    assert lives_outside(Suggestion(None, None, 1.0, outside=True)) is True
    assert lives_outside(NORTH) is False
    assert lives_outside(None) is None
    assert lives_outside(UNREADABLE) is None
