"""One trace from the request to the consumer, and log lines that name it."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from nats.aio.client import Client
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Request, View
from shared.contracts.directory.facts import HubRegisteredV1
from shared.kit import telemetry
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.ids import new_id, utc_now
from shared.kit.outbox import emit
from shared.kit.principal import Verifier
from shared.kit.requester import Requester
from shared.kit.rpc import Call, Server
from tests.kit.consuming import consuming, is_idle, settled
from tests.kit.hubs import effects, note, registered, relaying
from tests.kit.test_requests import KEY
from tests.recording import recorder
from tests.servers import NatsAccount
from tests.waiting import eventually


class Done(View):
    words: str = "done"


class Register(Request[Done]):
    service = "directory"
    operation = "register"
    reply = Done
    changes = True


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span of this process from now on."""
    return recorder()


@pytest_asyncio.fixture
async def gateway(nats_account: NatsAccount, bus: Client) -> AsyncIterator[Client]:
    nc = await nats_account.connect("gateway")
    yield nc
    await nc.close()


async def test_trap_5_one_trace_from_the_request_through_the_outbox_to_the_consumer(
    directory: Database, booking: Database, as_directory: Client, gateway: Client, bus: Client,
    nats_account: NatsAccount, spans: InMemorySpanExporter,
) -> None:  # fmt: skip
    verifier = Verifier(KEY.public_key(), "local")
    server = Server(
        directory, service="directory", cell="local", verifier=verifier, clock=utc_now, concurrency=4
    )

    async def register(session: AsyncSession, _: Register, __: Call) -> Done:
        await emit(session, registered("ystad"))
        return Done()

    server.answers({Register: register})
    await server.start(as_directory, version="1.0.0")
    await settled(as_directory)
    consumer = Consumer("booking__mirrors_hubs", booking, {HubRegisteredV1: note}, ids=new_id, in_order=True)
    async with relaying(directory, as_directory), consuming(nats_account, consumer):
        with trace.get_tracer("test").start_as_current_span("HTTP POST /v1/hubs") as root:
            await Requester(gateway, utc_now).send(Register(), cell="local", seconds=5)
        await eventually(lambda: effects(booking))
        await eventually(lambda: is_idle(bus, "booking__mirrors_hubs"))
    await server.stop()
    trace_id = root.get_span_context().trace_id
    ours = [span for span in spans.get_finished_spans() if span.context.trace_id == trace_id]
    parent_of = {span.context.span_id: span for span in ours}
    consumed = next(span for span in ours if span.name == "take in booking__mirrors_hubs")
    path, span = [consumed.name], consumed
    while span.parent is not None:
        span = parent_of[span.parent.span_id]
        path.append(span.name)
    assert path == [
        "take in booking__mirrors_hubs", "publish", "transaction", "directory register", "directory register",
        "HTTP POST /v1/hubs",
    ]  # fmt: skip


async def test_an_error_leaves_its_class_in_the_trace_and_nothing_it_says(
    directory: Database, spans: InMemorySpanExporter
) -> None:
    """A database's own words hold the row it refuses."""
    spans.clear()
    refused = text("INSERT INTO dead_letter (id, consumer, reason) VALUES (gen_random_uuid(), :who, 'x')")
    with pytest.raises(IntegrityError) as caught:
        async with directory.transaction() as session:
            await session.execute(refused, {"who": "Signe Obemärkt"})
    [transaction] = [span for span in spans.get_finished_spans() if span.name == "transaction"]
    assert dict(transaction.attributes or {}) == {"error.type": "IntegrityError"}
    assert (transaction.status.is_ok, transaction.status.description) == (False, None)
    assert transaction.events == ()
    assert "Obemärkt" not in transaction.to_json()
    assert "parameters" not in repr(caught.value) or "hidden" in repr(caught.value)


def test_a_log_line_is_json_and_names_the_trace(
    capsys: pytest.CaptureFixture[str], spans: InMemorySpanExporter
) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    telemetry.set_up_logs("booking", "INFO")
    try:
        with trace.get_tracer("test").start_as_current_span("work") as span:
            telemetry.logger("a.module").info("said", hub="ystad")
            logging.getLogger("another.library").warning("a %s", "warning")
            try:
                int("no number")
            except ValueError:
                telemetry.logger("a.module").exception("failed")
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    finally:
        root.handlers[:], root.level = before
    trace_id = f"{span.get_span_context().trace_id:032x}"
    assert [line["message"] for line in lines] == ["said", "a warning", "failed"]
    assert all(line["trace_id"] == trace_id and line["service"] == "booking" for line in lines)
    assert lines[0]["hub"] == "ystad"
    assert "ValueError" in lines[2]["exception"]
