"""Spans, and the trace context that messages carry: what a process that only asks needs of telemetry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import Token

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PROPAGATOR = TraceContextTextMapPropagator()


def inject(carrier: dict[str, str]) -> dict[str, str]:
    """Write the current trace context into headers."""
    PROPAGATOR.inject(carrier)
    return carrier


def extract(carrier: Mapping[str, str] | None) -> Context:
    """The trace context headers carry, to be the parent of what is done because of them."""
    return PROPAGATOR.extract(carrier or {})


def is_recorded(headers: Mapping[str, str] | None) -> bool:
    """Whether the trace is sampled: the last bit of `traceparent` (W3C Trace Context), read without parsing the rest."""
    return headers is not None and (headers.get("traceparent") or "0")[-1] in "13579bdf"


class _Unsampled:
    """Stands where a span would be in a trace that is not recorded: hands the trace context on, costs next to nothing."""

    def __init__(self, parent: trace.Span, context: Context | None) -> None:
        self._parent = parent
        self._context = context
        self._token: Token[Context] | None = None

    def __enter__(self) -> trace.Span:
        if self._context is not None:
            self._token = attach(self._context)
        return self._parent

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            detach(self._token)


def span(
    tracer: trace.Tracer, name: str, *, context: Context | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> AbstractContextManager[trace.Span]:
    """A span that is current inside the block.

    With a parent-based sampler the children of an unsampled span are unsampled too, and the SDK still spends 11 µs on
    each to find that out; so where the parent is known not to be sampled none is made.
    """
    parent = trace.get_current_span(context)
    known = parent.get_span_context()
    if known.is_valid and not known.trace_flags.sampled:
        return _Unsampled(parent, context)
    return recording(tracer, name, context=context, kind=kind)


@contextmanager
def recording(
    tracer: trace.Tracer,
    name: str,
    *,
    context: Context | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[trace.Link] | None = None,
) -> Iterator[trace.Span]:
    """A span that is current inside the block, made whether its trace is recorded or not.

    Of an error that leaves the block it keeps the class alone: what an error says may be somebody's, such as the row
    a database refuses. The log has the rest.
    """
    made = tracer.start_span(name, context=context, kind=kind, links=links)
    with trace.use_span(made, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield made
        except Exception as error:
            failed(made, error)
            raise


def failed(current: trace.Span, error: BaseException) -> None:
    """What the span is about has gone wrong."""
    current.set_attribute("error.type", type(error).__qualname__)
    current.set_status(trace.StatusCode.ERROR)
