"""What support leaves in the file of its case: plans, partners, silence, who worked on it, what was
due, what was given. Data for reading.py."""

from typing import Final

from helpline.desk.filing.accused import HOW
from helpline.desk.filing.shapes import How, Kept, Shown

_REFERRAL: Final = {
    "requested": "asked, no answer yet",
    "accepted": "accepted, not seen yet",
    "seen": "being seen",
}
_ENDING: Final = {
    "completed": "finished as it should",
    "by_person": "the person did not want to go on",
    "by_partner": "the partner did not go on",
    "never_seen": "they were never seen",
    "not_needed": "it was not needed any more",
}
_CONSENT: Final = {
    "agreed": "the person agreed to be named",
    "by_parent": "whoever has parental responsibility agreed",
    "unnamed": "asked without saying who it is",
    "without": "told without asking: somebody may come to harm",
}

REFERRAL: Final = Kept(
    "partner_referral",
    "Asked of a partner",
    "requested_at",
    (
        Shown("person_id", "For", How.PERSON),
        Shown("partner_id", "Partner", How.PARTNER),
        Shown("signpost", "Partner", How.SIGNPOST),
        Shown("kind", "What they are", How.CODE, {"lado": "designated officer (LADO)"}),
        Shown("wanted", "What was asked"),
        Shown("consent", "Named", How.CODE, _CONSENT),
        Shown("consent_at", "They said so", How.TIME),
        Shown("state", "It stands", How.CODE, _REFERRAL),
        Shown("answered_at", "Answered", How.TIME),
        Shown("answered_words", "What they said"),
        Shown("first_seen_on", "First seen", How.DAY),
        Shown("ended_at", "Ended", How.TIME),
        Shown("ending", "How", How.CODE, _ENDING),
        Shown("ended_words", "What came of it"),
    ),
    "requested_by_id",
    is_private=True,
    beside=(
        Kept(
            "partner_session",
            "Appointment",
            "held_on",
            (Shown("minutes", "Minutes", How.NUMBER), Shown("came", "They came", How.YES_NO)),
            "by_user_id",
            "referral_id",
        ),
        Kept(
            "partner_chase",
            "Asked again",
            "at",
            (Shown("how", "How", How.CODE, HOW), Shown("words", "Whom, and what they said")),
            "by_user_id",
            "referral_id",
            is_private=True,
        ),
    ),
)
PLAN: Final = (
    Kept(
        "support_plan",
        "Plan",
        "made_at",
        (
            Shown("agreed_with", "Agreed with"),
            Shown("agreed_on", "Agreed on", How.DAY),
            Shown("envisaged_end", "Envisaged end", How.DAY),
            Shown("next_review_on", "To be looked at again on", How.DAY),
            Shown("ended_at", "Ended", How.TIME),
        ),
        "by_user_id",
        beside=(
            Kept(
                "plan_goal",
                "What they want",
                "set_at",
                (
                    Shown("words", "In their words"),
                    Shown("state", "It stands", How.CODE),
                    Shown("settled_at", "Since", How.TIME),
                ),
                "by_user_id",
                "plan_id",
            ),
            Kept(
                "plan_review",
                "Looked at again",
                "held_on",
                (
                    Shown("due_on", "It was due", How.DAY),
                    Shown("with_whom", "With whom"),
                    Shown("said", "What was said"),
                ),
                "by_user_id",
                "plan_id",
            ),
        ),
    ),
    Kept(
        "case_exit",
        "How support ends",
        "at",
        (
            Shown("agreed", "What was agreed"),
            Shown("agreed_with", "With whom"),
            Shown("if_it_returns", "If it comes back"),
            Shown("why_without", "Why it may close without"),
            Shown("void_at", "Opened again since", How.TIME),
        ),
        "by_user_id",
    ),
    Kept(
        "step_tick",
        "Step",
        "done_at",
        (
            Shown("step", "Which", How.STEP),
            Shown("why_not", "Not needed, because"),
            Shown("taken_back_at", "Taken back", How.TIME),
        ),
        "by_user_id",
    ),
)
SILENCE: Final = Kept(
    "silence",
    "Nothing was heard",
    "noticed_at",
    (
        Shown("since", "Last heard", How.TIME),
        Shown("told_lead_at", "A lead was told", How.TIME),
        Shown("heard_again", "They were heard again", How.YES_NO),
        Shown("ended_at", "Ended", How.TIME),
        Shown("agreed_next", "What comes next"),
    ),
    beside=(
        Kept(
            "silence_step",
            "Tried",
            "at",
            (
                Shown(
                    "step",
                    "How",
                    How.CODE,
                    {"again": "by the way they last used", "agreed": "what comes next was agreed"},
                ),
                Shown("words", "In words"),
            ),
            "by_user_id",
            "silence_id",
        ),
    ),
)
DUE: Final = (
    Kept(
        "deadline",
        "Promise",
        "started_at",
        (
            Shown("clock", "Which", How.CLOCK),
            Shown("what", "In words"),
            Shown("owner_id", "Whose word", How.USER),
            Shown("due_at", "Due", How.TIME),
            Shown("state", "It stands", How.CODE),
            Shown("met_at", "Kept", How.TIME),
            Shown("met_by_id", "Kept by", How.USER),
        ),
        unless={"starts": ("task", "review", "partner_asked")},
    ),
    Kept(
        "task",
        "Task",
        "created_at",
        (
            Shown("kind", "Which", How.CODE, {"given": "given by somebody", "step": "a step"}),
            Shown("what", "What"),
            Shown("owner_id", "Whose", How.USER),
            Shown("due_at", "Due", How.TIME),
            Shown("done_at", "Done, or not needed any more", How.TIME),
            Shown("done_by_id", "Done by", How.USER),
            Shown("dropped_at", "Not needed any more", How.TIME),
        ),
        "given_by_id",
    ),
)
COURSE: Final = (
    Kept(
        "kind_change",
        "Taken for another kind",
        "at",
        (
            Shown("before", "Until then", How.CODE),
            Shown("after", "From then", How.CODE),
            Shown("why", "Why"),
        ),
        "by_user_id",
    ),
    Kept(
        "eligibility_decision",
        "Whether it is within the contract",
        "at",
        (
            Shown("decision", "Decision", How.CODE, {"in": "within it", "out": "not within it"}),
            Shown("reason", "By which rule", How.CODE),
            Shown("why", "Why"),
        ),
        "by_user_id",
    ),
    Kept(
        "allocation",
        "Support worker named",
        "named_at",
        (
            Shown("worker_id", "Who", How.USER),
            Shown("accepted_at", "Accepted", How.TIME),
            Shown("declined_at", "Declined", How.TIME),
            Shown("ended_at", "Until", How.TIME),
        ),
        "named_by_id",
    ),
    Kept(
        "cover",
        "Somebody stood in",
        "begun_at",
        (
            Shown("worker_id", "Who", How.USER),
            Shown("for_id", "For whom", How.USER),
            Shown("ended_at", "Ended early", How.TIME),
        ),
        "begun_by_id",
    ),
    Kept(
        "transfer",
        "Taken over under another contract",
        "at",
        (
            Shown("to_contract", "Which", How.CONTRACT),
            Shown("why", "Why"),
            Shown("summary", "What it was told"),
            Shown("notes_handed", "Notes handed on", How.NUMBER),
        ),
        "by_user_id",
        "from_case_id",
    ),
    Kept(
        "transfer",
        "Came from another contract",
        "at",
        (Shown("from_contract", "Which", How.CONTRACT), Shown("summary", "What we were told")),
        "by_user_id",
        "to_case_id",
    ),
    Kept(
        "referral_form",
        "What whoever sent them told us",
        "first_at",
        (
            Shown("fields", "In their words", How.FIELDS),
            Shown("missing", "Fields still empty", How.NUMBER),
            Shown("changed_at", "Last filled in", How.TIME),
        ),
        "by_user_id",
    ),
)
GIVEN: Final = (
    Kept("case_support", "Support", "at", (Shown("support", "Which", How.SUPPORT),), "by_user_id"),
    Kept(
        "library_use",
        "From the library",
        "at",
        (
            Shown("version_id", "What", How.VERSION),
            Shown("how", "How", How.CODE, {"sent": "its words went with a reply"}),
            Shown("taken_up", "They took it up", How.CODE),
        ),
        "by_user_id",
    ),
    Kept(
        "policy_proof",
        "Policy",
        "at",
        (
            Shown("version_id", "Which", How.VERSION),
            Shown("why", "On what occasion", How.CODE, {"request": "they wanted to complain"}),
            Shown("how", "How", How.CODE),
        ),
        "by_user_id",
    ),
    Kept(
        "booking",
        "Place at an event",
        "booked_at",
        (
            Shown("gathering_id", "Which", How.GATHERING),
            Shown("person_id", "For", How.PERSON),
            Shown("state", "It stands", How.CODE),
            Shown("needs", "What they need there"),
        ),
        "by_user_id",
    ),
)
ATTACHED: Final = Kept(
    "attachment",
    "File that came with a message",
    "fetched_at",
    (
        Shown("name", "Name"),
        Shown("kind", "What it is"),
        Shown("size", "Bytes", How.NUMBER),
        Shown("state", "It stands", How.CODE, {"waiting": "not fetched yet"}),
    ),
)
THANKED: Final = Kept(
    "compliment",
    "They thanked us",
    "at",
    (
        Shown("giver", "Who", How.CODE),
        Shown("words", "In their words"),
        Shown("passed_on_at", "Passed on", How.TIME),
    ),
    "logged_by_id",
)
INCIDENT: Final = Kept(
    "incident",
    "Incident",
    "happened_at",
    (
        Shown("reference", "Reference"),
        Shown("kind", "What kind", How.INCIDENT),
        Shown("known_at", "We knew of it", How.TIME),
        Shown("what", "What happened"),
        Shown("done", "What was done at once"),
        Shown("child_view", "How the child sees it", How.CODE),
        Shown("reviewed_at", "Reviewed", How.TIME),
        Shown("closed_at", "Closed", How.TIME),
    ),
    "logged_by_id",
    beside=(
        Kept(
            "incident_notice",
            "Owed word of it",
            "due_at",
            (
                Shown("code", "Who", How.CODE),
                Shown("told_at", "Told", How.TIME),
                Shown("how", "How", How.CODE, HOW),
                Shown("whom", "Whom"),
                Shown("not_needed", "Not needed, because"),
            ),
            "by_user_id",
            "incident_id",
        ),
        Kept(
            "incident_entry",
            "Added later",
            "at",
            (Shown("kind", "What", How.CODE), Shown("words", "In words")),
            "by_user_id",
            "incident_id",
        ),
    ),
)
