"""Who may do what, to what, and what must hold of it: one table, denied unless it stands here.

The route table of web/app.py names an action per route, desk functions ask again before they
change anything, and desk/seeing.py turns what must hold of a thing into the conditions of every
query. Pure: it knows an actor and a contract's key, never a request or a database.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from helpline.errors import NotAllowed
from helpline.vocabulary import Role


@dataclass(frozen=True)
class Actor:
    """Somebody who is signed in. `contract` None: staff of the provider, on all its contracts.
    `opened`: ids of the cases that they opened in an emergency, within the last hour
    (desk/breaking.py)."""

    user_id: int
    name: str
    role: Role
    contract: str | None
    opened: frozenset[int] = frozenset()


class Holds(StrEnum):
    """What must hold of a thing, whoever asks for it; the value says it to a person."""

    CONTRACT = "it is of a contract they work for"
    OWN = "it is their own"
    NOT_THEMSELF = "it is not about themselves, and they have no part in it"
    NO_CONFLICT = "nobody has said that they must not work on it"
    NO_WALL = "they have not worked for the other side of it"
    NOT_RESTRICTED = "it is not kept to certain people, or they are one of them"
    NOT_ABOUT_THEM = "it is not a complaint about them"
    CASE_SEEN = "they are not shut out of the case that it is of"
    NOBODY_SHUT = "whoever it is about is in no case that they are shut out of"
    ABOUT_SEEN = "they may see the case, complaint or incident that it is about"


class Of(StrEnum):
    """What an action is done to."""

    CASE = "A case, and all that hangs on it"
    PERSON = "Somebody we know"
    COMPLAINT = "A complaint"
    INCIDENT = "An incident"
    GIVEN = "What somebody said of us"
    ALERT = "An alert"
    COUNCIL = "What belongs to a council's contract"
    OWN = "What is one's own"
    HOUSE = "The helpline as a whole"


HOLDS: Final[Mapping[Of, tuple[Holds, ...]]] = {
    Of.CASE: (
        Holds.CONTRACT,
        Holds.NO_CONFLICT,
        Holds.NOT_THEMSELF,
        Holds.NO_WALL,
        Holds.NOT_RESTRICTED,
    ),
    Of.PERSON: (Holds.CONTRACT, Holds.NOT_THEMSELF, Holds.NOBODY_SHUT),
    Of.COMPLAINT: (
        Holds.CONTRACT,
        Holds.NOT_ABOUT_THEM,
        Holds.CASE_SEEN,
        Holds.NOT_THEMSELF,
        Holds.NOBODY_SHUT,
    ),
    Of.INCIDENT: (Holds.CONTRACT, Holds.CASE_SEEN),
    Of.GIVEN: (Holds.CONTRACT, Holds.CASE_SEEN, Holds.NOT_THEMSELF, Holds.NOBODY_SHUT),
    Of.ALERT: (Holds.CONTRACT, Holds.ABOUT_SEEN),
    Of.COUNCIL: (Holds.CONTRACT,),
    Of.OWN: (Holds.OWN,),
    Of.HOUSE: (),
}
"""What must hold of each, all of it. desk/seeing.py has one condition for each word."""
OPENED_BY_GLASS: Final = frozenset({Holds.NO_WALL, Holds.NOT_RESTRICTED})
"""What need not hold for an hour, in an emergency, for an action that says `by_glass`."""


@dataclass(frozen=True)
class Line:
    """One line of the table. `says` it to a person; `by_glass`: also on a case that was opened in
    an emergency."""

    says: str
    of: Of
    roles: frozenset[Role]
    by_glass: bool = False


def on(of: Of, says: str, *roles: Role, by_glass: bool = False) -> Line:
    """A line of the table; one without a role is nobody's."""
    return Line(says, of, frozenset(roles), by_glass)


_CASE, _PERSON, _COMPLAINT, _INCIDENT = Of.CASE, Of.PERSON, Of.COMPLAINT, Of.INCIDENT
_GIVEN, _ALERT, _COUNCIL, _OWN, _HOUSE = Of.GIVEN, Of.ALERT, Of.COUNCIL, Of.OWN, Of.HOUSE
_W, _L, _S = Role.WORKER, Role.LEAD, Role.SAFEGUARDING
_Q, _C, _A = Role.COMPLAINTS, Role.COMMISSIONER, Role.ADMIN

