"""The words in which pages say what people may ask of what we keep, and what became of it."""

from typing import Final

from helpline.vocabulary import (
    BreachRisk,
    HoldKind,
    IdentityCheck,
    KnowsOfIt,
    PassageChoice,
    PassageReason,
    PauseKind,
    RecipientKind,
    RightKind,
    RightOutcome,
    RightStep,
    RunState,
    StayReason,
)

KINDS: Final = {
    RightKind.ACCESS: "A copy of what we keep",
    RightKind.CORRECTION: "Something put right",
    RightKind.ERASURE: "Something erased",
    RightKind.RESTRICTION: "Kept, but not used",
    RightKind.OBJECTION: "They object to how it is used",
}
IDENTITY: Final = {
    IdentityCheck.KNOWN_ADDRESS: "They asked from a number or address on the council's list",
    IdentityCheck.CALLED_BACK: "Rung on the number we have",
    IdentityCheck.DOCUMENT: "A paper was seen; no copy is kept",
    IdentityCheck.IN_PERSON: "In person, by somebody who knows them",
    IdentityCheck.PROVEN_AGENT: "Somebody else asks, with their written authority",
}
PAUSES: Final = {
    PauseKind.IDENTITY: "Proof of who asks",
    PauseKind.CLARIFICATION: "What they mean",
}
STEPS: Final = {
    RightStep.LOGGED: "Written down",
    RightStep.IDENTITY: "Made sure who asks",
    RightStep.PAUSED: "The clock stands still: they were asked",
    RightStep.RESUMED: "Their answer came, the clock goes on",
    RightStep.EXTENDED: "Two months more, because",
    RightStep.PREPARED: "The file was prepared",
    RightStep.SENT_BACK: "Not signed: to be looked at again",
    RightStep.SIGNED: "The file was signed",
    RightStep.NOTE: "Note",
    RightStep.CLOSED: "Answered",
}
OUTCOMES: Final = {
    RightOutcome.DONE: "Done as they asked",
    RightOutcome.PARTLY: "Done in part",
    RightOutcome.REFUSED: "Refused, with the reason",
    RightOutcome.WITHDRAWN: "They take it back",
    RightOutcome.NOTHING_KEPT: "Nothing is kept about them",
}
CHOICES: Final = {
    PassageChoice.SHOW: "Show it",
    PassageChoice.WITHOUT_NAMES: "Black out the names",
    PassageChoice.LEAVE_OUT: "Leave it out",
}
REASONS: Final = {
    PassageReason.THIRD_PARTY: "About somebody else",
    PassageReason.PRIVILEGE: "A lawyer's advice",
    PassageReason.SERIOUS_HARM: "Serious harm to somebody",
    PassageReason.CHILD_ABUSE: "Child abuse data",
    PassageReason.CRIME: "Preventing crime",
}
HOLDS: Final = {
    HoldKind.LEGAL: "A claim, a court, an inquest",
    HoldKind.POLICE: "The police asked",
    HoldKind.INQUIRY: "A public inquiry asked",
    HoldKind.BIRTHDAY: "A child's record, to their 25th birthday",
    HoldKind.COMPLAINT: "A complaint",
    HoldKind.OTHER: "Something else",
}
STAYS: Final = {
    StayReason.HOLD: "it is held",
    StayReason.REQUEST: "they have asked for it and have no answer yet",
    StayReason.COMPLAINT: "a complaint about it is open, or is kept longer",
    StayReason.CHILD: "it is a child's: write down until when as a hold",
    StayReason.TAKEN_OFF: "taken off the list",
    StayReason.REOPENED: "it was opened again",
}
STATES: Final = {
    RunState.PROPOSED: "Waits for somebody to look through it",
    RunState.CHECKED: "Looked through: waits for somebody else to approve it",
    RunState.APPROVED: "Approved: it goes within the hour",
    RunState.DONE: "Done",
    RunState.DROPPED: "Thrown away: nothing went",
}
RECIPIENTS: Final = {
    RecipientKind.POLICE: "The police",
    RecipientKind.COUNCIL: "The council",
    RecipientKind.LADO: "The designated officer (LADO)",
    RecipientKind.HEALTH: "A doctor, a hospital, an ambulance",
    RecipientKind.COURT: "A court",
    RecipientKind.REGULATOR: "A regulator",
    RecipientKind.LAWYER: "A lawyer",
    RecipientKind.PARTNER: "A partner",
    RecipientKind.OTHER: "Somebody else",
}
KNOWS: Final = {
    KnowsOfIt.AGREED: "Yes, and they agreed",
    KnowsOfIt.TOLD_BEFORE: "Yes, they were told before",
    KnowsOfIt.TOLD_AFTER: "Yes, they were told afterwards",
    KnowsOfIt.NOT_SAFE: "No: telling them would put somebody at risk",
    KnowsOfIt.NOT_YET: "Not yet",
}
RISKS: Final = {
    BreachRisk.UNLIKELY: "Harm to anybody is unlikely",
    BreachRisk.RISK: "A risk to somebody: the regulator is told",
    BreachRisk.HIGH: "A high risk: the people are told too",
}
