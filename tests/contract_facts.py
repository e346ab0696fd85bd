"""What the list of requirements says of each contract's parameters (its table C, one block a row),
and what it numbers besides, copied by hand with the number of each.

A path is read from the contract: "term.end", "clocks.allocation.limit" (by code), "exclusions.*"
(all codes). Read by tests/test_contract_facts.py only; nothing here is from the files under test.
"""

from __future__ import annotations

from datetime import date
from typing import Any

E, P, L, S, N = "essex", "peterborough", "lancashire", "stoke", "national"
BOTH = ("head_of_fostering", "service_manager_fostering")
JGB, OMG = "joint_governance_board", "operational_management_group"

# number, contract, path, what the specification says
FACTS: list[tuple[str, str, str, Any]] = [
    # who uses it, and what they are called
    ("C A54-A57", E, "groups.foster_carer.counts_as", "carer"),
    ("C A55", E, "groups.supported_lodgings_carer.counts_as", "carer"),
    ("C A56", E, "groups.own_child.counts_as", "family"),
    ("C A57", E, "groups.professional.counts_as", "professional"),
    ("C", P, "groups.adopter.counts_as", "carer"),
    ("C", P, "groups.special_guardian.counts_as", "carer"),
    ("C K", S, "called.one", "care giver"),
    # term
    ("C A12", E, "term.start", date(2017, 8, 1)),
    ("C A12", E, "term.end", date(2022, 7, 31)),
    ("C A12", E, "term.extension_end", date(2024, 7, 31)),
    ("C", P, "term.mark", "derived"),  # no first day is given
    ("C", L, "term.start", date(2019, 7, 1)),
    ("C", S, "term.end", date(2021, 6, 30)),
    ("C", N, "term.mark", "fictional"),  # each call-off has its own
    # year
    ("C D10", E, "year_starts_month", 8),
    ("C P28", P, "year_starts_month", 4),
    ("C L13", L, "year_starts_month", 7),
    ("C K21", S, "year_starts_month", 4),
    # area
    ("A07", E, "quadrants.*", ("north", "mid", "south", "west")),
    ("A08 A10", E, "teams.*", ("colchester", "tendring", "mid", "south", "west", "art16")),
    ("A10", E, "teams.art16.quadrant", None),
    ("C", L, "quadrants.*", ("county", "ten_miles", "twenty_miles")),
    ("K09", S, "quadrants.*", ("city", "twenty_miles", "near")),
    ("K22", S, "teams.*", ("core", "pilot")),
    # complaints and compliments are broken down like everything else
    (
        "A61 A67",
        E,
        "own_measures.complaints.by",
        ("quadrant", "carer_type", "subject", "finding", "action"),
    ),
    ("A61 A67", E, "own_measures.compliments.by", ("quadrant", "carer_type", "praised")),
    # which outcomes of the council's plan a section is written against
    (
        "A17",
        E,
        "reports.quarter.lines.feedback.against",
        ("ecc_corporate_outcome_4", "carers_confident"),
    ),
    ("004 1.1", S, "reports.review_quarter.lines.core.against", ("core",)),
    ("004 1.1", S, "reports.review_month.lines.pilot.against", ("pilot",)),
    ("000", N, "reports.monitoring.lines.protected.against", ("protected",)),
    # who is called what, and to whom the fostering regulations do not apply (domain 0.11)
    ("A55", E, "groups.supported_lodgings_carer.called", "supported lodgings carer"),
    ("A10", E, "groups.supported_lodgings_carer.service", "Access to Resources Team"),
    ("A55", E, "groups.supported_lodgings_carer.fostering_law", False),
    ("A35", E, "groups.staying_put_carer.fostering_law", False),
    ("001 6.2", P, "groups.adopter.called", "adopter"),
    ("001", P, "groups.special_guardian.called", "special guardian"),
    ("002", L, "called.service", "provider of the home"),
    ("004 1.3", S, "groups.home_worker.called", "residential worker"),
    ("000", N, "called.service", "fostering agency"),
    # K02: the pilot's referrals are agreed first, those of the homes are not
    ("K02", S, "referral.agreement_of", "the Strategic Manager"),
    ("K02", S, "referral.agreement_for", ("foster_carer", "unknown")),
    # K21, 004 6.1: what the council owes and what is withheld
    ("004 6.1", S, "obligations.funding.on", "01-31"),
    ("004 6.1", S, "obligations.withheld_evidence.every", "year"),
    ("004 1.1", S, "obligations.pilot_evaluation.amount", 12),
    ("004 1.1", S, "obligations.pilot_mobilised.amount", 3),
    ("004 1.4.2", S, "populations.children_0_17.count", 56689),
    ("004 1.4.2", S, "populations.children_0_18.count", 59643),
    ("004 1.4.2", S, "populations.children_in_care.count", 697),
    ("004 1.4.2", S, "populations.unplanned_breakdowns.count", 153),
    # who is outside it
    ("A02 A09", E, "exclusions.*", ("southend", "thurrock", "not_in_house")),
    ("C", P, "exclusions.*", ("other_authority", "agency")),
    ("C", L, "exclusions.*", ("other_authority", "outside_block")),
    ("K04 K09", S, "exclusions.*", ("not_in_house", "too_far")),
    # ages
    ("A35 D8", E, "age_limit.years", 25),
    ("D8", E, "age_limit.includes_birthday", False),
    # capacity and law
    ("A06", E, "capacity.allegation_requests_a_year", 20),
    (
        "A03 D3",
        E,
        "legal_basis.cited",
        "point 22.9 of the Fostering Services National Minimum Standards 2011",
    ),
    # opening and closed days
    ("A49", E, "freephone.hours", "24 hours a day, every day"),
    ("C A50", E, "calendar.closed_on_holidays", False),
    ("C P11", P, "freephone.hours", "24 hours a day, every day"),
    ("C L03", L, "calendar.closed_on_holidays", False),
    ("C K08", S, "calendar.closed_on_holidays", True),
    ("K08 D13", S, "calendar.closed_each_year", ("12-25", "12-26")),
    # first response, allocation
    ("A50", E, "clocks.first_response.limit", 24),
    ("A50", E, "clocks.first_response.unit", "elapsed_hours"),
    ("A50 D1", E, "clocks.first_response.stops", "human_reply"),
    ("A51", E, "clocks.allocation.limit", 24),
    ("A51 D2", E, "clocks.allocation.starts", "receipt"),
    ("C P26", P, "clocks.enquiry_same_day.mark", "seed"),
    ("C", P, "clocks.first_response.mark", "derived"),  # none stated
    ("C L01", L, "clocks.referral_response.target", 24),
    ("C L01", L, "clocks.referral_response.limit", 48),
    ("C L02", L, "clocks.referral_emergency.limit", 1),
    ("L01", L, "clocks.referral_response.stops", "referral_answer"),
    ("L02", L, "clocks.referral_emergency.stops", "referral_answer"),
    ("L01", L, "referral.fields.assessment.ours", True),
    ("C", S, "clocks.first_response.mark", "derived"),
    ("C", S, "clocks.allocation.mark", "derived"),
    ("C", N, "clocks.first_response.mark", "derived"),
    # the council told of an allegation
    ("C", E, "clocks.council_notice.mark", "derived"),  # none stated
    ("C P01", P, "clocks.council_notice.limit", 72),
    ("C", L, "clocks.council_notice.mark", "derived"),
    ("C", S, "clocks.council_notice.mark", "derived"),
    ("C N02", N, "clocks.council_notice.unit", "at_once"),
    ("P09", P, "clocks.physical_intervention.unit", "first_working_day_after"),
    ("P06", P, "clocks.write_up.limit", 72),
    # reports, whose, when
    ("A59 A60", E, "reports.*", ("quarter", "annual")),
    ("A62", E, "reports.quarter.recipients", BOTH),
    ("A62", E, "reports.annual.recipients", BOTH),
    ("A61", E, "reports.quarter.breakdown", ("quadrant", "carer_type")),
    ("D11", E, "reports.quarter.mark", "derived"),  # the day is ours
    ("C P15", P, "reports.scorecard.recipients", ("commissioning_lead", OMG)),
    ("C P03", P, "reports.allegations.recipients", ("commissioning_lead", JGB)),
    ("C", P, "reports.scorecard.due_working_days", None),  # monthly, no day
    ("L08", L, "reports.quarter.due_working_days", 10),
    ("L08", L, "reports.quarter.meeting", "quarterly_performance_meeting"),
    ("C L08", L, "reports.quarter.recipients", ("access_to_resources", "performance_meeting")),
    ("C", S, "reports.review_month.due_working_days", None),
    ("K12", S, "reports.review_quarter.recipients", ("commissioners", "strategic_manager")),
    ("K10", S, "reports.complaints.every", "quarter"),
    # percentages of whom
    ("A05", E, "populations.foster_carers.count", 822),
    ("A05", E, "populations.supported_lodgings_carers.count", 37),
    # asked how they are
    ("C P19", P, "reports.feedback_themes.every", "half_year"),
    ("C K11", S, "reports.feedback.every", "half_year"),
    # complaints
    ("A77 A78", E, "complaints.told", ("on_joining", "on_request")),
    ("A78", E, "complaints.commissioner_policy", "Essex County Council Consumer Care Policy"),
    (
        "C P19",
        P,
        "complaints.stages.*",
        ("local", "investigation", "panel", "forwarding", "data"),
    ),
    # meetings, and who is over whom
    ("A74", E, "obligations.joint_review.every", "when_named"),  # no frequency
    ("P20", P, "obligations.joint_governance_board.every", "quarter"),
    ("P20", P, "obligations.strategic_management_board.every", "two_months"),
    ("001 glossary", P, "obligations.joint_agency_panel.every", "month"),
    ("002 1.7", L, "obligations.all_beds.amount", 12),
    # what comes round every week, and where it rests
    ("001 7", P, "obligations.access_to_support_panel.every", "week"),
    ("001 7", P, "obligations.access_to_support_panel.skips_last_of_month", True),
    ("P14", P, "obligations.weekend_check.every", "week"),
    ("P14", P, "obligations.weekend_check.anchor", "first_day"),
    ("P14", P, "obligations.weekend_check.rolls", True),
    ("L21", L, "obligations.attendance_data.every", "week"),
    ("L13", L, "obligations.quarterly_review.every", "quarter"),
    ("002 1.7", L, "populations.half_of_beds.count", 12),
    ("002 1.2.3", L, "populations.beds_of_a_lot.count", 8),
    ("001 15.1", P, "populations.agency_placements.count", 95),
    ("001 15.1", P, "populations.agency_placements.as_of", date(2016, 2, 29)),
    ("001 15.3.2", P, "obligations.care_numbers.amount", 1),
    ("001 6.1.4", P, "obligations.carers_transferred.amount", 6),
    ("001 6.1.8", P, "obligations.adopters_without_placement.amount", 12),
    ("P17", P, "obligations.information_request.mark", "from knowledge"),  # the Act's days
    ("001 10", P, "clocks.worker_after_ending.limit", 3),
    ("001 16.2.2", P, "clocks.record_correction.mark", "derived"),  # without delay
    ("002 9.4", L, "clocks.bank_account.limit", 6),
    ("001 7.1", P, "own_measures.health_assessments_in_time_percent.counts", "supplied"),
    ("001 5.1", P, "policies.nms.version", "2011"),
    ("001 5.1", P, "policies.adoption_nms.version", "2014"),
    # staff
    ("K18", S, "staff.papers.safeguarding.least_level", 2),
    ("K18", S, "staff.papers.dbs.renew_months", 36),
    ("L20", L, "staff.papers.supervision.renew_days", 14),
    # money
    ("P12", P, "duty_rota.fee_pounds", 30),
    # the papers by name
    ("A16", E, "policies.set_procedures.code", "set_procedures"),
    ("C", L, "policies.pan_lancashire.code", "pan_lancashire"),
    ("C", S, "policies.lado_process.code", "lado_process"),
    # small numbers
    ("D16", E, "disclosure.applies", True),
]

