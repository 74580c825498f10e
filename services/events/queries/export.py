"""What events shows a person of themselves, by table; whoever else is in a row is left out of it."""

from __future__ import annotations

EXPORTED = {
    "sign_up": """
        SELECT jsonb_build_array(s.signed_up_at, s.id) AS place, s.id, s.hub, s.event, s.way, s.seats, s.status,
               s.signed_up_at, s.came_at, s.person = :person AS mine, s.came_by = :person AS let_in_by_me,
               e.starts_at, e.ends_at, e.status AS event_status,
               CASE WHEN e.hidden_at IS NULL THEN e.texts -> e.language ->> 'title' END AS title
        FROM sign_up s JOIN event e ON e.id = s.event WHERE s.person = :person OR s.came_by = :person
    """,
    "event": """
        SELECT jsonb_build_array(e.created_at, e.id) AS place, id, hub, series, kind, visibility, status, starts_at, ends_at,
               space, own.*, language, created_at, created_by = :person AS started_by_me, hidden_by = :person AS hidden_by_me
        FROM event e LEFT JOIN LATERAL (
            SELECT e.texts, e.address, e.online_url, e.tags, e.cost, e.accessibility, e.link WHERE e.created_by = :person
        ) own ON true
        WHERE created_by = :person OR hidden_by = :person
    """,
    "organiser": """
        SELECT jsonb_build_array(event) AS place, event, hub FROM organiser WHERE kind = 'person' AND id = :person
    """,
    "series": """
        SELECT jsonb_build_array(created_at, id) AS place, id, hub, kind, texts, rule, first_start, minutes, created_at
        FROM series WHERE created_by = :person
    """,
    "venue": """
        SELECT jsonb_build_array(event) AS place, event, hub, space, starts_at, ends_at, seats, state,
               moved_by = :person AS moved_by_me
        FROM venue WHERE person = :person OR moved_by = :person
    """,
    "feed": """
        SELECT jsonb_build_array(made_at, id) AS place, hub, everywhere, made_at, revoked_at FROM feed WHERE person = :person
    """,
    "hub_settings": """
        SELECT jsonb_build_array(hub) AS place, hub, approval, changed_at FROM hub_settings WHERE changed_by = :person
    """,
    "refusal": "SELECT jsonb_build_array(at, id) AS place, hub, event, at, because FROM refusal WHERE by = :person",
}
