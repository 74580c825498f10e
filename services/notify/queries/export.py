"""What notify shows a person of themselves, by table; whoever else is in a row is left out of it."""

from __future__ import annotations

EXPORTED = {
    "habit": """
        SELECT jsonb_build_array(person) AS place, quiet_start, quiet_end, digest_at, remind_minutes
        FROM habit WHERE person = :person
    """,
    "choice": """
        SELECT jsonb_build_array(hub, kind, channel) AS place, hub, kind, channel, pace FROM choice WHERE person = :person
    """,
    "message": """
        SELECT jsonb_build_array(created_at, id) AS place, id, hub, channel, kinds, items, created_at, sent_at, read_at,
               failed_at
        FROM message WHERE person = :person
    """,
    "notice": """
        SELECT jsonb_build_array(id) AS place, hub, about, thing, channel, due_at, first_at, digest
        FROM notice WHERE person = :person
    """,
    "digest": """
        SELECT jsonb_build_array(hub, channel, pace) AS place, hub, channel, pace, due_at FROM digest WHERE person = :person
    """,
    "told": """
        SELECT jsonb_build_array(about, thing, channel) AS place, about, thing, channel, state, told_at
        FROM told WHERE person = :person
    """,
    "member": "SELECT jsonb_build_array(hub) AS place, hub, role FROM member WHERE person = :person",
    "booking": """
        SELECT jsonb_build_array(id) AS place, id, hub, space, starts_at, ends_at, seats, status
        FROM booking WHERE person = :person OR by = :person AND by <> person
    """,
    "sign_up": """
        SELECT jsonb_build_array(id) AS place, id, hub, event, way, status, person = :person AS mine
        FROM sign_up WHERE person = :person OR by = :person AND by <> person
    """,
    "event": """
        SELECT jsonb_build_array(id) AS place, id, hub, status, starts_at, ends_at, titles
        FROM event WHERE organisers @> ARRAY[CAST(:person AS uuid)] OR by = :person
    """,
    "introduction": """
        SELECT jsonb_build_array(id) AS place, id, hub, standing, said_at
        FROM introduction WHERE one = :person OR other = :person
    """,
    "sign_in": "SELECT jsonb_build_array(id) AS place, hub, until FROM sign_in WHERE person = :person",
    "webhook": """
        SELECT jsonb_build_array(created_at, id) AS place, id, hub, url, name, state, created_at
        FROM webhook WHERE created_by = :person
    """,
}
