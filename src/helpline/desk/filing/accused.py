"""What an allegation leaves in the file of its case: what was told, notices owed and sent, police
interviews, cover, money, moves and how it ended, as others reported it. Data for reading.py."""

from typing import Final

from helpline.desk.filing.shapes import How, Kept, Shown

HOW: Final = {
    "telephone": "by telephone",
    "email": "by e-mail",
    "form": "by the authority’s own form",
    "letter": "by letter",
    "in_person": "in person",
    "meeting": "at a meeting",
    "by_others": "somebody else told them, and told us so",
    "read_here": "they opened the case themself",
}
_TRACK: Final = {
    "allegation": "an allegation",
    "standards": "a concern about standards of care",
    "complaint": "a complaint",
    "unknown": "not known yet",
}
_OUTCOME: Final = {
    "not_told_to_us": "they will not tell us",
    "not_yet_known": "not known yet",
    "withdrawn_by_referrer": "withdrawn by whoever referred it",
}
_DEFINITIONS: Final = {
    "kcsie": "Keeping Children Safe in Education",
    "fostering_network": "The Fostering Network",
    "not_said": "they did not say",
}

ALLEGED: Final = Kept(
    "allegation",
    "What was alleged, as it was told to us",
    "told_at",
    (
        Shown("person_id", "About", How.PERSON),
        Shown("track", "Handled as", How.CODE, _TRACK),
        Shown("types", "Said to be", How.CODES),
        Shown("made_by", "Made by", How.CODE),
        Shown("made_by_words", "Who made it, as told"),
        Shown("words", "What was alleged"),
        Shown("whose_words", "In whose words", How.CODE, {"ours": "our own, shortened"}),
        Shown("told_by", "Who told us"),
        Shown("told_to", "Whom of us they told"),
        Shown("aware_at", "We knew of it", How.TIME),
        Shown("ended_at", "Found to be a mistake of ours", How.TIME),
        Shown("ended_why", "Why"),
    ),
    "recorded_by_id",
    beside=(
        Kept(
            "allegation_track",
            "How it is handled",
            "said_at",
            (
                Shown("track", "As", How.CODE, _TRACK),
                Shown("said_by", "Who said so"),
                Shown("why", "Why"),
            ),
            "by_user_id",
            "allegation_id",
        ),
        Kept(
            "allegation_stage",
            "How far it is, as told to us",
            "set_at",
            (
                Shown("stage", "Stage", How.STAGE),
                Shown("state", "It stands", How.CODE),
                Shown("reached_on", "Reached", How.DAY),
                Shown("told_by", "Who told us"),
            ),
            "by_user_id",
            "allegation_id",
        ),
        Kept(
            "allegation_telling",
            "What they were told",
            "set_at",
            (
                Shown("item", "Question", How.QUESTION),
                Shown("state", "It stands", How.CODE, {"asked": "asked for, no answer yet"}),
                Shown("told_by", "By whom"),
                Shown("words", "What they were told"),
                Shown("told_on", "Told on", How.DAY),
            ),
            "by_user_id",
            "allegation_id",
        ),
        Kept(
            "allegation_tick",
            "Done in the first days",
            "done_at",
            (Shown("item", "What", How.TO_DO), Shown("undone_at", "Undone", How.TIME)),
            "by_user_id",
            "allegation_id",
        ),
        Kept(
            "allegation_request",
            "An authority asked us",
            "asked_at",
            (
                Shown("asked_by", "Who asked"),
                Shown("what", "For what"),
                Shown("due_at", "By when", How.TIME),
                Shown("answered_at", "Answered", How.TIME),
                Shown("given", "What it was given"),
            ),
            "by_user_id",
            "allegation_id",
        ),
        Kept(
            "allegation_meeting",
            "Meeting",
            "held_at",
            (
                Shown("kind", "Which", How.CODE, {"service": "the service with them"}),
                Shown("we_were_there", "We were there", How.YES_NO),
                Shown("who", "Who of us, or why nobody"),
                Shown("said", "What was said"),
            ),
            "by_user_id",
            "allegation_id",
        ),
    ),
)
OUTCOME: Final = Kept(
    "outcome_report",
    "How it ended, as reported to us",
    "recorded_at",
    (
        Shown("outcome", "Outcome", How.CODE, _OUTCOME),
        Shown("definitions", "Whose meaning of the word", How.CODE, _DEFINITIONS),
        Shown("ofsted", "For the yearly return", How.CODE),
        Shown("approval", "Approval", How.CODE),
        Shown("told_by", "Who told us"),
        Shown("told_on", "Told on", How.DAY),
        Shown("words", "In their words"),
    ),
    "recorded_by_id",
)
APPROVAL: Final = Kept(
    "approval_step",
    "Decision about approval, or resignation",
    "recorded_at",
    (
        Shown(
            "kind",
            "What",
            How.CODE,
            {
                "determination": "the service proposes to end or change the approval",
                "resignation": "they resigned in writing",
            },
        ),
        Shown("who", "Who"),
        Shown("noticed_on", "Written notice of", How.DAY),
        Shown("warned", "Told that a resignation cannot be taken back", How.YES),
        Shown("choice", "What they chose", How.CODE, {"irm": "the independent review"}),
        Shown("chosen_at", "Chosen", How.TIME),
    ),
    "recorded_by_id",
)
NOTICE: Final = Kept(
    "notice",
    "Notice",
    "begun_at",
    (
        Shown("kind", "What is owed", How.NOTICE),
        Shown("is_outcome", "The second word, how it ended", How.YES),
        Shown("recipient", "Which authority"),
        Shown("state", "It stands", How.CODE, {"owed": "owed, not sent yet"}),
        Shown("sent_at", "Sent", How.TIME),
        Shown("sent_by_id", "Sent by", How.USER),
        Shown("sent_how", "How", How.CODE, HOW),
        Shown("sent_to", "To whom"),
        Shown("words", "What was said"),
        Shown("settled_at", "Signed that it is not sent", How.TIME),
        Shown("settled_by_id", "Signed by", How.USER),
        Shown("why_not", "Why not"),
        Shown("answered_at", "Answered", How.TIME),
        Shown("answer", "The answer"),
    ),
    beside=(
        Kept(
            "notice_step",
            "Asked again",
            "done_at",
            (
                Shown("step", "Time", How.NUMBER),
                Shown("is_last", "Written to the director", How.YES),
                Shown("how", "How", How.CODE, HOW),
                Shown("words", "What was said"),
            ),
            "done_by_id",
            "notice_id",
        ),
    ),
)
INTERVIEW: Final = Kept(
    "police_interview",
    "Police interview",
    "recorded_at",
    (
        Shown("who", "Of whom"),
        Shown("kind", "What kind", How.CODE, {"voluntary": "voluntary, under caution"}),
        Shown("is_under_18", "Under 18", How.YES),
        Shown("at", "When", How.TIME),
        Shown("station", "Where"),
        Shown("officer", "Officer"),
        Shown("log_number", "Log number"),
        Shown("needs", "What they need there"),
        Shown("policy", "Policy"),
        Shown("solicitor", "Solicitor"),
        Shown("requested_at", "Solicitor asked", How.TIME),
        Shown("confirmed_at", "Solicitor confirmed", How.TIME),
        Shown("attended_at", "Said whether the solicitor was there", How.TIME),
        Shown("has_attended", "The solicitor was there", How.YES_NO),
        Shown("ended_at", "Called off", How.TIME),
    ),
    "recorded_by_id",
)
COVER: Final = (
    Kept(
        "expenses_claim",
        "Claim on the cover for legal expenses",
        "recorded_at",
        (
            Shown("who", "For whom"),
            Shown("proceeding", "Proceedings", How.CODE),
            Shown("insurer", "Insurer"),
            Shown("policy", "Policy"),
            Shown("state", "It stands", How.CODE, {"to_notify": "the insurer does not know yet"}),
            Shown("notified_at", "The insurer was told", How.TIME),
            Shown("answered_at", "The insurer answered", How.TIME),
            Shown("words", "What they said"),
            Shown("closed_at", "Closed", How.TIME),
        ),
        "recorded_by_id",
    ),
    Kept(
        "legal_hand_off",
        "Handed to the legal helpline",
        "at",
        (Shown("result", "What came of it", How.CODE, {"line_failed": "nobody answered there"}),),
        "by_user_id",
    ),
    Kept(
        "advice_given",
        "Advice that needs a qualification",
        "at",
        (
            Shown("support", "Advice", How.SUPPORT),
            Shown("needs", "Needs", How.CODE),
            Shown("partner_id", "Given by", How.PARTNER),
            Shown("user_id", "Given by", How.USER),
            Shown("who", "Given by"),
            Shown("qualification", "By what qualification"),
        ),
        "by_user_id",
    ),
)
COUNSELLING: Final = Kept(
    "counselling_offer",
    "Counselling offered",
    "at",
    (
        Shown("who", "To whom"),
        Shown("is_child", "A child", How.YES),
        Shown("state", "Their answer", How.CODE, {"offered": "none yet"}),
        Shown("checked_with", "Who said it does not touch a child's evidence"),
        Shown("checked_at", "They said so", How.TIME),
    ),
    "by_user_id",
)
MONEY: Final = Kept(
    "money_position",
    "Money",
    "at",
    (
        Shown("what", "What", How.CODE),
        Shown("state", "It stands", How.CODE, {"asked": "asked in writing, no answer yet"}),
        Shown("until", "Until", How.DAY),
        Shown("told_by", "Who told us"),
        Shown("words", "In their words"),
    ),
    "by_user_id",
)
MOVE: Final = Kept(
    "move_decision",
    "Whether a child stays or moves",
    "recorded_at",
    (
        Shown("child", "Child"),
        Shown("decision", "Decision", How.CODE),
        Shown("decided_by", "Decided by"),
        Shown("decided_on", "Decided on", How.DAY),
        Shown("nature", "What was alleged, and by whom"),
        Shown("about_child", "Age and circumstances"),
        Shown("wishes", "What the child wants"),
        Shown("risk_actions", "What was done about the risk"),
        Shown("lado_view", "What the designated officer thinks"),
        Shown("dissent", "Who disagrees, and why"),
        Shown("escalated_at", "The disagreement was taken up", How.TIME),
        Shown("escalation", "With whom, and what they said"),
    ),
    "recorded_by_id",
)
