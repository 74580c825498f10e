"""What the addresses of routes name, in the state in which the route can act on it."""

from __future__ import annotations

from typing import Any

from shared.contracts.links import LinkPurpose
from tests.gateway.cell import Cell
from tests.gateway.matching_things import things_of_matching
from tests.gateway.notify_things import things_of_notify
from tests.gateway.people_rows import things_of_people
from tests.gateway.sign_in_things import things_of_sign_in

Headers = dict[str, str]
OWNER = "Owner"
ATTENDEE = "Attendee"
SOON = ("check-in",)
DRAFT = ("publish",)
AWAITING = ("approve", "return")
HIDDEN = ("show", "answer")
OFFERED = ("accept", "decline")


def things(cell: Cell, hub: str, path: str, *, operators: bool = False, **more: Any) -> dict[str, str]:
    """What the address of a route names: other members' things, or the hub's operator's own; `more` is of the event."""
    act = path.rpartition("/")[2]
    owner = more | ({"who": "operator"} if operators else {"name": OWNER})
    somebody = cell.auth(hub, "operator") if operators else cell.auth(hub, "member", ATTENDEE)
    made: dict[str, str] = {}
    if "{series}" in path:
        series = event_for(cell, hub, act, repeat={"rule": "FREQ=WEEKLY;COUNT=3"}, **owner)
        made["series"] = str(series["series"])
    if "{event}" in path:
        # What staff start waits for nobody.
        event = event_for(cell, hub, act, **({**more, "name": OWNER} if act in AWAITING else owner))
        made["event"] = str(event["id"])
        if "{sign_up}" in path:
            made["sign_up"] = str(sign_up_for(cell, event, act, somebody)["id"])
    if "{token}" in path:
        event = event_for(cell, hub, act, **owner)
        made["token"] = link_for(cell, sign_up_for(cell, event, act, somebody))
    if "{feed}" in path or "{secret}" in path:
        feed = cell.http.post(f"/v1/hubs/{hub}/feeds", headers=somebody)
        assert feed.status_code == 201, feed.text
        made |= {"feed": str(feed.json()["id"]), "secret": str(feed.json()["secret"])}
    made |= things_of_notify(cell, hub, path, somebody)
    made |= things_of_matching(cell, hub, path, somebody)
    made |= things_of_sign_in(cell, hub, path, operators=operators)
    made |= things_of_people(cell, hub, path)
    return {name: value for name, value in made.items() if f"{{{name}}}" in path}


def version_of(cell: Cell, hub: str, address: str) -> Headers:
    """The header that says on which version of the event or series at that address a change is decided."""
    seen = cell.http.get(address, headers=cell.auth(hub, "operator"))
    return {"If-Match": seen.headers["etag"]}


def event_for(cell: Cell, hub: str, act: str, **more: Any) -> dict[str, Any]:
    """A member's event, public and published unless the act is about another state."""
    if act in SOON:
        more |= {"start": cell.near(30), "end": cell.near(90)}
    if act in DRAFT:
        return cell.meet(hub, publish=False, **more)
    if act in AWAITING:
        _approve(cell, hub, wanted=True)
        try:
            return cell.meet(hub, **more)
        finally:
            _approve(cell, hub, wanted=False)
    if act in OFFERED:
        more["capacity"] = 1
    made = cell.meet(hub, **more)
    if act in HIDDEN:
        _done(cell, made, "hide", "operator", json={"reason": "Is this one of ours?"})
    return made


def sign_up_for(cell: Cell, event: dict[str, Any], act: str, whose: Headers) -> dict[str, Any]:
    """Somebody's sign-up for the event; for accepting and declining one that has been offered a place."""
    hub, url = event["hub"], f"/v1/hubs/{event['hub']}/events/{event['id']}/sign-ups"
    before = None
    if act in OFFERED:
        first = cell.http.post(url, headers=cell.auth(hub, "member", "Early Bird"))
        assert first.json()["status"] == "attending", first.text
        before = f"{url}/{first.json()['id']}"
    answer = cell.http.post(url, headers=whose)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    if before is not None:
        gone = cell.http.delete(before, headers=cell.auth(hub, "member", "Early Bird"))
        assert gone.status_code == 200, gone.text
        made = cell.http.get(f"{url}/{made['id']}", headers=whose).json()
        assert made["status"] == "offered"
    return made


def link_for(cell: Cell, sign_up: dict[str, Any]) -> str:
    """The token of a link that gives the place back."""
    return cell.link(LinkPurpose.LEAVE, sign_up).rpartition("/")[2]


def _approve(cell: Cell, hub: str, *, wanted: bool) -> None:
    path, auth = f"/v1/hubs/{hub}/event-settings", cell.auth(hub, "operator")
    version = cell.http.get(path).headers["etag"]
    changed = cell.http.patch(path, json={"approval": wanted}, headers={**auth, "If-Match": version})
    assert changed.json()["approval"] is wanted, changed.text


def _done(cell: Cell, event: dict[str, Any], act: str, role: str, **how: Any) -> None:
    url = f"/v1/hubs/{event['hub']}/events/{event['id']}/{act}"
    answer = cell.http.post(url, headers=cell.auth(event["hub"], role), **how)
    assert answer.status_code == 200, answer.text
