"""What the gateway remembers for a while, and could ask again at any time."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

MOST = 100_000

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Remembers values for a while, the least recently used forgotten first; nothing is lost when it forgets."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get(self, key: K, now: float) -> V | None:
        """The value, if it is still good at `now`."""
        kept = self._kept.get(key)
        if kept is None or kept[1] <= now:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: K, value: V, until: float) -> None:
        """Remember `value` until then."""
        self._kept[key] = (value, until)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def until(self, key: K) -> float | None:
        """Until when a value is remembered; None when it is not."""
        kept = self._kept.get(key)
        return None if kept is None else kept[1]

    def forget(self, key: K) -> None:
        """Ask anew next time."""
        self._kept.pop(key, None)

    def forget_all(self) -> None:
        """Ask anew about everything."""
        self._kept.clear()
