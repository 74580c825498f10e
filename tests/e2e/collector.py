"""A tiny OpenTelemetry collector: takes OTLP over HTTP and keeps spans and figures."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Span:
    """One span, as far as a test looks at it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    said: str
    """Everything else in it: attributes, events, status."""


class Collector:
    """Listens on a free port for as long as the block lasts."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Reached by that name; by another than this address also from containers."""
        self.spans: list[Span] = []
        self.figures: dict[tuple[str, str], dict[str, str]] = {}
        """By service and name of the metric, what kind it is, with its unit and the labels of its points."""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name http.server looks for
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/metrics":
                    collector.count(ExportMetricsServiceRequest.FromString(body))
                    answer = ExportMetricsServiceResponse().SerializeToString()
                else:
                    collector.take(ExportTraceServiceRequest.FromString(body))
                    answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer((host if host == "127.0.0.1" else "0.0.0.0", 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep what one export carries."""
        for resource in request.resource_spans:
            known = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        known["service.name"],
                        one.name,
                        one.trace_id.hex(),
                        one.span_id.hex(),
                        one.parent_span_id.hex(),
                        tuple(link.trace_id.hex() for link in one.links),
                        f"{one.attributes} {one.events} {one.status} {one.trace_state}",
                    )
                    for one in scope.spans
                ]

    def count(self, request: ExportMetricsServiceRequest) -> None:
        """Keep what one export of figures carries."""
        for resource in request.resource_metrics:
            known = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data")
                    assert kind is not None
                    points = getattr(metric, kind).data_points
                    labels = {
                        f"{one.key}={one.value.string_value}" for point in points for one in point.attributes
                    }
                    self.figures[known["service.name"], metric.name] = {
                        "kind": kind,
                        "unit": metric.unit,
                        "labels": " ".join(sorted(labels)),
                        "instance": known["service.instance.id"],
                    }

    def trace(self, trace: str) -> dict[str, Span]:
        """The spans of one trace by id."""
        return {span.id: span for span in list(self.spans) if span.trace == trace}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
