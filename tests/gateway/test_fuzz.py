"""Strangers' requests made from the published document: never a 5xx, never an answer the document does not name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Session
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from services.gateway.auth.purposes import PURPOSES
from shared.contracts.directory.words import TokenPurpose
from tests.gateway.cell import BOUNCE_TOKEN, Cell
from tests.gateway.compatibility import STORED
from tests.gateway.event_rows import EVENT, EVENT_TABLE, SERIES
from tests.gateway.event_things import things, version_of
from tests.gateway.matching_rows import MATCHING_TABLE
from tests.gateway.notify_rows import BOUNCES, NOTIFY_TABLE
from tests.gateway.notify_things import unsubscribe_link
from tests.gateway.people_rows import PEOPLE_TABLE
from tests.gateway.rows import headers_of
from tests.gateway.sign_in_rows import SIGN_IN_TABLE
from tests.gateway.sign_in_things import holder

OPTIONS = {"live_longest_s": 0}
"""Live streams end when they have said what there is."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
OPERATIONS = [
    (method.upper(), path)
    for path, item in sorted(json.loads(STORED.read_text("utf-8"))["paths"].items())
    for method in item
]
"""Of the stored document, which `test_documents` holds against today's: to make that one takes each worker a second."""
TABLE = EVENT_TABLE | MATCHING_TABLE | NOTIFY_TABLE | SIGN_IN_TABLE | PEOPLE_TABLE
FITTING = [one for one in OPERATIONS if "{provider}" not in one[1]]
"""Signing in with a provider takes one, which tests/gateway/test_providers.py has."""
HOLDERS: dict[str, dict[TokenPurpose, dict[str, str]]] = {}
BOOKING = "/v1/hubs/{hub}/bookings/{booking}"


@pytest.fixture(scope="module")
def schema(cell: Cell) -> Any:
    """The document as the running gateway serves it."""
    return schemathesis.openapi.from_url(f"{cell.url}/v1/openapi.json")


@pytest.fixture(scope="module")
def http() -> Iterator[Session]:
    """Connections that are kept."""
    with Session() as session:
        yield session


@pytest.fixture(scope="module")
def days() -> Iterator[int]:
    """A new day for each booking a test needs."""
    return iter(range(30, 900))


def fitting(cell: Cell, path: str, days: Iterator[int]) -> dict[str, str]:
    """Path parameters that exist."""
    known = {
        "hub": "here",
        "space": "room",
        "member": str(cell.person("here", "member", f"Somebody {next(days)}")),
    }
    if "{booking}" in path:
        soon = path.endswith(("check-in", "check-out"))
        slot = {"start": cell.near(1), "end": cell.near(20)} if soon else cell.slot(day=next(days))
        hold = path.endswith("confirm")
        made = cell.book("here", "flex" if soon else "room", hold=hold, **slot)
        known["booking"] = str(made["id"])
        if path.endswith("check-out"):
            url = f"/v1/hubs/here/bookings/{made['id']}/check-in"
            assert cell.http.post(url, headers=cell.auth("here", "operator")).status_code == 200
    known |= things(cell, "here", path, operators=True)
    return {name: value for name, value in known.items() if f"{{{name}}}" in path}


def example(cell: Cell, method: str, path: str, days: Iterator[int]) -> dict[str, Any]:
    """The parts of a request that must succeed."""
    parts: dict[str, Any] = {"path_parameters": fitting(cell, path, days)}
    bodies: dict[tuple[str, str], Any] = {
        ("POST", "/v1/hubs/{hub}/bookings"): {"space": "room", **cell.slot(day=next(days)), "title": "Möte"},
        ("PATCH", BOOKING): cell.slot(day=next(days)),
        ("POST", f"{BOOKING}/cancel"): {"reason": "The train is late"},
        ("POST", "/v1/hubs/{hub}/spaces"): {"id": f"s-{uuid4().hex[:8]}", "name": "Studio", "kind": "room"},
        ("PATCH", "/v1/hubs/{hub}/spaces/{space}"): {"name": "The room"},
        ("POST", "/v1/hubs/{hub}/members"): {"person": {"name": "Alva Ek"}, "role": "visitor"},
        ("PATCH", "/v1/hubs/{hub}/members/{member}"): {"role": "host"},
    }
    if (method, path) in bodies:
        parts |= {"body": bodies[method, path], "media_type": "application/json"}
    if path == "/v1/live":
        parts["query"] = {"hub": "here", "topics": "occupancy,events"}
    if path.endswith("/availability"):
        parts["query"] = {"from": "2027-03-01T10:00", "to": "2027-03-01T11:00"}
    if method == "PATCH":
        parts["headers"] = {"If-Match": cell.etag("here") if "{space}" in path else '"1"'}
    return parts | of_table(cell, method, path, parts["path_parameters"])


