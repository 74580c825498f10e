"""Who may talk to whom: nobody, but for what is named."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.routing import Route

from services.gateway.main import _routed
from shared.contracts.users import SERVICES
from tests.chart.rendering import Rendered, objects_in
from tests.chart.schemas import VERSIONS, faults
from tests.chart.sources import CHART, PROCESSES

DATABASE, BUS, MAIL, TELEMETRY = 5432, 4222, 587, 4318


@pytest.fixture(scope="module")
def chart() -> Rendered:
    return Rendered()


def policy(chart: Rendered, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = chart.one("NetworkPolicy", f"foci-{name}")["spec"]
    return spec


def out(spec: dict[str, Any]) -> set[int]:
    """The ports a policy lets its pods open connections to; each rule names who, and over what."""
    for rule in spec["egress"]:
        assert rule["to"]
        assert rule["ports"]
    return {port["port"] for rule in spec["egress"] for port in rule["ports"]}


def test_what_is_not_allowed_is_denied(chart: Rendered) -> None:
    deny = policy(chart, "deny")
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(deny)
    for name, pod in chart.pods():
        assert deny["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items(), name


def test_each_process_reaches_what_it_needs_and_no_more(chart: Rendered) -> None:
    wanted = {service: {53, BUS, DATABASE} for service in SERVICES} | {"gateway": {53, BUS}}
    wanted["notify"] |= {MAIL, 443}
    assert {process: out(policy(chart, process)) for process in PROCESSES} == wanted
    assert out(policy(chart, "jobs")) == {53, BUS, DATABASE}


def test_traces_leave_only_where_they_are_wanted() -> None:
    told = Rendered(values=(("telemetry.endpoint", '"http://collector.monitoring.svc:4318"'),))
    for process in PROCESSES:
        assert TELEMETRY in out(policy(told, process))


def test_webhooks_reach_the_internet_and_nothing_inside(chart: Rendered) -> None:
    [web] = [
        rule
        for rule in policy(chart, "notify")["egress"]
        if rule["ports"] == [{"protocol": "TCP", "port": 443}]
    ]
    blocks = {to["ipBlock"]["cidr"]: set(to["ipBlock"]["except"]) for to in web["to"]}
    assert set(blocks) == {"0.0.0.0/0", "::/0"}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= blocks["0.0.0.0/0"]
    assert {"fc00::/7", "fe80::/10"} <= blocks["::/0"]


def test_only_the_door_lets_people_in(chart: Rendered) -> None:
    for process in PROCESSES:
        rules = policy(chart, process)["ingress"]
        assert [rule["ports"] for rule in rules] == [[{"protocol": "TCP", "port": "http"}]]
        who = {
            one["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for rule in rules
            for one in rule["from"]
        }
        assert who == ({"monitoring", "ingress-nginx"} if process == "gateway" else {"monitoring"})


def test_bus_and_databases_let_in_those_who_are_sent_to_them(chart: Rendered) -> None:
    """The two ends of each connection name each other."""
    policies = objects_in((CHART / "prerequisites" / "network.yaml").read_text())
    for version in VERSIONS:
        assert faults(policies, version) == []
    for entering in policies:
        place = entering["metadata"]["namespace"]
        [leaving] = [
            (to, rule["ports"])
            for rule in policy(chart, "booking")["egress"]
            for to in rule["to"]
            if to["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == place
        ]
        assert leaving[0]["podSelector"] == entering["spec"]["podSelector"]
        first = entering["spec"]["ingress"][0]
        assert first["from"] == [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "foci"}}}
        ]
        assert first["ports"] == leaving[1]


def test_nobody_named_is_nobody_and_not_everybody() -> None:
    chart = Rendered(values=(("networkPolicy.door", "[]"), ("networkPolicy.monitoring", "[]")))
    for process in PROCESSES:
        assert "ingress" not in policy(chart, process)
    closed = Rendered(values=(("nats.peers", "[]"), ("postgresql.peers", "[]"), ("networkPolicy.dns", "[]")))
    assert policy(closed, "booking")["egress"] is None


def test_the_door_hands_on_every_route_and_nothing_for_keepers() -> None:
    route = Rendered("elsewhere").one("HTTPRoute", "foci")["spec"]["rules"]
    paths = [match["path"]["value"] for rule in route for match in rule["matches"]]
    ingress = Rendered("everything").one("Ingress", "foci")["spec"]["rules"][0]["http"]["paths"]
    for prefixes in (paths, [one["path"] for one in ingress]):

        def handed_on(path: str, prefixes: list[str] = prefixes) -> bool:
            return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

        routes = [one.path for one in _routed().routes if isinstance(one, Route)]
        assert [path for path in routes if not handed_on(path)] == []
        assert not [path for path in ("/metrics", "/healthz", "/readyz", "/") if handed_on(path)]


def test_a_service_is_named_on_the_network_only_for_figures(chart: Rendered) -> None:
    for process in PROCESSES:
        service = chart.one("Service", f"foci-{process}")["spec"]
        assert (service.get("clusterIP") == "None") == (process != "gateway")
        assert service.get("type", "ClusterIP") == "ClusterIP"
        labels = chart.one("Deployment", f"foci-{process}")["spec"]["template"]["metadata"]["labels"]
        assert service["selector"].items() <= labels.items()
