"""The stack of `foci up` with two of everything that may have two, ledgers beside it, and a way to kill each process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import nats
import psutil
from nats.aio.client import Client

from deploy.local.databases import make_databases
from deploy.local.forks import python
from deploy.local.home import public_half, write_private
from deploy.local.narrator import Narrator
from deploy.local.servers import free_port
from deploy.local.settings import LocalSettings
from deploy.local.stack import GATEWAY, ROOT, Stack
from deploy.local.supervisor import Program, Running, Supervisor, _end_group
from deploy.nats.config import ACCOUNT
from deploy.nats.keys import public_key
from shared.contracts.streams import CONSUMERS
from shared.contracts.users import inbox_prefix
from shared.kit.provision import consumer_config
from tests.faults import ledger
from tests.faults.history import Kill
from tests.faults.planting import Planting
from tests.faults.waiting import comes_true, pause

BACKEND = "postgres-backend"
"""One of PostgreSQL's processes for a client: the server then ends all the others and recovers."""
VICTIMS = ("booking", "booking-2", "gateway", "gateway-2", "ledger", "ledger-2", "nats", "postgres", BACKEND)
NATS_LEADER, NATS_FOLLOWER = "nats-leader", "nats-follower"
"""In a cluster: the node that leads booking's stream at that moment, and one that does not."""
READY_WITHIN_S = 90.0
GATHER_S = 1.0
"""So soon people are told; in production what is edited again within 20 s is told once."""
ACK_WAIT = timedelta(seconds=2)
"""A killed consumer's messages come again so soon, so that a run need not wait for them."""


