"""The embedded nats-server's users: the cell's own, and the operators' that are added while it runs."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterable, Mapping
from typing import Any

from deploy.local.home import Home, write_private
from deploy.nats.config import ACCOUNT, Server, cell_users, operator_user, render
from deploy.nats.keys import new_seed, public_key
from shared.contracts.access import USERS


class NotEmbedded(Exception):
    """The NATS server is somebody else's; its users are made there."""


def operators(home: Home) -> dict[str, dict[str, Any]]:
    """Operators' users by name: public key, and the hubs each may see (none named: all)."""
    if not home.operators.exists():
        return {}
    known: dict[str, dict[str, Any]] = json.loads(home.operators.read_text())
    return known


def write_config(home: Home, *, cell: str, ports: Mapping[str, int]) -> None:
    """Render the configuration from the contracts and the operators' file."""
    users = cell_users({name: public_key(home.seed(name)) for name in USERS}, cell)
    users += [operator_user(name, known["nkey"], known["hubs"]) for name, known in operators(home).items()]
    server = Server(port=ports["nats"], monitor_port=ports["nats_monitor"], store=str(home.nats / "store"))
    text = render({ACCOUNT: users}, server, system_key=public_key(home.seed("system")))
    write_private(home.nats_config, text)


def add_operator(home: Home, name: str, hubs: Iterable[str]) -> str:
    """Make or renew an operator's user, let the running server know, and return the seed, which is kept nowhere."""
    with (home.nats / "operators.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = home.state()
        process = state.get("processes", {}).get("nats")
        if process is None or not home.is_running():
            raise NotEmbedded
        seed = new_seed()
        known = {**operators(home), name: {"nkey": public_key(seed), "hubs": list(hubs)}}
        write_private(home.operators, json.dumps(known, indent=2))
        write_config(home, cell=state["cell"], ports=state["ports"])
        os.kill(process["pid"], signal.SIGHUP)
        return seed
