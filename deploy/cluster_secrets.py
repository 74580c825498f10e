"""Prints what deploy/chart needs to exist before it: Secrets, and the users of the bus, made from the keys of one folder.

    python -m deploy.cluster_secrets FOLDER --cell NAME | kubectl apply --server-side -f -

What exists in the folder is kept. Keep the folder as you keep your keys: it holds all of the cell's. `--server-side`, because
`kubectl apply` by itself would write each value into an annotation too.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from deploy.local.home import Home
from deploy.nats.cluster import ACCOUNTS, ROUTES, SECRETS, Layout, Node
from deploy.nats.cluster import write as write_cluster
from deploy.secret_files import processes
from shared.contracts.users import SERVICES

Object = dict[str, Any]
NODES = 3
POSTGRES = "foci-rw.postgresql.svc:5432"
RELOADED = {"cnpg.io/reload": "true"}
"""CloudNativePG looks again at a Secret of somebody else's only with this label; without it a new password would reach the
pods and never PostgreSQL."""
_IN_VALUES = {"CELL", "NATS_URL", "HTTP_HOST", "HTTP_PORT"}
"""What the chart's values say, and what nobody need hide."""


def _secret(
    namespace: str,
    name: str,
    values: dict[str, str],
    kind: str = "Opaque",
    labels: dict[str, str] | None = None,
) -> Object:
    metadata: Object = {"namespace": namespace, "name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": values}


def _of_process(name: str, variables: dict[str, str]) -> dict[str, str]:
    """Keys are settings without the prefix. Development tokens are for one machine, so their key is left out."""
    settings = {key.removeprefix(f"{name.upper()}_"): value for key, value in variables.items()}
    return {
        key: value for key, value in settings.items() if key not in _IN_VALUES and not key.startswith("DEV_")
    }


def _bus(home: Home, cell: str, namespace: str) -> list[Object]:
    """What deploy/chart/prerequisites/nats.yaml includes: users and permissions, and the routes with their password."""
    nodes = [Node(f"nats-{number}", f"nats-{number}.nats-headless") for number in range(NODES)]
    write_cluster(home.root, nodes, Layout(), cell=cell)
    metadata = {"namespace": namespace, "name": "nats-accounts"}
    data = {ACCOUNTS: (home.root / ACCOUNTS).read_text()}
    users = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    routes = (home.root / SECRETS / ROUTES).read_text()
    return [users, _secret(namespace, "nats-routes", {ROUTES: routes})]


def objects(home: Home, *, cell: str, namespace: str = "foci") -> list[Object]:
    """Everything, with the names that the chart's values and its prerequisites expect."""
    known = processes(home, cell=cell, postgres=POSTGRES)
    secrets = [
        _secret(namespace, f"foci-{name}", _of_process(name, values)) for name, values in known.items()
    ]
    roles = [
        _secret(
            "postgresql",
            f"role-{service}",
            {"username": service, "password": home.password(service)},
            "kubernetes.io/basic-auth",
            RELOADED,
        )
        for service in SERVICES
    ]
    return [*secrets, *roles, *_bus(home, cell, "nats")]


def main() -> None:
    """Entry."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cell", required=True, help="the cell's name, as in the chart's values")
    parser.add_argument("--namespace", default="foci", help="where the chart is installed")
    arguments = parser.parse_args()
    home = Home(arguments.folder.absolute())
    home.make()
    # For `foci` on this machine, beside `kubectl port-forward`.
    home.write_state({"urls": {"nats": "nats://127.0.0.1:4222"}, "cell": arguments.cell})
    known = objects(home, cell=arguments.cell, namespace=arguments.namespace)
    json.dump({"apiVersion": "v1", "kind": "List", "items": known}, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