# A64–A67, A68–A73, and what the national lists must hold: number, contract, path, these among them
AMONG: list[tuple[str, str, str, set[str]]] = [
    ("A30 A34", E, "entitlements.*", {"solicitor_at_interview", "legal_expenses"}),
    ("A31 A32 A38", E, "entitlements.*", {"legal_protection_insurance", "legal_helpline"}),
    ("A37", E, "reasons.finance.parts.*", {"finance.benefits", "finance.tax", "finance.pensions"}),
    ("A39 A42", E, "reasons.*", {"counselling", "health", "placements"}),
    ("A43 A45", E, "reasons.*", {"training", "publications", "discounts"}),
    ("A46 A48", E, "reasons.*", {"recruitment", "networking", "influencing"}),
    ("A53", E, "methods.*", {"telephone", "email", "website", "face_to_face"}),
    ("A64", E, "reports.quarter.lines.*", {"carers_accessing", "everyone_accessing"}),
    ("A66 A67", E, "reports.quarter.lines.*", {"feedback", "compliments_complaints", "evidence"}),
    ("A68-A70", E, "evidence.*", {"promoting_recruitment", "networking_support"}),
    (
        "A70-A73",
        E,
        "evidence.*",
        {"users_influencing", "locality_partnership", "user_satisfaction"},
    ),
    ("A72 A74", E, "evidence.*", {"promoting_allegation_support", "joint_review", "improvement"}),
    ("A24 A25", E, "evidence.*", {"policy_influence", "national_promotion", "partner_activity"}),
    ("A21 A22", E, "evidence.*", {"proactive_service", "promoting_service"}),
    ("A20 A39", E, "entitlements.*", {"own_child_counselling", "counselling"}),
    ("A27", E, "staff.papers.*", {"qualification", "fostering"}),
    ("A12 A75", E, "obligations.*", {"extension", "template"}),
    ("A17", E, "named_outcomes.*", {"ecc_corporate_outcome_4", "carers_confident"}),
    ("A12 A31", E, "open_questions.*", {"extension_notice", "cover_amounts"}),
    ("P10", P, "incidents.*", {"missing"}),
    ("K03 K07", S, "happenings.*", {"referral_accepted", "disengaged", "camhs_open"}),
    ("O7 O19 P10", N, "happenings.*", {"new_placement", "restrained", "staying_put"}),
    # 004: its outcomes, its baseline, whom it works with, what it asks for and leaves open
    ("004 1.1 1.2", S, "named_outcomes.*", {"core", "pilot", "potential", "live_well"}),
    ("004 2.3", S, "outcomes.*", {"goals_reached", "coping", "education_kept", "risk_managed"}),
    ("004 1.1", S, "own_measures.*", {"external_residential", "homes_to_carers"}),
    ("004 1.4.2", S, "own_measures.*", {"out_of_city", "breakdowns_in_house", "sdq_17"}),
    ("004 1.4.2", S, "own_measures.*", {"stable_long_term", "three_placements", "with_agency"}),
    ("004 2.2.1", S, "own_measures.*", {"homes_assessed"}),
    ("004 3.1", S, "partners.*", {"social_care", "schools", "youth_offending", "camhs_tier_2"}),
    ("004 3.3 3.4", S, "evidence.*", {"social_value", "service_information"}),
    ("004 2.2.1 4.3", S, "evidence.*", {"home_assessment", "emergency_plan"}),
    ("004 1.4.1", S, "policies.*", {"working_together", "keeping_children_safe"}),
    ("004 2.3 4.2", S, "policies.*", {"information_sharing", "information_governance"}),
    ("004 4.1", S, "staff.papers.*", {"safer_recruitment", "qualification", "dbs"}),
    ("004 3.1 3.2", S, "obligations.*", {"communication", "subcontracting"}),
    ("004 4.1-4.3", S, "obligations.*", {"inspection", "self_assessment", "quality_assessment"}),
    ("004 4.3 5.2", S, "open_questions.*", {"safeguarding_renewal", "mobilisation"}),
    ("004 1.4.2", S, "reports.annual.lines.*", {"baseline"}),
    # 000, by its bullets
    ("O2 O7", N, "reasons.placements.parts.*", {"placements.respite", "placements.staying_put"}),
    ("O5 O16 P8", N, "reasons.*", {"education", "family_time", "behaviour"}),
    ("O8 P19 L21", N, "partners.*", {"health", "designated_officer", "fostering_panel"}),
    ("P3 P5 P15", N, "own_measures.*", {"risk_assessments_late", "no_return_interview"}),
    ("P15 L18", N, "own_measures.*", {"seen_alone_late", "supervision_late", "not_visited"}),
    ("O11 O17 O19", N, "own_measures.*", {"unplanned_endings", "assessment_weeks", "carers_left"}),
    ("O3 O5 L22", N, "own_measures.*", {"independent_advocates", "in_education"}),
    ("P11 P12", N, "incidents.*", {"police_called"}),
    ("L8-L10 L17", N, "evidence.*", {"training_evaluated", "staff_views", "community_risks"}),
    ("L22", N, "evidence.*", {"early_permanence_promoted"}),
    ("O10 L8 L17 L21", N, "obligations.*", {"panel_meeting", "team_meeting", "model_of_care"}),
    ("L18 L19", N, "obligations.*", {"early_review", "recruitment_trends"}),
    ("L18 P15", N, "open_questions.*", {"regularly", "enquiries"}),
    ("N04 N05 N12 N17", N, "incidents.*", {"missing", "restraint", "discrimination"}),
    ("001 18", P, "partners.*", {"advocacy", "virtual_school", "youth_offending", "mental_health"}),
    ("001 18", P, "partners.*", {"early_help", "special_needs", "schools", "housing", "health"}),
    ("001 18", P, "partners.*", {"supported_accommodation", "complaints_service"}),
    ("001 10", P, "entitlements.advocacy.groups", {"child_in_care"}),
    ("001 6.1.5", P, "entitlements.*", {"leisure", "translation", "independent_review"}),
    ("P11", P, "entitlements.*", {"support_day_and_night", "psychological_consultation"}),
    ("001 6.1.2 6.1.7", P, "named_outcomes.*", {"link_carers", "adopters_recruited"}),
    ("P04 P10 P12", P, "happenings.*", {"decision_delegated", "child_missing", "duty_placement"}),
    ("001 10.1 17", P, "happenings.*", {"nearly_fifteen", "return_home"}),
    ("P21", P, "happenings.*", {"practice_dispute", "practice_dispute_head"}),
    (
        "P21",
        P,
        "happenings.*",
        {"practice_dispute_assistant_director", "practice_dispute_director"},
    ),
    ("P25", P, "evidence.*", {"childrens_council", "celebration", "members_met", "peer_support"}),
    ("P20", P, "evidence.*", {"field_team_visit", "inspection_preparation"}),
    ("P25", P, "signposts.*", {"advocacy", "irm"}),
    ("P23", P, "policies.*", {"information_sharing", "caldicott", "care_planning"}),
    ("P19", P, "reports.annual.lines.*", {"learning", "developments"}),
    ("P21", P, "obligations.*", {"contract_dispute", "members_report"}),
    ("001 14.2 14.3", P, "staff.papers.*", {"whistleblowing", "missing_training"}),
    ("L05 5.1.11", L, "happenings.*", {"admission", "referral_assessed"}),
    ("002 2.2.6 5.9.5", L, "happenings.*", {"matching_error"}),
    ("L22", L, "support.*", {"telephone_support", "home_visited", "keyworker_kept"}),
    ("002 5.1.5", L, "outcomes.*", {"placement_elsewhere"}),
    ("002 3.1", L, "policies.*", {"rights_of_the_child", "care_standards", "equality"}),
    ("002 5.3.13 5.5.1", L, "policies.*", {"service_specification", "offences_protocol"}),
    ("L16 5.2.5", L, "incidents.*", {"rated_inadequate", "ofsted_rating", "provider_status"}),
    ("L18", L, "obligations.*", {"improvement_notice", "agreed_action", "rating_action_plan"}),
    ("L21", L, "obligations.*", {"attainment_data", "modified_timetable"}),
    ("002 6.3.6 5.5.3", L, "staff.papers.*", {"core_training", "restorative", "exploitation"}),
    ("002 4.2.2 7.1", L, "evidence.*", {"involved_in_design", "involved_in_plans", "social_value"}),
    # what a specification leaves open is asked, not made up
    ("001 7 12", P, "open_questions.*", {"panel_day", "regular_meetings", "weekend_check"}),
    ("001 15.3.2", P, "open_questions.*", {"care_numbers", "chair_timeframes", "mobilisation"}),
    ("002 8.4.2", L, "open_questions.*", {"review_meetings", "terms", "satisfaction"}),
    ("002 1.6 1.8", L, "open_questions.*", {"go_live", "under_occupancy", "placement_plan"}),
    ("D1 D2 D10 D11", E, "open_questions.*", {"initial_response", "allocation_start", "quarters"}),
    ("D3 D6 D9", E, "open_questions.*", {"standards_citation", "quadrant_populations"}),
    ("A75", E, "open_questions.*", {"reporting_template", "report_due"}),
    ("C P30", P, "open_questions.*", {"first_day", "extension", "targets", "basis", "households"}),
    ("D15", L, "open_questions.*", {"kpi6", "kpi7", "annual_returns", "outcome_measures"}),
    ("D12 K12", S, "open_questions.*", {"framework", "final_year", "satisfactory", "controller"}),
    ("B.4 C", N, "open_questions.*", {"times", "term", "authority", "targets", "denominators"}),
]

