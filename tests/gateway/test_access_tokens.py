"""Access tokens: what is none is refused, and keys change without anybody noticing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.contracts.directory.sessions import RotateTokenKeys
from tests.gateway.cell import Cell
from tests.gateway.problems import problem
from tests.gateway.sign_in_things import signed_in, signing_key


def forged(
    cell: Cell,
    *,
    key: Any = None,
    algorithm: str = "EdDSA",
    typ: str = "at+jwt",
    kid: str | None = None,
    **change: Any,
) -> str:
    """A token like a good one, signed with the real key unless another is given; None leaves a claim out."""
    now, real = int(cell.clock().timestamp()), signing_key(cell)
    person = cell.person("here", "member")
    claims = {
        "iss": "foci:local",
        "aud": "foci",
        "sub": str(person),
        "sid": str(uuid4()),
        "iat": now,
        "exp": now + 300,
        **change,
    }
    said = {name: value for name, value in claims.items() if value is not None}
    headers = {"kid": real.kid if kid is None else kid, "typ": typ}
    return jwt.encode(said, real.private if key is None else key, algorithm, headers=headers)


def with_the_public_key(cell: Cell) -> str:
    """The old trick: the published key taken for an HMAC secret."""
    real = signing_key(cell)
    head = {"alg": "HS256", "typ": "at+jwt", "kid": real.kid}
    body = jwt.decode(forged(cell), options={"verify_signature": False})

    def part(value: dict[str, Any]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part(head) + b"." + part(body)
    mac = hmac.new(real.private.public_key().public_bytes_raw(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


FORGED: dict[str, Callable[[Cell], str]] = {
    "unsigned": lambda cell: forged(cell, key="", algorithm="none"),
    "HS256 with the published key": with_the_public_key,
    "HS256": lambda cell: forged(cell, key="x" * 32, algorithm="HS256"),
    "a foreign key": lambda cell: forged(cell, key=Ed25519PrivateKey.generate()),
    "a key nobody has": lambda cell: forged(cell, kid="nobodys"),
    "another cell's issuer": lambda cell: forged(cell, iss="foci:elsewhere"),
    "the issuer of development tokens": lambda cell: forged(cell, iss="foci-dev"),
    "a development token's type": lambda cell: forged(cell, typ="JWT"),
    "another audience": lambda cell: forged(cell, aud="others"),
    "no audience": lambda cell: forged(cell, aud=None),
    "no end": lambda cell: forged(cell, exp=None),
    "expired": lambda cell: forged(cell, exp=int(cell.clock().timestamp()) - 1),
    "good for longer than any": lambda cell: forged(cell, exp=int(cell.clock().timestamp()) + 3600),
    "no session": lambda cell: forged(cell, sid=None),
    "no person": lambda cell: forged(cell, sub="admin"),
    "a development token of our key, as an access token": lambda cell: forged(cell, key=cell.token_key),
    "a link's key": lambda cell: forged(cell, key=cell.link_key),
    "an assertion's key": lambda cell: forged(cell, key=cell.assertion_key),
}


@pytest.mark.parametrize("kind", sorted(FORGED))
def test_a_forged_access_token_is_refused(cell: Cell, kind: str) -> None:
    good = {"Authorization": f"Bearer {forged(cell)}"}
    assert cell.http.get("/v1/me", headers=good).status_code == 200, "what is forged below is good otherwise"
    token = FORGED[kind](cell)
    answer = cell.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    problem(answer, 401, "unauthenticated")
    assert token not in answer.text


def test_tokens_of_other_kinds_are_no_access_tokens(cell: Cell) -> None:
    refresh = signed_in(cell, cell.person("here", "member")).refresh_token
    problem(cell.http.get("/v1/me", headers={"Authorization": f"Bearer {refresh}"}), 401, "unauthenticated")


def test_an_access_token_ends_after_five_minutes_also_when_it_was_seen_before(cell: Cell) -> None:
    auth = {"Authorization": f"Bearer {signed_in(cell, cell.person('here', 'member')).access_token}"}
    assert cell.http.get("/v1/me", headers=auth).status_code == 200
    cell.clock.ahead += timedelta(minutes=5)
    problem(cell.http.get("/v1/me", headers=auth), 401, "unauthenticated")


def test_keys_change_while_people_are_signed_in_and_nobody_notices(cell: Cell) -> None:
    grant = signed_in(cell, cell.person("here", "member")).model_dump()
    kids, refused, tokens = set(), [], [grant["access_token"]]
    with cell.another_gateway() as other:
        cell.as_admin(RotateTokenKeys())
        for minute in range(24):
            cell.clock.ahead += timedelta(minutes=1)
            sent = {"Foci-Refresh-Token": grant["refresh_token"]}
            answer = cell.http.post("/v1/session/refresh", headers=sent)
            assert answer.status_code == 200, answer.text
            grant = answer.json()
            kids.add(jwt.get_unverified_header(grant["access_token"])["kid"])
            tokens = [*tokens[-3:], grant["access_token"]]
            for client in (cell.http, other):
                for token in tokens:
                    seen = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
                    refused += [] if seen.status_code == 200 else [(minute, seen.text)]
        assert refused == []
        assert len(kids) == 2, "the new key signs by now"
        published = {one["kid"] for one in other.get("/.well-known/jwks.json").json()["keys"]}
        assert published == {jwt.get_unverified_header(grant["access_token"])["kid"]}, "the old one is gone"


def test_tokens_of_a_leaked_key_end_when_the_new_one_is_met(cell: Cell) -> None:
    old = {"Authorization": f"Bearer {signed_in(cell, cell.person('here', 'member')).access_token}"}
    assert cell.http.get("/v1/me", headers=old).status_code == 200
    cell.as_admin(RotateTokenKeys(at_once=True))
    cell.clock.ahead += timedelta(seconds=2)
    new = {"Authorization": f"Bearer {signed_in(cell, cell.person('here', 'member')).access_token}"}
    assert cell.http.get("/v1/me", headers=new).status_code == 200
    problem(cell.http.get("/v1/me", headers=old), 401, "unauthenticated")
