"""Everything the page /duties shows of one case, and what of it comes next.

Read only. What is overdue or due stands in order of its time; what has no date yet and should not
be forgotten (money nobody asked about, somebody nobody offered counselling) stands after it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import allegations
from helpline.desk.duties import approvals, cover, interviews, moves, notices, outcomes, repeats
from helpline.models import (
    Allegation,
    Case,
    Deadline,
    ExpensesClaim,
    LegalHandOff,
    MoneyPosition,
    MoveDecision,
    OutcomeReport,
    PoliceInterview,
    User,
)
from helpline.rules.duties import (
    ApprovalKind,
    ClaimState,
    Earlier,
    InterviewKind,
    Money,
    MoneyState,
    NoticeState,
    Repeat,
    SolicitorStep,
    repeat_of,
)
from helpline.rules.permissions import Actor
from helpline.vocabulary import DeadlineState


@dataclass(frozen=True)
class Due:
    """Something to be done: `kind` says what (the template has its words), `name` about what."""

    kind: str
    name: str
    anchor: str
    """The id of its place on the page."""
    at: datetime | None = None
    is_now: bool = False
    """It has no time of its own and cannot wait."""


@dataclass(frozen=True)
class Agenda:
    allegations: Sequence[Allegation]
    notices: Sequence[notices.Shown]
    interviews: Sequence[PoliceInterview]
    shared: tuple[tuple[str, str], ...]
    claims: Sequence[ExpensesClaim]
    hand_offs: Sequence[LegalHandOff]
    household: Sequence[cover.Member]
    money: dict[str, MoneyPosition]
    moves: Sequence[MoveDecision]
    outcomes: Sequence[OutcomeReport]
    approvals: Sequence[approvals.Shown]
    aftercare: Sequence[Deadline]
    earlier: Sequence[Earlier]
    repeat: Repeat | None
    names: dict[int, str]
    """Who did something here: a user's id and name."""

    @property
    def dues(self) -> list[Due]:
        """What has a time, the earliest first; then what has none."""
        found = [*self._owed(), *self._solicitors(), *self._dates(), *self._undated()]
        dated = sorted(
            (one for one in found if one.at), key=lambda one: (one.at, one.kind == "interview_time")
        )
        return dated + [one for one in found if one.at is None]

    def _owed(self) -> Iterator[Due]:
        for one in self.notices:
            name = one.terms.name if one.terms else one.row.kind
            anchor = f"notice_{one.row.id}"
            if one.row.state == NoticeState.OWED and one.due_at:
                kind = "outcome_notice" if one.row.is_outcome else "notice"
                yield Due(kind, name, anchor, one.due_at)
            elif one.waiting and one.waiting[1]:
                kind = "director" if one.waiting[0].is_last else "chase"
                yield Due(kind, name, anchor, one.due_at)

    def _solicitors(self) -> Iterator[Due]:
        for one in self.interviews:
            anchor, step = f"interview_{one.id}", interviews.step_of(one)
            if one.at is None and one.has_attended is None:
                yield Due("interview_time", one.who, anchor, one.recorded_at, is_now=True)
            if step is SolicitorStep.NONE:
                continue
            if step is not SolicitorStep.ATTEND or one.at is not None:
                at = one.at or one.recorded_at
                yield Due(f"solicitor_{step}", one.who, anchor, at, is_now=one.at is None)

    def _dates(self) -> Iterator[Due]:
        for one in self.approvals:
            if one.deadline is not None and one.deadline.state == DeadlineState.OPEN:
                is_own = one.row.kind == ApprovalKind.RESIGNATION
                kind = "resignation" if is_own else "appeal"
                yield Due(kind, one.row.who or "", f"approval_{one.row.id}", one.deadline.due_at)
        for date in self.aftercare:
            if date.state == DeadlineState.OPEN:
                yield Due("aftercare", "", f"aftercare_{date.id}", date.due_at)

    def _undated(self) -> Iterator[Due]:
        for claim in self.claims:
            if claim.state == ClaimState.TO_NOTIFY:
                yield Due("insurer", claim.who, f"claim_{claim.id}")
        for what in Money:
            held = self.money.get(what)
            if held is None or held.state == MoneyState.NOT_ASKED:
                yield Due("money", what, "money")
        for member in self.household:
            if member.offer is None:
                yield Due("counselling", member.who, f"member_{member.person_id}")
        for move in self.moves:
            if move.dissent and move.escalated_at is None:
                yield Due("dissent", move.child, f"move_{move.id}")


async def of_case(
    session: AsyncSession, contract: Contract, case: Case, actor: Actor, now: datetime
) -> Agenda:
    """The whole page of a case that was found for `actor`."""
    case_id = case.id or 0
    asked = await interviews.of_case(session, case_id)
    alleged = await allegations.of_case(session, case_id)
    about = alleged[-1].person_id if alleged else case.person_id
    earlier = await repeats.about(session, actor, about, case.contract, case_id)
    names = await session.execute(select(col(User.id), col(User.shown_name)))
    return Agenda(
        allegations=alleged,
        notices=await notices.of_case(session, contract, case_id),
        interviews=asked,
        shared=interviews.shared_solicitors(asked),
        claims=await cover.claims(session, case_id),
        hand_offs=await cover.hand_offs(session, case_id),
        household=await cover.household(session, contract, case, actor),
        money=await cover.money(session, case_id),
        moves=await moves.of_case(session, case_id),
        outcomes=await outcomes.of_case(session, case_id),
        approvals=await approvals.of_case(session, case_id),
        aftercare=await approvals.aftercare(session, case_id),
        earlier=earlier,
        repeat=repeat_of(earlier, contract.days.day_of(now)),
        names={user_id or 0: name for user_id, name in names},
    )


def is_child_interview(row: PoliceInterview) -> bool:
    """An appropriate adult is needed, and it is not our worker."""
    return row.is_under_18 and row.kind != InterviewKind.WITNESS