# P15: what section 16.2.3 asks every month of each part of the service, in its order
DETAIL: dict[str, str] = {
    "complaints_allegations": "complaints.received allegations.carers",
    "fostering_detail": """in_house in_house_percent agency agency_percent enquiries assessments
        households places places_new places_ended places_net new_households_minority_percent
        vacant_percent households_long_term households_short_term households_emergency
        households_family_and_friend households_parent_and_child households_remand
        households_short_break households_supported_lodgings siblings_together
        siblings_together_percent siblings_apart no_annual_review not_visited_6_weeks
        ended_at_carers_request ended_otherwise matched matched_percent stable_percent
        three_placements_percent medicals_with_questionnaire_percent took_part_in_review
        took_part_in_review_percent""",
    "panel_detail": """panel_new_households panel_reviews decisions_differ panel_matches private_now
        private_referrals private_in_time private_in_time_percent""",
    "adoption_detail": """adoption_enquiries adopters new_adopters_minority_percent families_matched
        families_placed adopted adopters_not_yet_approved adopters_waiting plan_changed waiting_all
        waiting_to_be_adopted waiting_over_18_months waiting_over_18_months_percent best_interests
        inter_agency matched_elsewhere hard_to_place_adopted hard_to_place_waiting disruptions
        panel_adopters panel_adoption_matches support_referrals support_waiting records_requests
        post_box no_life_story no_later_life_letter""",
    "guardianship_detail": """sgo_in_time_percent sgo_accepted_percent left_by_sgo_percent
        sgo_unplanned_endings sgo_support sgo_in_touch_percent home_and_back_6_months
        home_and_back_12_months""",
    "matched_detail": """served_now served_ended served_new visits_late visits_late_percent
        reviews_late reviews_late_percent no_health_assessment no_dental_check not_in_education
        education_off_target no_questionnaire no_social_worker""",
    "leavers_detail": """care_leavers staying_put pathway_plans pathway_plans_percent
        turnover_percent turnover_voluntary_percent turnover_not_voluntary_percent
        turnover_social_workers_percent turnover_social_workers_voluntary_percent
        turnover_social_workers_not_voluntary_percent turnover_support_workers_percent
        turnover_support_workers_voluntary_percent
        turnover_support_workers_not_voluntary_percent""",
}
