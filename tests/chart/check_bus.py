"""The bus as NATS's own chart makes it of our values: three nodes, everything on disk, nobody without a key."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from deploy.cluster_secrets import objects
from deploy.local.home import Home
from tests.chart.rendering import VENDOR, helm, objects_in
from tests.chart.schemas import VERSIONS, faults
from tests.chart.sources import CHART

[OFFICIAL] = VENDOR.glob("nats-*.tgz")
"""Packed as it stands at https://github.com/nats-io/k8s (Apache-2.0), without its own tests."""


@pytest.fixture(scope="module")
def bus() -> list[dict[str, Any]]:
    values = CHART / "prerequisites" / "nats.yaml"
    done = helm("template", "nats", OFFICIAL, "--namespace", "nats", "-f", values)
    assert done.returncode == 0, done.stderr
    return objects_in(done.stdout)


def one(bus: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    [found] = [one for one in bus if one["kind"] == kind]
    return found


def test_it_fits_kubernetes_schemas(bus: list[dict[str, Any]]) -> None:
    objects = [{key: value for key, value in one.items() if value is not None} for one in bus]
    template = one(objects, "StatefulSet")["spec"]["template"]["metadata"]
    assert template.pop("annotations") is None  # as NATS's chart writes it; a cluster reads it as nothing
    for version in VERSIONS:
        assert faults(objects, version) == []


def test_three_nodes_are_never_on_one_machine_and_as_restricted_as_ours(bus: list[dict[str, Any]]) -> None:
    nodes = one(bus, "StatefulSet")["spec"]
    assert nodes["replicas"] == 3
    spec = nodes["template"]["spec"]
    assert [rule["whenUnsatisfiable"] for rule in spec["topologySpreadConstraints"]] == ["DoNotSchedule"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, container["name"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_the_server_takes_the_configuration(bus: list[dict[str, Any]], tmp_path: Path) -> None:
    """As it stands in the ConfigMap, with accounts made from the contracts beside it."""
    home = Home(tmp_path / "keys")
    home.make()
    for made in objects(home, cell="north"):
        if made["metadata"]["namespace"] == "nats":
            folder = tmp_path / made["metadata"]["name"]
            folder.mkdir()
            for name, part in (made.get("data") or made["stringData"]).items():
                (folder / name).write_text(part)
    text = one(bus, "ConfigMap")["data"]["nats.conf"]
    assert '"sync_interval": "always"' in text
    assert "no_auth_user" not in text
    assert "nats-route://" not in text, "the routes' password would stand in the ConfigMap"
    config = tmp_path / "nats-config" / "nats.conf"
    config.parent.mkdir()
    config.write_text(text)
    server = Path(sysconfig.get_path("scripts")) / "nats-server"
    command, surroundings = [str(server), "-t", "-c", str(config)], {"SERVER_NAME": "nats-0"}
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "nats-accounts" / "accounts.json").unlink()
    without = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert without.returncode != 0, "a bus without accounts would let everybody in"
