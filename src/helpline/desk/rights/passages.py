"""Everything kept about one person as a list of passages, each with what a person might want to
leave out of it: what desk/rights/access.py makes the file of.

Only their own record is gathered: a partner's, or anybody's in whose case they only have a part, is
not even mentioned. Read only; whoever asks has the right to prepare it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from helpline.contract import Contract
from helpline.desk import casefile, casefile_pdf, record
from helpline.desk.filing import reading
from helpline.desk.rights import about_them
from helpline.desk.rights.about_them import Fact
from helpline.models import Case, Contact, Event, Part, Person, User
from helpline.rules import redaction
from helpline.rules.permissions import Actor
from helpline.vocabulary import ContactKind, Direction, NoteKind, PassageReason

READING: Final = ("case.read", "record.taken", "attachment.read")
LOOK: Final = {
    "What was alleged": "It may tell what a child or somebody else said.",
    "Incidents": "It may be about somebody else too.",
    "Legal cover and advice": "A lawyer's advice to us is not theirs to have; advice to them is.",
}
"""Chapters of which every passage is looked at by a person, and why."""


@dataclass(frozen=True)
class Passage:
    """One thing that is kept. `key`: a digest of what it says, by which a decision finds it again.
    `look`: why a person has to look at it though no name was found."""

    key: str
    at: datetime | date | None
    head: str
    by: str
    text: str
    suggestion: redaction.Suggestion
    look: str = ""
    is_shut: bool = False
    """Part of it is read only by who works on the case: they have to prepare it."""

    @property
    def is_plain(self) -> bool:
        """Nothing speaks against showing it."""
        return not self.suggestion.names and self.suggestion.reason is None and not self.look


@dataclass(frozen=True)
class Section:
    title: str
    passages: Sequence[Passage]


@dataclass(frozen=True)
class Gathered:
    """All of it, and the cases it was taken from: to gather them is to read them."""

    sections: Sequence[Section]
    cases: Sequence[Case]
    also_in: int = 0
    """In how many cases of others they have a part: for whoever prepares it, never for the file."""

    @property
    def passages(self) -> list[Passage]:
        return [one for section in self.sections for one in section.passages]


@dataclass
class _Made:
    """What passages are made with, and those made so far: none has the key of another."""

    own: str
    others: frozenset[str]
    keys: set[str] = field(default_factory=set)

    def passage(
        self,
        place: str,
        at: datetime | date | None,
        head: str,
        text: str,
        by: str = "",
        *,
        look: str = "",
        is_of_another: bool = False,
        key: str = "",
    ) -> Passage:
        """`key`: what it is known by where its words change, like how often somebody read."""
        said = redaction.suggest(text, self.others, self.own, is_of_another=is_of_another)
        key = _digest(place, key) if key else _digest(place, str(at), head, text)
        while key in self.keys:  # the same words at the same moment are two passages all the same
            key = _digest(key)
        self.keys.add(key)
        is_shut = reading.NOT_YOURS in text
        return Passage(key, at, head, by, text, said, look, is_shut)


async def gather(
    session: AsyncSession, contract: Contract, person: Person, by: Actor, now: datetime
) -> Gathered:
    """Everything kept about `person`, in the order in which they read it."""
    cases = await cases_of(session, person)
    others = await about_them.names_of_others(session, person, [one.id or 0 for one in cases])
    made = _Made(person.name or "", frozenset(others))
    sections = [
        _facts_section("Who you are to us", await about_them.facts(session, contract, person), made)
    ]
    for case in cases:
        sections += await _of_case(session, contract, case, by, now, made)
    sections += [
        await _written_elsewhere(session, person, made),
        _facts_section(
            "What you agreed to, and what you were told",
            await about_them.agreed(session, person),
            made,
        ),
        _facts_section(
            "Complaints, thanks and what you said of us",
            await about_them.said_of_us(session, contract, person),
            made,
        ),
        _facts_section(
            "Who else was told something about you",
            await about_them.told_others(session, contract, person),
            made,
        ),
        await _readers(session, cases, made),
    ]
    kept = [one for one in sections if one.passages]
    return Gathered(kept, cases, await _parts_elsewhere(session, person))


def _facts_section(title: str, facts: Iterable[Fact], made: _Made) -> Section:
    return Section(
        title, [made.passage(title, one.at, one.head, one.text, one.by) for one in facts]
    )


# --- a case ---------------------------------------------------------------------------------------


async def _of_case(
    session: AsyncSession, contract: Contract, case: Case, by: Actor, now: datetime, made: _Made
) -> list[Section]:
    place = f"case {case.reference}"
    told = await record.chronology(session, contract, case, record.EVERYTHING, casefile.MOST)
    what = casefile_pdf.about(case, contract)
    first = made.passage(
        place, case.opened_at, "The case", "\n".join(f"{name}: {said}" for name, said in what)
    )
    lines = [first]
    for line in told.lines:
        lines += _of_line(place, line, made)
    for one in told.comments:
        lines.append(_of_comment(place, one, made))
    found = [Section(f"Case {case.reference}: what happened", lines)]
    for chapter in await reading.chapters(session, contract, case, by, now):
        entries = [
            _of_entry(f"{place} {chapter.title}", one, made, LOOK.get(chapter.title, ""))
            for one in chapter.entries
        ]
        found.append(Section(f"Case {case.reference}: {_small(chapter.title)}", entries))
    return found


def _of_line(place: str, line: record.Line, made: _Made) -> list[Passage]:
    entry = line.entry
    head, of_another = _head(entry)
    text = entry.body or str(entry.detail.get("worker") or entry.detail.get("urgency") or "")
    if entry.reason:
        text = f"{text}\nWhy: {entry.reason}"
    by = entry.by or ""
    found = [made.passage(place, entry.at, head, text, by, is_of_another=of_another)]
    return [*found, *(_of_comment(place, one, made) for one in line.comments)]


def _head(entry: casefile.Entry) -> tuple[str, bool]:
    """What it is, in words; and whether somebody else than the person said it."""
    if entry.kind == "note":
        is_quoted = entry.note_kind == NoteKind.OWN_WORDS and bool(entry.whose)
        words = {
            NoteKind.FACT: "Note of a fact",
            NoteKind.OPINION: "Note of an opinion",
            NoteKind.DECISION: "A decision",
            NoteKind.OWN_WORDS: f"The words of {entry.whose}" if is_quoted else "Your own words",
        }
        return words.get(NoteKind(entry.note_kind), "Note"), is_quoted
    if entry.kind == ContactKind.CALL:
        return ("We rang" if entry.is_ours else "You rang"), False
    if entry.kind == ContactKind.MESSAGE:
        return ("We wrote" if entry.is_ours else "You wrote"), False
    if entry.kind == "event":
        return entry.event.replace("case.", "case ").replace("_", " ").replace(".", ": "), False
    return "Automatic answer", False


def _of_comment(place: str, one: Any, made: _Made) -> Passage:
    head = f"What {one.who} says to it" if one.who else "What you say to it"
    return made.passage(place, one.said_at, head, one.body, one.by, is_of_another=bool(one.who))


def _of_entry(place: str, entry: reading.Entry, made: _Made, look: str) -> Passage:
    return made.passage(place, entry.at, entry.name, _spelled(entry), entry.by, look=look)


def _spelled(entry: reading.Entry, inner: str = "") -> str:
    """A row of the file with what stands beside it, as lines."""
    lines = [
        f"{inner}{value.label}: {_value(value)}" for value in entry.values if value.person is None
    ]
    for beside in entry.beside:
        lines.append(f"{inner}{beside.name} {about_them.day_words(beside.at)}".rstrip())
        lines.append(_spelled(beside, inner + "  "))
    return "\n".join(line for line in lines if line.strip())


def _value(value: reading.Value) -> str:
    if isinstance(value.said, str):
        return value.said
    return about_them.day_words(value.said)


# --- elsewhere ------------------------------------------------------------------------------------


async def cases_of(session: AsyncSession, person: Person) -> list[Case]:
    """Their own, oldest first."""
    rows = await session.scalars(
        select(Case).where(col(Case.person_id) == person.id).order_by(col(Case.opened_at))
    )
    return list(rows)


async def _written_elsewhere(session: AsyncSession, person: Person, made: _Made) -> Section:
    """What they wrote that stands in somebody else's case: their words, and nothing of the case."""
    rows = await session.scalars(
        select(Contact)
        .join(Case, col(Case.id) == col(Contact.case_id))
        .where(
            col(Contact.person_id) == person.id,
            col(Case.person_id) != person.id,
            col(Contact.direction) == Direction.IN,
        )
        .order_by(col(Contact.at))
        .limit(casefile.MOST)
    )
    title = "What else you wrote to us"
    return Section(
        title, [made.passage(title, one.at, "You wrote", one.body or "") for one in rows]
    )


