"""What events shows a person of themselves, by table; whoever else is in a row is left out of it."""

from __future__ import annotations

EXPORTED = {
    "sign_up": """
        SELECT s.id, s.hub, s.event, s.way, s.seats, s.status, s.signed_up_at, s.came_at, s.person = :person AS mine,
               s.came_by = :person AS let_in_by_me, e.starts_at, e.ends_at, e.texts -> e.language ->> 'title' AS title
        FROM sign_up s JOIN event e ON e.id = s.event WHERE s.person = :person OR s.came_by = :person
        ORDER BY s.signed_up_at, s.id
    """,
    "event": """
        SELECT id, hub, series, kind, visibility, status, starts_at, ends_at, space, address, online_url, texts, language, tags,
               cost, accessibility, link, created_at, created_by = :person AS started_by_me, hidden_by = :person AS hidden_by_me
        FROM event WHERE created_by = :person OR hidden_by = :person ORDER BY created_at, id
    """,
    "organiser": "SELECT event, hub FROM organiser WHERE kind = 'person' AND id = :person ORDER BY event",
    "series": """
        SELECT id, hub, kind, texts, rule, first_start, minutes, created_at FROM series
        WHERE created_by = :person ORDER BY created_at, id
    """,
    "venue": """
        SELECT event, hub, space, starts_at, ends_at, seats, state, moved_by = :person AS moved_by_me FROM venue
        WHERE person = :person OR moved_by = :person ORDER BY event
    """,
    "feed": "SELECT hub, everywhere, made_at, revoked_at FROM feed WHERE person = :person ORDER BY made_at, id",
    "hub_settings": "SELECT hub, approval, changed_at FROM hub_settings WHERE changed_by = :person ORDER BY hub",
    "refusal": "SELECT hub, event, at, because FROM refusal WHERE by = :person ORDER BY at, id",
}
