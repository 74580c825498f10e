"""What helm makes of the chart with some values: plain objects, rendered once per set of values."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # brings no types

from tests.chart.sources import CHART
from tests.chart.tools import HELM

EXAMPLES = CHART / "examples"
VENDOR = Path(__file__).parent / "vendor"
NEWEST = "1.37.0"

Object = dict[str, Any]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run it; what it says is for whoever asks."""
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def objects_in(text: str) -> list[Object]:
    """The objects of a stream of YAML."""
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


@cache
def _rendered(example: str, release: str, values: str) -> str:
    sets = [
        argument for one in json.loads(values).items() for argument in ("--set-json", f"{one[0]}={one[1]}")
    ]
    done = helm(
        "template", release, CHART, "--namespace", "foci", "--kube-version", NEWEST,
        "-f", EXAMPLES / f"{example}.yaml", *sets,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Rendered:
    """The chart with an example's values and some more; those are JSON, by their paths."""

    example: str = "minimal"
    values: tuple[tuple[str, str], ...] = ()
    release: str = "foci"
    objects: list[Object] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        text = _rendered(self.example, self.release, json.dumps(dict(self.values)))
        object.__setattr__(self, "objects", objects_in(text))

    def all(self, kind: str) -> list[Object]:
        """Every object of that kind."""
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str, name: str) -> Object:
        """The object of that kind and name."""
        [found] = [one for one in self.all(kind) if one["metadata"]["name"] == name]
        return found

    def has(self, kind: str, name: str) -> bool:
        """Whether there is one."""
        return any(one["metadata"]["name"] == name for one in self.all(kind))

    def pods(self) -> list[tuple[str, Object]]:
        """Every pod template, with the name of what makes the pods."""
        makers = [*self.all("Deployment"), *self.all("Job")]
        return [(one["metadata"]["name"], one["spec"]["template"]) for one in makers]


def environment(pod: Object) -> dict[str, str]:
    """The variables of a pod's only container; one from a Secret reads `secret:key`."""
    [container] = pod["spec"]["containers"]
    found = {}
    for one in container["env"]:
        assert one["name"] not in found, f"{one['name']} is set twice"
        reference = one.get("valueFrom", {}).get("secretKeyRef")
        found[one["name"]] = f"{reference['name']}:{reference['key']}" if reference else one["value"]
    return found


TRUSTED = ("services.gateway.settings.TRUSTED_PROXIES", '"10.42.0.0/16"')
FLAGS: dict[str, tuple[tuple[str, str], ...]] = {
    "keda": (("keda.enabled", "true"),),
    "keda and cpu": (("keda.enabled", "true"), ("services.booking.autoscaling.enabled", "true")),
    "no network policy": (("networkPolicy.enabled", "false"),),
    "ingress": (("ingress.enabled", "true"), ("ingress.host", '"foci.example"'), TRUSTED),
    "http route": (("httpRoute.enabled", "true"), ("httpRoute.parentRefs", '[{"name": "shared"}]'), TRUSTED),
    "telemetry": (("telemetry.endpoint", '"http://collector.monitoring.svc:4318"'),),
    "service monitor": (("serviceMonitor.enabled", "true"),),
    "rules": (("prometheusRule.enabled", "true"),),
    "dashboards": (("dashboards.enabled", "true"),),
    "no disruption budget": (("podDisruptionBudget.enabled", "false"),),
    "no streams": (("streams.enabled", "false"),),
    "no migrations": (("migrations.enabled", "false"),),
    "no jobs": (("streams.enabled", "false"), ("migrations.enabled", "false")),
    "no gateway": (("services.gateway.enabled", "false"), ("ingress.enabled", "true"), ("ingress.host", '"x.example"')),
    "no matching": (("services.matching.enabled", "false"),),
    "bus with certificates": (("nats.caSecret", '"bus-ca"'), ("nats.url", '"tls://bus.foci.example:4222"')),
    "operators' bus": (("nats.operatorsUrl", '"tls://bus.foci.example:4222"'),),
    "new secrets": (("secretsRevision", '"2"'),),
    "registry": (("image.registry", '"registry.foci.example"'), ("image.tag", '"1.2.3"')),
    "nobody at the door": (("networkPolicy.door", "[]"), ("networkPolicy.monitoring", "[]")),
    "mail user": (("services.notify.fromSecret.SMTP_USER", '"user"'),),
}  # fmt: skip
"""Each flag alone, on top of the least."""


def matrix() -> dict[str, Rendered]:
    """Everything that is rendered, by name."""
    made = {file.stem: Rendered(file.stem) for file in sorted(EXAMPLES.glob("*.yaml"))}
    made |= {name: Rendered(values=values) for name, values in FLAGS.items()}
    made["long name"] = Rendered("everything", release="a-cell-in-the-north-of-the-country-with-a-long-name")
    return made