class Restless(Supervisor):
    """Starts again after the pause the schedule asks for, without growing back-off, and counts who ended unasked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pauses: dict[str, float] = {}
        self.killed: dict[str, int] = {}
        self.ends: dict[str, int] = {}

    async def _keep(self, running: Running) -> None:
        name = running.program.name
        while running.process is not None:
            await running.process.wait()
            if self._stopping:
                return
            _end_group(running.process.pid)
            self.ends[name] = self.ends.get(name, 0) + 1
            self._say(running, "ended")
            await pause(self.pauses.pop(name, 0.2))
            await self._launch(running)
            if await self._becomes_ready(running):
                self._say(running, "running")

    async def retire(self, name: str, grace_s: float) -> None:
        """Tell it to stop and wait for its end; it is not started again, and not killed: it must go by itself."""
        running = self.running.pop(name)
        assert running.keeper is not None
        assert running.process is not None
        running.keeper.cancel()
        running.process.terminate()
        async with asyncio.timeout(grace_s):
            await running.process.wait()
        _end_group(running.process.pid)

    def ended_unasked(self) -> list[str]:
        """Processes that ended more often than they were killed; PostgreSQL may need a second start."""
        return [
            f"{name} ended {ends} times, was killed {self.killed.get(name, 0)} times"
            for name, ends in self.ends.items()
            if ends > self.killed.get(name, 0) and name != "postgres"
        ]


class Arena(Stack):
    """Everything a run needs, in one temporary folder; use from one thread, like the supervisor.

    With `faulty` services faults can be put into them, see tests/faults/planted.py.
    """

    def __init__(
        self,
        home: Path,
        narrator: Narrator,
        *,
        deadline_s: float = 5.0,
        faulty: tuple[str, ...] = (),
        gateways: int = 2,
        stream_replicas: Literal[1, 3] = 1,
    ) -> None:
        settings = LocalSettings(
            mail_port=free_port(),
            home=home,
            port=free_port(),
            nats_url=None,
            stream_replicas=stream_replicas,
            database_url=None,
            rate_limit="1000000/second",
            cell="local",
            log_level="INFO",
            gather_s=GATHER_S,
            replicas={"booking": 2, GATEWAY: gateways, ledger.SERVICE: 2},
            demo=False,
        )
        super().__init__(settings, narrator)
        self.restless = Restless(narrator.say, self._write_state, self.nursery)
        self.supervisor = self.restless
        self._faulty = faulty
        self.planting = Planting(self.home.root / "run" / "planted")
        self._deadline_s = deadline_s

    # --- starting ---

    def _claim(self) -> None:
        super()._claim()
        self.planting.begin(None)

    async def _make_databases(self) -> None:
        await super()._make_databases()
        await make_databases(
            self.admin_database_url, {ledger.SERVICE: self.home.password(ledger.SERVICE)}, whole_server=True
        )
        await ledger.make_tables(self._database_url(ledger.SERVICE).replace("+asyncpg", ""))

    async def _provision_streams(self) -> None:
        await super()._provision_streams()
        client = await self.connect_as_admin()
        try:
            for declared in (*CONSUMERS, *ledger.DECLARED):
                impatient = consumer_config(replace(declared, ack_wait=ACK_WAIT))
                await client.jetstream().add_consumer(declared.stream, impatient)
        finally:
            await client.close()

    def programs(self) -> list[Program]:
        return [*super().programs(), *(self._ledger(name) for name in self._names(ledger.SERVICE))]

    def _choose_ports(self, earlier: Mapping[str, int]) -> None:
        super()._choose_ports(earlier)
        for name in self._names(ledger.SERVICE):
            self.ports[name] = free_port()

    def _nats(self) -> Program:
        """With a user more: the witness, who may do everything and does nothing but look."""
        self._admit_witness(self.home.nats_config)
        return super()._nats()

    def _admit_witness(self, accounts: Path) -> None:
        config = json.loads(accounts.read_text())
        known = {"nkey": public_key(self.home.seed(ledger.SERVICE))}
        config["accounts"][ACCOUNT]["users"].append(known)
        write_private(accounts, json.dumps(config, indent=2))

    def _ledger(self, name: str) -> Program:
        environment = {
            **self._environment(ledger.SERVICE, name),
            "LEDGER_DATABASE_URL": self._database_url(ledger.SERVICE),
            "LEDGER_ASSERTION_PUBLIC_KEY": public_half(self.home.assertion_key()),
        }
        return self._program(ledger.SERVICE, name, environment)

    def _gateway(self, name: str) -> Program:
        program = super()._gateway(name)
        environment = {**program.environment, "GATEWAY_DEADLINE_S": str(self._deadline_s)}
        return Program(**{**vars(program), "environment": environment})

    def _program(self, service: str, name: str, environment: Mapping[str, str]) -> Program:
        program = super()._program(service, name, environment)
        words = self._words(service)
        return Program(**{**vars(program), "command": python(*words)}) if words else program

    def _words(self, service: str) -> tuple[str, ...]:
        """What is started instead of the service itself, if anything."""
        if service in self._faulty:
            return ("tests.faults.start", "tests.faults.planted", service, str(self.planting.folder))
        if service == ledger.SERVICE:
            return ("tests.faults.start", "tests.faults.ledger")
        return ()

    # --- looking ---

    async def connect_as_witness(self) -> Client:
        """A NATS client that may see everything."""
        return await nats.connect(
            self.nats_url.split(","),
            nkeys_seed_str=self.home.seed(ledger.SERVICE),
            inbox_prefix=inbox_prefix(ledger.SERVICE).encode(),
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
        )

    def gateways(self) -> list[int]:
        """The ports of both public doors."""
        return [self.ports[name] for name in self._names(GATEWAY)]

    def database(self, name: str) -> str:
        """A database as its administrator sees it, for asyncpg."""
        assert self.postgres is not None
        return self.postgres.url(name)

    async def is_ready(self, *names: str) -> bool:
        """Whether these programs, or all, run and answer that they are ready."""
        for running in self.supervisor.running.values():
            if names and running.program.name not in names:
                continue
            if running.process is None or running.process.returncode is not None:
                return False
            if not await running.program.ready():
                return False
        return True

    async def heals(self, *names: str) -> bool:
        """Wait until these, or all, are ready."""
        return await comes_true(lambda: self.is_ready(*names), within=READY_WITHIN_S)

    def metrics_url(self, name: str) -> str:
        """Where a program shows its figures."""
        return f"http://127.0.0.1:{self.ports[name]}/metrics"

    # --- killing ---

    def kill(self, *victims: str, down_s: float = 0.2) -> Kill:
        """End processes with -9; each is started again after `down_s`."""
        hit = [victim for victim in victims if self._kill(victim, down_s)]
        return Kill(time.time(), tuple(hit))

    def _kill(self, victim: str, down_s: float) -> bool:
        if victim == BACKEND:
            return self._kill_backend()
        process = self.supervisor.running[victim].process
        if process is None or process.returncode is not None:
            return False
        self.restless.pauses[victim] = down_s
        self.restless.killed[victim] = self.restless.killed.get(victim, 0) + 1
        # The launcher has become the server by exec, so this is the postmaster itself.
        process.kill()
        return True

    def _kill_backend(self) -> bool:
        process = self.supervisor.running["postgres"].process
        if process is None or process.returncode is not None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children():
                if child.cmdline()[:1] and child.cmdline()[0].startswith("postgres: booking"):
                    child.kill()
                    return True
        return False


@contextlib.asynccontextmanager
async def arena_in(home: Path, narrator: Narrator, **more: Any) -> Any:
    """An arena that runs while the block lasts; `more` as for the arena itself."""
    arena = Arena(home, narrator, **more)
    try:
        await arena.up()
        yield arena
    finally:
        await asyncio.shield(arena.down())


__all__ = ["BACKEND", "NATS_FOLLOWER", "NATS_LEADER", "ROOT", "VICTIMS", "Arena", "arena_in"]
