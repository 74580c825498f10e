"""Asking a sign-in provider for its keys: once for all who come, and nothing is known until all of it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from services.gateway.auth.providers import APART_S, Known
from services.gateway.settings import Provider
from shared.kit.errors import Unavailable
from tests.world import MONDAY

KEY = Ed25519PrivateKey.generate()


@dataclass
class City:
    """A provider that counts how often it is asked and can leave things out, and the gateway's side of it."""

    server: HTTPServer
    asked: list[str] = field(default_factory=list)
    left_out: str | None = None
    now: datetime = MONDAY

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def document(self, path: str) -> dict[str, Any] | None:
        """What is there at that address."""
        self.asked.append(path)
        if path == "/keys":
            return {
                "keys": [{**OKPAlgorithm.to_jwk(KEY.public_key(), as_dict=True), "kid": "k", "alg": "EdDSA"}]
            }
        said = {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_endpoint": f"{self.issuer}/authorize",
        }
        return {name: value for name, value in said.items() if name != self.left_out}

    def known(self) -> Known:
        """The provider as a gateway that has just started knows it."""
        provider = Provider(
            name="city", issuer=self.issuer, client_id="foci", algorithm="EdDSA", plain_http=True
        )
        return Known(provider, lambda: self.now)

    def token(self, kid: str = "k") -> str:
        """A good token, signed with the key it names or not."""
        now = int(self.now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": "foci",
            "sub": "1",
            "nonce": "n" * 43,
            "iat": now,
            "exp": now + 300,
        }
        return jwt.encode(claims, KEY, "EdDSA", headers={"kid": kid})


@pytest.fixture
def city() -> Iterator[City]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = orjson.dumps(made.document(self.path))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quietly."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        made = City(server)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


async def test_whoever_comes_while_it_is_being_asked_waits_for_the_answer(city: City) -> None:
    known = city.known()
    told = asyncio.gather(*(known.token(city.token()) for _ in range(3)))
    there, said = await known.look(), await told
    assert [one.subject for one in said] == ["1"] * 3
    assert there.authorization_endpoint == f"{city.issuer}/authorize"
    assert len(city.asked) == 2, "once for all of them"
    city.now += timedelta(seconds=APART_S)
    first = asyncio.gather(*(known.token(city.token("new")) for _ in range(3)), return_exceptions=True)
    assert (await known.token(city.token())).subject == "1", "whose key is known waits for nobody"
    assert not any(isinstance(one, Unavailable) for one in await first)
    assert len(city.asked) == 4


@pytest.mark.parametrize("missing", ["authorization_endpoint", "jwks_uri", "issuer"])
async def test_until_all_of_it_is_known_it_is_away_and_asked_again_after_a_while(
    city: City, missing: str
) -> None:
    known = city.known()
    city.left_out = missing
    for _ in range(2):
        for asking in (known.look(), known.token(city.token())):
            with pytest.raises(Unavailable):
                await asking
    before = len(city.asked)
    city.left_out = None
    with pytest.raises(Unavailable):
        await known.look()
    assert len(city.asked) == before, "not at each visit"
    city.now += timedelta(seconds=APART_S)
    assert (await known.look()).authorization_endpoint == f"{city.issuer}/authorize"
    assert (await known.token(city.token())).subject == "1"


async def test_what_is_known_goes_on_while_it_is_away(city: City) -> None:
    known = city.known()
    assert (await known.look()).keys
    city.left_out = "issuer"
    city.now += timedelta(days=1)
    assert (await known.token(city.token())).subject == "1"
