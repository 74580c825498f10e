"""What directory shows a person of themselves, by table."""

from __future__ import annotations

EXPORTED = {
    "person": "SELECT id, name, email, language, time_zone, guest, registered_at FROM person WHERE id = :person",
    "membership": "SELECT hub, role, since, left_at FROM membership WHERE person = :person ORDER BY hub",
    "look": """
        SELECT hub, what, role, hour, (SELECT name FROM person v WHERE v.id = l.viewer) AS viewer FROM look l
        WHERE person = :person ORDER BY hour, hub, what, role, l.viewer
    """,
    "sign_in": "SELECT hub, asked_at, expires_at, used_at FROM sign_in WHERE person = :person ORDER BY asked_at, id",
    "session": """
        SELECT id, via, agent, started_at, seen_at, ends_at, ended_at, ended_because FROM session
        WHERE person = :person ORDER BY started_at, id
    """,
    "identity": "SELECT issuer, subject, linked_at FROM identity WHERE person = :person ORDER BY issuer, subject",
    "api_token": """
        SELECT id, hub, name, purpose, created_at, expires_at, revoked_at FROM api_token
        WHERE created_by = :person ORDER BY created_at, id
    """,
}
