"""Example messages: one made-up small town, the same in every published document."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from shared.contracts.base import ALL_SPACES, Fact
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1

F = TypeVar("F", bound=Fact)

_HUB = "nordviken"
_SPACE = "quiet-corner"
_PERSON = "01981f0e-5a00-7000-8000-0000000000a1"
_BOOKING = "01981f0e-5a00-7000-8000-0000000000b1"

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
    # a membership
    "role": "member",
    "previous": "visitor",
}
_SPACE_VALUES: dict[str, Any] = {
    "subject": f"{_HUB}/{_SPACE}",
    "name": "Quiet corner",
    "kind": "flex",
    "units": [1, 2, 3, 4, 5, 6],
    "capacity": 6,
}


def _special(fact: type[Fact]) -> dict[str, Any]:
    if "capacity" in fact.model_fields:
        return _SPACE_VALUES
    if "organisation" in fact.model_fields:
        return {"subject": _VALUES["organisation"], "name": "Nordviken business society"}
    if fact.service == "directory":
        subject = f"{_HUB}/{_PERSON}" if "person" in fact.model_fields else _HUB
        return {"subject": subject, "kind": "association"}
    return {}


def example(fact: type[F]) -> F:
    """An example of any fact; LookupError names a field nobody has given a value yet."""
    known = _VALUES | _special(fact)
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
