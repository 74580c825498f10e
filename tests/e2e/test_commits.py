"""What was not committed is never answered with success, however late it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.gateway.cell import Cell, eventually
from tests.gateway.problems import problem

BOOKINGS = "/v1/hubs/here/bookings"
FAILURES = {
    "rolled back": ("RAISE EXCEPTION 'planted'", 500),
    "serialization": ("RAISE EXCEPTION 'planted' USING ERRCODE = '40001'", 503),
    "killed": ("PERFORM pg_terminate_backend(pg_backend_pid())", 503),
}


@contextmanager
def failing_commits(cell: Cell, service: str, act: str) -> Iterator[None]:
    """Every transaction that states a fact fails at its very end, after all its statements have succeeded."""
    cell.sql(
        service,
        f"CREATE FUNCTION fail_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act}; RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER fail_late AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION fail_late()",
    )
    try:
        yield
    finally:
        cell.sql(service, "DROP TRIGGER fail_late ON outbox", "DROP FUNCTION fail_late()")


@pytest.mark.parametrize("kind", sorted(FAILURES))
def test_a_commit_that_fails_is_no_success(cell: Cell, kind: str) -> None:
    act, status = FAILURES[kind]
    day = 10 + sorted(FAILURES).index(kind) * 3
    auth = cell.auth("here", "member")
    made = cell.book("here", "room", **cell.slot(day=day))
    url = f"{BOOKINGS}/{made['id']}"
    wish: dict[str, Any] = {"space": "room", **cell.slot(day=day + 1)}
    with failing_commits(cell, "booking", act):
        for key in ({}, {"Idempotency-Key": f"late {kind}"}):
            headers = auth | key
            for answer in (
                cell.http.post(f"{url}/cancel", json={}, headers=headers),
                cell.http.post(BOOKINGS, json=wish, headers=headers),
                cell.http.patch(url, json=cell.slot(day=day + 2), headers={**headers, "If-Match": '"1"'}),
            ):
                problem(answer, status, answer.json()["code"])
    eventually("booking answers again", lambda: cell.http.get(url, headers=auth).status_code == 200)
    assert cell.http.get(url, headers=auth).json() == made
    # What failed with a key was not stored as an answer: the same key may be sent again.
    again = cell.http.post(BOOKINGS, json=wish, headers={**auth, "Idempotency-Key": f"late {kind}"})
    assert again.status_code == 201


def test_the_same_in_the_directory(cell: Cell) -> None:
    host, body = cell.auth("here", "host"), {"person": {"name": "New"}}
    with failing_commits(cell, "directory", "RAISE EXCEPTION 'planted'"):
        problem(cell.http.post("/v1/hubs/here/members", json=body, headers=host), 500, "internal")
    assert cell.http.post("/v1/hubs/here/members", json=body, headers=host).status_code == 201


@pytest.mark.parametrize("kind", sorted(FAILURES))
def test_a_sign_up_that_is_not_committed_has_not_happened(cell: Cell, kind: str) -> None:
    act, status = FAILURES[kind]
    event = cell.meet("here", capacity=2)
    url, auth = f"/v1/hubs/here/events/{event['id']}", cell.auth("here", "member", f"Late {kind}")
    with failing_commits(cell, "events", act):
        for key in ({}, {"Idempotency-Key": f"late {kind}"}):
            for answer in (
                cell.http.post(f"{url}/sign-ups", headers=auth | key),
                cell.http.post(f"{url}/cancel", headers=cell.auth("here", "host") | key),
            ):
                problem(answer, status, answer.json()["code"])
    eventually("events answers again", lambda: cell.http.get(url).status_code == 200)
    seen = cell.http.get(url, headers=auth).json()
    assert (seen["status"], seen["my_status"], seen["places"][0]["taken"]) == ("published", None, 0)
    again = cell.http.post(f"{url}/sign-ups", headers={**auth, "Idempotency-Key": f"late {kind}"})
    assert (again.status_code, again.json()["place"]) == (201, 1)


@pytest.mark.parametrize("server", ["nats", "database"])
def test_a_service_is_ready_only_while_it_has_its_servers(cell: Cell, server: str) -> None:
    assert set(cell.needs("booking").values()) == {"ok"}
    cell.run(cell.wires[server].cut())
    try:
        eventually("it says so", lambda: cell.needs("booking")[server] != "ok")
        other = "nats" if server == "database" else "database"
        assert cell.needs("booking")[other] == "ok"
    finally:
        cell.run(cell.wires[server].mend())
    eventually("and is ready again", lambda: set(cell.needs("booking").values()) == {"ok"})
