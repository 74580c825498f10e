"""Spans of this process, as an exporter gets them."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

UNRECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
"""A `traceparent` whose sampled flag is not set."""


def recorder() -> InMemorySpanExporter:
    """Gets every span from now on."""
    exporter = InMemorySpanExporter()
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def traceparent(number: int) -> str:
    """A recorded trace of somebody's."""
    return f"00-{number:032x}-{number:016x}-01"


def of_trace(exporter: InMemorySpanExporter, given: str) -> list[ReadableSpan]:
    """The spans that belong to the trace a `traceparent` names."""
    wanted = int(given.split("-")[1], 16)
    return [span for span in exporter.get_finished_spans() if span.context.trace_id == wanted]
