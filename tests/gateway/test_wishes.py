"""Callers' traces: theirs is continued, and nobody can have everything recorded."""

from __future__ import annotations

from opentelemetry import trace

from services.gateway.wishes import Wishes
from tests.recording import UNRECORDED, traceparent


def is_continued(wishes: Wishes, given: str) -> bool:
    context = trace.get_current_span(wishes.context_of({"traceparent": given})).get_span_context()
    return context.is_valid and f"{context.trace_id:032x}" in given


def test_so_many_a_second_are_recorded_because_callers_wish_it() -> None:
    now = 100.0
    wishes = Wishes(5, clock=lambda: now)
    assert [is_continued(wishes, traceparent(one)) for one in range(1, 9)] == [True] * 5 + [False] * 3
    now += 0.5
    assert [is_continued(wishes, traceparent(one)) for one in range(1, 5)] == [True, True, False, False]
    now += 3600
    assert sum(is_continued(wishes, traceparent(one)) for one in range(1, 9)) == 5


def test_whoever_does_not_wish_it_is_always_followed() -> None:
    wishes = Wishes(0)
    assert not is_continued(wishes, traceparent(1))
    assert all(is_continued(wishes, UNRECORDED) for _ in range(50))


def test_what_is_no_trace_begins_one() -> None:
    for nonsense in ("", "01", "00-xyz-1-01", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é" * 55):
        context = Wishes(5).context_of({"traceparent": nonsense})
        assert not trace.get_current_span(context).get_span_context().is_valid
