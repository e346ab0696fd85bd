"""The organisation's own sign-in: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636),
as OAuth 2.0's best current practice (RFC 9700) wants it.

Called by web/pages/login_provider.py. Everything that leaves goes through one client with limits of
time and size that follows no redirect. Whatever is wrong with an answer is refused with one and the
same sentence; the log says which check it was and nothing of what was in it.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
from aiohttp import web

from helpline import outgoing
from helpline.errors import InvalidInput
from helpline.log import log, where
from helpline.settings import Settings, is_loopback

SCOPE: Final = "openid"
"""Who it is and nothing else: no name, no address."""
SECONDS: Final = aiohttp.ClientTimeout(total=10, connect=4)
LARGEST: Final = 256 * 1024  # bytes of an answer
KNOWN_FOR: Final = 3600.0  # seconds that the provider's own description and keys are believed
AGAIN_AFTER: Final = 60.0  # seconds between two looks for a key that is not there
SIGNED_BY: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
CLOCKS_APART: Final = 60  # seconds
OLDEST: Final = 600  # seconds since the token was made
LONGEST_SUBJECT: Final = 255
STRONG: Final = frozenset({"mfa", "otp", "hwk", "swk", "fpt", "face", "sc", "pop"})
"""Words of RFC 8176 that say that more than a password was asked for."""
REFUSED: Final = (
    "The sign-in of your organisation did not work. Try again, or sign in with your password."
)


class Refused(InvalidInput):
    """One sentence for whoever signs in; `check` is for the log."""

    def __init__(self, check: str) -> None:
        self.check = check
        super().__init__(REFUSED)


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and what must be kept to understand what it brings back."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Proved:
    """Who it is. `is_strong`: more than a password was asked for there. `at`: when they proved it,
    where the provider says so."""

    issuer: str
    subject: str
    is_strong: bool
    at: float | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Whether they proved it for this visit, not some time before it."""
        return self.at is not None and self.at > now.timestamp() - OLDEST


