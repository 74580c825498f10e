"""Signing in with a real OpenID Connect provider: its tokens are checked, exchanged once, and make the same person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm
from oidc_provider_mock import User, run_server_in_thread  # type: ignore[import-untyped]  # says nothing of its types

from services.gateway.auth.providers import Known, Said
from services.gateway.settings import Provider
from shared.contracts.directory.requests import EnsurePerson
from shared.contracts.directory.words import Role
from shared.kit.principal import Unauthenticated
from tests.gateway.cell import Cell
from tests.gateway.problems import problem

BACK = "https://front.example/back"
PROVIDER = "/v1/sign-in/providers/nordviken"


@dataclass
class City:
    """The provider, and a gateway that takes its tokens."""

    issuer: str
    client: httpx2.Client

    def begun(self) -> dict[str, Any]:
        """What a frontend is told when somebody wants to sign in with the provider."""
        answer = self.client.post(f"{PROVIDER}/begin")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def id_token(self, sub: str, nonce: str, *, client_id: str = "foci") -> str:
        """What the provider gives the frontend for somebody who has signed in there."""
        with httpx2.Client(base_url=self.issuer, trust_env=False) as http:
            asked = {
                "response_type": "code",
                "client_id": client_id,
                "redirect_uri": BACK,
                "scope": "openid profile email",
                "nonce": nonce,
                "state": "s",
            }
            back = http.post("/oauth2/authorize", params=asked, data={"sub": sub})
            code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
            given = http.post(
                "/oauth2/token",
                data={"grant_type": "authorization_code", "code": code, "redirect_uri": BACK},
                auth=(client_id, "secret"),
            )
            return str(given.json()["id_token"])

    def signed_in(self, sub: str) -> dict[str, Any]:
        """The tokens of somebody who comes from the provider."""
        answer = self.exchanged(self.id_token(sub, self.begun()["nonce"]))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def exchanged(self, id_token: str, **more: Any) -> httpx2.Response:
        """What the gateway says to the provider's token."""
        return self.client.post(PROVIDER, json={"id_token": id_token, **more})

    def me(self, grant: dict[str, Any]) -> Any:
        """Who they are here."""
        return self.client.get("/v1/me", headers={"Authorization": f"Bearer {grant['access_token']}"}).json()


USERS = [
    User(
        sub="1",
        claims={
            "name": "Nina City",
            "email": "nina@city.example",
            "email_verified": True,
            "groups": ["desk"],
        },
    ),
    User(sub="2", claims={"name": "Known Here", "email": "known@city.example", "email_verified": True}),
    User(
        sub="4",
        claims={
            "name": "Sara\u200e Ek",
            "email": "sara@city.local",
            "email_verified": True,
            "locale": "sv_SE",
        },
    ),
    User(sub="3", claims={"name": "Pretender", "email": "known@city.example", "email_verified": False}),
]


@pytest.fixture(scope="module")
def city(cell: Cell) -> Iterator[City]:
    """A provider that signs with RS256, as most do."""
    with run_server_in_thread(user_claims=USERS) as server:
        issuer = f"http://localhost:{server.server_port}"
        rule = {"claim": "groups", "value": "desk", "hub": "here", "role": "host"}
        provider = {
            "name": "nordviken",
            "issuer": issuer,
            "client_id": "foci",
            "plain_http": True,
            "roles": [rule],
        }
        with cell.another_gateway(oidc_providers=(provider,)) as client:
            yield City(issuer, client)


def test_somebody_new_is_made_with_the_role_the_provider_gives_and_is_the_same_ever_after(city: City) -> None:
    me = city.me(city.signed_in("1"))
    assert (me["name"], me["email"]) == ("Nina City", "nina@city.example")
    assert [(one["hub"], one["role"]) for one in me["memberships"]] == [("here", "host")]
    assert city.me(city.signed_in("1"))["id"] == me["id"]


def test_a_verified_address_leads_to_its_account_and_one_that_is_not_does_not(cell: Cell, city: City) -> None:
    wanted = EnsurePerson(hub="here", name="Known", role=Role.MEMBER, email="known@city.example")
    known = str(cell.as_admin(wanted).id)
    assert city.me(city.signed_in("3"))["id"] != known
    assert city.me(city.signed_in("2"))["id"] == known


def test_a_provider_takes_no_role_that_the_hub_has_given(cell: Cell, city: City) -> None:
    me = city.me(city.signed_in("1"))
    member = f"/v1/hubs/here/members/{me['id']}"
    admin = cell.auth("here", "admin")
    version = cell.http.get(member, headers=admin).headers["etag"]
    changed = cell.http.patch(member, json={"role": "operator"}, headers={**admin, "If-Match": version})
    assert changed.status_code == 200, changed.text
    assert city.me(city.signed_in("1"))["memberships"][0]["role"] == "operator"


