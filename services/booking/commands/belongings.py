"""What booking keeps for a hub; units stay numbered as they are, and the hub's next one follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit.belongings import Kept

HUB_IS_KNOWN = "SELECT 1 FROM hub WHERE slug = :hub"
_NUMBER = {"hub_number": "(SELECT number FROM hub WHERE slug = :hub)"}
_NEXT_UNIT = text("""
    UPDATE hub SET next_unit = greatest(next_unit, (SELECT max(upper(units)) FROM space WHERE space.hub = :hub))
    WHERE slug = :hub
""")
_TIMERS = """
    t.key = :hub OR split_part(t.key, '/', 1) IN (SELECT id::text FROM booking WHERE hub = :hub
                                                  UNION ALL SELECT event::text FROM venue WHERE hub = :hub)
"""


async def _number_on(session: AsyncSession, hub: str, _: Sequence[Mapping[str, Any]]) -> None:
    await session.execute(_NEXT_UNIT, {"hub": hub})


KEPT = (
    Kept(
        "spaces", "space", "What can be booked, with its rules: opening hours, closed days, buffers.",
        (
            "hub", "slug", "name", "kind", "capacity", "units", "made_of", "rules", "guarded", "active", "version",
            "stated",
        ),
        {"slug": "text"}, given=_NUMBER, taken_in=_number_on,
    ),
    Kept(
        "terms", "space_terms", "The rules of each version of a space: what bookings made under it were promised.",
        ("hub", "slug", "version", "rules", "time_zone", "since"), {"slug": "text", "version": "int"},
    ),
    Kept(
        "bookings", "booking", "Bookings, also those that are over, with who is checked in.",
        (
            "id", "hub", "space", "units", "seats", "starts_at", "ends_at", "kept_from", "kept_until", "status", "title",
            "person", "booked_by", "time_zone", "rules_version", "expires_at", "cancel_reason", "calendar", "uid",
            "recurrence_id", "event", "version", "created_at",
        ),
        {"id": "uuid"}, given=_NUMBER,
    ),
    Kept(
        "venues", "venue", "The rooms events wish for, as agreed with events.",
        (
            "event", "hub", "edition", "wants", "space", "starts_at", "ends_at", "seats", "person", "booking", "state",
            "stated", "heard", "changed_at",
        ),
        {"event": "uuid"},
    ),
    Kept(
        "timers", "timer", "When something is to be done: holds that end, figures that change.",
        ("kind", "key", "due_at"), {"kind": "text", "key": "text"}, where=_TIMERS, lasting=False,
        passing=True,
    ),
)  # fmt: skip
"""In the order in which each finds what it refers to."""
