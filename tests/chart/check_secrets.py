"""What `deploy.cluster_secrets` makes is what the chart and its prerequisites ask for, and each gets only its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy.cluster_secrets import objects
from deploy.local.home import Home
from shared.contracts.users import SERVICES
from tests.chart.rendering import Rendered, environment, objects_in
from tests.chart.schemas import VERSIONS, faults
from tests.chart.sources import CHART, PROCESSES, settings_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """By namespace and name."""
    home = Home(tmp_path_factory.mktemp("cluster"))
    home.make()
    found = objects(home, cell="north")
    assert found == objects(home, cell="north"), "made anew, not kept"
    for version in VERSIONS:
        assert faults(found, version) == []
    return {(one["metadata"]["namespace"], one["metadata"]["name"]): one for one in found}


def test_every_key_a_pod_asks_for_is_there_and_no_other_is(made: dict[tuple[str, str], Any]) -> None:
    asked: dict[str, set[str]] = {}
    for _, pod in Rendered().pods():
        for [container] in [pod["spec"]["containers"]]:
            for one in container["env"]:
                if "valueFrom" in one:
                    reference = one["valueFrom"]["secretKeyRef"]
                    asked.setdefault(reference["name"], set()).add(reference["key"])
    there = {name: set(one["stringData"]) for (space, name), one in made.items() if space == "foci"}
    assert asked == there


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_starts_with_them(
    process: str, made: dict[tuple[str, str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Rendered().one("Deployment", f"foci-{process}")
    for name, value in environment(deployment["spec"]["template"]).items():
        secret, _, key = value.partition(":")
        known = made.get(("foci", secret))
        monkeypatch.setenv(name, known["stringData"][key] if known and key else value)
    settings = settings_of(process)().model_dump()
    assert settings["nats_seed"].get_secret_value().startswith("SU")
    assert settings.get("dev_token_public_key") is None
    if process in SERVICES:
        place = "foci-rw.postgresql.svc:5432"
        assert settings["database_url"].get_secret_value().endswith(f"@{place}/{process}")


def test_no_process_has_anothers_key(made: dict[tuple[str, str], Any]) -> None:
    seeds = {name: one["stringData"]["NATS_SEED"] for (space, name), one in made.items() if space == "foci"}
    assert len(set(seeds.values())) == len(seeds) == len(PROCESSES) + 1
    for name, seed in seeds.items():
        others = [other for key, other in made.items() if key != ("foci", name)]
        assert seed not in json.dumps(others)


def test_roles_and_bus_are_named_as_the_prerequisites_name_them(made: dict[tuple[str, str], Any]) -> None:
    cluster, *_ = objects_in((CHART / "prerequisites" / "postgresql.yaml").read_text())
    for role in cluster["spec"]["managed"]["roles"]:
        secret = made["postgresql", role["passwordSecret"]["name"]]
        assert secret["type"] == "kubernetes.io/basic-auth"
        assert secret["stringData"]["username"] == role["name"]
        # Otherwise the operator does not see that it has changed: https://cloudnative-pg.io/docs/ "Labels and annotations".
        assert secret["metadata"]["labels"] == {"cnpg.io/reload": "true"}
    [values] = objects_in((CHART / "prerequisites" / "nats.yaml").read_text())
    volumes = [patch["value"] for patch in values["podTemplate"]["patch"]]
    there = {one["kind"]: one for (space, _), one in made.items() if space == "nats"}
    assert volumes == [
        {"name": "accounts", "configMap": {"name": there["ConfigMap"]["metadata"]["name"]}},
        {"name": "routes", "secret": {"secretName": there["Secret"]["metadata"]["name"]}},
    ]
    [users], [routes] = there["ConfigMap"]["data"], there["Secret"]["stringData"]
    assert values["config"]["merge"]["$include"] == f"../nats-accounts/{users}"
    assert values["config"]["cluster"]["merge"]["$include"] == f"../nats-routes/{routes}"
