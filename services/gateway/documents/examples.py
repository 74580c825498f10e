"""Examples in the published document: one made-up small town, as in the AsyncAPI document."""

from __future__ import annotations

from typing import Any

_PERSON = "01981f0e-5a00-7000-8000-0000000000a1"
_RULES = {
    "opening_hours": {
        "mon": [{"opens": "08:00", "closes": "18:00"}],
        "sat": [{"opens": "10:00", "closes": "24:00"}],
    },
    "closed_days": ["2027-12-24"],
    "buffer_after_minutes": 15,
    "days_ahead": 180,
}
_BOOKING = {
    "id": "01981f0e-5a00-7000-8000-0000000000b1",
    "hub": "nordviken",
    "space": "quiet-corner",
    "units": [4, 5],
    "seats": 2,
    "start": "2027-03-01T10:00:00+01:00",
    "end": "2027-03-01T13:00:00+01:00",
    "time_zone": "Europe/Stockholm",
    "status": "confirmed",
    "title": "Interview",
    "person": _PERSON,
    "booked_by": _PERSON,
    "rules_version": 1,
    "version": 1,
    "created_at": "2027-02-20T08:00:00Z",
}
_MEMBERSHIP = {
    "hub": "nordviken",
    "person": _PERSON,
    "role": "member",
    "since": "2026-09-01T08:00:00Z",
    "version": 1,
}
_FIGURES = {
    "space": "quiet-corner",
    "capacity": 6,
    "booked": 2,
    "free": 4,
    "present": 2,
    "at": "2027-03-01T09:00:00Z",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "BookingView": _BOOKING,
    "BookingChange": {"start": "2027-03-01T14:00", "end": "2027-03-01T15:00"},
    "Cancellation": {"reason": "The train is late"},
    "HubView": {
        "id": "nordviken",
        "name": "Nordviken coffice",
        "kind": "association",
        "municipality": "Nordviken",
        "country": "SE",
        "time_zone": "Europe/Stockholm",
        "languages": ["sv", "en"],
        "modules": ["booking"],
        "offers": ["Two conference rooms"],
        "cell": "local",
        "version": 1,
    },
    "MembershipView": _MEMBERSHIP,
    "NewMember": {"person": {"name": "Alva Ek", "language": "sv"}, "role": "visitor"},
    "NewRole": {"role": "host"},
    "NewSpace": {"id": "quiet-corner", "name": "Quiet corner", "kind": "flex", "seats": 6, "rules": _RULES},
    "OccupancyFigures": _FIGURES,
    "PersonView": {
        "id": _PERSON,
        "name": "Alva Ek",
        "language": "sv",
        "time_zone": "Europe/Stockholm",
        "guest": False,
        "memberships": [_MEMBERSHIP],
    },
    "SpaceAvailability": {
        "space": "quiet-corner",
        "name": "Quiet corner",
        "kind": "flex",
        "free": True,
        "seats": 6,
        "free_seats": 4,
        "in_the_way": [
            {
                "space": "quiet-corner",
                "start": "2027-03-01T10:00:00+01:00",
                "end": "2027-03-01T13:00:00+01:00",
            }
        ],
    },
    "SpaceChange": {"name": "Silent corner", "rules": _RULES},
    "SpaceView": {
        "id": "quiet-corner",
        "hub": "nordviken",
        "name": "Quiet corner",
        "kind": "flex",
        "capacity": 6,
        "units": [1, 2, 3, 4, 5, 6],
        "seats": 6,
        "time_zone": "Europe/Stockholm",
        "rules": _RULES,
        "version": 1,
    },
}
