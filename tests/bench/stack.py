"""The stack under test: the real processes of `foci up` in a folder of their own, with what the bench asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg
from nats.aio.client import Client

from deploy.local.probes import connect_once
from deploy.local.servers import bound_to_parent, free_port
from shared.contracts.users import ADMIN, inbox_prefix
from tests.bench.machine import ROOT
from tests.stack.console import Console
from tests.waiting import eventually

SAMPLED = "0.05"
DEADLINE_S = 60.0
MEASURED_BY = {"BOOKING": "booking__measures_occupancy"}
"""The consumer that every booking makes work for; nobody hears of sign-ups yet."""


@dataclass(frozen=True)
class Gauge:
    """What the broker says about a stream and the consumer that hears all of it, if there is one."""

    messages: int
    waiting: int
    unacknowledged: int


class Stack:
    """`foci up` with production's settings: authentication, sampled traces that are exported, fsync, keys."""

    def __init__(
        self, home: Path, *, replicas: dict[str, int] | None = None, traces: Path | None = None
    ) -> None:
        """With `traces` every trace is kept in that file. Notify and matching are left out unless they have replicas."""
        self.home = home
        self._sink_port = free_port()
        self._traces = traces
        # What it costs to tell somebody of a booking, or to find whom to meet, is measured by itself.
        self._replicas = {"notify": 0, "matching": 0} | (replicas or {})
        self._stack = contextlib.ExitStack()
        self.console: Console

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.bench.sink", str(self._sink_port)]
        command += [] if self._traces is None else [str(self._traces)]
        sink = subprocess.Popen(bound_to_parent(command, ending=signal.SIGKILL), cwd=ROOT)
        self._stack.callback(sink.wait)
        self._stack.callback(sink.terminate)
        variables = {
            "FOCI_DEMO": "false",
            "FOCI_RATE_LIMIT": "1000000/second",
            "FOCI_REPLICAS": json.dumps(self._replicas),
            "FOCI_LOG_LEVEL": "INFO",
            **self.telemetry,
        }
        self.console = self._stack.enter_context(Console(self.home, variables=variables))
        self.console.hears("Foci runs")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """The gateway's."""
        return f"http://127.0.0.1:{self.console.port}"

    @property
    def telemetry(self) -> dict[str, str]:
        """Where the processes export their traces to, and how many of them."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._sink_port}",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": SAMPLED if self._traces is None else "1.0",
            # Twenty times as many as in production: exported every five seconds they would stop every process for a
            # tenth of a second each time.
            **({} if self._traces is None else {"OTEL_BSP_SCHEDULE_DELAY": "250"}),
        }

    @property
    def processes(self) -> dict[str, int]:
        """Process ids by program, as the supervisor has them."""
        return {name: int(it["pid"]) for name, it in self.console.processes().items()}

    def database_url(self, database: str = "booking") -> str:
        """As the administrator."""
        port = self.console.home.state()["ports"]["postgres"]
        return f"postgresql://postgres:{self.console.home.password('postgres')}@127.0.0.1:{port}/{database}"

    async def admin(self) -> Client:
        """A NATS client that may see everything and send admin requests."""
        return await self.client(ADMIN)

    async def client(self, user: str) -> Client:
        """A NATS client that may do what the service of that name may."""
        seed = self.console.home.seed(user)
        url = self.console.home.state()["urls"]["nats"]
        return await connect_once(url, inbox_prefix=inbox_prefix(user), nkeys_seed_str=seed)

    def sql(self, query: str, *values: Any, database: str = "booking") -> list[asyncpg.Record]:
        """Rows from a service's database."""

        async def fetch() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database_url(database))
            try:
                return list(await connection.fetch(query, *values))
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def settle(self, stream: str = "BOOKING", *, acknowledged: bool = True) -> float:
        """Wait until the relay of a stream and who measures by it have caught up; seconds it took.

        With `acknowledged` their last acknowledgement is waited for, too.
        """
        return asyncio.run(self._settle(stream, acknowledged=acknowledged))

    async def _settle(self, stream: str, *, acknowledged: bool) -> float:
        started = time.monotonic()
        database = await asyncpg.connect(self.database_url(stream.lower()))
        client = await self.admin()
        try:

            async def caught_up() -> bool:
                now = await _gauge(client, stream)
                done = now.waiting == 0 and not (acknowledged and now.unacknowledged)
                return done and now.messages == await _stated(database, stream)

            await eventually(
                caught_up, within=DEADLINE_S, what="that stream and consumers catch up with the outbox"
            )
        finally:
            await client.close()
            await database.close()
        return time.monotonic() - started


async def _stated(database: asyncpg.Connection[Any], stream: str) -> int:
    return int(await database.fetchval("SELECT count(*) FROM outbox WHERE stream = $1", stream))


async def _gauge(client: Client, stream: str) -> Gauge:
    js = client.jetstream(timeout=5)
    state = (await js.stream_info(stream)).state
    if stream not in MEASURED_BY:
        return Gauge(state.messages, 0, 0)
    consumer = await js.consumer_info(stream, MEASURED_BY[stream])
    return Gauge(state.messages, consumer.num_pending or 0, consumer.num_ack_pending or 0)
