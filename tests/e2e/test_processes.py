"""With real processes: one trace from the HTTP request to the consumer, figures for keepers, readiness, quiet logs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from shared.contracts.users import SERVICES
from tests.e2e.collector import Collector, Span
from tests.stack.console import Started, eventually
from tests.stack.plain import PlainStack

HUB = "here"
PROCESSES = ("gateway", *SERVICES)
CONSUMER = "booking__measures_occupancy"
TITLE = "Therapy with Dr Ek"


@dataclass
class Running:
    """A stack, its collector, and somebody who may do everything in the first hub."""

    console: Started
    collector: Collector
    client: httpx2.Client

    def url(self, process: str) -> str:
        url: str = self.console.processes()[process]["url"]
        return url

    def status(self, process: str, path: str) -> int:
        return httpx2.get(self.url(process) + path, timeout=5).status_code


@pytest.fixture(scope="module")
def stack(plain_stack: PlainStack) -> Iterator[Running]:
    headers = {"Authorization": f"Bearer {plain_stack.token(plain_stack.hub(HUB), 'operator')}"}
    with httpx2.Client(base_url=plain_stack.url, headers=headers, timeout=20) as client:
        yield Running(plain_stack.console, plain_stack.collector, client)


def space(stack: Running, days: int, **headers: str) -> str:
    """A room of this test's own, always open."""
    body = {"id": f"room-{days}", "name": "Room", "kind": "room", "rules": {"days_ahead": 300}}
    answer = stack.client.post(f"/v1/hubs/{HUB}/spaces", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(body["id"])


def book(stack: Running, days: int, where: str | None = None, **headers: str) -> httpx2.Response:
    start = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    body = {"space": where or space(stack, days), "start": start.isoformat(), "title": TITLE}
    body["end"] = (start + timedelta(hours=1)).isoformat()
    answer = stack.client.post(f"/v1/hubs/{HUB}/bookings", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


def path_up(spans: dict[str, Span], span: Span) -> list[str]:
    """Names from this span up to the trace's root."""
    names = [f"{span.service}: {span.name}"]
    while span.parent in spans:
        span = spans[span.parent]
        names.append(f"{span.service}: {span.name}")
    return names


def test_a_booking_is_one_trace_from_the_browser_to_the_consumer(stack: Running) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    earlier = trace[::-1]

    def consumed(of: str) -> list[Span]:
        taken = [one for one in list(stack.collector.spans) if one.name == f"take in {CONSUMER}"]
        return [one for one in taken if of == one.trace or of in one.links]

    # A batch of many facts continues the first one's trace and links to the others; so let it be alone.
    where = space(stack, 3, traceparent=f"00-{earlier}-{parent}-01")
    eventually("what went before has been taken in", lambda: consumed(earlier))
    book(stack, 3, where, traceparent=f"00-{trace}-{parent}-01")
    eventually("the consumer's span has arrived", lambda: consumed(trace))

    def complete() -> bool:
        spans = stack.collector.trace(trace)
        return all(path_up(spans, one)[-1].startswith("gateway: POST") for one in spans.values())

    eventually("every span's parent has arrived", complete)
    spans = stack.collector.trace(trace)
    roots = [one for one in spans.values() if one.parent == parent]
    assert [f"{one.service}: {one.name}" for one in roots] == ["gateway: POST /v1/hubs/{hub}/bookings"]
    [taken] = consumed(trace)
    way = path_up(spans, taken)
    assert way[0] == f"booking: take in {CONSUMER}"
    assert way[-3:] == [
        "booking: booking reserve",
        "gateway: booking reserve",
        "gateway: POST /v1/hubs/{hub}/bookings",
    ]
    assert "booking: publish" in way
    statement = next(one for one in spans.values() if one.name == "reserve statement")
    assert path_up(spans, statement)[1] == "booking: booking reserve"
    assert any(one.name == "transaction" and spans[one.parent] == taken for one in spans.values())


FIGURES = {
    "gateway": ("foci_http_seconds_bucket", "foci_http_requests_total"),
    "directory": (
        "foci_request_seconds_bucket",
        "foci_requests_total",
        "foci_outbox_age_seconds",
        'foci_relay_leader{stream="DIRECTORY"}',
    ),
    "booking": (
        "foci_request_seconds_bucket",
        'foci_requests_total{operation="reserve",status="201"}',
        'foci_outbox_age_seconds{stream="BOOKING"}',
        'foci_relayed_facts_total{stream="BOOKING"}',
        'foci_fact_seconds_bucket{consumer="booking__measures_occupancy"',
        'foci_facts_total{consumer="booking__measures_occupancy",outcome="done"}',
        'foci_fact_delay_seconds_bucket{consumer="booking__measures_occupancy"',
        'foci_consumer_lag{consumer="booking__measures_occupancy"}',
        "foci_dead_letters ",
        "foci_parked_facts ",
        "foci_timer_lateness_seconds ",
        "foci_timer_overdue_seconds ",
        'foci_service_info{cell="local",part="booking"',
        'foci_ready{need="database"} 1.0',
        'foci_booking_units{count="capacity"}',
        "foci_timers_total",
    ),
}


def test_the_figures_keepers_need_are_there(stack: Running) -> None:
    book(stack, 4)

    def missing() -> list[str]:
        said = {name: httpx2.get(stack.url(name) + "/metrics", timeout=5).text for name in FIGURES}
        return [
            f"{name}: {one}" for name, wanted in FIGURES.items() for one in wanted if one not in said[name]
        ]

    try:
        eventually("every family is there", lambda: not missing(), seconds=20)
    except AssertionError:
        pytest.fail(f"missing: {missing()}")


def test_a_server_that_hangs_makes_unready_and_never_dead(stack: Running) -> None:
    with stack.console.hanging("nats"):
        for process in PROCESSES:
            eventually(f"{process} is not ready", lambda name=process: stack.status(name, "/readyz") == 503)
            assert stack.status(process, "/healthz") == 200
        answer = stack.client.get(f"/v1/hubs/{HUB}/spaces")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
    for process in PROCESSES:
        eventually(f"{process} is ready again", lambda name=process: stack.status(name, "/readyz") == 200)
    # Not only when the connection is found stale half a minute later: a ping given up must not break its reader.
    eventually("it works", lambda: stack.client.get(f"/v1/hubs/{HUB}/spaces").status_code == 200, seconds=10)


def test_a_hanging_service_is_a_503_within_the_deadline(stack: Running) -> None:
    with stack.console.hanging("booking"):
        answer = stack.client.get(f"/v1/hubs/{HUB}/spaces")
        assert answer.status_code == 503
        assert answer.elapsed < timedelta(seconds=7)
        assert stack.client.get(f"/v1/hubs/{HUB}").status_code == 200
    eventually("and works", lambda: stack.client.get(f"/v1/hubs/{HUB}/spaces").status_code == 200)


def test_logs_of_the_real_processes_are_quiet_about_people(stack: Running) -> None:
    answer = book(stack, 10)
    token = stack.client.headers["authorization"].split()[1]
    said = stack.console.said_in_logs()
    assert '"trace_id"' in said or "ready" in said
    for private in (TITLE, token, token.rpartition(".")[2]):
        assert private not in said
    assert answer.json()["title"] == TITLE
