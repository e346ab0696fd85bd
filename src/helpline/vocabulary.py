"""Every stored or shown word and what follows from it.

Read by every layer; imports nothing of ours. A contract's own words (its reasons, supports,
methods, outcomes, groups, areas) are data in contracts/ and not listed here.
"""

from enum import StrEnum


class Urgency(StrEnum):
    """How soon a person is needed; `worse` decides which of two readings wins."""

    LOW = "low"
    STANDARD = "standard"
    URGENT = "urgent"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        return list(Urgency).index(self)

    def worse(self, other: "Urgency") -> "Urgency":
        """The more worried of the two: a bot may raise urgency, never lower it."""
        return max(self, other, key=lambda urgency: urgency.rank)


class Role(StrEnum):
    """What somebody who signs in is here to do; rules/permissions.py says what each may do."""

    WORKER = "worker"
    LEAD = "lead"
    SAFEGUARDING = "safeguarding"  # told of every allegation, decides about notices
    COMPLAINTS = "complaints"  # the complaints officer: independent of casework, sees no case
    COMMISSIONER = "commissioner"
    ADMIN = "admin"


CASEWORKERS = (Role.WORKER, Role.LEAD, Role.SAFEGUARDING)
"""Who may be named on a case, be on call and be asked about alerts."""


class ItemState(StrEnum):
    """What became of something that came in by a channel."""

    KEPT = "kept"  # stored, not yet routed
    ROUTED = "routed"  # on a case
    SET_ASIDE = "set_aside"  # could not be routed: in the tray, a person looks
    CLEARED = "cleared"  # a person has dealt with the tray entry


class ItemKind(StrEnum):
    """What kind of thing came in, as far as its bot could tell."""

    TEXT = "text"
    MEDIA = "media"
    CALL = "call"  # somebody rang
    UNSUPPORTED = "unsupported"  # understood, but a kind we cannot show (poll, sticker, …)
    UNREADABLE = "unreadable"  # signed by the provider, yet not parsable


class Direction(StrEnum):
    IN = "in"  # from the person to us: this is what reports call a contact
    OUT = "out"


class ContactKind(StrEnum):
    """What an interaction was; only human ones stop the first-response clock."""

    MESSAGE = "message"
    AUTOMATIC = "automatic"
    CALL = "call"

    @property
    def is_human(self) -> bool:
        return self is not ContactKind.AUTOMATIC


class CallResult(StrEnum):
    """How a telephone call went; only a conversation answers the person."""

    SPOKE = "spoke"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"

    @property
    def answers(self) -> bool:
        return self is CallResult.SPOKE


class NoteKind(StrEnum):
    """What a note records; the four are kept apart (001 §14.1)."""

    FACT = "fact"
    OPINION = "opinion"
    OWN_WORDS = "own_words"
    DECISION = "decision"


class CommentKind(StrEnum):
    """What somebody says to the record about them: kept beside it (000 N10)."""

    COMMENT = "comment"
    DISAGREEMENT = "disagreement"


class DraftForm(StrEnum):
    """The forms whose half-written text is kept."""

    REPLY = "reply"
    NOTE = "note"
    CALL = "call"
    COMMENT = "comment"


class CaseStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class CaseKind(StrEnum):
    """What a case is, which says what steps it has; it may be taken for another kind later, and
    the history of that is kept."""

    ADVICE = "advice"
    ALLEGATION = "allegation"  # it meets a harm threshold, or whoever said it called it one
    STANDARDS = "standards"  # a concern about standards of care: no threshold of harm
    COMPLAINT = "complaint"  # about us
    DATA_COMPLAINT = "data_complaint"  # about how we use what we hold
    REFERRAL = "referral"  # a professional sent somebody to us
    CONSULTATION = "consultation"  # a professional asks for themself

    @property
    def is_pathway(self) -> bool:
        """Whether it takes the allegation pathway: an accusation of either track."""
        return self in (CaseKind.ALLEGATION, CaseKind.STANDARDS)


class PartRole(StrEnum):
    """What somebody is in a case. Each has a record of their own; a case shows its own people."""

    SUPPORTED = "supported"  # the one the case is for
    ALLEGED_BY = "alleged_by"  # who made the allegation
    PARTNER = "partner"
    OWN_CHILD = "own_child"
    HOUSEHOLD = "household"  # another member of the household
    PROFESSIONAL = "professional"


class Track(StrEnum):
    """Which of the procedures about a carer it is said to be. Said by others, never judged by us;
    a complaint about ourselves is none of these."""

    ALLEGATION = "allegation"  # it meets a threshold of harm
    STANDARDS = "standards"  # care below what is expected, no harm
    COMPLAINT = "complaint"  # somebody is not content with the carer
    UNKNOWN = "unknown"  # nobody has said yet: handled as an allegation until somebody has

    @property
    def has_duties(self) -> bool:
        """Whether word is owed to others: also while nobody knows what it is."""
        return self in (Track.ALLEGATION, Track.UNKNOWN)