ALLOWED: Final[dict[str, Line]] = {
    # cases: those who work on them, and nobody who pays for or administers them
    "case.read": on(_CASE, "read a case", _W, _L, _S, by_glass=True),
    "case.reply": on(_CASE, "write to the person", _W, _L, _S, by_glass=True),
    "case.call": on(_CASE, "ring the person, note a call", _W, _L, _S, by_glass=True),
    "case.allocate": on(_CASE, "take a case on", _W, _L, _S),
    "case.allocate_others": on(_CASE, "name somebody else on a case", _L, _S),
    "case.close": on(_CASE, "close a case", _W, _L, _S),
    "case.reopen": on(_CASE, "open a closed case again", _W, _L, _S),
    "case.undo": on(_CASE, "undo what one has just done", _W, _L, _S),
    "case.triage": on(_CASE, "say what a case is about and how urgent", _W, _L, _S),
    "case.link": on(_CASE, "put up a wall between two cases, take it down", _L, _S),
    "case.transfer": on(_CASE, "hand a case over to another contract", _L, _S),
    "case.restrict": on(_CASE, "keep a case to certain people", _L, _S),
    "note.write": on(_CASE, "write a note", _W, _L, _S, by_glass=True),
    "task.finish": on(_CASE, "finish a task", _W, _L, _S),
    "task.give": on(_CASE, "give a task", _W, _L, _S),
    "plan.write": on(_CASE, "write a plan", _W, _L, _S),
    "duty.write": on(_CASE, "notices, interviews, outcomes and their dates", _W, _L, _S),
    "pathway.write": on(_CASE, "what was alleged, and how far it is", _W, _L, _S),
    "referral.work": on(_CASE, "ask a partner for help", _W, _L, _S),
    "eligibility.override": on(_CASE, "decide otherwise than the rules who is within", _L),
    "search.use": on(_CASE, "search in cases and people", _W, _L, _S),
    "glass.break": on(_CASE, "open a case that is shut to them, in an emergency", _W, _L, _S),
    "glass.review": on(_CASE, "look at what others opened in an emergency", _L, _S),
    "alert.acknowledge": on(_ALERT, "take an alert", _W, _L, _S, _Q),
    # people, and who of them is within a contract
    "people.read": on(_PERSON, "see people and how to reach them", _W, _L, _S),
    "readers.show": on(_PERSON, "show somebody who read their cases", _W, _L, _S),
    "gathering.book": on(_PERSON, "book people on events", _W, _L, _S),
    "register.manage": on(_COUNCIL, "take in the council's monthly list", _L, _A),
    "block.manage": on(_COUNCIL, "look at, lift and extend blocks; masked addresses", _L, _A),
    "tray.read": on(_COUNCIL, "see what could not be read or placed", _W, _L, _S),
    "tray.clear": on(_COUNCIL, "deal with what could not be read or placed", _W, _L, _S),
    # who is on call
    "rota.read": on(_COUNCIL, "see who is on call", _W, _L, _S, _A),
    "rota.own": on(_OWN, "swap, be away, hand over, follow by calendar", _W, _L, _S),
    "rota.write": on(_COUNCIL, "put people on call", _L),
    # what members are given: the library, gatherings, news they agreed to, the policies
    "library.read": on(_COUNCIL, "read the library", _W, _L, _S, _Q),
    "library.write": on(_COUNCIL, "write the library", _L, _S, _Q),
    "gathering.read": on(_COUNCIL, "see events", _W, _L, _S),
    "gathering.manage": on(_COUNCIL, "plan events", _L, _S),
    "news.write": on(_COUNCIL, "draft news, note who agreed to get any", _W, _L, _S),
    "news.send": on(_COUNCIL, "send news", _L),
    "proof.read": on(_PERSON, "see who was told of the policies", _W, _L, _S, _Q),
    "proof.send": on(_COUNCIL, "tell everybody of the policies", _L, _Q),
    # registers: nobody reads a complaint about themself, nobody takes a line away
    "complaint.log": on(_COMPLAINT, "write down a complaint or thanks", _W, _L, _S, _Q),
    "complaint.read": on(_COMPLAINT, "read complaints", _L, _S, _Q),
    "complaint.work": on(_COMPLAINT, "answer and decide complaints", _L, _S, _Q),
    "incident.read": on(_INCIDENT, "read incidents", _W, _L, _S, _Q),
    "incident.log": on(_INCIDENT, "write down an incident", _W, _L, _S),
    "incident.work": on(_INCIDENT, "tell of an incident, review and close it", _L, _S),
    "feedback.read": on(_GIVEN, "read what people say of us", _L, _S, _Q),
    "feedback.work": on(_GIVEN, "give it themes, choose quotations", _L, _S, _Q),
    "feedback.record": on(_GIVEN, "write down what somebody said by another way", _W, _L, _S),
    "change.read": on(_COUNCIL, "see what was done about it", _W, _L, _S, _Q, _C),
    "change.work": on(_COUNCIL, "write what was done about it", _L, _S, _Q),
    "group.read": on(_COUNCIL, "see what carers' groups raised", _W, _L, _S, _Q),
    "group.write": on(_COUNCIL, "write down what carers' groups raised", _W, _L, _S, _Q),
    # what people may ask of what we keep about them, how long it is kept, who else was told
    "right.log": on(_GIVEN, "write down what somebody asks of what we keep", _W, _L, _S),
    "right.read": on(_GIVEN, "see what was asked, and by when it is owed", _W, _L, _S),
    "right.work": on(_GIVEN, "answer it, make the file they are given", _L, _S),
    "right.sign": on(_GIVEN, "sign a file that somebody else prepared", _L, _S),
    "retention.work": on(_CASE, "look through what has been kept long enough, hold it", _L, _S),
    "retention.approve": on(_CASE, "agree that it is erased", _L, _S),
    "disclosure.write": on(_CASE, "write down whom outside we told", _W, _L, _S),
    "agreement.write": on(_COUNCIL, "write down agreements about telling each other", _L, _S),
    "handed_on.read": on(_COUNCIL, "see what was handed on", _W, _L, _S, _Q, _C),
    # reports: aggregates; the exact figures could name somebody in a small group
    "report.read": on(_COUNCIL, "read reports, small numbers protected", _W, _L, _S, _Q, _C),
    "report.exact": on(_COUNCIL, "read exact figures", _L),
    "report.behind": on(_CASE, "see what a figure counts, and what to put right", _L, _S),
    "report.prepare": on(_COUNCIL, "check, comment, present, restate reports", _L),
    "report.sign": on(_COUNCIL, "sign a report, never one they checked", _L),
    "report.supply": on(_COUNCIL, "hand in figures that are counted elsewhere", _L, _A),
    "report.template": on(_COUNCIL, "the council's own Word documents", _L, _A),
    "triage.review": on(_CASE, "how well messages are read, and which were misread", _L),
    "sample.read": on(_COUNCIL, "read what a lead said of one's own work", _W, _L, _S),
    "sample.write": on(_COUNCIL, "say what was good in a colleague's work, and what to try", _L),
    "overview.read": on(_COUNCIL, "who carries what, exact numbers of the week", _L),
    "promises.read": on(_COUNCIL, "how each worker's own promises went", _L),
    # the council's own page: what it reads, asks and agrees with us
    "portal.read": on(_COUNCIL, "the council's own page", _C, _L),
    "review.write": on(_COUNCIL, "hold reviews, write what is agreed there", _C, _L),
    "question.read": on(_COUNCIL, "read what the council asked", _C, _L),
    "question.ask": on(_COUNCIL, "ask about a figure", _C),
    "question.write": on(_COUNCIL, "answer about a figure", _C, _L),
    "measure.propose": on(_COUNCIL, "propose a measure, agree to the other side's", _C, _L),
    # who else helps, what our people may do, what can be shown and what is owed
    "partner.read": on(_COUNCIL, "see who else helps", _W, _L, _S),
    "partner.verify": on(_COUNCIL, "say that a partner's entry is still right", _W, _L, _S),
    "partner.write": on(_COUNCIL, "write the list of partners", _L, _S),
    "paper.manage": on(_COUNCIL, "the papers of our own people", _L, _A),
    "evidence.read": on(_COUNCIL, "read what can be shown", _W, _L, _S, _Q),
    "evidence.write": on(_COUNCIL, "write down what can be shown", _W, _L, _S, _Q),
    "evidence.take_back": on(_COUNCIL, "take back what somebody else wrote", _L),
    "obligation.read": on(_COUNCIL, "see what is owed", _W, _L, _S, _Q, _A),
    "obligation.write": on(_COUNCIL, "write and give what is owed", _L, _A),
    "more.read": on(_HOUSE, "see what else there is", _W, _L, _S, _Q, _A),
    # what of a contract may change while it runs
    "settings.write": on(_COUNCIL, "change what may change while a contract runs", _L, _A),
    # who may sign in, and the machine
    "user.manage": on(_HOUSE, "add people, end their access", _A),
    "user.ways": on(_HOUSE, "who is here, and how alerts reach each", _L, _A),
    "restore.release": on(_COUNCIL, "let go what a restored copy was about to send", _L, _A),
    "contract.export": on(_COUNCIL, "take everything of a council away as files", _L),
    "audit.read": on(_HOUSE, "the audit trail: codes, numbers and who", _L, _S, _A),
    "reading.settle": on(_COUNCIL, "say what unusual reading was", _L, _S),
    "start.work": on(_COUNCIL, "see what is still to be set up, try a way in", _L, _A),
    "running.manage": on(_HOUSE, "the loops, and what broke one: nothing personal", _L, _A),
    "permissions.read": on(_HOUSE, "see who may do what", _L, _S, _A),
    "session.own": on(_OWN, "see and end one's own sign-ins", *Role),
    # the only thing that a session of one factor may, where two are required
    "factor.own": on(_OWN, "set up, change and take away one's own second factors", *Role),
}


