"""Sends traces and figures to a collector over OTLP; loaded only by processes that are told to."""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Iterable, Iterator
from threading import Event, Thread

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

log = logging.getLogger(__name__)

END_WITHIN = 3.0
"""Seconds; so long a process that ends waits for a collector that does not answer."""

_CUMULATIVE = export.AggregationTemporality.CUMULATIVE
_SCOPE = InstrumentationScope("foci")


def send_traces(provider: TracerProvider) -> None:
    """Export what is recorded, in batches, from a thread of its own."""
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def send_figures(resource: Resource, *, every: float) -> FiguresSender:
    """Export what `/metrics` shows, every so many seconds and at the end."""
    sender = FiguresSender(OTLPMetricExporter(), REGISTRY, resource, every=every)
    sender.start()
    atexit.register(sender.end)
    return sender


class FiguresSender(Thread):
    """Reads the Prometheus registry instead of instruments of OpenTelemetry's, so that each figure is counted once.

    OpenTelemetry for Python has no MetricProducer, which this would be; the exporter is its own.
    """

    def __init__(
        self, exporter: export.MetricExporter, registry: Collector, resource: Resource, *, every: float
    ) -> None:
        super().__init__(name="figures", daemon=True)
        self._exporter = exporter
        self._registry = registry
        self._resource = resource
        self._every = every
        self._began = time.time_ns()
        self._ending = Event()

    def run(self) -> None:
        """Export again and again; once more when it is to end."""
        while not self._ending.wait(self._every):
            self._send()
        self._send()

    def end(self) -> None:
        """Export what is left and stop; once, however often it is said."""
        if self._ending.is_set():
            return
        self._ending.set()
        self.join(END_WITHIN)
        self._exporter.shutdown(timeout_millis=0)

    def _send(self) -> None:
        families = figures(self._registry.collect(), began=self._began, now=time.time_ns())
        scope = export.ScopeMetrics(scope=_SCOPE, metrics=list(families), schema_url="")
        resource = export.ResourceMetrics(resource=self._resource, scope_metrics=[scope], schema_url="")
        try:
            self._exporter.export(export.MetricsData(resource_metrics=[resource]))
        except Exception:
            # The next ones say all that these would have said.
            log.exception("figures not sent")


def figures(families: Iterable[Metric], *, began: int, now: int) -> Iterator[export.Metric]:
    """Prometheus' families as OTLP's: counters are monotonic sums, histograms keep their bounds, all since `began`.

    Names are those of `/metrics`, so that rules and dashboards find them whichever way they come. Times are
    nanoseconds since 1970.
    """
    for family in families:
        made = _data(family, began, now)
        if made.data_points:
            name = f"{family.name}_total" if family.type == "counter" else family.name
            unit = "s" if family.name.endswith("_seconds") else ""
            yield export.Metric(name=name, description=family.documentation, unit=unit, data=made)


def _data(family: Metric, began: int, now: int) -> export.Sum | export.Gauge | export.Histogram:
    if family.type == "histogram":
        return export.Histogram(list(_histograms(family.samples, began, now)), _CUMULATIVE)
    if family.type == "counter":
        totals = (one for one in family.samples if one.name.endswith("_total"))
        points = [_number(one, began, now) for one in totals]
        return export.Sum(points, _CUMULATIVE, is_monotonic=True)
    return export.Gauge([_number(one, now, now) for one in family.samples if one.name == family.name])


def _number(sample: Sample, began: int, now: int) -> export.NumberDataPoint:
    return export.NumberDataPoint(dict(sample.labels), began, now, sample.value)


def _histograms(samples: Iterable[Sample], began: int, now: int) -> Iterator[export.HistogramDataPoint]:
    """Prometheus counts what is at most a bound, OTLP what is between two."""
    found: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in samples:
        labels = dict(sample.labels)
        kind = labels.pop("le", None) or sample.name.rpartition("_")[2]
        found.setdefault(tuple(labels.items()), {})[kind] = sample.value
    for about, values in found.items():
        bounds = [bound for bound in values if bound not in ("sum", "count", "created")]
        at_most = [int(values[bound]) for bound in bounds]
        yield export.HistogramDataPoint(
            attributes=dict(about),
            start_time_unix_nano=began,
            time_unix_nano=now,
            count=at_most[-1],
            sum=values["sum"],
            bucket_counts=[high - low for low, high in zip([0, *at_most], at_most, strict=False)],
            explicit_bounds=[float(bound) for bound in bounds[:-1]],
            min=None,  # type: ignore[arg-type]  # OTLP has them optional, and nobody keeps them
            max=None,  # type: ignore[arg-type]
        )
