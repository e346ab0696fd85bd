"""Contract files that are wrong: every fault is named by file, key and reason, all at once.

The start and `helpline check` rely on this; whatever stands in a file, it is loaded or refused with
a sentence.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from helpline.contract import ContractProblems, Problem, load_contracts

FOLDER = Path(__file__).parents[1] / "contracts"


def _essex_text() -> str:
    return (FOLDER / "essex.toml").read_text(encoding="utf-8")


def _folder(tmp_path: Path, **files: str) -> Path:
    shutil.copy(FOLDER / "essex_outcodes.csv", tmp_path)
    for beside in ("calendars", "pathway", "measures"):
        shutil.copytree(FOLDER / beside, tmp_path / beside, dirs_exist_ok=True)
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def _problems(folder: Path) -> list[Problem]:
    with pytest.raises(ContractProblems) as raised:
        load_contracts(folder)
    problems = raised.value.problems
    assert all(problem.file and problem.reason.endswith((".", "?")) for problem in problems)
    return problems


OWN = """[[own_measures]]
code = "own"
name = "Own"
question = "How many?"
counts = "{}"
where = {{ {} }}
[disclosure]"""
SHARE = OWN.format("cases", "").replace("[disc", 'of = ["evidence"]\n[disc')
TWICE = OWN.format("cases", "").replace("[disclosure]", OWN.format("cases", ""))
BROKEN = [
    # what stands in the file, what is put there, the key named, a part of the reason
    ("start = 2017-08-01", "", "term.start", "missing"),
    ("start = 2017-08-01", 'start = "August"', "term.start", "a date like 2017-08-01"),
    ("start = 2017-08-01", "start = 2017-08-01T00:00:00", "term.start", "a date"),
    ("start = 2017-08-01", "begin = 2017-08-01", "term.begin", "no contract has such a key"),
    ("end = 2022-07-31", "end = 2016-07-31", "term.end", "must be after the first"),
    ("extension_end = 2024-07-31", "extension_end = 2021-07-31", "term.extension_end", "after"),
    ('after_end = "warn"', 'after_end = "shrug"', "term.after_end", "'warn' or 'refuse'"),
    ('key = "essex"', 'key = "Essex County"', "key", "small letters"),
    ('reference_prefix = "ESX"', 'reference_prefix = "E"', "reference_prefix", "capital"),
    ('reference_prefix = "ESX"', 'reference_prefix = "ESSEX"', "reference_prefix", "capital"),
    ('zone = "Europe/London"', 'zone = "Europe/Essex"', "zone", "not a time zone"),
    ('zone = "Europe/London"', 'zone = "../../etc"', "zone", "not a time zone"),
    ("year_starts_month = 8", "year_starts_month = 13", "year_starts_month", "at most 12"),
    ("year_starts_month = 8", 'year_starts_month = "8"', "year_starts_month", "whole number"),
    ("limit = 24", "limit = 0", "clocks[0].limit", "more than 0"),
    ('us = "Essex carers\' helpline"', "", "called.us", "missing"),
    (
        'every = "quarter"\namount = 10',
        'every = "quarter"\nsince = 2020-01-01\nuntil = 2019-12-31\namount = 10',
        "obligations[0].until",
        "before since",
    ),
    (
        'every = "quarter"\namount = 10',
        'every = "quarter"\nskips_last_of_month = true\namount = 10',
        "obligations[0].skips_last_of_month",
        "every “week”",
    ),
    ("limit = 24", 'limit = "24"', "clocks[0].limit", "without quotes"),
    ("limit = 24", "limits = 24", "clocks[0].limits", "Is limit meant?"),
    ('clock = "lado_notice"', 'clock = "lado"', "notices[0].clock", "there is no clock"),
    (
        'against = ["ecc_corporate_outcome_4"',
        'against = ["outcome_4"',
        "reports[0].lines[3].against[0]",
        "no named outcome",
    ),
    ('clock = "lado_notice"', 'clock = "allocation"', "notices[0].clock", "must start with"),
    ('answer_clock = "notice_answer"\n', "", "notices[0].chases", "it needs answer_clock"),
    ("[12, 20, 23]", "[20, 12, 23]", "clocks[0].warn_after_hours", "ascend"),
    ("[12, 20, 23]", "[12, 20, 24]", "clocks[0].warn_after_hours", "before the limit of 24"),
    ('stops = "human_reply"', 'stops = "referral_answer"', "clocks[0].stops", "ours = true"),
    ('stops = "human_reply"', 'stops = "robot"', "clocks[0].stops", "'human_reply'"),
    ('code = "allocation"', 'code = "first_response"', "clocks[1].code", "already the code"),
    ('quadrant = "north"', 'quadrant = "east"', "teams[0].quadrant", "north, mid, south, west"),
    ('groups = ["foster_carer"]', 'groups = ["fosterer"]', "teams[0].groups[0]", "no group"),
    ('signpost = "fosterline"', 'signpost = "nobody"', "exclusions[0].signpost", "no signpost"),
    ('group = "foster_carer"', 'group = "carer"', "populations[0].group", "no group"),
    ("count = 822", "count = -1", "populations[0].count", "at least 0"),
    ("count = 822", "count = 822.5", "populations[0].count", "whole number"),
    ('unit = "people"', 'unit = "houses"', "populations[0].unit", "'people'"),
    ('code = "north"', 'code = "mid"', "quadrants[1].code", "already the code of quadrants[0]"),
    ('"Maldon"]', '"Maldon", "Colchester"]', "quadrants[1].districts[3]", "belongs to north"),
    ('channels = ["sms", ', 'channels = ["voice", ', "methods[3].channels[0]", "telephone"),
    ('channels = ["sms", ', "channels = [", "methods", "“sms”"),
    ('code = "unknown"\nname = "Not known o', 'code = "odd"\nname = "o', "groups", "unknown"),
    ('"SMS message"', '"Phone"', "methods[3].synonyms[2]", "already means telephone"),
    ('"SMS message"', '"?!"', "methods[3].synonyms[2]", "no letter"),
    ('code = "health"', 'code = "healthy"', "reasons", "“health”"),
    ('code = "finance.tax"', 'code = "money.tax"', "reasons[2].parts[1].code", "“finance.”"),
    ('code = "finance.tax"', 'code = "tax"', "reasons[2].parts[1].code", "wrong shape"),
    ('menu = "Legal"', 'menu = "Legal help"', "reasons[1].menu", "“help”"),
    ('menu = "Legal"', 'menu = "Stop"', "reasons[1].menu", "“Stop”"),
    ('menu = "Legal"', 'menu = "L’egal"', "reasons[1].menu", "plain letters"),
    ('line = "Police, if', 'line = "STOP. Police, if', "signposts[7].line", "“STOP”"),
    ('line = "Police, if', f'line = "{"x" * 160}Police, if', "signposts[7].line", "160"),
    ('contact = "0345 606 1212"', 'contact = "0845 606 1212"', "signposts[1].contact", "0845"),
    ('contact = "0345 606 1212"', 'contact = "+44 845 6061212"', "signposts[1].contact", "money"),
    ('rule = "Covered', 'rule = "0845 606 1212', "age_limit.rule", "money"),
    ('rule = "Covered', 'rule = "08456061212', "age_limit.rule", "money"),
    ('verify = "Number, address', 'source = "Number', "signposts[3].last_verified", "checked"),
    ('recipient = "eds"', 'recipient = "moon"', "duty_rota.recipient", "no signpost “moon”"),
    ('recipients = ["head_of', 'recipients = ["queen", "head_of', "reports[0].recipients[0]", "no"),
    ('title = "Quarterly', 'meeting = "tea"\ntitle = "Quarterly', "reports[0].meeting", "“tea”"),
    ('"allocation.met"', '"allocation.luck"', "reports[0].lines[2].measures[6]", "not a measure"),
    ('by = [[], ["quadrant"]', 'by = [[], ["shoes"]', "reports[0].lines[0].by", "cut by shoes"),
    ('rungs = ["on_call"', 'rungs = ["the cat"', "ladder.rungs[0]", "'on_call', 'backup'"),
    ("closes = 16:30:00", "closes = 08:30:00", "office_hours.days[4].closes", "later"),
    ("applies = true", 'applies = "yes"', "disclosure.applies", "true or false"),
    ('every = "year", never_by', "never_by", "disclosure.allegations.every", "missing"),
    (
        'never_by = ["quadrant"]',
        'never_by = ["moon"]',
        "disclosure.allegations.never_by[0]",
        "'quadrant'",
    ),
    (
        'title = "Annual report"\nevery = "year"',
        'title = "Annual report"\nevery = "quarter"',
        "disclosure.allegations.every",
        "no report",
    ),
    (', whole = "the whole county" }', " }", "disclosure.allegations.whole", "missing"),
    ('name = "Samaritans"', 'name = " "', "signposts[3].name", "not be empty"),
    ('holidays = "england"', 'holidays = "wales"', "calendar.holidays", "there is: england"),
    ("limit = 24", "limit = 24\ntarget = 24", "clocks[0].target", "before the limit"),
    ('unit = "elapsed_hours"', 'unit = "fortnights"', "clocks[0].unit", "must be"),
    ('starts = "receipt"', 'starts = "full moon"', "clocks[0].starts", "must be"),
    ('starts = "receipt"', 'starts = "promise"', "clocks[0].starts", "its own time"),
    ('starts = "receipt"', 'starts = "meeting"', "clocks[0].unit", "only with it"),
    ("limit = 24", 'limit = 24\nonly_reasons = ["x"]', "clocks[0].only_reasons[0]", "no reason"),
    ("limit = 24", "limit = 24\nday_ends = 01:30:00", "clocks[0].day_ends", "06:00:00"),
    (
        'limit = 24\nwarn_after_hours = [12, 20, 23]\nunit = "elapsed_hours"',
        'limit = 1.5\nunit = "working_days"',
        "clocks[0].limit",
        "counted whole",
    ),
    ('file = "essex_outcodes.csv"', 'file = "none.csv"', "postcodes.file", "cannot be read"),
    ('file = "essex_outcodes.csv"', 'file = "../a.csv"', "postcodes.file", "beside the contract"),
    ("[disclosure]", OWN.format("cases", 'incident = ["x"]'), "measures.own", "cut or chosen"),
    ("[disclosure]", OWN.format("cases", 'kind = ["x"]'), "measures.own", "there is no kind “x”"),
    ("[disclosure]", SHARE, "measures.own", "not about people"),
    ("[disclosure]", TWICE, "own_measures[3].code", "already the code"),
    ('key = "essex"', 'key = "essex"\nfile = "x"', "file", "take it out"),
    ('key = "essex"', 'key = "essex"\nkey = "essex"', "", "not TOML"),
    ('key = "essex"', "key = ", "", "not TOML"),
]


@pytest.mark.parametrize(("old", "new", "key", "reason"), BROKEN)
def test_what_is_wrong_is_named_by_file_key_and_reason(
    tmp_path: Path, old: str, new: str, key: str, reason: str
) -> None:
    text = _essex_text()
    assert old in text, "the example no longer fits the file"
    problems = _problems(_folder(tmp_path, essex=text.replace(old, new, 1)))
    assert all(problem.file == "essex.toml" for problem in problems)
    named = [problem.reason for problem in problems if problem.key == key]
    assert any(reason in one for one in named), problems


def test_the_same_count_twice_for_one_day_is_named(tmp_path: Path) -> None:
    text = _essex_text()
    first = text.index("[[populations]]")
    block = text[first : text.index("[[populations]]", first + 1)]
    [problem] = _problems(_folder(tmp_path, essex=text + "\n" + block))
    assert (problem.key, "populations[0]" in problem.reason) == ("populations[5]", True)
    later = block.replace("2016-12-31", "2026-09-30")
    assert load_contracts(_folder(tmp_path, essex=text + "\n" + later))


def test_no_signpost_first_is_named(tmp_path: Path) -> None:
    text = _essex_text().replace("first_answer = true", "first_answer = false")
    [problem] = _problems(_folder(tmp_path, essex=text))
    assert (problem.key, "first_answer" in problem.reason) == ("signposts", True)


def test_everything_wrong_in_every_file_is_named_at_once(tmp_path: Path) -> None:
    first = _essex_text().replace("start = 2017-08-01", "", 1).replace("= 822", '= "many"', 1)
    first = first.replace('menu = "Legal"', 'menu = "Info"')
    second = "this is no contract"
    third = _essex_text().replace('zone = "Europe/London"', 'zone = "Mars"')
    problems = _problems(_folder(tmp_path, a=first, b=second, c=third))
    assert {(problem.file, problem.key) for problem in problems} == {
        *(("a.toml", "term.start"), ("a.toml", "populations[0].count")),
        *(("a.toml", "reasons[1].menu"), ("b.toml", ""), ("c.toml", "zone")),
        *(("c.toml", "key"), ("c.toml", "reference_prefix")),  # a.toml has them already
    }


def test_two_contracts_live_side_by_side(tmp_path: Path) -> None:
    second = _essex_text().replace('key = "essex"', 'key = "elsewhere"', 1)
    second = second.replace('reference_prefix = "ESX"', 'reference_prefix = "ELS"')
    contracts = load_contracts(_folder(tmp_path, one=_essex_text(), two=second))
    assert {key: contract.file for key, contract in contracts.items()} == {
        "essex": "one.toml",
        "elsewhere": "two.toml",
    }


@pytest.mark.parametrize("name", ["key", "reference_prefix"])
def test_two_contracts_share_neither_key_nor_prefix(tmp_path: Path, name: str) -> None:
    second = _essex_text().replace('key = "essex"', 'key = "elsewhere"', 1)
    second = second.replace('reference_prefix = "ESX"', 'reference_prefix = "ELS"')
    same = {"key": ('key = "elsewhere"', 'key = "essex"'), "reference_prefix": ('"ELS"', '"ESX"')}
    second = second.replace(*same[name])
    [problem] = _problems(_folder(tmp_path, one=_essex_text(), two=second))
    assert (problem.file, problem.key) == ("two.toml", name)
    assert "one.toml" in problem.reason


def test_a_folder_without_contracts_is_named(tmp_path: Path) -> None:
    assert "no contract" in _problems(tmp_path)[0].reason
    assert "cannot be read" in _problems(tmp_path / "nowhere")[0].reason


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (folder / "essex.toml").write_bytes(b"\xff\xfe key = 1")
    assert "UTF-8" in _problems(folder)[0].reason
    (folder / "essex.toml").unlink()
    (folder / "essex.toml").mkdir()
    assert "cannot be read" in _problems(folder)[0].reason


@pytest.mark.parametrize(
    ("line", "where", "reason"),
    [
        ("CO99,1,x,1,x,Atlantis=3", "line 87", "Atlantis"),
        ("CO99,1,x,1,x,Colchester", "line 87", "not an area"),
        ("CO99,1,x,1,x,Colchester=many", "line 87", "not an area"),
    ],
)
def test_a_postcode_of_nowhere_is_named_by_its_line(
    tmp_path: Path, line: str, where: str, reason: str
) -> None:
    folder = _folder(tmp_path, essex=_essex_text())
    with (folder / "essex_outcodes.csv").open("a", encoding="utf-8") as table:
        table.write(line + "\n")
    [problem] = _problems(folder)
    assert (problem.file, problem.key) == ("essex_outcodes.csv", where)
    assert reason in problem.reason


def test_a_postcode_file_without_its_columns_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path, essex=_essex_text())
    (folder / "essex_outcodes.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    [problem] = _problems(folder)
    assert (problem.file, problem.key) == ("essex_outcodes.csv", "line 1")


JUNK = (
    '""',
    '"x"',
    '"STOP"',
    '"0845 606 1212"',
    "0",
    "-1",
    "3.5",
    "true",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
)


def _spoilt(text: str, chance: random.Random) -> str:
    """The file with one line lost, doubled, or its value replaced, as a careless hand would."""
    lines = text.splitlines()
    at = chance.choice([i for i, line in enumerate(lines) if line.strip()])
    spoil = chance.choice(["lose", "double", "replace", "replace", "replace"])
    if spoil == "lose":
        del lines[at]
    elif spoil == "double":
        lines.insert(at, lines[at])
    else:
        lines[at] = lines[at].partition("=")[0] + "= " + chance.choice(JUNK)
    return "\n".join(lines)


def test_no_spoilt_file_breaks_the_reader(tmp_path: Path) -> None:
    """Each of 300 spoilt copies loads or is refused with a sentence; nothing else is raised."""
    chance = random.Random(22)
    text = _essex_text()
    refused = 0
    for _ in range(300):
        folder = _folder(tmp_path, essex=_spoilt(text, chance))
        try:
            load_contracts(folder)
        except ContractProblems as problems:
            refused += 1
            assert problems.problems
    assert refused > 150


def test_a_problem_can_be_shown_and_sent() -> None:
    problem = Problem("essex.toml", "clocks[0].limit_hours", "it is missing.")
    assert str(problem) == "essex.toml: clocks[0].limit_hours: it is missing."
    assert json.loads(json.dumps(vars(problem)))["key"] == "clocks[0].limit_hours"


HOLIDAYS = [
    ("day = 2026-12-28", "day = 2026-12-26", "holidays[23].day", "at a weekend"),
    ("day = 2026-12-28", "day = 2026-12-25", "holidays[23].day", "stands here twice"),
    ("day = 2026-12-28", "day = 2031-12-29", "holidays[23].day", "not between first and last"),
    ("last = 2028-12-31", "last = 2023-12-31", "last", "later than first"),
    ("last = 2028-12-31", "end = 2028-12-31", "last", "missing"),
    ("day = 2026-12-28", 'day = "28 December"', "holidays[23].day", "a date like"),
]


@pytest.mark.parametrize(("right", "wrong", "key", "reason"), HOLIDAYS)
def test_a_wrong_bank_holiday_is_named_by_its_own_file(
    tmp_path: Path, right: str, wrong: str, key: str, reason: str
) -> None:
    folder = _folder(tmp_path, essex=_essex_text())
    table = folder / "calendars" / "england.toml"
    table.write_text(table.read_text("utf-8").replace(right, wrong, 1), encoding="utf-8")
    found = [problem for problem in _problems(folder) if problem.key == key]
    assert [problem.file for problem in found] == ["england.toml"], _problems(folder)
    assert reason in found[0].reason
