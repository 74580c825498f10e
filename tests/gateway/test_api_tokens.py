"""API tokens: each for its purpose in its hub, shown once, ended at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from services.gateway.auth.purposes import PURPOSES
from shared.contracts.directory.words import TokenPurpose
from tests.gateway.cell import Cell
from tests.gateway.event_things import things
from tests.gateway.problems import problem
from tests.gateway.rows import Row
from tests.gateway.sign_in_things import api_token, holder
from tests.gateway.test_who_may import TABLE, booking_for

SPACES = "/v1/hubs/here/spaces"
NOBODYS = "5b0d3f6e-8f5c-4d2a-9a63-2f0c6f1f7d11"


def filled(path: str, hub: str, known: Mapping[str, str]) -> str:
    """The address with what it names; where nothing is known, with something nobody has."""
    address = path.replace("{hub}", hub).replace("{space}", "room").replace("{concept}", "bookkeeping")
    for name, value in known.items():
        address = address.replace(f"{{{name}}}", value)
    while "{" in address:
        begin = address.index("{")
        address = address[:begin] + NOBODYS + address[address.index("}") + 1 :]
    return address


@pytest.mark.parametrize("purpose", list(TokenPurpose))
def test_a_token_opens_what_its_purpose_needs_in_its_own_hub_and_nothing_else(
    cell: Cell, purpose: TokenPurpose
) -> None:
    headers, wrong = holder(cell, "here", purpose), []
    for (method, path), _ in sorted(TABLE.items()):
        for hub in ("here", "there"):
            if hub == "here" and (method, path) in PURPOSES[purpose]:
                continue
            answer = cell.http.request(method, filled(path, hub, {}), headers=headers)
            # The mail server's own key is looked at by its route.
            refused = (401, "unauthenticated") if "/mail/" in path else (403, "not-for-this-token")
            if (answer.status_code, answer.json().get("code")) != refused:
                wrong.append(f"{method} {path} in {hub}: {answer.status_code}: {answer.text[:200]}")
    assert wrong == []


def _asked(cell: Cell, method: str, path: str, row: Row) -> dict[str, Any]:
    return row.ask(cell, "here", "operator") if method != "GET" or "availability" in path else {}


@pytest.mark.parametrize("purpose", list(TokenPurpose))
def test_what_a_purpose_needs_works(cell: Cell, purpose: TokenPurpose) -> None:
    headers, wrong = holder(cell, "here", purpose), []
    cell.space("here", "many", "flex", seats=50) if purpose is TokenPurpose.KIOSK else None
    for number, (method, path) in enumerate(sorted(PURPOSES[purpose])):
        row = TABLE[method, path]
        known = dict(things(cell, "here", path, operators=True))
        if "{booking}" in path:
            known["booking"] = booking_for(cell, "here", path, number)
        asked = _asked(cell, method, path, row)
        sent = {**headers, **asked.pop("headers", {})}
        answer = cell.http.request(method, filled(path, "here", known), headers=sent, **asked)
        if answer.status_code != row.good:
            wrong.append(f"{method} {path}: {answer.status_code}: {answer.text[:200]}")
    assert wrong == []


def test_a_token_is_shown_once_and_kept_as_a_hash(cell: Cell) -> None:
    made = api_token(cell, "here", "occupancy")
    assert made["token"].startswith("foci_at_")
    listed = cell.http.get("/v1/hubs/here/api-tokens", headers=cell.auth("here", "operator"))
    assert made["token"] not in listed.text
    assert listed.json()["items"][0]["id"] == made["id"]
    assert made["token"] not in str(cell.logs)


def test_a_revoked_token_is_refused_by_the_next_request_at_every_gateway(cell: Cell) -> None:
    made = api_token(cell, "here", "occupancy")
    headers = {"Authorization": f"Bearer {made['token']}"}
    with cell.another_gateway() as other:
        for client in (cell.http, other):
            assert client.get("/v1/hubs/here/occupancy", headers=headers).status_code == 200
        url = f"/v1/hubs/here/api-tokens/{made['id']}"
        revoked = cell.http.delete(url, headers=cell.auth("here", "operator"))
        assert revoked.json()["revoked_at"] is not None
        for client in (cell.http, other):
            problem(client.get("/v1/hubs/here/occupancy", headers=headers), 401, "unauthenticated")


def test_a_token_ends_when_it_says(cell: Cell) -> None:
    headers = {"Authorization": f"Bearer {api_token(cell, 'here', 'occupancy', days=1)['token']}"}
    assert cell.http.get("/v1/hubs/here/spaces", headers=headers).status_code == 200
    try:
        cell.clock.ahead += timedelta(days=1)
        problem(cell.http.get("/v1/hubs/here/spaces", headers=headers), 401, "unauthenticated")
    finally:
        cell.clock.ahead -= timedelta(days=1)


def test_another_hubs_token_is_not_found_and_not_revoked(cell: Cell) -> None:
    made = api_token(cell, "there", "occupancy")
    answer = cell.http.delete(f"/v1/hubs/here/api-tokens/{made['id']}", headers=cell.auth("here", "operator"))
    problem(answer, 404, "not-found")
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert cell.http.get("/v1/hubs/there/spaces", headers=headers).status_code == 200


def test_who_guesses_api_tokens_is_not_asked_about_for_ever(cell: Cell) -> None:
    guess = {"Authorization": f"Bearer foci_at_{'x' * 43}"}
    with cell.another_gateway(rate_limit="3/hour") as client:
        heard = [client.get("/v1/hubs/here/spaces", headers=guess).status_code for _ in range(5)]
        assert heard == [401, 401, 401, 429, 429]
        good = cell.auth("here", "member")
        assert client.get("/v1/hubs", headers=good).status_code == 200


def test_one_visitor_who_guesses_shuts_out_no_kiosk_of_the_same_network(cell: Cell) -> None:
    kiosks = [holder(cell, "here", "occupancy") for _ in range(3)]
    with cell.another_gateway(rate_limit="4/hour") as client:

        def heard(authorization: str, times: int = 1) -> list[int]:
            headers = {"Authorization": authorization}
            return [client.get(SPACES, headers=headers).status_code for _ in range(times)]

        known, waiting, new = (one["Authorization"] for one in kiosks)
        assert heard(known) == [200]
        heard("Bearer garbage", 9)
        assert heard(waiting) == [200], "what is no API token is no guess of one"
        assert heard(f"Bearer foci_at_{'x' * 43}", 5) == [429] * 5, "as its address has used up its limit"
        assert heard(known) == heard(waiting) == [200]
        assert heard(new) == [429], "nobody is asked about what may be a guess"


def test_a_token_over_its_limit_is_not_asked_about_any_more(cell: Cell) -> None:
    made = api_token(cell, "here", "occupancy")
    headers = {"Authorization": f"Bearer {made['token']}"}
    with cell.another_gateway(rate_limit="2/hour") as client:
        assert [client.get(SPACES, headers=headers).status_code for _ in range(3)] == [200, 200, 429]
        url = f"/v1/hubs/here/api-tokens/{made['id']}"
        assert cell.http.delete(url, headers=cell.auth("here", "operator")).status_code == 200
        problem(client.get(SPACES, headers=headers), 429, "too-many-requests")


def test_a_token_that_cannot_be_asked_about_just_now_is_no_guess(cell: Cell) -> None:
    app = cell.gateway(rate_limit="2/hour").config.app
    headers = {"Authorization": f"Bearer foci_at_{'x' * 43}"}

    async def heard() -> list[int]:
        unconnected = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # an ASGI application
        async with httpx2.AsyncClient(transport=unconnected, base_url="http://gateway") as client:
            return [(await client.get(SPACES, headers=headers)).status_code for _ in range(4)]

    assert cell.run(heard()) == [503] * 4
