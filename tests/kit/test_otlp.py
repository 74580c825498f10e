"""Prometheus' figures as OTLP's: counted once, the same by either way."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.kit import telemetry
from shared.kit.otlp import FiguresSender, figures
from tests.waiting import eventually


class Kept(export.MetricExporter):
    """Keeps what it is given, as the wire would have it."""

    def __init__(self) -> None:
        super().__init__()
        self.exports: list[export.MetricsData] = []
        self.broken = False

    def export(self, metrics_data: export.MetricsData, *_: object, **__: object) -> export.MetricExportResult:
        if self.broken:
            raise ConnectionError
        encode_metrics(metrics_data)
        self.exports.append(metrics_data)
        return export.MetricExportResult.SUCCESS

    def shutdown(self, *_: object, **__: object) -> None:
        """Nothing to let go of."""

    def force_flush(self, *_: object, **__: object) -> bool:
        return True


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("foci_done_total", "Done.", ("outcome",), registry=made).labels("good").inc(3)
    Gauge("foci_age_seconds", "Age.", registry=made).set(1.5)
    taken = Histogram("foci_taken_seconds", "Taken.", ("who",), buckets=(0.1, 1), registry=made)
    for seconds in (0.05, 0.5, 0.7, 30):
        taken.labels("gateway").observe(seconds)
    Counter("foci_never_total", "Never yet.", ("outcome",), registry=made)
    return made


def test_counters_gauges_and_histograms_keep_their_names_and_numbers() -> None:
    found = {one.name: one for one in figures(registry().collect(), began=1, now=9)}
    assert set(found) == {"foci_done_total", "foci_age_seconds", "foci_taken_seconds"}
    assert [(one.unit, one.description) for one in found.values()] == [
        ("", "Done."),
        ("s", "Age."),
        ("s", "Taken."),
    ]
    done, age, taken = (one.data for one in found.values())
    assert isinstance(done, export.Sum)
    assert done.is_monotonic
    [point] = done.data_points
    assert (point.attributes, point.value, point.start_time_unix_nano, point.time_unix_nano) == (
        {"outcome": "good"},
        3,
        1,
        9,
    )
    assert isinstance(age, export.Gauge)
    assert [one.value for one in age.data_points] == [1.5]
    assert isinstance(taken, export.Histogram)
    [row] = taken.data_points
    assert (row.attributes, row.count, row.sum) == ({"who": "gateway"}, 4, 31.25)
    assert (list(row.explicit_bounds), list(row.bucket_counts)) == ([0.1, 1.0], [1, 2, 1])


def test_the_last_figures_go_out_at_the_end_and_a_collector_away_harms_nothing() -> None:
    exporter, resource = Kept(), Resource({"service.name": "booking"})
    sender = FiguresSender(exporter, registry(), resource, every=600)
    sender.start()
    sender.end()
    [sent] = exporter.exports
    assert [one.resource.attributes["service.name"] for one in sent.resource_metrics] == ["booking"]
    assert not sender.is_alive()
    exporter.broken = True
    again = FiguresSender(exporter, registry(), resource, every=600)
    again.start()
    again.end()
    assert not again.is_alive()


async def test_figures_go_out_again_and_again() -> None:
    exporter = Kept()
    sender = FiguresSender(exporter, registry(), Resource({}), every=0.05)
    sender.start()
    await eventually(lambda: len(exporter.exports) > 2)
    sender.end()


@pytest.mark.parametrize(
    ("given", "traces", "metrics"),
    [
        ({}, False, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c"}, False, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_METRICS_EXPORTER": "none"}, True, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False, False),
    ],
)
def test_opentelemetrys_own_variables_say_what_is_sent(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], traces: bool, metrics: bool
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert (telemetry.is_exported("traces"), telemetry.is_exported("metrics")) == (traces, metrics)
