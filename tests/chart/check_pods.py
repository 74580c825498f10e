"""Pods: restricted, told everything they start with and nothing of another, replaced without a gap."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.users import SERVICES
from shared.kit.process import LEAVE_WITHIN
from tests.chart.rendering import Rendered, environment
from tests.chart.sources import PROCESSES, fields, is_secret, settings_of

EXAMPLES = ("minimal", "everything", "elsewhere")


@pytest.fixture(params=EXAMPLES)
def chart(request: pytest.FixtureRequest) -> Rendered:
    return Rendered(request.param)


def pod_of(chart: Rendered, process: str) -> dict[str, Any]:
    template: dict[str, Any] = chart.one("Deployment", f"foci-{process}")["spec"]["template"]
    return template


def test_every_pod_is_as_the_restricted_profile_wants_it(chart: Rendered) -> None:
    """Pod Security Standards, `restricted`, and beyond: nothing writable, no token, no variables of strangers."""
    for name, pod in chart.pods():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] >= 10000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert [set(volume) - {"name"} for volume in spec["volumes"]] == [{"emptyDir"}]
        [container] = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "hostPort" not in str(container.get("ports"))
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert not container["image"].endswith(":latest")


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_is_told_what_it_needs_and_nothing_it_does_not_know(chart: Rendered, process: str) -> None:
    prefix = f"{process.upper()}_"
    told = environment(pod_of(chart, process))
    own = {name.removeprefix(prefix): value for name, value in told.items() if name.startswith(prefix)}
    known = fields(process)
    assert set(own) <= set(known), "a setting that does not exist"
    assert {name for name, field in known.items() if field.is_required()} <= set(own)
    assert {"CELL", "NATS_URL", "NATS_SEED", "HTTP_HOST", "HTTP_PORT"} <= set(own)
    for name, value in own.items():
        if is_secret(known[name]):
            assert value.startswith(f"foci-{process}:"), f"the value of {name} stands in the chart"
    assert all(name.startswith((prefix, "OTEL_")) for name in told), "another's settings"


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_starts_with_what_it_is_told(
    chart: Rendered, process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings' own classes read it: numbers, lists and words are written as they want them."""
    for name, value in environment(pod_of(chart, process)).items():
        # What comes from a Secret is as long as one.
        monkeypatch.setenv(name, value.ljust(64, "x") if value.startswith(f"foci-{process}:") else value)
    settings = settings_of(process)()
    assert settings.model_dump()["http_port"] == 8080
    if process == "gateway" and chart.example == "everything":
        assert settings.model_dump()["cors_origins"] == ("https://hub.foci.example",)
        assert settings.model_dump()["body_limit"] == 1_000_000


def test_alive_is_the_process_and_ready_is_what_it_needs(chart: Rendered) -> None:
    for process in PROCESSES:
        [container] = pod_of(chart, process)["spec"]["containers"]
        paths = {
            probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")
        }
        assert {probe: get["path"] for probe, get in paths.items()} == {
            "startup": "/healthz",
            "liveness": "/healthz",
            "readiness": "/readyz",
        }
        assert {get["port"] for get in paths.values()} == {"http"}
        # /readyz may itself wait 1.5 s for each of three things that do not answer.
        assert container["readinessProbe"]["timeoutSeconds"] >= 5


def test_the_next_one_works_before_one_goes(chart: Rendered) -> None:
    for one in chart.all("Deployment"):
        assert one["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert one["spec"]["strategy"]["type"] == "RollingUpdate"


def test_a_pod_has_the_time_its_parts_take_to_end(chart: Rendered) -> None:
    for process in SERVICES:
        given = pod_of(chart, process)["spec"]["terminationGracePeriodSeconds"]
        assert given >= LEAVE_WITHIN + 10, "the connection is closed and what is left is sent after that"
    gateway = pod_of(chart, "gateway")["spec"]
    leaving = fields("gateway")["LEAVING_S"].default
    in_hand = 10  # `timeout_graceful_shutdown` in services/gateway/main.py
    assert gateway["terminationGracePeriodSeconds"] >= leaving + in_hand + 5


def test_pods_are_spread_over_machines_and_zones(chart: Rendered) -> None:
    for process in PROCESSES:
        spread = pod_of(chart, process)["spec"]["topologySpreadConstraints"]
        assert {one["topologyKey"] for one in spread} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        labels = pod_of(chart, process)["metadata"]["labels"]
        for one in spread:
            assert one["labelSelector"]["matchLabels"].items() <= labels.items()


def test_new_secrets_replace_the_pods() -> None:
    before, after = Rendered(), Rendered(values=(("secretsRevision", '"2"'),))
    for process in PROCESSES:
        assert pod_of(before, process) != pod_of(after, process)


def test_the_gateway_can_be_the_last_to_be_replaced() -> None:
    chart = Rendered(values=(("image.tag", '"0.2.0"'), ("services.gateway.tag", '"0.1.0"')))
    images = {name: pod["spec"]["containers"][0]["image"] for name, pod in chart.pods()}
    assert images.pop("foci-gateway") == "foci/gateway:0.1.0"
    assert {image.rpartition(":")[2] for image in images.values()} == {"0.2.0"}


def test_operators_are_told_where_the_bus_is_or_nothing() -> None:
    told = Rendered(values=(("nats.operatorsUrl", '"tls://bus.foci.example:4222"'),))
    where = environment(pod_of(told, "gateway")).get("GATEWAY_OPERATORS_NATS_URL")
    assert where == "tls://bus.foci.example:4222"
    assert "GATEWAY_OPERATORS_NATS_URL" not in environment(pod_of(Rendered(), "gateway"))


def test_who_vouches_for_the_bus_is_known_to_every_pod() -> None:
    chart = Rendered(values=(("nats.caSecret", '"bus-ca"'),))
    for name, pod in chart.pods():
        told = environment(pod)
        process = name.removeprefix("foci-").removesuffix("-migrate").replace("streams", "admin").upper()
        [container] = pod["spec"]["containers"]
        mounted = [one["mountPath"] for one in container["volumeMounts"] if one.get("readOnly")]
        assert [told[f"{process}_NATS_CA"].rpartition("/")[0]] == mounted, name


def test_whoever_is_not_there_leaves_nothing_behind() -> None:
    chart = Rendered(values=(("services.matching.enabled", "false"),))
    assert not [one["metadata"]["name"] for one in chart.objects if "matching" in one["metadata"]["name"]]
    assert chart.has("Deployment", "foci-booking")
