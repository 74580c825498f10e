"""Requests in about events: one short function per operation, which calls a command or a query."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import changing, publishing, series, settings, starting
from services.events.commands.loading import load_to_run, refuse_stale
from services.events.queries import events as event_queries
from services.events.queries import figures
from services.events.queries import settings as settings_queries
from services.events.rules.authority import viewer_of
from services.events.tables import Event
from shared.contracts.base import Request
from shared.contracts.directory.words import OPERATORS
from shared.contracts.events.requests import (
    CancelEvent,
    ChangeEvent,
    ChangeEventSettings,
    GetEvent,
    GetEventFigures,
    GetEventSettings,
    ListEvents,
    ListMyEvents,
    PublishEvent,
    StartEvent,
)
from shared.contracts.events.views import EventFigures, EventPage, EventSettingsView, EventView
from shared.kit.ids import Ids
from shared.kit.principal import Principal, require_role, required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {
        GetEvent: _get_event,
        ListEvents: _list_events,
        ListMyEvents: _list_my_events,
        GetEventSettings: _get_settings,
        GetEventFigures: _get_figures,
    }


async def _get_event(session: AsyncSession, request: GetEvent, call: Call) -> EventView:
    viewer = viewer_of(call.principal, request.hub)
    return await event_queries.view(session, request.hub, request.event, viewer, language=request.language)


async def _list_events(session: AsyncSession, request: ListEvents, call: Call) -> EventPage:
    return await event_queries.list_events(session, request, viewer_of(call.principal, request.hub))


async def _list_my_events(session: AsyncSession, request: ListMyEvents, call: Call) -> EventPage:
    return await event_queries.list_my_events(session, request, call.principal)


async def _get_settings(session: AsyncSession, request: GetEventSettings, _: Call) -> EventSettingsView:
    return await settings_queries.get_settings(session, request.hub)


async def _get_figures(session: AsyncSession, request: GetEventFigures, call: Call) -> EventFigures:
    viewer = viewer_of(call.principal, request.hub)
    return await figures.get_figures(session, request.hub, request.year, viewer, now=call.now)


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:  # noqa: ARG001  # as every part is asked
    """Orders."""
    return _starting(ids) | _running(ids) | {ChangeEventSettings: _change_settings}


def _starting(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def start(session: AsyncSession, request: StartEvent, call: Call) -> EventView:
        who = required(call.principal)
        if request.repeat is None and request.theme is None:
            event = await starting.start(session, request, who, now=call.now, ids=ids)
        else:
            event = await series.start(session, request, who, now=call.now, ids=ids)
        return await shown(session, event, who)

    return {StartEvent: start}


def _running(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def change(session: AsyncSession, request: ChangeEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await load_to_run(session, request.hub, request.event, who)
        refuse_stale("event", event.version, request.version)
        before = event.version
        await changing.change(session, event, request, who, now=call.now, ids=ids)
        if event.series_start is not None and event.version != before:
            event.detached = True  # it goes its own way when its series is changed
            await session.flush()
        return await shown(session, event, who)

    async def publish(session: AsyncSession, request: PublishEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await load_to_run(session, request.hub, request.event, who)
        await publishing.publish(session, event, who, now=call.now, ids=ids)
        return await shown(session, event, who)

    async def cancel(session: AsyncSession, request: CancelEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await load_to_run(session, request.hub, request.event, who)
        await changing.cancel(session, event, reason=request.reason, by=who.person, now=call.now, ids=ids)
        return await shown(session, event, who)

    return {ChangeEvent: change, PublishEvent: publish, CancelEvent: cancel}


async def _change_settings(
    session: AsyncSession, request: ChangeEventSettings, call: Call
) -> EventSettingsView:
    who = require_role(call.principal, request.hub, OPERATORS, "Changing a hub's choices")
    await settings.change_settings(session, request, by=who.person, now=call.now)
    return await settings_queries.get_settings(session, request.hub)


async def shown(session: AsyncSession, event: Event, who: Principal) -> EventView:
    """The event as the one who gave the order sees it now."""
    return await event_queries.view(session, event.hub, event.id, viewer_of(who, event.hub))
