"""What directory shows a person of themselves, by table."""

from __future__ import annotations

EXPORTED = {
    "person": """
        SELECT jsonb_build_array(id) AS place, id, name, email, language, time_zone, guest, registered_at
        FROM person WHERE id = :person
    """,
    "membership": "SELECT jsonb_build_array(hub) AS place, hub, role, since, left_at FROM membership WHERE person = :person",
    "look": """
        SELECT jsonb_build_array(hour, hub, what, role, l.viewer) AS place, hub, what, role, hour,
               (SELECT name FROM person v WHERE v.id = l.viewer) AS viewer
        FROM look l WHERE person = :person
    """,
    "sign_in": """
        SELECT jsonb_build_array(asked_at, id) AS place, hub, asked_at, expires_at, used_at FROM sign_in WHERE person = :person
    """,
    "session": """
        SELECT jsonb_build_array(started_at, id) AS place, id, via, agent, started_at, seen_at, ends_at, ended_at,
               ended_because
        FROM session WHERE person = :person
    """,
    "identity": """
        SELECT jsonb_build_array(linked_at, md5(issuer), md5(subject)) AS place, issuer, subject, linked_at
        FROM identity WHERE person = :person
    """,
    "api_token": """
        SELECT jsonb_build_array(created_at, id) AS place, id, hub, name, purpose, created_at, expires_at, revoked_at
        FROM api_token WHERE created_by = :person
    """,
}
