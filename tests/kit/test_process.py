"""A service's process: live at once, ready when it can work, stopped in order; what it says is JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deploy.local.servers import Nats, free_port, is_free
from deploy.nats.config import Server, User, cell_users, render
from deploy.nats.keys import new_seed, public_key
from shared.contracts.operations import Republish
from shared.contracts.users import USERS
from shared.kit import life
from shared.kit.errors import Unavailable
from shared.kit.ids import utc_now
from shared.kit.nats import Closed, connect, connect_options
from shared.kit.provision import provision
from shared.kit.requester import Requester
from tests.e2e.collector import Collector
from tests.gateway.proxy import Wire
from tests.kit.consuming import Outage, settings_of
from tests.kit.own_servers import end, started
from tests.servers import ROOT, NatsAccount
from tests.waiting import eventually

RARELY = {"OTEL_METRIC_EXPORT_INTERVAL": "600000", "OTEL_BSP_SCHEDULE_DELAY": "600000"}
"""Milliseconds: nothing goes out before the end."""


class Stack:
    """NATS of the test's own, and directory as a process."""

    def __init__(self, folder: Path, database_url: str, service: str) -> None:
        self.folder = folder
        self.service = service
        self.database_url = database_url
        self.http_port = free_port()
        self.seeds: dict[str, str | None] = {name: new_seed() for name in (*USERS, "test")}
        keys = {name: public_key(str(seed)) for name, seed in self.seeds.items()}
        self.nats = Nats(folder / "nats.conf", free_port(), free_port())
        server = Server(self.nats.port, self.nats.monitor_port, str(folder / "nats"))
        self.nats.config.write_text(
            render({"FOCI": [*cell_users(keys, "local"), User(keys["test"])]}, server)
        )
        self.account = NatsAccount(self.nats.url, self.seeds)
        self.log = folder / "service.log"

    async def provision(self) -> None:
        await eventually(lambda: not is_free(self.nats.port))
        admin = await self.account.connect("admin")
        await provision(admin)
        await admin.close()

    def launch(self, **more: str) -> subprocess.Popen[bytes]:
        public = Ed25519PrivateKey.generate().public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        prefix = self.service.upper()
        environment = {
            f"{prefix}_NATS_URL": self.nats.url,
            f"{prefix}_NATS_SEED": str(self.seeds[self.service]),
            f"{prefix}_DATABASE_URL": self.database_url,
            f"{prefix}_ASSERTION_PUBLIC_KEY": pem,
            f"{prefix}_HTTP_PORT": str(self.http_port),
            **more,
        }
        with self.log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"services.{self.service}", "serve"],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def answers(self, path: str, status: int) -> bool:
        async with httpx2.AsyncClient() as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{self.http_port}{path}", timeout=3)
            except httpx2.TransportError:
                return False
        assert answer.status_code == status, answer.text
        return True

    async def ends_with_a_request_in_hand(self, service: subprocess.Popen[bytes]) -> None:
        """SIGTERM while a request waits for a lock: it is answered, and no other is taken."""
        admin = await self.account.connect("admin")
        lock = await asyncpg.connect(self.database_url.replace("+asyncpg", ""))
        requester, request = Requester(admin, utc_now), Republish(entity="spaces")
        try:
            async with lock.transaction():
                await lock.execute("LOCK TABLE space IN ACCESS EXCLUSIVE MODE")
                asked = requester.send(request, cell="local", service="booking", seconds=20)
                answer = asyncio.create_task(asked)
                await eventually(lambda: lock.fetchval("SELECT 1 FROM pg_locks WHERE NOT granted"))
                service.send_signal(signal.SIGTERM)
                # Longer than a life that is cancelled again and again would wait for it.
                await lock.execute("SELECT pg_sleep(1.5)")
                with pytest.raises(Unavailable, match="away"):
                    await requester.send(request, cell="local", service="booking", seconds=5)
                assert not answer.done()
            assert (await answer).status == 200
            await eventually(lambda: service.poll() is not None, within=20)
        finally:
            await lock.close()
            await admin.close()

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest_asyncio.fixture
async def stack(tmp_path: Path, database: Callable[[str], str]) -> AsyncIterator[Stack]:
    yield Stack(tmp_path, database("booking"), "booking")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


