"""Ids and the time: the two things main hands in so that tests can say what they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

Clock = Callable[[], datetime]
Ids = Callable[[], UUID]


def utc_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7: sorts by when it was made, so index pages stay warm."""
    return uuid7()
