"""The tables, with no behaviour. Import from here, so that the metadata is always whole.

Times are aware UTC (plain `datetime` annotations: an explicit DateTime(timezone=True) would lose
the offset on SQLite). Words are stored as their text. `Sealed` columns are unreadable at rest.
"""

from helpline.models.access import LoginAttempt, Session, User
from helpline.models.allegations import (
    Allegation,
    AllegationStage,
    AllegationTelling,
    AllegationTick,
    AllegationTrack,
)
from helpline.models.cases import Case, CaseLink, CaseSupport, Deadline, Note, Part, Task
from helpline.models.casework import (
    CaseExit,
    KindChange,
    PlanGoal,
    PlanReview,
    ReferralForm,
    Silence,
    SilenceStep,
    StepTick,
    SupportPlan,
    Transfer,
)
from helpline.models.complaints import (
    Complaint,
    ComplaintAbout,
    ComplaintEntry,
    Compliment,
    Incident,
    IncidentEntry,
    IncidentNotice,
)
from helpline.models.duty import Alert, Conflict, Page, Shift
from helpline.models.evidence import EvidenceEntry, EvidenceFile, ObligationDue
from helpline.models.feedback import FeedbackAsk, FeedbackRefusal, FeedbackTheme, SaidAndDone
from helpline.models.messages import (
    Attachment,
    Block,
    Call,
    Contact,
    Conversation,
    InboundItem,
    OutMessage,
    Upload,
)
from helpline.models.partners import (
    Partner,
    PartnerChase,
    PartnerReferral,
    PartnerSession,
    StaffPaper,
)
from helpline.models.people import Address, LinkCode, Membership, Merge, Person, SafeContact
from helpline.models.record import Draft, RecordComment
from helpline.models.register import (
    EligibilityDecision,
    Need,
    PersonEntitlement,
    Population,
    RegisterList,
)
from helpline.models.rota import (
    Absence,
    CalendarFeed,
    Handover,
    RotaGap,
    RotaWatch,
    ShiftPattern,
    ShiftSwap,
    UserSkill,
)
from helpline.models.tables import metadata
from helpline.models.trail import Event, JobRun, Node, SetAside
from helpline.models.work import Allocation, Cover

__all__ = [
    "Absence",
    "Address",
    "Alert",
    "Allegation",
    "AllegationStage",
    "AllegationTelling",
    "AllegationTick",
    "AllegationTrack",
    "Allocation",
    "Attachment",
    "Block",
    "CalendarFeed",
    "Call",
    "Case",
    "CaseExit",
    "CaseLink",
    "CaseSupport",
    "Complaint",
    "ComplaintAbout",
    "ComplaintEntry",
    "Compliment",
    "Conflict",
    "Contact",
    "Conversation",
    "Cover",
    "Deadline",
    "Draft",
    "EligibilityDecision",
    "Event",
    "EvidenceEntry",
    "EvidenceFile",
    "FeedbackAsk",
    "FeedbackRefusal",
    "FeedbackTheme",
    "Handover",
    "InboundItem",
    "Incident",
    "IncidentEntry",
    "IncidentNotice",
    "JobRun",
    "KindChange",
    "LinkCode",
    "LoginAttempt",
    "Membership",
    "Merge",
    "Need",
    "Node",
    "Note",
    "ObligationDue",
    "OutMessage",
    "Page",
    "Part",
    "Partner",
    "PartnerChase",
    "PartnerReferral",
    "PartnerSession",
    "Person",
    "PersonEntitlement",
    "PlanGoal",
    "PlanReview",
    "Population",
    "RecordComment",
    "ReferralForm",
    "RegisterList",
    "RotaGap",
    "RotaWatch",
    "SafeContact",
    "SaidAndDone",
    "Session",
    "SetAside",
    "Shift",
    "ShiftPattern",
    "ShiftSwap",
    "Silence",
    "SilenceStep",
    "StaffPaper",
    "StepTick",
    "SupportPlan",
    "Task",
    "Transfer",
    "Upload",
    "User",
    "UserSkill",
    "metadata",
]
