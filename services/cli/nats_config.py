"""`foci nats-config`: what a NATS cluster reads, written from the contracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from deploy.nats.cluster import SECRETS, Layout, Node, write
from services.cli.cell import fail
from shared.contracts.base import SLUG_PATTERN

QUORUM = 3


Nodes = Annotated[
    list[str],
    typer.Option(
        help="NAME=HOST[:PORT[:ROUTE[:MONITOR]]], once per node: the server's name and how clients and the other "
        "nodes reach it. Ports are 4222, 6222 and 8222 if not said."
    ),
]
Operators = Annotated[
    list[str] | None,
    typer.Option(help="NAME or NAME=HUB,HUB: a user who may read occupancy, of all hubs or of these."),
]
Store = Annotated[str, typer.Option(help="JetStream's folder on the node; {node} is its name.")]
Listen = Annotated[str, typer.Option(help="Address to listen on for clients and routes.")]
Monitor = Annotated[
    str,
    typer.Option(help="Address to listen on for health and monitoring, which ask nobody who they are."),
]
Tls = Annotated[
    str | None, typer.Option(help="Folder on the node with tls.crt, tls.key, ca.crt: TLS for clients.")
]
RouteTls = Annotated[
    str | None, typer.Option(help="The same for the routes between nodes, asked of both ends.")
]


def nats_config(
    out: Annotated[Path, typer.Argument(help="Folder to write to; made when missing.", file_okay=False)],
    *,
    node: Nodes,
    cell: Annotated[str, typer.Option(help="The cell these users belong to.")] = "local",
    store: Store = "/data",
    listen: Listen = "0.0.0.0",
    monitor: Monitor = "127.0.0.1",
    tls: Tls = None,
    route_tls: RouteTls = None,
    operator: Operators = None,
) -> None:
    """Write accounts, users and permissions for a NATS cluster: one configuration per node, secrets apart.

    Seeds that are there already are kept, so it may be run again after every change of the contracts; then reload the
    nodes. Nobody gets in without a key.
    """
    _check(cell)
    nodes = [_node(word) for word in node]
    if len({one.name for one in nodes}) < len(nodes):
        fail("Two nodes have one name.", 2)
    operators = dict(_operator(word) for word in operator or [])
    layout = Layout(store, listen, monitor, tls, route_tls)
    write(out, nodes, layout, cell=cell, operators=operators)
    for one in nodes:
        typer.echo(out / f"{one.name}.conf")
    typer.echo(
        f"Secrets are in {out / SECRETS} (only you can read them): seeds for the services, the routes' password."
    )
    if len(nodes) < QUORUM:
        typer.secho(f"With fewer than {QUORUM} nodes the loss of one stops the streams.", err=True)


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
