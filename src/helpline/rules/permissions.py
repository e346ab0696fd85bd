"""Who may do what: one table of actions and roles, denied unless it stands here.

The route table of web/app.py names an action per route, and desk functions ask again before they
change anything. Pure: it knows an actor and a contract's key, never a request or a database.
"""

from dataclasses import dataclass
from typing import Final

from helpline.errors import NotAllowed
from helpline.vocabulary import Role


@dataclass(frozen=True)
class Actor:
    """Somebody who is signed in. `contract` None: staff of the provider, on all its contracts."""

    user_id: int
    name: str
    role: Role
    contract: str | None


_WORKER, _LEAD, _COMMISSIONER, _ADMIN = Role.WORKER, Role.LEAD, Role.COMMISSIONER, Role.ADMIN
_SAFE, _COMPLAINTS = Role.SAFEGUARDING, Role.COMPLAINTS

ALLOWED: Final[dict[str, frozenset[Role]]] = {
    # cases: those who work on them, and nobody who pays for or administers them
    "case.read": frozenset({_WORKER, _LEAD, _SAFE}),
    "case.reply": frozenset({_WORKER, _LEAD, _SAFE}),
    "case.call": frozenset({_WORKER, _LEAD, _SAFE}),
    "case.allocate": frozenset({_WORKER, _LEAD, _SAFE}),  # to oneself
    "case.allocate_others": frozenset({_LEAD, _SAFE}),
    "case.close": frozenset({_WORKER, _LEAD, _SAFE}),
    "case.reopen": frozenset({_WORKER, _LEAD, _SAFE}),
    "case.triage": frozenset({_WORKER, _LEAD, _SAFE}),  # choose the reason and the urgency
    "note.write": frozenset({_WORKER, _LEAD, _SAFE}),
    "task.finish": frozenset({_WORKER, _LEAD, _SAFE}),
    "task.give": frozenset({_WORKER, _LEAD, _SAFE}),
    "plan.write": frozenset({_WORKER, _LEAD, _SAFE}),
    "case.transfer": frozenset({_LEAD, _SAFE}),  # hands what we know to another council's contract
    "alert.acknowledge": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),
    "block.manage": frozenset({_LEAD, _ADMIN}),  # look at, lift and extend; masked addresses
    "tray.read": frozenset({_WORKER, _LEAD, _SAFE}),
    "tray.clear": frozenset({_WORKER, _LEAD, _SAFE}),
    "people.read": frozenset({_WORKER, _LEAD, _SAFE}),
    "search.use": frozenset({_WORKER, _LEAD, _SAFE}),
    "rota.read": frozenset({_WORKER, _LEAD, _SAFE, _ADMIN}),
    "rota.own": frozenset({_WORKER, _LEAD, _SAFE}),  # swap, be away, hand over, follow by calendar
    "rota.write": frozenset({_LEAD}),  # put people on call
    "register.manage": frozenset({_LEAD, _ADMIN}),  # the council's monthly list
    "eligibility.override": frozenset({_LEAD}),  # decide otherwise than the rules, with a reason
    "case.link": frozenset({_LEAD, _SAFE}),  # put up a wall between two cases, or take it down
    "duty.write": frozenset({_WORKER, _LEAD, _SAFE}),  # notices, interviews, outcomes, dates
    "pathway.write": frozenset({_WORKER, _LEAD, _SAFE}),  # what was alleged, and how far it is
    # what members are given: the library, gatherings, news they agreed to, the policies
    "library.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),
    "library.write": frozenset({_LEAD, _SAFE, _COMPLAINTS}),
    "gathering.read": frozenset({_WORKER, _LEAD, _SAFE}),
    "gathering.book": frozenset({_WORKER, _LEAD, _SAFE}),
    "gathering.manage": frozenset({_LEAD, _SAFE}),
    "news.write": frozenset({_WORKER, _LEAD, _SAFE}),  # drafts, and who agreed to get any
    "news.send": frozenset({_LEAD}),
    "proof.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),
    "proof.send": frozenset({_LEAD, _COMPLAINTS}),
    # registers: nobody reads a complaint about themself (desk/seeing.py), nobody takes a line away
    "complaint.log": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),  # and compliments
    "complaint.read": frozenset({_LEAD, _SAFE, _COMPLAINTS}),
    "complaint.work": frozenset({_LEAD, _SAFE, _COMPLAINTS}),
    "incident.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),
    "incident.log": frozenset({_WORKER, _LEAD, _SAFE}),
    "incident.work": frozenset({_LEAD, _SAFE}),  # tell, review, close
    "feedback.read": frozenset({_LEAD, _SAFE, _COMPLAINTS}),
    "feedback.work": frozenset({_LEAD, _SAFE, _COMPLAINTS}),  # themes and quotations
    "feedback.record": frozenset({_WORKER, _LEAD, _SAFE}),  # what somebody said by another way
    "change.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS, _COMMISSIONER}),
    "change.work": frozenset({_LEAD, _SAFE, _COMPLAINTS}),  # what the council reads of changes
    "group.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),  # what carers' groups raised
    "group.write": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS}),
    "handed_on.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS, _COMMISSIONER}),
    # reports: aggregates; the exact figures could name somebody in a small group
    "report.read": frozenset({_WORKER, _LEAD, _SAFE, _COMPLAINTS, _COMMISSIONER}),
    "report.exact": frozenset({_LEAD}),
    "report.behind": frozenset({_LEAD, _SAFE}),  # what a figure counts, and what to put right
    "report.prepare": frozenset({_LEAD}),  # check, comment, present, restate
    "report.sign": frozenset({_LEAD}),  # never by whoever checked it
    "report.supply": frozenset({_LEAD, _ADMIN}),  # figures that are counted elsewhere
    "report.template": frozenset({_LEAD, _ADMIN}),  # the council's own Word documents
    "triage.review": frozenset({_LEAD}),  # how well messages are read, and which were misread
    "overview.read": frozenset({_LEAD}),  # who carries what, and exact numbers of the week
    "promises.read": frozenset({_LEAD}),  # how each worker's own promises went
    # the council's own page: what it reads, asks and agrees with us
    "portal.read": frozenset({_COMMISSIONER, _LEAD}),
    "review.write": frozenset({_COMMISSIONER, _LEAD}),  # reviews, and what is agreed there
    "question.read": frozenset({_COMMISSIONER, _LEAD}),
    "question.ask": frozenset({_COMMISSIONER}),
    "question.write": frozenset({_COMMISSIONER, _LEAD}),
    "measure.propose": frozenset({_COMMISSIONER, _LEAD}),  # and agree to the other side's
    # who may sign in
    "user.manage": frozenset({_ADMIN}),
    "user.ways": frozenset({_LEAD, _ADMIN}),  # who is here, and how each is reached by alerts
    "running.manage": frozenset({_LEAD, _ADMIN}),  # the loops, and what broke one: nothing personal
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
    # who may sign in, and the machine
    "user.manage": on(_HOUSE, "add people, end their access", _A),
    "user.ways": on(_HOUSE, "who is here, and how alerts reach each", _L, _A),
    "restore.release": on(_COUNCIL, "let go what a restored copy was about to send", _L, _A),
    "contract.export": on(_COUNCIL, "take everything of a council away as files", _L),
    "audit.read": on(_HOUSE, "the audit trail: codes, numbers and who", _L, _S, _A),
    "reading.settle": on(_COUNCIL, "say what unusual reading was", _L, _S),
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
    "demo": Needs.NOTHING,  # invented people, a database and keys of its own
    "migrate": Needs.DATABASE,
    "move": Needs.DATABASE,  # sealed values go over as they are
    "check": Needs.DATABASE,
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
    "keys new": Needs.NOTHING,
    "keys rotate": Needs.KEYS,
    "keys check": Needs.KEYS,
    "backup": Needs.KEYS,
    "restore": Needs.KEYS,
    "release": Needs.KEYS,
    "export contract": Needs.KEYS,
}


def may(actor: Actor, action: str, contract_key: str | None = None) -> bool:
    """Whether `actor` may do `action` in that contract; None asks about the action alone.

    An action that is not in the table is nobody's.
    """
    if actor.role not in ALLOWED.get(action, frozenset()):
        return False
    return contract_key is None or actor.contract is None or actor.contract == contract_key


def require(actor: Actor, action: str, contract_key: str | None = None) -> None:
    """Raises NotAllowed with a sentence fit to be shown."""
    if not may(actor, action, contract_key):
        raise NotAllowed(
            "Your sign-in does not allow this. If you need it for your work, ask your team lead."
        )
