"""schema.org/Event, so that search engines and other calendars understand an event's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.contracts.events.views import EventView, PlacesView
from shared.contracts.events.words import EventStatus, Way

CONTEXT = "https://schema.org"
_STATES = {EventStatus.CANCELLED: "EventCancelled"}


@dataclass(frozen=True)
class Surroundings:
    """What the event itself does not say: whose programme it is part of, and what its room is called."""

    hub: str
    municipality: str | None = None
    country: str | None = None
    space: str | None = None


def document_of(event: EventView, around: Surroundings) -> dict[str, Any]:
    """The event as JSON-LD. Never in it: where to join online, and people, who are only ids here."""
    document = {
        "@context": CONTEXT,
        "@type": "Event",
        "@id": f"urn:uuid:{event.id}",
        "name": event.title,
        "description": event.text or None,
        "startDate": event.start.isoformat(),
        "endDate": event.end.isoformat(),
        "eventStatus": f"{CONTEXT}/{_STATES.get(event.status, 'EventScheduled')}",
        "eventAttendanceMode": f"{CONTEXT}/{_attendance(event)}EventAttendanceMode",
        "location": _locations(event, around),
        "organizer": {"@type": "Organization", "name": around.hub},
        "maximumPhysicalAttendeeCapacity": _capacity(event.places, Way.ROOM),
        "maximumVirtualAttendeeCapacity": _capacity(event.places, Way.ONLINE),
        "offers": _offer(event),
        "inLanguage": event.language,
        "keywords": list(event.tags) or None,
        "sameAs": event.link,
    }
    return {name: value for name, value in document.items() if value is not None}


def _somewhere(event: EventView) -> bool:
    return event.place.space is not None or event.place.address is not None


def _attendance(event: EventView) -> str:
    if not event.place.online:
        return "Offline"
    return "Mixed" if _somewhere(event) else "Online"


def _locations(event: EventView, around: Surroundings) -> Any:
    places: list[dict[str, Any]] = []
    if _somewhere(event) or not event.place.online:
        places.append(_place(event, around))
    if event.place.online:
        places.append({"@type": "VirtualLocation", **({"url": event.link} if event.link else {})})
    return places if len(places) > 1 else places[0]


def _place(event: EventView, around: Surroundings) -> dict[str, Any]:
    if event.place.address is not None:
        return {"@type": "Place", "name": event.place.address, "address": event.place.address}
    town = {"addressLocality": around.municipality, "addressCountry": around.country}
    known = {name: value for name, value in town.items() if value is not None}
    room = around.space or event.place.space
    place: dict[str, Any] = {"@type": "Place", "name": f"{room}, {around.hub}" if room else around.hub}
    return {**place, "address": {"@type": "PostalAddress", **known}} if known else place


def _capacity(places: tuple[PlacesView, ...], way: Way) -> int | None:
    return next((one.capacity for one in places if one.way == way), None)


def _offer(event: EventView) -> dict[str, Any] | None:
    if event.cost is None:
        return None
    full = bool(event.places) and all(one.free == 0 for one in event.places)
    return {
        "@type": "Offer",
        "description": event.cost,
        "availability": f"{CONTEXT}/{'SoldOut' if full else 'InStock'}",
    }
