"""Somebody who is told things, as the account knows them: where they are, what they want, and whether they are still there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.notify.day.people import Person

DIGEST = time(7, 30)
QUIET = (time(21), time(7))
ALWAYS = frozenset({"confirm", "safety"})

KIND = {
    "booked": "booking", "moved": "booking", "cancelled": "booking", "confirm": "confirm", "place-taken": "place",
    "waiting": "place", "place-gone": "place", "place-offered": "offer", "offer-over": "offer",
    "event-changed": "event", "event-cancelled": "event", "event-hidden": "event", "event-returned": "event",
    "venue-lost": "event", "event-published": "event", "event-shown": "event", "awaits-approval": "alert",
    "webhook-paused": "alert", "new-event": "programme", "soon": "reminder",
}  # fmt: skip
"""As what each news is chosen; the loss of what begins today is `safety` instead."""


@dataclass
class Somebody:
    """A person at the hub; `paces` are their choices for mail, by kind of news."""

    name: str
    id: UUID
    zone: str
    role: str | None
    joined: bool = False
    """Whether the service has heard of their belonging to the hub."""
    paces: dict[str, str] = field(default_factory=lambda: {"programme": "weekly"})
    quiet: tuple[time, time] = QUIET
    muted: set[str] = field(default_factory=set)
    """Kinds they once wanted nothing of: what they know of those nobody can say."""
    chose_hours_at: datetime | None = None
    """A mail of unknown fate keeps to the hours they had when it was put off, until those are over."""
    left_at: datetime | None = None
    erased: bool = False

    @property
    def here(self) -> bool:
        """Whether they are told anything new."""
        return self.left_at is None and not self.erased

    def pace(self, kind: str) -> str:
        """When they hear of it by mail."""
        return "now" if kind in ALWAYS else self.paces.get(kind, "now")

    def _person(self) -> Person:
        return Person(self.id, "", self.zone, "", self.quiet, "", "", member=True)

    def is_quiet(self, at: datetime) -> bool:
        """Whether their clock is in their quiet hours."""
        return self._person().is_quiet(at)

    def may_be_put_off(self, at: datetime) -> bool:
        """Whether it is night for them, or was until they chose other hours."""
        chose = self.chose_hours_at
        return self.is_quiet(at) or (chose is not None and at < chose + timedelta(days=1))

    def next_digest(self, at: datetime, pace: str) -> datetime:
        """The first digest after `at`, found minute by minute."""
        return self._person().next_digest(at, pace)


def is_today(start: datetime, now: datetime, zone: str) -> bool:
    """Whether it begins today where the hub is, or has begun."""
    here = ZoneInfo(zone)
    return start.astimezone(here).date() <= now.astimezone(here).date()


def day_before(start: datetime, zone: str) -> datetime:
    """The same time of the clock on the wall a day earlier."""
    here = ZoneInfo(zone)
    wall = start.astimezone(here).replace(tzinfo=None) - timedelta(days=1)
    return wall.replace(tzinfo=here).astimezone(UTC)
