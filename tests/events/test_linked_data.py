"""schema.org/Event says what people see of an event, and nothing that only some may know."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from services.events.rules.linked_data import Surroundings, document_of
from shared.contracts.events.views import (
    EventPlaceView,
    EventText,
    EventView,
    OrganiserView,
    PlacesView,
)
from shared.contracts.events.words import EventStatus, OrganiserKind, Visibility, Way

AROUND = Surroundings("Nordviken Coffice", "Nordviken", "SE", "Hall")
SECRET = "https://meet.example.org/secret"
PERSON = UUID(int=77)


def view(**more: Any) -> EventView:
    """An event as its organiser sees it."""
    made: dict[str, Any] = {
        "id": UUID(int=7),
        "hub": "nordviken",
        "status": EventStatus.PUBLISHED,
        "kind": "talk",
        "visibility": Visibility.PUBLIC,
        "title": "Tea & <b>cakes</b>",
        "text": "Bring a cup.",
        "language": "en",
        "texts": {"en": EventText(title="Tea & <b>cakes</b>", text="Bring a cup.")},
        "start": datetime.fromisoformat("2027-03-01T10:00:00+01:00"),
        "end": datetime.fromisoformat("2027-03-01T11:00:00+01:00"),
        "time_zone": "Europe/Stockholm",
        "place": EventPlaceView(space="hall"),
        "places": (PlacesView(way=Way.ROOM, capacity=20, taken=3, free=17, waiting=0, waiting_list=True),),
        "organisers": (OrganiserView(kind=OrganiserKind.PERSON, id=PERSON),),
        "created_at": datetime.fromisoformat("2027-01-01T10:00:00+01:00"),
        "version": 1,
    }
    return EventView(**made | more)


def test_an_event_in_a_room() -> None:
    assert document_of(view(tags=("tea",), link="https://example.org/tea"), AROUND) == {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": "urn:uuid:00000000-0000-0000-0000-000000000007",
        "name": "Tea & <b>cakes</b>",
        "description": "Bring a cup.",
        "startDate": "2027-03-01T10:00:00+01:00",
        "endDate": "2027-03-01T11:00:00+01:00",
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {
            "@type": "Place",
            "name": "Hall, Nordviken Coffice",
            "address": {
                "@type": "PostalAddress",
                "addressLocality": "Nordviken",
                "addressCountry": "SE",
            },
        },
        "organizer": {"@type": "Organization", "name": "Nordviken Coffice"},
        "maximumPhysicalAttendeeCapacity": 20,
        "inLanguage": "en",
        "keywords": ["tea"],
        "sameAs": "https://example.org/tea",
    }


def test_online_and_hybrid_events_never_say_where_to_join() -> None:
    for space, mode, kinds in (
        (None, "Online", ["VirtualLocation"]),
        ("hall", "Mixed", ["Place", "VirtualLocation"]),
    ):
        place = EventPlaceView(space=space, online=True, online_url=SECRET)
        document = document_of(view(place=place), AROUND)
        assert document["eventAttendanceMode"].endswith(f"/{mode}EventAttendanceMode")
        where = document["location"]
        assert [one["@type"] for one in (where if isinstance(where, list) else [where])] == kinds
        said = json.dumps(document)
        assert SECRET not in said
        assert str(PERSON) not in said


def test_elsewhere_cancelled_and_full() -> None:
    full = PlacesView(way=Way.ROOM, capacity=2, taken=2, free=0, waiting=1, waiting_list=True)
    online = PlacesView(way=Way.ONLINE, capacity=9, taken=0, free=9, waiting=0, waiting_list=True)
    place = EventPlaceView(address="Quay 1, Nordviken")
    document = document_of(
        view(status=EventStatus.CANCELLED, place=place, places=(full,), cost="50 kr"), AROUND
    )
    assert document["eventStatus"] == "https://schema.org/EventCancelled"
    assert document["location"] == {
        "@type": "Place",
        "name": "Quay 1, Nordviken",
        "address": "Quay 1, Nordviken",
    }
    assert document["offers"] == {
        "@type": "Offer",
        "description": "50 kr",
        "availability": "https://schema.org/SoldOut",
    }
    hybrid = document_of(view(places=(full, online), cost="50 kr"), AROUND)
    assert hybrid["offers"]["availability"].endswith("/InStock")
    assert hybrid["maximumVirtualAttendeeCapacity"] == 9


def test_nothing_is_said_where_nothing_is_known() -> None:
    bare = document_of(view(place=EventPlaceView(), places=(), text=""), Surroundings("Nordviken"))
    assert bare["location"] == {"@type": "Place", "name": "Nordviken"}
    assert not {"description", "offers", "keywords", "sameAs"} & set(bare)
    unnamed = document_of(view(), Surroundings("Nordviken"))
    assert unnamed["location"]["name"] == "hall, Nordviken"
