"""Every act on a case takes the side of its people, unless it is in the short list of those that do
not. A new kind of event is in neither list here, and this test asks which it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import helpline
from helpline.desk.seeing import TAKES_NO_SIDE
from helpline.vocabulary import AttachmentState, DeadlineState

SOURCE = Path(helpline.__file__).parent
KIND = re.compile(r"^[a-z_]+\.[a-z_]+$")
WRITERS = {"record": "case_id", "line": "case_id", "on_case": ""}
"""Functions of desk/events.py; the argument by which one writes about a case, empty: always."""
SIDES = set(
    """
    advice.noted address.blocked address.block_extended address.linked address.unblocked
    aftercare.begun aftercare.given appeal.chosen approval.noticed
    allegation.answered allegation.asked allegation.done allegation.met allegation.moved
    allegation.moved_on allegation.recorded allegation.taken_back allegation.told allegation.undone
    allocation.accepted call.connected call.placed call.recorded
    case.closed case.happened case.reopened case.replied case.transferred
    claim.moved claim.opened comment.filed contact.moved_away contact.moved_here contact.taken_down
    disclosure.written
    conversation.split_off counselling.offered feedback.recorded interview.called_off
    interview.moved interview.recorded legal_line.handed_off library.given library.taken_up
    money.told move.escalated move.recorded note.written notice.answered notice.chased notice.sent
    notice.withheld outcome.reported partner.accepted partner.asked partner.chased partner.declined
    partner.ended_work partner.session
    page.sent person.safe_contact_set plan.ended plan.exit_agreed plan.exit_waived plan.goal_added
    plan.goal_settled plan.made plan.reviewed policies.handed promise.given promise.kept
    promise.withdrawn referral.written resignation.in_force silence.noticed silence.tried
    silence.with_lead solicitor.attended solicitor.confirmed solicitor.requested step.done
    step.unticked task.changed task.done task.dropped task.given
    """.split()
)
"""What somebody does for the people of a case, or about them."""
BY_NOBODY = set(
    """
    alert.asked alert.given_back alert.nobody alert.raised call.began call.broke call.ended
    call.message_left call.not_put_through call.recording_deleted_there case.may_be_out
    case.urgency_raised
    compliment.logged deadline.missed deadline.planned_again deadline.started feedback.answered
    feedback.asked item.set_aside page.contact_asked page.kept_back page.language_chosen page.left
    page.opened page.readers_shown message.arrived_another_way message.held_back
    message.not_delivered message.sent_another_way recording.deleted
    """.split()
)
"""What happens by itself, or is written by whoever writes to us."""
BY_NOBODY |= {f"attachment.{state}" for state in AttachmentState}
STATES = {
    "deadline.": [state for state in DeadlineState if state is not DeadlineState.OPEN],
    "attachment.": [*AttachmentState],
    "partner.": ["accepted", "declined"],
}
"""How a kind begins that a state ends."""


def test_each_kind_of_event_on_a_case_takes_a_side_or_does_not() -> None:
    written = set(kinds_on_cases())
    assert len(written) > 100  # the reading itself must not go blind
    unknown = written - SIDES - BY_NOBODY - set(TAKES_NO_SIDE)
    assert not unknown, f"do these take the side of the case's people? {sorted(unknown)}"
    assert not (SIDES | BY_NOBODY) & set(TAKES_NO_SIDE)


def kinds_on_cases() -> Iterator[str]:
    """The kinds that some module writes about a case: words in a call of a function of events, or
    of a function of the module that hands its argument on to one."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        functions = [
            n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        known = {"events"} if "events" in ast.dump(tree) else set()
        if not known:
            continue
        ours = {f.name for f in functions if any(_about_a_case(c) for c in _calls(f))}
        for call in _calls(tree):
            if _about_a_case(call) or _name(call) in ours:
                yield from _words(call)


def _about_a_case(call: ast.Call) -> bool:
    at = call.func
    if not (isinstance(at, ast.Attribute) and isinstance(at.value, ast.Name)):
        return False
    if at.value.id != "events" or at.attr not in WRITERS:
        return False
    needed = WRITERS[at.attr]
    return not needed or needed in [keyword.arg for keyword in call.keywords]


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", "")


def _begins(text: ast.JoinedStr) -> str:
    first = text.values[0]
    return str(first.value) if isinstance(first, ast.Constant) else ""


def _words(call: ast.Call) -> Iterator[str]:
    for part in [*call.args, *(keyword.value for keyword in call.keywords)]:
        for node in ast.walk(part):
            if isinstance(node, ast.JoinedStr) and (begins := _begins(node)).endswith("."):
                yield from (begins + state for state in STATES[begins])
            text = getattr(node, "value", "") if isinstance(node, ast.Constant) else ""
            if isinstance(text, str) and KIND.match(text):
                yield text