class AllegationType(StrEnum):
    """What kind of thing was alleged (domain.md §10.1, and the yearly return)."""

    PHYSICAL = "physical"
    SEXUAL = "sexual"
    EMOTIONAL = "emotional"
    NEGLECT = "neglect"
    SUITABILITY = "suitability"  # something in private life
    HOUSEHOLD = "household"  # about another member of the household
    HISTORICAL = "historical"
    ONLINE = "online"
    NOT_TOLD = "not_told"


class AllegedBy(StrEnum):
    """What kind of person made an allegation; a fostered child is never named."""

    FOSTERED_CHILD = "fostered_child"
    BIRTH_FAMILY = "birth_family"
    PROFESSIONAL = "professional"
    OTHER = "other"
    NOT_TOLD = "not_told"


class Teller(StrEnum):
    """In whose words something stands here."""

    CARER = "carer"  # as the carer repeated it
    PROFESSIONAL = "professional"  # as a professional said it
    LETTER = "letter"  # as it is written in a letter
    OURS = "ours"  # in our own words, shortened


class StageState(StrEnum):
    """Where a stage of the pathway stands."""

    REACHED = "reached"
    NOT_REACHED = "not_reached"
    SKIPPED = "skipped"  # it does not happen here


class MeetingKind(StrEnum):
    """A meeting of those who look into an allegation, at which we may be asked to be."""

    STRATEGY = "strategy"
    REVIEW = "review"
    OUTCOME = "outcome"
    SERVICE = "service"  # the fostering service with the carer
    PANEL = "panel"


class ToldState(StrEnum):
    """Whether the carer was told something; what they were not told is the worker's to ask."""

    TOLD = "told"
    NOT_TOLD = "not_told"
    ASKED = "asked"  # asked for, no answer yet


class LinkKind(StrEnum):
    """How two cases belong together."""

    RELATED = "related"
    FOLLOWS = "follows"  # the same matter, taken up again or by another contract
    SIDES = "sides"  # two sides of one matter: nobody works on both, nobody sees across (000 P18)


class ConflictKind(StrEnum):
    """Why somebody must not work on a case."""

    DECLARED = "declared"  # they or their lead said so
    WALL = "wall"  # they work, or have worked, on the other side of it
    COMPLAINT = "complaint"  # the case is a complaint about them


class Identity(StrEnum):
    """How sure we are who the person is."""

    UNKNOWN = "unknown"
    CLAIMED = "claimed"  # said so, and the register has such a person
    KNOWN = "known"  # wrote from an address on the register, or a worker confirmed


class Unit(StrEnum):
    """What a limit is counted in; rules/clocks.py says how each is counted."""

    ELAPSED_HOURS = "elapsed_hours"  # they pass whatever the day
    OPEN_HOURS = "open_hours"  # elapsed hours, not counting the contract's closed days
    CALENDAR_DAYS = "calendar_days"
    CALENDAR_MONTHS = "calendar_months"
    WORKING_DAYS = "working_days"  # England's: no weekend, no bank holiday
    FIRST_WORKING_DAY_AFTER = "first_working_day_after"
    WORKING_DAYS_BEFORE = "working_days_before"  # what starts it lies ahead: a meeting
    AT_ONCE = "at_once"  # in minutes

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers of it make sense."""
        return self not in (Unit.ELAPSED_HOURS, Unit.OPEN_HOURS, Unit.AT_ONCE)


class ClockStart(StrEnum):
    """What starts a clock; a contract's clocks name one each."""

    RECEIPT = "receipt"  # a message, a call, a letter came in
    ALLEGATION = "allegation"  # we became aware of one
    REFERRAL = "referral"  # a professional sent somebody to us
    INCIDENT = "incident"  # restraint, missing, a significant event
    COMPLAINT = "complaint"
    DATA_REQUEST = "data_request"  # somebody asks what we hold about them
    DATA_COMPLAINT = "data_complaint"
    DATA_BREACH = "data_breach"
    HAPPENING = "happening"  # whatever must be written up
    MEETING = "meeting"  # a day ahead, for what must be sent before it
    PROMISE = "promise"  # a worker's own word: "I'll ring at four"
    PARTNER_ASKED = "partner_asked"  # a case waits for somebody outside
    TASK = "task"  # work with a date on it (desk/tasks.py)
    REVIEW = "review"  # a plan is to be looked at again (desk/plans.py)
    PERIOD_OVER = "period_over"  # a report of it is owed (desk/releasing.py)
    # desk/duties begins these:
    INTERVIEW = "interview"  # a police interview lies ahead
    INTERVIEW_UNTIMED = "interview_untimed"  # one does, and nobody knows when
    NOTICE_SENT = "notice_sent"  # its answer is waited for
    OUTCOME = "outcome"  # somebody told us how it ended
    DETERMINATION = "determination"  # a written notice that an approval is to end or change
    RESIGNATION = "resignation"  # a written notice of the carer's own
    MATTER_OVER = "matter_over"  # support goes on after it


