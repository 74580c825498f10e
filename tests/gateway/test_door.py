"""Who comes in: tokens, limits, addresses, and what the logs keep quiet about."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest

from deploy.local.home import _new_key as another_key
from deploy.local.home import public_half
from tests.gateway.cell import Cell
from tests.gateway.problems import problem


def claims(cell: Cell, **change: Any) -> dict[str, Any]:
    """What a good token says, with something changed; None leaves it out."""
    now = int(cell.clock().timestamp())
    said = {
        "iss": "foci-dev",
        "aud": "foci",
        "sub": str(cell.person("here", "member")),
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in (said | change).items() if value is not None}


def signed_with_the_public_key(cell: Cell) -> str:
    """The old trick: the public key, which everybody has, taken for an HMAC secret."""

    def part(value: dict[str, Any]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims(cell))
    mac = hmac.new(public_half(cell.token_key).encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


FORGED: dict[str, Callable[[Cell], str]] = {
    "expired": lambda cell: jwt.encode(
        claims(cell, exp=int(cell.clock().timestamp()) - 1), cell.token_key, "EdDSA"
    ),
    "another issuer": lambda cell: jwt.encode(claims(cell, iss="elsewhere"), cell.token_key, "EdDSA"),
    "another audience": lambda cell: jwt.encode(claims(cell, aud="others"), cell.token_key, "EdDSA"),
    "no audience": lambda cell: jwt.encode(claims(cell, aud=None), cell.token_key, "EdDSA"),
    "no end": lambda cell: jwt.encode(claims(cell, exp=None), cell.token_key, "EdDSA"),
    "no person": lambda cell: jwt.encode(claims(cell, sub=None), cell.token_key, "EdDSA"),
    "a person that is none": lambda cell: jwt.encode(claims(cell, sub="admin"), cell.token_key, "EdDSA"),
    "another key": lambda cell: jwt.encode(claims(cell), another_key(), "EdDSA"),
    "an assertion's key": lambda cell: jwt.encode(claims(cell), cell.assertion_key, "EdDSA"),
    "unsigned": lambda cell: jwt.encode(claims(cell), "", "none"),
    "HMAC with the public key": signed_with_the_public_key,
    "cut off": lambda cell: cell.token("here", "member")[:-4],
    "garbage": lambda _: "garbage",
    "endless": lambda _: "x" * 10_000,
}


@pytest.mark.parametrize("kind", sorted(FORGED))
def test_a_token_that_is_no_good_is_refused_everywhere(cell: Cell, kind: str) -> None:
    token = FORGED[kind](cell)
    for path in ("/v1/me", "/v1/hubs"):
        answer = cell.http.get(path, headers={"Authorization": f"Bearer {token}"})
        problem(answer, 401, "unauthenticated")
        assert token not in answer.text


@pytest.mark.parametrize("header", ["", "Bearer", "Basic dXNlcjpwYXNz", "Bearer a b", "Bearer \xe5"])
def test_another_kind_of_authorization_is_refused(cell: Cell, header: str) -> None:
    answer = cell.http.get("/v1/me", headers=[(b"Authorization", header.encode("latin-1"))])
    problem(answer, 401, "unauthenticated")


def test_a_token_ends_when_it_says_also_when_it_was_seen_before(cell: Cell) -> None:
    auth = cell.auth("here", "member")
    assert cell.http.get("/v1/me", headers=auth).status_code == 200
    try:
        cell.clock.ahead = timedelta(hours=12, seconds=1)
        problem(cell.http.get("/v1/me", headers=auth), 401, "unauthenticated")
    finally:
        cell.clock.ahead = timedelta(0)


def test_without_a_development_key_no_development_token_counts(cell: Cell) -> None:
    with cell.another_gateway(dev_token_public_key=None) as client:
        problem(client.get("/v1/me", headers=cell.auth("here", "member")), 401, "unauthenticated")
        assert client.get("/v1/hubs").status_code == 200


def test_a_good_token_of_somebody_unknown_finds_nothing(cell: Cell) -> None:
    auth = {"Authorization": f"Bearer {cell.token_of(uuid4())}"}
    problem(cell.http.get("/v1/me", headers=auth), 404, "not-found")
    assert cell.http.get("/v1/me/bookings", headers=auth).json()["items"] == []


def hurry(client: httpx2.Client, times: int, headers: dict[str, str]) -> list[int]:
    return [client.get("/v1/hubs", headers=headers).status_code for _ in range(times)]


def test_each_person_and_each_address_has_a_limit_of_their_own(cell: Cell) -> None:
    with cell.another_gateway(rate_limit="3/hour") as client:
        member, host = cell.auth("here", "member"), cell.auth("here", "host")
        assert hurry(client, 4, member) == [200, 200, 200, 429]
        assert hurry(client, 4, host) == [200, 200, 200, 429]
        assert hurry(client, 4, {}) == [200, 200, 200, 429]
        answer = client.get("/v1/hubs", headers=member)
        problem(answer, 429, "too-many-requests")
        assert int(answer.headers["retry-after"]) <= 3601
        assert client.get("/healthz").status_code == 200


def test_guessing_tokens_uses_up_the_addresss_limit(cell: Cell) -> None:
    with cell.another_gateway(rate_limit="3/hour") as client:
        bad = [client.get("/v1/me", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(5)]
        assert bad == [401, 401, 401, 429, 429]
        assert hurry(client, 1, cell.auth("here", "member")) == [200]


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(cell: Cell) -> None:
    def behind(number: int) -> dict[str, str]:
        return {"X-Forwarded-For": f"203.0.113.{number}"}

    with cell.another_gateway(rate_limit="2/hour", trusted_proxies="127.0.0.1") as client:
        assert [hurry(client, 3, behind(n)) for n in (1, 2)] == [[200, 200, 429]] * 2
    with cell.another_gateway(rate_limit="2/hour", trusted_proxies="10.9.9.9") as client:
        assert [hurry(client, 2, behind(n)) for n in (1, 2)] == [[200, 200], [429, 429]]


def test_logs_hold_no_token_and_nothing_private(cell: Cell) -> None:
    title, reason = "Therapy with Dr Ek", "pregnant"
    auth = cell.auth("here", "member")
    made = cell.book("here", "room", title=title, **cell.slot(day=11))
    cell.http.post(
        "/v1/hubs/here/bookings", json={"space": "room", **cell.slot(day=11), "title": title}, headers=auth
    )
    cell.http.get("/v1/me", headers={"Authorization": "Bearer stolen-token"})

    cell.app.add_api_route("/v1/broken-again", lambda: 1 / 0)
    assert cell.http.get("/v1/broken-again", headers=auth).status_code == 500
    # The statement fails in the database with the title among its parameters.
    cell.sql("booking", "ALTER TABLE outbox RENAME COLUMN body TO hidden")
    try:
        body = {"space": "room", **cell.slot(day=12), "title": title}
        assert cell.http.post("/v1/hubs/here/bookings", json=body, headers=auth).status_code == 500
        path = f"/v1/hubs/here/bookings/{made['id']}/cancel"
        assert cell.http.post(path, json={"reason": reason}, headers=auth).status_code == 500
    finally:
        cell.sql("booking", "ALTER TABLE outbox RENAME COLUMN hidden TO body")
    said = json.dumps(cell.logs, default=str)
    assert "request failed" in said
    for private in (title, reason, auth["Authorization"].split()[1], "stolen-token"):
        assert private not in said
