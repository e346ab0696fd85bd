"""Whether a helpline is ready: what is missing has its line, its page and its sentence."""

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from helpline.rules import readiness
from helpline.rules.readiness import Colleague, Facts, State, Way

NOW = datetime(2026, 11, 3, 2, 15, tzinfo=UTC)
TODAY = NOW.date()
HOOK = "https://helpline.example/hooks/sms"
WORDS = Path(__file__).parents[2] / "templates/messages/en/start.toml"
SMS = Way("sms", True, "+44", "well", HOOK, HOOK, "worked", is_needed=True)
STAFF = [
    Colleague(name, role, True, 2, True)
    for name, role in (("L", "lead"), ("S", "safeguarding"), ("W", "worker"), ("D", "worker"))
]
LIVE = Facts(
    public_url="https://helpline.example",
    second_is_required=True,
    key_copy_seen=True,
    term=(date(2026, 1, 1), date(2027, 1, 1)),
    fictional=0,
    doubts=2,
    ways=[SMS, Way("telegram", False)],
    people=STAFF,
    is_anybody_on_call=True,
    first_gap=None,
    has_backup=True,
    backup_dir="/copies",
    backed_up_at=NOW - timedelta(hours=3),
    heartbeat_is_set=True,
    heart_beat_at=NOW - timedelta(minutes=1),
    digest_leaves=True,
    digest_at=NOW - timedelta(hours=3),
    clock_ahead=0.1,
    is_running=True,
)


def missing(facts: Facts) -> list[str]:
    found = readiness.lines(facts, TODAY, NOW)
    return [line.words for line in found if line.state is State.NOT_YET]


def test_a_helpline_that_has_everything_is_live() -> None:
    found = readiness.lines(LIVE, TODAY, NOW)
    assert readiness.is_live(found) and readiness.next_of(found) is None
    assert {line.words for line in found if line.state is State.UNUSED} == {"telegram_off"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"public_url": "https://localhost"}, ["address_here"]),
        ({"public_url": "http://helpline.example"}, ["address_open"]),
        ({"is_running": False}, ["running_off"]),
        ({"late_jobs": ["watch"]}, ["running_late"]),
        ({"key_copy_seen": False}, ["keys_not_yet"]),
        ({"fictional": 1}, ["contract_fictional"]),
        ({"term": (TODAY + timedelta(days=1), date(2028, 1, 1))}, ["contract_early"]),
        ({"term": (date(2020, 1, 1), TODAY - timedelta(days=1))}, ["contract_over"]),
        ({"term": (TODAY, TODAY)}, []),
        ({"ways": [Way("sms", False, is_needed=True)]}, ["sms_off"]),
        ({"ways": [replace(SMS, ours="")]}, ["sms_no_address"]),
        ({"ways": [replace(SMS, asked="silent")]}, ["sms_silent"]),
        ({"ways": [replace(SMS, asked="account")]}, ["sms_refused_account"]),
        ({"ways": [replace(SMS, called=None)]}, ["sms_not_ours"]),
        ({"ways": [replace(SMS, called="")]}, ["sms_nowhere"]),
        ({"ways": [replace(SMS, called=f"GET {HOOK}")]}, ["sms_elsewhere"]),
        ({"ways": [replace(SMS, trial="")]}, ["sms_trial_not_yet"]),
        ({"ways": [replace(SMS, trial="stuck")]}, ["sms_trial_stuck"]),
        ({"people": STAFF[1:]}, ["people_no_lead"]),
        ({"people": [STAFF[0], *STAFF[2:]]}, ["people_no_safeguarding"]),
        ({"people": STAFF[:3]}, ["people_few"]),
        ({"people": [*STAFF, Colleague("A", "admin", False, 0, False)]}, ["second_missing"]),
        ({"people": [*STAFF, Colleague("X", "worker", True, 0, False)]}, ["ways_none"]),
        ({"people": [*STAFF, Colleague("X", "worker", True, 1, True)]}, ["ways_one"]),
        ({"people": [*STAFF, Colleague("X", "worker", True, 2, False)]}, ["tried_missing"]),
        ({"second_is_required": False}, ["second_offered"]),
        ({"is_anybody_on_call": False}, ["rota_nobody"]),
        ({"first_gap": NOW + timedelta(days=6)}, ["rota_gap"]),
        ({"has_backup": False}, ["backup_person_not_yet"]),
        ({"backup_dir": ""}, ["backups_off"]),
        ({"backed_up_at": None}, ["backups_none"]),
        ({"backed_up_at": NOW - timedelta(hours=27)}, ["backups_old"]),
        ({"heartbeat_is_set": False}, ["heartbeat_off"]),
        ({"heart_beat_at": NOW - timedelta(minutes=11)}, ["heartbeat_silent"]),
        ({"heart_beat_at": None}, ["heartbeat_silent"]),
        ({"digest_leaves": False}, ["digest_off"]),
        ({"digest_at": NOW - timedelta(hours=27)}, ["digest_none"]),
        ({"clock_ahead": -2.1}, ["clock_off"]),
        ({"clock_ahead": None}, []),
    ],
)
def test_each_thing_that_is_missing_is_named_alone(
    changed: dict[str, object], expected: list[str]
) -> None:
    assert missing(replace(LIVE, **changed)) == expected  # type: ignore[arg-type]


def test_every_line_that_there_can_be_has_its_words() -> None:
    """Every way in every state, and every fault of the table above."""
    texts = tomllib.loads(WORDS.read_text("utf-8"))
    refusals = {"sms": "account", "voice": "account", "telegram": "token", "email": "in"}
    wanted = set()
    for code, trial in product(
        ("sms", "voice", "whatsapp", "telegram", "email"), ("", "stuck", "elsewhere", "worked")
    ):
        hook = HOOK if code in ("sms", "voice", "telegram") else ""
        whole = Way(code, True, "+44", "well", hook, hook, trial, is_needed=code == "sms")
        several = [
            whole,
            replace(whole, is_on=False),
            replace(whole, ours="") if code != "telegram" else whole,
            *(replace(whole, asked=one) for one in ("silent", "unasked")),
            replace(whole, asked=refusals[code]) if code in refusals else whole,
            *([replace(whole, called=one) for one in (None, "", "x")] if hook else []),
        ]
        for way in several:
            found = readiness.lines(replace(LIVE, ways=[way]), TODAY, NOW)
            wanted |= {line.words for line in found} | {f"title_{line.code}" for line in found}
    wanted |= {"email_refused_out", "ways_nobody", *missing(replace(LIVE, people=[]))}
    assert wanted - set(texts) == set()