class ClockStop(StrEnum):
    """What meets a deadline (A50, A51 first)."""

    HUMAN_REPLY = "human_reply"
    ALLOCATION = "allocation"
    NOTICE = "notice"  # whoever is owed word has it
    LADO_NOTICE = "lado_notice"
    OUTCOME_NOTICE = "outcome_notice"
    WRITE_UP = "write_up"
    ACKNOWLEDGEMENT = "acknowledgement"
    FULL_ANSWER = "full_answer"
    REFERRAL_ANSWER = "referral_answer"  # answered with what the contract wants with the answer
    SENDING = "sending"  # a report, a pack
    KEPT_WORD = "kept_word"  # a worker did what they promised
    PARTNER_SEEN = "partner_seen"  # they were seen, or the wait was challenged
    TASK_DONE = "task_done"
    REVIEWED = "reviewed"
    # desk/duties meets these:
    SOLICITOR = "solicitor"  # one is confirmed for an interview
    INTERVIEW_TIME = "interview_time"  # its day and hour are known
    NOTICE_ANSWER = "notice_answer"
    APPEAL = "appeal"  # sent, or they let it stand
    RESIGNATION_IN_FORCE = "resignation_in_force"
    AFTERCARE = "aftercare"  # they were asked how they are


class PromiseKind(StrEnum):
    """What a worker gave their word to do; the deadline's clock is "promise." and this."""

    CALL = "call"
    WRITE = "write"
    OTHER = "other"


class DeadlineState(StrEnum):
    """A row's state; met or missed is the comparison of met_at with due_at, never stored twice."""

    OPEN = "open"
    MET = "met"  # it happened, in time or late
    CANCELLED = "cancelled"  # nobody waits for it any more, and it was not late
    LAPSED = "lapsed"  # it was late when nobody waited any more: broken for ever


class AlertKind(StrEnum):
    EMERGENCY = "emergency"
    WARNING = "warning"
    BREACH = "breach"
    TRAY = "tray"  # something came in that could not be routed
    ROTA_GAP = "rota_gap"  # nobody is on call for some time in the coming week
    ROTA_NOBODY = "rota_nobody"  # nobody is on call now
    CALL_BACK = "call_back"
    UPKEEP = "upkeep"  # something the helpline rests on needs a person: a table that ends
    PROMISE = "promise"  # a worker's own word is due soon
    TASK = "task"  # work with a date on it is due soon, or was due
    TEST = "test"  # a worker tries whether they are reached; climbs no ladder
    ALLEGATION = "allegation"  # one was written down: the safeguarding lead is told
    CONCERN = "concern"  # a complaint or incident holds a safeguarding matter: looked at today
    PRESSING = "pressing"  # the police are there, a child told of harm: a person now
    GLASS = "glass"  # somebody opened a case that was shut to them, in an emergency

    @property
    def severity(self) -> int:
        """0 is asked about first."""
        return _WORST_FIRST.index(self)

    @property
    def is_loud(self) -> bool:
        """Whether it goes out by every way at once, and waits for nobody's peace."""
        return self in (AlertKind.EMERGENCY, AlertKind.PRESSING)

    @property
    def spoken(self) -> str:
        """What a telephone shows after the colour, for whoever is half asleep."""
        return {AlertKind.EMERGENCY: "EMERGENCY", AlertKind.PRESSING: "URGENT"}.get(self, "")

    @property
    def wants_action(self) -> bool:
        """Whether taking it is not enough: it comes back unless something is done on the case."""
        return self in (
            AlertKind.EMERGENCY,
            AlertKind.PRESSING,
            AlertKind.BREACH,
            AlertKind.CALL_BACK,
            AlertKind.TRAY,
            AlertKind.WARNING,
        )


_WORST_FIRST = (
    AlertKind.EMERGENCY,
    AlertKind.PRESSING,
    AlertKind.ROTA_NOBODY,
    AlertKind.BREACH,
    AlertKind.ALLEGATION,
    AlertKind.CONCERN,
    AlertKind.GLASS,
    AlertKind.CALL_BACK,
    AlertKind.PROMISE,
    AlertKind.TRAY,
    AlertKind.WARNING,
    AlertKind.TASK,
    AlertKind.ROTA_GAP,
    AlertKind.UPKEEP,
    AlertKind.TEST,
)


