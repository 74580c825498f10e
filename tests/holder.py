"""Holds the servers of one test run: starts them when the first test asks, ends them when the run ends, however it ends.

A process of its own, because pytest-xdist's workers share the servers and come and go. It listens on a Unix socket for
lines of JSON. Its standard input is a pipe the test run holds: when the run dies, even by kill -9, the pipe closes.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

from deploy.local.servers import ENVIRONMENT, Nats, Postgres, free_port, is_free
from deploy.nats.config import Server, User, cell_users, render
from deploy.nats.keys import new_seed, public_key
from shared.contracts.users import USERS

PREFIX = "foci-tests-"
ACCOUNTS = 200
CELL = "local"
START_DEADLINE_S = 60.0


class Accounts:
    """NATS accounts handed out one to a test, so that tests with the same stream names run side by side."""

    def __init__(self, count: int) -> None:
        self.seeds = {
            f"T{number}": {user: new_seed() for user in (*USERS, "test")} for number in range(count)
        }
        self.free = deque(self.seeds)

    def config(self, server: Server) -> str:
        users = {}
        for name, seeds in self.seeds.items():
            keys = {user: public_key(seed) for user, seed in seeds.items()}
            users[name] = [*cell_users(keys, CELL), User(keys["test"])]
        return render(users, server)

    def take(self) -> dict[str, Any]:
        if not self.free:
            return {"error": f"all {ACCOUNTS} NATS accounts are in use; does a test keep them?"}
        # The one longest unused, so that a client a test forgot has had time to end.
        name = self.free.popleft()
        return {"account": name, "seeds": self.seeds[name]}


class Wheels:
    """The servers from the wheels, as processes that die with this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []

    def start(self, accounts: Accounts, *, postgres: bool, nats: bool) -> dict[str, str]:
        urls = {}
        if nats:
            urls["nats"] = self._nats(accounts)
        if postgres:
            urls["postgres"] = self._postgres()
        return urls

    def _launch(self, name: str, command: list[str], ending: signal.Signals) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                start_new_session=True,
            )
        self.processes.append((process, ending))
        return process

    def _wait(self, name: str, process: subprocess.Popen[bytes], ready: Any) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{name} did not start:\n" + (self.folder / f"{name}.log").read_text()[-2000:]
                )
            time.sleep(0.02)

    def _postgres(self) -> str:
        server = Postgres(
            self.folder / "postgres",
            free_port(),
            "postgres",
            durable=False,
            max_connections=400,
            shared_buffers="128MB",
        )
        server.prepare()
        self._wait("postgres", self._launch("postgres", server.command(), signal.SIGINT), server.ready)
        return server.url()

    def _nats(self, accounts: Accounts) -> str:
        port, monitor = free_port(), free_port()
        server = Nats(self.folder / "nats.conf", port, monitor)
        # Neither of the two is asked to survive its machine; the stacks of the stories that kill have servers of their own.
        server.config.write_text(
            accounts.config(Server(port, monitor, str(self.folder / "nats"), sync_interval="2m"))
        )
        self._wait("nats", self._launch("nats", server.command(), signal.SIGTERM), lambda: not is_free(port))
        return server.url

    def stop(self) -> None:
        for process, ending in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(ending)
        for process, _ in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


class Containers:
    """The same servers from images, through testcontainers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.containers: list[Any] = []

    def start(self, accounts: Accounts, *, postgres: bool, nats: bool) -> dict[str, str]:
        urls = {}
        if nats:
            urls["nats"] = self._nats(accounts)
        if postgres:
            urls["postgres"] = self._postgres()
        return urls

    def _postgres(self) -> str:
        from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415  # only when asked for

        container = PostgresContainer(
            "postgres:18", username="postgres", password="postgres", dbname="postgres", driver=None
        )
        # Words sort as in the wheels and in production, whatever the image's libc.
        locale = "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
        container.with_env("POSTGRES_INITDB_ARGS", locale)
        container.with_command("postgres -c fsync=off -c max_connections=400 -c timezone=UTC")
        self.containers.append(container)  # before it starts: one that never gets ready is ended too
        container.start()
        url: str = container.get_connection_url()
        return url

    def _nats(self, accounts: Accounts) -> str:
        from testcontainers.core.container import DockerContainer  # noqa: PLC0415
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy  # noqa: PLC0415

        config = self.folder / "nats.conf"
        server = Server(4222, 8222, "/tmp/nats", host="0.0.0.0", monitor_host="0.0.0.0")
        config.write_text(accounts.config(server))
        container = (
            DockerContainer("nats:2.15.1").with_command("-c /etc/nats/nats.conf").with_exposed_ports(4222)
        )
        container.with_volume_mapping(str(config), "/etc/nats/nats.conf", "ro")
        container.waiting_for(LogMessageWaitStrategy("Server is ready"))
        self.containers.append(container)  # before it starts: one that never gets ready is ended too
        container.start()
        return f"nats://{container.get_container_host_ip()}:{container.get_exposed_port(4222)}"

    def stop(self) -> None:
        for container in self.containers:
            container.stop()


class Holder:
    """Answers the test run's questions."""

    def __init__(self, folder: Path) -> None:
        wanted = os.environ.get("FOCI_TEST_SERVERS", "wheels")
        self.servers: Wheels | Containers = Containers(folder) if wanted == "containers" else Wheels(folder)
        self.given = {
            name: url
            for name, url in (
                ("postgres", os.environ.get("FOCI_TEST_DATABASE_URL", "").replace("+asyncpg", "", 1)),
                ("nats", os.environ.get("FOCI_TEST_NATS_URL")),
            )
            if url
        }
        self.accounts = Accounts(0 if "nats" in self.given else ACCOUNTS)
        self.urls: dict[str, Any] | None = None

    def answer(self, question: dict[str, str]) -> dict[str, Any]:
        if question["ask"] == "release":
            self.accounts.free.append(question["account"])
            return {}
        if self.urls is None:
            self.urls = self._start()
        if question["ask"] == "account" and "error" not in self.urls:
            return self.accounts.take()
        return self.urls

    def _start(self) -> dict[str, Any]:
        try:
            started = self.servers.start(
                self.accounts, postgres="postgres" not in self.given, nats="nats" not in self.given
            )
        except Exception as error:  # noqa: BLE001  # whatever it was, the tests that need the servers fail with it
            return {"error": f"no PostgreSQL or NATS for the tests: {error}"}
        return {**started, **self.given, "given": sorted(self.given)}


def serve(listener: socket.socket, holder: Holder) -> None:
    """Answer until standard input closes."""
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as lines:
            for line in lines:
                json.dump(holder.answer(json.loads(line)), lines)
                lines.write("\n")
                lines.flush()


def clear_leftovers() -> None:
    """Folders of runs whose holder was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and sys.platform == "linux":
            shutil.rmtree(folder, ignore_errors=True)


def main(path: str) -> None:
    """Entry of the process; `path` is where to listen."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            number, signal.SIG_IGN
        )  # Ctrl-C reaches the whole group; only the pipe ends this process
    clear_leftovers()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        holder = Holder(folder)
        try:
            serve(listener, holder)
        finally:
            holder.servers.stop()
            for made in (folder, Path(path).parent):  # the second is the test run's, which may be dead
                shutil.rmtree(made, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