def test_what_we_cannot_keep_as_it_is_written_shuts_nobody_out(city: City) -> None:
    me = city.me(city.signed_in("4"))
    assert (me["name"], me["email"], me["language"]) == ("Sara Ek", None, "sv")


def test_a_token_is_exchanged_once_and_only_with_a_nonce_of_ours(city: City) -> None:
    token = city.id_token("1", city.begun()["nonce"])
    assert city.exchanged(token).status_code == 200
    problem(city.exchanged(token), 401, "unauthenticated")
    problem(city.exchanged(city.id_token("1", "x" * 43)), 401, "unauthenticated")


def test_a_browser_keeps_what_gets_the_next_tokens_as_a_cookie(city: City) -> None:
    answer = city.exchanged(city.id_token("1", city.begun()["nonce"]), cookie=True)
    assert answer.json()["refresh_token"] is None
    assert "httponly" in answer.headers["set-cookie"].lower()
    city.client.cookies.clear()


KEY = generate_private_key(65537, 2048)
NONCE = "n" * 43
CHANGED: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "others"},
    "made for another": {"azp": "others"},
    "expired": {"exp": 1},
    "made tomorrow": {"iat": 2**40, "exp": 2**41},
    "without a nonce": {"nonce": None},
    "with a nonce that is none of ours": {"nonce": "n"},
    "of somebody whose name there nobody can keep": {"sub": "x" * 501},
    "without an end": {"exp": None},
}


def known_by_key(cell: Cell) -> Known:
    """A provider whose key we have: what its tokens say can be changed."""
    public = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
    key = jwt.PyJWK.from_dict({**public, "kid": "k", "alg": "RS256"})
    provider = Provider(name="nordviken", issuer="https://id.nordviken.example", client_id="foci")
    said = Said("https://id.nordviken.example/authorize", {"k": key})
    return Known(provider, cell.clock, said, asked_at=cell.clock().timestamp())


def token_with(cell: Cell, key: Any = KEY, algorithm: str = "RS256", kid: str = "k", **change: Any) -> str:
    """A token of that provider, changed; None leaves a claim out."""
    now = int(cell.clock().timestamp())
    good = {
        "iss": "https://id.nordviken.example",
        "aud": "foci",
        "sub": "1",
        "nonce": NONCE,
        "iat": now,
        "exp": now + 300,
    }
    said = {name: value for name, value in (good | change).items() if value is not None}
    return jwt.encode(said, key, algorithm, headers={"kid": kid})


def test_a_providers_token_is_read_when_it_is_one(cell: Cell) -> None:
    said = cell.run(known_by_key(cell).token(token_with(cell, email="a@b.example", email_verified="true")))
    assert (said.subject, said.nonce, said.email) == ("1", NONCE, None), "verified is true, and not a word"
    assert (said.name, said.language) == ("Somebody", "en")
    odd = token_with(cell, name="\u200e\x00", preferred_username="\u202enina", locale="en_US", email=["a"])
    said = cell.run(known_by_key(cell).token(odd))
    assert (said.name, said.language, said.email) == ("nina", "en", None)


@pytest.mark.parametrize("kind", list(CHANGED))
def test_a_token_that_says_otherwise_is_refused(cell: Cell, kind: str) -> None:
    with pytest.raises(Unauthenticated):
        cell.run(known_by_key(cell).token(token_with(cell, **CHANGED[kind])))


def test_a_token_that_somebody_else_has_signed_is_refused(cell: Cell) -> None:
    another = generate_private_key(65537, 2048)
    for forged in (
        token_with(cell, another),
        token_with(cell, "", "none"),
        token_with(cell, "x" * 32, "HS256"),
        token_with(cell, algorithm="RS512"),
        token_with(cell, kid="nobodys"),
        "no token",
    ):
        with pytest.raises(Unauthenticated):
            cell.run(known_by_key(cell).token(forged))


def test_a_token_for_another_client_of_the_provider_is_refused(city: City) -> None:
    problem(
        city.exchanged(city.id_token("1", city.begun()["nonce"], client_id="others")), 401, "unauthenticated"
    )


def test_who_cannot_be_asked_is_away_and_nothing_else_of_the_configuration_is_asked(
    cell: Cell, city: City
) -> None:
    away = {"name": "nordviken", "issuer": "http://127.0.0.1:9", "client_id": "foci", "plain_http": True}
    tls_only = {"name": "nordviken", "issuer": city.issuer, "client_id": "foci"}
    for provider in (away, tls_only):
        with cell.another_gateway(oidc_providers=(provider,)) as client:
            for _ in range(2):
                problem(client.post(f"{PROVIDER}/begin"), 503, "unavailable")
