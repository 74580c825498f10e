"""`foci nats-config`: what a NATS cluster reads, written from the contracts."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.local.home import Home
from deploy.nats.cluster import SECRETS, Layout, Node, Plan, planned, write
from deploy.nats.operators import let_in, operators
from services.cli.cell import fail
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.users import OPERATOR

QUORUM = 3


Nodes = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=HOST[:PORT[:ROUTE[:MONITOR]]], once per node, all of them: the server's name and how clients and the "
        "other nodes reach it. Ports are 4222, 6222 and 8222 if not said."
    ),
]
Operators = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME or NAME=HUB,HUB: a user who may read occupancy, of all hubs or of these; joins those there are."
    ),
]
Cell = Annotated[str | None, typer.Option(help="The cell these users belong to; local if not said.")]
Store = Annotated[
    str | None, typer.Option(help="JetStream's folder on the node; {node} is its name. /data if not said.")
]
Listen = Annotated[
    str | None, typer.Option(help="Address to listen on for clients and routes; 0.0.0.0 if not said.")
]
Monitor = Annotated[
    str | None,
    typer.Option(
        help="Address to listen on for health and monitoring, which ask nobody who they are; 127.0.0.1 if not said."
    ),
]
Tls = Annotated[
    str | None,
    typer.Option(help="Folder on the node with tls.crt, tls.key, ca.crt: TLS for clients. '' for none."),
]
RouteTls = Annotated[
    str | None, typer.Option(help="The same for the routes between nodes, asked of both ends.")
]


def nats_config(
    out: Annotated[Path, typer.Argument(help="Folder to write to; made when missing.", file_okay=False)],
    *,
    node: Nodes = None,
    cell: Cell = None,
    store: Store = None,
    listen: Listen = None,
    monitor: Monitor = None,
    tls: Tls = None,
    route_tls: RouteTls = None,
    operator: Operators = None,
) -> None:
    """Write accounts, users and permissions for a NATS cluster: one configuration per node, secrets apart.

    What is not said is as it was said the last time for this folder, and seeds that are there are kept: after a change of
    the contracts `foci nats-config OUT` is all; then reload the nodes. Nobody gets in without a key.
    """
    given = {"store": store, "listen": listen, "monitor": monitor, "client_tls": tls, "route_tls": route_tls}
    plan = _plan(planned(out), cell, [_node(word) for word in node or []], given)
    for name, hubs in [_operator(word) for word in operator or []]:
        let_in(Home(out), name, hubs)
    write(out, plan.nodes, plan.layout, cell=plan.cell)
    for one in plan.nodes:
        typer.echo(out / f"{one.name}.conf")
    typer.echo(
        f"Secrets are in {out / SECRETS} (only you can read them): seeds for the services, the routes' password."
    )
    _warn(out, plan)


def _plan(before: Plan | None, cell: str | None, nodes: list[Node], given: dict[str, str | None]) -> Plan:
    """What is said now, and of the rest what was said before."""
    if cell is not None:
        _check(cell)
    if len({one.name for one in nodes}) < len(nodes):
        fail("Two nodes have one name.", 2)
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name in ("store", "listen", "monitor"):
        if said.get(name) == "":
            fail(f"--{name} needs a value.", 2)
    without = {name: None for name in ("client_tls", "route_tls") if said.get(name) == ""}
    if before is None:
        if not nodes:
            fail("Nothing has been written there yet: say each node, --node NAME=HOST.", 2)
        before = Plan("local", (), Layout())
    return Plan(cell or before.cell, tuple(nodes) or before.nodes, replace(before.layout, **said | without))


def _warn(out: Path, plan: Plan) -> None:
    if len(plan.nodes) < QUORUM:
        typer.secho(f"With fewer than {QUORUM} nodes the loss of one stops the streams.", err=True)
    let = operators(Home(out))
    for path in sorted((out / SECRETS).glob(f"{OPERATOR}_*.seed")):
        name = path.stem.removeprefix(f"{OPERATOR}_")
        if name not in let:
            typer.secho(f"{path.name} is there and its user is not: say --operator {name} again.", err=True)


def _node(word: str) -> Node:
    name, found, address = word.partition("=")
    host, *ports = address.split(":")
    if not found or not host or len(ports) > 3 or not all(port.isdecimal() for port in ports):
        fail(f"{word!r} is not NAME=HOST[:PORT[:ROUTE[:MONITOR]]].", 2)
    _check(name)
    if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        fail(f"{host!r} is not a host.", 2)
    return Node(name, host, *(int(port) for port in ports))


def _operator(word: str) -> tuple[str, list[str]]:
    name, _, hubs = word.partition("=")
    slugs = hubs.split(",") if hubs else []
    for slug in (name, *slugs):
        _check(slug)
    return name, slugs


def _check(word: str) -> None:
    if not re.match(SLUG_PATTERN, word):
        fail(f"{word!r} is not a slug: use a-z, 0-9 and -", 2)
