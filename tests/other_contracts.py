"""What the specifications of the four contracts besides Essex say, copied from them by hand, with
the number that the list of requirements gives each line (P01, L08, K06, N02; "C" is its table of
what differs, "B" its populations; P15, L18 and L20 of the national contract number its bullets).

Read by tests/test_contract_others.py only; it holds nothing that comes from the files under test.
"""

from __future__ import annotations

from datetime import date
from typing import Any

NEXT = "first_working_day_after"
CRITERION = "none: good is described in words"
POOR = "Requires improvement to be good or better"
FRAMEWORK = "framework not enclosed"
BOARD = "not agreed yet"
NAMED = "when_named"
MEETING = "quarterly_performance_meeting"

# number, contract, promise, what starts it, limit, unit, how far it is to be trusted
CLOCKS: list[tuple[Any, ...]] = [
    ("P01", "peterborough", "council_notice", "allegation", 72, "elapsed_hours", "seed"),
    ("P01", "peterborough", "outcome_notice", "outcome", 2, "working_days", "derived"),
    ("P02", "peterborough", "lado_notice", "allegation", 1, "working_days", "derived"),
    ("P06", "peterborough", "write_up", "happening", 72, "elapsed_hours", "seed"),
    ("P09", "peterborough", "physical_intervention", "incident", 1, NEXT, "seed"),
    ("P13", "peterborough", "placement_notice", "incident", 28, "calendar_days", "seed"),
    ("P14", "peterborough", "placement_change", "incident", 24, "open_hours", "seed"),
    ("P26", "peterborough", "enquiry_same_day", "receipt", 0, "calendar_days", "seed"),
    ("P27", "peterborough", "sgo_assessment", "referral", 16 * 7, "calendar_days", "seed"),
    ("P27", "peterborough", "initial_health_assessment", "incident", 20, "working_days", "seed"),
    ("P27", "peterborough", "conference_plan", "incident", 5, "working_days", "seed"),
    ("001 10", "peterborough", "worker_after_ending", "incident", 3, "calendar_months", "seed"),
    ("001 16.2.2", "peterborough", "record_correction", "incident", 1, NEXT, "derived"),
    ("C", "peterborough", "first_response", "receipt", 24, "elapsed_hours", "derived"),
    ("C", "peterborough", "allocation", "receipt", 24, "elapsed_hours", "derived"),
    ("L01", "lancashire", "referral_response", "receipt", 48, "elapsed_hours", "seed"),
    ("L02", "lancashire", "referral_emergency", "receipt", 1, "elapsed_hours", "seed"),
    ("L05", "lancashire", "council_papers", "incident", 3, "working_days", "seed"),
    ("L06", "lancashire", "care_planning_review", "incident", 72, "elapsed_hours", "seed"),
    ("L15", "lancashire", "planned_notice", "incident", 28, "calendar_days", "seed"),
    ("L15", "lancashire", "end_of_placement_report", "incident", 30, "calendar_days", "seed"),
    ("L16", "lancashire", "incident_at_once", "incident", 60, "at_once", "derived"),
    ("L21", "lancashire", "bed_sale_answer", "incident", 5, "working_days", "seed"),
    ("002 9.4", "lancashire", "bank_account", "incident", 6, "calendar_months", "seed"),
    ("C", "lancashire", "first_response", "receipt", 24, "elapsed_hours", "derived"),
    ("K08", "stoke", "first_response", "receipt", 24, "open_hours", "derived"),
    ("K08", "stoke", "allocation", "receipt", 24, "open_hours", "derived"),
    ("C", "stoke", "council_notice", "allegation", 72, "elapsed_hours", "derived"),
    ("C", "stoke", "lado_notice", "allegation", 1, "working_days", "derived"),
    ("N02", "national", "council_notice", "allegation", 60, "at_once", "derived"),
    ("N03", "national", "notice_answer", "notice_sent", 1, "working_days", "derived"),
    ("N07", "national", "partner_wait", "partner_asked", 14, "calendar_days", "derived"),
]  # fmt: skip

