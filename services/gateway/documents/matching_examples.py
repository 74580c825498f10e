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
_INPUTS = ["offers", "needs", "languages", "hubs", "consents", "visibility", "past", "outcomes", "exposure"]
MATCHES: dict[str, dict[str, Any]] = {
    "MatchView": _MATCH,
    "MatchListing": {"items": [_MATCH], "next": None, "why": _INPUTS, "paused": False},
    "StoppedView": {"id": _MATCH["id"]},
}
_INTRODUCTION = {
    "id": "01981f0e-5a00-7000-8000-0000000000bb",
    "hub": "nordviken",
    "status": "agreed",
    "asked_by": "me",
    "i_said": "yes",
    "named": True,
    "person": _PERSON,
    "name": "Edda Lund",
    "reasons": ["erbjuder bokföring, som du behöver"],
    "lapses_at": None,
    "met_at": None,
    "outcome": None,
    "created_at": "2027-03-01T08:00:00Z",
    "version": 2,
}
INTRODUCTIONS: dict[str, dict[str, Any]] = {
    "NewIntroduction": {"match": _MATCH["id"]},
    "IntroductionReply": {"answer": "yes"},
    "MeetingOutcome": {"outcome": "collaboration"},
    "IntroductionView": _INTRODUCTION,
    "HostSuggestion": {"one": _PERSON, "other": "01981f0e-5a00-7000-8000-0000000000a2"},
    "SuggestedView": {
        "id": _INTRODUCTION["id"],
        "hub": "nordviken",
        "lapses_at": "2027-03-15T08:00:00Z",
    },
}
MEMBERS: dict[str, dict[str, Any]] = {
    "MemberView": {
        "match": _MATCH["id"],
        "kind": "person",
        "named": False,
        "person": None,
        "name": None,
        "about": "Jag har drivit eget i tio år och hjälper gärna den som börjar.",
        "talk_about": ["segling"],
        "fields": ["finance"],
        "languages": ["sv", "en"],
        "offers": [{"concept": "bookkeeping", "label": "bokföring", **_STATEMENT}],
        "needs": [{"concept": "photography", "label": "fotografering", "level": "practised"}],
    },
}
_GAP = {
    "concept": "public-relations",
    "label": "PR och mediekontakter",
    "broader": ["marketing"],
    "demand": 15,
    "supply": "<5",
    "wanted": 3,
    "missing": 18,
    "trend": [{"month": "2027-02", "demand": 10, "supply": "<5"}],
}
GAPS: dict[str, dict[str, Any]] = {
    "SkillGap": _GAP,
    "GapListing": {
        "items": [_GAP],
        "next": None,
        "hub": "nordviken",
        "area": "municipality",
        "place": "Nordviken",
        "month": "2027-03",
    },
    "TargetBody": {"wanted": 3},
    "TargetView": {
        "hub": "nordviken",
        "concept": "public-relations",
        "label": "PR och mediekontakter",
        "wanted": 3,
    },
}
_OUTCOME = {
    "outcome": "collaboration",
    "people": 10,
    "trend": [{"month": "2027-02", "people": "<5"}],
}
OUTCOMES: dict[str, dict[str, Any]] = {
    "OutcomeFigure": _OUTCOME,
    "OutcomeListing": {
        "items": [_OUTCOME],
        "next": None,
        "hub": "nordviken",
        "area": "municipality",
        "place": "Nordviken",
        "month": "2027-03",
    },
}
_FOUND = {
    "id": "bookkeeping",
    "label": "bokföring",
    "field": "finance",
    "confidence": 1.0,
    "how": "label",
    "matched": "bokföring",
}
_BOOKKEEPING = {"language": "en", "preferred": "bookkeeping", "alternatives": ["keeping the books"]}
SKILLS: dict[str, dict[str, Any]] = {
    "SkillView": _FOUND,
    "SkillListing": {"items": [_FOUND], "next": None, "did_you_mean": [], "by_meaning": True},
    "SkillDetail": {
        "id": "bookkeeping",
        "label": "bokföring",
        "origin": "foci",
        "kind": "skill",
        "field": "finance",
        "reviewed": False,
        "exact_match": None,
        "labels": [_BOOKKEEPING],
        "broader": [{"id": "finance", "label": "ekonomi"}],
        "narrower": [{"id": "invoicing", "label": "fakturering"}],
        "related": [{"id": "accounting", "label": "redovisning"}],
    },
}
EXAMPLES: dict[str, dict[str, Any]] = {
    **PROFILES,
    **MATCHES,
    **INTRODUCTIONS,
    **MEMBERS,
    **GAPS,
    **OUTCOMES,
    **SKILLS,
}
