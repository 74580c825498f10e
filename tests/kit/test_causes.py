"""Which trace something belongs to that is done later, or together with things of other causes."""

from __future__ import annotations

from typing import Any

import pytest
from nats.aio.client import Client
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.directory.facts import HubRegisteredV1
from shared.kit.bus import BatchConsumer
from shared.kit.causes import cause_of, caused, causing, within
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.kit.consuming import DURABLE, consuming, is_idle
from tests.kit.hubs import registered
from tests.recording import UNRECORDED, of_trace, recorder, traceparent
from tests.servers import NatsAccount
from tests.waiting import eventually

ANN, BO = traceparent(0xA), traceparent(0xB)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return recorder()


async def test_of_facts_taken_in_together_each_keeps_its_own_cause(
    booking: Database, bus: Client, nats_account: NatsAccount, spans: InMemorySpanExporter
) -> None:
    causes: dict[str, str | None] = {}

    async def effect(_: AsyncSession, facts: Any) -> None:
        causes.update({fact.subject: cause_of(fact.subject) for fact in facts})

    facts = {
        "ann": registered("ann"),
        "bo": registered("bo"),
        "olle": registered("olle"),
        "eve": registered("eve"),
    }
    headers = {
        "ann": {"traceparent": ANN},
        "bo": {"traceparent": BO},
        "olle": {"traceparent": UNRECORDED},
        "eve": None,
    }
    for name, fact in facts.items():
        body = fact.model_dump_json().encode()
        await bus.jetstream().publish(fact.subject_for(fact.hub), body, headers=headers[name])
    async with consuming(
        nats_account, BatchConsumer(DURABLE, booking, (HubRegisteredV1,), effect, ids=new_id)
    ):
        await eventually(lambda: is_idle(bus, DURABLE))
    [taken] = [span for span in of_trace(spans, ANN) if span.name == f"take in {DURABLE}"]
    said = {name: causes[fact.subject] for name, fact in facts.items()}
    # The first one's trace goes on below the span that took it in; the other's has a link from there, and no span.
    assert said == {"ann": f"{ANN[:36]}{taken.context.span_id:016x}-01", "bo": BO, "olle": None, "eve": None}
    assert [f"{link.context.trace_id:032x}" for link in taken.links] == [BO.split("-")[1]]


def test_outside_of_a_batch_the_cause_is_what_goes_on_now() -> None:
    assert cause_of("anything") is None
    with trace.get_tracer("test").start_as_current_span("work") as span:
        assert (cause_of("anything") or "").split("-")[1] == f"{span.get_span_context().trace_id:032x}"


def test_what_comes_of_several_causes_continues_the_first_and_links_to_the_others(
    spans: InMemorySpanExporter,
) -> None:
    tracer = trace.get_tracer("test")
    with caused(tracer, "digest", [ANN, BO, BO]), within(tracer, "send"):
        pass
    send, digest = of_trace(spans, ANN)
    assert (digest.name, send.name) == ("digest", "send")
    assert digest.parent is not None
    assert send.parent is not None
    assert (digest.parent.span_id, send.parent.span_id) == (0xA, digest.context.span_id)
    assert [f"{link.context.trace_id:032x}" for link in digest.links] == [BO.split("-")[1]]


def test_what_is_not_recorded_makes_no_spans(spans: InMemorySpanExporter) -> None:
    tracer = trace.get_tracer("test")
    fact = registered("olle")
    with causing([(fact, {"traceparent": UNRECORDED}), (fact, None)]), caused(tracer, "mail", []) as span:
        span.set_attribute("foci.result", "accepted")
        with within(tracer, "send"):
            assert cause_of(fact.subject) is None
    assert spans.get_finished_spans() == ()
