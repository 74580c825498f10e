"""An event one may not see is answered like one that never was, whatever is asked about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.cell import Cell
from tests.gateway.event_rows import EVENT_TABLE
from tests.gateway.event_things import ATTENDEE, OWNER, Headers
from tests.gateway.problems import problem

ABOUT = sorted(key for key in EVENT_TABLE if "{event}" in key[1] or "{series}" in key[1])
MORE: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("POST", "/v1/hubs/{hub}/events/{event}/sign-ups"): [
        {"json": {"way": "room"}},
        {"json": {"way": "online"}},
        {"headers": {"Idempotency-Key": "unseen"}},
        {"json": {"guest": {"name": "A Guest", "email": "guest@mail.example"}}},
    ],
    ("GET", "/v1/hubs/{hub}/events/{event}/sign-ups"): [{"params": {"status": "waiting"}}],
    ("POST", "/v1/hubs/{hub}/events/{event}/check-in"): [{"json": {"code": "ABCDEFGH"}}],
}
"""What else can be asked of a route than its row of the table does."""


@pytest.mark.parametrize("kind", ["of the hub's people", "draft", "hidden"])
def test_an_event_one_may_not_see_is_answered_like_one_that_never_was(cell: Cell, kind: str) -> None:
    known = _event(cell, kind)
    people = {"a stranger": cell.auth("there", "operator"), "nobody": {}}
    if kind != "of the hub's people":
        people["a member"] = cell.auth("here", "member")
    wrong = []
    for who, auth in people.items():
        for method, path, how in _asked(cell):
            if who == "nobody" and EVENT_TABLE[method, path].signed_in and "guest" not in how.get("json", {}):
                continue
            there = _said(cell, method, path, how, auth, known)
            never = {name: str(uuid4()) if name != "sign_up" else one for name, one in known.items()}
            absent = _said(cell, method, path, how, auth, never)
            if there != absent:
                wrong.append(f"{who}: {method} {path} {how}: {there} instead of {absent}")
    assert wrong == []


def _event(cell: Cell, kind: str) -> dict[str, str]:
    """The ids of an event nobody but the hub's people, or who runs it, may see, of its series and of a sign-up."""
    more: dict[str, Any] = {"visibility": "hub"} if kind == "of the hub's people" else {}
    event = cell.meet(
        "here", name=OWNER, repeat={"rule": "FREQ=WEEKLY;COUNT=1"}, publish=kind != "draft", **more
    )
    url = f"/v1/hubs/here/events/{event['id']}"
    sign_up = str(uuid4())
    if kind != "draft":
        attends = cell.http.post(f"{url}/sign-ups", headers=cell.auth("here", "member", ATTENDEE))
        assert attends.status_code == 201, attends.text
        sign_up = attends.json()["id"]
    if kind == "hidden":
        gone = cell.http.post(f"{url}/hide", json={"reason": "Why?"}, headers=cell.auth("here", "host"))
        assert gone.status_code == 200, gone.text
    return {"event": str(event["id"]), "series": str(event["series"]), "sign_up": sign_up}


def _asked(cell: Cell) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route about an event or a series, with each request there is to make."""
    for method, path in ABOUT:
        yield method, path, EVENT_TABLE[method, path].ask(cell, "here", "member")
        for how in MORE.get((method, path), ()):
            yield method, path, how


def _said(
    cell: Cell, method: str, path: str, how: dict[str, Any], auth: Headers, known: dict[str, str]
) -> dict[str, Any]:
    """The problem, which must be a 404; the ids that were asked for are left out."""
    headers = {"If-Match": '"1"', **how.get("headers", {}), **auth}
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] += known["event"]
    address = path.format(hub="here", **known)
    answer = cell.http.request(method, address, **{**how, "headers": headers})
    said = problem(answer, 404, "not-found")
    for name in ("event", "series"):
        said["detail"] = said["detail"].replace(known[name], name)
    return said