def of_table(cell: Cell, method: str, path: str, known: dict[str, str]) -> dict[str, Any]:
    """What the table of who may do what sends to the routes of events, matching and notify."""
    if (method, path) not in TABLE:
        return {}
    asked = TABLE[method, path].ask(cell, "here", "operator")
    parts: dict[str, Any] = {"query": asked.get("params", {}), "headers": asked.get("headers", {})}
    if "json" in asked or path.endswith("/sign-ups"):
        parts |= {"body": asked.get("json", {}), "media_type": "application/json"}
    if method == "PATCH" and path in (EVENT, SERIES):
        parts["headers"] = version_of(cell, "here", path.format(**known))
    return parts


def signed_in(cell: Cell, path: str) -> dict[str, str]:
    """The header of whoever may most: the hub's operator, or the mail server."""
    if path == BOUNCES:
        return {"Authorization": f"Bearer {BOUNCE_TOKEN}"}
    # Some come with a development token, some as people do who have signed in.
    return cell.auth("here", "operator") if len(path) % 2 else headers_of(cell, "operator")


def holders(cell: Cell, method: str, path: str) -> list[dict[str, str]]:
    """The headers of the API tokens that are for this."""
    if not HOLDERS.get(cell.url):
        HOLDERS[cell.url] = {purpose: holder(cell, "here", purpose) for purpose in TokenPurpose}
    return [HOLDERS[cell.url][purpose] for purpose, known in PURPOSES.items() if (method, path) in known][-1:]


@schemathesis.serializer("message/rfc822", "message/global", "multipart/report")
def _mail(_: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(("method", "path"), FITTING)
def test_a_fitting_request_succeeds_as_documented(
    cell: Cell, schema: Any, days: Iterator[int], http: Session, method: str, path: str
) -> None:
    case = schema[path][method].Case(method=method, **example(cell, method, path, days))
    answer = case.call(session=http, headers=signed_in(cell, path))
    assert 200 <= answer.status_code < 300, answer.text
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize("kind", ["leave", "unsubscribe", "invalid"])
def test_links_answer_programs_and_people_as_documented(
    cell: Cell, schema: Any, kind: str, accept: str
) -> None:
    tokens = {
        "leave": things(cell, "here", "{token}")["token"],
        "unsubscribe": unsubscribe_link(cell, cell.person("here", "member"), "here", "event")[10:],
        "invalid": "x",
    }
    for method in ("GET", "POST"):
        asked = {"path_parameters": {"token": tokens[kind]}, "headers": {"Accept": accept}}
        case = schema["/v1/links/{token}"][method].Case(method=method, **asked)
        answer = case.call()
        assert answer.status_code == (404 if kind == "invalid" else 200), answer.text
        wanted = "application/problem+json" if answer.status_code == 404 else "application/json"
        shown = answer.headers["content-type"][0].partition(";")[0]
        assert shown == (accept if accept == "text/html" else wanted)
        case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_finds_an_answer_that_is_not_documented(
    cell: Cell, schema: Any, days: Iterator[int], http: Session, method: str, path: str
) -> None:
    """Whoever sends it: each request goes out in nobody's name, in the operator's, and with an API token that is for it."""
    operation = schema[path][method]
    senders: tuple[dict[str, str], ...] = ({}, signed_in(cell, path), *holders(cell, method, path))
    known = fitting(cell, path, days)
    modes = list(schemathesis.GenerationMode)
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])

    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, fits=st.booleans())
    def try_it(case: Any, fits: bool) -> None:
        if fits:
            case.path_parameters = {**(case.path_parameters or {}), **known}
        for auth in senders:
            answer = case.call(session=http, headers=auth)
            case.validate_response(answer, checks=CHECKS)

    try_it()
