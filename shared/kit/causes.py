"""Which trace something belongs to that is done later, or together with things of other causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from shared.contracts.base import Fact
from shared.kit.tracing import extract, inject, is_recorded, recording

_OF_BATCH: ContextVar[Mapping[str, str] | None] = ContextVar("foci_causes", default=None)

Heard = tuple[Fact, Mapping[str, str] | None]
"""A fact, and the headers it came with."""


@contextmanager
def causing(heard: Sequence[Heard]) -> Iterator[None]:
    """Inside the block, what is done about a fact's entity belongs to that fact's trace, whatever else is done with it.

    For facts of many causes that are taken in together, below the current span.
    """
    recorded = {
        fact.subject: headers["traceparent"] for fact, headers in heard if headers and is_recorded(headers)
    }
    here = _current() if recorded else None
    # One of them is the current span's own trace: there that span is the parent, and not what came before it.
    ours = {
        subject: here if here and _trace(here) == _trace(one) else one for subject, one in recorded.items()
    }
    token = _OF_BATCH.set(ours)
    try:
        yield
    finally:
        _OF_BATCH.reset(token)


def cause_of(subject: object) -> str | None:
    """The recorded trace, as `traceparent`, of what is done now about this entity; None where none is recorded.

    Keep it with what is done later, and give it to `caused` then.
    """
    of_batch = _OF_BATCH.get()
    return _current() if of_batch is None else of_batch.get(str(subject))


def caused(
    tracer: trace.Tracer, name: str, causes: Sequence[str], *, kind: SpanKind = SpanKind.INTERNAL
) -> AbstractContextManager[trace.Span]:
    """A span that continues the first of these traces and links to the others; none where there are none."""
    if not causes:
        return nullcontext(trace.INVALID_SPAN)
    contexts = [extract({"traceparent": one}) for one in dict.fromkeys(causes)]
    links = [trace.Link(trace.get_current_span(one).get_span_context()) for one in contexts[1:]]
    return recording(tracer, name, context=contexts[0], kind=kind, links=links)


def within(
    tracer: trace.Tracer, name: str, *, kind: SpanKind = SpanKind.INTERNAL
) -> AbstractContextManager[trace.Span]:
    """A span below the current one; none where none is recorded, and never the beginning of a trace."""
    if not trace.get_current_span().is_recording():
        return nullcontext(trace.INVALID_SPAN)
    return recording(tracer, name, kind=kind)


def _current() -> str | None:
    headers = inject({})
    return headers["traceparent"] if is_recorded(headers) else None


def _trace(traceparent: str) -> str:
    return traceparent.split("-")[1]