class Needs(StrEnum):
    """What a command of the command line needs. There nobody signs in: whoever may run it on the
    machine and holds what it needs may do it, and what it changes leaves an event."""

    NOTHING = "nothing: it looks at no data"
    DATABASE = "the database: it changes tables or counts rows and opens nothing sealed"
    KEYS = "the keys: it may open everything, so they belong to those who run the machine"


COMMANDS: Final[dict[str, Needs]] = {
    "serve": Needs.KEYS,
    "practice": Needs.NOTHING,  # the same
    "demo": Needs.NOTHING,  # invented people, a database and keys of its own
    "migrate": Needs.DATABASE,
    "move": Needs.DATABASE,  # sealed values go over as they are
    "check": Needs.DATABASE,
    "ready": Needs.KEYS,
    "key": Needs.NOTHING,
    "user add": Needs.KEYS,
    "shift": Needs.KEYS,
    "import people": Needs.KEYS,
    "import cases": Needs.KEYS,
    "import figures": Needs.KEYS,
    "report quarter": Needs.KEYS,
    "report annual": Needs.KEYS,
    "report other": Needs.KEYS,
    "report releases": Needs.KEYS,
    "report template": Needs.NOTHING,
    "triage": Needs.NOTHING,
    "audit verify": Needs.KEYS,
    "audit export": Needs.KEYS,
    "audit accept": Needs.KEYS,
    "keys new": Needs.NOTHING,
    "keys rotate": Needs.KEYS,
    "keys check": Needs.KEYS,
    "backup": Needs.KEYS,
    "restore": Needs.KEYS,
    "release": Needs.KEYS,
    "export contract": Needs.KEYS,
}
"""Every command, by what is typed; one without a line here keeps the command line from starting."""


