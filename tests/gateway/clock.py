"""The time of a test cell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Time:
    """The cell's clock: the real one, moved as far as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead
