"""Scaling, disruption, and what happens before a release: streams and databases first."""

from __future__ import annotations

import pytest

from shared.contracts.streams import CONSUMERS
from shared.contracts.users import SERVICES
from tests.chart.rendering import Rendered, environment
from tests.chart.sources import PROCESSES

KEDA = Rendered(values=(("keda.enabled", "true"), ("services.booking.autoscaling.enabled", "true")))


def number_of_pods(chart: Rendered, process: str) -> int | None:
    replicas: int | None = chart.one("Deployment", f"foci-{process}")["spec"].get("replicas")
    return replicas


def test_the_gateway_is_scaled_by_its_work() -> None:
    chart = Rendered()
    scaler = chart.one("HorizontalPodAutoscaler", "foci-gateway")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert len(chart.all("HorizontalPodAutoscaler")) == 1


@pytest.mark.parametrize("chart", [Rendered(), Rendered("everything"), Rendered("elsewhere"), KEDA])
def test_a_number_of_pods_is_said_by_one_only(chart: Rendered) -> None:
    """By the release, or by a scaler; a release that says it too would set it back each time."""
    for process in PROCESSES:
        scalers = [
            kind for kind in ("HorizontalPodAutoscaler", "ScaledObject") if chart.has(kind, f"foci-{process}")
        ]
        assert len(scalers) <= 1
        assert (number_of_pods(chart, process) is None) == bool(scalers)


def test_consumers_are_scaled_by_what_waits_for_them() -> None:
    for service in SERVICES:
        durables = {one.durable: one.stream for one in CONSUMERS if one.service == service}
        assert KEDA.has("ScaledObject", f"foci-{service}") == bool(durables)
        if not durables:
            continue
        spec = KEDA.one("ScaledObject", f"foci-{service}")["spec"]
        assert spec["minReplicaCount"] >= 1, "it answers requests too"
        lag = [one["metadata"] for one in spec["triggers"] if one["type"] == "nats-jetstream"]
        assert {one["consumer"]: one["stream"] for one in lag} == durables
        # What KEDA's scaler reads, and nothing it would refuse or overlook.
        assert {name for one in lag for name in one} == {
            "natsServerMonitoringEndpoint", "account", "stream", "consumer", "lagThreshold",
        }  # fmt: skip
    booking = KEDA.one("ScaledObject", "foci-booking")["spec"]["triggers"]
    assert [one["type"] for one in booking].count("cpu") == 1


def test_a_node_can_be_emptied_one_pod_at_a_time() -> None:
    for chart in (Rendered(), Rendered("elsewhere")):
        for process in PROCESSES:
            budget = chart.one("PodDisruptionBudget", f"foci-{process}")["spec"]
            labels = chart.one("Deployment", f"foci-{process}")["spec"]["template"]["metadata"]["labels"]
            assert budget["maxUnavailable"] == 1
            assert budget["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("example", ["minimal", "everything", "elsewhere"])
def test_before_a_release_come_policy_streams_and_every_database(example: str) -> None:
    chart = Rendered(example)
    hooks = [one for one in chart.objects if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    order = sorted(hooks, key=lambda one: int(one["metadata"]["annotations"]["helm.sh/hook-weight"]))
    names = [one["metadata"]["name"] for one in order]
    assert names[:2] == ["foci-jobs", "foci-streams"]
    assert set(names[2:]) == {f"foci-{service}-migrate" for service in SERVICES}
    for one in hooks:
        # Not after a roll back: the release before works with what the one after it has made.
        assert one["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert {one["kind"] for one in chart.objects if one not in hooks} & {"Job"} == set()


def test_a_migration_is_the_services_own_image_with_its_own_secret() -> None:
    chart = Rendered()
    for service in SERVICES:
        pod = chart.one("Job", f"foci-{service}-migrate")["spec"]["template"]
        served = chart.one("Deployment", f"foci-{service}")["spec"]["template"]
        assert pod["spec"]["containers"][0]["image"] == served["spec"]["containers"][0]["image"]
        assert pod["spec"]["containers"][0]["args"] == ["migrate"]
        assert environment(pod)[f"{service.upper()}_DATABASE_URL"] == f"foci-{service}:DATABASE_URL"
        assert pod["spec"]["restartPolicy"] == "Never"


def test_a_job_is_nobody_a_service_of_the_release_counts() -> None:
    """Its pods would be asked for figures, spread and budgeted with those that serve."""
    chart = Rendered()
    served = {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in chart.all("Deployment")}
    jobs = {
        one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        for one in chart.all("Job")
    }
    assert not served & jobs
