"""Who may do what in whose hub: every route, every role, the own hub and another, from the app's own routes."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from starlette.routing import Route

from tests.gateway.cell import Cell
from tests.gateway.event_rows import EVENT, EVENT_TABLE, SERIES
from tests.gateway.event_things import OWNER, things, version_of
from tests.gateway.matching_rows import MATCHING_TABLE
from tests.gateway.notify_rows import NOTIFY_TABLE
from tests.gateway.people_rows import PEOPLE_TABLE
from tests.gateway.problems import problem
from tests.gateway.rows import BELONG, HUB, OPERATORS, PEOPLE, ROLES, STAFF, VERSION, Row, headers_of
from tests.gateway.sign_in_rows import SIGN_IN_TABLE

OPTIONS = {"live_longest_s": 0}
"""Live streams end when they have said what there is."""
KEEPERS = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}
"""For the cell's keepers, not for people; outside the published document."""

BOOKING = f"{HUB}/bookings/{{booking}}"


def _slot(cell: Cell, hub: str, role: str) -> dict[str, Any]:
    number = ROLES.index(role) + (0 if hub == "here" else 20)
    return {"json": {"space": "flex", **cell.slot(day=60 + number)}}


def _space(_: Cell, hub: str, role: str) -> dict[str, Any]:
    return {"json": {"id": f"new-{hub}-{role}", "name": "New", "kind": "room"}}


STANDING: dict[tuple[str, str, str], dict[str, str]] = {}
NUMBERS = count()

# Whoever is not in `may` hears `refused`; nobody and a bad token hear 401 where one signs in. The booking and the member
# the addresses name are another person's: whose it is may always see it, which test_who_may_see_a_booking tries.
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/v1/hubs"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", HUB): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", f"{HUB}/spaces"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", f"{HUB}/spaces/{{space}}"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", f"{HUB}/occupancy"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", f"{HUB}/availability"): Row(
        200,
        0,
        PEOPLE,
        signed_in=False,
        ask=lambda *_: {"params": {"from": "2027-03-01T10:00", "to": "2027-03-01T11:00"}},
    ),
    ("GET", f"{HUB}/now"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", "/v1/live"): Row(
        200, 0, PEOPLE, signed_in=False, ask=lambda _, hub, __: {"params": {"hub": hub}}
    ),
    ("GET", "/v1/asyncapi.json"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", "/v1/openapi.json"): Row(200, 0, PEOPLE, signed_in=False),
    ("GET", "/v1/me"): Row(200, 0, PEOPLE),
    ("GET", "/v1/me/bookings"): Row(200, 0, PEOPLE),
    ("POST", f"{HUB}/spaces"): Row(201, 403, OPERATORS, ask=_space),
    ("PATCH", f"{HUB}/spaces/{{space}}"): Row(
        200,
        403,
        OPERATORS,
        ask=lambda cell, hub, _: {"json": {"name": "Room"}, "headers": {"If-Match": cell.etag(hub)}},
    ),
    ("GET", f"{HUB}/bookings"): Row(200, 403, STAFF),
    ("POST", f"{HUB}/bookings"): Row(201, 403, BELONG, ask=_slot),
    ("GET", BOOKING): Row(200, 404, STAFF),
    ("PATCH", BOOKING): Row(200, 404, STAFF, ask=lambda *_: {"json": {"title": "Moved"}, **VERSION}),
    ("POST", f"{BOOKING}/confirm"): Row(200, 404, STAFF),
    ("POST", f"{BOOKING}/cancel"): Row(200, 404, STAFF),
    ("POST", f"{BOOKING}/check-in"): Row(200, 404, STAFF),
    ("POST", f"{BOOKING}/check-out"): Row(200, 404, STAFF),
    ("POST", f"{HUB}/members"): Row(
        201, 403, STAFF, ask=lambda *_: {"json": {"person": {"name": "A Guest"}, "role": "visitor"}}
    ),
    ("GET", f"{HUB}/members/{{member}}"): Row(200, 404, STAFF),
    ("PATCH", f"{HUB}/members/{{member}}"): Row(
        200, 403, OPERATORS, ask=lambda *_: {"json": {"role": "member"}, **VERSION}
    ),
    ("DELETE", f"{HUB}/members/{{member}}"): Row(200, 403, OPERATORS),
    **EVENT_TABLE,
    **MATCHING_TABLE,
    **NOTIFY_TABLE,
    **SIGN_IN_TABLE,
    **PEOPLE_TABLE,
}


