"""What tests ask of the real servers: a fresh migrated database, a NATS account of their own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from deploy.local.databases import make_role
from shared.contracts.users import inbox_prefix

SOCKET_VARIABLE = "FOCI_TEST_HOLDER"
ROOT = Path(__file__).parent.parent
T = TypeVar("T")


def apart(work: Callable[[], T]) -> T:
    """Run blocking work in a thread of its own, so that it may start an event loop although one is running here."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # carried to the caller
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future.result()


def await_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from code that is not asynchronous."""
    return apart(lambda: asyncio.run(work))


class HolderProcess:
    """The process that holds the servers; lives as long as the test run that started it."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="foci-holder-", ignore_cleanup_errors=True)
        path = f"{self.folder.name}/socket"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.holder", path], stdin=subprocess.PIPE, cwd=ROOT
        )
        os.environ[SOCKET_VARIABLE] = path  # pytest-xdist's workers inherit it

    def stop(self) -> None:
        """End the servers and wait for it."""
        os.environ.pop(SOCKET_VARIABLE, None)
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.folder.cleanup()


def _connect(path: str) -> socket.socket:
    deadline = threading.Event()
    for _ in range(400):
        connection = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            connection.connect(path)
            return connection
        connection.close()
        deadline.wait(0.05)
    raise AssertionError("the process that holds the test servers did not start")


def ask(question: str, **more: str) -> dict[str, Any]:
    """Ask the holder; the test fails, and is never skipped, when there are no servers."""
    with _connect(os.environ[SOCKET_VARIABLE]) as connection, connection.makefile("rw") as lines:
        lines.write(json.dumps({"ask": question, **more}) + "\n")
        lines.flush()
        answer: dict[str, Any] = json.loads(lines.readline())
    if "error" in answer:
        pytest.fail(answer["error"], pytrace=False)
    return answer


def with_database(url: str, database: str, *, user: str | None = None, password: str | None = None) -> str:
    """The same server, another database, and another user if one is named."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if user:
        netloc = f"{user}:{password}@{netloc.rpartition('@')[2]}"
    return urlunsplit((parts.scheme, netloc, f"/{database}", parts.query, ""))


def _revision(service: str) -> str:
    """Changes when the service's migrations do, so that a long-lived test server never serves an old template."""
    digest = hashlib.sha256()
    for file in sorted((ROOT / "services" / service / "migrations").rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


@dataclass
class Databases:
    """Makes databases by copying a template that was migrated once."""

    admin_url: str
    made: list[str] = field(default_factory=list)

    def fresh(self, service: str) -> str:
        """URL (postgresql+asyncpg) of a new, migrated database that belongs to the service's role."""
        name = f"{service}_{secrets.token_hex(6)}"
        await_apart(self._copy(service, name))
        self.made.append(name)
        return self._service_url(service, name)

    def saved(self, url: str) -> str:
        """URL of a copy of this database as it is now, as a backup would bring it back; its connections are ended."""
        original = urlsplit(url).path.lstrip("/")
        name = f"{original}_saved"
        await_apart(self._save(original, name, str(urlsplit(url).username)))
        self.made.append(name)
        return with_database(url, name)

    async def _save(self, original: str, name: str, owner: str) -> None:
        admin = await asyncpg.connect(self.admin_url)
        try:
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", original
            )
            copy = f'CREATE DATABASE "{name}" TEMPLATE "{original}" STRATEGY FILE_COPY'
            await admin.execute(f'{copy} OWNER "{owner}"')
        finally:
            await admin.close()

    def drop(self) -> None:
        """Drop what was made."""
        names, self.made = self.made, []
        if names:
            await_apart(self._drop(names))

    def _service_url(self, service: str, name: str) -> str:
        url = with_database(self.admin_url, name, user=f"test_{service}", password=f"test_{service}")
        return url.replace("postgresql://", "postgresql+asyncpg://", 1)

    async def _copy(self, service: str, name: str) -> None:
        template = f"{service}_template_{_revision(service)}"
        admin = await asyncpg.connect(self.admin_url)
        try:
            # One worker makes the template, the others wait; afterwards they share: a copy refuses a busy template.
            await admin.execute("SELECT pg_advisory_lock(hashtext($1))", template)
            if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
                await self._make_template(admin, service, template)
            # Files are copied in a third of the time it takes to write every page to the log.
            copy = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'
            await admin.execute(f"{copy} OWNER test_{service}")
        finally:
            await admin.close()

    async def _make_template(self, admin: asyncpg.Connection[Any], service: str, template: str) -> None:
        await make_role(admin, f"test_{service}", f"test_{service}")
        unfinished = f"{template}_unfinished"
        await admin.execute(f'DROP DATABASE IF EXISTS "{unfinished}" WITH (FORCE)')
        await admin.execute(f'CREATE DATABASE "{unfinished}" OWNER "test_{service}"')
        from shared.kit.migrate import migrate  # noqa: PLC0415  # tests of the bus alone need no migrations

        await asyncio.to_thread(migrate, service, self._service_url(service, unfinished))
        await admin.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{template}"')

    async def _drop(self, names: list[str]) -> None:
        admin = await asyncpg.connect(self.admin_url)
        try:
            for name in names:
                await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await admin.close()


@dataclass(frozen=True)
class NatsAccount:
    """Where a test's clients connect: one URL, one seed per user (None when the URL itself names the user).

    `seeds` has the users of a cell with the permissions of production, and `test`, who may do everything.
    """

    url: str
    seeds: dict[str, str | None]

    async def connect(self, user: str = "test", **options: Any) -> Client:
        """A client of the plain library."""
        seed = self.seeds.get(user)
        known: dict[str, Any] = {"nkeys_seed_str": seed} if seed else {}
        if user != "test":
            known["inbox_prefix"] = inbox_prefix(user)  # the only one the user may listen to
        return await nats.connect(self.url, **{**known, **options})

    async def wipe(self) -> None:
        """Delete every stream."""
        client = await self.connect()
        try:
            streams = client.jetstream()
            for info in await streams.streams_info():
                with contextlib.suppress(NotFoundError):
                    await streams.delete_stream(str(info.config.name))
        finally:
            await client.close()


@contextlib.contextmanager
def shared_server(url: str) -> Iterator[NatsAccount]:
    """A given NATS server has one account for all: its tests take turns, each starting without streams."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"foci-nats-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        account = NatsAccount(url, {})
        await_apart(account.wipe())
        yield account


@contextlib.contextmanager
def own_account(url: str) -> Iterator[NatsAccount]:
    """An account nobody else uses, empty at the start; given back empty."""
    answer = ask("account")
    account = NatsAccount(url, answer["seeds"])
    try:
        yield account
    finally:
        await_apart(account.wipe())
        ask("release", account=answer["account"])