TERMS: list[tuple[Any, ...]] = [
    # number, contract, first day, last day, with every extension, first month of the year, mark
    ("C 10 years", "peterborough", date(2017, 4, 1), date(2027, 3, 31), None, 4, "derived"),
    (
        "C 2 + 3 years",
        "lancashire",
        date(2019, 7, 1),
        date(2021, 6, 30),
        date(2024, 6, 30),
        7,
        "seed",
    ),
    ("C 3 + 1 years", "stoke", date(2018, 7, 1), date(2021, 6, 30), date(2022, 6, 30), 4, "seed"),
    ("C per call-off", "national", date(2026, 4, 1), date(2030, 3, 31), None, 4, "fictional"),
]

# number, contract, years
AGES: list[tuple[str, str, int | None]] = [
    ("C", "peterborough", 18),
    ("L22", "lancashire", 21),
    ("K09", "stoke", 18),
    ("C", "national", None),
]

# number, contract, counts
POPULATIONS: list[tuple[str, str, dict[str, int]]] = [
    (
        "B.1",
        "peterborough",
        {
            "fostering_households": 140,
            "fostering_households_table": 47 + 24 + 52 + 18 + 3 + 1,
            "looked_after_children": 350,
            "child_protection_plans": 250,
            "children_in_need": 1_000,
            "children_0_17": 45_000,
            "residents": 188_000,
            "children_in_poverty": 12_000,
            "agency_placements": 95,
            "contract_care": 8,
            "placed_under_orders": 30,
        },
    ),
    (
        "B.2",
        "lancashire",
        {
            "block_beds": 24,
            "solo_beds": 3,
            "complex_beds": 9,
            "mainstream_beds": 12,
            "most_beds": 50,
            "half_of_beds": 24 // 2,
            "beds_of_a_lot": 1 + 3 + 4,
        },
    ),
    (
        "B.3",
        "stoke",
        {
            "children_in_care": 697,
            "with_stoke_carers": 194,
            "with_agency_carers": 196,
            "unplanned_breakdowns": 153,
            "small_group_homes": 10,
            "children_0_17": 56_689,
            "children_0_18": 59_643,
        },
    ),
    ("C", "national", {}),
]

REPORTS: list[tuple[Any, ...]] = [
    # number, contract, report, every, how many recipients, due in working days, lines
    ("P15", "peterborough", "scorecard", "month", 2, None, 5),
    ("P15", "peterborough", "monthly_detail", "month", 2, None, 12),
    ("P03", "peterborough", "allegations", "year", 2, None, 6),
    ("P18", "peterborough", "staff", "quarter", 2, None, 3),
    ("P15", "peterborough", "conferences", "quarter", 1, None, 3),
    ("P19", "peterborough", "feedback_themes", "half_year", 2, None, 5),
    ("P15", "peterborough", "annual", "year", 2, None, 4),
    # eight indicators, four subjects of text, ten outcomes, and what we add (the year so far too)
    ("L08", "lancashire", "quarter", "quarter", 2, 10, 20),
    ("L12", "lancashire", "regulation_44", "month", 1, None, 2),
    ("L13", "lancashire", "improvement_plan", "year", 1, None, 2),
    ("K12", "stoke", "review_month", "month", 2, None, 7),
    ("K12", "stoke", "review_quarter", "quarter", 2, None, 8),
    ("K10", "stoke", "complaints", "quarter", 1, None, 3),
    ("K11", "stoke", "feedback", "half_year", 1, None, 3),
    ("K21", "stoke", "annual", "year", 1, None, 4),
    ("N11", "national", "monitoring", "quarter", 2, None, 11),
    ("N01", "national", "allegations", "year", 2, None, 1),
]

