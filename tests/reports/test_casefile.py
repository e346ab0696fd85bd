"""A case's record on paper: whatever somebody wrote comes out whole, as text, in a file that screen
readers can read; and nobody's name stands there who must not be named."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from helpline.contract import Contract
from helpline.desk import casefile_pdf
from helpline.desk.casefile import Entry
from helpline.desk.record import Chronology, Line, Sheet
from helpline.models import Case, Person
from helpline.reports import letters, typeset

NOW = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
KINDS = ("fact", "opinion", "own_words", "decision")


def note(body: str, kind: str = "fact", **more: Any) -> Line:
    late = more.pop("late_by", None)
    beside = {"corrected_by": more.pop("corrected_by", ()), "comments": more.pop("comments", ())}
    entry = Entry(NOW, (1, 1), "note", True, "Wasim", body, note_kind=kind, **more)
    return Line(entry, late, **beside)


def sheet(
    essex: Contract, lines: Sequence[Line] = (), name: str = "Carol Ashby", whole: bool = False
) -> Sheet:
    return Sheet(
        contract=essex,
        case=Case(reference="ESX-B7CD4F", contract="essex", person_id=1, method="t", opened_at=NOW),
        person=Person(contract="essex", name=name, created_at=NOW),
        worker="Wasim",
        people=[SimpleNamespace(role="partner", name=name, group="household_member")],  # type: ignore[list-item]
        chronology=Chronology(lines, (), False),
        has_wall=True,
        is_whole=whole,
        printed_by=name,
        printed_at=NOW,
    )


def made_here(made: Sheet) -> bytes:
    """As `render` does, in this process, and without its second try."""
    values = casefile_pdf.data(made, letters.lines)
    return typeset.typeset(casefile_pdf.TEMPLATE, json.dumps(values))


HOSTILE = {
    "markup": '#panic("x") #read("/etc/passwd") $x^2$ *b* \\ @ref <label> ` // /* = head \n- a',
    "signs": "😟 she wrote 👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽 then nothing",
    "from the right": "مرحبا هذا نص ٹکڑا لوگ طويل " * 40 + "שלום עולם " * 200,
    "no letters for it": "我很好 ਪੰਜਾਬੀ বাংলা 한국어 and English",
    "controls": "a\x07b\u200f\u202eevil\u2066\u00ad\ufeff\ue000\ud800\u2028c",
    "accents piled": "Z" + "\u0337\u0300" * 5000,
    "one long word": "w" * 20_000,
    "long": "ab " * 6667,
    "nothing": " \n \n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_whatever_somebody_wrote_can_be_printed(essex: Contract, text: str) -> None:
    lines = [note(text, kind, reason=text, whose=text[:100]) for kind in KINDS]
    made = made_here(sheet(essex, lines, name=text[:120]))
    assert made.startswith(b"%PDF")
    assert b"pdfuaid:part" in made


def test_every_letter_said_to_be_shown_has_a_shape(essex: Contract) -> None:
    def shown() -> Iterator[str]:
        for first, last in letters.SHOWN:
            yield from (chr(code) for code in range(first, last + 1))

    text = " ".join(char for char in shown() if letters._is_shown(char, letters.SHOWN))
    assert len(text) > 7_000
    made_here(sheet(essex, [note(text)]))


async def test_three_hundred_entries_and_none(essex: Contract) -> None:
    body = "She rang and told me what the school had said to her that day. " * 8
    many = [note(f"{number}: {body}", KINDS[number % 4]) for number in range(300)]
    assert len(await casefile_pdf.render(sheet(essex, many, whole=True))) > 100_000
    for whole in (True, False):
        assert made_here(sheet(essex, whole=whole)).startswith(b"%PDF")


async def test_a_file_that_screen_readers_could_not_read_is_not_made(essex: Contract) -> None:
    values = casefile_pdf.data(sheet(essex), letters.lines)
    values["person"] = [{"rtl": False, "of": [{"text": "中"}]}]
    with pytest.raises(casefile_pdf.CannotSet):
        await casefile_pdf.typeset(values)


def test_corrections_comments_and_lateness_are_beside_what_they_are_about(essex: Contract) -> None:
    said = SimpleNamespace(kind="disagreement", who=None, said_at=NOW, by="Wasim", body="I do not")
    later = note("on the 13th").entry
    line = note(
        "on the 12th",
        late_by=timedelta(hours=24),
        written_at=NOW + timedelta(days=4),
        corrected_by=[later],
        comments=[said],
    )
    made = sheet(essex, [line], whole=True)
    printed = casefile_pdf.data(made, letters.lines)["lines"][0]
    assert printed["late"] == "4 days"
    assert printed["corrected_by"][0]["body"][0]["of"] == [{"text": "on the 13th"}]
    assert printed["comments"][0]["kind"] == "disagreement"
    made_here(made)


@pytest.mark.parametrize(
    ("role", "group", "name", "said"),
    [
        ("alleged_by", "unknown", "Tyler Marsh", ""),
        ("alleged_by", "unknown", "child A", "child A"),
        ("alleged_by", "professional", "Dr Amin", "Dr Amin"),
        ("alleged_by", "own_child", "Ben Ashby", "Ben Ashby"),
        ("partner", "unknown", "Ben Ashby", "Ben Ashby"),
        ("alleged_by", "gone_from_the_contract", "Tyler Marsh", ""),
    ],
)
def test_who_might_be_a_fostered_child_is_not_named(
    essex: Contract, role: str, group: str, name: str, said: str
) -> None:
    assert casefile_pdf.named(essex, role, group, name) == said


# --- letters -------------------------------------------------------------------------------------


def pieces(text: str) -> list[dict[str, Any]]:
    (line,) = letters.lines(text)
    return list(line["of"])


def test_a_sign_without_a_shape_is_said() -> None:
    assert pieces("so 😟😟 tired") == [
        {"text": "so "},
        {"sign": "worried face", "times": 2},
        {"text": " tired"},
    ]


def test_words_in_letters_we_have_not_are_counted() -> None:
    assert pieces("she said ਪੰਜਾਬੀ ਬੋਲੀ twice") == [
        {"text": "she said"},
        {"words": 2, "script": "Gurmukhi"},
        {"text": "twice"},
    ]


def test_plain_letters_are_the_last_resort() -> None:
    (line,) = letters.plain_lines("Łucja שלום ✓")
    assert line["of"] == [
        {"text": "Łucja"},
        {"words": 1, "script": "Hebrew"},
        {"sign": "check mark", "times": 1},
    ]


def test_what_turns_the_direction_of_reading_is_gone() -> None:
    assert pieces("safe\u202e txt.exe\u2066") == [{"text": "safe txt.exe"}]
    assert [line["rtl"] for line in letters.lines("hello שלום\nשלום hello\n12")] == [
        False,
        True,
        False,
    ]


def test_a_word_longer_than_a_line_may_be_broken() -> None:
    (piece,) = pieces("x" * 100)
    assert piece["text"].replace(letters.BREAK, "") == "x" * 100
    assert max(map(len, piece["text"].split(letters.BREAK))) == letters.LONGEST_RUN
