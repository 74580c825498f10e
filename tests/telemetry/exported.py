"""What the services export to Prometheus, read from where it is declared: no stack is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import promql_parser
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import services.booking.main
import services.directory.main
import services.events.main
import services.gateway.main
import services.matching.main
import services.notify.main  # noqa: F401  # each declares the metrics of its service
from tests.architecture.source import ROOT

TARGET = frozenset({"namespace", "job", "instance"})
"""Labels that Prometheus puts on whatever it reads from a process."""
PROMETHEUS_OWN = {"up": frozenset[str]()}
SUFFIXES: dict[str | None, tuple[str, ...]] = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "gauge": ("",),
}
OF_BUCKETS = frozenset({"le"})


def exported() -> dict[str, frozenset[str]]:
    """Every time series' name with the labels it has, target labels aside."""
    found = dict(PROMETHEUS_OWN)
    for collector in list(REGISTRY._collector_to_names):  # the registry tells its metrics, not their labels
        if isinstance(collector, MetricWrapperBase):
            labels = frozenset(collector._labelnames)
            for suffix in SUFFIXES[collector._type]:
                more = OF_BUCKETS if suffix == "_bucket" else frozenset[str]()
                found[f"{collector._name}{suffix}"] = labels | more
        else:
            names = (sample.name for metric in collector.collect() for sample in metric.samples)
            found |= dict.fromkeys(names, frozenset())
    return found


def selectors(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The metrics an expression reads, each with its matchers; ValueError when it is no PromQL."""
    yield from _selectors(promql_parser.parse(expression))


def grouped_by(expression: str) -> frozenset[str]:
    """The labels an expression groups or matches by, and those it shows."""
    lists = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression)
    return frozenset(name.strip() for one in lists for name in one.split(",") if name.strip())


def _selectors(node: object) -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(node, promql_parser.VectorSelector):
        yield str(node.name), {one.name: one.value for one in node.matchers.matchers}
        return
    for part in ("expr", "lhs", "rhs", "param", "vector_selector"):
        inner = getattr(node, part, None)
        if inner is not None:
            yield from _selectors(inner)
    for inner in getattr(node, "args", None) or ():
        yield from _selectors(inner)


def spoken() -> str:
    """All code that may set a label's value."""
    return "".join(path.read_text() for top in ("services", "shared") for path in (ROOT / top).rglob("*.py"))


def faults(expression: str, known: dict[str, frozenset[str]], code: str) -> Iterator[str]:
    """What an expression names that nothing exports: metrics, labels, values of labels."""
    allowed = set(TARGET)
    for name, matchers in selectors(expression):
        if name not in known:
            yield f"no such metric: {name}"
            continue
        allowed |= known[name]
        for label in set(matchers) - known[name] - TARGET:
            yield f"{name} has no label {label}"
        for label in set(matchers) & known[name]:
            for value in matchers[label].split("|"):
                if re.fullmatch(r"[a-z][a-z-]*", value) and f'"{value}"' not in code:
                    yield f"{name}: nothing sets {label} to {value}"
    for label in grouped_by(expression) - allowed:
        yield f"nothing it reads has a label {label}"
