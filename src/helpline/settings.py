"""What the surroundings decide: read once from the environment at start, then frozen.

Every field's description is what `.env.example` and the README say of it. Anything unsafe (no keys
outside the demo, a half-configured provider) stops the start with one sentence.
"""

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from helpline.errors import InvalidInput

_HERE = Path(__file__).parent


def _folder(name: str) -> Path:
    """`contracts` or `templates`: inside the package in a wheel, beside src/ in a checkout."""
    inside = _HERE / name
    return inside if inside.is_dir() else _HERE.parents[1] / name


TEMPLATES = _folder("templates")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
MAILBOX_OF_CONTRACT = re.compile(r"[a-z0-9_-]+=[^\s@=,+]+@[A-Za-z0-9.-]+")
NUMBER_OF_CONTRACT = re.compile(r"[a-z0-9_-]+=\+[1-9][0-9]{6,14}")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="HELPLINE_", frozen=True, extra="ignore", str_strip_whitespace=True
    )

    database_url: str = Field(
        "sqlite:///var/helpline.db",
        description="Where everything is kept: sqlite:///path or postgresql://user:password@host/name.",
        repr=False,
    )
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="The address people and providers use, without a path; signatures cover it.",
    )
    keys: str = Field(
        "",
        description="Comma list of base64url 32-byte keys; the first seals, all of them open.",
        repr=False,
    )
    contracts: Path = Field(
        _folder("contracts"), description="The folder with one TOML file a contract."
    )
    twilio_account_sid: str = Field(
        "", description="Twilio account; empty: no SMS, WhatsApp and telephone."
    )
    twilio_auth_token: str = Field(
        "", description="Twilio's primary token: signs and is checked.", repr=False
    )
    twilio_numbers: str = Field(
        "", description="Comma list contract=+44…: which number belongs to which contract."
    )
    twilio_whatsapp_numbers: str = Field(
        "",
        description="Comma list contract=+44…: the WhatsApp senders, where they are not the "
        "numbers above.",
    )
    twilio_api_url: str = Field(
        "", description="Another address for Twilio's API: a fake or a proxy."
    )
    telegram_token: str = Field("", description="The bot's token; empty: no Telegram.", repr=False)
    telegram_secret: str = Field(
        "", description="The secret header Telegram sends with every update.", repr=False
    )
    telegram_api_url: str = Field("", description="Another address for Telegram's API.")
    telegram_contract: str = Field(
        "",
        description="With several contracts: whose case it is when somebody first writes to the "
        "bot without a contract's own link (t.me/BOT?start=CONTRACT).",
    )
    smtp_url: str = Field(
        "", description="smtp(s)://user:password@host:port for mail out.", repr=False
    )
    imap_url: str = Field(
        "", description="imap(s)://user:password@host:port for mail in.", repr=False
    )
    mailboxes: str = Field(
        "",
        description="Comma list contract=address: which mail address belongs to which contract; "
        "with one contract it may be empty, then it is the mailbox's user.",
    )
    heartbeat_url: str = Field(
        "", description="Called every minute while all is well; empty: never."
    )
    backup_key: str = Field(
        "",
        description="A base64url 32-byte key of its own, under which copies of the database are "
        "encrypted.",
        repr=False,
    )
    backup_dir: Path | None = Field(
        None, description="The folder for a copy a day, seven of which stay; empty: none is made."
    )
    second_factor: str = Field(
        "",
        description="required or offered; empty: required where HELPLINE_PUBLIC_URL is https and "
        "not this very machine.",
    )
    oidc_issuer: str = Field(
        "",
        description="The organisation's own sign-in (OpenID Connect): its issuer; empty: none.",
    )
    oidc_client_id: str = Field("", description="Who we are to that sign-in.")
    oidc_client_secret: str = Field("", description="What proves it to that sign-in.", repr=False)
    audit_to: str = Field(
        "",
        description="Comma list of mail addresses that get the end of the audit trail once a day.",
    )
    audit_file: Path | None = Field(
        None, description="A file, best on another machine, to which that line is appended."
    )
    embed_origins: str = Field(
        "", description="Comma list of https:// origins whose pages may show the chat; empty: none."
    )
    practice_url: str = Field(
        "",
        description="Where new workers practise (`helpline practice`); the console links to it.",
    )
    exit_url: str = Field(
        "https://www.bbc.co.uk/weather",
        description="The harmless page that takes the place of the chat when somebody leaves fast.",
    )

    @field_validator("public_url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("keys")
    @classmethod
    def _whole_keys(cls, value: str) -> str:
        for number, key in enumerate(filter(None, value.split(",")), 1):
            if len(_key_bytes(key)) != 32:
                raise ValueError(f"key {number} is not 32 bytes of base64url")
        return value

    @field_validator("backup_key")
    @classmethod
    def _whole_backup_key(cls, value: str) -> str:
        if value and len(_key_bytes(value)) != 32:
            raise ValueError("is not 32 bytes of base64url: `helpline key` makes one")
        return value

    @field_validator("backup_dir", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        return value or None

    @field_validator("audit_to")
    @classmethod
    def _whole_addresses(cls, value: str) -> str:
        for number, one in enumerate(filter(None, map(str.strip, value.split(","))), 1):
            if not MAILBOX_OF_CONTRACT.fullmatch(f"x={one}"):
                raise ValueError(f"entry {number} does not look like name@example.org")
        return value

    @field_validator("twilio_numbers", "twilio_whatsapp_numbers")
    @classmethod
    def _whole_pairs(cls, value: str) -> str:
        pairs = [pair.strip() for pair in value.split(",") if pair.strip()]
        for number, pair in enumerate(pairs, 1):
            if not NUMBER_OF_CONTRACT.fullmatch(pair):
                raise ValueError(f"entry {number} does not look like contract=+447700900000")
        if len({pair.partition("=")[2] for pair in pairs}) < len(pairs):
            raise ValueError("gives one number to two contracts")
        return ",".join(pairs)

    @field_validator("mailboxes")
    @classmethod
    def _whole_mailboxes(cls, value: str) -> str:
        pairs = [pair.strip() for pair in value.lower().split(",") if pair.strip()]
        for number, pair in enumerate(pairs, 1):
            if not MAILBOX_OF_CONTRACT.fullmatch(pair):
                raise ValueError(f"entry {number} does not look like contract=name@example.org")
        if len({pair.partition("=")[2] for pair in pairs}) < len(pairs):
            raise ValueError("gives one address to two contracts")
        return ",".join(pairs)

    @field_validator("second_factor")
    @classmethod
    def _known_word(cls, value: str) -> str:
        if value not in ("", "required", "offered"):
            raise ValueError("must be required or offered, or empty")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(value))
        if value and not (is_safe and parts.hostname and not parts.query and not parts.fragment):
            raise ValueError("must begin with https:// and have no query")
        return value

    @field_validator("embed_origins")
    @classmethod
    def _whole_origins(cls, value: str) -> str:
        origins = [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        for number, origin in enumerate(origins, 1):
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"entry {number} does not look like https://www.example.org")
        return ",".join(origins)

    @field_validator("practice_url")
    @classmethod
    def _whole_practice(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @field_validator("exit_url")
    @classmethod
    def _whole_exit(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _nothing_half_configured(self) -> "Settings":
        if self.twilio_account_sid and not self.twilio_auth_token:
            raise ValueError(
                "HELPLINE_TWILIO_ACCOUNT_SID is set but HELPLINE_TWILIO_AUTH_TOKEN is empty: "
                "with an empty token anybody could post messages"
            )
        if self.twilio_account_sid and not self.numbers:
            raise ValueError("HELPLINE_TWILIO_NUMBERS must name a number for each contract")
        if any(self.numbers.get(n, c) != c for n, c in self.whatsapp_numbers.items()):
            raise ValueError(
                "HELPLINE_TWILIO_WHATSAPP_NUMBERS gives a number to another contract than "
                "HELPLINE_TWILIO_NUMBERS does"
            )
        if self.telegram_token and not self.telegram_secret:
            raise ValueError(
                "HELPLINE_TELEGRAM_TOKEN is set but HELPLINE_TELEGRAM_SECRET is empty: "
                "without it anybody could post messages"
            )
        if len({bool(self.oidc_issuer), bool(self.oidc_client_id)}) > 1 or (
            bool(self.oidc_issuer) != bool(self.oidc_client_secret)
        ):
            raise ValueError(
                "HELPLINE_OIDC_ISSUER, HELPLINE_OIDC_CLIENT_ID and HELPLINE_OIDC_CLIENT_SECRET "
                "belong together: set all three or none"
            )
        if self.audit_to and not self.smtp_url:
            raise ValueError("HELPLINE_AUDIT_TO needs HELPLINE_SMTP_URL: no letter leaves else")
        if bool(self.smtp_url) != bool(self.imap_url):
            raise ValueError(
                "HELPLINE_SMTP_URL and HELPLINE_IMAP_URL belong together: with one of them mail "
                "would go out and never be read, or be read and never answered"
            )
        if self.backup_dir and not self.backup_key:
            raise ValueError(
                "HELPLINE_BACKUP_DIR is set but HELPLINE_BACKUP_KEY is empty: no copy could be made"
            )
        if self.backup_key and self.backup_key_bytes in self.key_list:
            raise ValueError(
                "HELPLINE_BACKUP_KEY must be another key than those in HELPLINE_KEYS: whoever may "
                "look after copies must not be able to read them"
            )
        if self.imap_url and not self.mail_addresses:
            raise ValueError(
                "HELPLINE_MAILBOXES must name the mailbox's address: the user in "
                "HELPLINE_IMAP_URL is none"
            )
        return self

    @property
    def second_factor_required(self) -> bool:
        """Whether whoever has no second factor may do nothing but set one up."""
        if self.second_factor:
            return self.second_factor == "required"
        return self.public_url.startswith("https://") and not is_loopback(self.public_url)

    @property
    def audit_addresses(self) -> list[str]:
        """Who gets the end of the audit trail once a day."""
        return [one.strip() for one in self.audit_to.split(",") if one.strip()]

    @property
    def key_list(self) -> list[bytes]:
        """The sealing keys, newest first; empty only in the demo, which makes its own."""
        return [_key_bytes(key) for key in self.keys.split(",") if key]

    @property
    def backup_key_bytes(self) -> bytes:
        """The key of copies; empty where none is given."""
        return _key_bytes(self.backup_key)

    @property
    def numbers(self) -> dict[str, str]:
        """Our telephone number → contract key."""
        pairs = (pair.partition("=") for pair in self.twilio_numbers.split(",") if pair)
        return {number: contract for contract, _, number in pairs}

    @property
    def whatsapp_numbers(self) -> dict[str, str]:
        """Our WhatsApp sender → contract key, where it is listed apart."""
        pairs = (pair.partition("=") for pair in self.twilio_whatsapp_numbers.split(",") if pair)
        return {number: contract for contract, _, number in pairs}

    @property
    def every_number(self) -> dict[str, str]:
        """Whatever number somebody wrote to → contract key."""
        return self.whatsapp_numbers | self.numbers

    def whatsapp_from(self, contract: str) -> str:
        """The number that WhatsApp messages of this contract leave from: its WhatsApp sender, else
        its telephone number."""
        listed = {key: number for number, key in self.whatsapp_numbers.items()}
        return listed.get(contract) or self.number_of.get(contract, "")

    @property
    def mailbox_contracts(self) -> dict[str, str]:
        """Our mail address → contract key."""
        pairs = (pair.partition("=") for pair in self.mailboxes.split(",") if pair)
        return {address: contract for contract, _, address in pairs}

    @property
    def mail_addresses(self) -> list[str]:
        """Our mail addresses: those listed, else the user of the mailbox where that is one."""
        user = unquote(urlsplit(self.imap_url).username or "").lower()
        listed = list(self.mailbox_contracts)
        return listed or ([user] if MAILBOX_OF_CONTRACT.fullmatch(f"x={user}") else [])

    def mail_from(self, contract: str) -> str:
        """The address that letters of this contract leave from; empty where it has none."""
        listed = self.mailbox_contracts
        if not listed:
            return next(iter(self.mail_addresses), "")
        return next((address for address, key in listed.items() if key == contract), "")

    @property
    def number_of(self) -> dict[str, str]:
        """Contract key → the number its messages leave from."""
        return {contract: number for number, contract in self.numbers.items()}


def is_loopback(url: str) -> bool:
    """Whether the address is this very machine."""
    name = urlsplit(url).hostname or ""
    return name in ("localhost", "::1") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", name))


def read_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises InvalidInput naming each variable and what is wrong."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # values come from the environment
    except ValidationError as wrong:
        lines = [_sentence(error) for error in wrong.errors(include_input=False, include_url=False)]
        raise InvalidInput("; ".join(lines) + ".") from None  # the original would print the values


def _sentence(error: object) -> str:
    assert isinstance(error, dict)
    name = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    return f"HELPLINE_{name.upper()} {text}" if name else text


def _key_bytes(key: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(key.strip() + "=" * (-len(key.strip()) % 4))
    except (binascii.Error, ValueError):
        return b""
