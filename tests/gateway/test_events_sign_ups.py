"""Many people and few places over HTTP: who attends, who waits, in which order, and who sees whom."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from tests.gateway.cell import Cell, eventually
from tests.gateway.problems import problem

CROWD = 500
PLACES = 20
EVENTS = "/v1/hubs/here/events"
NUMBERED = ("place-taken", "place-awaited")


def sign_ups_of(event: dict[str, Any]) -> str:
    return f"{EVENTS}/{event['id']}/sign-ups"


def arrive(cell: Cell, event: dict[str, Any], name: str, **body: Any) -> dict[str, Any]:
    """Somebody's sign-up."""
    answer = cell.http.post(sign_ups_of(event), json=body, headers=cell.auth("here", "member", name))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


_CROWD = """
    WITH made AS (
        INSERT INTO person (id, name, language, time_zone, guest, registered_at)
        SELECT gen_random_uuid(), 'One of many ' || number, 'en', 'UTC', false, now()
        FROM generate_series(1, $1) number
        RETURNING id
    )
    INSERT INTO membership (hub, person, role, since, version) SELECT 'here', id, 'visitor', now(), 1 FROM made
    RETURNING person
"""


async def _crowd(cell: Cell) -> list[UUID]:
    """So many people of the directory, of whom it has told nobody: only their signing up is looked at."""
    connection = await asyncpg.connect(cell.plain_url("directory"))
    try:
        return [row["person"] for row in await connection.fetch(_CROWD, CROWD)]
    finally:
        await connection.close()


async def _all_at_once(cell: Cell, url: str, people: list[UUID]) -> list[httpx2.Response]:
    """Everybody signs up in the same moment, each over a connection of their own; who is sent back comes in the next."""
    limits = httpx2.Limits(max_connections=CROWD, max_keepalive_connections=0)
    tokens = [cell.token_of(person) for person in people]
    answers: dict[str, httpx2.Response] = {}

    async def one(client: httpx2.AsyncClient, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "me too"}
        answers[token] = await client.post(url, headers=headers)

    async with httpx2.AsyncClient(base_url=cell.url, limits=limits, timeout=60) as client:
        left, rounds = tokens, 0
        while left and rounds < 20:
            await asyncio.gather(*(one(client, token) for token in left))
            left, rounds = [token for token in left if answers[token].status_code == 503], rounds + 1
    return [answers[token] for token in tokens]


async def _committed(cell: Cell, event: str) -> list[dict[str, Any]]:
    """The facts of the event's sign-ups in the order in which they were committed."""
    connection = await asyncpg.connect(cell.plain_url("events"))
    try:
        rows = await connection.fetch("SELECT body FROM outbox ORDER BY xid, id")
    finally:
        await connection.close()
    facts = [json.loads(row["body"]) for row in rows]
    return [fact for fact in facts if fact.get("event") == event and fact.get("number") is not None]


def test_five_hundred_people_at_once_for_twenty_places(cell: Cell) -> None:
    event = cell.meet("here", capacity=PLACES)
    people = cell.run(_crowd(cell))
    answers = asyncio.run(_all_at_once(cell, sign_ups_of(event), people))

    assert {answer.status_code for answer in answers} == {201}
    views = [answer.json() for answer in answers]
    by_place = {view["place"]: view for view in views}
    assert sorted(by_place) == list(range(1, CROWD + 1))
    assert {by_place[place]["status"] for place in range(1, PLACES + 1)} == {"attending"}
    assert {by_place[place]["status"] for place in range(PLACES + 1, CROWD + 1)} == {"waiting"}
    assert {view["person"] for view in views} == {str(person) for person in people}
    assert len({by_place[place]["code"] for place in range(1, PLACES + 1)}) == PLACES
    assert all(by_place[place]["code"] is None for place in range(PLACES + 1, CROWD + 1))

    facts = cell.run(_committed(cell, event["id"]))
    assert [fact["number"] for fact in facts] == list(range(1, CROWD + 1))
    assert [fact["person"] for fact in facts] == [by_place[place]["person"] for place in sorted(by_place)]

    shown = cell.http.get(f"{EVENTS}/{event['id']}").json()["places"]
    assert [(one["taken"], one["free"], one["waiting"]) for one in shown] == [(PLACES, 0, CROWD - PLACES)]
    # The same key gets the same answer, however late.
    again = asyncio.run(_all_at_once(cell, sign_ups_of(event), people[:10]))
    assert [answer.content for answer in again] == [answer.content for answer in answers[:10]]


