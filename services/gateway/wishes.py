"""Whose trace a request belongs to: the caller's, where they bring one, as long as not too many ask to be recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

from opentelemetry.context import Context

from shared.kit.tracing import extract, is_recorded


class Wishes:
    """Lets so many traces a second be recorded because callers ask for it; of all others the sampler decides.

    Anybody may send a `traceparent` that says "recorded", and recording costs more than many an answer.
    """

    def __init__(self, a_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._a_second = a_second
        self._clock = clock
        self._left = a_second
        self._at = clock()

    def context_of(self, headers: Mapping[str, str]) -> Context:
        """What the request's span is a child of; nothing when one wish too many came with it."""
        if is_recorded(headers) and not self._granted():
            return Context()
        return extract(headers)

    def _granted(self) -> bool:
        now = self._clock()
        self._left = min(self._a_second, self._left + (now - self._at) * self._a_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
