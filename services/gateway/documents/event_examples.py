"""Examples of events in the published document, in the same made-up small town."""

from __future__ import annotations

from typing import Any

_PERSON = "01981f0e-5a00-7000-8000-0000000000a1"
_EVENT_ID = "01981f0e-5a00-7000-8000-0000000000e1"
_SERIES_ID = "01981f0e-5a00-7000-8000-000000000051"
_SIGN_UP_ID = "01981f0e-5a00-7000-8000-0000000000d1"
_TEXTS = {
    "sv": {"title": "Frukost i hamnen", "text": "Kaffe, bröd och en kort runda."},
    "en": {"title": "Harbour breakfast", "text": "Coffee, bread and a short round."},
}
_DETAILS = {
    "kind": "breakfast",
    "capacity": 20,
    "waiting_list": True,
    "visibility": "public",
    "tags": ["food", "newcomers"],
    "accessibility": "Step-free; tell us if you need an interpreter.",
}
_EVENT = {
    "id": _EVENT_ID,
    "hub": "nordviken",
    "status": "published",
    "kind": "breakfast",
    "visibility": "public",
    "title": "Frukost i hamnen",
    "text": "Kaffe, bröd och en kort runda.",
    "language": "sv",
    "texts": _TEXTS,
    "start": "2027-03-03T08:00:00+01:00",
    "end": "2027-03-03T09:30:00+01:00",
    "time_zone": "Europe/Stockholm",
    "place": {"space": "open-floor", "online": False},
    "places": [{"way": "room", "capacity": 20, "taken": 20, "free": 0, "waiting": 3, "waiting_list": True}],
    "organisers": [{"kind": "person", "id": _PERSON}],
    "tags": ["food", "newcomers"],
    "series": _SERIES_ID,
    "mine": False,
    "sign_up": _SIGN_UP_ID,
    "my_status": "attending",
    "created_at": "2027-02-20T08:00:00Z",
    "version": 4,
}
_SERIES = {
    "id": _SERIES_ID,
    "hub": "nordviken",
    "kind": "rule",
    "title": "Frukost i hamnen",
    "texts": _TEXTS,
    "rule": "FREQ=WEEKLY;BYDAY=WE",
    "first_start": "2027-03-03T08:00",
    "time_zone": "Europe/Stockholm",
    "dates": 51,
    "first": _EVENT_ID,
    "skipped": [{"start": "2027-12-29T08:00", "because": "left-out"}],
    "version": 2,
}
_SIGN_UP = {
    "id": _SIGN_UP_ID,
    "hub": "nordviken",
    "event": _EVENT_ID,
    "way": "room",
    "person": _PERSON,
    "guest": False,
    "status": "attending",
    "place": 7,
    "code": "7KQ2M-X9PVR",
    "signed_up_at": "2027-02-21T12:00:00Z",
    "version": 1,
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "Arrival": {"code": "7KQ2M-X9PVR"},
    "EventCancellation": {"reason": "The boat with the speaker does not go in this storm"},
    "EventChange": {"start": "2027-03-03T08:30", "end": "2027-03-03T10:00", "capacity": 24},
    "EventFigures": {
        "hub": "nordviken",
        "year": 2027,
        "meetups": 12,
        "participants": 240,
        "months": [{"month": "2027-03", "kind": "breakfast", "meetups": 4, "participants": 81}],
    },
    "EventReason": {"reason": "It advertises a product; write to us if that was not meant"},
    "EventSettingsChange": {"approval": True},
    "EventSettingsView": {"hub": "nordviken", "approval": False, "version": 1},
    "EventView": _EVENT,
    "FeedView": {
        "id": "01981f0e-5a00-7000-8000-0000000000f1",
        "hub": "nordviken",
        "everywhere": True,
        "made_at": "2027-02-20T08:00:00Z",
    },
    "GuestAnswer": {"event": _EVENT_ID, "status": "pending", "until": "2027-02-23T12:00:00Z"},
    "HidingAnswer": {"answer": "It is a talk by our own members; I have changed the title."},
    "LinkView": {
        "purpose": "confirm",
        "hub": "nordviken",
        "event": _EVENT_ID,
        "title": "Frukost i hamnen",
        "start": "2027-03-03T08:00:00+01:00",
        "time_zone": "Europe/Stockholm",
        "sign_up": {**_SIGN_UP, "guest": True, "status": "pending", "place": None, "code": None},
    },
    "NewDate": {"start": "2027-12-29T08:00"},
    "NewEvent": {
        "texts": _TEXTS,
        "language": "sv",
        "start": "2027-03-03T08:00",
        "end": "2027-03-03T09:30",
        "place": {"space": "open-floor"},
        "repeat": {"rule": "FREQ=WEEKLY;BYDAY=WE", "without": ["2027-12-29T08:00"]},
        "publish": True,
        **_DETAILS,
    },
    "NewFeed": {"everywhere": True},
    "NewTheme": {
        "title": "Week of repairs",
        "events": [
            {"title": "Bicycles", "start": "2027-04-05T10:00", "end": "2027-04-05T12:00", **_DETAILS},
            {"title": "Radios", "start": "2027-04-05T14:00", "end": "2027-04-05T16:00", "kind": "training"},
        ],
        "publish": True,
    },
    "SeriesCancellation": {"from_event": _EVENT_ID, "reason": "The harbour is closed in summer"},
    "SeriesChange": {
        "from_event": _EVENT_ID,
        "change": {"start": "2027-03-03T09:00", "end": "2027-03-03T10:30"},
    },
    "SeriesView": _SERIES,
    "SignUpView": _SIGN_UP,
}
SIGN_UPS: dict[str, dict[str, Any]] = {
    "oneself": {"value": {}},
    "online": {"value": {"way": "online"}},
    "a guest": {
        "value": {"guest": {"name": "Edda Lund", "email": "edda.lund@mail.example", "language": "sv"}}
    },
}
"""Bodies of a sign-up."""
