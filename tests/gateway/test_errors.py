"""Every refusal is an RFC 9457 problem document, whoever says no and for whatever reason."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.gateway.cell import Cell, eventually
from tests.gateway.problems import problem

BOOKINGS = "/v1/hubs/here/bookings"
WIRED = True
"""The last stories cut the cell off from its servers."""


@pytest.mark.parametrize(
    "raw",
    [b"{", b"", b"\xff\xfe{}", b'{"space": "room",}', b"[" * 50_000],
    ids=["cut off", "empty", "no utf-8", "comma", "deep"],
)
def test_a_body_that_cannot_be_read(cell: Cell, raw: bytes) -> None:
    for path in (BOOKINGS, "/v1/hubs/here/members"):
        headers = {**cell.auth("here", "operator"), "Content-Type": "application/json"}
        answer = cell.http.post(path, content=raw, headers=headers)
        if raw:
            problem(answer, 400, "bad-request")
        else:
            assert answer.status_code in (400, 422)
            problem(answer, answer.status_code, answer.json()["code"])


def test_json_that_is_no_object_names_the_body(cell: Cell) -> None:
    for raw in (b"[]", b'"x"', b"null", b"7"):
        answer = cell.http.post(BOOKINGS, content=raw, headers=cell.auth("here", "member"))
        problem(answer, 422, "invalid", field="body")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"space": None}, "space"),
        ({"space": "no such slug!"}, "space"),
        ({"seats": 0}, "seats"),
        ({"seats": "many"}, "seats"),
        ({"start": "tomorrow"}, "start"),
        ({"end": "2027-13-01T10:00"}, "end"),
        ({"title": "a\u0000b"}, "title"),
        ({"title": "\u202egnol"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"sapce": "room"}, "sapce"),
        ({"hub": "there"}, "hub"),
        ({"person": "nobody"}, "person"),
    ],
)
def test_a_wrong_field_is_named(cell: Cell, change: dict[str, Any], field: str) -> None:
    body = {"space": "room", **cell.slot(), **change}
    answer = cell.http.post(BOOKINGS, json=body, headers=cell.auth("here", "member"))
    said = problem(answer, 422, "invalid")
    assert said["field"].split(".")[0] == field


def test_a_missing_field_is_named(cell: Cell) -> None:
    answer = cell.http.post(BOOKINGS, json={"space": "room"}, headers=cell.auth("here", "member"))
    said = problem(answer, 422, "invalid")
    assert {fault["field"] for fault in said["errors"]} == {"start", "end"}


def test_a_field_name_that_is_no_unicode_is_refused_like_any_other(cell: Cell) -> None:
    for path in (BOOKINGS, "/v1/hubs/here/members"):
        headers = {**cell.auth("here", "operator"), "Content-Type": "application/json"}
        answer = cell.http.post(path, content=rb'{"\ud800": 1}', headers=headers)
        assert answer.status_code in (400, 422)
        problem(answer, answer.status_code, answer.json()["code"])


def test_values_are_not_repeated(cell: Cell) -> None:
    secret = "my-private-words"
    body = {"space": "room", **cell.slot(), "seats": secret, "title": secret * 20}
    answer = cell.http.post(BOOKINGS, json=body, headers=cell.auth("here", "member"))
    problem(answer, 422, "invalid")
    assert secret not in answer.text


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "kind=tent", "q=%00", "cursor=%00", "country=se"]
)
def test_wrong_questions_name_the_parameter(cell: Cell, query: str) -> None:
    path = "/v1/hubs" if not query.startswith("kind") else "/v1/hubs/here/spaces"
    problem(cell.http.get(f"{path}?{query}"), 422, "invalid", field=query.partition("=")[0])


def test_unknown_and_doubled_questions_are_refused(cell: Cell) -> None:
    problem(cell.http.get("/v1/hubs?municipalty=X"), 422, "invalid", field="municipalty")
    problem(cell.http.get("/v1/hubs?limit=1&limit=2"), 422, "invalid", field="limit")
    problem(cell.http.get("/v1/hubs/here?fields=name"), 422, "invalid", field="fields")
    auth = cell.auth("here", "host")
    twice = cell.http.get(f"{BOOKINGS}?status=held&status=confirmed", headers=auth)
    assert twice.status_code == 200


def test_times_in_a_question_are_called_as_they_were_asked(cell: Cell) -> None:
    answer = cell.http.get("/v1/hubs/here/availability?from=2027-03-01T10:00&to=2027-03-01T09:00")
    assert problem(answer, 422, "invalid", field="to")["detail"].startswith("to must")
    answer = cell.http.get("/v1/hubs/here/availability?from=yesterday--&to=2027-03-01T09:00")
    problem(answer, 422, "invalid", field="from")
    for moment in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2027-01-01T00:00:00"):
        asked = cell.http.get(f"/v1/me/bookings?from={moment}", headers=cell.auth("here", "member"))
        problem(asked, 422, "invalid", field="from")


def test_a_time_the_clocks_skip_or_show_twice(cell: Cell) -> None:
    for day, code in (("2027-03-28", "time-does-not-exist"), ("2027-10-31", "time-exists-twice")):
        body = {"space": "room", "start": f"{day}T02:30", "end": f"{day}T04:30"}
        answer = cell.http.post(BOOKINGS, json=body, headers=cell.auth("here", "member"))
        said = problem(answer, 422, code, field="start")
        assert len(said["choices"]) == 2


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1/hubs/", "/v2/hubs", "/%2e%2e/etc/passwd", "/v1/hubs/here/"]
)
def test_no_such_address(cell: Cell, path: str) -> None:
    problem(cell.http.get(path), 404, "not-found")


def test_no_such_thing(cell: Cell) -> None:
    member = cell.auth("here", "member")
    for path in ("/v1/hubs/nowhere", "/v1/hubs/nowhere/spaces", "/v1/hubs/here/spaces/attic"):
        problem(cell.http.get(path), 404, "not-found")
    problem(cell.http.get(f"{BOOKINGS}/{uuid4()}", headers=member), 404, "not-found")
    problem(cell.http.get(f"{BOOKINGS}/one", headers=member), 422, "invalid", field="booking")


def test_other_methods_are_told_which_there_are(cell: Cell) -> None:
    expected = {
        "/v1/hubs": "GET, HEAD, OPTIONS",
        BOOKINGS: "GET, HEAD, OPTIONS, POST",
        f"{BOOKINGS}/{uuid4()}": "GET, HEAD, OPTIONS, PATCH",
        f"/v1/hubs/here/members/{uuid4()}": "DELETE, GET, HEAD, OPTIONS, PATCH",
    }
    for path, methods in expected.items():
        for method in ("PUT", "TRACE"):
            answer = cell.http.request(method, path)
            problem(answer, 405, "method-not-allowed")
            assert answer.headers["allow"] == methods
        options = cell.http.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, methods, b"")
    assert "GET" in cell.http.post("/healthz").headers["allow"]


def test_head_is_get_without_the_body(cell: Cell) -> None:
    for path in ("/v1/hubs/here", "/v1/hubs", "/v1/openapi.json", "/v1/hubs/nowhere"):
        got, head = cell.http.get(path), cell.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in ("content-length", "content-type", "etag"):
            assert head.headers.get(name) == got.headers.get(name)


def test_a_body_may_be_so_large_and_no_larger(cell: Cell) -> None:
    auth = cell.auth("here", "member")

    def chunks(size: int) -> Iterator[bytes]:
        yield from (b" " * 10_000 for _ in range(size // 10_000))
        yield json.dumps({"space": "room", **cell.slot(day=200)}).encode()

    for path in (BOOKINGS, "/v1/hubs/here/members"):
        problem(cell.http.post(path, content=b"x" * 131_073, headers=auth), 413, "body-too-large")
        problem(cell.http.post(path, content=chunks(140_000), headers=auth), 413, "body-too-large")
    assert cell.http.post(BOOKINGS, content=chunks(100_000), headers=auth).status_code == 201


def test_what_is_in_the_way_is_said_without_whose_it_is(cell: Cell) -> None:
    slot = cell.slot(day=40)
    cell.book("here", "room", title="Secret interview", **slot)
    answer = cell.http.post(BOOKINGS, json={"space": "room", **slot}, headers=cell.auth("here", "visitor"))
    said = problem(answer, 409, "space-taken")
    assert said["in_the_way"][0]["space"] == "room"
    assert said["free_instead"]["times"]
    assert "Secret" not in answer.text
    assert str(cell.person("here", "member")) not in answer.text


def test_who_is_not_signed_in_and_who_may_not(cell: Cell) -> None:
    problem(cell.http.get("/v1/me"), 401, "unauthenticated")
    space = {"id": "attic", "name": "Attic", "kind": "room"}
    answer = cell.http.post("/v1/hubs/here/spaces", json=space, headers=cell.auth("here", "member"))
    problem(answer, 403, "forbidden")
    body = {"space": "room", **cell.slot(day=41)}
    problem(cell.http.post(BOOKINGS, json=body, headers=cell.auth("there", "member")), 403, "not-a-member")


def test_a_change_says_which_version_it_is_about(cell: Cell) -> None:
    auth = cell.auth("here", "member")
    made = cell.book("here", "room", **cell.slot(day=42))
    path, change = f"{BOOKINGS}/{made['id']}", cell.slot(day=43)
    problem(cell.http.patch(path, json=change, headers=auth), 428, "precondition-required")
    for stale in ('"7"', '"nonsense"', "*", "", '"1', '"99999999999999"'):
        answer = cell.http.patch(path, json=change, headers={**auth, "If-Match": stale})
        problem(answer, 412, "version-mismatch")
    moved = cell.http.patch(path, json=change, headers={**auth, "If-Match": '"1"'})
    assert (moved.status_code, moved.headers["etag"]) == (200, '"2"')
    problem(cell.http.patch(path, json=change, headers={**auth, "If-Match": '"1"'}), 412, "version-mismatch")


def test_something_unforeseen_in_a_service_tells_nothing_of_its_insides(cell: Cell) -> None:
    cell.sql("directory", "ALTER TABLE hub RENAME COLUMN about TO hidden")
    try:
        answer = cell.http.get("/v1/hubs/here")
        problem(answer, 500, "internal")
        assert "hidden" not in answer.text
        assert "SELECT" not in answer.text
    finally:
        cell.sql("directory", "ALTER TABLE hub RENAME COLUMN hidden TO about")
    assert cell.http.get("/v1/hubs/here").status_code == 200


def test_something_unforeseen_in_the_gateway_too(cell: Cell) -> None:
    async def broken() -> None:
        raise RuntimeError("planted, with a secret inside")

    cell.app.add_api_route("/v1/broken", broken)
    answer = cell.http.get("/v1/broken")
    problem(answer, 500, "internal")
    assert "planted" not in answer.text


def test_a_slow_service_is_not_waited_for_longer_than_the_deadline(cell: Cell) -> None:
    async def lock() -> Any:
        connection: Any = await asyncpg.connect(cell.plain_url("booking"))
        await connection.execute("BEGIN")
        await connection.execute("LOCK TABLE space, booking IN ACCESS EXCLUSIVE MODE")
        return connection

    with cell.another_gateway(deadline_s=0.6) as client:
        held = cell.run(lock())
        try:
            guest = {"name": "Somebody New"}
            body = {"space": "room", **cell.slot(day=44), "person": guest}
            for method, path, asked in (("GET", "/v1/hubs/here/spaces", None), ("POST", BOOKINGS, body)):
                began = time.monotonic()
                problem(
                    client.request(method, path, json=asked, headers=cell.auth("here", "host")),
                    503,
                    "unavailable",
                )
                assert time.monotonic() - began < 2.5
        finally:
            cell.run(held.close())
        eventually("it answers again", lambda: client.get("/v1/hubs/here/spaces").status_code == 200)


def test_a_service_that_is_not_there(cell: Cell) -> None:
    cell.run(cell.end("booking"))
    try:
        began = time.monotonic()
        problem(cell.http.get("/v1/hubs/here/spaces"), 503, "unavailable")
        assert time.monotonic() - began < 3
        assert cell.http.get("/v1/hubs/here").status_code == 200
        assert cell.http.get("/readyz").status_code == 200
    finally:
        cell.run(cell.begin("booking"))
    eventually("booking answers", lambda: cell.http.get("/v1/hubs/here/spaces").status_code == 200)


@pytest.mark.parametrize("server", ["nats", "database"])
def test_a_server_that_is_away_and_comes_back(cell: Cell, server: str) -> None:
    cell.run(cell.wires[server].cut())
    try:
        began = time.monotonic()
        problem(cell.http.get("/v1/hubs/here/spaces"), 503, "unavailable")
        assert time.monotonic() - began < 7
        assert cell.http.get("/healthz").status_code == 200
        if server == "nats":
            eventually("it is not ready", lambda: cell.http.get("/readyz").status_code == 503)
    finally:
        cell.run(cell.wires[server].mend())
    eventually("it answers again", lambda: cell.http.get("/v1/hubs/here/spaces").status_code == 200)
    eventually("and is ready", lambda: cell.http.get("/readyz").status_code == 200)
