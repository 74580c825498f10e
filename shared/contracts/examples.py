"""Example messages: one made-up small town, the same in every published document."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from shared.contracts.base import ALL_SPACES, EVERYWHERE, Fact
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1

F = TypeVar("F", bound=Fact)

_HUB = "nordviken"
_SPACE = "quiet-corner"
_PERSON = "01981f0e-5a00-7000-8000-0000000000a1"
_BOOKING = "01981f0e-5a00-7000-8000-0000000000b1"
_EVENT = "01981f0e-5a00-7000-8000-0000000000e1"
_WEBHOOK = "01981f0e-5a00-7000-8000-0000000000aa"
_FLOOR = "open-floor"
_INTRODUCTION = "01981f0e-5a00-7000-8000-0000000000bb"

_VALUES: dict[str, Any] = {
    "id": "01981f0e-5a00-7000-8000-0000000000f1",
    "hub": _HUB,
    "occurred_at": "2027-03-01T08:00:00Z",
    "subject": _BOOKING,
    "subject_version": 1,
    # a booking
    "space": _SPACE,
    "units": [4, 5],
    "seats": 2,
    "start": "2027-03-01T09:00:00Z",
    "end": "2027-03-01T12:00:00Z",
    "person": _PERSON,
    "by": _PERSON,
    "for_event": None,
    "imported": False,
    "expires_at": "2027-03-01T08:10:00Z",
    "status": "confirmed",
    "previous_space": "long-table",
    "previous_units": [1, 2],
    "previous_start": "2027-03-01T10:00:00Z",
    "previous_end": "2027-03-01T13:00:00Z",
    # a hub, an organisation
    "name": "Nordviken coffice",
    "municipality": "Nordviken",
    "region": "Norra kusten",
    "country": "SE",
    "time_zone": "Europe/Stockholm",
    "languages": ["sv", "en"],
    "modules": ["booking"],
    "cell": "local",
    "organisation": "01981f0e-5a00-7000-8000-0000000000c1",
    # a sign-in
    "sign_in": "01981f0e-5a00-7000-8000-0000000000d7",
    # an API token
    "holder": "01981f0e-5a00-7000-8000-0000000000cc",
    "purpose": "kiosk",
    # a membership
    "role": "member",
    "previous": "visitor",
    # a profile, an introduction, the vocabulary
    "change": "offers",
    "introduction": _INTRODUCTION,
    "one": _PERSON,
    "other": "01981f0e-5a00-7000-8000-0000000000a2",
    "by_host": False,
    "asked_by": _PERSON,
    "lapses_at": "2027-03-15T08:00:00Z",
    "standing": "agreed",
    "outcome": "collaboration",
    "lessons": 3,
    "vocabulary": 1,
    # what was forgotten of a person
    "erased": {"notices": 3},
    "anonymised": {"bookings": 12},
    "kept": {"id": "stays-forgotten", "facts": "thirty-days"},
    # a webhook
    "webhook": _WEBHOOK,
    "because": "failing",
}
_SPACE_VALUES: dict[str, Any] = {
    "subject": f"{_HUB}/{_SPACE}",
    "name": "Quiet corner",
    "kind": "flex",
    "units": [1, 2, 3, 4, 5, 6],
    "capacity": 6,
}


_EVENT_VALUES: dict[str, Any] = {
    "subject": _EVENT,
    "kind": "breakfast",
    "visibility": "public",
    "start": "2027-03-03T06:30:00Z",
    "end": "2027-03-03T08:00:00Z",
    "space": _FLOOR,
    "online": True,
    "capacity": 24,
    "capacity_online": 50,
    "series": "01981f0e-5a00-7000-8000-000000000051",
    "organisers": [_PERSON],
    "titles": {"sv": "Frukost i hamnen", "en": "Harbour breakfast"},
    "changed": ["time", "place"],
    "previous_space": "long-table",
    "previous_start": "2027-03-03T07:30:00Z",
    "previous_end": "2027-03-03T09:00:00Z",
    "venue_lost": False,
    "status": "published",
    "hidden": False,
    "signed_up": 22,
    "came": 20,
    "walk_ins": 1,
    "participants": 21,
}
_VENUE_VALUES: dict[str, Any] = {
    "subject": f"{_EVENT}/venue",
    "event": _EVENT,
    "edition": 1,
    "space": _FLOOR,
    "start": "2027-03-03T06:30:00Z",
    "end": "2027-03-03T08:00:00Z",
    "seats": 24,
    "booking": _BOOKING,
    "wants": True,
    "accepted": True,
    "answered": 2,
    "live": True,
    "heard": 2,
    "kept": False,
    "free_starts": ["2027-03-03T08:30:00Z", "2027-03-03T10:00:00Z"],
    "free_spaces": ["long-table"],
    "bookable_from": None,
}
_SIGN_UP_VALUES: dict[str, Any] = {
    "subject": "01981f0e-5a00-7000-8000-0000000000d1",
    "event": _EVENT,
    "guest": False,
    "way": "room",
    "start": "2027-03-03T06:30:00Z",
    "number": 7,
    "until": "2027-03-01T20:00:00Z",
    "status": "attending",
}
_SINGULAR: dict[str, dict[str, Any]] = {
    "EventHeldV1": {"by": None},
    "VenueRefusedV1": {"booking": None, "because": "space-taken"},
    "VenueLostV1": {"because": "cancelled"},
    "VenueFreedV1": {"booking": None},
    "SignUpPendingV1": {"guest": True, "number": None, "by": None},
    "OfferLapsedV1": {"by": None},
    "ApiTokenMadeV1": {"subject": _VALUES["holder"], "expires_at": "2027-05-30T08:00:00Z"},
    "ApiTokenRevokedV1": {"subject": _VALUES["holder"], "subject_version": 2},
    "SignInRequestedV1": {"subject": _VALUES["sign_in"], "until": "2027-03-01T08:15:00Z"},
}
"""What one fact says otherwise than the others about the same entity."""


def _special(fact: type[Fact]) -> dict[str, Any]:
    if "event" in fact.model_fields:
        return _VENUE_VALUES if "edition" in fact.model_fields else _SIGN_UP_VALUES
    if fact.service == "events":
        return _EVENT_VALUES
    if "capacity" in fact.model_fields:
        return _SPACE_VALUES
    if "organisation" in fact.model_fields:
        return {"subject": _VALUES["organisation"], "name": "Nordviken business society"}
    if fact.service == "directory":
        subject = f"{_HUB}/{_PERSON}" if "person" in fact.model_fields else _HUB
        return {"subject": subject, "kind": "association"}
    return {"subject": _WEBHOOK} if fact.service == "notify" else {}


def _matching_values(fact: type[Fact]) -> dict[str, Any]:
    if "introduction" in fact.model_fields:
        return {"subject": _INTRODUCTION}
    if "vocabulary" in fact.model_fields:
        return {"subject": "vocabulary", "hub": EVERYWHERE}
    if "lessons" in fact.model_fields:
        return {"subject": "lessons", "hub": EVERYWHERE}
    if "person" not in fact.model_fields:
        return {"subject": _HUB}
    return {"subject": _PERSON if "change" in fact.model_fields else f"{_HUB}/{_PERSON}"}


def _own(fact: type[Fact]) -> dict[str, Any]:
    if fact.fact.endswith(("person-erased", "-forgotten")):
        return {"subject": _PERSON, "hub": EVERYWHERE}
    return _matching_values(fact) if fact.service == "matching" else _special(fact)


def example(fact: type[F]) -> F:
    """An example of any fact; LookupError names a field nobody has given a value yet."""
    known = _VALUES | _own(fact) | _SINGULAR.get(fact.__name__, {})
    missing = [name for name in fact.model_fields if name not in known]
    if missing:
        raise LookupError(f"{__name__} has no example value for {fact.__name__}.{missing[0]}: add one there")
    return fact.model_validate({name: known[name] for name in fact.model_fields})


def occupancy_example(space: str = _SPACE) -> OccupancyChangedV1:
    """An example of what operators receive, for a space or the whole hub."""
    capacity, booked, present = (24, 10, 8) if space == ALL_SPACES else (6, 2, 2)
    at: Any = "2027-03-01T09:00:00Z"
    return OccupancyChangedV1(
        id=_VALUES["id"],
        source=f"/hubs/{_HUB}/booking",
        subject=space,
        time=at,
        data=Occupancy(
            hub=_HUB,
            space=space,
            capacity=capacity,
            booked=booked,
            present=present,
            free=capacity - booked,
            at=at,
            version=7,
        ),
    )


def plain(message: BaseModel) -> dict[str, Any]:
    """The message as JSON values."""
    return message.model_dump(mode="json")