async def _parts_elsewhere(session: AsyncSession, person: Person) -> int:
    query = (
        select(func.count(func.distinct(col(Part.case_id))))
        .join(Case, col(Case.id) == col(Part.case_id))
        .where(col(Part.person_id) == person.id, col(Case.person_id) != person.id)
    )
    return await session.scalar(query) or 0


async def _readers(session: AsyncSession, cases: Sequence[Case], made: _Made) -> Section:
    """Who of us read their record, how often, first and last."""
    title = "Who of us read your record"
    references = {one.id: one.reference for one in cases}
    rows = await session.execute(
        select(
            col(Event.case_id),
            col(User.shown_name),
            func.count(),
            func.min(col(Event.at)),
            func.max(col(Event.at)),
        )
        .join(User, col(User.id) == col(Event.by_user_id))
        .where(col(Event.case_id).in_(references), col(Event.kind).in_(READING))
        .group_by(col(Event.case_id), col(User.shown_name))
        .order_by(func.min(col(Event.at)))
    )
    found = []
    for case_id, name, times, first, last in rows:
        often = "once" if times == 1 else f"{times} times, last {about_them.day_words(last)}"
        text = f"{name} read case {references[case_id]} {often}"
        found.append(made.passage(title, first, "Read", text, key=f"{references[case_id]} {name}"))
    return Section(title, found)


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


REASON_WORDS: Final = {
    PassageReason.THIRD_PARTY: "it is about somebody else",
    PassageReason.PRIVILEGE: "it is between a lawyer and those they advise",
    PassageReason.SERIOUS_HARM: "it could do serious harm to somebody",
    PassageReason.CHILD_ABUSE: "the law keeps it from whoever is said to have harmed a child",
    PassageReason.CRIME: "it could get in the way of preventing or looking into a crime",
}
