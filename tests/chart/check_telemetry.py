"""What the Prometheus operator and Grafana are given is what stands in deploy/telemetry, and finds the services."""

from __future__ import annotations

import json

import yaml  # type: ignore[import-untyped]  # brings no types

from tests.architecture.source import ROOT
from tests.chart.rendering import Rendered
from tests.chart.sources import PROCESSES

TELEMETRY = ROOT / "deploy" / "telemetry"
CHART = Rendered("everything")


def test_every_rule_is_there_as_it_was_tried() -> None:
    files = {file.stem: yaml.safe_load(file.read_text()) for file in (TELEMETRY / "rules").glob("*.yaml")}
    assert files
    made = {one["metadata"]["name"].removeprefix("foci-"): one["spec"] for one in CHART.all("PrometheusRule")}
    assert made == files


def test_every_dashboard_is_there_as_it_was_written() -> None:
    files = {file.name: json.loads(file.read_text()) for file in (TELEMETRY / "dashboards").glob("*.json")}
    assert files
    made = {name: text for one in CHART.all("ConfigMap") for name, text in one["data"].items()}
    assert {name: json.loads(text) for name, text in made.items()} == files
    assert all(one["metadata"]["labels"]["grafana_dashboard"] == "1" for one in CHART.all("ConfigMap"))


def test_a_job_is_named_like_the_service() -> None:
    """So rules and dashboards name it."""
    monitor = CHART.one("ServiceMonitor", "foci")["spec"]
    found = {}
    for process in PROCESSES:
        service = CHART.one("Service", f"foci-{process}")
        labels = service["metadata"]["labels"]
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
        found[process] = labels[monitor["jobLabel"]]
    assert found == {process: process for process in PROCESSES}


def test_nothing_of_it_is_there_unless_wanted() -> None:
    kinds = {one["kind"] for one in Rendered().objects}
    assert not kinds & {
        "ServiceMonitor",
        "PrometheusRule",
        "ConfigMap",
        "ScaledObject",
        "Ingress",
        "HTTPRoute",
    }
