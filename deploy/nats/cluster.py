"""Writes what a cluster of nats-servers reads: per node a configuration without secrets, and the secrets beside it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.home import Home, write_private
from deploy.nats import operators
from deploy.nats.config import ACCOUNT, Server, accounts_block, cell_users, server_block
from deploy.nats.keys import new_seed, public_key
from shared.contracts.users import USERS

ACCOUNTS = "accounts.json"
ROUTES = "routes.conf"
PLAN = "cluster.json"
SECRETS = "secrets"
SYSTEM = "system"
CLUSTER = "foci"


@dataclass(frozen=True)
class Node:
    """One nats-server: its name, and where clients and the other nodes reach it."""

    name: str
    host: str
    port: int = 4222
    route_port: int = 6222
    monitor_port: int = 8222


@dataclass(frozen=True)
class Layout:
    """What is the same for every node. Paths are those the node sees; `{node}` in one stands for its name.

    A folder with certificates has `tls.crt`, `tls.key` and `ca.crt`, as cert-manager writes them. Those of the routes are
    asked of both ends, so their certificate must serve as a client's, too.
    """

    store: str = "/data"
    listen: str = "0.0.0.0"
    monitor: str = "127.0.0.1"
    """Whoever reaches the monitoring port may read who is connected and what subjects there are."""
    client_tls: str | None = None
    route_tls: str | None = None


@dataclass(frozen=True)
class Plan:
    """What the files were written for the last time, so that nobody has to say all of it again."""

    cell: str
    nodes: tuple[Node, ...]
    layout: Layout


def planned(folder: Path) -> Plan | None:
    """The plan of the files in a folder; None where there are none yet."""
    path = folder / PLAN
    if not path.exists():
        return None
    known = json.loads(path.read_text())
    return Plan(known["cell"], tuple(Node(**one) for one in known["nodes"]), Layout(**known["layout"]))


def seed(folder: Path, user: str) -> str:
    """The seed of a user; made when it is not there yet."""
    path = folder / SECRETS / f"{user}.seed"
    if not path.exists():
        write_private(path, new_seed())
    return path.read_text()


def write(folder: Path, nodes: Sequence[Node], layout: Layout, *, cell: str) -> None:
    """Write all files. Keys, the routes' password and operators that exist are kept; everything else is written anew."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SECRETS).mkdir(mode=0o700, exist_ok=True)
    users = cell_users({name: public_key(seed(folder, name)) for name in USERS}, cell)
    users += operators.users(Home(folder))
    accounts = accounts_block({ACCOUNT: users}, system_key=public_key(seed(folder, SYSTEM)))
    # Into the file that is there: containers have it mounted, and would never see another one of its name.
    (folder / ACCOUNTS).write_text(json.dumps(accounts, indent=2) + "\n")
    _write_routes(folder / SECRETS / ROUTES, nodes)
    for node in nodes:
        (folder / f"{node.name}.conf").write_text(render_node(node, layout))
    plan = asdict(Plan(cell, tuple(nodes), layout))
    write_private(folder / PLAN, json.dumps(plan, indent=2) + "\n")


def render_node(node: Node, layout: Layout) -> str:
    """The configuration of one node; it includes the accounts and the routes, whose paths are relative to it."""
    server = Server(
        port=node.port,
        monitor_port=node.monitor_port,
        store=layout.store.format(node=node.name),
        name=node.name,
        host=layout.listen,
        monitor_host=layout.monitor,
        # What the other nodes tell clients about this one.
        extra={"client_advertise": f"{node.host}:{node.port}", **_tls(layout.client_tls, verify=False)},
    )
    lines = [f'include "{ACCOUNTS}"', *_lines(server_block(server))]
    cluster = {
        "name": CLUSTER,
        "listen": f"{layout.listen}:{node.route_port}",
        "cluster_advertise": f"{node.host}:{node.route_port}",
        **_tls(layout.route_tls, verify=True),
    }
    lines += ["cluster {", f'  include "{SECRETS}/{ROUTES}"', *(f"  {line}" for line in _lines(cluster)), "}"]
    return "\n".join(lines) + "\n"


def _lines(block: Mapping[str, object]) -> list[str]:
    return [f"{name}: {json.dumps(value)}" for name, value in block.items()]


def _tls(folder: str | None, *, verify: bool) -> dict[str, object]:
    if folder is None:
        return {}
    files = {"cert_file": "tls.crt", "key_file": "tls.key", "ca_file": "ca.crt"}
    return {"tls": {**{name: f"{folder}/{file}" for name, file in files.items()}, "verify": verify}}


def _write_routes(path: Path, nodes: Sequence[Node]) -> None:
    """The password stands in the addresses, too, so the whole file is a secret; a node does not mind its own address."""
    known = path.with_name("routes.password")
    if not known.exists():
        write_private(known, secrets.token_hex(32))
    password = known.read_text()
    addresses = [f"nats-route://route:{password}@{node.host}:{node.route_port}" for node in nodes]
    block = {"authorization": {"user": "route", "password": password, "timeout": 5}, "routes": addresses}
    write_private(path, "\n".join(_lines(block)) + "\n")
