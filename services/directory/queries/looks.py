"""Reading who has looked at one's data."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.directory.erasure import ListMyLooks, LookPage, LookView
from shared.kit.errors import Invalid
from shared.kit.moments import storable

# The viewer's name is read now: who was erased since is nobody.
_LOOKS = text("""
    SELECT l.hour, l.hub, l.what, l.role, l.viewer, p.name AS viewer_name
    FROM look l LEFT JOIN person p ON p.id = l.viewer
    WHERE l.person = :person AND (CAST(:hour AS timestamptz) IS NULL OR l.hour <= CAST(:hour AS timestamptz))
    ORDER BY l.hour DESC, l.viewer, l.hub, l.what, l.role OFFSET :skipped LIMIT :limit
""")


async def list_looks(session: AsyncSession, person: UUID, request: ListMyLooks) -> LookPage:
    """Who was shown the person's name or address, newest first."""
    hour, skipped = _place(request.cursor)
    asked = {"person": person, "hour": hour, "skipped": skipped, "limit": request.limit + 1}
    rows = (await session.execute(_LOOKS, asked)).mappings().all()
    items = tuple(LookView(**row) for row in rows[: request.limit])
    if len(rows) <= request.limit:
        return LookPage(items=items)
    last = items[-1].hour
    of_last = sum(one.hour == last for one in items)
    before = skipped if last == hour else 0
    return LookPage(items=items, cursor=f"{last.isoformat()} {before + of_last}")


def _place(cursor: str | None) -> tuple[datetime | None, int]:
    """From which hour on, and how many of that hour have been shown."""
    if cursor is None:
        return None, 0
    try:
        written, skipped = cursor.split(" ")
        hour = datetime.fromisoformat(written)
    except ValueError:
        hour, skipped = datetime.min, ""  # noqa: DTZ901  # refused below, like every other without an offset
    if hour.tzinfo is None or not skipped.isdecimal() or len(skipped) > 6:
        raise Invalid("This cursor is not from this list; start again without it.", field="cursor")
    return storable(hour, "cursor"), int(skipped)