class Colour(StrEnum):
    """All that a lock screen may show of an alert besides the reference."""

    YELLOW = "yellow"
    AMBER = "amber"
    RED = "red"
    BLACK = "black"
    PURPLE = "purple"
    BLUE = "blue"


def colour_of(kind: AlertKind, stage: int) -> Colour:
    """Warnings grow yellow → amber → red by their order; a broken promise is black; emergencies
    purple; the tray and call-backs blue. `stage` counts warnings from 0."""
    if kind is AlertKind.WARNING:
        return (Colour.YELLOW, Colour.AMBER, Colour.RED)[min(stage, 2)]
    return {
        AlertKind.EMERGENCY: Colour.PURPLE,
        AlertKind.BREACH: Colour.BLACK,
        AlertKind.TRAY: Colour.BLUE,
        AlertKind.ROTA_GAP: Colour.AMBER,
        AlertKind.ROTA_NOBODY: Colour.RED,
        AlertKind.CALL_BACK: Colour.BLUE,
        AlertKind.UPKEEP: Colour.BLUE,
        AlertKind.TEST: Colour.BLUE,
        AlertKind.TASK: Colour.AMBER,
        AlertKind.PROMISE: Colour.AMBER,
        AlertKind.CONCERN: Colour.RED,
        AlertKind.PRESSING: Colour.RED,
        AlertKind.ALLEGATION: Colour.RED,
        AlertKind.GLASS: Colour.RED,
    }[kind]


class OutState(StrEnum):
    """Where a message out is; `rank` only grows, so receipts may come in any order."""

    QUEUED = "queued"
    SENDING = "sending"
    UNSURE = "unsure"  # the provider never answered: ask before sending again
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    HELD = "held"  # not allowed to leave (opted out): a person reaches them another way

    @property
    def rank(self) -> int:
        return _OUT_ORDER.index(self)


_OUT_ORDER = (
    OutState.QUEUED,
    OutState.UNSURE,
    OutState.SENDING,
    OutState.SENT,
    OutState.FAILED,
    OutState.HELD,
    OutState.DELIVERED,  # a carrier that first said failed and then delivered did deliver
    OutState.READ,
)


class AttachmentState(StrEnum):
    """What became of something attached."""

    WAITING = "waiting"  # still with the provider
    KEPT = "kept"  # here, sealed, safe to hand out as a download
    UNSAFE = "unsafe"  # here, sealed, of a kind that is kept and not opened
    LOST = "lost"  # too large, or the provider no longer has it
    DELETED = "deleted"  # its time was over: the fact stays, the content is gone


class CallState(StrEnum):
    """Where a telephone call on the line stands."""

    RINGING = "ringing"
    CONNECTED = "connected"
    VOICEMAIL = "voicemail"
    ENDED = "ended"
    MISSED = "missed"  # nobody spoke with them: a call-back is owed


class CallMove(StrEnum):
    """What one telephone line does next."""

    ASK = "ask"  # say something, then wait for one key
    RING = "ring"  # ring another telephone; join the two when its owner presses a key
    JOIN = "join"  # join this line with the one that waits for it
    RECORD = "record"  # say something, then record what they say
    HANG_UP = "hang_up"  # say something, then end the line


