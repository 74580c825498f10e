"""Writes the keys, passwords and the bus configuration that deploy/compose.yaml mounts; what exists is kept."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from deploy.local.home import Home, public_half, write_private
from deploy.nats.cluster import Layout, Node
from deploy.nats.cluster import write as write_cluster
from shared.contracts.users import ADMIN, GATEWAY, SERVICES

CELL = "local"
NODES = ("nats-1", "nats-2", "nats-3")
NATS_URL = ",".join(f"nats://{name}:4222" for name in NODES)
POSTGRES = "postgres:5432"
HTTP_PORT = "8080"
COMPOSE = Path(__file__).with_name("compose.yaml")


def _quoted(value: str) -> str:
    """One line of an env file, also for keys of several lines."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("\n", "\\n")
    return f'"{escaped}"'


def _write_environment(path: Path, values: dict[str, str]) -> None:
    write_private(path, "".join(f"{name}={_quoted(value)}\n" for name, value in values.items()))


def _process(home: Home, name: str, cell: str, nats_url: str) -> dict[str, str]:
    prefix = name.upper()
    return {
        f"{prefix}_CELL": cell,
        f"{prefix}_NATS_URL": nats_url,
        f"{prefix}_NATS_SEED": home.seed(name),
        f"{prefix}_HTTP_HOST": "0.0.0.0",
        f"{prefix}_HTTP_PORT": HTTP_PORT,
    }


def processes(
    home: Home, *, cell: str = CELL, nats_url: str = NATS_URL, postgres: str = POSTGRES
) -> dict[str, dict[str, str]]:
    """The variables of each process, by name, and of the user who makes streams; `postgres` is `host:port`."""
    found = {ADMIN: _process(home, ADMIN, cell, nats_url)}
    for service in SERVICES:
        url = f"postgresql+asyncpg://{service}:{home.password(service)}@{postgres}/{service}"
        more = {"DATABASE_URL": url, "ASSERTION_PUBLIC_KEY": public_half(home.assertion_key())}
        if service == "directory":
            more |= {"SECRET_KEY": home.directory_key()}
        if service == "notify":
            more |= {"SECRET_KEY": home.notify_key(), "LINK_PRIVATE_KEY": home.link_key()}
        own = {f"{service.upper()}_{name}": value for name, value in more.items()}
        found[service] = {**_process(home, service, cell, nats_url), **own}
    found[GATEWAY] = {
        **_process(home, GATEWAY, cell, nats_url),
        "GATEWAY_ASSERTION_PRIVATE_KEY": home.assertion_key(),
        "GATEWAY_LINK_PUBLIC_KEY": public_half(home.link_key()),
        "GATEWAY_BOUNCE_TOKEN": home.bounce_token(),
    }
    return found


def write(folder: Path, nats_port: int | None = None, *, development: bool = False) -> None:
    """One file per container, so that each gets its own secrets and nobody else's.

    The folder is also a FOCI_HOME, with which `foci` on this machine finds the bus and may use it. With `development` the
    gateway takes development tokens made with it, too: for trying out on one's own machine, and for nothing else.
    `nats_port` is where the bus is published on this machine: as it was, when it is not said.
    """
    home = Home(folder)
    home.make()
    before = home.state().get("urls", {}).get("nats", "nats://127.0.0.1:4222")
    home.write_state({"urls": {"nats": f"nats://127.0.0.1:{nats_port}" if nats_port else before}})
    write_cluster(folder, [Node(name, name) for name in NODES], Layout(), cell=CELL)
    found = processes(home)
    if development:
        found[GATEWAY]["GATEWAY_DEV_TOKEN_PUBLIC_KEY"] = public_half(home.token_key())
    for name, values in found.items():
        _write_environment(folder / f"{'streams' if name == ADMIN else name}.env", values)
    password = home.password("postgres")
    _write_environment(folder / "postgres.env", {"POSTGRES_PASSWORD": password})
    databases = {
        "DATABASES_ADMIN_URL": f"postgresql://postgres:{password}@postgres:5432/postgres",
        "DATABASES_PASSWORDS": json.dumps({service: home.password(service) for service in SERVICES}),
    }
    _write_environment(folder / "databases.env", databases)


def unheard(folder: Path) -> list[str]:
    """Sentences about settings in somebody's own files that `environment` in compose.yaml says, which goes before them."""
    said = set(re.findall(r"^ +([A-Z]+(?:_[A-Z]+)+):", COMPOSE.read_text(), re.MULTILINE))
    return [
        f"{file.name}: {name} is not heard there; docs/runbooks/compose.md names the variable that says it."
        for file in sorted(folder.glob("own.*.env"))
        for name in re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", file.read_text(), re.MULTILINE)
        if name in said
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--nats-port", type=int, help="where the bus is published on this machine; as before, or 4222"
    )
    parser.add_argument(
        "--development",
        action="store_true",
        help="take the tokens of `foci token`; to try out, never where others come",
    )
    arguments = parser.parse_args()
    write(arguments.folder.absolute(), arguments.nats_port, development=arguments.development)
    for sentence in unheard(arguments.folder):
        sys.stderr.write(f"{sentence}\n")
