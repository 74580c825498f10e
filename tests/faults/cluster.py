"""The arena on three NATS nodes with three copies of each stream, of which any may be ended with -9."""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.request
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

from deploy.local.narrator import Narrator
from deploy.local.servers import Nats, free_port
from deploy.local.supervisor import Program
from deploy.nats.cluster import ACCOUNTS, Layout, Node, write
from shared.contracts.streams import stream_of
from tests.faults.arena import NATS_FOLLOWER, NATS_LEADER, VICTIMS, Arena

NODES = ("nats", "nats-2", "nats-3")
CLUSTER_VICTIMS = (
    *(victim for victim in VICTIMS if victim != "nats"),
    NATS_LEADER, NATS_FOLLOWER, NATS_LEADER, NATS_FOLLOWER,
)  # fmt: skip


class ClusterArena(Arena):
    """As the arena, but for the bus; its files are those `foci nats-config` writes."""

    def __init__(self, home: Path, narrator: Narrator) -> None:
        super().__init__(home, narrator, stream_replicas=3)

    def _choose_ports(self, earlier: Mapping[str, int]) -> None:
        super()._choose_ports(earlier)
        for name in NODES:
            for port in (name, f"{name}_monitor", f"{name}_route"):
                self.ports.setdefault(port, free_port())

    @property
    def nats_url(self) -> str:
        """Every node."""
        return ",".join(f"nats://127.0.0.1:{self.ports[name]}" for name in NODES)

    def _buses(self) -> list[Program]:
        nodes = [
            Node(name, "127.0.0.1", self.ports[name], self.ports[f"{name}_route"], self.ports[f"{name}_monitor"])
            for name in NODES
        ]  # fmt: skip
        root = self.home.root
        write(root, nodes, Layout(f"{root}/{{node}}-store", "127.0.0.1"), cell=self.settings.cell)
        self._admit_witness(root / ACCOUNTS)
        return [self._node(name) for name in NODES]

    def _node(self, name: str) -> Program:
        one = Nats(self.home.root / f"{name}.conf", self.ports[name], self.ports[f"{name}_monitor"])
        return replace(self._nats_program(one), name=name, log=self.home.log(name))

    def _kill(self, victim: str, down_s: float) -> bool:
        if victim in (NATS_LEADER, NATS_FOLLOWER):
            leader = self._leader()
            if leader is None:
                return False
            victim = leader if victim == NATS_LEADER else next(name for name in NODES if name != leader)
        return super()._kill(victim, down_s)

    def _leader(self) -> str | None:
        """Who leads booking's stream; None while nobody knows."""
        for name in NODES:
            url = f"http://127.0.0.1:{self.ports[f'{name}_monitor']}/jsz?streams=1&accounts=1"
            with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=0.5) as answer:
                for account in json.load(answer).get("account_details", []):
                    for stream in account.get("stream_detail", []):
                        leader = (stream.get("cluster") or {}).get("leader")
                        if stream["name"] == stream_of("booking") and leader in NODES:
                            return str(leader)
        return None


@contextlib.asynccontextmanager
async def cluster_in(home: Path, narrator: Narrator) -> AsyncIterator[ClusterArena]:
    """An arena with three nodes that runs while the block lasts."""
    arena = ClusterArena(home, narrator)
    try:
        await arena.up()
        yield arena
    finally:
        await asyncio.shield(arena.down())
