"""Requests in about calendars and linked data."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import feeds
from services.events.queries import calendars
from services.events.queries import feeds as feed_queries
from shared.contracts.base import Request
from shared.contracts.events.calendars import (
    GetEventCalendar,
    GetLinkedData,
    GetPersonalCalendar,
    GetProgrammeCalendar,
    ListFeeds,
    MakeFeed,
    RevokeFeed,
)
from shared.contracts.events.views import CalendarFile, FeedPage, FeedView, LinkedData, NewFeedView
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {
        GetEventCalendar: _event_calendar,
        GetProgrammeCalendar: _programme_calendar,
        GetPersonalCalendar: _personal_calendar,
        GetLinkedData: _linked_data,
        ListFeeds: _list_feeds,
    }


async def _event_calendar(session: AsyncSession, request: GetEventCalendar, call: Call) -> CalendarFile:
    return await calendars.event_calendar(session, request, call.principal)


async def _programme_calendar(
    session: AsyncSession, request: GetProgrammeCalendar, call: Call
) -> CalendarFile:
    return await calendars.programme(session, request, now=call.now)


async def _personal_calendar(session: AsyncSession, request: GetPersonalCalendar, call: Call) -> CalendarFile:
    return await calendars.personal(session, request, now=call.now)


async def _linked_data(session: AsyncSession, request: GetLinkedData, call: Call) -> LinkedData:
    return await calendars.linked_data(session, request, call.principal)


async def _list_feeds(session: AsyncSession, request: ListFeeds, call: Call) -> FeedPage:
    return await feed_queries.list_feeds(session, request, required(call.principal))


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:
    """Orders."""

    async def make_feed(session: AsyncSession, request: MakeFeed, call: Call) -> NewFeedView:
        who = required(call.principal)
        feed, secret = await feeds.make(
            session, request.hub, who.person, request.everywhere, now=call.now, ids=ids, chance=chance
        )
        return NewFeedView(**feed_queries.view_of(feed).model_dump(), secret=secret)

    async def revoke_feed(session: AsyncSession, request: RevokeFeed, call: Call) -> FeedView:
        who = required(call.principal)
        return feed_queries.view_of(await feeds.revoke(session, request.feed, who.person, now=call.now))

    return {MakeFeed: make_feed, RevokeFeed: revoke_feed}
