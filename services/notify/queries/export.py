"""What notify shows a person of themselves, by table; whoever else is in a row is left out of it."""

from __future__ import annotations

EXPORTED = {
    "habit": "SELECT quiet_start, quiet_end, digest_at, remind_minutes FROM habit WHERE person = :person",
    "choice": "SELECT hub, kind, channel, pace FROM choice WHERE person = :person ORDER BY hub, kind, channel",
    "message": """
        SELECT id, hub, channel, kinds, items, created_at, sent_at, read_at, failed_at FROM message
        WHERE person = :person ORDER BY created_at, id
    """,
    "notice": """
        SELECT hub, about, thing, channel, due_at, first_at, digest FROM notice WHERE person = :person ORDER BY first_at, id
    """,
    "digest": """
        SELECT hub, channel, pace, due_at FROM digest WHERE person = :person ORDER BY hub, channel, pace
    """,
    "told": """
        SELECT about, thing, channel, state, told_at FROM told WHERE person = :person ORDER BY told_at, about, thing, channel
    """,
    "member": "SELECT hub, role FROM member WHERE person = :person ORDER BY hub",
    "booking": """
        SELECT id, hub, space, starts_at, ends_at, seats, status FROM booking
        WHERE person = :person OR by = :person ORDER BY starts_at, id
    """,
    "sign_up": """
        SELECT id, hub, event, way, status, person = :person AS mine FROM sign_up
        WHERE person = :person OR by = :person ORDER BY id
    """,
    "event": """
        SELECT id, hub, status, starts_at, ends_at, titles FROM event
        WHERE organisers @> ARRAY[CAST(:person AS uuid)] OR by = :person ORDER BY starts_at, id
    """,
    "introduction": """
        SELECT id, hub, standing, said_at FROM introduction WHERE one = :person OR other = :person ORDER BY id
    """,
    "sign_in": "SELECT hub, until FROM sign_in WHERE person = :person ORDER BY until, id",
    "webhook": "SELECT id, hub, url, name, state, created_at FROM webhook WHERE created_by = :person ORDER BY created_at, id",
}