def undeclared(commands: Iterable[str]) -> list[str]:
    """Those of the commands that no line says anything of."""
    return [name for name in commands if name not in COMMANDS]


def may(actor: Actor, action: str, contract_key: str | None = None) -> bool:
    """Whether `actor` may do `action` in that contract; None asks about the action alone.

    An action that is not in the table is nobody's.
    """
    line = ALLOWED.get(action)
    if line is None or actor.role not in line.roles:
        return False
    return contract_key is None or actor.contract is None or actor.contract == contract_key


def require(actor: Actor, action: str, contract_key: str | None = None) -> None:
    """Raises NotAllowed with a sentence fit to be shown."""
    if not may(actor, action, contract_key):
        raise NotAllowed(
            "Your sign-in does not allow this. If you need it for your work, ask your team lead."
        )


def opened_for(actor: Actor, action: str) -> frozenset[int]:
    """Ids of the cases on which they may do `action` only because they opened them in an
    emergency."""
    line = ALLOWED.get(action)
    return actor.opened if line is not None and line.by_glass else frozenset()


def as_for(actor: Actor, action: str) -> Actor:
    """The same person as far as `action` goes: for most of them nothing is open in an emergency."""
    opened = opened_for(actor, action)
    return actor if opened == actor.opened else replace(actor, opened=opened)
