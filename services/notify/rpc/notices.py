"""Requests in about a person's inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.reading import mark_read
from services.notify.queries import notices
from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.contracts.notify.notices import (
    GetMyNotice,
    ListMyNotices,
    MarkNoticesRead,
    NoticePage,
    NoticeView,
    UnreadView,
)
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def handlers(_: Settings, __: Ids) -> dict[type[Request[Any]], Handler]:
    """What is answered here."""
    return {ListMyNotices: _list, GetMyNotice: _get, MarkNoticesRead: _mark}


async def _list(session: AsyncSession, request: ListMyNotices, call: Call) -> NoticePage:
    return await notices.list_notices(session, request, required(call.principal).person)


async def _get(session: AsyncSession, request: GetMyNotice, call: Call) -> NoticeView:
    return await notices.get_notice(session, request, required(call.principal).person)


async def _mark(session: AsyncSession, request: MarkNoticesRead, call: Call) -> UnreadView:
    person = required(call.principal).person
    await mark_read(session, request, by=person, now=call.now)
    return await notices.count_unread(session, person)
