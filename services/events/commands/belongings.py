"""What events keeps for a hub; places are counted by the database as sign-ups come in. Feeds are not kept: they are secrets."""

from __future__ import annotations

from shared.kit.belongings import Kept

HUB_IS_KNOWN = "SELECT 1 FROM hub WHERE slug = :hub"
_TIMERS = """
    split_part(t.key, '/', 1) IN (SELECT id::text FROM event WHERE hub = :hub
                                  UNION ALL SELECT id::text FROM series WHERE hub = :hub
                                  UNION ALL SELECT id::text FROM sign_up WHERE hub = :hub)
"""

_OF_OWN_EVENT = "t.hub = :hub AND EXISTS (SELECT FROM event e WHERE e.id = t.event AND e.hub = t.hub)"
_OF_OWN_SERIES = "t.hub = :hub AND EXISTS (SELECT FROM series s WHERE s.id = t.series AND s.hub = t.hub)"
# What was agreed or refused may outlive its event.
_OF_NO_OTHERS_EVENT = (
    "t.hub = :hub AND NOT EXISTS (SELECT FROM event e WHERE e.id = t.event AND e.hub <> t.hub)"
)

KEPT = (
    Kept(
        "settings", "hub_settings", "The hub's choices about events.",
        ("hub", "approval", "version", "changed_by", "changed_at"), {"hub": "text"},
    ),
    Kept(
        "series", "series", "What groups events: a rule, or a theme.",
        (
            "id", "hub", "kind", "texts", "language", "rule", "first_start", "minutes", "time_zone", "template",
            "made_until", "created_by", "created_at", "version",
        ),
        {"id": "uuid"},
    ),
    Kept(
        "series-skips", "series_skip", "Dates of a series that were left out, and why.",
        ("hub", "series", "wall_start", "because", "since"), {"series": "uuid", "wall_start": "text"}, holds=_OF_OWN_SERIES,
    ),
    Kept(
        "events", "event", "Events, also drafts and those that are over.",
        (
            "id", "hub", "series", "series_start", "detached", "kind", "visibility", "status", "starts_at", "ends_at",
            "time_zone", "space", "address", "online_url", "texts", "language", "tags", "cost", "accessibility", "link",
            "created_by", "created_at", "started_by", "asked_at", "usable_at", "waited", "cancelled_at", "cancel_reason",
            "returned_reason", "hidden_at", "hidden_by", "hidden_reason", "hidden_answer", "walk_ins", "calendar", "uid",
            "recurrence_id", "sequence", "stated", "version", "changed_at",
        ),
        {"id": "uuid"}, holds=f"t.series IS NULL AND t.hub = :hub OR {_OF_OWN_SERIES}",
    ),
    Kept(
        "organisers", "organiser", "Who organises an event; the nil id stands for the hub itself.",
        ("event", "hub", "kind", "id"), {"event": "uuid", "kind": "text", "id": "uuid"}, holds=_OF_OWN_EVENT,
    ),
    Kept(
        "places", "places", "How many can take part in an event in one way, and until when.",
        (
            "event", "way", "hub", "capacity", "last_number", "open", "closes_at", "for_members", "waits", "starts_at",
        ),
        {"event": "uuid", "way": "text"}, holds=_OF_OWN_EVENT,
    ),
    Kept(
        "sign-ups", "sign_up", "Who takes part, waits, or has come; with the code that is shown at the door.",
        (
            "id", "hub", "event", "way", "person", "guest", "seats", "status", "number", "code", "offer_until",
            "pending_until", "came_at", "came_by", "signed_up_at", "changed_at", "version",
        ),
        {"id": "uuid"}, holds=_OF_OWN_EVENT,
    ),
    Kept(
        "venues", "venue", "The rooms events wish for, as agreed with booking.",
        (
            "event", "hub", "edition", "state", "wants", "space", "starts_at", "ends_at", "seats", "person", "booking",
            "booked_space", "booked_starts_at", "booked_ends_at", "refused_because", "free_starts", "free_spaces",
            "bookable_from", "lost_because", "moved_by", "version", "heard", "asked_at", "changed_at",
        ),
        {"event": "uuid"}, holds=_OF_NO_OTHERS_EVENT,
    ),
    Kept(
        "refusals", "refusal", "What somebody wanted and did not get, for the figures.",
        ("id", "hub", "event", "at", "because", "by"), {"id": "uuid"}, holds=_OF_NO_OTHERS_EVENT,
    ),
    Kept(
        "timers", "timer", "When something is to be done: events that end, offers that lapse.",
        ("kind", "key", "due_at"), {"kind": "text", "key": "text"}, where=_TIMERS, lasting=False,
        passing=True,
    ),
)  # fmt: skip
"""In the order in which each finds what it refers to."""
