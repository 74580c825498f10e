"""Reading secret calendar addresses: one's own, never their secrets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Feed
from shared.contracts.events.calendars import ListFeeds
from shared.contracts.events.views import FeedPage, FeedView
from shared.kit.errors import Invalid
from shared.kit.principal import Principal

_MINE = text("""
    SELECT id, hub, everywhere, made_at FROM feed
    WHERE person = :person AND revoked_at IS NULL AND id > :after ORDER BY id LIMIT :limit
""")


def view_of(feed: Feed | Any) -> FeedView:
    """A feed row, ORM object or plain."""
    return FeedView(id=feed.id, hub=feed.hub, everywhere=feed.everywhere, made_at=feed.made_at)


async def list_feeds(session: AsyncSession, request: ListFeeds, principal: Principal) -> FeedPage:
    """The person's addresses that are not revoked, in the order they were made."""
    asked = {"person": principal.person, "after": _after(request.cursor), "limit": request.limit + 1}
    rows = (await session.execute(_MINE, asked)).all()
    items = tuple(view_of(row) for row in rows[: request.limit])
    return FeedPage(items=items, cursor=str(items[-1].id) if len(rows) > request.limit else None)


def _after(cursor: str | None) -> UUID:
    try:
        return UUID(int=0) if cursor is None else UUID(cursor)
    except ValueError:
        raise Invalid("This cursor is not one of ours; start again without it.", field="cursor") from None