class SendState(StrEnum):
    """What a provider said to one send."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # it certainly did not go; try again later
    UNSURE = "unsure"  # no answer: it may have gone
    REFUSED = "refused"  # it never will go this way


class Fault(StrEnum):
    """Why something could not be delivered, as far as it says anything about the way itself."""

    NONE = ""
    BAD_ADDRESS = "bad_address"  # nobody is there, or it cannot take this kind of message
    BLOCKED = "blocked"  # the recipient or their carrier keeps us out
    OPTED_OUT = "opted_out"  # they told the network STOP
    WINDOW_CLOSED = "window_closed"  # WhatsApp, a day after they last wrote, and no template


class TaskKind(StrEnum):
    """Work a person must do that no message carries."""

    REACH_ANOTHER_WAY = "reach_another_way"
    CALL_BACK = "call_back"
    READ_TRAY = "read_tray"
    GIVEN = "given"  # somebody gave it, in words
    SILENT = "silent"  # nobody has heard from them for long: the support worker tries
    STILL_SILENT = "still_silent"  # and then a lead looks
    REFERRAL_GAPS = "referral_gaps"  # ask the referrer for what is missing
    STEP = "step"  # a step of the case's kind, with a date on it
    WRITE_UP = "write_up"  # they spoke or wrote with somebody, and no note says of what


class GoalState(StrEnum):
    """What became of something the person wanted."""

    OPEN = "open"
    REACHED = "reached"
    PARTLY = "partly"
    NOT_REACHED = "not_reached"
    GIVEN_UP = "given_up"  # they want it no longer


class SilenceMove(StrEnum):
    """What is tried while a person is silent, in this order (004 §2.3: pursued, shared with the
    referrer, next steps agreed)."""

    AGAIN = "again"  # by the way they last used
    ANOTHER_WAY = "another_way"
    REFERRER_TOLD = "referrer_told"  # whoever sent them, or their supervising social worker
    AGREED = "agreed"  # what comes next: this ends it


class ShiftKind(StrEnum):
    """What somebody on call is asked as; `rank` is the order in which they are asked."""

    PRIMARY = "primary"  # the first line: without one there is a gap
    BACKUP = "backup"
    MANAGER = "manager"  # in charge that night

    @property
    def rank(self) -> int:
        return list(ShiftKind).index(self)


class AbsenceKind(StrEnum):
    """Why somebody is away; colleagues are shown only that they are."""

    HOLIDAY = "holiday"
    SICKNESS = "sickness"
    OTHER = "other"


class SwapState(StrEnum):
    """Where a swap of shifts stands: asking is the one consent, agreeing the other."""

    ASKED = "asked"
    IN_FORCE = "in_force"  # both have agreed and the rota says so
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # the shift began, or the rota changed, before they answered


class PartnerKind(StrEnum):
    """What somebody outside is, in the directory of partners."""

    SOLICITOR = "solicitor"
    INSURER = "insurer"
    COUNSELLOR = "counsellor"
    FINANCE = "finance"
    COUNCIL_TEAM = "council_team"
    EDS = "eds"  # the council's emergency duty service
    LADO = "lado"  # the designated officer
    MEDIATION = "mediation"
    INTERPRETER = "interpreter"
    ASSOCIATION = "association"
    OTHER = "other"

    @property
    def is_private(self) -> bool:
        """Whether what was asked of them is read only by who works on the case."""
        return self is PartnerKind.COUNSELLOR


class ReleaseState(StrEnum):
    """How far a report is on its way to the council. From `checked` on its figures stand, from
    `signed` on they can never be taken back."""

    DRAFT = "draft"  # counted anew each time it is looked at
    CHECKED = "checked"
    SIGNED = "signed"
    PRESENTED = "presented"

    @property
    def is_out(self) -> bool:
        """Whether the council may see it."""
        return self in (ReleaseState.SIGNED, ReleaseState.PRESENTED)


class DeliveryWay(StrEnum):
    """How a recipient was given a report."""

    PORTAL = "portal"  # it lies there from the moment it is signed
    EMAIL = "email"  # a letter says that it is ready; no figure is in it
    HAND = "hand"  # on paper, or at a meeting


class PartnerApproval(StrEnum):
    """Whether the council has to agree to a partner, and has (K21)."""

    NOT_NEEDED = "not_needed"
    AWAITED = "awaited"
    APPROVED = "approved"
    REFUSED = "refused"

    @property
    def stops_referrals(self) -> bool:
        return self in (PartnerApproval.AWAITED, PartnerApproval.REFUSED)


class ReferralState(StrEnum):
    """Where something that was asked of a partner stands."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    SEEN = "seen"  # the first appointment was kept
    DECLINED = "declined"
    ENDED = "ended"

    @property
    def is_waiting(self) -> bool:
        """Whether the person has not been seen and is still to be."""
        return self in (ReferralState.REQUESTED, ReferralState.ACCEPTED)

    @property
    def is_over(self) -> bool:
        return self in (ReferralState.DECLINED, ReferralState.ENDED)


class ReferralEnding(StrEnum):
    """How it ended."""

    COMPLETED = "completed"
    BY_PERSON = "by_person"
    BY_PARTNER = "by_partner"
    NEVER_SEEN = "never_seen"
    NOT_NEEDED = "not_needed"


class ConsentKind(StrEnum):
    """What was said about naming somebody to a partner."""

    AGREED = "agreed"
    BY_PARENT = "by_parent"  # whoever has parental responsibility agreed for them
    UNNAMED = "unnamed"  # asked without saying who it is
    WITHOUT = "without"  # somebody may come to harm, so nobody was asked


class ChaseWay(StrEnum):
    """How we asked again."""

    TELEPHONE = "telephone"
    EMAIL = "email"
    LETTER = "letter"
    MEETING = "meeting"