# P15: the basis that section 16.2.3 gives each
BASES: list[tuple[str, str]] = [  # P15: the basis that section 16.2.3 gives each
    *[(code, "year_to_date") for code in ("complaints.received", "allegations.carers")],
    *[(code, "year_to_date") for code in ("ended_at_carers_request", "ended_otherwise")],
    *[(code, "year_to_date") for code in ("no_annual_review", "adopted", "places_net")],
    *[(code, "month_end") for code in ("not_visited_6_weeks", "households", "care_leavers")],
    *[(code, "month_end") for code in ("vacant_percent", "in_care_served", "no_social_worker")],
    *[(code, "rolling_12_months") for code in ("turnover_percent", "turnover_voluntary_percent")],
    ("turnover_not_voluntary_percent", "rolling_12_months"),
    ("conferences", "period"),
]

TARGETS: list[tuple[Any, ...]] = [
    # number, contract, measure, as people read it, a figure, words, what it is called
    ("P15", "peterborough", "allegations.carers", BOARD, 99, None, ""),
    ("L09", "lancashire", "kpi1", "at least 95%", 95, None, "good"),
    ("L09", "lancashire", "kpi1", "at least 95%", 94.9, None, "bad"),
    ("L09", "lancashire", "kpi2", "at least 95%", 95, None, "good"),
    ("L09", "lancashire", "kpi3", "at least 100%", 99, None, "bad"),
    ("L09", "lancashire", "kpi4", "Good or better", None, "Outstanding", "good"),
    ("L09", "lancashire", "kpi4", "Good or better", None, "Good", "good"),
    ("L09", "lancashire", "kpi4", "Good or better", None, "Requires improvement to be good", "bad"),
    ("L09", "lancashire", "kpi5", "at least 100%", 100, None, "good"),
    ("L09", "lancashire", "kpi6", "TBC", 1, None, ""),
    ("L09", "lancashire", "kpi7", "TBC", 100, None, ""),
    ("L09", "lancashire", "kpi8", "at least 100%", 99.9, None, "bad"),
    ("K12", "stoke", "waiting", FRAMEWORK, 40, None, ""),
    ("K12", "stoke", "core.cases", FRAMEWORK, 1, None, ""),
    ("N22", "national", "ofsted_rating", POOR, None, "Requires improvement to be good", "good"),
    ("N22", "national", "ofsted_rating", POOR, None, "Inadequate", "bad"),
    ("N12", "national", "incidents.restraint", CRITERION, 3, None, ""),
]  # fmt: skip

