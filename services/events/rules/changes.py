"""What a new event says and what a change of one changes: time, place, details, and which parts those are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.events.given import EventChange, GivenOrganiser, GivenPlace
from shared.contracts.events.words import EventPart, OrganiserKind, Way
from shared.kit.errors import Invalid
from shared.kit.moments import Span, span

LONGEST_EVENT = timedelta(days=31)
"""No event is longer; lists count on it to know how far back to look."""
GRACE = timedelta(minutes=15)
"""How long after its start an event can still be put down: people are standing in the room."""
THE_HUB = UUID(int=0)
"""Stands for the hub itself among the organisers."""

HISTORY = frozenset(
    {"title", "text", "language", "texts", "kind", "tags", "cost", "accessibility", "link", "visibility"}
)
"""What can be changed of an event that is over."""
_DETAILS = ("kind", "visibility", "tags", "cost", "accessibility", "link")
_NEVER_NULL = ("start", "end", "visibility", "kind", "waiting_list")


class Placed(Protocol):
    """What of an event says when and where it is."""

    starts_at: datetime
    ends_at: datetime
    space: str | None
    address: str | None
    online_url: str | None


@dataclass(frozen=True)
class Position:
    """When and where."""

    span: Span
    space: str | None
    address: str | None
    online_url: str | None

    @classmethod
    def of(cls, event: Placed) -> Position:
        """Where the event is now."""
        return cls((event.starts_at, event.ends_at), event.space, event.address, event.online_url)

    @property
    def anywhere(self) -> bool:
        """False while nothing has been said of the place."""
        return any((self.space, self.address, self.online_url))


def check_time(wanted: Span, now: datetime, *, imported: bool) -> None:
    """Invalid for a start that has passed; imports tell of the past too."""
    if not imported and wanted[0] < now - GRACE:
        raise Invalid("That time has already begun.", field="start")


def moved(position: Position, change: EventChange, zone: ZoneInfo) -> Position:
    """When and where after the change; what it does not speak of stays."""
    if change.start is not None or change.end is not None:
        start, end = (one.astimezone(zone).isoformat() for one in position.span)
        wanted = span(change.start or start, change.end or end, zone, longest=LONGEST_EVENT)
        position = replace(position, span=wanted)
    if "place" in change.model_fields_set:
        place = change.place or GivenPlace()
        position = replace(position, space=place.space, address=place.address, online_url=place.online_url)
    return position


def refuse_nothing(change: EventChange) -> None:
    """Invalid when the change takes away what an event cannot be without."""
    for name in _NEVER_NULL:
        if name in change.model_fields_set and getattr(change, name) is None:
            raise Invalid(f"An event cannot be without {name}; leave it out to keep it.", field=name)


def details(event: Any, change: EventChange) -> dict[str, Any]:
    """The plain columns that get another value."""
    given: dict[str, Any] = {}
    for name in _DETAILS:
        if name in change.model_fields_set:
            value = getattr(change, name)
            given[name] = list(dict.fromkeys(value or ())) if name == "tags" else value
    return {name: value for name, value in given.items() if getattr(event, name) != value}


def parts_between(before: Position, after: Position) -> list[EventPart]:
    """Which of time and place differ."""
    parts = [EventPart.TIME] if before.span != after.span else []
    where = [(one.space, one.address, one.online_url) for one in (before, after)]
    return parts + ([EventPart.PLACE] if where[0] != where[1] else [])


def ways(position: Position, *, online_wanted: bool) -> tuple[Way, ...]:
    """How people can take part: in the room unless it is online only, online if it is there or has places there."""
    online = position.online_url is not None or online_wanted
    room = position.space is not None or position.address is not None or position.online_url is None
    return ((Way.ROOM,) if room else ()) + ((Way.ONLINE,) if online else ())


def organisers_of(
    given: Iterable[GivenOrganiser], *, started_by: UUID | None
) -> Mapping[tuple[str, UUID], None]:
    """Who organises, each once; the one who started it is always among them."""
    chosen: dict[tuple[str, UUID], None] = {}
    if started_by is not None:
        chosen[OrganiserKind.PERSON, started_by] = None
    for one in given:
        if one.kind == OrganiserKind.HUB:
            chosen[one.kind, THE_HUB] = None
        elif one.id is None or one.id == THE_HUB:
            raise Invalid(f"Say which {one.kind} organises, by id.", field="organisers")
        else:
            chosen[one.kind, one.id] = None
    return chosen