class PaperKind(StrEnum):
    """A paper of one of our own people."""

    QUALIFICATION = "qualification"
    SAFEGUARDING = "safeguarding"  # training, with its level
    DBS = "dbs"
    SUPERVISION = "supervision"
    INDUCTION = "induction"
    APPRAISAL = "appraisal"
    REGISTRATION = "registration"  # with a professional body
    TRAINING = "training"


class Step(StrEnum):
    """Where the dialogue with one sender stands: the question that is waiting for its answer."""

    NEW = "new"
    WHO = "who"
    REASON = "reason"
    DANGER = "danger"
    DONE = "done"
    # after an alarming first message danger is asked before anything else, and who comes last
    DANGER_FIRST = "danger_first"
    WHO_LAST = "who_last"
    # the question about danger got an answer that was no answer, and was asked once more
    DANGER_AGAIN = "danger_again"

    @property
    def asks_danger(self) -> bool:
        return self in (Step.DANGER, Step.DANGER_FIRST, Step.DANGER_AGAIN)

    @property
    def asks_who(self) -> bool:
        return self in (Step.WHO, Step.WHO_LAST)


class LibraryKind(StrEnum):
    """What an item of the library is."""

    ANSWER = "answer"
    PUBLICATION = "publication"
    SIGNPOST = "signpost"  # somebody else to turn to
    POLICY = "policy"
    DISCOUNT = "discount"

    @property
    def gives_contacts(self) -> bool:
        """Whether it says whom to ring or where to look, which must be verified now and then."""
        return self in (LibraryKind.SIGNPOST, LibraryKind.DISCOUNT)


class UseHow(StrEnum):
    """How somebody was given an item of the library."""

    SENT = "sent"  # its words went with a reply
    SAID = "said"  # on the telephone or face to face
    HANDED = "handed"  # on paper


class TakenUp(StrEnum):
    """Whether somebody went where they were pointed to."""

    NOT_ASKED = "not_asked"
    YES = "yes"
    NO = "no"


class BookingState(StrEnum):
    """One person's place at a gathering."""

    BOOKED = "booked"
    WAITING = "waiting"  # all places are taken: in the order of booking
    WITHDRAWN = "withdrawn"
    ATTENDED = "attended"
    MISSED = "missed"


class ProofWhy(StrEnum):
    """The occasion on which somebody was told of the policies (A77)."""

    JOINING = "joining"
    REQUEST = "request"  # they said they want to complain
    EVERYBODY = "everybody"  # a lead had them sent to all who had not had them


class ConsentHow(StrEnum):
    """How somebody said whether they want news."""

    TELEPHONE = "telephone"
    MESSAGE = "message"  # in their own words, to a worker
    PAPER = "paper"
    IN_PERSON = "in_person"
    KEYWORD = "keyword"  # they sent the word that every news ends with


class NewsState(StrEnum):
    DRAFT = "draft"
    READY = "ready"  # a lead is asked to look
    SENDING = "sending"
    STOPPED = "stopped"
    SENT = "sent"


class RecipientState(StrEnum):
    """How far one piece of news has come for one person."""

    WAITING = "waiting"
    QUEUED = "queued"  # a message is made; what became of it stands with the message
    LEFT_OUT = "left_out"


class WhyNot(StrEnum):
    """Why somebody gets no news, or not yet."""

    NO_CONSENT = "no_consent"
    NO_WAY = "no_way"  # nothing they agreed to is safe, or leads anywhere
    CRISIS = "crisis"
    BLOCKED = "blocked"
    HOURS = "hours"  # not now: ours are over, or theirs have not begun
    STOPPED = "stopped"


class ListState(StrEnum):
    """What became of a list that the council sent."""

    PENDING = "pending"  # read and shown; nothing is changed yet
    TAKING_IN = "taking_in"  # accepted; portion after portion of it becomes the register
    ACCEPTED = "accepted"
    THROWN_AWAY = "thrown_away"


class QuadrantSource(StrEnum):
    """Who said in which quadrant somebody lives; an earlier one here wins over a later (A10)."""

    LIST = "list"
    TEAM = "team"
    POSTCODE = "postcode"  # a suggestion, with its confidence
    ASKED = "asked"
    UNKNOWN = "unknown"


