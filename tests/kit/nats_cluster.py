"""Three nats-servers with the files `foci nats-config` writes, each of which a test may kill."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats.js.api import StreamInfo
from pydantic import SecretStr

from deploy.local.servers import ENVIRONMENT, bound_to_parent, free_port, nats_program
from deploy.nats.cluster import SECRETS, Layout, Node, write
from shared.contracts.users import USERS
from shared.kit.settings import ProcessSettings
from tests.kit.own_servers import end
from tests.servers import NatsAccount
from tests.waiting import eventually

NAMES = ("nats-0", "nats-1", "nats-2")
CELL = "local"


def layout_in(folder: Path, **more: Any) -> Layout:
    """Everything on this machine, below the folder."""
    return Layout(store=f"{folder}/{{node}}", listen="127.0.0.1", **more)


def nodes_here(names: tuple[str, ...] = NAMES) -> list[Node]:
    """Nodes on free ports of this machine."""
    return [Node(name, "127.0.0.1", free_port(), free_port(), free_port()) for name in names]


@dataclass
class NatsCluster:
    """The nodes and their processes."""

    folder: Path
    nodes: list[Node]
    scheme: str = "nats"
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def urls(self) -> list[str]:
        """Where clients connect."""
        return [f"{self.scheme}://{node.host}:{node.port}" for node in self.nodes]

    def account(self) -> NatsAccount:
        """The cell's users, on the first node."""
        return NatsAccount(self.urls[0], {name: self.seed(name) for name in USERS})

    def seed(self, user: str) -> str:
        """The seed the user was given."""
        return (self.folder / SECRETS / f"{user}.seed").read_text()

    def settings(self, user: str, **more: Any) -> ProcessSettings:
        """What a process of this user is told: every node."""
        return ProcessSettings(nats_url=",".join(self.urls), nats_seed=SecretStr(self.seed(user)), **more)

    def start(self, *names: str) -> None:
        """Start these nodes, or all."""
        for node in self.nodes:
            if not names or node.name in names:
                self.processes[node.name] = subprocess.Popen(
                    bound_to_parent(
                        [nats_program(), "-c", str(self.folder / f"{node.name}.conf"), "-l", f"{self.folder}/{node.name}.log"],
                        ending=signal.SIGKILL,
                    ),
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env=ENVIRONMENT, start_new_session=True,
                )  # fmt: skip

    def kill(self, name: str) -> None:
        """End a node as a power failure would."""
        end(self.processes.pop(name))

    def stop(self) -> None:
        """End all."""
        for name in list(self.processes):
            self.kill(name)

    def log(self, name: str) -> str:
        """What a node has said so far."""
        file = self.folder / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def is_whole(self) -> bool:
        """Whether JetStream has a leader that sees every node that runs, up to date."""
        running = [node for node in self.nodes if node.name in self.processes]
        return all(self._says_ok(node) for node in running)

    def _says_ok(self, node: Node) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{node.monitor_port}/healthz", timeout=2) as answer:
                return bool(json.load(answer)["status"] == "ok")
        except (OSError, ValueError):
            return False

    async def ready(self) -> None:
        """Wait until it is whole."""
        await eventually(lambda: asyncio.to_thread(self.is_whole), within=30, what="a whole cluster")


def leader_of(info: StreamInfo) -> str:
    """The node that leads a stream."""
    return str(info.cluster.leader) if info.cluster else ""


@contextmanager
def written(folder: Path, nodes: list[Node], **more: Any) -> Iterator[NatsCluster]:
    """The files of these nodes; what was started is ended with the block."""
    scheme = "tls" if more.get("client_tls") else "nats"
    write(folder, nodes, layout_in(folder, **more), cell=CELL)
    cluster = NatsCluster(folder, nodes, scheme)
    try:
        yield cluster
    finally:
        cluster.stop()


@asynccontextmanager
async def running_cluster(folder: Path, **more: Any) -> AsyncIterator[NatsCluster]:
    """Three nodes that see each other."""
    with written(folder, nodes_here(), **more) as cluster:
        cluster.start()
        await cluster.ready()
        yield cluster
