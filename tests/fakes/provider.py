"""An organisation's own sign-in (OpenID Connect) as a process of its own on loopback: discovery,
keys, a page that signs in whoever it was told to, codes that are good once, PKCE. `POST /as` says
who sits there, what time it is, and in which way the next token lies.

`python -m tests.fakes.provider` prints its address. Signs by itself, with no library of ours.
"""

import asyncio
import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CLIENT, SECRET = "helpline-client", "a secret: with/odd signs"


class Provider:
    """`told`: sub, amr and now of whoever sits there; `lies`: what is wrong with the next token."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.other = rsa.generate_private_key(65537, 2048)
        self.told: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.url = ""

    async def listen_to(self, request: web.Request) -> web.Response:
        self.told = await request.json()
        return web.json_response({})

    async def describe(self, request: web.Request) -> web.Response:
        lies = self.told.get("lies", {})
        about = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }
        return web.json_response(about | lies.get("about", {}))

    async def keys(self, request: web.Request) -> web.Response:
        numbers = self.key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        key = {"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256"}
        key |= {"n": text(numbers.n.to_bytes(size)), "e": text(numbers.e.to_bytes(3))}
        strange = [{"kty": "oct", "kid": "secret", "k": "AAAA"}, {"kty": "new"}, 7]
        return web.json_response({"keys": [*strange, key]})

    async def authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"] == "openid"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url}
        back |= self.told.get("lies", {}).get("back", {})
        location = f"{asked['redirect_uri']}?{urlencode({k: v for k, v in back.items() if v})}"
        return web.Response(status=303, headers={"Location": location})

    async def token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        asked = self.codes.pop(form["code"], None)
        challenge = text(hashlib.sha256(form["code_verifier"].encode()).digest())
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
            or request.headers.get("Authorization") != EXPECTED
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        lies = self.told.get("lies", {})
        now = self.told["now"]
        claims = {"iss": self.url, "aud": CLIENT, "sub": self.told["sub"], "nonce": asked["nonce"]}
        claims |= {"iat": now, "exp": now + 300, "email": "wasim@helpline.example"}
        claims |= {"amr": self.told["amr"]} if self.told.get("amr") else {}
        claims |= lies.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = self.signed(claims, lies.get("head", {}), lies.get("signed_by", "one"))
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": signed})

    def signed(self, claims: dict[str, Any], head: dict[str, Any], by: str) -> str:
        head = {"alg": "RS256", "kid": "one", "typ": "JWT"} | head
        both = f"{text(json.dumps(head).encode())}.{text(json.dumps(claims).encode())}"
        if by == "nobody":
            return f"{both}."
        if by == "our_secret":
            return f"{both}.{text(hashlib.sha256(both.encode() + SECRET.encode()).digest())}"
        key = self.key if by == "one" else self.other
        signature = key.sign(both.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{both}.{text(signature)}"


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


EXPECTED = "Basic " + base64.b64encode(b"helpline-client:a+secret%3A+with%2Fodd+signs").decode()


async def main() -> None:
    provider, app = Provider(), web.Application()
    app.add_routes(
        [
            web.post("/as", provider.listen_to),
            web.get("/.well-known/openid-configuration", provider.describe),
            web.get("/keys", provider.keys),
            web.get("/authorize", provider.authorize),
            web.post("/token", provider.token),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(provider.url, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