def test_a_place_that_becomes_free_is_offered_to_the_first_in_line_at_once(cell: Cell) -> None:
    event = cell.meet("here", capacity=1)
    first, second, third = (arrive(cell, event, name) for name in ("Alva", "Bo", "Cilla"))
    assert [one["status"] for one in (first, second, third)] == ["attending", "waiting", "waiting"]
    assert [one["waiting_place"] for one in (first, second, third)] == [None, 1, 2]
    url = sign_ups_of(event)
    gone = cell.http.delete(f"{url}/{first['id']}", headers=cell.auth("here", "member", "Alva"))
    assert gone.json()["status"] == "cancelled"
    bo, cilla = (cell.auth("here", "member", name) for name in ("Bo", "Cilla"))
    offered = cell.http.get(f"{url}/{second['id']}", headers=bo).json()
    assert (offered["status"], offered["offer_until"] is None) == ("offered", False)
    assert cell.http.get(f"{url}/{third['id']}", headers=cilla).json()["waiting_place"] == 1
    problem(cell.http.post(f"{url}/{third['id']}/accept", headers=cilla), 409, "wrong-state")
    declined = cell.http.post(f"{url}/{second['id']}/decline", headers=bo)
    assert declined.json()["status"] == "declined"
    accepted = cell.http.post(f"{url}/{third['id']}/accept", headers=cilla)
    assert (accepted.json()["status"], accepted.json()["code"] is None) == ("attending", False)
    problem(cell.http.post(url, headers=cilla), 409, "already-signed-up")


def test_fewer_places_than_sign_ups_need_a_decision(cell: Cell) -> None:
    event = cell.meet("here", name="Host of it", capacity=3)
    made = [arrive(cell, event, name) for name in ("Dag", "Eva", "Fred")]
    owner, url = cell.auth("here", "member", "Host of it"), f"{EVENTS}/{event['id']}"
    etag = cell.http.get(url, headers=owner).headers["etag"]
    refused = cell.http.patch(url, json={"capacity": 2}, headers={**owner, "If-Match": etag})
    said = problem(refused, 409, "capacity-below-sign-ups")
    assert said["must_lose"] == 1
    assert [one["sign_up"] for one in said["would_lose"]] == [made[2]["id"]]
    decided = {"capacity": 2, "losing": [made[1]["id"]]}
    changed = cell.http.patch(url, json=decided, headers={**owner, "If-Match": etag})
    assert changed.status_code == 200, changed.text
    eva = cell.auth("here", "member", "Eva")
    now = cell.http.get(f"{url}/sign-ups/{made[1]['id']}", headers=eva).json()
    assert (now["status"], now["waiting_place"], now["place"]) == ("waiting", 1, 2)


def test_names_are_for_those_who_run_the_event(cell: Cell) -> None:
    event = cell.meet("here", name="Runs It")
    gunnar = arrive(cell, event, "Gunnar Grip")
    hedda = cell.auth("here", "member", "Hedda")
    url = sign_ups_of(event)
    for path in (url, f"{url}?limit=1"):
        listed = cell.http.get(path, headers=cell.auth("here", "member", "Runs It")).json()["items"]
        assert [(one["name"], one["email"]) for one in listed] == [("Gunnar Grip", None)]
        # Its code is Gunnar's alone.
        assert [one["code"] for one in listed] == [None]
    problem(cell.http.get(url, headers=hedda), 403, "forbidden")
    problem(cell.http.get(f"{url}/{gunnar['id']}", headers=hedda), 404, "not-found")
    one = cell.http.get(f"{url}/{gunnar['id']}", headers=cell.auth("here", "host"))
    assert one.json()["name"] == "Gunnar Grip"
    own = cell.http.get(f"{url}/{gunnar['id']}", headers=cell.auth("here", "member", "Gunnar Grip"))
    assert (own.json()["name"], own.json()["code"]) == (None, gunnar["code"])
    assert "Gunnar" not in cell.http.get(f"{EVENTS}/{event['id']}").text


def test_the_list_is_there_without_names_while_the_directory_is_away(cell: Cell) -> None:
    event = cell.meet("here", name="Runs It")
    arrive(cell, event, "Gunnar Grip")
    auth = cell.auth("here", "member", "Runs It")
    # The role is remembered for a while; without that nothing about a hub could be asked at all.
    assert cell.http.get(sign_ups_of(event), headers=auth).status_code == 200
    cell.run(cell.end("directory"))
    try:
        answer = cell.http.get(sign_ups_of(event), headers=auth)
        assert answer.status_code == 200
        assert [one["name"] for one in answer.json()["items"]] == [None]
    finally:
        cell.run(cell.begin("directory"))
    eventually(
        "names are back",
        lambda: cell.http.get(sign_ups_of(event), headers=auth).json()["items"][0]["name"],
    )


def test_at_the_door(cell: Cell) -> None:
    soon = {"start": cell.near(30), "end": cell.near(90)}
    event, other = (cell.meet("here", name="Runs It", **soon) for _ in range(2))
    ida = arrive(cell, event, "Ida")
    auth = cell.auth("here", "member", "Runs It")

    def at(where: dict[str, Any], **said: Any) -> httpx2.Response:
        return cell.http.post(f"{EVENTS}/{where['id']}/check-in", json=said, headers=auth)

    problem(at(other, code=ida["code"]), 409, "wrong-event")
    problem(at(event, code="ZZZZZ-ZZZZZ"), 404, "not-found")
    problem(at(event), 422, "invalid")
    spoken = ida["code"].lower().replace("-", " ")
    for _ in range(2):
        came = at(event, code=spoken)
        assert came.status_code == 200, came.text
        assert (came.json()["came"], came.json()["sign_up"]["name"]) == (1, "Ida")
    assert at(event, walk_ins=4).json()["walk_ins"] == 4
    assert at(event, walk_ins=-1).json()["walk_ins"] == 3
