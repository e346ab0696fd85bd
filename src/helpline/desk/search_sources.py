"""The texts by which a case is found, and which are not looked at and why. A test holds both
against the models: every sealed column of what hangs on a case stands in one of them.

What is only ever added to is read by its id. All the rest is read when something has happened on
its case: whoever writes or changes a text there writes an event, as every act does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Row, Select, or_, select

from helpline.models import metadata


@dataclass(frozen=True)
class Source:
    """Columns of a table whose texts belong to a case. `through`: the column that points to the
    row they hang on; `link`: the column of the one or the other that points to the case."""

    name: str
    columns: tuple[str, ...]
    through: str = ""
    link: str = "case_id"
    is_private: bool = False
    """What was asked of a counsellor: only for who works on the case."""

    @property
    def mark(self) -> str:
        """Of what is read by its id: with other columns it is read from the beginning."""
        return self.name if len(self.columns) == 1 else f"{self.name}:{','.join(self.columns)}"

    def texts(self) -> Select[Any]:
        """`id`, `case_id` and the columns; of what is private who asked, and what it was. Ask for
        more by `on`."""
        table, on = metadata.tables[self.name], self.on
        query = select(
            table.c.id,
            on.c[self.link].label("case_id"),
            *(table.c[column] for column in self.columns),
        )
        if self.is_private:
            query = query.add_columns(on.c.kind.label("of_kind"), on.c.requested_by_id)
        if self.through:
            query = query.join(on, on.c.id == table.c[self.through])
        return query

    @property
    def on(self) -> FromClause:
        """The table that points to the case."""
        table = metadata.tables[self.name]
        if not self.through:
            return table
        (key,) = table.c[self.through].foreign_keys
        return key.column.table

    @property
    def has_text(self) -> ColumnElement[bool]:
        table = metadata.tables[self.name]
        return or_(*(table.c[column].is_not(None) for column in self.columns))

    def texts_of(self, row: Row[Any]) -> list[str]:
        found = [str(text) for column in self.columns if (text := getattr(row, column))]
        if self.name == "referral_form":
            return [str(said) for text in found for said in json.loads(text).values() if said]
        return found


BY_ID: Final = (
    Source("contact", ("body",)),
    Source("note", ("body", "reason", "whose")),
    Source("task", ("what",)),
    Source("record_comment", ("body", "who")),
    Source("attachment", ("name",)),
)
"""Many rows, never written anew."""
OF_ALLEGATION: Final = "allegation_id"
BY_EVENT: Final = (
    Source(
        "allegation",
        ("words", "made_by_words", "told_by", "told_to", "ended_why"),
    ),
    Source("allegation_track", ("said_by", "why"), OF_ALLEGATION),
    Source("allegation_stage", ("told_by",), OF_ALLEGATION),
    Source("allegation_telling", ("told_by", "words"), OF_ALLEGATION),
    Source("allegation_request", ("asked_by", "what", "given"), OF_ALLEGATION),
    Source("allegation_meeting", ("who", "said"), OF_ALLEGATION),
    Source("notice", ("words", "recipient", "sent_to", "why_not", "answer")),
    Source("notice_step", ("words",), "notice_id"),
    Source(
        "police_interview",
        ("who", "station", "officer", "log_number", "needs", "policy", "solicitor"),
    ),
    Source("expenses_claim", ("words", "who", "insurer", "policy")),
    Source("counselling_offer", ("who", "checked_with")),
    Source("money_position", ("words", "told_by")),
    Source(
        "move_decision",
        (
            *("nature", "about_child", "wishes", "risk_actions", "decided_by", "lado_view"),
            *("dissent", "escalation"),
        ),
    ),
    Source("outcome_report", ("words", "told_by")),
    Source("approval_step", ("who",)),
    Source("advice_given", ("who", "qualification")),
    Source("partner_referral", ("wanted", "answered_words", "ended_words"), is_private=True),
    Source("partner_chase", ("words",), "referral_id", is_private=True),
    Source("support_plan", ("agreed_with",)),
    Source("plan_goal", ("words",), "plan_id"),
    Source("plan_review", ("said", "with_whom"), "plan_id"),
    Source("case_exit", ("agreed", "agreed_with", "if_it_returns", "why_without")),
    Source("step_tick", ("why_not",)),
    Source("silence", ("agreed_next",)),
    Source("silence_step", ("words",), "silence_id"),
    Source("kind_change", ("why",)),
    Source("eligibility_decision", ("why",)),
    Source("deadline", ("what",)),
    Source("referral_form", ("fields",)),
    Source("transfer", ("why", "summary"), link="from_case_id"),
    Source("transfer", ("summary",), link="to_case_id"),
    Source("incident", ("what", "done")),
    Source("incident_entry", ("words",), "incident_id"),
    Source("incident_notice", ("whom", "not_needed"), "incident_id"),
)
"""Few rows a case, some of them written to later."""
WRITES_NOTHING: Final = (
    *("case.read", "case.replied", "note.written", "alert.asked", "attachment.read"),
)
"""Events after which no text has changed but what is read by its id."""
SOURCES: Final[Sequence[Source]] = (*BY_ID, *BY_EVENT)

NOT_SEARCHED: Final[Mapping[str, str]] = {
    "allocation.why": "a colleague's own reason for saying no to a case",
    "attachment.content": "bytes of a file: pictures and sound have no words",
    "attachment.key": "what the provider wants to hear to hand the file over",
    "booking.needs": "it stands with the event that it is for, and is changed there",
    "case_link.why": "it stands on both cases: it could tell one side of a wall about the other",
    "complaint.name": "a register of its own: whoever it is about must not come upon it",
    "complaint.reach": "a register of its own: whoever it is about must not come upon it",
    "complaint.wish": "a register of its own: whoever it is about must not come upon it",
    "complaint.words": "a register of its own: whoever it is about must not come upon it",
    "complaint_entry.words": "a register of its own: whoever it is about must not come upon it",
    "compliment.words": "a register of its own; what came as a message is found as one",
    "work_feedback.good": "between a lead and a worker: about the work, not the person",
    "work_feedback.to_try": "between a lead and a worker: about the work, not the person",
    "conflict.why": "why a colleague must not know of it: only their lead reads it",
    "conversation.letter_id": "the number of a letter, without words",
    "broken_glass.review": "what a lead made of an opening in an emergency, read on its own page",
    "broken_glass.why": "why a colleague opened it in an emergency, read on its own page",
    "breach_assessment.words": "the same words are the incident's entry, which is found",
    "data_request.words": "a register of its own: it is found by its person",
    "disclosure.what": "a register of its own, which the case's page of rights shows whole",
    "disclosure.whom": "a register of its own, which the case's page of rights shows whole",
    "draft.fields": "half-written, for its writer alone",
    "feedback_ask.comment": "what somebody said of us is not read by those who work on the case",
    "feedback_ask.quote": "what somebody said of us is not read by those who work on the case",
    "legal_hold.ended_why": "how long it is kept, and why: no part of the matter itself",
    "legal_hold.reason": "how long it is kept, and why: no part of the matter itself",
    "out_message.body": "the same words are the contact's",
    "out_message.recipient": "a number or address: people are found by theirs",
    "request_entry.words": "a register of its own: it is found by its person",
    "request_file.content": "a copy of the record itself, which is searched where it stands",
    "restriction.why": "why it is kept to few: found by those few, who have it before them",
    "retention_line.why": "how long it is kept, and why: no part of the matter itself",
    "triage_reading.why": "words of the message itself, which is found",
}
"""Sealed columns of what hangs on a case that no search reads, and why."""