class Eligibility(StrEnum):
    """Whether somebody is within the contract. Whoever is out is answered all the same."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"
    PROFESSIONAL = "professional"  # may ask without a membership; never in a carers' percentage


class NeedKind(StrEnum):
    """What a person needs so that they can be reached and understood (A15)."""

    LANGUAGE = "language"
    INTERPRETER = "interpreter"
    EASY_READ = "easy_read"
    LARGE_PRINT = "large_print"
    OTHER = "other"


class ComplaintKind(StrEnum):
    """Whose complaint it is to answer, which says what clocks it has."""

    SERVICE = "service"  # about us: our own procedure
    COUNCIL = "council"  # about the council: theirs by law, forwarded
    DATA = "data"  # about how we use what we hold


class ComplainantKind(StrEnum):
    """Who complains, or says thank you: anybody may (N11)."""

    CARER = "carer"
    FAMILY = "family"
    CHILD = "child"
    PROFESSIONAL = "professional"
    RESIDENT = "resident"  # somebody who lives near
    OTHER = "other"


class ComplaintOutcome(StrEnum):
    UPHELD = "upheld"
    PARTLY = "partly"
    NOT_UPHELD = "not_upheld"
    WITHDRAWN = "withdrawn"  # by whoever made it
    FORWARDED = "forwarded"  # not ours to decide


class EntryKind(StrEnum):
    """What a line added to a register says. Nothing in a register is written anew."""

    LOGGED = "logged"
    ABOUT = "about"  # it is about this colleague
    NOT_ABOUT = "not_about"  # it turned out not to be
    NAMED = "named"  # who handles it from now on
    ACKNOWLEDGED = "acknowledged"
    EXTENDED = "extended"  # more time, with a reason
    SAFEGUARDING = "safeguarding"
    RESUMED = "resumed"  # back from safeguarding
    FORWARDED = "forwarded"
    ANSWERED = "answered"  # with the outcome
    ESCALATED = "escalated"  # to the next stage
    REMEDY = "remedy"
    LEARNING = "learning"
    EXPLAINED = "explained"
    REVIEWED = "reviewed"
    CHILD_VIEW = "child_view"
    CLOSED = "closed"
    NOTE = "note"
    CORRECTION = "correction"
    ASSESSED = "assessed"  # how great the risk of a breach is


class ChildView(StrEnum):
    """Whether the child was asked how they see what happened (N12)."""

    NOT_YET = "not_yet"
    GIVEN = "given"
    DECLINED = "declined"  # they did not want to say
    NOT_POSSIBLE = "not_possible"
    NO_CHILD = "no_child"  # no child was in it


class AskedWhy(StrEnum):
    """On what occasion somebody is asked how it was."""

    CLOSING = "closing"
    LATER = "later"  # weeks after closing
    ONGOING = "ongoing"  # while a long case goes on
    BY_HAND = "by_hand"  # a colleague asked, on the telephone or face to face


class ChangeSource(StrEnum):
    """Where it was said what a change came of."""

    FEEDBACK = "feedback"
    COMPLAINT = "complaint"
    GROUP = "group"  # a carers' group raised it
    OTHER = "other"


class IssueEnding(StrEnum):
    """What came of something that a carers' group raised."""

    CHANGED = "changed"
    EXPLAINED = "explained"  # nothing changes, and they were told why
    PASSED_ON = "passed_on"  # to the council, whose matter it is


class Side(StrEnum):
    """Who of the two that a contract binds."""

    COUNCIL = "council"
    PROVIDER = "provider"


class ActionState(StrEnum):
    """Where something that was agreed at a review stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"  # no longer wanted, and why


class ActionStep(StrEnum):
    """What happened to something that was agreed at a review."""

    AGREED = "agreed"
    MOVED = "moved"  # to another day
    DONE = "done"
    DROPPED = "dropped"
    REOPENED = "reopened"


class QuestionState(StrEnum):
    """Where a question of the council on a figure stands."""

    WAITING = "waiting"  # for us
    ANSWERED = "answered"
    CLOSED = "closed"  # the council has what it asked for


class ProposalKind(StrEnum):
    """What is to become of a measure."""

    NEW = "new"
    CHANGE = "change"
    END = "end"


class ProposalState(StrEnum):
    """Where a proposed measure stands; nothing changes a figure by itself."""

    PROPOSED = "proposed"
    AGREED = "agreed"  # from a day
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class TargetKind(StrEnum):
    """What kind of target a measure is to have."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    WORDS = "words"


OPT_OUT_WORDS = frozenset(
    "STOP STOPALL UNSUBSCRIBE END CANCEL QUIT REVOKE OPTOUT".split()
)  # the network's own: domain.md §8.1
OPT_IN_WORDS = frozenset("START UNSTOP".split())  # YES is also Twilio's, but here it is an answer
NETWORK_HELP_WORDS = frozenset("HELP INFO".split())  # answered by the network, never a menu word
OWN_PAGES = frozenset(["webchat", "webform"])  # no network between: sent to a contract
NUMBERED = frozenset(["sms", "whatsapp", "voice"])  # channels whose addresses can be rung
UNKNOWN = "unknown"  # the code every breakdown prints for "not known", never dropped (A07)
UNPLACED = "UNPLACED"
"""The reference of an alert about something that came to no contract's number: nobody knows whose
words they are, so not everybody reads them (desk/seeing.py)."""
NEWS_CHANNELS = ("sms", "telegram", "email")
"""Ways by which news may go: WhatsApp takes only approved templates of another kind for it."""
NO_NEWS = "NONEWS"
"""What is sent back to have no more news: not one of the network's words, which end everything."""


