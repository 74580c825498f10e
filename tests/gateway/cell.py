"""A whole cell in this process: gateway and services assembled as in production, HTTP on a free port."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import httpx2
import uvicorn
import uvloop
from fastapi import FastAPI
from nats.aio.client import Client

from deploy.local.home import _new_key as new_key
from deploy.local.home import public_half
from deploy.local.tokens import development_token
from services.booking import main as booking
from services.booking.settings import Settings as BookingSettings
from services.directory import main as directory
from services.directory.settings import Settings as DirectorySettings
from services.events import main as events
from services.events.settings import Settings as EventsSettings
from services.gateway.live.hall import Hall
from services.gateway.main import make_app, make_server
from services.gateway.settings import Settings as GatewaySettings
from services.matching import main as matching
from services.matching.settings import Settings as MatchingSettings
from services.notify import main as notify
from services.notify.settings import Settings as NotifySettings
from shared.contracts.base import Request
from shared.contracts.directory.requests import EnsurePerson, HubProfile, PersonView, RegisterHub
from shared.contracts.directory.words import Role
from shared.contracts.links import LinkPurpose
from shared.contracts.live import LIVE_STREAMS
from shared.kit.health import Readiness
from shared.kit.ids import new_id
from shared.kit.life import end
from shared.kit.links import Link, sign_link
from shared.kit.nats import connect
from shared.kit.principal import load_private_key
from shared.kit.process import DataService
from shared.kit.provision import provision
from shared.kit.requester import Requester
from shared.kit.settings import ServiceSettings
from tests import waiting
from tests.gateway.clock import Time
from tests.gateway.clock import eventually as eventually  # noqa: PLC0414  # many take it from here
from tests.gateway.logs import listening
from tests.gateway.outside import Outside, outside
from tests.gateway.proxy import Wire
from tests.servers import Databases, NatsAccount, ask, own_account, shared_server

T = TypeVar("T")
DEADLINE_S = 30.0
CELL = "local"
ZONE = "Europe/Stockholm"
SETTINGS: dict[str, type[ServiceSettings]] = {
    "directory": DirectorySettings,
    "booking": BookingSettings,
    "events": EventsSettings,
    "matching": MatchingSettings,
    "notify": NotifySettings,
}
OFTEN = {"sign_ins_per_client": 10**6, "sign_ins_per_address": 10**6}
BOUNCE_TOKEN = "the mail server's very own"


@dataclass
class Cell:
    """What a test needs to know of the running cell; HTTP is spoken to `url` like by anybody."""

    account: NatsAccount
    databases: dict[str, str]
    options: dict[str, Any]
    logs: list[dict[str, Any]]
    wired: bool
    clock: Time = field(default_factory=Time)
    token_key: str = field(default_factory=new_key)
    assertion_key: str = field(default_factory=new_key)
    link_key: str = field(default_factory=new_key)
    url: str = ""

    def __post_init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self.wires: dict[str, Wire] = {}
        self.services: dict[str, DataService] = {}
        self.readiness: dict[str, Readiness] = {}
        self._parts: dict[str, AsyncExitStack] = {}
        self._people: dict[tuple[str, str], UUID] = {}
        self._tokens: dict[tuple[UUID, timedelta], str] = {}
        self._thread = threading.Thread(target=self.loop.run_forever, name="cell", daemon=True)
        # One for all and for good: a service that starts again must not draw the same codes again.
        self.chance = random.Random(1)
        self.outside: Outside
        self.admin: Client
        self.app: FastAPI
        self.http: httpx2.Client

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = DEADLINE_S) -> T:
        """Run a coroutine in the cell's own loop and wait for it."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result(seconds)

    # --- life ---

    def start(self) -> None:
        """Everything up; returns when the gateway answers."""
        self._thread.start()
        self.run(self._start())
        self.http = self.client()
        eventually("the gateway is ready", lambda: self.http.get("/readyz").status_code == 200)

    def stop(self) -> None:
        """Everything down, in reverse order."""
        self.http.close()
        for name in reversed(list(self._parts)):
            self.run(self._parts[name].aclose())
        self.run(self._finish())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(DEADLINE_S)
        self.loop.close()

    async def _finish(self) -> None:
        for wire in self.wires.values():
            await wire.cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*(end(task) for task in others))
        await self.loop.shutdown_default_executor()

    async def _start(self) -> None:
        self._parts["outside"] = stack = AsyncExitStack()
        self.outside = await stack.enter_async_context(outside())
        if self.wired:
            await self._wire("nats", self.account.url)
            await self._wire("database", self.databases["booking"])
        self.admin = await self.account.connect("admin")
        await provision(self.admin)
        for name in (*SETTINGS, "gateway"):
            await self.begin(name)
        stack = AsyncExitStack()
        stack.push_async_callback(self.admin.close)
        self._parts = {"admin": stack, **self._parts}

    async def _wire(self, name: str, url: str) -> None:
        parts = urlsplit(url)
        self.wires[name] = Wire(parts.hostname or "127.0.0.1", parts.port or 0)
        await self.wires[name].mend()

    def _through(self, name: str, url: str) -> str:
        if not self.wired:
            return url
        parts = urlsplit(url)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return parts._replace(netloc=f"{user}127.0.0.1:{self.wires[name].port}").geturl()

    async def begin(self, name: str) -> None:
        """Start one part: `gateway`, or a service by its name."""
        stack = self._parts[name] = AsyncExitStack()
        await (self._gateway(stack) if name == "gateway" else self._service(name, stack))

    async def end(self, name: str) -> None:
        """Stop one part as SIGTERM does."""
        await self._parts.pop(name).aclose()

    def _known(self, name: str) -> dict[str, Any]:
        return {
            "nats_url": self._through("nats", self.account.url),
            "nats_seed": self.account.seeds.get(name),
            "cell": CELL,
        }

    async def _service(self, name: str, stack: AsyncExitStack) -> None:
        shared = self._known(name) | {
            "database_url": self._through("database", self.databases[name]),
            "assertion_public_key": public_half(self.assertion_key),
        }
        if name == "directory":
            shared |= {"secret_key": "the secret of directory in this cell", **OFTEN}
        if name == "notify":
            own = {"secret_key": "of this cell", "link_private_key": self.link_key, "gather_s": 0.2}
            shared |= own | self.outside.settings()
        settings: ServiceSettings = SETTINGS[name](**shared)
        nc = await connect(settings, name)
        stack.push_async_callback(nc.close)
        made = self.readiness[name] = Readiness()
        service = self.services[name] = DataService(name, settings, nc, made, clock=self.clock)
        if isinstance(settings, BookingSettings):
            booking.assemble(service, settings, clock=self.clock, ids=new_id, chance=self.chance)
        elif isinstance(settings, EventsSettings):
            events.assemble(service, settings, clock=self.clock, ids=new_id, chance=self.chance)
        elif isinstance(settings, DirectorySettings):
            directory.assemble(service, settings, clock=self.clock, ids=new_id)
        elif isinstance(settings, MatchingSettings):
            matching.assemble(service, settings, clock=self.clock, ids=new_id)
        elif isinstance(settings, NotifySettings):
            notify.assemble(service, settings, clock=self.clock, ids=new_id, chance=self.chance)
        await service.start(stack)

    async def _gateway(self, stack: AsyncExitStack) -> None:
        server = self.gateway(**self.options)
        self.app = server.config.app  # type: ignore[assignment]
        self.url = await self._serve(server, stack)

    def gateway(self, **options: Any) -> uvicorn.Server:
        """A gateway to this cell, with other settings than usual."""
        settings = GatewaySettings(
            **{
                **self._known("gateway"),
                "assertion_private_key": self.assertion_key,
                "dev_token_public_key": public_half(self.token_key),
                "link_public_key": public_half(self.link_key),
                "bounce_token": BOUNCE_TOKEN,
                "rate_limit": "1000000/minute",
                "secure_cookies": False,
                "leaving_s": 0,
                **options,
            }
        )
        return make_server(settings, make_app(settings, clock=self.clock))

    async def _serve(self, server: uvicorn.Server, stack: AsyncExitStack) -> str:
        task = asyncio.create_task(server.serve())

        async def stop() -> None:
            server.should_exit = True
            await task

        stack.push_async_callback(stop)
        await waiting.eventually(lambda: server.started or task.done(), what="the HTTP server's start")
        assert not task.done(), "the HTTP server ended while it started"
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    @contextmanager
    def another_gateway(self, **options: Any) -> Iterator[httpx2.Client]:
        """A client of one more gateway with settings of its own."""
        stack, server = AsyncExitStack(), self.gateway(**options)
        hall: Hall = server.config.app.state.hall  # type: ignore[union-attr]
        url = self.run(self._serve(server, stack))
        try:
            with httpx2.Client(base_url=url, timeout=20) as client:
                eventually("the other gateway is ready", lambda: client.get("/readyz").status_code == 200)
                eventually("it follows the streams", lambda: set(LIVE_STREAMS) <= hall.held.keys())
                yield client
        finally:
            self.run(stack.aclose())

    def plain_url(self, service: str) -> str:
        """The service's database as asyncpg itself reads it."""
        return self.databases[service].replace("postgresql+asyncpg://", "postgresql://", 1)

    def sql(self, service: str, *statements: str) -> None:
        """Do something to a service's database behind its back."""

        async def work() -> None:
            connection = await asyncpg.connect(self.plain_url(service))
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        self.run(work())

    def needs(self, service: str) -> dict[str, str]:
        """What a service says of the servers it needs."""
        return dict(self.run(self.readiness[service].result()))

    # --- people and places ---

    def client(self, token: str | None = None, **options: Any) -> httpx2.Client:
        """An HTTP client, of somebody if a token is given."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20, **options)

    def as_admin(self, request: Request[Any]) -> Any:
        """The answer to an admin request."""
        reply = self.run(Requester(self.admin, self.clock).send(request, cell=CELL, seconds=5))
        return request.reply.model_validate_json(reply.body)

    def hub(self, slug: str, **profile: Any) -> str:
        """A new hub that booking and events have heard of."""
        wanted = {"name": slug.title(), "kind": "association", "time_zone": ZONE, **profile}
        self.as_admin(RegisterHub(profile=HubProfile(id=slug, **wanted)))
        for what in ("spaces", "event-settings", "skills-missing"):
            eventually(f"{what} of {slug} are known", partial(self._is_there, f"/v1/hubs/{slug}/{what}"))
        return slug

    def _is_there(self, path: str) -> bool:
        return self.http.get(path).status_code == 200

    def person(self, hub: str, role: str, name: str | None = None) -> UUID:
        """A person with that role in the hub, the same for the same words."""
        name = name or f"{hub} {role}"
        known = self._people.get((hub, name))
        if known is None:
            view: PersonView = self.as_admin(EnsurePerson(hub=hub, name=name, role=Role(role)))
            known = self._people[hub, name] = view.id
        return known

    def token_of(self, person: UUID) -> str:
        """A good token, the same for as long as the clock is not moved: signing one costs as much as a request."""
        at = (person, self.clock.ahead)
        if at not in self._tokens:
            self._tokens[at] = development_token(self.token_key, person, now=self.clock())
        return self._tokens[at]

    def token(self, hub: str, role: str, name: str | None = None) -> str:
        """A good token of a person with that role."""
        return self.token_of(self.person(hub, role, name))

    def auth(self, hub: str, role: str, name: str | None = None) -> dict[str, str]:
        """The header such a person sends."""
        return {"Authorization": f"Bearer {self.token(hub, role, name)}"}

    def space(self, hub: str, slug: str, kind: str = "room", **more: Any) -> str:
        """A space that can be booked at any time."""
        body = {"id": slug, "name": slug.title(), "kind": kind, "rules": {"days_ahead": 1000}, **more}
        answer = self.http.post(f"/v1/hubs/{hub}/spaces", json=body, headers=self.auth(hub, "operator"))
        assert answer.status_code == 201, answer.text
        return slug

    def slot(self, day: int = 30, hour: int = 10, hours: float = 1) -> dict[str, str]:
        """A time so many days ahead, as `start` and `end`."""
        noon = self.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        start = noon + timedelta(days=day, hours=hour)
        return {"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat()}

    def near(self, minutes: float) -> str:
        """A moment so many minutes from now."""
        return (self.clock() + timedelta(minutes=minutes)).isoformat()

    def etag(self, hub: str, space: str = "room") -> str:
        """The present version of a space."""
        return str(self.http.get(f"/v1/hubs/{hub}/spaces/{space}").headers["etag"])

    def book(
        self, hub: str, space: str, *, who: str = "member", name: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """A booking made by somebody with that role."""
        body = {"space": space, **self.slot(), **more}
        answer = self.http.post(f"/v1/hubs/{hub}/bookings", json=body, headers=self.auth(hub, who, name))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def meet(self, hub: str, *, who: str = "member", name: str | None = None, **more: Any) -> dict[str, Any]:
        """An event somebody with that role has started, published unless `publish=False`."""
        body = {"title": "A meetup", "place": {"address": "Quay 3"}, "publish": True, **self.slot(), **more}
        answer = self.http.post(f"/v1/hubs/{hub}/events", json=body, headers=self.auth(hub, who, name))
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def link(
        self, purpose: LinkPurpose, sign_up: dict[str, Any], *, good_for: timedelta = timedelta(hours=1)
    ) -> str:
        """The address of a link as somebody would be sent it."""
        link = Link(
            purpose,
            sign_up["hub"],
            UUID(sign_up["person"]),
            event=UUID(sign_up["event"]),
            sign_up=UUID(sign_up["id"]),
            version=sign_up["version"],
        )
        token = sign_link(link, self.clock() + good_for, load_private_key(self.link_key), CELL)
        return f"/v1/links/{token}"


@contextmanager
def running_cell(*, wired: bool = True, **options: Any) -> Iterator[Cell]:
    """A cell with nothing in it; `options` are settings of its gateway.

    Where the test cuts its connections it is `wired`; every byte then goes through this process twice more.
    """
    servers = ask("servers")
    lease = shared_server if "nats" in servers["given"] else own_account
    databases = Databases(servers["postgres"])
    logs: list[dict[str, Any]] = []
    with lease(servers["nats"]) as account, listening(logs):
        urls = {name: databases.fresh(name) for name in SETTINGS}
        cell = Cell(account, urls, options, logs, wired)
        try:
            cell.start()
            yield cell
        finally:
            cell.stop()
            databases.drop()
