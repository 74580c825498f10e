"""Reading a person's inbox."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.rules.differences import Item
from services.notify.rules.refusals import NoSuchNotice
from services.notify.rules.states import event_of, when_of
from services.notify.rules.wording import line_of
from shared.contracts.notify.notices import (
    GetMyNotice,
    ListMyNotices,
    NoticeItem,
    NoticePage,
    NoticeView,
    UnreadView,
)
from shared.kit.errors import Invalid

# ruff: noqa: S608  # the statements are put together from constants
_COLUMNS = "m.id, m.hub, m.items, m.created_at, m.read_at"
_UNREAD = (
    "SELECT count(*) AS unread FROM message WHERE person = :person AND channel = 'inbox' AND read_at IS NULL"
)
_PAGE = text(f"""
    SELECT c.unread, m.* FROM ({_UNREAD}) c LEFT JOIN (
        SELECT {_COLUMNS} FROM message m
        WHERE m.person = :person AND m.channel = 'inbox' AND (NOT :only_unread OR m.read_at IS NULL)
          AND m.id < CAST(:before AS uuid)
        ORDER BY m.id DESC LIMIT :limit
    ) m ON true ORDER BY m.id DESC
""")
_ONE = text(
    f"SELECT {_COLUMNS} FROM message m WHERE m.id = :notice AND m.person = :person AND m.channel = 'inbox'"
)
_COUNT = text(_UNREAD)
_AFTER_ALL = UUID(int=2**128 - 1)


async def list_notices(session: AsyncSession, request: ListMyNotices, person: UUID) -> NoticePage:
    """A page of the inbox, newest first."""
    asked = {
        "person": person,
        "only_unread": request.unread,
        "before": _before(request.cursor),
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_PAGE, asked)).all()
    found = [row for row in rows if row.id is not None]
    shown = found[: request.limit]
    return NoticePage(
        items=tuple(_view(row, request.language) for row in shown),
        cursor=str(shown[-1].id) if len(found) > len(shown) else None,
        unread=rows[0].unread,
    )


async def get_notice(session: AsyncSession, request: GetMyNotice, person: UUID) -> NoticeView:
    """One notice; NoSuchNotice said alike when there is none and when it is somebody else's."""
    row = (await session.execute(_ONE, {"notice": request.notice, "person": person})).first()
    if row is None:
        raise NoSuchNotice(f"There is no notice {request.notice} in your inbox.")
    return _view(row, request.language)


async def count_unread(session: AsyncSession, person: UUID) -> UnreadView:
    """How many a person has not read."""
    return UnreadView(unread=(await session.execute(_COUNT, {"person": person})).scalar_one())


def _view(row: Any, language: str | None) -> NoticeView:
    items = tuple(_item(Item.from_json(one), language) for one in row.items)
    return NoticeView(
        id=row.id,
        hub=row.hub,
        title=items[0].title,
        at=row.created_at,
        read_at=row.read_at,
        items=items,
    )


def _item(item: Item, language: str | None) -> NoticeItem:
    """An item in words; in the hub's zone, the person's is known only where they are reached."""
    title, lines = line_of(item, language, item.hub_zone)
    start, end = when_of(item.now)
    return NoticeItem(
        kind=item.kind,
        news=item.news,
        hub=item.hub,
        thing=item.thing,
        event=event_of(item.now, item.about, item.thing),
        title=title,
        text=lines,
        start=start,
        end=end,
    )


def _before(cursor: str | None) -> UUID:
    try:
        return _AFTER_ALL if cursor is None else UUID(cursor)
    except ValueError:
        raise Invalid("This cursor is not one of ours; start again without it.", field="cursor") from None
