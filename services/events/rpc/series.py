"""Requests in about series."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import series, series_changes
from services.events.commands.loading import refuse_stale
from services.events.commands.series_changes import Scope
from services.events.queries import series as series_queries
from services.events.rpc.events import shown
from services.events.rules.authority import viewer_of
from shared.contracts.base import Request
from shared.contracts.events.requests import (
    AddDate,
    CancelSeries,
    ChangeSeries,
    GetSeries,
    PublishSeries,
    StartTheme,
)
from shared.contracts.events.views import EventView, SeriesRefusal, SeriesView
from shared.kit.ids import Ids
from shared.kit.principal import Principal, required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {GetSeries: _get_series}


async def _get_series(session: AsyncSession, request: GetSeries, call: Call) -> SeriesView:
    viewer = viewer_of(call.principal, request.hub)
    return await series_queries.view(session, request.hub, request.series, viewer, language=request.language)


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:  # noqa: ARG001  # as every part is asked
    """Orders."""
    return _beginning(ids) | _changing(ids)


def _beginning(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def start_theme(session: AsyncSession, request: StartTheme, call: Call) -> SeriesView:
        who = required(call.principal)
        theme = await series.start_theme(session, request, who, now=call.now, ids=ids)
        return await _seen(session, request.hub, theme.id, who)

    async def add_date(session: AsyncSession, request: AddDate, call: Call) -> EventView:
        who = required(call.principal)
        found = await series.load_to_run(session, request.hub, request.series, who)
        event = await series.add_date(session, found, request, who, now=call.now, ids=ids)
        return await shown(session, event, who)

    return {StartTheme: start_theme, AddDate: add_date}


def _changing(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def change(session: AsyncSession, request: ChangeSeries, call: Call) -> SeriesView:
        who = required(call.principal)
        found = await series.load_to_run(session, request.hub, request.series, who)
        refuse_stale("series", found.version, request.version)
        refused = await series_changes.change(session, found, request, who, now=call.now, ids=ids)
        return await _seen(session, request.hub, found.id, who, refused)

    async def cancel(session: AsyncSession, request: CancelSeries, call: Call) -> SeriesView:
        who = required(call.principal)
        found = await series.load_to_run(session, request.hub, request.series, who)
        scope = Scope(request.from_event, request.until)
        await series_changes.cancel(session, found, scope, request.reason, who, now=call.now, ids=ids)
        return await _seen(session, request.hub, found.id, who)

    async def publish(session: AsyncSession, request: PublishSeries, call: Call) -> SeriesView:
        who = required(call.principal)
        found = await series.load_to_run(session, request.hub, request.series, who)
        refused = await series_changes.publish_all(session, found, who, now=call.now, ids=ids)
        return await _seen(session, request.hub, found.id, who, refused)

    return {ChangeSeries: change, CancelSeries: cancel, PublishSeries: publish}


async def _seen(
    session: AsyncSession, hub: str, series: UUID, who: Principal, refused: tuple[SeriesRefusal, ...] = ()
) -> SeriesView:
    """The series as the one who gave the order sees it now, with what could not be done."""
    return await series_queries.view(session, hub, series, viewer_of(who, hub), refused=refused)
