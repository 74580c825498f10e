"""With real processes: one trace from browser to mail server, figures at the collector, and nothing of people in either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from shared.contracts.users import SERVICES
from tests.e2e.collector import Collector, Span
from tests.stack.console import eventually
from tests.stack.plain import PlainStack
from tests.telemetry.exported import exported

HUB = "watched"
TRACE, BROWSER = "5af7651916cd43dd8448eb211c80319d", "a7ad6b7169203331"
RECORDED = {"traceparent": f"00-{TRACE}-{BROWSER}-01"}
TITLE = "Therapy with Dr Lindqvist"
NAME = "Signhild Obemärkt"


@dataclass(frozen=True)
class Watched:
    """A member who books, what they are called and have, and the collector."""

    client: httpx2.Client
    address: str
    stack: PlainStack

    @property
    def collector(self) -> Collector:
        return self.stack.collector

    @property
    def private(self) -> list[str]:
        """What must stand in no trace and no figure."""
        token = self.client.headers["authorization"].split()[1]
        return [
            TITLE,
            *TITLE.split()[-1:],
            *NAME.split(),
            self.address,
            self.address.split("@")[0],
            token,
            token.rpartition(".")[2],
        ]


@pytest.fixture(scope="module")
def watched(plain_stack: PlainStack) -> Iterator[Watched]:
    hub = plain_stack.hub(HUB)
    with httpx2.Client(base_url=plain_stack.url, timeout=20) as operator:
        operator.headers["Authorization"] = f"Bearer {plain_stack.token(hub, 'operator')}"
        room = {"id": "room", "name": "Room", "kind": "room", "rules": {"days_ahead": 300}}
        made = operator.post(f"/v1/hubs/{HUB}/spaces", json=room)
        assert made.status_code == 201, made.text
    client, address = plain_stack.person(hub, "member", NAME, "sv")
    with client:
        choices = client.get("/v1/me/choices")
        never_quiet = {"quiet": {"start": "00:00", "end": "00:00"}}
        client.patch("/v1/me/choices", json=never_quiet, headers={"If-Match": choices.headers["etag"]})
        yield Watched(client, address, plain_stack)


def book(watched: Watched) -> None:
    start = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)
    body = {"space": "room", "start": start.isoformat(), "title": TITLE}
    body["end"] = (start + timedelta(hours=1)).isoformat()
    made = watched.client.post(f"/v1/hubs/{HUB}/bookings", json=body, headers=RECORDED)
    assert made.status_code == 201, made.text


def path_up(spans: dict[str, Span], span: Span) -> list[str]:
    names = [f"{span.service}: {span.name}"]
    while span.parent in spans:
        span = spans[span.parent]
        names.append(f"{span.service}: {span.name}")
    return names


def test_one_trace_from_the_browser_to_the_mail_server(watched: Watched) -> None:
    book(watched)

    def ways() -> list[list[str]]:
        spans = watched.collector.trace(TRACE)
        return [path_up(spans, one) for one in spans.values() if one.name == "SMTP send"]

    eventually("the mail is in the trace", lambda: any(way[-1].startswith("gateway: POST") for way in ways()))
    [way] = ways()
    assert way == [
        "notify: SMTP send",
        "notify: tell by mail",
        "notify: take in notify__follows_bookings",
        "booking: publish",
        "booking: booking reserve",
        "gateway: booking reserve",
        "gateway: POST /v1/hubs/{hub}/bookings",
    ]
    root = next(one for one in watched.collector.trace(TRACE).values() if one.name.startswith("POST"))
    assert root.parent == BROWSER
    mails = watched.stack.mails.to(watched.address)
    assert len(mails) == 1


def test_figures_come_to_the_collector_as_they_stand_at_metrics(watched: Watched) -> None:
    wanted = {
        ("gateway", "foci_http_seconds"): ("histogram", "s"),
        ("gateway", "foci_http_requests_total"): ("sum", ""),
        ("booking", "foci_outbox_age_seconds"): ("gauge", "s"),
        **{(service, "foci_service_info"): ("gauge", "") for service in ("gateway", *SERVICES)},
    }

    def came() -> dict[tuple[str, str], tuple[str, str]]:
        figures = watched.collector.figures
        return {one: (figures[one]["kind"], figures[one]["unit"]) for one in wanted if one in figures}

    eventually("the figures have come", lambda: came() == wanted)
    declared = {name.removesuffix("_bucket") for name in exported()}
    named = {name for _, name in watched.collector.figures if name.startswith("foci_")}
    assert named <= declared


def test_who_did_not_ask_for_a_trace_has_none(watched: Watched) -> None:
    """The sampler of this stack records nothing by itself."""
    assert [span for span in list(watched.collector.spans) if not span.parent] == []


def test_figures_are_few_and_by_nobody(watched: Watched) -> None:
    for name, process in watched.stack.console.processes().items():
        if name not in ("gateway", *SERVICES):
            continue
        said = httpx2.get(process["url"] + "/metrics", timeout=5).text
        assert said.count("\n") < 6000, name
        for private in (HUB, *watched.private):
            assert private not in said, name
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", said), name


def test_nothing_of_people_leaves_with_traces_and_figures(watched: Watched) -> None:
    person = watched.client.get("/v1/me").json()["id"]
    spans = [f"{span.name} {span.said}" for span in list(watched.collector.spans)]
    figures = [f"{name} {about}" for name, about in watched.collector.figures.items()]
    assert len(spans) > 10
    assert len(figures) > 100
    for private in (*watched.private, person):
        assert not [one for one in spans if private in one], private
        assert not [one for one in figures if private in one], private
    assert not [one for one in figures if HUB in one]