def routes_of(cell: Cell) -> set[tuple[str, str]]:
    """Every method and path the app answers."""
    return {
        (method, route.path)
        for route in cell.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_the_app_the_published_document_and_the_table_name_the_same_routes(cell: Cell) -> None:
    document = cell.http.get("/v1/openapi.json").json()
    published = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert routes_of(cell) - KEEPERS == published
    assert published == set(TABLE), "every route has a row in the table"


def booking_for(cell: Cell, hub: str, path: str, number: int) -> str:
    """Another member's booking, in a state in which the route can act on it."""
    soon = path.endswith(("check-in", "check-out"))
    slot = cell.slot(day=100 + number)
    if soon:
        slot = {name: cell.near(minutes) for name, minutes in (("start", 1), ("end", 20))}
    made = cell.book(hub, "many", name="Owner", hold=path.endswith("confirm"), **slot)
    if path.endswith("check-out"):
        url = f"/v1/hubs/{hub}/bookings/{made['id']}/check-in"
        assert cell.http.post(url, headers=cell.auth(hub, "member", "Owner")).status_code == 200
    return str(made["id"])


@pytest.fixture(scope="module")
def matrix(cell: Cell) -> Cell:
    """The cell with a large area in each hub, and a hub of no concern."""
    cell.hub("elsewhere")
    for hub in ("here", "there"):
        cell.space(hub, "many", "flex", seats=500)
    return cell


@pytest.mark.parametrize("hub", ["here", "there"])
@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_exactly_what_the_table_says(matrix: Cell, role: str, hub: str) -> None:
    wrong = []
    for (method, path), row in sorted(TABLE.items()):
        expected = _expected(row, role, hub, path)
        acts = method != "GET" and expected < 400
        answer = _send(matrix, method, path, row, role, hub, acts=acts)
        if answer.status_code != expected:
            wrong.append(f"{method} {path}: {answer.status_code} instead of {expected}: {answer.text[:200]}")
        elif expected >= 400:
            problem(answer, expected, answer.json()["code"])
    assert wrong == []


def _expected(row: Row, role: str, hub: str, path: str) -> int:
    if role == "garbage" or (role == "nobody" and row.signed_in):
        return 401
    if not row.refused:
        return row.good
    # What one is in `here` says nothing in `there`.
    known = role if hub == "here" else "stranger"
    return row.good if known in row.may else row.besides.get(known, row.refused)


def _made(cell: Cell, hub: str, path: str) -> dict[str, str]:
    """What the address names, made for this."""
    made = things(cell, hub, path)
    if "{booking}" in path:
        made["booking"] = booking_for(cell, hub, path, next(NUMBERS))
    if "{member}" in path:
        made["member"] = str(cell.person(hub, "member", f"Somebody {next(NUMBERS)}"))
    return made


def _standing(cell: Cell, hub: str, path: str) -> dict[str, str]:
    """What the address names, the same for everybody who only looks or is refused."""
    place = (cell.url, hub, path)
    if place not in STANDING:
        STANDING[place] = _made(cell, hub, path)
    return STANDING[place]


def _send(cell: Cell, method: str, path: str, row: Row, role: str, hub: str, *, acts: bool) -> Any:
    address = path.replace("{hub}", hub).replace("{space}", "room")
    known = _made(cell, hub, path) if acts else _standing(cell, hub, path)
    for name, value in known.items():
        address = address.replace(f"{{{name}}}", value)
    asked = row.ask(cell, hub, role)
    if method == "PATCH" and path in (EVENT, SERIES):
        asked["headers"] = version_of(cell, hub, address)
    headers = {**headers_of(cell, role), **asked.pop("headers", {})}
    return cell.http.request(method, address, headers=headers, **asked)


def test_another_hubs_booking_is_not_found_through_ones_own_hub(matrix: Cell) -> None:
    foreign = matrix.book("there", "room", **matrix.slot(day=50))["id"]
    acts = [
        ("GET", ""),
        ("PATCH", ""),
        *(("POST", f"/{act}") for act in ("confirm", "cancel", "check-in", "check-out")),
    ]
    for role in BELONG:
        auth = {**matrix.auth("here", role), "If-Match": '"1"'}
        for method, tail in acts:
            for hub in ("here", "there"):
                url = f"/v1/hubs/{hub}/bookings/{foreign}{tail}"
                body = {"seats": 1} if method == "PATCH" else None
                problem(matrix.http.request(method, url, headers=auth, json=body), 404, "not-found")


def test_another_hubs_things_are_not_found_through_ones_own_hub(matrix: Cell) -> None:
    """Whatever one may in the own hub: ids of another are ids of nothing here."""
    wrong = []
    for (method, path), row in sorted((EVENT_TABLE | MATCHING_TABLE | NOTIFY_TABLE).items()):
        # Skills are the same in all hubs.
        if not path.startswith(HUB) or path.replace("{concept}", "").count("{") < 2:
            continue
        foreign = things(matrix, "there", path)
        address = path.replace("{hub}", "here")
        for name, value in foreign.items():
            address = address.replace(f"{{{name}}}", value)
        asked = {"headers": {}, **row.ask(matrix, "here", "operator")}
        headers = {"If-Match": '"1"', **asked.pop("headers"), **matrix.auth("here", "operator")}
        answer = matrix.http.request(method, address, headers=headers, **asked)
        if answer.status_code != 404:
            wrong.append(f"{method} {path}: {answer.status_code}: {answer.text[:200]}")
    assert wrong == []


ORGANISERS = {
    (method, f"{path}{act}"): 200
    for method, path, act in (
        ("GET", EVENT, ""),
        ("PATCH", EVENT, ""),
        ("POST", EVENT, "/publish"),
        ("POST", EVENT, "/cancel"),
        ("POST", EVENT, "/answer"),
        ("GET", EVENT, "/sign-ups"),
        ("GET", EVENT, "/sign-ups/{sign_up}"),
        ("DELETE", EVENT, "/sign-ups/{sign_up}"),
        ("POST", EVENT, "/check-in"),
        ("PATCH", SERIES, ""),
        ("POST", SERIES, "/publish"),
        ("POST", SERIES, "/cancel"),
    )
} | {("POST", f"{EVENT}/{act}"): 403 for act in ("approve", "return", "hide", "show")}


@pytest.mark.parametrize("who", [OWNER, "Co-host"])
def test_whoever_organises_runs_the_event_without_any_other_role_and_moderates_nothing(
    matrix: Cell, who: str
) -> None:
    wrong = []
    co_host = str(matrix.person("here", "member", "Co-host"))
    for (method, path), expected in ORGANISERS.items():
        known = things(matrix, "here", path, organisers=[{"id": co_host}])
        address = path.format(hub="here", **known)
        asked = TABLE[method, path].ask(matrix, "here", "member")
        if method == "PATCH":
            asked["headers"] = version_of(matrix, "here", address)
        headers = {**matrix.auth("here", "member", who), **asked.pop("headers", {})}
        answer = matrix.http.request(method, address, headers=headers, **asked)
        if answer.status_code != expected:
            wrong.append(f"{method} {path}: {answer.status_code}: {answer.text[:200]}")
    assert wrong == []


def test_who_may_see_a_booking(matrix: Cell) -> None:
    mine = matrix.book("here", "room", **matrix.slot(day=51))
    url = f"/v1/hubs/here/bookings/{mine['id']}"
    assert matrix.http.get(url, headers=matrix.auth("here", "member")).status_code == 200
    problem(matrix.http.get(url, headers=matrix.auth("here", "member", "Other")), 404, "not-found")
    problem(matrix.http.get(url, headers=matrix.auth("here", "visitor")), 404, "not-found")
    listed = matrix.http.get("/v1/me/bookings?limit=200", headers=matrix.auth("here", "member")).json()[
        "items"
    ]
    assert mine["id"] in {one["id"] for one in listed}
    assert {one["person"] for one in listed} == {str(matrix.person("here", "member"))}
    theirs = matrix.http.get("/v1/me/bookings", headers=matrix.auth("here", "member", "Other")).json()[
        "items"
    ]
    assert theirs == []


def test_staff_books_for_others_and_whose_it_is_may_act_on_it(matrix: Cell) -> None:
    member = matrix.person("here", "member")
    made = matrix.book("here", "room", who="host", person=str(member), **matrix.slot(day=52))
    assert made["person"] == str(member)
    assert made["booked_by"] == str(matrix.person("here", "host"))
    url = f"/v1/hubs/here/bookings/{made['id']}/cancel"
    assert matrix.http.post(url, headers=matrix.auth("here", "member")).json()["status"] == "cancelled"
    body = {"space": "room", **matrix.slot(day=53), "person": str(matrix.person("here", "host"))}
    answer = matrix.http.post("/v1/hubs/here/bookings", json=body, headers=matrix.auth("here", "member"))
    problem(answer, 403, "forbidden")


def test_a_new_role_acts_at_once_where_it_was_given(matrix: Cell) -> None:
    promoted = matrix.auth("here", "member", "Promoted")
    problem(matrix.http.get("/v1/hubs/here/bookings", headers=promoted), 403, "forbidden")
    path = f"/v1/hubs/here/members/{matrix.person('here', 'member', 'Promoted')}"
    admin = matrix.auth("here", "admin")
    version = matrix.http.get(path, headers=admin).headers["etag"]
    changed = matrix.http.patch(path, json={"role": "host"}, headers={**admin, "If-Match": version})
    assert changed.status_code == 200
    assert matrix.http.get("/v1/hubs/here/bookings", headers=promoted).status_code == 200
