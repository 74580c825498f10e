"""Foci on one machine: which programs, with what environment, in which order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit, urlunsplit

from nats.aio.client import Client

from deploy.local.bus import write_config
from deploy.local.databases import make_databases
from deploy.local.forks import Nursery, python
from deploy.local.given import unreachable
from deploy.local.home import Home, public_half
from deploy.local.narrator import Narrator
from deploy.local.probes import answers_ok, connect_once
from deploy.local.restore import is_half_done
from deploy.local.servers import ENVIRONMENT, Nats, Postgres, free_port, is_free
from deploy.local.settings import LocalSettings, telemetry_environment
from deploy.local.supervisor import DidNotStart, Leftover, Program, Running, Supervisor, clear
from shared.contracts.users import ADMIN, SERVICES, inbox_prefix
from shared.kit.provision import provision

ROOT = Path(__file__).parents[2]
GATEWAY = "gateway"
NOTIFY = "notify"
MAIL = "mail"
SERVERS = ("nats", "postgres", MAIL)
LEAVES_WITHIN_S = 60.0
"""A service finishes what it has begun, which its own limit keeps below this (`LEAVE_WITHIN` in shared/kit/process.py)."""
MAIL_DOMAIN = "foci.example"
"""Stands in addresses and ids of mails that no server delivers."""


class CannotStart(Exception):
    """Something a person can put right; the message says how."""


class Stack:
    """The programs of one FOCI_HOME."""

    def __init__(self, settings: LocalSettings, narrator: Narrator) -> None:
        self.settings = settings
        self.home = Home(settings.home)
        self.narrator = narrator
        self.nursery = Nursery(self.home.log("nursery"))
        self.supervisor = Supervisor(narrator.say, self._write_state, self.nursery)
        self.ports: dict[str, int] = {}
        self.postgres: Postgres | None = None
        self._lock: TextIO | None = None

    # --- the order of things ---

    async def up(self) -> None:
        """Start everything; returns when all are ready."""
        self._claim()
        await self._start_servers()
        with self.narrator.step("streams, databases and roles"):
            await asyncio.gather(self._provision_streams(), self._make_databases())
        with self.narrator.step("migrations"):
            await self._migrate()
        with self.narrator.step(f"services: {', '.join(SERVICES)}, {GATEWAY}"):
            await self.supervisor.start(*self.programs())

    async def down(self) -> None:
        """Stop everything in reverse order and let go of FOCI_HOME."""
        await self.supervisor.stop()
        await self.nursery.stop()
        if self._lock is not None:
            self._lock.close()

    def _claim(self) -> None:
        """Take FOCI_HOME, clear what a killed supervisor left, choose ports."""
        self.home.make()
        self._lock = self.home.lock()
        if is_half_done(self.home):
            raise CannotStart(
                f"Bringing back a backup to {self.home.root} was cut short. Do it again: foci restore BACKUP --replace"
            )
        earlier = self.home.state()
        self._clear_leftovers(earlier)
        if not is_free(self.settings.port):
            raise CannotStart(
                f"Port {self.settings.port} is taken by another program. Stop it, or choose another port: "
                f"FOCI_PORT={free_port(self.settings.port + 1)} make run"
            )
        self._choose_ports(earlier.get("ports", {}))

    def _clear_leftovers(self, earlier: Mapping[str, Any]) -> None:
        known = reversed(list(earlier.get("processes", {}).items()))
        cleared = clear(
            [
                Leftover(name, it["pid"], it["created"], signal.Signals(it["ending"]))
                for name, it in known
                if it["pid"]
            ]
        )
        if cleared:
            self.narrator.say(f"stopped what an earlier run had left running: {', '.join(cleared)}", bad=True)

    def _choose_ports(self, earlier: Mapping[str, int]) -> None:
        """The ports of the last run, where they are still free."""
        names = [*SERVERS, "nats_monitor", "smtp"]
        names += [name for service in (*SERVICES, GATEWAY) for name in self._names(service)]
        for name in names:
            wish = earlier.get(name)
            if name == MAIL and is_free(self.settings.mail_port):
                wish = self.settings.mail_port
            port = free_port(wish)
            while port in self.ports.values() or port == self.settings.port:
                port = free_port()
            self.ports[name] = port
        self.ports[GATEWAY] = self.settings.port

    def _names(self, service: str) -> list[str]:
        """Process names of a service's replicas: booking, booking-2, …; none for a service that is left out."""
        count = self.settings.replicas.get(service, 1)
        return [service, *(f"{service}-{number}" for number in range(2, count + 1))][:count]

    # --- the servers ---

    async def _start_servers(self) -> None:
        missing = await unreachable(self.settings.nats_url, self.settings.database_url)
        if missing:
            raise CannotStart(missing)
        programs: list[Program] = []
        if self.settings.nats_url is None:
            write_config(self.home, cell=self.settings.cell, ports=self.ports)
            programs += self._buses()
        if self.settings.database_url is None:
            self.postgres = Postgres(
                self.home.postgres, self.ports["postgres"], self.home.password("postgres")
            )
            if not (self.home.postgres / "PG_VERSION").exists():
                with self.narrator.step("making a PostgreSQL data directory"):
                    await asyncio.to_thread(self.postgres.prepare)
            else:
                await asyncio.to_thread(self.postgres.prepare)
            programs.append(self._postgres(self.postgres))
        programs.append(self._mail())
        if programs:
            with self.narrator.step(f"servers: {', '.join(program.name for program in programs)}"):
                await self.supervisor.start(*programs)

    def _buses(self) -> list[Program]:
        return [self._nats()]

    def _nats(self) -> Program:
        return self._nats_program(Nats(self.home.nats_config, self.ports["nats"], self.ports["nats_monitor"]))

    def _nats_program(self, server: Nats) -> Program:
        health = f"http://127.0.0.1:{server.monitor_port}/healthz"
        return Program(
            "nats", server.command, ENVIRONMENT, lambda: answers_ok(health), self.home.log("nats"),
            url=f"http://127.0.0.1:{server.monitor_port}",
        )  # fmt: skip

    def _postgres(self, server: Postgres) -> Program:
        return Program(
            "postgres", server.command, ENVIRONMENT, lambda: asyncio.to_thread(server.ready),
            self.home.log("postgres"), ending=server.stop_signal, grace_s=30.0,
        )  # fmt: skip

    def _mail(self) -> Program:
        """Takes every mail and delivers none; a page shows them."""
        ports = (str(self.ports["smtp"]), str(self.ports[MAIL]))
        return Program(
            MAIL, python("deploy.local.mailbox", *ports, str(self.home.mail)), ENVIRONMENT,
            lambda: answers_ok(f"{self.mail_url}/healthz"), self.home.log(MAIL), folder=ROOT, url=self.mail_url,
        )  # fmt: skip

    @property
    def mail_url(self) -> str:
        """The page with the caught mails."""
        return f"http://127.0.0.1:{self.ports[MAIL]}"

    @property
    def nats_url(self) -> str:
        """Where clients connect."""
        return self.settings.nats_url or f"nats://127.0.0.1:{self.ports['nats']}"

    @property
    def admin_database_url(self) -> str:
        """For making databases and roles."""
        if self.postgres is not None:
            return self.postgres.url()
        return self.settings.database_url or ""

    async def _make_databases(self) -> None:
        passwords = {service: self.home.password(service) for service in SERVICES}
        await make_databases(self.admin_database_url, passwords, whole_server=self.postgres is not None)

    async def connect_as_admin(self) -> Client:
        """A NATS client that may provision and send admin requests."""
        seed = {} if self.settings.nats_url is not None else {"nkeys_seed_str": self.home.seed(ADMIN)}
        return await connect_once(self.nats_url, inbox_prefix=inbox_prefix(ADMIN), **seed)

    async def _provision_streams(self) -> None:
        client = await self.connect_as_admin()
        try:
            await provision(client, replicas=self.settings.stream_replicas)
        finally:
            await client.close()

    # --- services ---

    def _environment(self, service: str, name: str) -> dict[str, str]:
        """What a service needs and nothing else: no secret of another process, nothing of the caller's shell."""
        prefix = service.upper()
        known = {
            "CELL": self.settings.cell,
            "NATS_URL": self.nats_url,
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.ports[name]),
            "LOG_LEVEL": self.settings.log_level,
        }
        if self.settings.nats_url is None:
            known["NATS_SEED"] = self.home.seed(service)
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **telemetry_environment(),
            **{f"{prefix}_{key}": value for key, value in known.items()},
        }

    def _service_environment(self, service: str, name: str) -> dict[str, str]:
        return {
            **self._environment(service, name),
            f"{service.upper()}_DATABASE_URL": self._database_url(service),
            f"{service.upper()}_ASSERTION_PUBLIC_KEY": public_half(self.home.assertion_key()),
            **(self._sending() if service == NOTIFY else {}),
            **({"DIRECTORY_SECRET_KEY": self.home.directory_key()} if service == "directory" else {}),
            # Used where the extra `meaning` is installed; kept, because encoding the vocabulary takes a while.
            **({"MATCHING_VECTORS": str(self.home.root / "vectors")} if service == "matching" else {}),
        }

    def _sending(self) -> dict[str, str]:
        """What only notify knows: how mail goes out, and the keys of what it signs."""
        return {
            "NOTIFY_SECRET_KEY": self.home.notify_key(),
            "NOTIFY_LINK_PRIVATE_KEY": self.home.link_key(),
            "NOTIFY_PUBLIC_URL": self.gateway_url,
            "NOTIFY_SMTP_HOST": "127.0.0.1",
            "NOTIFY_SMTP_PORT": str(self.ports["smtp"]),
            "NOTIFY_SMTP_TLS": "none",
            "NOTIFY_MAIL_FROM": f"no-reply@{MAIL_DOMAIN}",
            "NOTIFY_MAIL_DOMAIN": MAIL_DOMAIN,
            **self.settings.notify_environment(),
        }

    def _database_url(self, service: str) -> str:
        parts = urlsplit(self.admin_database_url)
        place = parts.netloc.rpartition("@")[2]
        netloc = f"{service}:{self.home.password(service)}@{place}"
        return urlunsplit(("postgresql+asyncpg", netloc, f"/{service}", parts.query, ""))

    def _program(self, service: str, name: str, environment: Mapping[str, str]) -> Program:
        url = f"http://127.0.0.1:{self.ports[name]}"
        return Program(
            name,
            python(f"services.{service}", "serve"),
            environment,
            lambda: answers_ok(f"{url}/readyz"),
            self.home.log(name),
            grace_s=LEAVES_WITHIN_S,
            folder=ROOT,
            url=url,
        )

    def programs(self) -> list[Program]:
        """The gateway is last, because it shall stop first; it can start beside the services it asks."""
        services = [self._service(name) for service in SERVICES for name in self._names(service)]
        return [*services, *(self._gateway(name) for name in self._names(GATEWAY))]

    def _service(self, name: str) -> Program:
        service = name.partition("-")[0]
        return self._program(service, name, self._service_environment(service, name))

    def _gateway(self, name: str) -> Program:
        environment = {
            **self._environment(GATEWAY, name),
            "GATEWAY_ASSERTION_PRIVATE_KEY": self.home.assertion_key(),
            # Development tokens are for one's own machine: nothing else that starts a gateway sets this.
            "GATEWAY_DEV_TOKEN_PUBLIC_KEY": public_half(self.home.token_key()),
            "GATEWAY_LINK_PUBLIC_KEY": public_half(self.home.link_key()),
            "GATEWAY_SECURE_COOKIES": "false",
            "GATEWAY_BOUNCE_TOKEN": self.home.bounce_token(),
            "GATEWAY_RATE_LIMIT": self.settings.rate_limit,
            # Nobody spreads requests over it; who stops the stack need not wait.
            "GATEWAY_LEAVING_S": "0",
            "GATEWAY_OPERATORS_NATS_URL": self.nats_url,
        }
        return self._program(GATEWAY, name, environment)

    async def _migrate(self) -> None:
        log = self.home.log("migrations")
        urls = {service: self._database_url(service) for service in SERVICES}
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "MIGRATIONS_URLS": json.dumps(urls)}
        log.unlink(missing_ok=True)
        if await self.supervisor.run(python("deploy.local.migrations"), environment, log, ROOT):
            raise DidNotStart(f"the migrations failed:\n{log.read_text()[-3000:]}")

    # --- what others may read ---

    @property
    def gateway_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def _write_state(self, running: Mapping[str, Running]) -> None:
        """For `foci status`, other commands, and the next start."""
        self.home.write_state(
            {
                "supervisor": os.getpid(),
                "cell": self.settings.cell,
                "urls": {"gateway": self.gateway_url, "nats": self.nats_url, "mail": self.mail_url},
                "embedded": {
                    "nats": self.settings.nats_url is None,
                    "postgres": self.settings.database_url is None,
                },
                "ports": self.ports,
                "written_at": time.time(),
                "processes": {name: self._describe(it) for name, it in running.items()},
            }
        )

    @staticmethod
    def _describe(it: Running) -> dict[str, Any]:
        alive = it.process is not None and it.process.returncode is None
        return {
            "pid": it.process.pid if alive and it.process else None,
            "created": it.created,
            "words": it.words,
            "since": it.since,
            "restarts": it.restarts,
            "ending": int(it.program.ending),
            "url": it.program.url,
            "log": str(it.program.log),
        }
