"""Things people are told of, as the facts heard so far say they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Booked:
    """A booking."""

    person: UUID
    version: int = 0
    status: str = "confirmed"
    start: datetime = NEVER
    end: datetime = NEVER
    by_other: bool = False
    was_over: bool = False
    """Whether it was over once before it was changed: whoever looked at it then had nothing to say, and knew it."""

    @property
    def takes_place(self) -> bool:
        """Whether somebody comes for it."""
        return self.status == "confirmed"


@dataclass
class Happening:
    """An event; facts that are ahead of their turn wait in `early`."""

    id: UUID
    version: int = 0
    status: str = ""
    hidden: bool = False
    venue_lost: bool = False
    start: datetime = NEVER
    end: datetime = NEVER
    came_back: bool = False
    """Whether it was over once before its time was changed."""
    space: str | None = None
    by: UUID | None = None
    organisers: tuple[UUID, ...] = ()
    early: dict[int, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether one can sign up."""
        return self.status in ("published", "changed")

    def is_so(self, news: str) -> bool:
        """Whether that is how it is."""
        return {
            "event-hidden": self.hidden,
            "event-shown": not self.hidden,
            "event-returned": self.status == "draft",
            "event-published": self.is_open,
            "venue-lost": self.venue_lost,
            "event-cancelled": self.status == "cancelled",
        }[news]


@dataclass
class Place:
    """A sign-up."""

    person: UUID
    event: Happening
    guest: bool
    version: int = 0
    status: str = ""
    until: datetime | None = None
    by: UUID | None = None

    @property
    def takes_place(self) -> bool:
        """Whether somebody comes for it."""
        return self.status == "attending" and self.event.is_open and not self.event.hidden
