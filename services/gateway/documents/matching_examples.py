"""Examples of matching in the published document, in the same made-up small town."""

from __future__ import annotations

from typing import Any

_PERSON = "01981f0e-5a00-7000-8000-0000000000a1"
_STATEMENT = {"level": "expert", "words": "Bokslut för små bolag", "until": "2027-12-31"}
_EDIT = {
    "about": "Jag har drivit eget i tio år och hjälper gärna den som börjar.",
    "talk_about": ["segling", "att flytta till en mindre ort"],
    "fields": ["finance"],
    "languages": ["sv", "en"],
    "visibility": "hub",
    "paused": False,
}
PROFILES: dict[str, dict[str, Any]] = {
    "NewOrganisation": {"hub": "nordviken", "name": "Nordvikens Redovisning"},
    "NewStatement": _STATEMENT,
    "ProfileEdit": _EDIT,
    "ProfileView": {
        "id": _PERSON,
        "kind": "person",
        **_EDIT,
        "offers": [{"concept": "bookkeeping", "label": "bokföring", **_STATEMENT}],
        "needs": [{"concept": "photography", "label": "fotografering", "level": "practised"}],
        "consents": [{"hub": "nordviken", "given_at": "2027-02-20T08:00:00Z", "counts": True}],
        "changed_at": "2027-02-20T08:00:00Z",
        "version": 5,
    },
}
_MATCH = {
    "id": "5b0d3f6e-8f5c-4d2a-9a63-2f0c6f1f7d11",
    "way": "both",
    "reasons": ["erbjuder bokföring, som du behöver", "söker fotografering, som du erbjuder"],
    "near": "hub",
    "named": False,
}
_INPUTS = ["offers", "needs", "languages", "hubs", "consents", "visibility", "past", "exposure"]
MATCHES: dict[str, dict[str, Any]] = {
    "MatchView": _MATCH,
    "MatchListing": {"items": [_MATCH], "next": None, "why": _INPUTS, "paused": False},
    "StoppedView": {"id": _MATCH["id"]},
}
EXAMPLES: dict[str, dict[str, Any]] = {
    **PROFILES,
    **MATCHES,
}
