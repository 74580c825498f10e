"""The time of a test cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tests.waiting import blocked_until

T = TypeVar("T")


class Time:
    """The cell's clock: the real one, moved as far as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def eventually(what: str, true: Callable[[], T], *, seconds: float = 15.0) -> T:
    """Wait until `true()` is, with a deadline; its value."""
    return blocked_until(what, true, seconds=seconds)
