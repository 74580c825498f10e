"""What booking shows a person of themselves, by table; whoever else is in a row is left out of it."""

from __future__ import annotations

EXPORTED = {
    "booking": """
        SELECT jsonb_build_array(created_at, id) AS place, id, hub, space, seats, starts_at, ends_at, status, created_at,
               expires_at, person = :person AS for_me, booked_by = :person AS by_me,
               CASE WHEN person = :person THEN title END AS title,
               CASE WHEN person = :person THEN cancel_reason END AS cancel_reason, calendar IS NOT NULL AS imported
        FROM booking WHERE person = :person OR booked_by = :person AND booked_by <> person
    """,
    "venue": """
        SELECT jsonb_build_array(event) AS place, event, hub, space, starts_at, ends_at, seats, state FROM venue
        WHERE person = :person
    """,
}
