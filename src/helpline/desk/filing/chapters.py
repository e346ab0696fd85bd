"""The chapters of a case's file in their order, and what is left out of it and why. A test holds
both against the models: a table that hangs on a case stands in one of them."""

from collections.abc import Iterator, Mapping
from typing import Final

from helpline.desk.filing import accused, support
from helpline.desk.filing.shapes import Chapter, Kept

CHAPTERS: Final = (
    Chapter("What was alleged", (accused.ALLEGED,)),
    Chapter("How it ended, and approval", (accused.OUTCOME, accused.APPROVAL)),
    Chapter("Notices owed and sent", (accused.NOTICE,)),
    Chapter("Police interviews", (accused.INTERVIEW,)),
    Chapter("Legal cover and advice", accused.COVER),
    Chapter("Counselling", (accused.COUNSELLING,)),
    Chapter("Money", (accused.MONEY,)),
    Chapter("Whether a child stays or moves", (accused.MOVE,)),
    Chapter("Asked of partners", (support.REFERRAL,)),
    Chapter("Plan, steps and how it ends", support.PLAN),
    Chapter("When nothing was heard", (support.SILENCE,)),
    Chapter("Incidents", (support.INCIDENT,)),
    Chapter("What was provided and given", support.GIVEN),
    Chapter("What they thanked us for", (support.THANKED,)),
    Chapter("Files", (support.ATTACHED,)),
    Chapter("What the case is, and whose work", support.COURSE),
    Chapter("Promises and tasks", support.DUE),
)

ELSEWHERE: Final[Mapping[str, str]] = {
    "contact": "messages, calls and automatic answers have chapters of their own",
    "note": "notes have a chapter for each of their kinds, corrections beside",
    "record_comment": "stands beside the note it is about, or before all of them",
    "event": "its turns are the course of the case; the others repeat a row that is here",
    "part": "whoever has a part stands on the first page",
    "case_link": "on the first page; of a wall only that there is another side",
}
"""In the file, read by desk/record."""

LEFT_OUT: Final[Mapping[str, str]] = {
    "alert": "how we made each other look; what was due stands among the promises",
    "breach_assessment": "the same judgement is the incident's entry, which is here",
    "broken_glass": "who of us opened it in an emergency: it stands with who read it",
    "call": "the line's own numbers of a call that stands among the calls",
    "case_word": "digests for the search, without a word that could be read",
    "complaint": "a register of its own, kept by somebody independent: whoever it is about must "
    "not read it, on paper neither",
    "conflict": "who of us must not know of the case: nothing about the person",
    "conversation": "where the automatic questions stand; what was said is here",
    "data_request": "what they asked of what we keep stands in its own register, with its answer",
    "disclosure": "whom else we told stands in a register of its own, beside the case",
    "draft": "half-written and seen by its writer alone",
    "feedback_ask": "what somebody said of us is read by those who do not work on the case",
    "legal_hold": "how long it is kept, and why: nothing that happened on the case",
    "out_message": "the way a message took; the message itself is here with how it went",
    "page_link": "digests of links to their own page: nothing that anybody could read",
    "restriction": "whom of us it is kept to: nothing about the person",
    "restriction_name": "whom of us it is kept to: nothing about the person",
    "retention_line": "that it was on a list of what has been kept long enough",
    "work_feedback": "what a lead said to a colleague of their work: not about the person",
    "triage_reading": "what a machine made of a message that is here; what followed from it is too",
}
"""Tables that hang on a case and are not in its file, and why."""

COLUMNS_LEFT_OUT: Final[Mapping[str, str]] = {
    "allocation.why": "a colleague's own reason for saying no",
    "attachment.content": "the file itself: it is handed out, and never printed",
    "attachment.key": "what the provider wants to hear to hand it over",
    "case_link.why": "stands on the first page",
}
"""Sealed columns of what is in the file that are not, and why."""


def all_kept() -> Iterator[Kept]:
    """Every kind of row, those beside others too."""
    for chapter in CHAPTERS:
        for kept in chapter.kept:
            yield kept
            yield from kept.beside