OBLIGATIONS: list[tuple[Any, ...]] = [
    # number, contract, obligation, every, amount, unit, counted from
    ("P20", "peterborough", "joint_governance_board", "quarter", 0, "calendar_days", None),
    ("P20", "peterborough", "strategic_management_board", "two_months", 0, "calendar_days", None),
    ("P20", "peterborough", "operational_management_group", "month", 0, "calendar_days", None),
    ("P20", "peterborough", "emergency_duty_review", "quarter", 0, "calendar_days", None),
    ("P14", "peterborough", "reconciliation", "month", 0, "calendar_days", None),
    ("P28", "peterborough", "open_book", "month", 0, "calendar_days", None),
    ("P28", "peterborough", "extra_funds", "when_named", -3, "months", None),
    ("P28", "peterborough", "development_plans", "when_named", 3, "months", None),
    ("P19", "peterborough", "thematic_audit", "quarter", 0, "calendar_days", None),
    ("P19", "peterborough", "feedback_report", "half_year", 0, "calendar_days", None),
    ("P18", "peterborough", "staff_report", "quarter", 0, "calendar_days", None),
    ("P03", "peterborough", "allegation_report", "year", 0, "calendar_days", None),
    ("001 7", "peterborough", "access_to_support_panel", "week", -1, "working_days", None),
    ("P14", "peterborough", "weekend_check", "week", 0, "calendar_days", None),
    ("P15", "peterborough", "conference_report", "quarter", 0, "calendar_days", None),
    ("P15", "peterborough", "annual_measures", "year", 0, "calendar_days", None),
    ("001 15.3.5", "peterborough", "annual_accounts", "year", 0, "calendar_days", None),
    ("001 6.1.6", "peterborough", "payment_statements", "year", 0, "calendar_days", None),
    ("001 9.4", "peterborough", "financial_assessments", "year", 0, "calendar_days", None),
    ("P19", "peterborough", "complaints_learning", "year", 0, "calendar_days", None),
    ("001 16.1", "peterborough", "members_report", NAMED, 0, "working_days", None),
    ("P25", "peterborough", "carers_committee", NAMED, 0, "working_days", None),
    ("001 16.2.3", "peterborough", "independent_chair_concern", NAMED, 0, "working_days", None),
    ("P05", "peterborough", "information_for_enquiry", NAMED, 0, "working_days", None),
    ("P17", "peterborough", "information_request", NAMED, 20, "working_days", None),
    ("001 15.3.2", "peterborough", "care_numbers", NAMED, 1, "months", None),
    ("001 6.1.4", "peterborough", "carers_transferred", NAMED, 6, "months", None),
    ("001 6.1.8", "peterborough", "adopters_without_placement", NAMED, 12, "months", None),
    ("P22", "peterborough", "contract_dispute", NAMED, 0, "working_days", None),
    ("L08", "lancashire", "quarterly_report", NAMED, -10, "working_days", MEETING),
    ("L12", "lancashire", "operational_meeting", "month", 0, "calendar_days", None),
    ("L12", "lancashire", "regulation_44", "month", 0, "calendar_days", None),
    ("L13", "lancashire", "improvement_plan", "year", 0, "calendar_days", None),
    ("L13", "lancashire", MEETING, NAMED, 0, "working_days", None),
    ("L17", "lancashire", "manager_absence", NAMED, -28, "calendar_days", None),
    ("L17", "lancashire", "closure_notice", NAMED, -3, "months", None),
    ("L19", "lancashire", "young_inspection_revisit", NAMED, 6, "months", "young_inspection"),
    ("L21", "lancashire", "therapy_report", "month", 0, "calendar_days", None),
    ("L23", "lancashire", "providers_meeting", "month", 0, "calendar_days", None),
    ("L13", "lancashire", "quarterly_review", "quarter", 0, "calendar_days", None),
    ("L21", "lancashire", "attendance_data", "week", -1, "working_days", None),
    ("L21", "lancashire", "attainment_data", NAMED, 0, "working_days", None),
    ("L21", "lancashire", "education_plan_review", "year", 0, "calendar_days", None),
    ("L16", "lancashire", "rating_action_plan", NAMED, 0, "working_days", None),
    ("L18", "lancashire", "improvement_notice", NAMED, 0, "working_days", None),
    ("L19", "lancashire", "young_inspection_plan", NAMED, 0, "working_days", None),
    ("L23", "lancashire", "board_report", NAMED, 0, "working_days", None),
    ("002 9.4", "lancashire", "holiday", "year", 0, "calendar_days", None),
    ("K12", "stoke", "performance_review_month", "month", 0, "calendar_days", None),
    ("K12", "stoke", "performance_review", "quarter", 0, "calendar_days", None),
    ("K12", "stoke", "extra_review", NAMED, 0, "working_days", None),
    ("K10", "stoke", "complaints_report", "quarter", 0, "calendar_days", None),
    ("K11", "stoke", "satisfaction", "half_year", 0, "calendar_days", None),
    ("K18", "stoke", "policies", "year", 0, "calendar_days", None),
    ("K21", "stoke", "invoice", "quarter", 0, "calendar_days", None),
    ("K21", "stoke", "withheld_evidence", "year", 0, "calendar_days", None),
    ("K22", "stoke", "pilot_mobilised", NAMED, 3, "months", None),
    ("P15", "national", "unannounced_visits", "year", 0, "calendar_days", None),
    ("L18", "national", "carer_reviews", "year", 0, "calendar_days", None),
    ("L20", "national", "development_standards", NAMED, 12, "months", None),
    ("L20", "national", "development_standards_family", NAMED, 18, "months", None),
]
