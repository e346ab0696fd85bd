"""Where a matter stands, what is done first, what a locked screen may show, the pathway's file."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from helpline.contract import ContractProblems, load_contracts
from helpline.contract.pathway import PathwayTable, wrong
from helpline.rules.pathway import ToDo, first_days, gives_away, here, to_ask
from helpline.vocabulary import Track

CONTRACTS = Path(__file__).parents[2] / "contracts"
AWARE = datetime(2026, 12, 25, 21, 40, tzinfo=UTC)
LIST = (
    ToDo("safe", "Is anybody in danger?", "The first 15 minutes", 0, 0.25),
    ToDo("ring", "Ring them", "The first hour", 0.25, 1),
    ToDo("explain", "Explain", "Up to 4 hours", 1, 4),
)
STAGES = ["reported", "lado", "strategy", "panel"]


@cache
def table() -> PathwayTable:
    found = load_contracts(CONTRACTS)["essex"].path
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("minutes", "done", "places"),
    [
        (0, (), ["safe now", "ring later", "explain later"]),
        (15, (), ["safe now", "ring now", "explain later"]),
        (16, (), ["safe overdue", "ring now", "explain later"]),
        (61, ("safe",), ["ring overdue", "explain now", "safe done"]),
        (600, ("ring",), ["safe overdue", "explain overdue", "ring done"]),
    ],
)
def test_what_is_overdue_stands_first_and_what_is_done_last(
    minutes: int, done: tuple[str, ...], places: list[str]
) -> None:
    now = AWARE + timedelta(minutes=minutes)
    lines = first_days(LIST, dict.fromkeys(done, AWARE), AWARE, now)
    assert [f"{line.to_do.code} {line.place}" for line in lines] == places


def test_the_clock_change_takes_no_minute_from_the_list() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    (line,) = first_days(LIST[2:], {}, night, night)
    assert line.due_at - night == timedelta(hours=4)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, (None, "reported")),
        ({"reported": "reached"}, ("reported", "lado")),
        ({"reported": "reached", "lado": "skipped"}, ("reported", "strategy")),
        ({"strategy": "reached"}, ("strategy", "panel")),
        ({"strategy": "not_reached", "lado": "reached"}, ("lado", "strategy")),
        ({"panel": "reached"}, ("panel", None)),
    ],
)
def test_here_is_the_furthest_that_was_reached_and_next_what_is_not_skipped(
    states: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    assert here(STAGES, states) == expected


def test_what_nobody_asked_for_yet_is_asked_first() -> None:
    states = {"a": "told", "b": "asked", "c": "not_told"}
    assert to_ask(["a", "b", "c", "d"], states) == ["c", "d", "b"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("The ALLEGATION against you", "allegation"),
        ("what child  A\nsaid to the police", "child a"),
        ("We were told that somebody accuses you", "accus"),
        ("Write down times, names and numbers.", None),
        ("If a child needs social care tonight, ring this.", None),
    ],
)
def test_a_locked_screen_is_not_told_what_it_is_about(text: str, word: str | None) -> None:
    assert gives_away(text) == word


def test_each_track_has_its_words_its_stages_and_its_list() -> None:
    found = table()
    for track in Track:
        assert found.track(track).test
        assert found.stages_of(track)[0].code == "reported"
    assert found.stages_of(Track.UNKNOWN) == found.stages_of(Track.ALLEGATION)
    assert "lado" not in {stage.code for stage in found.stages_of(Track.STANDARDS)}
    codes = {one.code for one in found.to_dos(Track.STANDARDS)}
    assert "ask_solicitor" not in codes
    assert "ask_solicitor" in {one.code for one in found.to_dos(Track.UNKNOWN)}


def test_everything_in_the_file_says_where_it_comes_from_and_when_somebody_looked() -> None:
    found = table()
    for one in (found, *found.tracks, *found.stages):
        assert one.source
        assert one.last_verified or one.verify


def test_every_form_has_its_must_not() -> None:
    for at in ("words", "track", "stages", "told", "list", "sending", "couple"):
        assert table().must_not(at), at  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("there", "instead", "key", "reason"),
    [
        ('after = "reported"', 'after = "panel"', "stages[1].after", "comes before"),
        ('code = "strategy"', 'code = "lado"', "stages", "twice"),
        ("to_hours = 0.25", "to_hours = 0", "phases[0].to_hours", "ascend"),
        ("limit = 1\n", "", "stages[1].limit", "belong together"),
        ('code = "complaint"', 'code = "grumble"', "tracks[2].code", "is not possible"),
        ('usual = "at once"', 'usually = "at once"', "stages[0].usually", "no contract has"),
    ],
)
def test_a_fault_in_the_file_is_named_by_file_and_key(
    tmp_path: Path, there: str, instead: str, key: str, reason: str
) -> None:
    text = (CONTRACTS / "pathway" / "england.toml").read_text("utf-8")
    assert there in text
    (tmp_path / "pathway").mkdir()
    (tmp_path / "pathway" / "england.toml").write_text(text.replace(there, instead, 1), "utf-8")
    for name in ("essex.toml", "essex_outcodes.csv", "calendars/england.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((CONTRACTS / name).read_bytes())
    with pytest.raises(ContractProblems) as raised:
        load_contracts(tmp_path)
    said = [(one.file, one.key) for one in raised.value.problems if reason in one.reason]
    assert ("pathway/england.toml", key) in said


def test_the_file_as_it_is_has_no_fault() -> None:
    assert list(wrong(table())) == []
