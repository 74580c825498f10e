"""Server-sent events as they stand on the wire, and what is counted about them."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi.sse import format_sse_event
from prometheus_client import Counter, Gauge, Histogram

READERS = Gauge("foci_live_readers", "Live streams that are open.")
CLOSED = Counter("foci_live_closed_total", "Live streams that have ended.", ("because",))
PLACES = Gauge("foci_live_places", "Live streams that this replica takes.")
HANDED = Counter("foci_live_facts_total", "Facts that somebody was reading along for.", ("topic",))
FAN_OUT = Histogram(
    "foci_live_fan_out_seconds",
    "From hearing something to having handed it to a reader's connection.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
HELD = Gauge("foci_live_held_facts", "Facts that are kept for readers who come back.", ("stream",))
SILENCE = Gauge(
    "foci_live_silence_seconds", "Since this replica has heard of a stream, heartbeats included.", ("stream",)
)


def told(body: str, cursor: str) -> bytes:
    """A CloudEvent; unnamed, so that `onmessage` gets each."""
    return format_sse_event(data_str=body, id=cursor)


def said(event: str, what: dict[str, Any], *, cursor: str | None = None, retry: int | None = None) -> bytes:
    """Something about the stream itself, under a name of its own."""
    return format_sse_event(event=event, data_str=orjson.dumps(what).decode(), id=cursor, retry=retry)


def beat(cursor: str) -> bytes:
    """A sign of life, which no client is shown; the cursor in it moves on, though nothing was told."""
    return format_sse_event(comment="", id=cursor)