# --- what people may ask of what we keep, how long it is kept, who else was told ------------------


class RightKind(StrEnum):
    """What somebody asks of what we keep about them (UK GDPR articles 15 to 18 and 21)."""

    ACCESS = "access"  # a copy of all of it
    CORRECTION = "correction"
    ERASURE = "erasure"
    RESTRICTION = "restriction"  # keep it, and do nothing else with it
    OBJECTION = "objection"


class IdentityCheck(StrEnum):
    """How it was made sure who asks."""

    KNOWN_ADDRESS = "known_address"  # asked from a number or address that the council's list gave
    CALLED_BACK = "called_back"  # rung on the number we have
    DOCUMENT = "document"  # a paper was seen; no copy is kept
    IN_PERSON = "in_person"  # by somebody who knows them
    PROVEN_AGENT = "proven_agent"  # a solicitor or friend with their written authority


class PauseKind(StrEnum):
    """What the clock of a request waits for."""

    IDENTITY = "identity"
    CLARIFICATION = "clarification"


class RightStep(StrEnum):
    """What happened to a request."""

    LOGGED = "logged"
    IDENTITY = "identity"
    PAUSED = "paused"
    RESUMED = "resumed"
    EXTENDED = "extended"
    PREPARED = "prepared"
    SENT_BACK = "sent_back"  # the second person did not sign
    SIGNED = "signed"
    NOTE = "note"
    CLOSED = "closed"


class RightOutcome(StrEnum):
    """How a request ended."""

    DONE = "done"
    PARTLY = "partly"
    REFUSED = "refused"  # with the reason, and where to complain
    WITHDRAWN = "withdrawn"
    NOTHING_KEPT = "nothing_kept"


class PassageChoice(StrEnum):
    """What becomes of one passage of a file that a person is given."""

    SHOW = "show"
    WITHOUT_NAMES = "without_names"
    LEAVE_OUT = "leave_out"


class PassageReason(StrEnum):
    """Why not all of it is shown (DPA 2018, schedules 2 and 3)."""

    THIRD_PARTY = "third_party"
    PRIVILEGE = "privilege"
    SERIOUS_HARM = "serious_harm"
    CHILD_ABUSE = "child_abuse"
    CRIME = "crime"


class HoldKind(StrEnum):
    """Why nothing may be erased for now."""

    LEGAL = "legal"  # a claim, a court, an inquest
    POLICE = "police"
    INQUIRY = "inquiry"  # a public inquiry asked for it to be preserved
    BIRTHDAY = "birthday"  # a child's record, to their 25th birthday
    COMPLAINT = "complaint"
    OTHER = "other"


class RunState(StrEnum):
    """How far a list of what has been kept long enough is."""

    PROPOSED = "proposed"
    CHECKED = "checked"  # one person looked through it
    APPROVED = "approved"  # another one, too: it goes
    DONE = "done"
    DROPPED = "dropped"


class StayReason(StrEnum):
    """Why something that has been kept long enough stays all the same."""

    HOLD = "hold"
    REQUEST = "request"  # the person has asked for it, and has no answer yet
    COMPLAINT = "complaint"  # one about it is open
    CHILD = "child"  # a child's, and nobody has written down when they are twenty-five
    TAKEN_OFF = "taken_off"  # somebody took it off the list, and said why
    REOPENED = "reopened"


class RecipientKind(StrEnum):
    """Who outside was told something."""

    POLICE = "police"
    COUNCIL = "council"
    LADO = "lado"
    HEALTH = "health"
    COURT = "court"
    REGULATOR = "regulator"
    LAWYER = "lawyer"
    PARTNER = "partner"
    OTHER = "other"


class KnowsOfIt(StrEnum):
    """Whether the person knows that somebody was told."""

    AGREED = "agreed"
    TOLD_BEFORE = "told_before"
    TOLD_AFTER = "told_after"
    NOT_SAFE = "not_safe"  # telling them would put somebody at risk
    NOT_YET = "not_yet"


class BreachRisk(StrEnum):
    """What a breach may do to the people it concerns (UK GDPR articles 33 and 34)."""

    UNLIKELY = "unlikely"  # the regulator need not be told; why is written down
    RISK = "risk"  # the regulator is told within 72 hours
    HIGH = "high"  # and the people themselves without delay