async def test_ready_only_while_nats_and_the_database_answer_and_alive_all_the_while(
    stack: Stack, postgres: str, collector: Collector
) -> None:
    outage = Outage(postgres, stack.database_url)
    # Before there is any NATS.
    service = stack.launch(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **RARELY)
    try:
        await eventually(lambda: stack.answers("/healthz", 200), within=20)
        assert await stack.answers("/readyz", 503)
        with started(stack.nats.command()) as nats:
            await stack.provision()
            await eventually(lambda: stack.answers("/readyz", 200), within=20)
            await outage.begin()
            await eventually(lambda: stack.answers("/readyz", 503))
            assert await stack.answers("/healthz", 200)
            await outage.end()
            await eventually(lambda: stack.answers("/readyz", 200))
            end(nats)
            await eventually(lambda: stack.answers("/readyz", 503))
            assert await stack.answers("/healthz", 200)
        with started(stack.nats.command()):
            await eventually(lambda: stack.answers("/readyz", 200), within=20)
            assert await stack.answers("/metrics", 200)
            await stack.ends_with_a_request_in_hand(service)
    finally:
        end(service)
    said = stack.said()
    assert all({"message", "level", "timestamp", "service"} <= set(line) for line in said), said
    assert not [line for line in said if line["level"] in ("error", "critical")]
    assert not [line for line in said if "permissions violation" in str(line.get("error")).lower()]
    # The last of it goes out at the end, although it is a signal that ends the process.
    assert ("booking", "foci_service_info") in collector.figures
    assert "booking republish" in {span.name for span in collector.spans}


async def test_a_connection_the_library_gives_up_ends_the_duty_that_needs_it(
    nats_account: NatsAccount,
) -> None:
    """After some refusals the library does not try again; a process that hears nothing must not look well."""
    closed = Closed()
    nc = await connect(settings_of(nats_account, "booking"), "booking", closed)
    never = asyncio.create_task(closed.never())
    await nc._process_err("'Maximum Subscriptions Exceeded'")
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(never, 5)
    assert nc.is_closed


def test_trap_4_connections_are_told_never_to_give_up(nats_account: NatsAccount) -> None:
    options = connect_options(settings_of(nats_account, "booking"), "booking")
    assert options["max_reconnect_attempts"] == -1
    assert options["ping_interval"] * options["max_outstanding_pings"] <= 20


async def test_it_stops_soon_also_while_nats_is_away(stack: Stack) -> None:
    with started(stack.nats.command()) as nats:
        await stack.provision()
        service = stack.launch()
        try:
            await eventually(lambda: stack.answers("/readyz", 200), within=20)
            end(nats)
            await eventually(lambda: stack.answers("/readyz", 503))
            service.send_signal(signal.SIGTERM)
            await eventually(lambda: service.poll() is not None, within=20)
        finally:
            end(service)
    assert not [line for line in stack.said() if line["level"] in ("error", "critical")]


@pytest.mark.parametrize(
    ("needed", "word", "times"),
    [
        # Asked for once to see whether it is there, and a second time by what binds to it; that is never answered.
        ("NATS_URL", b"CONSUMER.INFO.EVENTS.booking__keeps_venues", 2),
        ("DATABASE_URL", b"INSERT INTO timer", 1),
    ],
)
async def test_what_it_needs_going_away_in_the_middle_of_a_start_begins_the_start_again(
    stack: Stack, needed: str, word: bytes, times: int
) -> None:
    """The process must outlive it, with what was begun undone."""
    url = urlsplit(stack.nats.url if needed == "NATS_URL" else stack.database_url)
    wire, said_it, cuts = Wire("127.0.0.1", url.port or 0), 0, set[asyncio.Task[None]]()

    async def cut() -> None:
        await wire.cut()
        await wire.mend()

    def overhear(chunk: bytes) -> None:
        nonlocal said_it
        if word in chunk:
            said_it += 1
            if said_it == times:
                cuts.add(asyncio.create_task(cut()))

    wire.overhears = overhear
    with started(stack.nats.command()):
        await stack.provision()
        await wire.mend()
        through = url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{wire.port}").geturl()
        service = stack.launch(**{f"BOOKING_{needed}": through})
        try:
            await eventually(lambda: said_it >= times, within=20, what="the word at which it is cut off")
            await eventually(lambda: stack.answers("/readyz", 200), within=20)
            assert await stack.answers("/healthz", 200)
            await stack.ends_with_a_request_in_hand(service)
        finally:
            end(service)
            await wire.cut()
    said = stack.said()
    assert [line["message"] for line in said].count("the start was interrupted; beginning it again") == 1
    assert not [line for line in said if line["level"] in ("error", "critical")]


async def test_a_duty_that_missed_its_cancellation_is_cancelled_again() -> None:
    never = asyncio.Event()

    async def deaf() -> None:
        with contextlib.suppress(
            asyncio.CancelledError
        ):  # as wait_for before Python 3.12 at the wrong moment
            await never.wait()
        await never.wait()

    task = asyncio.create_task(deaf())
    await asyncio.wait_for(life.end(task), timeout=5)
    assert task.cancelled()