class Provider:
    """One provider. `redirect`: our own address to which it sends browsers back."""

    def __init__(self, issuer: str, client_id: str, secret: str, redirect: str) -> None:
        self.issuer, self._client_id, self._secret = issuer, client_id, secret
        self._redirect = redirect
        self._client: aiohttp.ClientSession | None = None
        self._hosts: set[str] = set()
        self._description: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, list[Any]] | None = None

    async def begin(self, seconds: float, *, again: bool = False) -> Begun:
        """`again`: whoever is signed in there is asked anew who they are."""
        about = await self._about(seconds)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        challenge = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if again:
            asked |= {"prompt": "login", "max_age": "0"}
        at = about["authorization_endpoint"]
        return Begun(f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}", state, nonce, verifier)

    async def prove(
        self,
        given: Mapping[str, str],
        begun: Mapping[str, Any],
        now: datetime,
        seconds: float,
    ) -> Proved:
        """Who came back. `given`: what the browser brought; `begun`: what was kept. Refused for
        everything that is not exactly as it must be."""
        if not secrets.compare_digest(given.get("state", "").encode(), begun["state"].encode()):
            raise Refused("state")
        if "iss" in given and given["iss"] != self.issuer:
            raise Refused("answered_by_another")
        if not given.get("code"):
            raise Refused("no_code")
        token = await self._token(given["code"], begun["verifier"], seconds)
        return await self._checked(token, begun["nonce"], now, seconds)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    # --- the token -------------------------------------------------------------------------------

    async def _checked(self, token: str, nonce: str, now: datetime, seconds: float) -> Proved:
        claims = await self._signed(token, seconds)
        at = now.timestamp()
        audience = claims.get("aud")
        audience = audience if isinstance(audience, list) else [audience]
        subject = claims.get("sub")
        checks = {
            "issuer": claims.get("iss") == self.issuer,
            "audience": self._client_id in audience,
            "party": len(audience) == 1 or claims.get("azp") == self._client_id,
            "party_named": claims.get("azp", self._client_id) == self._client_id,
            "expired": _number(claims.get("exp")) > at - CLOCKS_APART,
            "too_old": _number(claims.get("iat")) > at - OLDEST,
            "from_later": _number(claims.get("iat"), at + 2 * OLDEST) <= at + CLOCKS_APART,
            "not_yet": _number(claims.get("nbf"), 0.0) <= at + CLOCKS_APART,
            "nonce": secrets.compare_digest(str(claims.get("nonce", "")), nonce),
            "subject": isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT,
        }
        for check, holds in checks.items():
            if not holds:
                raise Refused(check)
        methods = claims.get("amr")
        said = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else ()
        proved_at = _number(claims.get("auth_time"), 0.0) or None
        return Proved(self.issuer, str(subject), bool(STRONG.intersection(said)), proved_at)

    async def _signed(self, token: str, seconds: float) -> Mapping[str, Any]:
        """The claims of a token that one of the provider's keys signed."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            head = json.loads(_unpadded(token.split(".")[0]))
            key = await self._key(head, seconds)
            return dict(jwt.decode(token, key, algorithms=list(SIGNED_BY)).claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Refused("signature") from None

    async def _key(self, head: Mapping[str, Any], seconds: float) -> Any:
        if head.get("alg") not in SIGNED_BY:
            raise Refused("algorithm")
        name = head.get("kid")
        for is_last in (False, True):
            keys = await self._known_keys(seconds, is_last)
            fitting = [key for key in keys if name is None or key.kid == name]
            if len(fitting) == 1 or (name is not None and fitting):
                return fitting[0]
        raise Refused("key")

    async def _known_keys(self, seconds: float, anew: bool) -> list[Any]:
        limit = AGAIN_AFTER if anew else KNOWN_FOR
        if self._keys is None or seconds - self._keys[0] > limit:
            about = await self._about(seconds)
            found = await self._asked("GET", about["jwks_uri"])
            self._keys = (seconds, _public_keys(found))
        return self._keys[1]

    # --- what is asked of it ---------------------------------------------------------------------

    async def _about(self, seconds: float) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery)."""
        if self._description and seconds - self._description[0] <= KNOWN_FOR:
            return self._description[1]
        at = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        about = await self._asked("GET", at)
        if about.get("issuer") != self.issuer:
            raise Refused("described_by_another")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _is_safe(about.get(name), self.issuer):
                raise Refused(name)
        await self._reach_only(about)
        self._description = (seconds, about)
        return about

    async def _reach_only(self, about: Mapping[str, Any]) -> None:
        """From now on the client reaches the hosts that the provider names, and no others."""
        hosts = {urlsplit(about[name]).hostname or "" for name in ("token_endpoint", "jwks_uri")}
        if hosts != self._hosts:
            self._hosts = hosts
            await self.close()

    async def _token(self, code: str, verifier: str, seconds: float) -> str:
        about = await self._about(seconds)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "code_verifier": verifier,
        }
        ways = about.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth: str | None = None
        if "client_secret_basic" in ways:
            auth = _basic(self._client_id, self._secret)
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        answer = await self._asked("POST", about["token_endpoint"], form, auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Refused("no_token")
        return token

    async def _asked(
        self,
        method: str,
        address: str,
        form: Mapping[str, str] | None = None,
        auth: str | None = None,
    ) -> dict[str, Any]:
        """One question, one JSON object."""
        if self._client is None:
            self._client = outgoing.client(self._hosts, [self.issuer], timeout=SECONDS)
        headers = {"Accept": "application/json"} | ({"Authorization": auth} if auth else {})
        try:
            async with self._client.request(
                method, address, data=form, headers=headers, allow_redirects=False
            ) as answer:
                body = await _at_most(answer, LARGEST)
                status = answer.status
            found = json.loads(body) if status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError, RecursionError, OSError) as error:
            log().warning("provider.failed", where=where(error))
            raise Refused("no_answer") from None
        if not isinstance(found, dict):
            raise Refused("answer")
        return found


@dataclass
class Connection:
    """Held by the application. `provider` None: nobody's organisation signs in here."""

    provider: Provider | None


PROVIDER: Final = web.AppKey("provider", Connection)


def connection_of(settings: Settings) -> Connection:
    """To the one that is set up."""
    if not settings.oidc_issuer:
        return Connection(None)
    there = Provider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        f"{settings.public_url}/login/provider/callback",
    )
    return Connection(there)


async def connected(app: web.Application) -> AsyncIterator[None]:
    """Lets the line go when the app ends."""
    yield
    if (there := app[PROVIDER].provider) is not None:
        await there.close()


def _public_keys(found: Mapping[str, Any]) -> list[Any]:
    """Those that sign; what is of another kind, or secret, is left out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    listed = found.get("keys")
    keys = []
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        if one.get("use", "sig") != "sig" or "d" in one:
            continue
        try:
            keys.append(import_key(one))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return keys


async def _at_most(answer: aiohttp.ClientResponse, most: int) -> bytes:
    body = await answer.content.read(most + 1)
    while len(body) <= most and not answer.content.at_eof():
        more = await answer.content.read(most + 1 - len(body))
        if not more:
            break
        body += more
    if len(body) > most:
        raise ValueError("too large")
    return body


def _is_safe(address: object, issuer: str) -> bool:
    """https, or this very machine where the provider itself is on it."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and is_loopback(address) and is_loopback(issuer)


def _basic(name: str, secret: str) -> str:
    """RFC 6749 §2.3.1: both are form-encoded first."""
    pair = f"{quote_plus(name)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _number(value: object, otherwise: float = float("-inf")) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else otherwise  # type: ignore[arg-type]  # it is one


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
