"""Guests: an address, a link, a place, and nothing told to anybody who only guesses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from shared.contracts.links import LinkPurpose
from tests.gateway.cell import Cell
from tests.gateway.notify_things import Mailed, awake
from tests.gateway.problems import problem

EVENTS = "/v1/hubs/here/events"
EDDA = {"name": "Edda Lund", "email": "edda.lund@mail.example", "language": "sv"}


@pytest.fixture
def mailed(cell: Cell) -> Mailed:
    """The links people are mailed from now on."""
    return Mailed(cell, len(cell.outside.post.taken))


def confirmed(cell: Cell, mailed: Mailed, *, number: int = 1) -> dict[str, Any]:
    """The sign-up of a guest who has followed the latest link to confirm."""
    done = cell.http.post(mailed.link("confirm", number=number))
    assert done.status_code == 200, done.text
    made: dict[str, Any] = done.json()
    awake(cell, {"Authorization": f"Bearer {cell.token_of(UUID(made['person']))}"})
    return made


def ask(cell: Cell, event: dict[str, Any], guest: Mapping[str, Any] = EDDA, **how: Any) -> httpx2.Response:
    return cell.http.post(f"{EVENTS}/{event['id']}/sign-ups", json={"guest": dict(guest)}, **how)


def test_a_guest_signs_up_follows_the_link_comes_and_leaves(cell: Cell, mailed: Mailed) -> None:
    event = cell.meet("here", name="Runs It", capacity=2)
    asked = ask(cell, event)
    assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    assert cell.http.get(f"{EVENTS}/{event['id']}").json()["places"][0]["taken"] == 0
    link = mailed.link("confirm")

    for _ in range(3):  # looking at it does nothing, however often
        seen = cell.http.get(link)
        assert seen.status_code == 200, seen.text
        assert (seen.json()["purpose"], seen.json()["title"]) == ("confirm", "A meetup")
        assert seen.json()["sign_up"]["status"] == "pending"
    done = cell.http.post(link)
    assert done.status_code == 200, done.text
    assert (done.json()["status"], done.json()["place"], done.json()["guest"]) == ("attending", 1, True)
    assert done.json()["code"]
    problem(cell.http.post(link), 409, "link-used")

    url, owner = f"{EVENTS}/{event['id']}/sign-ups", cell.auth("here", "member", "Runs It")
    [listed] = cell.http.get(url, headers=owner).json()["items"]
    assert (listed["name"], listed["email"], listed["guest"]) == (EDDA["name"], EDDA["email"], True)

    awake(cell, {"Authorization": f"Bearer {cell.token_of(UUID(done.json()['person']))}"})
    leave = mailed.link("leave", done.json()["id"])
    assert cell.http.get(leave).json()["purpose"] == "leave"
    for _ in range(2):
        assert cell.http.post(leave).json()["status"] == "cancelled"
    assert cell.http.get(f"{EVENTS}/{event['id']}").json()["places"][0]["taken"] == 0


def test_a_guest_in_line_takes_an_offered_place_by_a_link_once(cell: Cell, mailed: Mailed) -> None:
    event = cell.meet("here", capacity=1)
    url = f"{EVENTS}/{event['id']}/sign-ups"
    member = cell.auth("here", "member", "Early")
    first = cell.http.post(url, headers=member).json()
    ask(cell, event, {"name": "Frode", "email": "frode@mail.example"})
    waiting = confirmed(cell, mailed)
    assert (waiting["status"], waiting["waiting_place"]) == ("waiting", 1)
    cell.http.delete(f"{url}/{first['id']}", headers=member)
    accept, decline = (mailed.link(purpose, waiting["id"]) for purpose in ("accept", "decline"))
    taken = cell.http.post(accept)
    assert (taken.status_code, taken.json()["status"]) == (200, "attending")
    for used in (accept, decline):
        problem(cell.http.post(used), 409, "link-used")
    assert cell.http.get(f"{EVENTS}/{event['id']}").json()["places"][0]["taken"] == 1


def test_the_answer_is_the_same_for_everybody_who_asks(cell: Cell, mailed: Mailed) -> None:
    event = cell.meet("here")
    shapes = set()
    for _ in range(2):
        shapes.add(tuple(sorted(ask(cell, event).json())))
    confirmed(cell, mailed)
    attending = ask(cell, event)
    assert attending.status_code == 202
    shapes.add(tuple(sorted(attending.json())))
    assert len(shapes) == 1
    assert attending.json()["status"] == "pending"
    assert len(mailed.links("confirm")) == 1


def test_the_same_address_is_one_guest(cell: Cell, mailed: Mailed) -> None:
    first, second = cell.meet("here"), cell.meet("here")
    people = set()
    for number, (event, email) in enumerate(((first, "gro@mail.example"), (second, "GRO@mail.example"))):
        ask(cell, event, {"name": "Gro", "email": email})
        people.add(confirmed(cell, mailed, number=number + 1)["person"])
    assert len(people) == 1


def test_who_may_bring_a_guest_to_what(cell: Cell) -> None:
    problem(cell.http.post(f"{EVENTS}/{cell.meet('here')['id']}/sign-ups"), 401, "unauthenticated")
    internal = cell.meet("here", visibility="hub")
    problem(ask(cell, internal), 404, "not-found")
    cancelled = cell.meet("here")
    cell.http.post(f"{EVENTS}/{cancelled['id']}/cancel", headers=cell.auth("here", "host"))
    problem(ask(cell, cancelled), 409, "not-open")
    for broken in (
        {"name": "No Address"},
        {**EDDA, "email": "edda"},
        {**EDDA, "name": ""},
        {**EDDA, "vip": True},
    ):
        problem(ask(cell, cell.meet("here"), broken), 422, "invalid")


def test_nobody_gets_into_the_directory_for_an_event_that_is_not_there_for_them(cell: Cell) -> None:
    async def guests() -> int:
        connection = await asyncpg.connect(cell.plain_url("directory"))
        try:
            found: int = await connection.fetchval("SELECT count(*) FROM person WHERE guest")
        finally:
            await connection.close()
        return found

    before = cell.run(guests())
    hidden = cell.meet("here", publish=False)
    problem(ask(cell, hidden, {"name": "Hacke", "email": "hacke@mail.example"}), 404, "not-found")
    assert cell.run(guests()) == before


def test_a_link_is_good_in_time_as_it_is_and_in_this_cell_only(cell: Cell) -> None:
    event = cell.meet("here")
    auth = cell.auth("here", "member", "Linked")
    sign_up = cell.http.post(f"{EVENTS}/{event['id']}/sign-ups", headers=auth).json()
    good = cell.link(LinkPurpose.LEAVE, sign_up)
    head, body, seal = good.rpartition("/")[2].split(".")
    late = cell.link(LinkPurpose.LEAVE, sign_up, good_for=timedelta(seconds=-1))
    dev_token = auth["Authorization"].removeprefix("Bearer ")
    for bad in (
        late,
        f"/v1/links/{head}.{body}.{seal[:-4]}AAAA",
        f"/v1/links/{head}.{body}.",
        f"/v1/links/{dev_token}",
        "/v1/links/x",
        f"/v1/links/{'x' * 3000}",
    ):
        for method in ("GET", "POST"):
            problem(cell.http.request(method, bad), 404, "link-invalid")
    strange = cell.link(LinkPurpose.LEAVE, {**sign_up, "person": str(cell.person("here", "member", "Other"))})
    problem(cell.http.post(strange), 404, "not-found")
    assert cell.http.get(good).status_code == 200
    assert cell.http.post(good).json()["status"] == "cancelled"
    with cell.another_gateway(link_public_key=None) as keyless:
        problem(keyless.get(good), 404, "link-invalid")


def test_links_and_secrets_stand_in_no_log(cell: Cell) -> None:
    event = cell.meet("here")
    auth = cell.auth("here", "member", "Linked")
    sign_up = cell.http.post(f"{EVENTS}/{event['id']}/sign-ups", headers=auth).json()
    feed = cell.http.post("/v1/hubs/here/feeds", headers=auth).json()
    link = cell.link(LinkPurpose.LEAVE, sign_up)
    cell.run(cell.end("events"))
    try:
        assert cell.http.get(link).status_code == 503
        assert cell.http.get(f"/v1/feeds/{feed['secret']}.ics").status_code == 503
    finally:
        cell.run(cell.begin("events"))
    working, cell.app.state.links = cell.app.state.links, "not what the routes need"
    try:
        problem(cell.http.get(link), 500, "internal")
    finally:
        cell.app.state.links = working
    assert [one["path"] for one in cell.logs if one["event"] == "request failed"] == ["/v1/links/…"]
    token = link.rpartition("/")[2]
    logged = repr(cell.logs)
    assert token not in logged
    assert feed["secret"] not in logged
