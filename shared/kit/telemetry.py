"""Logs, traces and metrics: set up once per process, the same for every service."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, MutableMapping
from threading import Thread
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import Counter, Gauge, Histogram

from shared.kit.failures import said, traced

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
# No label is called `service`: Prometheus on Kubernetes says by that name where it asked.
SERVICE_INFO = Gauge("foci_service_info", "1; what runs here, and where.", ("part", "cell", "release"))
READY = Gauge("foci_ready", "1 while what the process needs answers, by what that is.", ("need",))
REQUEST_TIME = Histogram("foci_request_seconds", "Time to answer a request.", ("operation",), buckets=_FAST)
REQUESTS = Counter("foci_requests_total", "Requests answered.", ("operation", "status"))
REQUESTS_ACTIVE = Gauge("foci_requests_active", "Requests being worked on or waiting.")
OUTBOX_AGE = Gauge(
    "foci_outbox_age_seconds", "Age of the oldest fact that is not in its stream yet.", ("stream",)
)
RELAYED = Counter("foci_relayed_facts_total", "Facts put into a stream.", ("stream",))
RELAY_DUPLICATES = Counter("foci_relay_duplicates_total", "Facts the stream already had.", ("stream",))
RELAY_REWINDS = Counter(
    "foci_relay_rewinds_total", "Times a stream did not end where it should.", ("stream",)
)
FORGOTTEN_FACTS = Gauge(
    "foci_forgotten_facts",
    "Facts in the service's stream that its database does not know; above 100 the relay waits for `foci mend`.",
)
RELAY_HELD_BACK = Counter(
    "foci_relay_held_back_total", "Looks that found rows an open transaction holds back.", ("stream",)
)
RELAY_LEADER = Gauge("foci_relay_leader", "1 while this replica is the one that relays.", ("stream",))
FACT_TIME = Histogram("foci_fact_seconds", "Time to take in a fact.", ("consumer",), buckets=_FAST)
FACTS = Counter("foci_facts_total", "Facts taken in, by what became of them.", ("consumer", "outcome"))
FACT_DELAY = Histogram(
    "foci_fact_delay_seconds", "From stated to taken in.", ("consumer",), buckets=(*_FAST, 10, 30, 60, 300)
)
CONSUMER_LAG = Gauge(
    "foci_consumer_lag", "Facts in the stream that the consumer has not acknowledged.", ("consumer",)
)
DEAD_LETTERS = Gauge("foci_dead_letters", "Dead letters not replayed yet.")
PARKED_FACTS = Gauge("foci_parked_facts", "Facts waiting for an earlier one of the same entity.")
TIMER_LATENESS = Gauge("foci_timer_lateness_seconds", "How late the latest timer was handled.")
TIMER_OVERDUE = Gauge("foci_timer_overdue_seconds", "How long the oldest timer has been due; 0 when none is.")
TIMERS = Counter("foci_timers_total", "Timers handled.", ("kind", "outcome"))


def _add_trace(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry["trace_id"] = format(context.trace_id, "032x")
        entry["span_id"] = format(context.span_id, "016x")
    return entry


def _say_errors(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Errors given as values, in words that may be in a log."""
    for name, value in entry.items():
        if isinstance(value, BaseException):
            entry[name] = said(value)
    if entry.get("logger") == "asyncio" and "exception" in entry:
        # It repeats the error after its sentence, as the error itself says it.
        entry["event"] = str(entry["event"]).partition("\n")[0]
    return entry


def set_up_logs(service: str, level: str) -> None:
    """JSON lines on standard output, the same for our own loggers and for libraries'."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        structlog.processors.ExceptionRenderer(traced),
        _say_errors,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "nats", "faststream", "httpx2", "httpcore2"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.contextvars.bind_contextvars(service=service)


def resource_of(service: str, cell: str, release: str) -> Resource:
    """What is said of the process with everything it sends; OTEL_RESOURCE_ATTRIBUTES may add to it."""
    about = {
        "service.name": service,
        "service.namespace": "foci",
        "service.version": release,
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        "foci.cell": cell,
    }
    return Resource.create(about)


def is_exported(signal: str) -> bool:
    """Whether `traces` or `metrics` go out over OTLP: an endpoint is set, and they are not turned off.

    By OpenTelemetry's standard variables, which its exporters read too.
    """
    given = os.environ.get
    if given("OTEL_SDK_DISABLED", "").lower() == "true" or given(f"OTEL_{signal.upper()}_EXPORTER") == "none":
        return False
    return bool(
        given("OTEL_EXPORTER_OTLP_ENDPOINT") or given(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    )


def _export(provider: TracerProvider, resource: Resource) -> None:
    traces, metrics = is_exported("traces"), is_exported("metrics")
    if not traces and not metrics:
        return
    # Here, because loading it takes a twentieth of the start, also for those who export nothing.
    from shared.kit import otlp  # noqa: PLC0415

    if traces:
        otlp.send_traces(provider)
        _ENDS.append(provider.shutdown)
    if metrics:
        every = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "60000")) / 1000
        _ENDS.append(otlp.send_figures(resource, every=every).end)


_ENDS: list[Callable[[], None]] = []
SEND_THE_REST_WITHIN = 3.0


def send_the_rest() -> None:
    """Export the last spans and figures, if they go anywhere; the last thing a process does.

    What `atexit` knows is not done after a SIGTERM: when uvicorn has stopped in order it ends the process by that signal. A
    collector that does not answer holds nobody up for longer than a few seconds.
    """
    ending = [Thread(target=end, daemon=True) for end in _ENDS]
    for one in ending:
        one.start()
    for one in ending:
        one.join(SEND_THE_REST_WITHIN)


def set_up(service: str, *, cell: str, release: str, level: str) -> TracerProvider:
    """Logs, traces and figures of one process; traces are sampled as OTEL_TRACES_SAMPLER says."""
    set_up_logs(service, level)
    SERVICE_INFO.labels(service, cell, release).set(1)
    resource = resource_of(service, cell, release)
    provider = TracerProvider(resource=resource)
    _export(provider, resource)
    trace.set_tracer_provider(provider)
    return provider


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for a module."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound
