"""What the environment may say. A refusal is one sentence that names the variable and never prints
what was in it: a token must not end up in a log because it was mistyped."""

import re

import pytest
from pydantic import ValidationError

from helpline.db import checked_url
from helpline.errors import InvalidInput
from helpline.main import build, real_channels
from helpline.settings import Settings, read_settings
from tests import folders
from tests.keys import TEST_KEY

SECRET = "hunter2-do-not-print"
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC0",
    "TWILIO_AUTH_TOKEN": SECRET,
    "TWILIO_NUMBERS": "essex=+447700900000",
}
MAIL = {
    "SMTP_URL": f"smtps://carers%40mail.example:{SECRET}@mail.example",
    "IMAP_URL": f"imaps://carers%40mail.example:{SECRET}@mail.example",
}
REFUSED = {
    "a public address without a scheme": ({"PUBLIC_URL": f"{SECRET}.example"}, "PUBLIC_URL"),
    "a public address of another kind": ({"PUBLIC_URL": f"ftp://{SECRET}"}, "PUBLIC_URL"),
    "a key that is too short": ({"KEYS": SECRET}, "KEYS"),
    "a key that is no base64": ({"KEYS": f"{TEST_KEY},{SECRET}é"}, "KEYS"),
    "an empty Twilio token": (TWILIO | {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN"),
    "a blank Twilio token": (TWILIO | {"TWILIO_AUTH_TOKEN": "  "}, "TWILIO_AUTH_TOKEN"),
    "no number for Twilio": (TWILIO | {"TWILIO_NUMBERS": ""}, "TWILIO_NUMBERS"),
    "a number without a contract": (TWILIO | {"TWILIO_NUMBERS": "+447700900000"}, "TWILIO_NUMBERS"),
    "a contract without a number": (TWILIO | {"TWILIO_NUMBERS": "essex="}, "TWILIO_NUMBERS"),
    "a WhatsApp sender of another contract": (
        TWILIO | {"TWILIO_WHATSAPP_NUMBERS": "other=+447700900000"},
        "TWILIO_WHATSAPP_NUMBERS",
    ),
    "a number that is none": (TWILIO | {"TWILIO_NUMBERS": f"essex={SECRET}"}, "TWILIO_NUMBERS"),
    "one number twice": (
        TWILIO | {"TWILIO_NUMBERS": "essex=+447700900000,other=+447700900000"},
        "TWILIO_NUMBERS",
    ),
    "Telegram without a secret": ({"TELEGRAM_TOKEN": SECRET}, "TELEGRAM_SECRET"),
    "Telegram with a blank secret": (
        {"TELEGRAM_TOKEN": SECRET, "TELEGRAM_SECRET": " "},
        "TELEGRAM_SECRET",
    ),
    "mail out and no mailbox": ({"SMTP_URL": f"smtps://u:{SECRET}@h"}, "IMAP_URL"),
    "a mailbox and no mail out": (MAIL | {"SMTP_URL": ""}, "SMTP_URL"),
    "a mailbox whose user is no address": (MAIL | {"IMAP_URL": "imaps://me:x@h"}, "MAILBOXES"),
    "a mailbox that is no address": (MAIL | {"MAILBOXES": f"essex={SECRET}"}, "MAILBOXES"),
    "one mailbox twice": (MAIL | {"MAILBOXES": "essex=a@b.example,other=A@b.example"}, "MAILBOXES"),
}


@pytest.fixture(autouse=True)
def nothing_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("HELPLINE_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_one_sentence_that_names_the_variable(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, named = REFUSED[case]
    for name, value in variables.items():
        monkeypatch.setenv(f"HELPLINE_{name}", value)
    with pytest.raises(InvalidInput) as refused:
        read_settings()
    sentence = str(refused.value)
    assert f"HELPLINE_{named}" in sentence
    assert "\n" not in sentence
    assert SECRET not in sentence
    assert refused.value.__cause__ is None  # pydantic's own error would print the values
    assert refused.value.__suppress_context__


def test_two_faults_are_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPLINE_PUBLIC_URL", "nowhere")
    monkeypatch.setenv("HELPLINE_KEYS", SECRET)
    with pytest.raises(InvalidInput, match=r"HELPLINE_PUBLIC_URL .*; HELPLINE_KEYS .*"):
        read_settings()


def test_with_nothing_set_everything_has_a_sound_value() -> None:
    settings = read_settings()
    assert settings.database_url.startswith("sqlite:///")
    assert settings.key_list == []
    assert settings.numbers == {}


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert re.fullmatch(r".+[.]", field.description), name


def test_settings_do_not_change_after_the_start() -> None:
    with pytest.raises(ValidationError):
        read_settings().public_url = "http://elsewhere.example"


def test_printing_the_settings_shows_no_secret() -> None:
    secret = dict.fromkeys(("twilio_auth_token", "telegram_token", "telegram_secret"), SECRET) | {
        "smtp_url": MAIL["SMTP_URL"],
        "imap_url": MAIL["IMAP_URL"],
    }
    settings = Settings(database_url=f"postgresql://u:{SECRET}@h/d", keys=TEST_KEY, **secret)
    assert SECRET not in f"{settings!r} {settings}"
    assert TEST_KEY not in f"{settings!r} {settings}"


def test_the_public_address_has_no_slash_at_its_end() -> None:
    settings = Settings(public_url="https://helpline.example/")
    assert settings.public_url == "https://helpline.example"


def test_numbers_belong_to_contracts_both_ways() -> None:
    settings = Settings(twilio_numbers=" essex=+447700900000 , other=+447700900001,")
    assert settings.numbers == {"+447700900000": "essex", "+447700900001": "other"}
    assert settings.number_of == {"essex": "+447700900000", "other": "+447700900001"}


def test_with_one_contract_the_mailbox_is_its_user() -> None:
    settings = Settings(smtp_url=MAIL["SMTP_URL"], imap_url=MAIL["IMAP_URL"])
    assert settings.mail_addresses == ["carers@mail.example"]
    assert settings.mail_from("essex") == "carers@mail.example"


def test_mailboxes_belong_to_contracts_both_ways() -> None:
    listed = "essex=Carers@mail.example, other=more@mail.example"
    settings = Settings(smtp_url=MAIL["SMTP_URL"], imap_url=MAIL["IMAP_URL"], mailboxes=listed)
    assert settings.mailbox_contracts == {
        "carers@mail.example": "essex",
        "more@mail.example": "other",
    }
    assert settings.mail_from("other") == "more@mail.example"
    assert settings.mail_from("third") == ""


def test_keys_are_read_newest_first_with_or_without_padding() -> None:
    other = "A" * 43
    assert Settings(keys=f"{TEST_KEY}, {other}").key_list == [
        b"the key that only the tests use!",
        bytes(32),
    ]


def test_with_mail_configured_there_is_a_mailbox_to_read() -> None:
    settings = Settings(smtp_url=MAIL["SMTP_URL"], imap_url=MAIL["IMAP_URL"])
    assert set(real_channels(settings)) == {"email"}


def test_whatsapp_leaves_from_its_own_sender_where_there_is_one() -> None:
    both = "essex=+447700900000,other=+447700900001"
    settings = Settings(twilio_numbers=both, twilio_whatsapp_numbers=" other=+447700900002 ")
    assert settings.whatsapp_from("essex") == "+447700900000"
    assert settings.whatsapp_from("other") == "+447700900002"
    assert settings.whatsapp_from("third") == ""
    assert settings.every_number["+447700900002"] == "other"
    assert set(settings.numbers) == {"+447700900000", "+447700900001"}  # these can be rung


# --- what only shows when a house is built -------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"keys": ""}, "HELPLINE_KEYS"),
        ({"twilio_numbers": "elsewhere=+447700900000"}, "HELPLINE_TWILIO_NUMBERS"),
        (
            {"twilio_whatsapp_numbers": "elsewhere=+447700900000"},
            "HELPLINE_TWILIO_WHATSAPP_NUMBERS",
        ),
        ({"contracts": "/nonexistent"}, "contract"),
        (
            {"mailboxes": "elsewhere=a@b.example"},
            "HELPLINE_MAILBOXES",
        ),
        (
            {"smtp_url": f"ftp://u:{SECRET}@h", "imap_url": f"imaps://a%40b.example:{SECRET}@h"},
            "HELPLINE_SMTP_URL",
        ),
        ({"database_url": f"mysql://u:{SECRET}@h/d"}, "HELPLINE_DATABASE_URL"),
    ],
)
def test_a_house_is_not_built_on_unsafe_settings(values: dict[str, str], named: str) -> None:
    safe = {"keys": TEST_KEY, "contracts": str(folders.essex())}
    settings = Settings(**(safe | values))  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as refused:
        build(settings)
    assert named in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["", "helpline.db", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "::::", "http://h"]
)
def test_a_database_that_cannot_be_used_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(InvalidInput, match="sqlite:///") as refused:
        checked_url(url)
    assert "HELPLINE_DATABASE_URL" in str(refused.value)
