"""What directory shows a person of themselves, by table."""

from __future__ import annotations

EXPORTED = {
    "person": "SELECT id, name, email, language, time_zone, guest, registered_at FROM person WHERE id = :person",
    "membership": "SELECT hub, role, since, left_at FROM membership WHERE person = :person ORDER BY hub",
    "look": """
        SELECT hub, what, role, hour, (SELECT name FROM person v WHERE v.id = l.viewer) AS viewer FROM look l
        WHERE person = :person ORDER BY hour, hub, what, role, l.viewer
    """,
}
